/* The state cell: three units, each programmed only by the boot that erased it (its seal aside). */
#include "tests/model/model.h"

bool cell_valid(int u)
{
    struct state_unit *s = &ss.now.u[u];
    if (!ss.seen.head[u])
        ss.seen.head[u] = 1 << pick(s->head);
    if (ss.seen.head[u] != W_SET)
        return false;
    if (!ss.seen.tables[u])
        ss.seen.tables[u] = 1 << pick(s->tables);
    return ss.seen.tables[u] == W_SET || bug == BUG_NO_TABLE_CRC;
}

bool cell_word(int u, int w)
{
    return read_word(&ss.now.u[u].w[w], &ss.seen.w[u][w]) == W_SET;
}

/* A valid unit that was written from u: it vouches for u where ACT of u does not. */
static int cell_witness(int u)
{
    for (int v = 0; v < sc.nu && bug != BUG_NO_PREV; v++)
        if (v != u && cell_valid(v) && ss.now.u[v].h.prev == u
            && ss.now.u[v].h.prev_seq == ss.now.u[u].h.seq)
            return v;
    return -1;
}

static bool cell_known(int u)
{
    if (!cell_valid(u))
        return false;
    if (bug == BUG_NO_SEAL)
        return true;
    return cell_word(u, SEAL) && (cell_word(u, ACT) || cell_witness(u) >= 0);
}

static bool cell_sealed(int u)
{
    return cell_valid(u) && cell_word(u, SEAL);
}

static int newest(bool (*fits)(int))
{
    int best = -1;
    for (int u = 0; u < sc.nu; u++)
        if (fits(u) && (best < 0 || ss.now.u[u].h.seq > ss.now.u[best].h.seq))
            best = u;
    return best;
}

int cell_read(void)
{
    int u = newest(cell_known);
    if (u < 0)
        u = newest(cell_sealed);
    return u < 0 ? newest(cell_valid) : u;
}

/* ACT is certain if a word that is programmed after it is there. */
static bool cell_acted(int u)
{
    if (!cell_word(u, ACT))
        return false;
    for (int w = ACT + 1; w < CELL_WORDS; w++)
        if (cell_word(u, w))
            return true;
    return false;
}

/* What may be needed if the base's last word does not hold: never written over. */
static int cell_keep(int base)
{
    if (base < 0 || sc.nu <= 2)
        return -1;
    if (!cell_word(base, ACT))
        return cell_witness(base);
    return cell_acted(base) ? -1 : ss.now.u[base].h.prev;
}

/* Whether u is a better target than t: the newest of those newer than base, else the oldest. */
static bool better_target(int u, int t, int base)
{
    int su = ss.now.u[u].h.seq, st = ss.now.u[t].h.seq;
    bool nu = base >= 0 && su > ss.now.u[base].h.seq, nt = base >= 0 && st > ss.now.u[base].h.seq;
    if (bug == BUG_OLDEST)
        return su < st;
    if (nu != nt)
        return bug == BUG_OLDER_FIRST ? nt : nu;
    return nu ? su > st : su < st;
}

static int cell_target(int base)
{
    int t = -1, keep = cell_keep(base);
    for (int u = 0; u < sc.nu; u++)
        if (u != base && bug != BUG_OLDEST && !cell_valid(u))
            return u;
    for (int u = 0; u < sc.nu; u++)
        if (u != base && u != keep && (t < 0 || better_target(u, t, base)))
            t = u;
    return t;
}

/* A seal that may stand or come back is overwritten with 0 before its unit is erased. */
static void cell_void(int t, int base)
{
    struct word *w = &ss.now.u[t].w[SEAL];
    if (bug == BUG_NO_VOID || base < 0 || !cell_valid(t)
        || (ss.now.u[t].h.seq < ss.now.u[base].h.seq && cell_acted(base)))
        return;
    trace_step("state %d: void", t);
    w->may |= W_PART | W_VOID;
    cut(&ss.now, "void a seal", t, -1);
    w->may = W_VOID;
    ss.seen.w[t][SEAL] = W_VOID;
}

void cell_prog(int w)
{
    static const char *const name[] = { "SEAL", "ACT", "SETTLE", "DONE", "START", "mark" };
    int u = ss.cur;
    if (!(ss.fresh >> u & 1) && bug != BUG_NO_RESTATE)
        bad("state unit programmed by a boot that did not erase it");
    if (w < MARK)
        trace_word(&ss.now.u[u].w[w], "state %d: %s", u, name[w]);
    else
        trace_word(&ss.now.u[u].w[w], "state %d: mark %d", u, w - MARK);
    word_prog(&ss.now.u[u].w[w], &ss.seen.w[u][w], true, name[w < MARK ? w : MARK],
        w < MARK ? u : w - MARK);
}

static void cell_erase(int t)
{
    struct state_unit *u = &ss.now.u[t];
    trace_step("state %d: erase", t);
    u->head |= W_BLANK;
    u->tables |= W_PART;
    words_erase(u->w, ss.seen.w[t], CELL_WORDS, "erase state unit");
    u->head = W_BLANK;
    u->tables = W_PART;
    ss.seen.head[t] = W_BLANK;
    ss.seen.tables[t] = W_PART;
}

void cell_write(struct header h, int base)
{
    int t = cell_target(base), top = 0;
    struct state_unit *u = &ss.now.u[t];
    for (int v = 0; v < sc.nu; v++)
        if (cell_valid(v) && ss.now.u[v].h.seq > top)
            top = ss.now.u[v].h.seq;
    h.seq = (uint8_t)(top + 1);
    h.prev = (uint8_t)(base < 0 ? NONE : base);
    h.prev_seq = base < 0 ? 0 : ss.now.u[base].h.seq;
    cell_void(t, base);
    cell_erase(t);
    u->h = h;
    u->tables = W_PART | W_SET;
    cut(&ss.now, "program digest tables", t, -1);
    u->tables = W_SET;
    ss.seen.tables[t] = W_SET;
    trace_step("state %d: header %s", t, h.st == SWAP ? "swap" : "confirmed");
    u->head = W_BLANK | W_SET;
    cut(&ss.now, "program state header", t, -1);
    u->head = W_SET;
    ss.seen.head[t] = W_SET;
    ss.cur = t;
    ss.fresh |= 1u << t;
    cell_prog(SEAL);
    cell_prog(ACT);
}

void cell_start(void)
{
    ss.now.g.booted = 1;
    if (ss.now.g.may_fails <= sc.attempts)
        ss.now.g.may_fails++;
    cell_prog(START);
}
