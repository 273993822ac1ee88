/* System control space of ARMv7-M (ARM DDI 0403, B3), as far as it is used. */
#ifndef ARCH_CORTEX_M4_SCB_H
#define ARCH_CORTEX_M4_SCB_H

#include <stddef.h>
#include <stdint.h>

struct scs_systick {
    volatile uint32_t ctrl, load, val, calib;
};
#define SCS_SYSTICK ((struct scs_systick *)0xE000E010u)

enum { NVIC_WORDS = 2 }; /* of 48 interrupts */
struct scs_nvic {
    volatile uint32_t iser[8], reserved0[24], icer[8], reserved1[24], ispr[8], reserved2[24], icpr[8];
    uint32_t reserved3[24];
    volatile uint32_t iabr[8], reserved4[56];
    volatile uint8_t ipr[48];
};
#define SCS_NVIC ((struct scs_nvic *)0xE000E100u)
_Static_assert(offsetof(struct scs_nvic, icer) == 0x80, "ICER");
_Static_assert(offsetof(struct scs_nvic, icpr) == 0x180, "ICPR");
_Static_assert(offsetof(struct scs_nvic, ipr) == 0x300, "IPR");

struct scs_scb {
    volatile uint32_t cpuid, icsr, vtor, aircr, scr, ccr, shpr[3], shcsr, cfsr, hfsr, dfsr, mmfar, bfar, afsr;
    uint32_t reserved[18];
    volatile uint32_t cpacr;
};
#define SCS_SCB ((struct scs_scb *)0xE000ED00u)
_Static_assert(offsetof(struct scs_scb, cfsr) == 0x28, "CFSR");
_Static_assert(offsetof(struct scs_scb, bfar) == 0x38, "BFAR");
_Static_assert(offsetof(struct scs_scb, cpacr) == 0x88, "CPACR");

struct scs_mpu {
    volatile uint32_t type, ctrl, rnr, rbar, rasr;
};
#define SCS_MPU ((struct scs_mpu *)0xE000ED90u)

#define SCB_AIRCR_KEY         0x05FA0000u
#define SCB_AIRCR_SYSRESETREQ 0x4u
#define SCB_ICSR_CLEAR        (1u << 27 | 1u << 25) /* PENDSVCLR, PENDSTCLR */
#define SCB_CCR_RESET         0x200u /* STKALIGN */

#endif
