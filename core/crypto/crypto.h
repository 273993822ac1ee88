/*
 * The primitives that booting and updating need, over BearSSL (core/crypto/bearssl.c). One
 * implementation an image, chosen by linking: the chip's CryptoCell will be another file behind this
 * same header.
 */
#ifndef CORE_CRYPTO_CRYPTO_H
#define CORE_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

enum {
    CRYPTO_SHA256_LEN = 32,
    CRYPTO_P256_POINT_LEN = 65, /* 04 || X || Y, big-endian */
    CRYPTO_SIG_MAX = 72, /* longest DER Ecdsa-Sig-Value of P-256 */
};

/*
 * The answer to "is it authentic?". Two values far apart, neither of them 0: memory that was never
 * written, and a skipped assignment, are both not VERDICT_GOOD.
 */
enum verdict {
    VERDICT_BAD = 0x5AC3963C,
    VERDICT_GOOD = 0x353CA9C7,
};

/* SHA-256 (FIPS 180-4) in pieces. The contents are the implementation's. */
struct crypto_sha256 {
    uint64_t opaque[14];
};

void crypto_sha256_init(struct crypto_sha256 *s);
void crypto_sha256_update(struct crypto_sha256 *s, const void *data, size_t len);
/* The digest of what was given so far; the context may go on to be updated. */
void crypto_sha256_final(const struct crypto_sha256 *s, uint8_t out[CRYPTO_SHA256_LEN]);

/*
 * ECDSA P-256 over a SHA-256 hash (FIPS 186-4), started and polled: in software one poll takes some
 * 0.25 s on the device and answers; an engine answers when it has finished.
 * `sig` is a DER Ecdsa-Sig-Value; bytes behind it are ignored (imgtool --pad-sig). `pub` and `sig`
 * must stay in place until the end.
 */
struct crypto_ecdsa {
    const uint8_t *pub;
    struct span sig;
    uint8_t hash[CRYPTO_SHA256_LEN];
};

void crypto_ecdsa_start(struct crypto_ecdsa *e, const uint8_t pub[CRYPTO_P256_POINT_LEN],
    const uint8_t hash[CRYPTO_SHA256_LEN], struct span sig);
/* True when finished, then *verdict is the answer; false: poll again. */
bool crypto_ecdsa_poll(struct crypto_ecdsa *e, enum verdict *verdict);

/* Compares without a branch on the contents. */
bool crypto_equal(const void *a, const void *b, size_t len);

#endif
