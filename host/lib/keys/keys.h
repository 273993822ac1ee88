/*
 * Signing keys: ECDSA P-256 in PEM files, as imgtool and OpenSSL write and read them. Reads PKCS#8
 * ("PRIVATE KEY"), SEC1 ("EC PRIVATE KEY") and public halves ("PUBLIC KEY"); writes PKCS#8 and
 * SubjectPublicKeyInfo. Over OpenSSL, whose headers stay in keys.c.
 *
 * `why` takes one sentence about what went wrong, without a full stop; KEY_WHY_LEN bytes.
 */
#ifndef HOST_LIB_KEYS_KEYS_H
#define HOST_LIB_KEYS_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/crypto/crypto.h"

enum { KEY_WHY_LEN = 256 };

struct key; /* a private key, or a public half alone */

/* A new private key from the system's randomness. NULL: OpenSSL failed. */
struct key *key_generate(void);
/* NULL and *why: no such file, not PEM, protected by a password, not P-256, halves that do not match. */
struct key *key_read(const char *path, char why[KEY_WHY_LEN]);
/* The same for PEM text in memory. */
struct key *key_parse(const void *pem, size_t len, char why[KEY_WHY_LEN]);
void key_free(struct key *k);

bool key_is_private(const struct key *k);
/* 04 || X || Y */
void key_point(const struct key *k, uint8_t point[CRYPTO_P256_POINT_LEN]);
/* SHA-256 over the SubjectPublicKeyInfo: what the KEYHASH TLV holds. */
void key_hash(const struct key *k, uint8_t hash[CRYPTO_SHA256_LEN]);

/* PEM text, to be freed by the caller. NULL: OpenSSL failed (or no private half). */
char *key_private_pem(const struct key *k);
char *key_public_pem(const struct key *k);

/* What became of key_create(). */
enum key_created {
    KEY_CREATED,
    KEY_EXISTS, /* the file is there; nothing was touched */
    KEY_FAILED, /* *why; no file is left behind */
};
/* Writes the private key into a new file that only its owner can read (0600). */
enum key_created key_create(const struct key *k, const char *path, char why[KEY_WHY_LEN]);

/* A DER Ecdsa-Sig-Value over a SHA-256 hash; *len <= CRYPTO_SIG_MAX. False: no private half. */
bool key_sign(const struct key *k, const uint8_t hash[CRYPTO_SHA256_LEN],
    uint8_t sig[CRYPTO_SIG_MAX], size_t *len);

#endif
