/*
 * Errata of the nRF52840 that what we use runs into: one function per number, named by it, called
 * where the work-around belongs. Numbers are those of Nordic's errata documents and of the MDK's list.
 *
 * Kept by construction, without a function: 78 (TIMER is shut down by SHUTDOWN), 121 (IFCONFIG1[23:8]
 * of QSPI keeps its reset value), 215 (no XIP, so no register access after one), 233 (NVMC.READYNEXT is
 * not used), 244 (HFXO is requested before QSPI and held).
 */
#ifndef DRIVERS_NRF52840_ERRATA_H
#define DRIVERS_NRF52840_ERRATA_H

#include <stdint.h>

/* 36: CLOCK does not reset EVENTS_DONE, EVENTS_CTTO and CTIV. At start. */
void erratum_36(void);
/* 122: QSPI draws current after it was disabled. Before ENABLE = 0. */
void erratum_122(void);
/* 136: after a pin reset RESETREAS may have other bits set: with RESETPIN set nothing else counts. */
uint32_t erratum_136(uint32_t reset_reasons);
/* 242: NVMC does not work reliably while POFCON is enabled. Off before a write or an erase. */
void erratum_242(void);

#endif
