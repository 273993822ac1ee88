/*
 * What to do at boot: a pure function of what was found, tested over the whole table of its inputs.
 *
 * Facts that cost time (a hash, a signature, the CRC of every unit) begin as unknown; boot_decide()
 * asks for one when it needs it, the caller finds it out and asks again. So no fact is worked out that
 * no decision stands on, and the function still sees all of them.
 */
#ifndef CORE_BOOT_DECIDE_H
#define CORE_BOOT_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/boot/trailer.h"

enum boot_cell {
    CELL_NEW, /* no valid state: a new board, or the area holds garbage */
    CELL_IDLE, /* confirmed, or a swap that is closed and needs no confirm */
    CELL_UNFINISHED, /* a swap without DONE */
    CELL_TRIAL, /* a test swap with DONE: the image must confirm itself */
    CELL_COUNT
};

enum fact { FACT_UNKNOWN, FACT_NO, FACT_YES, FACT_COUNT };

/* A swap that had to stop in this boot. */
enum boot_stop {
    STOP_NO,
    STOP_UNTOUCHED, /* before any unit of P was touched */
    STOP_TOUCHED,
    STOP_COUNT
};

struct boot_facts {
    enum boot_cell cell;
    enum boot_stop stop;
    bool external; /* the chip answers, and as the one the layout names */
    bool settled; /* the state may stay as it is when an application starts */
    bool recovered; /* a RECOVER was begun in this boot, or finished: no second one */
    bool reaches_trailer; /* the image in P lies over its trailer */
    bool armed; /* TRIAL: this boot has written its state; only START is missing */
    enum trailer_flag p_magic, p_image_ok, p_copy_done;
    enum trailer_flag s_magic, s_image_ok; /* blank where the chip is dead */
    enum fact p_good; /* P holds an image that verifies and can be started */
    enum fact p_match; /* UNFINISHED: P is one of the two images or on its way; TRIAL: it is the new one */
    enum fact s_good; /* S holds an image that verifies, fits and can be started from P */
    enum fact s_old; /* TRIAL: S holds the whole old image */
    uint8_t starts; /* of the image on trial, on record */
    uint8_t attempts; /* starts it gets, at least 1 */
};

enum boot_step {
    /* questions */
    ASK_P_GOOD,
    ASK_P_MATCH,
    ASK_S_GOOD,
    ASK_S_OLD,
    /* work; the caller changes the facts accordingly and asks again */
    STEP_SETTLE, /* write CONFIRMED and SETTLE; the cell is idle then */
    STEP_FLASHED_OUTSIDE, /* the same, because P was changed from outside; UNFINISHED: S's trailer is erased first */
    STEP_ABANDON, /* the same, giving up a swap that touched nothing; its request is not looked at again */
    STEP_REFUSE, /* erase S's trailer: the image asked for is no good */
    STEP_REPAIR, /* write P's trailer anew */
    STEP_RESUME,
    STEP_TEST,
    STEP_PERM,
    STEP_RECOVER,
    STEP_REVERT, /* of a trial: tables exchanged */
    STEP_REVERT_FOUND, /* MCUboot left a test image in P and the old one at S[0] */
    STEP_TRY_AGAIN, /* a further start of a trial */
    /* ends */
    STEP_START, /* start P */
    STEP_RECOVERY, /* nothing can be started */
    STEP_COUNT
};

enum boot_step boot_decide(const struct boot_facts *f);

#endif
