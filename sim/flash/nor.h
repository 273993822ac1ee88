/*
 * A NOR flash chip for tests and for the board in a process: implements core/flash's flash_ops.
 *
 * It keeps to NOR's truth: erases set all bits of a unit, programs only clear bits, both take the
 * time of the data sheet (in virtual time), and what power cuts leave is not what was written. Its
 * counters say how often what was erased and programmed; the code under test has no part in them.
 *
 * The internal flash of the nRF52840 stalls the CPU: a start advances the clock to the operation's
 * end. An external chip works by itself: a start returns at once, each poll while busy advances the
 * clock by poll_us, and an operation on the other chip meanwhile costs it no time.
 *
 * Contents lie in memory of the caller (which may be a shared mapping of a file) or in memory of the
 * model. An operation changes them when it ends, so that a process killed at any moment leaves what
 * a chip could hold.
 */
#ifndef SIM_FLASH_NOR_H
#define SIM_FLASH_NOR_H

#include <stddef.h>

#include "core/flash/flash.h"
#include "sim/flash/power.h"

struct nor_geometry {
    const char *name; /* "internal", "external" */
    uint32_t size;
    uint32_t erase_size; /* smallest and only erase unit */
    uint32_t prog_size; /* a "word": programs count per so many bytes */
    uint32_t prog_max; /* largest program; at most erase_size */
    uint8_t prog_limit; /* programs of a word between erases; 0: no limit */
    bool stalls; /* the CPU stands still during an operation */
    uint32_t erase_us; /* an erase */
    uint32_t word_us; /* a program: so long a word, ... */
    uint32_t page_us; /* ... and so long in all */
    uint32_t poll_us; /* what one look at a busy chip costs */
    uint32_t erase_max_ms; /* worst case, for the driver's bounds */
    uint32_t prog_max_ms;
    uint32_t jedec; /* 0x00MMTTCC; 0: has none */
};

/*
 * nRF52840 product specification, NVMC (words twice between erases: nWRITE); times as its drivers
 * plan them: 85 ms a page, 41 us a word. `size` 0: 1 MiB.
 */
struct nor_geometry nor_internal_nrf52840(uint32_t size);
/*
 * The part of that JEDEC id (AT25XE321D 1F470C, MX25R6435F C22817; any other is taken for something
 * alike): 48 ms per 4 KiB, 0.9 ms per page of 256 bytes. `size` 0: the part's own.
 */
struct nor_geometry nor_external_part(uint32_t jedec, uint32_t size);

/* Ways in which a chip is broken; names are those of --fault. */
enum nor_fault_kind {
    NOR_FAULT_NONE,
    NOR_FAULT_ABSENT, /* nothing there: all reads are 0xFF, the JEDEC id ffffff */
    NOR_FAULT_ID, /* another id than the geometry's */
    NOR_FAULT_NO_ERASE, /* erases are acknowledged and do not happen */
    NOR_FAULT_NO_PROGRAM, /* programs likewise */
    NOR_FAULT_BUSY, /* busy for ever */
    NOR_FAULT_READ_ERROR, /* every read fails */
};
struct nor_fault {
    enum nor_fault_kind kind;
    uint32_t id; /* of NOR_FAULT_ID */
    uint64_t from_op; /* from this chip's so-manieth operation on; 0: always */
};
enum { NOR_FAULTS = 8 };
/* Parses "absent", "id=C22817", "no-erase@12", ... OK or ERR_ARG. */
int nor_fault_parse(const char *text, struct nor_fault *fault) MUST_CHECK;

/* A rule of the chip that the code under test broke. */
enum nor_violation_kind {
    NOR_VIOLATION_LIMIT, /* a word was programmed more often than prog_limit */
    NOR_VIOLATION_SET, /* a program wanted a bit set that was clear */
    NOR_VIOLATION_OVERLAP, /* an operation or a read while one was running */
    NOR_VIOLATION_DATA, /* the caller's bytes changed while they were being programmed */
};
struct nor_violation {
    enum nor_violation_kind kind;
    uint32_t off; /* first byte concerned */
    uint64_t op; /* number of the operation, over all chips */
};
enum { NOR_VIOLATIONS = 16 };

struct nor_counters {
    uint64_t erases;
    uint64_t programs;
    uint64_t words; /* programmed */
    uint64_t busy_us; /* time this chip was busy, by the data sheet */
};

/*
 * A range that was in flight when power failed: `n` contents of `len` bytes each, one of which (or a
 * mix) it shows until the next power-up.
 */
struct nor_weak {
    uint32_t off;
    uint32_t len;
    unsigned n;
    uint8_t *readings; /* n * len bytes */
    struct nor_weak *next; /* by offset; never overlapping */
};
enum { NOR_WEAK_READINGS = 12 }; /* more are not kept of one range */

enum nor_op {
    NOR_IDLE,
    NOR_ERASE,
    NOR_PROGRAM,
};

struct nor {
    struct nor_geometry geo;
    struct sim_clock *clock;
    struct sim_power *power;
    uint8_t *mem; /* contents: to be read freely, to be written by nor_load() only */
    uint32_t *unit_erases; /* an entry per erase unit, since nor_open() or nor_counters_clear() */
    uint32_t *unit_programs; /* likewise, operations */
    uint8_t *word_programs; /* per word, since the unit's last erase; stops at 255 */
    struct nor_counters count;
    uint64_t ops; /* operations started, for faults */
    struct nor_fault fault[NOR_FAULTS];
    unsigned faults;
    uint64_t violations; /* how many; the first ones below */
    struct nor_violation violation[NOR_VIOLATIONS];
    struct nor_weak *weak;
    void (*weak_changed)(void *ctx); /* after every change of the list; may be NULL */
    void *weak_ctx;
    /* the operation in flight */
    enum nor_op op;
    uint32_t op_off;
    uint32_t op_len;
    const void *op_data; /* the caller's */
    uint8_t *op_copy; /* as it was at the start */
    uint64_t op_end_us;
    bool op_void; /* a fault: it will be acknowledged, nothing will happen */
    bool own_mem;
};

/*
 * `mem`: geo->size bytes that outlive the model, or NULL for erased memory of its own. Adds the chip
 * to `power`. Words that are not blank count as programmed once. ERR_ARG (geometry), ERR_NOSPACE.
 */
int nor_open(struct nor *nor, const struct nor_geometry *geo, struct sim_clock *clock,
    struct sim_power *power, uint8_t *mem) MUST_CHECK;
void nor_close(struct nor *nor);
/* Fills in a device for core/flash. It refers to `nor`. */
void nor_device(struct nor *nor, struct flash_dev *dev);

/* ERR_NOSPACE: more than NOR_FAULTS. */
int nor_fault_add(struct nor *nor, const struct nor_fault *fault) MUST_CHECK;

/* Puts contents there as a debug probe would: no time, no operation; the words count as fresh. */
void nor_load(struct nor *nor, uint32_t off, const void *data, uint32_t len);

/* Unit and chip counters to 0; what words have seen since their last erase stays. */
void nor_counters_clear(struct nor *nor);
/* Highest entry of unit_erases in a range of bytes. */
uint32_t nor_max_erases(const struct nor *nor, uint32_t off, uint32_t len);
/* Whether a part of the range may read differently at the next power-up. */
bool nor_is_weak(const struct nor *nor, uint32_t off, uint32_t len);
/* Adds a weak range from storage; `readings` is n * len bytes and is copied. ERR_RANGE, ERR_NOSPACE. */
int nor_weak_add(struct nor *nor, uint32_t off, uint32_t len, unsigned n, const uint8_t *readings) MUST_CHECK;

/*
 * The whole chip: contents, counters, weak ranges, violations; not an operation in flight, which
 * restoring forgets. Zero-initialised before its first use; taking again reuses its memory, as long
 * as it is of a chip of the same geometry.
 */
struct nor_snapshot {
    uint8_t *block;
    size_t block_len;
    struct nor_counters count;
    uint64_t ops;
    uint64_t violations;
    struct nor_violation violation[NOR_VIOLATIONS];
    struct nor_weak *weak;
};
int nor_snapshot_take(struct nor_snapshot *s, const struct nor *nor) MUST_CHECK;
int nor_snapshot_restore(const struct nor_snapshot *s, struct nor *nor) MUST_CHECK;
void nor_snapshot_free(struct nor_snapshot *s);

#endif
