/*
 * The two flash chips of a board, from the wiring in its header: what bootloader and application
 * build their store on. One instance an image, in the image's own memory.
 */
#ifndef FIRMWARE_COMMON_CHIPS_H
#define FIRMWARE_COMMON_CHIPS_H

#include "core/boot/store.h"
#include "drivers/nrf52840/nvmc.h"
#include "drivers/nrf52840/qspi.h"
#include "drivers/spi_nor/spi_nor.h"

struct chips {
    struct nvmc nvmc;
    struct qspi qspi;
    struct spi_nor_bus bus;
    struct spi_nor nor;
    struct flash_dev internal;
    struct flash_dev external;
};

/* Fills in the devices; touches no hardware. `now_ms` is the image's clock. */
void chips_init(struct chips *c, const struct layout *layout, const struct qspi_pins *pins,
    uint32_t (*now_ms)(void *ctx), void *ctx);

/* Before another image is started: the controller off, CS high, the chip awake and idle as far as it answers. */
void chips_stop(struct chips *c);

/*
 * For a sleep: the QSPI controller off, and the crystal that it needs too, if it is `crystal`'s only use. The
 * chip stays as it is, on standby. False: it is at work, or was never started; nothing is done. After
 * true, chips_wake() comes before anything else is done with it.
 */
bool chips_rest(struct chips *c, bool crystal);
void chips_wake(struct chips *c);

#endif
