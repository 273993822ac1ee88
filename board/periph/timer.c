/* TIMER0..4: 16 MHz / 2^PRESCALER, or a counter of COUNT tasks. */
#include "board/board_priv.h"

enum { TASK_START, TASK_STOP, TASK_COUNT, TASK_CLEAR, TASK_SHUTDOWN, TASK_CAPTURE = 16 };
enum { EV_COMPARE = 16, SHORTS = 0x200, MODE = 0x504, BITMODE = 0x508, PRESCALER = 0x510, CC = 0x540, CYCLES = 4 };
/* State: running; count at time S_SINCE (cycles) */
enum { S_ON, S_COUNT, S_SINCE };

static unsigned channels(const struct periph *p)
{
    return p->unit < 3 ? 4 : 6;
}

static uint64_t mask(const struct periph *p)
{
    static const uint8_t width[4] = { 16, 8, 24, 32 };
    return (1ull << width[reg(p, BITMODE) & 3u]) - 1u;
}

static uint64_t step(const struct periph *p)
{
    uint32_t presc = reg(p, PRESCALER) & 15u;
    return (uint64_t)CYCLES << (presc > 9 ? 9 : presc);
}

static bool ticking(const struct periph *p)
{
    return p->s[S_ON] && (reg(p, MODE) & 3u) == 0;
}

static uint64_t count(struct board *b, const struct periph *p)
{
    uint64_t n = ticking(p) ? (sim_time(b) - p->s[S_SINCE]) / step(p) : 0;
    return (p->s[S_COUNT] + n) & mask(p);
}

static void set_count(struct board *b, struct periph *p, uint64_t value)
{
    p->s[S_COUNT] = value & mask(p);
    p->s[S_SINCE] = sim_time(b);
}

static void plan(struct board *b, struct periph *p)
{
    if (!ticking(p)) {
        timer_set(b, p, 0, NEVER);
        return;
    }
    uint64_t c = count(b, p), best = mask(p) + 1u;
    uint64_t passed = (sim_time(b) - p->s[S_SINCE]) / step(p);
    for (unsigned i = 0; i < channels(p); i++) {
        uint64_t d = ((reg(p, CC + 4 * i) & mask(p)) - c) & mask(p);
        if (d && d < best)
            best = d;
    }
    timer_set(b, p, 0, p->s[S_SINCE] + (passed + best) * step(p));
}

/* The count is new: compares, and the shortcuts that follow from them. */
static void compare(struct board *b, struct periph *p)
{
    uint64_t c = count(b, p);
    uint32_t shorts = reg(p, SHORTS);
    for (unsigned i = 0; i < channels(p); i++) {
        if ((reg(p, CC + 4 * i) & mask(p)) != c)
            continue;
        event_raise(b, p, EV_COMPARE + i);
        if (shorts >> i & 1u)
            set_count(b, p, 0);
        if (shorts >> (8 + i) & 1u) {
            set_count(b, p, count(b, p));
            p->s[S_ON] = 0;
        }
    }
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    set_count(b, p, count(b, p));
    compare(b, p);
    plan(b, p);
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    if (n >= TASK_CAPTURE) {
        if (n - TASK_CAPTURE < channels(p))
            p->store[CC / 4 + n - TASK_CAPTURE] = (uint32_t)count(b, p);
        plan(b, p);
        return;
    }
    switch (n) {
    case TASK_START:
        if (!p->s[S_ON])
            p->s[S_SINCE] = sim_time(b);
        p->s[S_ON] = 1;
        break;
    case TASK_COUNT:
        if (p->s[S_ON] && (reg(p, MODE) & 3u) != 0) {
            set_count(b, p, p->s[S_COUNT] + 1);
            compare(b, p);
        }
        break;
    case TASK_CLEAR: set_count(b, p, 0); break;
    default: /* STOP keeps the count, SHUTDOWN loses it */
        set_count(b, p, n == TASK_SHUTDOWN ? 0 : count(b, p));
        p->s[S_ON] = 0;
        break;
    }
    plan(b, p);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    (void)off;
    (void)val;
    plan(b, p);
}

static const struct reg_desc regs[] = {
    { MODE, 1, 0, REG_RW | REG_HOOK_W, 3, 0 }, { BITMODE, 1, 0, REG_RW | REG_HOOK_W, 3, 0 },
    { PRESCALER, 1, 0, REG_RW | REG_HOOK_W, 15, 4 }, { CC, 6, 4, REG_RW | REG_HOOK_W, 0xFFFFFFFF, 0 }, { 0 },
};
const struct periph_type timer_type = { .tasks = 0x3F001F, .events = 0x3F0000, .inten = true, .shorts = 0x3F3F,
    .regs = regs, .task = task, .timer = timer, .write = write };
