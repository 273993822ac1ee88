#include "core/settings/settings.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc.h"

enum {
    WORD = 4,
    BLANK = 0xFF,
    UNIT_A = 12,
    UNIT_B = 16,
    UNIT_HEADER = 20,
    RECORD_KEY = 4,
    RECORD_CRC = 8,
    RECORD_HEADER = 12, /* then data, A, B */
    RECORD_MAX = RECORD_HEADER + SETTINGS_VALUE_MAX + 2 * WORD,
};

struct record {
    uint32_t at; /* from the start of the unit */
    uint32_t size; /* A and B included */
    uint16_t key;
    uint8_t len;
    bool counts; /* A */
    bool doubtful; /* it may count, or not count, another time */
};

static uint32_t unit_size(const struct settings *s)
{
    return s->area.dev->erase_size;
}

/* ---- words ------------------------------------------------------------------------------------- */

static int get_word(const struct settings *s, uint32_t unit, uint32_t off, uint32_t *w)
{
    uint8_t b[WORD];
    int err = area_read(&s->area, unit + off, b, sizeof b);

    *w = err == OK ? ld_le32(b) : 0;
    return err;
}

/* One program each: what a cut tears is one word. */
static int put_words(const struct settings *s, uint32_t at, const uint8_t *p, uint32_t len)
{
    int err = OK;
    uint32_t bad;
    uint8_t found;

    for (uint32_t i = 0; err == OK && i < len; i += WORD)
        err = area_prog(&s->area, at + i, p + i, WORD);
    return err == OK ? area_verify(&s->area, at, p, len, &bad, &found) : err;
}

/* The line that commits is the first one; the second says that it was completed. */
static int put_seal(const struct settings *s, uint32_t at)
{
    static const uint8_t zero[WORD];
    int err = put_words(s, at, zero, WORD);

    return err == OK ? put_words(s, at + WORD, zero, WORD) : err;
}

/* ---- reading ----------------------------------------------------------------------------------- */

static uint32_t padded(uint32_t len)
{
    return (len + WORD - 1) / WORD * WORD;
}

static uint32_t record_crc(const uint8_t *rec, uint32_t data)
{
    return crc32(crc32(0, rec + RECORD_KEY, RECORD_CRC - RECORD_KEY), rec + RECORD_HEADER, data);
}

/* Is there a record at `at`? ERR_NOENT: no. With its bytes in rec, which has room for RECORD_MAX. */
static int read_record(const struct settings *s, uint32_t unit, uint32_t at, struct record *r, uint8_t *rec)
{
    uint32_t left = unit_size(s) - at;

    if (left < RECORD_HEADER + 2 * WORD)
        return ERR_NOENT;
    int err = area_read(&s->area, unit + at, rec, RECORD_HEADER);
    if (err != OK)
        return err;
    *r = (struct record) { .at = at, .key = ld_le16(rec + RECORD_KEY), .len = rec[RECORD_KEY + 2] };
    uint32_t data = padded(r->len);
    r->size = RECORD_HEADER + data + 2 * WORD;
    if (ld_le32(rec) != SETTINGS_MARK || r->len > SETTINGS_VALUE_MAX || r->size > left)
        return ERR_NOENT;
    err = area_read(&s->area, unit + at + RECORD_HEADER, rec + RECORD_HEADER, r->size - RECORD_HEADER);
    if (err != OK)
        return err;
    if (record_crc(rec, data) != ld_le32(rec + RECORD_CRC))
        return ERR_NOENT;
    r->counts = ld_le32(rec + RECORD_HEADER + data) == 0;
    r->doubtful = !r->counts || bytes_all(rec + RECORD_HEADER + data + WORD, WORD, BLANK);
    return OK;
}

/* The next record from `*at` on, which moves behind it; ERR_NOENT at the end of the unit. */
static int next_record(const struct settings *s, uint32_t unit, uint32_t *at, struct record *r, uint8_t *rec)
{
    while (*at < unit_size(s)) {
        int err = read_record(s, unit, *at, r, rec);
        *at += err == OK ? r->size : WORD;
        if (err != ERR_NOENT)
            return err;
    }
    return ERR_NOENT;
}

/* The last record of a key that counts, from `from` on; ERR_NOENT. */
static int find(const struct settings *s, uint16_t key, uint32_t from, struct record *found)
{
    uint8_t rec[RECORD_MAX];
    struct record r;
    int err, rc = ERR_NOENT;

    while ((err = next_record(s, s->unit, &from, &r, rec)) == OK) {
        if (r.key != key || !r.counts)
            continue;
        *found = r;
        rc = OK;
    }
    return err == ERR_NOENT ? rc : err;
}

int settings_get(const struct settings *s, uint16_t key, void *value, uint32_t cap)
{
    struct record r;
    int err = find(s, key, UNIT_HEADER, &r);

    if (err == OK && r.len == 0)
        err = ERR_NOENT;
    if (err == OK)
        err = area_read(&s->area, s->unit + r.at + RECORD_HEADER, value, r.len < cap ? r.len : cap);
    return err == OK ? r.len : err;
}

/* ---- writing ----------------------------------------------------------------------------------- */

static int append(struct settings *s, uint16_t key, const void *value, uint32_t len)
{
    uint8_t rec[RECORD_MAX];
    uint32_t data = padded(len), at = s->tail;

    if (RECORD_HEADER + data + 2 * WORD > unit_size(s) - at)
        return ERR_NOSPACE;
    memset(rec, BLANK, sizeof rec);
    st_le32(rec, SETTINGS_MARK);
    st_le32(rec + RECORD_KEY, key | len << 16);
    if (len > 0)
        memcpy(rec + RECORD_HEADER, value, len);
    st_le32(rec + RECORD_CRC, record_crc(rec, data));
    s->tail += RECORD_HEADER + data + 2 * WORD; /* also if it fails: what is there is spoilt */
    int err = put_words(s, s->unit + at, rec, RECORD_HEADER + data);
    return err == OK ? put_seal(s, s->unit + at + RECORD_HEADER + data) : err;
}

/* Copies the records of `old` that are the last of their keys behind the header of s->unit. */
static int copy_live(struct settings *s, const struct settings *old)
{
    uint8_t rec[RECORD_MAX];
    struct record r, last;
    uint32_t at = UNIT_HEADER;
    int err;

    while ((err = next_record(old, old->unit, &at, &r, rec)) == OK) {
        if (!r.counts || r.len == 0)
            continue;
        err = find(old, r.key, r.at, &last);
        if (err == OK && last.at == r.at)
            err = append(s, r.key, rec + RECORD_HEADER, r.len);
        if (err != OK)
            return err;
    }
    return err == ERR_NOENT ? OK : err;
}

/* Begins a unit with what is valid in the one in use (`empty`: with nothing), and uses it. */
static int begin_unit(struct settings *s, uint32_t unit, uint32_t number, bool empty)
{
    struct settings to = { .area = s->area, .unit = unit, .number = number, .tail = UNIT_HEADER };
    uint8_t header[12];

    st_le32(header, SETTINGS_MAGIC);
    st_le32(header + 4, number);
    st_le32(header + 8, crc32(0, header, 8));
    /* Also if it reads blank: an erase that was cut leaves what reads right once. */
    int err = area_erase(&s->area, unit, unit_size(s));
    if (err == OK)
        err = put_words(&to, unit, header, sizeof header);
    if (err == OK && !empty)
        err = copy_live(&to, s);
    if (err == OK)
        err = put_seal(&to, unit + UNIT_A);
    if (err == OK)
        *s = to;
    return err;
}

static uint32_t unit_behind(const struct settings *s, uint32_t unit)
{
    return unit + 2 * unit_size(s) <= s->area.size ? unit + unit_size(s) : 0;
}

int settings_set(struct settings *s, uint16_t key, const void *value, uint32_t len)
{
    uint8_t now[SETTINGS_VALUE_MAX];

    if (len > SETTINGS_VALUE_MAX)
        return ERR_ARG;
    int have = settings_get(s, key, now, sizeof now);
    if (have < 0 && have != ERR_NOENT)
        return have;
    if (have == ERR_NOENT ? len == 0 : (uint32_t)have == len && memcmp(now, value, len) == 0)
        return OK;
    int err = append(s, key, value, len);
    if (err != ERR_NOSPACE && err != ERR_READBACK)
        return err;
    err = begin_unit(s, unit_behind(s, s->unit), s->number + 1, false);
    return err == OK ? append(s, key, value, len) : err;
}

/* ---- opening ----------------------------------------------------------------------------------- */

struct survey {
    bool found;
    uint32_t highest; /* number of a unit, begun or complete */
    bool doubtful; /* the one in use, or a newer one, may count another time and not count now */
};

static int survey_unit(struct settings *s, uint32_t unit, struct survey *v)
{
    uint8_t h[UNIT_HEADER];
    int err = area_read(&s->area, unit, h, sizeof h);

    if (err != OK || ld_le32(h) != SETTINGS_MAGIC || crc32(0, h, 8) != ld_le32(h + 8))
        return err;
    uint32_t number = ld_le32(h + 4);
    bool counts = ld_le32(h + UNIT_A) == 0, doubtful = !counts || bytes_all(h + UNIT_B, WORD, BLANK);
    if (counts && (!v->found || number > s->number)) {
        v->found = true;
        s->unit = unit;
        s->number = number;
    }
    if (number >= v->highest) {
        v->highest = number;
        v->doubtful = doubtful;
    }
    return OK;
}

/*
 * The next record goes behind all that is not blank, and a record further: of the one that was being
 * written when power failed only the mark is sure not to be blank.
 */
static int find_tail(struct settings *s)
{
    uint32_t w, at = unit_size(s);
    int err = OK;

    do {
        at -= WORD;
        err = get_word(s, s->unit, at, &w);
    } while (err == OK && w == 0xFFFFFFFF && at >= UNIT_HEADER);
    at += WORD;
    if (at > UNIT_HEADER)
        at = at < unit_size(s) - RECORD_MAX ? at + RECORD_MAX : unit_size(s);
    s->tail = at;
    return err;
}

/* A record that was being written when power failed: its key is set again, to what it has now. */
static int settle(struct settings *s)
{
    uint8_t rec[RECORD_MAX];
    struct record r, open = { 0 }, last;
    uint32_t at = UNIT_HEADER;
    int err;

    while ((err = next_record(s, s->unit, &at, &r, rec)) == OK) {
        if (r.doubtful)
            open = r;
        else if (open.size && r.key == open.key)
            open.size = 0;
    }
    if (err != ERR_NOENT || open.size == 0)
        return err == ERR_NOENT ? OK : err;
    err = find(s, open.key, UNIT_HEADER, &last);
    if (err == OK)
        err = area_read(&s->area, s->unit + last.at + RECORD_HEADER, rec, last.len);
    if (err != OK && err != ERR_NOENT)
        return err;
    err = append(s, open.key, rec, err == OK ? last.len : 0);
    if (err == ERR_NOSPACE || err == ERR_READBACK)
        err = begin_unit(s, unit_behind(s, s->unit), s->number + 1, false);
    return err;
}

int settings_open(struct settings *s, const struct flash_area *area)
{
    struct survey v = { 0 };
    int err = OK;

    *s = (struct settings) { .area = *area };
    if (area->size < 2 * unit_size(s))
        return ERR_ARG;
    for (uint32_t unit = 0; err == OK && unit + unit_size(s) <= area->size; unit += unit_size(s))
        err = survey_unit(s, unit, &v);
    if (err != OK)
        return err;
    if (!v.found)
        return begin_unit(s, 0, v.highest + 1, true);
    if (v.doubtful)
        return begin_unit(s, unit_behind(s, s->unit), v.highest + 1, false);
    err = find_tail(s);
    return err == OK ? settle(s) : err;
}
