/* The application, as one of MCUboot's world behaves, and a debugger that flashes slot 0. */
#include "tests/model/model.h"


enum { TAMPER_PENDING = 1 };

static void prog_st(int w, const char *what)
{
    word_prog(&ss.now.st[w], &ss.seen.st[w], false, what, 0);
}

void app_request(int x, bool perm)
{
    struct ghost *g = &ss.now.g;
    g->neu = (uint8_t)x;
    g->req = MAYBE;
    g->may_kind = 1u << TEST;
    prog_st(T_MAGIC, "app: S magic");
    g->req = SURE;
    if (!perm)
        return;
    g->may_kind = 1u << TEST | 1u << PERM;
    prog_st(T_OK, "app: S image_ok");
    g->may_kind = 1u << PERM;
}

static void erase_request(void)
{
    words_erase(ss.now.st, ss.seen.st, TRAILER_WORDS, "app: erase S trailer");
    request_over();
}

static void upload(int x, bool perm)
{
    if (bug != BUG_UPLOAD_ORDER)
        erase_request();
    for (int i = 0; i < sc.n[x] && !ss.why; i++)
        rewrite(-1, 0, i, sc.c[x][i]);
    if (bug == BUG_UPLOAD_ORDER)
        erase_request();
    app_request(x, perm);
}

void app_confirm(void)
{
    struct ghost *g = &ss.now.g;
    g->confirm = MAYBE;
    word_prog(&ss.now.pt[T_OK], &ss.seen.pt[T_OK], true, "app: confirm", 0);
    g->good = g->neu;
    request_over();
}

static const char *damage(void)
{
    int i = choose(sc.n[ss.now.g.neu]);
    ss.now.P[i] = 1 << TORN;
    ss.now.g.damaged = 1;
    return "app: destroys a unit of itself, reset";
}

static const char *act_on_trial(void)
{
    struct ghost *g = &ss.now.g;
    switch (choose(sc.s->extra & X_DAMAGE ? 7 : 6)) {
    case 0:
        return "app: power cycle";
    case 1:
        return "app: hangs";
    case 2:
        app_confirm();
        return "app: confirm, reset";
    case 3:
        app_confirm();
        upload((g->good + 1) % IMAGES, false);
        return "app: confirm, upload, test, reset";
    case 4:
        g->revreq = MAYBE;
        prog_st(T_MAGIC, "app: S magic (revert)");
        g->revreq = SURE;
        return "app: asks revert, reset";
    case 5:
        return "app: soft reset";
    default:
        return damage();
    }
}

/* An image that lies whole and solid in S, with a blank trailer: it may be asked for again. */
static int askable(void)
{
    if (ss.now.st[T_MAGIC].may != W_BLANK || ss.now.st[T_OK].may != W_BLANK)
        return NONE;
    int first = ss.now.S[0] == 1u << BLANK ? 1 : 0, last = first ? 2 : 0;
    for (int off = first; off <= last; off++)
        for (int x = 0; x < IMAGES; x++) {
            bool ok = off + sc.n[x] <= sc.ns && gap_for(x, ss.now.g.good);
            for (int i = 0; ok && i < sc.n[x]; i++)
                ok = ss.now.S[off + i] == (uset)((uset)1 << sc.c[x][i]);
            if (ok)
                return x;
        }
    return NONE;
}

static const char *act(void)
{
    const struct ghost *g = &ss.now.g;
    int x = askable(), next = (g->good + 1) % IMAGES;
    int what = choose(x == NONE || g->neu != NONE ? 5 : 7);
    switch (what) {
    case 0:
        return "app: power cycle";
    case 1:
        return "app: soft reset";
    case 2:
        upload(next, false);
        return "app: upload, test, reset";
    case 3:
        upload(next, true);
        return "app: upload, permanent, reset";
    case 4:
        upload(next, false);
        return "app: upload, test, power cycle";
    default:
        app_request(x, what == 6);
        return "app: asks for the image in S, reset";
    }
}

void app(void)
{
    const char *what;
    if (ss.halted)
        what = "halted, power cycle";
    else if (ss.degraded || ss.dead)
        what = "ran without external chip, power cycle";
    else
        what = ss.test ? act_on_trial() : act();
    if (!ss.why)
        push(&ss.now, what);
}

/* A third image is flashed into P between two boots. What was promised is read anew at the next start. */
void tamper(void)
{
    struct ghost *g = &ss.now.g;
    if (!(sc.s->extra & X_FLASHED) || g->tampered || !choose(2))
        return;
    int x = 0;
    while (x == g->good || x == g->neu)
        x++;
    for (int i = 0; i < sc.n[x]; i++)
        ss.now.P[i] = (uset)((uset)1 << sc.c[x][i]);
    g->good = (uint8_t)x;
    request_over();
    g->tampered = TAMPER_PENDING;
}
