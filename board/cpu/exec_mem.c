/* Loads and stores (ARM ARM A7.7). A function changes no register before its last access succeeded. */
#include "board/cpu/cpu_priv.h"

#define ADDRESS_imm uint32_t addr = c->r[o->rn] + o->imm
#define ADDRESS_reg uint32_t addr = c->r[o->rn] + (c->r[o->rm] << o->sh_n)
#define ADDRESS_pre uint32_t addr = c->r[o->rn] + o->imm
#define ADDRESS_post uint32_t addr = c->r[o->rn]
#define WRITEBACK_imm do { } while (0)
#define WRITEBACK_reg do { } while (0)
#define WRITEBACK_pre do { c->r[o->rn] = addr; } while (0)
#define WRITEBACK_post do { c->r[o->rn] = addr + o->imm; } while (0)

#define LOAD(name, mode, expr)                                                                      \
    static unsigned name##_##mode(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        ADDRESS_##mode;                                                                             \
        uint32_t v = (expr);                                                                        \
        WRITEBACK_##mode;                                                                           \
        c->r[o->rd] = v;                                                                            \
        return FLOW_NEXT;                                                                           \
    }
#define STORE(name, mode, fn)                                                                       \
    static unsigned name##_##mode(struct cpu *c, const struct op *o)                                \
    {                                                                                               \
        ADDRESS_##mode;                                                                             \
        fn(c, addr, c->r[o->rd]);                                                                   \
        WRITEBACK_##mode;                                                                           \
        return FLOW_NEXT;                                                                           \
    }
#define ALL(mode)                                                                                   \
    LOAD(ldr, mode, ld32(c, addr))                                                                  \
    LOAD(ldrh, mode, ld16(c, addr))                                                                 \
    LOAD(ldrb, mode, ld8(c, addr))                                                                  \
    LOAD(ldrsh, mode, sext(ld16(c, addr), 16))                                                      \
    LOAD(ldrsb, mode, sext(ld8(c, addr), 8))                                                        \
    STORE(str, mode, st32)                                                                          \
    STORE(strh, mode, st16)                                                                         \
    STORE(strb, mode, st8)
ALL(imm)
ALL(reg)
ALL(pre)
ALL(post)

#define MODES(name) { name##_imm, name##_reg, name##_pre, name##_post }
op_fn *const mem_fn[3][3][MODE_COUNT] = {
    { MODES(strb), MODES(ldrb), MODES(ldrsb) },
    { MODES(strh), MODES(ldrh), MODES(ldrsh) },
    { MODES(str), MODES(ldr), MODES(ldr) },
};

#define LITERAL(name, expr)                                                                         \
    unsigned name(struct cpu *c, const struct op *o)                                                \
    {                                                                                               \
        c->r[o->rd] = (expr);                                                                       \
        return FLOW_NEXT;                                                                           \
    }
LITERAL(op_ldr_lit, ld32(c, o->imm))
LITERAL(op_ldrb_lit, ld8(c, o->imm))
LITERAL(op_ldrh_lit, ld16(c, o->imm))
LITERAL(op_ldrsb_lit, sext(ld8(c, o->imm), 8))
LITERAL(op_ldrsh_lit, sext(ld16(c, o->imm), 16))

/* LDR into the PC: ra is the mode, or MODE_COUNT for a literal. */
unsigned op_ldr_pc(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[o->rn], addr = base + o->imm;
    if (o->ra == MODE_COUNT)
        addr = o->imm;
    else if (o->ra == MODE_REG)
        addr = base + (c->r[o->rm] << o->sh_n);
    else if (o->ra == MODE_POST)
        addr = base;
    need_word(c, addr);
    uint32_t v = ld32(c, addr);
    if (o->ra == MODE_PRE || o->ra == MODE_POST)
        c->r[o->rn] = base + o->imm;
    return branch_exchange(c, v);
}

/* LDRT, STRT and their kin: as mem_fn[sh_n][sh_type][MODE_IMM], with an unprivileged access. */
unsigned op_unpriv(struct cpu *c, const struct op *o)
{
    unsigned size = 1u << o->sh_n;
    if (c->guarded)
        c->bus.check(c->bus.ctx, c->r[o->rn] + o->imm, size, o->sh_type == MEM_STORE, true);
    return mem_fn[o->sh_n][o->sh_type][MODE_IMM](c, o);
}

unsigned op_pld(struct cpu *c, const struct op *o)
{
    (void)c;
    (void)o;
    return FLOW_NEXT;
}

/* ---- multiple: imm is the register list, ra = 1 for writeback ---- */

/* Loads the list from `addr` into a copy, so that a fault half-way leaves the base register. */
static void load_list(struct cpu *c, uint32_t list, uint32_t addr, uint32_t *pc)
{
    uint32_t tmp[16];
    need_word(c, addr);
    for (uint32_t l = list; l; l &= l - 1) {
        unsigned i = (unsigned)__builtin_ctz(l);
        tmp[i] = ld32(c, addr);
        addr += 4;
    }
    for (uint32_t l = list & 0x7FFFu; l; l &= l - 1) {
        unsigned i = (unsigned)__builtin_ctz(l);
        c->r[i] = tmp[i];
    }
    if (list & 0x8000u)
        *pc = tmp[15];
}

static void store_list(struct cpu *c, uint32_t list, uint32_t addr)
{
    need_word(c, addr);
    for (uint32_t l = list; l; l &= l - 1) {
        st32(c, addr, c->r[__builtin_ctz(l)]);
        addr += 4;
    }
}

static uint32_t list_size(uint32_t list)
{
    return 4u * (uint32_t)__builtin_popcount(list);
}

unsigned op_ldm(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[o->rn], pc;
    load_list(c, o->imm, base, &pc);
    if (o->ra)
        c->r[o->rn] = base + list_size(o->imm);
    return FLOW_NEXT;
}

unsigned op_ldm_pc(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[o->rn], pc = 0;
    load_list(c, o->imm, base, &pc);
    if (o->ra)
        c->r[o->rn] = base + list_size(o->imm);
    return branch_exchange(c, pc);
}

unsigned op_ldmdb(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[o->rn] - list_size(o->imm), pc;
    load_list(c, o->imm, addr, &pc);
    if (o->ra)
        c->r[o->rn] = addr;
    return FLOW_NEXT;
}

unsigned op_ldmdb_pc(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[o->rn] - list_size(o->imm), pc = 0;
    load_list(c, o->imm, addr, &pc);
    if (o->ra)
        c->r[o->rn] = addr;
    return branch_exchange(c, pc);
}

unsigned op_stm(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[o->rn];
    store_list(c, o->imm, base);
    if (o->ra)
        c->r[o->rn] = base + list_size(o->imm);
    return FLOW_NEXT;
}

unsigned op_stmdb(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[o->rn] - list_size(o->imm);
    store_list(c, o->imm, addr);
    if (o->ra)
        c->r[o->rn] = addr;
    return FLOW_NEXT;
}

unsigned op_push(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[13] - list_size(o->imm);
    store_list(c, o->imm, addr);
    c->r[13] = addr;
    return FLOW_NEXT;
}

unsigned op_pop(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[13], pc;
    load_list(c, o->imm, base, &pc);
    c->r[13] = base + list_size(o->imm);
    return FLOW_NEXT;
}

unsigned op_pop_pc(struct cpu *c, const struct op *o)
{
    uint32_t base = c->r[13], pc = 0;
    load_list(c, o->imm, base, &pc);
    c->r[13] = base + list_size(o->imm);
    return branch_exchange(c, pc);
}

/* ---- double and exclusive. sh_n: 1 add offset before (P), sh_type: 1 writeback; rn = 15 literal ---- */

static uint32_t double_address(struct cpu *c, const struct op *o, uint32_t *after)
{
    uint32_t base = o->rn == 15 ? c->r[15] & ~3u : c->r[o->rn];
    *after = base + o->imm;
    uint32_t addr = o->sh_n ? *after : base;
    need_word(c, addr);
    return addr;
}

unsigned op_ldrd(struct cpu *c, const struct op *o)
{
    uint32_t after, addr = double_address(c, o, &after);
    uint32_t lo = ld32(c, addr), hi = ld32(c, addr + 4);
    if (o->sh_type)
        c->r[o->rn] = after;
    c->r[o->rd] = lo;
    c->r[o->ra] = hi;
    return FLOW_NEXT;
}

unsigned op_strd(struct cpu *c, const struct op *o)
{
    uint32_t after, addr = double_address(c, o, &after);
    st32(c, addr, c->r[o->rd]);
    st32(c, addr + 4, c->r[o->ra]);
    if (o->sh_type)
        c->r[o->rn] = after;
    return FLOW_NEXT;
}

static void need_aligned(struct cpu *c, uint32_t addr, unsigned log2size)
{
    if (addr & ((1u << log2size) - 1u))
        cpu_fault(c, CFSR_UNALIGNED, 0);
}

/* sh_n: log2 of the size. The M4's monitor has no address: any STREX after an LDREX counts. */
unsigned op_ldrex(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[o->rn] + o->imm;
    need_aligned(c, addr, o->sh_n);
    c->r[o->rd] = o->sh_n == 2 ? ld32(c, addr) : o->sh_n == 1 ? ld16(c, addr) : ld8(c, addr);
    c->ex_valid = true;
    return FLOW_NEXT;
}

/* rd: status, ra: what is stored. */
unsigned op_strex(struct cpu *c, const struct op *o)
{
    uint32_t addr = c->r[o->rn] + o->imm;
    need_aligned(c, addr, o->sh_n);
    if (!c->ex_valid) {
        c->r[o->rd] = 1;
        return FLOW_NEXT;
    }
    if (o->sh_n == 2)
        st32(c, addr, c->r[o->ra]);
    else if (o->sh_n == 1)
        st16(c, addr, c->r[o->ra]);
    else
        st8(c, addr, c->r[o->ra]);
    c->ex_valid = false;
    c->r[o->rd] = 0;
    return FLOW_NEXT;
}
