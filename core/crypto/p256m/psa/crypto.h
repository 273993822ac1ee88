/* What p256-m.c includes of its home, Mbed TLS. Verifying calls none of it, so nobody defines it. */
#ifndef CORE_CRYPTO_P256M_PSA_CRYPTO_H
#define CORE_CRYPTO_P256M_PSA_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t psa_status_t;
psa_status_t psa_generate_random(uint8_t *output, size_t output_size);

#endif
