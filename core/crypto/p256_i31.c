#include <bearssl.h>
#include <string.h>

#include "core/crypto/p256.h"

enum verdict p256_i31_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN])
{
    uint8_t point[CRYPTO_P256_POINT_LEN];

    memcpy(point, pub, sizeof point); /* br_ec_public_key takes no const */
    const br_ec_public_key key = { .curve = BR_EC_secp256r1, .q = point, .qlen = sizeof point };
    return br_ecdsa_i31_vrfy_raw(&br_ec_prime_i31, hash, CRYPTO_SHA256_LEN, &key, sig, P256_SIG_LEN) == 1
        ? VERDICT_GOOD : VERDICT_BAD;
}
