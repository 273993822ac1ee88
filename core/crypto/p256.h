/*
 * ECDSA P-256 over BearSSL, in its two implementations: the one step of crypto.h whose speed, size and
 * stack differ so much that an image chooses. p256_verify() is what crypto_ecdsa_poll() calls; an image
 * links one definition of it.
 *
 *                         code      stack     time at 64 MHz     who
 *     p256_m31.c          9.6 KB    2.5 KB    0.25 s             applications, host
 *     p256_i31.c          6.5 KB    4.0 KB    0.5 s              the bootloader, for its 28 KiB of flash
 */
#ifndef CORE_CRYPTO_P256_H
#define CORE_CRYPTO_P256_H

#include <stdint.h>

#include "core/crypto/crypto.h"

enum { P256_SCALAR_LEN = 32, P256_SIG_LEN = 2 * P256_SCALAR_LEN };

/* `sig` is r || s, big-endian. */
enum verdict p256_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN]);

/* The same by BearSSL's generic code for prime curves, for an image whose p256_verify() calls it. */
enum verdict p256_i31_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN]);

#endif
