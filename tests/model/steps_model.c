/* The model's side of steps.h. */
#include "tests/model/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/model/model.h"

static struct steps *st; /* NULL: nobody listens */
static jmp_buf power_off;

static struct {
    struct scenario s;
    const struct steps_case *c;
    struct node now; /* what survives */
    bool asked;
} bench;

static enum steps_order step(bool can_tear, const char *format, va_list args)
{
    char text[80];

    vsnprintf(text, sizeof text, format, args);
    enum steps_order o = steps_step(st, can_tear, "%s", text);
    if (o == STEPS_CUT_BEFORE)
        longjmp(power_off, 1);
    return o;
}

void trace_step(const char *format, ...)
{
    va_list args;

    if (!st)
        return;
    va_start(args, format);
    step(false, format, args);
    va_end(args);
}

/* A word that was being programmed reads as neither blank nor set. */
void trace_word(struct word *w, const char *format, ...)
{
    va_list args;

    if (!st)
        return;
    va_start(args, format);
    enum steps_order o = step(true, format, args);
    va_end(args);
    if (o != STEPS_CUT_INSIDE)
        return;
    w->may = W_PART;
    longjmp(power_off, 1);
}

static enum steps_order step_text(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    enum steps_order o = step(true, format, args);
    va_end(args);
    return o;
}

void trace_rewrite(int pu, int su)
{
    if (!st)
        return;
    enum steps_order o = step_text("move");
    if (su >= 0)
        steps_note(st, "S[%d]", su);
    if (pu >= 0)
        steps_note(st, "P[%d]", pu);
    if (o != STEPS_CUT_INSIDE)
        return;
    if (su >= 0)
        ss.now.S[su] = 1 << TORN;
    if (pu >= 0)
        ss.now.P[pu] = 1 << TORN;
    longjmp(power_off, 1);
}

static void reset(void *ctx, const struct steps_case *c)
{
    (void)ctx;
    bench.c = c;
    bench.asked = c->mcuboot || c->broken;
    bench.s = (struct scenario){ c->name, c->spare, { c->units[0], c->units[1], 1 }, "", c->attempts,
        (c->mcuboot ? X_MCUBOOT : 0) | (c->broken ? X_BROKEN_P : 0) };
    scenario_use(&bench.s, true, MAX_STATE_UNITS);
    scenario_initial(&bench.now);
    for (int i = 0; i < sc.n[1] && !c->mcuboot && !c->broken; i++)
        bench.now.S[i] = (uset)((uset)1 << sc.c[1][i]);
}

static bool act(void)
{
    if (ss.test && bench.c->trial == TRIAL_CONFIRM)
        app_confirm();
    else if (ss.test && bench.c->trial == TRIAL_ASK_BACK)
        word_prog(&ss.now.st[T_MAGIC], &ss.seen.st[T_MAGIC], false, "app: S magic (revert)", 0);
    else if (!ss.test && !bench.asked) {
        bench.asked = true;
        app_request(1, bench.c->permanent);
    } else {
        return ss.test;
    }
    return true;
}

static bool session(void *ctx, struct steps *steps)
{
    bool acted = false;

    (void)ctx;
    memset(&ss, 0, sizeof ss);
    ss.now = bench.now;
    ss.image = NONE;
    ps.cut_limit = 0;
    run_mode_set(RUN_SEARCH);
    if (setjmp(power_off) == 0) {
        st = steps;
        boot();
        st = NULL;
        if (ss.why)
            steps_note(steps, "model: %s", ss.why);
        steps_note(steps, "started %c%s", ss.image == NONE ? '-' : 'A' + ss.image, ss.test ? " on trial" : "");
        acted = act();
    } else {
        acted = true;
    }
    st = NULL;
    bench.now = ss.now;
    return !acted && steps->step == 0;
}

int steps_main(const char *plan)
{
    const struct steps_machine m = { reset, session, NULL };

    if (!plan)
        steps_all(&m);
    return plan && !steps_one(&m, plan) ? 2 : 0;
}
