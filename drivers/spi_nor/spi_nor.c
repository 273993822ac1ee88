#include "drivers/spi_nor/spi_nor.h"

#include <string.h>

#include "core/base/bytes.h"
#include "drivers/spi_nor/spi_nor_priv.h"

enum {
    UNIT = 4096,
    /*
     * Bounds until SFDP says more. An AT25XE321D is specified at 150 ms for a unit, and was seen in the
     * field to take more than 750 ms for one in twenty-five.
     */
    UNIT_MAX_MS = 3000,
    PAGE_MAX_MS = 12,
    BOUNCE = 64, /* bytes of an unaligned read at a time */
};

int spi_nor_command(const struct spi_nor *nor, uint8_t opcode)
{
    uint8_t nothing;

    return nor->bus->ops->instr(nor->bus->ctx, opcode, &nothing, 0);
}

int spi_nor_status(const struct spi_nor *nor, uint8_t *status)
{
    *status = 0;
    return nor->bus->ops->instr(nor->bus->ctx, OP_READ_STATUS, status, 1);
}

int spi_nor_identify(struct spi_nor *nor)
{
    uint8_t id[3] = { 0 };
    int err = nor->bus->ops->instr(nor->bus->ctx, OP_READ_ID, id, sizeof id);

    nor->jedec = (uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2];
    if (err == OK && (nor->jedec == 0 || nor->jedec == 0xFFFFFF))
        err = ERR_NODEV;
    return err;
}

/* ---- operations ------------------------------------------------------------------------------- */

static int ready(struct spi_nor *nor)
{
    if (!nor->started)
        spi_nor_start(nor);
    return nor->err;
}

/* The controller moves aligned words only: what is not goes through a buffer. */
static int read_bounced(const struct spi_nor *nor, uint32_t off, uint8_t *buf, uint32_t len)
{
    const struct spi_nor_bus *bus = nor->bus;
    uint32_t words[BOUNCE / 4];
    int err = OK;

    while (err == OK && len > 0) {
        uint32_t skip = off % SPI_NOR_BUS_ALIGN;
        uint32_t n = len < BOUNCE - skip ? len : BOUNCE - skip;
        uint32_t whole = (skip + n + SPI_NOR_BUS_ALIGN - 1) / SPI_NOR_BUS_ALIGN * SPI_NOR_BUS_ALIGN;
        err = bus->ops->read(bus->ctx, off - skip, words, whole);
        if (err == OK)
            memcpy(buf, (const uint8_t *)words + skip, n);
        off += n;
        buf += n;
        len -= n;
    }
    return err;
}

static int nor_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct spi_nor *nor = ctx;
    uint8_t *p = buf;
    uint32_t direct = 0;
    int err = ready(nor);

    if (off % SPI_NOR_BUS_ALIGN == 0 && (uintptr_t)p % SPI_NOR_BUS_ALIGN == 0)
        direct = len / SPI_NOR_BUS_ALIGN * SPI_NOR_BUS_ALIGN;
    if (err == OK && direct > 0)
        err = nor->bus->ops->read(nor->bus->ctx, off, p, direct);
    return err == OK ? read_bounced(nor, off + direct, p + direct, len - direct) : err;
}

/* Copied: the caller's bytes may lie in flash, which the controller does not reach, or unaligned. */
static int nor_prog_start(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct spi_nor *nor = ctx;
    int err = ready(nor);

    if (err != OK)
        return err;
    memcpy(nor->page, data, len);
    err = nor->bus->ops->prog_start(nor->bus->ctx, off, nor->page, len);
    nor->transfer = err == OK;
    return err;
}

int spi_nor_erase(struct spi_nor *nor, uint8_t opcode, uint32_t off)
{
    uint8_t addr[3] = { (uint8_t)(off >> 16), (uint8_t)(off >> 8), (uint8_t)off };
    int err = ready(nor);

    if (err == OK)
        err = spi_nor_command(nor, OP_WRITE_ENABLE);
    if (err == OK)
        err = nor->bus->ops->instr(nor->bus->ctx, opcode, addr, sizeof addr);
    return err;
}

static int nor_erase_start(void *ctx, uint32_t off)
{
    struct spi_nor *nor = ctx;

    return spi_nor_erase(nor, nor->erase_op, off);
}

/*
 * A chip says nothing to what a protected block is told: it is not busy, and still has the write
 * enable that an operation would have used up.
 */
static int nor_poll(void *ctx)
{
    struct spi_nor *nor = ctx;
    uint8_t status;

    if (nor->transfer) {
        int err = nor->bus->ops->transfer_poll(nor->bus->ctx);
        if (err == ERR_BUSY)
            return err;
        nor->transfer = false;
        if (err != OK)
            return err;
    }
    int err = spi_nor_status(nor, &status);
    if (err == OK && status == 0xFF)
        return ERR_NODEV;
    if (err != OK || (status & STATUS_WIP))
        return err == OK ? ERR_BUSY : err;
    if (!(status & STATUS_WEL))
        return OK;
    nor->why = (struct finding) { .reason = REASON_EXT_PROTECTED, .found = status };
    return ERR_PROTECTED;
}

/* A chip that is ready is only asked who it is: it may have lost its supply meanwhile. */
static int nor_probe(void *ctx, uint32_t *jedec)
{
    struct spi_nor *nor = ctx;
    uint32_t known = nor->jedec;

    if (!nor->started || nor->err != OK || spi_nor_identify(nor) != OK || nor->jedec != known)
        spi_nor_start(nor);
    *jedec = nor->jedec;
    return nor->err;
}

static uint32_t nor_now_ms(void *ctx)
{
    const struct spi_nor_bus *bus = ((struct spi_nor *)ctx)->bus;

    return bus->ops->now_ms(bus->ctx);
}

static bool nor_explain(void *ctx, struct finding *why)
{
    *why = ((struct spi_nor *)ctx)->why;
    return why->reason != REASON_NONE;
}

static const struct flash_ops nor_ops = {
    .read = nor_read,
    .prog_start = nor_prog_start,
    .erase_start = nor_erase_start,
    .poll = nor_poll,
    .probe = nor_probe,
    .now_ms = nor_now_ms,
    .explain = nor_explain,
};

void spi_nor_device(struct spi_nor *nor, const struct spi_nor_bus *bus, struct flash_dev *dev,
    uint32_t size, uint32_t jedec)
{
    *nor = (struct spi_nor) { .bus = bus, .dev = dev, .err = ERR_NODEV, .erase_op = OP_ERASE_4K,
        .read_op = OP_READ_FAST, .want_size = size };
    *dev = (struct flash_dev) {
        .ops = &nor_ops,
        .ctx = nor,
        .name = "external",
        .size = size,
        .erase_size = UNIT,
        .prog_size = SPI_NOR_BUS_ALIGN,
        .prog_max = SPI_NOR_PAGE,
        .erase_max_ms = UNIT_MAX_MS,
        .prog_max_ms = PAGE_MAX_MS,
        .jedec = jedec,
    };
}

int spi_nor_stop(struct spi_nor *nor, bool sleep)
{
    int err = OK;

    if (nor->dev->busy)
        return ERR_BUSY;
    if (sleep && nor->started && nor->err == OK)
        err = spi_nor_command(nor, OP_SLEEP);
    nor->bus->ops->close(nor->bus->ctx);
    nor->started = false;
    return err;
}
