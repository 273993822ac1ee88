/*
 * A serial NOR flash chip that JEDEC's standards describe (JESD216: SFDP), as a flash device of
 * core/flash, over a bus (bus.h).
 *
 *     spi_nor_device(&nor, &bus, &dev, size, jedec);   fills in the device; touches no hardware
 *     flash_probe(&dev, &id)                           starts the chip the first time, and again
 *                                                      whenever it was found not to be ready
 *
 * Starting a chip assumes nothing of what it was doing: the image before may have left it in deep
 * power-down, in QPI, in 4-byte addressing, or erasing; power may have failed in the middle of that.
 *
 * The driver is a part of bootloader and application alike; its state is the caller's.
 */
#ifndef DRIVERS_SPI_NOR_SPI_NOR_H
#define DRIVERS_SPI_NOR_SPI_NOR_H

#include "core/base/reason.h"
#include "core/flash/flash.h"
#include "drivers/spi_nor/bus.h"

enum { SPI_NOR_ERASE_TYPES = 3 }; /* 4, 32 and 64 KiB */

/* How the quad-enable bit is reached: JESD216, dword 15, bits 22:20. */
enum spi_nor_qer {
    SPI_NOR_QER_NONE = 0,
    SPI_NOR_QER_S2B1_CLEARS = 1, /* SR2 bit 1, by 01h with two bytes; one byte clears SR2 */
    SPI_NOR_QER_S1B6 = 2, /* SR1 bit 6 */
    SPI_NOR_QER_S2B7 = 3, /* SR2 bit 7, read 3Fh, written 3Eh */
    SPI_NOR_QER_S2B1_KEEPS = 4, /* as 1, but one byte leaves SR2 alone */
    SPI_NOR_QER_S2B1_READ = 5, /* as 4, read 35h */
    SPI_NOR_QER_S2B1_WRITE = 6, /* SR2 bit 1, read 35h, written 31h */
};

struct spi_nor {
    const struct spi_nor_bus *bus;
    struct flash_dev *dev;
    bool ready;
    bool quad; /* array reads use four lines */
    bool programming; /* the operation that runs is a program: the bus may be at work, not only the chip */
    bool sfdp; /* the chip has a table; what follows is from it, else what every chip has */
    uint8_t erase_op[SPI_NOR_ERASE_TYPES]; /* opcode by 4, 32, 64 KiB; 0: has none */
    uint8_t qer; /* enum spi_nor_qer */
    uint32_t jedec; /* what answered last */
    uint32_t size; /* by SFDP; 0: unknown */
    struct finding why; /* what is wrong; with `ready` set what is not as it should be */
    uint32_t page[SPI_NOR_PAGE / 4]; /* of the program that runs */
};

/*
 * `size` and `jedec` are what the layout says (jedec 0: any chip will do). Fills in all of *dev;
 * `bus`, `nor` and `dev` must outlive the use of it.
 */
void spi_nor_device(struct spi_nor *nor, const struct spi_nor_bus *bus, struct flash_dev *dev,
    uint32_t size, uint32_t jedec);

/*
 * Puts the chip into deep power-down and closes the bus, CS high. For the application's sleep, and for
 * the bootloader before a jump: the next image finds the bus as after reset and the chip awake only if
 * `sleep` is false.
 */
int spi_nor_stop(struct spi_nor *nor, bool sleep) MUST_CHECK;

#endif
