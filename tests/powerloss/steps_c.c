/* The C code's side of tests/model/steps.h: what passes the bench is named as the protocol names it. */
#include <string.h>

#include "tests/model/steps.h"
#include "tests/powerloss/bench.h"

enum { OFF_WORDS = 0x40, OFF_MARKS = 0x80, OFF_TABLES = 0x800, LOG_UNIT = 3 };

struct run {
    struct bench b; /* first: the watcher's bench */
    struct steps *st;
    struct campaign c;
    const struct steps_case *of; /* what is open */
    struct saved first;
    bool moving, tear_next, s_closed; /* moving: within a group; s_closed: S's trailer was erased last */
};

static void order(struct run *r, enum steps_order o)
{
    if (o == STEPS_CUT_BEFORE)
        r->b.cut = (struct cut) { r->b.op, SIM_TEAR_NONE, SIM_TEAR_NONE };
    else if (o == STEPS_CUT_INSIDE)
        r->b.cut = (struct cut) { r->b.op, SIM_TEAR_HALF, SIM_TEAR_HALF };
}

static void in_state(struct run *r, bool erase, uint32_t off, const uint8_t *data)
{
    static const char *const word[] = { "SEAL", "ACT", "SETTLE", "DONE", "START" };
    unsigned unit = off / UNIT, at = off % UNIT;
    bool zero = !erase && ld_le32(data) == 0;

    if (unit == LOG_UNIT || (!erase && at >= OFF_TABLES))
        return;
    if (erase)
        order(r, steps_step(r->st, false, "state %u: erase", unit));
    else if (at == 0)
        order(r, steps_step(r->st, false, "state %u: header %s", unit, data[0x0D] ? "swap" : "confirmed"));
    else if (at >= OFF_MARKS)
        order(r, steps_step(r->st, true, "state %u: mark %u", unit, (at - OFF_MARKS) / 4));
    else if (zero)
        order(r, steps_step(r->st, false, "state %u: void", unit));
    else
        order(r, steps_step(r->st, true, "state %u: %s", unit, word[(at - OFF_WORDS) / 4]));
}

static void in_trailer(struct run *r, unsigned slot, bool erase, uint32_t from_end)
{
    const char *name = slot == 0 ? "P" : "S";

    if (erase)
        order(r, steps_step(r->st, false, "%s trailer: erase", name));
    else if (from_end == 16)
        order(r, steps_step(r->st, true, "%s trailer: magic", name));
    else
        order(r, steps_step(r->st, false, "%s trailer: %s", name, from_end == 24 ? "image_ok" : "copy_done"));
}

/* A group is cut in its second operation, when both chips have begun. */
static void in_image(struct run *r, unsigned slot, bool erase, unsigned unit)
{
    if (r->s_closed && slot == 1 && erase) {
        order(r, steps_step(r->st, false, "S[%u]: erase", unit));
        return;
    }
    bool first = !r->moving;
    if (first) {
        enum steps_order o = steps_step(r->st, true, "move");
        if (o == STEPS_CUT_BEFORE)
            order(r, o);
        r->tear_next = o == STEPS_CUT_INSIDE;
        r->moving = o != STEPS_CUT_BEFORE;
    }
    if (r->moving && erase)
        steps_note(r->st, "%s[%u]", slot == 0 ? "P" : "S", unit);
    if (!first && r->tear_next)
        order(r, STEPS_CUT_INSIDE);
}

static void watch(struct bench *b, unsigned which, bool erase, uint32_t off, const void *data)
{
    struct run *r = (struct run *)b;
    const struct layout_part *slot = which == INTERNAL ? &b->layout.slot0 : &b->layout.slot1;
    const struct layout_part *state = &b->layout.state;

    if (b->boot_ops != UINT32_MAX)
        return;
    bool in_slot = off >= slot->off && off - slot->off < slot->size;
    uint32_t from_end = slot->off + slot->size - off;
    if (in_slot && from_end > UNIT) {
        in_image(r, which, erase, (off - slot->off) / UNIT);
        return;
    }
    r->moving = false;
    if (in_slot)
        in_trailer(r, which, erase, from_end);
    else
        in_state(r, erase, off - state->off, data);
    r->s_closed = in_slot && which == EXTERNAL;
}

static void close(struct run *r)
{
    if (!r->of)
        return;
    saved_free(&r->first);
    bench_close(&r->b);
    r->first = (struct saved) { 0 };
}

static void reset(void *ctx, const struct steps_case *c)
{
    struct run *r = ctx;
    uint8_t trial = c->trial == TRIAL_CONFIRM ? ACT_CONFIRM : c->trial == TRIAL_ASK_BACK ? ACT_ASK_REVERT : ACT_HANG;

    if (r->of == c) {
        bench_restore(&r->b, &r->first);
        return;
    }
    close(r);
    r->of = c;
    r->c = (struct campaign) { .name = c->name, .units = { c->units[0], c->units[1], 1 }, .spare = c->spare,
        .attempts = c->attempts, .extra = (uint8_t)((c->mcuboot ? X_MCUBOOT : 0) | (c->broken ? X_BROKEN_P : 0)) };
    unsigned n = 0;
    if (!c->mcuboot && !c->broken)
        r->c.act[n++] = c->permanent ? ACT_PERM_B : ACT_TEST_B;
    r->c.act[n] = c->broken || c->permanent ? ACT_END : trial;
    bench_open(&r->b, &r->c);
    bench_save(&r->b, &r->first);
    r->b.watch = watch;
}

static bool session(void *ctx, struct steps *st)
{
    struct run *r = ctx;
    struct bench *b = &r->b;

    r->st = st;
    r->moving = r->tear_next = r->s_closed = false;
    b->known = 0;
    b->cut = (struct cut) { 0 };
    if (!bench_session(b))
        steps_note(st, "C: %s", b->why);
    if (!b->was_cut)
        steps_note(st, "started %c%s", b->running == NONE ? '-' : 'A' + b->running, b->trial ? " on trial" : "");
    return bench_settled(b);
}

int steps_c_main(const char *plan)
{
    static struct run r;
    const struct steps_machine m = { reset, session, &r };
    bool ok = true;

    if (plan)
        ok = steps_one(&m, plan);
    else
        steps_all(&m);
    close(&r);
    return ok ? 0 : 2;
}
