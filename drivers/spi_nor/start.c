/*
 * Starting a chip of which nothing is known: wake and reset it, ask who it is, wait until it is idle,
 * read its table, take protection away, set quad mode, and look whether all of that came about.
 */
#include "core/base/bytes.h"
#include "drivers/spi_nor/spi_nor_priv.h"

/* A status write takes 37 ms at most on the slowest part known (AT25XE321D); none is known above 100. */
enum { STATUS_WRITE_MAX_MS = 200 };

/* ---- awake and idle --------------------------------------------------------------------------- */

/*
 * After each of these a chip that says nothing is woken and reset again: common parts wake within
 * 40 us; ultra-deep power-down of an AT25XE321D takes 1.2 ms; a reset that ends an erase 12 ms.
 */
static const uint16_t patience_us[] = { 100, 2000, 15000 };
enum { TRIES = sizeof patience_us / sizeof patience_us[0] };

/*
 * With the bus closed, for the controller would wait for a chip that sleeps. A chip that is not in QPI
 * takes the nibbles for the beginning of an opcode and forgets it when CS rises.
 */
static void wake_by_hand(const struct spi_nor *nor)
{
    const struct spi_nor_bus *bus = nor->bus;

    bus->ops->close(bus->ctx);
    if (bus->quad) {
        bus->ops->poke(bus->ctx, 4, OP_RESET_ENABLE);
        bus->ops->poke(bus->ctx, 4, OP_RESET);
    }
    bus->ops->poke(bus->ctx, 1, OP_WAKE);
    bus->ops->wait_us(bus->ctx, patience_us[0]);
    bus->ops->poke(bus->ctx, 1, OP_RESET_ENABLE);
    bus->ops->poke(bus->ctx, 1, OP_RESET);
    bus->ops->wait_us(bus->ctx, patience_us[0]);
}

static int wake_again(const struct spi_nor *nor, uint32_t us)
{
    const struct spi_nor_bus *bus = nor->bus;
    int err = spi_nor_command(nor, OP_WAKE);

    bus->ops->wait_us(bus->ctx, us);
    if (err == OK)
        err = spi_nor_command(nor, OP_RESET_ENABLE);
    if (err == OK)
        err = spi_nor_command(nor, OP_RESET);
    bus->ops->wait_us(bus->ctx, us);
    return err;
}

/* Waits until the chip is idle; ERR_NODEV if nobody drives the line any more. */
static int wait_idle(struct spi_nor *nor, uint32_t limit_ms, uint8_t *status)
{
    const struct spi_nor_bus *bus = nor->bus;
    uint32_t since = bus->ops->now_ms(bus->ctx), waited = 0;

    for (;;) {
        int err = spi_nor_status(nor, status);
        if (err != OK)
            return err;
        if (*status == 0xFF)
            return ERR_NODEV;
        if (!(*status & STATUS_WIP))
            return OK;
        if (waited > limit_ms)
            break;
        bus->ops->wait_us(bus->ctx, 50);
        waited = bus->ops->now_ms(bus->ctx) - since;
    }
    nor->why = (struct finding) { .reason = REASON_EXT_BUSY, .found = waited, .expected = limit_ms };
    return ERR_TIMEOUT;
}

/* Idle, and says who it is. A chip that was busy for ever before is not waited for again. */
static int answer(struct spi_nor *nor, uint32_t busy_ms)
{
    uint8_t status;
    int err = ERR_NODEV;

    nor->jedec = 0xFFFFFF;
    /* What was sent by hand need not have reached it: a wrong pin, a chip that wanted more time. This does. */
    if (wake_again(nor, patience_us[0]) != OK)
        err = ERR_TIMEOUT;
    for (unsigned i = 0; i < TRIES && (err == ERR_NODEV); i++) {
        err = wait_idle(nor, busy_ms, &status);
        if (err == OK)
            err = spi_nor_identify(nor);
        if (err == ERR_NODEV && i + 1 < TRIES)
            err = wake_again(nor, patience_us[i + 1]) == OK ? ERR_NODEV : ERR_TIMEOUT;
    }
    if (err == ERR_NODEV)
        nor->why = (struct finding) { .reason = REASON_EXT_ABSENT, .found = nor->jedec, .expected = nor->dev->jedec };
    return err;
}

/* ---- SFDP ------------------------------------------------------------------------------------- */

enum {
    SFDP_MAGIC = 0x50444653, /* "SFDP" */
    SFDP_PARAMETER = 8, /* first parameter header, always of the basic table */
    UNIT_EXPONENT = 12, /* of two: 4 KiB */
    DWORDS_216 = 9, /* of the first edition's table: no times, no quad enable requirement */
    DWORDS_216A = 16,
};

struct sfdp {
    const struct spi_nor *nor;
    uint32_t table; /* address of the basic table */
    uint32_t dwords; /* it has; 0: no table */
    int err;
};

/* An instruction of eight bytes: address, dummy, and one dword of answer. */
static uint32_t sfdp_word(struct sfdp *t, uint32_t addr)
{
    uint8_t data[8] = { (uint8_t)(addr >> 16), (uint8_t)(addr >> 8), (uint8_t)addr };

    if (t->err == OK)
        t->err = t->nor->bus->ops->instr(t->nor->bus->ctx, OP_READ_SFDP, data, sizeof data);
    return t->err == OK ? ld_le32(data + 4) : 0;
}

/* Dwords count from 1, as in the standard; 0 behind the end of the table. */
static uint32_t dword(struct sfdp *t, uint32_t n)
{
    return n <= t->dwords ? sfdp_word(t, t->table + 4 * (n - 1)) : 0;
}

static struct sfdp sfdp_open(const struct spi_nor *nor)
{
    struct sfdp t = { .nor = nor, .err = OK };

    if (sfdp_word(&t, 0) == SFDP_MAGIC) {
        t.dwords = sfdp_word(&t, SFDP_PARAMETER) >> 24;
        t.table = sfdp_word(&t, SFDP_PARAMETER + 4) & 0xFFFFFF;
    }
    if (t.dwords < DWORDS_216)
        t.dwords = 0;
    return t;
}

/* Bytes; 0: the table has none, or a size that 32 bits do not hold. */
static uint32_t density(uint32_t d)
{
    if (!(d & 0x80000000))
        return (d >> 3) + (d != 0);
    d &= 0x7FFFFFFF;
    return d >= 3 && d < 35 ? (uint32_t)1 << (d - 3) : 0;
}

/* Milliseconds that erase type n (0 to 3) takes at most: dword 10. */
static uint32_t erase_max_ms(uint32_t d, unsigned n)
{
    static const uint16_t unit_ms[4] = { 1, 16, 128, 1000 };
    uint32_t f = d >> (4 + 7 * n);

    return ((f & 31) + 1) * unit_ms[f >> 5 & 3] * 2 * ((d & 15) + 1);
}

/* Dwords 8 and 9: four types, each with the exponent of its size and its opcode. */
static void take_erase_types(struct spi_nor *nor, struct sfdp *t)
{
    uint32_t times = dword(t, 10);

    for (unsigned i = 0; i < 4; i++) {
        uint16_t type = (uint16_t)(dword(t, 8 + i / 2) >> (16 * (i % 2)));
        uint32_t max_ms = times ? erase_max_ms(times, i) : 0;
        if ((type & 0xFF) == UNIT_EXPONENT) {
            nor->erase_op = (uint8_t)(type >> 8);
            if (max_ms > nor->dev->erase_max_ms)
                nor->dev->erase_max_ms = max_ms;
        } else if (nor->take_block) {
            nor->take_block(nor, type, max_ms);
        }
    }
}

/* The fastest read with eight clocks between address and data, all of them dummies or mode clocks. */
static uint8_t best_read(const struct spi_nor *nor, struct sfdp *t, bool quad)
{
    enum { DUAL_OUT = 1u << 16, QUAD_OUT = 1u << 22 };
    uint32_t have = dword(t, 1), d3 = dword(t, 3) >> 16, d4 = dword(t, 4);

    if (quad && nor->bus->quad && (have & QUAD_OUT) && (d3 & 31) + (d3 >> 5 & 7) == 8 && d3 >> 8 == OP_READ_QUAD)
        return OP_READ_QUAD;
    if ((have & DUAL_OUT) && (d4 & 31) + (d4 >> 5 & 7) == 8 && (d4 >> 8 & 0xFF) == OP_READ_DUAL)
        return OP_READ_DUAL;
    return OP_READ_FAST;
}

static int take_size(struct spi_nor *nor, uint32_t size)
{
    if (size == 0 || size >= nor->want_size)
        return OK;
    nor->why = (struct finding) { .reason = REASON_EXT_SIZE, .found = size, .expected = nor->want_size };
    return ERR_ID;
}

/* ---- protection and quad mode ----------------------------------------------------------------- */

enum {
    BP_BITS = 0x1C, /* BP0 to BP2 of every part in use */
    BP3_BIT = 0x20, /* where quad enable is bit 6; else it is TB, and says nothing while BP is 0 */
    CMP_BIT = 0x40, /* of SR2: turns the meaning of BP round */
};

/* How a register with the quad-enable bit is reached. */
struct qe {
    uint8_t bit; /* 0: the chip has none */
    uint8_t read;
    uint8_t write;
};

/* By the three bits that SFDP has for it. */
static const struct qe qe_of[8] = {
    [SPI_NOR_QER_S2B1_CLEARS] = { 0x02, 0x35, 0x01 },
    [SPI_NOR_QER_S1B6] = { 0x40, 0x05, 0x01 },
    [SPI_NOR_QER_S2B7] = { 0x80, 0x3F, 0x3E },
    [SPI_NOR_QER_S2B1_KEEPS] = { 0x02, 0x35, 0x01 },
    [SPI_NOR_QER_S2B1_READ] = { 0x02, 0x35, 0x01 },
    [SPI_NOR_QER_S2B1_WRITE] = { 0x02, 0x35, 0x31 },
};

static int write_register(struct spi_nor *nor, uint8_t opcode, uint8_t *data, unsigned len)
{
    uint8_t status;
    int err = spi_nor_command(nor, OP_WRITE_ENABLE);

    if (err == OK)
        err = nor->bus->ops->instr(nor->bus->ctx, opcode, data, len);
    return err == OK ? wait_idle(nor, STATUS_WRITE_MAX_MS, &status) : err;
}

static int read_registers(const struct spi_nor *nor, const struct qe *qe, uint8_t sr[2])
{
    int err = spi_nor_status(nor, &sr[0]);

    sr[0] &= (uint8_t) ~(STATUS_WIP | STATUS_WEL);
    sr[1] = 0;
    if (err == OK && qe->bit && qe->read != OP_READ_STATUS)
        err = nor->bus->ops->instr(nor->bus->ctx, qe->read, &sr[1], 1);
    return err;
}

/* What the registers should hold: nothing protected, quad mode on, all else as it is. */
static void registers_wanted(const struct qe *qe, const uint8_t sr[2], uint8_t want[2])
{
    want[0] = (uint8_t)(sr[0] & ~BP_BITS);
    want[1] = sr[1];
    if (qe->read == OP_READ_STATUS) {
        want[0] = (uint8_t)((want[0] & ~BP3_BIT) | qe->bit);
    } else if (qe->bit) {
        want[1] = (uint8_t)(sr[1] | qe->bit);
        if (qe->bit == 0x02)
            want[1] &= (uint8_t)~CMP_BIT;
    }
}

/* Nothing is written that is right already: status registers wear out like anything else. */
static int write_registers(struct spi_nor *nor, const struct qe *qe, const uint8_t sr[2], const uint8_t want[2])
{
    uint8_t both[2] = { want[0], want[1] };
    bool together = qe->bit && qe->write == 0x01 && qe->read != OP_READ_STATUS;
    int err = OK;

    if (together)
        return sr[0] != want[0] || sr[1] != want[1] ? write_register(nor, 0x01, both, 2) : OK;
    if (sr[1] != want[1])
        err = write_register(nor, qe->write, &both[1], 1);
    if (err == OK && sr[0] != want[0])
        err = write_register(nor, 0x01, &both[0], 1);
    return err;
}

/* OK with *quad: whether the chip may be read on four lines. ERR_PROTECTED. */
static int set_registers(struct spi_nor *nor, uint8_t qer, bool *quad)
{
    const struct qe *qe = &qe_of[qer];
    uint8_t sr[2], want[2];
    int err = read_registers(nor, qe, sr);

    if (err != OK)
        return err;
    registers_wanted(qe, sr, want);
    err = write_registers(nor, qe, sr, want);
    if (err == OK)
        err = read_registers(nor, qe, sr);
    if (err != OK)
        return err;
    uint8_t open = (uint8_t)(qe->read == OP_READ_STATUS ? BP_BITS | BP3_BIT : BP_BITS);
    if ((sr[0] & open) || (qe->bit == 0x02 && (sr[1] & CMP_BIT))) {
        nor->why = (struct finding) { .reason = REASON_EXT_PROTECTED, .found = (uint32_t)sr[1] << 8 | sr[0] };
        return ERR_PROTECTED;
    }
    uint8_t at = qe->read == OP_READ_STATUS ? sr[0] : sr[1];
    *quad = (at & qe->bit) == qe->bit;
    if (!*quad)
        nor->why = (struct finding) { .reason = REASON_EXT_QUAD, .found = at, .expected = (uint32_t)at | qe->bit };
    return OK;
}

/* ---- start ------------------------------------------------------------------------------------ */

/* On several lines the array must read as it does on one; told by the first word of it. */
static int choose_read(struct spi_nor *nor, uint8_t read_op)
{
    const struct spi_nor_bus *bus = nor->bus;
    uint8_t slow[7] = { 0 };
    uint32_t word = 0;
    int err = bus->ops->instr(bus->ctx, OP_READ_SLOW, slow, sizeof slow);

    nor->read_op = read_op;
    if (err == OK)
        err = bus->ops->open(bus->ctx, read_op);
    if (err == OK && read_op != OP_READ_FAST)
        err = bus->ops->read(bus->ctx, 0, &word, sizeof word);
    uint32_t want = ld_le32(slow + 3), found = ld_le32((const uint8_t *)&word);
    if (err != OK || read_op == OP_READ_FAST || found == want)
        return err;
    nor->why = (struct finding) { .reason = REASON_EXT_MODE, .found = found & 0xFF, .expected = want & 0xFF };
    nor->read_op = OP_READ_FAST;
    return bus->ops->open(bus->ctx, OP_READ_FAST);
}

static int set_up(struct spi_nor *nor)
{
    struct sfdp t = sfdp_open(nor);
    bool quad = false;
    uint8_t qer = SPI_NOR_QER_NONE;

    if (t.dwords > 0) {
        take_erase_types(nor, &t);
        int err = take_size(nor, density(dword(&t, 2)));
        if (err != OK)
            return err;
        qer = (uint8_t)(dword(&t, 15) >> 20 & 7);
    }
    int err = t.err == OK ? set_registers(nor, qer, &quad) : t.err;
    if (err != OK)
        return err;
    return choose_read(nor, best_read(nor, &t, quad && t.dwords >= DWORDS_216A));
}

void spi_nor_start(struct spi_nor *nor)
{
    const struct spi_nor_bus *bus = nor->bus;
    bool stuck = nor->started && nor->err == ERR_TIMEOUT;

    nor->started = true;
    nor->transfer = false;
    nor->why = (struct finding) { .reason = REASON_NONE };
    wake_by_hand(nor);
    int opened = bus->ops->open(bus->ctx, OP_READ_FAST);
    nor->err = answer(nor, stuck ? 0 : nor->dev->erase_max_ms);
    if (nor->err == OK && opened != OK) /* it was the chip that the controller waited for */
        nor->err = bus->ops->open(bus->ctx, OP_READ_FAST);
    if (nor->err == OK && nor->dev->jedec != 0 && nor->jedec != nor->dev->jedec) {
        nor->why = (struct finding) { .reason = REASON_EXT_ID, .found = nor->jedec, .expected = nor->dev->jedec };
        nor->err = ERR_ID;
    }
    if (nor->err == OK)
        nor->err = set_up(nor);
}
