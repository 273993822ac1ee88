/* The exact set of nodes: what was pushed, from where, and a normal form so that equals meet. */
#include "tests/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct push_state ps;

static struct node *store;
static uint32_t *parent, *table, nodes, room, mask;

static void *grown(void *p, size_t n, size_t size)
{
    void *q = realloc(p, n * size);
    if (!q) {
        fprintf(stderr, "model: no memory for %zu nodes\n", n);
        exit(3);
    }
    return q;
}

static uint64_t hash(const void *p, size_t len)
{
    const uint8_t *b = p;
    uint64_t h = 1469598103934665603ull;
    for (size_t i = 0; i < len; i += 8) {
        uint64_t x = 0;
        memcpy(&x, b + i, len - i < 8 ? len - i : 8);
        h = (h ^ x) * 0x9E3779B97F4A7C15ull;
        h ^= h >> 29;
    }
    return h;
}

static uint32_t *slot_for(const struct node *n)
{
    uint32_t i = (uint32_t)hash(n, sizeof *n) & mask;
    while (table[i] && memcmp(&store[table[i] - 1], n, sizeof *n) != 0)
        i = (i + 1) & mask;
    return &table[i];
}

void store_init(void)
{
    nodes = 0;
    if (!room) {
        room = 1u << 16;
        store = grown(NULL, room, sizeof *store);
        parent = grown(NULL, room, sizeof *parent);
    }
    mask = 2 * room - 1;
    table = grown(table, (size_t)mask + 1, sizeof *table);
    memset(table, 0, ((size_t)mask + 1) * sizeof *table);
}

static void store_grow(void)
{
    room *= 2;
    store = grown(store, room, sizeof *store);
    parent = grown(parent, room, sizeof *parent);
    mask = 2 * room - 1;
    table = grown(table, (size_t)mask + 1, sizeof *table);
    memset(table, 0, ((size_t)mask + 1) * sizeof *table);
    for (uint32_t i = 0; i < nodes; i++)
        *slot_for(&store[i]) = i + 1;
}

uint32_t store_count(void)
{
    return nodes;
}

const struct node *store_node(uint32_t i)
{
    return &store[i];
}

uint32_t store_parent(uint32_t i)
{
    return parent[i];
}

static bool may_be_valid(const struct state_unit *u)
{
    return u->head & W_SET && (u->tables & W_SET || bug == BUG_NO_TABLE_CRC);
}

/* What can never be believed is only room to write: it looks alike. */
static void forget_invalid(struct node *n)
{
    for (int i = 0; i < sc.nu; i++) {
        struct state_unit *u = &n->u[i];
        if (may_be_valid(u))
            continue;
        memset(u, 0, sizeof *u);
        u->head = W_BLANK;
        u->tables = W_PART;
        for (int w = 0; w < CELL_WORDS; w++)
            u->w[w].may = W_ANY;
    }
}

static void forget_lost_prev(struct node *n)
{
    for (int i = 0; i < sc.nu; i++) {
        struct header *h = &n->u[i].h;
        if (!may_be_valid(&n->u[i]))
            continue;
        if (h->prev >= sc.nu || !may_be_valid(&n->u[h->prev]) || n->u[h->prev].h.seq != h->prev_seq) {
            h->prev = NONE;
            h->prev_seq = 0;
        }
    }
}

/* Units older than one that is certainly known are history: only their age counts. */
static void forget_history(struct node *n)
{
    int top = 0;
    for (int i = 0; i < sc.nu; i++) {
        const struct state_unit *u = &n->u[i];
        if (u->head == W_SET && u->tables == W_SET && u->w[SEAL].may == W_SET && u->w[ACT].may == W_SET
            && u->h.seq > top)
            top = u->h.seq;
    }
    for (int i = 0; i < sc.nu && bug != BUG_NO_SEAL; i++) {
        struct state_unit *u = &n->u[i];
        if (!may_be_valid(u) || u->h.seq >= top)
            continue;
        u->h = (struct header){ .seq = u->h.seq, .prev = NONE };
        for (int w = 0; w < CELL_WORDS; w++)
            u->w[w] = (struct word){ W_BLANK, 0 };
    }
}

/* Sequence numbers are renumbered: order and "follows directly" are all that counts. */
static void renumber(struct node *n)
{
    uint8_t map[256] = { 0 };
    bool used[256] = { false };
    for (int i = 0; i < sc.nu; i++)
        if (may_be_valid(&n->u[i]))
            used[n->u[i].h.seq] = true;
    int last = -1;
    uint8_t v = 1;
    for (int s = 0; s < 256; s++) {
        if (!used[s])
            continue;
        if (last >= 0)
            v = (uint8_t)(v + (s - last > 1 ? 2 : 1));
        map[s] = v;
        last = s;
    }
    for (int i = 0; i < sc.nu; i++) {
        struct header *h = &n->u[i].h;
        if (!may_be_valid(&n->u[i]))
            continue;
        h->seq = map[h->seq];
        if (h->prev != NONE)
            h->prev_seq = map[h->prev_seq];
    }
}

static void normalise(struct node *n)
{
    forget_invalid(n);
    forget_lost_prev(n);
    for (int i = 0; i < sc.nu && bug != BUG_NO_RESTATE; i++) /* only fresh units are programmed */
        for (int w = 0; w < CELL_WORDS; w++)
            n->u[i].w[w].progs = 0;
    forget_history(n);
    renumber(n);
}

static void keep(const struct node *n, const char *what)
{
    ps.kept = *n;
    ps.kept_ordinal = ps.ordinal;
    ps.kept_cut = strncmp(what, "cut", 3) == 0;
    snprintf(ss.label, sizeof ss.label, "%s", what);
}

/* The modes that do not fill the set. */
static bool diverted(const struct node *n, const char *what)
{
    switch (ps.mode) {
    case PUSH_STORE:
        return false;
    case PUSH_HUNT:
        if (!ps.found && memcmp(n, ps.hunted, sizeof *n) == 0) {
            ps.found = true;
            keep(n, what);
        }
        return true;
    case PUSH_ANY:
        if (rnd(++ps.candidates) == 0)
            keep(n, what);
        return true;
    case PUSH_NTH:
        if (ps.wanted == 0 || ps.wanted == ps.ordinal)
            keep(n, what);
        return true;
    }
    return false;
}

static void push_node(const struct node *src, const char *what)
{
    struct node n = *src;
    if (ss.why)
        return;
    ps.edges++;
    if (sc.weak)
        check_node(&n);
    if (ss.why) {
        snprintf(ss.label, sizeof ss.label, "%s", what);
        return;
    }
    normalise(&n);
    if (diverted(&n, what))
        return;
    uint32_t *slot = slot_for(&n);
    if (*slot)
        return;
    store[nodes] = n;
    parent[nodes] = ps.from;
    *slot = ++nodes;
    if (nodes == room)
        store_grow();
}

void push(const struct node *n, const char *what)
{
    ps.ordinal++;
    push_node(n, what);
}

void cut(const struct node *n, const char *what, int a, int b)
{
    char t[64];
    ps.ordinal++;
    if (n->cuts >= ps.cut_limit)
        return;
    snprintf(t, sizeof t, "cut: %s %d %d", what, a, b);
    struct node m = *n;
    if (ps.cut_limit < NO_LIMIT)
        m.cuts++;
    push_node(&m, t);
}
