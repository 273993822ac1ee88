/* The private peripheral bus: SCB, NVIC, FPU control, DWT, and the registers of MRS and MSR. */
#include "board/board_priv.h"

#define BIT(n) (1ull << (n))

#define DWT_BASE 0xE0001000u
#define SCS_BASE 0xE000E000u
enum { PRIO_MASK = 0xE0 };

/* ---- NVIC: five banks of bits and the priorities ---- */

static uint32_t bank_word(uint64_t bits, unsigned word)
{
    return word < 2 ? (uint32_t)(bits >> EXC_IRQ0 >> (32 * word)) : 0;
}

static uint64_t bank_bits(uint32_t val, unsigned word)
{
    if (word >= 2)
        return 0;
    uint64_t m = ((uint64_t)val << (32 * word)) & ((1ull << SYS_IRQS) - 1u);
    return m << EXC_IRQ0;
}

static uint32_t nvic_read(const struct board *b, uint32_t off)
{
    const struct system *s = &b->st.sys;
    unsigned word = off / 4 & 31u;
    switch (off & 0xF80u) {
    case 0x100: case 0x180: return bank_word(s->enabled & ~0xFFFFull, word);
    case 0x200: case 0x280: return bank_word(s->pending & ~0xFFFFull, word);
    case 0x300: return bank_word(s->active & ~0xFFFFull, word);
    default: break;
    }
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned n = off - 0x400u + i;
        v |= n < SYS_IRQS ? (uint32_t)s->prio[EXC_IRQ0 + n] << (8 * i) : 0;
    }
    return v;
}

static void prio_write(struct board *b, unsigned first, uint32_t val, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        if (first + i < SYS_EXCEPTIONS && first + i >= EXC_MEM)
            b->st.sys.prio[first + i] = (uint8_t)(val >> (8 * i) & PRIO_MASK);
    }
}

static void nvic_write(struct board *b, uint32_t off, unsigned size, uint32_t val)
{
    struct system *s = &b->st.sys;
    unsigned word = off / 4 & 31u;
    uint64_t bits = bank_bits(val, word);
    switch (off & 0xF80u) {
    case 0x100: s->enabled |= bits; break;
    case 0x180: s->enabled &= ~bits; break;
    case 0x200:
        for (; bits; bits &= bits - 1)
            exc_pend(b, (unsigned)__builtin_ctzll(bits));
        break;
    case 0x280: s->pending &= ~bits | s->line; break;
    case 0x300: break;
    default:
        prio_write(b, EXC_IRQ0 + off - 0x400u, val, size);
        break;
    }
    attention(b);
}

/* ---- SCB ---- */

static uint32_t icsr_read(const struct board *b)
{
    const struct system *s = &b->st.sys;
    uint32_t v = b->cpu.ipsr;
    uint64_t p = s->pending & s->enabled;
    unsigned best = 0;
    int best_prio = 256;
    for (uint64_t x = p; x; x &= x - 1) {
        unsigned n = (unsigned)__builtin_ctzll(x);
        int prio = n <= EXC_HARD ? (int)n - 4 : s->prio[n];
        if (prio < best_prio) {
            best = n;
            best_prio = prio;
        }
    }
    v |= best << 12;
    v |= (s->pending & ~0xFFFFull) ? 1u << 22 : 0;
    v |= (s->active & ~BIT(b->cpu.ipsr)) == 0 ? 1u << 11 : 0;
    v |= s->pending & BIT(EXC_SYSTICK) ? 1u << 26 : 0;
    v |= s->pending & BIT(EXC_PENDSV) ? 1u << 28 : 0;
    v |= s->pending & BIT(EXC_NMI) ? 1u << 31 : 0;
    return v;
}

static void icsr_write(struct board *b, uint32_t v)
{
    struct system *s = &b->st.sys;
    if (v & 1u << 25)
        s->pending &= ~BIT(EXC_SYSTICK);
    if (v & 1u << 27)
        s->pending &= ~BIT(EXC_PENDSV);
    if (v & 1u << 26)
        exc_pend(b, EXC_SYSTICK);
    if (v & 1u << 28)
        exc_pend(b, EXC_PENDSV);
    if (v & 1u << 31)
        exc_pend(b, EXC_NMI);
}

/* SHCSR's bit of active or pending for each exception that has one. */
static const struct { uint8_t bit, exc; bool pending; } shcsr_bits[] = {
    { 0, EXC_MEM, false }, { 1, EXC_BUS, false }, { 3, EXC_USAGE, false }, { 7, EXC_SVC, false },
    { 8, EXC_DEBUG, false }, { 10, EXC_PENDSV, false }, { 11, EXC_SYSTICK, false },
    { 12, EXC_USAGE, true }, { 13, EXC_MEM, true }, { 14, EXC_BUS, true }, { 15, EXC_SVC, true },
};

static uint32_t shcsr_read(const struct system *s)
{
    uint32_t v = s->shcsr;
    for (unsigned i = 0; i < sizeof shcsr_bits / sizeof shcsr_bits[0]; i++) {
        uint64_t where = shcsr_bits[i].pending ? s->pending : s->active;
        v |= where & BIT(shcsr_bits[i].exc) ? 1u << shcsr_bits[i].bit : 0;
    }
    return v;
}

static void shcsr_write(struct system *s, uint32_t v)
{
    s->shcsr = v & 0x70000u;
    s->enabled = (s->enabled & ~0x70ull) | (v >> 16 & 7u) << EXC_MEM;
    for (unsigned i = 0; i < sizeof shcsr_bits / sizeof shcsr_bits[0]; i++) {
        uint64_t *where = shcsr_bits[i].pending ? &s->pending : &s->active, bit = BIT(shcsr_bits[i].exc);
        *where = v >> shcsr_bits[i].bit & 1u ? *where | bit : *where & ~bit;
    }
}

static bool scb_read(struct board *b, uint32_t off, uint32_t *v)
{
    struct system *s = &b->st.sys;
    if (off >= 0xD90 && off <= 0xDB8) {
        *v = mpu_read(b, off - 0xD00);
        return true;
    }
    switch (off) {
    case 0x004: *v = 1; return true; /* ICTR: 33 to 64 lines */
    case 0x008: *v = 0; return true; /* ACTLR */
    case 0xD00: *v = 0x410FC241; return true;
    case 0xD04: *v = icsr_read(b); return true;
    case 0xD08: *v = s->vtor; return true;
    case 0xD0C: *v = 0xFA050000u | s->prigroup << 8; return true;
    case 0xD10: *v = s->scr; return true;
    case 0xD14: *v = s->ccr; return true;
    case 0xD18: case 0xD1C: case 0xD20:
        *v = 0;
        for (unsigned i = 0; i < 4; i++)
            *v |= (uint32_t)s->prio[off - 0xD14 + i] << (8 * i);
        return true;
    case 0xD24: *v = shcsr_read(s); return true;
    case 0xD28: *v = s->cfsr; return true;
    case 0xD2C: *v = s->hfsr; return true;
    case 0xD30: *v = 0; return true; /* DFSR */
    case 0xD34: *v = s->mmfar; return true;
    case 0xD38: *v = s->bfar; return true;
    case 0xD3C: *v = 0; return true; /* AFSR */
    case 0xD40: *v = 0x30; return true; /* ID_PFR0 */
    case 0xD44: *v = 0x200; return true;
    case 0xD48: *v = 0x100000; return true;
    case 0xD50: *v = 0x00100030; return true; /* ID_MMFR0 */
    case 0xD58: *v = 0x01000000; return true;
    case 0xD60: *v = 0x01101110; return true; /* ID_ISAR0 */
    case 0xD64: *v = 0x02112000; return true;
    case 0xD68: *v = 0x21232231; return true;
    case 0xD6C: *v = 0x01111131; return true;
    case 0xD70: *v = 0x01310132; return true;
    case 0xD88: *v = s->cpacr; return true;
    case 0xDF0: *v = 0; return true; /* DHCSR: no debugger */
    case 0xDFC: *v = s->demcr; return true;
    case 0xF34: *v = b->cpu.fpccr; return true;
    case 0xF38: *v = b->cpu.fpcar; return true;
    case 0xF3C: *v = b->cpu.fpdscr; return true;
    case 0xF40: *v = 0x10110021; return true; /* MVFR0 */
    case 0xF44: *v = 0x11000011; return true;
    default: return false;
    }
}

static bool scb_write(struct board *b, uint32_t off, unsigned size, uint32_t v)
{
    struct system *s = &b->st.sys;
    if (off >= 0xD90 && off <= 0xDB8) {
        mpu_write(b, off - 0xD00, v);
        return true;
    }
    switch (off) {
    case 0x008: break;
    case 0xD04: icsr_write(b, v); break;
    case 0xD08: s->vtor = v & 0x3FFFFF80u; break;
    case 0xD0C:
        if (v >> 16 != 0x5FA)
            break;
        s->prigroup = v >> 8 & 7u;
        if (v & 5u) { /* SYSRESETREQ; VECTRESET is taken for the same */
            b->st.reset_pending = true;
            b->st.reset_wanted = RESET_SREQ;
        }
        break;
    case 0xD10: s->scr = v & 0x16u; break;
    case 0xD14: s->ccr = v & 0x31Bu; break;
    case 0xD24: shcsr_write(s, v); break;
    case 0xD28: case 0xD29: case 0xD2A: case 0xD2B: s->cfsr &= ~(v << (8 * (off & 3u))); break;
    case 0xD2C: s->hfsr &= ~v; break;
    case 0xD30: case 0xD3C: case 0xDF0: break;
    case 0xD34: s->mmfar = v; break;
    case 0xD38: s->bfar = v; break;
    case 0xD88: s->cpacr = v & 0x00F00000u; break;
    case 0xDFC: s->demcr = v & 0x010F07F1u; break;
    case 0xF00: exc_pend(b, EXC_IRQ0 + (v & 0x1FFu) % SYS_IRQS); break; /* STIR */
    case 0xF34: b->cpu.fpccr = v & 0xC000017Bu; break;
    case 0xF38: b->cpu.fpcar = v & ~7u; break;
    case 0xF3C: b->cpu.fpdscr = v & 0x07C00000u; break;
    default:
        if (off < 0xD18 || off > 0xD23)
            return false;
        prio_write(b, off - 0xD14, v, size);
        break;
    }
    sys_update(b);
    return true;
}

/* ---- DWT ---- */

static bool dwt_counts(const struct system *s)
{
    return (s->demcr & 1u << 24) && (s->dwt_ctrl & 1u);
}

/* Cycles in which the core's clock ran: CYCCNT stops in sleep. */
static uint32_t awake(const struct board *b)
{
    return (uint32_t)(now(b) - b->st.sys.sleep_cycles);
}

static bool dwt_read(const struct board *b, uint32_t off, uint32_t *v)
{
    const struct system *s = &b->st.sys;
    if (off == 0)
        *v = 0x40000000u | s->dwt_ctrl;
    else if (off == 4)
        *v = dwt_counts(s) ? awake(b) - s->dwt_base : s->dwt_base;
    else
        return false;
    return true;
}

static bool dwt_write(struct board *b, uint32_t off, uint32_t v)
{
    struct system *s = &b->st.sys;
    uint32_t count = 0;
    (void)dwt_read(b, 4, &count);
    if (off == 0)
        s->dwt_ctrl = v & 1u;
    else if (off == 4)
        count = v;
    else
        return false;
    s->dwt_base = dwt_counts(s) ? awake(b) - count : count;
    return true;
}

/* DEMCR.TRCENA starts and stops CYCCNT too. */
static bool demcr_write(struct board *b, uint32_t v)
{
    uint32_t count = 0;
    (void)dwt_read(b, 4, &count);
    (void)scb_write(b, 0xDFC, 4, v);
    b->st.sys.dwt_base = dwt_counts(&b->st.sys) ? awake(b) - count : count;
    return true;
}

/* ---- the bus side ---- */

static bool word_read(struct board *b, uint32_t addr, uint32_t *v)
{
    uint32_t off = addr - SCS_BASE;
    if (addr - DWT_BASE < 0x1000)
        return dwt_read(b, addr - DWT_BASE, v);
    if (off >= 0x1000)
        return false;
    if (off >= 0x10 && off <= 0x1C)
        *v = systick_read(b, off);
    else if (off >= 0x100 && off < 0x4F0)
        *v = nvic_read(b, off);
    else
        return scb_read(b, off, v);
    return true;
}

bool scs_read(struct board *b, uint32_t addr, unsigned size, uint32_t *val)
{
    uint32_t v = 0;
    bool ok = word_read(b, addr & ~3u, &v);
    if (!ok)
        unmodelled_touch(b, "PPB", addr, addr & 0xFFFFFu, false);
    v >>= 8 * (addr & 3u);
    *val = size == 4 ? v : v & ((1u << (8 * size)) - 1u);
    return true;
}

bool scs_write(struct board *b, uint32_t addr, unsigned size, uint32_t val)
{
    uint32_t off = addr - SCS_BASE;
    bool ok;
    if (addr - DWT_BASE < 0x1000)
        ok = dwt_write(b, addr - DWT_BASE, val);
    else if (off >= 0x1000)
        ok = false;
    else if (off >= 0x10 && off <= 0x1C) {
        systick_write(b, off, val);
        ok = true;
    } else if (off >= 0x100 && off < 0x4F0) {
        nvic_write(b, off, size, val);
        ok = true;
    } else if (off == 0xDFC)
        ok = demcr_write(b, val);
    else
        ok = scb_write(b, off, size, val);
    if (!ok)
        unmodelled_touch(b, "PPB", addr, addr & 0xFFFFFu, true);
    return true;
}

/* ---- MRS, MSR: SYSm (B5.1.1) ---- */

uint32_t sysreg_read(struct board *b, unsigned sysm)
{
    const struct cpu *c = &b->cpu;
    uint32_t v = 0;
    if (sysm < 8) {
        if (sysm & 1u && !c->user)
            v |= c->ipsr;
        if (!(sysm & 4u))
            v |= cpu_apsr(c);
        return v;
    }
    if (sysm == 20)
        return c->control;
    if (c->user)
        return 0;
    switch (sysm) {
    case 8: return cpu_msp(c);
    case 9: return cpu_psp(c);
    case 16: return c->primask;
    case 17: case 18: return c->basepri;
    case 19: return c->faultmask;
    default: return 0;
    }
}

static void control_write(struct board *b, uint32_t val)
{
    struct cpu *c = &b->cpu;
    c->control = (c->control & ~5u) | (val & 5u);
    if (c->ipsr == 0)
        cpu_select_sp(c, val & 2u);
}

void sysreg_write(struct board *b, unsigned sysm, uint32_t val)
{
    struct cpu *c = &b->cpu;
    if (c->user || sysm < 8)
        return;
    uint32_t pri = val & PRIO_MASK;
    switch (sysm) {
    case 8: cpu_set_msp(c, val); break;
    case 9: cpu_set_psp(c, val); break;
    case 16: c->primask = val & 1u; break;
    case 17: c->basepri = pri; break;
    case 18:
        if (pri && (pri < c->basepri || !c->basepri))
            c->basepri = pri;
        break;
    case 19:
        if (!(val & 1u) || exc_running_priority(b) > -1)
            c->faultmask = val & 1u;
        break;
    case 20: control_write(b, val); break;
    default: break;
    }
    sys_update(b);
}
