/* Between the files of the NOR driver. */
#ifndef DRIVERS_SPI_NOR_SPI_NOR_PRIV_H
#define DRIVERS_SPI_NOR_SPI_NOR_PRIV_H

#include "drivers/spi_nor/spi_nor.h"

enum {
    OP_WRITE_ENABLE = 0x06,
    OP_READ_STATUS = 0x05,
    OP_READ_ID = 0x9F,
    OP_READ_SFDP = 0x5A,
    OP_READ_SLOW = 0x03, /* one line, no dummy clocks */
    OP_READ_FAST = 0x0B,
    OP_READ_DUAL = 0x3B,
    OP_READ_QUAD = 0x6B,
    OP_ERASE_4K = 0x20,
    OP_SLEEP = 0xB9,
    OP_WAKE = 0xAB,
    OP_RESET_ENABLE = 0x66,
    OP_RESET = 0x99,
};
enum {
    STATUS_WIP = 0x01,
    STATUS_WEL = 0x02, /* cleared by the chip when it carries a program or an erase out */
};

/* Sends an opcode with nothing behind it. */
int spi_nor_command(const struct spi_nor *nor, uint8_t opcode) MUST_CHECK;
/* Status register 1; ERR_TIMEOUT. */
int spi_nor_status(const struct spi_nor *nor, uint8_t *status) MUST_CHECK;
/* Reads the id; ERR_NODEV if nobody drives the line. nor->jedec is what came. */
int spi_nor_identify(struct spi_nor *nor) MUST_CHECK;

/* Starts an erase at `off`; starts the chip before, if need be. */
int spi_nor_erase(struct spi_nor *nor, uint8_t opcode, uint32_t off) MUST_CHECK;

/*
 * Brings the chip from whatever it was doing to where the operations can use it. Sets nor->err, and
 * nor->why to what is wrong or not as it should be.
 */
void spi_nor_start(struct spi_nor *nor);

#endif
