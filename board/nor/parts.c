/* Parts that are known, and a part made from what a devicetree says. */
#include <stdlib.h>
#include <string.h>

#include "board/board.h"
#include "board/nor/nor.h"

/* SFDP header, one parameter header, the basic table at 0x30 (JESD216). */
#define SFDP_HEADER 'S', 'F', 'D', 'P', 0x06, 0x01, 0x00, 0xFF, 0x00, 0x06, 0x01, 0x10, 0x30, 0x00, 0x00, 0xFF
#define FILL16 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF

/*
 * AT25XE321D: like its sister AT25FF321A it has 1-4-4 and 0-4-4 reads and no 4-4-4 mode. No data sheet's typical
 * times were at hand. Program 1.5 ms a page, erases in proportion to the 65 s of the whole chip, 4 K a little less
 * than half its maximum of 150 ms.
 */
static const struct nor_part at25xe321d = {
    .name = "at25xe321d", .id = { 0x1F, 0x47, 0x0C, 0x01 }, .id_len = 4, .family = NOR_ATMEL, .qer = 5,
    .size = 4u << 20,
    .erase = { { 12, 0x20, 64000 }, { 15, 0x52, 512000 }, { 16, 0xD8, 1008000 } },
    .chip_erase_ms = 65000, .page_us = 1472, .status_us = 11400, .wake_us = 10,
    .block_protect = 0x1C, .sr1_keep = 0xFC, .sr_reset = { 0, 0, 0 },
    .sfdp = { SFDP_HEADER, FILL16, FILL16,
        0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x80, 0xBB,
        0xEE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0x0C, 0x20, 0x0F, 0x52,
        0x10, 0xD8, 0x00, 0x00, 0x31, 0xBA, 0x7D, 0x01, 0x83, 0x36, 0x42, 0xD0, 0x00, 0x00, 0x00, 0x80,
        0x00, 0x00, 0x00, 0x00, 0xF7, 0xA9, 0xD5, 0x5C, 0x00, 0x00, 0x50, 0xFF, 0x00, 0x10, 0x00, 0x00 },
    .sfdp_len = 0x30 + 64,
};

static const struct nor_part mx25r6435f = {
    .name = "mx25r6435f", .id = { 0xC2, 0x28, 0x17 }, .id_len = 3, .family = NOR_MACRONIX, .qer = 2,
    .size = 8u << 20,
    .erase = { { 12, 0x20, 48000 }, { 15, 0x52, 240000 }, { 16, 0xD8, 480000 } },
    .chip_erase_ms = 52000, .page_us = 896, .status_us = 10000, .wake_us = 35,
    .block_protect = 0x3C, .sr1_keep = 0xFC, .sr_reset = { 0, 0, 0 },
    .sfdp = { SFDP_HEADER, FILL16, FILL16,
        0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x04, 0xBB,
        0xEE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0x0C, 0x20, 0x0F, 0x52,
        0x10, 0xD8, 0x00, 0xFF, 0x23, 0x72, 0xF5, 0x00, 0x82, 0xED, 0x04, 0xCC, 0x44, 0x83, 0x68, 0x44,
        0x30, 0xB0, 0x30, 0xB0, 0xF7, 0xC4, 0xD5, 0x5C, 0x00, 0xBE, 0x29, 0xFF, 0xF0, 0xD0, 0xFF, 0xFF },
    .sfdp_len = 0x30 + 64,
};

const struct nor_part *nor_part_find(const char *name)
{
    if (strcmp(name, at25xe321d.name) == 0)
        return &at25xe321d;
    return strcmp(name, mx25r6435f.name) == 0 ? &mx25r6435f : NULL;
}

const char *nor_part_name(const struct nor_part *part) { return part->name; }
uint32_t nor_part_size(const struct nor_part *part) { return part->size; }

/* ---- generic ---- */

static uint32_t dword(const uint8_t *t, unsigned n)
{
    const uint8_t *p = t + 4 * (n - 1);
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t timed(uint32_t count, uint32_t unit_us)
{
    return (count + 1) * unit_us;
}

/* Times of the basic table's dwords 10 and 11 (JESD216B). */
static void take_times(struct nor_part *p, const uint8_t *t)
{
    static const uint32_t unit[4] = { 1000, 16000, 128000, 1000000 }, chip[4] = { 16, 256, 4000, 64000 };
    uint32_t d10 = dword(t, 10), d11 = dword(t, 11);
    for (unsigned i = 0; i < NOR_ERASE_TYPES; i++) {
        uint32_t f = d10 >> (4 + 7 * i);
        p->erase[i].us = timed(f & 31u, unit[f >> 5 & 3u]);
    }
    p->page_us = timed(d11 >> 8 & 31u, d11 >> 13 & 1u ? 64 : 8);
    p->chip_erase_ms = timed(d11 >> 24 & 31u, chip[d11 >> 29 & 3u]);
}

static void take_table(struct nor_part *p, const uint8_t *t, size_t len)
{
    for (unsigned i = 0; i < NOR_ERASE_TYPES && len >= 36; i++) {
        uint32_t d = dword(t, 8 + i / 2) >> (16 * (i % 2));
        p->erase[i].log2 = (d & 0xFFu) < 28 ? (uint8_t)d : 0;
        p->erase[i].opcode = (uint8_t)(d >> 8);
    }
    if (len >= 44)
        take_times(p, t);
    if (len >= 60 && (dword(t, 5) >> 4 & 1u)) { /* 4-4-4: how it is entered and left is in dword 15 */
        uint32_t d15 = dword(t, 15);
        p->qpi_enter = d15 >> 4 & 3u ? 0x38 : d15 >> 6 & 1u ? 0x35 : 0;
        p->qpi_exit = d15 & 1u ? 0xFF : d15 >> 1 & 1u ? 0xF5 : 0;
    }
    p->four_byte = len >= 4 && (dword(t, 1) >> 17 & 3u) != 0;
    memcpy(p->sfdp + 0x30, t, len);
    p->sfdp[11] = (uint8_t)(len / 4);
    p->sfdp_len = 0x30 + (uint32_t)len;
}

struct nor_part *nor_part_generic(
    const uint8_t id[3], uint32_t size, const uint8_t *bfpt, size_t bfpt_len, unsigned qer)
{
    static const uint8_t header[16] = { SFDP_HEADER };
    if (size < 65536 || size > 128u << 20 || (size & (size - 1u)) || bfpt_len > NOR_SFDP_SIZE - 0x30 || bfpt_len % 4)
        return NULL;
    struct nor_part *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    *p = (struct nor_part){ .name = "jedec,spi-nor", .id_len = 3, .family = NOR_GENERIC, .qer = qer, .size = size,
        .erase = { { 12, 0x20, 45000 }, { 15, 0x52, 120000 }, { 16, 0xD8, 150000 } },
        .chip_erase_ms = 150 * (size >> 16), .page_us = 704, .status_us = 10000, .wake_us = 30,
        .block_protect = 0x1C, .sr1_keep = 0xFC };
    memcpy(p->id, id, 3);
    if (bfpt) {
        memset(p->sfdp, 0xFF, sizeof p->sfdp);
        memcpy(p->sfdp, header, sizeof header);
        take_table(p, bfpt, bfpt_len);
    }
    return p;
}

void nor_part_free(struct nor_part *part)
{
    free(part);
}
