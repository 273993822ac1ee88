#include "core/boot/decide.h"

static enum boot_step start_or_recovery(const struct boot_facts *f)
{
    if (f->p_good == FACT_UNKNOWN)
        return ASK_P_GOOD;
    return f->p_good == FACT_YES ? STEP_START : STEP_RECOVERY;
}

/* MCUboot's row "REVERT": an image on trial, unconfirmed, with the old one beside it. */
static enum boot_step decide_new(const struct boot_facts *f)
{
    bool found_test = f->p_magic == TRAILER_SET && f->p_copy_done == TRAILER_SET && f->p_image_ok == TRAILER_BLANK
        && f->s_magic != TRAILER_SET;

    if (!found_test)
        return STEP_SETTLE;
    if (f->p_good == FACT_UNKNOWN)
        return ASK_P_GOOD;
    if (f->p_good == FACT_NO)
        return STEP_SETTLE;
    if (!f->external)
        return STEP_START; /* the old image cannot be seen: decide when it can */
    if (f->s_good == FACT_UNKNOWN)
        return ASK_S_GOOD;
    return f->s_good == FACT_YES ? STEP_REVERT_FOUND : STEP_SETTLE;
}

static enum boot_step decide_unfinished(const struct boot_facts *f)
{
    if (f->p_match == FACT_UNKNOWN)
        return ASK_P_MATCH;
    if (!f->external)
        return start_or_recovery(f);
    return f->p_match == FACT_NO ? STEP_FLASHED_OUTSIDE : STEP_RESUME;
}

/* The trial is over: the old image was asked for, no starts are left, or the new one is broken. */
static enum boot_step decide_end_of_trial(const struct boot_facts *f)
{
    if (!f->external)
        return start_or_recovery(f);
    if (f->p_match == FACT_UNKNOWN)
        return ASK_P_MATCH;
    if (f->p_match == FACT_NO) {
        if (f->p_good == FACT_UNKNOWN)
            return ASK_P_GOOD;
        if (f->p_good == FACT_YES)
            return STEP_FLASHED_OUTSIDE;
        if (f->s_good == FACT_UNKNOWN)
            return ASK_S_GOOD;
        return f->s_good == FACT_YES && !f->recovered ? STEP_RECOVER : STEP_RECOVERY;
    }
    if (f->s_old == FACT_UNKNOWN)
        return ASK_S_OLD;
    return f->s_old == FACT_YES ? STEP_REVERT : start_or_recovery(f);
}

static enum boot_step decide_trial(const struct boot_facts *f)
{
    if (f->armed && f->p_good == FACT_UNKNOWN)
        return ASK_P_GOOD;
    if (f->armed)
        return f->p_good == FACT_YES ? STEP_START : decide_end_of_trial(f);
    /* Not blank counts as confirmed: a torn image_ok was an application's confirm. */
    if (f->p_image_ok != TRAILER_BLANK)
        return STEP_SETTLE;
    if (f->s_magic == TRAILER_SET || f->starts >= f->attempts)
        return decide_end_of_trial(f);
    if (f->p_good == FACT_UNKNOWN)
        return ASK_P_GOOD;
    return f->p_good == FACT_YES ? STEP_TRY_AGAIN : decide_end_of_trial(f);
}

static bool needs_repair(const struct boot_facts *f)
{
    bool torn = f->p_magic == TRAILER_BAD || f->p_image_ok == TRAILER_BAD || f->p_copy_done == TRAILER_BAD;
    bool half = (f->p_magic == TRAILER_SET) != (f->p_image_ok == TRAILER_SET);

    return !f->reaches_trailer && (torn || half);
}

static enum boot_step decide_idle(const struct boot_facts *f)
{
    if (f->p_good == FACT_UNKNOWN)
        return ASK_P_GOOD;
    if (f->external && (f->p_good == FACT_NO || f->s_magic == TRAILER_SET) && f->s_good == FACT_UNKNOWN)
        return ASK_S_GOOD;
    if (f->p_good == FACT_NO)
        return f->external && f->s_good == FACT_YES && !f->recovered ? STEP_RECOVER : STEP_RECOVERY;
    if (f->external && f->s_magic == TRAILER_SET) {
        if (f->s_good == FACT_NO)
            return STEP_REFUSE;
        return f->s_image_ok == TRAILER_SET ? STEP_PERM : STEP_TEST;
    }
    if (!f->settled)
        return STEP_SETTLE;
    return needs_repair(f) ? STEP_REPAIR : STEP_START;
}

enum boot_step boot_decide(const struct boot_facts *f)
{
    if (f->stop == STOP_TOUCHED || (f->stop == STOP_UNTOUCHED && !f->external))
        return start_or_recovery(f);
    if (f->stop == STOP_UNTOUCHED)
        return STEP_ABANDON;
    switch (f->cell) {
    case CELL_NEW:
        return decide_new(f);
    case CELL_UNFINISHED:
        return decide_unfinished(f);
    case CELL_TRIAL:
        return decide_trial(f);
    default:
        return decide_idle(f);
    }
}
