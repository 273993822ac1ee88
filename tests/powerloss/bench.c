/* The bench: chips, images, one session, and the place every flash operation passes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/flash/nor_priv.h"
#include "tests/powerloss/bench.h"

enum {
    JEDEC = 0x1F470C,
    TOY_STATE_UNITS = 4,
    OPS_MAX = 4000, /* of one session: more is a loop */
    OPS_MAX_REAL = 40000,
    CUT_SEED = 20260,
    STATE_CELL_UNITS = 3,
    OFF_SEAL = 0x40,
    OFF_START = 0x50,
};

static void require(bool ok)
{
    if (!ok)
        abort();
}

void bad(struct bench *b, const char *why)
{
    if (!b->why)
        b->why = why;
}

void bench_what(const struct bench *b, char out[WHAT_LEN])
{
    const struct last_op *o = &b->last;

    snprintf(out, WHAT_LEN, "operation %u: %s %s at 0x%x, %u bytes", o->op, o->erase ? "erase" : "program",
        o->which == INTERNAL ? "internal" : "external", o->off, o->len);
}

/* ---- choices ----------------------------------------------------------------------------------- */

/* xorshift64: 0 .. n-1 */
unsigned random_below(struct bench *b, unsigned n)
{
    b->rng ^= b->rng << 13;
    b->rng ^= b->rng >> 7;
    b->rng ^= b->rng << 17;
    return (unsigned)((b->rng >> 11) % n);
}

unsigned choose(struct bench *b, unsigned n)
{
    if (n <= 1)
        return 0;
    require(b->at < sizeof b->choice);
    if (b->at == b->known) {
        b->choice[b->known] = (uint8_t)(b->random ? random_below(b, n) : 0);
        b->options[b->known++] = (uint8_t)n;
    } else if (b->scripted && b->choice[b->at] >= n) {
        b->choice[b->at] = (uint8_t)(n - 1);
    }
    return b->choice[b->at++];
}

bool choose_next(struct bench *b)
{
    while (b->known && ++b->choice[b->known - 1] == b->options[b->known - 1])
        b->known--;
    return b->known > 0;
}

static unsigned choose_reading(void *ctx, unsigned n)
{
    return choose(ctx, n);
}

/* ---- every operation passes here ----------------------------------------------------------------- */

static uint32_t in_state_unit(const struct bench *b, unsigned which, uint32_t off)
{
    const struct layout_part *s = &b->layout.state;

    if (which != INTERNAL || off < s->off || off - s->off >= STATE_CELL_UNITS * UNIT)
        return UINT32_MAX;
    return (off - s->off) % UNIT;
}

/* A state unit is programmed by the boot that erased it; only its SEAL may be overwritten with 0 by another. */
static void check_state_unit(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data)
{
    static const uint8_t zero[4];
    uint32_t at = in_state_unit(b, which, off);

    if (at == UINT32_MAX)
        return;
    unsigned bit = 1u << ((off - b->layout.state.off) / UNIT);
    if (erase)
        b->erased_units |= bit;
    else if (!(b->erased_units & bit) && !(at == OFF_SEAL && memcmp(data, zero, sizeof zero) == 0))
        bad(b, "a state unit was programmed by a boot that did not erase it");
}

/* From the moment START is on its way to flash the image counts as started. */
static void note_start(struct bench *b, unsigned which, bool erase, uint32_t off)
{
    struct promise *pr = &b->w.pr;

    if (erase || in_state_unit(b, which, off) != OFF_START)
        return;
    pr->booted = 1;
    if (pr->may_fails <= b->c->attempts)
        pr->may_fails++;
}

struct flight {
    enum nor_op op;
    uint32_t off, len;
    const void *data;
    uint64_t end_us;
    bool void_;
};

static struct flight flight_of(const struct nor *n)
{
    return (struct flight) { n->op, n->op_off, n->op_len, n->op_data, n->op_end_us, n->op_void };
}

static void flight_back(struct nor *n, const struct flight *f)
{
    n->op = f->op;
    n->op_off = f->off;
    n->op_len = f->len;
    n->op_data = f->data;
    n->op_end_us = f->end_us;
    n->op_void = f->void_;
}

static int start(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data, uint32_t len)
{
    struct flash_dev model;

    nor_device(&b->chip[which], &model);
    return erase ? model.ops->erase_start(&b->chip[which], off)
                 : model.ops->prog_start(&b->chip[which], off, data, len);
}

/* The operation begins and power fails: both chips show what is left. */
static void tear(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data, uint32_t len,
    const struct cut *how)
{
    b->power.cut_at = b->power.ops + 1;
    b->power.tear = (enum sim_tear)how->tear;
    b->power.tear_other = (enum sim_tear)how->other;
    b->power.seed = CUT_SEED + b->op; /* other torn bits at every operation, the same in a replay */
    (void)start(b, which, erase, off, data, len);
    b->power.cut_at = 0;
    b->power.off = false;
    b->cuts++;
}

static void fork_here(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data, uint32_t len)
{
    struct flight other = flight_of(&b->chip[!which]);
    struct nor *mine = &b->chip[which];
    uint64_t ops = b->power.ops;

    if (b->fork_op && b->fork_op != b->op)
        return;
    bench_save(b, &b->before);
    for (unsigned t = 0; t < SIM_TEARS && !b->why; t++) {
        for (unsigned o = 0; o < SIM_TEARS && !b->why; o++) {
            struct cut how = { b->op, (uint8_t)t, (uint8_t)o };
            if (other.op == NOR_IDLE ? o != t : !b->all_pairs && o != t)
                continue;
            tear(b, which, erase, off, data, len, &how);
            check_state(b);
            if (b->why)
                b->cut = how;
            b->fork(b, &how);
            bench_restore(b, &b->before);
            b->power.ops = ops;
            flight_back(&b->chip[!which], &other);
            mine->op = NOR_IDLE;
        }
    }
}

/* ---- errors --------------------------------------------------------------------------------------- */

enum call { CALL_READ, CALL_START, CALL_POLL, CALL_PROBE };

/* A chip that died: the external one says nothing more, the internal one takes nothing more. */
static bool is_down(const struct bench *b, unsigned which, enum call call)
{
    return b->failed && b->fail_sticky && which == b->fail_chip && (which == EXTERNAL || call == CALL_START);
}

/* OK, or the error that this call shall return. */
static int fails_here(struct bench *b, unsigned which, enum call call)
{
    bool now = ++b->calls == b->fail_call;

    if (now) {
        b->failed = true;
        b->fail_chip = which;
        if (b->fail_sticky && which == EXTERNAL)
            nor_op_tear(&b->chip[EXTERNAL], SIM_TEAR_WEAK);
    }
    if (is_down(b, which, call))
        return which == EXTERNAL ? ERR_NODEV : ERR_IO;
    return now && !b->fail_sticky ? b->fail_error : OK;
}

static int any_start(struct nor *nor, bool erase, uint32_t off, const void *data, uint32_t len)
{
    struct bench *b = nor->weak_ctx;
    unsigned which = nor == &b->chip[EXTERNAL];
    int err = fails_here(b, which, CALL_START);

    b->last = (struct last_op) { b->op + 1, which, erase, off, len };
    if (err != OK && b->calls == b->fail_call && b->fail_sticky && which == EXTERNAL) { /* it dies in this operation */
        (void)start(b, which, erase, off, data, len);
        nor_op_tear(&b->chip[which], SIM_TEAR_WEAK);
    }
    if (err != OK)
        return err;
    if (++b->op > (b->c->extra & X_REAL ? OPS_MAX_REAL : OPS_MAX)) {
        bad(b, "the boot does not end");
        longjmp(b->out, 1);
    }
    if (which == EXTERNAL && b->dead)
        return start(b, which, erase, off, data, len);
    check_state_unit(b, which, erase, off, data);
    note_start(b, which, erase, off);
    if (b->watch)
        b->watch(b, which, erase, off, data);
    if (b->cut.op == b->op) {
        tear(b, which, erase, off, data, len, &b->cut);
        b->was_cut = true;
        longjmp(b->out, 1);
    }
    if (b->fork)
        fork_here(b, which, erase, off, data, len);
    if (b->why)
        longjmp(b->out, 1);
    return start(b, which, erase, off, data, len);
}

static int bench_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    return any_start(ctx, false, off, data, len);
}

static int bench_erase(void *ctx, uint32_t off)
{
    return any_start(ctx, true, off, NULL, 0);
}

static const struct flash_ops *model_ops(struct nor *nor)
{
    struct flash_dev model;

    nor_device(nor, &model);
    return model.ops;
}

static int bench_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct nor *nor = ctx;
    struct bench *b = nor->weak_ctx;

    int err = fails_here(b, nor == &b->chip[EXTERNAL], CALL_READ);

    return err != OK ? err : model_ops(nor)->read(nor, off, buf, len);
}

/* An operation whose end is reported as a failure is over all the same. */
static int bench_poll(void *ctx)
{
    struct nor *nor = ctx;
    struct bench *b = nor->weak_ctx;
    int err = fails_here(b, nor == &b->chip[EXTERNAL], CALL_POLL), end;

    do
        end = model_ops(nor)->poll(nor);
    while (err != OK && end == ERR_BUSY);
    return err != OK ? err : end;
}

static int bench_probe(void *ctx, uint32_t *jedec)
{
    struct nor *nor = ctx;
    struct bench *b = nor->weak_ctx;
    int err = fails_here(b, nor == &b->chip[EXTERNAL], CALL_PROBE);

    *jedec = 0;
    return err != OK ? err : model_ops(nor)->probe(nor, jedec);
}

static uint32_t chip_now_ms(void *ctx)
{
    return (uint32_t)(((struct nor *)ctx)->clock->us / 1000);
}

static const struct flash_ops bench_ops = { .read = bench_read, .prog_start = bench_prog, .erase_start = bench_erase,
    .poll = bench_poll, .probe = bench_probe, .now_ms = chip_now_ms };

static uint32_t boot_now_ms(void *ctx)
{
    return (uint32_t)(((struct bench *)ctx)->clock.us / 1000);
}

/* ---- opening ------------------------------------------------------------------------------------ */

/*
 *     internal:  [boot: 4 units if the state lies there] slot 0 [state: 4 units, a scratch partition]
 *     external:  slot 1
 */
static struct layout toy_layout(const struct campaign *c)
{
    uint32_t n = 0;

    for (unsigned x = 0; x < IMAGES; x++)
        n = c->units[x] > n ? c->units[x] : n;
    bool in_boot = c->extra & X_STATE_IN_BOOT;
    uint32_t boot = in_boot ? TOY_STATE_UNITS * UNIT : 0, slot0 = (n + 1) * UNIT;
    struct layout l = {
        .board = "toy",
        .internal_size = TOY_STATE_UNITS * UNIT + slot0,
        .internal_erase = UNIT,
        .external_size = (n + 1u + c->spare) * UNIT,
        .external_erase = UNIT,
        .external_jedec = JEDEC,
        .boot = { 0, boot },
        .slot0 = { boot, slot0 },
        .slot1 = { 0, (n + 1u + c->spare) * UNIT },
        .state = { in_boot ? 0 : slot0, TOY_STATE_UNITS * UNIT },
        .unit = UNIT,
    };

    l.hash = layout_hash(&l);
    return l;
}

/* boards/at25xe321d_nrf52840, boards/nrf52840dk, and the first of them without a scratch partition. */
static struct layout real_layout(const struct campaign *c)
{
    enum { KIB = 1024, BOOT = 48 * KIB, SLOT0 = 904 * KIB, STATE = TOY_STATE_UNITS * UNIT };
    bool in_boot = c->extra & X_STATE_IN_BOOT, equal_slots = c->extra & X_EQUAL_SLOTS;
    struct layout l = {
        .board = "real",
        .internal_size = 1024 * KIB,
        .internal_erase = UNIT,
        .external_size = 4096 * KIB,
        .external_erase = UNIT,
        .external_jedec = JEDEC,
        .boot = { 0, BOOT },
        .slot0 = { BOOT, SLOT0 },
        .slot1 = { 0, equal_slots ? SLOT0 : 1024 * KIB },
        .state = { in_boot ? BOOT - STATE : BOOT + SLOT0, STATE },
        .unit = UNIT,
    };

    l.hash = layout_hash(&l);
    return l;
}

static void open_chips(struct bench *b)
{
    struct nor_geometry geo[CHIPS] = { nor_internal_nrf52840(b->layout.internal_size),
        nor_external_part(JEDEC, b->layout.external_size) };

    for (unsigned i = 0; i < CHIPS; i++) {
        if (!(b->c->extra & X_REAL)) { /* a unit is one operation, so that plans stay few */
            geo[i].prog_max = UNIT;
            geo[i].prog_max_ms = 1000;
            geo[i].poll_us = 10000;
        }
        require(nor_open(&b->chip[i], &geo[i], &b->clock, &b->power, NULL) == OK);
        nor_device(&b->chip[i], &b->dev[i]);
        b->dev[i].ops = &bench_ops;
        b->chip[i].weak_ctx = b;
    }
    b->dev[EXTERNAL].jedec = JEDEC;
}

static void load(struct bench *b, unsigned slot, unsigned image)
{
    const struct pl_image *im = &b->image[image];
    uint32_t off = slot == 0 ? b->layout.slot0.off : b->layout.slot1.off;

    nor_load(&b->chip[slot], off, im->data, im->len);
}

/* What a debugger, or MCUboot, left before the first boot. */
static void load_first_images(struct bench *b)
{
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50,
        0x0f, 0x2c, 0xb6, 0x79, 0x80 };
    const uint8_t set = 0x01, zero = 0;
    uint32_t end = b->layout.slot0.off + b->layout.slot0.size;

    load(b, 0, 0);
    load(b, 1, 1);
    if (b->c->extra & X_MCUBOOT) {
        load(b, 0, 1);
        load(b, 1, 0);
        nor_load(&b->chip[INTERNAL], end - 16, magic, sizeof magic);
        nor_load(&b->chip[INTERNAL], end - 32, &set, 1);
    }
    if (b->c->extra & X_BROKEN_P) {
        load(b, 1, 0);
        nor_load(&b->chip[INTERNAL], b->layout.slot0.off + 0x300, &zero, 1);
    }
}

/* Images do not end at a unit's end; C, which is uploaded block by block, has few of them in its last one. */
static void make_images(struct bench *b)
{
    static const uint32_t short_by[IMAGES] = { 100, 100, UNIT - 800 };

    for (unsigned x = 0; x < IMAGES; x++)
        b->image[x] = pl_image_make(&b->key, &b->layout, x + 1, b->c->units[x] * (uint32_t)UNIT - short_by[x],
            b->c->shared);
}

void bench_open(struct bench *b, const struct campaign *c)
{
    memset(b, 0, sizeof *b);
    b->c = c;
    b->layout = c->extra & X_REAL ? real_layout(c) : toy_layout(c);
    open_chips(b);
    b->power.choose = choose_reading;
    b->power.ctx = b;
    pl_key_make(&b->key);
    b->keys = (struct image_keys) { .key = &b->key.pub, .count = 1 };
    b->store = (struct store) { .layout = &b->layout, .internal = &b->dev[INTERNAL],
        .external = &b->dev[EXTERNAL], .keys = &b->keys };
    b->cfg = (struct boot_config) { .store = &b->store, .attempts = c->attempts,
        .buf = { b->buf[0], b->buf[1] }, .now_ms = boot_now_ms, .ctx = b };
    make_images(b);
    load_first_images(b);
    promise_begin(b);
}

void bench_close(struct bench *b)
{
    for (unsigned i = 0; i < CHIPS; i++)
        nor_close(&b->chip[i]);
    for (unsigned x = 0; x < IMAGES; x++)
        free(b->image[x].data);
    saved_free(&b->before);
}

void bench_save(struct bench *b, struct saved *s)
{
    for (unsigned i = 0; i < CHIPS; i++)
        require(nor_snapshot_take(&s->chip[i], &b->chip[i]) == OK);
    s->w = b->w;
}

void bench_restore(struct bench *b, const struct saved *s)
{
    for (unsigned i = 0; i < CHIPS; i++)
        require(nor_snapshot_restore(&s->chip[i], &b->chip[i]) == OK);
    b->w = s->w;
}

void saved_free(struct saved *s)
{
    for (unsigned i = 0; i < CHIPS; i++)
        nor_snapshot_free(&s->chip[i]);
}

/* ---- a session ------------------------------------------------------------------------------------ */

static void power_up(struct bench *b)
{
    b->at = 0;
    b->op = 0;
    b->boot_ops = UINT32_MAX;
    b->was_cut = b->trial = b->degraded = b->failed = false;
    b->calls = 0;
    b->running = NONE;
    b->why = NULL;
    b->last = (struct last_op) { 0 };
    b->sessions++;
    b->erased_units = 0;
    b->power.seed = CUT_SEED + b->w.sessions; /* what is mixed of weak readings is the same in a replay */
    sim_power_up(&b->power);
    for (unsigned i = 0; i < CHIPS; i++) {
        b->dev[i].busy = b->dev[i].overdue = false;
        b->chip[i].violations = 0;
        nor_counters_clear(&b->chip[i]);
    }
}

enum { DEAD_BOOTS_MAX = 2 };

static void maybe_dead(struct bench *b)
{
    b->chip[EXTERNAL].faults = 0;
    b->dead = b->c->extra & X_DEAD && b->w.dead_boots < DEAD_BOOTS_MAX && choose(b, 2);
    if (!b->dead)
        return;
    b->w.dead_boots++;
    require(nor_fault_add(&b->chip[EXTERNAL], &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }) == OK);
}

/* No unit is erased twice in a boot: not by an install, nor by what continues one. */
static void check_wear(struct bench *b)
{
    for (unsigned i = 0; i < CHIPS; i++)
        if (nor_max_erases(&b->chip[i], 0, b->chip[i].geo.size) > 1)
            bad(b, "a unit was erased twice in one boot");
}

static bool in_log(const struct bench *b, unsigned which, uint32_t off)
{
    uint32_t log = b->layout.state.off + STATE_CELL_UNITS * UNIT;

    return which == INTERNAL && off >= log && off < log + UNIT;
}

/*
 * Two words may be programmed a third time, each after two cuts inside that very word: a SEAL, when it
 * is overwritten with 0, and a record of the log whose place read blank again.
 */
static bool exempt(struct bench *b, unsigned which, const struct nor_violation *v)
{
    if (v->kind != NOR_VIOLATION_LIMIT)
        return false;
    bool seal = in_state_unit(b, which, v->off) == OFF_SEAL, log = in_log(b, which, v->off);
    b->seal_thirds += seal;
    b->log_thirds += log;
    return seal || log;
}

static void check_violations(struct bench *b)
{
    for (unsigned i = 0; i < CHIPS; i++) {
        const struct nor *n = &b->chip[i];
        if (n->violations > NOR_VIOLATIONS)
            bad(b, "more rules of a chip were broken than it keeps");
        for (unsigned v = 0; v < n->violations && v < NOR_VIOLATIONS; v++) {
            const struct nor_violation *e = &n->violation[v];
            if (exempt(b, i, e))
                continue;
            bad(b, e->kind == NOR_VIOLATION_LIMIT ? "a word was programmed more often than the chip allows"
                    : e->kind == NOR_VIOLATION_SET ? "a program wanted to set a bit"
                                                   : "an operation while another was running");
        }
    }
}

static void session_body(struct bench *b)
{
    b->result = boot_run(&b->cfg, &b->report);
    b->boot_ops = b->op;
    check_wear(b);
    check_boot(b);
    if (!b->why)
        app_act(b);
    check_state(b);
}

bool bench_session(struct bench *b)
{
    power_up(b);
    app_tamper(b);
    maybe_dead(b);
    if (setjmp(b->out) == 0)
        session_body(b);
    else if (!b->why)
        check_state(b);
    check_violations(b);
    if (b->was_cut)
        b->w.sessions = 0;
    else
        b->w.sessions++;
    return !b->why;
}

bool bench_ends_right(const struct bench *b)
{
    return b->running == b->c->ends || b->w.astray;
}

bool bench_settled(const struct bench *b)
{
    /* Of a unit that reads otherwise at each boot the log keeps each reading. */
    bool quiet = b->op == 0 || (b->w.rotten && b->report.swap_stopped);

    return !b->was_cut && !b->dead && quiet && app_done(b);
}
