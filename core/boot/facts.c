#include "core/boot/boot_priv.h"
#include "core/boot/fit.h"

static enum fact fact_of(bool yes)
{
    return yes ? FACT_YES : FACT_NO;
}

/* ---- read once -------------------------------------------------------------------------------- */

void facts_probe(struct boot *b)
{
    struct finding why;
    int err = flash_probe(b->st->external, &b->report->jedec);

    b->f.external = err == OK;
    if (err == OK) {
        if (store_chip_note(b->st, &why))
            report_add(b->report, &why);
        return;
    }
    store_explain(b->st, 1, err, 0, &why);
    report_add(b->report, &why);
    b->report->slot[1].why = why;
    b->f.s_magic = b->f.s_image_ok = TRAILER_BLANK;
}

/* Nothing is decided on what cannot be read, and nothing more is written: the next boot tries again. */
static void lose_internal(struct boot *b, int err, uint32_t off)
{
    struct finding why;

    store_explain(b->st, 0, err, off, &why);
    report_add(b->report, &why);
    b->f.stop = STOP_TOUCHED;
}

/* A chip that answers but cannot be read is as good as none. */
static void lose_external(struct boot *b, int err, uint32_t off)
{
    struct finding why;

    store_explain(b->st, 1, err, off, &why);
    report_add(b->report, &why);
    b->report->slot[1].why = why;
    b->f.external = false;
    b->f.s_magic = b->f.s_image_ok = TRAILER_BLANK;
}

static void read_trailers(struct boot *b)
{
    struct flash_area p = store_slot(b->st, 0), s = store_slot(b->st, 1);
    struct trailer t;

    int err = trailer_read(&p, &t);
    if (err != OK)
        lose_internal(b, err, p.size - TRAILER_LEN);
    b->f.p_magic = t.magic;
    b->f.p_image_ok = t.image_ok;
    b->f.p_copy_done = t.copy_done;
    if (!b->f.external)
        return;
    err = trailer_read(&s, &t);
    if (err != OK) {
        lose_external(b, err, s.size - TRAILER_LEN);
        return;
    }
    b->f.s_magic = t.magic;
    b->f.s_image_ok = t.image_ok;
}

static void read_cell(struct boot *b)
{
    const struct flash_area area = store_state(b->st);
    int err = state_read(&b->cell, &area, b->st->layout->unit, b->st->layout->hash);
    const struct state_unit *base = state_base(&b->cell);

    if (err != OK)
        lose_internal(b, err, b->st->layout->state.off);
    b->f.settled = state_settled(&b->cell);
    if (!base)
        b->f.cell = CELL_NEW;
    else if (base->st.state == STATE_CONFIRMED)
        b->f.cell = CELL_IDLE;
    else if (!base->word[STATE_DONE])
        b->f.cell = CELL_UNFINISHED;
    else
        b->f.cell = base->st.kind == SWAP_TEST ? CELL_TRIAL : CELL_IDLE;
    if (base && base->st.state == STATE_SWAP)
        b->f.starts = (uint8_t)(base->st.starts + (base->word[STATE_START] && base->st.starts < UINT8_MAX));
}

void facts_read(struct boot *b)
{
    b->f.attempts = b->cfg->attempts ? b->cfg->attempts : 1;
    read_cell(b);
    facts_probe(b);
    read_trailers(b);
}

/* ---- questions -------------------------------------------------------------------------------- */

/* OK; ERR_FORMAT or ERR_VERIFY with *why: it is bad; else it could not be read, which is no verdict. */
static int verify(struct boot *b, unsigned slot, struct image *img, unsigned *unit, struct finding *why)
{
    const struct store_work work = { .buf = b->cfg->buf[0], .len = b->st->layout->unit, .feed = b->cfg->feed,
        .ctx = b->cfg->ctx };

    return store_verify(b->st, slot, &work, img, unit, why);
}

static bool unreadable(int err)
{
    return err != OK && err != ERR_FORMAT && err != ERR_VERIFY;
}

/*
 * An application built for another layout still runs, as long as it was linked for slot 0: it is
 * started and the mismatch is reported, for a board that runs can be updated.
 */
static bool p_runs(struct boot *b)
{
    int err = store_runnable(b->st, &b->p, 0, &b->p_why);

    if (err == ERR_LAYOUT && b->p_why.reason == REASON_IMG_LAYOUT) {
        report_note(b->report, REASON_LAYOUT_MISMATCH, 0, b->p.layout_hash, b->st->layout->hash, 0);
        struct image other = b->p;
        other.has_layout = false;
        err = store_runnable(b->st, &other, 0, &b->p_why);
    }
    return err == OK;
}

static void ask_p_good(struct boot *b)
{
    unsigned unit;
    int err = verify(b, 0, &b->p, &unit, &b->p_why);
    bool good = err == OK && p_runs(b);

    if (unreadable(err))
        lose_internal(b, err, 0);
    b->f.p_good = fact_of(good);
    b->f.reaches_trailer = good && b->p.end > b->st->layout->slot0.size - b->st->layout->unit;
    b->report->slot[0].verified = good;
    if (!good && b->p_why.reason != REASON_IMG_NONE)
        report_add(b->report, &b->p_why);
}

/* Whether the image at S[s_unit] can go to P, and P's image to S; sets the gap. */
static bool has_room(struct boot *b)
{
    const struct layout *l = b->st->layout;
    const struct image *p = b->f.p_good == FACT_YES ? &b->p : NULL;

    if (fit_swap(b->st, p, b->s.end, b->s_unit, &b->s_why) != OK)
        return false;
    /* A copy to P alone does without a gap; 2 is what a reader of the state expects. */
    uint32_t gap = b->s_unit ? b->s_unit : p ? layout_gap_for(l, p->end, b->s.end) : 2;
    b->s_gap = (uint8_t)gap;
    return true;
}

static void ask_s_good(struct boot *b)
{
    int err = verify(b, 1, &b->s, &b->s_unit, &b->s_why);

    b->f.s_good = FACT_NO;
    if (unreadable(err)) {
        lose_external(b, err, b->s_unit * b->st->layout->unit);
        return;
    }
    b->report->slot[1].verified = err == OK;
    bool good = err == OK && store_runnable(b->st, &b->s, 1, &b->s_why) == OK && has_room(b);
    b->f.s_good = fact_of(good);
}

/* Half way P is neither image and verifies as none. What verifies was put there by somebody else. */
static int verifies_as_other(struct boot *b, bool *other)
{
    struct image img;
    struct finding why;
    unsigned unit;
    boot_phase(b, PHASE_VERIFY);
    int err = verify(b, 0, &img, &unit, &why);
    *other = err == OK;
    return unreadable(err) ? err : OK;
}

static void ask_p_match(struct boot *b)
{
    bool match = false, other = true, half_way = b->f.cell == CELL_UNFINISHED;
    int err = slide_p_matches(&b->slide, SLIDE_TABLE_S, &match);

    if (err == OK && !match && half_way)
        err = slide_p_matches(&b->slide, SLIDE_TABLE_P, &match);
    if (err == OK && !match && half_way)
        err = verifies_as_other(b, &other);
    if (err != OK)
        lose_internal(b, err, 0);
    b->f.p_match = fact_of(match || !other);
}

static void ask_s_old(struct boot *b)
{
    bool whole = false;
    uint32_t bad = 0;
    int err = slide_old_whole(&b->slide, &whole, &bad);

    b->f.s_old = fact_of(err == OK && whole);
    if (err != OK)
        report_add(b->report, &b->slide.why);
    else if (!whole)
        report_note(b->report, REASON_OLD_IMAGE_LOST, 1, 0, 0, bad);
}

void facts_answer(struct boot *b, enum boot_step question)
{
    boot_phase(b, question == ASK_P_GOOD || question == ASK_S_GOOD ? PHASE_VERIFY : PHASE_DIGEST);
    switch (question) {
    case ASK_P_GOOD:
        ask_p_good(b);
        break;
    case ASK_P_MATCH:
        ask_p_match(b);
        break;
    case ASK_S_GOOD:
        ask_s_good(b);
        break;
    default:
        ask_s_old(b);
        break;
    }
    boot_phase(b, PHASE_STATE);
}

/* ---- report ----------------------------------------------------------------------------------- */

static void report_slot(struct boot *b, unsigned slot)
{
    struct slot_report *r = &b->report->slot[slot];
    struct image img;
    unsigned unit;
    struct finding why;

    if (store_open(b->st, slot, &img, &unit, &why) != OK) {
        r->why = why;
        return;
    }
    r->present = true;
    r->version = img.version;
    r->size = img.end;
    r->unit = (uint8_t)unit;
    for (int i = 0; i < CRYPTO_SHA256_LEN; i++)
        r->hash[i] = img.hash[i];
}

void facts_report(struct boot *b)
{
    report_slot(b, 0);
    if (b->f.p_good == FACT_NO)
        b->report->slot[0].why = b->p_why;
    if (!b->f.external)
        return;
    report_slot(b, 1);
    if (b->f.s_good == FACT_NO && b->s_why.slot == 1)
        b->report->slot[1].why = b->s_why;
}
