/*
 * Byte order and spans. Everything stored on flash is little-endian, everything in an SMP header is
 * big-endian; both go through these functions, never through a cast or a memcpy of a struct.
 */
#ifndef CORE_BASE_BYTES_H
#define CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One instruction where the processor's order is the stored one, less than the call of a function. */
#define BYTES_ORDER __attribute__((always_inline)) static inline

BYTES_ORDER uint16_t ld_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}

BYTES_ORDER uint32_t ld_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

BYTES_ORDER uint16_t ld_be16(const uint8_t *p)
{
    return (uint16_t)(p[1] | (uint16_t)p[0] << 8);
}

BYTES_ORDER uint32_t ld_be32(const uint8_t *p)
{
    return (uint32_t)p[3] | (uint32_t)p[2] << 8 | (uint32_t)p[1] << 16 | (uint32_t)p[0] << 24;
}

BYTES_ORDER void st_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

BYTES_ORDER void st_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

BYTES_ORDER void st_be16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

BYTES_ORDER void st_be32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* Read-only bytes that belong to somebody else. */
struct span {
    const uint8_t *p;
    size_t len;
};

static inline struct span span_of(const void *p, size_t len)
{
    return (struct span) { .p = (const uint8_t *)p, .len = len };
}

/*
 * A cursor over a span with a sticky error: after the first read past the end, `bad` is set, every
 * further read gives 0 and moves nothing. Read straight down, test `bad` once.
 */
struct rd {
    const uint8_t *p;
    size_t left;
    bool bad;
};

static inline struct rd rd_of(struct span s)
{
    return (struct rd) { .p = s.p, .left = s.len, .bad = false };
}

/* The next n bytes in place, or NULL (and bad) if there are not so many. */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
    if (r->bad || r->left < n) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->p;
    r->p += n;
    r->left -= n;
    return p;
}

static inline uint8_t rd_u8(struct rd *r)
{
    const uint8_t *p = rd_take(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t rd_le16(struct rd *r)
{
    const uint8_t *p = rd_take(r, 2);
    return p ? ld_le16(p) : 0;
}

static inline uint32_t rd_le32(struct rd *r)
{
    const uint8_t *p = rd_take(r, 4);
    return p ? ld_le32(p) : 0;
}

static inline uint16_t rd_be16(struct rd *r)
{
    const uint8_t *p = rd_take(r, 2);
    return p ? ld_be16(p) : 0;
}

/* True if all n bytes are v. */
static inline bool bytes_all(const uint8_t *p, size_t n, uint8_t v)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != v)
            return false;
    }
    return true;
}

#endif
