/* The frame of all peripherals; see periph.h. */
#include <stdlib.h>
#include <string.h>

#include "board/board_priv.h"

enum { OFF_EVENTS = 0x100, OFF_SHORTS = 0x200, OFF_INTEN = 0x300, OFF_INTENSET = 0x304, OFF_INTENCLR = 0x308 };
enum { SLOTS = 128 }; /* 4 KiB slots: 64 of 0x40000000, 64 of 0x50000000 */

/* Kind and write mask of every register of a slot, one table per type. */
struct reg_table {
    uint8_t kind[PERIPH_WORDS];
    uint32_t mask[PERIPH_WORDS];
};

struct periph_map {
    struct reg_table *table[SLOTS];
    int16_t index[SLOTS]; /* into st.periph, -1 not modelled */
};

static int slot_of(uint32_t addr)
{
    if (addr - 0x40000000u < 0x40000u)
        return (int)(addr - 0x40000000u) >> 12;
    if (addr - 0x50000000u < 0x40000u)
        return 64 + ((int)(addr - 0x50000000u) >> 12);
    return -1;
}

static void table_fill(struct reg_table *t, const struct periph_type *type)
{
    for (unsigned n = 0; n < 64; n++) {
        if (type->tasks >> n & 1u)
            t->kind[n] = REG_W | REG_TASK;
        if (type->events >> n & 1u)
            t->kind[OFF_EVENTS / 4 + n] = REG_RW | REG_EVENT;
    }
    if (type->inten)
        t->kind[OFF_INTENSET / 4] = t->kind[OFF_INTENCLR / 4] = REG_RW;
    if (type->inten_rw)
        t->kind[OFF_INTEN / 4] = REG_RW;
    if (type->shorts) {
        t->kind[OFF_SHORTS / 4] = REG_RW;
        t->mask[OFF_SHORTS / 4] = type->shorts;
    }
    for (const struct reg_desc *r = type->regs; r && r->kind; r++) {
        for (unsigned i = 0; i < (r->count ? r->count : 1u); i++) {
            unsigned w = (r->off + i * r->stride) / 4u;
            t->kind[w] = r->kind;
            t->mask[w] = r->mask;
        }
    }
}

void periph_build(struct board *b)
{
    struct periph_map *m = b->map;
    unsigned n = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        m->index[i] = -1;
    for (const struct periph_entry *e = periph_table; e->name; e++) {
        if (!e->type || n == PERIPHS)
            continue;
        int slot = slot_of(e->base);
        struct periph *p = &b->st.periph[n];
        p->type = e->type;
        p->name = e->name;
        p->base = e->base;
        p->irq = e->irq;
        p->unit = e->unit;
        m->table[slot] = calloc(1, sizeof *m->table[slot]);
        if (!m->table[slot])
            abort();
        table_fill(m->table[slot], e->type);
        m->index[slot] = (int16_t)n++;
    }
    periph_reset_all(b, false);
}

struct periph_map *periph_map_new(void)
{
    return calloc(1, sizeof(struct periph_map));
}

void periph_map_free(struct periph_map *m)
{
    for (unsigned i = 0; m && i < SLOTS; i++)
        free(m->table[i]);
    free(m);
}

static void reset_one(struct board *b, struct periph *p)
{
    uint64_t keep = p->s[PERIPH_STATE - 1]; /* the model's word that outlives a reset */
    p->events = 0;
    p->inten = 0;
    memset(p->s, 0, sizeof p->s);
    p->s[PERIPH_STATE - 1] = keep;
    for (unsigned i = 0; i < PERIPH_TIMERS; i++)
        p->at[i] = NEVER;
    p->next = NEVER;
    memset(p->store, 0, sizeof p->store);
    for (const struct reg_desc *r = p->type->regs; r && r->kind; r++) {
        for (unsigned i = 0; i < (r->count ? r->count : 1u); i++)
            p->store[(r->off + i * r->stride) / 4u] = r->reset;
    }
    if (p->type->reset)
        p->type->reset(b, p);
}

void periph_reset_all(struct board *b, bool soft)
{
    for (unsigned i = 0; i < PERIPHS && b->st.periph[i].type; i++) {
        struct periph *p = &b->st.periph[i];
        if (!(soft && p->survives_reset))
            reset_one(b, p);
    }
}

struct periph *periph_by_irq(struct board *b, int irq)
{
    for (unsigned i = 0; i < PERIPHS && b->st.periph[i].type; i++) {
        if (b->st.periph[i].irq == irq)
            return &b->st.periph[i];
    }
    return NULL;
}

struct periph *periph_by_base(struct board *b, uint32_t base)
{
    int slot = slot_of(base);
    return slot >= 0 && b->map->index[slot] >= 0 ? &b->st.periph[b->map->index[slot]] : NULL;
}

const char *periph_name_at(uint32_t addr)
{
    const char *name = "no peripheral";
    for (const struct periph_entry *e = periph_table; e->name; e++) {
        if ((addr & ~0xFFFu) == e->base)
            name = e->name;
    }
    return name;
}

/* ---- events, tasks, interrupts ---- */

void irq_update(struct board *b, struct periph *p)
{
    if (p->irq >= 0)
        exc_set_line(b, (unsigned)p->irq, (p->events & p->inten) != 0);
}

void event_raise(struct board *b, struct periph *p, unsigned n)
{
    p->events |= 1ull << n;
    if (p->inten >> (n & 31u) & 1u && n < 32)
        irq_update(b, p);
    if (ppi_active(b))
        ppi_event(b, p->base + OFF_EVENTS + 4u * n);
}

void task_trigger(struct board *b, struct periph *p, unsigned n)
{
    if (p->type->task && p->type->tasks >> n & 1u)
        p->type->task(b, p, n);
}

/* ---- timers ---- */

void timer_set(struct board *b, struct periph *p, unsigned which, uint64_t when)
{
    p->at[which] = when;
    p->next = NEVER;
    for (unsigned i = 0; i < PERIPH_TIMERS; i++)
        p->next = p->at[i] < p->next ? p->at[i] : p->next;
    if (p->next < b->st.next_event) {
        b->st.next_event = p->next;
        if (b->cpu.deadline > p->next)
            b->cpu.deadline = p->next;
    }
}

static struct periph *earliest(struct board *b)
{
    struct periph *best = NULL;
    for (unsigned i = 0; i < PERIPHS && b->st.periph[i].type; i++) {
        if (b->st.periph[i].next < (best ? best->next : NEVER))
            best = &b->st.periph[i];
    }
    return best;
}

static void fire(struct board *b, struct periph *p)
{
    unsigned which = 0;
    while (p->at[which] != p->next)
        which++;
    b->st.event_time = p->next;
    b->st.firing = true;
    timer_set(b, p, which, NEVER);
    p->type->timer(b, p, which);
    b->st.firing = false;
}

void timers_run(struct board *b)
{
    for (;;) {
        struct periph *p = earliest(b);
        uint64_t next = p ? p->next : NEVER, tick = b->st.sys.tick_zero;
        b->st.next_event = next < tick ? next : tick;
        if (b->st.next_event > now(b) || b->st.cut)
            return;
        if (tick <= next)
            systick_fire(b);
        else
            fire(b, p);
    }
}

/* ---- register access ---- */

/*
 * What lies beside the registers of a peripheral: undocumented offsets that errata work-arounds use, and what start-up
 * code for several chips writes to the nRF52832's RAMON, RAMONB and AMLI (priorities on the bus of the RAM).
 */
static bool is_erratum_address(uint32_t addr)
{
    static const uint32_t known[] = { 0x40000C34, 0x40000EE4, 0x40027800, 0x40027804, 0x40027C1C,
        0x40029054, 0x40029640, 0x4002F004, 0x4006EC00, 0x4006EC14, 0x4006ED14, 0x40000558, 0x40000550, 0x4000053C,
        0x4000054C, 0x40000524, 0x40000554 };
    enum { AMLI = 0x40000E00, AMLI_SIZE = 0x38 };
    if (addr - AMLI < AMLI_SIZE)
        return true;
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i] == addr)
            return true;
    }
    return false;
}

static uint32_t word_read(struct board *b, uint32_t addr)
{
    int slot = slot_of(addr);
    int index = slot >= 0 ? b->map->index[slot] : -1;
    uint32_t off = addr & 0xFFCu;
    uint8_t kind = index >= 0 ? b->map->table[slot]->kind[off / 4] : 0;

    if (!(kind & (REG_R | REG_W | REG_IGNORED))) {
        if (!is_erratum_address(addr))
            unmodelled_touch(b, periph_name_at(addr), addr, off, false);
        return 0;
    }
    struct periph *p = &b->st.periph[index];
    if (kind & REG_EVENT)
        return p->events >> ((off - OFF_EVENTS) / 4) & 1u;
    if (off >= OFF_INTEN && off <= OFF_INTENCLR && p->type->inten)
        return p->inten;
    if (kind & REG_HOOK_R)
        return p->type->read(b, p, off);
    return kind & REG_R ? p->store[off / 4] : 0;
}

static void event_write(struct board *b, struct periph *p, unsigned n, uint32_t val)
{
    if (val) {
        p->events |= 1ull << n;
    } else {
        p->events &= ~(1ull << n);
        if (p->type->event_cleared)
            p->type->event_cleared(b, p, n);
    }
    irq_update(b, p);
}

static void inten_write(struct board *b, struct periph *p, uint32_t off, uint32_t val)
{
    if (off == OFF_INTEN)
        p->inten = val;
    else if (off == OFF_INTENSET)
        p->inten |= val;
    else
        p->inten &= ~val;
    p->inten &= (uint32_t)p->type->events | 0x80000000u * (uint32_t)(p->type->events >> 31 & 1u);
    irq_update(b, p);
    if (p->type->write)
        p->type->write(b, p, off, val);
}

static void word_write(struct board *b, uint32_t addr, uint32_t val)
{
    int slot = slot_of(addr);
    int index = slot >= 0 ? b->map->index[slot] : -1;
    uint32_t off = addr & 0xFFCu;
    uint8_t kind = index >= 0 ? b->map->table[slot]->kind[off / 4] : 0;

    if (!(kind & (REG_R | REG_W | REG_IGNORED))) {
        if (!is_erratum_address(addr)) {
            wait_note_write(b, addr, val);
            unmodelled_touch(b, periph_name_at(addr), addr, off, true);
        }
        return;
    }
    struct periph *p = &b->st.periph[index];
    if (kind & REG_TASK) {
        if (val & 1u)
            task_trigger(b, p, off / 4);
    } else if (kind & REG_EVENT) {
        event_write(b, p, (off - OFF_EVENTS) / 4, val);
    } else if (off >= OFF_INTEN && off <= OFF_INTENCLR && p->type->inten) {
        inten_write(b, p, off, val);
    } else if (kind & REG_W) {
        uint32_t mask = b->map->table[slot]->mask[off / 4];
        p->store[off / 4] = (p->store[off / 4] & ~mask) | (val & mask);
        if (kind & REG_HOOK_W)
            p->type->write(b, p, off, val);
    }
}

uint32_t periph_read(struct board *b, uint32_t addr, unsigned size)
{
    uint32_t v = word_read(b, addr & ~3u) >> (8 * (addr & 3u));
    return size == 4 ? v : v & ((1u << (8 * size)) - 1u);
}

void periph_write(struct board *b, uint32_t addr, unsigned size, uint32_t val)
{
    const struct periph *p = periph_by_base(b, addr);
    if (size < 4) { /* the bus drives the byte's lane; the others are as they were */
        unsigned lane = 8 * (addr & 3u);
        uint32_t mask = ((1u << (8 * size)) - 1u) << lane;
        val = val << lane | (p ? reg(p, addr & 0xFFCu) & ~mask : 0);
    }
    word_write(b, addr & ~3u, val);
}
