/*
 * Erases and programs one unit on each of two chips at the same time and reads both back. While the
 * NVMC stalls the CPU the external chip goes on by itself, so its time disappears behind the
 * internal chip's.
 */
#ifndef CORE_BOOT_REWRITE_H
#define CORE_BOOT_REWRITE_H

#include "core/flash/flash.h"

struct rewrite {
    struct flash_area area;
    uint32_t off; /* of the unit in the area */
    const uint8_t *data; /* len bytes; in place until the end */
    uint32_t len; /* one erase unit or a multiple */
    /* of rewrite.c */
    uint32_t erased;
    uint32_t programmed;
    bool finished;
    int err;
    /* after ERR_READBACK: what differs */
    uint32_t bad_off; /* in the area */
    uint8_t found;
    uint8_t expected;
};

/* Runs both to their end (either may be NULL). OK, or the first error; the other one is finished all the same. */
int rewrite_both(struct rewrite *external, struct rewrite *internal) MUST_CHECK;

/* Erases whole erase units of an area and checks that they read blank: ERR_READBACK if not. */
int rewrite_blank(const struct flash_area *area, uint32_t off, uint32_t len) MUST_CHECK;

#endif
