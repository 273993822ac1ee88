/* GPIO P0 and P1 (one slot, P1 at +0x300) and GPIOTE. */
#include "board/board_priv.h"

enum { OUT = 0x504, OUTSET = 0x508, OUTCLR = 0x50C, IN = 0x510, DIR = 0x514, DIRSET = 0x518, DIRCLR = 0x51C, LATCH = 0x520,
    DETECTMODE = 0x524, PIN_CNF = 0x700, PORT1 = 0x300, TE_CONFIG = 0x510, TE_EV_PORT = 31, TE_CHANNELS = 8 };
/* State of GPIO: input words as last seen, pins sensed as last seen, pins driven by GPIOTE and their levels */
enum { S_IN0, S_IN1, S_SENSED, S_TE_OWNED, S_TE_LEVEL };

static struct periph *gpio(const struct board *b)
{
    return periph_by_base((struct board *)(uintptr_t)b, 0x50000000);
}

static struct periph *gpiote(struct board *b)
{
    return periph_by_base(b, 0x40006000);
}

/* P1 lies 0x300 behind P0; its PIN_CNF would be at 0xA00. */
static uint32_t port_reg(const struct periph *p, unsigned port, uint32_t off)
{
    return reg(p, off + port * PORT1);
}

static uint32_t pin_cnf(const struct periph *p, unsigned pin)
{
    return port_reg(p, pin / 32, PIN_CNF + 4 * (pin % 32));
}

static bool driven_high(const struct periph *p, unsigned pin)
{
    if (p->s[S_TE_OWNED] >> pin & 1u)
        return p->s[S_TE_LEVEL] >> pin & 1u;
    return port_reg(p, pin / 32, OUT) >> (pin % 32) & 1u;
}

static bool is_output(const struct periph *p, unsigned pin)
{
    return (p->s[S_TE_OWNED] >> pin & 1u) || (pin_cnf(p, pin) & 1u);
}

bool gpio_is_output(const struct board *b, unsigned pin)
{
    return is_output(gpio(b), pin);
}

bool gpio_level(const struct board *b, unsigned pin)
{
    const struct periph *p = gpio(b);
    if (is_output(p, pin))
        return driven_high(p, pin);
    int external = qspi_pin_level(b, pin);
    if (external >= 0)
        return external;
    if (b->st.pin_in_driven[pin / 32] >> (pin % 32) & 1u)
        return b->st.pin_in[pin / 32] >> (pin % 32) & 1u;
    return (pin_cnf(p, pin) >> 2 & 3u) == 3; /* pull-up; else low */
}

static uint32_t input_word(const struct board *b, unsigned port)
{
    const struct periph *p = gpio(b);
    uint32_t v = 0;
    for (unsigned i = 0; i < (port ? 16u : 32u); i++) {
        if (!(pin_cnf(p, port * 32 + i) & 2u)) /* input buffer connected */
            v |= (uint32_t)gpio_level(b, port * 32 + i) << i;
    }
    return v;
}

/* Pins that meet their SENSE condition: LATCH, and the PORT event when the first one does. */
static void sense(struct board *b, struct periph *p)
{
    uint64_t sensed = 0;
    for (unsigned pin = 0; pin < 48; pin++) {
        uint32_t cnf = pin_cnf(p, pin), s = cnf >> 16 & 3u;
        if (s >= 2 && !(cnf & 2u) && gpio_level(b, pin) == (s == 2))
            sensed |= 1ull << pin;
    }
    p->store[LATCH / 4] |= (uint32_t)sensed;
    p->store[(LATCH + PORT1) / 4] |= (uint32_t)(sensed >> 32);
    if (sensed && !p->s[S_SENSED]) {
        if (b->st.off) { /* DETECT wakes from System OFF by a reset */
            b->st.off = false;
            b->st.reset_pending = true;
            b->st.reset_wanted = RESET_OFF;
            attention(b);
        }
        gpiote_port(b);
    }
    p->s[S_SENSED] = sensed;
}

void gpio_changed(struct board *b)
{
    struct periph *p = gpio(b);
    spim_select(b);
    qspi_pins_changed(b);
    for (unsigned port = 0; port < 2; port++) {
        uint32_t before = (uint32_t)p->s[S_IN0 + port], after = input_word(b, port);
        p->s[S_IN0 + port] = after;
        if (before != after)
            gpiote_pins(b, port, before, after);
    }
    sense(b, p);
}

void gpio_drive(struct board *b, unsigned pin, int level)
{
    struct periph *p = gpio(b);
    uint64_t bit = 1ull << pin;
    p->s[S_TE_OWNED] = level < 0 ? p->s[S_TE_OWNED] & ~bit : p->s[S_TE_OWNED] | bit;
    p->s[S_TE_LEVEL] = level > 0 ? p->s[S_TE_LEVEL] | bit : p->s[S_TE_LEVEL] & ~bit;
    gpio_changed(b);
}

void board_pin_input(struct board *b, unsigned pin, bool high)
{
    uint32_t bit = 1u << (pin % 32);
    b->st.pin_in_driven[pin / 32 & 1u] |= bit;
    b->st.pin_in[pin / 32 & 1u] = (b->st.pin_in[pin / 32 & 1u] & ~bit) | (high ? bit : 0);
    gpio_changed(b);
}

bool board_pin_output(const struct board *b, unsigned pin)
{
    return gpio_level(b, pin);
}

/* PIN_CNF bit 0 and DIR are the same flip-flop. */
static void dir_write(struct periph *p, unsigned port, uint32_t dir)
{
    p->store[(DIR + port * PORT1) / 4] = dir;
    for (unsigned i = 0; i < (port ? 16u : 32u); i++) {
        uint32_t *cnf = &p->store[(PIN_CNF + port * PORT1) / 4 + i];
        *cnf = (*cnf & ~1u) | (dir >> i & 1u);
    }
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    unsigned port = off >= OUT + PORT1 && !(off >= PIN_CNF && off < PIN_CNF + 128);
    uint32_t o = off - port * PORT1, *out = &p->store[(OUT + port * PORT1) / 4];
    uint32_t dir = port_reg(p, port, DIR), valid = port ? 0xFFFFu : 0xFFFFFFFFu, before = *out;

    if (o >= PIN_CNF) {
        uint32_t bit = 1u << ((o - PIN_CNF) / 4);
        dir_write(p, port, val & 1u ? dir | bit : dir & ~bit);
    } else if (o == OUT) {
        *out = val & valid;
    } else if (o == OUTSET) {
        *out |= val & valid;
    } else if (o == OUTCLR) {
        *out &= ~val;
    } else if (o == DIR) {
        dir_write(p, port, val & valid);
    } else if (o == DIRSET) {
        dir_write(p, port, (dir | val) & valid);
    } else if (o == DIRCLR) {
        dir_write(p, port, dir & ~val);
    } else if (o == LATCH) {
        p->store[off / 4] &= ~val;
    }
    if ((*out != before || port_reg(p, port, DIR) != dir) && !b->cpu.ipsr) /* a handler's LED is no work */
        wait_activity(b);
    gpio_changed(b);
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    unsigned port = off >= OUT + PORT1;
    switch (off - port * PORT1) {
    case OUTSET: case OUTCLR: return port_reg(p, port, OUT);
    case DIRSET: case DIRCLR: return port_reg(p, port, DIR);
    default: return input_word(b, port);
    }
}

#define PORT_REGS(at)                                                                               \
    { (at) + OUT, 1, 0, REG_RW | REG_HOOK_W, 0, 0 }, { (at) + OUTSET, 2, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 }, \
    { (at) + IN, 1, 0, REG_R | REG_HOOK_R, 0, 0 }, { (at) + DIR, 1, 0, REG_RW | REG_HOOK_W, 0, 0 },                 \
    { (at) + DIRSET, 2, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 }, { (at) + LATCH, 1, 0, REG_RW | REG_HOOK_W, 0, 0 }, \
    { (at) + DETECTMODE, 1, 0, REG_RW, 1, 0 }

static const struct reg_desc regs[] = {
    PORT_REGS(0), PORT_REGS(PORT1), { PIN_CNF, 32, 4, REG_RW | REG_HOOK_W, 0x3070F, 2 },
    { PIN_CNF + PORT1, 16, 4, REG_RW | REG_HOOK_W, 0x3070F, 2 },
    { PIN_CNF + PORT1 + 64, 16, 4, REG_IGNORED, 0, 0 }, /* P1.16 to P1.31: no such pins, but start-up code writes them */
    { 0 },
};
const struct periph_type gpio_type = { .regs = regs, .read = read, .write = write };

/* ---- GPIOTE ---- */

enum { TE_EVENT = 1, TE_TASK = 3, POL_RISE = 1, POL_FALL = 2, POL_TOGGLE = 3 };

static unsigned te_pin(uint32_t config)
{
    return (config >> 8 & 0x1Fu) + (config >> 13 & 1u) * 32u;
}

void gpiote_pins(struct board *b, unsigned port, uint32_t before, uint32_t after)
{
    struct periph *p = gpiote(b);
    for (unsigned i = 0; i < TE_CHANNELS; i++) {
        uint32_t c = reg(p, TE_CONFIG + 4 * i), pin = te_pin(c), pol = c >> 16 & 3u;
        if ((c & 3u) != TE_EVENT || pin / 32 != port || !((before ^ after) >> (pin % 32) & 1u))
            continue;
        bool rise = after >> (pin % 32) & 1u;
        if (pol == POL_TOGGLE || pol == (rise ? (unsigned)POL_RISE : (unsigned)POL_FALL))
            event_raise(b, p, i);
    }
}

void gpiote_port(struct board *b)
{
    event_raise(b, gpiote(b), TE_EV_PORT);
}

/* Tasks 0..7 OUT, 12..19 SET, 24..31 CLR of channel n */
static void te_task(struct board *b, struct periph *p, unsigned n)
{
    unsigned kind = n / 12, ch = n % 12;
    uint32_t c = reg(p, TE_CONFIG + 4 * ch), pin = te_pin(c), pol = c >> 16 & 3u;
    if ((c & 3u) != TE_TASK || pin >= 48)
        return;
    bool level = gpio_level(b, pin);
    if (kind == 0)
        level = pol == POL_TOGGLE ? !level : pol == POL_RISE ? true : pol == POL_FALL ? false : level;
    else
        level = kind == 1;
    gpio_drive(b, pin, level);
}

static void te_write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off < TE_CONFIG)
        return;
    unsigned i = (off - TE_CONFIG) / 4;
    uint64_t before = p->s[i];
    p->s[i] = val;
    if ((before & 3u) == TE_TASK && te_pin((uint32_t)before) < 48)
        gpio_drive(b, te_pin((uint32_t)before), -1);
    if ((val & 3u) == TE_TASK && te_pin(val) < 48)
        gpio_drive(b, te_pin(val), val >> 20 & 1u);
}

static const struct reg_desc te_regs[] = { { TE_CONFIG, 8, 4, REG_RW | REG_HOOK_W, 0x133F03, 0 }, { 0 } };
const struct periph_type gpiote_type = { .tasks = 0xFFull | 0xFFull << 12 | 0xFFull << 24,
    .events = 0xFFull | 1ull << TE_EV_PORT, .inten = true, .regs = te_regs, .task = te_task, .write = te_write };
