#include <stdlib.h>
#include <string.h>

#include "host/cli/transfer.h"
#include "host/lib/smp/answer.h"
#include "host/lib/smp/upload.h"

enum { SLOT_UPLOADED = 1 };

void transfer_free(struct transfer *t)
{
    smpc_file_free(&t->file);
}

static bool is_signature_fault(unsigned reason)
{
    return reason == REASON_IMG_HASH || reason == REASON_IMG_UNSIGNED;
}

int transfer_read(const struct cli *cli, struct transfer *t)
{
    char why[IMAGEFILE_WHY_LEN], sentence[EXPLAIN_MAX];
    const struct finding *f = &t->file.wrong;

    if (!smpc_file_read(&t->file, t->path, why, sizeof why))
        return cli_fail(cli, EXIT_FILE, "file_unreadable", NULL, NULL, "cannot read %s: %s", t->path, why);
    if (f->reason == REASON_NONE)
        return EXIT_DONE;
    explain_finding(f, sentence, sizeof sentence);
    if (t->force) {
        cli_note(cli, "warning: %s: %s; it is sent because of --force", t->path, sentence);
        return EXIT_DONE;
    }
    int rc = cli_fail_more(cli, is_signature_fault(f->reason) ? EXIT_VERIFY : EXIT_FILE,
        reason_code(f->reason),
        "It was meant for slot 1. Nothing was sent; the device is as it was.", explain_next(f->reason),
        json_pack("{s:o}", "finding", explain_finding_json(f)), "%s: %s", t->path, sentence);
    transfer_free(t);
    return rc;
}

static uint32_t part_size(const json_t *layout, const char *name)
{
    const json_t *part;
    size_t i;

    json_array_foreach(answer_list(layout, "parts"), i, part) {
        if (strcmp(answer_text(part, "name", ""), name) == 0)
            return (uint32_t)answer_int(part, "size", 0);
    }
    return 0;
}

/* What group 64 allows to find. */
static bool find_misfit(struct device *d, const struct smpc_file *file, struct finding *f)
{
    const json_t *layout = d->layout;
    uint32_t app = (uint32_t)answer_int(layout, "hash", 0);
    uint32_t slot = part_size(layout, "slot1"), max = (uint32_t)answer_int(layout, "max", 0);
    uint32_t size = (uint32_t)file->bytes.len;

    if (device_layouts_differ(d, f))
        return true;
    *f = (struct finding) { .slot = SLOT_UPLOADED };
    if (file->is_image && file->image.has_layout && app && file->image.layout_hash != app)
        *f = (struct finding) { REASON_IMG_LAYOUT, SLOT_UPLOADED, file->image.layout_hash, app, 0 };
    else if (slot && size > slot)
        *f = (struct finding) { REASON_IMG_TOO_LARGE_SLOT, SLOT_UPLOADED, size, slot, 0 };
    else if (max && size > max)
        *f = (struct finding) { REASON_IMG_TOO_LARGE_SWAP, SLOT_UPLOADED, size, max, 0 };
    return f->reason != REASON_NONE;
}

/* IMG 6 of any server: sizes of the slots, largest image. */
static bool find_misfit_by_slots(struct device *d, const struct transfer *t, struct finding *f)
{
    const json_t *image, *slot;
    uint32_t size = (uint32_t)t->file.bytes.len, room = 0, max = 0;
    json_t *answer;
    size_t i, k;

    if (smpc_slot_info(&d->c, &answer) != OK)
        return false;
    json_array_foreach(answer_list(answer, "images"), i, image) {
        if (answer_int(image, "image", 0) != (json_int_t)t->image)
            continue;
        max = (uint32_t)answer_int(image, "max_image_size", 0);
        json_array_foreach(answer_list(image, "slots"), k, slot) {
            if (answer_int(slot, "slot", -1) == SLOT_UPLOADED)
                room = (uint32_t)answer_int(slot, "size", 0);
        }
    }
    json_decref(answer);
    *f = (struct finding) { .slot = SLOT_UPLOADED, .found = size };
    f->reason = room && size > room ? REASON_IMG_TOO_LARGE_SLOT : max && size > max ? REASON_IMG_TOO_LARGE_SWAP : 0;
    f->expected = f->reason == REASON_IMG_TOO_LARGE_SLOT ? room : max;
    return f->reason != REASON_NONE;
}

/* In recovery an upload ends the swap that a dead chip stopped: what it had moved is not moved back. */
static void warn_of_swap(struct device *d)
{
    static const char text[] = "a swap is not finished; an upload gives it up, slipway reset tries to go on with it";

    if (!device_ask(d, SLIPWAY_SLOTS) || strcmp(answer_text(d->slots, "swap", "idle"), "unfinished") != 0)
        return;
    cli_note(d->cli, "warning: %s", text);
    cli_event(d->cli, "warning", "{s:s, s:s}", "code", "swap_unfinished", "text", text);
}

int transfer_check(struct device *d, const struct transfer *t)
{
    struct finding f;
    char text[EXPLAIN_MAX];

    warn_of_swap(d);
    bool wrong = device_ask(d, SLIPWAY_LAYOUT) ? find_misfit(d, &t->file, &f)
                                               : find_misfit_by_slots(d, t, &f);
    if (!wrong)
        return EXIT_DONE;
    if (t->force) {
        cli_note(d->cli, "warning: %s; it is sent because of --force", explain_finding(&f, text, sizeof text));
        return EXIT_DONE;
    }
    return device_fail_finding(d, f.reason == REASON_LAYOUT_MISMATCH ? EXIT_REFUSED : EXIT_FILE, &f,
        "%s was not sent", t->path);
}

static void on_progress(void *arg, size_t off)
{
    cli_progress(arg, (long)off);
}

static int erase_first(struct device *d)
{
    int rc = smpc_slot_erase(&d->c, SLOT_UPLOADED);

    device_forget(d);
    if (rc == OK || smpc_not_there(&d->c, rc))
        return EXIT_DONE; /* a device without the command starts from 0 anyway, or resumes */
    return device_fail(d, rc, TOPIC_STATE, "slot 1 cannot be erased for a new start");
}

/* Was it refused by what it is, as a whole? The device says so; the last answer that came does not. */
static bool arrived_whole(struct device *d, unsigned long long len)
{
    return device_ask(d, SLIPWAY_UPLOAD) && (unsigned long long)answer_int(d->upload, "off", 0) == len
        && strcmp(answer_text(d->upload, "state", ""), "failed") == 0;
}

/* Chunks of two clients land in one upload; the device can tell by its length, and in the end by its hash. */
static bool is_another_upload(struct device *d, size_t len)
{
    return device_ask(d, SLIPWAY_UPLOAD) && answer_int(d->upload, "len", 0) != (json_int_t)len
        && strcmp(answer_text(d->upload, "state", ""), "running") == 0;
}

static int fail_another(struct device *d, const struct transfer *t)
{
    return device_fail_state(d, EXIT_FAILED, "another_upload", NULL, "end the other client, then the same command",
        "upload of %s: another client uploads to slot 1 at the same time (%lld bytes)", t->path,
        (long long)answer_int(d->upload, "len", 0));
}

static int fail_upload(struct device *d, const struct transfer *t, const struct smpc_upload *u, int err)
{
    char what[400];
    unsigned long long off = u->off, len = u->file.len;

    if (err == ERR_FORMAT && is_another_upload(d, u->file.len))
        return fail_another(d, t);
    if (err == SMPC_REFUSED && arrived_whole(d, len))
        return device_fail(d, err, TOPIC_UPLOAD, "all %llu bytes of %s arrived in slot 1, but the device does not take it",
            len, t->path);
    if (err == SMPC_REFUSED)
        return device_fail(d, err, TOPIC_UPLOAD, "upload of %s stopped at %llu of %llu bytes", t->path, off, len);
    snprintf(what, sizeof what, "upload of %s stopped at %llu of %llu bytes", t->path, off, len);
    if (err == ERR_TIMEOUT)
        return cli_fail(d->cli, EXIT_TIMEOUT, "no_answer",
            "Slot 1 holds a part of the image, which will not start. The running image is untouched.",
            "the same command again: it goes on where it stopped", "%s: %s does not answer any more", what,
            d->where.name);
    if (err == SMPC_INTERRUPTED)
        return cli_fail(d->cli, EXIT_INTERRUPTED, "interrupted",
            "Slot 1 holds a part of the image, which will not start. The running image is untouched.",
            "the same command again: it goes on where it stopped", "%s: interrupted", what);
    return device_fail(d, err, TOPIC_UPLOAD, "%s", what);
}

/* Is the image listed, and not as the running one? Its slot, -1: not, -2: the device cannot be asked. */
static int find_uploaded(struct device *d, const struct smpc_file *file)
{
    struct smpc_images list;
    int slot = -1;

    int rc = smpc_images_read(&d->c, &list);
    if (rc != OK)
        return -2;
    for (unsigned i = 0; i < list.count; i++) {
        if (strcmp(list.image[i].hash, file->hash) == 0 && !list.image[i].active)
            slot = (int)list.image[i].slot;
        if (!*list.image[i].hash)
            slot = slot < 0 ? -2 : slot; /* a bootloader that lists no hashes */
    }
    return slot;
}

static int check_arrival(struct device *d, struct transfer *t, const struct smpc_upload *u)
{
    struct finding f;

    d->c.deadline_ms = smpc_now(&d->c) + DEVICE_BUDGET_MS;
    device_forget(d);
    if (is_another_upload(d, u->file.len))
        return fail_another(d, t);
    if (device_ask(d, SLIPWAY_UPLOAD) && explain_take_finding(json_object_get(d->upload, "why"), &f)
        && strcmp(answer_text(d->upload, "state", ""), "done") != 0)
        return device_fail_finding(d, EXIT_REFUSED, &f, "upload of %s", t->path);
    if (u->mismatch)
        return device_fail_state(d, EXIT_DIFFERS, "contents_differ", NULL, "slipway upload --restart FILE",
            "the device has all of %s, but says that its contents differ", t->path);
    t->slot = t->file.is_image ? find_uploaded(d, &t->file) : -2;
    if (t->slot == -1)
        return device_fail_state(d, EXIT_DIFFERS, "not_listed", NULL, "slipway report, then slipway upload --restart FILE",
            "the device took all of %s but lists no such image (hash %.*s...)", t->path, SHORT_HASH, t->file.hash);
    return EXIT_DONE;
}

static void tell_done(const struct device *d, const struct transfer *t, const struct smpc_upload *u, double s)
{
    double rate = s > 0 ? (double)(u->file.len - u->resumed_at) / 1024 / s : 0;

    if (u->alone_before)
        cli_note(d->cli, "%s was there already: nothing was sent", t->path);
    else
        cli_note(d->cli, "sent %s (%s, %zu bytes) in %.1f s, %.1f KiB/s%s", t->path,
            t->file.is_image ? t->file.version : "not an image", u->file.len - u->resumed_at, s, rate,
            u->repeated ? "; some chunks were sent again" : "");
    cli_debug(d->cli, "window %u, chunks of %u bytes, %u sent again, %u starts over", u->window, u->chunk,
        u->repeated, u->restarts);
    cli_event(d->cli, "upload", "{s:I, s:I, s:i, s:i, s:i, s:i, s:f}", "len", (json_int_t)u->file.len,
        "resumed_at", (json_int_t)u->resumed_at, "window", (int)u->window, "chunk", (int)u->chunk, "repeated",
        (int)u->repeated, "restarts", (int)u->restarts, "seconds", s);
}

static int send_once(struct device *d, const struct transfer *t, struct smpc_upload *u)
{
    struct cli_progress bar;

    *u = (struct smpc_upload) { .file = t->file.bytes, .image = t->image, .progress = on_progress, .arg = &bar };
    memcpy(u->sha, t->file.sha, sizeof u->sha);
    cli_progress_begin(&bar, d->cli, "upload", 0, (long)u->file.len);
    d->c.deadline_ms = 0; /* upload.c ends it when nothing moves */
    int rc = smpc_upload(&d->c, u);
    d->c.deadline_ms = smpc_now(&d->c) + DEVICE_BUDGET_MS / 2;
    cli_progress_end(&bar, rc == OK);
    return rc;
}

int transfer_send(struct device *d, struct transfer *t)
{
    struct smpc_upload u;

    device_forget(d); /* what is said afterwards of slot 1 must not be what was there before */
    int rc = t->restart ? erase_first(d) : EXIT_DONE;
    if (rc != EXIT_DONE)
        return rc;
    if (t->file.padding)
        cli_note(d->cli, "the %zu bytes behind the image in %s are padding and are not sent", t->file.padding,
            t->path);
    int64_t start = smpc_now(&d->c);
    rc = send_once(d, t, &u);
    if (rc == OK && u.mismatch && u.resumed_at) {
        /* Two clients at once leave such a beginning. The device does not resume it again. */
        cli_note(d->cli, "the part that was there already is not of %s: sending all of it", t->path);
        rc = send_once(d, t, &u);
    }
    if (rc != OK)
        return fail_upload(d, t, &u, rc);
    if (u.resumed_at && !u.alone_before)
        cli_note(d->cli, "went on at %zu bytes, where an earlier upload had stopped", u.resumed_at);
    rc = check_arrival(d, t, &u);
    if (rc == EXIT_DONE)
        tell_done(d, t, &u, (double)(smpc_now(&d->c) - start) / 1000);
    return rc;
}
