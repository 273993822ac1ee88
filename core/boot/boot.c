#include "core/boot/boot.h"

#include "core/boot/boot_priv.h"
#include "core/boot/failure.h"
#include "core/boot/plan.h"

enum { MAX_STEPS = 48 }; /* far more than any path takes; ends a loop that should not exist */

void boot_phase(struct boot *b, enum boot_phase phase)
{
    uint32_t now = b->cfg->now_ms(b->cfg->ctx), ms = now - b->phase_since_ms;

    b->report->phase_ms[b->phase] += ms;
    b->report->total_ms += ms;
    b->phase = phase;
    b->phase_since_ms = now;
}

/* ---- writing the state ------------------------------------------------------------------------ */

/* The internal flash does not take what must be recorded: nothing more is written, what verifies is started. */
static void give_up(struct boot *b, int err)
{
    struct finding why;

    store_explain(b->st, 0, err, b->st->layout->state.off, &why);
    report_add(b->report, &why);
    b->f.stop = STOP_TOUCHED;
}

/* CONFIRMED and SETTLE: no swap is pending. */
static bool write_confirmed(struct boot *b)
{
    const struct state_tables none = { .new_le = NULL };
    struct state st = { .state = STATE_CONFIRMED };
    int err = state_write(&b->cell, &st, &none);

    if (err == OK)
        err = state_set(&b->cell, STATE_SETTLE);
    if (err != OK) {
        give_up(b, err);
        return false;
    }
    b->f.cell = CELL_IDLE;
    b->f.settled = state_settled(&b->cell);
    return true;
}

/* ---- swaps ------------------------------------------------------------------------------------ */

/*
 * These stay on record although P is untouched, as long as it is a chip that failed: to give up a revert
 * would be to confirm an image that has not confirmed itself, and backward the first step overwrites
 * S[0], whose blankness says that the image lies behind it.
 */
static bool keeps_trying(const struct boot *b, const struct state *st)
{
    return (st->kind == SWAP_REVERT || st->dir == SWAP_BACKWARD) && b->slide.why.reason != REASON_SWAP_SOURCE;
}

static void stopped(struct boot *b, const struct state *st, bool touched, uint16_t position)
{
    const struct state_unit *base = state_base(&b->cell);
    uint32_t groups = base && base->st.state == STATE_SWAP ? plan_groups(&base->st) : 0;

    report_add(b->report, &b->slide.why);
    report_note(b->report, REASON_SWAP_STOPPED, FINDING_NO_SLOT, position, groups, 0);
    b->report->swap_stopped = true;
    b->f.stop = touched || keeps_trying(b, st) ? STOP_TOUCHED : STOP_UNTOUCHED;
    b->f.p_good = FACT_UNKNOWN;
    facts_probe(b);
}

/* What is known after a swap was committed by DONE. */
static void finished(struct boot *b)
{
    const struct state *st = &state_base(&b->cell)->st;

    b->report->gap = st->gap;
    b->report->units = st->n_p > st->n_s ? st->n_p : st->n_s;
    b->report->slot[0].verified = b->report->slot[1].verified = false;
    b->f.p_good = b->f.s_good = b->f.p_match = b->f.s_old = FACT_UNKNOWN;
    b->f.s_magic = b->f.s_image_ok = TRAILER_BLANK;
    b->f.p_magic = b->f.p_copy_done = TRAILER_SET;
    b->f.starts = st->starts;
    b->f.armed = st->kind == SWAP_TEST;
    b->f.p_image_ok = b->f.armed ? TRAILER_BLANK : TRAILER_SET;
    b->f.recovered = b->f.recovered || st->kind == SWAP_RECOVER; /* also one that was resumed */
    b->f.cell = b->f.armed ? CELL_TRIAL : CELL_IDLE;
    if (b->f.armed)
        return;
    int err = state_set(&b->cell, STATE_SETTLE);
    if (err != OK)
        give_up(b, err);
    b->f.settled = state_settled(&b->cell);
}

/* Writes the state unit `st`, which is the commit to this swap, and slides. `resumed`: it was begun before this boot. */
static void run_swap(struct boot *b, struct state *st, const struct state_tables *tables, bool resumed)
{
    int err = state_write(&b->cell, st, tables);

    if (err != OK) {
        give_up(b, err);
        return;
    }
    b->slide.external = b->f.external;
    boot_phase(b, PHASE_SLIDE);
    err = slide_run(&b->slide);
    boot_phase(b, PHASE_CLOSE);
    if (err == OK)
        err = slide_close(&b->slide);
    boot_phase(b, PHASE_STATE);
    if (err == OK) {
        finished(b);
        return;
    }
    bool before = resumed && plan_touches_p(st, st->start, true);
    stopped(b, st, b->slide.p_touched || before, state_position(state_base(&b->cell)));
}

/* A swap of what lies in P and at S[s_unit], with fresh tables. */
static void begin(struct boot *b, enum swap_kind kind)
{
    const struct layout *l = b->st->layout;
    const struct state_tables tables = { .new_le = b->cfg->buf[1] };
    struct state st = {
        .state = STATE_SWAP,
        .kind = (uint8_t)kind,
        .dir = b->s_unit ? SWAP_BACKWARD : SWAP_FORWARD,
        .gap = b->s_gap,
        .n_p = kind == SWAP_RECOVER ? 0 : (uint16_t)layout_units(l, b->p.end),
        .n_s = (uint16_t)layout_units(l, b->s.end),
    };
    boot_phase(b, PHASE_DIGEST);
    int err = slide_digests(&b->slide, &st, b->cfg->buf[1], b->cfg->buf[0]);
    boot_phase(b, PHASE_STATE);
    if (err != OK)
        stopped(b, &st, false, 0);
    else
        run_swap(b, &st, &tables, false);
}

static void revert(struct boot *b)
{
    const struct state *old = &state_base(&b->cell)->st;
    const struct state_tables tables = { .exchange = true };
    struct state st = {
        .state = STATE_SWAP,
        .kind = SWAP_REVERT,
        .dir = old->dir == SWAP_FORWARD ? SWAP_BACKWARD : SWAP_FORWARD,
        .gap = old->gap,
        .n_p = old->n_s,
        .n_s = old->n_p,
    };

    if (b->f.s_magic == TRAILER_SET)
        report_note(b->report, REASON_REVERT_ASKED, 0, 0, 0, 0);
    else
        report_note(b->report, REASON_REVERTED, 0, b->f.starts, b->f.attempts, 0);
    run_swap(b, &st, &tables, false);
}

static void resume(struct boot *b)
{
    const struct state_tables tables = { .exchange = false };
    const struct state_unit *base = state_base(&b->cell);
    struct state st = base->st;

    st.start = state_position(base);
    report_note(b->report, REASON_SWAP_RESUMED, FINDING_NO_SLOT, st.start, plan_groups(&st), 0);
    if (slide_check(&b->slide, st.start) != OK)
        stopped(b, &st, plan_touches_p(&st, st.start, true), st.start);
    else
        run_swap(b, &st, &tables, true);
}

/* A further start: the closing steps again, so that both trailers are what an application expects. */
static void try_again(struct boot *b)
{
    const struct state_tables tables = { .exchange = false };
    struct state st = state_base(&b->cell)->st;

    st.start = plan_groups(&st);
    st.starts = b->f.starts;
    run_swap(b, &st, &tables, true);
}

static void recover(struct boot *b)
{
    report_note(b->report, REASON_RECOVERED, 0, b->p_why.reason, 0, 0);
    b->f.recovered = true;
    begin(b, SWAP_RECOVER);
}

/* ---- trailers --------------------------------------------------------------------------------- */

static bool erase_request(struct boot *b)
{
    struct flash_area s = store_slot(b->st, 1);
    struct finding why;
    int err = trailer_erase(&s, b->st->layout->unit);

    if (err != OK) {
        store_explain(b->st, 1, err, s.size - b->st->layout->unit, &why);
        report_add(b->report, &why);
    }
    b->f.s_magic = TRAILER_BLANK;
    return err == OK;
}

static void refuse(struct boot *b)
{
    report_note(b->report, REASON_REQUEST_REFUSED, 1, b->s_why.reason, 0, 0);
    report_add(b->report, &b->s_why);
    (void)erase_request(b);
}

/*
 * Half way through a swap S may hold units that were in flight and read right today: the request that
 * began it goes first, or the next boot would take them for the image that is asked for.
 */
static void flashed_outside(struct boot *b)
{
    report_note(b->report, REASON_FLASHED_OUTSIDE, 0, 0, 0, 0);
    if (b->f.cell == CELL_UNFINISHED && !erase_request(b))
        b->f.stop = STOP_TOUCHED; /* the swap stays on record: the next boot tries again */
    else
        write_confirmed(b);
}

static void repair(struct boot *b)
{
    struct flash_area p = store_slot(b->st, 0);
    struct finding why;
    int err = trailer_erase(&p, b->st->layout->unit);

    if (err == OK)
        err = trailer_write_primary(&p, true);
    if (err != OK) {
        store_explain(b->st, 0, err, p.size - b->st->layout->unit, &why);
        report_add(b->report, &why);
    } else {
        report_note(b->report, REASON_TRAILER_REPAIRED, 0, 0, 0, 0);
    }
    b->f.p_magic = b->f.p_image_ok = b->f.p_copy_done = TRAILER_SET;
}

static void give_up_request(struct boot *b)
{
    report_note(b->report, REASON_SWAP_ABANDONED, FINDING_NO_SLOT, 0, 0, 0);
    b->f.stop = STOP_NO;
    if (write_confirmed(b))
        b->f.s_magic = TRAILER_BLANK; /* the request stays in flash, for the next boot */
}

/* ---- flow ------------------------------------------------------------------------------------- */

static void settle(struct boot *b)
{
    if (b->f.cell == CELL_NEW)
        report_note(b->report, REASON_STATE_NEW, FINDING_NO_SLOT, 0, 0, 0);
    write_confirmed(b);
}

static void swap_step(struct boot *b, enum boot_step step)
{
    switch (step) {
    case STEP_RESUME:
        b->report->action = BOOT_ACTION_RESUME;
        resume(b);
        break;
    case STEP_TEST:
        b->report->action = BOOT_ACTION_TEST;
        begin(b, SWAP_TEST);
        break;
    case STEP_TRY_AGAIN:
        b->report->action = BOOT_ACTION_TEST;
        try_again(b);
        break;
    case STEP_PERM:
        b->report->action = BOOT_ACTION_INSTALL;
        begin(b, SWAP_PERM);
        break;
    case STEP_RECOVER:
        b->report->action = BOOT_ACTION_RECOVER;
        recover(b);
        break;
    case STEP_REVERT:
        b->report->action = BOOT_ACTION_REVERT;
        revert(b);
        break;
    default:
        b->report->action = BOOT_ACTION_REVERT;
        begin(b, SWAP_REVERT);
        break;
    }
}

static void do_step(struct boot *b, enum boot_step step)
{
    switch (step) {
    case STEP_SETTLE:
        settle(b);
        break;
    case STEP_FLASHED_OUTSIDE:
        flashed_outside(b);
        break;
    case STEP_ABANDON:
        give_up_request(b);
        break;
    case STEP_REFUSE:
        refuse(b);
        break;
    case STEP_REPAIR:
        repair(b);
        break;
    default:
        swap_step(b, step);
        break;
    }
}

static enum boot_step run_steps(struct boot *b)
{
    for (int i = 0; i < MAX_STEPS; i++) {
        enum boot_step step = boot_decide(&b->f);
        if (step == STEP_START || step == STEP_RECOVERY)
            return step;
        if (step <= ASK_S_OLD)
            facts_answer(b, step);
        else
            do_step(b, step);
    }
    return b->f.p_good == FACT_YES ? STEP_START : STEP_RECOVERY;
}

/*
 * What remains to be written before the jump: failures, and last of all that this trial was started,
 * whatever became of the failures: a start that does not count could be the last one for ever.
 */
static void last_words(struct boot *b, bool start)
{
    int err = failure_append(b->st, b->report->finding, b->report->findings);

    if (err != OK)
        give_up(b, err);
    err = start && b->f.armed ? state_set(&b->cell, STATE_START) : OK;
    if (err != OK)
        give_up(b, err);
}

static void init(struct boot *b, const struct boot_config *cfg, struct boot_report *report)
{
    *report = (struct boot_report) { .action = BOOT_ACTION_NONE, .layout_hash = cfg->store->layout->hash };
    *b = (struct boot) { .cfg = cfg, .st = cfg->store, .report = report, .phase = PHASE_STATE,
        .phase_since_ms = cfg->now_ms(cfg->ctx) };
    b->slide = (struct slide) { .store = cfg->store, .cell = &b->cell, .buf = { cfg->buf[0], cfg->buf[1] },
        .feed = cfg->feed, .ctx = cfg->ctx };
}

struct boot_result boot_run(const struct boot_config *cfg, struct boot_report *report)
{
    struct boot b;

    init(&b, cfg, report);
    facts_read(&b);
    bool start = run_steps(&b) == STEP_START;
    facts_report(&b);
    if (!start)
        report_note(report, REASON_NOT_BOOTABLE, 0, b.p_why.reason, 0, 0);
    if (b.f.reaches_trailer)
        report_note(report, REASON_IMG_OVER_TRAILER, 0, b.p.end, cfg->store->layout->slot0.size - cfg->store->layout->unit, 0);
    report->started = start;
    report->on_trial = start && b.f.cell == CELL_TRIAL;
    report->starts = (uint8_t)(b.f.starts + (b.f.armed ? 1 : 0));
    report->attempts = b.f.attempts;
    boot_phase(&b, PHASE_STATE);
    last_words(&b, start);
    return (struct boot_result) {
        .outcome = start ? BOOT_START : BOOT_RECOVERY,
        .vectors = start ? cfg->store->layout->slot0.off + b.p.hdr_size : 0,
        .trial_s = report->on_trial ? b.p.trial_s : 0,
    };
}

/* ---- for the application's service ------------------------------------------------------------ */

int boot_swap_status(const struct store *st, struct swap_status *s)
{
    const struct flash_area area = store_state(st), p = store_slot(st, 0);
    struct state_cell cell;
    struct trailer t;
    int err = state_read(&cell, &area, st->layout->unit, st->layout->hash);
    const struct state_unit *base = state_base(&cell);

    *s = (struct swap_status) { .phase = SWAP_IDLE };
    if (err != OK || !base || base->st.state != STATE_SWAP)
        return err;
    s->old_unit = base->st.dir == SWAP_FORWARD ? base->st.gap : 0;
    if (!base->word[STATE_DONE]) {
        s->phase = SWAP_UNFINISHED;
        return OK;
    }
    err = trailer_read(&p, &t);
    if (err == OK && base->st.kind == SWAP_TEST && t.image_ok == TRAILER_BLANK)
        s->phase = SWAP_TRIAL;
    return err;
}

int boot_forget_swap(const struct store *st)
{
    const struct flash_area area = store_state(st);
    const struct state_tables none = { .new_le = NULL };
    struct state confirmed = { .state = STATE_CONFIRMED };
    struct state_cell cell;
    int err = state_read(&cell, &area, st->layout->unit, st->layout->hash);

    if (err == OK)
        err = state_write(&cell, &confirmed, &none);
    return err != OK ? err : state_set(&cell, STATE_SETTLE);
}
