/*
 * Every call of a flash driver fails in turn: with an error, or because the chip dies there and what it
 * was doing is torn. The boot comes to an end; a later one, with the chip back, to the right one.
 */
#include <stdio.h>

#include "core/base/err.h"
#include "tests/powerloss/bench.h"

enum { SESSIONS_MAX = 30 };

static const struct failure {
    const char *name;
    int err;
    bool sticky;
} failures[] = {
    { "fails", ERR_IO, false },
    { "times out", ERR_TIMEOUT, false },
    { "is the last of its chip", ERR_NODEV, true },
};
enum { FAILURES = sizeof failures / sizeof failures[0] };

/* Boots without failures until nothing is left to do. Readings of torn cells are random. */
static bool settle(struct bench *b)
{
    for (unsigned i = 0; i < SESSIONS_MAX && !b->why; i++) {
        b->known = 0;
        if (!bench_session(b))
            return false;
        if (bench_settled(b))
            return true;
    }
    bad(b, "the board does not settle");
    return false;
}

static bool fail_call(struct bench *b, const struct saved *from, uint32_t call, const struct failure *f)
{
    bench_restore(b, from);
    b->fail_call = call;
    b->fail_error = f->err;
    b->fail_sticky = f->sticky;
    b->known = 0;
    bool ok = bench_session(b);
    b->fail_call = 0;
    ok = ok && settle(b);
    if (ok && !bench_ends_right(b)) {
        bad(b, "it ends with another image");
        ok = false;
    }
    if (!ok) {
        char what[WHAT_LEN];
        bench_what(b, what);
        printf("%s: FAIL: session %u, call %u %s: %s\n  last: %s\n", b->c->name, from->w.sessions + 1u, call, f->name,
            b->why, what);
    }
    return ok;
}

/* All calls of the session that begins there; 0: a rule was broken. */
static uint32_t fail_each(struct bench *b, const struct saved *from)
{
    bench_restore(b, from);
    b->known = 0;
    if (!bench_session(b))
        return 0;
    uint32_t n = b->calls;
    for (uint32_t call = 1; call <= n; call++)
        for (unsigned f = 0; f < FAILURES; f++)
            if (!fail_call(b, from, call, &failures[f]))
                return 0;
    return n;
}

bool every_error(const struct campaign *c, uint64_t *calls)
{
    static struct bench b;
    struct saved at = { 0 };
    bool settled = false, ok = true;

    *calls = 0;
    bench_open(&b, c);
    b.random = true;
    b.rng = 1;
    while (ok && !settled) {
        bench_save(&b, &at);
        uint32_t n = fail_each(&b, &at);
        *calls += n;
        ok = n > 0;
        bench_restore(&b, &at);
        b.known = 0;
        ok = ok && bench_session(&b);
        settled = bench_settled(&b);
    }
    saved_free(&at);
    bench_close(&b);
    return ok;
}
