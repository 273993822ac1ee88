/*
 * Images are built here, byte by byte, in a chip that is read only, and signed through host/lib/keys
 * (OpenSSL). For test_image.c, which includes it once.
 */
#ifndef TESTS_UNIT_IMAGE_IMAGE_KIT_H
#define TESTS_UNIT_IMAGE_IMAGE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/image/image.h"
#include "host/lib/keys/keys.h"

enum { MEM = 8192, SLOT0 = 0xC000, SLOT0_SIZE = 904 * 1024 };

/* A chip that is read only. Reads beyond `bound` fail the test. */
struct rom {
    uint8_t mem[MEM];
    uint32_t bound;
    unsigned reads;
    unsigned fail_at; /* the read that fails, from 1; 0: none */
    int error;
};

static int rom_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct rom *r = ctx;

    if (off > r->bound || len > r->bound - off)
        fail_msg("read of %u at %u, only %u may be read", len, off, r->bound);
    if (++r->reads == r->fail_at)
        return r->error;
    memcpy(buf, r->mem + off, len);
    return OK;
}

static int rom_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static uint32_t rom_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct flash_ops rom_ops = { .read = rom_read, .poll = rom_poll, .now_ms = rom_now };
static struct rom rom;
static struct flash_dev dev;
static struct flash_area area;
static struct key *signers[3];
static struct image_key keys[3];
static const struct image_keys known = { .key = keys, .count = 2 }; /* keys[2] is a stranger */

static void rom_new(void)
{
    memset(&rom, 0, sizeof rom);
    memset(rom.mem, 0xFF, sizeof rom.mem);
    rom.bound = MEM;
    dev = (struct flash_dev) { .ops = &rom_ops, .ctx = &rom, .name = "rom", .size = MEM,
        .erase_size = 4096, .prog_size = 4, .prog_max = 256 };
    area = (struct flash_area) { .dev = &dev, .off = 0, .size = MEM };
}

/* What the builder puts together; TLV areas are given as bytes. */
struct parts {
    uint16_t hdr_size;
    uint32_t img_size;
    uint32_t flags;
    uint8_t prot[64];
    uint32_t prot_len; /* without the info header; 0: no protected area */
    bool no_hash, no_sig, no_keyhash;
    int key; /* that signs */
    uint32_t pad_sig; /* zeros behind the signature */
    const char *extra; /* more unprotected TLVs, before the others */
    uint32_t extra_len;
};

static const struct parts plain = { .hdr_size = 0x100, .img_size = 500 };
static uint32_t image_end; /* of what build() made */
static uint32_t tlv_at;

static uint32_t put(uint32_t at, const void *p, size_t len)
{
    assert_true(at + len <= MEM);
    if (len > 0)
        memcpy(rom.mem + at, p, len);
    return at + (uint32_t)len;
}

static uint32_t put_tlv(uint32_t at, unsigned type, const void *p, size_t len)
{
    uint8_t entry[4];

    st_le16(entry, (uint16_t)type);
    st_le16(entry + 2, (uint16_t)len);
    return put(put(at, entry, sizeof entry), p, len);
}

static void put_info(uint32_t at, unsigned magic, uint32_t len)
{
    st_le16(rom.mem + at, (uint16_t)magic);
    st_le16(rom.mem + at + 2, (uint16_t)len);
}

static void sha256(const void *data, size_t len, uint8_t out[32])
{
    struct crypto_sha256 s;

    crypto_sha256_init(&s);
    crypto_sha256_update(&s, data, len);
    crypto_sha256_final(&s, out);
}

static size_t sign(int key, const uint8_t hash[32], uint8_t sig[80])
{
    size_t len;

    assert_true(key_sign(signers[key], hash, sig, &len));
    memset(sig + len, 0, 80 - len);
    return len;
}

static uint32_t put_signature(uint32_t at, int key, const uint8_t hash[32], uint32_t pad)
{
    uint8_t sig[80];
    size_t len = sign(key, hash, sig);

    at = put_tlv(at, IMAGE_TLV_KEYHASH, keys[key].hash, 32);
    return put_tlv(at, IMAGE_TLV_ECDSA_SIG, sig, len + pad);
}

static void build_at(uint32_t off, const struct parts *p)
{
    uint8_t *h = rom.mem + off, hash[32];
    uint32_t prot = p->prot_len ? p->prot_len + IMAGE_TLV_INFO_LEN : 0;

    memset(h, 0, p->hdr_size);
    st_le32(h, IMAGE_MAGIC);
    st_le16(h + 8, p->hdr_size);
    st_le16(h + 10, (uint16_t)prot);
    st_le32(h + 12, p->img_size);
    st_le32(h + 16, p->flags);
    h[20] = 1;
    h[21] = 2;
    st_le16(h + 22, 3);
    st_le32(h + 24, 4);
    uint32_t at = off + p->hdr_size;
    for (uint32_t i = 0; i < p->img_size; i++)
        rom.mem[at + i] = (uint8_t)(i * 13 + 5);
    st_le32(rom.mem + at, 0x20010000);
    st_le32(rom.mem + at + 4, SLOT0 + p->hdr_size + 0x101);
    at += p->img_size;
    if (prot) {
        put_info(at, IMAGE_TLV_PROT_MAGIC, prot);
        at = put(at + 4, p->prot, p->prot_len);
    }
    sha256(h, at - off, hash);
    tlv_at = at;
    at = put(at + 4, p->extra, p->extra_len);
    if (!p->no_hash)
        at = put_tlv(at, IMAGE_TLV_SHA256, hash, 32);
    if (!p->no_sig && p->no_keyhash) {
        uint8_t sig[80];
        at = put_tlv(at, IMAGE_TLV_ECDSA_SIG, sig, sign(p->key, hash, sig));
    } else if (!p->no_sig) {
        at = put_signature(at, p->key, hash, p->pad_sig);
    }
    put_info(tlv_at, IMAGE_TLV_MAGIC, at - tlv_at);
    image_end = at - off;
}

static void build(const struct parts *p)
{
    rom_new();
    build_at(0, p);
}

#endif
