/*
 * What keeps the model and the C code in step: both go through the same cases, uncut, with one cut and
 * with two, and name every step that they take in flash. The traces must be the same.
 *
 * A step is what the protocol calls one: a group of the slide, the erase of a state unit or a trailer,
 * the program of a word. Power fails before a step, or in it: then the step leaves what reads as neither
 * old nor new. What may read one way today and the other way tomorrow is left to the two searches.
 *
 * steps.c is linked into both programs and needs nothing of either.
 */
#ifndef TESTS_MODEL_STEPS_H
#define TESTS_MODEL_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum steps_trial { TRIAL_HANG, TRIAL_CONFIRM, TRIAL_ASK_BACK };

struct steps_case {
    const char *name;
    uint8_t units[2]; /* of A, which runs, and B, which lies in S */
    uint8_t spare; /* units of S beyond the larger image */
    uint8_t attempts;
    bool permanent; /* how B is asked for */
    enum steps_trial trial; /* what B does */
    bool mcuboot; /* MCUboot left B on trial in P and A in S */
    bool broken; /* P is broken, S holds A; nothing is asked for */
};

/* What a session is to be cut at, and what became of it. */
struct steps_cut {
    int session; /* from 0; -1: none */
    int step;
    bool inside;
};

enum steps_order { STEPS_GO_ON, STEPS_CUT_BEFORE, STEPS_CUT_INSIDE };

struct steps {
    /* of this session */
    int session, step;
    /* of this run */
    struct steps_cut cut[2];
    bool print;
    uint64_t hash;
    /* steps seen after the last cut: [session][step], 1 or 2 (can be torn) */
    uint8_t seen[16][128];
    int sessions;
};

/* A machine: reset() to the case's beginning; session() boots once and lets the application act: true if nothing was left to do. */
struct steps_machine {
    void (*reset)(void *ctx, const struct steps_case *c);
    bool (*session)(void *ctx, struct steps *st);
    void *ctx;
};

/* A step begins. The machine obeys. */
enum steps_order steps_step(struct steps *st, bool can_tear, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* More about it. */
void steps_note(struct steps *st, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints a line for every plan of at most two cuts: the plan and the hash of its trace. */
void steps_all(const struct steps_machine *m);
/* The trace of one plan, as printed by steps_all(). False: not a plan. */
bool steps_one(const struct steps_machine *m, const char *plan);

#endif
