/* What the files of board/cpu share: flags, shifts, memory access, decoding tables. */
#ifndef BOARD_CPU_CPU_PRIV_H
#define BOARD_CPU_CPU_PRIV_H

#include <string.h>

#include "board/cpu/cpu.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum { SH_LSL, SH_LSR, SH_ASR, SH_ROR, SH_RRX };

static inline uint32_t bits(uint32_t v, unsigned hi, unsigned lo)
{
    return (v >> lo) & (0xFFFFFFFFu >> (31u - (hi - lo)));
}

static inline uint32_t sext(uint32_t v, unsigned width)
{
    uint32_t m = 1u << (width - 1);
    return (v ^ m) - m;
}

static inline void set_nz(struct cpu *c, uint32_t v)
{
    c->nf = v;
    c->zf = v;
}

/* ARM ARM A2.2.1 AddWithCarry, with and without flags. */
static inline uint32_t add_flags(struct cpu *c, uint32_t a, uint32_t b, uint32_t carry)
{
    uint64_t wide = (uint64_t)a + b + carry;
    uint32_t r = (uint32_t)wide;
    c->cf = (uint32_t)(wide >> 32);
    c->vf = ((a ^ r) & (b ^ r)) >> 31;
    set_nz(c, r);
    return r;
}

static inline uint32_t ror32(uint32_t v, unsigned n)
{
    n &= 31u;
    return n ? v >> n | v << (32u - n) : v;
}

/* Shift by an immediate whose special cases the decoder resolved: n is 0..32, RRX apart. */
static inline uint32_t shift_c(const struct cpu *c, uint32_t v, unsigned type, unsigned n, uint32_t *carry)
{
    *carry = c->cf;
    if (type == SH_RRX) {
        *carry = v & 1u;
        return v >> 1 | c->cf << 31;
    }
    if (n == 0)
        return v;
    switch (type) {
    case SH_LSL:
        *carry = n <= 32 ? (v >> (32u - n)) & 1u : 0;
        return n < 32 ? v << n : 0;
    case SH_LSR:
        *carry = n <= 32 ? (v >> (n - 1u)) & 1u : 0;
        return n < 32 ? v >> n : 0;
    case SH_ASR:
        if (n > 32)
            n = 32;
        *carry = n < 32 ? (v >> (n - 1u)) & 1u : v >> 31;
        return n < 32 ? (uint32_t)((int32_t)v >> n) : (uint32_t)((int32_t)v >> 31);
    default:
        v = ror32(v, n);
        *carry = v >> 31;
        return v;
    }
}

static inline bool cond_holds(const struct cpu *c, unsigned cond)
{
    bool n = c->nf >> 31, z = c->zf == 0, v = c->vf, r;
    switch (cond >> 1) {
    case 0: r = z; break;
    case 1: r = c->cf; break;
    case 2: r = n; break;
    case 3: r = v; break;
    case 4: r = c->cf && !z; break;
    case 5: r = n == v; break;
    case 6: r = !z && n == v; break;
    default: return true;
    }
    return r != (cond & 1u);
}

/* ---- memory: RAM and flash directly, the rest and everything guarded through the bus ---- */

/* May RAM at `off` be touched directly? Not what the MPU has to be asked about, or somebody watches. */
static inline bool ram_free(const struct cpu *c, uint32_t off, uint32_t size)
{
    return off <= CPU_RAM_SIZE - size && (LIKELY(!c->guarded)
        || (c->ram_grant[off / CPU_RAM_GRAIN] == c->grant
            && c->ram_grant[(off + size - 1u) / CPU_RAM_GRAIN] == c->grant));
}

static inline bool flash_free(const struct cpu *c, uint32_t a)
{
    return a < c->flash_limit && (LIKELY(!c->guarded) || c->load_grant[a / CPU_GRANT_FLASH] == c->grant);
}

static inline uint32_t ld32(struct cpu *c, uint32_t a)
{
    uint32_t v, off = a - CPU_RAM_BASE;
    if (LIKELY(ram_free(c, off, 4))) {
        memcpy(&v, c->ram + off, 4);
        return v;
    }
    if (flash_free(c, a)) {
        memcpy(&v, c->flash + a, 4);
        return v;
    }
    return c->bus.read(c->bus.ctx, a, 4);
}

static inline uint32_t ld16(struct cpu *c, uint32_t a)
{
    uint32_t off = a - CPU_RAM_BASE;
    uint16_t v;
    if (LIKELY(ram_free(c, off, 2))) {
        memcpy(&v, c->ram + off, 2);
        return v;
    }
    if (flash_free(c, a)) {
        memcpy(&v, c->flash + a, 2);
        return v;
    }
    return c->bus.read(c->bus.ctx, a, 2);
}

static inline uint32_t ld8(struct cpu *c, uint32_t a)
{
    uint32_t off = a - CPU_RAM_BASE;
    if (LIKELY(ram_free(c, off, 1)))
        return c->ram[off];
    if (flash_free(c, a))
        return c->flash[a];
    return c->bus.read(c->bus.ctx, a, 1);
}

/* True if [off, off + size) of RAM is plain data: storing there needs no thought. */
static inline bool ram_plain(const struct cpu *c, uint32_t off, uint32_t size)
{
    return !(c->ram_code[off / CPU_RAM_GRAIN] | c->ram_code[(off + size - 1u) / CPU_RAM_GRAIN]);
}

static inline void st32(struct cpu *c, uint32_t a, uint32_t v)
{
    uint32_t off = a - CPU_RAM_BASE;
    if (LIKELY(ram_free(c, off, 4) && ram_plain(c, off, 4)))
        memcpy(c->ram + off, &v, 4);
    else
        c->bus.write(c->bus.ctx, a, 4, v);
}

static inline void st16(struct cpu *c, uint32_t a, uint32_t v)
{
    uint32_t off = a - CPU_RAM_BASE;
    uint16_t h = (uint16_t)v;
    if (LIKELY(ram_free(c, off, 2) && ram_plain(c, off, 2)))
        memcpy(c->ram + off, &h, 2);
    else
        c->bus.write(c->bus.ctx, a, 2, h);
}

static inline void st8(struct cpu *c, uint32_t a, uint32_t v)
{
    uint32_t off = a - CPU_RAM_BASE;
    if (LIKELY(ram_free(c, off, 1) && ram_plain(c, off, 1)))
        c->ram[off] = (uint8_t)v;
    else
        c->bus.write(c->bus.ctx, a, 1, v & 0xFFu);
}

/* LDRD, LDM, STREX, VLDR and their kin fault on an address that is not word aligned (A3.2.1). */
static inline void need_word(struct cpu *c, uint32_t a)
{
    if (UNLIKELY(a & 3u))
        cpu_fault(c, CFSR_UNALIGNED, 0);
}

/* ---- control flow ---- */

static inline unsigned branch_to(struct cpu *c, uint32_t target)
{
    c->next = target & ~1u;
    return FLOW_BRANCH;
}

/* BXWritePC: also LDR, POP and LDM into the PC. In handler mode 0xFxxxxxxx is EXC_RETURN. */
unsigned branch_exchange(struct cpu *c, uint32_t target);

/* ---- decoding ---- */

void decode_at(struct cpu *c, uint32_t pc, struct op *o);
void decode16(uint32_t pc, uint32_t insn, struct op *o);
void decode32(uint32_t pc, uint32_t insn, struct op *o); /* insn: first halfword in the upper half */
bool decode_alu32(uint32_t pc, uint32_t insn, struct op *o); /* data processing, multiply */
bool decode_mem32(uint32_t pc, uint32_t insn, struct op *o); /* loads and stores */
bool decode_fp32(uint32_t pc, uint32_t insn, struct op *o); /* coprocessor space */

op_fn op_undefined, op_nocp, op_align_sp; /* the last: o->inner, then SP bits 1:0 are cleared (B5.2.3) */

/* Indices of the two-operand tables in exec_alu.c; the order of the 16-bit encoding 010000. */
enum alu { ALU_AND, ALU_EOR, ALU_ADC, ALU_SBC, ALU_ORR, ALU_BIC, ALU_MVN, ALU_ADD, ALU_SUB,
    ALU_RSB, ALU_MOV, ALU_ORN, ALU_TST, ALU_TEQ, ALU_CMP, ALU_CMN, ALU_COUNT };
extern op_fn *const alu_imm[ALU_COUNT][2]; /* [alu][sets flags]; ra: carry from the immediate or 2 */
extern op_fn *const alu_reg[ALU_COUNT][2]; /* second operand rm, not shifted */
extern op_fn *const alu_shift[ALU_COUNT][2]; /* rm shifted by sh_type, sh_n */
extern op_fn *const b_cond[14];
op_fn op_shift_reg, op_shift_reg_s; /* rd = rn shifted by low byte of rm */
op_fn op_adr, op_movt, op_bfi, op_bfx_s, op_bfx_u, op_ssat, op_usat, op_ssat16, op_usat16;
op_fn op_add_hi, op_mov_hi, op_cmp_hi;
op_fn op_b, op_b_self, op_bl, op_bx, op_blx, op_cbz, op_cbnz, op_tb;
op_fn op_it, op_nop, op_svc, op_bkpt, op_cps, op_mrs, op_msr, op_wfi, op_wfe, op_sev, op_clrex, op_sync;

/* exec_dsp.c; op_pas: parallel add and subtract, imm selects which. */
op_fn op_mul, op_muls, op_mla, op_mls, op_smull, op_umull, op_smlal, op_umlal, op_umaal, op_sdiv, op_udiv;
op_fn op_smlaxy, op_smulxy, op_smlawy, op_smulwy, op_smlad, op_smuad, op_smlsd, op_smusd;
op_fn op_smlalxy, op_smlald, op_smlsld, op_smmla, op_smmls, op_usad8, op_pas, op_sel;
op_fn op_qadd, op_qsub, op_qdadd, op_qdsub, op_pkhbt, op_pkhtb;
op_fn op_extend, op_extend_add, op_rev, op_rev16, op_revsh, op_rbit, op_clz;

/* exec_mem.c. mem_fn: [size 0 byte 1 half 2 word][store, load, load signed][mode]. */
enum { MODE_IMM, MODE_REG, MODE_PRE, MODE_POST, MODE_COUNT }; /* PRE and POST write rn back */
enum { MEM_STORE, MEM_LOAD, MEM_LOAD_SIGNED };
extern op_fn *const mem_fn[3][3][MODE_COUNT];
op_fn op_ldr_lit, op_ldrb_lit, op_ldrh_lit, op_ldrsb_lit, op_ldrsh_lit, op_ldr_pc, op_unpriv;
op_fn op_ldm, op_ldm_pc, op_stm, op_push, op_pop, op_pop_pc, op_stmdb, op_ldmdb, op_ldmdb_pc;
op_fn op_ldrd, op_strd, op_ldrex, op_strex, op_pld;

#endif
