/*
 * The rig of the peripheral tests: a board whose firmware is a few instructions. Every access to a
 * register is one of the core's own, by `str` or `ldr`; between them the core stands in `b .`, time
 * passes and interrupts are taken, counted and switched off in the NVIC.
 */
#ifndef TESTS_BOARD_RIG_H
#define TESTS_BOARD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board/board.h"

enum { RIG_US = BOARD_CYCLES_PER_S / 1000000, RIG_MS = 1000 * RIG_US, RIG_RAM = 0x20002000 };

/* The one board of a test; rig_start() frees an older one. Without a part: an MX25R6435F on QSPI. */
extern struct board *rig;
void rig_start(void);
void rig_start_with(const struct board_config *config);
int rig_stop(void **state); /* cmocka teardown */
void rig_settle(void); /* until the core stands in its idle loop again */

void wr(uint32_t addr, uint32_t val);
void wr8(uint32_t addr, uint8_t val);
uint32_t rd(uint32_t addr);
/* Time from now on; us() whole microseconds. */
void us(double n);
void sleep_us(double n); /* the same in WFI */
double now_us(void);
/* Microseconds until event register `addr` is 1 (looked at from outside), at most `limit`; < 0: never. */
double until_event(uint32_t addr, double limit);

/* Enables an interrupt in the NVIC; how often it was taken since rig_start(). irq < 0: exception 16 + irq. */
void irq_on(unsigned irq);
unsigned irqs(unsigned irq);
unsigned faults(void); /* HardFaults; the store or load that did it had no effect */

/* RAM as DMA sees it. */
void ram_put(uint32_t addr, const void *data, size_t len);
void ram_get(uint32_t addr, void *data, size_t len);
uint32_t ram_word(uint32_t addr);

/* How often the board said that something is not modelled. */
unsigned unmodelled_count(void);

#endif
