/*
 * The test bench of the power-loss harness: core/boot as it ships, over two NOR models, with images
 * that are the same in every run, an application, and a record of what was promised to whom.
 *
 * Every flash operation of bootloader and application passes bench.c, which can end the session there
 * with torn cells (a cut), or fork: hand every way of tearing it to the search and go on.
 */
#ifndef TESTS_POWERLOSS_BENCH_H
#define TESTS_POWERLOSS_BENCH_H

#include <setjmp.h>

#include "core/boot/boot.h"
#include "core/boot/upload.h"
#include "sim/flash/nor.h"

enum { UNIT = 4096, IMAGES = 3, NONE = 255 };
enum { INTERNAL, EXTERNAL, CHIPS };

/* ---- images (image.c) -------------------------------------------------------------------------- */

struct pl_image {
    uint8_t *data; /* units * UNIT bytes, 0xFF behind the end */
    uint32_t len;
    uint32_t units;
    uint8_t sha[CRYPTO_SHA256_LEN]; /* of the file */
};
struct pl_key {
    uint8_t scalar[32];
    struct image_key pub;
};
void pl_key_make(struct pl_key *k);
/*
 * A signed image of `len` bytes; the same bytes for the same arguments in every run (the signature is
 * by RFC 6979). Units whose bit is set in `shared` have the payload of seed 0.
 */
struct pl_image pl_image_make(const struct pl_key *k, const struct layout *l, uint32_t seed, uint32_t len,
    uint32_t shared);

/* The harness's faster CRC-32 gives what the shipped one gives (crc_fast.c). */
bool crc_fast_check(void);

/* ---- what is promised (promise.c) --------------------------------------------------------------- */

enum certainty { NO, MAYBE, SURE };
enum { KIND_TEST = 1, KIND_PERM = 2 };

struct promise {
    uint8_t good; /* last image confirmed: recoverable at every moment */
    uint8_t neu; /* image requested, neither confirmed nor reverted; NONE */
    uint8_t req, may_kind; /* certainty; KIND_ bits */
    uint8_t confirm, revreq; /* certainty */
    uint8_t booted; /* a start of neu was on its way to being recorded */
    uint8_t fails, may_fails; /* starts that happened; that may be on record */
    uint8_t degraded; /* the external chip did not answer at some boot of this update */
    uint8_t damaged; /* neu destroyed itself */
    uint8_t tampered; /* P was flashed by a debugger: 1 not started since, 2 started since */
};

/* ---- campaigns (campaign.c) ---------------------------------------------------------------------- */

/* What the application does, in order; each waits until it can be done or is no longer needed. */
enum act {
    ACT_END,
    ACT_TEST_B, /* ask for image B, which lies in S, on trial */
    ACT_PERM_B,
    ACT_TEST_A, /* ask for the image in S, on trial */
    ACT_UPLOAD_C, /* write image C to S by the update service's writer, ask for it on trial */
    ACT_CONFIRM,
    ACT_CONFIRM_UPLOAD_C, /* confirm, and upload C in the same session */
    ACT_HANG, /* do nothing until it is reverted */
    ACT_ASK_REVERT,
    ACT_DAMAGE, /* destroy a unit of itself */
    ACT_DAMAGE_LATER, /* the same, when it is confirmed and the old image still lies in S */
};
enum { ACTS_MAX = 6 };

enum extra {
    X_DEAD = 1, /* the external chip may be dead at any boot */
    X_MCUBOOT = 2, /* first boot: MCUboot left B on trial in P and A in S */
    X_BROKEN_P = 4, /* first boot: P is broken, S holds A */
    X_FLASHED = 8, /* image C may be flashed into P between two boots */
    X_STATE_IN_BOOT = 16, /* no scratch partition: the state area is the end of the boot partition */
    X_REAL = 32, /* the real parts and partitions, for points.c; not searched */
    X_EQUAL_SLOTS = 64, /* of X_REAL: slot 1 is no larger than slot 0 */
    X_ROT = 128, /* unit 0 of the requested image in S may go bad between two boots */
};
struct campaign {
    const char *name;
    uint8_t units[IMAGES]; /* of A, B, C */
    uint8_t spare; /* units of S beyond the largest image and the trailer */
    uint8_t shared; /* units that A, B and C have in common (bits) */
    uint8_t attempts;
    uint8_t extra;
    uint8_t act[ACTS_MAX];
    uint8_t ends; /* image that runs at the end if power never fails */
};
extern const struct campaign campaigns[];
extern const unsigned campaign_count;
const struct campaign *campaign_find(const char *name, size_t len);

/* ---- the bench (bench.c) ------------------------------------------------------------------------- */

/* What survives a reset beside the chips. */
struct world {
    struct promise pr;
    uint8_t step; /* of campaign.act */
    uint8_t dead_boots; /* so far */
    uint8_t sessions; /* since the last cut */
    uint8_t rotten; /* the requested image has gone bad */
    uint8_t astray; /* the script's end cannot be reached: an image that was started was rightly given up */
};
struct saved {
    struct nor_snapshot chip[CHIPS];
    struct world w;
};

/* How a session is cut. */
struct cut {
    uint32_t op; /* from 1; 0: not at all */
    uint8_t tear, other; /* enum sim_tear: of this operation, of the other chip's in flight */
};

/* Called before an operation begins, in fork mode, for each way to tear it. The chips show the result. */
struct bench;
typedef void bench_fork_fn(struct bench *b, const struct cut *how);
/* Sees every operation before it begins, and may set b->cut to end the session there. */
typedef void bench_watch_fn(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data);

struct bench {
    const struct campaign *c;
    struct sim_clock clock;
    struct sim_power power;
    struct nor chip[CHIPS];
    struct flash_dev dev[CHIPS];
    struct flash_ops ops[CHIPS]; /* bench.c's own, around the model's */
    struct layout layout;
    struct pl_key key;
    struct image_keys keys;
    struct store store;
    struct pl_image image[IMAGES];
    uint8_t buf[2][BOOT_UNIT_MAX];
    struct boot_config cfg;
    struct boot_report report;
    struct boot_result result;
    struct upload upload; /* the application's */
    struct world w;
    /* the session in progress */
    uint32_t op; /* operations so far */
    uint32_t boot_ops; /* of these by the bootloader; 0xFFFFFFFF while it runs */
    struct cut cut;
    bench_fork_fn *fork; /* NULL: no forks */
    bench_watch_fn *watch; /* NULL: nobody looks */
    uint32_t fork_op; /* only at this operation; 0: at all */
    bool all_pairs; /* fork with 25 pairs of tears where both chips are busy; else 5 */
    bool dead, was_cut;
    unsigned erased_units; /* of the state cell, bits */
    int running; /* image started, NONE: none */
    bool trial, degraded;
    const char *why; /* the rule that was broken, NULL none */
    struct last_op {
        uint32_t op;
        unsigned which;
        bool erase;
        uint32_t off, len;
    } last;
    jmp_buf out;
    /* error injection: the call of this number fails with this error; 0 none */
    uint32_t fail_call, calls;
    int fail_error;
    bool fail_sticky; /* the chip dies there: nothing of it works until the next power-up */
    unsigned fail_chip;
    bool failed;
    /* choices of this session */
    uint8_t choice[256], options[256];
    unsigned known, at;
    bool scripted; /* choices come from a plan */
    bool random; /* new choices are random ones */
    uint64_t rng;
    /* over all sessions */
    uint64_t seal_thirds; /* a SEAL programmed a third time: exempt (SPEC.md) */
    uint64_t log_thirds; /* the same of a word in the log of failures */
    uint64_t sessions, cuts;
    struct saved before; /* fork: the chips before the operation */
};

void bench_open(struct bench *b, const struct campaign *c);
enum { WHAT_LEN = 96 };
/* The last operation, in words. */
void bench_what(const struct bench *b, char out[WHAT_LEN]);
void bench_close(struct bench *b);
void bench_save(struct bench *b, struct saved *s);
void bench_restore(struct bench *b, const struct saved *s);
void saved_free(struct saved *s);

/* The adversary's and the application's choices: 0 .. n-1. */
unsigned choose(struct bench *b, unsigned n);
unsigned random_below(struct bench *b, unsigned n);
bool choose_next(struct bench *b);

/*
 * Power-up, boot, one action of the application, reset; or the cut on the way. False: a rule is
 * broken (b->why).
 */
bool bench_session(struct bench *b);
/* The script has come to where it goes without a cut, unless it was led astray. */
bool bench_ends_right(const struct bench *b);
/* Nothing is left to do: the script is at its end, and the last session wrote nothing. */
bool bench_settled(const struct bench *b);

void bad(struct bench *b, const char *why);

/* ---- rules (promise.c) --------------------------------------------------------------------------- */

void promise_begin(struct bench *b);
void promise_request(struct bench *b, unsigned image);
void promise_over(struct bench *b);
/* At every moment a reset may leave behind. */
void check_state(struct bench *b);
/* Which image lies whole in P; NONE. */
int image_in_p(const struct bench *b);
/* After boot_run(). */
void check_boot(struct bench *b);
bool solid_in_s(const struct bench *b, unsigned image, unsigned unit_off);

/* ---- the application (app.c) ---------------------------------------------------------------------- */

void app_act(struct bench *b);
void app_tamper(struct bench *b);
bool app_done(const struct bench *b);

/* ---- search and replay (search.c) ------------------------------------------------------------------ */

struct search_result {
    uint64_t states, sessions, cuts; /* distinct states; boots; ways to cut that were tried */
    uint64_t seal_thirds, log_thirds;
    bool failed;
};
/* All plans of at most `depth` cuts. Prints a failure with its plan. */
struct search_result search(const struct campaign *c, unsigned depth, bool all_pairs);
/* 0: no rule broken, 1: broken, 2: not a plan. */
int replay(const char *plan);
/* "choices@op" with the letters of the tears. */
int session_text(const struct bench *b, const struct cut *how, char *out, size_t size);

/* ---- errors and the real geometry (errors.c, points.c) ------------------------------------------------ */

/*
 * Every flash call of every uncut session of the campaign fails: that one, or all of that chip from it
 * on, until the next power-up. Nothing hangs, no image is lost, and later boots come to an end.
 */
bool every_error(const struct campaign *c, uint64_t *calls);
/*
 * Cuts at `points` operations of the boots of an X_REAL campaign, each torn in every way; random
 * readings after that. *cuts: how many were tried.
 */
bool real_points(const struct campaign *c, unsigned points, uint64_t *cuts);
/* Random plans of at most `depth` cuts each. *cuts: how many there were. */
bool random_plans(const struct campaign *c, unsigned plans, unsigned depth, uint64_t *cuts);
/* The traces that tests/model's are compared with; NULL: all plans. 2: not a plan. */
int steps_c_main(const char *plan);
bool campaign_searched(const struct campaign *c);

#endif
