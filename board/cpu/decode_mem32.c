/* 32-bit Thumb loads and stores (ARM ARM A5.3.5 to A5.3.10). */
#include "board/cpu/cpu_priv.h"

static void put(struct op *o, op_fn *fn, unsigned cycles)
{
    o->fn = fn;
    o->cycles = (uint8_t)cycles;
}

/* 1110100xx0: LDM, STM; 00 and 11 do not exist on M profile */
static bool decode_multiple(uint32_t i, struct op *o)
{
    bool load = i >> 20 & 1u, wback = i >> 21 & 1u, before = bits(i, 24, 23) == 2;
    uint32_t list = i & 0xFFFFu;
    unsigned n = (unsigned)__builtin_popcount(list);

    o->rn = (uint8_t)bits(i, 19, 16);
    o->imm = list;
    o->ra = wback;
    if (o->rn == 15 || n < 2 || (list & 0x2000u) || (wback && list >> o->rn & 1u))
        return false;
    if (!load) {
        put(o, before ? op_stmdb : op_stm, 1 + n);
        return !(list & 0x8000u);
    }
    if (list & 0x8000u) {
        put(o, before ? op_ldmdb_pc : op_ldm_pc, 3 + n);
        return !(list & 0x4000u);
    }
    put(o, before ? op_ldmdb : op_ldm, 1 + n);
    return true;
}

/* Exclusive byte and halfword, table branch: 11101000 110x with bits 7:4 */
static bool decode_exclusive_small(uint32_t i, struct op *o)
{
    bool load = i >> 20 & 1u;
    unsigned op = bits(i, 7, 4);

    if (load && op < 2) {
        o->rm = i & 15u;
        o->imm = op;
        put(o, op_tb, 4);
        return o->rm != 13 && o->rm != 15;
    }
    if (op != 4 && op != 5)
        return false;
    o->sh_n = op == 5;
    o->imm = 0;
    o->rd = (uint8_t)(load ? bits(i, 15, 12) : bits(i, 3, 0));
    o->ra = (uint8_t)bits(i, 15, 12);
    put(o, load ? op_ldrex : op_strex, 2);
    return o->rd != 13 && o->rd != 15 && o->ra != 13 && o->ra != 15 && o->rn != 15;
}

/* 1110100xx1: LDRD, STRD, exclusive, table branch */
static bool decode_dual(uint32_t i, struct op *o)
{
    bool p = i >> 24 & 1u, u = i >> 23 & 1u, w = i >> 21 & 1u, load = i >> 20 & 1u;
    uint32_t imm = (i & 0xFFu) << 2;

    o->rn = (uint8_t)bits(i, 19, 16);
    if (!p && !w) {
        if (u)
            return decode_exclusive_small(i, o);
        o->imm = imm;
        o->sh_n = 2;
        o->rd = (uint8_t)(load ? bits(i, 15, 12) : bits(i, 11, 8));
        o->ra = (uint8_t)bits(i, 15, 12);
        put(o, load ? op_ldrex : op_strex, 2);
        return o->rn != 15 && o->rd != 13 && o->rd != 15 && o->ra != 13 && o->ra != 15;
    }
    o->rd = (uint8_t)bits(i, 15, 12);
    o->ra = (uint8_t)bits(i, 11, 8);
    o->imm = u ? imm : 0u - imm;
    o->sh_n = p;
    o->sh_type = w;
    put(o, load ? op_ldrd : op_strd, 3);
    if (o->rd == 13 || o->rd == 15 || o->ra == 13 || o->ra == 15 || (load && o->rd == o->ra))
        return false;
    if (o->rn == 15)
        return load && !w;
    return !w || (o->rn != o->rd && o->rn != o->ra);
}

static bool literal(uint32_t pc, uint32_t i, struct op *o, unsigned size, bool is_signed)
{
    uint32_t base = (pc + 4) & ~3u;
    o->imm = i >> 23 & 1u ? base + (i & 0xFFFu) : base - (i & 0xFFFu);
    if (size == 2)
        put(o, op_ldr_lit, 2);
    else if (size == 1)
        put(o, is_signed ? op_ldrsh_lit : op_ldrh_lit, 2);
    else
        put(o, is_signed ? op_ldrsb_lit : op_ldrb_lit, 2);
    return true;
}

/* The address form in bits 11:6 when bit 23 is 0; returns a mode or -1, sets *unpriv */
static int address_mode(uint32_t i, struct op *o, bool *unpriv)
{
    *unpriv = false;
    if (bits(i, 11, 6) == 0) {
        o->rm = i & 15u;
        o->sh_n = (uint8_t)bits(i, 5, 4);
        return o->rm == 13 || o->rm == 15 ? -1 : MODE_REG;
    }
    if (!(i & 0x800u))
        return -1;
    bool p = i >> 10 & 1u, u = i >> 9 & 1u, w = i >> 8 & 1u;
    o->imm = u ? i & 0xFFu : 0u - (i & 0xFFu);
    if (p && u && !w) {
        *unpriv = true;
        return MODE_IMM;
    }
    if (!p && !w)
        return -1;
    return !p ? MODE_POST : w ? MODE_PRE : MODE_IMM;
}

static bool finish_pc_load(struct op *o, int mode)
{
    o->ra = (uint8_t)mode;
    put(o, op_ldr_pc, 5);
    return !((mode == MODE_PRE || mode == MODE_POST) && o->rn == 15);
}

/* 11111 00s: single loads and stores of byte, halfword, word */
static bool decode_single(uint32_t pc, uint32_t i, struct op *o)
{
    bool load = i >> 20 & 1u, is_signed = i >> 24 & 1u, unpriv = false;
    unsigned size = bits(i, 22, 21);
    unsigned kind = !load ? MEM_STORE : is_signed ? MEM_LOAD_SIGNED : MEM_LOAD;
    int mode = MODE_IMM;

    o->rd = (uint8_t)bits(i, 15, 12);
    o->rn = (uint8_t)bits(i, 19, 16);
    if (size == 3 || (is_signed && (size == 2 || !load)))
        return false;
    bool hint = load && o->rd == 15 && size < 2; /* PLD, PLI, and their unallocated neighbours */
    if (load && o->rn == 15) {
        if (hint) {
            put(o, op_pld, 1);
            return true;
        }
        (void)literal(pc, i, o, size, is_signed);
        if (o->rd == 13) {
            o->inner = o->fn;
            o->fn = op_align_sp;
        }
        return o->rd == 15 ? finish_pc_load(o, MODE_COUNT) : true;
    }
    if (i >> 23 & 1u)
        o->imm = i & 0xFFFu;
    else
        mode = address_mode(i, o, &unpriv);
    if (mode < 0 || o->rn == 15)
        return false;
    if (hint) {
        put(o, op_pld, 1);
        return mode == MODE_REG || mode == MODE_IMM;
    }
    bool wback = mode == MODE_PRE || mode == MODE_POST;
    if ((wback && o->rd == o->rn) || (o->rd == 13 && size < 2))
        return false;
    if (o->rd == 15)
        return load && !unpriv && finish_pc_load(o, mode);
    if (unpriv) {
        o->sh_n = (uint8_t)size;
        o->sh_type = (uint8_t)kind;
        put(o, op_unpriv, 2);
    } else {
        put(o, mem_fn[size][kind][mode], load ? 2 : 1);
    }
    if (o->rd == 13 && load) {
        o->inner = o->fn;
        o->fn = op_align_sp;
    }
    return true;
}

bool decode_mem32(uint32_t pc, uint32_t i, struct op *o)
{
    if (bits(i, 31, 25) == 0x7C)
        return decode_single(pc, i, o);
    return i >> 22 & 1u ? decode_dual(i, o) : (bits(i, 24, 23) == 1 || bits(i, 24, 23) == 2) && decode_multiple(i, o);
}
