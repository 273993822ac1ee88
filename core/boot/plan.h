/*
 * The order in which a slide moves units, as numbered groups: what is done between two marks.
 *
 *     forward:  for i = n-1 .. 0:   s: S[i+g] <- P[i],  p: P[i] <- S[i]
 *     backward: for i = 0 .. n-1:   s: S[i]   <- P[i],  p: P[i] <- S[i+g]
 *
 * n is the larger image's units; an s beyond the image of P and a p beyond the image of S do not
 * exist. With gap 1 each s and each p is a group of its own. With gap 2 the p of one step and the s of
 * the next are one group, so that both chips work at the same time. Empty groups do not exist and
 * are not counted. Pure functions: the same numbers after any reset.
 */
#ifndef CORE_BOOT_PLAN_H
#define CORE_BOOT_PLAN_H

#include <stdint.h>

#include "core/boot/state.h"

enum { PLAN_NONE = -1 };

struct plan_group {
    int p; /* unit of P that gets its unit of the image in S; or PLAN_NONE */
    int s; /* unit of the image in P that is saved to S; or PLAN_NONE */
};

/* Number of groups; two closing steps follow them. */
uint16_t plan_groups(const struct state *st);
struct plan_group plan_group(const struct state *st, uint16_t index);

/* Where in S unit i of the image of S lies, and where unit i of the image of P goes. */
uint32_t plan_source(const struct state *st, int i);
uint32_t plan_target(const struct state *st, int i);

/* True if a group before `index` writes a unit of P, or group `index` does and `including`. */
bool plan_touches_p(const struct state *st, uint16_t index, bool including);

#endif
