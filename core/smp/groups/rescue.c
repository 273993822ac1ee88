#include "core/smp/groups/rescue.h"

#include <string.h>

#include "core/boot/boot.h"
#include "core/boot/fit.h"
#include "core/boot/report.h"
#include "core/boot/trailer.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/os.h"
#include "core/smp/groups/slipway.h"
#include "core/smp/groups/version.h"
#include "core/smp/smp.h"
#include "core/smp/tiny.h"

void rescue_init(struct rescue *r, const struct rescue_config *cfg)
{
    memset(r, 0, sizeof *r);
    r->cfg = cfg;
}

/* ---- images ----------------------------------------------------------------------------------- */

/* Opens, hashes and verifies what is in a slot into r->img; r->why if it is no good. */
static int look(struct rescue *r, unsigned slot, unsigned *unit)
{
    int err = store_verify(r->cfg->store, slot, &r->cfg->work, &r->img, unit, &r->why);

    return err == OK ? store_runnable(r->cfg->store, &r->img, slot, &r->why) : err;
}

static void list_image(struct rescue *r, struct tiny_out *o, unsigned slot)
{
    const struct flash_area area = store_slot(r->cfg->store, slot);
    struct trailer t = { TRAILER_BLANK, TRAILER_BLANK, TRAILER_BLANK };
    uint8_t text[SMP_VERSION_MAX];
    struct finding verdict = r->why; /* the upload's is not this one's */
    unsigned unit;
    int err = look(r, slot, &unit);

    r->why = verdict;
    if (err != OK)
        return;
    bool pending = slot == 1 && trailer_read(&area, &t) == OK && t.magic == TRAILER_SET;
    tiny_map_begin(o, NULL);
    tiny_uint(o, "slot", slot);
    tiny_text(o, "version", smp_version_text(&r->img.version, SMP_VERSION_DOTS, text));
    tiny_bytes(o, "hash", r->img.hash, sizeof r->img.hash);
    tiny_bool(o, "bootable", true);
    tiny_bool(o, "pending", pending);
    tiny_bool(o, "confirmed", false);
    tiny_bool(o, "active", false);
    tiny_bool(o, "permanent", pending && t.image_ok == TRAILER_SET);
    tiny_end(o);
}

static int state_read(struct rescue *r, struct span map, struct tiny_out *o)
{
    (void)map;
    tiny_list_begin(o, "images");
    for (unsigned slot = 0; slot < 2; slot++)
        list_image(r, o, slot);
    tiny_end(o);
    return SMP_DONE;
}

/* A request for what is in slot 1: what is in slot 0 is started anyway. */
static int state_write(struct rescue *r, struct span map, struct tiny_out *o)
{
    const struct flash_area area = store_slot(r->cfg->store, 1);
    struct tiny_value hash = tiny_find(map, "hash"), confirm = tiny_find(map, "confirm");
    struct trailer t = { TRAILER_BLANK, TRAILER_BLANK, TRAILER_BLANK };
    unsigned unit;

    if (hash.kind != TINY_BYTES || hash.bytes.len != CRYPTO_SHA256_LEN)
        return smp_err(SMP_IMG_ERR_INVALID_HASH);
    if (look(r, 1, &unit) != OK)
        return smp_err(smp_img_code(&r->why, ERR_VERIFY));
    if (memcmp(r->img.hash, hash.bytes.p, CRYPTO_SHA256_LEN) != 0)
        return smp_err(SMP_IMG_ERR_HASH_NOT_FOUND);
    /* An upload has erased the trailer in this power cycle; else what reads blank there need not be (service.c). */
    bool fresh = (r->state == UPLOAD_DONE && r->slot == 1) || (trailer_read(&area, &t) == OK && t.magic == TRAILER_SET);
    if (!fresh && trailer_erase(&area, r->cfg->store->layout->unit) != OK)
        return smp_err(SMP_IMG_ERR_FLASH_ERASE_FAILED);
    if (trailer_request(&area, r->cfg->store->layout->unit, confirm.num != 0 && confirm.kind != TINY_NONE) != OK)
        return smp_err(SMP_IMG_ERR_FLASH_WRITE_FAILED);
    return state_read(r, map, o);
}

/* ---- upload ----------------------------------------------------------------------------------- */

static int fail(struct rescue *r, enum upload_state state, int err)
{
    r->state = state;
    r->off = 0;
    r->why.slot = r->slot;
    return smp_err(smp_img_code(&r->why, err));
}

static int fail_flash(struct rescue *r, int err, uint32_t off)
{
    store_explain(r->cfg->store, r->slot, err, off, &r->why);
    return fail(r, UPLOAD_FAILED, err);
}

/* What chunk 0 tells: a header, and whether there is room for what it announces. */
static int check_header(struct rescue *r, struct span data)
{
    const struct store *st = r->cfg->store;
    const struct flash_area area = store_slot(st, r->slot);
    struct image img, running;
    unsigned unit;
    int err = image_parse_header(&img, data, area.size, &r->why);

    if (err != OK || r->slot == 0)
        return err;
    struct finding nothing;
    bool runs = store_open(st, 0, &running, &unit, &nothing) == OK;
    return fit_swap(st, runs ? &running : NULL, img.hdr_size + img.img_size + img.prot_size + IMAGE_TLV_INFO_LEN, 0,
        &r->why);
}

/*
 * A swap that is not finished, or a trial, ends here: what it would go on with is overwritten. Then the
 * slot's trailer goes, so that no request is left that could mean something half written.
 */
static int begin(struct rescue *r, struct span data, uint32_t len)
{
    const struct store *st = r->cfg->store;
    struct swap_status swap;
    uint32_t jedec;

    r->slot = flash_probe(st->external, &jedec) == OK ? 1 : 0;
    const struct flash_area area = store_slot(st, r->slot);
    int err = check_header(r, data);
    if (err == OK && len > area.size) {
        r->why = (struct finding) { .reason = REASON_IMG_TOO_LARGE_SLOT, .found = len, .expected = area.size };
        err = ERR_NOSPACE;
    }
    if (err != OK)
        return fail(r, UPLOAD_REFUSED, err);
    err = boot_swap_status(st, &swap);
    if (err == OK && swap.phase != SWAP_IDLE)
        err = boot_forget_swap(st);
    if (err == OK)
        err = trailer_erase(&area, st->layout->unit);
    if (err != OK)
        return fail_flash(r, err, area.size - st->layout->unit);
    r->state = UPLOAD_RUNNING;
    r->len = len;
    r->off = 0;
    return OK;
}

/* The block that ends at r->off, padded with FF to what the chip programs. */
static int program_block(struct rescue *r, const struct flash_area *area)
{
    uint32_t at = (r->off - 1) / RESCUE_BLOCK * RESCUE_BLOCK, n = r->off - at;
    uint8_t *block = (uint8_t *)r->block;

    while (n % sizeof r->block[0] != 0)
        block[n++] = 0xFF;
    return area_write(area, at, block, n);
}

/*
 * Bytes for the trailer's unit are padding (imgtool --pad) and taken, but never written: a request must
 * not arm itself.
 */
static int write(struct rescue *r, struct span data)
{
    const struct flash_area area = store_slot(r->cfg->store, r->slot);
    uint32_t room = area.size - r->cfg->store->layout->unit;
    int err = OK;

    while (err == OK && data.len > 0 && r->off < room) {
        uint32_t in = r->off % RESCUE_BLOCK, n = RESCUE_BLOCK - in;
        n = n < data.len ? n : (uint32_t)data.len;
        if (r->off % area.dev->erase_size == 0)
            err = area_erase(&area, r->off, area.dev->erase_size);
        if (r->cfg->work.feed)
            r->cfg->work.feed(r->cfg->work.ctx);
        memcpy((uint8_t *)r->block + in, data.p, n);
        r->off += n;
        data = span_of(data.p + n, data.len - n);
        if (err == OK && (r->off % RESCUE_BLOCK == 0 || r->off == r->len))
            err = program_block(r, &area);
    }
    r->off += (uint32_t)data.len;
    return err;
}

/* A chunk from another place than is wanted changes nothing; its answer says which is. */
static int upload(struct rescue *r, struct span map, struct tiny_out *o)
{
    struct tiny_value off = tiny_find(map, "off"), len = tiny_find(map, "len"), data = tiny_find(map, "data");
    unsigned unit;
    int err = OK;

    if (off.kind != TINY_UINT || data.kind != TINY_BYTES)
        return smp_rc(SMP_RC_INVALID);
    if (off.num == 0) {
        if (len.kind != TINY_UINT)
            return smp_err(SMP_IMG_ERR_INVALID_LENGTH);
        err = begin(r, data.bytes, len.num);
    }
    if (err != OK)
        return err;
    if (r->state == UPLOAD_RUNNING && off.num == r->off) {
        if (data.bytes.len > r->len - r->off)
            return smp_err(SMP_IMG_ERR_INVALID_IMAGE_DATA_OVERRUN);
        err = write(r, data.bytes);
        if (err != OK)
            return fail_flash(r, err, r->off);
        if (r->off == r->len) {
            err = look(r, r->slot, &unit);
            if (err != OK)
                return fail(r, UPLOAD_FAILED, err);
            r->state = UPLOAD_DONE;
        }
    }
    tiny_uint(o, "off", r->off);
    return SMP_DONE;
}

/* ---- OS --------------------------------------------------------------------------------------- */

static int echo(struct rescue *r, struct span map, struct tiny_out *o)
{
    struct tiny_value d = tiny_find(map, "d");

    (void)r;
    if (d.kind != TINY_TEXT)
        return smp_rc(SMP_RC_INVALID);
    tiny_text(o, "r", d.bytes);
    return SMP_DONE;
}

static int reset(struct rescue *r, struct span map, struct tiny_out *o)
{
    struct tiny_value mode = tiny_find(map, "boot_mode");

    (void)o;
    r->reset_asked = true;
    r->boot_mode = mode.kind == TINY_UINT ? (uint8_t)mode.num : SMP_OS_BOOT_NORMAL;
    r->reset_ms = r->cfg->now_ms(r->cfg->work.ctx);
    return SMP_DONE;
}

static int params(struct rescue *r, struct span map, struct tiny_out *o)
{
    (void)map;
    tiny_uint(o, "buf_size", r->cfg->buf_size);
    tiny_uint(o, "buf_count", 1);
    return SMP_DONE;
}

/* ---- group 64 --------------------------------------------------------------------------------- */

static void put_finding(struct tiny_out *o, const char *key, const struct finding *f)
{
    tiny_map_begin(o, key);
    tiny_uint(o, "r", f->reason);
    if (f->slot != FINDING_NO_SLOT)
        tiny_uint(o, "slot", f->slot);
    tiny_uint(o, "f", f->found);
    tiny_uint(o, "e", f->expected);
    tiny_uint(o, "w", f->where);
    tiny_end(o);
}

static int report(struct rescue *r, struct span map, struct tiny_out *o)
{
    const struct boot_report *b = r->cfg->report;

    (void)map;
    tiny_bool(o, "started", false);
    tiny_bool(o, "stopped", b->swap_stopped);
    tiny_list_begin(o, "findings");
    for (unsigned i = 0; i < b->findings; i++)
        put_finding(o, NULL, &b->finding[i]);
    tiny_end(o);
    return SMP_DONE;
}

static const char state_name[][8] = { "none", "running", "done", "refused", "failed" };

static int upload_verdict(struct rescue *r, struct span map, struct tiny_out *o)
{
    const char *name = state_name[r->state];

    (void)map;
    tiny_text(o, "state", span_of(name, strlen(name)));
    tiny_uint(o, "len", r->len);
    tiny_uint(o, "off", r->off);
    if (r->state == UPLOAD_REFUSED || r->state == UPLOAD_FAILED)
        put_finding(o, "why", &r->why);
    return SMP_DONE;
}

/* ---- dispatch --------------------------------------------------------------------------------- */

static const struct command {
    uint8_t group, id, op;
    int (*handle)(struct rescue *r, struct span map, struct tiny_out *o);
} commands[] = {
    { SMP_GROUP_OS, SMP_OS_ECHO, SMP_OP_WRITE, echo },
    { SMP_GROUP_OS, SMP_OS_ECHO, SMP_OP_READ, echo },
    { SMP_GROUP_OS, SMP_OS_RESET, SMP_OP_WRITE, reset },
    { SMP_GROUP_OS, SMP_OS_PARAMS, SMP_OP_READ, params },
    { SMP_GROUP_IMG, SMP_IMG_STATE, SMP_OP_READ, state_read },
    { SMP_GROUP_IMG, SMP_IMG_STATE, SMP_OP_WRITE, state_write },
    { SMP_GROUP_IMG, SMP_IMG_UPLOAD, SMP_OP_WRITE, upload },
    { SMP_GROUP_SLIPWAY, SLIPWAY_REPORT, SMP_OP_READ, report },
    { SMP_GROUP_SLIPWAY, SLIPWAY_UPLOAD, SMP_OP_READ, upload_verdict },
};

static int dispatch(struct rescue *r, const struct smp_header *h, struct span map, struct tiny_out *o)
{
    if (tiny_find(map, "").kind == TINY_BAD)
        return smp_rc(SMP_RC_INVALID);
    for (unsigned i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const struct command *c = &commands[i];
        if (c->group == h->group && c->id == h->id && c->op == h->op)
            return c->handle(r, map, o);
    }
    return smp_rc(SMP_RC_NOT_SUPPORTED);
}

/* In version 1 there is one number for all errors; a group's own are "unknown" there. */
static void put_error(struct tiny_out *o, const struct smp_header *h, int rc)
{
    uint32_t code = (uint32_t)rc & ~(uint32_t)SMP_ERR_BIT;
    bool of_group = (rc & SMP_ERR_BIT) != 0;

    if (of_group && h->version == SMP_V2) {
        tiny_map_begin(o, "err");
        tiny_uint(o, "group", h->group);
        tiny_uint(o, "rc", code);
        tiny_end(o);
        return;
    }
    tiny_uint(o, "rc", of_group ? (uint32_t)SMP_RC_UNKNOWN : code);
}

uint32_t rescue_handle(struct rescue *r, struct span msg, uint8_t *rsp)
{
    struct tiny_out o = { .p = rsp, .len = SMP_HEADER_LEN, .cap = r->cfg->buf_size };
    struct smp_header h;

    if (!smp_header_read(msg, &h) || msg.len < (size_t)SMP_HEADER_LEN + h.len || (h.op != SMP_OP_READ && h.op != SMP_OP_WRITE))
        return 0;
    tiny_map_begin(&o, NULL);
    int rc = dispatch(r, &h, span_of(msg.p + SMP_HEADER_LEN, h.len), &o);
    if (o.bad)
        rc = smp_rc(SMP_RC_TOO_LARGE);
    if (rc != SMP_DONE) {
        o.len = SMP_HEADER_LEN;
        o.bad = false;
        tiny_map_begin(&o, NULL);
        put_error(&o, &h, rc);
    }
    tiny_end(&o);
    h.op = (uint8_t)(h.op + 1);
    h.flags = 0;
    h.version = h.version == SMP_V2 ? SMP_V2 : SMP_V1;
    h.len = (uint16_t)(o.len - SMP_HEADER_LEN);
    smp_header_write(rsp, &h);
    return o.bad ? 0 : o.len;
}

bool rescue_reset_due(struct rescue *r)
{
    if (!r->reset_asked || r->cfg->now_ms(r->cfg->work.ctx) - r->reset_ms < SMP_OS_RESET_DELAY_MS)
        return false;
    r->reset_asked = false;
    return true;
}
