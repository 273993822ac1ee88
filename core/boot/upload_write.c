/* The writer's flash work: one erase or one program in flight, everything read back. */
#include <string.h>

#include "core/base/crc.h"
#include "core/boot/fit.h"
#include "core/boot/upload_priv.h"

enum { BLANK_BYTE = 0xFF };

uint32_t upload_trailer_unit(const struct upload *u)
{
    return (u->area.size - u->st->layout->unit) / u->esz;
}

static bool is_clean(const struct upload *u, uint32_t unit)
{
    return unit >= u->clean_from && unit < u->clean_to;
}

static void note_clean(struct upload *u, uint32_t unit)
{
    uint32_t trailer = upload_trailer_unit(u);

    if (unit >= trailer) {
        u->clean_trailer += unit - trailer == u->clean_trailer;
        return;
    }
    if (unit == u->clean_to && u->clean_from < u->clean_to) {
        u->clean_to++;
    } else if (!is_clean(u, unit)) {
        u->clean_from = unit;
        u->clean_to = unit + 1;
    }
}

static void note_dirty(struct upload *u, uint32_t unit)
{
    if (is_clean(u, unit))
        u->clean_from = unit + 1;
}

int upload_erase_start(struct upload *u, uint32_t unit)
{
    int err = flash_erase_start(u->area.dev, u->area.off + unit * u->esz);

    if (err != OK)
        return upload_fail_flash(u, err, unit * u->esz);
    u->unit = unit;
    u->erasing = true;
    return ERR_BUSY;
}

/* An erase that is acknowledged need not have happened. */
static int check_blank(struct upload *u, uint32_t off)
{
    for (uint32_t at = off; at < off + u->esz; at += sizeof u->back) {
        uint32_t n = off + u->esz - at;
        n = n < sizeof u->back ? n : (uint32_t)sizeof u->back;
        int err = area_read(&u->area, at, u->back, n);
        if (err != OK)
            return upload_fail_flash(u, err, at);
        const uint8_t *b = (const uint8_t *)u->back;
        for (uint32_t i = 0; i < n; i++) {
            if (b[i] != BLANK_BYTE)
                return upload_fail_byte(u, true, b[i], BLANK_BYTE, at + i);
        }
    }
    return OK;
}

int upload_erase_poll(struct upload *u)
{
    if (!u->erasing)
        return OK;
    int err = flash_poll(u->area.dev);
    if (err == ERR_BUSY)
        return err;
    u->erasing = false;
    if (err != OK)
        return upload_fail_flash(u, err, u->unit * u->esz);
    err = check_blank(u, u->unit * u->esz);
    if (err == OK)
        note_clean(u, u->unit);
    return err;
}

/* Erased in this power cycle, and nobody (a request) has written there since. */
static bool trailer_is_clean(const struct upload *u, uint32_t unit)
{
    bool blank = false;

    return unit - upload_trailer_unit(u) < u->clean_trailer
        && area_is_blank(&u->area, unit * u->esz, u->esz, &blank) == OK && blank;
}

/* The trailer first: with it goes whatever was requested. */
int upload_step_trailer(struct upload *u)
{
    while (u->trailer_at < u->area.size / u->esz && trailer_is_clean(u, u->trailer_at))
        u->trailer_at++;
    if (u->trailer_at < u->area.size / u->esz)
        return upload_erase_start(u, u->trailer_at++);
    u->step = UPLOAD_STEP_WRITE;
    u->clean_trailer = 0;
    u->trailer_fresh = true;
    int err = record_write(u);
    return err == OK ? ERR_BUSY : err;
}

/* Whole words around the next bytes of the chunk, as many as one program takes. */
static int fill_block(struct upload *u)
{
    const struct flash_dev *dev = u->area.dev;
    uint32_t max = dev->prog_max < UPLOAD_BLOCK ? dev->prog_max : UPLOAD_BLOCK;
    uint32_t left = (uint32_t)u->data.len;
    uint32_t skip = u->off % dev->prog_size;
    uint8_t *b = (uint8_t *)u->block;

    if (u->end != 0 && left > u->end - u->off)
        left = u->end - u->off;
    if (left > max - u->off % max)
        left = max - u->off % max;
    u->block_off = u->off - skip;
    u->block_skip = skip;
    u->block_new = left;
    u->block_len = skip + left;
    while (u->block_len % dev->prog_size != 0)
        u->block_len++;
    memset(b, BLANK_BYTE, u->block_len);
    if (skip > 0) {
        /* The rest of a word that the chunk before began: what is there is programmed once more. */
        int err = area_read(&u->area, u->block_off, b, skip);
        if (err != OK)
            return upload_fail_flash(u, err, u->block_off);
    }
    memcpy(b + skip, u->data.p, left);
    return OK;
}

/* Padding behind the image: counted, never written. */
static int skip_padding(struct upload *u)
{
    crypto_sha256_update(&u->file_sha, u->data.p, u->data.len);
    u->off += (uint32_t)u->data.len;
    u->data.len = 0;
    return ERR_BUSY;
}

static int end_chunk(struct upload *u)
{
    u->next = u->off;
    if (u->why.reason == REASON_UPLOAD_RUNNING)
        u->why.found = u->off;
    u->step = UPLOAD_STEP_REST;
    return u->off == u->len ? upload_finish(u) : OK;
}

int upload_step_write(struct upload *u)
{
    uint32_t unit = u->off / u->esz;

    if (u->data.len == 0)
        return end_chunk(u);
    if (u->end != 0 && u->off >= u->end)
        return skip_padding(u);
    if (u->off % u->esz == 0 && !is_clean(u, unit))
        return upload_erase_start(u, unit);
    int err = fill_block(u);
    if (err != OK)
        return err;
    note_dirty(u, unit);
    err = flash_prog_start(u->area.dev, u->area.off + u->block_off, u->block, u->block_len);
    if (err != OK)
        return upload_fail_flash(u, err, u->block_off);
    u->step = UPLOAD_STEP_PROGRAM;
    return ERR_BUSY;
}

/* Counts what was read back; the line that makes a block part of the image. */
static void count_block(struct upload *u)
{
    const uint8_t *b = (const uint8_t *)u->back + u->block_skip;
    uint32_t n = u->block_new;

    crypto_sha256_update(&u->file_sha, b, n);
    if (u->off < u->img.tlv_off) {
        uint32_t left = u->img.tlv_off - u->off;
        crypto_sha256_update(&u->img_sha, b, n < left ? n : left);
    }
    u->unit_crc = crc32(u->unit_crc, b, n);
    u->off += n;
    u->data.p += n;
    u->data.len -= n;
    if (u->off % u->esz == 0 || u->off == u->end) {
        record_mark(u, (u->off - 1) / u->esz);
        u->unit_crc = 0;
    }
}

int upload_step_program(struct upload *u)
{
    const uint8_t *want = (const uint8_t *)u->block, *got = (const uint8_t *)u->back;
    int err = flash_poll(u->area.dev);

    if (err == ERR_BUSY)
        return err;
    if (err == OK)
        err = area_read(&u->area, u->block_off, u->back, u->block_len);
    if (err != OK)
        return upload_fail_flash(u, err, u->block_off);
    for (uint32_t i = 0; i < u->block_len; i++) {
        if (got[i] != want[i])
            return upload_fail_byte(u, false, got[i], want[i], u->block_off + i);
    }
    count_block(u);
    u->step = UPLOAD_STEP_WRITE;
    return ERR_BUSY;
}

/* Trailer units first, then from the start of the slot. */
static uint32_t wipe_unit(const struct upload *u, uint32_t at)
{
    uint32_t first = upload_trailer_unit(u), trailer = u->area.size / u->esz - first;

    return at < trailer ? first + at : at - trailer;
}

/* Starts the next erase of a wipe; OK when nothing is left. */
static int wipe_next(struct upload *u)
{
    uint32_t units = u->area.size / u->esz;
    bool blank = false;

    while (u->wipe_at < units) {
        uint32_t unit = wipe_unit(u, u->wipe_at++);
        int err = area_is_blank(&u->area, unit * u->esz, u->esz, &blank);
        if (err != OK)
            return upload_fail_flash(u, err, unit * u->esz);
        if (!blank)
            return upload_erase_start(u, unit);
        if (u->wipe_at % 16 == 0)
            return ERR_BUSY; /* looking takes time, too */
    }
    u->wiping = false;
    return OK;
}

static uint32_t now_ms(const struct upload *u)
{
    return u->area.dev->ops->now_ms(u->area.dev->ctx);
}

int upload_step_wipe(struct upload *u)
{
    uint32_t unit = u->st->layout->unit / u->esz;

    /* An old image may begin at unit 1 or 2 of the slot: behind them no image can begin. */
    bool headers_gone = u->wipe_at >= unit + 3 * unit;
    bool late = headers_gone && now_ms(u) - u->wipe_ms >= UPLOAD_WIPE_MS;
    int err = late ? OK : wipe_next(u);
    if (err == OK)
        u->step = UPLOAD_STEP_REST;
    return err;
}

static uint32_t ahead_limit(const struct upload *u)
{
    uint32_t bytes = u->end != 0 ? u->end : u->img.tlv_off + IMAGE_TLV_INFO_LEN;

    return (bytes + u->esz - 1) / u->esz;
}

static bool idle_work(struct upload *u)
{
    if (u->wiping)
        return wipe_next(u) == ERR_BUSY;
    if (u->state != UPLOAD_RUNNING)
        return false;
    uint32_t unit = (u->off + u->esz - 1) / u->esz;
    if (is_clean(u, unit))
        unit = u->clean_to;
    return unit < ahead_limit(u) && upload_erase_start(u, unit) == ERR_BUSY;
}

bool upload_idle(struct upload *u)
{
    if (u->step != UPLOAD_STEP_REST)
        return false;
    if (u->erasing) {
        int err = upload_erase_poll(u);
        return err == ERR_BUSY || err == OK;
    }
    return idle_work(u);
}

int upload_settle(struct upload *u)
{
    return upload_erase_poll(u) == ERR_BUSY ? ERR_BUSY : OK;
}
