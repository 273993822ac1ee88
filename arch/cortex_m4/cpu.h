/* The instructions that C has no word for, and what is done to the core as a whole. */
#ifndef ARCH_CORTEX_M4_CPU_H
#define ARCH_CORTEX_M4_CPU_H

#include <stdint.h>

static inline void cpu_dsb(void)
{
    __asm volatile("dsb" ::: "memory");
}
static inline void cpu_isb(void)
{
    __asm volatile("isb" ::: "memory");
}
static inline void cpu_irq_off(void)
{
    __asm volatile("cpsid i" ::: "memory");
}
static inline void cpu_irq_on(void)
{
    __asm volatile("cpsie i" ::: "memory");
}
/* Sleeps until an interrupt is pending, also with interrupts off: then it is not taken. */
static inline void cpu_wait(void)
{
    __asm volatile("dsb\n\twfi" ::: "memory");
}

void cpu_irq_enable(unsigned irq);
void cpu_irq_disable(unsigned irq); /* and forgets that it is pending */
/* Taken at once, if enabled, as if its source had asked for it; after everything written before. */
void cpu_irq_pend(unsigned irq);

/* Resets the chip as SYSRESETREQ does: RAM and GPREGRET survive, the watchdog goes on. */
__attribute__((noreturn)) void cpu_reset(void);

/*
 * Starts the image whose vector table is at `vectors`, with the core as reset leaves it: interrupts
 * disabled and none pending, faults cleared, SysTick, MPU and FPU off, CONTROL and PRIMASK 0. The
 * caller has stopped the peripherals. Never returns; the table has been checked.
 */
__attribute__((noreturn)) void cpu_start_image(uint32_t vectors);

#endif
