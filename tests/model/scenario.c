/* The scenarios: sizes of three images, spare units, attempts, and what else may happen. */
#include "tests/model/model.h"

#include <string.h>

const struct scenario scenarios[] = {
    { "gap 2, 2/2/2 units", 2, { 2, 2, 2 }, "", 1, 0 },
    { "gap 1, 2/2/2 units", 1, { 2, 2, 2 }, "", 1, 0 },
    { "gap 2, 1/1/1 unit", 2, { 1, 1, 1 }, "", 1, 0 },
    { "gap 1, 1/1/1 unit", 1, { 1, 1, 1 }, "", 1, 0 },
    { "gap 2, 3/1/2 units", 2, { 3, 1, 2 }, "", 1, 0 },
    { "gap 1 and 2 by room, 3/1/2 units", 1, { 3, 1, 2 }, "", 1, 0 },
    { "gap 2, 3/3/3 units (largest)", 2, { 3, 3, 3 }, "", 1, 0 },
    { "gap 1, 3/3/3 units (largest)", 1, { 3, 3, 3 }, "", 1, 0 },
    { "gap 2, 3/3/2, unit 1 equal", 2, { 3, 3, 2 }, "11012101", 1, 0 },
    { "gap 2, 2/2/2, attempts 3", 2, { 2, 2, 2 }, "", 3, 0 },
    { "gap 2, 2/2/2, external chip may be dead", 2, { 2, 2, 2 }, "", 1, X_DEAD },
    { "gap 1, 2/2/2, external chip may be dead", 1, { 2, 2, 2 }, "", 1, X_DEAD },
    { "gap 2, new == old", 2, { 2, 2, 2 }, "10001101", 1, 0 },
    { "gap 1, shifted equal units", 1, { 3, 3, 3 }, "11002212", 1, 0 },
    { "gap 2, MCUboot's test image", 2, { 2, 2, 2 }, "", 1, X_MCUBOOT },
    { "gap 2, MCUboot's test image, confirm cut", 2, { 2, 2, 2 }, "", 1, X_MCUBOOT | X_CONFIRM_CUT },
    { "gap 2, broken primary", 2, { 2, 2, 2 }, "", 1, X_BROKEN_P },
    { "gap 2, 2/2/2, flashed from outside", 2, { 2, 2, 2 }, "", 1, X_FLASHED },
    { "gap 2, 2/2/2, image on trial destroys itself", 2, { 2, 2, 2 }, "", 1, X_DAMAGE },
    { "gap 1, 2/2/2, flashed or destroyed", 1, { 2, 2, 2 }, "", 1, X_FLASHED | X_DAMAGE },
#if MODEL_BIG
    { "gap 2, 12/9/13 units", 2, { 12, 9, 13 }, "13032505", 1, 0 },
    { "gap 1 and 2 by room, 12/9/13 units", 1, { 12, 9, 13 }, "13032505", 2, 0 },
    { "gap 2, 13/13/13 units, external chip may be dead", 2, { 13, 13, 13 }, "", 3, X_DEAD },
#endif
};
const int scenario_count = sizeof scenarios / sizeof scenarios[0];

static void number_contents(const struct scenario *s)
{
    uint8_t id = CONTENT;
    for (int x = 0; x < IMAGES; x++)
        for (int i = 0; i < sc.n[x]; i++)
            sc.c[x][i] = id++;
    for (const char *e = s->shared; *e; e += 4)
        sc.c[e[0] - '0'][e[1] - '0'] = sc.c[e[2] - '0'][e[3] - '0'];
}

void scenario_select(int i, bool weak, int units)
{
    scenario_use(&scenarios[i], weak, units);
}

void scenario_use(const struct scenario *s, bool weak, int units)
{
    memset(&sc, 0, sizeof sc);
    sc.s = s;
    sc.weak = weak;
    sc.attempts = s->attempts;
    for (int x = 0; x < IMAGES; x++) {
        sc.n[x] = s->n[x];
        sc.np = sc.np > s->n[x] ? sc.np : s->n[x];
    }
    sc.ns = sc.np + s->spare;
    sc.nu = bug == BUG_TWO_UNITS ? 2 : units;
    number_contents(s);
}

static void put(uset *units, int x)
{
    for (int i = 0; i < sc.n[x]; i++)
        units[i] = (uset)((uset)1 << sc.c[x][i]);
}

void scenario_initial(struct node *n)
{
    memset(n, 0, sizeof *n);
    for (int i = 0; i < MAX_P; i++)
        n->P[i] = 1 << BLANK;
    for (int i = 0; i < MAX_S; i++)
        n->S[i] = 1 << BLANK;
    for (int i = 0; i < TRAILER_WORDS; i++)
        n->pt[i].may = n->st[i].may = W_BLANK;
    for (int u = 0; u < sc.nu; u++)
        n->u[u] = (struct state_unit){ .head = W_BLANK, .tables = W_PART };
    put(n->P, 0);
    n->g.neu = NONE;
    if (sc.s->extra & X_MCUBOOT) { /* a test image (1) in P, the old one (0) at S[0] */
        put(n->P, 1);
        put(n->S, 0);
        n->pt[T_MAGIC] = n->pt[T_COPY] = (struct word){ W_SET, 1 };
        n->g.neu = 1;
        n->g.req = SURE;
        n->g.may_kind = 1u << TEST;
        n->g.booted = n->g.fails = n->g.may_fails = 1;
    }
    if (sc.s->extra & X_CONFIRM_CUT) {
        n->pt[T_OK] = (struct word){ W_ANY, 1 };
        n->g.confirm = MAYBE;
    }
    if (sc.s->extra & X_BROKEN_P) {
        n->P[0] = 1 << TORN;
        put(n->S, 0);
    }
}
