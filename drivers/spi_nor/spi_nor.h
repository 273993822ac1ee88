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
    int err; /* OK: ready; else why not */
    bool started; /* since power-up of this image, with whatever result */
    bool transfer; /* the bus itself is at work with a program, not only the chip */
    uint8_t erase_op; /* of a unit */
    uint8_t read_op;
    uint32_t jedec; /* what answered last */
    uint32_t want_size; /* by the layout */
    struct finding why; /* REASON_NONE, or what is wrong, or (when ready) not as it should be */
    /* of blocks.c */
    void (*take_block)(struct spi_nor *nor, uint16_t type, uint32_t max_ms); /* an erase type of SFDP; or NULL */
    struct flash_ops ops;
    uint8_t block_op[FLASH_BLOCKS]; /* opcodes of dev->block[] */
    uint32_t page[SPI_NOR_PAGE / 4]; /* of the program that runs */
};

/*
 * `size` and `jedec` are what the layout says (jedec 0: any chip will do). Fills in all of *dev;
 * `bus`, `nor` and `dev` must outlive the use of it.
 */
void spi_nor_device(struct spi_nor *nor, const struct spi_nor_bus *bus, struct flash_dev *dev,
    uint32_t size, uint32_t jedec);

/*
 * Erases by blocks of 32 and 64 KiB as well, as far as the chip's table has them: dev->block[] and
 * flash_piece_start(). Right after spi_nor_device(); a bootloader that moves units does without.
 */
void spi_nor_use_blocks(struct spi_nor *nor);

/*
 * Closes the bus, CS high: before a jump to another image, which finds controller and pins at rest.
 * With `sleep` the chip goes into deep power-down first. The next use of the device starts it again.
 * ERR_BUSY: an operation runs.
 */
int spi_nor_stop(struct spi_nor *nor, bool sleep) MUST_CHECK;

#endif
