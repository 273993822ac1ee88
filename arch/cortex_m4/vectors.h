/*
 * Reset and vectors of an image. The image's main.c defines its table, named image_vectors, in the
 * section .vectors; what it does not fill in is NULL, which is a fault that gets recorded (fault.h).
 */
#ifndef ARCH_CORTEX_M4_VECTORS_H
#define ARCH_CORTEX_M4_VECTORS_H

#include <stdint.h>

#include "arch/cortex_m4/fault.h"

enum { ARCH_IRQS = 48 }; /* of the nRF52840 */

typedef void arch_handler(void);

/* Of the core alone: all that an image needs which enables no interrupt, or takes none (PRIMASK). */
struct arch_core_vectors {
    const void *stack_top;
    arch_handler *reset;
    arch_handler *nmi, *hard_fault, *memory_fault, *bus_fault, *usage_fault;
    arch_handler *reserved[4];
    arch_handler *svc, *debug, *reserved2, *pendsv, *systick;
};

struct arch_vectors {
    struct arch_core_vectors core;
    arch_handler *irq[ARCH_IRQS];
};

extern const uint32_t image_stack_top; /* by the linker script: an address, not a variable */

/* Copies .data, clears .bss, calls main(), which must not return. */
void arch_reset(void);
int main(void);

/* What a struct arch_core_vectors is filled with. */
#define ARCH_VECTORS_COMMON                                                                        \
    .stack_top = &image_stack_top, .reset = arch_reset, .nmi = arch_fault,                         \
    .hard_fault = arch_fault, .memory_fault = arch_fault, .bus_fault = arch_fault,                 \
    .usage_fault = arch_fault, .svc = arch_fault, .debug = arch_fault, .pendsv = arch_fault,       \
    .systick = arch_fault
#define ARCH_VECTORS_SECTION __attribute__((section(".vectors"), used))

#endif
