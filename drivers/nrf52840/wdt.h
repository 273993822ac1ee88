/*
 * The watchdog. It goes on through a reset by software with its configuration locked, and nothing
 * stops it: whoever starts up has to feed one that runs, whatever its configuration.
 */
#ifndef DRIVERS_NRF52840_WDT_H
#define DRIVERS_NRF52840_WDT_H

#include <stdbool.h>
#include <stdint.h>

bool wdt_runs(void);
/* Feeds every reload request that is enabled. Nothing happens if it does not run. */
void wdt_feed(void);
/* Starts it, if it does not run: a reset after `seconds` (1 to 131071) without feeding, asleep or not. */
void wdt_start(uint32_t seconds);

#endif
