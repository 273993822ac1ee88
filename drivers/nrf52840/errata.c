#include "drivers/nrf52840/errata.h"

static void poke(uint32_t addr, uint32_t value)
{
    *(volatile uint32_t *)(uintptr_t)addr = value;
}

void erratum_36(void)
{
    poke(0x4000010C, 0);
    poke(0x40000110, 0);
    poke(0x40000538, 0);
}

void erratum_122(void)
{
    poke(0x40029054, 1);
}

uint32_t erratum_136(uint32_t reset_reasons)
{
    const uint32_t pin = 1;

    return reset_reasons & pin ? pin : reset_reasons;
}

void erratum_242(void)
{
    poke(0x40000510, 0);
}
