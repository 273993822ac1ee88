/*
 * Firmware that waits for what is not modelled. Three kinds are told apart from firmware that works:
 *
 *  - it reads one register a hundred thousand times in a second (poll_is_wait());
 *  - it is asleep for good, and the interrupt is enabled (board.c);
 *  - it has a tick, so it is never asleep for good. Then it waits if it has *asked* something that is
 *    not modelled (a task that starts it and its interrupt enabled, or an event register of it read
 *    again and again) and for QUIET seconds has done nothing else: see quiet_for().
 *
 * Nothing else: no byte on a UART in either direction, no transfer on QSPI, SPI or TWI, no flash operation,
 * no pin changed by thread code, no reset; and each second of it was spent asleep for three quarters, or
 * the thread went round in a loop whose registers take the same few values (a wait for a flag in RAM; what
 * computes or counts has ever new ones), or nearly all of it read that event register.
 */
#include <stdio.h>
#include <string.h>

#include "board/board_priv.h"

enum { MS = BOARD_CYCLES_PER_S / 1000, RATE = 100000 /* reads in a second that are a wait */, ASKED_OFTEN = 10,
    READS_OF_A_LOOP = 1000 /* in a second, of an event register */, SAMPLES_MIN = 50 };
static const uint64_t SECOND = BOARD_CYCLES_PER_S, QUIET = 10ull * BOARD_CYCLES_PER_S, SAMPLE = 5ull * MS / 2;

/*
 * What firmware asks and cannot go on without. The rest is busy in the background of firmware that works without
 * its answers (PWM, I2S), or waits for the world outside (NFCT, COMP, QDEC).
 */
static const struct asked {
    uint32_t base;
    int irq;
    uint64_t no_start; /* tasks that stop something or start nothing: bit n is offset 4n */
} asked[] = {
    { 0x40001000, 1, 1u << 3 | 1u << 4 | 1u << 6 | 1u << 8 | 1u << 10 | 1u << 12 }, /* RADIO: STOP, DISABLE, ..STOP */
    { 0x4000F000, 15, 1u << 2 }, /* AAR and CCM */
    { 0x5002A000, 42, 0 }, /* CryptoCell: its switch, */
    { 0x5002B000, 42, 0 }, /* and its engines */
};
enum { ASKED = sizeof asked / sizeof asked[0], CRYPTOCELL = 0x5002A000, ENGINES = 0x5002B000, RADIO = 0x40001000 };

/* ---- reads at a rate that is a wait by itself ---- */

/*
 * Several registers may take turns in one loop, so the last few are followed; a second without such a
 * rate starts the count anew (a value that is looked at now and then is no wait).
 */
static bool poll_is_wait(const struct board *b, const struct poll *p)
{
    return p->count >= RATE && now(b) - p->since >= SECOND;
}

static void note_polling(struct board *b, uint32_t addr)
{
    struct poll *p = b->st.wait.poll, *oldest = p;
    unsigned i = 0;
    for (; i < POLLS && p[i].addr != addr; i++)
        oldest = p[i].since < oldest->since ? &p[i] : oldest;
    p = i < POLLS ? &p[i] : oldest;
    bool stale = now(b) - p->since >= 2 * SECOND || (now(b) - p->since >= SECOND && p->count < RATE);
    if (i == POLLS || stale)
        *p = (struct poll){ addr, 0, now(b) };
    p->count++;
    if (poll_is_wait(b, p))
        attention(b);
}

static const struct poll *polled_at_a_rate(const struct board *b)
{
    for (unsigned i = 0; i < POLLS; i++) {
        const struct poll *p = &b->st.wait.poll[i];
        if (p->count && now(b) - p->since < 2 * SECOND && poll_is_wait(b, p))
            return p;
    }
    return NULL;
}

/* ---- what was asked ---- */

static const struct asked *asked_at(uint32_t addr)
{
    for (unsigned i = 0; i < ASKED; i++) {
        if (asked[i].base == (addr & ~0xFFFu))
            return &asked[i];
    }
    return NULL;
}

static bool tells_progress(uint32_t addr)
{
    uint32_t off = addr & 0xFFFu;
    if ((addr & ~0xFFFu) == ENGINES)
        return true;
    return (off >= 0x100 && off < 0x200) || ((addr & ~0xFFFu) == RADIO && off == 0x550);
}

void wait_note_read(struct board *b, uint32_t addr)
{
    struct wait_state *w = &b->st.wait;
    struct event_reads *r = w->reads, *oldest = r;
    unsigned i = 0;
    note_polling(b, addr);
    if (!asked_at(addr) || !tells_progress(addr))
        return;
    w->window_reads++;
    for (; i < EVENT_READS && r[i].addr != addr; i++)
        oldest = r[i].last < oldest->last ? &r[i] : oldest;
    r = i < EVENT_READS ? &r[i] : oldest;
    if (i == EVENT_READS || r->first < w->quiet_since)
        *r = (struct event_reads){ .addr = addr, .first = now(b) };
    r->last = now(b);
    if (++r->count == ASKED_OFTEN)
        attention(b);
}

void wait_note_write(struct board *b, uint32_t addr, uint32_t val)
{
    struct wait_state *w = &b->st.wait;
    const struct asked *a = asked_at(addr);
    uint32_t off = addr & 0xFFFu;
    if (!a)
        return;
    bool power = off == 0xFFC || off == 0x500;
    bool starts = a->base == ENGINES ? off < 0xA00 || off >= 0xA10
                                     : a->base != CRYPTOCELL && off < 0x100 && val && !(a->no_start >> off / 4 & 1u);
    if (a->base != ENGINES && power && !(val & 1u)) { /* switched off: it is not waited for any more */
        w->started &= ~(1ull << a->irq);
    } else if (starts && !(w->started >> a->irq & 1u)) {
        w->started |= 1ull << a->irq;
        w->started_at[a->irq] = now(b);
        w->started_by[a->irq] = addr;
        attention(b);
    }
}

/* ---- nothing else ---- */

void wait_activity(struct board *b)
{
    b->st.wait.quiet_since = now(b);
}

void wait_reset(struct board *b)
{
    memset(&b->st.wait, 0, sizeof b->st.wait);
    b->st.wait.quiet_since = b->st.wait.reset_at = now(b);
}

void wait_rested(struct board *b, uint64_t since)
{
    b->st.wait.rested_at = since;
    b->st.wait.woke_at = now(b);
}

static uint64_t asleep(const struct board *b)
{
    const struct system *s = &b->st.sys;
    return s->sleep_cycles + b->st.wait.skipped + (s->sleeping ? now(b) - s->slept_at : 0);
}

static void window_begins(struct board *b)
{
    struct wait_state *w = &b->st.wait;
    w->window_at = now(b);
    w->window_slept = asleep(b);
    w->window_reads = w->samples = w->values = 0;
}

static void window_ends(struct board *b)
{
    struct wait_state *w = &b->st.wait;
    uint64_t took = now(b) - w->window_at, slept = asleep(b) - w->window_slept;
    bool loops = w->samples >= SAMPLES_MIN && w->values <= w->samples / 2 && w->values < LOOP_VALUES;
    if (slept < took / 4 * 3 && !loops && w->window_reads < READS_OF_A_LOOP)
        wait_activity(b);
    window_begins(b);
}

/* The thread's registers, as one number; a loop that waits comes by with the same few. */
static void take_sample(struct board *b)
{
    struct wait_state *w = &b->st.wait;
    uint64_t h = b->cpu.next ^ (uint64_t)cpu_apsr(&b->cpu) << 32;
    unsigned i = 0;
    for (unsigned k = 0; k < 15; k++)
        h = (h ^ b->cpu.r[k]) * 0x9E3779B97F4A7C15ull;
    w->samples++;
    while (i < w->values && w->value[i] != h)
        i++;
    if (i == w->values && i < LOOP_VALUES)
        w->value[w->values++] = h;
}

static const struct event_reads *read_often(const struct board *b)
{
    for (unsigned i = 0; i < EVENT_READS; i++) {
        const struct event_reads *r = &b->st.wait.reads[i];
        if (r->count >= ASKED_OFTEN && r->first >= b->st.wait.quiet_since && now(b) - r->last < 2 * SECOND)
            return r;
    }
    return NULL;
}

/* Peripherals that were started and whose interrupt is enabled, a bit for each interrupt. */
static uint64_t awaited(const struct board *b)
{
    return b->st.wait.started & b->st.sys.enabled >> EXC_IRQ0;
}

/*
 * For how long it has done nothing but wait, counted to the moment when it fell asleep again (asleep, or awake
 * for less than a second): what a wake-up is for is known only then.
 */
static uint64_t quiet_for(const struct board *b, uint64_t asked_since)
{
    const struct wait_state *w = &b->st.wait;
    uint64_t from = w->quiet_since > asked_since ? w->quiet_since : asked_since;
    uint64_t to = b->st.sys.sleeping ? b->st.sys.slept_at : now(b) - w->woke_at < SECOND ? w->rested_at : now(b);
    return to > from ? to - from : 0;
}

static const char *explain(struct board *b, uint64_t at_least)
{
    const struct wait_state *w = &b->st.wait;
    const struct event_reads *r = read_often(b);
    for (uint64_t m = awaited(b); m; m &= m - 1) {
        unsigned irq = (unsigned)__builtin_ctzll(m);
        uint64_t quiet = quiet_for(b, w->started_at[irq]);
        if (quiet < at_least)
            continue;
        snprintf(b->why, sizeof b->why, "The firmware waits for an interrupt of %s, which is not modelled: it started it at "
            "%.3f s (0x%08x written) and did nothing else in the last %.1f s but handle ticks.",
            periph_name_at(w->started_by[irq]), (double)w->started_at[irq] / BOARD_CYCLES_PER_S, w->started_by[irq],
            (double)quiet / BOARD_CYCLES_PER_S);
        return b->why;
    }
    if (!r || quiet_for(b, r->first) < at_least)
        return NULL;
    snprintf(b->why, sizeof b->why, "The firmware waits for %s+0x%03x (0x%08x), which is not modelled: it read it %u times "
        "and did nothing else in the last %.1f s.", periph_name_at(r->addr), r->addr & 0xFFFu, r->addr, r->count,
        (double)quiet_for(b, r->first) / BOARD_CYCLES_PER_S);
    return b->why;
}

/* ---- what the loop of board.c asks ---- */

uint64_t wait_look(struct board *b)
{
    struct wait_state *w = &b->st.wait;
    if (!awaited(b) && !read_often(b)) {
        w->window_at = 0;
        return NEVER;
    }
    if (!w->window_at) {
        window_begins(b);
        w->sample_at = now(b) + SAMPLE;
    }
    if (now(b) >= w->sample_at) {
        if (!b->cpu.ipsr && !b->st.sys.sleeping)
            take_sample(b);
        if (now(b) - w->window_at >= SECOND)
            window_ends(b);
        w->sample_at = now(b) + SAMPLE;
    }
    return w->sample_at;
}

bool wait_is_over(struct board *b)
{
    const struct poll *p = polled_at_a_rate(b);
    if (p) {
        snprintf(b->why, sizeof b->why, "The firmware waits at 0x%08x for %s (0x%08x), which is not modelled.", b->cpu.next,
            periph_name_at(p->addr), p->addr);
        return true;
    }
    return b->st.wait.window_at && !b->input_expected && explain(b, QUIET);
}

bool board_waits(struct board *b)
{
    uint64_t ran = now(b) - b->st.wait.reset_at;
    return explain(b, ran / 2 > SECOND ? ran / 2 : SECOND) != NULL;
}

void board_expect_input(struct board *b, bool expected)
{
    b->input_expected = expected;
}
