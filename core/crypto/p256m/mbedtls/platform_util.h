/* What p256-m.c includes of its home, Mbed TLS. Verifying calls none of it, so nobody defines it. */
#ifndef CORE_CRYPTO_P256M_PLATFORM_UTIL_H
#define CORE_CRYPTO_P256M_PLATFORM_UTIL_H

#include <stddef.h>

void mbedtls_platform_zeroize(void *buf, size_t len);

#endif
