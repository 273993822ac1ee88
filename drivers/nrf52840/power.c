#include "drivers/nrf52840/power.h"

#include <stddef.h>

#include "drivers/nrf52840/errata.h"
#include "drivers/nrf52840/hwtime.h"

struct power_regs {
    volatile uint32_t hfclkstart, hfclkstop, lfclkstart;
    uint32_t reserved0[(0x100 - 0xC) / 4];
    volatile uint32_t hfclkstarted;
    uint32_t reserved1[(0x400 - 0x104) / 4];
    volatile uint32_t resetreas;
    uint32_t reserved2[(0x40C - 0x404) / 4];
    volatile const uint32_t hfclkstat;
    uint32_t reserved3[(0x418 - 0x410) / 4];
    volatile const uint32_t lfclkstat;
    uint32_t reserved4[(0x518 - 0x41C) / 4];
    volatile uint32_t lfclksrc;
    volatile uint32_t gpregret[POWER_RETAINED];
};
_Static_assert(offsetof(struct power_regs, hfclkstarted) == 0x100, "HFCLKSTARTED");
_Static_assert(offsetof(struct power_regs, resetreas) == 0x400, "RESETREAS");
_Static_assert(offsetof(struct power_regs, hfclkstat) == 0x40C, "HFCLKSTAT");
_Static_assert(offsetof(struct power_regs, lfclkstat) == 0x418, "LFCLKSTAT");
_Static_assert(offsetof(struct power_regs, gpregret) == 0x51C, "GPREGRET");
#define POWER ((struct power_regs *)0x40000000u)

enum { CRYSTAL_START_US = 5000, HFCLKSTAT_CRYSTAL = 0x10001 };
enum { SLOW_START_US = 5000, LFCLKSTAT_RUNS = 0x10000, LFCLKSRC_RC = 0 };

uint32_t power_take_reset_reasons(void)
{
    uint32_t reasons = POWER->resetreas;

    POWER->resetreas = reasons; /* write one to clear */
    return erratum_136(reasons);
}

uint8_t power_take_retained(unsigned which)
{
    uint8_t value = (uint8_t)POWER->gpregret[which];

    if (value)
        POWER->gpregret[which] = 0;
    return value;
}

void power_set_retained(unsigned which, uint8_t value)
{
    POWER->gpregret[which] = value;
}

bool power_crystal_start(void)
{
    uint32_t from = hwtime_us();

    POWER->hfclkstarted = 0;
    POWER->hfclkstart = 1;
    while ((POWER->hfclkstat & HFCLKSTAT_CRYSTAL) != HFCLKSTAT_CRYSTAL) {
        if (hwtime_us() - from > CRYSTAL_START_US)
            return false;
    }
    return true;
}

void power_crystal_stop(void)
{
    POWER->hfclkstop = 1;
    POWER->hfclkstarted = 0;
}

bool power_slow_clock_start(void)
{
    uint32_t from = hwtime_us();

    if (!(POWER->lfclkstat & LFCLKSTAT_RUNS))
        POWER->lfclksrc = LFCLKSRC_RC;
    POWER->lfclkstart = 1; /* also if it runs: what a watchdog runs by does not reach the RTCs */
    while (!(POWER->lfclkstat & LFCLKSTAT_RUNS)) {
        if (hwtime_us() - from > SLOW_START_US)
            return false;
    }
    return true;
}
