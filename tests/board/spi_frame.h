/* Frames to a NOR part on SPIM2, its CS on P0.17, for the tests of parts and of SPIM. */
#ifndef TESTS_BOARD_SPI_FRAME_H
#define TESTS_BOARD_SPI_FRAME_H

#include <string.h>

#include "tests/board/rig.h"

enum { SPIM2 = 0x40023000, SPI_CS = 17, SPI_TX = 0x20010000, SPI_RX = 0x20014000 };

static inline void spi_rig(const struct nor_part *part)
{
    struct board_config config = { .spi = part, .spi_bus = 2, .spi_cs_pin = SPI_CS, .seed = 9 };
    rig_start_with(&config);
    wr(0x50000508, 1u << SPI_CS);
    wr(0x50000518, 1u << SPI_CS);
    wr(SPIM2 + 0x508, 19);
    wr(SPIM2 + 0x50C, 20);
    wr(SPIM2 + 0x510, 21);
    wr(SPIM2 + 0x524, 0x80000000); /* 8 MHz */
    wr(SPIM2 + 0x500, 7);
}

/* Sends n bytes and takes m more in the same frame; rx may be NULL. */
static inline void spi_frame(const uint8_t *tx, uint32_t n, uint8_t *rx, uint32_t m)
{
    uint8_t all[1024];
    assert_true(n + m <= sizeof all);
    ram_put(SPI_TX, tx, n);
    wr(0x5000050C, 1u << SPI_CS);
    wr(SPIM2 + 0x544, SPI_TX);
    wr(SPIM2 + 0x548, n);
    wr(SPIM2 + 0x534, SPI_RX);
    wr(SPIM2 + 0x538, n + m);
    wr(SPIM2 + 0x118, 0);
    wr(SPIM2 + 0x10, 1);
    assert_true(until_event(SPIM2 + 0x118, 1e6) >= 0);
    wr(0x50000508, 1u << SPI_CS);
    ram_get(SPI_RX, all, n + m);
    if (rx)
        memcpy(rx, all + n, m);
}

static inline void spi_cmd(uint8_t op)
{
    spi_frame(&op, 1, NULL, 0);
}

static inline uint8_t spi_ask(uint8_t op)
{
    uint8_t v;
    spi_frame(&op, 1, &v, 1);
    return v;
}

/* An opcode with a 24-bit address, then data out or in. */
static inline void spi_at(uint8_t op, uint32_t addr, const uint8_t *out, uint32_t n, uint8_t *in, uint32_t m)
{
    uint8_t tx[600] = { op, (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr };
    assert_true(n + 4 <= sizeof tx);
    if (n)
        memcpy(tx + 4, out, n);
    spi_frame(tx, 4 + n, in, m);
}

/* Microseconds until WIP is 0, to a percent. */
static inline double spi_busy(void)
{
    double t = now_us();
    while (spi_ask(0x05) & 1u)
        us(2 + (now_us() - t) / 200);
    return now_us() - t;
}

#endif
