#include "drivers/nrf52840/wdt.h"

#include <stddef.h>

struct wdt_regs {
    volatile uint32_t start;
    uint32_t reserved0[(0x400 - 0x4) / 4];
    volatile const uint32_t runstatus;
    uint32_t reserved1[(0x504 - 0x404) / 4];
    volatile uint32_t crv, rren, config;
    uint32_t reserved2[(0x600 - 0x510) / 4];
    volatile uint32_t rr[8];
};
_Static_assert(offsetof(struct wdt_regs, runstatus) == 0x400, "RUNSTATUS");
_Static_assert(offsetof(struct wdt_regs, crv) == 0x504, "CRV");
_Static_assert(offsetof(struct wdt_regs, rr) == 0x600, "RR");
#define WDT ((struct wdt_regs *)0x40010000u)

#define WDT_RELOAD 0x6E524635u
enum { WDT_HZ = 32768, WDT_SECONDS_MAX = 131071, CONFIG_RUN_ASLEEP = 1 };

bool wdt_runs(void)
{
    return WDT->runstatus != 0;
}

void wdt_feed(void)
{
    if (!wdt_runs())
        return;
    for (unsigned i = 0; i < 8; i++) {
        if (WDT->rren >> i & 1)
            WDT->rr[i] = WDT_RELOAD;
    }
}

void wdt_start(uint32_t seconds)
{
    if (wdt_runs())
        return;
    uint32_t s = seconds < 1 ? 1 : seconds > WDT_SECONDS_MAX ? WDT_SECONDS_MAX : seconds;
    WDT->crv = s * WDT_HZ - 1;
    WDT->rren = 1;
    WDT->config = CONFIG_RUN_ASLEEP;
    WDT->start = 1;
}
