/* What bootloader and service work on: the two chips, what lies where on them, and whose images count. */
#ifndef CORE_BOOT_STORE_H
#define CORE_BOOT_STORE_H

#include "core/boot/layout.h"
#include "core/flash/flash.h"
#include "core/image/image.h"

struct store {
    const struct layout *layout;
    struct flash_dev *internal;
    struct flash_dev *external;
    const struct image_keys *keys;
    /*
     * The board has no CPU (sim): a payload that is no Cortex-M vector table is started as well. One
     * that is, and was linked for another place, is refused all the same.
     */
    bool any_payload;
};

struct flash_area store_slot(const struct store *st, unsigned slot); /* 0 or 1 */
struct flash_area store_state(const struct store *st);

/*
 * Finds the image in slot 1: at unit 0; only if that unit is wholly blank, at unit 1 or 2, where an
 * install leaves the old one. Errors and *why as image_open(), with why->slot set; *unit is where it is
 * (where it was looked for last, if there is none).
 */
int store_open(const struct store *st, unsigned slot, struct image *img, unsigned *unit,
    struct finding *why) MUST_CHECK;

/* What hashing takes: memory, and a watchdog that is fed each time it was filled (NULL: none). */
struct store_work {
    uint8_t *buf;
    uint32_t len;
    void (*feed)(void *ctx);
    void *ctx;
};
/*
 * store_open(), and whether it is the image that was signed: OK, ERR_FORMAT and ERR_VERIFY are verdicts; any
 * other error says that it could not be read. *why says which, for all of them.
 */
int store_verify(const struct store *st, unsigned slot, const struct store_work *w, struct image *img, unsigned *unit,
    struct finding *why) MUST_CHECK;

/* image_runnable() for slot 0 of this board; errors and *why as there, with why->slot set. */
int store_runnable(const struct store *st, const struct image *img, unsigned slot, struct finding *why) MUST_CHECK;

/*
 * Turns a flash error at `off` of a slot's chip into a finding: ERR_NODEV, ERR_ID, ERR_TIMEOUT,
 * ERR_PROTECTED, ERR_READBACK (as REASON_*_PROGRAM), anything else as REASON_*_READ.
 */
void store_explain(const struct store *st, unsigned slot, int err, uint32_t off, struct finding *why);

/* Something about the external chip that the last probe found, OK or not: true, and *why. */
bool store_chip_note(const struct store *st, struct finding *why);

#endif
