#include "core/smp/groups/slipway.h"

#include "core/boot/failure.h"
#include "core/boot/service.h"
#include "core/smp/groups/version.h"
#include "core/smp/smp.h"

_Static_assert((int)FINDING_NO_SLOT > 1, "no slot is not a slot");

static void put_finding(struct smp_out *o, const char *key, const struct finding *f)
{
    cbor_map_begin(o, key);
    cbor_put_uint(o, "r", f->reason);
    if (f->slot != FINDING_NO_SLOT)
        cbor_put_uint(o, "slot", f->slot);
    cbor_put_uint(o, "f", f->found);
    cbor_put_uint(o, "e", f->expected);
    cbor_put_uint(o, "w", f->where);
    cbor_map_end(o);
}

static void put_why(struct smp_out *o, const char *key, const struct finding *f)
{
    if (f->reason != REASON_NONE)
        put_finding(o, key, f);
}

static void put_findings(struct smp_out *o, const char *key, const struct finding *f, unsigned n)
{
    cbor_list_begin(o, key);
    for (unsigned i = 0; i < n; i++)
        put_finding(o, NULL, &f[i]);
    cbor_list_end(o);
}

static void put_version(struct smp_out *o, const char *key, const struct image_version *v)
{
    uint8_t text[SMP_VERSION_MAX];

    cbor_put_text_n(o, key, smp_version_text(v, SMP_VERSION_PLUS, text));
}

static void put_image(struct smp_out *o, const struct image_version *v, uint32_t size,
    const uint8_t *hash, unsigned unit, bool ok)
{
    cbor_map_begin(o, "image");
    put_version(o, "v", v);
    cbor_put_uint(o, "size", size);
    cbor_put_bytes(o, "hash", hash, CRYPTO_SHA256_LEN);
    cbor_put_uint(o, "unit", unit);
    cbor_put_bool(o, "ok", ok);
    cbor_map_end(o);
}

/* ---- report ------------------------------------------------------------------------------------ */

static void put_times(struct smp_out *o, const struct boot_report *r)
{
    static const char *const phase[PHASE_COUNT] = { "state", "verify", "digest", "slide", "close" };

    cbor_map_begin(o, "ms");
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        cbor_put_uint(o, phase[i], r->phase_ms[i]);
    cbor_put_uint(o, "total", r->total_ms);
    cbor_map_end(o);
}

/* What an upload left in slot 1 is not looked for by the bootloader, which has no room for that. */
static void put_slot_reports(struct smp_out *o, const struct service *sv, const struct boot_report *r)
{
    cbor_list_begin(o, "slots");
    for (unsigned i = 0; i < 2; i++) {
        const struct slot_report *s = &r->slot[i];
        cbor_map_begin(o, NULL);
        cbor_put_uint(o, "slot", i);
        if (s->present)
            put_image(o, &s->version, s->size, s->hash, s->unit, s->verified);
        struct finding why = s->why;
        if (i == 1 && !s->present)
            (void)service_cut_off_upload(sv, &why);
        put_why(o, "why", &why);
        cbor_map_end(o);
    }
    cbor_list_end(o);
}

static int report_read(void *ctx, struct smp_call *call)
{
    struct service *sv = ctx;
    const struct boot_report none = { .action = BOOT_ACTION_NONE };
    const struct boot_report *r = sv->cfg.report != NULL ? sv->cfg.report : &none;
    struct finding failure[FAILURE_KEPT];
    struct smp_out *o = call->out;
    int failures = failure_read(sv->cfg.store, failure);

    cbor_put_text(o, "action", boot_action_name(r->action));
    cbor_put_bool(o, "started", r->started);
    cbor_put_bool(o, "trial", r->on_trial);
    cbor_put_bool(o, "stopped", r->swap_stopped);
    cbor_put_uint(o, "starts", r->starts);
    cbor_put_uint(o, "attempts", r->attempts);
    cbor_put_uint(o, "gap", r->gap);
    cbor_put_uint(o, "units", r->units);
    put_times(o, r);
    if (!sv->cfg.recovery && r->slot[0].present)
        put_version(o, "running", &r->slot[0].version);
    else
        cbor_put_text(o, "running", "");
    put_slot_reports(o, sv, r);
    put_findings(o, "findings", r->finding, r->findings);
    put_findings(o, "failures", failure, failures > 0 ? (unsigned)failures : 0);
    return SMP_DONE;
}

/* ---- flash and layout -------------------------------------------------------------------------- */

static void put_chip(struct smp_out *o, const struct flash_dev *dev, uint32_t jedec, bool ok,
    const struct finding *why)
{
    cbor_map_begin(o, NULL);
    cbor_put_text(o, "name", dev->name);
    cbor_put_uint(o, "size", dev->size);
    cbor_put_uint(o, "erase", dev->erase_size);
    cbor_put_uint(o, "jedec", jedec);
    cbor_put_uint(o, "jedec_want", dev->jedec);
    cbor_put_bool(o, "ok", ok);
    put_why(o, "why", why);
    cbor_map_end(o);
}

static int flash_state_read(void *ctx, struct smp_call *call)
{
    struct service *sv = ctx;
    const struct store *st = sv->cfg.store;
    const struct flash_area internal = store_slot(st, 0);
    struct finding why, internal_why = { .slot = FINDING_NO_SLOT };
    uint32_t jedec;
    uint8_t word[4];
    int err = service_probe(sv, &jedec, &why);

    if (err == ERR_BUSY)
        return SMP_BUSY;
    int internal_err = area_read(&internal, 0, word, sizeof word);
    if (internal_err != OK)
        store_explain(st, 0, internal_err, 0, &internal_why);
    cbor_list_begin(call->out, "chips");
    put_chip(call->out, st->internal, 0, internal_err == OK, &internal_why);
    put_chip(call->out, st->external, jedec, err == OK, &why);
    cbor_list_end(call->out);
    return SMP_DONE;
}

static void put_part(struct smp_out *o, const char *name, const struct flash_dev *chip,
    const struct layout_part *part)
{
    cbor_map_begin(o, NULL);
    cbor_put_text(o, "name", name);
    cbor_put_text(o, "chip", chip->name);
    cbor_put_uint(o, "off", part->off);
    cbor_put_uint(o, "size", part->size);
    cbor_map_end(o);
}

static int layout_read(void *ctx, struct smp_call *call)
{
    const struct service *sv = ctx;
    const struct store *st = sv->cfg.store;
    const struct layout *l = st->layout;
    struct layout_room room = layout_room_best(l);
    struct smp_out *o = call->out;

    cbor_put_text(o, "board", l->board);
    cbor_put_uint(o, "hash", l->hash);
    cbor_put_uint(o, "boot", sv->cfg.report != NULL ? sv->cfg.report->layout_hash : 0);
    cbor_put_uint(o, "unit", l->unit);
    cbor_put_uint(o, "gap", room.gap);
    cbor_put_uint(o, "max", room.max_image);
    cbor_list_begin(o, "parts");
    put_part(o, "boot", st->internal, &l->boot);
    put_part(o, "slot0", st->internal, &l->slot0);
    put_part(o, "slot1", st->external, &l->slot1);
    put_part(o, "state", st->internal, &l->state);
    cbor_list_end(o);
    return SMP_DONE;
}

/* ---- upload and slots -------------------------------------------------------------------------- */

static int upload_read(void *ctx, struct smp_call *call)
{
    const struct service *sv = ctx;
    const struct upload *up = &sv->up;
    struct smp_out *o = call->out;

    cbor_put_text(o, "state", upload_state_name(up->state));
    cbor_put_uint(o, "len", up->len);
    cbor_put_uint(o, "off", up->off);
    put_why(o, "why", &up->why);
    if (up->state == UPLOAD_DONE) {
        cbor_put_bytes(o, "hash", up->img.hash, sizeof up->img.hash);
        put_version(o, "version", &up->img.version);
    }
    return SMP_DONE;
}

static const char *phase_name(enum swap_phase phase)
{
    return phase == SWAP_TRIAL ? "trial" : phase == SWAP_UNFINISHED ? "unfinished" : "idle";
}

static void put_slot(struct smp_out *o, unsigned number, const struct service_slot *s)
{
    cbor_map_begin(o, NULL);
    cbor_put_uint(o, "slot", number);
    if (s->present)
        put_image(o, &s->img.version, s->img.end, s->img.hash, s->unit,
            s->verdict == VERDICT_GOOD);
    put_why(o, "why", &s->why);
    cbor_put_bool(o, "pending", s->pending);
    cbor_put_bool(o, "permanent", s->permanent);
    cbor_put_bool(o, "confirmed", s->confirmed);
    cbor_put_bool(o, "active", s->active);
    cbor_map_end(o);
}

static int slots_read(void *ctx, struct smp_call *call)
{
    struct service *sv = ctx;
    struct smp_out *o = call->out;

    if (!call->again)
        service_look(sv);
    if (service_poll(sv) == ERR_BUSY)
        return SMP_BUSY;
    cbor_put_text(o, "swap", phase_name(sv->phase));
    cbor_list_begin(o, "slots");
    put_slot(o, 0, &sv->slot[0]);
    put_slot(o, 1, &sv->slot[1]);
    cbor_list_end(o);
    put_why(o, "refused", &sv->refused);
    return SMP_DONE;
}

static const struct smp_cmd cmds[] = {
    { .id = SLIPWAY_REPORT, .read = report_read },
    { .id = SLIPWAY_FLASH, .read = flash_state_read },
    { .id = SLIPWAY_LAYOUT, .read = layout_read },
    { .id = SLIPWAY_UPLOAD, .read = upload_read },
    { .id = SLIPWAY_SLOTS, .read = slots_read },
};

const struct smp_group smp_group_slipway = {
    .id = SMP_GROUP_SLIPWAY,
    .cmds = cmds,
    .count = sizeof cmds / sizeof cmds[0],
};
