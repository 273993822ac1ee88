/* The bench: chips, images, one session, and the place every flash operation passes. */
#include "tests/powerloss/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    JEDEC = 0x1F470C,
    TOY_STATE_UNITS = 4,
    OPS_MAX = 4000, /* of one session: more is a loop */
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

/* ---- choices ----------------------------------------------------------------------------------- */

unsigned choose(struct bench *b, unsigned n)
{
    if (n <= 1)
        return 0;
    require(b->at < sizeof b->choice);
    if (b->at == b->known) {
        b->choice[b->known] = 0;
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
    b->power.seed = CUT_SEED;
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

static bool fails_here(struct bench *b)
{
    b->calls++;
    if (b->fail_call == 0 || b->calls != b->fail_call)
        return false;
    b->failed = true;
    return true;
}

static int any_start(struct nor *nor, bool erase, uint32_t off, const void *data, uint32_t len)
{
    struct bench *b = nor->weak_ctx;
    unsigned which = nor == &b->chip[EXTERNAL];

    snprintf(b->what, sizeof b->what, "operation %u: %s %s at 0x%x, %u bytes", b->op + 1,
        erase ? "erase" : "program", which == INTERNAL ? "internal" : "external", off, len);
    if (fails_here(b))
        return b->fail_error;
    if (++b->op > OPS_MAX) {
        bad(b, "the boot does not end");
        longjmp(b->out, 1);
    }
    if (which == EXTERNAL && b->dead)
        return start(b, which, erase, off, data, len);
    note_start(b, which, erase, off);
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

    return fails_here(b) ? b->fail_error : model_ops(nor)->read(nor, off, buf, len);
}

/* An operation whose end is reported as a failure is over all the same. */
static int bench_poll(void *ctx)
{
    struct nor *nor = ctx;
    struct bench *b = nor->weak_ctx;
    int err = model_ops(nor)->poll(nor);

    if (err == ERR_BUSY || !fails_here(b))
        return err;
    return b->fail_error;
}

static int bench_probe(void *ctx, uint32_t *jedec)
{
    struct nor *nor = ctx;
    struct bench *b = nor->weak_ctx;

    *jedec = 0;
    return fails_here(b) ? b->fail_error : model_ops(nor)->probe(nor, jedec);
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

static void open_chips(struct bench *b, bool real_parts)
{
    struct nor_geometry geo[CHIPS] = { nor_internal_nrf52840(b->layout.internal_size),
        nor_external_part(JEDEC, b->layout.external_size) };

    for (unsigned i = 0; i < CHIPS; i++) {
        if (!real_parts) { /* a unit is one operation, so that plans stay few */
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

void bench_open_on(struct bench *b, const struct campaign *c, const struct layout *l, bool real_parts,
    const uint32_t len[IMAGES])
{
    memset(b, 0, sizeof *b);
    b->c = c;
    b->layout = *l;
    open_chips(b, real_parts);
    b->power.choose = choose_reading;
    b->power.ctx = b;
    pl_key_make(&b->key);
    b->keys = (struct image_keys) { .key = &b->key.pub, .count = 1 };
    b->store = (struct store) { .layout = &b->layout, .internal = &b->dev[INTERNAL],
        .external = &b->dev[EXTERNAL], .keys = &b->keys };
    b->cfg = (struct boot_config) { .store = &b->store, .attempts = c->attempts,
        .buf = { b->buf[0], b->buf[1] }, .now_ms = boot_now_ms, .ctx = b };
    for (unsigned x = 0; x < IMAGES; x++)
        b->image[x] = pl_image_make(&b->key, &b->layout, x + 1, len[x], c->shared);
    load_first_images(b);
    promise_begin(b);
}

void bench_open(struct bench *b, const struct campaign *c)
{
    enum { SHORT_BY = 100 }; /* images do not end at a unit's end */
    struct layout l = toy_layout(c);
    uint32_t len[IMAGES];

    for (unsigned x = 0; x < IMAGES; x++)
        len[x] = c->units[x] * (uint32_t)UNIT - SHORT_BY;
    bench_open_on(b, c, &l, false, len);
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
    b->what[0] = 0;
    b->sessions++;
    sim_power_up(&b->power);
    for (unsigned i = 0; i < CHIPS; i++) {
        b->dev[i].busy = b->dev[i].overdue = false;
        b->chip[i].violations = 0;
        nor_counters_clear(&b->chip[i]);
    }
    b->power.seed = CUT_SEED;
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
    else if (b->was_cut && !b->why)
        check_state(b);
    check_violations(b);
    if (b->was_cut)
        b->w.sessions = 0;
    else
        b->w.sessions++;
    return !b->why;
}

bool bench_settled(const struct bench *b)
{
    return !b->was_cut && !b->dead && b->op == 0 && app_done(b);
}
