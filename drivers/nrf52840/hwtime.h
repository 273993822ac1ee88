/*
 * Time by TIMER0 at 1 MHz: it needs no low-frequency clock, leaves none running, and is there from
 * the first instruction. For the bootloader, which is never long asleep; rtc.h is for applications.
 *
 * The counter has 32 bits (71 minutes); hwtime_ms() carries on from there as long as it is called more
 * often than that.
 */
#ifndef DRIVERS_NRF52840_HWTIME_H
#define DRIVERS_NRF52840_HWTIME_H

#include <stdint.h>

struct hwtime {
    uint32_t last_us; /* counter when ms was brought up to date, less what is not a whole millisecond yet */
    uint32_t ms;
};

void hwtime_start(struct hwtime *t);
/* As after reset. */
void hwtime_stop(void);
uint32_t hwtime_us(void); /* wraps */
uint32_t hwtime_ms(void *hwtime); /* monotonic, wraps at 2^32 ms; a struct hwtime, as core/ wants it */
void hwtime_wait_us(uint32_t us); /* at least so long */
/* Makes the TIMER0 interrupt pending in `ms` (up to a million), to wake from cpu_wait(); see hwtime_wake_done(). */
void hwtime_wake_in(uint32_t ms);
void hwtime_wake_done(void);

enum { HWTIME_IRQ = 8 };

#endif
