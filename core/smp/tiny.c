#include "core/smp/tiny.h"

#include <string.h>

/* Major types of RFC 8949, 3.1. */
enum { UINT, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG, SIMPLE };
enum { INFO_1_BYTE = 24, INFO_8_BYTES = 27, INFO_INDEFINITE = 31, SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, BREAK = 0xFF };

struct head {
    uint8_t major, info;
    uint32_t arg;
};

static struct head read_head(struct rd *r)
{
    uint8_t first = rd_u8(r);
    struct head h = { .major = first >> 5, .info = first & 31, .arg = first & 31 };

    if (h.info < INFO_1_BYTE || h.info == INFO_INDEFINITE)
        return h;
    if (h.info > INFO_8_BYTES) {
        r->bad = true;
        return h;
    }
    unsigned n = 1u << (h.info - INFO_1_BYTE);
    bool large = false;
    h.arg = 0;
    for (unsigned i = 0; i < n; i++) {
        large = large || h.arg >> 24 != 0;
        h.arg = h.arg << 8 | rd_u8(r);
    }
    if (large)
        h.arg = UINT32_MAX;
    return h;
}

/* What is inside a value, without recursion: `left` counts the items still to be read. */
static void skip_inside(struct rd *r, struct head h)
{
    uint32_t left = 0;

    for (;;) {
        uint32_t inside = h.major == LIST || h.major == MAP ? h.arg : h.major == TAG ? 1 : 0;
        if (h.major != SIMPLE && h.info == INFO_INDEFINITE)
            r->bad = true;
        if (h.major == BYTES || h.major == TEXT)
            (void)rd_take(r, h.arg);
        if (inside > r->left) /* each takes a byte at least: the count below stays small */
            r->bad = true;
        left += h.major == MAP ? 2 * inside : inside;
        if (left == 0 || r->bad)
            return;
        left--;
        h = read_head(r);
    }
}

static struct tiny_value read_value(struct rd *r)
{
    struct head h = read_head(r);
    struct tiny_value v = { .kind = TINY_OTHER, .num = h.arg };

    if (h.major == UINT) {
        v.kind = TINY_UINT;
    } else if ((h.major == BYTES || h.major == TEXT) && h.info != INFO_INDEFINITE) {
        v.kind = h.major == BYTES ? TINY_BYTES : TINY_TEXT;
        v.bytes = span_of(rd_take(r, h.arg), h.arg);
    } else if (h.major == SIMPLE && (h.info == SIMPLE_FALSE || h.info == SIMPLE_TRUE)) {
        v.kind = TINY_BOOL;
        v.num = h.info == SIMPLE_TRUE;
    } else if (h.major == SIMPLE && h.info > SIMPLE_TRUE && h.info < INFO_1_BYTE) {
        v.kind = TINY_NONE; /* null, undefined */
    } else {
        skip_inside(r, h);
    }
    if (h.info == INFO_INDEFINITE)
        r->bad = true;
    return v;
}

struct tiny_value tiny_find(struct span map, const char *key)
{
    struct rd r = rd_of(map);
    struct tiny_value found = { .kind = TINY_NONE };
    struct head h = { .major = MAP };

    if (map.len > 0)
        h = read_head(&r);
    bool open = h.info == INFO_INDEFINITE, seen = false;
    if (h.major != MAP)
        r.bad = true;
    for (uint32_t i = 0; !r.bad && (open ? r.left > 0 && *r.p != BREAK : i < h.arg); i++) {
        struct tiny_value k = read_value(&r), v = read_value(&r);
        if (k.kind != TINY_TEXT)
            r.bad = true;
        else if (!seen && !r.bad && k.bytes.len == strlen(key) && memcmp(k.bytes.p, key, k.bytes.len) == 0) {
            seen = true;
            found = v;
        }
    }
    if (r.bad || (open && r.left == 0))
        found.kind = TINY_BAD;
    return found;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static void put(struct tiny_out *o, const void *p, uint32_t len)
{
    if (o->bad || o->cap - o->len < len) {
        o->bad = true;
        return;
    }
    memcpy(o->p + o->len, p, len);
    o->len += len;
}

static void put_byte(struct tiny_out *o, uint8_t b)
{
    put(o, &b, 1);
}

static void put_head(struct tiny_out *o, unsigned major, uint32_t arg)
{
    uint8_t b[5] = { (uint8_t)(major << 5 | 26) };

    if (arg < INFO_1_BYTE) {
        put_byte(o, (uint8_t)(major << 5 | arg));
        return;
    }
    st_be32(b + 1, arg);
    put(o, b, sizeof b);
}

static void put_text(struct tiny_out *o, const void *p, uint32_t len)
{
    put_head(o, TEXT, len);
    put(o, p, len);
}

static void put_key(struct tiny_out *o, const char *key)
{
    if (key)
        put_text(o, key, (uint32_t)strlen(key));
}

void tiny_map_begin(struct tiny_out *o, const char *key)
{
    put_key(o, key);
    put_byte(o, MAP << 5 | INFO_INDEFINITE);
}

void tiny_list_begin(struct tiny_out *o, const char *key)
{
    put_key(o, key);
    put_byte(o, LIST << 5 | INFO_INDEFINITE);
}

void tiny_end(struct tiny_out *o)
{
    put_byte(o, BREAK);
}

void tiny_uint(struct tiny_out *o, const char *key, uint32_t v)
{
    put_key(o, key);
    put_head(o, UINT, v);
}

void tiny_bool(struct tiny_out *o, const char *key, bool v)
{
    put_key(o, key);
    put_byte(o, (uint8_t)(SIMPLE << 5 | (v ? SIMPLE_TRUE : SIMPLE_FALSE)));
}

void tiny_bytes(struct tiny_out *o, const char *key, const void *p, uint32_t len)
{
    put_key(o, key);
    put_head(o, BYTES, len);
    put(o, p, len);
}

void tiny_text(struct tiny_out *o, const char *key, struct span text)
{
    put_key(o, key);
    put_text(o, text.p, (uint32_t)text.len);
}
