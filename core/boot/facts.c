#include "core/boot/boot_priv.h"

static const struct trailer blank_trailer = { TRAILER_BLANK, TRAILER_BLANK, TRAILER_BLANK };

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

    if (trailer_read(&p, &t) != OK)
        t = blank_trailer;
    b->f.p_magic = t.magic;
    b->f.p_image_ok = t.image_ok;
    b->f.p_copy_done = t.copy_done;
    if (!b->f.external)
        return;
    int err = trailer_read(&s, &t);
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
    struct finding why;
    int err = state_read(&b->cell, &area, b->st->layout->unit, b->st->layout->hash);
    const struct state_unit *base = state_base(&b->cell);

    if (err != OK) { /* nothing is written on what cannot be read */
        store_explain(b->st, 0, err, b->st->layout->state.off, &why);
        report_add(b->report, &why);
        b->f.stop = STOP_TOUCHED;
    }
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
    uint32_t since = boot_now(b);

    b->f.attempts = b->cfg->attempts ? b->cfg->attempts : 1;
    read_cell(b);
    facts_probe(b);
    read_trailers(b);
    boot_phase_add(b, PHASE_STATE, since);
}

/* ---- questions -------------------------------------------------------------------------------- */

static bool authentic(struct boot *b, const struct image *img, struct finding *why)
{
    enum verdict verdict = VERDICT_BAD;
    int err = image_verify(img, b->st->keys, b->cfg->buf[0], b->st->layout->unit, &verdict, why);

    return err == OK && verdict == VERDICT_GOOD;
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
    uint32_t since = boot_now(b);
    unsigned unit;
    bool good = store_open(b->st, 0, &b->p, &unit, &b->p_why) == OK && authentic(b, &b->p, &b->p_why) && p_runs(b);

    b->p_why.slot = 0;
    b->f.p_good = fact_of(good);
    b->f.reaches_trailer = good && b->p.end > b->st->layout->slot0.size - b->st->layout->unit;
    b->report->slot[0].verified = good;
    if (!good && b->p_why.reason != REASON_IMG_NONE)
        report_add(b->report, &b->p_why);
    boot_phase_add(b, PHASE_VERIFY, since);
}

static bool too_large(struct boot *b, uint32_t size, uint32_t room)
{
    b->s_why = (struct finding) { .reason = REASON_IMG_TOO_LARGE_SWAP, .slot = 1, .found = size, .expected = room };
    return false;
}

/* Whether the image at S[s_unit] can go to P, and P's image to S; sets the gap. */
static bool has_room(struct boot *b)
{
    const struct layout *l = b->st->layout;
    uint32_t room0 = l->slot0.size - l->unit, room1 = l->slot1.size - l->unit;
    uint32_t gap = b->s_unit;

    if (b->s.end > room0)
        return too_large(b, b->s.end, room0);
    if (gap * l->unit + b->s.end > room1)
        return too_large(b, b->s.end, room1 - gap * l->unit);
    if (b->f.p_good != FACT_YES) {
        b->s_gap = gap ? (uint8_t)gap : 2;
        return true;
    }
    if (b->f.reaches_trailer) {
        b->s_why = (struct finding) { .reason = REASON_IMG_OVER_TRAILER, .slot = 0, .found = b->p.end, .expected = room0 };
        return false;
    }
    uint32_t larger = b->s.end > b->p.end ? b->s.end : b->p.end;
    uint32_t room = gap ? layout_room_gap(l, gap).max_image : layout_room_best(l).max_image;
    if (gap == 0)
        gap = layout_gap_for(l, b->p.end, b->s.end);
    if (gap == 0 || larger > layout_room_gap(l, gap).max_image)
        return too_large(b, larger, room);
    b->s_gap = (uint8_t)gap;
    return true;
}

static void ask_s_good(struct boot *b)
{
    uint32_t since = boot_now(b);
    int err = store_open(b->st, 1, &b->s, &b->s_unit, &b->s_why);

    if (err != OK && err != ERR_FORMAT) {
        lose_external(b, err, b->s_unit * b->st->layout->unit);
        b->f.s_good = FACT_NO;
        return;
    }
    bool good = err == OK && authentic(b, &b->s, &b->s_why);
    b->report->slot[1].verified = good;
    good = good && store_runnable(b->st, &b->s, 1, &b->s_why) == OK && has_room(b);
    b->s_why.slot = b->s_why.reason == REASON_IMG_OVER_TRAILER ? 0 : 1;
    b->f.s_good = fact_of(good);
    boot_phase_add(b, PHASE_VERIFY, since);
}

static void ask_p_match(struct boot *b)
{
    bool match = false;
    uint32_t since = boot_now(b);
    int err = slide_p_matches(&b->slide, SLIDE_TABLE_S, &match);

    if (err == OK && !match && b->f.cell == CELL_UNFINISHED)
        err = slide_p_matches(&b->slide, SLIDE_TABLE_P, &match);
    boot_phase_add(b, PHASE_DIGEST, since);
    if (err == OK && !match && b->f.cell == CELL_UNFINISHED) {
        /* Half way it is neither image and verifies as none. What verifies was put there by somebody else. */
        struct image img;
        struct finding why;
        unsigned unit;
        since = boot_now(b);
        match = !(store_open(b->st, 0, &img, &unit, &why) == OK && authentic(b, &img, &why));
        boot_phase_add(b, PHASE_VERIFY, since);
    }
    b->f.p_match = fact_of(match || err != OK);
}

static void ask_s_old(struct boot *b)
{
    bool whole = false;
    uint32_t bad = 0, since = boot_now(b);
    int err = slide_old_whole(&b->slide, &whole, &bad);

    b->f.s_old = fact_of(err == OK && whole);
    if (err != OK)
        report_add(b->report, &b->slide.why);
    else if (!whole)
        report_note(b->report, REASON_OLD_IMAGE_LOST, 1, 0, 0, bad);
    boot_phase_add(b, PHASE_DIGEST, since);
}

void facts_answer(struct boot *b, enum boot_step question)
{
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
