/* What lies in the slots, and why the device refused something. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/device.h"
#include "host/lib/smp/answer.h"
#include "host/lib/smp/names.h"

enum { BROKEN_CHIP_WAIT_MS = 15000 };

static void print_listed(const struct smpc_images *list, FILE *out)
{
    for (unsigned i = 0; i < list->count; i++) {
        const struct smpc_image *im = &list->image[i];
        fprintf(out, "slot %u: %s, hash %.*s%s%s%s%s\n", im->slot, im->version, SHORT_HASH,
            *im->hash ? im->hash : "unknown", im->active ? ", active" : "", im->confirmed ? ", confirmed" : "",
            im->pending ? ", pending" : "", im->permanent ? ", permanent" : "");
    }
    if (list->count == 0)
        fputs("the device lists no image\n", out);
}

static void print_hash(const json_t *slot, FILE *out)
{
    const char *hash = answer_text(json_object_get(slot, "image"), "hash", "");

    if (*hash)
        fprintf(out, ", hash %.*s", SHORT_HASH, hash);
}

bool device_layouts_differ(struct device *d, struct finding *f)
{
    if (!device_ask(d, SLIPWAY_LAYOUT))
        return false;
    uint32_t app = (uint32_t)answer_int(d->layout, "hash", 0), boot = (uint32_t)answer_int(d->layout, "boot", 0);
    *f = (struct finding) { REASON_LAYOUT_MISMATCH, FINDING_NO_SLOT, app, boot, 0 };
    return app && boot && app != boot;
}

/* The slots were looked at where the application believes them to be. */
static void print_layouts(struct device *d, FILE *out)
{
    char text[EXPLAIN_MAX];
    struct finding f;

    if (device_layouts_differ(d, &f))
        fprintf(out, "%s: the bootloader looks for slot 1 elsewhere\n", explain_finding(&f, text, sizeof text));
}

void device_print_state(struct device *d, FILE *out)
{
    struct smpc_refusal kept = d->c.refusal;
    struct smpc_images list;
    const json_t *slot;
    size_t i;

    if (device_ask(d, SLIPWAY_SLOTS)) {
        json_array_foreach(answer_list(d->slots, "slots"), i, slot) {
            explain_slot(slot, out);
            print_hash(slot, out);
            fputc('\n', out);
        }
        if (strcmp(answer_text(d->slots, "swap", "idle"), "unfinished") == 0)
            fputs("a swap is not finished\n", out);
        print_layouts(d, out);
    } else if (smpc_images_read(&d->c, &list) == OK) {
        print_listed(&list, out);
    }
    d->c.refusal = kept;
}

static json_t *listed_json(const struct smpc_images *list)
{
    json_t *all = json_array();

    for (unsigned i = 0; i < list->count; i++) {
        const struct smpc_image *im = &list->image[i];
        json_array_append_new(all, json_pack("{s:i, s:i, s:s, s:s, s:b, s:b, s:b, s:b, s:b}", "image",
            im->image, "slot", im->slot, "version", im->version, "hash", im->hash, "active", im->active,
            "confirmed", im->confirmed, "pending", im->pending, "permanent", im->permanent, "bootable",
            im->bootable));
    }
    return all;
}

json_t *device_slot_json(const json_t *slot, bool flags)
{
    static const char *const flag[] = { "active", "confirmed", "pending", "permanent" };
    const json_t *image = json_object_get(slot, "image");
    json_t *o = json_pack("{s:i}", "slot", (int)answer_int(slot, "slot", 0));
    struct finding f;

    if (json_is_object(image)) {
        json_object_set_new(o, "version", json_string(answer_text(image, "v", "?")));
        json_object_set_new(o, "size", json_integer(answer_int(image, "size", 0)));
        json_object_set_new(o, "hash", json_string(answer_text(image, "hash", "")));
        json_object_set_new(o, "unit", json_integer(answer_int(image, "unit", 0)));
        json_object_set_new(o, "verified", json_boolean(answer_bool(image, "ok")));
    }
    for (size_t i = 0; flags && i < sizeof flag / sizeof *flag; i++)
        json_object_set_new(o, flag[i], json_boolean(answer_bool(slot, flag[i])));
    if (explain_take_finding(json_object_get(slot, "why"), &f))
        json_object_set_new(o, "why", explain_finding_json(&f));
    return o;
}

json_t *device_state_json(struct device *d)
{
    struct smpc_images list;
    const json_t *slot;
    size_t i;

    if (!device_ask(d, SLIPWAY_SLOTS))
        return smpc_images_read(&d->c, &list) == OK ? listed_json(&list) : json_array();
    json_t *all = json_array();
    json_array_foreach(answer_list(d->slots, "slots"), i, slot)
        json_array_append_new(all, device_slot_json(slot, true));
    return all;
}

/* Group 64's entry of a slot, or NULL. */
static const json_t *slot_entry(struct device *d, unsigned slot)
{
    const json_t *entry;
    size_t i;

    if (!device_ask(d, SLIPWAY_SLOTS))
        return NULL;
    json_array_foreach(answer_list(d->slots, "slots"), i, entry) {
        if (answer_int(entry, "slot", -1) == (json_int_t)slot)
            return entry;
    }
    return NULL;
}

bool device_slot_wrong(struct device *d, unsigned slot, struct finding *f)
{
    return explain_take_finding(json_object_get(slot_entry(d, slot), "why"), f);
}

int device_find_wrong(struct device *d, const char *hash, struct finding *f)
{
    for (unsigned slot = 0; slot < 2; slot++) {
        const char *held = answer_text(json_object_get(slot_entry(d, slot), "image"), "hash", "");
        if (*hash && strncmp(held, hash, strlen(hash)) == 0 && device_slot_wrong(d, slot, f))
            return (int)slot;
    }
    return -1;
}

/* Where the device may have said why, in the order in which to look; the first finding is the cause. */
static bool find_cause(struct device *d, enum device_topic topic, struct finding *f)
{
    if (topic == TOPIC_OTHER)
        return false;
    if (topic == TOPIC_UPLOAD && device_ask(d, SLIPWAY_UPLOAD)
        && explain_take_finding(json_object_get(d->upload, "why"), f))
        return true;
    if (topic == TOPIC_STATE && device_ask(d, SLIPWAY_SLOTS)
        && explain_take_finding(json_object_get(d->slots, "refused"), f))
        return true;
    return device_external_wrong(d, f);
}

/* "img_hash_not_found", "smp_enotsup", "group_70_error_3". */
static void refusal_code(const struct smpc_refusal *r, char *buf, size_t cap)
{
    int group = r->of_group ? (int)r->group : SMPC_GROUP_SMP;
    const char *g = smpc_group_name(group), *name = smpc_rc_name(group, r->rc);

    if (g && name)
        snprintf(buf, cap, "%s_%s", g, name);
    else
        snprintf(buf, cap, "group_%d_error_%u", group, r->rc);
    for (char *p = buf; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
}

static json_t *refusal_json(const struct smpc_refusal *r)
{
    int group = r->of_group ? (int)r->group : SMPC_GROUP_SMP;
    char label[80];

    return json_pack("{s:i, s:i, s:s}", "group", group, "rc", (int)r->rc, "name",
        smpc_rc_label(group, r->rc, label, sizeof label));
}

/* Message, cause, state and next command of a refusal, put together. */
static int fail_refused(struct device *d, enum device_topic topic, const char *what)
{
    struct smpc_refusal r = d->c.refusal;
    int group = r.of_group ? (int)r.group : SMPC_GROUP_SMP;
    char label[80], code[80], sentence[EXPLAIN_MAX], *detail = NULL;
    const char *text = smpc_rc_text(group, r.rc);
    struct finding f = { 0 };
    size_t len;

    d->c.deadline_ms = smpc_now(&d->c) + BROKEN_CHIP_WAIT_MS;
    bool known = find_cause(d, topic, &f);
    refusal_code(&r, code, sizeof code);
    smpc_rc_label(group, r.rc, label, sizeof label);
    json_t *more = json_pack("{s:o}", "smp", refusal_json(&r));
    FILE *out = open_memstream(&detail, &len);
    /* The standard code's text is a guess beside the device's own reason. */
    fprintf(out, "the device answered %s%s%s%s%s\n", label, text && !known ? ": " : "", text && !known ? text : "",
        *r.reason ? "; it says: " : "", r.reason);
    fputs("now:\n", out);
    device_print_state(d, out);
    fclose(out);
    if (known)
        json_object_set_new(more, "finding", explain_finding_json(&f));
    json_object_set_new(more, "slots", device_state_json(d));
    int rc = known
        ? cli_fail_more(d->cli, EXIT_REFUSED, reason_code(f.reason), detail, explain_next(f.reason), more,
              "%s: %s", what, explain_finding(&f, sentence, sizeof sentence))
        : cli_fail_more(d->cli, EXIT_REFUSED, code, detail, "slipway list, slipway report", more,
              "%s: %s", what, text ? text : label);
    free(detail);
    return rc;
}

int device_fail(struct device *d, int err, enum device_topic topic, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    switch (err) {
    case SMPC_REFUSED:
        return fail_refused(d, topic, what);
    case SMPC_INTERRUPTED:
        return cli_fail(d->cli, EXIT_INTERRUPTED, "interrupted", NULL, NULL, "%s: interrupted", what);
    case ERR_TIMEOUT:
        return cli_fail(d->cli, EXIT_TIMEOUT, "no_answer",
            "It answered before; it may be resetting, swapping, or gone.", "slipway info", "%s: %s stopped answering",
            what, d->where.name);
    case ERR_FORMAT:
        return cli_fail(d->cli, EXIT_FAILED, "bad_answer", NULL, "the same command with --log FILE",
            "%s: %s", what, d->c.problem);
    case ERR_ARG:
        return cli_fail(d->cli, EXIT_USAGE, "too_long", NULL, NULL,
            "%s: it does not fit one message of %zu bytes", what, d->c.message_max);
    default:
        return cli_fail(d->cli, EXIT_NODEVICE, "device_gone", NULL, "slipway info",
            "%s: %s is gone", what, d->where.name);
    }
}

static char *state_text(struct device *d, const char *first)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    if (first && *first)
        fprintf(out, "%s\n", first);
    if (d->c.connected) {
        fputs("now:\n", out);
        device_print_state(d, out);
    }
    fclose(out);
    return text;
}

int device_fail_finding(struct device *d, int exit_code, const struct finding *f, const char *fmt, ...)
{
    char what[512], sentence[EXPLAIN_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    char *detail = state_text(d, NULL);
    json_t *more = json_pack("{s:o}", "finding", explain_finding_json(f));
    if (d->c.connected)
        json_object_set_new(more, "slots", device_state_json(d));
    int rc = cli_fail_more(d->cli, exit_code, reason_code(f->reason), detail, explain_next(f->reason), more,
        "%s: %s", what, explain_finding(f, sentence, sizeof sentence));
    free(detail);
    return rc;
}

int device_fail_state(struct device *d, int exit_code, const char *code, const char *why,
    const char *next, const char *fmt, ...)
{
    char what[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    char *detail = state_text(d, why);
    json_t *more = json_pack("{s:o}", "slots", device_state_json(d));
    int rc = cli_fail_more(d->cli, exit_code, code, detail, next, more, "%s", what);
    free(detail);
    return rc;
}
