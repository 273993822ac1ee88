/*
 * Model of the slide swap (SPEC.md, "Swap"): the bootloader's protocol on two modelled flash chips, an
 * application, and an adversary who cuts power inside any erase or program. An explicit-state search
 * (search.c) visits every state that can survive a reset.
 *
 * A node is all that survives: both flashes, and a ghost that remembers what was promised to whom.
 * From every node the bootloader and then one action of the application run; every flash operation
 * pushes the node that a cut in the middle of it leaves behind. Nodes are kept in an exact set, so a
 * search whose work list runs empty has covered every plan within its bound of cuts.
 *
 * A cell (unit, or word of a trailer or state unit) that was in flight at a cut does not hold a value
 * but a set of values. At each boot the adversary picks one when the cell is first read; the set stays
 * until a complete operation rewrites the cell. That contains "nothing", "all", "half", "random bits",
 * a mixed erase, and what reads right today and wrong tomorrow.
 *
 * Abstract: a unit is blank, torn, or the content number of an image's unit (the bootloader sees those
 * through digests); a word is blank, partial, set, or (a seal only) void.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* MODEL_BIG 1: images of up to 14 units, for random plans. 0: small nodes, for the search. */
#if MODEL_BIG
enum { MAX_P = 14, MAX_S = 18, MAX_GROUPS = 32 };
typedef uint64_t uset; /* bit v: the unit may read as v */
#else
enum { MAX_P = 4, MAX_S = 6, MAX_GROUPS = 9 };
typedef uint16_t uset;
#endif
enum { MAX_STATE_UNITS = 3, IMAGES = 3, NONE = 255 };

enum { BLANK, TORN, CONTENT }; /* readings of a unit; >= CONTENT: a unit of an image */
enum { W_BLANK = 1, W_PART = 2, W_SET = 4, W_ANY = 7, W_VOID = 8 }; /* readings of a word */
enum { SEAL, ACT, SETTLE, DONE, START, MARK, CELL_WORDS = MARK + MAX_GROUPS };
enum { T_MAGIC, T_COPY, T_OK, TRAILER_WORDS };
enum { CONFIRMED, SWAP };
enum { TEST = 1, PERM, REVERT, RECOVER };
enum { FORWARD, BACKWARD }; /* the incoming image lies at S[0] / at S[gap] */
enum { NO, MAYBE, SURE };

struct word {
    uint8_t may; /* set of readings */
    uint8_t progs; /* programs since the last complete erase */
};
struct header {
    uint8_t seq, prev, prev_seq, st, kind, dir, gap;
    uint8_t ip, is; /* the images whose digests the two tables hold */
    uint8_t start, starts;
};
struct state_unit {
    struct header h;
    uint8_t head; /* W_SET: the header can read as h; W_BLANK: as garbage */
    uint8_t tables; /* the digest tables, covered by their own CRC in the header */
    struct word w[CELL_WORDS];
};
struct ghost {
    uint8_t good; /* last image confirmed: recoverable at every moment */
    uint8_t neu; /* image requested, neither confirmed nor reverted */
    uint8_t req, may_kind; /* NO MAYBE SURE; bits TEST, PERM */
    uint8_t confirm, revreq; /* NO MAYBE SURE */
    uint8_t booted; /* a start of neu was on its way to being recorded */
    uint8_t fails, may_fails; /* starts that happened; that may be on record */
    uint8_t degraded; /* the external chip was dead at some boot of this update */
    uint8_t damaged; /* neu destroyed itself */
    uint8_t tampered; /* a debugger flashed P: 1 not started since, 2 started since */
};
struct node {
    uset P[MAX_P], S[MAX_S];
    struct word pt[TRAILER_WORDS], st[TRAILER_WORDS]; /* trailers of P and S */
    struct state_unit u[MAX_STATE_UNITS];
    struct ghost g;
    uint8_t cuts; /* on this path (or in a row), where a bound counts them */
};

/* What may happen besides cuts; bits of scenario.extra. */
enum { X_DEAD = 1, X_MCUBOOT = 2, X_CONFIRM_CUT = 4, X_BROKEN_P = 8, X_FLASHED = 16, X_DAMAGE = 32 };
struct scenario {
    const char *name;
    int spare; /* units of S beyond the largest image: 2 or 1 */
    int n[IMAGES]; /* units of each image */
    const char *shared; /* "xiyj": unit i of image x equals unit j of image y; several in a row */
    int attempts; /* starts of an unconfirmed image */
    int extra;
};
extern const struct scenario scenarios[];
extern const int scenario_count;

/* The scenario in hand, spread out. */
struct setup {
    const struct scenario *s;
    int np, ns, nu, attempts; /* units of P and S before their trailers, of the state cell */
    int n[IMAGES];
    uint8_t c[IMAGES][MAX_P]; /* content numbers */
    bool weak; /* false: torn but stable, what is read first stays */
};
extern struct setup sc;

/* Ways to break the protocol on purpose; name, what is done wrong. */
#define BUG_TABLE(X)                                                                               \
    X(LEAVE_RIGHT, "leave-right", "a resumed slide leaves a unit alone that reads right")          \
    X(NO_MARKS, "no-marks", "position by digests only")                                            \
    X(SKIP_WEAK, "skip-weak", "marks, but units that read right are left alone")                   \
    X(ORDER, "order", "P[i] before S[i+g]")                                                        \
    X(PAIR_GAP1, "pair-gap1", "both chips at once although the gap is 1")                          \
    X(SKIP_S, "skip-s", "a unit of S that reads right is not written")                             \
    X(FLAG_EARLY, "flag-early", "image_ok believed before the swap is closed")                     \
    X(NO_SEAL, "no-seal", "a valid header is believed without its seal")                           \
    X(NO_RESTATE, "no-restate", "a resumed slide goes on in the old state unit")                   \
    X(NO_SETTLE, "no-settle", "the image is started from a state that may be weak")                \
    X(NO_NEUTRAL, "no-neutral", "a newer unsealed state unit is left lying")                       \
    X(NO_VOID, "no-void", "a newer state unit is erased with its seal standing")                   \
    X(TRAILER_IF, "trailer-if", "the trailer of S is erased only if it reads non-blank")           \
    X(FORGET_START, "forget-start", "a recorded start is not counted")                             \
    X(NO_REARM, "no-rearm", "the trailer of P is not written anew before a further attempt")       \
    X(UPLOAD_ORDER, "upload-order", "an upload erases the trailer of S last")                      \
    X(LAZY_CONFIRM, "lazy-confirm", "a confirm is believed from the trailer, not recorded")        \
    X(ATTEMPT_LATE, "attempt-late", "started before the start is recorded")                        \
    X(NO_REPAIR, "no-repair", "a damaged trailer of P is not repaired")                            \
    X(BLIND_REVERT, "blind-revert", "a revert does not compare P with its table first")            \
    X(BLIND_RESUME, "blind-resume", "a resumed slide does not ask whether P was flashed")          \
    X(KEEP_REQUEST, "keep-request", "a swap given up half way leaves the request standing")        \
    /* not within three cuts, or no failure known: to try out, not part of the seeded set */       \
    X(NO_TABLE_CRC, "no-table-crc", "the digest tables are not covered by a CRC")                  \
    X(TWO_UNITS, "two-units", "two state units instead of three")                                  \
    X(NO_PREV, "no-prev", "no witness for a base without ACT")                                     \
    X(OLDEST, "oldest", "the oldest state unit is always the one rewritten")                       \
    X(OLDER_FIRST, "older-first", "older state units are rewritten before newer ones")
enum bug {
    BUG_NONE,
#define BUG_ENUM(id, name, text) BUG_##id,
    BUG_TABLE(BUG_ENUM)
#undef BUG_ENUM
        BUG_COUNT,
    BUG_SEEDED_LAST = BUG_KEEP_REQUEST
};
extern enum bug bug;
const char *bug_name(enum bug b);
const char *bug_text(enum bug b);

/* Erases of an uncut session, for the wear report. */
struct wear {
    int P[MAX_P], S[MAX_S], pt, st, u;
};

/* The session in progress: one boot and one action of the application (run.c). */
struct session {
    struct node now; /* flash and ghost as they are */
    /* readings picked at this boot, 0 = not read yet; a unit's reading + 1, a word's bit */
    struct {
        int P[MAX_P], S[MAX_S], pt[TRAILER_WORDS], st[TRAILER_WORDS];
        int head[MAX_STATE_UNITS], tables[MAX_STATE_UNITS], w[MAX_STATE_UNITS][CELL_WORDS];
    } seen;
    struct wear wear;
    int ops, cur; /* cur: the state unit in use */
    unsigned fresh; /* state units erased by this boot */
    int image, degraded; /* started: NONE none; without the external chip */
    bool test, halted, dead; /* started on trial; nothing started; external chip is dead */
    const char *why; /* NULL: no rule broken */
    char label[80]; /* of the last push */
};
extern struct session ss;

/* run.c: choices of the adversary and the application */
enum run_mode { RUN_SEARCH, RUN_RANDOM, RUN_SCRIPT };
void run_mode_set(enum run_mode m);
uint32_t rnd(uint32_t n); /* 0 .. n-1 */
uint64_t rnd_seed(void);
void rnd_set_seed(uint64_t seed);
int choose(int n); /* 0 .. n-1 */
int pick(uint64_t set); /* a member of a non-empty set: its bit number */
bool choose_next(void); /* search: the next vector of choices, false when all were made */
void choose_reset(void);
void choose_script(const char *digits, int len); /* base 36; used by RUN_SCRIPT */
int choices_text(char *out, int size); /* of the last session */
void bad(const char *why);
void run_session(const struct node *from);

/* store.c: the set of nodes */
void push(const struct node *n, const char *what); /* a node a reset may leave behind */
void cut(const struct node *n, const char *what, int a, int b); /* the same, by a power cut */
void store_init(void);
uint32_t store_count(void);
const struct node *store_node(uint32_t i);
uint32_t store_parent(uint32_t i); /* NO_NODE for the first */
enum { NO_LIMIT = 99 };
#define NO_NODE UINT32_MAX
enum push_mode {
    PUSH_STORE, /* into the set */
    PUSH_HUNT, /* look for *hunted, keep it when found */
    PUSH_ANY, /* keep one of the session's at random */
    PUSH_NTH, /* keep the one with ordinal `wanted`; 0: the last */
};
struct push_state {
    enum push_mode mode;
    uint32_t from; /* node the session started from; NO_NODE: none */
    uint64_t edges; /* cuts and resets so far */
    int cut_limit; /* NO_LIMIT: cuts are not counted */
    bool limit_total; /* cuts on a path, else in a row since an image was last started */
    uint32_t ordinal; /* of this session's pushes, suppressed ones included */
    uint32_t candidates;
    uint32_t wanted;
    const struct node *hunted;
    bool found;
    struct node kept;
    uint32_t kept_ordinal;
    bool kept_cut;
};
extern struct push_state ps;

/* flash.c: readings, erases and programs with their cuts */
int read_p(int i);
int read_s(int i);
int read_pt(int w);
int read_st(int w);
int read_word(const struct word *w, int *seen);
void word_prog(struct word *w, int *seen, bool internal, const char *what, int a);
void words_erase(struct word *w, int *seen, int n, const char *what);
void s_erase(int unit);
/* One unit of each chip (-1: none) rewritten, both at once: every pair of phases is cut. */
void rewrite(int pu, int pv, int su, int sv);
bool solid(uint64_t set);

/* steps_model.c: the trace that keeps model and C code in step; nothing unless a case of it runs */
void trace_word(struct word *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_step(const char *format, ...) __attribute__((format(printf, 1, 2)));
void trace_rewrite(int pu, int su);
int steps_main(const char *plan); /* NULL: every plan */

/* cell.c */
bool cell_valid(int u);
bool cell_word(int u, int w);
int cell_read(void); /* base, -1 none */
void cell_write(struct header h, int base);
void cell_prog(int w); /* a word of the unit in use */
void cell_start(void); /* START: from here on the image counts as started */

/* slide.c */
struct group {
    int p, s; /* unit of P that gets the incoming image; unit of P to be saved; -1 none */
};
int slide_plan(const struct header *h, struct group *g);
int slide_position(int u, int groups);
void slide_from(const struct header *h, int pos); /* from group pos to the last word before the jump */
void write_p_trailer(bool ok);

/* boot.c */
void boot(void);
bool same_image(int x, int y);
bool p_holds(int x);
bool s_holds(int x, int off);
int gap_for(int x, int y);

/* promise.c: the rules */
void check_node(const struct node *n);
void check_jump(void);
void request_over(void);

/* app.c */
void app(void);
void app_request(int x, bool perm);
void app_confirm(void);
void tamper(void); /* a debugger, before the boot */

/* scenario.c */
void scenario_select(int i, bool weak, int units);
void scenario_use(const struct scenario *s, bool weak, int units);
void scenario_initial(struct node *n);

/* search.c; 0 no failure, 1 failure */
struct options {
    bool verbose;
    int depth; /* of random plans */
    uint32_t plans;
};
int search(void);
int random_plans(const struct options *o);
int replay(const char *plan, const struct options *o); /* 2: not a plan */
/* Erases by session of an update without cuts (an upload counts in S); 1: a unit was erased twice. */
int wear_report(const char *title, const char *choices);
void show(const struct node *n);

#endif
