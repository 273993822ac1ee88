/* Registers of TIMER0 to TIMER4. */
#ifndef DRIVERS_NRF52840_TIMER_REGS_H
#define DRIVERS_NRF52840_TIMER_REGS_H

#include <stddef.h>
#include <stdint.h>

struct timer_regs {
    volatile uint32_t start, stop, count, clear, shutdown;
    uint32_t reserved0[(0x40 - 0x14) / 4];
    volatile uint32_t capture[6];
    uint32_t reserved1[(0x140 - 0x58) / 4];
    volatile uint32_t compare[6];
    uint32_t reserved2[(0x304 - 0x158) / 4];
    volatile uint32_t intenset, intenclr;
    uint32_t reserved3[(0x504 - 0x30C) / 4];
    volatile uint32_t mode, bitmode;
    uint32_t reserved4;
    volatile uint32_t prescaler;
    uint32_t reserved5[(0x540 - 0x514) / 4];
    volatile uint32_t cc[6];
};
_Static_assert(offsetof(struct timer_regs, capture) == 0x40, "CAPTURE");
_Static_assert(offsetof(struct timer_regs, compare) == 0x140, "COMPARE");
_Static_assert(offsetof(struct timer_regs, intenset) == 0x304, "INTENSET");
_Static_assert(offsetof(struct timer_regs, mode) == 0x504, "MODE");
_Static_assert(offsetof(struct timer_regs, prescaler) == 0x510, "PRESCALER");
_Static_assert(offsetof(struct timer_regs, cc) == 0x540, "CC");
#define TIMER0 ((struct timer_regs *)0x40008000u)
#define TIMER1 ((struct timer_regs *)0x40009000u)

enum { TIMER_MODE_TIMER = 0, TIMER_MODE_LOW_POWER_COUNTER = 2, TIMER_32_BITS = 3, TIMER_1_MHZ = 4 };

#endif
