/* POWER and CLOCK (they share their registers): why the chip was reset, what survives that, the crystal. */
#ifndef DRIVERS_NRF52840_POWER_H
#define DRIVERS_NRF52840_POWER_H

#include <stdbool.h>
#include <stdint.h>

enum power_reset_reason {
    POWER_RESET_PIN = 1u << 0,
    POWER_RESET_WATCHDOG = 1u << 1,
    POWER_RESET_SOFTWARE = 1u << 2,
    POWER_RESET_LOCKUP = 1u << 3,
    POWER_RESET_OFF = 1u << 16,
};

/* Reasons since the last call, 0: power-on or brown-out. Clears them, so that none is seen twice. */
uint32_t power_take_reset_reasons(void);

/* GPREGRET and GPREGRET2: 8 bits each, which a reset by software leaves alone. */
enum { POWER_RETAINED = 2 };
uint8_t power_take_retained(unsigned which); /* and clears it */
void power_set_retained(unsigned which, uint8_t value);

/*
 * Requests the 32 MHz crystal and waits until it runs, a few milliseconds at most. False: it does not
 * start; the chip goes on with its RC oscillator, which is good enough for all but the radio.
 */
bool power_crystal_start(void);
void power_crystal_stop(void);

/*
 * The 32768 Hz clock for RTCs, from the RC oscillator (2 % off at most), which every board has; one that
 * runs already stays as it is. False: it does not start. Never stopped.
 */
bool power_slow_clock_start(void);

#endif
