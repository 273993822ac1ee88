#include <string.h>

#include "host/lib/explain/explain.h"
#include "host/lib/smp/answer.h"

static const char *running(const json_t *report)
{
    const char *v = answer_text(report, "running", "");
    return *v ? v : "an image of unknown version";
}

/* The version of the image that a slot held at the start, or NULL. */
static const char *version_in(const json_t *report, int slot)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(answer_list(report, "slots"), i, entry) {
        if (answer_int(entry, "slot", -1) == slot)
            return answer_text(json_object_get(entry, "image"), "v", NULL);
    }
    return NULL;
}

/* Was the running image confirmed since the report was made? */
static bool confirmed_since(const json_t *slots)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(answer_list(slots, "slots"), i, entry) {
        if (answer_bool(entry, "active"))
            return answer_bool(entry, "confirmed");
    }
    return false;
}

static void print_trial(const json_t *report, const json_t *slots, FILE *out)
{
    json_int_t starts = answer_int(report, "starts", 0), attempts = answer_int(report, "attempts", 1);
    const char *old = version_in(report, 1);

    if (!answer_bool(report, "trial"))
        return;
    if (confirmed_since(slots)) {
        fprintf(out, "It was a trial, start %lld of %lld; the image has been confirmed since.\n",
            (long long)starts, (long long)attempts);
        return;
    }
    fprintf(out, "%s runs on trial, start %lld of %lld. ", running(report), (long long)starts,
        (long long)attempts);
    if (starts < attempts)
        fprintf(out, "Unless it is confirmed, %s comes back after %lld more.\n", old ? old : "the old image",
            (long long)(attempts - starts));
    else
        fprintf(out, "Unless it is confirmed, the next start puts %s back.\n", old ? old : "the old image");
}

static void print_action(const json_t *report, FILE *out)
{
    const char *action = answer_text(report, "action", "?"), *now = running(report);

    if (!answer_bool(report, "started"))
        fprintf(out, "No image could be started; the bootloader's recovery service answers.\n");
    else if (answer_bool(report, "stopped"))
        fprintf(out, "The board started %s, which verifies, in the middle of a swap that could not go on.\n", now);
    else if (strcmp(action, "none") == 0)
        fprintf(out, "The board started %s from slot 0; nothing was swapped.\n", now);
    else if (strcmp(action, "test") == 0 && answer_int(report, "gap", 0))
        fprintf(out, "The board put %s into slot 0 for a trial.\n", now);
    else if (strcmp(action, "test") == 0)
        fprintf(out, "The board started %s once more for its trial.\n", now);
    else if (strcmp(action, "revert") == 0)
        fprintf(out, "The board put the old image back: %s runs.\n", now);
    else if (strcmp(action, "install") == 0)
        fprintf(out, "The board put %s into slot 0 for good.\n", now);
    else if (strcmp(action, "resume") == 0)
        fprintf(out, "The board continued a swap that was cut off; %s runs.\n", now);
    else if (strcmp(action, "recover") == 0)
        fprintf(out, "Slot 0 was broken; the board installed the image of slot 1: %s runs.\n", now);
    else
        fprintf(out, "The board did \"%s\"; %s runs.\n", action, now);
    if (answer_bool(report, "stopped"))
        fprintf(out, "The swap is not finished: each start tries to go on with it.\n");
}

static void print_times(const json_t *report, FILE *out)
{
    static const char *const phase[] = { "state", "verify", "digest", "slide", "close" };
    const json_t *ms = json_object_get(report, "ms");
    json_int_t units = answer_int(report, "units", 0), gap = answer_int(report, "gap", 0);
    const char *sep = ": ";

    if (gap)
        fprintf(out, "The swap moved %lld units at gap %lld.\n", (long long)units, (long long)gap);
    if (!json_is_object(ms))
        return;
    fprintf(out, "The start took %lld ms", (long long)answer_int(ms, "total", 0));
    for (size_t i = 0; i < sizeof phase / sizeof *phase; i++) {
        json_int_t t = answer_int(ms, phase[i], 0);
        if (t == 0)
            continue;
        fprintf(out, "%s%s %lld", sep, phase[i], (long long)t);
        sep = ", ";
    }
    fputs(".\n", out);
}

static bool is_in(const json_t *list, const json_t *entry)
{
    const json_t *other;
    size_t i;

    json_array_foreach(list, i, other) {
        if (json_equal(other, entry))
            return true;
    }
    return false;
}

/* Those of a list that are not in `told`, which may be NULL. */
static void print_findings(const json_t *list, const json_t *told, const char *title, FILE *out)
{
    char text[EXPLAIN_MAX];
    struct finding f;
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry) {
        if (is_in(told, entry) || !explain_take_finding(entry, &f))
            continue;
        if (title)
            fprintf(out, "%s\n", title);
        title = NULL;
        fprintf(out, "  - %s\n", explain_finding(&f, text, sizeof text));
    }
}

static void print_image(const json_t *image, FILE *out)
{
    char text[64];

    fprintf(out, "%s, %s", answer_text(image, "v", "?"),
        explain_value("size", (uint32_t)answer_int(image, "size", 0), text, sizeof text));
    if (answer_int(image, "unit", 0))
        fprintf(out, ", at unit %lld", (long long)answer_int(image, "unit", 0));
}

/* The finding of an entry that names its slot or chip itself. */
static void print_why(const json_t *entry, const char *before, FILE *out)
{
    char text[EXPLAIN_MAX];
    struct finding f;

    if (!explain_take_finding(json_object_get(entry, "why"), &f))
        return;
    f.slot = FINDING_NO_SLOT;
    fprintf(out, "%s%s", before, explain_finding(&f, text, sizeof text));
}

/* Of a chip: whether there is an image cannot be known then. */
static bool is_unreadable(const json_t *entry)
{
    struct finding f;

    return explain_take_finding(json_object_get(entry, "why"), &f) && f.reason < REASON_IMG_NONE;
}

void explain_slot(const json_t *slot, FILE *out)
{
    static const char *const flag[] = { "active", "confirmed", "pending", "permanent" };
    const json_t *image = json_object_get(slot, "image");

    fprintf(out, "slot %lld: ", (long long)answer_int(slot, "slot", 0));
    if (!json_is_object(image)) {
        fputs(is_unreadable(slot) ? "cannot be read" : "no image", out);
        print_why(slot, ": ", out);
        return;
    }
    print_image(image, out);
    for (size_t i = 0; i < sizeof flag / sizeof *flag; i++) {
        if (answer_bool(slot, flag[i]))
            fprintf(out, ", %s", flag[i]);
    }
    print_why(slot, answer_bool(image, "ok") ? "; it verifies, but: " : "; DOES NOT VERIFY: ", out);
}

void explain_report(const json_t *report, const json_t *slots, FILE *out)
{
    const json_t *entry;
    size_t i;

    print_action(report, out);
    print_trial(report, slots, out);
    print_times(report, out);
    if (json_array_size(answer_list(report, "slots"))) {
        fputs("What it found in the slots:\n", out);
        json_array_foreach(answer_list(report, "slots"), i, entry) {
            fputs("  ", out);
            explain_slot(entry, out);
            fputc('\n', out);
        }
    }
    const json_t *met = answer_list(report, "findings");
    print_findings(met, NULL, "What it met:", out);
    print_findings(answer_list(report, "failures"), met, "Earlier failures, kept in flash, oldest first:", out);
}

void explain_upload(const json_t *upload, FILE *out)
{
    const char *state = answer_text(upload, "state", "?");
    long long off = answer_int(upload, "off", 0), len = answer_int(upload, "len", 0);

    if (strcmp(state, "none") == 0)
        fputs("There was no upload since the last start", out);
    else if (strcmp(state, "running") == 0)
        fprintf(out, "An upload is under way: %lld of %lld bytes", off, len);
    else if (strcmp(state, "done") == 0)
        fprintf(out, "The last upload is complete and verified: %s, %lld bytes",
            answer_text(upload, "version", "?"), len);
    else
        fprintf(out, "The last upload %s at %lld of %lld bytes", strcmp(state, "refused") == 0 ? "was refused" : state,
            off, len);
    if (json_is_object(json_object_get(upload, "why")) && strcmp(state, "running") != 0)
        print_why(upload, ": ", out);
    else
        fputc('.', out);
    fputc('\n', out);
}

void explain_chip(const json_t *chip, FILE *out)
{
    json_int_t want = answer_int(chip, "jedec_want", 0);
    char text[64];

    fprintf(out, "%s flash: ", answer_text(chip, "name", "?"));
    fputs(answer_bool(chip, "ok") ? "good" : "NOT USABLE", out);
    fprintf(out, ", %lld KiB", (long long)answer_int(chip, "size", 0) / 1024);
    if (want)
        fprintf(out, ", JEDEC id %s",
            explain_value("jedec", (uint32_t)answer_int(chip, "jedec", 0), text, sizeof text));
    print_why(chip, ": ", out);
}
