/* Pictures of flash chips in text, for `slipway layout` and whoever shows what lies where. */
#ifndef HOST_LIB_LAYOUT_DRAW_H
#define HOST_LIB_LAYOUT_DRAW_H

#include <stdio.h>

#include "host/lib/layout/load.h"

struct draw_style {
    unsigned width; /* columns, 40 to 200 */
    bool unicode;
    bool color; /* ANSI */
};

/* The terminal's width and what its locale and --color allow; `color` as decided by the caller. */
struct draw_style draw_style_for(FILE *out, bool color);

/* A box of a chip, cut where its parts begin and end, in proportion, each at least one column wide. */
struct draw_part {
    char name[LAYOUT_NAME_MAX];
    char detail[24]; /* a second line */
    char key[4]; /* in place of a name for which there is no room */
    uint32_t off;
    uint32_t size;
    int color; /* ANSI foreground 31..36, 0: none */
};
enum { DRAW_PARTS_MAX = LAYOUT_REGIONS_MAX + 4 };

/* Parts in ascending order, not overlapping, inside the chip; what no part covers is drawn as free. */
void draw_chip(FILE *out, const struct draw_style *style, uint32_t chip_size,
    const struct draw_part *part, unsigned count);

/*
 * The parts of one chip (LAYOUT_INTERNAL, LAYOUT_EXTERNAL) of a board that loaded without errors, in
 * ascending order, numbered from 1 in `key`; the state area is a part of its own. Returns how many.
 */
unsigned draw_parts(struct draw_part part[DRAW_PARTS_MAX], const struct layout *layout,
    const struct layout_report *report, unsigned chip);

/* A line about the chip, then its picture. */
void draw_layout_chip(FILE *out, const struct draw_style *style, const struct layout *layout,
    const struct layout_report *report, unsigned chip);

#endif
