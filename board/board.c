/* One board: creation, contents, running it, stops, snapshots. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/board_priv.h"

enum { LOOK_UP = BOARD_CYCLES_PER_S / 10 };

/* ---- creation ---- */

static void ficr_fill(uint8_t *ficr)
{
    static const struct { uint16_t off; uint32_t val; } cells[] = {
        { 0x010, 0x1000 }, { 0x014, 0x100 }, { 0x060, 0x5115A0DE }, { 0x064, 0x84052840 }, { 0x0A0, 1 },
        { 0x0A4, 0x5115A0DE }, { 0x0A8, 0xFFFFC052 }, { 0x100, 0x52840 }, { 0x104, 0x41414430 }, { 0x108, 0x2004 },
        { 0x10C, 0x100 }, { 0x110, 0x400 }, { 0x130, 8 }, { 0x134, 3 }, { 0x350, 0xBB42319F }, { 0x354, 0xBB42319F },
        { 0x358, 0xBB42319F }, { 0x404, 0x320 }, { 0x408, 0x343 }, { 0x40C, 0x35D }, { 0x410, 0x400 },
        { 0x414, 0x452 }, { 0x418, 0x37B }, { 0x41C, 0x3FCC }, { 0x420, 0x3F98 }, { 0x424, 0x3F98 },
        { 0x428, 0x12 }, { 0x42C, 0x4D }, { 0x430, 0x3E10 }, { 0x434, 0xE2 }, { 0x438, 0x0 }, { 0x43C, 0x14 },
        { 0x440, 0x19 }, { 0x444, 0x50 }, { 0xC00, 0x210 }, { 0xC04, 0xC }, { 0xC08, 0x1E5 }, { 0xC0C, 0x210 },
        { 0xC10, 0x5F }, { 0xC14, 0xC8 }, { 0xC18, 0x190 }, { 0xC1C, 0x320 },
    };
    memset(ficr, 0xFF, 0x1000);
    for (unsigned i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        for (unsigned k = 0; k < 4; k++)
            ficr[cells[i].off + k] = (uint8_t)(cells[i].val >> (8 * k));
    }
    for (unsigned i = 0; i < 32; i++) /* ER, IR: any constant */
        ficr[0x080 + i] = (uint8_t)(0x5A ^ (i * 37));
}

static bool nor_new(struct nor *n, const struct nor_part *part)
{
    n->part = part;
    if (!part)
        return true;
    n->mem = malloc(part->size);
    if (n->mem)
        memset(n->mem, 0xFF, part->size);
    return n->mem != NULL;
}

struct board *board_new(const struct board_config *config)
{
    struct board *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    static const uint8_t dk[6] = { 19, 17, 20, 21, 22, 23 }, none[6] = { 0 };
    b->config = *config;
    b->config.vbus = config->vbus || config->usb_host;
    if (memcmp(config->qspi_pins, none, sizeof none) == 0)
        memcpy(b->config.qspi_pins, dk, sizeof dk);
    b->flash = malloc(BOARD_FLASH_SIZE);
    b->ram = calloc(1, BOARD_RAM_SIZE);
    b->uicr = malloc(BOARD_UICR_SIZE);
    b->ficr = malloc(0x1000);
    b->map = periph_map_new();
    if (!b->flash || !b->ram || !b->uicr || !b->ficr || !b->map || !nor_new(&b->st.nor[0], config->qspi)
        || !nor_new(&b->st.nor[1], config->spi)) {
        board_free(b);
        return NULL;
    }
    memset(b->flash, 0xFF, BOARD_FLASH_SIZE);
    memset(b->uicr, 0xFF, BOARD_UICR_SIZE);
    ficr_fill(b->ficr);
    b->st.rng = 0x5115A0DE00000000ull ^ config->seed;
    b->st.next_event = NEVER;
    bus_connect(b);
    periph_build(b);
    return b;
}

void board_free(struct board *b)
{
    if (!b)
        return;
    cpu_code_forget(&b->cpu);
    periph_map_free(b->map);
    free(b->flash);
    free(b->ram);
    free(b->uicr);
    free(b->ficr);
    free(b->st.nor[0].mem);
    free(b->st.nor[1].mem);
    free(b);
}

/* ---- contents ---- */

uint8_t *board_flash(struct board *b) { return b->flash; }
uint8_t *board_uicr(struct board *b) { return b->uicr; }
uint8_t *board_ram(struct board *b) { return b->ram; }

static struct nor *external(struct board *b)
{
    return b->st.nor[0].part ? &b->st.nor[0] : &b->st.nor[1];
}

uint8_t *board_external(struct board *b, size_t *size)
{
    const struct nor *n = external(b);
    *size = n->part ? n->part->size : 0;
    return n->mem;
}

void board_external_fault(struct board *b, enum board_chip_fault fault, uint64_t n)
{
    external(b)->fault = fault;
    external(b)->fault_from = n;
    if (fault == CHIP_GOOD && external(b)->busy_until == NEVER)
        external(b)->busy_until = now(b);
}

uint64_t board_external_ops(const struct board *b)
{
    return b->st.nor[0].part ? b->st.nor[0].ops : b->st.nor[1].ops;
}

void board_contents_changed(struct board *b)
{
    cpu_code_forget(&b->cpu);
}

/* ---- notes ---- */

void board_note(struct board *b, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    if (!b->note_fn)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    b->note_fn(b->note_ctx, text);
}

static void why(struct board *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void why(struct board *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(b->why, sizeof b->why, fmt, ap);
    va_end(ap);
}

void unmodelled_touch(struct board *b, const char *what, uint32_t addr, uint32_t off, bool write)
{
    if (!write)
        wait_note_read(b, addr);
    for (unsigned i = 0; i < b->unmodelled_count; i++) {
        if (b->unmodelled[i].addr == addr)
            return;
    }
    if (b->unmodelled_count == UNMODELLED_MAX)
        return;
    struct unmodelled *u = &b->unmodelled[b->unmodelled_count++];
    u->addr = addr;
    snprintf(u->text, sizeof u->text, "%s+0x%03x (0x%08x)", what, off, addr);
    board_note(b, "not modelled: %s, %s at pc 0x%08x", u->text, write ? "written" : "read", b->cpu.r[15] - 4u);
}

const char *board_unmodelled(const struct board *b, unsigned i)
{
    return i < b->unmodelled_count ? b->unmodelled[i].text : NULL;
}

/* ---- power and reset ---- */

void board_power_on(struct board *b)
{
    for (uint32_t i = 0; i < BOARD_RAM_SIZE; i += 8) {
        uint64_t r = board_random(b);
        memcpy(b->ram + i, &r, 8);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (b->st.nor[i].part)
            nor_power_on(&b->st.nor[i]);
    }
    b->st.cut = false;
    board_reset(b, 0);
}

void board_reset_pin(struct board *b)
{
    board_reset(b, RESET_PIN);
}

/* ---- running ---- */

static bool stop_for_debugger(void *ctx, uint32_t pc)
{
    struct board *b = ctx;
    return b->watch.insn && b->watch.insn(b->watch_ctx, pc);
}

static bool hash_insn(void *ctx, uint32_t pc)
{
    struct board *b = ctx;
    b->st.hash = (b->st.hash ^ pc ^ b->cpu.cycles << 20) * 0x9E3779B97F4A7C15ull;
    return b->watching && stop_for_debugger(b, pc);
}

static bool wakes(const struct board *b)
{
    const struct system *s = &b->st.sys;
    if (s->sleeping == SLEEP_WFE)
        return b->cpu.event || exc_would_preempt(b, false);
    return exc_would_preempt(b, true);
}

static void wake(struct board *b)
{
    struct system *s = &b->st.sys;
    if (s->sleeping == SLEEP_WFE)
        b->cpu.event = false;
    s->sleeping = SLEEP_NO;
    s->sleep_cycles += now(b) - s->slept_at;
    wait_rested(b, s->slept_at);
    wdt_sleep(b, false);
    power_sleep(b, false);
}

/* Name of an interrupt that is enabled and whose peripheral is not modelled, or NULL. */
static const char *waits_for(struct board *b)
{
    for (unsigned i = 0; i < b->unmodelled_count; i++) {
        for (const struct periph_entry *e = periph_table; e->name; e++) {
            bool here = (b->unmodelled[i].addr & ~0xFFFu) == e->base
                || (e->base == 0x5002A000 && (b->unmodelled[i].addr & ~0xFFFu) == 0x5002B000);
            if (!e->type && e->irq >= 0 && here && (b->st.sys.enabled >> (EXC_IRQ0 + e->irq) & 1u))
                return b->unmodelled[i].text;
        }
    }
    return NULL;
}

/* Nothing will ever happen by itself any more: what kind of end is that? */
static enum board_stop nothing_comes(struct board *b, bool spins)
{
    const char *name = waits_for(b);
    if (name && !b->input_expected) {
        why(b, "The firmware waits for an interrupt of %s, which is not modelled.", name);
        return BOARD_WAITS_UNMODELLED;
    }
    if (b->st.fault_since) {
        char regs[1024];
        board_registers_text(b, regs, sizeof regs);
        why(b, "A fault was taken and its handler never ends.\n%s", regs);
        return BOARD_FAULT;
    }
    if (spins) {
        why(b, "An endless loop at 0x%08x that no interrupt can end.", b->cpu.next);
        return BOARD_SPIN;
    }
    why(b, "Asleep at 0x%08x, and nothing is running that could wake it.", b->cpu.next);
    return BOARD_IDLE;
}

/* Can any enabled exception preempt what runs now, if its peripheral raised it? */
static bool interruptible(const struct board *b)
{
    const struct system *s = &b->st.sys;
    int running = exc_running_priority(b);
    for (uint64_t e = s->enabled & ~0x7FFFull; e; e &= e - 1) {
        unsigned n = (unsigned)__builtin_ctzll(e);
        if ((int)s->prio[n] < running && (n != EXC_SYSTICK || (s->tick_ctrl & 3u) == 3))
            return true;
    }
    return false;
}

/* Interrupts are off, or a handler runs: a loop in there is no idling. */
static bool masked(const struct board *b)
{
    const struct cpu *c = &b->cpu;
    return c->ipsr || c->primask || c->faultmask || c->basepri;
}

/* Skips idle time. True if the run goes on; else *stop says how it ended. */
static bool idle(struct board *b, bool spins, enum board_stop *stop)
{
    uint64_t next = b->st.next_event;
    bool over = next == NEVER || (spins && !interruptible(b) && !wdt_running(b) && !uart_sends(b));
    if (over) {
        *stop = nothing_comes(b, spins);
        if (b->limit == NEVER || (*stop != BOARD_IDLE && (*stop != BOARD_SPIN || masked(b))))
            return false;
        b->why[0] = '\0'; /* something from outside may still come, and there is an end */
    }
    uint64_t to = next < b->limit ? next : b->limit;
    uint64_t from = now(b);
    if (to > from)
        b->cpu.cycles = to;
    if (spins) {
        b->st.wait.skipped += now(b) - from;
        wait_rested(b, from);
    }
    return true;
}

static bool handle_reset(struct board *b, enum board_stop *stop)
{
    struct board_state *st = &b->st;
    if (st->sys.locked_up) {
        char regs[1024];
        board_registers_text(b, regs, sizeof regs);
        why(b, "Lock-up: a fault while a fault was being handled.\n%s", regs);
        *stop = BOARD_LOCKUP;
        return true;
    }
    if (st->off) {
        why(b, "The firmware switched the chip off (System OFF); only a pin could wake it.");
        *stop = BOARD_OFF;
        return true;
    }
    if (st->reset_pending) {
        st->reset_pending = false;
        board_note(b, "reset: %s", st->reset_wanted & RESET_DOG ? "watchdog" : "by software");
        board_reset(b, st->reset_wanted);
    }
    return false;
}

/* One round: what is due, then instructions up to the next event. True ends the run. */
static bool one_round(struct board *b, enum board_stop *stop)
{
    struct board_state *st = &b->st;

    if (st->next_event <= now(b) || st->sys.tick_zero <= now(b))
        timers_run(b);
    if (st->cut) {
        nor_tear(b, &st->nor[0]);
        nor_tear(b, &st->nor[1]);
        why(b, "Power was cut in flash operation %llu.", (unsigned long long)st->cut_at);
        *stop = BOARD_CUT;
        return true;
    }
    if (b->cpu.fault_pending)
        exc_fault(b);
    if (handle_reset(b, stop))
        return true;
    if (b->stop_wanted || b->interrupt || now(b) >= b->limit) {
        *stop = BOARD_RUNS;
        return true;
    }
    uint64_t look = wait_look(b);
    if (wait_is_over(b)) {
        *stop = BOARD_WAITS_UNMODELLED;
        return true;
    }
    if (st->sys.sleeping && wakes(b))
        wake(b);
    if (exc_take(b))
        return false;
    if (st->sys.sleeping)
        return !idle(b, false, stop);
    b->cpu.deadline = st->next_event < b->limit ? st->next_event : b->limit;
    if (st->sys.tick_zero < b->cpu.deadline)
        b->cpu.deadline = st->sys.tick_zero;
    if (look < b->cpu.deadline)
        b->cpu.deadline = look;
    if (now(b) + LOOK_UP < b->cpu.deadline) /* now and then, for board_interrupt() */
        b->cpu.deadline = now(b) + LOOK_UP;
    if (st->hashing)
        cpu_run_traced(&b->cpu, hash_insn, b);
    else if (b->watching && b->watch.insn)
        cpu_run_traced(&b->cpu, stop_for_debugger, b);
    else
        cpu_run(&b->cpu);
    if (b->cpu.spinning && !b->cpu.fault_pending && !exc_would_preempt(b, false) && !st->cut && !b->stop_wanted
        && !st->reset_pending)
        return !idle(b, true, stop);
    return false;
}

/* A fault handler that runs for ten seconds, or the same fault a hundred thousand times: that is an end. */
static bool faults_for_ever(struct board *b)
{
    const struct board_state *st = &b->st;
    bool long_running = st->fault_since && now(b) - st->fault_since > 10ull * BOARD_CYCLES_PER_S;
    char regs[1024];
    if (!long_running && st->fault_again < 100000)
        return false;
    board_registers_text(b, regs, sizeof regs);
    why(b, long_running ? "A fault handler has been running for ten seconds.\n%s"
                        : "The same fault comes again and again.\n%s", regs);
    return true;
}

enum board_stop board_run(struct board *b, uint64_t until)
{
    enum board_stop stop = BOARD_RUNS;
    b->limit = until;
    b->stop_wanted = false;
    b->why[0] = '\0';
    b->running = true;
    while (!one_round(b, &stop)) {
        if (faults_for_ever(b)) {
            stop = BOARD_FAULT;
            break;
        }
    }
    b->running = false;
    return stop;
}

void board_stop(struct board *b)
{
    b->stop_wanted = true;
    attention(b);
}

void board_interrupt(struct board *b)
{
    b->interrupt = true;
}

uint64_t board_now(const struct board *b) { return now(b); }
bool board_sleeping(const struct board *b) { return b->st.sys.sleeping != SLEEP_NO; }
uint64_t board_insns(const struct board *b) { return b->cpu.insns; }
const char *board_why(const struct board *b) { return b->why; }

uint64_t board_next_event(const struct board *b)
{
    return b->st.next_event < b->st.sys.tick_zero ? b->st.next_event : b->st.sys.tick_zero;
}

void board_registers_text(const struct board *b, char *buf, size_t len)
{
    const struct cpu *c = &b->cpu;
    const struct board_state *st = &b->st;
    size_t n = 0;
    for (unsigned i = 0; i < 13 && n < len; i++)
        n += (size_t)snprintf(buf + n, len - n, "r%-2u 0x%08x%s", i, c->r[i], i % 4 == 3 ? "\n" : "  ");
    if (n < len)
        n += (size_t)snprintf(buf + n, len - n, "sp 0x%08x  lr 0x%08x  pc 0x%08x\nxpsr 0x%08x  msp 0x%08x  psp 0x%08x\n",
            c->r[13], c->r[14], c->next, cpu_xpsr(c), cpu_msp(c), cpu_psp(c));
    if (n < len)
        n += (size_t)snprintf(buf + n, len - n, "cfsr 0x%08x  hfsr 0x%08x  mmfar 0x%08x  bfar 0x%08x", st->sys.cfsr,
            st->sys.hfsr, st->sys.mmfar, st->sys.bfar);
    if (n < len && (st->fault_cfsr || st->fault_since)) {
        snprintf(buf + n, len - n, "\nfault taken at pc 0x%08x, cfsr 0x%08x%s", st->fault_pc, st->fault_cfsr,
            st->fault_cfsr & (CFSR_BFARVALID | CFSR_MMARVALID) ? "" : " (no address)");
        n = strlen(buf);
        if (n < len && (st->fault_cfsr & (CFSR_BFARVALID | CFSR_MMARVALID)))
            snprintf(buf + n, len - n, ", address 0x%08x", st->fault_addr);
    }
}

/* ---- the outside ---- */

void board_on_uart(struct board *b, board_uart_fn *fn, void *ctx) { b->uart_fn = fn; b->uart_ctx = ctx; }
void board_on_note(struct board *b, board_note_fn *fn, void *ctx) { b->note_fn = fn; b->note_ctx = ctx; }
void board_on_flash(struct board *b, board_flash_fn *fn, void *ctx) { b->flash_fn = fn; b->flash_ctx = ctx; }

size_t board_uart_input(struct board *b, unsigned uart, const uint8_t *data, size_t len)
{
    struct uart_queue *q = &b->st.rx[uart];
    size_t n = 0;
    while (n < len && q->count < UART_QUEUE) {
        q->data[(q->head + q->count) % UART_QUEUE] = data[n++];
        q->count++;
    }
    uart_input_came(b, uart);
    return n;
}

size_t board_uart_pending(const struct board *b, unsigned uart) { return b->st.rx[uart].count; }
bool board_uart_listens(const struct board *b, unsigned uart) { return b->st.uart_flags >> uart & 1u; }

void board_cut_at(struct board *b, uint64_t n, enum board_tear tear)
{
    b->st.cut_at = n;
    b->st.tear = tear;
}

uint64_t board_flash_ops(const struct board *b) { return b->st.flash_ops; }

void board_get_stats(const struct board *b, struct board_stats *s)
{
    *s = (struct board_stats){ b->cpu.insns, now(b), b->st.resets, b->st.chip[0], b->st.chip[1],
        b->st.overlap_cycles };
}

/* ---- observing ---- */

void board_hash_start(struct board *b)
{
    b->st.hash = 0x9E3779B97F4A7C15ull;
    b->st.hashing = true;
}

uint64_t board_hash(const struct board *b) { return b->st.hash; }

void board_on_watch(struct board *b, const struct board_watch *w, void *ctx)
{
    b->watching = w != NULL;
    b->watch = w ? *w : (struct board_watch){ 0 };
    b->watch_ctx = ctx;
    sys_update(b);
}

uint32_t board_reg(const struct board *b, unsigned n)
{
    const struct cpu *c = &b->cpu;
    if (n >= 32 && n < 64)
        return c->s[n - 32];
    switch (n) {
    case 15: return c->next;
    case 16: return cpu_xpsr(c);
    case 17: return cpu_msp(c);
    case 18: return cpu_psp(c);
    case 19: return c->primask;
    case 20: return c->basepri;
    case 21: return c->faultmask;
    case 22: return c->control;
    case 23: return c->fpscr;
    default: return n < 15 ? c->r[n] : 0;
    }
}

void board_set_reg(struct board *b, unsigned n, uint32_t v)
{
    struct cpu *c = &b->cpu;
    if (n >= 32 && n < 64) {
        c->s[n - 32] = v;
        return;
    }
    switch (n) {
    case 15: c->next = v & ~1u; break;
    case 16: cpu_set_xpsr(c, v); break;
    case 17: cpu_set_msp(c, v); break;
    case 18: cpu_set_psp(c, v); break;
    case 19: c->primask = v & 1u; break;
    case 20: c->basepri = v & 0xE0u; break;
    case 21: c->faultmask = v & 1u; break;
    case 22: sysreg_write(b, 20, v); break;
    case 23: c->fpscr = v & 0xF7C0009Fu; break;
    default:
        if (n < 15)
            c->r[n] = n == 13 ? v & ~3u : v;
        break;
    }
    sys_update(b);
}
