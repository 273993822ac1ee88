/*
 * The search over every plan of at most N cuts, and the replay of one plan.
 *
 * A node is what survives a reset; every way to cut a session of it is a child. Nodes are told apart
 * by a 128-bit hash of both chips (for weak cells: of all their readings), what the chips' word
 * counters allow, and what was promised; one that was visited with as many cuts left is not visited
 * again. So the search is exhaustive without running the same future twice.
 *
 * A plan: CAMPAIGN/SESSION/SESSION/..., a session being the choices in base 36 and, where it was cut,
 * "@", the number of the operation and the tear (n a h b w; a second letter for the other chip's).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/powerloss/bench.h"

enum { SESSIONS_MAX = 30, TEXT = 320, PLAN_SESSIONS = 64 };
static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
static const char tear_letters[] = "nahbw";

struct node {
    struct saved s;
    uint32_t path;
    uint8_t cuts;
};
struct step {
    uint32_t parent;
    char *text;
};
struct key {
    uint64_t a, b;
};

struct run {
    struct bench b;
    unsigned depth;
    struct node **stack;
    size_t height, room;
    struct step *step;
    uint32_t steps, step_room;
    struct key *table;
    size_t mask, used;
    const struct node *now; /* whose session runs */
};

static void *grown(void *p, size_t n, size_t size)
{
    void *q = realloc(p, n * size);

    if (!q)
        abort();
    return q;
}

/* ---- hash --------------------------------------------------------------------------------------- */

static void mix(struct key *k, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i += 8) {
        uint64_t x = 0;
        memcpy(&x, p + i, len - i < 8 ? len - i : 8);
        k->a = (k->a ^ x) * 0x9E3779B97F4A7C15u;
        k->a ^= k->a >> 29;
        k->b = (k->b + x) * 0xD6E8FEB86659FD93u;
        k->b ^= k->b >> 32;
    }
}

/* Contents between weak ranges, and of those all they can show. */
static void mix_chip(struct key *k, const struct nor *n)
{
    uint32_t at = 0;

    for (const struct nor_weak *w = n->weak; w; w = w->next) {
        mix(k, n->mem + at, w->off - at);
        mix(k, &w->off, sizeof w->off);
        mix(k, &w->len, sizeof w->len);
        mix(k, w->readings, (size_t)w->n * w->len);
        at = w->off + w->len;
    }
    mix(k, n->mem + at, n->geo.size - at);
}

/* Words of internal flash that are programmed by another boot than the one that erased them. */
static void mix_counters(struct key *k, const struct bench *b)
{
    const struct nor *n = &b->chip[INTERNAL];
    uint32_t end = b->layout.slot0.off + b->layout.slot0.size, log = b->layout.state.off + 3 * UNIT;

    mix(k, n->word_programs + (end - 40) / 4, 40 / 4);
    mix(k, n->word_programs + log / 4, UNIT / 4);
    for (uint32_t u = 0; u < 3; u++)
        mix(k, n->word_programs + (b->layout.state.off + u * UNIT + 0x40) / 4, 1);
}

static struct key key_of(const struct bench *b, unsigned cuts)
{
    struct key k = { 0x1234567, cuts };
    struct world w = b->w;

    w.sessions = 0;
    mix_chip(&k, &b->chip[INTERNAL]);
    mix_chip(&k, &b->chip[EXTERNAL]);
    mix_counters(&k, b);
    mix(&k, &w, sizeof w);
    if (k.a == 0 && k.b == 0)
        k.a = 1;
    return k;
}

static struct key *place(const struct run *r, struct key k)
{
    size_t i = k.a & r->mask;

    while ((r->table[i].a || r->table[i].b) && (r->table[i].a != k.a || r->table[i].b != k.b))
        i = (i + 1) & r->mask;
    return &r->table[i];
}

static void table_grow(struct run *r)
{
    struct key *old = r->table;
    size_t n = r->mask + 1;

    r->mask = 2 * n - 1;
    r->table = calloc(2 * n, sizeof *r->table);
    if (!r->table)
        abort();
    for (size_t i = 0; i < n; i++)
        if (old[i].a || old[i].b)
            *place(r, old[i]) = old[i];
    free(old);
}

/* True the first time; also if it was only visited with fewer cuts left. */
static bool is_new(struct run *r, unsigned cuts)
{
    struct key k = key_of(&r->b, 0);

    for (unsigned c = 0; c <= cuts; c++) {
        struct key *p = place(r, (struct key) { k.a + c * 0x9E3779B97F4A7C15u, k.b });
        if (p->a || p->b)
            return false;
    }
    k.a += cuts * 0x9E3779B97F4A7C15u;
    *place(r, k) = k;
    if (++r->used > r->mask / 2)
        table_grow(r);
    return true;
}

/* ---- nodes ----------------------------------------------------------------------------------------- */

int session_text(const struct bench *b, const struct cut *how, char *out, size_t size)
{
    size_t n = 0;

    for (; n < b->at && n + 1 < size; n++)
        out[n] = digits[b->choice[n]];
    out[n] = 0;
    if (!how->op)
        return (int)n;
    n += (size_t)snprintf(out + n, size - n, "@%u%c", how->op, tear_letters[how->tear]);
    if (how->other != how->tear)
        n += (size_t)snprintf(out + n, size - n, "%c", tear_letters[how->other]);
    return (int)n;
}

static void push_node(struct run *r, uint32_t parent, const struct cut *how, unsigned cuts)
{
    char text[TEXT] = "";
    struct node *n = calloc(1, sizeof *n);

    if (!n)
        abort();
    if (parent != UINT32_MAX)
        session_text(&r->b, how, text, sizeof text);
    if (r->steps == r->step_room) {
        r->step_room = r->step_room ? 2 * r->step_room : 1024;
        r->step = grown(r->step, r->step_room, sizeof *r->step);
    }
    r->step[r->steps] = (struct step) { parent, strdup(text) };
    n->path = r->steps++;
    n->cuts = (uint8_t)cuts;
    bench_save(&r->b, &n->s);
    if (r->height == r->room) {
        r->room = r->room ? 2 * r->room : 256;
        r->stack = grown(r->stack, r->room, sizeof *r->stack);
    }
    r->stack[r->height++] = n;
}

static void print_plan(const struct run *r, const struct cut *how)
{
    char last[TEXT];
    uint32_t path[PLAN_SESSIONS * 4], k = 0;

    for (uint32_t i = r->now->path; i != UINT32_MAX && k < PLAN_SESSIONS * 4; i = r->step[i].parent)
        path[k++] = i;
    printf("  repeat with: --replay '%s", r->b.c->name);
    while (k-- > 0)
        if (r->step[path[k]].parent != UINT32_MAX)
            printf("/%s", r->step[path[k]].text);
    session_text(&r->b, how, last, sizeof last);
    printf("/%s'\n", last);
}

static void on_fork(struct bench *b, const struct cut *how)
{
    struct run *r = (struct run *)b; /* the bench is its first member */

    if (b->why)
        return;
    uint8_t sessions = b->w.sessions;
    b->w.sessions = 0;
    if (is_new(r, r->now->cuts + 1u))
        push_node(r, r->now->path, how, r->now->cuts + 1u);
    b->w.sessions = sessions;
}

/* ---- search ------------------------------------------------------------------------------------------ */

/* After a session without a cut. */
static void follow(struct run *r, uint8_t step_before)
{
    struct bench *b = &r->b;

    if (bench_settled(b)) {
        bool free = b->c->extra & (X_DEAD | X_FLASHED | X_ROT);
        if (!free && !(r->now->cuts ? bench_ends_right(b) : b->running == b->c->ends))
            bad(b, "the script ends with another image");
        return;
    }
    if (b->op == 0 && !b->dead && b->w.step == step_before)
        bad(b, "the board is stuck: nothing happens and the script is not at its end");
    if (b->w.sessions > SESSIONS_MAX)
        bad(b, "the board does not settle");
    if (!b->why && is_new(r, r->now->cuts))
        push_node(r, r->now->path, &(struct cut) { 0 }, r->now->cuts);
}

static bool visit(struct run *r, const struct node *n)
{
    struct bench *b = &r->b;

    r->now = n;
    b->known = 0;
    b->scripted = false;
    do {
        bench_restore(b, &n->s);
        b->cut = (struct cut) { 0 };
        b->fork = n->cuts < r->depth ? on_fork : NULL;
        bool ok = bench_session(b);
        if (ok)
            follow(r, n->s.w.step);
        if (b->why) {
            char what[WHAT_LEN];
            bench_what(b, what);
            printf("%s: FAIL after %u cuts: %s\n  last: %s\n", b->c->name, n->cuts + (b->cut.op ? 1u : 0u),
                b->why, what);
            print_plan(r, &b->cut);
            return false;
        }
    } while (choose_next(b));
    return true;
}

static void run_free(struct run *r)
{
    while (r->height > 0) {
        saved_free(&r->stack[--r->height]->s);
        free(r->stack[r->height]);
    }
    for (uint32_t i = 0; i < r->steps; i++)
        free(r->step[i].text);
    free(r->step);
    free(r->stack);
    free(r->table);
    bench_close(&r->b);
    free(r);
}

struct search_result search(const struct campaign *c, unsigned depth, bool all_pairs)
{
    struct search_result res = { .failed = false };
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        abort();
    bench_open(&r->b, c);
    r->b.all_pairs = all_pairs;
    r->depth = depth;
    r->mask = (1u << 16) - 1;
    r->table = calloc(r->mask + 1, sizeof *r->table);
    push_node(r, UINT32_MAX, &(struct cut) { 0 }, 0);
    while (r->height > 0 && !res.failed) {
        struct node *n = r->stack[--r->height];
        res.failed = !visit(r, n);
        res.states++;
        saved_free(&n->s);
        free(n);
    }
    res.sessions = r->b.sessions;
    res.cuts = r->b.cuts;
    res.seal_thirds = r->b.seal_thirds;
    res.log_thirds = r->b.log_thirds;
    run_free(r);
    return res;
}

/* ---- replay -------------------------------------------------------------------------------------------- */

/* "0a1@12wb": NULL if malformed. */
static const char *parse_session(struct bench *b, const char *p)
{
    const char *d;

    b->known = 0;
    b->cut = (struct cut) { 0 };
    for (; *p && *p != '/' && *p != '@' && (d = strchr(digits, *p)); p++)
        b->choice[b->known++] = (uint8_t)(d - digits);
    if (*p != '@')
        return *p == '/' || !*p ? p : NULL;
    char *end;
    b->cut.op = (uint32_t)strtoul(p + 1, &end, 10);
    p = end;
    if (!*p || !(d = strchr(tear_letters, *p++)))
        return NULL;
    b->cut.tear = b->cut.other = (uint8_t)(d - tear_letters);
    if (*p && *p != '/' && (d = strchr(tear_letters, *p++)))
        b->cut.other = (uint8_t)(d - tear_letters);
    return *p == '/' || !*p ? p : NULL;
}

static void print_session(const struct bench *b, unsigned i)
{
    static const char *const image[] = { "A", "B", "C" };
    const struct promise *pr = &b->w.pr;
    char what[WHAT_LEN];

    printf("%2u: %u operations, ", i, b->op);
    bench_what(b, what);
    if (b->was_cut)
        printf("cut in %s", what);
    else
        printf("%s %s%s, %s", b->running == NONE ? "recovery" : "started",
            b->running == NONE ? "" : image[b->running], b->trial ? " on trial" : "",
            boot_action_name(b->report.action));
    printf("; confirmed %s, requested %s\n", image[pr->good], pr->neu == NONE ? "none" : image[pr->neu]);
    for (unsigned f = 0; f < b->report.findings && !b->was_cut; f++)
        printf("      %s\n", reason_text(b->report.finding[f].reason));
}

static int run_plan(struct bench *b, const char *p)
{
    b->scripted = true;
    for (unsigned i = 1; *p; i++) {
        p = parse_session(b, p + 1);
        if (!p)
            return 2;
        bool ok = bench_session(b);
        print_session(b, i);
        if (!ok) {
            printf("    FAIL: %s\n", b->why);
            return 1;
        }
    }
    for (unsigned i = 0; i < SESSIONS_MAX && !bench_settled(b); i++) {
        b->known = 0;
        b->cut = (struct cut) { 0 };
        bool ok = bench_session(b);
        print_session(b, i + 100);
        if (!ok)
            printf("    FAIL: %s\n", b->why);
        if (!ok)
            return 1;
    }
    printf("no rule broken\n");
    return 0;
}

int replay(const char *plan)
{
    static struct bench b;
    const char *slash = strchr(plan, '/');
    const struct campaign *c = slash ? campaign_find(plan, (size_t)(slash - plan)) : NULL;

    if (!c)
        return 2;
    bench_open(&b, c);
    int rc = run_plan(&b, slash);
    bench_close(&b);
    return rc;
}
