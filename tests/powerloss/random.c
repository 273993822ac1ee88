/*
 * Random plans of many cuts: what the exhaustive search of two cuts cannot reach. Where power fails, how
 * each chip's operation is torn and what weak cells read is drawn; sometimes power holds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/powerloss/bench.h"

enum { SESSIONS_MAX = 60, PLAN = 8192, LAST_OP = 40 };

struct run {
    struct bench b;
    struct saved first;
    char plan[PLAN];
    size_t plan_len;
};

static void plan_add(struct run *r, const struct cut *how)
{
    char text[PLAN / 8];

    session_text(&r->b, how, text, sizeof text);
    r->plan_len += (size_t)snprintf(r->plan + r->plan_len, PLAN - r->plan_len, "/%s", text);
    if (r->plan_len >= PLAN)
        r->plan_len = PLAN - 1;
}

static struct cut draw(struct bench *b, bool more)
{
    unsigned last = 1 + random_below(b, LAST_OP); /* small numbers more often: few sessions are long */

    if (!more || random_below(b, 8) == 0)
        return (struct cut) { 0 };
    return (struct cut) { 1 + random_below(b, last), (uint8_t)random_below(b, SIM_TEARS),
        (uint8_t)random_below(b, SIM_TEARS) };
}

/* Until `depth` cuts have happened and nothing is left to do. */
static bool one_plan(struct run *r, unsigned depth, uint64_t *cuts)
{
    struct bench *b = &r->b;
    unsigned done = 0;

    bench_restore(b, &r->first);
    r->plan_len = 0;
    for (unsigned i = 0; i < SESSIONS_MAX + depth; i++) {
        struct cut how = draw(b, done < depth);
        b->known = 0;
        b->cut = how;
        bool ok = bench_session(b);
        if (!b->was_cut)
            how = (struct cut) { 0 };
        plan_add(r, &how);
        done += b->was_cut;
        *cuts += b->was_cut;
        if (!ok)
            return false;
        if (bench_settled(b))
            return true;
    }
    bad(b, "the board does not settle");
    return false;
}

bool random_plans(const struct campaign *c, unsigned plans, unsigned depth, uint64_t *cuts)
{
    struct run *r = calloc(1, sizeof *r);
    bool ok = true;

    if (!r)
        abort();
    *cuts = 0;
    bench_open(&r->b, c);
    r->b.random = true;
    r->b.rng = 88172645463325252u;
    bench_save(&r->b, &r->first);
    for (unsigned i = 0; i < plans && ok; i++)
        ok = one_plan(r, depth, cuts);
    if (!ok) {
        char what[WHAT_LEN];
        bench_what(&r->b, what);
        printf("%s: FAIL in a random plan: %s\n  last: %s\n  repeat with: --replay '%s%s'\n", c->name, r->b.why, what,
            c->name, r->plan);
    }
    saved_free(&r->first);
    bench_close(&r->b);
    free(r);
    return ok;
}
