/* The loop, the store of decoded code, and the program status registers. */
#include <stdlib.h>

#include "board/cpu/cpu_priv.h"

/* ---- status registers ---- */

uint32_t cpu_apsr(const struct cpu *c)
{
    return (c->nf & 0x80000000u) | (uint32_t)(c->zf == 0) << 30 | c->cf << 29 | c->vf << 28 | c->qf << 27
        | c->ge << 16;
}

uint32_t cpu_xpsr(const struct cpu *c)
{
    return cpu_apsr(c) | c->ipsr | (uint32_t)c->thumb << 24 | (c->it & 0xFCu) << 8 | (c->it & 3u) << 25;
}

void cpu_set_apsr(struct cpu *c, uint32_t v, bool nzcvq, bool ge)
{
    if (nzcvq) {
        c->nf = v & 0x80000000u;
        c->zf = !(v >> 30 & 1u);
        c->cf = v >> 29 & 1u;
        c->vf = v >> 28 & 1u;
        c->qf = v >> 27 & 1u;
    }
    if (ge)
        c->ge = v >> 16 & 15u;
}

void cpu_set_xpsr(struct cpu *c, uint32_t v)
{
    cpu_set_apsr(c, v, true, true);
    c->thumb = v >> 24 & 1u;
    c->it = (v >> 8 & 0xFCu) | (v >> 25 & 3u);
}

/* other_sp holds PSP while MSP is in use and the other way round; CONTROL.SPSEL says which. */
void cpu_select_sp(struct cpu *c, bool use_psp)
{
    bool now = c->control >> 1 & 1u;
    if (now == use_psp)
        return;
    uint32_t t = c->r[13];
    c->r[13] = c->other_sp;
    c->other_sp = t;
    c->control ^= 2u;
}

uint32_t cpu_msp(const struct cpu *c)
{
    return c->control & 2u ? c->other_sp : c->r[13];
}

uint32_t cpu_psp(const struct cpu *c)
{
    return c->control & 2u ? c->r[13] : c->other_sp;
}

void cpu_set_msp(struct cpu *c, uint32_t v)
{
    *(c->control & 2u ? &c->other_sp : &c->r[13]) = v & ~3u;
}

void cpu_set_psp(struct cpu *c, uint32_t v)
{
    *(c->control & 2u ? &c->r[13] : &c->other_sp) = v & ~3u;
}

/* ---- decoded code ---- */

static unsigned op_page_end(struct cpu *c, const struct op *o)
{
    (void)c;
    (void)o;
    return FLOW_PAGE_END;
}

/* Stands where nothing is decoded yet (or no longer): decodes in place, then runs it. */
static unsigned op_decode(struct cpu *c, const struct op *o)
{
    struct op *w = (struct op *)(uintptr_t)o;
    decode_at(c, c->r[15] - 4u, w);
    c->cycles += w->cycles;
    return w->fn(c, w);
}

static void mark_ram_code(struct cpu *c, uint32_t addr)
{
    uint32_t off = addr >= CPU_RAM_BASE ? addr - CPU_RAM_BASE : addr - CPU_RAM_ALIAS;
    if (off < CPU_RAM_SIZE)
        c->ram_code[off / CPU_RAM_GRAIN] = 1;
}

void decode_at(struct cpu *c, uint32_t pc, struct op *o)
{
    uint16_t hw1, hw2 = 0;
    op_fn *undecoded = o->fn;

    memset(o, 0, sizeof *o);
    o->fn = undecoded;
    if (!c->bus.fetch(c->bus.ctx, pc, &hw1))
        cpu_fault(c, CFSR_IBUSERR, 0);
    bool wide = hw1 >> 11 >= 0x1D;
    if (wide && !c->bus.fetch(c->bus.ctx, pc + 2, &hw2))
        cpu_fault(c, CFSR_IBUSERR, 0);
    o->fn = op_undefined;
    o->halfwords = wide ? 2 : 1;
    o->cycles = 1;
    mark_ram_code(c, pc);
    mark_ram_code(c, pc + (wide ? 3u : 1u));
    if (wide)
        decode32(pc, (uint32_t)hw1 << 16 | hw2, o);
    else
        decode16(pc, hw1, o);
}

static struct code_page **page_slot(struct cpu *c, uint32_t pc)
{
    if (pc < CPU_FLASH_SIZE)
        return &c->flash_code[pc / CPU_PAGE];
    if (pc - CPU_RAM_BASE < CPU_RAM_SIZE)
        return &c->ram_pages[(pc - CPU_RAM_BASE) / CPU_PAGE];
    if (pc - CPU_RAM_ALIAS < CPU_RAM_SIZE)
        return &c->ram_pages[(CPU_RAM_SIZE + pc - CPU_RAM_ALIAS) / CPU_PAGE];
    return &c->xip_pages[pc / CPU_PAGE % CPU_XIP_PAGES];
}

static void page_clear(struct code_page *p, uint32_t base)
{
    p->base = base;
    for (unsigned i = 0; i < CPU_PAGE / 2; i++)
        p->ops[i] = (struct op){ .fn = op_decode, .halfwords = 1 };
    for (unsigned i = CPU_PAGE / 2; i < CPU_PAGE / 2 + 2; i++)
        p->ops[i] = (struct op){ .fn = op_page_end };
}

static struct code_page *page_of(struct cpu *c, uint32_t pc)
{
    struct code_page **slot = page_slot(c, pc);
    uint32_t base = pc & ~(uint32_t)(CPU_PAGE - 1);

    if (!*slot) {
        *slot = malloc(sizeof **slot);
        if (!*slot)
            abort(); /* 64 KiB on the host: nothing sensible is left to do */
        page_clear(*slot, base);
    } else if ((*slot)->base != base) {
        page_clear(*slot, base);
    }
    return *slot;
}

static void op_forget(struct cpu *c, uint32_t addr)
{
    struct code_page *p = *page_slot(c, addr);
    if (p && (addr & ~(uint32_t)(CPU_PAGE - 1)) == p->base) {
        struct op *o = &p->ops[addr % CPU_PAGE / 2];
        o->fn = op_decode; /* halfwords stay: the instruction may be the running one */
        o->cycles = 0;
    }
}

static void forget_range(struct cpu *c, uint32_t addr, uint32_t len)
{
    /* The halfword before may be the start of a 32-bit instruction that reaches in here. */
    uint32_t first = (addr & ~1u) - 2u;
    for (uint32_t i = 0; i < len + 3; i += 2)
        op_forget(c, first + i);
}

void cpu_code_changed(struct cpu *c, uint32_t addr, uint32_t len)
{
    uint32_t off = addr - CPU_RAM_BASE;
    forget_range(c, addr, len);
    if (off < CPU_RAM_SIZE)
        forget_range(c, CPU_RAM_ALIAS + off, len);
    else if (addr - CPU_RAM_ALIAS < CPU_RAM_SIZE)
        forget_range(c, CPU_RAM_BASE + addr - CPU_RAM_ALIAS, len);
}

static void drop(struct code_page **slots, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        free(slots[i]);
        slots[i] = NULL;
    }
}

void cpu_code_forget(struct cpu *c)
{
    drop(c->flash_code, CPU_FLASH_SIZE / CPU_PAGE);
    drop(c->ram_pages, 2 * CPU_RAM_SIZE / CPU_PAGE);
    drop(c->xip_pages, CPU_XIP_PAGES);
    memset(c->ram_code, 0, sizeof c->ram_code);
}

/* ---- faults ---- */

_Noreturn void cpu_fault(struct cpu *c, uint32_t cfsr_bits, uint32_t addr)
{
    c->fault_bits = cfsr_bits;
    c->fault_addr = addr;
    c->fault_pending = true;
    longjmp(*c->fault_jmp, 1);
}

/* A fetch that failed: nothing ran, so the counts of the loop are not to be corrected. */
static void fetch_fault(struct cpu *c, uint32_t bits_)
{
    c->fault_bits = bits_;
    c->fault_addr = 0;
    c->fault_pending = true;
}

/* ---- running ---- */

/* Is code at pc allowed to run? On a page of mixed permission for this instruction alone. */
static int may_execute(struct cpu *c, uint32_t pc)
{
    if (LIKELY(pc < c->flash_limit && (!c->guarded || c->exec_grant[pc / CPU_GRANT_FLASH] == c->grant)))
        return EXEC_OK;
    int e = c->bus.exec(c->bus.ctx, pc, true);
    if (e == EXEC_MIXED && c->bus.exec(c->bus.ctx, pc, false) != EXEC_OK)
        return EXEC_DENIED;
    return e;
}

static bool fetch_ok(struct cpu *c, uint32_t pc, int *e)
{
    if (UNLIKELY(!c->thumb)) {
        fetch_fault(c, CFSR_INVSTATE);
        return false;
    }
    *e = may_execute(c, pc);
    if (UNLIKELY(*e >= EXEC_DENIED)) {
        fetch_fault(c, *e == EXEC_DENIED ? CFSR_IACCVIOL : CFSR_IBUSERR);
        return false;
    }
    return true;
}

static void it_advance(struct cpu *c)
{
    c->it = c->it & 7u ? (c->it & 0xE0u) | (c->it << 1 & 0x1Fu) : 0;
}

static void run_kept_flags(struct cpu *c, const struct op *o, unsigned *flow)
{
    uint32_t nf = c->nf, zf = c->zf, cf = c->cf, vf = c->vf;
    *flow = o->fn(c, o);
    c->nf = nf;
    c->zf = zf;
    c->cf = cf;
    c->vf = vf;
}

/* One instruction with everything that the fast loop leaves out: IT and mixed pages. Its flow. */
static unsigned step(struct cpu *c, uint32_t pc)
{
    struct op *o = &page_of(c, pc)->ops[pc % CPU_PAGE / 2];
    unsigned flow = FLOW_NEXT;

    c->r[15] = pc + 4;
    c->insns++;
    if (o->fn == op_decode)
        decode_at(c, pc, o);
    c->it_before = c->it;
    bool holds = !c->it || cond_holds(c, c->it >> 4);
    bool in_it = c->it != 0;
    uint8_t halfwords = o->halfwords;
    c->cycles += holds ? o->cycles : 1u;
    if (in_it)
        it_advance(c);
    if (holds) {
        if (in_it && o->keep_flags)
            run_kept_flags(c, o, &flow);
        else
            flow = o->fn(c, o);
    }
    if (!(flow & FLOW_BRANCH))
        c->next = pc + 2u * halfwords;
    c->it_before = c->it;
    return flow;
}

/* The fast loop over decoded code, outside IT blocks; ends with c->next set. */
static inline __attribute__((always_inline)) bool fast(struct cpu *c, cpu_trace_fn *trace, void *ctx)
{
    uint32_t pc = c->next;
    struct code_page *p = page_of(c, pc);
    const struct op *o = &p->ops[pc % CPU_PAGE / 2];

    for (;;) {
        if (trace && o->fn != op_page_end && trace(ctx, pc)) {
            c->next = pc;
            return false;
        }
        c->r[15] = pc + 4;
        c->cycles += o->cycles;
        c->insns++;
        unsigned flow = o->fn(c, o);
        if (LIKELY(flow == FLOW_NEXT)) {
            pc += 2u * o->halfwords;
            o += o->halfwords;
        } else if (LIKELY(flow == FLOW_BRANCH)) {
            pc = c->next;
            if (UNLIKELY((pc ^ p->base) >= CPU_PAGE))
                return true;
            o = &p->ops[pc % CPU_PAGE / 2];
        } else {
            c->next = flow & FLOW_BRANCH ? c->next : pc + 2u * o->halfwords;
            if (flow != FLOW_PAGE_END)
                return flow == FLOW_LOOK && c->it != 0; /* an IT block needs no look around */
            c->insns--;
            c->next = pc;
            return true;
        }
        if (UNLIKELY(c->cycles >= c->deadline)) {
            c->next = pc;
            return false;
        }
    }
}

static inline __attribute__((always_inline)) void loop(struct cpu *c, cpu_trace_fn *trace, void *ctx)
{
    int e;
    while (c->cycles < c->deadline && !c->spinning && fetch_ok(c, c->next, &e)) {
        if (c->it || e == EXEC_MIXED) {
            if (trace && trace(ctx, c->next))
                return;
            if (step(c, c->next) & FLOW_LOOK && !c->it)
                return;
        } else {
            c->it_before = 0;
            if (!fast(c, trace, ctx))
                return;
        }
    }
}

static void loop_plain(struct cpu *c)
{
    loop(c, NULL, NULL);
}

static void loop_traced(struct cpu *c, cpu_trace_fn *trace, void *ctx)
{
    loop(c, trace, ctx);
}

static void run(struct cpu *c, cpu_trace_fn *trace, void *ctx)
{
    jmp_buf env;
    c->fault_jmp = &env;
    c->spinning = false;
    if (setjmp(env)) {
        c->insns--;
        c->it = c->it_before;
        c->next = c->r[15] - 4u;
        return;
    }
    if (trace)
        loop_traced(c, trace, ctx);
    else
        loop_plain(c);
}

void cpu_run(struct cpu *c)
{
    run(c, NULL, NULL);
}

void cpu_run_traced(struct cpu *c, cpu_trace_fn *trace, void *ctx)
{
    run(c, trace, ctx);
}
