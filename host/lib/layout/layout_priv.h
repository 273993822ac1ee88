/* Between the files of this folder: what reading the tree leaves for the checks. */
#ifndef HOST_LIB_LAYOUT_LAYOUT_PRIV_H
#define HOST_LIB_LAYOUT_LAYOUT_PRIV_H

#include "host/lib/devicetree/devicetree.h"
#include "host/lib/layout/load.h"

/* What the bootloader's own code needs below its state, whatever the board (firmware/boot/budget.txt). */
enum { LAYOUT_BOOT_CODE_MIN = 28 * 1024 };
enum { LAYOUT_STATE_UNITS = 4 };

struct loader {
    struct layout_report *report;
    const struct dt_tree *tree;
    const struct dt_node *chip[2]; /* NULL: not found */
    const struct dt_node *region[LAYOUT_REGIONS_MAX]; /* node of report->region[i] */
    bool container[LAYOUT_REGIONS_MAX]; /* holds others (fixed-subpartitions): no overlap */
    const struct layout_region *role[LAYOUT_OTHER]; /* by enum layout_role; NULL: none */
};

/* read.c: fills in report->chip, report->region and the rest of *l. */
void layout_read_tree(struct loader *l);
/* The place of a property of a node, or of the node. */
struct dt_loc layout_loc(const struct dt_node *n, const char *prop);

/* wiring.c: fills in report->wiring, from a tree whose chips are known. */
void layout_read_wiring(struct loader *l);

/* check.c: everything that looks at the numbers. *out is filled in as far as it can be. */
void layout_check_all(struct loader *l, struct layout *out);
/* parts.c: what the external chip's properties say about each other. */
void layout_check_external(struct loader *l);
/* Bytes that a JEDEC id stands for by its maker's numbering; 0: not known. */
uint32_t layout_jedec_size(uint32_t jedec);

/* problem.c. A line: problem = layout_problem(...); layout_why(problem, ...); layout_fix(problem, ...). */
struct layout_problem *layout_problem(struct layout_report *r, enum layout_severity severity,
    const char *id, const struct dt_loc *at, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void layout_why(struct layout_problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void layout_fix(struct layout_problem *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
