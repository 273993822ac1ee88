#include "drivers/nrf52840/qspi.h"

#include <stddef.h>
#include <string.h>

#include "drivers/nrf52840/errata.h"
#include "drivers/nrf52840/gpio.h"
#include "drivers/nrf52840/hwtime.h"
#include "drivers/nrf52840/power.h"

struct qspi_regs {
    volatile uint32_t activate, readstart, writestart, erasestart, deactivate;
    uint32_t reserved0[(0x100 - 0x14) / 4];
    volatile uint32_t ready;
    uint32_t reserved1[(0x308 - 0x104) / 4];
    volatile uint32_t intenclr;
    uint32_t reserved2[(0x500 - 0x30C) / 4];
    volatile uint32_t enable, read_src, read_dst, read_cnt, write_dst, write_src, write_cnt, erase_ptr, erase_len;
    volatile uint32_t psel_sck, psel_csn, reserved3, psel_io[4], xipoffset, ifconfig0;
    uint32_t reserved4[(0x600 - 0x548) / 4];
    volatile uint32_t ifconfig1;
    uint32_t reserved5[(0x634 - 0x604) / 4];
    volatile uint32_t cinstrconf, cinstrdat[2];
};
_Static_assert(offsetof(struct qspi_regs, ready) == 0x100, "READY");
_Static_assert(offsetof(struct qspi_regs, enable) == 0x500, "ENABLE");
_Static_assert(offsetof(struct qspi_regs, write_dst) == 0x510, "WRITE.DST");
_Static_assert(offsetof(struct qspi_regs, psel_sck) == 0x524, "PSEL.SCK");
_Static_assert(offsetof(struct qspi_regs, psel_io) == 0x530, "PSEL.IO0");
_Static_assert(offsetof(struct qspi_regs, ifconfig0) == 0x544, "IFCONFIG0");
_Static_assert(offsetof(struct qspi_regs, ifconfig1) == 0x600, "IFCONFIG1");
_Static_assert(offsetof(struct qspi_regs, cinstrconf) == 0x634, "CINSTRCONF");
#define QSPI ((struct qspi_regs *)0x40029000u)

enum {
    READOC_FASTREAD = 0,
    READOC_READ2O = 1,
    READOC_READ4O = 3,
    IFCONFIG1_KEEP = 0x00FFFF00, /* erratum 121 */
    SCK_DELAY = 2, /* CS high between instructions, in 62.5 ns */
    SCK_MAX_HZ = 32000000,
    LIO_HIGH = 3 << 12, /* HOLD# and WP# during an instruction */
    COUNT_MAX = 0x3FFFC,
    /* READY comes when the chip is idle; the driver of the chip has seen to that before. */
    INSTRUCTION_US = 2000,
    ACTIVATE_US = 20000,
    TRANSFER_US = 100000, /* and 4 us a byte: one line at 2 MHz */
};

static int wait_ready(uint32_t limit_us)
{
    uint32_t from = hwtime_us();

    while (!QSPI->ready) {
        if (hwtime_us() - from > limit_us)
            return ERR_TIMEOUT;
    }
    return OK;
}

/* ---- closed: pins by hand --------------------------------------------------------------------- */

static void each_io(const struct qspi_pins *p, enum gpio_mode mode)
{
    for (unsigned i = 0; i < 4; i++) {
        if (p->io[i] == QSPI_NO_PIN)
            continue;
        gpio_write(p->io[i], i >= 2);
        gpio_configure(p->io[i], i == 1 && mode == GPIO_OUTPUT ? GPIO_INPUT : mode);
    }
}

static void pins_rest(const struct qspi_pins *p)
{
    gpio_write(p->csn, true);
    gpio_configure(p->csn, GPIO_OUTPUT);
    gpio_write(p->sck, false);
    gpio_configure(p->sck, GPIO_OUTPUT);
    each_io(p, GPIO_OUTPUT);
}

static void clock_out(const struct qspi_pins *p)
{
    gpio_write(p->sck, true);
    gpio_write(p->sck, false);
}

static void qspi_poke(void *ctx, unsigned lines, uint8_t opcode)
{
    const struct qspi_pins *p = ((struct qspi *)ctx)->pins;

    if (lines == 4)
        gpio_configure(p->io[1], GPIO_OUTPUT);
    gpio_write(p->csn, false);
    for (int bit = 8 - (int)lines; bit >= 0; bit -= (int)lines) {
        for (unsigned i = 0; i < lines; i++)
            gpio_write(p->io[i], opcode >> (bit + (int)i) & 1);
        clock_out(p);
    }
    gpio_write(p->csn, true);
    each_io(p, GPIO_OUTPUT);
}

static void qspi_close(void *ctx)
{
    struct qspi *q = ctx;

    pins_rest(q->pins);
    if (!QSPI->enable)
        return;
    QSPI->intenclr = 1;
    QSPI->deactivate = 1;
    erratum_122();
    QSPI->enable = 0;
    QSPI->ready = 0;
}

void qspi_release(const struct qspi *q)
{
    each_io(q->pins, GPIO_RESET);
    gpio_configure(q->pins->sck, GPIO_RESET);
    QSPI->psel_sck = QSPI->psel_csn = UINT32_MAX;
    for (unsigned i = 0; i < 4; i++)
        QSPI->psel_io[i] = UINT32_MAX;
}

/* ---- open ------------------------------------------------------------------------------------- */

static void connect(const struct qspi_pins *p)
{
    gpio_configure(p->sck, GPIO_PERIPHERAL_STRONG);
    gpio_configure(p->csn, GPIO_PERIPHERAL_STRONG);
    each_io(p, GPIO_PERIPHERAL_STRONG);
    QSPI->psel_sck = p->sck;
    QSPI->psel_csn = p->csn;
    for (unsigned i = 0; i < 4; i++)
        QSPI->psel_io[i] = p->io[i] == QSPI_NO_PIN ? UINT32_MAX : p->io[i];
}

static uint32_t readoc(uint8_t read_op)
{
    return read_op == 0x6B ? READOC_READ4O : read_op == 0x3B ? READOC_READ2O : READOC_FASTREAD;
}

static int qspi_open(void *ctx, uint8_t read_op)
{
    struct qspi *q = ctx;
    uint32_t divider = (SCK_MAX_HZ + q->pins->hz - 1) / q->pins->hz;

    qspi_close(q);
    (void)power_crystal_start(); /* erratum 244: no change of the clock's source during a transfer */
    connect(q->pins);
    QSPI->xipoffset = 0;
    QSPI->ifconfig0 = readoc(read_op); /* PP, 24-bit addresses, pages of 256 bytes */
    QSPI->ifconfig1 = (QSPI->ifconfig1 & IFCONFIG1_KEEP) | SCK_DELAY
        | (divider < 1 ? 0 : divider > 16 ? 15 : divider - 1) << 28;
    QSPI->enable = 1;
    QSPI->ready = 0;
    QSPI->activate = 1;
    return wait_ready(ACTIVATE_US);
}

/* Sent by the write to CINSTRCONF; what comes in under the same clocks is in CINSTRDAT afterwards. */
static int qspi_instr(void *ctx, uint8_t opcode, uint8_t *data, unsigned len)
{
    uint32_t word[SPI_NOR_INSTR_MAX / 4] = { 0 }; /* in the order of the bytes, as the core has it */

    (void)ctx;
    memcpy(word, data, len);
    QSPI->cinstrdat[0] = word[0];
    QSPI->cinstrdat[1] = word[1];
    QSPI->ready = 0;
    QSPI->cinstrconf = opcode | (len + 1) << 8 | LIO_HIGH;
    int err = wait_ready(INSTRUCTION_US);
    word[0] = QSPI->cinstrdat[0];
    word[1] = QSPI->cinstrdat[1];
    memcpy(data, word, len);
    return err;
}

static int qspi_read(void *ctx, uint32_t addr, void *buf, uint32_t len)
{
    uint8_t *to = buf;
    int err = OK;

    (void)ctx;
    while (err == OK && len > 0) {
        uint32_t n = len < COUNT_MAX ? len : COUNT_MAX;
        QSPI->read_src = addr;
        QSPI->read_dst = (uint32_t)(uintptr_t)to;
        QSPI->read_cnt = n;
        QSPI->ready = 0;
        QSPI->readstart = 1;
        err = wait_ready(TRANSFER_US + 4 * n);
        addr += n;
        to += n;
        len -= n;
    }
    return err;
}

static int qspi_prog_start(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    (void)ctx;
    QSPI->write_dst = addr;
    QSPI->write_src = (uint32_t)(uintptr_t)data;
    QSPI->write_cnt = len;
    QSPI->ready = 0;
    QSPI->writestart = 1;
    return OK;
}

static int qspi_transfer_poll(void *ctx)
{
    (void)ctx;
    return QSPI->ready ? OK : ERR_BUSY;
}

static void qspi_wait_us(void *ctx, uint32_t us)
{
    (void)ctx;
    hwtime_wait_us(us);
}

static uint32_t qspi_now_ms(void *ctx)
{
    const struct qspi *q = ctx;

    return q->now_ms(q->ctx);
}

static const struct spi_nor_bus_ops ops = {
    .poke = qspi_poke,
    .open = qspi_open,
    .close = qspi_close,
    .instr = qspi_instr,
    .read = qspi_read,
    .prog_start = qspi_prog_start,
    .transfer_poll = qspi_transfer_poll,
    .wait_us = qspi_wait_us,
    .now_ms = qspi_now_ms,
};

void qspi_bus(struct qspi *q, const struct qspi_pins *pins, struct spi_nor_bus *bus)
{
    q->pins = pins;
    *bus = (struct spi_nor_bus) { .ops = &ops, .ctx = q,
        .quad = pins->io[2] != QSPI_NO_PIN && pins->io[3] != QSPI_NO_PIN };
}
