/*
 * boot_decide() for tests/spec/test_decide.py: a line of facts in, the step out. Facts that cost time begin
 * as unknown and are told when they are asked for, as boot_run() does.
 */
#include <stdio.h>

#include "core/boot/decide.h"

static const char *const name[STEP_COUNT] = {
    [STEP_SETTLE] = "SETTLE",
    [STEP_FLASHED_OUTSIDE] = "FLASHED OUTSIDE",
    [STEP_ABANDON] = "ABANDON",
    [STEP_REFUSE] = "REFUSE",
    [STEP_REPAIR] = "REPAIR",
    [STEP_RESUME] = "RESUME",
    [STEP_TEST] = "TEST",
    [STEP_PERM] = "PERM",
    [STEP_RECOVER] = "RECOVER",
    [STEP_REVERT] = "REVERT",
    [STEP_REVERT_FOUND] = "REVERT",
    [STEP_TRY_AGAIN] = "TRY AGAIN",
    [STEP_START] = "start",
    [STEP_RECOVERY] = "recovery",
};

enum { FIELDS = 18, QUESTIONS = 4 };

/* cell stop alive settled recovered reaches armed, P's magic image_ok copy_done, S's magic image_ok, starts attempts */
static struct boot_facts facts_of(const unsigned v[FIELDS])
{
    return (struct boot_facts) { .cell = v[0], .stop = v[1], .external = v[2], .settled = v[3], .recovered = v[4],
        .reaches_trailer = v[5], .armed = v[6], .p_magic = v[7], .p_image_ok = v[8], .p_copy_done = v[9],
        .s_magic = v[10], .s_image_ok = v[11], .starts = (uint8_t)v[12], .attempts = (uint8_t)v[13] };
}

int main(void)
{
    unsigned v[FIELDS];

    for (;;) {
        for (int i = 0; i < FIELDS; i++) {
            if (scanf("%u", &v[i]) != 1)
                return 0;
        }
        struct boot_facts f = facts_of(v);
        enum fact *asked[QUESTIONS] = { &f.p_good, &f.p_match, &f.s_good, &f.s_old };
        enum boot_step step;
        int questions = 0;
        while ((int)(step = boot_decide(&f)) < QUESTIONS && questions++ < QUESTIONS)
            *asked[step] = v[FIELDS - QUESTIONS + step] ? FACT_YES : FACT_NO;
        puts((int)step < QUESTIONS ? "asked twice" : name[step]);
    }
}
