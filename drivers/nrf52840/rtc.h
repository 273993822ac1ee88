/*
 * Time by RTC1 on the 32768 Hz clock, which goes on while everything else is off: the timebase of an
 * application that sleeps. It belongs to one struct rtc; the interrupt counts the counter's wraps (every
 * 512 s) and ends a wait.
 */
#ifndef DRIVERS_NRF52840_RTC_H
#define DRIVERS_NRF52840_RTC_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RTC_IRQ = 17,
    RTC_HZ = 32768,
    RTC_MASK = 0xFFFFFF, /* the counter has 24 bits */
    RTC_WAIT_MAX = 0x7FFFFF, /* ticks: 256 s */
};

struct rtc {
    volatile uint32_t wraps; /* written by the interrupt */
};

/* Starts it at 0, whatever an image before left it doing. False: its clock does not run. Needs hwtime. */
bool rtc_start(struct rtc *t);
/* The handler's work; nothing else may be called from there. */
void rtc_interrupt(struct rtc *t);
uint32_t rtc_ticks(void); /* RTC_MASK + 1 wraps */
uint32_t rtc_ms(void *rtc); /* monotonic, wraps at 2^32 ms; a struct rtc, as core/ wants it */
/* The interrupt comes in so many ticks, RTC_WAIT_MAX at most, three at least. Replaces the wait before. */
void rtc_wake_in(uint32_t ticks);

#endif
