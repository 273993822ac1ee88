/* boot_decide() over the full table of its inputs: rows that must hold for every combination of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/boot/decide.h"

typedef void check_fn(const struct boot_facts *f, enum boot_step step);

/* Calls check() for every combination of facts. 4*3*2^5 * 3^5 * 3^4 * 9 (starts, attempts) of them. */
static unsigned long for_all(check_fn *check)
{
    static const uint8_t tries[][2] = { { 0, 1 }, { 1, 1 }, { 1, 3 }, { 3, 3 } };
    unsigned long n = 0;
    struct boot_facts f;

    for (unsigned cell = 0; cell < CELL_COUNT; cell++)
        for (unsigned stop = 0; stop < STOP_COUNT; stop++)
            for (unsigned bits = 0; bits < 32; bits++)
                for (unsigned flags = 0; flags < 243; flags++)
                    for (unsigned facts = 0; facts < 81; facts++)
                        for (unsigned t = 0; t < sizeof tries / sizeof tries[0]; t++) {
                            f = (struct boot_facts) {
                                .cell = (enum boot_cell)cell, .stop = (enum boot_stop)stop,
                                .external = bits & 1, .settled = bits & 2, .recovered = bits & 4,
                                .reaches_trailer = bits & 8, .armed = bits & 16 && cell == CELL_TRIAL,
                                .p_magic = (enum trailer_flag)(flags % 3),
                                .p_image_ok = (enum trailer_flag)(flags / 3 % 3),
                                .p_copy_done = (enum trailer_flag)(flags / 9 % 3),
                                .s_magic = (enum trailer_flag)(flags / 27 % 3),
                                .s_image_ok = (enum trailer_flag)(flags / 81),
                                .p_good = (enum fact)(facts % 3), .p_match = (enum fact)(facts / 3 % 3),
                                .s_good = (enum fact)(facts / 9 % 3), .s_old = (enum fact)(facts / 27),
                                .starts = tries[t][0], .attempts = tries[t][1],
                            };
                            if (!f.external)
                                f.s_magic = f.s_image_ok = TRAILER_BLANK;
                            check(&f, boot_decide(&f));
                            n++;
                        }
    return n;
}

static bool swaps(enum boot_step s)
{
    return s == STEP_RESUME || s == STEP_TEST || s == STEP_PERM || s == STEP_RECOVER || s == STEP_REVERT
        || s == STEP_REVERT_FOUND;
}

static void check_swap(const struct boot_facts *f, enum boot_step step)
{
    /* An image goes in only if it verified, and only when somebody asked, or slot 0 is broken. */
    if (step == STEP_TEST || step == STEP_PERM) {
        assert_int_equal(f->cell, CELL_IDLE);
        assert_int_equal(f->s_magic, TRAILER_SET);
        assert_int_equal(f->s_good, FACT_YES);
        assert_int_equal(f->p_good, FACT_YES);
        assert_int_equal(step == STEP_PERM, f->s_image_ok == TRAILER_SET);
    }
    if (step == STEP_RECOVER) {
        assert_int_equal(f->p_good, FACT_NO);
        assert_int_equal(f->s_good, FACT_YES);
        assert_false(f->recovered);
    }
    /* A revert: of a trial without confirm, whose starts are used up, or that was asked back, or is broken. */
    if (step == STEP_REVERT) {
        assert_int_equal(f->cell, CELL_TRIAL);
        assert_int_equal(f->s_old, FACT_YES);
        assert_true(f->armed || f->p_image_ok == TRAILER_BLANK);
        assert_true(f->starts >= f->attempts || f->s_magic == TRAILER_SET || f->p_good == FACT_NO);
        assert_int_equal(f->p_match, FACT_YES);
    }
    if (step == STEP_REVERT_FOUND) {
        assert_int_equal(f->cell, CELL_NEW);
        assert_true(f->p_magic == TRAILER_SET && f->p_copy_done == TRAILER_SET && f->p_image_ok == TRAILER_BLANK);
        assert_int_equal(f->s_good, FACT_YES);
    }
}

static void check_row(const struct boot_facts *f, enum boot_step step)
{
    assert_true(step < STEP_COUNT);
    /* It never asks for what it was told. */
    assert_false(step == ASK_P_GOOD && f->p_good != FACT_UNKNOWN);
    assert_false(step == ASK_P_MATCH && f->p_match != FACT_UNKNOWN);
    assert_false(step == ASK_S_GOOD && f->s_good != FACT_UNKNOWN);
    assert_false(step == ASK_S_OLD && f->s_old != FACT_UNKNOWN);
    /* Only what verified is started; recovery only where nothing verified. */
    if (step == STEP_START)
        assert_int_equal(f->p_good, FACT_YES);
    if (step == STEP_RECOVERY)
        assert_int_equal(f->p_good, FACT_NO);
    /* Nothing is swapped or asked of a chip that is dead, and nothing after a stop. */
    if (!f->external || f->stop != STOP_NO)
        assert_false(swaps(step));
    if (!f->external)
        assert_false(step == ASK_S_GOOD || step == ASK_S_OLD || step == STEP_REFUSE || step == STEP_ABANDON
            || (step == STEP_FLASHED_OUTSIDE && f->cell == CELL_UNFINISHED));
    if (f->stop == STOP_TOUCHED)
        assert_true(step == ASK_P_GOOD || step == STEP_START || step == STEP_RECOVERY);
    check_swap(f, step);
    /* A confirm is never overlooked. */
    if (f->cell == CELL_TRIAL && !f->armed && f->stop == STOP_NO && f->p_image_ok != TRAILER_BLANK)
        assert_int_equal(step, STEP_SETTLE);
    /* An unconfirmed image without starts left is started only if the old one cannot be had. */
    if (step == STEP_START && f->cell == CELL_TRIAL && !f->armed && f->stop == STOP_NO && f->starts >= f->attempts)
        assert_true(!f->external || f->s_old == FACT_NO);
    if (step == STEP_TRY_AGAIN)
        assert_true(f->cell == CELL_TRIAL && f->starts < f->attempts && f->p_good == FACT_YES);
    /* From idle an application starts only from a settled state and a whole trailer. */
    if (step == STEP_START && f->cell == CELL_IDLE && f->stop == STOP_NO)
        assert_true(f->settled);
    if (step == STEP_REPAIR)
        assert_false(f->reaches_trailer);
    if (step == STEP_REFUSE)
        assert_true(f->s_magic == TRAILER_SET && f->s_good == FACT_NO && f->cell == CELL_IDLE);
}

static void test_every_row(void **state)
{
    (void)state;
    assert_true(for_all(check_row) > 7000000);
}

struct row {
    const char *name;
    struct boot_facts f;
    enum boot_step step;
};

static void test_named_rows(void **state)
{
    static const struct row rows[] = {
        { "ordinary boot", { .cell = CELL_IDLE, .external = true, .settled = true, .p_good = FACT_YES, .attempts = 1 }, STEP_START },
        { "nothing anywhere", { .cell = CELL_IDLE, .external = true, .p_good = FACT_NO, .s_good = FACT_NO, .attempts = 1 }, STEP_RECOVERY },
        { "dead chip", { .cell = CELL_IDLE, .settled = true, .p_good = FACT_YES, .attempts = 1 }, STEP_START },
        { "dead chip half way, slot 0 whole", { .cell = CELL_UNFINISHED, .p_match = FACT_YES, .p_good = FACT_YES, .attempts = 1 }, STEP_START },
        { "dead chip half way, slot 0 mixed", { .cell = CELL_UNFINISHED, .p_match = FACT_YES, .p_good = FACT_NO, .attempts = 1 }, STEP_RECOVERY },
        { "flashed by a debugger during a swap", { .cell = CELL_UNFINISHED, .external = true, .p_match = FACT_NO, .attempts = 1 }, STEP_FLASHED_OUTSIDE },
        { "the same with a dead chip: what verifies is started", { .cell = CELL_UNFINISHED, .p_match = FACT_NO, .p_good = FACT_YES, .attempts = 1 }, STEP_START },
        { "torn magic is repaired", { .cell = CELL_IDLE, .external = true, .settled = true, .p_good = FACT_YES, .p_magic = TRAILER_BAD, .attempts = 1 }, STEP_REPAIR },
        { "magic without image_ok is repaired", { .cell = CELL_IDLE, .external = true, .settled = true, .p_good = FACT_YES, .p_magic = TRAILER_SET, .attempts = 1 }, STEP_REPAIR },
        { "blank trailer is left alone", { .cell = CELL_IDLE, .external = true, .settled = true, .p_good = FACT_YES, .attempts = 1 }, STEP_START },
        { "new board", { .cell = CELL_NEW, .external = true, .attempts = 1 }, STEP_SETTLE },
        { "MCUboot's test image, torn image_ok", { .cell = CELL_NEW, .external = true, .p_magic = TRAILER_SET, .p_copy_done = TRAILER_SET, .p_image_ok = TRAILER_BAD, .attempts = 1 }, STEP_SETTLE },
        { "trial, cut before its start was recorded", { .cell = CELL_TRIAL, .external = true, .p_good = FACT_YES, .attempts = 1 }, STEP_TRY_AGAIN },
        { "trial, started, not confirmed", { .cell = CELL_TRIAL, .external = true, .starts = 1, .p_match = FACT_YES, .s_old = FACT_YES, .attempts = 1 }, STEP_REVERT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (boot_decide(&rows[i].f) != rows[i].step)
            fail_msg("%s: step %d, expected %d", rows[i].name, (int)boot_decide(&rows[i].f), (int)rows[i].step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_named_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
