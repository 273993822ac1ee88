/* Chunks of an upload: which are taken, which begin or continue what, and what is refused at once. */
#include "core/boot/upload.h"

#include <string.h>

#include "core/base/crc.h"
#include "core/boot/boot.h"
#include "core/boot/fit.h"
#include "core/boot/upload_priv.h"

enum { VECTORS_LEN = 8 };

const char *upload_state_name(enum upload_state state)
{
    static const char *const name[] = { "none", "running", "done", "refused", "failed" };

    return (unsigned)state < sizeof name / sizeof name[0] ? name[state] : "none";
}

void upload_init(struct upload *u, const struct store *st)
{
    memset(u, 0, sizeof *u);
    u->st = st;
    u->slot = 1;
    u->area = store_slot(st, 1);
    u->esz = u->area.dev->erase_size;
}

/* ---- verdicts ---------------------------------------------------------------------------------- */

static int verdict(struct upload *u, enum upload_state state, int err, const struct finding *why)
{
    u->state = state;
    u->err = err;
    u->why = *why;
    u->step = UPLOAD_STEP_REST;
    u->wiping = false;
    return err;
}

int upload_refuse(struct upload *u, int err, const struct finding *why)
{
    u->off = 0;
    u->next = 0;
    u->match = false;
    return verdict(u, UPLOAD_REFUSED, err, why);
}

int upload_fail(struct upload *u, int err, const struct finding *why)
{
    return verdict(u, UPLOAD_FAILED, err, why);
}

int upload_fail_flash(struct upload *u, int err, uint32_t off)
{
    struct finding why;

    store_explain(u->st, u->slot, err, off, &why);
    return upload_fail(u, err, &why);
}

int upload_fail_byte(struct upload *u, bool erase, uint8_t found, uint8_t expected, uint32_t off)
{
    enum reason external = erase ? REASON_EXT_ERASE : REASON_EXT_PROGRAM;
    enum reason internal = erase ? REASON_INT_ERASE : REASON_INT_PROGRAM;
    struct finding why = { .reason = (uint16_t)(u->slot == 1 ? external : internal),
        .slot = u->slot, .found = found, .expected = expected, .where = off };

    return upload_fail(u, ERR_READBACK, &why);
}

static int refuse(struct upload *u, int err, enum reason reason, uint32_t found, uint32_t expected)
{
    struct finding why = { .reason = (uint16_t)reason, .slot = u->slot, .found = found,
        .expected = expected };

    return upload_refuse(u, err, &why);
}

/* ---- what can be said of chunk 0 --------------------------------------------------------------- */

static uint32_t version_number(const struct image_version *v)
{
    return (uint32_t)v->major << 24 | (uint32_t)v->minor << 16 | v->revision;
}

static int check_newer(struct upload *u, const struct image *running)
{
    if (!u->req.upgrade || running == NULL
        || image_version_cmp(&u->img.version, &running->version) > 0)
        return OK;
    return refuse(u, ERR_BADSTATE, REASON_UPLOAD_OLDER, version_number(&u->img.version),
        version_number(&running->version));
}

/*
 * Flags, alignment and reset vector, as far as the chunk shows them. The vector counts only for an
 * image without protected TLVs: with them, one may name the layout, and that is seen at the end.
 */
static int check_runnable(struct upload *u)
{
    struct image img = u->img;
    struct span d = u->req.data;
    struct finding why;
    bool seen = d.len >= img.hdr_size && d.len - img.hdr_size >= VECTORS_LEN;

    if (seen) {
        img.initial_sp = ld_le32(d.p + img.hdr_size);
        img.reset_vector = ld_le32(d.p + img.hdr_size + 4);
    }
    int err = store_runnable(u->st, &img, u->slot, &why);
    if (err == OK || (why.reason == REASON_IMG_VECTORS && (!seen || img.prot_size != 0)))
        return OK;
    return upload_refuse(u, err, &why);
}

static int check_room(struct upload *u, const struct image *running, uint32_t need,
    struct finding *why)
{
    if (u->slot == 1)
        return fit_swap(u->st, running, need, 0, why);
    uint32_t room = u->area.size - u->st->layout->unit;
    *why = (struct finding) { .reason = REASON_IMG_TOO_LARGE_SLOT, .slot = 0, .found = need,
        .expected = room };
    return need > room ? ERR_NOSPACE : OK;
}

static const struct image *running_image(struct upload *u, struct image *img)
{
    struct finding why;
    unsigned unit;

    return store_open(u->st, 0, img, &unit, &why) == OK ? img : NULL;
}

static int check_image(struct upload *u)
{
    struct image running;
    struct finding why;
    const struct image *r = u->slot == 1 ? running_image(u, &running) : NULL;
    int err = image_parse_header(&u->img, u->req.data, u->req.len, &why);

    why.slot = u->slot;
    if (err != OK)
        return upload_refuse(u, err, &why);
    err = check_room(u, r, u->img.tlv_off + IMAGE_TLV_INFO_LEN, &why);
    if (err != OK)
        return upload_refuse(u, err, &why);
    err = check_newer(u, r);
    return err == OK ? check_runnable(u) : err;
}

static int check_chip(struct upload *u)
{
    struct finding why;
    uint32_t jedec = 0;
    int err = flash_probe(u->area.dev, &jedec);

    if (err == OK)
        return OK;
    store_explain(u->st, u->slot, err, 0, &why);
    if (why.reason == REASON_EXT_ABSENT || why.reason == REASON_EXT_ID)
        why.found = jedec;
    return upload_refuse(u, err, &why);
}

static int check_length(struct upload *u)
{
    const struct upload_chunk *c = &u->req;

    if (!c->has_len || c->len == 0)
        return refuse(u, ERR_ARG, REASON_UPLOAD_LENGTH, 0, 0);
    if (c->data.len > c->len)
        return refuse(u, ERR_ARG, REASON_UPLOAD_LENGTH, (uint32_t)c->data.len, c->len);
    if (c->len > u->area.size)
        return refuse(u, ERR_NOSPACE, REASON_IMG_TOO_LARGE_SLOT, c->len, u->area.size);
    return OK;
}

/* ---- sessions ---------------------------------------------------------------------------------- */

static bool same_sha(const struct upload *u, struct span sha)
{
    return sha.len == u->sha_len && (sha.len == 0 || memcmp(sha.p, u->sha, sha.len) == 0);
}

/*
 * A repetition of chunk 0, or a client that begins again what is under way: nothing is erased again.
 * Without a SHA-256 only a plain repetition can be told: two builds may begin alike.
 */
static bool same_session(const struct upload *u, const struct upload_chunk *c)
{
    if (u->state != UPLOAD_RUNNING && u->state != UPLOAD_DONE)
        return false;
    if (!c->has_len || c->len != u->len || !same_sha(u, c->sha))
        return false;
    if (u->sha_len != 0)
        return true;
    return c->data.len == u->first_len && u->off == u->first_len
        && crc32(0, c->data.p, c->data.len) == u->first_crc;
}

static void open_session(struct upload *u)
{
    const struct upload_chunk *c = &u->req;

    u->state = UPLOAD_RUNNING;
    u->err = OK;
    u->match = false;
    u->len = c->len;
    u->sha_len = (uint8_t)c->sha.len;
    if (c->sha.len != 0)
        memcpy(u->sha, c->sha.p, c->sha.len);
    u->off = 0;
    u->next = 0;
    u->end = 0;
    u->resumed_at = 0;
    u->unit_crc = 0;
    u->wiping = false;
    u->first_len = (uint32_t)c->data.len;
    u->first_crc = crc32(0, c->data.p, c->data.len);
    crypto_sha256_init(&u->file_sha);
    crypto_sha256_init(&u->img_sha);
    u->why = (struct finding) { .reason = REASON_UPLOAD_RUNNING, .slot = u->slot,
        .expected = u->len };
}

void upload_write_anew(struct upload *u)
{
    u->marks = false;
    u->trailer_at = upload_trailer_unit(u);
    u->step = UPLOAD_STEP_TRAILER;
}

int upload_learn_end(struct upload *u, uint32_t off, struct span bytes, struct finding *why)
{
    bool last = false;

    for (uint32_t i = 0; i < IMAGE_TLV_INFO_LEN; i++) {
        uint32_t at = u->img.tlv_off + i;
        if (at < off || at - off >= bytes.len)
            continue;
        u->tlv_info[i] = bytes.p[at - off];
        last = i == IMAGE_TLV_INFO_LEN - 1;
    }
    if (!last)
        return OK;
    uint32_t magic = ld_le16(u->tlv_info), total = ld_le16(u->tlv_info + 2);
    *why = (struct finding) { .slot = u->slot, .where = u->img.tlv_off };
    if (magic != IMAGE_TLV_MAGIC || total < IMAGE_TLV_INFO_LEN) {
        why->reason = REASON_IMG_NO_TLVS;
        why->found = magic;
        why->expected = IMAGE_TLV_MAGIC;
        return ERR_FORMAT;
    }
    u->end = u->img.tlv_off + total;
    if (u->end <= u->len) {
        struct image running;
        return check_room(u, u->slot == 1 ? running_image(u, &running) : NULL, u->end, why);
    }
    why->reason = REASON_IMG_TRUNCATED;
    why->found = u->len;
    why->expected = u->end;
    why->where = 0;
    return ERR_FORMAT;
}

/* What of the chunk is written now; its bytes are looked at once, when they are accepted. */
static int accept_data(struct upload *u, bool resuming)
{
    const struct flash_dev *dev = u->area.dev;
    struct span d = u->req.data;
    struct finding why;

    /* A word of internal flash takes two programs: it is not begun a third time. */
    if (dev->prog_limit != 0 && d.len < u->len - u->off)
        d.len -= (u->off + d.len) % dev->prog_size;
    u->data = d;
    why = (struct finding) { .reason = REASON_UPLOAD_LENGTH, .slot = u->slot,
        .found = (uint32_t)u->req.data.len, .expected = dev->prog_size };
    int err = d.len == 0 ? ERR_ARG : resuming ? OK : upload_learn_end(u, u->off, d, &why);
    if (err == OK)
        return OK;
    return u->off == 0 ? upload_refuse(u, err, &why) : upload_fail(u, err, &why);
}

/* The boot state lies in the internal chip, whatever slot is written. */
static int forget_swap(struct upload *u)
{
    struct finding why;
    int err = boot_forget_swap(u->st);

    if (err == OK)
        return OK;
    store_explain(u->st, 0, err, 0, &why);
    return upload_refuse(u, err, &why);
}

/* What was erased in one slot says nothing of the other. */
static void use_slot(struct upload *u, uint8_t slot)
{
    if (slot != u->slot) {
        u->clean_from = u->clean_to = u->clean_trailer = 0;
        u->trailer_fresh = false;
    }
    u->slot = slot;
    u->area = store_slot(u->st, slot);
    u->esz = u->area.dev->erase_size;
}

static int begin_session(struct upload *u)
{
    use_slot(u, u->req_slot);
    u->len = u->req.has_len ? u->req.len : 0; /* a verdict names the upload that it is about */
    int err = check_length(u);
    if (err == OK)
        err = check_image(u);
    if (err == OK)
        err = check_chip(u);
    if (err != OK)
        return err;
    open_session(u);
    bool resuming = record_matches(u);
    err = accept_data(u, resuming);
    if (err != OK)
        return err;
    if (u->forget_swap)
        err = forget_swap(u);
    if (err != OK)
        return err;
    if (resuming)
        return record_resume(u);
    upload_write_anew(u);
    return ERR_BUSY;
}

/* A chunk that is not the one wanted next, or comes after the end. */
static int other_chunk(struct upload *u)
{
    const struct upload_chunk *c = &u->req;
    uint32_t end = c->off + (uint32_t)c->data.len;

    u->next = u->off;
    if (u->state == UPLOAD_FAILED) {
        /* A repetition of the chunk that failed gets the same answer; anything else begins anew. */
        if (end >= u->off && end >= c->off)
            return u->err;
        u->next = 0;
    } else if (u->state == UPLOAD_NONE || u->state == UPLOAD_REFUSED) {
        u->next = 0;
    }
    return OK;
}

static int begin_chunk(struct upload *u)
{
    const struct upload_chunk *c = &u->req;

    u->step = UPLOAD_STEP_REST;
    if (c->off == 0 && !same_session(u, c))
        return begin_session(u);
    if (u->state != UPLOAD_RUNNING || c->off != u->off || c->data.len == 0)
        return other_chunk(u);
    if (c->data.len > u->len - u->off) {
        struct finding why = { .reason = REASON_UPLOAD_LENGTH, .slot = u->slot,
            .found = c->off + (uint32_t)c->data.len, .expected = u->len };
        return upload_fail(u, ERR_RANGE, &why);
    }
    int err = accept_data(u, false);
    if (err != OK)
        return err;
    u->step = UPLOAD_STEP_WRITE;
    return ERR_BUSY;
}

void upload_chunk(struct upload *u, const struct upload_chunk *c, uint8_t slot, bool forget_swap)
{
    u->req = *c;
    u->req_slot = slot;
    u->forget_swap = forget_swap;
    u->step = UPLOAD_STEP_BEGIN;
}

void upload_wipe(struct upload *u)
{
    u->state = UPLOAD_NONE;
    u->err = OK;
    u->why = (struct finding) { .slot = FINDING_NO_SLOT };
    u->off = 0;
    u->next = 0;
    u->wiping = false;
    u->req_slot = 1;
    u->step = UPLOAD_STEP_WIPE;
}

/* With the chip at rest: from where a wipe begins. */
static int begin_wipe(struct upload *u)
{
    use_slot(u, 1);
    u->wipe_at = 0;
    u->wipe_ms = u->area.dev->ops->now_ms(u->area.dev->ctx);
    int err = check_chip(u);
    if (err != OK)
        return err;
    u->wiping = true;
    return ERR_BUSY;
}

int upload_poll(struct upload *u)
{
    int err = upload_erase_poll(u);

    if (err != OK)
        return err;
    switch (u->step) {
    case UPLOAD_STEP_BEGIN:
        return begin_chunk(u);
    case UPLOAD_STEP_TRAILER:
        return upload_step_trailer(u);
    case UPLOAD_STEP_RESUME:
        return upload_step_resume(u);
    case UPLOAD_STEP_WRITE:
        return upload_step_write(u);
    case UPLOAD_STEP_PROGRAM:
        return upload_step_program(u);
    case UPLOAD_STEP_CHECK:
        return upload_step_check(u);
    case UPLOAD_STEP_WIPE:
        return u->wiping ? upload_step_wipe(u) : begin_wipe(u);
    case UPLOAD_STEP_REST:
        break;
    }
    return u->err;
}
