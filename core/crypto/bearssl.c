/*
 * crypto.h over BearSSL: br_sha256, and ECDSA P-256 by what the image has for it (p256.h).
 *
 * BearSSL's own DER decoder lets some non-canonical encodings pass, so the signature is decoded here,
 * strictly, and given to it as r || s.
 */
#include <bearssl.h>
#include <string.h>

#include "core/crypto/crypto.h"
#include "core/crypto/p256.h"

enum { SCALAR_LEN = P256_SCALAR_LEN, RAW_SIG_LEN = P256_SIG_LEN };

_Static_assert(sizeof(br_sha256_context) <= sizeof(struct crypto_sha256), "context does not fit");
_Static_assert(_Alignof(br_sha256_context) <= _Alignof(struct crypto_sha256), "misaligned context");
_Static_assert(br_sha256_SIZE == CRYPTO_SHA256_LEN, "digest length");

/* The bytes of *s are touched by BearSSL only. */
void crypto_sha256_init(struct crypto_sha256 *s)
{
    memset(s, 0, sizeof *s);
    br_sha256_init((void *)s);
}

void crypto_sha256_update(struct crypto_sha256 *s, const void *data, size_t len)
{
    br_sha256_update((void *)s, data, len);
}

void crypto_sha256_final(const struct crypto_sha256 *s, uint8_t out[CRYPTO_SHA256_LEN])
{
    br_sha256_out((const void *)s, out);
}

/*
 * One INTEGER of an Ecdsa-Sig-Value as 32 bytes, big-endian. DER (X.690 8.3, 10.1): the shortest
 * form, so no leading zero unless the next bit is set; a set first bit would be a negative number.
 */
static bool read_scalar(struct rd *r, uint8_t out[SCALAR_LEN])
{
    uint8_t tag = rd_u8(r);
    size_t len = rd_u8(r);
    const uint8_t *p = rd_take(r, len);

    if (r->bad || tag != 0x02 || len == 0 || (p[0] & 0x80) != 0)
        return false;
    if (p[0] == 0 && len > 1) {
        if ((p[1] & 0x80) == 0)
            return false;
        p++;
        len--;
    }
    if (len > SCALAR_LEN || bytes_all(p, len, 0))
        return false;
    memset(out, 0, SCALAR_LEN - len);
    memcpy(out + SCALAR_LEN - len, p, len);
    return true;
}

/*
 *     30 LEN  02 LEN r  02 LEN s  [padding]
 *
 * Two numbers of 35 bytes at most: a length in long form (81 and more) never fits them.
 */
static bool read_signature(struct span sig, uint8_t raw[RAW_SIG_LEN])
{
    struct rd outer = rd_of(sig);
    uint8_t tag = rd_u8(&outer);
    size_t len = rd_u8(&outer);
    const uint8_t *p = rd_take(&outer, len);

    if (outer.bad || tag != 0x30)
        return false;
    struct rd r = rd_of(span_of(p, len));
    return read_scalar(&r, raw) && read_scalar(&r, raw + SCALAR_LEN) && r.left == 0;
}

void crypto_ecdsa_start(struct crypto_ecdsa *e, const uint8_t pub[CRYPTO_P256_POINT_LEN],
    const uint8_t hash[CRYPTO_SHA256_LEN], struct span sig)
{
    e->pub = pub;
    e->sig = sig;
    memcpy(e->hash, hash, sizeof e->hash);
}

bool crypto_ecdsa_poll(struct crypto_ecdsa *e, enum verdict *verdict)
{
    uint8_t raw[RAW_SIG_LEN];

    *verdict = read_signature(e->sig, raw) ? p256_verify(e->pub, e->hash, raw) : VERDICT_BAD;
    return true;
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (uint8_t)(x[i] ^ y[i]);
    return diff == 0;
}
