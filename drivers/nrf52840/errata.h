/*
 * Errata of the nRF52840 that what we use runs into: one function per number, named by it, called
 * where the work-around belongs. Numbers are those of Nordic's errata documents and of the MDK's list.
 */
#ifndef DRIVERS_NRF52840_ERRATA_H
#define DRIVERS_NRF52840_ERRATA_H

#include <stdint.h>

/* 36: CLOCK does not reset EVENTS_DONE, EVENTS_CTTO and CTIV. At start. */
void erratum_36(void);

#endif
