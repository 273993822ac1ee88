/* Progress of an upload in the trailer unit of slot 1: writing it, and going on from it. */
#include <string.h>

#include "core/base/crc.h"
#include "core/boot/trailer.h"
#include "core/boot/upload_priv.h"

enum {
    WORD = 4,
    /* Below the flags lie fields of MCUboot's own swaps; nothing of ours comes near them. */
    FLAGS_ROOM = 256,
    BANKS = 3,
};
#define BLANK 0xFFFFFFFFu
#define USELESS 0u

_Static_assert(UPLOAD_OFF_WORDS % 16 == 0 && UPLOAD_OFF_CRC + WORD == UPLOAD_OFF_WORDS, "record");

static uint32_t record_off(const struct store *st, const struct flash_area *slot)
{
    return slot->size - st->layout->unit;
}

/* Each unit has a word in each of these banks: where one was made useless the next one counts. */
static uint32_t max_words(const struct store *st)
{
    return (st->layout->unit - UPLOAD_OFF_WORDS - FLAGS_ROOM) / WORD / BANKS;
}

/* A unit's word: its CRC-32, but never what an erased word or one that was made useless reads. */
static uint32_t word_of(uint32_t crc)
{
    return crc == BLANK || crc == USELESS ? 1 : crc;
}

int record_write(struct upload *u)
{
    uint8_t b[UPLOAD_OFF_WORDS];
    uint32_t bad;
    uint8_t found;
    uint32_t at = record_off(u->st, &u->area);

    u->marks = u->slot == 1 && u->sha_len == CRYPTO_SHA256_LEN && u->area.dev->prog_size <= WORD;
    if (!u->marks)
        return OK;
    st_le32(b, UPLOAD_MAGIC);
    st_le32(b + UPLOAD_OFF_LEN, u->len);
    memcpy(b + UPLOAD_OFF_SHA, u->sha, CRYPTO_SHA256_LEN);
    st_le32(b + UPLOAD_OFF_UNIT, u->esz);
    st_le32(b + UPLOAD_OFF_CRC, crc32(0, b, UPLOAD_OFF_CRC));
    int err = area_prog(&u->area, at, b, sizeof b);
    if (err != OK)
        return upload_fail_flash(u, err, at);
    err = area_verify(&u->area, at, b, sizeof b, &bad, &found);
    if (err == ERR_READBACK)
        return upload_fail_byte(u, false, found, b[bad], at + bad);
    return err == OK ? OK : upload_fail_flash(u, err, at);
}

/* Where the unit's word that counts lies; *v is what it reads: BLANK also if it cannot be read. */
static uint32_t word_off(const struct store *st, const struct flash_area *slot, uint32_t unit, uint32_t *v)
{
    uint8_t b[WORD];
    uint32_t at = record_off(st, slot) + UPLOAD_OFF_WORDS + WORD * unit;

    for (uint32_t bank = 0; bank < BANKS; bank++) {
        at += bank > 0 ? WORD * max_words(st) : 0;
        *v = area_read(slot, at, b, sizeof b) == OK ? ld_le32(b) : BLANK;
        if (*v != USELESS)
            break;
    }
    return at;
}

/* Whether the word can still become v: after a cut it may hold part of another mark. */
static bool takes(const struct flash_area *slot, uint32_t at, uint32_t v)
{
    uint8_t b[WORD];

    return area_read(slot, at, b, sizeof b) == OK && (ld_le32(b) & v) == v;
}

void record_mark(struct upload *u, uint32_t unit)
{
    uint8_t b[WORD];
    uint32_t bad;
    uint8_t found;
    uint32_t at, v;

    if (!u->marks || unit >= max_words(u->st))
        return;
    at = word_off(u->st, &u->area, unit, &v);
    st_le32(b, word_of(u->unit_crc));
    u->marks = takes(&u->area, at, word_of(u->unit_crc))
        && area_prog(&u->area, at, b, sizeof b) == OK
        && area_verify(&u->area, at, b, sizeof b, &bad, &found) == OK;
}

void record_void(struct upload *u)
{
    static const uint8_t nothing[WORD] = { 0 };

    if (u->marks)
        u->marks = area_prog(&u->area, record_off(u->st, &u->area), nothing, WORD) != OK;
}

/* OK: a whole record header in b, of a chip with this one's erase size. */
static int read_header(const struct store *st, const struct flash_area *slot,
    uint8_t b[UPLOAD_OFF_WORDS])
{
    int err = area_read(slot, record_off(st, slot), b, UPLOAD_OFF_WORDS);

    if (err != OK)
        return err;
    bool good = ld_le32(b) == UPLOAD_MAGIC
        && ld_le32(b + UPLOAD_OFF_CRC) == crc32(0, b, UPLOAD_OFF_CRC)
        && ld_le32(b + UPLOAD_OFF_UNIT) == slot->dev->erase_size;
    return good ? OK : ERR_NOENT;
}

/* BLANK if the unit is not complete, is beyond the record, or its word cannot be read. */
static uint32_t read_word(const struct store *st, const struct flash_area *slot, uint32_t unit)
{
    uint32_t v;

    if (unit >= max_words(st))
        return BLANK;
    (void)word_off(st, slot, unit, &v);
    return v == USELESS ? BLANK : v;
}

int upload_record_read(const struct store *st, uint32_t *len, uint8_t sha[CRYPTO_SHA256_LEN],
    uint32_t *have)
{
    const struct flash_area slot = store_slot(st, 1);
    uint8_t b[UPLOAD_OFF_WORDS];
    int err = read_header(st, &slot, b);

    if (err != OK)
        return err;
    uint32_t unit = ld_le32(b + UPLOAD_OFF_UNIT);
    uint32_t n = 0;
    *len = ld_le32(b + UPLOAD_OFF_LEN);
    memcpy(sha, b + UPLOAD_OFF_SHA, CRYPTO_SHA256_LEN);
    while (n < *len / unit && read_word(st, &slot, n) != BLANK)
        n++;
    bool last = n == *len / unit && read_word(st, &slot, n) != BLANK;
    *have = last ? *len : n * unit;
    return OK;
}

bool record_matches(const struct upload *u)
{
    uint8_t b[UPLOAD_OFF_WORDS];
    struct trailer t;

    if (u->slot != 1 || u->sha_len != CRYPTO_SHA256_LEN || read_header(u->st, &u->area, b) != OK)
        return false;
    if (trailer_read(&u->area, &t) != OK || t.magic != TRAILER_BLANK)
        return false;
    return ld_le32(b + UPLOAD_OFF_LEN) == u->len
        && memcmp(b + UPLOAD_OFF_SHA, u->sha, CRYPTO_SHA256_LEN) == 0;
}

/*
 * Where the image ends stands in its TLVs. They are looked at as soon as the word of their unit is
 * there; if that unit turns out not to match its word, the end is forgotten again.
 */
int record_resume(struct upload *u)
{
    uint8_t tlv[IMAGE_TLV_INFO_LEN];
    struct finding why;
    uint32_t last = (u->img.tlv_off + IMAGE_TLV_INFO_LEN - 1) / u->esz;

    u->marks = true;
    u->unit = 0;
    u->step = UPLOAD_STEP_RESUME;
    if (read_word(u->st, &u->area, last) == BLANK)
        return ERR_BUSY;
    int err = area_read(&u->area, u->img.tlv_off, tlv, sizeof tlv);
    if (err != OK)
        return upload_fail_flash(u, err, u->img.tlv_off);
    if (upload_learn_end(u, u->img.tlv_off, span_of(tlv, sizeof tlv), &why) != OK)
        u->end = 0;
    return ERR_BUSY;
}

/*
 * The first word that is not believed may have been in flight: blank today, right tomorrow, when its unit
 * is being written again and the word proves nothing. It is made useless before that.
 */
static int void_word(struct upload *u)
{
    static const uint8_t nothing[WORD] = { 0 };
    uint32_t v;

    if (u->unit >= max_words(u->st))
        return OK;
    uint32_t at = word_off(u->st, &u->area, u->unit, &v);
    int err = v == USELESS ? OK : area_prog(&u->area, at, nothing, WORD);
    return err != OK ? upload_fail_flash(u, err, at) : OK;
}

/* Everything from u->off on is erased and written again. */
static int go_on(struct upload *u)
{
    uint8_t tlv[IMAGE_TLV_INFO_LEN];
    struct finding why;
    uint32_t at = u->img.tlv_off;
    uint32_t have = u->off <= at ? 0 : u->off - at < sizeof tlv ? u->off - at : sizeof tlv;

    u->end = 0;
    if (u->off == 0) {
        upload_write_anew(u);
        return ERR_BUSY;
    }
    int err = have > 0 ? area_read(&u->area, at, tlv, have) : OK;
    if (err != OK)
        return upload_fail_flash(u, err, at);
    err = upload_learn_end(u, at, span_of(tlv, have), &why);
    if (err != OK) {
        record_void(u);
        return upload_fail(u, err, &why);
    }
    u->unit_crc = 0;
    u->resumed_at = u->off;
    u->next = u->off;
    u->data.len = 0;
    u->why = (struct finding) { .reason = REASON_UPLOAD_RESUMED, .slot = u->slot, .found = u->off,
        .expected = u->len };
    if (u->off == u->len)
        return upload_finish(u);
    err = void_word(u);
    if (err == OK)
        u->step = UPLOAD_STEP_REST;
    return err;
}

/* Compares one unit; what it holds is counted if it is right. */
int upload_step_resume(struct upload *u)
{
    struct crypto_sha256 file = u->file_sha, img = u->img_sha;
    uint32_t word = read_word(u->st, &u->area, u->unit);
    uint32_t stop = u->end != 0 ? u->end : u->len;
    uint32_t at = u->off, crc = 0;

    if (stop - u->off > u->esz)
        stop = u->off + u->esz;
    if (word == BLANK || at == stop)
        return go_on(u);
    while (at < stop) {
        uint32_t n = stop - at < sizeof u->back ? stop - at : (uint32_t)sizeof u->back;
        int err = area_read(&u->area, at, u->back, n);
        if (err != OK)
            return upload_fail_flash(u, err, at);
        crc = crc32(crc, u->back, n);
        crypto_sha256_update(&file, u->back, n);
        if (at < u->img.tlv_off)
            crypto_sha256_update(&img, u->back, at + n <= u->img.tlv_off ? n : u->img.tlv_off - at);
        at += n;
    }
    if (word_of(crc) != word)
        return go_on(u);
    u->file_sha = file;
    u->img_sha = img;
    u->off = at;
    u->unit++;
    return ERR_BUSY;
}
