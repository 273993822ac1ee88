/* The two chips: what is read, and what erases and programs leave behind when they are cut. */
#include "tests/model/model.h"

enum { MAX_OPS = 4000, PROG_LIMIT = 2 };

bool solid(uint64_t set)
{
    return (set & (set - 1)) == 0;
}

int read_p(int i)
{
    if (!ss.seen.P[i])
        ss.seen.P[i] = 1 + pick(ss.now.P[i]);
    return ss.seen.P[i] - 1;
}

int read_s(int i)
{
    if (ss.dead)
        return TORN;
    if (!ss.seen.S[i])
        ss.seen.S[i] = 1 + pick(ss.now.S[i]);
    return ss.seen.S[i] - 1;
}

int read_word(const struct word *w, int *seen)
{
    if (!*seen)
        *seen = 1 << pick(w->may);
    return *seen;
}

int read_pt(int w)
{
    return read_word(&ss.now.pt[w], &ss.seen.pt[w]);
}

int read_st(int w)
{
    return ss.dead ? W_BLANK : read_word(&ss.now.st[w], &ss.seen.st[w]);
}

static uint8_t torn_prog(uint8_t may)
{
    return may & W_BLANK ? W_ANY : may & W_PART ? W_PART | W_SET : W_SET;
}

static uint8_t torn_erase(uint8_t may)
{
    uint8_t left = may & W_SET ? W_ANY : may & (W_PART | W_VOID) ? W_PART | W_BLANK : W_BLANK;
    return (uint8_t)((may & W_VOID) | left);
}

void word_prog(struct word *w, int *seen, bool internal, const char *what, int a)
{
    if (++ss.ops > MAX_OPS) {
        bad("boot does not end");
        return;
    }
    if (internal && w->progs >= PROG_LIMIT)
        bad("internal word programmed a third time");
    if (internal && w->progs <= PROG_LIMIT)
        w->progs++;
    w->may = torn_prog(w->may);
    cut(&ss.now, what, a, -1);
    w->may = W_SET;
    *seen = W_SET;
}

void words_erase(struct word *w, int *seen, int n, const char *what)
{
    for (int i = 0; i < n; i++)
        w[i].may = torn_erase(w[i].may);
    cut(&ss.now, what, -1, -1);
    if (w == ss.now.pt)
        ss.wear.pt++;
    else if (w == ss.now.st)
        ss.wear.st++;
    else
        ss.wear.u++;
    for (int i = 0; i < n; i++) {
        w[i].may = W_BLANK;
        w[i].progs = 0;
        seen[i] = W_BLANK;
    }
}

enum { UNTOUCHED, ERASING, ERASED, PROGRAMMING, WRITTEN };
enum { ERASE_LEAVES = 1 << BLANK | 1 << TORN };

static uset phase(uset old, int value, int ph)
{
    uset v = (uset)((uset)1 << value);
    switch (ph) {
    case UNTOUCHED:
        return old;
    case ERASING:
        return (uset)(old | ERASE_LEAVES);
    case ERASED:
        return 1 << BLANK;
    case PROGRAMMING:
        return (uset)(ERASE_LEAVES | v);
    default:
        return v;
    }
}

void rewrite(int pu, int pv, int su, int sv)
{
    uset old_p = pu >= 0 ? ss.now.P[pu] : 0, old_s = su >= 0 ? ss.now.S[su] : 0;
    if (++ss.ops > MAX_OPS) {
        bad("boot does not end");
        return;
    }
    for (int a = UNTOUCHED; a <= (pu >= 0 ? WRITTEN : UNTOUCHED); a++)
        for (int b = UNTOUCHED; b <= (su >= 0 ? WRITTEN : UNTOUCHED); b++) {
            if (pu >= 0)
                ss.now.P[pu] = phase(old_p, pv, a);
            if (su >= 0)
                ss.now.S[su] = phase(old_s, sv, b);
            if (a + b)
                cut(&ss.now, "rewrite P,S", pu * 10 + a, su * 10 + b);
        }
    if (pu >= 0) {
        ss.seen.P[pu] = 1 + pv;
        ss.wear.P[pu]++;
    }
    if (su >= 0) {
        ss.seen.S[su] = 1 + sv;
        ss.wear.S[su]++;
    }
}

void s_erase(int unit)
{
    ss.now.S[unit] = (uset)(ss.now.S[unit] | ERASE_LEAVES);
    cut(&ss.now, "erase S", unit, -1);
    ss.now.S[unit] = 1 << BLANK;
    ss.seen.S[unit] = 1 + BLANK;
    ss.wear.S[unit]++;
}
