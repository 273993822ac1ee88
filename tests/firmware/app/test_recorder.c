/* The recorder over a flash model: goes round, goes on after a reset, and counts what a bad chip does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/app/recorder.h"
#include "sim/flash/nor.h"

enum { UNIT = 4096, PER_UNIT = UNIT / RECORDER_LEN, PERIOD = 10 };

struct bench {
    struct sim_clock clock;
    struct sim_power power;
    struct nor nor;
    struct flash_dev dev;
    struct flash_area area;
    struct recorder r;
    uint32_t now;
};

static void bench_open(struct bench *b, unsigned units)
{
    const struct nor_geometry geo = nor_external_part(0xC22817, 64 * UNIT);

    memset(b, 0, sizeof *b);
    assert_int_equal(nor_open(&b->nor, &geo, &b->clock, &b->power, NULL), OK);
    nor_device(&b->nor, &b->dev);
    b->area = (struct flash_area) { &b->dev, UNIT, units * UNIT };
    assert_int_equal(recorder_open(&b->r, &b->area, PERIOD), OK);
}

static void record(struct bench *b, unsigned n, bool may_erase)
{
    for (unsigned i = 0; i < n; i++) {
        b->now += PERIOD;
        if (!recorder_begin(&b->r, b->now, may_erase))
            continue;
        while (recorder_poll(&b->r, b->now))
            continue;
    }
}

static void it_goes_round(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 3);
    record(&b, 4 * PER_UNIT + 5, true);
    assert_int_equal(b.r.written, 4 * PER_UNIT + 5);
    assert_int_equal(b.r.erases, 5);
    assert_int_equal(b.r.bad, 0);
    assert_true(b.r.checked > 3 * PER_UNIT);
    assert_int_equal(b.nor.unit_erases[0], 0); /* not ours */
    assert_int_equal(b.nor.unit_erases[4], 0);
    assert_int_equal(b.nor.violations, 0);
    nor_close(&b.nor);
}

/* In the next unit: what lies behind the newest record may have been begun. */
static void it_goes_on_after_a_reset(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 3);
    record(&b, PER_UNIT + 7, true);
    assert_int_equal(recorder_open(&b.r, &b.area, PERIOD), OK);
    assert_int_equal(b.r.number, PER_UNIT + 8);
    b.r.due_ms = b.now;
    record(&b, 2, true);
    assert_int_equal(b.r.next_off, 2 * UNIT + 2 * RECORDER_LEN);
    assert_int_equal(b.r.bad, 0);
    assert_int_equal(b.nor.violations, 0);
    nor_close(&b.nor);
}

static void an_erase_waits_until_it_may(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, 3);
    record(&b, 20, false);
    assert_int_equal(b.r.written, 0);
    record(&b, 1, true);
    record(&b, 3, false);
    assert_int_equal(b.r.written, 4);
    nor_close(&b.nor);
}

static void a_bad_chip_is_counted(void **state)
{
    static const enum nor_fault_kind kinds[] = { NOR_FAULT_NO_PROGRAM, NOR_FAULT_READ_ERROR };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct bench b;
        const struct nor_fault fault = { .kind = kinds[i] };
        bench_open(&b, 3);
        record(&b, 2, true);
        assert_int_equal(nor_fault_add(&b.nor, &fault), OK);
        record(&b, 5, true);
        assert_int_equal(b.r.written, 2);
        assert_int_equal(b.r.bad, 5);
        assert_int_not_equal(b.r.err, OK);
        nor_close(&b.nor);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_round),
        cmocka_unit_test(it_goes_on_after_a_reset),
        cmocka_unit_test(an_erase_waits_until_it_may),
        cmocka_unit_test(a_bad_chip_is_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
