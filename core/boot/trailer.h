/*
 * Slot trailers at rest: the flags that MCUboot defines, so that applications written for it work.
 * They are requests from an application and a record for it, never the state of a swap (state.h).
 *
 *     slot end - 32   copy_done   1 byte 0x01, rest of 8 bytes blank
 *     slot end - 24   image_ok    1 byte 0x01, rest of 8 bytes blank
 *     slot end - 16   magic       77 c2 95 f3 60 d2 ef 7f 35 52 50 0f 2c b6 79 80
 *
 * swap_info at -40 is ignored and left blank. BOOT_MAX_ALIGN is 8 (MCUboot's for the nRF52840); one
 * 4-byte word is programmed for a flag. The trailer's unit is the slot's last erase unit.
 */
#ifndef CORE_BOOT_TRAILER_H
#define CORE_BOOT_TRAILER_H

#include "core/flash/flash.h"

enum {
    TRAILER_MAGIC_LEN = 16,
    TRAILER_LEN = 32, /* from copy_done to the end */
};

enum trailer_flag {
    TRAILER_BLANK, /* erased */
    TRAILER_SET, /* 0x01, or the magic itself */
    TRAILER_BAD, /* anything else */
};

struct trailer {
    enum trailer_flag magic;
    enum trailer_flag image_ok;
    enum trailer_flag copy_done;
};

/* Flash errors only. */
int trailer_read(const struct flash_area *slot, struct trailer *t) MUST_CHECK;
/* Erases the trailer's unit (unit bytes at the slot's end). */
int trailer_erase(const struct flash_area *slot, uint32_t unit) MUST_CHECK;
/*
 * Asks for the image of this slot at the next boot: magic, then image_ok if it is to stay without a
 * confirm. Goes only into blank fields; if one is not blank the unit is erased first. A pending test
 * may be turned into permanent without an erase. Reads back.
 */
int trailer_request(const struct flash_area *slot, uint32_t unit, bool permanent) MUST_CHECK;
/*
 * After a read-back failed: the first byte (offset in the slot) that a request, or for image_ok alone a
 * confirm, should have left otherwise. False if all are right, or cannot be read.
 */
struct trailer_byte {
    uint32_t off;
    uint8_t found, expected;
};
bool trailer_wrong_byte(const struct flash_area *slot, bool magic_too, bool image_ok, struct trailer_byte *b);
/* Programs image_ok, as an application confirms itself. No-op if set; ERR_BADSTATE if it is bad. Reads back. */
int trailer_confirm(const struct flash_area *slot) MUST_CHECK;
/* Programs copy_done, image_ok if `confirmed`, magic last, into a blank trailer. Reads back. */
int trailer_write_primary(const struct flash_area *slot, bool confirmed) MUST_CHECK;

#endif
