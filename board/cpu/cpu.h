/*
 * The core of the chip: an ARMv7E-M interpreter with FPv4-SP, written from the ARMv7-M architecture
 * reference manual (ARM DDI 0403E; "ARM ARM" in comments below).
 *
 * Instructions are decoded once into `struct op` and kept per 4 KiB page; a store into a decoded
 * page drops what it overlaps, so self-modifying code needs nothing special. The core knows memory
 * only through struct cpu_bus; exceptions are taken by board/system/exc.c.
 *
 * Time: every instruction adds its cycles (Cortex-M4 TRM table 3-1, branches and loads at their
 * typical cost) to `cycles`; 64 cycles are one microsecond.
 */
#ifndef BOARD_CPU_CPU_H
#define BOARD_CPU_CPU_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CPU_RAM_BASE = 0x20000000,
    CPU_RAM_SIZE = 0x40000,
    CPU_RAM_ALIAS = 0x00800000, /* the same RAM on the code bus */
    CPU_FLASH_SIZE = 0x100000,
    CPU_XIP_PAGES = 64,
    CPU_PAGE = 4096, /* unit of decoded code */
    CPU_RAM_GRAIN = 256, /* unit of "this RAM holds decoded code" and of grants */
    CPU_GRANT_FLASH = 65536, /* unit of grants in flash */
};

/* Exception numbers that the core raises by itself (ARM ARM B1.5.2). */
enum {
    EXC_RESET = 1, EXC_NMI = 2, EXC_HARD = 3, EXC_MEM = 4, EXC_BUS = 5, EXC_USAGE = 6,
    EXC_SVC = 11, EXC_DEBUG = 12, EXC_PENDSV = 14, EXC_SYSTICK = 15, EXC_IRQ0 = 16,
};

/* Bits of CFSR (ARM ARM B3.2.15). */
enum {
    CFSR_IACCVIOL = 1u << 0, CFSR_DACCVIOL = 1u << 1, CFSR_MUNSTKERR = 1u << 3,
    CFSR_MSTKERR = 1u << 4, CFSR_MLSPERR = 1u << 5, CFSR_MMARVALID = 1u << 7,
    CFSR_IBUSERR = 1u << 8, CFSR_PRECISERR = 1u << 9, CFSR_UNSTKERR = 1u << 11,
    CFSR_STKERR = 1u << 12, CFSR_LSPERR = 1u << 13, CFSR_BFARVALID = 1u << 15,
    CFSR_UNDEFINSTR = 1u << 16, CFSR_INVSTATE = 1u << 17, CFSR_INVPC = 1u << 18,
    CFSR_NOCP = 1u << 19, CFSR_UNALIGNED = 1u << 24, CFSR_DIVBYZERO = 1u << 25,
};

struct cpu;
struct op;

/* What an instruction did to the flow, returned by its function. */
enum {
    FLOW_NEXT = 0, /* on to the next one */
    FLOW_BRANCH = 1, /* c->next holds the new PC */
    FLOW_PAGE_END = 2, /* not an instruction: the page's decoded code ends here */
    FLOW_LOOK = 4, /* leave the fast loop: IT block, masks, sleep, exception state changed */
};
typedef unsigned op_fn(struct cpu *c, const struct op *o);

/* A decoded instruction. What the fields mean is the business of decoder and function. */
struct op {
    op_fn *fn;
    uint32_t imm;
    uint8_t rd, rn, rm, ra;
    uint8_t sh_type, sh_n; /* shift of the second operand: 0 LSL 1 LSR 2 ASR 3 ROR 4 RRX */
    uint8_t halfwords; /* 1 or 2 */
    uint8_t cycles;
    uint8_t keep_flags; /* in an IT block the flags stay (16-bit data processing) */
    op_fn *inner; /* what op_align_sp wraps */
};

/* Decoded code of one page; one op more than halfwords, which is the page's end. */
struct code_page {
    uint32_t base;
    struct op ops[CPU_PAGE / 2 + 2];
};

/* EXEC_MIXED, only for a page: ask for each instruction. DENIED is the MPU's or the map's, NONE no memory. */
enum { EXEC_OK, EXEC_MIXED, EXEC_DENIED, EXEC_NONE };

/*
 * The world outside the core. Functions do not return on a fault: they call cpu_fault().
 * `size` is 1, 2 or 4; read values are zero-extended.
 */
struct cpu_bus {
    void *ctx;
    uint32_t (*read)(void *ctx, uint32_t addr, unsigned size);
    void (*write)(void *ctx, uint32_t addr, unsigned size, uint32_t val);
    /* Halfword for the decoder; false if nothing executable is there. */
    bool (*fetch)(void *ctx, uint32_t addr, uint16_t *insn);
    /* May code run at `addr` (EXEC_*)? `page`: asked for its whole page. Waits for a busy flash. */
    int (*exec)(void *ctx, uint32_t addr, bool page);
    /* Load or store permission of the MPU, asked only while `guarded`; faults if not allowed. */
    void (*check)(void *ctx, uint32_t addr, unsigned size, bool write, bool user);
    uint32_t (*sysreg_read)(void *ctx, unsigned sysm);
    void (*sysreg_write)(void *ctx, unsigned sysm, uint32_t val);
    void (*exception_return)(void *ctx, uint32_t exc_return);
    void (*event)(void *ctx, unsigned kind); /* CPU_EV_* */
};

enum { CPU_EV_SVC, CPU_EV_WFI, CPU_EV_WFE, CPU_EV_SEV, CPU_EV_BKPT, CPU_EV_MASK, CPU_EV_FP };

/* Registers and state; everything up to `bus` is plain data and part of a snapshot. */
struct cpu {
    uint32_t r[16]; /* r[13] the SP in use; r[15] PC of the running instruction + 4 */
    uint32_t nf, zf, cf, vf, qf; /* N = bit 31 of nf, Z = (zf == 0), others 0 or 1 */
    uint32_t ge; /* 4 bits */
    uint32_t it, it_before; /* ITSTATE, and what it was before the running instruction */
    uint32_t next; /* PC of the next instruction whenever no instruction is running */
    uint64_t cycles;
    uint64_t deadline; /* the fast loop ends when cycles reach it */
    uint64_t insns;
    uint32_t s[32], fpscr;
    uint32_t other_sp; /* the SP not in use */
    uint32_t ipsr, control, primask, faultmask, basepri;
    uint32_t fpccr, fpcar, fpdscr;
    bool thumb; /* EPSR.T */
    bool ex_valid; /* local exclusive monitor */
    bool event; /* WFE's event register */
    bool user; /* unprivileged thread */
    bool guarded; /* loads and stores go through bus.check (MPU on) or are watched */
    uint32_t grant; /* while guarded: what an entry of the tables of grants must hold to be good */
    bool trap_unaligned, trap_div0; /* CCR */
    bool fp_ready; /* FP instructions need no check: enabled, FPCA set, nothing to stack lazily */
    uint32_t flash_limit; /* loads below this may read `flash` directly; 0 while the NVMC works */
    uint32_t fault_bits, fault_addr; /* of the instruction that has just faulted */
    bool fault_pending;
    bool spinning; /* the last instruction branched to itself */

    struct cpu_bus bus;
    uint8_t *ram, *flash;
    jmp_buf *fault_jmp;
    uint8_t ram_code[CPU_RAM_SIZE / CPU_RAM_GRAIN]; /* nonzero: decoded code in there */
    /* Holds c->grant: the MPU allows load and store (RAM), load, or execution (flash) in all of it. */
    uint32_t ram_grant[CPU_RAM_SIZE / CPU_RAM_GRAIN];
    uint32_t load_grant[CPU_FLASH_SIZE / CPU_GRANT_FLASH], exec_grant[CPU_FLASH_SIZE / CPU_GRANT_FLASH];
    struct code_page *flash_code[CPU_FLASH_SIZE / CPU_PAGE];
    struct code_page *ram_pages[2 * CPU_RAM_SIZE / CPU_PAGE]; /* RAM, then its alias */
    struct code_page *xip_pages[CPU_XIP_PAGES]; /* direct mapped: code in external flash is rare */
};

/* Called with each instruction's address before it runs; true stops there, nothing executed. */
typedef bool cpu_trace_fn(void *ctx, uint32_t pc);

/* Runs until cycles >= deadline, a fault, or an instruction after which to look around. */
void cpu_run(struct cpu *c);
/* The same, calling `trace` before each instruction; ends when it returns true. */
void cpu_run_traced(struct cpu *c, cpu_trace_fn *trace, void *ctx);

/* Ends the running instruction with a fault: CFSR bits, and the address they are valid for. */
_Noreturn void cpu_fault(struct cpu *c, uint32_t cfsr_bits, uint32_t addr);

/* Drops decoded code in [addr, addr + len): after writes that did not come from the core. */
void cpu_code_changed(struct cpu *c, uint32_t addr, uint32_t len);
/* Drops all decoded code and gives its memory back. Not from within an instruction. */
void cpu_code_forget(struct cpu *c);

uint32_t cpu_apsr(const struct cpu *c); /* N Z C V Q GE */
uint32_t cpu_xpsr(const struct cpu *c);
void cpu_set_apsr(struct cpu *c, uint32_t v, bool nzcvq, bool ge);
void cpu_set_xpsr(struct cpu *c, uint32_t v); /* flags, IT, T; not IPSR */
/* Selects the stack pointer that CONTROL and IPSR ask for; call after changing either. */
void cpu_select_sp(struct cpu *c, bool use_psp);
uint32_t cpu_msp(const struct cpu *c);
uint32_t cpu_psp(const struct cpu *c);
void cpu_set_msp(struct cpu *c, uint32_t v);
void cpu_set_psp(struct cpu *c, uint32_t v);

#endif
