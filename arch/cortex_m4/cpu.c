#include "arch/cortex_m4/cpu.h"

#include "arch/cortex_m4/scb.h"

void cpu_irq_enable(unsigned irq)
{
    SCS_NVIC->iser[irq / 32] = 1u << irq % 32;
}

void cpu_irq_pend(unsigned irq)
{
    cpu_dsb();
    SCS_NVIC->ispr[irq / 32] = 1u << irq % 32;
}

void cpu_irq_disable(unsigned irq)
{
    SCS_NVIC->icer[irq / 32] = 1u << irq % 32;
    cpu_dsb();
    cpu_isb();
    SCS_NVIC->icpr[irq / 32] = 1u << irq % 32;
}

void cpu_reset(void)
{
    cpu_dsb();
    SCS_SCB->aircr = SCB_AIRCR_KEY | SCB_AIRCR_SYSRESETREQ;
    cpu_dsb();
    for (;;)
        continue;
}

static void reset_nvic(void)
{
    for (unsigned i = 0; i < NVIC_WORDS; i++) {
        SCS_NVIC->icer[i] = UINT32_MAX;
        SCS_NVIC->icpr[i] = UINT32_MAX;
    }
    for (unsigned i = 0; i < sizeof SCS_NVIC->ipr; i++)
        SCS_NVIC->ipr[i] = 0;
    SCS_SYSTICK->ctrl = 0;
    SCS_SYSTICK->load = 0;
    SCS_SYSTICK->val = 0;
    SCS_SCB->icsr = SCB_ICSR_CLEAR;
}

static void reset_scb(void)
{
    for (unsigned i = 0; i < 3; i++)
        SCS_SCB->shpr[i] = 0;
    SCS_SCB->shcsr = 0;
    SCS_SCB->cfsr = UINT32_MAX; /* write one to clear */
    SCS_SCB->hfsr = UINT32_MAX;
    SCS_SCB->scr = 0;
    SCS_SCB->ccr = SCB_CCR_RESET;
    SCS_SCB->cpacr = 0;
}

static void reset_mpu(void)
{
    unsigned regions = SCS_MPU->type >> 8 & 0xFF;

    SCS_MPU->ctrl = 0;
    for (unsigned i = 0; i < regions; i++) {
        SCS_MPU->rnr = i;
        SCS_MPU->rbar = 0;
        SCS_MPU->rasr = 0;
    }
    SCS_MPU->rnr = 0;
}

void cpu_start_image(uint32_t vectors)
{
    cpu_irq_off();
    reset_nvic();
    reset_scb();
    reset_mpu();
    SCS_SCB->vtor = vectors;
    /* From here on no stack: the new stack pointer is not ours to use. PRIMASK last, as all is masked. */
    __asm volatile("msr basepri, %1\n"
                   "msr control, %1\n"
                   "dsb\n"
                   "isb\n"
                   "ldr r1, [%0]\n"
                   "msr msp, r1\n"
                   "ldr r0, [%0, #4]\n"
                   "mov lr, #-1\n"
                   "cpsie f\n"
                   "cpsie i\n"
                   "bx r0\n"
                   :
                   : "r"(vectors), "r"(0)
                   : "r0", "r1", "memory");
    __builtin_unreachable();
}
