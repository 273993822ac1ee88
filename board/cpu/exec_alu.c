/* Data processing, branches, hints and system instructions (ARM ARM A7.7, by instruction). */
#include "board/cpu/cpu_priv.h"

/*
 * Each two-operand instruction exists for an immediate, a plain register and a shifted register,
 * with and without flags. OPERAND sets `b`, the second operand; CARRY is the shifter's carry.
 */
#define OPERAND_imm uint32_t b = o->imm
#define OPERAND_reg uint32_t b = c->r[o->rm]
#define OPERAND_shift uint32_t sc, b = shift_c(c, c->r[o->rm], o->sh_type, o->sh_n, &sc); (void)sc
/* An expanded immediate carries out bit 31 if it was rotated (ra = 0 or 1), else C stays (ra = 2). */
#define CARRY_imm do { if (o->ra != 2) c->cf = o->ra; } while (0)
#define CARRY_reg do { } while (0)
#define CARRY_shift do { c->cf = sc; } while (0)

#define LOGIC(name, kind, expr)                                                                     \
    static unsigned name##_##kind(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        uint32_t a = c->r[o->rn];                                                                   \
        OPERAND_##kind;                                                                             \
        (void)a;                                                                                    \
        c->r[o->rd] = (expr);                                                                       \
        return FLOW_NEXT;                                                                           \
    }                                                                                               \
    static unsigned name##_##kind##_s(struct cpu *c, const struct op *o)                            \
    {                                                                                               \
        uint32_t a = c->r[o->rn];                                                                   \
        OPERAND_##kind;                                                                             \
        (void)a;                                                                                    \
        uint32_t r = (expr);                                                                        \
        CARRY_##kind;                                                                               \
        set_nz(c, r);                                                                               \
        c->r[o->rd] = r;                                                                            \
        return FLOW_NEXT;                                                                           \
    }

#define ARITH(name, kind, plain, x, y, carry)                                                       \
    static unsigned name##_##kind(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        uint32_t a = c->r[o->rn];                                                                   \
        OPERAND_##kind;                                                                             \
        c->r[o->rd] = (plain);                                                                      \
        return FLOW_NEXT;                                                                           \
    }                                                                                               \
    static unsigned name##_##kind##_s(struct cpu *c, const struct op *o)                            \
    {                                                                                               \
        uint32_t a = c->r[o->rn];                                                                   \
        OPERAND_##kind;                                                                             \
        c->r[o->rd] = add_flags(c, (x), (y), (carry));                                              \
        return FLOW_NEXT;                                                                           \
    }

#define TEST(name, kind, expr)                                                                      \
    static unsigned name##_##kind(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        uint32_t a = c->r[o->rn];                                                                   \
        OPERAND_##kind;                                                                             \
        CARRY_##kind;                                                                               \
        set_nz(c, (expr));                                                                          \
        return FLOW_NEXT;                                                                           \
    }

#define COMPARE(name, kind, y, carry)                                                               \
    static unsigned name##_##kind(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        OPERAND_##kind;                                                                             \
        (void)add_flags(c, c->r[o->rn], (y), (carry));                                              \
        return FLOW_NEXT;                                                                           \
    }

#define ALL(kind)                                                                                   \
    LOGIC(and, kind, a & b)                                                                         \
    LOGIC(eor, kind, a ^ b)                                                                         \
    LOGIC(orr, kind, a | b)                                                                         \
    LOGIC(bic, kind, a & ~b)                                                                        \
    LOGIC(orn, kind, a | ~b)                                                                        \
    LOGIC(mvn, kind, ~b)                                                                            \
    LOGIC(mov, kind, b)                                                                             \
    ARITH(add, kind, a + b, a, b, 0)                                                                \
    ARITH(adc, kind, a + b + c->cf, a, b, c->cf)                                                    \
    ARITH(sub, kind, a - b, a, ~b, 1)                                                               \
    ARITH(sbc, kind, a - b - !c->cf, a, ~b, c->cf)                                                  \
    ARITH(rsb, kind, b - a, ~a, b, 1)                                                               \
    TEST(tst, kind, a & b)                                                                          \
    TEST(teq, kind, a ^ b)                                                                          \
    COMPARE(cmp, kind, ~b, 1)                                                                       \
    COMPARE(cmn, kind, b, 0)

ALL(imm)
ALL(reg)
ALL(shift)

#define TABLE(kind)                                                                                 \
    op_fn *const alu_##kind[ALU_COUNT][2] = {                                                       \
        [ALU_AND] = { and_##kind, and_##kind##_s }, [ALU_EOR] = { eor_##kind, eor_##kind##_s },     \
        [ALU_ADC] = { adc_##kind, adc_##kind##_s }, [ALU_SBC] = { sbc_##kind, sbc_##kind##_s },     \
        [ALU_ORR] = { orr_##kind, orr_##kind##_s }, [ALU_BIC] = { bic_##kind, bic_##kind##_s },     \
        [ALU_MVN] = { mvn_##kind, mvn_##kind##_s }, [ALU_ADD] = { add_##kind, add_##kind##_s },     \
        [ALU_SUB] = { sub_##kind, sub_##kind##_s }, [ALU_RSB] = { rsb_##kind, rsb_##kind##_s },     \
        [ALU_MOV] = { mov_##kind, mov_##kind##_s }, [ALU_ORN] = { orn_##kind, orn_##kind##_s },     \
        [ALU_TST] = { tst_##kind, tst_##kind }, [ALU_TEQ] = { teq_##kind, teq_##kind },             \
        [ALU_CMP] = { cmp_##kind, cmp_##kind }, [ALU_CMN] = { cmn_##kind, cmn_##kind },             \
    }
TABLE(imm);
TABLE(reg);
TABLE(shift);

/* Shift by register: the amount is the low byte, 0 leaves value and carry. */
static uint32_t shift_by_reg(const struct cpu *c, const struct op *o, uint32_t *carry)
{
    unsigned n = c->r[o->rm] & 0xFFu;
    uint32_t v = c->r[o->rn];
    if (n > 33 && o->sh_type != SH_ROR)
        n = 33; /* same result as any larger amount */
    if (n == 33 && o->sh_type != SH_ASR) {
        *carry = 0;
        if (o->sh_type != SH_ROR)
            return 0;
    }
    return shift_c(c, v, o->sh_type, n, carry);
}

unsigned op_shift_reg(struct cpu *c, const struct op *o)
{
    uint32_t carry;
    c->r[o->rd] = shift_by_reg(c, o, &carry);
    return FLOW_NEXT;
}

unsigned op_shift_reg_s(struct cpu *c, const struct op *o)
{
    uint32_t carry, v = shift_by_reg(c, o, &carry);
    c->r[o->rd] = v;
    c->cf = carry;
    set_nz(c, v);
    return FLOW_NEXT;
}

unsigned op_adr(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = o->imm;
    return FLOW_NEXT;
}

unsigned op_movt(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (c->r[o->rd] & 0xFFFFu) | o->imm << 16;
    return FLOW_NEXT;
}

/* Bit fields: imm = mask of the field in place at bit 0, sh_n = its position. BFC has rn = 15. */
unsigned op_bfi(struct cpu *c, const struct op *o)
{
    uint32_t src = o->rn == 15 ? 0 : c->r[o->rn];
    c->r[o->rd] = (c->r[o->rd] & ~(o->imm << o->sh_n)) | (src & o->imm) << o->sh_n;
    return FLOW_NEXT;
}

unsigned op_bfx_u(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (c->r[o->rn] >> o->sh_n) & o->imm;
    return FLOW_NEXT;
}

unsigned op_bfx_s(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = sext((c->r[o->rn] >> o->sh_n) & o->imm, o->ra);
    return FLOW_NEXT;
}

/* Saturation: imm is the bit count as encoded (SSAT counts from 1). */
static uint32_t sat_signed(struct cpu *c, int64_t v, unsigned width)
{
    int64_t max = ((int64_t)1 << (width - 1)) - 1, min = -max - 1;
    if (v > max || v < min)
        c->qf = 1;
    return (uint32_t)(v > max ? max : v < min ? min : v);
}

static uint32_t sat_unsigned(struct cpu *c, int64_t v, unsigned width)
{
    int64_t max = ((int64_t)1 << width) - 1;
    if (v > max || v < 0)
        c->qf = 1;
    return (uint32_t)(v > max ? max : v < 0 ? 0 : v);
}

unsigned op_ssat(struct cpu *c, const struct op *o)
{
    uint32_t carry, v = shift_c(c, c->r[o->rn], o->sh_type, o->sh_n, &carry);
    c->r[o->rd] = sat_signed(c, (int32_t)v, o->imm + 1u);
    return FLOW_NEXT;
}

unsigned op_usat(struct cpu *c, const struct op *o)
{
    uint32_t carry, v = shift_c(c, c->r[o->rn], o->sh_type, o->sh_n, &carry);
    c->r[o->rd] = sat_unsigned(c, (int32_t)v, o->imm);
    return FLOW_NEXT;
}

unsigned op_ssat16(struct cpu *c, const struct op *o)
{
    uint32_t v = c->r[o->rn];
    uint32_t lo = sat_signed(c, (int16_t)v, o->imm + 1u), hi = sat_signed(c, (int16_t)(v >> 16), o->imm + 1u);
    c->r[o->rd] = (lo & 0xFFFFu) | hi << 16;
    return FLOW_NEXT;
}

unsigned op_usat16(struct cpu *c, const struct op *o)
{
    uint32_t v = c->r[o->rn];
    uint32_t lo = sat_unsigned(c, (int16_t)v, o->imm), hi = sat_unsigned(c, (int16_t)(v >> 16), o->imm);
    c->r[o->rd] = (lo & 0xFFFFu) | hi << 16;
    return FLOW_NEXT;
}

unsigned op_align_sp(struct cpu *c, const struct op *o)
{
    unsigned flow = o->inner(c, o);
    c->r[13] &= ~3u;
    return flow;
}

/* ---- high registers: rd may be the PC, and reading it gives this address + 4 ---- */

unsigned op_add_hi(struct cpu *c, const struct op *o)
{
    uint32_t v = c->r[o->rd] + c->r[o->rm];
    if (o->rd == 15)
        return branch_to(c, v);
    c->r[o->rd] = v;
    return FLOW_NEXT;
}

unsigned op_mov_hi(struct cpu *c, const struct op *o)
{
    if (o->rd == 15)
        return branch_to(c, c->r[o->rm]);
    c->r[o->rd] = c->r[o->rm];
    return FLOW_NEXT;
}

unsigned op_cmp_hi(struct cpu *c, const struct op *o)
{
    (void)add_flags(c, c->r[o->rn], ~c->r[o->rm], 1);
    return FLOW_NEXT;
}

/* ---- branches: imm is the target ---- */

unsigned op_b(struct cpu *c, const struct op *o)
{
    c->next = o->imm;
    return FLOW_BRANCH;
}

unsigned op_b_self(struct cpu *c, const struct op *o)
{
    c->next = o->imm;
    c->spinning = true;
    return FLOW_BRANCH | FLOW_LOOK;
}

unsigned op_bl(struct cpu *c, const struct op *o)
{
    c->r[14] = c->r[15] | 1u; /* pc + 4, a BL has two halfwords */
    c->next = o->imm;
    return FLOW_BRANCH;
}

unsigned op_bx(struct cpu *c, const struct op *o)
{
    return branch_exchange(c, c->r[o->rm]);
}

unsigned op_blx(struct cpu *c, const struct op *o)
{
    uint32_t target = c->r[o->rm];
    c->r[14] = (c->r[15] - 2u) | 1u;
    c->thumb = target & 1u;
    c->next = target & ~1u;
    return c->thumb ? FLOW_BRANCH : FLOW_BRANCH | FLOW_LOOK;
}

unsigned branch_exchange(struct cpu *c, uint32_t target)
{
    c->next = target & ~1u;
    if (UNLIKELY(c->ipsr != 0 && target >= 0xF0000000u)) {
        c->bus.exception_return(c->bus.ctx, target);
        return FLOW_BRANCH | FLOW_LOOK;
    }
    c->thumb = target & 1u;
    return LIKELY(c->thumb) ? FLOW_BRANCH : FLOW_BRANCH | FLOW_LOOK;
}

#define B_COND(n, expr)                                                                             \
    static unsigned b_##n(struct cpu *c, const struct op *o)                                        \
    {                                                                                               \
        if (!(expr))                                                                                \
            return FLOW_NEXT;                                                                       \
        c->next = o->imm;                                                                           \
        c->cycles += 2;                                                                             \
        return FLOW_BRANCH;                                                                         \
    }
B_COND(eq, c->zf == 0)
B_COND(ne, c->zf != 0)
B_COND(cs, c->cf)
B_COND(cc, !c->cf)
B_COND(mi, c->nf >> 31)
B_COND(pl, !(c->nf >> 31))
B_COND(vs, c->vf)
B_COND(vc, !c->vf)
B_COND(hi, c->cf && c->zf != 0)
B_COND(ls, !c->cf || c->zf == 0)
B_COND(ge, c->nf >> 31 == c->vf)
B_COND(lt, c->nf >> 31 != c->vf)
B_COND(gt, c->zf != 0 && c->nf >> 31 == c->vf)
B_COND(le, c->zf == 0 || c->nf >> 31 != c->vf)
op_fn *const b_cond[14] = { b_eq, b_ne, b_cs, b_cc, b_mi, b_pl, b_vs, b_vc, b_hi, b_ls, b_ge, b_lt, b_gt, b_le };

unsigned op_cbz(struct cpu *c, const struct op *o)
{
    if (c->r[o->rn] != 0)
        return FLOW_NEXT;
    c->next = o->imm;
    c->cycles += 2;
    return FLOW_BRANCH;
}

unsigned op_cbnz(struct cpu *c, const struct op *o)
{
    if (c->r[o->rn] == 0)
        return FLOW_NEXT;
    c->next = o->imm;
    c->cycles += 2;
    return FLOW_BRANCH;
}

/* TBB, TBH (imm = 1): a table of halfword offsets at rn, indexed by rm. */
unsigned op_tb(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[o->rn], i = c->r[o->rm];
    uint32_t off = o->imm ? ld16(c, base + i * 2u) : ld8(c, base + i);
    c->next = c->r[15] + 2u * off;
    return FLOW_BRANCH;
}

/* ---- hints and system ---- */

unsigned op_it(struct cpu *c, const struct op *o)
{
    c->it = o->imm;
    return FLOW_LOOK;
}

unsigned op_nop(struct cpu *c, const struct op *o)
{
    (void)c;
    (void)o;
    return FLOW_NEXT;
}

unsigned op_sync(struct cpu *c, const struct op *o)
{
    (void)c;
    (void)o;
    return FLOW_NEXT;
}

unsigned op_clrex(struct cpu *c, const struct op *o)
{
    (void)o;
    c->ex_valid = false;
    return FLOW_NEXT;
}

static unsigned tell(struct cpu *c, unsigned kind)
{
    c->bus.event(c->bus.ctx, kind);
    return FLOW_LOOK;
}

unsigned op_svc(struct cpu *c, const struct op *o)
{
    (void)o;
    return FLOW_BRANCH | tell(c, CPU_EV_SVC);
}

unsigned op_bkpt(struct cpu *c, const struct op *o)
{
    (void)o;
    return tell(c, CPU_EV_BKPT);
}

unsigned op_wfi(struct cpu *c, const struct op *o)
{
    (void)o;
    return tell(c, CPU_EV_WFI);
}

unsigned op_wfe(struct cpu *c, const struct op *o)
{
    (void)o;
    if (c->event) {
        c->event = false;
        return FLOW_NEXT;
    }
    return tell(c, CPU_EV_WFE);
}

unsigned op_sev(struct cpu *c, const struct op *o)
{
    (void)o;
    c->event = true;
    return FLOW_NEXT;
}

/* imm: bit 4 disable, bit 1 PRIMASK, bit 0 FAULTMASK. FAULTMASK cannot be set at priority -1. */
unsigned op_cps(struct cpu *c, const struct op *o)
{
    if (c->user)
        return FLOW_NEXT;
    uint32_t v = (o->imm >> 4) & 1u;
    if (o->imm & 2u)
        c->primask = v;
    if ((o->imm & 1u) && !(v && (c->ipsr == EXC_NMI || c->ipsr == EXC_HARD)))
        c->faultmask = v;
    return tell(c, CPU_EV_MASK);
}

unsigned op_mrs(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = c->bus.sysreg_read(c->bus.ctx, o->imm);
    return FLOW_NEXT;
}

/* ra: mask, bit 1 NZCVQ, bit 0 GE; it matters for the APSR only. */
unsigned op_msr(struct cpu *c, const struct op *o)
{
    if (o->imm <= 3)
        cpu_set_apsr(c, c->r[o->rn], o->ra & 2u, o->ra & 1u);
    else
        c->bus.sysreg_write(c->bus.ctx, o->imm, c->r[o->rn]);
    return FLOW_LOOK;
}

unsigned op_undefined(struct cpu *c, const struct op *o)
{
    (void)o;
    cpu_fault(c, CFSR_UNDEFINSTR, 0);
}

unsigned op_nocp(struct cpu *c, const struct op *o)
{
    (void)o;
    cpu_fault(c, CFSR_NOCP, 0);
}
