#include "core/boot/plan.h"

static int larger(const struct state *st)
{
    return st->n_p > st->n_s ? st->n_p : st->n_s;
}

static int smaller(const struct state *st)
{
    return st->n_p < st->n_s ? st->n_p : st->n_s;
}

/* ---- gap 2: step j does the p of unit step j-1 and the s of unit step j ------------------------ */

static struct plan_group paired_step(const struct state *st, int j)
{
    int n = larger(st);
    int p = st->dir == SWAP_FORWARD ? n - j : j - 1;
    int s = st->dir == SWAP_FORWARD ? n - 1 - j : j;

    return (struct plan_group) {
        .p = j > 0 && p < st->n_s ? p : PLAN_NONE,
        .s = j < n && s < st->n_p ? s : PLAN_NONE,
    };
}

static bool empty(struct plan_group g)
{
    return g.p == PLAN_NONE && g.s == PLAN_NONE;
}

/* Only the first and the last step can be empty. */
static int paired_first(const struct state *st)
{
    return empty(paired_step(st, 0)) ? 1 : 0;
}

static int paired_last(const struct state *st)
{
    return empty(paired_step(st, larger(st))) ? larger(st) - 1 : larger(st);
}

/* ---- gap 1: units of both images give two groups, those of the longer one alone give one ------- */

static struct plan_group single_step(const struct state *st, int k)
{
    int both = smaller(st), lone = larger(st) - both, unit;
    bool alone, second;

    if (st->dir == SWAP_FORWARD) {
        alone = k < lone;
        unit = alone ? larger(st) - 1 - k : both - 1 - (k - lone) / 2;
        second = (k - lone) % 2 == 1;
    } else {
        alone = k >= 2 * both;
        unit = alone ? both + (k - 2 * both) : k / 2;
        second = k % 2 == 1;
    }
    bool is_p = alone ? st->n_s > st->n_p : second;
    return (struct plan_group) { .p = is_p ? unit : PLAN_NONE, .s = is_p ? PLAN_NONE : unit };
}

uint16_t plan_groups(const struct state *st)
{
    if (st->gap >= 2)
        return (uint16_t)(paired_last(st) - paired_first(st) + 1);
    return (uint16_t)(st->n_p + st->n_s);
}

struct plan_group plan_group(const struct state *st, uint16_t index)
{
    return st->gap >= 2 ? paired_step(st, paired_first(st) + index) : single_step(st, index);
}

uint32_t plan_source(const struct state *st, int i)
{
    return (uint32_t)i + (st->dir == SWAP_FORWARD ? 0u : st->gap);
}

uint32_t plan_target(const struct state *st, int i)
{
    return (uint32_t)i + (st->dir == SWAP_FORWARD ? st->gap : 0u);
}

bool plan_touches_p(const struct state *st, uint16_t index, bool including)
{
    uint16_t end = including ? (uint16_t)(index + 1) : index;
    uint16_t groups = plan_groups(st);

    for (uint16_t j = 0; j < end && j < groups; j++) {
        if (plan_group(st, j).p != PLAN_NONE)
            return true;
    }
    return false;
}
