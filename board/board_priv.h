/* The insides of a board, for the files of board/ only. */
#ifndef BOARD_BOARD_PRIV_H
#define BOARD_BOARD_PRIV_H

#include <stdatomic.h>

#include "board/board.h"
#include "board/cpu/cpu.h"
#include "board/nor/nor.h"
#include "board/periph/periph.h"
#include "board/system/system.h"
#include "board/usb/usb.h"

#define NEVER UINT64_MAX

enum { UNMODELLED_MAX = 512, POLLS = 8, EVENT_READS = 4, LOOP_VALUES = 64, UART_QUEUE = 65536, PERIPHS = 64, ADDR_RAM = 0x20000000,
    ADDR_FICR = 0x10000000, ADDR_UICR = 0x10001000, ADDR_XIP = 0x12000000, XIP_SIZE = 0x08000000 };

/* RESETREAS */
enum { RESET_PIN = 1u << 0, RESET_DOG = 1u << 1, RESET_SREQ = 1u << 2, RESET_LOCKUP = 1u << 3, RESET_OFF = 1u << 16 };

struct uart_queue {
    uint32_t head, count;
    uint8_t data[UART_QUEUE];
};

/* How often firmware has read an unmodelled register within a second that began at `since`. */
struct poll {
    uint32_t addr, count;
    uint64_t since;
};

/* How often it has read an event register of what is not modelled, since `first`. */
struct event_reads {
    uint32_t addr, count;
    uint64_t first, last;
};

/* What is known about a wait for something that is not modelled (wait.c). */
struct wait_state {
    struct poll poll[POLLS]; /* the unmodelled registers read last */
    struct event_reads reads[EVENT_READS];
    uint64_t started, started_at[SYS_IRQS]; /* peripherals by their interrupt: started, when, by a write to what */
    uint32_t started_by[SYS_IRQS];
    uint64_t reset_at, quiet_since; /* quiet_since: the last time it did something else */
    uint64_t rested_at, woke_at; /* the last sleep, or loop that an interrupt ended */
    uint64_t skipped; /* time in loops that an interrupt alone can end */
    /* the second looked at: when it began (0 none), sleep until then, values of the thread's registers */
    uint64_t window_at, window_slept, sample_at;
    uint32_t window_reads, samples, values;
    uint64_t value[LOOP_VALUES];
};

/* Plain data, part of a snapshot. */
struct board_state {
    struct system sys;
    struct periph periph[PERIPHS];
    struct uart_queue rx[BOARD_UARTS];
    struct nor nor[2]; /* QSPI, SPI */
    struct usb_device usb_device;
    struct usb_host usb_host;
    uint32_t pin_in[2], pin_in_driven[2]; /* levels from outside */
    uint64_t rng;
    uint64_t next_event; /* no later than the earliest timer of all */
    uint64_t event_time; /* while timers fire: the time that the firing one was set to */
    bool firing;
    uint64_t flash_ops, cut_at;
    enum board_tear tear;
    bool cut; /* power has failed */
    bool off; /* System OFF */
    uint32_t reset_wanted; /* RESETREAS bits of a reset to be done after this instruction */
    bool reset_pending;
    struct board_chip_stats chip[2];
    uint64_t busy_from[2], busy_until[2];
    uint64_t overlap_cycles, resets;
    uint64_t hash;
    bool hashing;
    uint64_t flash_busy_until; /* NVMC works while the CPU runs from RAM */
    struct wait_state wait;
    uint64_t fault_since; /* when the running fault handler began, 0 none */
    uint32_t fault_again; /* how often the last fault came again at once */
    uint32_t fault_pc, fault_addr, fault_cfsr, fault_hfsr;
    uint32_t uart_flags; /* bit n: UART n's receiver is on */
};

struct unmodelled {
    uint32_t addr;
    char text[48];
};

struct board {
    struct board_state st;
    struct cpu cpu;
    struct board_config config;
    uint8_t *flash, *ram, *uicr, *ficr;
    uint32_t grants; /* stamp of the MPU's settings; see mpu_changed() */
    struct periph_map *map; /* address to peripheral and register kind, constant after board_new */
    bool stop_wanted, running, ren_noted;
    atomic_bool interrupt; /* set by board_interrupt() */
    bool input_expected; /* board_expect_input() */
    uint64_t limit;
    char why[2048];
    struct unmodelled unmodelled[UNMODELLED_MAX];
    unsigned unmodelled_count;
    board_uart_fn *uart_fn;
    void *uart_ctx;
    board_usb_fn *usb_fn;
    void *usb_ctx;
    board_note_fn *note_fn;
    void *note_ctx;
    board_flash_fn *flash_fn;
    void *flash_ctx;
    struct board_watch watch;
    void *watch_ctx;
    bool watching;
};

/* ---- time ---- */

static inline uint64_t now(const struct board *b)
{
    return b->cpu.cycles;
}

/* The time for a model: inside timer() the moment it was set to, even if the CPU was stalled past it. */
static inline uint64_t sim_time(const struct board *b)
{
    return b->st.firing ? b->st.event_time : b->cpu.cycles;
}

/* Into the hash of the run (board_hash()), if one is kept. */
static inline void hash_in(struct board *b, uint64_t v)
{
    if (b->st.hashing)
        b->st.hash = (b->st.hash ^ v) * 0x9E3779B97F4A7C15ull;
}

/* Makes the core leave its loop after the running instruction. */
static inline void attention(struct board *b)
{
    b->cpu.deadline = 0;
}

/* ---- notes ---- */

void board_note(struct board *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An access to what is not modelled: reported the first time. `what` is the peripheral's name. */
void unmodelled_touch(struct board *b, const char *what, uint32_t addr, uint32_t off, bool write);

/* ---- wait.c ---- */

void wait_reset(struct board *b);
void wait_note_read(struct board *b, uint32_t addr); /* of a register that is not modelled */
void wait_note_write(struct board *b, uint32_t addr, uint32_t val);
void wait_activity(struct board *b); /* the firmware does something that can be seen from outside */
void wait_rested(struct board *b, uint64_t since); /* it wakes from a sleep that began then */
uint64_t wait_look(struct board *b); /* once in a round; when it has to be called again at the latest */
bool wait_is_over(struct board *b); /* it waits for what is not modelled; b->why says for what */

/* ---- bus.c ---- */

/* A memory access outside the core's instruction: exception stacking, vectors. 0 or CFSR bits. */
uint32_t bus_try(struct board *b, uint32_t addr, unsigned size, bool write, uint32_t *val);
void bus_connect(struct board *b);
/* EasyDMA: RAM only; false if any byte is elsewhere (nothing is transferred then). */
bool dma_read(struct board *b, uint32_t addr, void *buf, uint32_t len);
bool dma_write(struct board *b, uint32_t addr, const void *buf, uint32_t len);
/* After flash, UICR or external contents changed. */
void memory_changed(struct board *b, uint32_t addr, uint32_t len);

/* ---- reset.c ---- */

void board_reset(struct board *b, uint32_t reason); /* reason 0: power-on */

/* ---- flashop.c: the choke point of both chips ---- */

/*
 * Counts and announces an operation that takes `cycles` from now on. True if power fails in it: the
 * caller applies it torn and returns; the board stops.
 */
bool flash_op(struct board *b, bool external, bool erase, uint32_t addr, uint32_t len, uint64_t cycles);
/* Applies an erase (data NULL) or program torn as asked; `seed` makes the bits differ by operation. */
void flash_apply(struct board *b, uint8_t *mem, const uint8_t *data, uint32_t len, bool torn);
uint64_t board_random(struct board *b);

#endif
