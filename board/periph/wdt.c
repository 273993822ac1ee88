/* The watchdog: once started it runs until a reset that resets it; a soft reset does not. */
#include "board/board_priv.h"

enum { RUNSTATUS = 0x400, REQSTATUS = 0x404, CRV = 0x504, RREN = 0x508, CONFIG = 0x50C, RR = 0x600, KEY = 0x6E524635,
    EV_TIMEOUT = 0, T_TIMEOUT = 0, T_RESET = 1 };
/* State: running; bit n: RR[n] is enabled and not yet written; ticks left while it pauses in sleep, + 1 */
enum { S_ON, S_MISSING, S_PAUSED };

static struct periph *wdt(const struct board *b)
{
    return periph_by_base((struct board *)(uintptr_t)b, 0x40010000);
}

bool wdt_running(const struct board *b)
{
    return wdt(b)->s[S_ON];
}

static void reload(struct board *b, struct periph *p)
{
    p->s[S_MISSING] = reg(p, RREN);
    uint64_t ticks = (uint64_t)reg(p, CRV) + 1u;
    timer_set(b, p, T_TIMEOUT, lfclk_tick(lfclk_now(sim_time(b)) + ticks));
}

/* CONFIG bit 0 clear: it stands still while the CPU sleeps. */
void wdt_sleep(struct board *b, bool enter)
{
    struct periph *p = wdt(b);
    if (!p->s[S_ON] || (reg(p, CONFIG) & 1u))
        return;
    uint64_t tick = lfclk_now(sim_time(b));
    if (enter && p->at[T_TIMEOUT] != NEVER) {
        uint64_t due = lfclk_now(p->at[T_TIMEOUT]);
        p->s[S_PAUSED] = (due > tick ? due - tick : 0) + 1u;
        timer_set(b, p, T_TIMEOUT, NEVER);
    } else if (!enter && p->s[S_PAUSED]) {
        timer_set(b, p, T_TIMEOUT, lfclk_tick(tick + p->s[S_PAUSED] - 1u));
        p->s[S_PAUSED] = 0;
    }
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    (void)n;
    if (p->s[S_ON])
        return;
    p->s[S_ON] = 1;
    p->survives_reset = true;
    reload(b, p);
    rtc_lfclk_changed(b); /* it forces LFCLK on */
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_TIMEOUT) {
        event_raise(b, p, EV_TIMEOUT);
        if (p->inten & 1u) { /* the handler has two ticks */
            timer_set(b, p, T_RESET, lfclk_tick(lfclk_now(sim_time(b)) + 2));
            return;
        }
    }
    p->survives_reset = false;
    b->st.reset_pending = true;
    b->st.reset_wanted = RESET_DOG;
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    (void)b;
    if (off == RUNSTATUS)
        return (uint32_t)p->s[S_ON];
    return p->s[S_ON] ? (uint32_t)p->s[S_MISSING] : 1;
}

/* CRV, RREN and CONFIG are locked while it runs; the store was changed already, so undo it here. */
static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off >= RR && off < RR + 32) {
        if (!p->s[S_ON] || val != KEY)
            return;
        p->s[S_MISSING] &= ~(1ull << ((off - RR) / 4));
        if (!p->s[S_MISSING])
            reload(b, p);
    } else if (off >= CRV && off <= CONFIG && !p->s[S_ON]) {
        static const uint32_t mask[3] = { 0xFFFFFFFF, 0xFF, 9 };
        p->store[off / 4] = val & mask[(off - CRV) / 4];
        if (off == CRV && val < 15)
            p->store[off / 4] = 15;
    }
}

static void reset(struct board *b, struct periph *p)
{
    (void)b;
    p->survives_reset = false;
}

static const struct reg_desc regs[] = {
    { RUNSTATUS, 2, 4, REG_R | REG_HOOK_R, 0, 0 }, { CRV, 1, 0, REG_RW | REG_HOOK_W, 0, 0xFFFFFFFF },
    { RREN, 1, 0, REG_RW | REG_HOOK_W, 0, 1 }, { CONFIG, 1, 0, REG_RW | REG_HOOK_W, 0, 1 },
    { RR, 8, 4, REG_W | REG_HOOK_W, 0, 0 }, { 0 },
};
const struct periph_type wdt_type = { .tasks = 1, .events = 1, .inten = true, .regs = regs, .reset = reset,
    .task = task, .timer = timer, .read = read, .write = write };
