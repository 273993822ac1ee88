/*
 * The serial interfaces of slots 3, 4, 35, 47: SPIM and legacy SPI, with a NOR part on one of them,
 * selected by a GPIO or SPIM3's own CSN, and the part behind QSPI if its pins are those; elsewhere MISO reads
 * all ones. TWIM and legacy TWI: a bus on
 * which no device answers, so that every address is not acknowledged.
 */
#include "board/board_priv.h"

enum { TWI_STARTRX = 0, TWI_STARTTX = 2, START = 4, STOP = 5, SUSPEND = 7, RESUME = 8 };
enum { EV_STOPPED = 1, EV_READY = 2, EV_ENDRX = 4, EV_END = 6, EV_ENDTX = 8, EV_ERROR = 9, EV_SUSPENDED = 18, EV_STARTED = 19,
    EV_TXSTARTED = 20 };
enum { SHORTS = 0x200, ENABLE = 0x500, FREQUENCY = 0x524, RXD_PTR = 0x534, RXD_MAXCNT = 0x538, RXD_AMOUNT = 0x53C,
    TXD_PTR = 0x544, TXD_MAXCNT = 0x548, TXD_AMOUNT = 0x54C, ORC = 0x5C0, ERRORSRC = 0x4C4, RXD = 0x518, TXD = 0x51C, PSEL_SCK = 0x508, PSEL_MOSI = 0x50C, PSEL_MISO = 0x510,
    PSEL_CSN = 0x514 };
#define PSEL_FIELDS 0x8000003Fu
enum { SPI = 1, TWI = 5, TWIM = 6, SPIM = 7, ANACK = 2 }; /* ENABLE, and a bit of ERRORSRC */
enum { T_TRANSFER, T_SPI, T_TWI };
/* State of legacy SPI: byte on the line, the one behind it + 256 (0 none), byte received */
enum { S_BYTE, S_NEXT, S_GOT };

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

/* The part on its wires, and the pin that selects it. */
static struct nor *part_on(struct board *b, const struct periph *p, unsigned *cs)
{
    *cs = b->config.spi_cs_pin;
    if (b->config.spi && p->unit == b->config.spi_bus)
        return &b->st.nor[1];
    *cs = b->config.qspi_pins[1];
    bool there = qspi_wires_are(b, reg(p, PSEL_SCK) & PSEL_FIELDS, reg(p, PSEL_MOSI) & PSEL_FIELDS,
        reg(p, PSEL_MISO) & PSEL_FIELDS);
    return there ? &b->st.nor[0] : NULL;
}

/* The whole transfer happens when it ends. */
static void transfer(struct board *b, struct periph *p)
{
    uint32_t tx = reg(p, TXD_MAXCNT) & 0xFFFFu, rx = reg(p, RXD_MAXCNT) & 0xFFFFu, n = tx > rx ? tx : rx;
    unsigned cs;
    struct nor *part = part_on(b, p, &cs);
    bool own_csn = part && p->unit == 3 && (reg(p, PSEL_CSN) & PSEL_FIELDS) == cs;
    if (own_csn) /* a rising edge first: each transfer is a frame of its own */
        nor_select(b, part, false);
    if (own_csn)
        nor_select(b, part, true);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t out = (uint8_t)reg(p, ORC), in = 0xFF;
        if (i < tx)
            (void)dma_read(b, reg(p, TXD_PTR) + i, &out, 1);
        if (part)
            in = nor_transfer(b, part, out);
        if (i < rx)
            (void)dma_write(b, reg(p, RXD_PTR) + i, &in, 1);
    }
    if (own_csn)
        nor_select(b, part, false);
    p->store[TXD_AMOUNT / 4] = tx;
    p->store[RXD_AMOUNT / 4] = rx;
}

static void begin(struct board *b, struct periph *p)
{
    uint32_t tx = reg(p, TXD_MAXCNT) & 0xFFFFu, rx = reg(p, RXD_MAXCNT) & 0xFFFFu;
    if (reg(p, ENABLE) != SPIM)
        return;
    wait_activity(b);
    event_raise(b, p, EV_STARTED);
    timer_set(b, p, T_TRANSFER, sim_time(b) + 16 + byte_cycles(p) * (tx > rx ? tx : rx));
}

/* ---- legacy SPI: a byte written is exchanged, another may wait behind it ---- */

static void spi_write(struct board *b, struct periph *p, uint32_t val)
{
    if (reg(p, ENABLE) != SPI)
        return;
    wait_activity(b);
    if (p->at[T_SPI] != NEVER) {
        p->s[S_NEXT] = 0x100u | (val & 0xFFu);
        return;
    }
    p->s[S_BYTE] = val & 0xFFu;
    timer_set(b, p, T_SPI, sim_time(b) + byte_cycles(p));
}

static void spi_done(struct board *b, struct periph *p)
{
    unsigned cs;
    struct nor *part = part_on(b, p, &cs);
    p->s[S_GOT] = part ? nor_transfer(b, part, (uint8_t)p->s[S_BYTE]) : 0xFFu;
    if (p->s[S_NEXT]) {
        p->s[S_BYTE] = p->s[S_NEXT] & 0xFFu;
        p->s[S_NEXT] = 0;
        timer_set(b, p, T_SPI, sim_time(b) + byte_cycles(p));
    }
    event_raise(b, p, EV_READY);
}

/* ---- TWI: nobody answers ---- */

static void twi_start(struct board *b, struct periph *p, unsigned n)
{
    uint32_t f = reg(p, FREQUENCY), khz = f >= 0x06000000 ? 400 : f >= 0x04000000 ? 250 : 100;
    if (reg(p, ENABLE) != TWIM && reg(p, ENABLE) != TWI)
        return;
    wait_activity(b);
    if (reg(p, ENABLE) == TWIM)
        event_raise(b, p, n == TWI_STARTTX ? EV_TXSTARTED : EV_STARTED);
    timer_set(b, p, T_TWI, sim_time(b) + 10u * 64000u / khz); /* start, address, the missing acknowledge */
}

static void twi_failed(struct board *b, struct periph *p)
{
    p->store[ERRORSRC / 4] |= ANACK;
    event_raise(b, p, EV_ERROR);
}

/* ---- the frame ---- */

static void task(struct board *b, struct periph *p, unsigned n)
{
    switch (n) {
    case START: begin(b, p); break;
    case TWI_STARTRX: case TWI_STARTTX: twi_start(b, p, n); break;
    case STOP:
        timer_set(b, p, T_TRANSFER, NEVER);
        timer_set(b, p, T_TWI, NEVER);
        if (reg(p, ENABLE) >= TWI)
            event_raise(b, p, EV_STOPPED);
        break;
    case SUSPEND:
        if (reg(p, ENABLE) == TWIM || reg(p, ENABLE) == TWI)
            event_raise(b, p, EV_SUSPENDED);
        break;
    default: break; /* RESUME: nothing is ever held */
    }
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    (void)b;
    (void)off;
    return (uint32_t)p->s[S_GOT];
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off == TXD)
        spi_write(b, p, val);
    else if (off == ERRORSRC)
        p->store[ERRORSRC / 4] &= ~val;
    else if (off == ENABLE && !(val & 15u)) {
        for (unsigned i = 0; i < 3; i++)
            timer_set(b, p, i, NEVER);
        p->s[S_NEXT] = 0;
    }
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_SPI || which == T_TWI) {
        (which == T_SPI ? spi_done : twi_failed)(b, p);
        return;
    }
    transfer(b, p);
    event_raise(b, p, EV_ENDTX);
    event_raise(b, p, EV_ENDRX);
    event_raise(b, p, EV_END);
    if (reg(p, SHORTS) & 1u << 17)
        begin(b, p);
}

static const struct reg_desc regs[] = {
    { ERRORSRC, 1, 0, REG_RW | REG_HOOK_W, 0, 0 }, { ENABLE, 1, 0, REG_RW | REG_HOOK_W, 15, 0 },
    { 0x508, 4, 4, REG_RW, 0x8000003F, 0xFFFFFFFF }, { RXD, 1, 0, REG_R | REG_HOOK_R, 0, 0 },
    { TXD, 1, 0, REG_RW | REG_HOOK_W, 0xFF, 0 }, { 0x588, 1, 0, REG_RW, 0x7F, 0 },
    { FREQUENCY, 1, 0, REG_RW, 0xFFFFFFFF, 0x04000000 }, { RXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 },
    { RXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { RXD_AMOUNT, 1, 0, REG_R, 0, 0 }, { 0x540, 1, 0, REG_RW, 7, 0 },
    { TXD_PTR, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { TXD_MAXCNT, 1, 0, REG_RW, 0xFFFF, 0 }, { TXD_AMOUNT, 1, 0, REG_R, 0, 0 },
    { 0x550, 1, 0, REG_RW, 7, 0 }, { 0x554, 1, 0, REG_RW, 7, 0 }, { 0x560, 1, 0, REG_RW, 7, 2 },
    { 0x564, 1, 0, REG_RW, 0xFF, 2 }, { 0x568, 1, 0, REG_RW, 1, 0 }, { 0x56C, 1, 0, REG_RW, 0x8000003F, 0xFFFFFFFF }, { 0x570, 1, 0, REG_RW, 15, 0 },
    { ORC, 1, 0, REG_RW, 0xFF, 0 }, { 0 },
};
/* Tasks and events of all four; the slaves SPIS and TWIS are not modelled, their own registers are reported. */
const struct periph_type spim_type = { .tasks = 0x1B5, .events = 0x19C43D6, .inten = true, .inten_rw = true, .shorts = 0x21F83,
    .regs = regs, .task = task, .timer = timer, .read = read, .write = write };
