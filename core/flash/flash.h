/*
 * Flash devices and areas.
 *
 * A driver (drivers/, sim/flash) fills in a struct flash_dev; everything above calls the functions
 * here, which check ranges and alignment once, bound every wait, and are the one place that every
 * operation passes. Offsets are bytes from the start of the device.
 *
 * An erase or a program is started and polled, so that one chip works while the other does: the QSPI
 * part goes on by itself while the NVMC stalls the CPU. Between start and the poll that ends it the
 * data given to flash_prog_start() must stay in place. One operation at a time on a device.
 */
#ifndef CORE_FLASH_FLASH_H
#define CORE_FLASH_FLASH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/reason.h"

struct flash_ops {
    /* Reads any range. Not called while an operation runs. */
    int (*read)(void *ctx, uint32_t off, void *buf, uint32_t len);
    /* Starts programming at most prog_max bytes that do not cross a multiple of prog_max. */
    int (*prog_start)(void *ctx, uint32_t off, const void *data, uint32_t len);
    /* Starts erasing one erase unit. */
    int (*erase_start)(void *ctx, uint32_t off);
    /* OK: nothing runs (any more). ERR_BUSY. Else: the operation failed and is over. */
    int (*poll)(void *ctx);
    /*
     * Asks the chip who it is: OK and its JEDEC id as 0x00MMTTCC (internal flash: 0). ERR_NODEV: no
     * answer (all zeros or all ones, with *jedec saying which). ERR_TIMEOUT: it answers but stays busy.
     */
    int (*probe)(void *ctx, uint32_t *jedec);
    /* Milliseconds, monotonic, wrapping. */
    uint32_t (*now_ms)(void *ctx);
    /*
     * May be NULL. What the driver knows of the chip's state beyond an error: true, and *why without its
     * slot, if the last probe failed or found something that is not as it should be; then also after a
     * probe that was OK. Asks the chip nothing.
     */
    bool (*explain)(void *ctx, struct finding *why);
    /* May be NULL: there are no blocks. Starts erasing the block at `off`, of a size in dev->block[]. */
    int (*block_start)(void *ctx, uint32_t off, uint32_t size);
};

/* An erase that is larger than a unit, and faster than its units one by one. */
struct flash_block {
    uint32_t size; /* bytes, a multiple of the erase unit; its offset is a multiple of it. 0: none */
    uint32_t max_ms; /* longest by the data sheet */
};
enum { FLASH_BLOCKS = 2 };

struct flash_dev {
    const struct flash_ops *ops;
    void *ctx;
    /* of flash.c: the operation that runs */
    bool busy;
    bool overdue; /* it ran longer than its limit: the next call asks the chip once, and waits no more */
    uint8_t prog_limit; /* programs a word may see between erases; 0: no limit */
    const char *name; /* "internal", "external" */
    uint32_t size; /* bytes */
    uint32_t erase_size; /* bytes an erase unit */
    uint32_t prog_size; /* bytes; offset and length of a program are multiples of it */
    uint32_t prog_max; /* bytes of the largest single program */
    uint32_t erase_max_ms; /* longest erase of a unit by the data sheet */
    uint32_t prog_max_ms; /* longest program of prog_max bytes by the data sheet */
    uint32_t jedec; /* expected id, 0x00MMTTCC; 0: not asked for (internal flash) */
    struct flash_block block[FLASH_BLOCKS]; /* largest first; none: all 0 */
    /* of flash.c: since when it runs */
    uint32_t started_ms;
    uint32_t limit_ms;
    uint32_t last_ms; /* the clock at the last poll, and polls since it moved: a clock that */
    uint32_t still_polls; /* stands still must not make a wait endless */
};

/*
 * Each adds: ERR_RANGE, ERR_ALIGN, ERR_BUSY (an operation runs), ERR_TIMEOUT (an earlier operation
 * ran longer than its limit and still does: said at once, without another wait), and what the driver
 * returns.
 */
int flash_read(struct flash_dev *dev, uint32_t off, void *buf, uint32_t len) MUST_CHECK;
int flash_prog_start(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len) MUST_CHECK;
int flash_erase_start(struct flash_dev *dev, uint32_t off) MUST_CHECK;
/* OK: idle. ERR_BUSY: still running. ERR_TIMEOUT: running for longer than the data sheet allows. */
int flash_poll(struct flash_dev *dev) MUST_CHECK;
/* Polls until the operation ended; never longer than its limit. */
int flash_wait(struct flash_dev *dev) MUST_CHECK;
/* Any aligned length, in programs of at most prog_max; waits. Does not read back. */
int flash_prog(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len) MUST_CHECK;
/*
 * The largest piece that one erase beginning at `off` can take without reaching beyond `end`: a block,
 * else a unit. Both are aligned to units, off < end.
 */
uint32_t flash_erase_piece(const struct flash_dev *dev, uint32_t off, uint32_t end);
/* Starts erasing a piece of that size. */
int flash_piece_start(struct flash_dev *dev, uint32_t off, uint32_t size) MUST_CHECK;
/* Whole erase units, one by one; waits. */
int flash_erase(struct flash_dev *dev, uint32_t off, uint32_t len) MUST_CHECK;
/* OK; ERR_NODEV, ERR_ID (another chip than dev->jedec), ERR_TIMEOUT. *jedec is what answered. */
int flash_probe(struct flash_dev *dev, uint32_t *jedec) MUST_CHECK;
/* OK, or ERR_READBACK with *bad_off (from `off`) and *found at the first byte that differs. */
int flash_verify(struct flash_dev *dev, uint32_t off, const void *data, uint32_t len,
    uint32_t *bad_off, uint8_t *found) MUST_CHECK;
/* OK and *blank: whether all len bytes read 0xFF. */
int flash_is_blank(struct flash_dev *dev, uint32_t off, uint32_t len, bool *blank) MUST_CHECK;

/* A part of a device, a value: no ids, no open and close. Offsets count from its start. */
struct flash_area {
    struct flash_dev *dev;
    uint32_t off;
    uint32_t size;
};

/* As above, with ERR_RANGE for anything that leaves the area. */
int area_read(const struct flash_area *a, uint32_t off, void *buf, uint32_t len) MUST_CHECK;
int area_prog(const struct flash_area *a, uint32_t off, const void *data, uint32_t len) MUST_CHECK;
/* area_prog() and a look whether it came about: ERR_READBACK. */
int area_write(const struct flash_area *a, uint32_t off, const void *data, uint32_t len) MUST_CHECK;
int area_erase(const struct flash_area *a, uint32_t off, uint32_t len) MUST_CHECK;
int area_verify(const struct flash_area *a, uint32_t off, const void *data, uint32_t len,
    uint32_t *bad_off, uint8_t *found) MUST_CHECK;
int area_is_blank(const struct flash_area *a, uint32_t off, uint32_t len, bool *blank) MUST_CHECK;

#endif
