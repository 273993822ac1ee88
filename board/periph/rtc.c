/* RTC0..2: 24 bits at 32768 Hz / (PRESCALER + 1). Events only if enabled by EVTEN or INTEN. */
#include "board/board_priv.h"

enum { TASK_START, TASK_STOP, TASK_CLEAR, TASK_TRIGOVRFLW };
enum { EV_TICK = 0, EV_OVRFLW = 1, EV_COMPARE = 16 };
enum { EVTEN = 0x340, EVTENSET = 0x344, EVTENCLR = 0x348, COUNTER = 0x504, PRESCALER = 0x508, CC = 0x540, WRAP = 0x1000000 };
/* State: running; counter at the LFCLK tick `since`; the count that events were raised for last */
enum { S_ON, S_COUNT, S_SINCE };

static unsigned channels(const struct periph *p)
{
    return p->unit == 0 ? 3 : 4;
}

static bool counting(struct board *b, const struct periph *p)
{
    return p->s[S_ON] && clock_lf_running(b);
}

static uint64_t step(const struct periph *p)
{
    return (uint64_t)(reg(p, PRESCALER) & 0xFFFu) + 1u;
}

/* Counts since S_SINCE. */
static uint64_t elapsed(struct board *b, const struct periph *p)
{
    uint64_t t = lfclk_now(sim_time(b));
    return t > p->s[S_SINCE] ? (t - p->s[S_SINCE]) / step(p) : 0;
}

static uint32_t counter(struct board *b, const struct periph *p)
{
    uint64_t n = counting(b, p) ? elapsed(b, p) : 0;
    return (uint32_t)(p->s[S_COUNT] + n) & (WRAP - 1u);
}

/* Counts from `from` until the counter becomes `target`: 1 to 2^24. */
static uint64_t distance(uint32_t from, uint32_t target)
{
    uint32_t d = (target - from) & (WRAP - 1u);
    return d ? d : WRAP;
}

static uint32_t wanted(const struct periph *p)
{
    return reg(p, EVTEN) | p->inten;
}

static void plan(struct board *b, struct periph *p)
{
    if (!counting(b, p)) {
        timer_set(b, p, 0, NEVER);
        return;
    }
    uint64_t done = elapsed(b, p), best = NEVER;
    uint32_t c = (uint32_t)(p->s[S_COUNT] + done) & (WRAP - 1u), want = wanted(p);
    if (want & 1u)
        best = 1;
    if ((want & 2u) && distance(c, 0) < best)
        best = distance(c, 0);
    for (unsigned i = 0; i < channels(p); i++) {
        uint64_t d = distance(c, reg(p, CC + 4 * i));
        if ((want >> (EV_COMPARE + i) & 1u) && d < best)
            best = d;
    }
    timer_set(b, p, 0, best == NEVER ? NEVER : lfclk_tick(p->s[S_SINCE] + (done + best) * step(p)));
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    uint32_t c = counter(b, p), want = wanted(p);
    if (want & 1u)
        event_raise(b, p, EV_TICK);
    if ((want & 2u) && c == 0)
        event_raise(b, p, EV_OVRFLW);
    for (unsigned i = 0; i < channels(p); i++) {
        if ((want >> (EV_COMPARE + i) & 1u) && reg(p, CC + 4 * i) == c)
            event_raise(b, p, EV_COMPARE + i);
    }
    plan(b, p);
}

static void set_counter(struct board *b, struct periph *p, uint32_t value)
{
    p->s[S_COUNT] = value;
    p->s[S_SINCE] = lfclk_now(sim_time(b)) + (p->s[S_ON] ? 0 : 1);
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    uint32_t c = counter(b, p);
    switch (n) {
    case TASK_START:
        if (!p->s[S_ON])
            set_counter(b, p, c);
        p->s[S_ON] = 1;
        break;
    case TASK_STOP:
        p->s[S_ON] = 0;
        set_counter(b, p, c);
        break;
    case TASK_CLEAR: set_counter(b, p, 0); break;
    default: set_counter(b, p, 0xFFFFF0); break;
    }
    plan(b, p);
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    return off == COUNTER ? counter(b, p) : reg(p, EVTEN);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off == EVTENSET)
        p->store[EVTEN / 4] |= val;
    else if (off == EVTENCLR)
        p->store[EVTEN / 4] &= ~val;
    else if (off == PRESCALER && !p->s[S_ON]) /* writable only while stopped */
        p->store[PRESCALER / 4] = val & 0xFFFu;
    plan(b, p);
}

/* LFCLK started or stopped: counters go on from where they are. */
void rtc_lfclk_changed(struct board *b)
{
    static const uint32_t base[3] = { 0x4000B000, 0x40011000, 0x40024000 };
    for (unsigned i = 0; i < 3; i++) {
        struct periph *p = periph_by_base(b, base[i]);
        if (p->s[S_ON] && p->at[0] == NEVER)
            p->s[S_SINCE] = lfclk_now(sim_time(b));
        plan(b, p);
    }
}

static const struct reg_desc regs[] = {
    { EVTEN, 1, 0, REG_RW | REG_HOOK_W, 0xF0003, 0 }, { EVTENSET, 2, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 },
    { COUNTER, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { PRESCALER, 1, 0, REG_RW | REG_HOOK_W, 0, 0 },
    { CC, 4, 4, REG_RW | REG_HOOK_W, 0xFFFFFF, 0 }, { 0 },
};
const struct periph_type rtc_type = { .tasks = 0xF, .events = 0xF0003, .inten = true, .regs = regs, .task = task,
    .timer = timer, .read = read, .write = write };
