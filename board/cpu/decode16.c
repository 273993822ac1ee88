/* 16-bit Thumb instructions (ARM ARM A5.2). Whatever matches nothing stays op_undefined. */
#include "board/cpu/cpu_priv.h"

static void put(struct op *o, op_fn *fn, unsigned cycles)
{
    o->fn = fn;
    o->cycles = (uint8_t)cycles;
}

static void regs(struct op *o, unsigned rd, unsigned rn, unsigned rm)
{
    o->rd = (uint8_t)rd;
    o->rn = (uint8_t)rn;
    o->rm = (uint8_t)rm;
}

/* Data processing sets the flags outside an IT block only; compares always. */
static void put_flags(struct op *o, op_fn *fn)
{
    put(o, fn, 1);
    o->keep_flags = 1;
}

/* 00xxxx: shift, add, subtract, move and compare with immediates */
static void decode_basic(uint32_t i, struct op *o)
{
    unsigned rd = i & 7u, rn = i >> 3 & 7u, op = i >> 11;
    unsigned imm5 = bits(i, 10, 6);

    o->ra = 2; /* the carry stays for MOV */
    if (op < 3) {
        regs(o, rd, rn, rn);
        o->sh_type = (uint8_t)op;
        o->sh_n = (uint8_t)(op != SH_LSL && imm5 == 0 ? 32 : imm5);
        put_flags(o, op == SH_LSL && imm5 == 0 ? alu_reg[ALU_MOV][1] : alu_shift[ALU_MOV][1]);
    } else if (op == 3) {
        regs(o, rd, rn, i >> 6 & 7u);
        o->imm = i >> 6 & 7u;
        enum alu alu = i & 0x200u ? ALU_SUB : ALU_ADD;
        put_flags(o, i & 0x400u ? alu_imm[alu][1] : alu_reg[alu][1]);
    } else {
        static const enum alu by_op[4] = { ALU_MOV, ALU_CMP, ALU_ADD, ALU_SUB };
        regs(o, i >> 8 & 7u, i >> 8 & 7u, 0);
        o->imm = i & 0xFFu;
        put_flags(o, alu_imm[by_op[op & 3u]][1]);
        if (op == 5)
            o->keep_flags = 0;
    }
}

/* 010000: data processing of registers */
static void decode_registers(uint32_t i, struct op *o)
{
    static const uint8_t alu[16] = { ALU_AND, ALU_EOR, 0xFF, 0xFF, 0xFF, ALU_ADC, ALU_SBC, 0xFF,
        ALU_TST, ALU_RSB, ALU_CMP, ALU_CMN, ALU_ORR, 0xFF, ALU_BIC, ALU_MVN };
    unsigned op = bits(i, 9, 6), rd = i & 7u, rm = i >> 3 & 7u;

    regs(o, rd, rd, rm);
    switch (op) {
    case 2: case 3: case 4: case 7:
        o->sh_type = (uint8_t)(op == 7 ? SH_ROR : op - 2);
        put_flags(o, op_shift_reg_s);
        break;
    case 9: /* RSBS Rd, Rn, #0 */
        o->rn = (uint8_t)rm;
        put_flags(o, alu_imm[ALU_RSB][1]);
        break;
    case 13:
        put_flags(o, op_muls);
        break;
    default:
        put_flags(o, alu_reg[alu[op]][1]);
        o->keep_flags = op != 8 && op != 10 && op != 11;
        break;
    }
}

/* 010001: high registers, BX, BLX */
static void decode_special(uint32_t i, struct op *o)
{
    unsigned op = bits(i, 9, 8), rd = (i >> 4 & 8u) | (i & 7u), rm = i >> 3 & 15u;

    regs(o, rd, rd, rm);
    switch (op) {
    case 0:
        put(o, op_add_hi, rd == 15 ? 3 : 1);
        break;
    case 1:
        put(o, op_cmp_hi, 1);
        break;
    case 2:
        put(o, rd == 15 || rm == 15 ? op_mov_hi : alu_reg[ALU_MOV][0], rd == 15 ? 3 : 1);
        break;
    default:
        if (i & 7u)
            return;
        put(o, i & 0x80u ? op_blx : op_bx, 3);
        return;
    }
    if (rd == 13 && op != 1) {
        o->inner = o->fn;
        o->fn = op_align_sp;
    }
}

/* 0101, 011x, 100x: load and store of one register */
static void decode_load_store(uint32_t i, struct op *o)
{
    unsigned top = i >> 12;

    regs(o, i & 7u, i >> 3 & 7u, i >> 6 & 7u);
    if (top == 5) {
        static const uint8_t size[8] = { 2, 1, 0, 0, 2, 1, 0, 1 };
        static const uint8_t kind[8] = { MEM_STORE, MEM_STORE, MEM_STORE, MEM_LOAD_SIGNED, MEM_LOAD,
            MEM_LOAD, MEM_LOAD, MEM_LOAD_SIGNED };
        unsigned op = bits(i, 11, 9);
        put(o, mem_fn[size[op]][kind[op]][MODE_REG], kind[op] == MEM_STORE ? 1 : 2);
        return;
    }
    bool load = i & 0x800u;
    unsigned size = top == 6 ? 2 : top == 7 ? 0 : top == 8 ? 1 : 2;
    if (top == 9) {
        regs(o, i >> 8 & 7u, 13, 0);
        o->imm = (i & 0xFFu) << 2;
    } else {
        o->imm = bits(i, 10, 6) << size;
    }
    put(o, mem_fn[size][load ? MEM_LOAD : MEM_STORE][MODE_IMM], load ? 2 : 1);
}

static void decode_push_pop(uint32_t i, struct op *o)
{
    bool pop = i & 0x800u, extra = i & 0x100u;
    o->imm = (i & 0xFFu) | (extra ? (pop ? 0x8000u : 0x4000u) : 0);
    if (o->imm == 0)
        return;
    unsigned n = (unsigned)__builtin_popcount(o->imm);
    if (!pop)
        put(o, op_push, 1 + n);
    else
        put(o, extra ? op_pop_pc : op_pop, 1 + n + (extra ? 2 : 0));
}

static void decode_it_and_hints(uint32_t i, struct op *o)
{
    static op_fn *const hint[5] = { op_nop, op_nop, op_wfe, op_wfi, op_sev };
    if (i & 15u) {
        o->imm = i & 0xFFu;
        put(o, op_it, 1);
    } else {
        unsigned n = bits(i, 7, 4);
        put(o, n < 5 ? hint[n] : op_nop, 1);
    }
}

/* 1011: miscellaneous */
static void decode_misc(uint32_t pc, uint32_t i, struct op *o)
{
    switch (bits(i, 11, 8)) {
    case 0:
        regs(o, 13, 13, 0);
        o->imm = (i & 0x7Fu) << 2;
        put(o, alu_imm[i & 0x80u ? ALU_SUB : ALU_ADD][0], 1);
        break;
    case 1: case 3: case 9: case 11:
        o->rn = i & 7u;
        o->imm = pc + 4 + (bits(i, 7, 3) << 1 | (i >> 3 & 0x40u));
        put(o, i & 0x800u ? op_cbnz : op_cbz, 1);
        break;
    case 2:
        regs(o, i & 7u, 0, i >> 3 & 7u);
        o->imm = (uint32_t[]){ 0, 4, 1, 5 }[bits(i, 7, 6)];
        put(o, op_extend, 1);
        break;
    case 4: case 5: case 12: case 13:
        decode_push_pop(i, o);
        break;
    case 6:
        if ((i & 0xE8u) == 0x60u) {
            o->imm = i & 0x1Fu;
            put(o, op_cps, 1);
        }
        break;
    case 10: {
        static op_fn *const rev[4] = { op_rev, op_rev16, op_undefined, op_revsh };
        regs(o, i & 7u, 0, i >> 3 & 7u);
        put(o, rev[bits(i, 7, 6)], 1);
        break;
    }
    case 14:
        o->imm = i & 0xFFu;
        put(o, op_bkpt, 1);
        break;
    case 15:
        decode_it_and_hints(i, o);
        break;
    default:
        break;
    }
}

static void decode_multiple(uint32_t i, struct op *o)
{
    unsigned rn = i >> 8 & 7u;
    o->rn = (uint8_t)rn;
    o->imm = i & 0xFFu;
    if (o->imm == 0)
        return;
    bool load = i & 0x800u;
    o->ra = !load || !(o->imm >> rn & 1u);
    put(o, load ? op_ldm : op_stm, 1u + (unsigned)__builtin_popcount(o->imm));
}

static void decode_branch(uint32_t pc, uint32_t i, struct op *o)
{
    unsigned cond = bits(i, 11, 8);
    if (i >> 12 == 0xE) {
        o->imm = pc + 4 + sext((i & 0x7FFu) << 1, 12);
        put(o, o->imm == pc ? op_b_self : op_b, 3);
    } else if (cond == 15) {
        o->imm = i & 0xFFu;
        put(o, op_svc, 1);
    } else if (cond != 14) {
        o->imm = pc + 4 + sext((i & 0xFFu) << 1, 9);
        put(o, b_cond[cond], 1);
    }
}

void decode16(uint32_t pc, uint32_t i, struct op *o)
{
    switch (i >> 12) {
    case 0: case 1: case 2: case 3:
        decode_basic(i, o);
        break;
    case 4:
        if (i & 0x800u) {
            o->rd = i >> 8 & 7u;
            o->imm = ((pc + 4) & ~3u) + ((i & 0xFFu) << 2);
            put(o, op_ldr_lit, 2);
        } else if (i & 0x400u) {
            decode_special(i, o);
        } else {
            decode_registers(i, o);
        }
        break;
    case 5: case 6: case 7: case 8: case 9:
        decode_load_store(i, o);
        break;
    case 10:
        regs(o, i >> 8 & 7u, 13, 0);
        o->imm = (i & 0xFFu) << 2;
        if (!(i & 0x800u))
            o->imm += (pc + 4) & ~3u;
        put(o, i & 0x800u ? alu_imm[ALU_ADD][0] : op_adr, 1);
        break;
    case 11:
        decode_misc(pc, i, o);
        break;
    case 12:
        decode_multiple(i, o);
        break;
    default:
        decode_branch(pc, i, o);
        break;
    }
}
