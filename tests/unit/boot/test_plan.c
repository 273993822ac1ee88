/* The numbered groups of a slide against a list built the slow way, straight from the protocol's loops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/boot/plan.h"

enum { MAX_UNITS = 9, MAX_GROUPS = 2 * MAX_UNITS + 2 };

struct list {
    struct plan_group g[MAX_GROUPS];
    int n;
};

static void add(struct list *l, int p, int s)
{
    if (p != PLAN_NONE || s != PLAN_NONE)
        l->g[l->n++] = (struct plan_group) { .p = p, .s = s };
}

/* Gap 1: for each unit in order, its s, then its p, each alone. */
static void list_single(const struct state *st, struct list *l)
{
    int n = st->n_p > st->n_s ? st->n_p : st->n_s;

    for (int k = 0; k < n; k++) {
        int i = st->dir == SWAP_FORWARD ? n - 1 - k : k;
        add(l, PLAN_NONE, i < st->n_p ? i : PLAN_NONE);
        add(l, i < st->n_s ? i : PLAN_NONE, PLAN_NONE);
    }
}

/* Gap 2: the p of one unit together with the s of the next. */
static void list_paired(const struct state *st, struct list *l)
{
    int n = st->n_p > st->n_s ? st->n_p : st->n_s, waiting = PLAN_NONE;

    for (int k = 0; k < n; k++) {
        int i = st->dir == SWAP_FORWARD ? n - 1 - k : k;
        add(l, waiting, i < st->n_p ? i : PLAN_NONE);
        waiting = i < st->n_s ? i : PLAN_NONE;
    }
    add(l, waiting, PLAN_NONE);
}

static void check(const struct state *st)
{
    struct list l = { .n = 0 };

    if (st->gap == 1)
        list_single(st, &l);
    else
        list_paired(st, &l);
    assert_int_equal(plan_groups(st), l.n);
    bool touched = false;
    for (uint16_t j = 0; j < l.n; j++) {
        struct plan_group g = plan_group(st, j);
        assert_int_equal(g.p, l.g[j].p);
        assert_int_equal(g.s, l.g[j].s);
        assert_int_equal(plan_touches_p(st, j, false), touched);
        touched = touched || g.p != PLAN_NONE;
        assert_int_equal(plan_touches_p(st, j, true), touched);
    }
}

static void test_numbering(void **state)
{
    (void)state;
    for (int dir = SWAP_FORWARD; dir <= SWAP_BACKWARD; dir++) {
        for (int gap = 1; gap <= 2; gap++) {
            for (int n_p = 0; n_p <= MAX_UNITS; n_p++) {
                for (int n_s = 1; n_s <= MAX_UNITS; n_s++) {
                    const struct state st = { .state = STATE_SWAP, .dir = (uint8_t)dir, .gap = (uint8_t)gap,
                        .n_p = (uint16_t)n_p, .n_s = (uint16_t)n_s };
                    check(&st);
                }
            }
        }
    }
}

/* No group writes what a later group still reads; the pair of a group does not meet either. */
static void test_sources_outlive_targets(void **state)
{
    (void)state;
    for (int dir = SWAP_FORWARD; dir <= SWAP_BACKWARD; dir++) {
        for (int gap = 1; gap <= 2; gap++) {
            for (int n_p = 0; n_p <= MAX_UNITS; n_p++) {
                for (int n_s = 1; n_s <= MAX_UNITS; n_s++) {
                    const struct state st = { .state = STATE_SWAP, .dir = (uint8_t)dir, .gap = (uint8_t)gap,
                        .n_p = (uint16_t)n_p, .n_s = (uint16_t)n_s };
                    bool p_written[MAX_UNITS + 2] = { false }, s_written[MAX_UNITS + 2] = { false };
                    for (uint16_t j = 0; j < plan_groups(&st); j++) {
                        struct plan_group g = plan_group(&st, j);
                        if (g.p != PLAN_NONE)
                            assert_false(s_written[plan_source(&st, g.p)]);
                        if (g.s != PLAN_NONE)
                            assert_false(p_written[g.s]);
                        if (g.p != PLAN_NONE && g.s != PLAN_NONE) {
                            assert_int_not_equal(plan_source(&st, g.p), plan_target(&st, g.s));
                            assert_int_not_equal(g.p, g.s);
                        }
                        if (g.p != PLAN_NONE)
                            p_written[g.p] = true;
                        if (g.s != PLAN_NONE)
                            s_written[plan_target(&st, g.s)] = true;
                    }
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbering),
        cmocka_unit_test(test_sources_outlive_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
