/*
 * The QSPI controller as the bus of a NOR chip (drivers/spi_nor/bus.h). Programs and custom
 * instructions go over one line, array reads over as many as the chip's driver asks for.
 */
#ifndef DRIVERS_NRF52840_QSPI_H
#define DRIVERS_NRF52840_QSPI_H

#include "drivers/spi_nor/bus.h"

enum { QSPI_NO_PIN = 0xFF };

struct qspi_pins {
    uint32_t hz; /* SCK at most; 2 to 32 MHz */
    uint8_t sck, csn, io[4]; /* io[2] and io[3] may be QSPI_NO_PIN */
};

struct qspi {
    const struct qspi_pins *pins;
    uint32_t (*now_ms)(void *ctx);
    void *ctx; /* of now_ms */
};

/* Fills in *bus; touches no hardware. All must outlive the use of it. */
void qspi_bus(struct qspi *q, const struct qspi_pins *pins, struct spi_nor_bus *bus);

/* After close(): pins as after reset, but CS, which stays high until the next image drives it. */
void qspi_release(const struct qspi *q);

#endif
