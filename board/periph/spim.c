/* SPIM0..3 with a NOR part on one of them, selected by a GPIO; elsewhere MISO reads all ones. */
#include "board/board_priv.h"

enum { START = 4, STOP = 5, SUSPEND = 7, RESUME = 8 };
enum { EV_STOPPED = 1, EV_ENDRX = 4, EV_END = 6, EV_ENDTX = 8, EV_STARTED = 19 };
enum { SHORTS = 0x200, ENABLE = 0x500, FREQUENCY = 0x524, RXD_PTR = 0x534, RXD_MAXCNT = 0x538, RXD_AMOUNT = 0x53C,
    TXD_PTR = 0x544, TXD_MAXCNT = 0x548, TXD_AMOUNT = 0x54C, ORC = 0x5C0, SPIM = 7 };

static uint64_t byte_cycles(const struct periph *p)
{
    static const struct { uint32_t reg, khz; } rates[] = { { 0x02000000, 125 }, { 0x04000000, 250 }, { 0x08000000, 500 },
        { 0x10000000, 1000 }, { 0x20000000, 2000 }, { 0x40000000, 4000 }, { 0x80000000, 8000 }, { 0x0A000000, 16000 },
        { 0x14000000, 32000 } };
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i].reg == reg(p, FREQUENCY))
            return 8u * 64000u / rates[i].khz;
    }
    return 8 * 16;
}

void spim_select(struct board *b)
{
    struct nor *n = &b->st.nor[1];
    if (n->part)
        nor_select(b, n, !gpio_level(b, b->config.spi_cs_pin));
}

/* The whole transfer happens when it ends. */
static void transfer(struct board *b, struct periph *p)
{
    uint32_t tx = reg(p, TXD_MAXCNT) & 0xFFFFu, rx = reg(p, RXD_MAXCNT) & 0xFFFFu, n = tx > rx ? tx : rx;
    struct nor *part = b->config.spi && p->unit == b->config.spi_bus ? &b->st.nor[1] : NULL;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t out = (uint8_t)reg(p, ORC), in = 0xFF;
        if (i < tx)
            (void)dma_read(b, reg(p, TXD_PTR) + i, &out, 1);
        if (part)
            in = nor_transfer(b, part, out);
        if (i < rx)
            (void)dma_write(b, reg(p, RXD_PTR) + i, &in, 1);
    }
    p->store[TXD_AMOUNT / 4] = tx;
    p->store[RXD_AMOUNT / 4] = rx;
}

static void begin(struct board *b, struct periph *p)
{
    uint32_t tx = reg(p, TXD_MAXCNT) & 0xFFFFu, rx = reg(p, RXD_MAXCNT) & 0xFFFFu;
    if (reg(p, ENABLE) != SPIM)
        return;
    event_raise(b, p, EV_STARTED);
    timer_set(b, p, 0, sim_time(b) + 16 + byte_cycles(p) * (tx > rx ? tx : rx));
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    if (n == START) {
        begin(b, p);
    } else if (n == STOP) {
        timer_set(b, p, 0, NEVER);
        if (reg(p, ENABLE) == SPIM || reg(p, ENABLE) == 6)
            event_raise(b, p, EV_STOPPED);
    }
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    transfer(b, p);
    event_raise(b, p, EV_ENDTX);
    event_raise(b, p, EV_ENDRX);
    event_raise(b, p, EV_END);
    if (reg(p, SHORTS) & 1u << 17)
        begin(b, p);
}

static const struct reg_desc regs[] = {
    { ENABLE, 1, 0, REG_RW, 15, 0 }, { 0x508, 4, 4, REG_RW, 0x8000003F, 0xFFFFFFFF },
    { FREQUENCY, 1, 0, REG_RW, 0xFFFFFFFF, 0x04000000 }, { RXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 },
    { RXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { RXD_AMOUNT, 1, 0, REG_R, 0, 0 }, { 0x540, 1, 0, REG_RW, 3, 0 },
    { TXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { TXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { TXD_AMOUNT, 1, 0, REG_R, 0, 0 },
    { 0x550, 1, 0, REG_RW, 3, 0 }, { 0x554, 1, 0, REG_RW, 7, 0 }, { 0x560, 1, 0, REG_RW, 7, 2 },
    { 0x564, 1, 0, REG_RW, 0xFF, 2 }, { 0x568, 1, 0, REG_RW, 1, 0 }, { 0x56C, 2, 4, REG_RW, 0x8000003F, 0xFFFFFFFF },
    { ORC, 1, 0, REG_RW, 0xFF, 0 }, { 0 },
};
/* Events: SPIM's. TWI interfaces of the same slot are not modelled; their registers at other offsets are reported. */
const struct periph_type spim_type = { .tasks = 0x1B0, .events = 0x80152, .inten = true, .shorts = 1u << 17,
    .regs = regs, .task = task, .timer = timer };
