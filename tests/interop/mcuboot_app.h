/*
 * An application of MCUboot's world: it knows slot trailers as MCUboot's own library reads and writes
 * them, and nothing of Slipway. Written from the format's description; it includes nothing of core/
 * but the flash functions that any application has.
 *
 * MCUboot for the nRF52840: BOOT_MAX_ALIGN 8, write size 4. Fields from the slot's end: magic -16,
 * image_ok -24, copy_done -32, swap_info -40. A flag is programmed as one 4-byte write.
 */
#ifndef TESTS_INTEROP_MCUBOOT_APP_H
#define TESTS_INTEROP_MCUBOOT_APP_H

#include "core/flash/flash.h"

struct mcuboot_app {
    struct flash_dev *dev[2];
    uint32_t off[2];
    uint32_t size[2];
};

enum mcuboot_magic { MAGIC_GOOD = 1, MAGIC_BAD, MAGIC_UNSET };
enum mcuboot_flag { FLAG_SET = 1, FLAG_BAD, FLAG_UNSET };
enum mcuboot_swap { SWAP_TYPE_NONE = 1, SWAP_TYPE_TEST, SWAP_TYPE_PERM, SWAP_TYPE_REVERT };

struct mcuboot_state {
    enum mcuboot_magic magic;
    enum mcuboot_flag copy_done;
    enum mcuboot_flag image_ok;
};

struct mcuboot_state mcuboot_read(const struct mcuboot_app *a, unsigned slot);
/* What MCUboot would do at the next boot, by its decision table. */
enum mcuboot_swap mcuboot_swap_type(const struct mcuboot_app *a);
/* Erases slot 1 wholly and writes an image to its start, as an upload does. */
void mcuboot_upload(const struct mcuboot_app *a, const uint8_t *image, uint32_t len);
/* Asks for the image of slot 1: magic, then image_ok if permanent, then swap_info. False: already asked. */
bool mcuboot_set_pending(const struct mcuboot_app *a, bool permanent);
/* Confirms the running image. False: the trailer is broken. */
bool mcuboot_set_confirmed(const struct mcuboot_app *a);

#endif
