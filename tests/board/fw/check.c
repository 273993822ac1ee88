/*
 * Small checks of what surrounds the core, each against what the ARMv7-M architecture reference
 * manual says of it. Prints "ok NAME" or "FAIL NAME value", at the end how many failed.
 */
#include "tests/board/fw/start.h"

#define ICSR REG(0xE000ED04)
#define SHCSR REG(0xE000ED24)
#define CFSR REG(0xE000ED28)
#define HFSR REG(0xE000ED2C)
#define MMFAR REG(0xE000ED34)
#define BFAR REG(0xE000ED38)
#define CCR REG(0xE000ED14)
#define SCR REG(0xE000ED10)
#define FPCCR REG(0xE000EF34)
#define NVIC_ISER(n) REG(0xE000E100 + 4 * (n))
#define NVIC_ICER(n) REG(0xE000E180 + 4 * (n))
#define NVIC_ISPR(n) REG(0xE000E200 + 4 * (n))
#define IPR8(n) (*(volatile uint8_t *)(0xE000E400 + (n)))
#define SHPR8(n) (*(volatile uint8_t *)(0xE000ED14 + (n)))
#define IRQ(n) ram_vectors[16 + (n)]

static unsigned failed;

static void expect(const char *name, uint32_t got, uint32_t want)
{
    print(got == want ? "ok " : "FAIL ");
    print(name);
    if (got != want) {
        failed++;
        print(" got ");
        print_hex(got);
        print(" want ");
        print_hex(want);
    }
    print("\n");
}

static void barrier(void)
{
    __asm volatile("dsb\n isb" ::: "memory");
}

/* ---- order of exceptions ---- */

static volatile char order[32];
static volatile unsigned order_n;

static void mark(char c)
{
    order[order_n++] = c;
    order[order_n] = 0;
}

static uint32_t order_word(void) /* the first four marks */
{
    return (uint32_t)(uint8_t)order[0] << 24 | (uint32_t)(uint8_t)order[1] << 16 | (uint32_t)(uint8_t)order[2] << 8
        | (uint8_t)order[3];
}

static void irq_a(void) { mark('a'); }
static void irq_b(void) { mark('b'); }
static void irq_nest(void)
{
    mark('(');
    NVIC_ISPR(0) = 1u << 20; /* stronger: comes at once */
    barrier();
    mark(')');
}
static void irq_chain(void)
{
    mark('1');
    NVIC_ISPR(0) = 1u << 20; /* same priority: follows by tail-chaining */
    barrier();
    mark('2');
}

static void begin_order(void)
{
    order_n = 0;
    order[0] = order[1] = order[2] = order[3] = 0;
}

static void check_priorities(void)
{
    IRQ(20) = irq_a;
    IRQ(21) = irq_b;
    NVIC_ISER(0) = 3u << 20;
    IPR8(20) = 0x80;
    IPR8(21) = 0x40;
    expect("priority bits", IPR8(21), 0x40);
    IPR8(21) = 0xFF;
    expect("three priority bits", IPR8(21), 0xE0);
    IPR8(21) = 0x40;
    begin_order();
    __asm volatile("cpsid i");
    NVIC_ISPR(0) = 3u << 20;
    barrier();
    expect("PRIMASK holds", order_n, 0);
    expect("VECTPENDING", ICSR >> 12 & 0x1FF, 16 + 21);
    __asm volatile("cpsie i");
    barrier();
    expect("stronger first", order_word(), 0x62610000);
    IPR8(21) = 0x80;
    begin_order();
    __asm volatile("cpsid i");
    NVIC_ISPR(0) = 3u << 20;
    __asm volatile("cpsie i");
    barrier();
    expect("same priority, lower number first", order_word(), 0x61620000);
    IRQ(21) = irq_nest;
    IPR8(21) = 0xA0;
    begin_order();
    NVIC_ISPR(0) = 1u << 21;
    barrier();
    expect("preemption", order_word(), 0x28612900);
    IRQ(21) = irq_chain;
    IPR8(21) = 0x80;
    begin_order();
    NVIC_ISPR(0) = 1u << 21;
    barrier();
    expect("tail-chaining", order_word(), 0x31326100);
    expect("back in thread mode", ICSR & 0x1FF, 0);
}

static void check_masks(void)
{
    IRQ(20) = irq_a;
    IPR8(20) = 0x80;
    begin_order();
    __asm volatile("msr basepri, %0" ::"r"(0x80));
    NVIC_ISPR(0) = 1u << 20;
    barrier();
    expect("BASEPRI holds its own level", order_n, 0);
    uint32_t v;
    __asm volatile("msr basepri_max, %1\n mrs %0, basepri" : "=r"(v) : "r"(0xC0));
    expect("BASEPRI_MAX never lowers", v, 0x80);
    __asm volatile("msr basepri_max, %1\n mrs %0, basepri" : "=r"(v) : "r"(0x40));
    expect("BASEPRI_MAX raises", v, 0x40);
    __asm volatile("msr basepri, %0" ::"r"(0xA0));
    barrier();
    expect("BASEPRI lets stronger through", order_n, 1);
    __asm volatile("msr basepri, %0" ::"r"(0));
    begin_order();
    __asm volatile("cpsid f");
    NVIC_ISPR(0) = 1u << 20;
    barrier();
    expect("FAULTMASK holds", order_n, 0);
    __asm volatile("cpsie f");
    barrier();
    expect("FAULTMASK lets go", order_n, 1);
}

/* ---- SVC, PendSV, stacks ---- */

static volatile uint32_t frame[8], seen_lr, seen_sp_align;

__attribute__((naked)) static void svc_handler(void)
{
    __asm volatile(
        "ldr r0, =seen_lr\n str lr, [r0]\n"
        "tst lr, #4\n ite eq\n mrseq r1, msp\n mrsne r1, psp\n"
        "ldr r0, =frame\n"
        "ldmia r1!, {r2, r3}\n stmia r0!, {r2, r3}\n ldmia r1!, {r2, r3}\n stmia r0!, {r2, r3}\n"
        "ldmia r1!, {r2, r3}\n stmia r0!, {r2, r3}\n ldmia r1!, {r2, r3}\n stmia r0!, {r2, r3}\n"
        "bx lr\n .ltorg");
}

static uint32_t process_stack[256] __attribute__((aligned(8)));

static void pendsv(void) { mark('p'); }

static void check_svc(void)
{
    ram_vectors[11] = svc_handler;
    ram_vectors[14] = pendsv;
    __asm volatile("mov r0, #11\n mov r1, #22\n mov r2, #33\n mov r3, #44\n mov r12, #55\n svc #1" ::: "r0", "r1", "r2", "r3",
        "r12", "memory");
    expect("SVC stacks r0", frame[0], 11);
    expect("SVC stacks r3", frame[3], 44);
    expect("SVC stacks r12", frame[4], 55);
    expect("SVC: EXC_RETURN to thread, MSP", seen_lr | 0x10, 0xFFFFFFF9);
    expect("SVC returns behind itself", *(volatile uint16_t *)(frame[6] - 2), 0xDF01);
    expect("stacked xPSR has T", frame[7] >> 24 & 1, 1);
    uint32_t top = (uint32_t)(process_stack + 255); /* 4 modulo 8: the frame is aligned */
    __asm volatile("msr psp, %0\n mov r4, #2\n mrs r5, control\n orr r4, r5\n msr control, r4\n isb\n svc #2\n"
                   "msr control, r5\n isb" ::"r"(top) : "r4", "r5", "memory");
    expect("SVC: EXC_RETURN to thread, PSP", seen_lr | 0x10, 0xFFFFFFFD);
    expect("stack alignment is noted in bit 9", frame[7] >> 9 & 1, 1);
    uint32_t psp;
    __asm volatile("mrs %0, psp" : "=r"(psp));
    expect("PSP is back where it was", psp, top);
    begin_order();
    ICSR = 1u << 28;
    barrier();
    expect("PendSV", order_word(), 0x70000000);
    ICSR = 1u << 28 | 1u << 27;
    barrier();
}

/* ---- faults ---- */

static volatile uint32_t fault_cfsr, fault_number, fault_addr, fault_pc, fault_hfsr;

/* Notes the fault and returns behind the faulting instruction (its length by the first halfword). */
static void fault_body(uint32_t *sp)
{
    fault_cfsr = CFSR;
    fault_hfsr = HFSR;
    fault_number = ICSR & 0x1FF;
    fault_addr = fault_cfsr & 0x80 ? MMFAR : BFAR;
    fault_pc = sp[6];
    CFSR = 0xFFFFFFFF;
    HFSR = 0xFFFFFFFF;
    if (fault_cfsr & 0x00020101) { /* INVSTATE or no fetch: back to the caller */
        sp[6] = sp[5] & ~1u;
        sp[7] |= 1u << 24;
    } else {
        sp[6] += (*(volatile uint16_t *)sp[6] >> 11) >= 0x1D ? 4 : 2;
    }
}

__attribute__((naked)) static void fault_handler(void)
{
    __asm volatile("tst lr, #4\n ite eq\n mrseq r0, msp\n mrsne r0, psp\n push {r3, lr}\n bl %0\n pop {r3, pc}" ::"i"(fault_body));
}

static void no_fault(void)
{
    fault_cfsr = fault_number = fault_addr = fault_hfsr = 0;
}

static void expect_fault(const char *name, uint32_t number, uint32_t cfsr)
{
    expect(name, fault_number << 28 | fault_cfsr, number << 28 | cfsr);
    no_fault();
}

static void check_faults(void)
{
    for (int i = 3; i <= 6; i++)
        ram_vectors[i] = fault_handler;
    no_fault();
    __asm volatile("udf #0");
    expect("disabled UsageFault escalates", fault_hfsr, 1u << 30);
    expect_fault("escalated: HardFault, UNDEFINSTR", 3, 1u << 16);
    SHCSR = 7u << 16;
    __asm volatile("udf #0");
    expect_fault("UNDEFINSTR", 6, 1u << 16);
    (void)*(volatile uint32_t *)0x60000000;
    expect("BFAR", fault_addr, 0x60000000);
    expect_fault("PRECISERR", 5, 1u << 9 | 1u << 15);
    *(volatile uint32_t *)0x22000000 = 1;
    expect_fault("store to nothing", 5, 1u << 9 | 1u << 15);
    CCR |= 1u << 4;
    __asm volatile("mov r0, #0\n udiv r1, r0, r0" ::: "r0", "r1");
    expect_fault("DIVBYZERO", 6, 1u << 25);
    CCR &= ~(1u << 4);
    uint32_t q;
    __asm volatile("mov r0, #0\n mov r1, #7\n udiv %0, r1, r0" : "=r"(q)::"r0", "r1");
    expect("division by zero gives zero", q, 0);
    static uint32_t words[4];
    CCR |= 1u << 3;
    (void)*(volatile uint32_t *)((uint8_t *)words + 1);
    expect_fault("UNALIGN_TRP", 6, 1u << 24);
    CCR &= ~(1u << 3);
    words[0] = 0x44332211;
    words[1] = 0x88776655;
    expect("unaligned load", *(volatile uint32_t *)((uint8_t *)words + 1), 0x55443322);
    expect_fault("no fault", 0, 0);
    __asm volatile("ldrd r2, r3, [%0]" ::"r"((uint8_t *)words + 2) : "r2", "r3");
    expect_fault("unaligned LDRD", 6, 1u << 24);
    __asm volatile("ldm %0, {r2, r3}" ::"r"((uint8_t *)words + 2) : "r2", "r3");
    expect_fault("unaligned LDM", 6, 1u << 24);
    __asm volatile("blx %0" ::"r"(0x1000) : "lr", "r0", "r1", "r2", "r3", "r12", "memory");
    expect_fault("INVSTATE", 6, 1u << 17);
    __asm volatile("blx %0" ::"r"(0x40000001) : "lr", "r0", "r1", "r2", "r3", "r12", "memory");
    expect_fault("execute never", 4, 1u << 0);
    __asm volatile("blx %0" ::"r"(0x30000001) : "lr", "r0", "r1", "r2", "r3", "r12", "memory");
    expect_fault("fetch from nothing", 5, 1u << 8);
    __asm volatile("cmp r0, r0\n itt eq\n udfeq #0\n moveq %0, #9" : "=r"(q)::"cc");
    expect("fault inside IT: the rest runs", q, 9);
    expect_fault("fault inside IT", 6, 1u << 16);
    REG(0xE000ED88) = 0;
    barrier();
    __asm volatile("vmov s0, s0");
    expect_fault("NOCP", 6, 1u << 19);
    REG(0xE000ED88) = 0x00F00000;
    barrier();
}

/* ---- lazy floating point ---- */

static volatile uint32_t lazy_in_handler, lazy_after, fp_frame_lr;

__attribute__((naked)) static void fp_irq(void)
{
    __asm volatile(
        "ldr r0, =fp_frame_lr\n str lr, [r0]\n"
        "ldr r1, =0xE000EF34\n ldr r2, [r1]\n ldr r0, =lazy_in_handler\n str r2, [r0]\n"
        "vmov.f32 s0, #2.0\n vmov.f32 s15, #3.0\n"
        "ldr r2, [r1]\n ldr r0, =lazy_after\n str r2, [r0]\n bx lr\n .ltorg");
}

static void check_lazy(void)
{
    uint32_t s0, s15, fpscr, control;
    IRQ(20) = fp_irq;
    NVIC_ISER(0) = 1u << 20;
    expect("FPCCR after reset", FPCCR & 0xC0000000, 0xC0000000);
    __asm volatile("mov r0, #0x40000000\n vmsr fpscr, r0\n vmov.f32 s0, #1.0\n vmov.f32 s15, #1.5\n"
                   "mov r1, #0x100000\n ldr r2, =0xE000E200\n str r1, [r2]\n dsb\n isb\n"
                   "vmov %0, s0\n vmov %1, s15\n vmrs %2, fpscr\n mrs %3, control"
                   : "=r"(s0), "=r"(s15), "=r"(fpscr), "=r"(control)::"r0", "r1", "r2", "s0", "s15", "memory");
    expect("FP frame in EXC_RETURN", fp_frame_lr, 0xFFFFFFE9);
    expect("LSPACT in the handler", lazy_in_handler & 1, 1);
    expect("LSPACT after its first FP instruction", lazy_after & 1, 0);
    expect("s0 survives", s0, 0x3F800000);
    expect("s15 survives", s15, 0x3FC00000);
    expect("FPSCR survives", fpscr, 0x40000000);
    expect("CONTROL.FPCA", control & 4, 4);
    IRQ(20) = irq_a;
    NVIC_ISPR(0) = 1u << 20;
    barrier();
    expect("handler without FP: LSPACT is gone", FPCCR & 1, 0);
}

/* ---- sleep ---- */

static volatile uint32_t ticks;
static void systick(void) { ticks++; }

static void check_sleep(void)
{
    ram_vectors[15] = systick;
    REG(0xE000E014) = 63999;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    for (int i = 0; i < 5; i++)
        __asm volatile("wfi");
    expect("SysTick wakes WFI", ticks, 5);
    __asm volatile("cpsid i\n wfi");
    expect("WFI wakes with PRIMASK, handler waits", ticks, 5);
    expect("SysTick is pending", ICSR >> 26 & 1, 1);
    __asm volatile("cpsie i");
    barrier();
    expect("and then runs", ticks, 6);
    REG(0xE000E010) = 0;
    __asm volatile("sev\n wfe"); /* the event is there: no sleep */
    expect("SEV, WFE", 1, 1);
    SCR = 16; /* SEVONPEND */
    NVIC_ICER(0) = 1u << 22;
    __asm volatile("sev\n wfe");
    NVIC_ISPR(0) = 1u << 22;
    __asm volatile("wfe");
    expect("SEVONPEND wakes WFE", 1, 1);
    REG(0xE000E280) = 1u << 22;
    SCR = 0;
    uint32_t before = REG(0xE000E018);
    expect("stopped SysTick stands", REG(0xE000E018), before);
}

/* ---- MPU ---- */

static uint32_t guarded[64] __attribute__((aligned(256)));

static void mpu_region(unsigned n, uint32_t base, uint32_t rasr)
{
    REG(0xE000ED98) = n;
    REG(0xE000ED9C) = base;
    REG(0xE000EDA0) = rasr;
}

static volatile uint32_t user_saw;

static void check_mpu(void)
{
    expect("MPU_TYPE", REG(0xE000ED90), 0x800);
    mpu_region(0, (uint32_t)guarded, 6u << 24 | 7u << 1 | 1u); /* read only, 256 bytes */
    REG(0xE000ED94) = 5; /* enable, default map for privileged */
    barrier();
    no_fault();
    (void)*(volatile uint32_t *)&guarded[3];
    expect_fault("reading is allowed", 0, 0);
    *(volatile uint32_t *)&guarded[3] = 1;
    expect("MMFAR", fault_addr, (uint32_t)&guarded[3]);
    expect_fault("DACCVIOL", 4, 1u << 1 | 1u << 7);
    *(volatile uint32_t *)&guarded[0] = 1;
    expect_fault("first word", 4, 1u << 1 | 1u << 7);
    mpu_region(0, (uint32_t)guarded, 6u << 24 | 0x01u << 8 | 7u << 1 | 1u); /* first subregion off: 32 bytes */
    barrier();
    *(volatile uint32_t *)&guarded[3] = 1;
    expect_fault("subregion disabled", 0, 0);
    *(volatile uint32_t *)&guarded[8] = 1;
    expect_fault("next subregion", 4, 1u << 1 | 1u << 7);
    mpu_region(1, (uint32_t)guarded, 3u << 24 | 7u << 1 | 1u);
    barrier();
    *(volatile uint32_t *)&guarded[8] = 1;
    expect_fault("higher region wins", 0, 0);
    mpu_region(1, (uint32_t)guarded & ~31u, 1u << 28 | 3u << 24 | 7u << 1 | 1u); /* execute never */
    guarded[0] = 0x47704770; /* bx lr */
    barrier();
    __asm volatile("blx %0" ::"r"((uint32_t)guarded | 1) : "lr", "r0", "r1", "r2", "r3", "r12", "memory");
    expect_fault("XN", 4, 1u << 0);
    mpu_region(1, (uint32_t)guarded & ~31u, 3u << 24 | 7u << 1 | 1u);
    barrier();
    __asm volatile("blx %0" ::"r"((uint32_t)guarded | 1) : "lr", "r0", "r1", "r2", "r3", "r12", "memory");
    expect_fault("and without XN", 0, 0);
    REG(0xE000ED94) = 0;
    barrier();
}

/* Unprivileged: a load that only privileged code may do, and no way back but SVC. */
__attribute__((naked)) static void svc_privileged(void)
{
    __asm volatile("mrs r0, control\n bic r0, #1\n msr control, r0\n isb\n bx lr");
}

static void check_user(void)
{
    static uint32_t secret[8] __attribute__((aligned(32)));
    secret[0] = 0x1234;
    mpu_region(0, 0, 3u << 24 | 31u << 1 | 1u); /* all memory, full access */
    mpu_region(1, (uint32_t)secret, 1u << 24 | 4u << 1 | 1u); /* 32 bytes, privileged only */
    REG(0xE000ED94) = 5;
    ram_vectors[11] = svc_privileged;
    no_fault();
    __asm volatile("mrs r0, control\n orr r0, #1\n msr control, r0\n isb" ::: "r0");
    (void)*(volatile uint32_t *)&secret[0];
    (void)*(volatile uint32_t *)0xE000ED00;
    __asm volatile("svc #0" ::: "r0", "memory");
    expect_fault("user: PPB is a bus error", 5, 1u << 9 | 1u << 15);
    __asm volatile("mrs r0, control\n orr r0, #1\n msr control, r0\n isb\n cpsid i\n mov r0, #1\n msr primask, r0\n svc #0" ::: "r0", "memory");
    uint32_t v;
    __asm volatile("mrs %0, primask" : "=r"(v));
    expect("user cannot set PRIMASK", v, 0);
    no_fault();
    __asm volatile("ldrt r1, [%0]" ::"r"(secret) : "r1");
    expect_fault("LDRT is unprivileged", 4, 1u << 1 | 1u << 7);
    expect("the privileged may read", secret[0], 0x1234);
    REG(0xE000ED94) = 0;
    barrier();
}

/* ---- exclusive access, DWT, self-modifying code ---- */

static void check_exclusive(void)
{
    static volatile uint32_t word;
    uint32_t r, v;
    __asm volatile("ldrex %1, [%2]\n strex %0, %1, [%2]" : "=&r"(r), "=&r"(v) : "r"(&word) : "memory");
    expect("STREX after LDREX", r, 0);
    __asm volatile("strex %0, %1, [%2]" : "=&r"(r) : "r"(v), "r"(&word) : "memory");
    expect("STREX alone fails", r, 1);
    __asm volatile("ldrex %1, [%2]\n clrex\n strex %0, %1, [%2]" : "=&r"(r), "=&r"(v) : "r"(&word) : "memory");
    expect("CLREX", r, 1);
    IRQ(20) = irq_a;
    __asm volatile("ldrex %1, [%2]\n str %3, [%4]\n dsb\n isb\n strex %0, %1, [%2]" : "=&r"(r), "=&r"(v)
                   : "r"(&word), "r"(1u << 20), "r"(0xE000E200) : "memory");
    expect("an exception clears the monitor", r, 1);
}

static void check_dwt(void)
{
    REG(0xE000EDFC) = 1u << 24;
    REG(0xE0001004) = 0;
    REG(0xE0001000) |= 1;
    uint32_t a = REG(0xE0001004);
    for (volatile int i = 0; i < 100; i++)
        ;
    uint32_t b = REG(0xE0001004);
    expect("CYCCNT counts", b > a + 300 && b < a + 3000, 1);
    REG(0xE0001000) = 0;
    a = REG(0xE0001004);
    expect("CYCCNT stops", REG(0xE0001004), a);
}

static uint16_t code[4] __attribute__((aligned(4)));

static void check_self_modifying(void)
{
    uint32_t (*fn)(void) = (uint32_t (*)(void))((uint32_t)code | 1);
    code[0] = 0x2005; /* movs r0, #5 */
    code[1] = 0x4770; /* bx lr */
    barrier();
    expect("code in RAM", fn(), 5);
    *(volatile uint8_t *)&code[0] = 7;
    barrier();
    expect("and changed", fn(), 7);
    uint32_t (*alias)(void) = (uint32_t (*)(void))((uint32_t)code - 0x20000000 + 0x00800001);
    expect("through the code bus", alias(), 7);
    *(volatile uint8_t *)&code[0] = 8;
    barrier();
    expect("changed there too", alias(), 8);
}

/* ---- what the interpreter keeps in tables while the MPU is on ---- */

static uint32_t granted[64] __attribute__((aligned(256))); /* no code was ever in here */

static void check_mpu_changes(void)
{
    mpu_region(1, 0, 0);
    mpu_region(0, (uint32_t)granted, 3u << 24 | 7u << 1 | 1u);
    REG(0xE000ED94) = 5;
    barrier();
    no_fault();
    for (unsigned i = 0; i < 3; i++)
        *(volatile uint32_t *)&granted[5] = i;
    expect_fault("full access", 0, 0);
    mpu_region(0, (uint32_t)granted, 6u << 24 | 7u << 1 | 1u);
    *(volatile uint32_t *)&granted[5] = 7;
    expect_fault("taken away", 4, 1u << 1 | 1u << 7);
    expect("and kept its value", granted[5], 2);
    REG(0xE000ED94) = 0;
    *(volatile uint32_t *)&granted[5] = 8;
    expect_fault("off again", 0, 0);
    mpu_region(0, 0, 6u << 24 | 19u << 1 | 1u); /* flash: read only */
    REG(0xE000ED94) = 5;
    barrier();
    expect("constants in flash", *(volatile uint16_t *)((uint32_t)barrier & ~1u) != 0xFFFF, 1);
    mpu_region(1, 0xF0000, 15u << 1 | 1u); /* 64 KiB of it: nothing */
    barrier();
    (void)*(volatile uint32_t *)0xF0010;
    expect_fault("a hole in flash", 4, 1u << 1 | 1u << 7);
    mpu_region(1, 0xF0000, 0);
    barrier();
    (void)*(volatile uint32_t *)0xF0010;
    expect_fault("and closed", 0, 0);
    REG(0xE000ED94) = 0;
    barrier();
}

/* ---- priority groups, sleep on exit, bus faults that are ignored ---- */

static void check_groups(void)
{
    IRQ(20) = irq_a;
    IRQ(21) = irq_nest;
    NVIC_ISER(0) = 3u << 20;
    IPR8(20) = 0x20;
    IPR8(21) = 0x40;
    REG(0xE000ED0C) = 0x05FA0000 | 6u << 8; /* one bit of group priority */
    expect("PRIGROUP", REG(0xE000ED0C), 0xFA050600);
    begin_order();
    NVIC_ISPR(0) = 1u << 21;
    barrier();
    expect("same group: no preemption", order_word(), 0x28296100);
    REG(0xE000ED0C) = 0x05FA0000;
    begin_order();
    NVIC_ISPR(0) = 1u << 21;
    barrier();
    expect("all bits: preemption", order_word(), 0x28612900);
    NVIC_ICER(0) = 3u << 20;
}

static volatile unsigned exits;

static void sleepy_tick(void)
{
    if (++exits == 3)
        SCR = 0;
}

static void check_sleep_on_exit(void)
{
    ram_vectors[15] = sleepy_tick;
    exits = 0;
    REG(0xE000E014) = 6399;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    SCR = 2;
    __asm volatile("wfi");
    expect("SLEEPONEXIT sleeps until it is taken back", exits, 3);
    REG(0xE000E010) = 0;
}

static volatile uint32_t nmi_read;

static void nmi(void)
{
    nmi_read = 1;
    (void)*(volatile uint32_t *)0x60000000;
    *(volatile uint32_t *)0x60000000 = 1;
    nmi_read = 2;
}

static void check_ignored_bus_faults(void)
{
    ram_vectors[2] = nmi;
    CCR |= 1u << 8; /* BFHFNMIGN */
    no_fault();
    ICSR = 1u << 31;
    barrier();
    expect("BFHFNMIGN in NMI", nmi_read, 2);
    expect("nothing was taken", fault_number, 0);
    (void)*(volatile uint32_t *)0x60000000;
    expect_fault("not in thread mode", 5, 1u << 9 | 1u << 15);
    CCR &= ~(1u << 8);
}

int main(void)
{
    check_priorities();
    check_masks();
    check_svc();
    check_faults();
    check_lazy();
    check_sleep();
    check_mpu();
    check_user();
    check_exclusive();
    check_dwt();
    check_self_modifying();
    check_mpu_changes();
    check_groups();
    check_sleep_on_exit();
    check_ignored_bus_faults();
    print("failed ");
    print_hex(failed);
    print("\n");
    return 0;
}
