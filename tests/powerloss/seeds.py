"""The seeded bugs of seeded.py: name, what is done wrong, what is replaced, and what catches it.

The first 20 are those of tests/model (same names; upload-order is left to the model: the campaigns have
no upload over a standing request; no-void needs three cuts, model_steps sees it at once). The others are of the C code alone. `by` is the harness's command
line that finds the bug.
"""

BOOT, SLIDE, STATE, PLAN = "core/boot/boot.c", "core/boot/slide.c", "core/boot/state.c", "core/boot/plan.c"
DECIDE, FACTS = "core/boot/decide.c", "core/boot/facts.c"

# A unit of P that reads as it should is left alone, whatever the tables say, and in a redone group too.
LEAVE_P = [
    ("""    if (base(sl)->kind == SWAP_RECOVER || i >= base(sl)->n_p)
        return OK;
    int err = state_digest_p(sl->cell, (uint16_t)i, &old);
    if (err != OK)
        return internal_error(sl, err);
    if (old != crc_new)
        return OK;
    err = read_unit(""", """    old = crc_new;
    int err = read_unit("""),
    ("g.p != PLAN_NONE && !redo)", "g.p != PLAN_NONE)"),
]
LEAVE_S = [("""    int err = OK;

    if (g.p != PLAN_NONE)
        err = read_source_p(""", """    int err = OK;
    uint32_t now, want;

    if (g.s != PLAN_NONE && state_digest_p(sl->cell, (uint16_t)g.s, &want) == OK
        && read_unit(sl, 1, plan_target(base(sl), g.s), sl->buf[1], &now) == OK && now == want)
        g.s = PLAN_NONE;
    if (g.p != PLAN_NONE)
        err = read_source_p(""")]
# The first group whose result does not read right (less one) instead of the marks.
BY_DIGEST = [
    ("static void resume(struct boot *b)", """#include "core/base/crc.h"
static bool reads(struct boot *b, unsigned slot, uint32_t unit, uint32_t want)
{
    struct flash_area a = store_slot(b->st, slot);
    uint32_t n = b->st->layout->unit;
    return area_read(&a, unit * n, b->cfg->buf[0], n) == OK && crc32(0, b->cfg->buf[0], n) == want;
}

static uint16_t by_digest(struct boot *b, const struct state *st, int less)
{
    int j = 0;
    uint32_t p = 0, s = 0;
    for (; j < plan_groups(st); j++) {
        struct plan_group g = plan_group(st, (uint16_t)j);
        if (g.p >= 0 && (state_digest_s(&b->cell, (uint16_t)g.p, &p) != OK || !reads(b, 0, (uint32_t)g.p, p)))
            break;
        if (g.s >= 0 && (state_digest_p(&b->cell, (uint16_t)g.s, &s) != OK || !reads(b, 1, plan_target(st, g.s), s)))
            break;
    }
    return (uint16_t)(j > less ? j - less : 0);
}

static void resume(struct boot *b)"""),
]

SEEDS = [
    {"name": "leave-right", "what": "position by digests, and what reads right is left alone", "by": ["--depth", "1", "--campaign", "install"],
     "files": {SLIDE: LEAVE_P + LEAVE_S, BOOT: BY_DIGEST + [
         ("st.start = state_position(base);", "st.start = by_digest(b, &st, 0);")]}},
    {"name": "no-marks", "what": "position by digests only, less one group", "by": ["--depth", "1", "--campaign", "install"],
     "files": {BOOT: BY_DIGEST + [("st.start = state_position(base);", "st.start = by_digest(b, &st, 1);")]}},
    {"name": "skip-weak", "what": "marks, but units that read right are left alone", "by": ["--depth", "1", "--campaign", "install"],
     "files": {SLIDE: LEAVE_P + LEAVE_S}},
    {"name": "order", "what": "P[i] before S[i+g]", "by": ["--depth", "0", "--campaign", "install"],
     "files": {PLAN: [
         ("    if (st->gap >= 2)\n        return (uint16_t)(paired", "    if (0)\n        return (uint16_t)(paired"),
         ("return st->gap >= 2 ? paired", "return 0 ? paired"),
         ("st->n_s > st->n_p : second;", "st->n_s > st->n_p : !second;")]}},
    {"name": "pair-gap1", "what": "both chips at once although the gap is 1", "by": ["--depth", "1", "--campaign", "install-gap1"],
     "files": {PLAN: [
         ("    if (st->gap >= 2)\n", "    if (st->gap >= 1)\n"),
         ("return st->gap >= 2 ? paired", "return st->gap >= 1 ? paired")]}},
    {"name": "skip-s", "what": "a unit of S that reads right is not written", "by": ["--depth", "1", "--campaign", "install"],
     "files": {SLIDE: LEAVE_S}},
    {"name": "flag-early", "what": "image_ok is believed before the swap is closed", "by": ["--depth", "1", "--campaign", "back-by-hand"],
     "files": {FACTS: [("    if (err == OK && !match && half_way)\n        err = slide_p_matches(", """    if (err == OK && match && half_way && b->f.p_magic == TRAILER_SET && b->f.p_image_ok == TRAILER_SET
        && state_base(&b->cell)->st.kind == SWAP_TEST) {
        b->f.cell = CELL_IDLE;
        b->f.settled = false;
    }
    if (err == OK && !match && half_way)
        err = slide_p_matches(""")]}},
    {"name": "no-seal", "what": "a valid header is believed without its seal", "by": ["--depth", "2", "--campaign", "install"],
     "files": {STATE: [("    return s->valid && s->word[STATE_SEAL] && (s->word[STATE_ACT] || witness(c, u) >= 0);",
                        "    return s->valid;")]}},
    {"name": "no-restate", "what": "a resumed slide goes on in the old state unit", "by": ["--depth", "1", "--campaign", "install"],
     "files": {BOOT: [("    int err = state_write(&b->cell, st, tables);\n\n    if (err != OK) {\n        give_up(b, err);\n        return;", """    int err = OK;
    if (resumed && !state_base(&b->cell)->word[STATE_DONE]) {
        b->cell.fresh = true;
        b->cell.unit[b->cell.base].st.start = st->start;
    } else {
        err = state_write(&b->cell, st, tables);
    }
    if (err != OK) {
        give_up(b, err);
        return;""")]}},
    {"name": "no-settle", "what": "the image is started from a state that may be weak", "by": ["--depth", "1", "--campaign", "recover-gap1"],
     "files": {STATE: [("    if (!b || !b->word[STATE_SETTLE])\n", "    if (!b)\n")],
               BOOT: [("    if (err == OK)\n        err = state_set(&b->cell, STATE_SETTLE);\n    if (err != OK) {\n        give_up", "    if (err != OK) {\n        give_up"),
                      ("    int err = state_set(&b->cell, STATE_SETTLE);\n    if (err != OK)\n", "    int err = OK;\n    if (err != OK)\n")]}},
    {"name": "no-neutral", "what": "a newer state unit that is not the base is left lying", "by": ["--depth", "2", "--campaign", "permanent"],
     "files": {STATE: [("c->unit[u].seq >= b->seq)\n            return false;", "c->unit[u].seq >= b->seq)\n            continue;")]}},
    {"name": "trailer-if", "what": "the trailer of S is erased only if it reads non-blank", "by": ["--depth", "1", "--campaign", "install"],
     "files": {SLIDE: [("    int err = trailer_erase(&s, unit_size(sl));\n    if (err == OK && st->starts", """    struct trailer t;
    int err = trailer_read(&s, &t);
    if (err == OK && t.magic != TRAILER_BLANK)
        err = trailer_erase(&s, unit_size(sl));
    if (err == OK && st->starts""")]}},
    {"name": "forget-start", "what": "a recorded start is not counted", "by": ["--depth", "0", "--campaign", "revert"],
     "files": {FACTS: [("base->st.starts + (base->word[STATE_START] && base->st.starts < UINT8_MAX)", "base->st.starts")]}},
    {"name": "no-rearm", "what": "the trailer of P is not written anew before a further attempt", "by": ["--depth", "1", "--campaign", "install-attempts3"],
     "files": {BOOT: [("    st.starts = b->f.starts;\n    run_swap(b, &st, &tables, true);", """    st.starts = b->f.starts;
    if (state_write(&b->cell, &st, &tables) == OK && state_set(&b->cell, STATE_DONE) == OK)
        finished(b);
    else
        b->f.stop = STOP_TOUCHED;""")]}},
    {"name": "lazy-confirm", "what": "a confirm is believed from the trailer, not recorded", "by": ["--depth", "0", "--campaign", "recover-old"],
     "files": {DECIDE: [("    if (f->p_image_ok != TRAILER_BLANK)\n        return STEP_SETTLE;", "    if (f->p_image_ok != TRAILER_BLANK)\n        return start_or_recovery(f);")],
               BOOT: [("start && b.f.cell == CELL_TRIAL;", "start && b.f.cell == CELL_TRIAL && b.f.p_image_ok == TRAILER_BLANK;")]}},
    {"name": "attempt-late", "what": "started without the start on record", "by": ["--depth", "0", "--campaign", "revert"],
     "files": {BOOT: [("start && b->f.armed ? state_set(&b->cell, STATE_START) : OK;", "OK;")]}},
    {"name": "no-repair", "what": "a damaged trailer of P is not repaired", "by": ["--depth", "0", "--campaign", "flashed"],
     "files": {DECIDE: [("return needs_repair(f) ? STEP_REPAIR : STEP_START;", "return STEP_START;"),
                        ("static bool needs_repair(", "bool needs_repair(")]}},
    {"name": "blind-revert", "what": "a revert does not compare P with its table first", "by": ["--depth", "0", "--campaign", "flashed"],
     "files": {DECIDE: [("    if (f->p_match == FACT_NO) {", "    if (0) {")]}},
    {"name": "blind-resume", "what": "a resumed slide does not ask whether P was flashed", "by": ["--depth", "1", "--campaign", "flashed"],
     "files": {DECIDE: [("return f->p_match == FACT_NO ? STEP_FLASHED_OUTSIDE : STEP_RESUME;", "return STEP_RESUME;")]}},
    {"name": "keep-request", "what": "a swap given up half way leaves the request standing", "by": ["--depth", "2", "--campaign", "flashed-asked"],
     "files": {BOOT: [("b->f.cell == CELL_UNFINISHED && !erase_request(b)", "0")]}},
    # of the C code alone
    {"name": "no-act", "what": "ACT is never programmed", "by": ["--depth", "0", "--campaign", "install"],
     "files": {STATE: [("return err != OK ? err : state_set(c, STATE_ACT);", "return err;")]}},
    {"name": "position-plus1", "what": "a resumed slide goes on behind the group in flight", "by": ["--depth", "1", "--campaign", "install"],
     "files": {BOOT: [("st.start = state_position(base);", "st.start = (uint16_t)(state_position(base) + 1);")]}},
    {"name": "mark-early", "what": "a group's mark is set before the group before it is done", "by": ["--depth", "1", "--campaign", "install"],
     "files": {SLIDE: [("err = state_mark(sl->cell, j);", "err = state_mark(sl->cell, (uint16_t)(j + 1));")]}},
    {"name": "keep-header", "what": "S[0] keeps the header of the image that has moved", "by": ["--depth", "0", "--campaign", "recover-old"],
     "files": {SLIDE: [("st->kind != SWAP_RECOVER)\n        err = rewrite_blank", "0)\n        err = rewrite_blank")]}},
    {"name": "error-is-bad", "what": "an image that cannot be read counts as bad", "by": ["--errors", "--campaign", "install"],
     "files": {FACTS: [("    return err != OK && err != ERR_FORMAT && err != ERR_VERIFY;", "    return false && err;")]}},
    {"name": "revert-let-go", "what": "a revert that meets a failure is given up as confirmed", "by": ["--errors", "--campaign", "revert"],
     "files": {BOOT: [("b->slide.why.reason != REASON_SWAP_SOURCE;", "0;")]}},
    {"name": "go-on-broken", "what": "a slide goes on after a failure", "by": ["--errors", "--campaign", "install"],
     "files": {SLIDE: [("j < end && err == OK; j++", "j < end; j++")]}},
]
