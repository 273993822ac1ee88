#include "core/flash/flash.h"

#include <stddef.h>
#include <string.h>

/*
 * Polls without a tick of the clock after which the clock counts as standing still. A poll costs the
 * device more than 50 cycles, so a millisecond has room for some 1300 of them.
 */
enum { STILL_POLLS_MAX = 1000000 };

/* Bytes compared at a time. */
enum { CHUNK = 128 };

NOT_INLINE static int check_range(uint32_t size, uint32_t off, uint32_t len)
{
    return off <= size && len <= size - off ? OK : ERR_RANGE;
}

/* Whether the device may be given something to do. */
static int check_idle(struct flash_dev *dev)
{
    if (!dev->busy)
        return OK;
    if (!dev->overdue)
        return ERR_BUSY;
    if (dev->ops->poll(dev->ctx) == ERR_BUSY)
        return ERR_TIMEOUT;
    dev->busy = false;
    dev->overdue = false;
    return OK;
}

static void begin(struct flash_dev *dev, uint32_t limit_ms)
{
    dev->busy = true;
    dev->overdue = false;
    dev->started_ms = dev->ops->now_ms(dev->ctx);
    dev->limit_ms = limit_ms;
    dev->last_ms = dev->started_ms;
    dev->still_polls = 0;
}

int flash_read(struct flash_dev *dev, uint32_t off, void *buf, uint32_t len)
{
    int rc = check_range(dev->size, off, len);
    if (rc == OK)
        rc = check_idle(dev);
    if (rc != OK || len == 0)
        return rc;
    return dev->ops->read(dev->ctx, off, buf, len);
}

int flash_prog_start(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len)
{
    int rc = check_range(dev->size, off, len);
    if (rc != OK)
        return rc;
    if (len == 0 || off % dev->prog_size != 0 || len % dev->prog_size != 0)
        return ERR_ALIGN;
    if (len > dev->prog_max - off % dev->prog_max)
        return ERR_ALIGN;
    rc = check_idle(dev);
    if (rc == OK)
        rc = dev->ops->prog_start(dev->ctx, off, data, len);
    if (rc == OK)
        begin(dev, dev->prog_max_ms);
    return rc;
}

int flash_erase_start(struct flash_dev *dev, uint32_t off)
{
    int rc = check_range(dev->size, off, dev->erase_size);
    if (rc != OK)
        return rc;
    if (off % dev->erase_size != 0)
        return ERR_ALIGN;
    rc = check_idle(dev);
    if (rc == OK)
        rc = dev->ops->erase_start(dev->ctx, off);
    if (rc == OK)
        begin(dev, dev->erase_max_ms);
    return rc;
}

uint32_t flash_erase_piece(const struct flash_dev *dev, uint32_t off, uint32_t end)
{
    for (unsigned i = 0; i < FLASH_BLOCKS; i++) {
        uint32_t size = dev->block[i].size;
        if (size != 0 && off % size == 0 && size <= end - off)
            return size;
    }
    return dev->erase_size;
}

int flash_piece_start(struct flash_dev *dev, uint32_t off, uint32_t size)
{
    uint32_t limit_ms = 0;

    if (size == dev->erase_size)
        return flash_erase_start(dev, off);
    for (unsigned i = 0; i < FLASH_BLOCKS && size != 0; i++) {
        if (dev->block[i].size == size)
            limit_ms = dev->block[i].max_ms;
    }
    if (limit_ms == 0 || off % size != 0)
        return ERR_ALIGN;
    int rc = check_range(dev->size, off, size);
    if (rc == OK)
        rc = check_idle(dev);
    if (rc == OK)
        rc = dev->ops->block_start(dev->ctx, off, size);
    if (rc == OK)
        begin(dev, limit_ms);
    return rc;
}

/* Called after the chip was asked, so that a caller that came late does not count as a slow chip. */
static bool deadline_passed(struct flash_dev *dev)
{
    uint32_t now = dev->ops->now_ms(dev->ctx);

    if (now != dev->last_ms) {
        dev->last_ms = now;
        dev->still_polls = 0;
    } else {
        dev->still_polls++;
    }
    return now - dev->started_ms > dev->limit_ms || dev->still_polls >= STILL_POLLS_MAX;
}

int flash_poll(struct flash_dev *dev)
{
    if (!dev->busy)
        return OK;
    int rc = dev->ops->poll(dev->ctx);
    if (rc != ERR_BUSY) {
        dev->busy = false;
        dev->overdue = false;
        return rc;
    }
    if (!dev->overdue)
        dev->overdue = deadline_passed(dev);
    return dev->overdue ? ERR_TIMEOUT : ERR_BUSY;
}

int flash_wait(struct flash_dev *dev)
{
    int rc;

    do
        rc = flash_poll(dev);
    while (rc == ERR_BUSY);
    return rc;
}

int flash_prog(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len)
{
    const uint8_t *p = data;
    int rc = check_range(dev->size, off, len);

    if (rc == OK && (off % dev->prog_size != 0 || len % dev->prog_size != 0))
        rc = ERR_ALIGN;
    while (rc == OK && len > 0) {
        uint32_t room = dev->prog_max - off % dev->prog_max;
        uint32_t n = len < room ? len : room;
        rc = flash_prog_start(dev, off, p, n);
        if (rc == OK)
            rc = flash_wait(dev);
        off += n;
        p += n;
        len -= n;
    }
    return rc;
}

int flash_erase(struct flash_dev *dev, uint32_t off, uint32_t len)
{
    int rc = check_range(dev->size, off, len);

    if (rc == OK && (off % dev->erase_size != 0 || len % dev->erase_size != 0))
        rc = ERR_ALIGN;
    for (; rc == OK && len > 0; off += dev->erase_size, len -= dev->erase_size) {
        rc = flash_erase_start(dev, off);
        if (rc == OK)
            rc = flash_wait(dev);
    }
    return rc;
}

int flash_probe(struct flash_dev *dev, uint32_t *jedec)
{
    *jedec = 0;
    int rc = check_idle(dev);
    if (rc == OK)
        rc = dev->ops->probe(dev->ctx, jedec);
    if (rc == OK && dev->jedec != 0 && *jedec != dev->jedec)
        rc = ERR_ID;
    return rc;
}

/* `want` NULL: all FF. */
static int compare(struct flash_dev *dev, uint32_t off, const uint8_t *want, uint32_t len, uint32_t *bad_off,
    uint8_t *found)
{
    uint8_t got[CHUNK];
    int rc = check_range(dev->size, off, len);

    for (uint32_t at = 0; rc == OK && at < len; at += CHUNK) {
        uint32_t n = len - at < CHUNK ? len - at : CHUNK;
        rc = flash_read(dev, off + at, got, n);
        if (rc == OK && want && memcmp(got, want + at, n) == 0) /* faster than what follows */
            continue;
        for (uint32_t i = 0; rc == OK && i < n; i++) {
            if (got[i] == (want ? want[at + i] : 0xFF))
                continue;
            *bad_off = at + i;
            *found = got[i];
            rc = ERR_READBACK;
        }
    }
    return rc;
}

int flash_verify(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len,
    uint32_t *bad_off, uint8_t *found)
{
    return compare(dev, off, data, len, bad_off, found);
}

int flash_is_blank(struct flash_dev *dev, uint32_t off, uint32_t len, bool *blank)
{
    uint32_t bad_off;
    uint8_t found;
    int rc = compare(dev, off, NULL, len, &bad_off, &found);

    *blank = rc == OK;
    return rc == ERR_READBACK ? OK : rc;
}

int area_read(const struct flash_area *a, uint32_t off, void *buf, uint32_t len)
{
    int rc = check_range(a->size, off, len);
    return rc == OK ? flash_read(a->dev, a->off + off, buf, len) : rc;
}

int area_prog(const struct flash_area *a, uint32_t off, const void *data, uint32_t len)
{
    int rc = check_range(a->size, off, len);
    return rc == OK ? flash_prog(a->dev, a->off + off, data, len) : rc;
}

int area_write(const struct flash_area *a, uint32_t off, const void *data, uint32_t len)
{
    uint32_t bad;
    uint8_t found;
    int rc = area_prog(a, off, data, len);

    return rc == OK ? area_verify(a, off, data, len, &bad, &found) : rc;
}

int area_erase(const struct flash_area *a, uint32_t off, uint32_t len)
{
    int rc = check_range(a->size, off, len);
    return rc == OK ? flash_erase(a->dev, a->off + off, len) : rc;
}

int area_verify(const struct flash_area *a, uint32_t off, const void *data, uint32_t len,
    uint32_t *bad_off, uint8_t *found)
{
    int rc = check_range(a->size, off, len);
    return rc == OK ? flash_verify(a->dev, a->off + off, data, len, bad_off, found) : rc;
}

int area_is_blank(const struct flash_area *a, uint32_t off, uint32_t len, bool *blank)
{
    *blank = false;
    int rc = check_range(a->size, off, len);
    return rc == OK ? flash_is_blank(a->dev, a->off + off, len, blank) : rc;
}
