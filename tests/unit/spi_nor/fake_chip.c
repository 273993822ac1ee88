#include "tests/unit/spi_nor/fake_chip.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* As Zephyr's board file for the nRF52840 DK has it (sfdp-bfp). */
static const uint8_t mx25r_bfpt[64] = {
    0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x04, 0xBB,
    0xEE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0x0C, 0x20, 0x0F, 0x52,
    0x10, 0xD8, 0x00, 0xFF, 0x23, 0x72, 0xF5, 0x00, 0x82, 0xED, 0x04, 0xCC, 0x44, 0x83, 0x68, 0x44,
    0x30, 0xB0, 0x30, 0xB0, 0xF7, 0xC4, 0xD5, 0x5C, 0x00, 0xBE, 0x29, 0xFF, 0xF0, 0xD0, 0xFF, 0xFF };

/*
 * 32 Mbit, 4/32/64 KiB, 1-1-2 and 1-1-4 with eight dummy clocks, quad enable in SR2 bit 1 (code 6). No
 * dump of the part was at hand; what the driver reads is what the data sheet says of it.
 */
static const uint8_t at25_bfpt[64] = {
    0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x80, 0xBB,
    0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0x0C, 0x20, 0x0F, 0x52,
    0x10, 0xD8, 0x00, 0x00, 0x31, 0xBA, 0x7D, 0x01, 0x83, 0x36, 0x42, 0xD0, 0x00, 0x00, 0x00, 0x80,
    0x00, 0x00, 0x00, 0x00, 0xF7, 0xA9, 0xD5, 0x5C, 0x00, 0x00, 0x60, 0xFF, 0x00, 0x10, 0x00, 0x00 };

const struct fake_part fake_at25xe321d = { .id = 0x1F470C, .qer = 6, .bfpt = at25_bfpt, .bfpt_len = 64,
    .wake_us = 30, .reset_us = 200, .status_us = 11400, .erase_us = { 64000, 512000, 1008000 }, .page_us = 1472,
    .sr1_writable = 0xFC, .takes_reset = true };
const struct fake_part fake_mx25r6435f = { .id = 0xC22817, .qer = 2, .bfpt = mx25r_bfpt, .bfpt_len = 64,
    .wake_us = 35, .reset_us = 12000, .status_us = 10000, .erase_us = { 48000, 240000, 480000 }, .page_us = 896,
    .sr1_writable = 0xFC, .wakes_on_cs = true, .takes_reset = true };

static void violate(struct fake_chip *c, const char *format, ...)
{
    va_list ap;

    if (c->violations++ > 0)
        return;
    va_start(ap, format);
    vsnprintf(c->violation, sizeof c->violation, format, ap);
    va_end(ap);
}

static bool wip(const struct fake_chip *c)
{
    return c->busy_for_ever || c->busy_until > c->now_us;
}

static bool awake(const struct fake_chip *c)
{
    return !c->absent && c->sleep == AWAKE && !c->qpi && c->deaf_until <= c->now_us;
}

static bool is_protected(const struct fake_chip *c)
{
    uint8_t bp = c->part->qer == 2 ? 0x3C : 0x1C;
    bool inverted = c->part->qer != 2 && (c->sr2 & 0x40);

    return ((c->sr1 & bp) != 0) != inverted;
}

static bool quad_enabled(const struct fake_chip *c)
{
    return c->part->qer == 2 ? c->sr1 & 0x40 : c->part->qer == 0 || (c->sr2 & 0x02);
}

/* ---- one frame --------------------------------------------------------------------------------- */

static void reset(struct fake_chip *c)
{
    c->resets++;
    if (c->ignores_resets || !c->part->takes_reset)
        return;
    c->deaf_until = c->now_us + (c->busy_until > c->now_us ? c->part->reset_us : 30);
    c->busy_until = 0;
    c->wel = c->qpi = false;
}

static void wake(struct fake_chip *c)
{
    if (c->sleep != AWAKE)
        c->deaf_until = c->now_us + (c->sleep == DEEP ? c->part->wake_us : 1200);
    c->sleep = AWAKE;
}

static uint8_t takes(uint8_t old, uint8_t val, uint8_t writable)
{
    return (uint8_t)((old & ~writable) | (val & writable));
}

static void write_status(struct fake_chip *c, uint8_t opcode, const uint8_t *data, unsigned len)
{
    uint8_t sr1 = c->part->sr1_writable, sr2 = 0xFF;

    if (!c->wel || len == 0)
        return;
    if (c->quad_stuck) {
        sr1 &= c->part->qer == 2 ? 0xBF : 0xFF;
        sr2 &= 0xFD;
    }
    if (c->protect_stuck) {
        sr1 &= 0xC3;
        sr2 &= 0xBF;
    }
    if (opcode == 0x01)
        c->sr1 = takes(c->sr1, data[0], sr1);
    if (opcode == 0x01 && len == 2 && c->part->qer != 2)
        c->sr2 = takes(c->sr2, data[1], sr2);
    if (opcode == 0x01 && len == 1 && c->part->qer == 1)
        c->sr2 = 0;
    if (opcode == 0x31 || opcode == 0x3E)
        c->sr2 = takes(c->sr2, data[0], sr2);
    c->wel = false;
    c->busy_until = c->now_us + c->part->status_us;
    c->status_writes++;
}

static void erase(struct fake_chip *c, unsigned type, const uint8_t *data, unsigned len)
{
    static const uint32_t sizes[3] = { 4096, 32768, 65536 };
    uint32_t addr = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2], size = sizes[type];

    if (len != 3)
        violate(c, "an erase with %u bytes of address", len);
    if (!c->wel || is_protected(c))
        return;
    memset(c->mem + (addr & (FAKE_SIZE - 1) & ~(size - 1)), 0xFF, size);
    c->wel = false;
    c->busy_until = c->now_us + c->part->erase_us[type];
    c->erases[type]++;
}

static uint8_t sfdp_byte(const struct fake_chip *c, uint32_t addr)
{
    uint8_t header[16] = { 'S', 'F', 'D', 'P', 6, 1, 0, 0xFF, 0, 6, 1, (uint8_t)(c->part->bfpt_len / 4), 0x30, 0, 0, 0xFF };

    if (c->part->bfpt && addr < sizeof header)
        return header[addr];
    if (c->part->bfpt && addr >= 0x30 && addr < 0x30 + c->part->bfpt_len)
        return c->part->bfpt[addr - 0x30];
    return 0xFF;
}

static void answer(const struct fake_chip *c, uint8_t opcode, uint8_t *data, unsigned len)
{
    uint32_t addr = len >= 3 ? (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2] : 0;

    for (unsigned i = 0; i < len; i++) {
        if (opcode == 0x05)
            data[i] = (uint8_t)((c->sr1 & 0xFC) | (c->wel ? 2 : 0) | (wip(c) ? 1 : 0));
        else if (opcode == 0x35 || opcode == 0x3F)
            data[i] = c->part->qer == 2 ? 0xFF : c->sr2;
        else if (opcode == 0x9F)
            data[i] = (uint8_t)(i < 3 ? c->part->id >> (16 - 8 * i) : 0);
        else if (opcode == 0x5A)
            data[i] = i < 4 ? 0xFF : sfdp_byte(c, addr + i - 4);
        else if (opcode == 0x03)
            data[i] = i < 3 ? 0xFF : c->mem[(addr + i - 3) & (FAKE_SIZE - 1)];
        else
            data[i] = 0xFF;
    }
}

static void act(struct fake_chip *c, uint8_t opcode, const uint8_t *data, unsigned len)
{
    static const uint8_t erase_ops[3] = { 0x20, 0x52, 0xD8 };

    for (unsigned i = 0; i < 3; i++) {
        if (opcode == erase_ops[i])
            erase(c, i, data, len);
    }
    if (opcode == 0x06)
        c->wel = true;
    else if (opcode == 0x01 || opcode == 0x31 || opcode == 0x3E)
        write_status(c, opcode, data, len);
    else if (opcode == 0xB9)
        c->sleep = DEEP;
    else if (opcode == 0x79)
        c->sleep = ULTRA_DEEP;
    else if (opcode == 0x99 && c->armed)
        reset(c);
}

/* What a chip takes in the middle of an operation. */
static bool state_only(uint8_t opcode)
{
    return opcode == 0x05 || opcode == 0x35 || opcode == 0x66 || opcode == 0x99;
}

static void frame(struct fake_chip *c, uint8_t opcode, uint8_t *data, unsigned len)
{
    uint8_t sent[SPI_NOR_INSTR_MAX] = { 0 };

    if (len)
        memcpy(sent, data, len);
    for (unsigned i = 0; i < len; i++)
        data[i] = c->absent_low ? 0x00 : 0xFF;
    if (c->absent || c->qpi)
        return;
    if (c->sleep != AWAKE) {
        if (opcode == 0xAB || (c->part->wakes_on_cs && c->sleep == DEEP))
            wake(c);
        return;
    }
    if (!awake(c))
        return;
    if (!wip(c) || state_only(opcode)) {
        if (len)
            memcpy(data, sent, len);
        answer(c, opcode, data, len);
        act(c, opcode, sent, len);
    }
    c->armed = opcode == 0x66;
}

/* ---- the bus ----------------------------------------------------------------------------------- */

static void bus_poke(void *ctx, unsigned lines, uint8_t opcode)
{
    struct fake_chip *c = ctx;

    if (c->open)
        violate(c, "opcode %02x sent by hand while the controller is on", opcode);
    c->now_us += 20;
    if (lines == 4) {
        if (c->qpi && c->armed && opcode == 0x99)
            reset(c);
        c->armed = c->qpi && opcode == 0x66;
        return;
    }
    frame(c, opcode, NULL, 0);
}

static int bus_open(void *ctx, uint8_t read_op)
{
    struct fake_chip *c = ctx;

    c->open = true;
    c->opens++;
    c->read_op = read_op;
    c->now_us += 5;
    uint64_t ready = c->busy_until > c->deaf_until ? c->busy_until : c->deaf_until, limit = c->now_us + 100000;
    bool never = c->bus_dead || c->absent || c->sleep != AWAKE || c->qpi || c->busy_for_ever || ready > limit;
    if (never)
        c->now_us = limit;
    else if (ready > c->now_us)
        c->now_us = ready;
    return never ? ERR_TIMEOUT : OK;
}

static void bus_close(void *ctx)
{
    ((struct fake_chip *)ctx)->open = false;
}

static int bus_instr(void *ctx, uint8_t opcode, uint8_t *data, unsigned len)
{
    struct fake_chip *c = ctx;

    if (!c->open || len > SPI_NOR_INSTR_MAX || c->transfer_until > c->now_us)
        violate(c, "instruction %02x with %u bytes: bus closed, at work, or too long", opcode, len);
    c->now_us += 2;
    if (c->bus_dead)
        return ERR_TIMEOUT;
    frame(c, opcode, data, len);
    return OK;
}

static bool aligned(const void *p, uint32_t addr, uint32_t len)
{
    return (uintptr_t)p % 4 == 0 && addr % 4 == 0 && len % 4 == 0 && len > 0;
}

static int bus_read(void *ctx, uint32_t addr, void *buf, uint32_t len)
{
    struct fake_chip *c = ctx;
    uint8_t *p = buf;

    if (!c->open || wip(c) || !aligned(buf, addr, len))
        violate(c, "read of %u at %x: closed, busy or not aligned", (unsigned)len, (unsigned)addr);
    bool rubbish = !awake(c) || (c->read_op == 0x6B && (!quad_enabled(c) || c->lines_bad));
    for (uint32_t i = 0; i < len; i++)
        p[i] = rubbish ? 0x33 : c->mem[(addr + i) & (FAKE_SIZE - 1)];
    c->now_us += len / 8 + 2;
    return c->bus_dead ? ERR_TIMEOUT : OK;
}

static int bus_prog_start(void *ctx, uint32_t addr, const void *data, uint32_t len)
{
    struct fake_chip *c = ctx;

    if (!c->open || wip(c) || !aligned(data, addr, len) || addr / 256 != (addr + len - 1) / 256)
        violate(c, "program of %u at %x: closed, busy, not aligned or across pages", (unsigned)len, (unsigned)addr);
    c->prog_data = data;
    c->prog_addr = addr & (FAKE_SIZE - 1);
    c->prog_len = len;
    c->wel = true;
    c->transfer_until = c->now_us + 70;
    return OK;
}

static int bus_transfer_poll(void *ctx)
{
    struct fake_chip *c = ctx;

    c->now_us += 10;
    if (c->transfer_until > c->now_us)
        return ERR_BUSY;
    if (c->prog_data && !is_protected(c) && awake(c)) {
        for (uint32_t i = 0; i < c->prog_len; i++)
            c->mem[c->prog_addr + i] &= c->prog_data[i];
        c->busy_until = c->now_us + c->part->page_us;
        c->wel = false;
        c->progs++;
    }
    c->prog_data = NULL;
    return OK;
}

static void bus_wait_us(void *ctx, uint32_t us)
{
    ((struct fake_chip *)ctx)->now_us += us;
}

static uint32_t bus_now_ms(void *ctx)
{
    struct fake_chip *c = ctx;

    c->now_us += 1;
    return (uint32_t)(c->now_us / 1000);
}

static const struct spi_nor_bus_ops bus_ops = { bus_poke, bus_open, bus_close, bus_instr, bus_read,
    bus_prog_start, bus_transfer_poll, bus_wait_us, bus_now_ms };

void fake_chip_init(struct fake_chip *c, const struct fake_part *part, struct spi_nor_bus *bus)
{
    memset(c, 0, sizeof *c);
    c->part = part;
    for (uint32_t i = 0; i < FAKE_SIZE; i++)
        c->mem[i] = (uint8_t)(i * 31 + (i >> 8) * 7);
    *bus = (struct spi_nor_bus) { .ops = &bus_ops, .ctx = c, .quad = true };
}
