#include "drivers/nrf52840/rng.h"

struct rng_regs {
    volatile uint32_t start, stop;
    uint32_t reserved0[(0x100 - 0x8) / 4];
    volatile uint32_t valrdy;
    uint32_t reserved1[(0x504 - 0x104) / 4];
    volatile uint32_t config;
    volatile const uint32_t value;
};
_Static_assert(offsetof(struct rng_regs, valrdy) == 0x100, "VALRDY");
_Static_assert(offsetof(struct rng_regs, config) == 0x504, "CONFIG");
_Static_assert(offsetof(struct rng_regs, value) == 0x508, "VALUE");
#define RNG ((struct rng_regs *)0x4000D000u)

enum { BIAS_CORRECTION = 1, TURNS_MAX = 1000000 }; /* a byte takes some 8000 cycles */

static int next(uint8_t *out)
{
    for (uint32_t i = 0; i < TURNS_MAX; i++) {
        if (!RNG->valrdy)
            continue;
        *out = (uint8_t)RNG->value;
        RNG->valrdy = 0;
        return OK;
    }
    return ERR_TIMEOUT;
}

int rng_fill(void *buf, size_t len)
{
    uint8_t *p = buf;
    int err = OK;

    RNG->config = BIAS_CORRECTION;
    RNG->valrdy = 0;
    RNG->start = 1;
    for (size_t i = 0; err == OK && i < len; i++)
        err = next(&p[i]);
    RNG->stop = 1;
    RNG->valrdy = 0;
    return err;
}
