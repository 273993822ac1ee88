#include "tests/support/cborkit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void ck_head(struct cborkit *c, unsigned major, uint64_t value)
{
    unsigned n = value < 24 ? 0 : value < 0x100 ? 1 : value < 0x10000 ? 2 : value <= UINT32_MAX ? 4 : 8;
    static const uint8_t info[9] = { 0, 24, 25, 0, 26, 0, 0, 0, 27 };

    c->bytes[c->len++] = (uint8_t)(major << 5 | (n == 0 ? (unsigned)value : info[n]));
    while (n-- > 0)
        c->bytes[c->len++] = (uint8_t)(value >> 8 * n);
}

void ck_map(struct cborkit *c, unsigned pairs)
{
    c->len = 0;
    ck_head(c, 5, pairs);
}

static void put(struct cborkit *c, unsigned major, const void *p, size_t n)
{
    ck_head(c, major, n);
    if (n > 0)
        memcpy(c->bytes + c->len, p, n);
    c->len += n;
}

void ck_text(struct cborkit *c, const char *s)
{
    put(c, 3, s, strlen(s));
}

void ck_uint(struct cborkit *c, const char *key, uint64_t v)
{
    ck_text(c, key);
    ck_head(c, 0, v);
}

void ck_bool(struct cborkit *c, const char *key, bool v)
{
    ck_text(c, key);
    c->bytes[c->len++] = v ? 0xF5 : 0xF4;
}

void ck_null(struct cborkit *c, const char *key)
{
    ck_text(c, key);
    c->bytes[c->len++] = 0xF6;
}

void ck_bytes(struct cborkit *c, const char *key, const void *p, size_t n)
{
    ck_text(c, key);
    put(c, 2, p, n);
}

void ck_string(struct cborkit *c, const char *key, const char *v)
{
    ck_text(c, key);
    ck_text(c, v);
}

struct diag {
    const uint8_t *p, *end;
    char *out;
    size_t cap, n;
};

static void say(struct diag *d, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (d->n < d->cap)
        d->n += (size_t)vsnprintf(d->out + d->n, d->cap - d->n, fmt, ap);
    va_end(ap);
}

static uint64_t head_value(struct diag *d, unsigned info)
{
    uint64_t v = 0;

    if (info < 24)
        return info;
    for (unsigned n = 1u << (info - 24); n-- > 0 && d->p < d->end;)
        v = v << 8 | *d->p++;
    return v;
}

static void item(struct diag *d);

static void container(struct diag *d, bool map, unsigned info)
{
    uint64_t n = info == 31 ? UINT64_MAX : head_value(d, info);

    say(d, map ? "{" : "[");
    for (uint64_t i = 0; i < n && d->p < d->end; i++) {
        if (info == 31 && *d->p == 0xFF)
            break;
        if (i > 0)
            say(d, ",");
        item(d);
        if (map) {
            say(d, ":");
            item(d);
        }
    }
    if (info == 31)
        d->p++;
    say(d, map ? "}" : "]");
}

static void string(struct diag *d, bool text, uint64_t len)
{
    size_t n = len < (size_t)(d->end - d->p) ? (size_t)len : (size_t)(d->end - d->p);

    if (text) {
        say(d, "\"%.*s\"", (int)n, (const char *)d->p);
    } else {
        say(d, "h'");
        for (size_t i = 0; i < n && i < 4; i++)
            say(d, "%02x", d->p[i]);
        say(d, n > 4 ? "..'" : "'");
    }
    d->p += n;
}

static void item(struct diag *d)
{
    if (d->p >= d->end) {
        say(d, "?");
        return;
    }
    unsigned major = *d->p >> 5, info = *d->p & 31;
    uint8_t byte = *d->p++;
    if (major == 4 || major == 5)
        container(d, major == 5, info);
    else if (major == 2 || major == 3)
        string(d, major == 3, head_value(d, info));
    else if (major == 0)
        say(d, "%llu", (unsigned long long)head_value(d, info));
    else if (major == 1)
        say(d, "-%llu", (unsigned long long)head_value(d, info) + 1);
    else
        say(d, byte == 0xF5 ? "true" : byte == 0xF4 ? "false" : byte == 0xF6 ? "null" : "?");
}

const char *ck_diag(const uint8_t *p, size_t len, char *out, size_t cap)
{
    struct diag d = { .p = p, .end = p + len, .out = out, .cap = cap };

    out[0] = '\0';
    item(&d);
    if (d.p < d.end)
        say(&d, " +%zu", (size_t)(d.end - d.p));
    return out;
}
