/*
 * plan_group() for tests/spec/test_plan.py: "n_P n_S gap dir" in, a line of groups out, each a few moves like
 * "s1 0:1 1:3": what, from which slot and unit, to which.
 */
#include <stdio.h>

#include "core/boot/plan.h"

static void print_move(const struct state *st, char kind, int i)
{
    bool p = kind == 'p';

    if (i != PLAN_NONE)
        printf(" %c%d %d:%u %d:%u", kind, i, p, p ? plan_source(st, i) : (unsigned)i, !p,
            p ? (unsigned)i : plan_target(st, i));
}

int main(void)
{
    unsigned v[4];

    while (scanf("%u %u %u %u", &v[0], &v[1], &v[2], &v[3]) == 4) {
        const struct state st = { .n_p = (uint16_t)v[0], .n_s = (uint16_t)v[1], .gap = (uint8_t)v[2], .dir = (uint8_t)v[3] };
        for (uint16_t j = 0; j < plan_groups(&st); j++) {
            struct plan_group g = plan_group(&st, j);
            print_move(&st, 'p', g.p);
            print_move(&st, 's', g.s);
            fputs(" |", stdout);
        }
        putchar('\n');
    }
    return 0;
}
