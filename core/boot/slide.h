/*
 * The slide: two images change places, each unit erased and programmed once (plan.h, state.h).
 *
 * Every step may run again: after a cut the group that was in flight is done anew, whatever it
 * reads. The caller has written the state unit; the slide marks its progress in it, closes the swap
 * (trailers) and programs DONE, the commit of the whole swap.
 */
#ifndef CORE_BOOT_SLIDE_H
#define CORE_BOOT_SLIDE_H

#include "core/boot/state.h"
#include "core/boot/store.h"

struct slide {
    const struct store *store;
    struct state_cell *cell; /* base: the state unit of this swap, fresh */
    uint8_t *buf[2]; /* one unit each */
    void (*feed)(void *ctx); /* or NULL */
    void *ctx;
    bool external; /* false: the external chip is dead; only for a further start of a trial */
    /* results */
    bool p_touched; /* a unit of P was erased by this call */
    struct finding why; /* if it stopped */
};

/*
 * CRC-32 of every unit of the image in S, then of that in P (n_s + n_p little-endian words) into
 * `out`, which is one of the buffers; the other is read through.
 */
int slide_digests(struct slide *sl, const struct state *st, uint8_t *out, uint8_t *through) MUST_CHECK;

/* Checks that the sources of the group at `position` are what the tables say. ERR_SOURCE with sl->why. */
int slide_check(struct slide *sl, uint16_t position) MUST_CHECK;

/* The groups from `start` of the base on. An error: it stopped, sl->why says where and why. */
int slide_run(struct slide *sl) MUST_CHECK;
/* The closing steps, which follow the groups, and DONE. */
int slide_close(struct slide *sl) MUST_CHECK;

/* Whether P (units 0..n) or the image of P saved in S reads as the base's table of S or of P. */
enum slide_table { SLIDE_TABLE_S, SLIDE_TABLE_P };
int slide_p_matches(struct slide *sl, enum slide_table table, bool *match) MUST_CHECK;
/* After a finished swap: whether S holds the whole image that P held before. *bad_unit: the first that does not. */
int slide_old_whole(struct slide *sl, bool *whole, uint32_t *bad_unit) MUST_CHECK;

#endif
