/* 32-bit Thumb: data processing, multiply, branches and control (ARM ARM A5.3). */
#include "board/cpu/cpu_priv.h"

static void put(struct op *o, op_fn *fn, unsigned cycles)
{
    o->fn = fn;
    o->cycles = (uint8_t)cycles;
}

static void regs_of(uint32_t i, struct op *o)
{
    o->rd = (uint8_t)bits(i, 11, 8);
    o->rn = (uint8_t)bits(i, 19, 16);
    o->rm = (uint8_t)bits(i, 3, 0);
    o->ra = (uint8_t)bits(i, 15, 12);
}

static bool is_sp_or_pc(unsigned r)
{
    return r == 13 || r == 15;
}

/* ThumbExpandImm_C: value, and the carry (2: unchanged) */
static uint32_t expand_imm(uint32_t imm12, uint8_t *carry)
{
    uint32_t b = imm12 & 0xFFu;
    *carry = 2;
    if (imm12 >> 10 == 0) {
        switch (imm12 >> 8) {
        case 0: return b;
        case 1: return b << 16 | b;
        case 2: return b << 24 | b << 8;
        default: return b << 24 | b << 16 | b << 8 | b;
        }
    }
    uint32_t v = ror32(0x80u | (imm12 & 0x7Fu), imm12 >> 7);
    *carry = (uint8_t)(v >> 31);
    return v;
}

static uint32_t imm12_of(uint32_t i)
{
    return (i >> 15 & 0x800u) | (i >> 4 & 0x700u) | (i & 0xFFu);
}

/*
 * op (bits 24:21) to the operation; S with Rd = 15 makes tests of AND, EOR, ADD, SUB, and Rn = 15
 * makes moves of ORR and ORN.
 */
static int alu_of(unsigned op, bool s, unsigned rd, unsigned rn)
{
    bool test = s && rd == 15;
    switch (op) {
    case 0: return test ? ALU_TST : ALU_AND;
    case 1: return ALU_BIC;
    case 2: return rn == 15 ? ALU_MOV : ALU_ORR;
    case 3: return rn == 15 ? ALU_MVN : ALU_ORN;
    case 4: return test ? ALU_TEQ : ALU_EOR;
    case 8: return test ? ALU_CMN : ALU_ADD;
    case 10: return ALU_ADC;
    case 11: return ALU_SBC;
    case 13: return test ? ALU_CMP : ALU_SUB;
    case 14: return ALU_RSB;
    default: return -1;
    }
}

/* Registers that the architecture leaves unpredictable are taken as undefined here. */
static bool alu_regs_ok(int alu, const struct op *o)
{
    bool test = alu >= ALU_TST;
    bool sp_fine = alu == ALU_ADD || alu == ALU_SUB || alu == ALU_MOV;
    if (!test && (o->rd == 15 || (o->rd == 13 && !sp_fine)))
        return false;
    return true;
}

static void align_if_sp(struct op *o, int alu)
{
    if (alu >= ALU_TST || o->rd != 13)
        return;
    o->inner = o->fn;
    o->fn = op_align_sp;
}

static bool decode_modified_imm(uint32_t i, struct op *o)
{
    bool s = i >> 20 & 1u;
    regs_of(i, o);
    int alu = alu_of(bits(i, 24, 21), s, o->rd, o->rn);
    if (alu < 0 || !alu_regs_ok(alu, o))
        return false;
    o->imm = expand_imm(imm12_of(i), &o->ra);
    put(o, alu_imm[alu][s], 1);
    align_if_sp(o, alu);
    return true;
}

/* DecodeImmShift; false if the operand is not shifted at all */
static bool decode_shift(unsigned type, unsigned imm5, struct op *o)
{
    o->sh_type = (uint8_t)type;
    o->sh_n = (uint8_t)imm5;
    if (imm5 != 0)
        return true;
    if (type == SH_LSL)
        return false;
    if (type == SH_ROR)
        o->sh_type = SH_RRX;
    else
        o->sh_n = 32;
    return true;
}

static bool decode_shifted_reg(uint32_t i, struct op *o)
{
    bool s = i >> 20 & 1u;
    unsigned op = bits(i, 24, 21), imm5 = (i >> 10 & 0x1Cu) | bits(i, 7, 6), type = bits(i, 5, 4);

    regs_of(i, o);
    bool shifted = decode_shift(type, imm5, o);
    if (op == 6) { /* PKHBT, PKHTB */
        put(o, type & 2u ? op_pkhtb : op_pkhbt, 1);
        return !s && !(type & 1u);
    }
    int alu = alu_of(op, s, o->rd, o->rn);
    if (alu < 0 || !alu_regs_ok(alu, o))
        return false;
    put(o, shifted ? alu_shift[alu][s] : alu_reg[alu][s], 1);
    align_if_sp(o, alu);
    return true;
}

static bool decode_saturate(uint32_t i, struct op *o)
{
    unsigned op = bits(i, 24, 20), imm5 = (i >> 10 & 0x1Cu) | bits(i, 7, 6);
    bool is_unsigned = op & 8u, halves = (op & 2u) && imm5 == 0;

    o->imm = i & 0x1Fu;
    if (halves) {
        put(o, is_unsigned ? op_usat16 : op_ssat16, 1);
    } else {
        o->sh_type = op & 2u ? SH_ASR : SH_LSL;
        o->sh_n = (uint8_t)imm5;
        put(o, is_unsigned ? op_usat : op_ssat, 1);
    }
    return true;
}

static bool decode_bitfield(uint32_t i, struct op *o)
{
    unsigned op = bits(i, 24, 20), lsb = (i >> 10 & 0x1Cu) | bits(i, 7, 6), last = i & 0x1Fu;
    unsigned width = op == 0x16 ? last - lsb + 1u : last + 1u;

    if (op == 0x16 ? last < lsb : lsb + width > 32)
        return false;
    o->sh_n = (uint8_t)lsb;
    o->ra = (uint8_t)width;
    o->imm = width == 32 ? 0xFFFFFFFFu : (1u << width) - 1u;
    put(o, op == 0x16 ? op_bfi : op == 0x14 ? op_bfx_s : op_bfx_u, 1);
    return true;
}

static bool decode_plain_imm(uint32_t pc, uint32_t i, struct op *o)
{
    unsigned op = bits(i, 24, 20);
    uint32_t imm12 = imm12_of(i), imm16 = bits(i, 19, 16) << 12 | imm12;

    regs_of(i, o);
    o->imm = imm12;
    if (o->rd == 15 || (o->rd == 13 && op != 0 && op != 0xA))
        return false;
    switch (op) {
    case 0x00: case 0x0A:
        if (o->rn == 15) {
            uint32_t base = (pc + 4) & ~3u;
            o->imm = op ? base - imm12 : base + imm12;
            put(o, op_adr, 1);
        } else {
            put(o, alu_imm[op ? ALU_SUB : ALU_ADD][0], 1);
            align_if_sp(o, ALU_ADD);
        }
        return true;
    case 0x04:
        o->imm = imm16;
        put(o, op_adr, 1);
        return true;
    case 0x0C:
        o->imm = imm16;
        put(o, op_movt, 1);
        return true;
    case 0x10: case 0x12: case 0x18: case 0x1A:
        return decode_saturate(i, o);
    case 0x14: case 0x16: case 0x1C:
        return decode_bitfield(i, o);
    default:
        return false;
    }
}

/* 11111010: shifts by register, extend, parallel arithmetic, misc */
static bool decode_reg(uint32_t i, struct op *o)
{
    unsigned op1 = bits(i, 23, 20), op2 = bits(i, 7, 4);

    regs_of(i, o);
    if (bits(i, 15, 12) != 15 || is_sp_or_pc(o->rd) || is_sp_or_pc(o->rm))
        return false;
    if (op2 == 0 && op1 < 8) {
        o->sh_type = (uint8_t)(op1 >> 1);
        put(o, op1 & 1u ? op_shift_reg_s : op_shift_reg, 1);
        return !is_sp_or_pc(o->rn);
    }
    if ((op2 & 8u) && op1 < 8) {
        if (op1 > 5 || (op2 & 4u))
            return false;
        o->imm = op1;
        o->sh_n = (uint8_t)((op2 & 3u) * 8u);
        put(o, o->rn == 15 ? op_extend : op_extend_add, 1);
        return o->rn != 13;
    }
    if (op1 < 8 || is_sp_or_pc(o->rn))
        return false;
    if (op2 < 8) {
        unsigned low = op1 & 7u, variant = op2 & 3u;
        o->imm = low << 4 | op2;
        put(o, op_pas, 1);
        return low != 3 && low != 7 && variant != 3;
    }
    if (op2 < 12 && op1 < 12) {
        static op_fn *const misc[4][4] = {
            { op_qadd, op_qdadd, op_qsub, op_qdsub },
            { op_rev, op_rev16, op_rbit, op_revsh },
            { op_sel, NULL, NULL, NULL },
            { op_clz, NULL, NULL, NULL },
        };
        op_fn *fn = misc[op1 & 3u][op2 & 3u];
        put(o, fn, 1);
        return fn != NULL && ((op1 & 1u) == 0 || o->rn == o->rm);
    }
    return false;
}

/* 111110110: 32-bit results */
static bool decode_multiply(uint32_t i, struct op *o)
{
    unsigned op1 = bits(i, 22, 20), op2 = bits(i, 5, 4);
    bool acc = bits(i, 15, 12) != 15;

    regs_of(i, o);
    o->imm = op2;
    if (bits(i, 7, 6) != 0 || is_sp_or_pc(o->rd) || is_sp_or_pc(o->rn) || is_sp_or_pc(o->rm) || o->ra == 13)
        return false;
    switch (op1) {
    case 0:
        if (op2 > 1 || (op2 == 1 && !acc))
            return false;
        put(o, op2 == 1 ? op_mls : acc ? op_mla : op_mul, op2 == 1 ? 2 : 1);
        return true;
    case 1: put(o, acc ? op_smlaxy : op_smulxy, 1); return true;
    case 2: put(o, acc ? op_smlad : op_smuad, 1); return op2 < 2;
    case 3: put(o, acc ? op_smlawy : op_smulwy, 1); return op2 < 2;
    case 4: put(o, acc ? op_smlsd : op_smusd, 1); return op2 < 2;
    case 5: put(o, op_smmla, 1); return op2 < 2;
    case 6: put(o, op_smmls, 1); return op2 < 2 && acc;
    default: put(o, op_usad8, 1); return op2 == 0;
    }
}

/* 111110111: 64-bit results (ra = RdLo, rd = RdHi) and division */
static bool decode_long_multiply(uint32_t i, struct op *o)
{
    unsigned op1 = bits(i, 22, 20), op2 = bits(i, 7, 4);

    regs_of(i, o);
    o->imm = op2 & 3u;
    if (is_sp_or_pc(o->rd) || is_sp_or_pc(o->rn) || is_sp_or_pc(o->rm))
        return false;
    if (op1 == 1 || op1 == 3) {
        put(o, op1 == 1 ? op_sdiv : op_udiv, 2);
        return op2 == 15 && o->ra == 15;
    }
    if (is_sp_or_pc(o->ra) || o->ra == o->rd)
        return false;
    switch (op1 << 4 | op2) {
    case 0x00: put(o, op_smull, 1); return true;
    case 0x20: put(o, op_umull, 1); return true;
    case 0x40: put(o, op_smlal, 1); return true;
    case 0x60: put(o, op_umlal, 1); return true;
    case 0x66: put(o, op_umaal, 1); return true;
    case 0x48: case 0x49: case 0x4A: case 0x4B: put(o, op_smlalxy, 1); return true;
    case 0x4C: case 0x4D: o->imm &= 1u; put(o, op_smlald, 1); return true;
    case 0x5C: case 0x5D: o->imm &= 1u; put(o, op_smlsld, 1); return true;
    default: return false;
    }
}

bool decode_alu32(uint32_t pc, uint32_t i, struct op *o)
{
    switch (bits(i, 31, 25)) {
    case 0x75: return decode_shifted_reg(i, o); /* 1110101 */
    case 0x78: case 0x7A: return !(i & 0x8000u) && decode_modified_imm(i, o); /* 11110x0 */
    case 0x79: case 0x7B: return !(i & 0x8000u) && decode_plain_imm(pc, i, o); /* 11110x1 */
    case 0x7D:
        if (!(i >> 24 & 1u))
            return decode_reg(i, o);
        return i >> 23 & 1u ? decode_long_multiply(i, o) : decode_multiply(i, o);
    default: return false;
    }
}

/* ---- branches and miscellaneous control (A5.3.4) ---- */

static uint32_t branch_offset(uint32_t i)
{
    uint32_t s = i >> 26 & 1u, i1 = !((i >> 13 & 1u) ^ s), i2 = !((i >> 11 & 1u) ^ s);
    return sext(s << 24 | i1 << 23 | i2 << 22 | bits(i, 25, 16) << 12 | (i & 0x7FFu) << 1, 25);
}

static bool decode_control(uint32_t i, struct op *o)
{
    unsigned op = bits(i, 26, 20);
    o->imm = i & 0xFFu;
    if ((op & 0x7Eu) == 0x38) { /* MSR */
        o->rn = (uint8_t)bits(i, 19, 16);
        o->ra = (uint8_t)bits(i, 11, 10);
        put(o, op_msr, 2);
        return !is_sp_or_pc(o->rn);
    }
    if ((op & 0x7Eu) == 0x3E) {
        o->rd = (uint8_t)bits(i, 11, 8);
        put(o, op_mrs, 2);
        return !is_sp_or_pc(o->rd);
    }
    if (op == 0x3A && bits(i, 10, 8) == 0) {
        static op_fn *const hint[5] = { op_nop, op_nop, op_wfe, op_wfi, op_sev };
        put(o, o->imm < 5 ? hint[o->imm] : op_nop, 1);
        return true;
    }
    if (op == 0x3B) {
        unsigned what = bits(i, 7, 4);
        put(o, what == 2 ? op_clrex : op_sync, what == 2 ? 1 : 2);
        return what == 2 || (what >= 4 && what <= 6);
    }
    return false;
}

static bool decode_branch_control(uint32_t pc, uint32_t i, struct op *o)
{
    bool bit14 = i >> 14 & 1u, bit12 = i >> 12 & 1u;

    if (bit12) {
        o->imm = pc + 4 + branch_offset(i);
        if (bit14)
            put(o, op_bl, 3);
        else
            put(o, o->imm == pc ? op_b_self : op_b, 3);
        return true;
    }
    if (bit14)
        return false; /* BLX immediate does not exist; UDF.W */
    unsigned cond = bits(i, 25, 22);
    if (cond >= 14)
        return decode_control(i, o);
    uint32_t off = sext((i >> 26 & 1u) << 20 | (i >> 11 & 1u) << 19 | (i >> 13 & 1u) << 18
            | bits(i, 21, 16) << 12 | (i & 0x7FFu) << 1, 21);
    o->imm = pc + 4 + off;
    put(o, b_cond[cond], 1);
    return true;
}

void decode32(uint32_t pc, uint32_t i, struct op *o)
{
    bool ok;
    if (bits(i, 31, 27) == 0x1E && (i & 0x8000u))
        ok = decode_branch_control(pc, i, o);
    else if (bits(i, 31, 29) == 7 && bits(i, 27, 26) == 3)
        ok = decode_fp32(pc, i, o);
    else if (bits(i, 31, 25) == 0x74 || bits(i, 31, 25) == 0x7C)
        ok = decode_mem32(pc, i, o);
    else
        ok = decode_alu32(pc, i, o);
    if (!ok) {
        o->inner = NULL;
        put(o, op_undefined, 1);
    }
}
