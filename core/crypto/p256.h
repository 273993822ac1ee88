/*
 * ECDSA P-256 by one of two libraries: the one step of crypto.h whose speed and size differ so much that an
 * image chooses. p256_verify() is what crypto_ecdsa_poll() calls; an image links one definition of it.
 *
 *                         code      stack     time at 64 MHz     who
 *     p256_m31.c          9.6 KB    2.5 KB    0.25 s             applications, host: BearSSL
 *     p256_p256m.c        1.8 KB    0.8 KB    0.45 s             the bootloader, for its 28 KiB of flash: p256-m
 */
#ifndef CORE_CRYPTO_P256_H
#define CORE_CRYPTO_P256_H

#include <stdint.h>

#include "core/crypto/crypto.h"

enum { P256_SCALAR_LEN = 32, P256_SIG_LEN = 2 * P256_SCALAR_LEN };

/* `sig` is r || s, big-endian. */
enum verdict p256_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN]);

#endif
