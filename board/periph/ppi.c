/* PPI: 20 programmable channels, 12 fixed ones, forks and six groups. */
#include "board/board_priv.h"

enum { CHEN = 0x500, CHENSET = 0x504, CHENCLR = 0x508, EEP = 0x510, TEP = 0x514, CHG = 0x800, FORK = 0x910, CHANNELS = 32,
    PROGRAMMABLE = 20, PPI_BASE = 0x4001F000 };

/* Channels 20..31: event and task addresses. Those of the RADIO do nothing: it is not modelled. */
static const uint32_t fixed[CHANNELS - PROGRAMMABLE][2] = {
    { 0x40008140, 0x40001000 }, { 0x40008140, 0x40001004 }, { 0x40008144, 0x40001010 }, { 0x40001128, 0x4000F000 },
    { 0x40001100, 0x4000F000 }, { 0x40001104, 0x4000F004 }, { 0x40001104, 0x40008044 }, { 0x4000110C, 0x40008048 },
    { 0x4000B140, 0x40001000 }, { 0x4000B140, 0x40001004 }, { 0x4000B140, 0x4000800C }, { 0x4000B140, 0x40008000 },
};

static struct periph *ppi(const struct board *b)
{
    return periph_by_base((struct board *)(uintptr_t)b, PPI_BASE);
}

bool ppi_active(const struct board *b)
{
    return reg(ppi(b), CHEN) != 0;
}

static void run_task(struct board *b, uint32_t addr)
{
    struct periph *p = periph_by_base(b, addr & ~0xFFFu);
    if (p && (addr & 0xFFFu) < 0x100 && p->type->tasks >> (addr & 0xFFu) / 4u & 1u)
        task_trigger(b, p, (addr & 0xFFu) / 4u);
    else if (addr >= 0x40000000u) {
        wait_note_write(b, addr, 1);
        unmodelled_touch(b, periph_name_at(addr), addr, addr & 0xFFFu, true);
    }
}

void ppi_event(struct board *b, uint32_t event_addr)
{
    struct periph *p = ppi(b);
    uint32_t on = reg(p, CHEN); /* as it was when the event came */
    for (; on; on &= on - 1) {
        unsigned ch = (unsigned)__builtin_ctz(on);
        uint32_t eep = ch < PROGRAMMABLE ? reg(p, EEP + 8 * ch) : fixed[ch - PROGRAMMABLE][0];
        if (eep != event_addr)
            continue;
        uint32_t tep = ch < PROGRAMMABLE ? reg(p, TEP + 8 * ch) : fixed[ch - PROGRAMMABLE][1];
        uint32_t fork = reg(p, FORK + 4 * ch);
        if (tep)
            run_task(b, tep);
        if (fork)
            run_task(b, fork);
    }
}

/* Group tasks: 2n enables, 2n + 1 disables the channels of group n. */
static void task(struct board *b, struct periph *p, unsigned n)
{
    (void)b;
    uint32_t group = reg(p, CHG + 4 * (n / 2));
    if (n & 1u)
        p->store[CHEN / 4] &= ~group;
    else
        p->store[CHEN / 4] |= group;
}

static uint32_t read(struct board *b, struct periph *p, uint32_t off)
{
    (void)b;
    (void)off;
    return reg(p, CHEN);
}

static void write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    (void)b;
    if (off == CHENSET)
        p->store[CHEN / 4] |= val;
    else
        p->store[CHEN / 4] &= ~val;
}

static const struct reg_desc regs[] = {
    { CHEN, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { CHENSET, 2, 4, REG_RW | REG_HOOK_R | REG_HOOK_W, 0, 0 },
    { EEP, 20, 8, REG_RW, 0xFFFFFFFF, 0 }, { TEP, 20, 8, REG_RW, 0xFFFFFFFF, 0 }, { CHG, 6, 4, REG_RW, 0xFFFFFFFF, 0 },
    { FORK, 32, 4, REG_RW, 0xFFFFFFFF, 0 }, { 0 },
};
const struct periph_type ppi_type = { .tasks = 0xFFF, .regs = regs, .task = task, .read = read, .write = write };
