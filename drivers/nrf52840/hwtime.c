#include "drivers/nrf52840/hwtime.h"

#include "core/base/err.h"
#include "drivers/nrf52840/timer_regs.h"

enum { CC_NOW = 0, CC_WAKE = 1, WAKE_BIT = 16 + CC_WAKE, US_PER_MS = 1000 };

void hwtime_start(struct hwtime *t)
{
    TIMER0->shutdown = 1;
    TIMER0->mode = TIMER_MODE_TIMER;
    TIMER0->bitmode = TIMER_32_BITS;
    TIMER0->prescaler = TIMER_1_MHZ;
    TIMER0->clear = 1;
    TIMER0->start = 1;
    *t = (struct hwtime) { 0, 0 };
}

void hwtime_stop(void)
{
    hwtime_wake_done();
    TIMER0->shutdown = 1; /* not STOP, which leaves the clock on: erratum 78 */
    TIMER0->clear = 1;
    TIMER0->bitmode = 0;
    TIMER0->cc[CC_NOW] = TIMER0->cc[CC_WAKE] = 0;
}

NOT_INLINE uint32_t hwtime_us(void)
{
    TIMER0->capture[CC_NOW] = 1;
    return TIMER0->cc[CC_NOW];
}

uint32_t hwtime_ms(void *hwtime)
{
    struct hwtime *t = hwtime;
    uint32_t whole = (hwtime_us() - t->last_us) / US_PER_MS;

    t->ms += whole;
    t->last_us += whole * US_PER_MS;
    return t->ms;
}

void hwtime_wait_us(uint32_t us)
{
    uint32_t from = hwtime_us();

    while (hwtime_us() - from <= us)
        continue;
}

void hwtime_wake_in(uint32_t ms)
{
    TIMER0->compare[CC_WAKE] = 0;
    TIMER0->cc[CC_WAKE] = hwtime_us() + ms * US_PER_MS;
    TIMER0->intenset = 1u << WAKE_BIT;
}

void hwtime_wake_done(void)
{
    TIMER0->intenclr = 1u << WAKE_BIT;
    TIMER0->compare[CC_WAKE] = 0;
}
