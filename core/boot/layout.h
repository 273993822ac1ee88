/*
 * The layout of a board as bootloader, application and service see it: which partition lies where on
 * which chip. Its one source is the board's devicetree file; host/lib/layout reads that into this
 * struct, and `slipway layout --header` writes it as a C header for firmware.
 */
#ifndef CORE_BOOT_LAYOUT_H
#define CORE_BOOT_LAYOUT_H

#include <stdint.h>

#include "core/flash/flash.h"

struct layout_part {
    uint32_t off; /* from the start of its chip */
    uint32_t size;
};

struct layout {
    const char *board; /* folder name or file stem */
    uint32_t internal_size; /* bytes of the chip's flash */
    uint32_t internal_erase; /* 4096 */
    uint32_t external_size;
    uint32_t external_erase; /* smallest erase unit, 4096 */
    uint32_t external_jedec; /* 0x00MMTTCC */
    struct layout_part boot; /* internal; where state lies in it, its last four units are not code */
    struct layout_part slot0; /* internal */
    struct layout_part slot1; /* external */
    struct layout_part state; /* internal, four units: scratch's first four, else boot's last four */
    uint32_t unit; /* swap unit, the larger erase size */
    uint32_t hash; /* layout_hash() of the above */
};

/*
 * CRC-32 over 13 little-endian words: internal size and erase size, external size and erase size,
 * then offset and size of boot, slot0, slot1 and state, then the unit. Names and JEDEC id do not
 * count: a second source of the same size is the same layout. 0 is never returned (1 in its place).
 */
uint32_t layout_hash(const struct layout *l);

/* Room for swapping at a gap. */
struct layout_room {
    uint32_t gap; /* 2, 1, or 0: no swap possible */
    uint32_t max_image; /* bytes of the largest image, header and TLVs included, at that gap */
};
/* The largest image that can be swapped at this gap (max_image 0: none). */
struct layout_room layout_room_gap(const struct layout *l, uint32_t gap);
/* The largest image that can be swapped at all, and the gap it gets. */
struct layout_room layout_room_best(const struct layout *l);
/* The gap for two images of these lengths in bytes: 2, 1, or 0 if they cannot be swapped. */
uint32_t layout_gap_for(const struct layout *l, uint32_t len_a, uint32_t len_b);

/* Units that len bytes touch. */
uint32_t layout_units(const struct layout *l, uint32_t len);

struct flash_area layout_area(const struct layout_part *p, struct flash_dev *dev);

#endif
