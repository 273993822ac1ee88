/* FPv4-SP: decoding and execution (ARM ARM A6.4..A6.7). Registers S0..S31 in rd, rn, rm. */
#include "board/cpu/cpu_priv.h"
#include "board/cpu/softfp.h"

#define NEG 0x80000000u

/*
 * Before any FP instruction: CPACR and privilege (NOCP), lazy stacking, CONTROL.FPCA. The slow part
 * is CPU_EV_FP's; it sets fp_ready or faults.
 */
static inline void fp_check(struct cpu *c)
{
    if (UNLIKELY(!c->fp_ready))
        c->bus.event(c->bus.ctx, CPU_EV_FP);
}

#define FP_OP(name, expr)                                                                           \
    static unsigned name(struct cpu *c, const struct op *o)                                         \
    {                                                                                               \
        fp_check(c);                                                                                \
        uint32_t d = c->s[o->rd], n = c->s[o->rn], m = c->s[o->rm], *fpscr = &c->fpscr;             \
        (void)d;                                                                                    \
        (void)n;                                                                                    \
        (void)m;                                                                                    \
        (void)fpscr;                                                                                \
        c->s[o->rd] = (expr);                                                                       \
        return FLOW_NEXT;                                                                           \
    }

/* A2.5: the chained forms round the product first and take operands in this order. */
FP_OP(vmla, softfp_add(d, softfp_mul(n, m, fpscr), fpscr))
FP_OP(vmls, softfp_add(d, softfp_mul(n, m, fpscr) ^ NEG, fpscr))
FP_OP(vnmls, softfp_add(d ^ NEG, softfp_mul(n, m, fpscr), fpscr))
FP_OP(vnmla, softfp_add(d ^ NEG, softfp_mul(n, m, fpscr) ^ NEG, fpscr))
FP_OP(vmul, softfp_mul(n, m, fpscr))
FP_OP(vnmul, softfp_mul(n, m, fpscr) ^ NEG)
FP_OP(vadd, softfp_add(n, m, fpscr))
FP_OP(vsub, softfp_sub(n, m, fpscr))
FP_OP(vdiv, softfp_div(n, m, fpscr))
FP_OP(vfma, softfp_fma(d, n, m, fpscr))
FP_OP(vfms, softfp_fma(d, n ^ NEG, m, fpscr))
FP_OP(vfnma, softfp_fma(d ^ NEG, n ^ NEG, m, fpscr))
FP_OP(vfnms, softfp_fma(d ^ NEG, n, m, fpscr))
FP_OP(vmov_imm, o->imm)
FP_OP(vmov, m)
FP_OP(vabs, m & ~NEG)
FP_OP(vneg, m ^ NEG)
FP_OP(vsqrt, softfp_sqrt(m, fpscr))
/* VCVTB, VCVTT: imm = 16 for the top half */
FP_OP(vcvt_from_half, softfp_from_half((uint16_t)(m >> o->imm), fpscr))
FP_OP(vcvt_to_half, (d & ~(0xFFFFu << o->imm)) | (uint32_t)softfp_to_half(m, fpscr) << o->imm)
/* VCVT with integers: imm = 1 signed; from: FPSCR's rounding; to: ra = 1 rounds as FPSCR, else to zero */
FP_OP(vcvt_from_int, softfp_from_int(o->imm ? (int64_t)(int32_t)m : (int64_t)m, 0, c->fpscr >> 22 & 3u, fpscr))
FP_OP(vcvt_to_int, softfp_to_int(m, 0, 32, o->imm, o->ra ? c->fpscr >> 22 & 3u : FP_ZERO, fpscr))

/* VCVT with fixed point: imm = fraction bits, sh_n = width, sh_type = 1 signed; rd both ways. */
static unsigned vcvt_from_fixed(struct cpu *c, const struct op *o)
{
    fp_check(c);
    uint32_t v = c->s[o->rd];
    int64_t i = v;
    if (o->sh_n == 16)
        i = o->sh_type ? (int64_t)(int16_t)v : (int64_t)(v & 0xFFFFu);
    else if (o->sh_type)
        i = (int32_t)v;
    c->s[o->rd] = softfp_from_int(i, o->imm, FP_NEAREST, &c->fpscr);
    return FLOW_NEXT;
}

static unsigned vcvt_to_fixed(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->s[o->rd] = softfp_to_int(c->s[o->rd], o->imm, o->sh_n, o->sh_type, FP_ZERO, &c->fpscr);
    return FLOW_NEXT;
}

/* imm: bit 0 VCMPE, bit 1 compare with zero */
static unsigned vcmp(struct cpu *c, const struct op *o)
{
    fp_check(c);
    unsigned nzcv = softfp_compare(c->s[o->rd], o->imm & 2u ? 0 : c->s[o->rm], o->imm & 1u, &c->fpscr);
    c->fpscr = (c->fpscr & 0x0FFFFFFFu) | nzcv << 28;
    return FLOW_NEXT;
}

static unsigned vmrs(struct cpu *c, const struct op *o)
{
    fp_check(c);
    if (o->rd == 15)
        cpu_set_apsr(c, (c->fpscr & 0xF0000000u) | c->qf << 27, true, false);
    else
        c->r[o->rd] = c->fpscr;
    return FLOW_NEXT;
}

static unsigned vmsr(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->fpscr = c->r[o->rd] & 0xF7C0009Fu;
    return FLOW_NEXT;
}

static unsigned vmov_to_core(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->r[o->rd] = c->s[o->rn];
    return FLOW_NEXT;
}

static unsigned vmov_from_core(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->s[o->rn] = c->r[o->rd];
    return FLOW_NEXT;
}

static unsigned vmov2_to_core(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->r[o->rd] = c->s[o->rm];
    c->r[o->rn] = c->s[o->rm + 1];
    return FLOW_NEXT;
}

static unsigned vmov2_from_core(struct cpu *c, const struct op *o)
{
    fp_check(c);
    c->s[o->rm] = c->r[o->rd];
    c->s[o->rm + 1] = c->r[o->rn];
    return FLOW_NEXT;
}

static uint32_t fp_base(const struct cpu *c, const struct op *o)
{
    return o->rn == 15 ? c->r[15] & ~3u : c->r[o->rn];
}

/* VLDR, VSTR: sh_n words at rn + imm. VLDM, VSTM: sh_n words at rn + imm, ra = 1: rn += ... */
static unsigned vload(struct cpu *c, const struct op *o)
{
    uint32_t tmp[32];
    fp_check(c);
    uint32_t addr = fp_base(c, o) + o->imm;
    need_word(c, addr);
    for (unsigned i = 0; i < o->sh_n; i++)
        tmp[i] = ld32(c, addr + 4u * i);
    memcpy(&c->s[o->rd], tmp, 4u * o->sh_n);
    if (o->ra)
        c->r[o->rn] = o->imm ? addr : addr + 4u * o->rm;
    return FLOW_NEXT;
}

static unsigned vstore(struct cpu *c, const struct op *o)
{
    fp_check(c);
    uint32_t addr = fp_base(c, o) + o->imm;
    need_word(c, addr);
    for (unsigned i = 0; i < o->sh_n; i++)
        st32(c, addr + 4u * i, c->s[o->rd + i]);
    if (o->ra)
        c->r[o->rn] = o->imm ? addr : addr + 4u * o->rm;
    return FLOW_NEXT;
}

/* ---- decoding ---- */

static uint8_t sreg(uint32_t insn, unsigned four, unsigned one)
{
    return (uint8_t)(bits(insn, four + 3, four) << 1 | (insn >> one & 1u));
}

static void put(struct op *o, op_fn *fn, unsigned cycles)
{
    o->fn = fn;
    o->cycles = (uint8_t)cycles;
}

/* VFPExpandImm for 32 bits */
static uint32_t expand_fp_imm(uint32_t imm8)
{
    uint32_t e = imm8 & 0x40u ? 0x1Fu << 25 : 1u << 30;
    return (imm8 & 0x80u) << 24 | e | (imm8 & 0x3Fu) << 19;
}

static bool decode_fp_other(uint32_t insn, struct op *o)
{
    unsigned op2 = bits(insn, 19, 16), op3 = bits(insn, 7, 6);
    if (!(op3 & 1u)) {
        o->imm = expand_fp_imm(bits(insn, 19, 16) << 4 | bits(insn, 3, 0));
        put(o, vmov_imm, 1);
        return !(insn & 0xA0u);
    }
    switch (op2) {
    case 0: put(o, op3 == 1 ? vmov : vabs, 1); return true;
    case 1: put(o, op3 == 1 ? vneg : vsqrt, op3 == 1 ? 1 : 14); return true;
    case 2: case 3:
        o->imm = op3 == 3 ? 16 : 0;
        put(o, op2 == 2 ? vcvt_from_half : vcvt_to_half, 1);
        return true;
    case 4: case 5:
        o->imm = (op3 == 3 ? 1u : 0) | (op2 == 5 ? 2u : 0);
        put(o, vcmp, 1);
        return op2 == 4 || (insn & 0x2Fu) == 0;
    case 8:
        o->imm = op3 == 3;
        put(o, vcvt_from_int, 1);
        return true;
    case 12: case 13:
        o->imm = op2 == 13;
        o->ra = op3 == 1; /* T = 0: VCVTR */
        put(o, vcvt_to_int, 1);
        return true;
    case 10: case 11: case 14: case 15:
        o->sh_n = insn & 0x80u ? 32 : 16;
        o->sh_type = !(op2 & 1u);
        o->imm = o->sh_n - (bits(insn, 3, 0) << 1 | (insn >> 5 & 1u));
        put(o, op2 & 4u ? vcvt_to_fixed : vcvt_from_fixed, 1);
        return o->imm <= 32;
    default: return false;
    }
}

static bool decode_fp_data(uint32_t insn, struct op *o)
{
    static op_fn *const fn[2][8] = {
        { vmla, vnmls, vmul, vadd, vdiv, vfnms, vfma, NULL },
        { vmls, vnmla, vnmul, vsub, NULL, vfnma, vfms, NULL },
    };
    static const uint8_t cycles[8] = { 3, 3, 1, 1, 14, 3, 3, 1 };
    unsigned op1 = (insn >> 21 & 4u) | bits(insn, 21, 20);

    o->rd = sreg(insn, 12, 22);
    o->rn = sreg(insn, 16, 7);
    o->rm = sreg(insn, 0, 5);
    if (insn & 0x100u) /* double precision is not there */
        return false;
    if (op1 == 7)
        return decode_fp_other(insn, o);
    put(o, fn[insn >> 6 & 1u][op1], cycles[op1]);
    return o->fn != NULL;
}

static bool decode_fp_memory(uint32_t insn, struct op *o)
{
    bool p = insn >> 24 & 1u, u = insn >> 23 & 1u, w = insn >> 21 & 1u, load = insn >> 20 & 1u;
    bool dbl = insn & 0x100u;
    uint32_t imm8 = bits(insn, 7, 0), off = imm8 * 4u;

    o->rn = (uint8_t)bits(insn, 19, 16);
    o->rd = dbl ? (uint8_t)((insn >> 18 & 0x10u) | bits(insn, 15, 12)) : sreg(insn, 12, 22);
    if (dbl)
        o->rd = (uint8_t)(o->rd * 2u);
    if (p && !w) { /* VLDR, VSTR */
        o->imm = u ? off : 0u - off;
        o->sh_n = dbl ? 2 : 1;
        put(o, load ? vload : vstore, dbl ? 3 : 2);
        return o->rd < 32 && o->rd + o->sh_n <= 32;
    }
    if (p == u && w)
        return false;
    unsigned count = dbl ? imm8 & ~1u : imm8;
    if (count == 0 || o->rd + count > 32 || (w && o->rn == 15))
        return false;
    o->sh_n = (uint8_t)count;
    o->ra = w;
    o->rm = (uint8_t)imm8;
    o->imm = p ? 0u - off : 0;
    put(o, load ? vload : vstore, 1 + count);
    return true;
}

static bool decode_fp_transfer(uint32_t insn, struct op *o)
{
    bool to_core = insn >> 20 & 1u;
    o->rd = (uint8_t)bits(insn, 15, 12);
    if (bits(insn, 23, 21) == 7 && !(insn & 0x100u)) {
        if (bits(insn, 19, 16) != 1)
            return false;
        put(o, to_core ? vmrs : vmsr, 1);
        return to_core || o->rd != 15;
    }
    if (o->rd == 15 || o->rd == 13)
        return false;
    if (insn & 0x100u) { /* VMOV Dd[x]: only the 32-bit form */
        if (bits(insn, 23, 22) || bits(insn, 6, 5))
            return false;
        o->rn = (uint8_t)(((insn >> 3 & 0x10u) | bits(insn, 19, 16)) * 2u + (insn >> 21 & 1u));
    } else {
        if (bits(insn, 23, 21))
            return false;
        o->rn = sreg(insn, 16, 7);
    }
    put(o, to_core ? vmov_to_core : vmov_from_core, 1);
    return o->rn < 32;
}

static bool decode_fp_two_regs(uint32_t insn, struct op *o)
{
    o->rd = (uint8_t)bits(insn, 15, 12);
    o->rn = (uint8_t)bits(insn, 19, 16);
    o->rm = insn & 0x100u ? (uint8_t)(((insn >> 1 & 0x10u) | bits(insn, 3, 0)) * 2u) : sreg(insn, 0, 5);
    bool to_core = insn >> 20 & 1u;
    put(o, to_core ? vmov2_to_core : vmov2_from_core, 1);
    return (insn & 0xD0u) == 0x10u && o->rm < 31 && o->rd < 15 && o->rn < 15 && o->rd != 13 && o->rn != 13
        && !(to_core && o->rd == o->rn);
}

/* Coprocessors 10 and 11; any other number is NOCP. */
bool decode_fp32(uint32_t pc, uint32_t insn, struct op *o)
{
    (void)pc;
    if (bits(insn, 11, 9) != 5) {
        put(o, op_nocp, 1);
        return true;
    }
    if (insn >> 28 & 1u) /* 111111xx: FPv5 and Advanced SIMD */
        return false;
    if (bits(insn, 27, 24) == 0xE)
        return insn & 0x10u ? decode_fp_transfer(insn, o) : decode_fp_data(insn, o);
    if (bits(insn, 27, 21) == 0x62)
        return decode_fp_two_regs(insn, o);
    if (bits(insn, 27, 25) == 6)
        return decode_fp_memory(insn, o);
    return false;
}
