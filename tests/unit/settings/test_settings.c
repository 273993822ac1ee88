/* Settings: what is set is there, and stays what it was decided to be when power fails anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/settings/settings.h"
#include "sim/flash/nor.h"

enum { UNIT = 512, UNITS = 3, BASE = UNIT, KEYS = 4 };

struct bench {
    struct sim_clock clock;
    struct sim_power power;
    struct nor nor;
    struct flash_dev dev;
    struct flash_area area;
};

static void bench_open(struct bench *b)
{
    struct nor_geometry geo = nor_internal_nrf52840((UNITS + 1) * UNIT);

    memset(b, 0, sizeof *b);
    geo.erase_size = UNIT;
    b->power.seed = 1;
    assert_int_equal(nor_open(&b->nor, &geo, &b->clock, &b->power, NULL), OK);
    nor_device(&b->nor, &b->dev);
    b->area = (struct flash_area) { &b->dev, BASE, UNITS * UNIT };
}

static void bench_close(struct bench *b)
{
    assert_int_equal(b->nor.violations, 0);
    nor_close(&b->nor);
}

static void set_text(struct settings *s, uint16_t key, const char *text)
{
    assert_int_equal(settings_set(s, key, text, (uint32_t)strlen(text)), OK);
}

static void expect_text(const struct settings *s, uint16_t key, const char *text)
{
    char got[SETTINGS_VALUE_MAX + 1] = { 0 };
    int n = settings_get(s, key, got, SETTINGS_VALUE_MAX);

    assert_int_equal(n, text ? (int)strlen(text) : ERR_NOENT);
    if (text)
        assert_string_equal(got, text);
}

static void values_are_kept(void **state)
{
    struct bench b;
    struct settings s;
    char two[2];

    (void)state;
    bench_open(&b);
    assert_int_equal(settings_open(&s, &b.area), OK);
    expect_text(&s, 1, NULL);
    set_text(&s, 1, "one");
    set_text(&s, 2, "twoo");
    set_text(&s, 1, "first");
    set_text(&s, 3, "gone");
    assert_int_equal(settings_set(&s, 3, NULL, 0), OK);
    for (int again = 0; again < 3; again++) {
        expect_text(&s, 1, "first");
        expect_text(&s, 2, "twoo");
        expect_text(&s, 3, NULL);
        assert_int_equal(settings_get(&s, 2, two, 2), 4);
        assert_memory_equal(two, "tw", 2);
        assert_int_equal(settings_open(&s, &b.area), OK);
    }
    bench_close(&b);
}

static void the_longest_value_fits_and_one_more_does_not(void **state)
{
    struct bench b;
    struct settings s;
    uint8_t v[SETTINGS_VALUE_MAX + 1], got[SETTINGS_VALUE_MAX];

    (void)state;
    bench_open(&b);
    memset(v, 0xFF, sizeof v); /* looks like what is blank */
    assert_int_equal(settings_open(&s, &b.area), OK);
    assert_int_equal(settings_set(&s, 9, v, sizeof v), ERR_ARG);
    assert_int_equal(settings_set(&s, 9, v, SETTINGS_VALUE_MAX), OK);
    set_text(&s, 1, "behind");
    assert_int_equal(settings_open(&s, &b.area), OK);
    assert_int_equal(settings_get(&s, 9, got, sizeof got), SETTINGS_VALUE_MAX);
    assert_memory_equal(got, v, sizeof got);
    expect_text(&s, 1, "behind");
    bench_close(&b);
}

static void what_is_there_is_not_written_again(void **state)
{
    struct bench b;
    struct settings s;

    (void)state;
    bench_open(&b);
    assert_int_equal(settings_open(&s, &b.area), OK);
    set_text(&s, 1, "one");
    uint64_t ops = b.power.ops;
    set_text(&s, 1, "one");
    assert_int_equal(settings_set(&s, 2, NULL, 0), OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(settings_open(&s, &b.area), OK);
    assert_int_equal(b.power.ops, ops);
    bench_close(&b);
}

/* Units take turns, so that no one of them wears out first. */
static void a_full_unit_is_followed_by_the_next(void **state)
{
    struct bench b;
    struct settings s;
    char text[16];

    (void)state;
    bench_open(&b);
    assert_int_equal(settings_open(&s, &b.area), OK);
    set_text(&s, 7, "stays");
    for (int i = 0; i < 500; i++) {
        snprintf(text, sizeof text, "value %d", i);
        set_text(&s, 1, text);
        if (i % 50 == 0)
            assert_int_equal(settings_open(&s, &b.area), OK);
    }
    expect_text(&s, 1, "value 499");
    expect_text(&s, 7, "stays");
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t u = 0; u < UNITS; u++) {
        uint32_t n = b.nor.unit_erases[1 + u];
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    assert_true(most - least <= 1 && least > 5);
    assert_int_equal(b.nor.unit_erases[0], 0); /* not ours */
    bench_close(&b);
}

static void more_than_fits_is_refused_and_harms_nothing(void **state)
{
    struct bench b;
    struct settings s;
    uint8_t v[SETTINGS_VALUE_MAX];
    int err = OK, n = 0;

    (void)state;
    bench_open(&b);
    assert_int_equal(settings_open(&s, &b.area), OK);
    memset(v, 0x11, sizeof v);
    while (err == OK && n < 100)
        err = settings_set(&s, (uint16_t)n++, v, sizeof v);
    assert_int_equal(err, ERR_NOSPACE);
    assert_true(n > 4);
    assert_int_equal(settings_open(&s, &b.area), OK);
    for (int i = 1; i < n - 1; i++) {
        uint8_t got[SETTINGS_VALUE_MAX];
        assert_int_equal(settings_get(&s, (uint16_t)i, got, sizeof got), SETTINGS_VALUE_MAX);
        assert_memory_equal(got, v, sizeof v);
    }
    assert_int_equal(settings_set(&s, 1, NULL, 0), OK);
    assert_int_equal(settings_set(&s, 1, v, sizeof v), OK);
    bench_close(&b);
}

static void garbage_is_taken_for_empty(void **state)
{
    struct bench b;
    struct settings s;
    uint8_t rubbish[UNITS * UNIT];

    (void)state;
    bench_open(&b);
    for (uint32_t i = 0; i < sizeof rubbish; i++)
        rubbish[i] = (uint8_t)(i * 37 + (i >> 5));
    nor_load(&b.nor, BASE, rubbish, sizeof rubbish);
    assert_int_equal(settings_open(&s, &b.area), OK);
    expect_text(&s, 1, NULL);
    for (int i = 0; i < 60; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        set_text(&s, 1, text);
    }
    assert_int_equal(settings_open(&s, &b.area), OK);
    expect_text(&s, 1, "59");
    bench_close(&b);
}

static void one_unit_is_too_few(void **state)
{
    struct bench b;
    struct settings s;

    (void)state;
    bench_open(&b);
    b.area.size = UNIT;
    assert_int_equal(settings_open(&s, &b.area), ERR_ARG);
    bench_close(&b);
}

/* ---- power ------------------------------------------------------------------------------------- */

/*
 * A history of sets, told to the bench step by step. After each power-up: every key has the value that
 * was set last, or, of the one in flight, that or the one before; and what it has then it has at every
 * later power-up as well.
 */
struct story {
    struct bench b;
    char sure[KEYS][24]; /* "" none */
    int open_key; /* in flight, or -1 */
    char wanted[24];
    unsigned cuts;
};

static void story_check(struct story *t, struct settings *s)
{
    for (int k = 0; k < KEYS; k++) {
        char got[SETTINGS_VALUE_MAX + 1] = { 0 };
        int n = settings_get(s, (uint16_t)k, got, sizeof got - 1);
        assert_true(n >= 0 || n == ERR_NOENT);
        if (strcmp(got, t->sure[k]) == 0)
            continue;
        if (k != t->open_key || strcmp(got, t->wanted) != 0)
            fail_msg("key %d is \"%s\", not \"%s\" (in flight: key %d \"%s\")", k, got, t->sure[k], t->open_key, t->wanted);
        strcpy(t->sure[k], got);
    }
    t->open_key = -1;
}

/* False: power failed (again) before it was open. */
static bool story_open(struct story *t, struct settings *s)
{
    int err = settings_open(s, &t->b.area);

    if (err == OK && !t->b.power.off)
        story_check(t, s);
    else
        assert_true(t->b.power.off);
    return !t->b.power.off;
}

static void story_power_up(struct story *t, struct settings *s, uint64_t next_cut, enum sim_tear tear)
{
    do {
        t->cuts++;
        sim_power_cut_at(&t->b.power, next_cut ? t->b.power.ops + next_cut : 0, tear);
        next_cut = 0;
        sim_power_up(&t->b.power);
        nor_device(&t->b.nor, &t->b.dev);
    } while (!story_open(t, s));
}

static void story_set(struct story *t, struct settings *s, int k, const char *value)
{
    t->open_key = k;
    snprintf(t->wanted, sizeof t->wanted, "%s", value);
    int err = settings_set(s, (uint16_t)k, value, (uint32_t)strlen(value));
    if (t->b.power.off)
        return;
    assert_int_equal(err, OK);
    strcpy(t->sure[k], value);
    t->open_key = -1;
}

/* One plan: cut at the `first`-th operation, and again `second` operations after that power-up. */
static uint64_t run_plan(uint64_t first, enum sim_tear tear, uint64_t second, uint64_t seed, bool limit)
{
    static struct story t;
    struct settings s;
    char value[24];

    memset(&t, 0, sizeof t);
    t.open_key = -1;
    bench_open(&t.b);
    t.b.power.seed = seed;
    sim_power_cut_at(&t.b.power, first, tear);
    if (!story_open(&t, &s))
        story_power_up(&t, &s, second, tear);
    for (int i = 0; i < 26; i++) {
        value[0] = '\0';
        if (i % 7 != 6)
            snprintf(value, sizeof value, "v%d of %d", i, i % KEYS);
        story_set(&t, &s, i % 3 == 0 ? 0 : i % KEYS, value);
        if (t.b.power.off)
            story_power_up(&t, &s, t.cuts == 0 ? second : 0, tear);
    }
    sim_power_cut_at(&t.b.power, 0, SIM_TEAR_NONE);
    for (int i = 0; i < 3; i++) {
        sim_power_up(&t.b.power); /* weak cells read something else */
        nor_device(&t.b.nor, &t.b.dev);
        assert_true(story_open(&t, &s));
    }
    if (limit)
        assert_int_equal(t.b.nor.violations, 0);
    uint64_t ops = t.b.power.ops;
    nor_close(&t.b.nor);
    return ops;
}

static void power_fails_at_every_operation(void **state)
{
    uint64_t ops = run_plan(0, SIM_TEAR_NONE, 0, 1, true);

    (void)state;
    assert_true(ops > 200);
    for (uint64_t n = 1; n <= ops; n++) {
        for (enum sim_tear tear = SIM_TEAR_NONE; tear < SIM_TEARS; tear++) {
            for (uint64_t seed = 1; seed <= (tear == SIM_TEAR_WEAK ? 12u : tear == SIM_TEAR_BITS ? 4u : 1u); seed++)
                run_plan(n, tear, 0, seed, true);
        }
    }
}

/* Twice, the second time soon after the first; a mark may then see its third program (settings.h). */
static void power_fails_twice(void **state)
{
    uint64_t ops = run_plan(0, SIM_TEAR_NONE, 0, 1, true);

    (void)state;
    for (uint64_t n = 1; n <= ops; n += 3) {
        for (uint64_t second = 1; second <= 14; second++) {
            run_plan(n, SIM_TEAR_WEAK, second, n * 31 + second, false);
            run_plan(n, SIM_TEAR_BITS, second, n * 31 + second, false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_kept),
        cmocka_unit_test(the_longest_value_fits_and_one_more_does_not),
        cmocka_unit_test(what_is_there_is_not_written_again),
        cmocka_unit_test(a_full_unit_is_followed_by_the_next),
        cmocka_unit_test(more_than_fits_is_refused_and_harms_nothing),
        cmocka_unit_test(garbage_is_taken_for_empty),
        cmocka_unit_test(one_unit_is_too_few),
        cmocka_unit_test(power_fails_at_every_operation),
        cmocka_unit_test(power_fails_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
