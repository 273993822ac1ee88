#include "core/boot/slide.h"

#include "core/base/bytes.h"
#include "core/base/crc.h"
#include "core/boot/plan.h"
#include "core/boot/rewrite.h"
#include "core/boot/trailer.h"

static uint32_t unit_size(const struct slide *sl)
{
    return sl->store->layout->unit;
}

static const struct state *base(const struct slide *sl)
{
    return &state_base(sl->cell)->st;
}

static void feed(const struct slide *sl)
{
    if (sl->feed)
        sl->feed(sl->ctx);
}

static int read_unit(struct slide *sl, unsigned slot, uint32_t unit, uint8_t *buf, uint32_t *crc)
{
    struct flash_area area = store_slot(sl->store, slot);
    uint32_t off = unit * unit_size(sl);

    feed(sl);
    int err = area_read(&area, off, buf, unit_size(sl));
    if (err != OK) {
        store_explain(sl->store, slot, err, off, &sl->why);
        return err;
    }
    *crc = crc32(0, buf, unit_size(sl));
    return OK;
}

int slide_digests(struct slide *sl, const struct state *st, uint8_t *out, uint8_t *through)
{
    uint32_t crc;

    for (int i = 0; i < st->n_s + st->n_p; i++) {
        bool of_s = i < st->n_s;
        uint32_t unit = of_s ? plan_source(st, i) : (uint32_t)(i - st->n_s);
        int err = read_unit(sl, of_s ? 1 : 0, unit, through, &crc);
        if (err != OK)
            return err;
        st_le32(out + 4 * i, crc);
    }
    return OK;
}

static int source_differs(struct slide *sl, unsigned slot, uint32_t unit, uint32_t found, uint32_t expected)
{
    sl->why = (struct finding) { .reason = REASON_SWAP_SOURCE, .slot = (uint8_t)slot, .found = found,
        .expected = expected, .where = unit };
    return ERR_SOURCE;
}

static int internal_error(struct slide *sl, int err)
{
    store_explain(sl->store, 0, err, 0, &sl->why);
    return err;
}

/* Reads a unit, which is unit i of an image, and compares it with its digest. */
static int read_known(struct slide *sl, enum slide_table table, int i, unsigned slot, uint32_t unit, uint8_t *buf,
    uint32_t *crc)
{
    uint32_t want;
    int err = table == SLIDE_TABLE_S ? state_digest_s(sl->cell, (uint16_t)i, &want)
                                     : state_digest_p(sl->cell, (uint16_t)i, &want);

    if (err != OK)
        return internal_error(sl, err);
    err = read_unit(sl, slot, unit, buf, crc);
    return err != OK ? err : *crc == want ? OK : source_differs(sl, slot, unit, *crc, want);
}

/* Unit i of the image in S. */
static int read_source_p(struct slide *sl, int i, uint8_t *buf, uint32_t *crc)
{
    return read_known(sl, SLIDE_TABLE_S, i, 1, plan_source(base(sl), i), buf, crc);
}

/* Unit i of the image in P. */
static int read_source_s(struct slide *sl, int i, uint8_t *buf)
{
    uint32_t crc;

    return read_known(sl, SLIDE_TABLE_P, i, 0, (uint32_t)i, buf, &crc);
}

static int read_sources(struct slide *sl, struct plan_group g, uint32_t *crc_p)
{
    int err = g.p == PLAN_NONE ? OK : read_source_p(sl, g.p, sl->buf[0], crc_p);

    return err != OK || g.s == PLAN_NONE ? err : read_source_s(sl, g.s, sl->buf[1]);
}

int slide_check(struct slide *sl, uint16_t position)
{
    uint32_t crc;

    if (position >= plan_groups(base(sl)))
        return OK;
    return read_sources(sl, plan_group(base(sl), position), &crc);
}

/*
 * A p whose unit is equal in both images and reads so is left out, but never in the group that was in
 * flight at a cut: there a right reading proves nothing. Reads through buf[1].
 */
static int may_leave_p(struct slide *sl, int i, uint32_t crc_new, bool *leave)
{
    uint32_t old, now;

    *leave = false;
    if (base(sl)->kind == SWAP_RECOVER || i >= base(sl)->n_p)
        return OK;
    int err = state_digest_p(sl->cell, (uint16_t)i, &old);
    if (err != OK)
        return internal_error(sl, err);
    if (old != crc_new)
        return OK;
    err = read_unit(sl, 0, (uint32_t)i, sl->buf[1], &now);
    *leave = err == OK && now == crc_new;
    return err;
}

static void explain_rewrite(struct slide *sl, unsigned slot, const struct rewrite *r)
{
    store_explain(sl->store, slot, r->err, r->off, &sl->why);
    if (r->err != ERR_READBACK)
        return;
    /* A zero bit where a one belongs cannot come from a program: the erase did not happen. */
    bool erase = (uint8_t)~r->found & r->expected;
    sl->why = (struct finding) {
        .reason = slot == 1 ? (erase ? REASON_EXT_ERASE : REASON_EXT_PROGRAM)
                            : (erase ? REASON_INT_ERASE : REASON_INT_PROGRAM),
        .slot = (uint8_t)slot,
        .found = r->found,
        .expected = r->expected,
        .where = r->bad_off,
    };
}

static int run_group(struct slide *sl, struct plan_group g, bool redo)
{
    uint32_t u = unit_size(sl), crc_p = 0;
    struct rewrite ext, inner;
    bool leave = false;
    int err = OK;

    if (g.p != PLAN_NONE)
        err = read_source_p(sl, g.p, sl->buf[0], &crc_p);
    if (err == OK && g.p != PLAN_NONE && !redo)
        err = may_leave_p(sl, g.p, crc_p, &leave);
    if (err == OK && g.s != PLAN_NONE)
        err = read_source_s(sl, g.s, sl->buf[1]);
    if (err != OK)
        return err;

    bool do_p = g.p != PLAN_NONE && !leave;
    if (g.s != PLAN_NONE)
        ext = (struct rewrite) { .area = store_slot(sl->store, 1), .off = plan_target(base(sl), g.s) * u,
            .data = sl->buf[1], .len = u };
    if (do_p)
        inner = (struct rewrite) { .area = store_slot(sl->store, 0), .off = (uint32_t)g.p * u,
            .data = sl->buf[0], .len = u };
    sl->p_touched = sl->p_touched || do_p;
    err = rewrite_both(g.s != PLAN_NONE ? &ext : NULL, do_p ? &inner : NULL);
    if (err != OK) {
        bool external_failed = g.s != PLAN_NONE && ext.err != OK;
        explain_rewrite(sl, external_failed ? 1 : 0, external_failed ? &ext : &inner);
    }
    return err;
}

/* Closing step 1: the request, and going forward the stale header of the image that has moved. */
static int close_secondary(struct slide *sl)
{
    struct flash_area s = store_slot(sl->store, 1);
    const struct state *st = base(sl);

    if (!sl->external)
        return OK;
    int err = trailer_erase(&s, unit_size(sl));
    if (err == OK && st->starts == 0 && st->dir == SWAP_FORWARD && st->kind != SWAP_RECOVER)
        err = rewrite_blank(&s, 0, unit_size(sl));
    if (err != OK)
        store_explain(sl->store, 1, err, 0, &sl->why);
    return err;
}

/* Closing step 2: the trailer an application of MCUboot's world expects, magic last. */
static int close_primary(struct slide *sl)
{
    struct flash_area p = store_slot(sl->store, 0);
    int err = trailer_erase(&p, unit_size(sl));

    if (err == OK)
        err = trailer_write_primary(&p, base(sl)->kind != SWAP_TEST);
    return err != OK ? internal_error(sl, err) : OK;
}

/* Each step but the first has its mark, so that a swap that is cut off goes on there. */
static int run_steps(struct slide *sl, uint16_t from, uint16_t end)
{
    uint16_t start = base(sl)->start, groups = plan_groups(base(sl));
    int err = OK;

    for (uint16_t j = from < start ? start : from; j < end && err == OK; j++) {
        feed(sl);
        if (j > start) {
            err = state_mark(sl->cell, j);
            if (err != OK)
                return internal_error(sl, err);
        }
        if (j < groups)
            err = run_group(sl, plan_group(base(sl), j), j == start);
        else
            err = j == groups ? close_secondary(sl) : close_primary(sl);
    }
    return err;
}

int slide_run(struct slide *sl)
{
    sl->p_touched = false;
    return run_steps(sl, 0, plan_groups(base(sl)));
}

int slide_close(struct slide *sl)
{
    uint16_t groups = plan_groups(base(sl));
    int err = run_steps(sl, groups, (uint16_t)(groups + 2));

    if (err != OK)
        return err;
    err = state_set(sl->cell, STATE_DONE); /* this commits the swap */
    return err != OK ? internal_error(sl, err) : OK;
}

int slide_p_matches(struct slide *sl, enum slide_table table, bool *match)
{
    uint16_t n = table == SLIDE_TABLE_S ? base(sl)->n_s : base(sl)->n_p;
    uint32_t crc;
    int err = OK;

    for (int i = 0; i < n && err == OK; i++)
        err = read_known(sl, table, i, 0, (uint32_t)i, sl->buf[0], &crc);
    *match = n > 0 && err == OK;
    return err == ERR_SOURCE ? OK : err;
}

int slide_old_whole(struct slide *sl, bool *whole, uint32_t *bad_unit)
{
    uint32_t crc;
    int err = OK;

    for (int i = 0; i < base(sl)->n_p && err == OK; i++) {
        *bad_unit = plan_target(base(sl), i);
        err = read_known(sl, SLIDE_TABLE_P, i, 1, *bad_unit, sl->buf[0], &crc);
    }
    *whole = err == OK;
    return err == ERR_SOURCE ? OK : err;
}
