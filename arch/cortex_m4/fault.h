/*
 * A fault is recorded, and the chip is reset: nothing here hangs. The record lies at a fixed place at
 * the end of RAM, which resets by software and by lock-up leave alone; bootloader and application have
 * the same place, so that the bootloader reports what an application died of.
 *
 *     0x2003FF00  magic 'FALT'   exception number   r0 r1 r2 r3 r12 lr pc psr   sp   CFSR HFSR MMFAR BFAR
 *                 VTOR (whose fault)   CRC-32 of all before
 */
#ifndef ARCH_CORTEX_M4_FAULT_H
#define ARCH_CORTEX_M4_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum arch_fault_word {
    FAULT_MAGIC,
    FAULT_EXCEPTION, /* 3 hard, 4 memory, 5 bus, 6 usage; 16 + n: interrupt n without a handler */
    FAULT_R0,
    FAULT_R1,
    FAULT_R2,
    FAULT_R3,
    FAULT_R12,
    FAULT_LR,
    FAULT_PC,
    FAULT_PSR,
    FAULT_SP, /* of the code that faulted */
    FAULT_CFSR,
    FAULT_HFSR,
    FAULT_MMFAR,
    FAULT_BFAR,
    FAULT_VTOR, /* vector table in use: the bootloader's or the application's */
    FAULT_CRC,
    FAULT_WORDS,
};

struct arch_fault_record {
    uint32_t word[FAULT_WORDS];
};

/* The handler: for the vector table only. */
void arch_fault(void);

/* True once for each fault: the record, which is then forgotten. */
bool arch_fault_take(struct arch_fault_record *r);

#endif
