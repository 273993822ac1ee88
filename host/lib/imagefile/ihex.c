/*
 * Intel HEX (Intel's specification, revision A, 1988). A record:
 *
 *     ':' count address(16, big-endian) type data... checksum      all in hexadecimal digits
 *
 *     00 data   01 end   02 segment (address << 4)   03 start CS:IP   04 upper 16 bits   05 start EIP
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/imagefile/imagefile_priv.h"

enum { RECORD_MAX = 255, LINE_DATA = 16 };

struct record {
    uint8_t count;
    uint16_t address;
    uint8_t type;
    uint8_t data[RECORD_MAX];
};

struct reader {
    const char *p, *end;
    unsigned line;
    uint32_t upper;
    bool ended;
    /* filled in the first pass */
    bool any;
    uint64_t low, high; /* first address, and one behind the last */
    /* the second pass writes here */
    uint8_t *out;
};

static int digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool take_byte(const char **p, const char *end, uint8_t *sum, uint8_t *v)
{
    if (end - *p < 2 || digit((*p)[0]) < 0 || digit((*p)[1]) < 0)
        return false;
    *v = (uint8_t)(digit((*p)[0]) << 4 | digit((*p)[1]));
    *sum = (uint8_t)(*sum + *v);
    *p += 2;
    return true;
}

/* One line without its line end; NULL, or what is wrong with it. */
static const char *parse_record(const char *p, const char *end, struct record *r)
{
    uint8_t sum = 0, high, low, checksum;

    if (p == end || *p++ != ':')
        return "does not begin with a colon";
    if (!take_byte(&p, end, &sum, &r->count) || !take_byte(&p, end, &sum, &high)
        || !take_byte(&p, end, &sum, &low) || !take_byte(&p, end, &sum, &r->type))
        return "is too short, or has something else than hexadecimal digits";
    r->address = (uint16_t)(high << 8 | low);
    for (unsigned i = 0; i < r->count; i++) {
        if (!take_byte(&p, end, &sum, &r->data[i]))
            return "is too short, or has something else than hexadecimal digits";
    }
    if (!take_byte(&p, end, &sum, &checksum) || p != end)
        return "is longer or shorter than its count says";
    return sum == 0 ? NULL : "has a wrong checksum";
}

static const char *apply_data(struct reader *r, const struct record *rec)
{
    uint64_t at = (uint64_t)r->upper + rec->address;

    if (rec->count == 0)
        return NULL;
    if (at + rec->count > UINT64_C(0x100000000))
        return "leaves the address space";
    if (r->out) {
        memcpy(r->out + (at - r->low), rec->data, rec->count);
        return NULL;
    }
    if (!r->any || at < r->low)
        r->low = at;
    if (!r->any || at + rec->count > r->high)
        r->high = at + rec->count;
    r->any = true;
    return NULL;
}

static const char *apply(struct reader *r, const struct record *rec)
{
    if (r->ended)
        return "comes behind the end record";
    switch (rec->type) {
    case 0:
        return apply_data(r, rec);
    case 1:
        r->ended = true;
        return rec->count == 0 ? NULL : "is an end record with data";
    case 2:
    case 4:
        if (rec->count != 2)
            return "is an address record of the wrong length";
        r->upper = (uint32_t)ld_be16(rec->data) << (rec->type == 2 ? 4 : 16);
        return NULL;
    case 3:
    case 5:
        return rec->count == 4 ? NULL : "is a start record of the wrong length";
    default:
        return "is of an unknown type";
    }
}

static int read_records(struct reader *r, char why[IMAGEFILE_WHY_LEN])
{
    struct record rec;

    r->line = 0;
    r->upper = 0;
    r->ended = false;
    for (const char *p = r->p; p < r->end;) {
        const char *eol = memchr(p, '\n', (size_t)(r->end - p));
        const char *next = eol ? eol + 1 : r->end, *end = eol ? eol : r->end;
        r->line++;
        while (end > p && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
            end--;
        const char *wrong = end == p ? NULL : parse_record(p, end, &rec);
        if (!wrong && end != p)
            wrong = apply(r, &rec);
        if (wrong) {
            say(why, "line %u of the Intel HEX %s", r->line, wrong);
            return ERR_FORMAT;
        }
        p = next;
    }
    if (!r->ended) {
        say(why, "the Intel HEX has no end record: the file is cut off");
        return ERR_FORMAT;
    }
    return OK;
}

int ihex_parse(struct span text, struct imagefile *f, char why[IMAGEFILE_WHY_LEN])
{
    struct reader r = { .p = (const char *)text.p, .end = (const char *)text.p + text.len };

    *f = (struct imagefile) { .is_hex = true };
    int rc = read_records(&r, why);
    if (rc != OK || !r.any)
        return rc;
    if (r.high - r.low > IMAGEFILE_MAX) {
        say(why,
            "its first byte is at 0x%08" PRIx64 " and its last one at 0x%08" PRIx64
            ", too far apart for one image",
            r.low, r.high - 1);
        return ERR_NOSPACE;
    }
    blob_fill(&f->data, 0xFF, (size_t)(r.high - r.low));
    r.out = f->data.p;
    f->has_base = true;
    f->base = (uint32_t)r.low;
    return read_records(&r, why);
}

static void put_record(struct blob *text, unsigned type, unsigned address, const uint8_t *p,
    unsigned count)
{
    char line[16 + 2 * LINE_DATA];
    unsigned sum = count + (address >> 8) + address + type;
    int n = snprintf(line, sizeof line, ":%02X%04X%02X", count, address, type);

    for (unsigned i = 0; i < count; i++) {
        n += snprintf(line + n, sizeof line - (size_t)n, "%02X", p[i]);
        sum += p[i];
    }
    n += snprintf(line + n, sizeof line - (size_t)n, "%02X\n", (unsigned)(-sum & 0xFF));
    blob_add(text, line, (size_t)n);
}

void ihex_format(const struct imagefile *f, struct blob *text)
{
    uint32_t upper = 0;

    for (size_t at = 0; at < f->data.len;) {
        uint32_t address = f->base + (uint32_t)at;
        if (address >> 16 != upper) {
            uint8_t b[2];
            upper = address >> 16;
            st_be16(b, (uint16_t)upper);
            put_record(text, 4, 0, b, sizeof b);
        }
        size_t left = f->data.len - at;
        unsigned n = LINE_DATA - address % LINE_DATA;
        if (n > left)
            n = (unsigned)left;
        put_record(text, 0, address & 0xFFFF, f->data.p + at, n);
        at += n;
    }
    put_record(text, 1, 0, NULL, 0);
}
