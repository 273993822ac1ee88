/* Hash and signatures: is this the image that was signed, and by a key that this board knows? */
#include <string.h>

#include "core/image/image_priv.h"

/* Signature types that only other bootloaders check: with one of them an image is not "unsigned". */
enum {
    TLV_RSA2048_PSS = 0x20,
    TLV_ECDSA224 = 0x21,
    TLV_RSA3072_PSS = 0x23,
    TLV_ED25519 = 0x24,
};

enum { SPKI_PREFIX_LEN = 26 };

/* SubjectPublicKeyInfo of an uncompressed P-256 point up to the point (RFC 5480). */
static const uint8_t spki_prefix[SPKI_PREFIX_LEN] = {
    0x30, 0x59, 0x30, 0x13, /* SEQUENCE, SEQUENCE */
    0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, /* id-ecPublicKey */
    0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, /* prime256v1 */
    0x03, 0x42, 0x00, /* BIT STRING, no unused bits */
};

void image_key_hash(struct image_key *key)
{
    struct crypto_sha256 s;

    crypto_sha256_init(&s);
    crypto_sha256_update(&s, spki_prefix, sizeof spki_prefix);
    crypto_sha256_update(&s, key->point, sizeof key->point);
    crypto_sha256_final(&s, key->hash);
}

static int hash_image(const struct image *img, uint8_t *buf, uint32_t buf_len,
    uint8_t out[CRYPTO_SHA256_LEN], struct finding *why)
{
    struct crypto_sha256 s;

    crypto_sha256_init(&s);
    for (uint32_t at = 0; at < img->tlv_off;) {
        uint32_t left = img->tlv_off - at;
        uint32_t n = left < buf_len ? left : buf_len;
        int rc = image_read(img, at, buf, n, why);
        if (rc != OK)
            return rc;
        crypto_sha256_update(&s, buf, n);
        at += n;
    }
    crypto_sha256_final(&s, out);
    return OK;
}

int image_hash(const struct image *img, uint8_t *buf, uint32_t buf_len,
    uint8_t out[CRYPTO_SHA256_LEN])
{
    struct finding why;

    return hash_image(img, buf, buf_len, out, &why);
}

void image_auth_start(struct image_auth *a, const struct image *img, const struct image_keys *keys,
    const uint8_t hash[CRYPTO_SHA256_LEN])
{
    memset(a, 0, sizeof *a);
    a->img = img;
    a->keys = keys;
    memcpy(a->hash, hash, sizeof a->hash);
    image_tlv_begin(&a->it, img);
    a->key = -1;
    a->any = VERDICT_BAD;
}

static int refuse(struct finding *why, enum reason reason, uint32_t found, uint32_t expected)
{
    (void)image_bad(why, reason, found, expected, 0);
    return ERR_VERIFY;
}

/* A shorter KEYHASH would match any key that begins so: it selects none. */
static int select_key(struct image_auth *a, struct finding *why)
{
    uint8_t hash[CRYPTO_SHA256_LEN];

    a->key = -1;
    if (a->it.len != sizeof hash)
        return OK;
    int rc = image_read(a->img, a->it.data_off, hash, sizeof hash, why);
    if (rc != OK)
        return rc;
    a->last_keyhash = ld_be32(hash);
    for (unsigned i = 0; i < a->keys->count && a->key < 0; i++) {
        if (crypto_equal(a->keys->key[i].hash, hash, sizeof hash))
            a->key = (int)i;
    }
    return OK;
}

static int begin_check(struct image_auth *a, struct finding *why)
{
    a->seen_signature = true;
    if (a->key < 0)
        return OK;
    if (a->it.len > sizeof a->sig)
        return refuse(why, REASON_IMG_SIGNATURE, 0, 0);
    int rc = image_read(a->img, a->it.data_off, a->sig, a->it.len, why);
    if (rc != OK)
        return rc;
    crypto_ecdsa_start(&a->ecdsa, a->keys->key[a->key].point, a->hash,
        span_of(a->sig, a->it.len));
    a->checking = true;
    return OK;
}

static int end_check(struct image_auth *a, struct finding *why)
{
    enum verdict verdict = VERDICT_BAD;

    if (!crypto_ecdsa_poll(&a->ecdsa, &verdict))
        return ERR_BUSY;
    a->checking = false;
    a->key = -1;
    if (verdict != VERDICT_GOOD)
        return refuse(why, REASON_IMG_SIGNATURE, 0, 0);
    a->any = VERDICT_GOOD;
    return OK;
}

/* Signatures do not lie in what they cover: only the unprotected area is looked at. */
static int next_tlv(struct image_auth *a, struct finding *why)
{
    if (a->it.prot)
        return OK;
    switch (a->it.type) {
    case IMAGE_TLV_KEYHASH:
        return select_key(a, why);
    case IMAGE_TLV_ECDSA_SIG:
        return begin_check(a, why);
    case TLV_RSA2048_PSS:
    case TLV_ECDSA224:
    case TLV_RSA3072_PSS:
    case TLV_ED25519:
        a->seen_signature = true;
        a->key = -1;
        return OK;
    default:
        return OK;
    }
}

static int conclude(const struct image_auth *a, enum verdict *verdict, struct finding *why)
{
    if (!a->seen_signature)
        return refuse(why, REASON_IMG_UNSIGNED, 0, 0);
    if (a->any != VERDICT_GOOD)
        return refuse(why, REASON_IMG_STRANGER, a->last_keyhash, 0);
    /* Once more, so that one skipped comparison is not enough to let an image pass. */
    if (!a->img->has_hash || !crypto_equal(a->img->hash, a->hash, sizeof a->hash))
        return refuse(why, REASON_IMG_HASH, ld_be32(a->hash), ld_be32(a->img->hash));
    *verdict = VERDICT_GOOD;
    return OK;
}

int image_auth_poll(struct image_auth *a, enum verdict *verdict, struct finding *why)
{
    const struct image_tlv_iter before = a->it;

    *verdict = VERDICT_BAD;
    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    if (!a->compared) {
        a->compared = true;
        if (!a->img->has_hash || !crypto_equal(a->img->hash, a->hash, sizeof a->hash))
            return refuse(why, REASON_IMG_HASH, ld_be32(a->hash), ld_be32(a->img->hash));
    }
    if (a->checking) {
        int rc = end_check(a, why);
        return rc == OK ? ERR_BUSY : rc;
    }
    int rc = image_tlv_read(&a->it, why);
    if (rc == 0)
        return conclude(a, verdict, why);
    if (rc > 0)
        rc = next_tlv(a, why);
    if (rc == ERR_BUSY)
        a->it = before; /* the chip has something else to do: the same TLV again */
    return rc == OK ? ERR_BUSY : rc;
}

int image_verify(const struct image *img, const struct image_keys *keys, uint8_t *buf,
    uint32_t buf_len, enum verdict *verdict, struct finding *why)
{
    struct image_auth a;
    uint8_t hash[CRYPTO_SHA256_LEN];

    *verdict = VERDICT_BAD;
    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    int rc = hash_image(img, buf, buf_len, hash, why);
    if (rc != OK)
        return rc;
    image_auth_start(&a, img, keys, hash);
    do
        rc = image_auth_poll(&a, verdict, why);
    while (rc == ERR_BUSY);
    return rc;
}
