/* The rules: what must hold in every node, and at every start of an image. */
#include "tests/model/model.h"

#include <stddef.h>

static bool has_solid(const struct node *n, int x, int i)
{
    uset v = (uset)((uset)1 << sc.c[x][i]);
    for (int off = 0; off <= 2 && i + off < sc.ns; off++)
        if (n->S[i + off] == v)
            return true;
    return n->P[i] == v;
}

void check_node(const struct node *n)
{
    for (int i = 0; i < sc.n[n->g.good]; i++)
        if (!has_solid(n, n->g.good, i))
            bad("confirmed image not recoverable (no solid copy of a unit)");
    if (n->g.neu == NONE || n->g.req != SURE || n->g.damaged)
        return;
    for (int i = 0; i < sc.n[n->g.neu]; i++)
        if (!has_solid(n, n->g.neu, i))
            bad("requested image lost (no solid copy of a unit)");
}

void request_over(void)
{
    struct ghost *g = &ss.now.g;
    *g = (struct ghost){ .good = g->good, .neu = NONE, .tampered = g->tampered };
}

static const char *not_whole(int x)
{
    for (int i = 0; i < sc.n[x]; i++) {
        if (read_p(i) != sc.c[x][i])
            return "started image is not whole";
        if (!solid(ss.now.P[i]) && !ss.degraded)
            return "started image has a weak unit";
    }
    return NULL;
}

static bool old_image_solid(int x)
{
    for (int off = 0; off <= 2; off++) {
        bool ok = off + sc.n[x] <= sc.ns;
        for (int i = 0; ok && i < sc.n[x]; i++)
            ok = ss.now.S[off + i] == (uset)((uset)1 << sc.c[x][i]);
        if (ok)
            return true;
    }
    return false;
}

/* The new image was started on trial. */
static const char *check_trial(void)
{
    struct ghost *g = &ss.now.g;
    if (!(g->may_kind & 1u << TEST))
        return "permanent request installed as test";
    g->may_kind = 1u << TEST;
    if (g->confirm == SURE)
        return "confirmed image on test again";
    if (g->fails >= sc.attempts && !g->degraded)
        return "image without attempts left started again";
    if (g->fails < sc.attempts)
        g->fails++;
    if (g->revreq == SURE)
        return "revert request ignored";
    if (!old_image_solid(g->good))
        return "test boot without a solid copy of the old image in S";
    if (ss.now.pt[T_MAGIC].may != W_SET || ss.now.pt[T_COPY].may != W_SET)
        return "P trailer not whole at a test boot";
    g->booted = 1;
    return NULL;
}

/* The new image was started for good. */
static const char *check_accepted(void)
{
    struct ghost *g = &ss.now.g;
    if (!(g->may_kind & 1u << PERM) && g->confirm == NO)
        return "unconfirmed image taken as confirmed";
    g->good = g->neu;
    request_over();
    return NULL;
}

/* The old image was started although another was requested. */
static const char *check_returned(void)
{
    struct ghost *g = &ss.now.g;
    if (ss.test)
        return "confirmed image started on test";
    if (g->req == MAYBE)
        return NULL; /* the request was in flight at the cut: not taken, or not yet */
    if (ss.dead && !g->booted) {
        g->degraded = 1;
        return NULL; /* cannot be acted upon: reported */
    }
    if (!(g->may_kind & 1u << TEST))
        return "permanent request not acted upon";
    if (g->confirm == SURE)
        return "confirmed image reverted";
    if (!g->booted)
        return "image never started was reverted or ignored";
    if (g->may_fails < sc.attempts && g->revreq == NO)
        return "image with attempts left reverted";
    request_over();
    return NULL;
}

/* Identical images are told apart by the request. */
static const char *check_identical(void)
{
    struct ghost *g = &ss.now.g;
    if (!same_image(ss.image, g->good))
        return "an image nobody promised";
    if (ss.now.st[T_MAGIC].may == W_BLANK)
        request_over();
    else if (g->req == SURE && !ss.dead)
        return "request not acted upon";
    return NULL;
}

/*
 * After somebody flashed P: any whole image is right, and what it is started as counts from here. A
 * request that was in flight may still come up.
 */
static const char *check_tampered(void)
{
    struct ghost *g = &ss.now.g;
    if (ss.test || ss.now.st[T_MAGIC].may == W_BLANK)
        g->tampered = 2;
    if (!ss.test) {
        g->good = (uint8_t)ss.image;
        request_over();
        return NULL;
    }
    g->neu = (uint8_t)ss.image;
    g->req = SURE;
    g->may_kind = 1u << TEST;
    g->booted = 1;
    g->fails = 1;
    return NULL;
}

/* The trailer of P is in order wherever an image is started for good. */
static const char *check_p_trailer(void)
{
    int magic = ss.seen.pt[T_MAGIC], ok = ss.seen.pt[T_OK];
    if (magic & W_PART || ok & W_PART || ss.seen.pt[T_COPY] & W_PART)
        return "P trailer left damaged";
    if ((magic == W_SET) != (ok == W_SET))
        return "P trailer left half set";
    return NULL;
}

static const char *check_started(void)
{
    struct ghost *g = &ss.now.g;
    int x = ss.image;
    const char *why = not_whole(x);
    if (why)
        return why;
    if (ss.degraded) {
        g->degraded = 1;
        if (same_image(x, g->neu))
            g->booted = 1;
        return NULL;
    }
    if (!ss.test && bug != BUG_LAZY_CONFIRM && (why = check_p_trailer()))
        return why;
    if (g->tampered == 1)
        return check_tampered();
    if (g->neu == NONE || g->req == NO)
        return same_image(x, g->good) && !ss.test ? NULL : "wrong image: nothing was requested";
    if (same_image(g->neu, g->good) && !ss.test)
        return check_identical();
    if (!same_image(x, g->neu))
        return same_image(x, g->good) ? check_returned() : "an image nobody promised";
    if (g->req == MAYBE)
        g->req = SURE;
    return ss.test ? check_trial() : check_accepted();
}

void check_jump(void)
{
    if (ss.halted) {
        if (!ss.dead)
            bad("no image started");
        return;
    }
    const char *why = check_started();
    if (why)
        bad(why);
}
