#include "tests/model/steps.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SESSIONS = 16, STEPS = 128 };

static const struct steps_case cases[] = {
    { "install-gap2", { 2, 2 }, 2, 1, false, TRIAL_CONFIRM, false, false },
    { "install-gap1", { 2, 2 }, 1, 1, false, TRIAL_CONFIRM, false, false },
    { "install-3-1", { 3, 1 }, 2, 1, false, TRIAL_CONFIRM, false, false },
    { "install-1-3-gap1", { 1, 3 }, 1, 1, false, TRIAL_CONFIRM, false, false },
    { "revert-gap2", { 2, 2 }, 2, 1, false, TRIAL_HANG, false, false },
    { "revert-gap1", { 2, 2 }, 1, 1, false, TRIAL_HANG, false, false },
    { "revert-1-3", { 1, 3 }, 2, 1, false, TRIAL_HANG, false, false },
    { "revert-3-1-gap1", { 3, 1 }, 1, 1, false, TRIAL_HANG, false, false },
    { "attempts-3", { 1, 1 }, 2, 3, false, TRIAL_HANG, false, false },
    { "asked-back", { 1, 2 }, 2, 3, false, TRIAL_ASK_BACK, false, false },
    { "permanent", { 2, 1 }, 2, 1, true, TRIAL_HANG, false, false },
    { "mcuboot", { 2, 2 }, 2, 1, false, TRIAL_HANG, true, false },
    { "recover", { 2, 2 }, 2, 1, false, TRIAL_HANG, false, true },
};

static void take(struct steps *st, const char *text)
{
    for (const char *p = text; *p; p++)
        st->hash = (st->hash ^ (uint8_t)*p) * 0x100000001B3u;
    st->hash = (st->hash ^ '\n') * 0x100000001B3u;
    if (st->print)
        printf("  %d.%d %s\n", st->session, st->step, text);
}

static int cuts_left(const struct steps *st)
{
    int n = 0;

    for (int i = 0; i < 2; i++)
        n += st->cut[i].session >= st->session;
    return n;
}

enum steps_order steps_step(struct steps *st, bool can_tear, const char *format, ...)
{
    char text[80];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (st->session < SESSIONS && st->step < STEPS)
        st->seen[st->session][st->step] = can_tear ? 2 : 1;
    for (int i = 0; i < 2; i++) {
        const struct steps_cut *c = &st->cut[i];
        if (c->session != st->session || c->step != st->step)
            continue;
        take(st, c->inside ? "cut in" : "cut before");
        if (c->inside)
            take(st, text);
        return c->inside ? STEPS_CUT_INSIDE : STEPS_CUT_BEFORE;
    }
    take(st, text);
    st->step++;
    return STEPS_GO_ON;
}

void steps_note(struct steps *st, const char *format, ...)
{
    char text[80];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    take(st, text);
}

/* One plan from the beginning to rest. */
static void run(const struct steps_machine *m, const struct steps_case *c, struct steps *st)
{
    bool rest = false;

    memset(st->seen, 0, sizeof st->seen);
    st->hash = 0xCBF29CE484222325u;
    m->reset(m->ctx, c);
    for (st->session = 0; st->session < SESSIONS && !rest; st->session++) {
        st->step = 0;
        rest = m->session(m->ctx, st) && cuts_left(st) == 0;
    }
    st->sessions = st->session;
}

static void put_cut(const struct steps_cut *c)
{
    if (c->session >= 0)
        printf(" %d.%d%s", c->session, c->step, c->inside ? "i" : "");
}

static void put(const struct steps_case *c, const struct steps *st)
{
    printf("%s", c->name);
    put_cut(&st->cut[0]);
    put_cut(&st->cut[1]);
    printf(": %d boots, %016llx\n", st->sessions, (unsigned long long)st->hash);
}

/* Every place of a second (first: a first) cut behind the ones that are set. */
static void cut_everywhere(const struct steps_machine *m, const struct steps_case *c, const struct steps *before, int which)
{
    int from = which ? before->cut[0].session + 1 : 0;

    for (int s = from; s < before->sessions; s++)
        for (int k = 0; k < STEPS && before->seen[s][k]; k++)
            for (int inside = 0; inside < before->seen[s][k]; inside++) {
                struct steps st = { .cut = { before->cut[0], { .session = -1 } } };
                st.cut[which] = (struct steps_cut) { s, k, inside };
                run(m, c, &st);
                put(c, &st);
                if (which == 0)
                    cut_everywhere(m, c, &st, 1);
            }
}

void steps_all(const struct steps_machine *m)
{
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct steps st = { .cut = { { .session = -1 }, { .session = -1 } } };
        run(m, &cases[i], &st);
        put(&cases[i], &st);
        cut_everywhere(m, &cases[i], &st, 0);
    }
}

bool steps_one(const struct steps_machine *m, const char *plan)
{
    struct steps st = { .print = true, .cut = { { .session = -1 }, { .session = -1 } } };
    size_t len = strcspn(plan, " :");

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strlen(cases[i].name) != len || strncmp(cases[i].name, plan, len) != 0)
            continue;
        for (int k = 0; k < 2 && plan[len] == ' '; k++) {
            int n = 0;
            if (sscanf(plan + len, " %d.%d%n", &st.cut[k].session, &st.cut[k].step, &n) != 2)
                return false;
            len += (size_t)n;
            st.cut[k].inside = plan[len] == 'i';
            len += st.cut[k].inside;
        }
        run(m, &cases[i], &st);
        return true;
    }
    return false;
}
