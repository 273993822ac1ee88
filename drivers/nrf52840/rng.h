/* Random bytes from the chip's noise source, with bias correction: some 120 us a byte. */
#ifndef DRIVERS_NRF52840_RNG_H
#define DRIVERS_NRF52840_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

/* OK, or ERR_TIMEOUT: the source gave nothing. */
int rng_fill(void *buf, size_t len) MUST_CHECK;

#endif
