/*
 * What the flash models of one board share: virtual time, and the power supply that fails.
 *
 * Every start of an erase or program on any chip is one operation, counted here over all chips. At
 * the operation whose number is cut_at the power fails: every operation then in flight (this one, and
 * one on another chip whose end the software has not yet seen by poll) is torn as `tear` says, then
 * cut() is called, which longjmps or exits. If it returns, or is NULL, every chip answers ERR_NODEV
 * until sim_power_up().
 */
#ifndef SIM_FLASH_POWER_H
#define SIM_FLASH_POWER_H

#include <stdbool.h>
#include <stdint.h>

/* What is left of an operation that was in flight when power failed; names are those of --cut. */
#define SIM_TEAR_TABLE(X)                                                                          \
    X(NONE, "none") /* nothing happened */                                                         \
    X(ALL, "all") /* it was complete; nobody was told */                                           \
    X(HALF, "half") /* the first half of its bytes */                                              \
    X(BITS, "bits") /* a random subset of the bits it had to change */                             \
    X(WEAK, "weak") /* old, new or torn: chosen anew at each power-up until it is rewritten */

enum sim_tear {
#define SIM_TEAR_ENUM(name, text) SIM_TEAR_##name,
    SIM_TEAR_TABLE(SIM_TEAR_ENUM)
#undef SIM_TEAR_ENUM
    SIM_TEARS
};
const char *sim_tear_name(enum sim_tear tear);
/* -1 if there is none of that name. */
int sim_tear_find(const char *name);

/* Virtual time; one clock a board. */
struct sim_clock {
    uint64_t us;
    /* Called with every step forward; NULL: time costs nothing. `--time real` sleeps here. */
    void (*stepped)(void *ctx, uint64_t step_us);
    void *ctx;
};
void sim_clock_advance(struct sim_clock *clock, uint64_t us);

struct nor;

enum { SIM_CHIPS = 2 };

struct sim_power {
    uint64_t ops; /* operations started since this struct was cleared */
    uint64_t cut_at; /* number of the operation that is cut, from 1; 0: never */
    enum sim_tear tear; /* of the operation that is started at cut_at */
    enum sim_tear tear_other; /* of the one in flight on the other chip then */
    uint64_t seed; /* state of the random numbers for torn bits and weak readings; any value */
    /*
     * Which of n readings a weak cell has at this power-up: 0 .. n-1, where n-1 is a mix of the
     * others, word by word. NULL: random. An exhaustive harness enumerates here.
     */
    unsigned (*choose)(void *ctx, unsigned n);
    void (*cut)(void *ctx);
    void *ctx;
    bool off; /* power has failed and sim_power_up() was not called yet */
    struct nor *chip[SIM_CHIPS]; /* nor_open() fills them in */
    unsigned chips;
};

/* Power fails at the n-th operation from the struct's beginning, all in flight torn the same way. */
void sim_power_cut_at(struct sim_power *p, uint64_t n, enum sim_tear tear);
/* Power returns: nothing is in flight, and every weak cell gets a reading. */
void sim_power_up(struct sim_power *p);
/* xorshift64*: the next of p->seed. */
uint32_t sim_power_random(struct sim_power *p);

#endif
