/*
 * The frame of all peripherals: tasks, events, interrupt enables and registers by table; a model adds
 * functions for what its tasks do. How to add one is in docs/board.md.
 */
#ifndef BOARD_PERIPH_PERIPH_H
#define BOARD_PERIPH_PERIPH_H

#include <stdbool.h>
#include <stdint.h>

struct board;
struct periph;

enum { PERIPH_WORDS = 1024, PERIPH_TIMERS = 8, PERIPH_STATE = 32 };

/* Kinds of a register; NONE is not modelled. HOOK_R asks the model's read(), HOOK_W tells its write(). */
enum { REG_NONE = 0, REG_R = 1, REG_W = 2, REG_RW = 3, REG_HOOK_R = 4, REG_HOOK_W = 8, REG_TASK = 16, REG_EVENT = 32,
    REG_IGNORED = 64 /* accepted without effect: undocumented offsets of errata work-arounds */ };

struct reg_desc {
    uint16_t off;
    uint16_t count, stride;
    uint8_t kind;
    uint32_t mask; /* bits that a write changes */
    uint32_t reset;
};

struct periph_type {
    uint64_t tasks, events; /* bit n: offset 4n, 0x100 + 4n */
    bool inten; /* has 0x304, 0x308 */
    bool inten_rw; /* and 0x300 */
    uint32_t shorts; /* bits of 0x200 */
    const struct reg_desc *regs; /* ends with kind NONE */
    void (*reset)(struct board *b, struct periph *p);
    void (*task)(struct board *b, struct periph *p, unsigned n);
    uint32_t (*read)(struct board *b, struct periph *p, uint32_t off);
    void (*write)(struct board *b, struct periph *p, uint32_t off, uint32_t val);
    void (*timer)(struct board *b, struct periph *p, unsigned which); /* p->at[which] has come */
    void (*event_cleared)(struct board *b, struct periph *p, unsigned n);
};

struct periph {
    const struct periph_type *type;
    const char *name;
    uint32_t base;
    int irq; /* -1 none */
    unsigned unit; /* which of several alike */
    bool survives_reset; /* the WDT, over a soft reset */
    uint64_t events;
    uint32_t inten;
    uint64_t at[PERIPH_TIMERS]; /* when timer() is to be called; UINT64_MAX never */
    uint64_t next; /* the least of them */
    uint64_t s[PERIPH_STATE]; /* the model's own state */
    uint32_t store[PERIPH_WORDS]; /* register values */
};

/* One peripheral in the table of all (table.c). */
struct periph_entry {
    const struct periph_type *type; /* NULL: not modelled, the name is for the report */
    const char *name;
    uint32_t base;
    int irq;
    unsigned unit;
};
extern const struct periph_entry periph_table[];

static inline uint32_t reg(const struct periph *p, uint32_t off)
{
    return p->store[off / 4];
}

struct periph_map;
struct periph_map *periph_map_new(void);
void periph_map_free(struct periph_map *m);
void periph_build(struct board *b); /* once, at board_new() */
void periph_reset_all(struct board *b, bool soft);
uint32_t periph_read(struct board *b, uint32_t addr, unsigned size);
void periph_write(struct board *b, uint32_t addr, unsigned size, uint32_t val);
struct periph *periph_by_irq(struct board *b, int irq);
struct periph *periph_by_base(struct board *b, uint32_t base);
const char *periph_name_at(uint32_t addr); /* also of those not modelled; "nothing" if there is none */

/* Raises event n: interrupt line, PPI. The model applies its own shorts. */
void event_raise(struct board *b, struct periph *p, unsigned n);
/* Triggers a task from inside (PPI, shorts). */
void task_trigger(struct board *b, struct periph *p, unsigned n);
void irq_update(struct board *b, struct periph *p);
/* Schedules timer `which` of p at `when`, or cancels it with UINT64_MAX. */
void timer_set(struct board *b, struct periph *p, unsigned which, uint64_t when);
/* Calls every timer due; recomputes st.next_event. */
void timers_run(struct board *b);
void ppi_event(struct board *b, uint32_t event_addr);
bool ppi_active(const struct board *b);

/* gpio.c */
bool gpio_level(const struct board *b, unsigned pin);
bool gpio_is_output(const struct board *b, unsigned pin); /* driven by a GPIO or GPIOTE */
void gpio_drive(struct board *b, unsigned pin, int level); /* GPIOTE task mode; -1 lets go */
void gpio_changed(struct board *b);
void gpiote_pins(struct board *b, unsigned port, uint32_t before, uint32_t after);
void gpiote_port(struct board *b);
/* uart.c */
void uart_input_came(struct board *b, unsigned uart);
bool uart_sends(struct board *b); /* a byte is on the line */
/* qspi.c */
bool qspi_xip_read(struct board *b, uint32_t off, uint8_t *buf, uint32_t len);
bool qspi_xip_ready(const struct board *b);
void qspi_pins_changed(struct board *b); /* a GPIO may have moved the part's wires */
bool qspi_wires_are(struct board *b, uint32_t sck, uint32_t mosi, uint32_t miso); /* and another may drive them */
int qspi_pin_level(const struct board *b, unsigned pin); /* the part drives it: 0 or 1; else -1 */
/* spim.c */
void spim_select(struct board *b);
/* nvmc.c */
bool nvmc_store(struct board *b, uint32_t addr, unsigned size, uint32_t val); /* false: bus fault */
void nvmc_wait(struct board *b); /* the CPU touches flash: stalls while an operation runs */
/* wdt.c */
bool wdt_running(const struct board *b);
void wdt_sleep(struct board *b, bool enter); /* CONFIG says whether it counts in sleep */
/* power.c */
void power_note_reset(struct board *b, uint32_t reason); /* after all peripherals were reset */
void power_off_ram(struct board *b); /* System OFF: what is not retained is lost */
void power_sleep(struct board *b, bool enter);
bool clock_lf_running(struct board *b);
uint64_t lfclk_tick(uint64_t n); /* cycles at which LFCLK tick n begins */
uint64_t lfclk_now(uint64_t cycles); /* ticks that have begun by then */

/* rtc.c */
void rtc_lfclk_changed(struct board *b); /* LFCLK started or stopped */

#endif
