#include "drivers/nrf52840/rtc.h"

#include <stddef.h>

#include "drivers/nrf52840/power.h"

struct rtc_regs {
    volatile uint32_t start, stop, clear;
    uint32_t reserved0[(0x104 - 0xC) / 4];
    volatile uint32_t ovrflw;
    uint32_t reserved1[(0x140 - 0x108) / 4];
    volatile uint32_t compare[4];
    uint32_t reserved2[(0x304 - 0x150) / 4];
    volatile uint32_t intenset, intenclr;
    uint32_t reserved3[(0x348 - 0x30C) / 4];
    volatile uint32_t evtenclr;
    uint32_t reserved4[(0x504 - 0x34C) / 4];
    volatile const uint32_t counter;
    volatile uint32_t prescaler;
    uint32_t reserved5[(0x540 - 0x50C) / 4];
    volatile uint32_t cc[4];
};
_Static_assert(offsetof(struct rtc_regs, ovrflw) == 0x104, "OVRFLW");
_Static_assert(offsetof(struct rtc_regs, compare) == 0x140, "COMPARE");
_Static_assert(offsetof(struct rtc_regs, intenset) == 0x304, "INTENSET");
_Static_assert(offsetof(struct rtc_regs, evtenclr) == 0x348, "EVTENCLR");
_Static_assert(offsetof(struct rtc_regs, counter) == 0x504, "COUNTER");
_Static_assert(offsetof(struct rtc_regs, cc) == 0x540, "CC");
#define RTC1 ((struct rtc_regs *)0x40011000u)

enum {
    INT_OVRFLW = 1 << 1,
    INT_COMPARE0 = 1 << 16,
    HALF = RTC_MASK / 2,
    /* A compare with the counter's value or the next one may be missed; one more as time goes on meanwhile. */
    WAIT_MIN = 3,
};

bool rtc_start(struct rtc *t)
{
    bool runs = power_slow_clock_start();

    RTC1->stop = 1; /* erratum 20: once the clock runs, before anything else is read or set */
    RTC1->intenclr = RTC1->evtenclr = UINT32_MAX;
    RTC1->prescaler = 0;
    RTC1->clear = 1;
    RTC1->ovrflw = RTC1->compare[0] = 0;
    t->wraps = 0;
    RTC1->intenset = INT_OVRFLW;
    RTC1->start = 1;
    return runs;
}

void rtc_interrupt(struct rtc *t)
{
    if (RTC1->ovrflw) {
        RTC1->ovrflw = 0;
        t->wraps++;
    }
    if (RTC1->compare[0]) {
        RTC1->intenclr = INT_COMPARE0;
        RTC1->compare[0] = 0;
    }
    (void)RTC1->compare[0]; /* the writes have arrived: else the interrupt would come again */
}

uint32_t rtc_ticks(void)
{
    return RTC1->counter;
}

uint32_t rtc_ms(void *rtc)
{
    const struct rtc *t = rtc;
    uint32_t wraps, ticks, pending;

    do {
        wraps = t->wraps;
        ticks = RTC1->counter;
        pending = RTC1->ovrflw;
    } while (wraps != t->wraps);
    if (pending && ticks < HALF) /* it has wrapped, and the interrupt is still to come */
        wraps++;
    return (uint32_t)(((uint64_t)wraps << 24 | ticks) * 1000 / RTC_HZ);
}

void rtc_wake_in(uint32_t ticks)
{
    uint32_t n = ticks < WAIT_MIN ? WAIT_MIN : ticks > RTC_WAIT_MAX ? RTC_WAIT_MAX : ticks;

    RTC1->intenclr = INT_COMPARE0;
    RTC1->cc[0] = (RTC1->counter + n) & RTC_MASK;
    RTC1->compare[0] = 0;
    RTC1->intenset = INT_COMPARE0;
}
