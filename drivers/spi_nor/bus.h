/*
 * What lies between a serial NOR chip and the driver of one (spi_nor.h): a controller that can send
 * single instructions, and that moves data between the array and RAM by itself.
 *
 * Implemented by drivers/nrf52840/qspi; called by spi_nor.c only, from the loop of the image, one call
 * at a time. Every call is bounded: what the hardware does not finish in time is ERR_TIMEOUT.
 *
 * A bus is closed or open. Closed, the controller is off and its pins are GPIOs: CS high, clock low,
 * IO2 and IO3 (HOLD#, WP#) high. Only then can a chip be spoken to that sleeps, is in QPI or in the
 * middle of an operation: the nRF52840's controller reads the status register before whatever it does,
 * and never gets ready on a chip that does not answer.
 */
#ifndef DRIVERS_SPI_NOR_BUS_H
#define DRIVERS_SPI_NOR_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

enum {
    SPI_NOR_INSTR_MAX = 8, /* bytes of an instruction behind its opcode */
    SPI_NOR_BUS_ALIGN = 4, /* chip address, RAM address and length of a transfer are multiples of it */
    SPI_NOR_PAGE = 256, /* bytes of the largest program */
};

struct spi_nor_bus_ops {
    /*
     * Closed: one opcode of eight bits and nothing else, over one line (IO0) or four (as QPI has it),
     * by hand. What the chip answers is not looked at.
     */
    void (*poke)(void *ctx, unsigned lines, uint8_t opcode);
    /*
     * Starts the controller; array reads use `read_op` (0x0B fast read, 0x3B dual output, 0x6B quad
     * output, all with 8 dummy clocks), programs 0x02, addresses have three bytes. ERR_TIMEOUT: it did
     * not get ready; it is open all the same, and instructions may be tried. Open already: opens anew.
     */
    int (*open)(void *ctx, uint8_t read_op) MUST_CHECK;
    /* Stops the controller; its pins rest as said above. Closed already: sets the pins. */
    void (*close)(void *ctx);
    /*
     * Open: an opcode and `len` (0 to 8) bytes on one line. They are sent, and what came in under the
     * same clocks takes their place. Does not wait for the chip to be idle, sends no write enable.
     */
    int (*instr)(void *ctx, uint8_t opcode, uint8_t *data, unsigned len) MUST_CHECK;
    /*
     * Open, chip idle: array to RAM; address, buffer and length aligned. Any length, waits for the end.
     */
    int (*read)(void *ctx, uint32_t addr, void *buf, uint32_t len) MUST_CHECK;
    /*
     * Open, chip idle: write enable and a program inside one page; aligned. Returns when it has begun;
     * `data` stays in place until transfer_poll() is not ERR_BUSY any more.
     */
    int (*prog_start)(void *ctx, uint32_t addr, const void *data, uint32_t len) MUST_CHECK;
    /* OK: no transfer runs; the chip may still be busy with what it was given. ERR_BUSY. */
    int (*transfer_poll)(void *ctx) MUST_CHECK;
    void (*wait_us)(void *ctx, uint32_t us); /* at least so long */
    uint32_t (*now_ms)(void *ctx); /* monotonic, wrapping */
};

struct spi_nor_bus {
    const struct spi_nor_bus_ops *ops;
    void *ctx;
    bool quad; /* IO2 and IO3 are connected */
};

#endif
