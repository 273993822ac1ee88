/*
 * Cuts on the real geometry. One bench walks through the campaign without a cut; at each point another
 * one gets the chips as the cut leaves them, boots on with random readings, and must end as the script
 * does without a cut.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/powerloss/bench.h"

enum { SESSIONS_MAX = 30, PLAN = 2048 };

struct run {
    struct bench walk; /* first: the fork's bench */
    struct bench after;
    struct saved cut;
    uint64_t total; /* operations of the whole walk */
    uint64_t before; /* of these in sessions that are over */
    unsigned points, next; /* number of the next point */
    uint64_t cuts;
    char plan[PLAN]; /* of the walk so far, then of what comes after */
    size_t plan_len;
};

static void plan_add(struct run *r, const struct bench *b, const struct cut *how)
{
    char text[PLAN / 4];

    session_text(b, how, text, sizeof text);
    r->plan_len += (size_t)snprintf(r->plan + r->plan_len, PLAN - r->plan_len, "/%s", text);
    if (r->plan_len >= PLAN)
        r->plan_len = PLAN - 1;
}

/* The operation of this session at which the next point lies; UINT32_MAX: in none of it. */
static uint32_t next_op(const struct run *r)
{
    if (r->next >= r->points)
        return UINT32_MAX;
    /* Not all at the same step of a unit: each lies somewhere in its share. */
    uint64_t share = r->total / r->points, jitter = (r->next * 2654435761u >> 8) % (share ? share : 1);
    uint64_t op = r->next * r->total / r->points + jitter + 1;
    return op > r->before ? (uint32_t)(op - r->before) : 1;
}

static void continue_after(struct run *r)
{
    struct bench *b = &r->after;
    bool settled = false;

    for (unsigned i = 0; i < SESSIONS_MAX && !settled; i++) {
        b->known = 0;
        if (!bench_session(b))
            return;
        plan_add(r, b, &(struct cut) { 0 });
        settled = bench_settled(b);
    }
    if (!settled)
        bad(b, "the board does not settle");
    else if (!bench_ends_right(b))
        bad(b, "it ends with another image");
}

static void on_fork(struct bench *walk, const struct cut *how)
{
    struct run *r = (struct run *)walk;
    struct bench *b = &r->after;
    size_t plan_len = r->plan_len;

    bench_save(walk, &r->cut);
    bench_restore(b, &r->cut);
    b->w.sessions = 0;
    b->rng = how->op * 16 + how->tear + 1;
    plan_add(r, walk, how);
    r->cuts++;
    continue_after(r);
    if (b->why) {
        char what[WHAT_LEN];
        bench_what(b, what);
        printf("%s: FAIL after a cut: %s\n  last: %s\n  repeat with: --replay '%s%s'\n", walk->c->name, b->why, what,
            walk->c->name, r->plan);
        bad(walk, b->why);
    }
    r->plan_len = plan_len;
    if (how->tear == SIM_TEARS - 1) {
        do
            r->next++;
        while (next_op(r) <= how->op);
        walk->fork_op = next_op(r);
    }
}

/* Counts operations in the first pass, cuts in the second. */
static bool walk(struct run *r, bench_fork_fn *fork)
{
    struct bench *b = &r->walk;
    bool ok = true;

    r->before = 0;
    for (unsigned i = 0; i < SESSIONS_MAX && ok; i++) {
        b->known = 0;
        b->fork = fork;
        b->fork_op = next_op(r);
        ok = bench_session(b);
        if (ok && bench_settled(b))
            break;
        plan_add(r, b, &(struct cut) { 0 });
        r->before += b->op;
    }
    return ok;
}

bool real_points(const struct campaign *c, unsigned points, uint64_t *cuts)
{
    struct saved first = { 0 };
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    bench_open(&r->walk, c);
    bench_open(&r->after, c);
    r->after.random = true;
    bench_save(&r->walk, &first);
    bool ok = walk(r, NULL);
    r->total = r->before;
    r->points = points;
    r->plan_len = 0;
    bench_restore(&r->walk, &first);
    ok = ok && walk(r, on_fork);
    if (!ok && !r->after.why)
        printf("%s: FAIL: %s\n", c->name, r->walk.why ? r->walk.why : "not all points were reached");
    *cuts = r->cuts;
    saved_free(&first);
    saved_free(&r->cut);
    bench_close(&r->walk);
    bench_close(&r->after);
    free(r);
    return ok;
}
