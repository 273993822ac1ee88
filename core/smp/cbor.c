#include "core/smp/cbor.h"

#include <string.h>

#include <zcbor_decode.h>

/* Major types and the special lengths of a head, RFC 8949 section 3. */
enum {
    MAJOR_BSTR = 2,
    MAJOR_TSTR = 3,
    MAJOR_LIST = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    INFO_1_BYTE = 24,
    INFO_8_BYTES = 27,
    INFO_INDEFINITE = 31,
    BREAK = 0xFF,
};

/* Items still to come in each map and list that is open. */
struct walk {
    struct rd r;
    unsigned depth;
    bool endless[CBOR_DEPTH];
    uint64_t left[CBOR_DEPTH];
};

/* Length or value behind the head's first byte. Bad for the reserved forms. */
static uint64_t walk_value(struct walk *w, unsigned info)
{
    uint64_t v = info;

    if (info > INFO_8_BYTES) {
        w->r.bad = true;
    } else if (info >= INFO_1_BYTE) {
        unsigned n = 1u << (info - INFO_1_BYTE);
        v = 0;
        for (unsigned i = 0; i < n; i++)
            v = v << 8 | rd_u8(&w->r);
    }
    return v;
}

static void walk_open(struct walk *w, bool map, unsigned info)
{
    bool endless = info == INFO_INDEFINITE;
    uint64_t n = endless ? 0 : walk_value(w, info);

    /* Each item has a byte at least: also keeps 2 * n from overflowing. */
    if (w->depth == CBOR_DEPTH || n > w->r.left) {
        w->r.bad = true;
        return;
    }
    w->endless[w->depth] = endless;
    w->left[w->depth] = map ? 2 * n : n;
    w->depth++;
}

/* After an item, or a container that was just opened: closes what is complete. */
static void walk_close(struct walk *w)
{
    while (w->depth > 0 && !w->r.bad) {
        unsigned top = w->depth - 1;
        if (w->endless[top] ? w->r.left == 0 || w->r.p[0] != BREAK : w->left[top] != 0)
            return;
        if (w->endless[top])
            (void)rd_u8(&w->r);
        w->depth--;
        if (w->depth > 0 && !w->endless[w->depth - 1])
            w->left[w->depth - 1]--;
    }
}

static void walk_item(struct walk *w)
{
    uint8_t head = rd_u8(&w->r);
    unsigned major = head >> 5;
    unsigned info = head & 31u;

    if (major == MAJOR_LIST || major == MAJOR_MAP) {
        walk_open(w, major == MAJOR_MAP, info);
        return;
    }
    uint64_t v = walk_value(w, info);
    if (major == MAJOR_TAG)
        return; /* belongs to the item that follows */
    if (major == MAJOR_BSTR || major == MAJOR_TSTR)
        (void)rd_take(&w->r, v > w->r.left ? SIZE_MAX : (size_t)v);
    if (w->depth > 0 && !w->endless[w->depth - 1])
        w->left[w->depth - 1]--;
}

/* One whole map, nested no deeper than CBOR_DEPTH: zcbor may recurse into it. */
static bool well_formed(struct span bytes)
{
    struct walk w = { .r = rd_of(bytes) };

    if (bytes.len == 0 || bytes.p[0] >> 5 != MAJOR_MAP)
        return false;
    do {
        walk_item(&w);
        walk_close(&w);
    } while (w.depth > 0 && !w.r.bad);
    return !w.r.bad;
}

static struct span as_span(struct zcbor_string s)
{
    return span_of(s.value, s.len);
}

static bool read_uint(zcbor_state_t *z, uint32_t *out)
{
    uint64_t v;

    if (!zcbor_uint64_decode(z, &v))
        return false;
    *out = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    return true;
}

static bool read_bool(zcbor_state_t *z, bool *out)
{
    uint32_t number;

    if (zcbor_bool_decode(z, out))
        return true;
    if (!read_uint(z, &number))
        return false;
    *out = number != 0;
    return true;
}

static bool read_string(zcbor_state_t *z, enum cbor_kind kind, struct span *out)
{
    struct zcbor_string s;
    bool ok = kind == CBOR_BSTR ? zcbor_bstr_decode(z, &s) : zcbor_tstr_decode(z, &s);

    if (ok)
        *out = as_span(s);
    return ok;
}

static bool read_value(zcbor_state_t *z, struct cbor_field *f)
{
    if (zcbor_nil_expect(z, NULL))
        return true;
    f->present = true;
    switch (f->kind) {
    case CBOR_UINT:
        return read_uint(z, f->value);
    case CBOR_BOOL:
        return read_bool(z, f->value);
    default:
        return read_string(z, f->kind, f->value);
    }
}

static struct cbor_field *find(struct cbor_field *field, unsigned count, struct span key)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(field[i].key) == key.len && memcmp(field[i].key, key.p, key.len) == 0)
            return &field[i];
    }
    return NULL;
}

static bool read_pair(zcbor_state_t *z, struct cbor_field *field, unsigned count)
{
    struct zcbor_string key;

    if (!zcbor_tstr_decode(z, &key))
        return zcbor_any_skip(z, NULL) && zcbor_any_skip(z, NULL);
    struct cbor_field *f = find(field, count, as_span(key));
    if (f == NULL)
        return zcbor_any_skip(z, NULL);
    if (f->seen)
        return false;
    f->seen = true;
    return read_value(z, f);
}

int cbor_read_map(struct span bytes, struct cbor_field *field, unsigned count)
{
    zcbor_state_t z[3];

    for (unsigned i = 0; i < count; i++)
        field[i].present = field[i].seen = false;
    if (bytes.len == 0)
        return OK;
    if (!well_formed(bytes))
        return ERR_FORMAT;
    zcbor_new_decode_state(z, sizeof z / sizeof z[0], bytes.p, bytes.len, 1, NULL, 0);
    if (!zcbor_map_start_decode(z))
        return ERR_FORMAT;
    while (!zcbor_array_at_end(z)) {
        if (!read_pair(z, field, count))
            return ERR_FORMAT;
    }
    return OK;
}

void cbor_out_begin(struct smp_out *o, uint8_t *buf, uint32_t len)
{
    zcbor_new_encode_state(o->z, sizeof o->z / sizeof o->z[0], buf, len, 1);
    o->bad = !zcbor_map_start_encode(o->z, 0);
}

uint32_t cbor_out_end(struct smp_out *o, const uint8_t *buf)
{
    if (o->bad || !zcbor_map_end_encode(o->z, 0))
        return 0;
    return (uint32_t)(o->z->payload - buf);
}

static void keep(struct smp_out *o, bool ok)
{
    o->bad = o->bad || !ok;
}

static void put_key(struct smp_out *o, const char *key)
{
    if (key != NULL && !o->bad)
        keep(o, zcbor_tstr_encode_ptr(o->z, key, strlen(key)));
}

void cbor_put_uint(struct smp_out *o, const char *key, uint32_t v)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_uint32_put(o->z, v));
}

void cbor_put_int(struct smp_out *o, const char *key, int32_t v)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_int32_put(o->z, v));
}

void cbor_put_bool(struct smp_out *o, const char *key, bool v)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_bool_put(o->z, v));
}

void cbor_put_bytes(struct smp_out *o, const char *key, const void *p, uint32_t len)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_bstr_encode_ptr(o->z, p, len));
}

void cbor_put_text(struct smp_out *o, const char *key, const char *text)
{
    cbor_put_text_n(o, key, span_of(text, strlen(text)));
}

void cbor_put_text_n(struct smp_out *o, const char *key, struct span text)
{
    /* zcbor copies from the address even if there is nothing to copy. */
    static const char none[1] = "";
    const char *p = text.len > 0 ? (const char *)text.p : none;

    put_key(o, key);
    keep(o, !o->bad && zcbor_tstr_encode_ptr(o->z, p, text.len));
}

void cbor_map_begin(struct smp_out *o, const char *key)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_map_start_encode(o->z, 0));
}

void cbor_map_end(struct smp_out *o)
{
    keep(o, !o->bad && zcbor_map_end_encode(o->z, 0));
}

void cbor_list_begin(struct smp_out *o, const char *key)
{
    put_key(o, key);
    keep(o, !o->bad && zcbor_list_start_encode(o->z, 0));
}

void cbor_list_end(struct smp_out *o)
{
    keep(o, !o->bad && zcbor_list_end_encode(o->z, 0));
}
