#include "core/boot/failure.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc.h"
#include "core/boot/state.h"

enum {
    OFF_MAGIC = 0x00,
    OFF_REASON = 0x02,
    OFF_SLOT = 0x04,
    OFF_FOUND = 0x08,
    OFF_EXPECTED = 0x0C,
    OFF_WHERE = 0x10,
    OFF_NUMBER = 0x14,
    OFF_CRC = 0x1C,
    MAGIC = 0x4653, /* "SF" */
};
_Static_assert(OFF_CRC + 4 == FAILURE_LEN, "the CRC ends the record");

static struct flash_area log_area(const struct store *st)
{
    struct flash_area a = store_state(st);

    a.off += STATE_UNITS * st->layout->unit;
    a.size = st->layout->unit;
    return a;
}

enum { RING = FAILURE_KEPT + 1 }; /* the last one's place is where the next is read to, whole or not */

/* The last whole records as they lie there; the next number and the first free place (area size: none). */
struct scan {
    uint8_t ring[RING][FAILURE_LEN];
    unsigned count; /* whole records so far */
    uint32_t next;
    uint32_t free_off;
};

static int scan(const struct flash_area *a, struct scan *s)
{
    s->count = 0;
    s->next = 1;
    for (s->free_off = 0; s->free_off + FAILURE_LEN <= a->size; s->free_off += FAILURE_LEN) {
        uint8_t *b = s->ring[s->count % RING];
        int err = area_read(a, s->free_off, b, FAILURE_LEN);
        if (err != OK || bytes_all(b, FAILURE_LEN, 0xFF))
            return err;
        if (ld_le16(b + OFF_MAGIC) != MAGIC || ld_le32(b + OFF_CRC) != crc32(0, b, OFF_CRC))
            continue;
        s->next = ld_le32(b + OFF_NUMBER) + 1;
        s->count++;
    }
    return OK;
}

/* The i-th last whole record, from 1; NULL: there are no more. */
static const uint8_t *last(const struct scan *s, unsigned i)
{
    return i <= s->count && i <= FAILURE_KEPT ? s->ring[(s->count - i) % RING] : NULL;
}

int failure_read(const struct store *st, struct finding out[FAILURE_KEPT])
{
    struct flash_area a = log_area(st);
    struct scan s;
    int err = scan(&a, &s);

    if (err != OK)
        return err;
    unsigned n = s.count < FAILURE_KEPT ? s.count : FAILURE_KEPT;
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *b = last(&s, n - i);
        out[i] = (struct finding) { .reason = ld_le16(b + OFF_REASON), .slot = b[OFF_SLOT],
            .found = ld_le32(b + OFF_FOUND), .expected = ld_le32(b + OFF_EXPECTED), .where = ld_le32(b + OFF_WHERE) };
    }
    return (int)n;
}

/* News tell what happened as it should; they are in the report, not in the log. */
static bool is_failure(const struct finding *f)
{
    switch (f->reason) {
    case REASON_NONE:
    case REASON_SWAP_RESUMED:
    case REASON_STATE_NEW:
    case REASON_REVERT_ASKED:
    case REASON_IMG_NONE:
        return false;
    default:
        return true;
    }
}

static void encode(uint8_t b[FAILURE_LEN], const struct finding *f)
{
    memset(b, 0, FAILURE_LEN);
    st_le16(b + OFF_MAGIC, MAGIC);
    st_le16(b + OFF_REASON, f->reason);
    b[OFF_SLOT] = f->slot;
    st_le32(b + OFF_FOUND, f->found);
    st_le32(b + OFF_EXPECTED, f->expected);
    st_le32(b + OFF_WHERE, f->where);
}

/* The same failure but for its number. */
static bool known(const struct scan *s, const uint8_t b[FAILURE_LEN])
{
    const uint8_t *r;

    for (unsigned i = 1; (r = last(s, i)) != NULL; i++) {
        if (memcmp(r, b, OFF_NUMBER) == 0)
            return true;
    }
    return false;
}

/* Makes `off` a place for a record. What is not blank from there on is left of an erase that was cut. */
static int make_room(const struct flash_area *a, uint32_t *off)
{
    bool blank = false;
    int err = *off + FAILURE_LEN <= a->size ? area_is_blank(a, *off, a->size - *off, &blank) : OK;

    if (err != OK || blank)
        return err;
    *off = 0;
    return area_erase(a, 0, a->size);
}

int failure_append(const struct store *st, const struct finding *f, unsigned n)
{
    struct flash_area a = log_area(st);
    uint8_t b[FAILURE_LEN];
    struct scan s;
    int err = scan(&a, &s);

    for (unsigned i = 0; i < n && err == OK; i++) {
        encode(b, &f[i]);
        if (!is_failure(&f[i]) || known(&s, b))
            continue;
        st_le32(b + OFF_NUMBER, s.next++);
        st_le32(b + OFF_CRC, crc32(0, b, OFF_CRC));
        err = make_room(&a, &s.free_off);
        if (err == OK)
            err = area_write(&a, s.free_off, b, sizeof b);
        s.free_off += FAILURE_LEN;
    }
    return err;
}
