#include "firmware/app/recorder.h"

#include "core/base/bytes.h"
#include "core/base/crc.h"

enum { OFF_NUMBER = 4, OFF_MS = 8, OFF_DATA = 12, OFF_CRC = 28 };

static uint32_t unit_of(const struct recorder *r)
{
    return r->area.dev->erase_size;
}

static bool is_record(const uint8_t *p, uint32_t *number)
{
    *number = ld_le32(p + OFF_NUMBER);
    return ld_le32(p) == RECORDER_MAGIC && crc32(0, p, OFF_CRC) == ld_le32(p + OFF_CRC);
}

/* The newest record of a unit, if it is newer than what is known. */
static int look_at_unit(struct recorder *r, uint32_t unit)
{
    uint8_t rec[RECORDER_LEN];
    uint32_t number;
    int err = OK;

    for (uint32_t off = unit; err == OK && off < unit + unit_of(r); off += RECORDER_LEN) {
        err = area_read(&r->area, off, rec, sizeof rec);
        if (err != OK || !is_record(rec, &number))
            break;
        if (number < r->number)
            continue;
        r->number = number + 1;
        r->next_off = off + RECORDER_LEN;
    }
    return err;
}

int recorder_open(struct recorder *r, const struct flash_area *area, uint32_t period_ms)
{
    int err = OK;

    *r = (struct recorder) { .area = *area, .period_ms = period_ms, .number = 1 };
    if (area->size == 0)
        return OK;
    uint32_t units = area->size / unit_of(r);
    r->area.size = (units < RECORDER_UNITS ? units : RECORDER_UNITS) * unit_of(r);
    for (uint32_t unit = 0; err == OK && unit < r->area.size; unit += unit_of(r))
        err = look_at_unit(r, unit);
    r->next_off %= r->area.size ? r->area.size : 1;
    if (err != OK)
        r->area.size = 0;
    r->err = err;
    return err;
}

static bool failed(struct recorder *r, int err)
{
    r->bad++;
    r->err = err;
    r->step = RECORDER_REST;
    r->erased = false;
    return false;
}

static void make_record(struct recorder *r, uint32_t now_ms)
{
    st_le32(r->record, RECORDER_MAGIC);
    st_le32(r->record + OFF_NUMBER, r->number);
    st_le32(r->record + OFF_MS, now_ms);
    for (uint32_t i = OFF_DATA; i < OFF_CRC; i++)
        r->record[i] = (uint8_t)(r->number * 7 + i);
    st_le32(r->record + OFF_CRC, crc32(0, r->record, OFF_CRC));
}

static bool start_program(struct recorder *r, uint32_t now_ms)
{
    make_record(r, now_ms);
    int err = flash_prog_start(r->area.dev, r->area.off + r->next_off, r->record, RECORDER_LEN);
    r->step = RECORDER_PROGRAM;
    return err == OK || failed(r, err);
}

bool recorder_begin(struct recorder *r, uint32_t now_ms, bool may_erase)
{
    if (r->area.size == 0 || r->period_ms == 0 || (int32_t)(now_ms - r->due_ms) < 0)
        return false;
    /* What lies behind the newest record may have been begun before a reset: the unit is begun anew. */
    if (r->next_off % unit_of(r) != 0 && !r->erased)
        r->next_off = (r->next_off / unit_of(r) + 1) * unit_of(r) % r->area.size;
    if (r->next_off % unit_of(r) == 0 && !r->erased && !may_erase)
        return false;
    r->due_ms = now_ms + r->period_ms;
    if (r->erased)
        return start_program(r, now_ms);
    int err = flash_erase_start(r->area.dev, r->area.off + r->next_off);
    r->step = RECORDER_ERASE;
    return err == OK || failed(r, err);
}

/* One of the older records, another each time; where a start has left a gap there is none. */
static void read_again(struct recorder *r)
{
    uint8_t rec[RECORDER_LEN];
    uint32_t number, kept = (r->area.size - unit_of(r)) / RECORDER_LEN;
    uint32_t old = r->number - 1 < kept ? r->number - 1 : kept, back = 1 + r->number * 37 % old;
    uint32_t off = (r->next_off + r->area.size - back * RECORDER_LEN) % r->area.size;
    int err = area_read(&r->area, off, rec, sizeof rec);

    if (err != OK) {
        (void)failed(r, err);
    } else if (is_record(rec, &number)) {
        r->checked++;
    } else if (!bytes_all(rec, sizeof rec, 0xFF)) {
        (void)failed(r, ERR_FORMAT);
    }
}

static bool written(struct recorder *r)
{
    uint32_t bad;
    uint8_t found;
    int err = area_verify(&r->area, r->next_off, r->record, RECORDER_LEN, &bad, &found);

    if (err != OK)
        return failed(r, err);
    r->written++;
    r->number++;
    r->next_off = (r->next_off + RECORDER_LEN) % r->area.size;
    r->erased = r->next_off % unit_of(r) != 0;
    r->step = RECORDER_REST;
    read_again(r);
    return false;
}

bool recorder_poll(struct recorder *r, uint32_t now_ms)
{
    int err = flash_poll(r->area.dev);

    if (err == ERR_BUSY)
        return true;
    if (err != OK)
        return failed(r, err);
    if (r->step == RECORDER_PROGRAM)
        return written(r);
    r->erases++;
    r->erased = true;
    return start_program(r, now_ms);
}
