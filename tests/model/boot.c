/* What the bootloader does from reset to the jump (SPEC.md, "Boot"; step numbers are those there). */
#include "tests/model/model.h"

#include <string.h>

bool same_image(int x, int y)
{
    return x != NONE && y != NONE && sc.n[x] == sc.n[y]
        && memcmp(sc.c[x], sc.c[y], (size_t)sc.n[x]) == 0;
}

bool p_holds(int x)
{
    for (int i = 0; i < sc.n[x]; i++)
        if (read_p(i) != sc.c[x][i])
            return false;
    return true;
}

bool s_holds(int x, int off)
{
    if (off + sc.n[x] > sc.ns)
        return false;
    for (int i = 0; i < sc.n[x]; i++)
        if (read_s(off + i) != sc.c[x][i])
            return false;
    return true;
}

/* The image that verifies there, NONE: it is bad. */
static int p_image(void)
{
    for (int x = 0; x < IMAGES; x++)
        if (p_holds(x))
            return x;
    return NONE;
}

static int s_image(int off)
{
    for (int x = 0; x < IMAGES; x++)
        if (s_holds(x, off))
            return x;
    return NONE;
}

/* At S[0]; only if that unit is blank at S[1] or S[2], where an install leaves the old one. */
static int s_find(int *off)
{
    *off = 0;
    if (read_s(0) != BLANK)
        return s_image(0);
    for (*off = 1; *off <= 2; ++*off) {
        int x = s_image(*off);
        if (x != NONE)
            return x;
    }
    return NONE;
}

int gap_for(int x, int y)
{
    int n = sc.n[x] > sc.n[y] ? sc.n[x] : sc.n[y];
    return n + 2 <= sc.ns ? 2 : n + 1 <= sc.ns ? 1 : 0;
}

static void start(int image, bool test)
{
    ss.image = image;
    ss.test = test;
    ss.halted = image == NONE;
}

/* Without the external chip: what verifies is started, nothing is written. */
static void start_degraded(void)
{
    start(p_image(), false);
    ss.degraded = 1;
}

static void begin(struct header h, int base)
{
    h.st = SWAP;
    h.start = h.starts = 0;
    cell_write(h, base);
    slide_from(&h, 0);
    start(h.is, h.kind == TEST);
}

static struct header turned(const struct header *old, int kind)
{
    struct header h = *old;
    h.kind = (uint8_t)kind;
    h.dir = old->dir == FORWARD ? BACKWARD : FORWARD;
    h.ip = old->is;
    h.is = old->ip;
    return h;
}

static int confirm(int base)
{
    cell_write((struct header){ .st = CONFIRMED }, base);
    cell_prog(SETTLE);
    return ss.cur;
}

/* MCUboot's REVERT row, for a board whose last bootloader was MCUboot. */
static bool mcuboot_reverts(struct header *h)
{
    int x = p_image(), y, off;
    if (x == NONE || read_pt(T_MAGIC) != W_SET || read_pt(T_COPY) != W_SET || read_pt(T_OK) != W_BLANK)
        return false;
    y = s_find(&off); /* behind a blank S[0] after an install of ours whose state was lost */
    if (y == NONE || read_st(T_MAGIC) == W_SET || !gap_for(x, y))
        return false;
    *h = (struct header){ .kind = REVERT, .dir = off ? BACKWARD : FORWARD,
        .gap = (uint8_t)(off ? off : gap_for(x, y)), .ip = (uint8_t)x, .is = (uint8_t)y };
    return true;
}

/* P verifies but is neither image of the swap: somebody flashed it. */
static bool flashed_outside(const struct header *h)
{
    int x = p_image();
    if (bug == BUG_BLIND_RESUME || x == NONE || same_image(x, h->is))
        return false;
    return h->kind == RECOVER || !same_image(x, h->ip);
}

/* Step 2. True: the boot is over. */
static bool resume(struct header *h, int *base)
{
    struct group g[2 * MAX_P + 2];
    bool early = bug == BUG_FLAG_EARLY && h->kind == TEST && p_holds(h->is)
        && read_pt(T_MAGIC) == W_SET && read_pt(T_OK) == W_SET;
    if (early) {
        *base = confirm(*base);
        return false;
    }
    if (ss.dead) {
        start_degraded();
        return true;
    }
    if (flashed_outside(h)) {
        /* S may hold weak units: the request that led here must not be read again. */
        trace_step("S trailer: erase");
        if (bug != BUG_KEEP_REQUEST)
            words_erase(ss.now.st, ss.seen.st, TRAILER_WORDS, "erase S trailer");
        *base = confirm(*base);
        return false;
    }
    h->start = (uint8_t)slide_position(*base, slide_plan(h, g));
    if (bug == BUG_NO_RESTATE)
        ss.cur = *base;
    else
        cell_write(*h, *base);
    slide_from(h, h->start);
    start(h->is, h->kind == TEST);
    return true;
}

/* A start without a revert: the closing steps again, so that both trailers are right. */
static void try_again(struct header h, int base, int starts)
{
    struct group g[2 * MAX_P + 2];
    h.starts = (uint8_t)starts;
    h.start = (uint8_t)slide_plan(&h, g);
    cell_write(h, base);
    if (bug == BUG_NO_REARM) {
        cell_prog(DONE);
        cell_start();
    } else {
        slide_from(&h, h.start);
    }
    start(h.is, true);
}

/* Step 3, TEST with DONE. True: the boot is over. */
static bool trial(const struct header *h, int *base)
{
    int starts = h->starts + (cell_word(*base, START) && bug != BUG_FORGET_START);
    if (read_pt(T_OK) != W_BLANK) {
        if (bug != BUG_LAZY_CONFIRM) {
            *base = confirm(*base);
            return false;
        }
        start(h->is, false);
        return true;
    }
    bool whole = bug == BUG_BLIND_REVERT || p_holds(h->is);
    if (!whole && p_image() != NONE) { /* flashed from outside */
        *base = confirm(*base);
        return false;
    }
    bool want = !whole || starts >= sc.attempts || read_st(T_MAGIC) == W_SET;
    if (want && s_holds(h->ip, h->dir == FORWARD ? h->gap : 0)) {
        begin(turned(h, whole ? REVERT : RECOVER), *base);
    } else if (ss.dead) {
        start(whole ? h->is : NONE, false);
        ss.degraded = 1;
    } else if (want) {
        bad("revert wanted but old image lost");
    } else {
        try_again(*h, *base, starts);
    }
    return true;
}

static bool swap_requested(int base, int p)
{
    bool asked = read_st(T_MAGIC) == W_SET, perm = read_st(T_OK) == W_SET;
    if (!asked && p != NONE)
        return false;
    int off, s = s_find(&off);
    if (s != NONE) {
        struct header h = { .kind = (uint8_t)(p == NONE ? RECOVER : perm ? PERM : TEST),
            .dir = off ? BACKWARD : FORWARD, .ip = (uint8_t)(p == NONE ? 0 : p), .is = (uint8_t)s };
        h.gap = (uint8_t)(off ? off : p == NONE ? 2 : gap_for(p, s));
        if (h.gap) {
            begin(h, base);
            return true;
        }
    }
    if (asked && !ss.dead) {
        trace_step("S trailer: erase");
        words_erase(ss.now.st, ss.seen.st, TRAILER_WORDS, "refuse: erase S trailer");
    }
    return false;
}

static bool damaged(int word)
{
    return word != W_BLANK && word != W_SET;
}

static bool p_trailer_damaged(void)
{
    int magic = read_pt(T_MAGIC), ok = read_pt(T_OK), copy = read_pt(T_COPY);
    if (bug == BUG_NO_REPAIR)
        return false;
    return damaged(magic) || damaged(ok) || damaged(copy) || (magic == W_SET) != (ok == W_SET);
}

/* Step 4. */
static void confirmed(int base)
{
    bool settled = cell_word(base, SETTLE) || bug == BUG_NO_SETTLE;
    for (int u = 0; u < sc.nu && bug != BUG_NO_NEUTRAL; u++)
        if (u != base && cell_valid(u) && ss.now.u[u].h.seq >= ss.now.u[base].h.seq)
            settled = false;
    int p = p_image();
    if (swap_requested(base, p))
        return;
    if (!settled) {
        cell_write((struct header){ .st = CONFIRMED }, base);
        if (bug != BUG_NO_SETTLE)
            cell_prog(SETTLE);
    }
    if (p_trailer_damaged())
        write_p_trailer(true);
    start(p, false);
}

void boot(void)
{
    struct header h;
    int base = cell_read();
    ss.cur = base;
    if (base < 0) { /* step 1: new board, or garbage */
        if (mcuboot_reverts(&h)) {
            begin(h, -1);
            return;
        }
        base = confirm(-1);
    }
    h = ss.now.u[base].h;
    if (h.st == SWAP && ss.seen.tables[base] != W_SET) {
        bad("digest tables lost");
        return;
    }
    if (h.st == SWAP && !cell_word(base, DONE)) {
        if (resume(&h, &base))
            return;
    } else if (h.st == SWAP && h.kind == TEST) {
        if (trial(&h, &base))
            return;
    }
    confirmed(base);
}
