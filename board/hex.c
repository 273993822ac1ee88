/* Loading Intel hex and raw binaries. A file is checked whole before its first byte is loaded. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "board/board_priv.h"

struct reader {
    const char *p, *end;
    unsigned line;
    char *err;
    size_t errlen;
};

static int fail(struct reader *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct reader *r, const char *fmt, ...)
{
    char text[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (r->line)
        snprintf(r->err, r->errlen, "line %u: %s", r->line, text);
    else
        snprintf(r->err, r->errlen, "%s", text);
    return -1;
}

/* Where bytes at an address go: the memory, or NULL. FICR is read-only and belongs to the chip. */
static uint8_t *target(struct board *b, uint32_t addr, uint32_t len)
{
    size_t ext;
    uint8_t *external = board_external(b, &ext);
    if (addr < BOARD_FLASH_SIZE)
        return len <= BOARD_FLASH_SIZE - addr ? b->flash + addr : NULL;
    if (addr - ADDR_UICR < BOARD_UICR_SIZE)
        return len <= BOARD_UICR_SIZE - (addr - ADDR_UICR) ? b->uicr + (addr - ADDR_UICR) : NULL;
    if (external && addr - ADDR_XIP < ext)
        return len <= ext - (addr - ADDR_XIP) ? external + (addr - ADDR_XIP) : NULL;
    return NULL;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One record into rec[] (length, address, type, data, sum). Its length in bytes, 0 at the end, -1. */
static int record(struct reader *r, uint8_t *rec)
{
    while (r->p < r->end && (*r->p == '\r' || *r->p == '\n' || *r->p == ' ' || *r->p == '\t')) {
        if (*r->p == '\n')
            r->line++;
        r->p++;
    }
    if (r->p == r->end)
        return 0;
    if (*r->p != ':')
        return fail(r, "a record starts with ':', this one with '%c'", *r->p >= ' ' && *r->p < 127 ? *r->p : '?');
    r->p++;
    int n = 0;
    unsigned sum = 0;
    for (int want = 5; n < want; n++) {
        int hi = r->p < r->end ? nibble(r->p[0]) : -1, lo = r->end - r->p > 1 ? nibble(r->p[1]) : -1;
        if (hi < 0 || lo < 0)
            return fail(r, "the record breaks off or has a character that is no hex digit");
        rec[n] = (uint8_t)(hi << 4 | lo);
        sum += rec[n];
        r->p += 2;
        if (n == 0)
            want = 5 + rec[0];
    }
    if (sum & 0xFFu)
        return fail(r, "wrong checksum");
    return n;
}

/* Data at `addr`; loads it only if `load`. */
static int data_record(struct reader *r, struct board *b, uint32_t addr, const uint8_t *data, uint32_t len, bool load)
{
    if (len == 0 || addr - ADDR_FICR < 0x1000)
        return 0;
    uint8_t *to = target(b, addr, len);
    if (!to)
        return fail(r, "address 0x%08x is in no memory of this board (flash 0x0, UICR 0x10001000, external 0x12000000)",
            addr);
    if (load)
        memcpy(to, data, len);
    return 0;
}

static int pass(struct reader *r, struct board *b, bool load, uint32_t *total)
{
    uint8_t rec[5 + 255];
    uint32_t base = 0;
    int n;
    while ((n = record(r, rec)) > 0) {
        uint32_t len = rec[0], off = (uint32_t)rec[1] << 8 | rec[2], arg = (uint32_t)rec[4] << 8 | rec[5];
        if ((rec[3] == 2 || rec[3] == 4) && len != 2)
            return fail(r, "an address record has two bytes, this one %u", len);
        switch (rec[3]) {
        case 0:
            *total += len;
            if (data_record(r, b, base + off, rec + 4, len, load))
                return -1;
            break;
        case 1: return 0;
        case 2: base = arg << 4; break;
        case 4: base = arg << 16; break;
        case 3: case 5: break; /* start address: the chip starts by its vectors */
        default: return fail(r, "unknown record type %u", rec[3]);
        }
    }
    return n < 0 ? -1 : fail(r, "there is no end record (truncated file?)");
}

int board_load_hex(struct board *b, const char *text, size_t len, char *err, size_t errlen)
{
    uint32_t total = 0;
    struct reader check = { text, text + len, 1, err, errlen };
    if (pass(&check, b, false, &total))
        return -1;
    if (total == 0) {
        check.line = 0;
        return fail(&check, "the file has no data");
    }
    struct reader load = { text, text + len, 1, err, errlen };
    if (pass(&load, b, true, &total))
        return -1;
    board_contents_changed(b);
    return 0;
}

int board_load_bin(struct board *b, uint32_t addr, const void *data, size_t len, char *err, size_t errlen)
{
    struct reader r = { .err = err, .errlen = errlen };
    uint8_t *to = len && len <= 128u << 20 ? target(b, addr, (uint32_t)len) : NULL;
    if (!to)
        return fail(&r, len ? "%zu bytes at 0x%08x do not fit into a memory of this board"
                            : "the file is empty (%zu bytes for 0x%08x)", len, addr);
    memcpy(to, data, len);
    board_contents_changed(b);
    return 0;
}
