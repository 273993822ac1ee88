/*
 * What surrounds the core inside the Cortex-M4: exceptions and NVIC, SCB, SysTick, MPU, DWT, by the
 * ARMv7-M architecture reference manual part B. Only board/ calls this.
 */
#ifndef BOARD_SYSTEM_SYSTEM_H
#define BOARD_SYSTEM_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

enum { SYS_IRQS = 48, SYS_EXCEPTIONS = 16 + SYS_IRQS, MPU_REGIONS = 8 };
enum { CCR_NONBASETHRDENA = 1u << 0, CCR_USERSETMPEND = 1u << 1, CCR_UNALIGN_TRP = 1u << 3,
    CCR_DIV_0_TRP = 1u << 4, CCR_BFHFNMIGN = 1u << 8, CCR_STKALIGN = 1u << 9 };
#define FPCCR_LSPACT (1u << 0)
#define FPCCR_LSPEN (1u << 30)
#define FPCCR_ASPEN (1u << 31)
enum { SLEEP_NO, SLEEP_WFI, SLEEP_WFE, SLEEP_ON_EXIT };

struct system {
    /* bit n: exception n (IRQ m is 16 + m) */
    uint64_t pending, active, enabled, line;
    uint8_t prio[SYS_EXCEPTIONS];
    uint32_t vtor, prigroup, scr, ccr, shcsr, cfsr, hfsr, mmfar, bfar, cpacr, demcr, shpr_unused;
    uint32_t dwt_ctrl, dwt_base; /* CYCCNT = cycles - base while it counts, else base itself */
    uint64_t sleep_cycles;
    uint32_t tick_ctrl, tick_load, tick_val; /* tick_val: while it does not count */
    uint64_t tick_zero; /* when the counter is 0 next; NEVER if it does not count */
    uint32_t mpu_ctrl, mpu_rnr, mpu_rbar[MPU_REGIONS], mpu_rasr[MPU_REGIONS];
    uint32_t sleeping; /* SLEEP_* */
    uint64_t slept_at;
    bool locked_up;
};

struct board;

/* exc.c */
void exc_reset(struct board *b);
int exc_running_priority(const struct board *b); /* -2 NMI .. 256 thread with nothing masked */
bool exc_would_preempt(const struct board *b, bool ignore_primask);
bool exc_take(struct board *b); /* takes the best pending exception if it may; true if it did */
void exc_fault(struct board *b); /* the fault that the core has just reported */
void exc_pend(struct board *b, unsigned n);
void exc_set_line(struct board *b, unsigned irq, bool high); /* level of an interrupt line */
void exc_return(struct board *b, uint32_t exc_ret);
void exc_core_event(struct board *b, unsigned kind);
/* Derived flags of the core (user, guarded, fp_ready, traps) after any change of what they come from. */
void sys_update(struct board *b);

/* scs.c: 0xE0000000 .. 0xE00FFFFF */
bool scs_read(struct board *b, uint32_t addr, unsigned size, uint32_t *val);
bool scs_write(struct board *b, uint32_t addr, unsigned size, uint32_t val);
uint32_t sysreg_read(struct board *b, unsigned sysm);
void sysreg_write(struct board *b, unsigned sysm, uint32_t val);

/* systick.c */
uint32_t systick_read(struct board *b, unsigned off);
void systick_write(struct board *b, unsigned off, uint32_t val);
void systick_fire(struct board *b);

/* mpu.c */
uint32_t mpu_read(struct board *b, unsigned off);
void mpu_write(struct board *b, unsigned off, uint32_t val);
enum { MPU_READ, MPU_WRITE, MPU_EXEC };
bool mpu_allows(const struct board *b, uint32_t addr, unsigned kind, bool user);
/* The same for a whole block of 2^log2 bytes: 1 all of it, 0 nothing, -1 it differs. */
int mpu_block(const struct board *b, uint32_t block, unsigned log2, unsigned kind, bool user);
/*
 * Grants: while the MPU is on, the core notes for blocks of RAM and flash that all of the block is
 * allowed, with a stamp (c->grant) for the MPU's settings and the mode that it holds for.
 */
void mpu_changed(struct board *b); /* all grants are void; sys_update() has to follow */
uint32_t mpu_grant(const struct board *b); /* the stamp of now; one that no entry has if nothing may be granted */
void mpu_grant_data(struct board *b, uint32_t addr); /* a load or store there was allowed: notes it */

#endif
