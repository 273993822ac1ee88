/*
 * The virtual board: an nRF52840 with a NOR flash behind its QSPI (and optionally one on a SPIM),
 * in one host process. Firmware runs on it unmodified; time is virtual and idle time costs nothing.
 *
 * One board is one `struct board`; any number of them may exist, each used by one thread at a time.
 * Everything that happens is a function of the loaded flash, the input given and the seed: the same
 * run gives the same instructions at the same times.
 *
 * Errors in words go to the caller's buffer (`err`, `errlen`); they are complete sentences.
 */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BOARD_CYCLES_PER_S = 64000000, /* the clock of everything: HCLK */
    BOARD_FLASH_SIZE = 0x100000,
    BOARD_RAM_SIZE = 0x40000,
    BOARD_UICR_SIZE = 0x1000,
    BOARD_UARTS = 2,
};

struct board;
struct nor_part;

/* Known parts: "at25xe321d", "mx25r6435f"; NULL if the name is not known. */
const struct nor_part *nor_part_find(const char *name);
const char *nor_part_name(const struct nor_part *part);
uint32_t nor_part_size(const struct nor_part *part);
/*
 * A part that is only known by what a devicetree says of it: JEDEC id, size in bytes (a power of two,
 * 64 KiB to 128 MiB), SFDP basic table (from its first dword, may be NULL), the quad enable
 * requirement (JESD216 code, 0 none). The caller frees it after every board that uses it.
 */
struct nor_part *nor_part_generic(
    const uint8_t id[3], uint32_t size, const uint8_t *bfpt, size_t bfpt_len, unsigned qer);
void nor_part_free(struct nor_part *part);

struct board_config {
    const struct nor_part *qspi; /* behind QSPI; NULL: nothing connected */
    const struct nor_part *spi; /* on SPIM `spi_bus`, selected by a GPIO; NULL: nothing connected */
    unsigned spi_bus; /* 0..3 */
    unsigned spi_cs_pin; /* 0..47, active low */
    uint8_t qspi_pins[6]; /* wires of the part behind QSPI: SCK, CSN, IO0 to IO3 (> 47: none); all 0: those of the DK */
    uint32_t seed; /* of RNG, of RAM at power-on and of torn bits */
    bool vbus; /* USB power present */
    bool usb_host; /* a host at the other end of the cable, which brings power; else it is a charger's */
};

/* NULL if the host has no memory. Both flashes are erased; the board is off until board_power_on(). */
struct board *board_new(const struct board_config *config);
void board_free(struct board *b);

/* ---- contents, while off or between runs ---- */

uint8_t *board_flash(struct board *b); /* BOARD_FLASH_SIZE bytes */
uint8_t *board_uicr(struct board *b); /* BOARD_UICR_SIZE bytes */
uint8_t *board_ram(struct board *b);
uint8_t *board_external(struct board *b, size_t *size); /* NULL if there is none */
/* Call after writing to the above once the board has run. */
void board_contents_changed(struct board *b);

/*
 * Intel hex: records into flash, UICR and the external part (0x12000000 on). Records for RAM are
 * refused, those for FICR ignored. 0 or -1 with `err` saying line and reason; then nothing was loaded.
 */
int board_load_hex(struct board *b, const char *text, size_t len, char *err, size_t errlen);
int board_load_bin(struct board *b, uint32_t addr, const void *data, size_t len, char *err, size_t errlen);

/* ---- running ---- */

enum board_stop {
    BOARD_RUNS, /* the limit was reached, or board_stop() was called */
    BOARD_CUT, /* power failed at the flash operation asked for; the contents are as it left them */
    BOARD_LOCKUP, /* a fault in a fault handler: the chip would reset */
    BOARD_FAULT, /* a fault handler that never ends */
    BOARD_SPIN, /* an endless loop that no interrupt can end (with a limit: one with interrupts masked) */
    BOARD_WAITS_UNMODELLED, /* firmware waits for something that is not modelled */
    BOARD_IDLE, /* asleep, nothing is running that could wake it, and board_run() has no limit */
    BOARD_OFF, /* System OFF, and nothing can wake it */
    BOARD_BREAK, /* breakpoint, watchpoint or single step of a debugger */
};

void board_power_on(struct board *b); /* power-on reset: RAM undefined, RESETREAS 0 */
void board_reset_pin(struct board *b);
/* Runs until virtual time `until` (cycles) at most, or until something else stops it. */
enum board_stop board_run(struct board *b, uint64_t until);
/*
 * At the end of a run that was limited: did the firmware do nothing but wait for something that is not modelled,
 * for a second and for half of the time since its last reset at least? board_why() says for what.
 */
bool board_waits(struct board *b);
/*
 * Somebody may still type or send: then firmware that waits quietly for its RADIO may be waiting for that as
 * well, and is not ended with BOARD_WAITS_UNMODELLED for being quiet.
 */
void board_expect_input(struct board *b, bool expected);
/* Ends board_run() soon; from a callback only. */
void board_stop(struct board *b);
/* Ends this board_run() and every later one at once; may be called from a signal handler. */
void board_interrupt(struct board *b);

uint64_t board_now(const struct board *b); /* virtual time in cycles since the first power-on */
uint64_t board_next_event(const struct board *b); /* when something happens at the latest, UINT64_MAX never */
bool board_sleeping(const struct board *b);
uint64_t board_insns(const struct board *b);
/* What the last stop was about: a sentence or more, with registers where it was a fault. */
const char *board_why(const struct board *b);
void board_registers_text(const struct board *b, char *buf, size_t len);

/* ---- the outside world ---- */

/* Bytes that the firmware sends on UART `uart`. */
typedef void board_uart_fn(void *ctx, unsigned uart, const uint8_t *data, size_t len);
void board_on_uart(struct board *b, board_uart_fn *fn, void *ctx);
/* Queues bytes for the firmware to receive at the line's speed. Returns how many fitted. */
size_t board_uart_input(struct board *b, unsigned uart, const uint8_t *data, size_t len);
size_t board_uart_pending(const struct board *b, unsigned uart);
/* Is the UART there at all: receiver on (input will be taken)? */
bool board_uart_listens(const struct board *b, unsigned uart);

/*
 * What the firmware sends through its first CDC ACM function to config.usb_host; bytes for it, queued until it takes
 * them (returns how many fitted); whether the host has opened it (DTR set).
 */
typedef void board_usb_fn(void *ctx, const uint8_t *data, size_t len);
void board_on_usb(struct board *b, board_usb_fn *fn, void *ctx);
size_t board_usb_input(struct board *b, const uint8_t *data, size_t len);
size_t board_usb_pending(const struct board *b);
bool board_usb_open(const struct board *b);

void board_pin_input(struct board *b, unsigned pin, bool high); /* 0..47 */
bool board_pin_output(const struct board *b, unsigned pin);

/* Notes in words: unmodelled accesses (once each), faults taken, resets. */
typedef void board_note_fn(void *ctx, const char *text);
void board_on_note(struct board *b, board_note_fn *fn, void *ctx);

/* ---- flash operations ---- */

enum board_tear { TEAR_NONE, TEAR_ALL, TEAR_HALF, TEAR_BITS };
struct board_flash_op {
    uint64_t number; /* 1 for the first since board_new(), both chips counted together */
    uint64_t cycles; /* when it began */
    bool external;
    bool erase;
    uint32_t addr, len;
};
typedef void board_flash_fn(void *ctx, const struct board_flash_op *op);
void board_on_flash(struct board *b, board_flash_fn *fn, void *ctx);
/*
 * Power fails in operation `n` (from 1; 0 never): that one, and one the other chip is busy with, is
 * left not done, done, half done, or with a random part of its bits changed. An operation is one
 * word programmed by the NVMC, one page erase, one erase or page program of a NOR part.
 */
void board_cut_at(struct board *b, uint64_t n, enum board_tear tear);
uint64_t board_flash_ops(const struct board *b);

/*
 * How an external part is broken. BUSY: the operation never ends, and no reset helps; ONES, ZEROS: it is dead, every
 * bit that it sends is 1 or 0; BAD_PROGRAM, BAD_ERASE: one bit of each is left as it was.
 */
enum board_chip_fault { CHIP_GOOD, CHIP_BUSY, CHIP_ONES, CHIP_ZEROS, CHIP_BAD_PROGRAM, CHIP_BAD_ERASE };
/*
 * The part behind QSPI (or, without one, on SPI) goes bad with its `n`-th operation since board_new() and stays
 * so, also when power comes back; 0: it is so from now on. CHIP_GOOD: another part with the same contents.
 */
void board_external_fault(struct board *b, enum board_chip_fault fault, uint64_t n);
uint64_t board_external_ops(const struct board *b);

struct board_chip_stats {
    uint64_t erases, programs, busy_cycles;
};
struct board_stats {
    uint64_t insns, cycles, resets;
    struct board_chip_stats internal, external;
    uint64_t overlap_cycles; /* both chips busy */
};
void board_get_stats(const struct board *b, struct board_stats *s);
/* Names of what was touched and is not modelled, "NAME+0x500 (0x40007500)"; NULL past the last. */
const char *board_unmodelled(const struct board *b, unsigned i);

/* ---- snapshot ---- */

size_t board_snapshot_size(const struct board *b);
void board_snapshot(const struct board *b, void *buf);
/* Into the same board, or one of the same config. */
void board_restore(struct board *b, const void *buf);

/* ---- observing and debugging ---- */

/* A hash over every instruction's address and time, exceptions, flash operations and what is sent, from
 * now on (slower). */
void board_hash_start(struct board *b);
uint64_t board_hash(const struct board *b);

/* Everything that a second core would have to be told to follow this one; NULL: not of interest. */
struct board_watch {
    bool (*insn)(void *ctx, uint32_t pc); /* before each; true stops with BOARD_BREAK */
    void (*mmio)(void *ctx, bool write, uint32_t addr, unsigned size, uint32_t val);
    void (*memory)(void *ctx, uint32_t addr, uint32_t len); /* changed, not by a store to RAM */
    void (*exception)(void *ctx, unsigned number, bool enter);
};
void board_on_watch(struct board *b, const struct board_watch *w, void *ctx);

/* Core registers as GDB numbers them: 0..15, 16 xPSR, 17 MSP, 18 PSP, 19 PRIMASK, 20 BASEPRI,
 * 21 FAULTMASK, 22 CONTROL, 23 FPSCR, 32..63 S0..S31. */
uint32_t board_reg(const struct board *b, unsigned n);
void board_set_reg(struct board *b, unsigned n, uint32_t v);
/* Memory as a debugger sees it: no faults, no side effects on time; false where nothing is. */
bool board_peek(struct board *b, uint32_t addr, void *buf, size_t len);
bool board_poke(struct board *b, uint32_t addr, const void *buf, size_t len);

/*
 * Serves one GDB connection on the connected stream socket `fd` until it detaches or closes, running
 * the board meanwhile. `between` (may be NULL) is called about every 20 ms of virtual time that runs,
 * for the outside world; true ends the run as if its time were over. Returns the last stop; BOARD_BREAK
 * if the debugger killed the program or left.
 */
typedef bool board_between_fn(void *ctx);
enum board_stop board_gdb_serve(struct board *b, int fd, uint64_t until, board_between_fn *between, void *ctx);

#endif
