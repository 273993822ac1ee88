#include "tests/support/testimage.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

static void require(int ok)
{
    if (!ok)
        abort();
}

void testkey_make(struct testkey *k)
{
    size_t len = 0;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");

    require(pkey != NULL);
    require(EVP_PKEY_get_octet_string_param(pkey, "pub", k->key.point, sizeof k->key.point, &len));
    require(len == CRYPTO_P256_POINT_LEN);
    image_key_hash(&k->key);
    k->pkey = pkey;
}

void testkey_free(struct testkey *k)
{
    EVP_PKEY_free(k->pkey);
    k->pkey = NULL;
}

static size_t sign(const struct testkey *k, const uint8_t *data, size_t len, uint8_t sig[80])
{
    size_t sig_len = 80;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    require(ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1);
    require(EVP_DigestSign(ctx, sig, &sig_len, data, len) == 1);
    EVP_MD_CTX_free(ctx);
    return sig_len;
}

static uint8_t *put_tlv(uint8_t *p, uint16_t type, const void *data, uint16_t len)
{
    st_le16(p, type);
    st_le16(p + 2, len);
    memcpy(p + 4, data, len);
    return p + 4 + len;
}

static void put_header(uint8_t *h, const struct testimage_options *o, uint32_t hdr, uint32_t img, uint16_t prot)
{
    memset(h, 0, IMAGE_HEADER_LEN);
    st_le32(h, IMAGE_MAGIC);
    st_le16(h + 8, (uint16_t)hdr);
    st_le16(h + 10, prot);
    st_le32(h + 12, img);
    st_le32(h + 16, o->flags);
    h[20] = o->major;
    h[21] = o->minor;
    st_le16(h + 22, o->revision);
    st_le32(h + 24, o->build);
}

uint8_t *testimage_make(const struct testkey *k, const struct testimage_options *o, uint32_t total)
{
    enum { SIG_TLV = 4 + 72, TAIL = 4 + (4 + 32) + (4 + 32) + SIG_TLV }; /* signature padded with zeros to 72 */
    uint32_t hdr = o->hdr_size ? o->hdr_size : 0x200;
    uint16_t prot = o->layout_hash ? 4 + 4 + 4 : 0;
    uint32_t img = total - hdr - prot - TAIL, x = o->seed * 2654435761u + 12345u;
    uint8_t *b = calloc(1, total), hash[32], sig[80] = { 0 };

    require(b && total > hdr + prot + TAIL + 8u);
    put_header(b, o, hdr, img, prot);
    for (uint32_t i = 0; i < img; i++) {
        x = x * 1664525u + 1013904223u;
        b[hdr + i] = (uint8_t)(x >> 24);
    }
    if (o->reset_vector) {
        st_le32(b + hdr, 0x20040000u);
        st_le32(b + hdr + 4, o->reset_vector);
    }
    uint8_t *p = b + hdr + img;
    if (prot) {
        uint8_t v[4];
        st_le32(v, o->layout_hash);
        st_le16(p, IMAGE_TLV_PROT_MAGIC);
        st_le16(p + 2, prot);
        p = put_tlv(p + 4, IMAGE_TLV_LAYOUT, v, 4);
    }
    size_t signed_len = (size_t)(p - b);
    SHA256(b, signed_len, hash);
    sign(k, b, signed_len, sig);
    st_le16(p, IMAGE_TLV_MAGIC);
    st_le16(p + 2, TAIL);
    p = put_tlv(p + 4, IMAGE_TLV_SHA256, hash, 32);
    p = put_tlv(p, IMAGE_TLV_KEYHASH, k->key.hash, 32);
    p = put_tlv(p, IMAGE_TLV_ECDSA_SIG, sig, 72);
    require(p == b + total);
    return b;
}
