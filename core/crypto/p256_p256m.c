#include <p256-m.h>

#include "core/crypto/p256.h"

enum { UNCOMPRESSED = 0x04 };

enum verdict p256_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN])
{
    if (pub[0] != UNCOMPRESSED)
        return VERDICT_BAD;
    return p256_ecdsa_verify(sig, pub + 1, hash, CRYPTO_SHA256_LEN) == P256_SUCCESS ? VERDICT_GOOD : VERDICT_BAD;
}
