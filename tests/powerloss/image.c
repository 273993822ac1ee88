/* Signed images that are the same bytes in every run, so that a plan replays exactly. */
#include <bearssl.h>
#include <stdlib.h>
#include <string.h>

#include "tests/powerloss/bench.h"

enum {
    HDR = 0x200,
    SIG_MAX = 72,
    TLVS = IMAGE_TLV_INFO_LEN + (4 + 32) + (4 + 32) + (4 + SIG_MAX),
    RAM_END = 0x20040000,
};

void pl_key_make(struct pl_key *k)
{
    br_ec_private_key priv = { .curve = BR_EC_secp256r1, .x = k->scalar, .xlen = sizeof k->scalar };

    for (unsigned i = 0; i < sizeof k->scalar; i++)
        k->scalar[i] = (uint8_t)(i + 1);
    if (br_ec_compute_pub(&br_ec_p256_m31, NULL, k->pub.point, &priv) != CRYPTO_P256_POINT_LEN)
        abort();
    image_key_hash(&k->pub);
}

static void put_payload(uint8_t *b, uint32_t from, uint32_t to, uint32_t seed, uint32_t shared)
{
    for (uint32_t i = from; i < to; i++) {
        uint32_t s = i / UNIT < 32 && shared >> (i / UNIT) & 1 ? 0 : seed;
        uint32_t x = (i + 1) * 2654435761u ^ (s + 1) * 2246822519u;
        x ^= x >> 15;
        x *= 2654435761u;
        b[i] = (uint8_t)(x >> 24);
    }
}

static uint8_t *put_tlv(uint8_t *p, unsigned type, const void *data, size_t len)
{
    st_le16(p, (uint16_t)type);
    st_le16(p + 2, (uint16_t)len);
    memcpy(p + 4, data, len);
    return p + 4 + len;
}

static void put_signature(uint8_t *p, const struct pl_key *k, const uint8_t *hash)
{
    br_ec_private_key priv = { .curve = BR_EC_secp256r1, .x = (uint8_t *)(uintptr_t)k->scalar,
        .xlen = sizeof k->scalar };
    uint8_t sig[SIG_MAX] = { 0 };

    if (br_ecdsa_i31_sign_asn1(&br_ec_p256_m31, &br_sha256_vtable, hash, &priv, sig) == 0)
        abort();
    put_tlv(p, IMAGE_TLV_ECDSA_SIG, sig, sizeof sig);
}

struct pl_image pl_image_make(const struct pl_key *k, const struct layout *l, uint32_t seed, uint32_t len,
    uint32_t shared)
{
    struct pl_image im = { .len = len, .units = (len + UNIT - 1) / UNIT };
    uint32_t img = len - HDR - TLVS;
    uint8_t hash[32];
    br_sha256_context sha;

    im.data = malloc((size_t)im.units * UNIT);
    if (!im.data)
        abort();
    memset(im.data, 0xFF, (size_t)im.units * UNIT);
    memset(im.data, 0, HDR);
    st_le32(im.data, IMAGE_MAGIC);
    st_le16(im.data + 8, HDR);
    st_le32(im.data + 12, img);
    im.data[20] = (uint8_t)seed; /* major version */
    put_payload(im.data, HDR, HDR + img, seed, shared);
    st_le32(im.data + HDR, RAM_END);
    st_le32(im.data + HDR + 4, l->slot0.off + HDR + 0x101);
    br_sha256_init(&sha);
    br_sha256_update(&sha, im.data, HDR + img);
    br_sha256_out(&sha, hash);
    uint8_t *p = im.data + HDR + img;
    st_le16(p, IMAGE_TLV_MAGIC);
    st_le16(p + 2, TLVS);
    p = put_tlv(p + 4, IMAGE_TLV_SHA256, hash, sizeof hash);
    p = put_tlv(p, IMAGE_TLV_KEYHASH, k->pub.hash, sizeof k->pub.hash);
    put_signature(p, k, hash);
    br_sha256_init(&sha);
    br_sha256_update(&sha, im.data, len);
    br_sha256_out(&sha, im.sha);
    return im;
}
