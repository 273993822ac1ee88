/* MCUboot images in bin and hex files. */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "host/doctor/artifact.h"

/*
 * Header, 32 bytes, little endian (bootutil/image.h):
 *
 *   0 magic  4 load_addr  8 hdr_size u16  10 protected TLV size u16  12 img_size  16 flags
 *   20 major u8  21 minor u8  22 revision u16  24 build u32  28 reserved
 */
enum {
    HDR_MAGIC = 0,
    HDR_LOAD = 4,
    HDR_SIZE = 8,
    HDR_PROTECTED = 10,
    HDR_IMAGE = 12,
    HDR_FLAGS = 16,
    HDR_MAJOR = 20,
    HDR_MINOR = 21,
    HDR_REVISION = 22,
    HDR_BUILD = 24,
    HDR_LEN = 32,
};
#define IMAGE_MAGIC 0x96f3b83du
enum { TLV_MAGIC = 0x6907, TLV_PROTECTED_MAGIC = 0x6908 };
enum {
    TLV_KEYHASH = 0x01,
    TLV_SHA256 = 0x10,
    TLV_RSA2048 = 0x20,
    TLV_ECDSA = 0x22,
    TLV_RSA3072 = 0x23,
    TLV_ED25519 = 0x24,
};
enum { FLAG_ENCRYPTED_128 = 0x04, FLAG_ENCRYPTED_256 = 0x08 };
enum { HEX_MAX_SPAN = 16 << 20 };

static const uint8_t trailer_magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c,
    0xb6, 0x79, 0x80 };

static void take_tlv(struct artifact *a, unsigned type, const uint8_t *value, size_t len)
{
    static const struct {
        unsigned tlv;
        enum key_type key;
    } signatures[] = { { TLV_RSA2048, KEY_RSA2048 }, { TLV_ECDSA, KEY_EC256 }, { TLV_RSA3072, KEY_RSA3072 },
        { TLV_ED25519, KEY_ED25519 } };

    if (type == TLV_SHA256 && len == 32) {
        a->has_hash = true;
        memcpy(a->hash, value, 32);
    } else if (type == TLV_KEYHASH && len == 32) {
        a->has_keyhash = true;
        memcpy(a->keyhash, value, 32);
    }
    for (size_t i = 0; i < 4; i++) {
        if (signatures[i].tlv == type) {
            a->has_signature = true;
            a->signature_type = signatures[i].key;
            a->signature = value;
            a->signature_len = len;
        }
    }
}

/* One TLV area at `at`: its end, or 0 if it does not fit. */
static size_t read_tlvs(struct artifact *a, size_t at, unsigned magic)
{
    const uint8_t *d = a->blob.data;
    size_t len = a->blob.len;

    if (at + 4 > len || ld_le16(d + at) != magic)
        return 0;
    size_t end = at + ld_le16(d + at + 2);
    if (end > len)
        return 0;
    for (at += 4; at + 4 <= end;) {
        unsigned type = ld_le16(d + at);
        size_t n = ld_le16(d + at + 2);
        if (at + 4 + n > end)
            return 0;
        take_tlv(a, type, d + at + 4, n);
        at += 4 + n;
    }
    return end;
}

static void check_body(struct artifact *a, unsigned protected_size)
{
    size_t body = (size_t)a->header_size + a->image_size;
    uint8_t digest[32];

    if (body > a->blob.len) {
        a->broken = "the file ends before the image that its header announces";
        return;
    }
    a->digest_len = body + protected_size;
    size_t at = body;
    if (protected_size && (at = read_tlvs(a, at, TLV_PROTECTED_MAGIC)) != a->digest_len) {
        a->broken = "the protected TLV area is not of the size that the header says";
        a->has_signature = false;
        return;
    }
    size_t end = read_tlvs(a, at, TLV_MAGIC);
    if (!end) {
        a->broken = "there is no TLV area behind the image: it has neither hash nor signature";
        return;
    }
    a->signed_size = (uint32_t)end;
    if (a->has_hash && !a->encrypted) {
        SHA256(a->blob.data, a->digest_len, digest);
        a->hash_ok = memcmp(digest, a->hash, 32) == 0;
    } else {
        a->hash_ok = a->has_hash && a->encrypted;
    }
    a->has_trailer = a->blob.len >= end + 16 && memcmp(a->blob.data + a->blob.len - 16, trailer_magic, 16) == 0;
}

static void read_vectors(struct artifact *a, size_t at)
{
    if (at + 8 > a->blob.len || a->encrypted)
        return;
    a->stack_pointer = ld_le32(a->blob.data + at);
    a->reset_vector = ld_le32(a->blob.data + at + 4);
    a->has_vectors = (a->stack_pointer >> 28) == 2 && (a->reset_vector & 1);
}

static void read_header(struct artifact *a)
{
    const uint8_t *d = a->blob.data;

    if (a->blob.len < HDR_LEN || ld_le32(d + HDR_MAGIC) != IMAGE_MAGIC) {
        a->plain = true;
        read_vectors(a, 0);
        return;
    }
    a->is_image = true;
    a->load_addr = ld_le32(d + HDR_LOAD);
    a->header_size = ld_le16(d + HDR_SIZE);
    a->image_size = ld_le32(d + HDR_IMAGE);
    a->flags = ld_le32(d + HDR_FLAGS);
    a->version.major = d[HDR_MAJOR];
    a->version.minor = d[HDR_MINOR];
    a->version.revision = ld_le16(d + HDR_REVISION);
    a->version.build = ld_le32(d + HDR_BUILD);
    a->encrypted = (a->flags & (FLAG_ENCRYPTED_128 | FLAG_ENCRYPTED_256)) != 0;
    check_body(a, ld_le16(d + HDR_PROTECTED));
    read_vectors(a, a->header_size);
}

static int hex_byte(const char *p)
{
    int v = 0;

    for (int i = 0; i < 2; i++) {
        char c = (char)tolower((unsigned char)p[i]);
        if (!isxdigit((unsigned char)c))
            return -1;
        v = v * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

struct hex_record {
    unsigned len, type, line;
    uint64_t address; /* of data, with the extended address */
    uint8_t data[255];
};

struct hex_reader {
    const char *at, *end;
    uint64_t upper;
    unsigned line;
    bool bad;
};

/* The next record; false at the end, after the end record, and at the first line that is no record (bad). */
static bool hex_next(struct hex_reader *h, struct hex_record *r)
{
    uint8_t raw[300];
    unsigned sum = 0, n = 0;

    while (h->at < h->end && (*h->at == '\r' || *h->at == '\n')) {
        h->line += *h->at == '\n';
        h->at++;
    }
    if (h->at >= h->end)
        return false;
    h->bad = true;
    if (*h->at++ != ':')
        return false;
    for (; h->at + 1 < h->end && n < sizeof raw && isxdigit((unsigned char)*h->at); h->at += 2, n++) {
        int b = hex_byte(h->at);
        if (b < 0)
            return false;
        raw[n] = (uint8_t)b;
        sum += raw[n];
    }
    if (n < 5 || n != raw[0] + 5u || (sum & 0xff) != 0)
        return false;
    h->bad = false;
    r->len = raw[0];
    r->type = raw[3];
    r->line = h->line + 1;
    if (r->type == 4 && r->len == 2)
        h->upper = (uint64_t)(raw[4] << 8 | raw[5]) << 16;
    else if (r->type == 1)
        h->at = h->end;
    else if (r->type == 2 && r->len == 2)
        h->upper = (uint64_t)(raw[4] << 8 | raw[5]) << 4;
    r->address = h->upper + (unsigned)(raw[1] << 8 | raw[2]);
    memcpy(r->data, raw + 4, r->len);
    return true;
}

/* The first contiguous stretch of a hex file (gaps up to 4 KiB are filled), where images lie. NULL, or
 * why there is none. */
static const char *hex_to_blob(struct sources *s, struct source *f, const char *text, size_t len, struct blob *b)
{
    struct hex_reader h = { .at = text, .end = text + len };
    struct hex_record r;
    uint64_t low = UINT64_MAX, high = 0;

    while (hex_next(&h, &r)) {
        if (r.type != 0)
            continue;
        if (low == UINT64_MAX)
            low = high = r.address;
        if (r.address < low || r.address > high + 4096)
            break;
        if (r.address + r.len > high)
            high = r.address + r.len;
    }
    if (h.bad)
        return pool_printf(s->pool, "line %u is no Intel HEX record", h.line + 1);
    if (low == UINT64_MAX)
        return "there is no data in this Intel HEX file";
    if (high - low > HEX_MAX_SPAN)
        return "its data spans more than any firmware";
    if (!source_charge(s, f, (size_t)(high - low)))
        return f->trouble;
    uint8_t *data = pool_alloc(s->pool, (size_t)(high - low) + 1);
    memset(data, 0xff, (size_t)(high - low));
    h = (struct hex_reader) { .at = text, .end = text + len };
    while (hex_next(&h, &r)) {
        if (r.type == 0 && r.address >= low && r.address + r.len <= high)
            memcpy(data + (r.address - low), r.data, r.len);
    }
    *b = (struct blob) { .data = data, .len = (size_t)(high - low), .base = low, .is_hex = true };
    return NULL;
}

struct artifact *artifact_of(
    struct sources *s, struct source *f, const char *rel, const uint8_t *data, size_t len, bool hex)
{
    struct artifact *a = pool_alloc(s->pool, sizeof *a);

    a->rel = rel;
    a->file = f;
    if (hex) {
        f->trouble = hex_to_blob(s, f, (const char *)data, len, &a->blob);
        if (f->trouble)
            return NULL;
    } else {
        a->blob = (struct blob) { .data = data, .len = len };
    }
    read_header(a);
    return a;
}

struct artifact *artifact_read(struct sources *s, struct source *f)
{
    const char *text = source_text(s, f);

    if (!text)
        return NULL;
    return artifact_of(s, f, f->rel, (const uint8_t *)text, f->len, text_ends(f->base, ".hex"));
}

bool hex_touches(struct sources *s, struct source *f, uint64_t from, uint64_t to, unsigned *line)
{
    const char *text = source_text(s, f);
    struct hex_reader h = { .at = text, .end = text ? text + f->len : NULL };
    struct hex_record r;

    while (text && hex_next(&h, &r)) {
        if (r.type == 0 && r.address >= from && r.address < to) {
            *line = r.line;
            return true;
        }
    }
    return false;
}

/* imgtool before 1.9 filled ECDSA signatures up with zeros; what counts is the DER sequence in front. */
static size_t signature_size(const struct artifact *a)
{
    const uint8_t *s = a->signature;
    size_t der = a->signature_len >= 2 && s[0] == 0x30 && s[1] < 0x80 ? s[1] + 2u : a->signature_len;

    return a->signature_type == KEY_EC256 && der < a->signature_len ? der : a->signature_len;
}

bool artifact_verify(const struct artifact *a, const struct key *k)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    bool ok = false;

    if (!ctx || !a->has_signature || k->type != a->signature_type) {
        EVP_MD_CTX_free(ctx);
        return false;
    }
    if (k->type == KEY_ED25519) {
        /* Ed25519 signs the digest, not the image. */
        ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k->pkey) == 1
            && EVP_DigestVerify(ctx, a->signature, a->signature_len, a->hash, 32) == 1;
    } else if (EVP_DigestVerifyInit(ctx, &pctx, EVP_sha256(), NULL, k->pkey) == 1) {
        bool rsa = k->type == KEY_RSA2048 || k->type == KEY_RSA3072;
        if (rsa) {
            EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING);
            EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, 32);
        }
        ok = EVP_DigestVerify(ctx, a->signature, signature_size(a), a->blob.data, a->digest_len) == 1;
    }
    EVP_MD_CTX_free(ctx);
    return ok;
}
