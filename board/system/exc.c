/* Exceptions: priorities, entry, return, faults, sleep (ARM ARM B1.5). */
#include <string.h>

#include "board/board_priv.h"
#include "board/cpu/softfp.h"

#define BIT(n) (1ull << (n))

enum { NO_PRIORITY = 256, CYCLES_ENTRY = 12, CYCLES_RETURN = 10, CYCLES_FP_FRAME = 17 };

/* The part of a priority that decides about preemption. */
static int group_priority(const struct system *s, int prio)
{
    return prio < 0 ? prio : prio & (int)~((2u << s->prigroup) - 1u) & 0xFF;
}

static int exception_priority(const struct system *s, unsigned n)
{
    switch (n) {
    case EXC_RESET: return -3;
    case EXC_NMI: return -2;
    case EXC_HARD: return -1;
    default: return s->prio[n];
    }
}

static int active_priority(const struct system *s)
{
    int best = NO_PRIORITY;
    for (uint64_t a = s->active; a; a &= a - 1) {
        int p = group_priority(s, exception_priority(s, (unsigned)__builtin_ctzll(a)));
        if (p < best)
            best = p;
    }
    return best;
}

static int masked_priority(const struct board *b, bool ignore_primask)
{
    const struct system *s = &b->st.sys;
    int p = active_priority(s);
    if (b->cpu.basepri) {
        int base = group_priority(s, (int)b->cpu.basepri);
        p = base < p ? base : p;
    }
    if (b->cpu.primask && !ignore_primask && p > 0)
        p = 0;
    if (b->cpu.faultmask && p > -1)
        p = -1;
    return p;
}

int exc_running_priority(const struct board *b)
{
    return masked_priority(b, false);
}

/* The pending exception that comes first: by priority, then by number. 0: none. */
static unsigned best_pending(const struct system *s)
{
    unsigned best = 0;
    int best_prio = NO_PRIORITY;
    for (uint64_t p = s->pending & s->enabled; p; p &= p - 1) {
        unsigned n = (unsigned)__builtin_ctzll(p);
        int prio = exception_priority(s, n);
        if (prio < best_prio) {
            best = n;
            best_prio = prio;
        }
    }
    return best;
}

bool exc_would_preempt(const struct board *b, bool ignore_primask)
{
    const struct system *s = &b->st.sys;
    unsigned n = best_pending(s);
    return n && group_priority(s, exception_priority(s, n)) < masked_priority(b, ignore_primask);
}

void exc_pend(struct board *b, unsigned n)
{
    struct system *s = &b->st.sys;
    if (!(s->pending & BIT(n)) && (s->scr & 16u))
        b->cpu.event = true; /* SEVONPEND */
    s->pending |= BIT(n);
    attention(b);
}

void exc_set_line(struct board *b, unsigned irq, bool high)
{
    struct system *s = &b->st.sys;
    uint64_t bit = BIT(EXC_IRQ0 + irq);
    bool was = s->line & bit;
    if (high == was)
        return;
    s->line ^= bit;
    if (high)
        exc_pend(b, EXC_IRQ0 + irq);
}

void sys_update(struct board *b)
{
    struct cpu *c = &b->cpu;
    const struct system *s = &b->st.sys;
    c->user = c->ipsr == 0 && (c->control & 1u);
    c->trap_unaligned = s->ccr & CCR_UNALIGN_TRP;
    c->trap_div0 = s->ccr & CCR_DIV_0_TRP;
    c->guarded = (s->mpu_ctrl & 1u) || c->trap_unaligned || b->watching;
    c->grant = mpu_grant(b);
    uint32_t cp = s->cpacr >> 20 & 3u;
    bool enabled = cp == 3 || (cp == 1 && !c->user);
    c->fp_ready = enabled && !(c->fpccr & FPCCR_LSPACT) && ((c->control & 4u) || !(c->fpccr & FPCCR_ASPEN));
    attention(b);
}

static void watch_exception(struct board *b, unsigned n, bool enter)
{
    if (b->st.hashing)
        b->st.hash = (b->st.hash ^ (n << 1 | enter) ^ now(b)) * 0x9E3779B97F4A7C15ull;
    if (b->watching && b->watch.exception)
        b->watch.exception(b->watch_ctx, n, enter);
}

void exc_reset(struct board *b)
{
    struct system *s = &b->st.sys;
    struct cpu *c = &b->cpu;
    uint32_t sp = 0, pc = 0;

    memset(s, 0, sizeof *s);
    mpu_changed(b);
    s->enabled = 0xFFFFu & ~(BIT(EXC_MEM) | BIT(EXC_BUS) | BIT(EXC_USAGE));
    s->ccr = CCR_STKALIGN;
    s->tick_zero = NEVER;
    memset(c->r, 0, sizeof c->r);
    c->ipsr = c->control = c->primask = c->faultmask = c->basepri = 0;
    c->it = c->it_before = 0;
    c->ex_valid = c->event = c->fault_pending = false;
    c->fpccr = FPCCR_ASPEN | FPCCR_LSPEN;
    c->fpcar = c->fpdscr = c->fpscr = 0;
    cpu_set_apsr(c, 0, true, true);
    if (bus_try(b, 0, 4, false, &sp) || bus_try(b, 4, 4, false, &pc))
        sp = pc = 0;
    c->r[13] = sp & ~3u;
    c->other_sp = 0;
    c->r[14] = 0xFFFFFFFFu;
    c->next = pc & ~1u;
    c->thumb = pc & 1u;
    sys_update(b);
    watch_exception(b, EXC_RESET, true);
}

/* ---- entry ---- */

static uint32_t push_fp(struct board *b, uint32_t at)
{
    struct cpu *c = &b->cpu;
    uint32_t err = 0;
    for (unsigned i = 0; i < 16; i++)
        err |= bus_try(b, at + 4u * i, 4, true, &c->s[i]);
    return err | bus_try(b, at + 64, 4, true, &c->fpscr);
}

/* FPCCR's record of what may be signalled if the lazy stacking faults (B3.2.21). */
static void lazy_begin(struct board *b, uint32_t at)
{
    struct cpu *c = &b->cpu;
    int p = exc_running_priority(b);
    const struct system *s = &b->st.sys;
    uint32_t v = FPCCR_LSPACT;
    v |= c->ipsr == 0 ? 8u : 0;
    v |= c->user ? 2u : 0;
    v |= p > -1 ? 1u << 4 : 0;
    v |= (s->shcsr & (1u << 17)) && p > s->prio[EXC_BUS] ? 1u << 6 : 0;
    v |= (s->shcsr & (1u << 16)) && p > s->prio[EXC_MEM] ? 1u << 5 : 0;
    c->fpccr = (c->fpccr & (FPCCR_ASPEN | FPCCR_LSPEN)) | v;
    c->fpcar = at;
}

/* Stacks the frame; returns CFSR bits of an access that failed (as stacking errors). */
static uint32_t push_frame(struct board *b, uint32_t ret)
{
    struct cpu *c = &b->cpu;
    bool fp = c->control & 4u, eager = fp && !(c->fpccr & FPCCR_LSPEN);
    uint32_t size = fp ? 0x68 : 0x20, sp = c->r[13];
    bool align = (fp || (b->st.sys.ccr & CCR_STKALIGN)) && (sp & 4u);
    uint32_t frame = (sp - size) & (align ? ~4u : ~0u);
    uint32_t xpsr = (cpu_xpsr(c) & ~(1u << 9)) | (align ? 1u << 9 : 0);
    uint32_t words[8] = { c->r[0], c->r[1], c->r[2], c->r[3], c->r[12], c->r[14], ret, xpsr };
    uint32_t err = 0;

    c->r[13] = frame;
    for (unsigned i = 0; i < 8; i++)
        err |= bus_try(b, frame + 4u * i, 4, true, &words[i]);
    if (eager)
        err |= push_fp(b, frame + 0x20);
    else if (fp)
        lazy_begin(b, frame + 0x20);
    return (err & 0xFFu ? CFSR_MSTKERR : 0) | (err & 0xFF00u ? CFSR_STKERR : 0);
}

static void fault_bits_set(struct board *b, uint32_t bits, uint32_t addr)
{
    struct system *s = &b->st.sys;
    s->cfsr |= bits;
    if (bits & CFSR_MMARVALID)
        s->mmfar = addr;
    if (bits & CFSR_BFARVALID)
        s->bfar = addr;
}

static void lock_up(struct board *b)
{
    b->st.sys.locked_up = true;
    attention(b);
}

/* Pends the fault that `bits` stand for, escalated to HardFault if it cannot be taken. */
static unsigned choose_fault(struct board *b, uint32_t bits, int prio)
{
    struct system *s = &b->st.sys;
    if (!bits) /* BKPT */
        return prio > -1 ? EXC_HARD : 0;
    unsigned n = bits & 0xFFu ? EXC_MEM : bits & 0xFF00u ? EXC_BUS : EXC_USAGE;
    bool on = s->shcsr >> (n + 12) & 1u; /* bits 16, 17, 18 for 4, 5, 6 */
    if (on && group_priority(s, s->prio[n]) < prio)
        return n;
    s->hfsr |= 1u << 30;
    return prio > -1 ? EXC_HARD : 0;
}

/* Jumps to the handler; the frame is stacked. */
static void enter(struct board *b, unsigned n, uint32_t exc_ret)
{
    struct cpu *c = &b->cpu;
    struct system *s = &b->st.sys;
    uint32_t vector = 0;

    s->pending &= ~BIT(n);
    s->active |= BIT(n);
    cpu_select_sp(c, false);
    c->control &= ~4u;
    c->ipsr = n;
    c->it = c->it_before = 0;
    c->ex_valid = false;
    c->event = true;
    c->r[14] = exc_ret;
    s->sleeping = SLEEP_NO;
    if (n >= EXC_HARD && n <= EXC_USAGE && !b->st.fault_since)
        b->st.fault_since = now(b);
    if (bus_try(b, s->vtor + 4u * n, 4, false, &vector)) {
        s->hfsr |= 2u; /* VECTTBL */
        if (n == EXC_HARD)
            lock_up(b);
        else
            s->pending |= BIT(EXC_HARD);
    }
    c->next = vector & ~1u;
    c->thumb = vector & 1u;
    sys_update(b);
    watch_exception(b, n, true);
}

static void take(struct board *b, unsigned n, uint32_t ret)
{
    struct cpu *c = &b->cpu;
    struct system *s = &b->st.sys;
    bool fp = c->control & 4u;
    uint32_t exc_ret = c->ipsr ? 0xFFFFFFF1u : c->control & 2u ? 0xFFFFFFFDu : 0xFFFFFFF9u;
    if (fp)
        exc_ret &= ~0x10u;
    c->cycles += CYCLES_ENTRY;
    if (fp && !(c->fpccr & FPCCR_LSPEN))
        c->cycles += CYCLES_FP_FRAME;
    uint32_t err = push_frame(b, ret);
    if (err) { /* a derived fault: the worse of the two comes first, the other stays pending */
        s->cfsr |= err;
        unsigned derived = choose_fault(b, err, exc_running_priority(b));
        if (!derived)
            lock_up(b);
        else if (exception_priority(s, derived) < exception_priority(s, n)) {
            s->pending |= BIT(n);
            n = derived;
        } else {
            s->pending |= BIT(derived);
        }
    }
    enter(b, n, exc_ret);
}

bool exc_take(struct board *b)
{
    if (!exc_would_preempt(b, false))
        return false;
    take(b, best_pending(&b->st.sys), b->cpu.next);
    return true;
}

static void note_fault(struct board *b, unsigned n, uint32_t bits, uint32_t addr)
{
    static const char *const names[] = { "HardFault", "MemManage fault", "BusFault", "UsageFault" };
    bool again = b->st.fault_pc == b->cpu.next && b->st.fault_cfsr == bits && b->st.fault_addr == addr;
    b->st.fault_again = again ? b->st.fault_again + 1u : 0;
    b->st.fault_pc = b->cpu.next;
    b->st.fault_addr = addr;
    b->st.fault_cfsr = bits;
    b->st.fault_hfsr = b->st.sys.hfsr;
    if (!again) /* a handler that returns to the fault would fill the log */
        board_note(b, "%s at pc 0x%08x (cfsr 0x%08x%s0x%08x)", n ? names[n - EXC_HARD] : "lock-up", b->cpu.next, bits,
        bits & (CFSR_MMARVALID | CFSR_BFARVALID) ? ", address " : ", lr ",
        bits & (CFSR_MMARVALID | CFSR_BFARVALID) ? addr : b->cpu.r[14]);
}

void exc_fault(struct board *b)
{
    struct cpu *c = &b->cpu;
    uint32_t bits = c->fault_bits;
    int prio = exc_running_priority(b);

    c->fault_pending = false;
    fault_bits_set(b, bits, c->fault_addr);
    unsigned n = choose_fault(b, bits, prio);
    note_fault(b, n, bits, c->fault_addr);
    if (!n)
        lock_up(b);
    else
        take(b, n, c->next);
}

/* ---- return ---- */

static void sleep_begins(struct board *b, unsigned how)
{
    b->st.sys.sleeping = how;
    b->st.sys.slept_at = now(b);
    wdt_sleep(b, true);
    power_sleep(b, true);
}

static void return_fails(struct board *b, uint32_t bits)
{
    b->cpu.fault_bits = bits;
    b->cpu.fault_addr = 0;
    b->cpu.fault_pending = true;
}

static bool return_is_legal(struct board *b, uint32_t er)
{
    const struct system *s = &b->st.sys;
    unsigned nested = (unsigned)__builtin_popcountll(s->active);
    if ((er & 0x0FFFFFE0u) != 0x0FFFFFE0u || !(s->active & BIT(b->cpu.ipsr)))
        return false;
    switch (er & 15u) {
    case 1: return nested > 1;
    case 9: case 13: return nested == 1 || (s->ccr & CCR_NONBASETHRDENA);
    default: return false;
    }
}

static void deactivate(struct board *b, unsigned n)
{
    struct system *s = &b->st.sys;
    s->active &= ~BIT(n);
    if (n != EXC_NMI)
        b->cpu.faultmask = 0;
    if (s->line & BIT(n) & ~0xFFFFull)
        exc_pend(b, n); /* the level is still there */
    if (!(s->active & (BIT(EXC_HARD) | BIT(EXC_MEM) | BIT(EXC_BUS) | BIT(EXC_USAGE))))
        b->st.fault_since = 0;
}

static uint32_t pop_fp(struct board *b, uint32_t at)
{
    struct cpu *c = &b->cpu;
    uint32_t err = 0;
    if (c->fpccr & FPCCR_LSPACT) { /* never stacked: the registers still hold it */
        c->fpccr &= ~FPCCR_LSPACT;
        return 0;
    }
    for (unsigned i = 0; i < 16; i++)
        err |= bus_try(b, at + 4u * i, 4, false, &c->s[i]);
    err |= bus_try(b, at + 64, 4, false, &c->fpscr);
    c->cycles += CYCLES_FP_FRAME;
    return err;
}

/* Unstacks; false if an access failed (the frame is then left where it is). */
static bool pop_frame(struct board *b, uint32_t er)
{
    struct cpu *c = &b->cpu;
    bool fp = !(er & 0x10u);
    uint32_t w[8] = { 0 }, frame = c->r[13], err = 0;

    for (unsigned i = 0; i < 8; i++)
        err |= bus_try(b, frame + 4u * i, 4, false, &w[i]);
    if (fp && !err)
        err |= pop_fp(b, frame + 0x20);
    if (err) {
        b->st.sys.cfsr |= (err & 0xFFu ? CFSR_MUNSTKERR : 0) | (err & 0xFF00u ? CFSR_UNSTKERR : 0);
        return_fails(b, (err & 0xFFu ? CFSR_MUNSTKERR : 0) | (err & 0xFF00u ? CFSR_UNSTKERR : 0));
        return false;
    }
    memcpy(c->r, w, 16);
    c->r[12] = w[4];
    c->r[14] = w[5];
    c->next = w[6] & ~1u;
    c->control = (c->control & ~4u) | (fp ? 4u : 0);
    c->r[13] = (frame + (fp ? 0x68u : 0x20u)) | (w[7] >> 9 & 1u) << 2;
    cpu_set_xpsr(c, w[7]);
    c->ipsr = w[7] & 0x1FFu;
    c->it_before = c->it;
    return true;
}

void exc_return(struct board *b, uint32_t er)
{
    struct cpu *c = &b->cpu;
    struct system *s = &b->st.sys;
    unsigned n = c->ipsr;

    if (!return_is_legal(b, er)) {
        deactivate(b, n);
        c->r[14] = 0xF0000000u | er;
        sys_update(b);
        return_fails(b, CFSR_INVPC);
        return;
    }
    c->cycles += CYCLES_RETURN;
    deactivate(b, n);
    cpu_select_sp(c, (er & 15u) == 13);
    if (!pop_frame(b, er)) {
        sys_update(b);
        return;
    }
    bool to_thread = (er & 15u) != 1;
    if (to_thread != (c->ipsr == 0)) {
        return_fails(b, CFSR_INVPC);
    } else if (to_thread && (s->scr & 2u) && s->active == 0) {
        sleep_begins(b, SLEEP_ON_EXIT);
    }
    c->ex_valid = false;
    c->event = true;
    sys_update(b);
    watch_exception(b, n, false);
}

/* ---- what the core tells ---- */

/* PreserveFPState and ExecuteFPCheck (B1.5.7, B3.2). Faults the instruction or makes it go on. */
static void fp_event(struct board *b)
{
    struct cpu *c = &b->cpu;
    uint32_t cp = b->st.sys.cpacr >> 20 & 3u;
    if (cp == 0 || cp == 2 || (cp == 1 && c->user))
        cpu_fault(c, CFSR_NOCP, 0);
    if (c->fpccr & FPCCR_LSPACT) {
        uint32_t err = push_fp(b, c->fpcar);
        if (err)
            cpu_fault(c, err & 0xFFu ? CFSR_MLSPERR : CFSR_LSPERR, 0);
        c->fpccr &= ~FPCCR_LSPACT;
        c->cycles += CYCLES_FP_FRAME;
    }
    if ((c->fpccr & FPCCR_ASPEN) && !(c->control & 4u)) {
        c->fpscr = (c->fpscr & ~0x07C00000u) | (c->fpdscr & 0x07C00000u);
        c->control |= 4u;
    }
    sys_update(b);
}

static void svc(struct board *b)
{
    struct cpu *c = &b->cpu;
    struct system *s = &b->st.sys;
    uint32_t ret = c->r[15] - 2u;
    int prio = exc_running_priority(b);
    c->it_before = c->it;
    c->next = ret;
    if (group_priority(s, s->prio[EXC_SVC]) < prio) {
        take(b, EXC_SVC, ret);
    } else if (prio > -1) {
        s->hfsr |= 1u << 30;
        take(b, EXC_HARD, ret);
    } else {
        lock_up(b);
    }
}

static void fall_asleep(struct board *b, unsigned how)
{
    if (how == SLEEP_WFI && exc_would_preempt(b, true))
        return;
    sleep_begins(b, how);
    attention(b);
}

void exc_core_event(struct board *b, unsigned kind)
{
    struct system *s = &b->st.sys;
    switch (kind) {
    case CPU_EV_SVC:
        b->cpu.spinning = false;
        svc(b);
        break;
    case CPU_EV_BKPT: /* without a debugger it escalates: HFSR.DEBUGEVT */
        s->hfsr |= 1u << 31;
        cpu_fault(&b->cpu, 0, 0);
    case CPU_EV_WFI:
        fall_asleep(b, SLEEP_WFI);
        break;
    case CPU_EV_WFE:
        fall_asleep(b, SLEEP_WFE);
        break;
    case CPU_EV_FP:
        fp_event(b);
        break;
    default:
        attention(b);
        break;
    }
}
