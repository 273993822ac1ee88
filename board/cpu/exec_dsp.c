/* Multiply, divide and the DSP extension (ARM ARM A7.7, A6.2). */
#include "board/cpu/cpu_priv.h"

static int32_t half(uint32_t v, unsigned top)
{
    return (int16_t)(top ? v >> 16 : v);
}

/* Stores a 64-bit sum and sets Q if it does not fit 32 bits: SMLAxy, SMLAD and their kin. */
static void put_q(struct cpu *c, unsigned rd, int64_t sum)
{
    if (sum != (int32_t)sum)
        c->qf = 1;
    c->r[rd] = (uint32_t)sum;
}

static uint64_t acc64(const struct cpu *c, const struct op *o)
{
    return (uint64_t)c->r[o->rd] << 32 | c->r[o->ra];
}

/* Long results: ra is RdLo, rd is RdHi. */
static unsigned put64(struct cpu *c, const struct op *o, uint64_t v)
{
    c->r[o->ra] = (uint32_t)v;
    c->r[o->rd] = (uint32_t)(v >> 32);
    return FLOW_NEXT;
}

unsigned op_mul(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = c->r[o->rn] * c->r[o->rm];
    return FLOW_NEXT;
}

unsigned op_muls(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = c->r[o->rn] * c->r[o->rm];
    set_nz(c, c->r[o->rd]);
    return FLOW_NEXT;
}

unsigned op_mla(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = c->r[o->ra] + c->r[o->rn] * c->r[o->rm];
    return FLOW_NEXT;
}

unsigned op_mls(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = c->r[o->ra] - c->r[o->rn] * c->r[o->rm];
    return FLOW_NEXT;
}

unsigned op_smull(struct cpu *c, const struct op *o)
{
    return put64(c, o, (uint64_t)((int64_t)(int32_t)c->r[o->rn] * (int32_t)c->r[o->rm]));
}

unsigned op_umull(struct cpu *c, const struct op *o)
{
    return put64(c, o, (uint64_t)c->r[o->rn] * c->r[o->rm]);
}

unsigned op_smlal(struct cpu *c, const struct op *o)
{
    return put64(c, o, acc64(c, o) + (uint64_t)((int64_t)(int32_t)c->r[o->rn] * (int32_t)c->r[o->rm]));
}

unsigned op_umlal(struct cpu *c, const struct op *o)
{
    return put64(c, o, acc64(c, o) + (uint64_t)c->r[o->rn] * c->r[o->rm]);
}

unsigned op_umaal(struct cpu *c, const struct op *o)
{
    return put64(c, o, (uint64_t)c->r[o->rn] * c->r[o->rm] + c->r[o->rd] + c->r[o->ra]);
}

static void check_zero(struct cpu *c, uint32_t divisor)
{
    if (divisor == 0 && c->trap_div0)
        cpu_fault(c, CFSR_DIVBYZERO, 0);
}

/* A division takes 2 to 12 cycles with the length of the quotient (M4 TRM, table 3-1 note d). */
static void add_div_cycles(struct cpu *c, uint32_t n, uint32_t d)
{
    unsigned ln = n ? 32u - (unsigned)__builtin_clz(n) : 0, ld = d ? 32u - (unsigned)__builtin_clz(d) : 32;
    c->cycles += ln > ld ? (ln - ld) / 3u : 0;
}

unsigned op_sdiv(struct cpu *c, const struct op *o)
{
    uint32_t n = c->r[o->rn], d = c->r[o->rm];
    check_zero(c, d);
    add_div_cycles(c, n >> 31 ? 0u - n : n, d >> 31 ? 0u - d : d);
    if (d == 0)
        c->r[o->rd] = 0;
    else
        c->r[o->rd] = (uint32_t)((int64_t)(int32_t)n / (int32_t)d); /* 64 bits: INT_MIN / -1 */
    return FLOW_NEXT;
}

unsigned op_udiv(struct cpu *c, const struct op *o)
{
    uint32_t n = c->r[o->rn], d = c->r[o->rm];
    check_zero(c, d);
    add_div_cycles(c, n, d);
    c->r[o->rd] = d ? n / d : 0;
    return FLOW_NEXT;
}

/* SMLAxy, SMULxy: imm bit 1 = N (top half of rn), bit 0 = M. */
unsigned op_smlaxy(struct cpu *c, const struct op *o)
{
    int64_t p = half(c->r[o->rn], o->imm >> 1) * half(c->r[o->rm], o->imm & 1u);
    put_q(c, o->rd, p + (int32_t)c->r[o->ra]);
    return FLOW_NEXT;
}

unsigned op_smulxy(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (uint32_t)(half(c->r[o->rn], o->imm >> 1) * half(c->r[o->rm], o->imm & 1u));
    return FLOW_NEXT;
}

static int64_t word_by_half(const struct cpu *c, const struct op *o)
{
    return ((int64_t)(int32_t)c->r[o->rn] * half(c->r[o->rm], o->imm & 1u)) >> 16;
}

unsigned op_smlawy(struct cpu *c, const struct op *o)
{
    put_q(c, o->rd, word_by_half(c, o) + (int32_t)c->r[o->ra]);
    return FLOW_NEXT;
}

unsigned op_smulwy(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (uint32_t)word_by_half(c, o);
    return FLOW_NEXT;
}

/* Two products; imm = 1 swaps the halves of rm (the X forms). */
static void dual(const struct cpu *c, const struct op *o, int64_t *lo, int64_t *hi)
{
    uint32_t n = c->r[o->rn], m = c->r[o->rm];
    if (o->imm)
        m = ror32(m, 16);
    *lo = (int64_t)half(n, 0) * half(m, 0);
    *hi = (int64_t)half(n, 1) * half(m, 1);
}

unsigned op_smlad(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    put_q(c, o->rd, lo + hi + (int32_t)c->r[o->ra]);
    return FLOW_NEXT;
}

unsigned op_smuad(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    put_q(c, o->rd, lo + hi);
    return FLOW_NEXT;
}

unsigned op_smlsd(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    put_q(c, o->rd, lo - hi + (int32_t)c->r[o->ra]);
    return FLOW_NEXT;
}

unsigned op_smusd(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    c->r[o->rd] = (uint32_t)(lo - hi);
    return FLOW_NEXT;
}

unsigned op_smlalxy(struct cpu *c, const struct op *o)
{
    int64_t p = half(c->r[o->rn], o->imm >> 1) * half(c->r[o->rm], o->imm & 1u);
    return put64(c, o, acc64(c, o) + (uint64_t)p);
}

unsigned op_smlald(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    return put64(c, o, acc64(c, o) + (uint64_t)(lo + hi));
}

unsigned op_smlsld(struct cpu *c, const struct op *o)
{
    int64_t lo, hi;
    dual(c, o, &lo, &hi);
    return put64(c, o, acc64(c, o) + (uint64_t)(lo - hi));
}

/* SMMLA, SMMUL (ra = 15): the top word; imm = 1 rounds. */
unsigned op_smmla(struct cpu *c, const struct op *o)
{
    uint64_t acc = o->ra == 15 ? 0 : (uint64_t)c->r[o->ra] << 32;
    uint64_t p = (uint64_t)((int64_t)(int32_t)c->r[o->rn] * (int32_t)c->r[o->rm]);
    c->r[o->rd] = (uint32_t)((acc + p + (o->imm ? 0x80000000u : 0)) >> 32);
    return FLOW_NEXT;
}

unsigned op_smmls(struct cpu *c, const struct op *o)
{
    uint64_t p = (uint64_t)((int64_t)(int32_t)c->r[o->rn] * (int32_t)c->r[o->rm]);
    c->r[o->rd] = (uint32_t)((((uint64_t)c->r[o->ra] << 32) - p + (o->imm ? 0x80000000u : 0)) >> 32);
    return FLOW_NEXT;
}

/* USADA8, USAD8 (ra = 15). */
unsigned op_usad8(struct cpu *c, const struct op *o)
{
    uint32_t sum = o->ra == 15 ? 0 : c->r[o->ra];
    for (unsigned i = 0; i < 32; i += 8) {
        int32_t d = (int32_t)(c->r[o->rn] >> i & 0xFFu) - (int32_t)(c->r[o->rm] >> i & 0xFFu);
        sum += (uint32_t)(d < 0 ? -d : d);
    }
    c->r[o->rd] = sum;
    return FLOW_NEXT;
}

/* ---- saturating ---- */

static int32_t sat32(struct cpu *c, int64_t v)
{
    if (v == (int32_t)v)
        return (int32_t)v;
    c->qf = 1;
    return v < 0 ? INT32_MIN : INT32_MAX;
}

unsigned op_qadd(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (uint32_t)sat32(c, (int64_t)(int32_t)c->r[o->rm] + (int32_t)c->r[o->rn]);
    return FLOW_NEXT;
}

unsigned op_qsub(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = (uint32_t)sat32(c, (int64_t)(int32_t)c->r[o->rm] - (int32_t)c->r[o->rn]);
    return FLOW_NEXT;
}

unsigned op_qdadd(struct cpu *c, const struct op *o)
{
    int64_t twice = sat32(c, 2 * (int64_t)(int32_t)c->r[o->rn]);
    c->r[o->rd] = (uint32_t)sat32(c, (int32_t)c->r[o->rm] + twice);
    return FLOW_NEXT;
}

unsigned op_qdsub(struct cpu *c, const struct op *o)
{
    int64_t twice = sat32(c, 2 * (int64_t)(int32_t)c->r[o->rn]);
    c->r[o->rd] = (uint32_t)sat32(c, (int32_t)c->r[o->rm] - twice);
    return FLOW_NEXT;
}

/* ---- parallel add and subtract: imm = op1 (bits 6:4 of the first halfword) << 4 | op2 ---- */

enum { PAS_PLAIN = 0, PAS_SAT = 1, PAS_HALVE = 2 };

static int32_t lane(uint32_t v, unsigned pos, unsigned width, bool is_unsigned)
{
    v = (v >> pos) & ((1u << width) - 1u);
    return is_unsigned ? (int32_t)v : (int32_t)sext(v, width);
}

static uint32_t lane_finish(int32_t v, unsigned width, unsigned variant, bool is_unsigned)
{
    int32_t max = is_unsigned ? (1 << width) - 1 : (1 << (width - 1)) - 1;
    int32_t min = is_unsigned ? 0 : -max - 1;
    if (variant == PAS_SAT)
        v = v > max ? max : v < min ? min : v;
    else if (variant == PAS_HALVE)
        v >>= 1;
    return (uint32_t)v & ((1u << width) - 1u);
}

/* GE of a lane: signed result not negative; unsigned add carried, unsigned subtract did not borrow. */
static bool lane_ge(int32_t v, unsigned width, bool is_unsigned, bool add)
{
    return is_unsigned && add ? v >= 1 << width : v >= 0;
}

unsigned op_pas(struct cpu *c, const struct op *o)
{
    unsigned op1 = o->imm >> 4, op2 = o->imm & 7u, variant = op2 & 3u;
    bool is_unsigned = op2 & 4u;
    unsigned width = (op1 & 3u) == 0 ? 8 : 16;
    bool exchange = (op1 & 3u) == 2; /* ASX (op1 2) and SAX (op1 6) cross the halves */
    uint32_t n = c->r[o->rn], m = exchange ? ror32(c->r[o->rm], 16) : c->r[o->rm];
    uint32_t r = 0, ge = 0;

    for (unsigned pos = 0; pos < 32; pos += width) {
        bool add = !(op1 & 4u);
        if (exchange)
            add = (pos == 16) == add; /* ASX: low subtracts, high adds; SAX the reverse */
        int32_t a = lane(n, pos, width, is_unsigned), b = lane(m, pos, width, is_unsigned);
        int32_t v = add ? a + b : a - b;
        r |= lane_finish(v, width, variant, is_unsigned) << pos;
        if (lane_ge(v, width, is_unsigned, add))
            ge |= (width == 8 ? 1u : 3u) << (pos / 8);
    }
    if (variant == PAS_PLAIN)
        c->ge = ge;
    c->r[o->rd] = r;
    return FLOW_NEXT;
}

unsigned op_sel(struct cpu *c, const struct op *o)
{
    uint32_t mask = 0;
    for (unsigned i = 0; i < 4; i++)
        mask |= c->ge >> i & 1u ? 0xFFu << (8 * i) : 0;
    c->r[o->rd] = (c->r[o->rn] & mask) | (c->r[o->rm] & ~mask);
    return FLOW_NEXT;
}

/* ---- pack, extend, reverse ---- */

unsigned op_pkhbt(struct cpu *c, const struct op *o)
{
    uint32_t carry, b = shift_c(c, c->r[o->rm], o->sh_type, o->sh_n, &carry);
    c->r[o->rd] = (b & 0xFFFF0000u) | (c->r[o->rn] & 0xFFFFu);
    return FLOW_NEXT;
}

unsigned op_pkhtb(struct cpu *c, const struct op *o)
{
    uint32_t carry, b = shift_c(c, c->r[o->rm], o->sh_type, o->sh_n, &carry);
    c->r[o->rd] = (c->r[o->rn] & 0xFFFF0000u) | (b & 0xFFFFu);
    return FLOW_NEXT;
}

/* imm: 0 SXTH 1 UXTH 2 SXTB16 3 UXTB16 4 SXTB 5 UXTB (the encoding's op1); sh_n: rotation */
static uint32_t extend(const struct cpu *c, const struct op *o)
{
    uint32_t v = ror32(c->r[o->rm], o->sh_n);
    switch (o->imm) {
    case 0: return sext(v & 0xFFFFu, 16);
    case 1: return v & 0xFFFFu;
    case 2: return (sext(v & 0xFFu, 8) & 0xFFFFu) | sext(v >> 16 & 0xFFu, 8) << 16;
    case 3: return v & 0x00FF00FFu;
    case 4: return sext(v & 0xFFu, 8);
    default: return v & 0xFFu;
    }
}

unsigned op_extend(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = extend(c, o);
    return FLOW_NEXT;
}

unsigned op_extend_add(struct cpu *c, const struct op *o)
{
    uint32_t a = c->r[o->rn], b = extend(c, o);
    if (o->imm == 2 || o->imm == 3)
        c->r[o->rd] = ((a + b) & 0xFFFFu) | ((a & 0xFFFF0000u) + (b & 0xFFFF0000u));
    else
        c->r[o->rd] = a + b;
    return FLOW_NEXT;
}

unsigned op_rev(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = __builtin_bswap32(c->r[o->rm]);
    return FLOW_NEXT;
}

unsigned op_rev16(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = ror32(__builtin_bswap32(c->r[o->rm]), 16);
    return FLOW_NEXT;
}

unsigned op_revsh(struct cpu *c, const struct op *o)
{
    c->r[o->rd] = sext(__builtin_bswap32(c->r[o->rm]) >> 16, 16);
    return FLOW_NEXT;
}

unsigned op_rbit(struct cpu *c, const struct op *o)
{
    uint32_t v = __builtin_bswap32(c->r[o->rm]);
    v = (v & 0x0F0F0F0Fu) << 4 | (v >> 4 & 0x0F0F0F0Fu);
    v = (v & 0x33333333u) << 2 | (v >> 2 & 0x33333333u);
    c->r[o->rd] = (v & 0x55555555u) << 1 | (v >> 1 & 0x55555555u);
    return FLOW_NEXT;
}

unsigned op_clz(struct cpu *c, const struct op *o)
{
    uint32_t v = c->r[o->rm];
    c->r[o->rd] = v ? (uint32_t)__builtin_clz(v) : 32;
    return FLOW_NEXT;
}
