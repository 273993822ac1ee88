/*
 * The search over all nodes, random plans, and replays.
 *
 * A plan is SCENARIO/CHOICES@K/CHOICES@K/.../CHOICES: for each session the choices in base 36 and the
 * ordinal of the push that ended it (the K-th place where a reset may come); the last session is the
 * one that fails.
 */
#include "tests/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PATH = 1000, MAX_SESSIONS = 40, IDLE_SESSIONS = 6, PLAN_LEN = 64 * 1024 };

struct plan {
    char text[PLAN_LEN];
    int len;
};
static struct plan plan;

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static int scenario_index(void)
{
    return (int)(sc.s - scenarios);
}

static void plan_begin(void)
{
    plan.len = snprintf(plan.text, sizeof plan.text, "%d", scenario_index());
}

static void plan_add(uint32_t ordinal)
{
    char choices[2048];
    choices_text(choices, sizeof choices);
    int room = (int)sizeof plan.text - plan.len;
    int n = ordinal ? snprintf(plan.text + plan.len, (size_t)room, "/%s@%u", choices, ordinal)
                    : snprintf(plan.text + plan.len, (size_t)room, "/%s", choices);
    if (n < room)
        plan.len += n;
}

static void report_failure(const char *where, int cuts)
{
    printf("%-44s bug %-13s FAIL %s, %d cuts: %s\n  last: %s\n", sc.s->name, bug_name(bug), where,
        cuts, ss.why, ss.label);
    printf("  repeat with: --replay '%s'", plan.text);
    if (bug)
        printf(" --bug %s", bug_name(bug));
    printf("%s\n", sc.weak ? "" : " --stable");
}

/* Finds the choices and the push that lead from one node of the set to another. */
static bool find_step(uint32_t from, uint32_t to)
{
    struct node child = *store_node(to);
    ps.mode = PUSH_HUNT;
    ps.hunted = &child;
    ps.found = false;
    choose_reset();
    do {
        struct node n = *store_node(from);
        run_session(&n);
        if (ps.found)
            plan_add(ps.kept_ordinal);
    } while (!ps.found && choose_next());
    return ps.found;
}

static void plan_of(uint32_t node)
{
    uint32_t path[MAX_PATH], k = 0;
    for (uint32_t i = node; i != NO_NODE && k < MAX_PATH; i = store_parent(i))
        path[k++] = i;
    for (; k > 1; k--)
        if (!find_step(path[k - 1], path[k - 2]))
            printf("  (a step of the plan was not found again)\n");
}

/* The session that failed has been run with the choices that are still in place. */
static int search_failed(uint32_t node)
{
    char where[64];
    char choices[2048];
    struct session failed = ss;
    int len = choices_text(choices, sizeof choices);
    plan_begin();
    plan_of(node);
    plan.len += snprintf(plan.text + plan.len, sizeof plan.text - (size_t)plan.len, "/%.*s", len, choices);
    ss = failed;
    int cuts = store_node(node)->cuts + (strncmp(ss.label, "cut", 3) == 0);
    snprintf(where, sizeof where, "after %u nodes", store_count());
    report_failure(where, cuts);
    return 1;
}

static void search_begin(void)
{
    struct node n;
    store_init();
    scenario_initial(&n);
    run_mode_set(RUN_SEARCH);
    ps.mode = PUSH_STORE;
    ps.from = NO_NODE;
    ps.edges = 0;
    memset(&ss, 0, sizeof ss);
    push(&n, "first boot");
}

int search(void)
{
    double t0 = seconds();
    uint64_t boots = 0;
    search_begin();
    for (uint32_t i = 0; i < store_count(); i++) {
        ps.from = i;
        choose_reset();
        do {
            struct node copy = *store_node(i);
            run_session(&copy);
            boots++;
            if (ss.why)
                return search_failed(i);
        } while (choose_next());
    }
    printf("%-44s bug %-13s ok: %u boot states, %llu boots, %llu cuts and resets, %.1f s\n", sc.s->name,
        bug_name(bug), store_count(), (unsigned long long)boots, (unsigned long long)ps.edges,
        seconds() - t0);
    fflush(stdout);
    return 0;
}

/* One random plan: it ends after `depth` cuts or MAX_SESSIONS. Returns the number of cuts, -1 failed. */
static int random_plan(int depth, uint64_t *sessions)
{
    struct node n;
    int cuts = 0;
    plan_begin();
    scenario_initial(&n);
    for (int s = 0; s < MAX_SESSIONS && (cuts < depth || s < IDLE_SESSIONS); s++, ++*sessions) {
        ps.cut_limit = cuts < depth && rnd(3) ? NO_LIMIT : 0; /* in a third of them power holds */
        run_session(&n);
        plan_add(ss.why ? 0 : ps.kept_ordinal);
        if (ss.why)
            return -1;
        n = ps.kept;
        cuts += ps.kept_cut;
    }
    return cuts;
}

int random_plans(const struct options *o)
{
    uint64_t sessions = 0, cuts = 0;
    double t0 = seconds();
    struct push_state saved = ps;
    run_mode_set(RUN_RANDOM);
    ps.mode = PUSH_ANY;
    for (uint32_t p = 0; p < o->plans; p++) {
        uint64_t seed = rnd_seed();
        int n = random_plan(o->depth, &sessions);
        if (n < 0) {
            char where[96];
            snprintf(where, sizeof where, "in random plan %u (seed %llu)", p, (unsigned long long)seed);
            report_failure(where, (int)cuts);
            return 1;
        }
        cuts += (uint64_t)n;
    }
    ps = saved;
    printf("%-44s bug %-13s ok: %u random plans, %llu sessions, %llu cuts, %.1f s\n", sc.s->name,
        bug_name(bug), o->plans, (unsigned long long)sessions, (unsigned long long)cuts, seconds() - t0);
    fflush(stdout);
    return 0;
}

/* One "CHOICES@K" of a plan; NULL: malformed. */
static const char *replay_step(const char *at)
{
    size_t len = strspn(at, "0123456789abcdefghijklmnopqrstuvwxyz");
    choose_script(at, (int)len);
    at += len;
    ps.wanted = UINT32_MAX;
    if (*at == '@')
        ps.wanted = (uint32_t)strtoul(at + 1, (char **)(uintptr_t)&at, 10);
    return *at == '/' || *at == 0 ? at : NULL;
}

int replay(const char *text, const struct options *o)
{
    struct node n;
    const char *at = strchr(text, '/');
    scenario_initial(&n);
    run_mode_set(RUN_SCRIPT);
    ps.mode = PUSH_NTH;
    ps.cut_limit = NO_LIMIT;
    printf("%s\n", sc.s->name);
    while (at && *at == '/') {
        if (o->verbose)
            show(&n);
        at = replay_step(at + 1);
        if (!at)
            return 2;
        run_session(&n);
        printf("  %s\n", ss.label);
        if (ss.why) {
            printf("  FAIL: %s\n", ss.why);
            show(&ss.now);
            return 1;
        }
        n = ps.kept;
    }
    printf("  no rule broken\n");
    return at ? 0 : 2;
}

static void show_state_unit(const struct state_unit *u, int i)
{
    printf("      u%d head %d tables %d seq %d prev %d/%d st %d kind %d dir %d gap %d start %d starts %d ", i,
        u->head, u->tables, u->h.seq, u->h.prev, u->h.prev_seq, u->h.st, u->h.kind, u->h.dir, u->h.gap,
        u->h.start, u->h.starts);
    printf("seal %d act %d settle %d done %d START %d marks", u->w[SEAL].may, u->w[ACT].may,
        u->w[SETTLE].may, u->w[DONE].may, u->w[START].may);
    for (int w = MARK; w < CELL_WORDS; w++)
        printf(" %d", u->w[w].may);
    printf("\n");
}

void show(const struct node *n)
{
    printf("    P:");
    for (int i = 0; i < sc.np; i++)
        printf(" %03llx", (unsigned long long)n->P[i]);
    printf("  S:");
    for (int i = 0; i < sc.ns; i++)
        printf(" %03llx", (unsigned long long)n->S[i]);
    printf("  Pt %d%d%d St %d%d good %d neu %d req %d confirm %d\n", n->pt[T_MAGIC].may, n->pt[T_COPY].may,
        n->pt[T_OK].may, n->st[T_MAGIC].may, n->st[T_OK].may, n->g.good, n->g.neu, n->g.req,
        n->g.confirm);
    for (int i = 0; i < sc.nu; i++)
        show_state_unit(&n->u[i], i);
}

/* Prints the erases of a session; false if a unit was erased twice. */
static bool print_wear(void)
{
    const struct wear *w = &ss.wear;
    bool once = w->pt <= 1 && w->st <= 1 && w->u <= 1 && !ss.why;
    printf("    %-36s P", ss.label);
    for (int i = 0; i < sc.np; i++) {
        printf(" %d", w->P[i]);
        once = once && w->P[i] <= 1;
    }
    printf(" | S");
    for (int i = 0; i < sc.ns; i++) {
        printf(" %d", w->S[i]);
        once = once && w->S[i] <= 1;
    }
    printf(" | P trailer %d, S trailer %d, state units %d%s\n", w->pt, w->st, w->u,
        once ? "" : "  FAILED");
    return once;
}

int wear_report(const char *title, const char *choices)
{
    struct node n;
    bool ok = true;
    scenario_initial(&n);
    run_mode_set(RUN_SCRIPT);
    ps.mode = PUSH_NTH;
    ps.cut_limit = 0;
    ps.wanted = 0;
    printf("  %s\n", title);
    for (const char *c = choices; *c; c++) {
        choose_script(c, 1);
        run_session(&n);
        ok = print_wear() && ok;
        n = ps.kept;
    }
    return !ok;
}
