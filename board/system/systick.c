/* SysTick (ARM ARM B3.3). Both clock sources run at HCLK: the chip has no reference clock of its own. */
#include "board/board_priv.h"

enum { ENABLE = 1, TICKINT = 2, COUNTFLAG = 1 << 16 };

static uint32_t value(const struct board *b)
{
    const struct system *s = &b->st.sys;
    if (s->tick_zero == NEVER)
        return s->tick_val;
    if (s->tick_zero <= now(b))
        return 0;
    uint64_t left = s->tick_zero - now(b);
    return left > s->tick_load ? 0 : (uint32_t)left;
}

static void start(struct board *b, uint32_t val)
{
    struct system *s = &b->st.sys;
    if (!(s->tick_ctrl & ENABLE) || s->tick_load == 0) {
        s->tick_zero = NEVER;
        s->tick_val = val;
        return;
    }
    s->tick_zero = now(b) + (val ? val : s->tick_load + 1u);
    if (s->tick_zero < b->st.next_event)
        b->st.next_event = s->tick_zero;
    attention(b);
}

uint32_t systick_read(struct board *b, unsigned off)
{
    struct system *s = &b->st.sys;
    uint32_t v;
    switch (off) {
    case 0x10:
        v = s->tick_ctrl;
        s->tick_ctrl &= ~(uint32_t)COUNTFLAG;
        return v;
    case 0x14: return s->tick_load;
    case 0x18: return value(b);
    default: return 0xC0000000u; /* NOREF, SKEW */
    }
}

void systick_write(struct board *b, unsigned off, uint32_t val)
{
    struct system *s = &b->st.sys;
    uint32_t v = value(b);
    switch (off) {
    case 0x10:
        s->tick_ctrl = (s->tick_ctrl & COUNTFLAG) | (val & 7u);
        start(b, v);
        break;
    case 0x14:
        s->tick_load = val & 0xFFFFFFu;
        if (s->tick_zero == NEVER)
            start(b, v);
        break;
    case 0x18:
        s->tick_ctrl &= ~(uint32_t)COUNTFLAG;
        start(b, 0);
        break;
    default:
        break;
    }
}

void systick_fire(struct board *b)
{
    struct system *s = &b->st.sys;
    uint64_t period = (uint64_t)s->tick_load + 1u;
    s->tick_ctrl |= COUNTFLAG;
    if (s->tick_ctrl & TICKINT)
        exc_pend(b, EXC_SYSTICK);
    if (s->tick_load == 0) {
        s->tick_zero = NEVER;
        s->tick_val = 0;
        return;
    }
    s->tick_zero += period;
    if (s->tick_zero <= now(b)) /* the CPU was stalled over several periods: they are one */
        s->tick_zero += (now(b) - s->tick_zero) / period * period + period;
}
