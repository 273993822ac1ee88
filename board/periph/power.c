/*
 * CLOCK and POWER, which share slot and interrupt. HFXO starts in 0.4 ms, LFXO in 250 ms (LFRC is
 * used meanwhile), LFRC in 0.6 ms, calibration takes 16 ms.
 */
#include <string.h>

#include "board/board_priv.h"

enum { US = 64, MS = 64000 };
enum { T_HF, T_LF, T_CAL, T_CT };
enum { TASK_HFSTART, TASK_HFSTOP, TASK_LFSTART, TASK_LFSTOP, TASK_CAL, TASK_CTSTART, TASK_CTSTOP };
enum { EV_HFSTARTED, EV_LFSTARTED, EV_POFWARN, EV_DONE, EV_CTTO, EV_SLEEPENTER, EV_SLEEPEXIT, EV_USBDETECTED,
    EV_USBREMOVED, EV_USBPWRRDY, EV_CTSTARTED, EV_CTSTOPPED };
enum { RESETREAS = 0x400, RAMSTATUS = 0x428, USBREGSTATUS = 0x438, HFCLKRUN = 0x408, HFCLKSTAT = 0x40C, LFCLKRUN = 0x414,
    LFCLKSTAT = 0x418, LFCLKSRCCOPY = 0x41C, SYSTEMOFF = 0x500, GPREGRET = 0x51C, GPREGRET2 = 0x520,
    LFCLKSRC = 0x518, CTIV = 0x538, RAM_FIRST = 0x900, RAM_BLOCKS = 9 };
/* State words; the last word of all outlives resets and holds GPREGRET, GPREGRET2 and RESETREAS. */
enum { S_HF, S_LF, S_HFRUN, S_LFRUN, S_KEEP = PERIPH_STATE - 1 };

uint64_t lfclk_tick(uint64_t n)
{
    return (n * 15625u + 7u) / 8u; /* 64 MHz / 32768 Hz = 15625 / 8 */
}

uint64_t lfclk_now(uint64_t cycles)
{
    return cycles * 8u / 15625u;
}

static struct periph *power(struct board *b)
{
    return periph_by_base(b, 0x40000000);
}

bool clock_lf_running(struct board *b)
{
    return power(b)->s[S_LF] || wdt_running(b);
}

static void lf_set(struct board *b, struct periph *p, bool on)
{
    p->s[S_LF] = on;
    rtc_lfclk_changed(b);
}

static void task(struct board *b, struct periph *p, unsigned n)
{
    switch (n) {
    case TASK_HFSTART:
        p->s[S_HFRUN] = 1;
        timer_set(b, p, T_HF, sim_time(b) + (p->s[S_HF] ? 1 : 400 * US));
        break;
    case TASK_HFSTOP:
        p->s[S_HFRUN] = p->s[S_HF] = 0;
        timer_set(b, p, T_HF, NEVER);
        break;
    case TASK_LFSTART:
        p->s[S_LFRUN] = 1;
        p->store[LFCLKSRCCOPY / 4] = reg(p, LFCLKSRC);
        if ((reg(p, LFCLKSRC) & 3u) == 1)
            lf_set(b, p, true); /* runs from LFRC until the crystal does */
        timer_set(b, p, T_LF, sim_time(b) + ((reg(p, LFCLKSRC) & 3u) == 1 ? 250 * MS : 600 * US));
        break;
    case TASK_LFSTOP:
        p->s[S_LFRUN] = 0;
        timer_set(b, p, T_LF, NEVER);
        lf_set(b, p, false);
        break;
    case TASK_CAL:
        timer_set(b, p, T_CAL, sim_time(b) + 16 * MS);
        break;
    case TASK_CTSTART:
        timer_set(b, p, T_CT, sim_time(b) + (uint64_t)(reg(p, CTIV) & 0x7Fu) * 250 * MS);
        event_raise(b, p, EV_CTSTARTED);
        break;
    case TASK_CTSTOP:
        timer_set(b, p, T_CT, NEVER);
        event_raise(b, p, EV_CTSTOPPED);
        break;
    default: /* CONSTLAT, LOWPWR: the latency of wake-up is not modelled */
        break;
    }
}

static void timer(struct board *b, struct periph *p, unsigned which)
{
    if (which == T_HF) {
        p->s[S_HF] = 1;
        event_raise(b, p, EV_HFSTARTED);
    } else if (which == T_LF) {
        p->s[S_LF] = 2;
        rtc_lfclk_changed(b);
        event_raise(b, p, EV_LFSTARTED);
    } else {
        event_raise(b, p, which == T_CAL ? EV_DONE : EV_CTTO);
    }
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    switch (off) {
    case RESETREAS: return (uint32_t)(p->s[S_KEEP] >> 32);
    case GPREGRET: return p->s[S_KEEP] & 0xFFu;
    case GPREGRET2: return p->s[S_KEEP] >> 8 & 0xFFu;
    case HFCLKRUN: return (uint32_t)p->s[S_HFRUN];
    case HFCLKSTAT: return p->s[S_HF] ? 0x10001u : 0x10000u; /* HFINT always runs */
    case LFCLKRUN: return (uint32_t)p->s[S_LFRUN];
    case LFCLKSTAT: {
        uint32_t src = reg(p, LFCLKSRCCOPY) & 3u;
        if (!clock_lf_running(b))
            return 0;
        return 0x10000u | (p->s[S_LF] == 2 ? src : 0);
    }
    case USBREGSTATUS: return b->config.vbus ? 3 : 0;
    case RAMSTATUS: return 0xF;
    default: return 0; /* MAINREGSTATUS: normal voltage */
    }
}

/* What is lost when the sections of `gone` (bits 15:0) of RAM block `block` have no power. */
static void ram_lose(struct board *b, unsigned block, uint32_t gone)
{
    uint32_t section = block < 8 ? 4096 : 32768, sections = block < 8 ? 2 : 6;
    uint32_t start = block < 8 ? block * 8192 : 65536;
    for (uint32_t i = 0; i < sections; i++) {
        if (!(gone >> i & 1u))
            continue;
        for (uint32_t a = start + i * section; a < start + (i + 1) * section; a += 8) {
            uint64_t r = board_random(b);
            memcpy(b->ram + a, &r, 8);
        }
        memory_changed(b, CPU_RAM_BASE + start + i * section, section);
        memory_changed(b, CPU_RAM_ALIAS + start + i * section, section);
    }
}

/* RAM[n].POWER, POWERSET, POWERCLR. A section that is switched off loses its content at once. */
static void ram_power_write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    unsigned block = (off - RAM_FIRST) / 16;
    uint32_t *power_reg = &p->store[(RAM_FIRST + 16 * block) / 4], before = *power_reg;
    if (off % 16 == 0)
        *power_reg = val;
    else if (off % 16 == 4)
        *power_reg |= val;
    else
        *power_reg &= ~val;
    ram_lose(b, block, before & ~*power_reg & 0xFFFFu);
}

/* System OFF keeps the sections whose retention bit (31:16) is set. */
void power_off_ram(struct board *b)
{
    for (unsigned block = 0; block < RAM_BLOCKS; block++)
        ram_lose(b, block, ~(reg(power(b), RAM_FIRST + 16 * block) >> 16) & 0xFFFFu);
}

/* The core falls asleep or wakes (SLEEPENTER, SLEEPEXIT). */
void power_sleep(struct board *b, bool enter)
{
    event_raise(b, power(b), enter ? EV_SLEEPENTER : EV_SLEEPEXIT);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    switch (off) {
    case RESETREAS: p->s[S_KEEP] &= ~((uint64_t)val << 32); break;
    case GPREGRET: p->s[S_KEEP] = (p->s[S_KEEP] & ~0xFFull) | (val & 0xFFu); break;
    case GPREGRET2: p->s[S_KEEP] = (p->s[S_KEEP] & ~0xFF00ull) | (val & 0xFFu) << 8; break;
    case SYSTEMOFF:
        if (val & 1u) {
            b->st.off = true;
            attention(b);
        }
        break;
    default:
        if (off >= RAM_FIRST)
            ram_power_write(b, p, off, val);
        break;
    }
}

static void reset(struct board *b, struct periph *p)
{
    if (b->config.vbus) {
        p->events |= 1u << EV_USBDETECTED | 1u << EV_USBPWRRDY;
    }
}

/* Called once per reset, after the peripherals were reset. reason 0: power-on. */
void power_note_reset(struct board *b, uint32_t reason)
{
    struct periph *p = power(b);
    if (reason & (RESET_SREQ | RESET_LOCKUP | RESET_OFF))
        p->s[S_KEEP] |= (uint64_t)reason << 32;
    else if (reason) /* watchdog and pin: GPREGRET is lost */
        p->s[S_KEEP] = (p->s[S_KEEP] & ~0xFFFFull) | (uint64_t)reason << 32;
    else
        p->s[S_KEEP] = 0;
}

static const struct reg_desc regs[] = {
    { RESETREAS, 1, 0, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 }, { RAMSTATUS, 1, 0, REG_R | REG_HOOK_R, 0, 0 },
    { USBREGSTATUS, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { HFCLKRUN, 2, 4, REG_R | REG_HOOK_R, 0, 0 },
    { LFCLKRUN, 2, 4, REG_R | REG_HOOK_R, 0, 0 }, { LFCLKSRCCOPY, 1, 0, REG_R, 0, 0 },
    { SYSTEMOFF, 1, 0, REG_W | REG_HOOK_W, 0, 0 }, { 0x510, 1, 0, REG_RW, 0xF1F, 0 },
    { LFCLKSRC, 1, 0, REG_RW, 0x30003, 0 }, { GPREGRET, 2, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 },
    { 0x528, 1, 0, REG_RW, 0xFF, 0x10 }, { 0x530, 1, 0, REG_RW, 0x7F, 0 }, { CTIV, 1, 0, REG_RW, 0x7F, 0 },
    { 0x550, 1, 0, REG_RW, 0xFF, 0xFF }, { 0x558, 1, 0, REG_RW, 0xFF, 0 }, { 0x55C, 1, 0, REG_RW, 0x30003, 0 },
    { 0x578, 1, 0, REG_RW, 1, 0 }, { 0x580, 1, 0, REG_RW, 1, 0 }, { 0x5B4, 1, 0, REG_RW, 0x10001, 0 },
    { 0x640, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { RAM_FIRST, 9, 16, REG_RW | REG_HOOK_W, 0, 0xFFFF },
    { RAM_FIRST + 4, 9, 16, REG_W | REG_HOOK_W, 0, 0 }, { RAM_FIRST + 8, 9, 16, REG_W | REG_HOOK_W, 0, 0 }, { 0 },
};
const struct periph_type power_type = { .tasks = 0x7F | 3ull << 30, .events = 0xFFF, .inten = true,
    .regs = regs, .reset = reset, .task = task, .timer = timer, .read = read, .write = write };
