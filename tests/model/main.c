/* The command line of the model checker; docs/testing.md says how it is used. */
#include "tests/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: slide_model [--cuts N | --row N] [--scenario N] [--bug NAME] [--units N] [--stable]\n"
    "       slide_model --seeded           every seeded bug must be caught within three cuts\n"
    "       slide_model --wear             erases of uncut updates\n"
    "       slide_model --random PLANS [--depth CUTS] [--seed S]\n"
    "       slide_model --replay PLAN [--bug NAME] [--verbose]\n"
    "       slide_model --steps | --steps-of PLAN   to be compared with the C code's\n"
    "  --cuts N   at most N cuts on a path (default 2); --row N: in a row since an image was started\n";

const char *bug_name(enum bug b)
{
    static const char *const name[BUG_COUNT] = { "none",
#define BUG_NAME(id, text, what) text,
        BUG_TABLE(BUG_NAME)
#undef BUG_NAME
    };
    return name[b];
}

const char *bug_text(enum bug b)
{
    static const char *const name[BUG_COUNT] = { "none",
#define BUG_TEXT(id, text, what) what,
        BUG_TABLE(BUG_TEXT)
#undef BUG_TEXT
    };
    return name[b];
}

struct arguments {
    struct options o;
    int only, units;
    bool stable, seeded, wear, steps;
    const char *plan, *steps_plan;
};

static bool find_bug(const char *name)
{
    for (bug = BUG_NONE; bug < BUG_COUNT; bug++)
        if (strcmp(bug_name(bug), name) == 0)
            return true;
    return false;
}

static bool parse_value(struct arguments *a, const char *opt, const char *v)
{
    if (!strcmp(opt, "--cuts") || !strcmp(opt, "--row")) {
        ps.cut_limit = atoi(v);
        ps.limit_total = opt[2] == 'c';
    } else if (!strcmp(opt, "--scenario")) {
        a->only = atoi(v);
    } else if (!strcmp(opt, "--units")) {
        a->units = atoi(v);
    } else if (!strcmp(opt, "--random")) {
        a->o.plans = (uint32_t)strtoul(v, NULL, 10);
    } else if (!strcmp(opt, "--depth")) {
        a->o.depth = atoi(v);
    } else if (!strcmp(opt, "--seed")) {
        rnd_set_seed(strtoull(v, NULL, 10));
    } else if (!strcmp(opt, "--steps-of")) {
        a->steps = true;
        a->steps_plan = v;
    } else if (!strcmp(opt, "--replay")) {
        a->plan = v;
    } else {
        return !strcmp(opt, "--bug") && find_bug(v);
    }
    return true;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose"))
            a->o.verbose = true;
        else if (!strcmp(argv[i], "--stable"))
            a->stable = true;
        else if (!strcmp(argv[i], "--seeded"))
            a->seeded = true;
        else if (!strcmp(argv[i], "--wear"))
            a->wear = true;
        else if (!strcmp(argv[i], "--steps"))
            a->steps = true;
        else if (i + 1 == argc || !parse_value(a, argv[i], argv[i + 1]))
            return false;
        else
            i++;
    }
    return a->only < scenario_count && a->units >= 2 && a->units <= MAX_STATE_UNITS;
}

static int report_wear(void)
{
    printf("%s\n", sc.s->name);
    int failed = wear_report("upload+test, confirm, idle", "2200");
    failed |= wear_report("upload+test, hang, (revert) idle, idle", "2100");
    return failed | wear_report("upload+permanent, idle", "300");
}

/* The scenario in which a bug shows first. */
static int scenario_of(enum bug b)
{
    switch ((int)b) {
    case BUG_PAIR_GAP1:
        return 1;
    case BUG_NO_REARM:
        return 9;
    case BUG_BLIND_RESUME:
    case BUG_KEEP_REQUEST:
        return 17;
    case BUG_BLIND_REVERT:
        return 18;
    default:
        return 0;
    }
}

static int run_seeded(const struct arguments *a)
{
    int missed = 0;
    ps.cut_limit = 3;
    ps.limit_total = true;
    for (bug = BUG_NONE + 1; bug <= BUG_SEEDED_LAST; bug++) {
        printf("%s: %s\n", bug_name(bug), bug_text(bug));
        scenario_select(scenario_of(bug), !a->stable, a->units);
        if (!search()) {
            printf("NOT CAUGHT: %s\n", bug_name(bug));
            missed++;
        }
    }
    printf("%d of %d seeded bugs caught\n", BUG_SEEDED_LAST - missed, BUG_SEEDED_LAST);
    return missed > 0;
}

static int run_scenarios(const struct arguments *a)
{
    int failed = 0;
    for (int i = 0; i < scenario_count; i++) {
        if (a->only >= 0 && i != a->only)
            continue;
        scenario_select(i, !a->stable, a->units);
        if (a->wear && !sc.s->extra)
            failed |= report_wear();
        else if (!a->wear)
            failed |= a->o.plans ? random_plans(&a->o) : search();
    }
    return failed;
}

int main(int argc, char **argv)
{
    struct arguments a = { .o = { .depth = 8 }, .only = -1, .units = MAX_STATE_UNITS };
    ps.cut_limit = 2;
    ps.limit_total = true;
    if (!parse(argc, argv, &a)) {
        fputs(usage, stderr);
        return 2;
    }
    if (a.plan) {
        int i = atoi(a.plan);
        if (i < 0 || i >= scenario_count)
            return 2;
        scenario_select(i, !a.stable, a.units);
        return replay(a.plan, &a.o);
    }
    if (a.steps)
        return steps_main(a.steps_plan);
    return a.seeded ? run_seeded(&a) : run_scenarios(&a);
}
