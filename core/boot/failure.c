#include "core/boot/failure.h"

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

/* True if the record at `off` is whole; *free if it was never written. */
static int read_record(const struct flash_area *a, uint32_t off, struct finding *f, uint32_t *number, bool *whole,
    bool *free)
{
    uint8_t b[FAILURE_LEN];
    int err = area_read(a, off, b, sizeof b);

    if (err != OK)
        return err;
    *free = bytes_all(b, sizeof b, 0xFF);
    *whole = ld_le16(b + OFF_MAGIC) == MAGIC && ld_le32(b + OFF_CRC) == crc32(0, b, OFF_CRC);
    *f = (struct finding) { .reason = ld_le16(b + OFF_REASON), .slot = b[OFF_SLOT], .found = ld_le32(b + OFF_FOUND),
        .expected = ld_le32(b + OFF_EXPECTED), .where = ld_le32(b + OFF_WHERE) };
    *number = ld_le32(b + OFF_NUMBER);
    return OK;
}

/* The last whole records, the next number and the first free place (area size: none). */
static int scan(const struct flash_area *a, struct finding kept[FAILURE_KEPT], unsigned *count, uint32_t *next,
    uint32_t *free_off)
{
    *count = 0;
    *next = 1;
    *free_off = a->size;
    for (uint32_t off = 0; off + FAILURE_LEN <= a->size; off += FAILURE_LEN) {
        struct finding f;
        uint32_t number;
        bool whole, free;
        int err = read_record(a, off, &f, &number, &whole, &free);
        if (err != OK)
            return err;
        if (free) {
            *free_off = off;
            return OK;
        }
        if (!whole)
            continue;
        if (*count == FAILURE_KEPT) {
            for (unsigned i = 1; i < FAILURE_KEPT; i++)
                kept[i - 1] = kept[i];
            (*count)--;
        }
        kept[(*count)++] = f;
        *next = number + 1;
    }
    return OK;
}

int failure_read(const struct store *st, struct finding out[FAILURE_KEPT])
{
    struct flash_area a = log_area(st);
    uint32_t next, free_off;
    unsigned count;
    int err = scan(&a, out, &count, &next, &free_off);

    return err != OK ? err : (int)count;
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

static bool known(const struct finding *kept, unsigned count, const struct finding *f)
{
    for (unsigned i = 0; i < count; i++) {
        if (kept[i].reason == f->reason && kept[i].slot == f->slot && kept[i].found == f->found
            && kept[i].expected == f->expected && kept[i].where == f->where)
            return true;
    }
    return false;
}

static int write_record(const struct flash_area *a, uint32_t off, const struct finding *f, uint32_t number)
{
    uint8_t b[FAILURE_LEN] = { 0 }, found;
    uint32_t bad;

    st_le16(b + OFF_MAGIC, MAGIC);
    st_le16(b + OFF_REASON, f->reason);
    b[OFF_SLOT] = f->slot;
    st_le32(b + OFF_FOUND, f->found);
    st_le32(b + OFF_EXPECTED, f->expected);
    st_le32(b + OFF_WHERE, f->where);
    st_le32(b + OFF_NUMBER, number);
    st_le32(b + OFF_CRC, crc32(0, b, OFF_CRC));
    int err = area_prog(a, off, b, sizeof b);
    return err != OK ? err : area_verify(a, off, b, sizeof b, &bad, &found);
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
    struct finding kept[FAILURE_KEPT];
    uint32_t next, off;
    unsigned count;
    int err = scan(&a, kept, &count, &next, &off);

    for (unsigned i = 0; i < n && err == OK; i++) {
        if (!is_failure(&f[i]) || known(kept, count, &f[i]))
            continue;
        err = make_room(&a, &off);
        if (err == OK)
            err = write_record(&a, off, &f[i], next++);
        off += FAILURE_LEN;
    }
    return err;
}
