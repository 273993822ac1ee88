/* The command line of the power-loss harness; docs/testing.md says how it is used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/powerloss/bench.h"

static const char usage[] =
    "usage: powerloss [--depth N] [--pairs] [--campaign NAME]... [--part K/N] [--all]\n"
    "           every plan of at most N cuts; --pairs: every pair of tears where both chips are busy;\n"
    "           beyond one cut the campaigns with dead chips and debuggers only with --all (minutes)\n"
    "       powerloss --errors [--campaign NAME]    every flash call fails once\n"
    "       powerloss --random N [--depth CUTS] [--campaign NAME]   N random plans of each campaign\n"
    "       powerloss --points N [--campaign NAME]  cuts at N operations of each campaign on the real geometry\n"
    "       powerloss --replay PLAN\n"
    "       powerloss --steps | --steps-of PLAN     to be compared with the model's\n"
    "       --first: stop at the first failure\n";

enum { NAMES_MAX = 32 };
struct arguments {
    unsigned depth;
    bool pairs, errors, all, steps, first; /* first: stop at the first failure */
    unsigned points, random;
    unsigned part, parts; /* every parts-th campaign, from number `part` */
    const char *plan, *steps_plan;
    const char *name[NAMES_MAX];
    unsigned names;
};

static bool parse(int argc, char **argv, struct arguments *a)
{
    for (int i = 1; i < argc; i++) {
        const char *v = i + 1 < argc ? argv[i + 1] : NULL;
        if (!strcmp(argv[i], "--pairs"))
            a->pairs = true;
        else if (!strcmp(argv[i], "--first"))
            a->first = true;
        else if (!strcmp(argv[i], "--all"))
            a->all = true;
        else if (!strcmp(argv[i], "--errors"))
            a->errors = true;
        else if (v && !strcmp(argv[i], "--depth"))
            a->depth = (unsigned)atoi(argv[++i]);
        else if (v && !strcmp(argv[i], "--points"))
            a->points = (unsigned)atoi(argv[++i]);
        else if (v && !strcmp(argv[i], "--random"))
            a->random = (unsigned)atoi(argv[++i]);
        else if (v && !strcmp(argv[i], "--part") && sscanf(v, "%u/%u", &a->part, &a->parts) == 2 && a->parts)
            i++;
        else if (v && !strcmp(argv[i], "--replay"))
            a->plan = argv[++i];
        else if (!strcmp(argv[i], "--steps"))
            a->steps = true;
        else if (v && !strcmp(argv[i], "--steps-of")) {
            a->steps = true;
            a->steps_plan = argv[++i];
        }
        else if (v && !strcmp(argv[i], "--campaign") && a->names < NAMES_MAX && campaign_find(v, strlen(v)))
            a->name[a->names++] = argv[++i];
        else
            return false;
    }
    return true;
}

static bool selected(const struct arguments *a, unsigned index)
{
    const struct campaign *c = &campaigns[index];
    bool heavy = c->extra & (X_DEAD | X_FLASHED) && a->depth > 1 && !a->random;

    if (index % a->parts != a->part)
        return false;
    for (unsigned i = 0; i < a->names; i++)
        if (!strcmp(a->name[i], c->name))
            return true;
    return a->names == 0 && (!heavy || a->all);
}

static bool run_search(const struct arguments *a, const struct campaign *c)
{
    clock_t t0 = clock();
    struct search_result r = search(c, a->depth, a->pairs);

    if (!r.failed)
        printf("%-20s ok: depth %u, %llu states, %llu boots, %llu cuts, third programs: %llu of a seal, %llu in the log, %.1f s\n",
            c->name, a->depth, (unsigned long long)r.states, (unsigned long long)r.sessions,
            (unsigned long long)r.cuts, (unsigned long long)r.seal_thirds, (unsigned long long)r.log_thirds,
            (double)(clock() - t0) / CLOCKS_PER_SEC);
    fflush(stdout);
    return !r.failed;
}

/* Chips that are dead at some boots, and debuggers, are not needed to make calls fail. */
static bool run_errors(const struct campaign *c)
{
    clock_t t0 = clock();
    uint64_t calls = 0;

    if (c->extra & (X_DEAD | X_FLASHED))
        return true;
    bool ok = every_error(c, &calls);
    if (ok)
        printf("%-20s ok: each of %llu flash calls failed, %.1f s\n", c->name, (unsigned long long)calls,
            (double)(clock() - t0) / CLOCKS_PER_SEC);
    fflush(stdout);
    return ok;
}

static bool run_points(const struct arguments *a, const struct campaign *c)
{
    clock_t t0 = clock();
    uint64_t cuts = 0;
    bool ok = real_points(c, a->points, &cuts);

    if (ok)
        printf("%-20s ok: %llu cuts at %u operations, %.1f s\n", c->name, (unsigned long long)cuts, a->points,
            (double)(clock() - t0) / CLOCKS_PER_SEC);
    fflush(stdout);
    return ok;
}

static bool run_random(const struct arguments *a, const struct campaign *c)
{
    clock_t t0 = clock();
    uint64_t cuts = 0;
    bool ok = random_plans(c, a->random, a->depth, &cuts);

    if (ok)
        printf("%-20s ok: %u random plans, %llu cuts, %.1f s\n", c->name, a->random, (unsigned long long)cuts,
            (double)(clock() - t0) / CLOCKS_PER_SEC);
    fflush(stdout);
    return ok;
}

static bool run(const struct arguments *a, const struct campaign *c)
{
    if (campaign_searched(c) == (a->points > 0))
        return true;
    if (a->random)
        return run_random(a, c);
    return a->points ? run_points(a, c) : a->errors ? run_errors(c) : run_search(a, c);
}

int main(int argc, char **argv)
{
    struct arguments a = { .depth = 1, .parts = 1 };
    bool ok = true;

    if (!parse(argc, argv, &a)) {
        fputs(usage, stderr);
        return 2;
    }
    if (!crc_fast_check()) {
        fputs("powerloss: the two implementations of CRC-32 differ\n", stderr);
        return 1;
    }
    if (a.steps)
        return steps_c_main(a.steps_plan);
    if (a.plan)
        return replay(a.plan);
    for (unsigned i = 0; i < campaign_count && (ok || !a.first); i++)
        if (selected(&a, i))
            ok = run(&a, &campaigns[i]) && ok;
    return !ok;
}
