/*
 * The layout of a board from its devicetree file: reads it, checks it, and says with file, line,
 * reason and fix what is wrong. Called by `slipway layout`, the simulated board, `slipway sign` and
 * the build (through `slipway layout --header`).
 *
 * A board is a folder name below boards/, or the path of a devicetree file or of a folder with a
 * board.dts. The file may be complete (a built zephyr.dts) or a board file whose includes are not at
 * hand: `&flash0 { ... }` without its definition is the nRF52840's 1 MiB with 4 KiB pages.
 *
 * Partitions are found by their node labels (boot_partition, slot0_partition, slot1_partition,
 * scratch_partition, storage_partition), else by the property `label` (mcuboot, image-0, image-1,
 * image-scratch, storage), below a node compatible with fixed-partitions.
 */
#ifndef HOST_LIB_LAYOUT_LOAD_H
#define HOST_LIB_LAYOUT_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/boot/layout.h"
#include "host/lib/layout/wiring.h"

enum {
    LAYOUT_PATH_MAX = 512,
    LAYOUT_NAME_MAX = 48,
    LAYOUT_TEXT_MAX = 320,
    LAYOUT_REGIONS_MAX = 64, /* partitions of both chips */
    LAYOUT_PROBLEMS_MAX = 64, /* kept; more are counted only */
};

struct layout_where {
    char file[LAYOUT_PATH_MAX];
    unsigned line, column; /* from 1; 0: the file as a whole */
};

enum layout_severity {
    LAYOUT_NOTE, /* worth knowing; nothing to be done */
    LAYOUT_WARNING,
    LAYOUT_ERROR, /* no layout comes from this file */
};

struct layout_problem {
    enum layout_severity severity;
    const char *id; /* for scripts: "overlap", "chip_end", ...; docs/commands/layout.md lists them */
    struct layout_where at;
    char what[LAYOUT_TEXT_MAX];
    char why[LAYOUT_TEXT_MAX]; /* what comes of it */
    char fix[LAYOUT_TEXT_MAX];
};

enum layout_role {
    LAYOUT_BOOT,
    LAYOUT_SLOT0,
    LAYOUT_SLOT1,
    LAYOUT_SCRATCH,
    LAYOUT_STORAGE,
    LAYOUT_OTHER,
};

enum { LAYOUT_INTERNAL = 0, LAYOUT_EXTERNAL = 1 };

/* A partition as the file has it. */
struct layout_region {
    char name[LAYOUT_NAME_MAX]; /* node label, else property label, else node name; printable ASCII */
    enum layout_role role;
    uint8_t chip; /* LAYOUT_INTERNAL or LAYOUT_EXTERNAL */
    uint32_t off;
    uint32_t size;
    struct layout_where at;
};

struct layout_chip {
    bool found;
    char name[LAYOUT_NAME_MAX]; /* node name, like "at25xe321d@0" */
    uint32_t size;
    uint32_t erase;
    uint32_t jedec; /* 0x00MMTTCC; internal 0 */
    struct layout_where at;
};

/* All that was read and found; no pointers into it are kept by struct layout but `board`. */
struct layout_report {
    char board[LAYOUT_NAME_MAX];
    char path[LAYOUT_PATH_MAX];
    struct layout_chip chip[2];
    struct layout_region region[LAYOUT_REGIONS_MAX];
    unsigned region_count;
    struct layout_wiring wiring;
    struct layout_problem problem[LAYOUT_PROBLEMS_MAX];
    unsigned problem_count; /* those kept */
    unsigned errors, warnings; /* all, also those not kept */
};

/*
 * Reads and checks a board. OK and *out (out->board points into *report, which must outlive it);
 * ERR_NOENT: no such board or file, ERR_IO: it cannot be read, ERR_FORMAT: it was read and
 * report->errors > 0. In every case *report says what is wrong, with at least one problem if not OK.
 * A name is looked up in boards/ beside the executable and in its parent folders, then in
 * share/slipway/boards of the prefix it is installed in, then in each folder of SLIPWAY_BOARDS
 * (separated by ':').
 */
int layout_load(const char *board_or_path, struct layout *out, struct layout_report *report) MUST_CHECK;

/* Only the search: OK and the path of the devicetree file, or ERR_NOENT. */
int layout_find(const char *board_or_path, char *path, size_t path_size) MUST_CHECK;

/* The text of line `line` of a file, cut to the size, tabs as they are; false if there is none. */
bool layout_source_line(const char *file, unsigned line, char *buf, size_t size);

#endif
