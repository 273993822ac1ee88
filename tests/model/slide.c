/* The slide: its groups, one group, the two closing steps, and the words that mark the way. */
#include "tests/model/model.h"

int slide_plan(const struct header *h, struct group *g)
{
    int n_old = h->kind == RECOVER ? 0 : sc.n[h->ip], n_new = sc.n[h->is];
    int n = n_old > n_new ? n_old : n_new, k = 0;
    for (int j = 0; j <= n; j++) {
        int a = h->dir == FORWARD ? n - j : j - 1; /* p of this group */
        int b = h->dir == FORWARD ? n - 1 - j : j; /* s of this group */
        int p = j > 0 && a < n_new ? a : -1, s = j < n && b < n_old ? b : -1;
        if (bug == BUG_ORDER) {
            if (j < n && b < n_new)
                g[k++] = (struct group){ b, -1 };
            if (s >= 0)
                g[k++] = (struct group){ -1, s };
        } else if (h->gap >= 2 || bug == BUG_PAIR_GAP1) {
            if (p >= 0 || s >= 0)
                g[k++] = (struct group){ p, s };
        } else {
            if (p >= 0)
                g[k++] = (struct group){ p, -1 };
            if (s >= 0)
                g[k++] = (struct group){ -1, s };
        }
    }
    return k;
}

static bool skips_right_units(void)
{
    return bug == BUG_LEAVE_RIGHT || bug == BUG_SKIP_WEAK;
}

/* Unit of P to write from S, or -1: nothing to do. *lost: its source does not match. */
static int p_target(const struct header *h, int unit, bool redo, bool *lost)
{
    int value = sc.c[h->is][unit];
    bool have = read_p(unit) == value;
    bool equal = h->kind != RECOVER && unit < sc.n[h->ip] && sc.c[h->ip][unit] == value;
    if (have && ((!redo && equal) || skips_right_units()))
        return -1;
    if (read_s((h->dir == FORWARD ? 0 : h->gap) + unit) == value)
        return unit;
    if (bug == BUG_NO_MARKS && have)
        return -1;
    *lost = true;
    return -1;
}

static int s_target(const struct header *h, int unit, bool *lost)
{
    int value = sc.c[h->ip][unit], to = (h->dir == FORWARD ? h->gap : 0) + unit;
    bool have = read_s(to) == value;
    if (have && (skips_right_units() || bug == BUG_SKIP_S))
        return -1;
    if (read_p(unit) == value)
        return to;
    if (bug == BUG_NO_MARKS && have)
        return -1;
    *lost = true;
    return -1;
}

static void slide_group(const struct header *h, struct group g, bool redo)
{
    bool lost = false;
    int pu = g.p >= 0 ? p_target(h, g.p, redo, &lost) : -1;
    if (lost) {
        bad("source of P lost");
        return;
    }
    int su = g.s >= 0 ? s_target(h, g.s, &lost) : -1;
    if (lost) {
        bad("source of S lost");
        return;
    }
    if (pu >= 0 || su >= 0) {
        trace_rewrite(pu, su);
        rewrite(pu, pu >= 0 ? sc.c[h->is][pu] : 0, su, su >= 0 ? sc.c[h->ip][g.s] : 0);
    }
}

void write_p_trailer(bool ok)
{
    struct word *t = ss.now.pt;
    int *seen = ss.seen.pt;
    trace_step("P trailer: erase");
    words_erase(t, seen, TRAILER_WORDS, "erase P trailer");
    trace_step("P trailer: copy_done");
    word_prog(&t[T_COPY], &seen[T_COPY], true, "P copy_done", 0);
    if (ok) {
        trace_step("P trailer: image_ok");
        word_prog(&t[T_OK], &seen[T_OK], true, "P image_ok", 0);
    }
    trace_word(&t[T_MAGIC], "P trailer: magic");
    word_prog(&t[T_MAGIC], &seen[T_MAGIC], true, "P magic", 0);
}

static void close_s(const struct header *h)
{
    trace_step("S trailer: erase");
    if (bug != BUG_TRAILER_IF || read_st(T_MAGIC) != W_BLANK)
        words_erase(ss.now.st, ss.seen.st, TRAILER_WORDS, "erase S trailer");
    if (h->starts == 0 && h->dir == FORWARD && h->kind != RECOVER) {
        trace_step("S[0]: erase");
        s_erase(0);
    }
}

/* For the bugs that go by digests: the first group whose result does not read right. */
static int position_by_digest(const struct header *h, const struct group *g, int n)
{
    int to = h->dir == FORWARD ? h->gap : 0;
    for (int j = 0; j < n; j++) {
        if (g[j].p >= 0 && read_p(g[j].p) != sc.c[h->is][g[j].p])
            return j;
        if (g[j].s >= 0 && read_s(to + g[j].s) != sc.c[h->ip][g[j].s])
            return j;
    }
    return n;
}

int slide_position(int u, int groups)
{
    int pos = ss.now.u[u].h.start;
    for (int j = pos + 1; j < groups + 2; j++)
        if (cell_word(u, MARK + j))
            pos = j;
    return pos;
}

static void slide_end(const struct header *h)
{
    cell_prog(DONE);
    if (h->kind != TEST) {
        if (bug != BUG_NO_SETTLE)
            cell_prog(SETTLE);
    } else if (bug != BUG_ATTEMPT_LATE) {
        cell_start();
    }
}

void slide_from(const struct header *h, int pos)
{
    struct group g[2 * MAX_P + 2];
    int n = slide_plan(h, g);
    bool no_marks = bug == BUG_NO_MARKS || bug == BUG_LEAVE_RIGHT;
    if (no_marks && pos < n) {
        pos = position_by_digest(h, g, n);
        if (bug == BUG_NO_MARKS && pos > 0)
            pos--;
    }
    int first = pos;
    for (int j = pos; j < n + 2 && !ss.why; j++) {
        if (j > first && (!no_marks || j >= n))
            cell_prog(MARK + j);
        if (j < n)
            slide_group(h, g[j], j == first || (no_marks && j == first + 1));
        else if (j == n)
            close_s(h);
        else
            write_p_trailer(h->kind != TEST);
    }
    slide_end(h);
}
