/* One session: the adversary's choices, and a boot followed by one action of the application. */
#include "tests/model/model.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CHOICES = 2000, BASE36 = 36 };

struct session ss;
struct setup sc;
enum bug bug;

static enum run_mode mode;
static int chosen[MAX_CHOICES], options[MAX_CHOICES], known, at;
static uint64_t random_state = 88172645463325252ull;

void run_mode_set(enum run_mode m)
{
    mode = m;
    choose_reset();
}

uint32_t rnd(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 11) % n);
}

uint64_t rnd_seed(void)
{
    return random_state;
}

void rnd_set_seed(uint64_t seed)
{
    random_state = seed ? seed : 1;
}

void choose_reset(void)
{
    known = at = 0;
}

void choose_script(const char *digits, int len)
{
    known = 0;
    for (int i = 0; i < len && known < MAX_CHOICES; i++) {
        char d = digits[i];
        chosen[known++] = d >= '0' && d <= '9' ? d - '0' : d - 'a' + 10;
    }
}

int choices_text(char *out, int size)
{
    int n = 0;
    for (; n < at && n < size - 1; n++)
        out[n] = "0123456789abcdefghijklmnopqrstuvwxyz"[chosen[n] % BASE36];
    out[n] = 0;
    return n;
}

int choose(int n)
{
    if (n <= 1)
        return 0;
    if (at >= MAX_CHOICES)
        abort();
    if (mode == RUN_RANDOM) {
        chosen[at] = (int)rnd((uint32_t)n);
    } else if (at == known) { /* a script that is too short goes on with the first choice */
        chosen[known] = 0;
        options[known++] = n;
    } else if (mode == RUN_SCRIPT && chosen[at] >= n) {
        chosen[at] = n - 1;
    }
    return chosen[at++];
}

bool choose_next(void)
{
    while (known && ++chosen[known - 1] == options[known - 1])
        known--;
    at = 0;
    return known > 0;
}

int pick(uint64_t set)
{
    int k = choose(__builtin_popcountll(set));
    for (int b = 0;; b++)
        if (set >> b & 1 && k-- == 0)
            return b;
}

void bad(const char *why)
{
    if (!ss.why)
        ss.why = why;
}

static void collapse_words(struct word *w, int n)
{
    for (int i = 0; i < n; i++)
        w[i].may = (uint8_t)(1 << pick(w[i].may));
}

/* Torn but stable (sc.weak false): what is read first is what it is. */
static void collapse(void)
{
    for (int i = 0; i < sc.np; i++)
        ss.now.P[i] = (uset)((uset)1 << pick(ss.now.P[i]));
    for (int i = 0; i < sc.ns; i++)
        ss.now.S[i] = (uset)((uset)1 << pick(ss.now.S[i]));
    collapse_words(ss.now.pt, TRAILER_WORDS);
    collapse_words(ss.now.st, TRAILER_WORDS);
    for (int i = 0; i < sc.nu; i++) {
        struct state_unit *u = &ss.now.u[i];
        u->head = (uint8_t)(1 << pick(u->head));
        u->tables = (uint8_t)(1 << pick(u->tables));
        if (u->head == W_SET)
            collapse_words(u->w, CELL_WORDS);
    }
}

void run_session(const struct node *from)
{
    struct node start = *from;
    memset(&ss, 0, sizeof ss);
    ss.now = start;
    ss.image = NONE;
    ps.ordinal = ps.candidates = 0;
    at = 0;
    if (!sc.weak) {
        collapse();
        check_node(&ss.now);
    }
    tamper();
    ss.dead = (sc.s->extra & X_DEAD) && choose(2);
    if (!ss.why)
        boot();
    if (!ps.limit_total)
        ss.now.cuts = 0;
    if (!ss.why)
        check_jump();
    if (!ss.why)
        app();
}
