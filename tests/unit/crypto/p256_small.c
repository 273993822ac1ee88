/* Makes test_crypto.c a test of the bootloader's choice. */
#include "core/crypto/p256.h"

enum verdict p256_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN])
{
    return p256_i31_verify(pub, hash, sig);
}
