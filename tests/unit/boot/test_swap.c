/*
 * Whole swaps on the real geometries without cuts: contents, wear by the flash models' own counters,
 * and modelled time against the physical floor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/boot/trailer.h"
#include "tests/support/rig.h"

enum { KIB = 1024, UNIT = 4096 };

struct pair {
    struct rig r;
    uint8_t *old_image, *new_image;
    uint32_t old_len, new_len;
};

static void setup(struct pair *p, const struct layout *l, uint32_t old_len, uint32_t new_len)
{
    rig_open(&p->r, l);
    p->old_len = old_len;
    p->new_len = new_len;
    p->old_image = testimage_make(&p->r.key, &(struct testimage_options) { .major = 1, .seed = 1 }, old_len);
    p->new_image = testimage_make(&p->r.key, &(struct testimage_options) { .major = 2, .seed = 2 }, new_len);
    rig_load(&p->r, 0, 0, p->old_image, old_len);
    rig_boot(&p->r);
    assert_int_equal(p->r.result.outcome, BOOT_START);
    rig_load(&p->r, 1, 0, p->new_image, new_len);
}

static void teardown(struct pair *p)
{
    assert_int_equal(p->r.internal_chip.violations, 0);
    assert_int_equal(p->r.external_chip.violations, 0);
    rig_close(&p->r);
    free(p->old_image);
    free(p->new_image);
}

static void request(struct pair *p, bool permanent)
{
    struct flash_area s = store_slot(&p->r.store, 1);
    assert_int_equal(trailer_request(&s, UNIT, permanent), OK);
}

/* N x (85 ms + 1024 x 41 us), N = units of the larger image, trailer, two state units. */
static double floor_ms(const struct pair *p)
{
    uint32_t larger = p->old_len > p->new_len ? p->old_len : p->new_len;
    return ((larger + UNIT - 1) / UNIT + 1 + 2) * (85 + 1024 * 0.041);
}

/* Boots and gives the modelled time in units of the floor. */
static double timed_boot(struct pair *p)
{
    uint64_t before = p->r.clock.us;
    rig_boot(&p->r);
    return (double)(p->r.clock.us - before) / 1000 / floor_ms(p);
}

static void check_wear(struct pair *p)
{
    const struct layout *l = &p->r.layout;
    assert_true(nor_max_erases(&p->r.internal_chip, l->slot0.off, l->slot0.size) <= 1);
    assert_true(nor_max_erases(&p->r.external_chip, l->slot1.off, l->slot1.size) <= 1);
    assert_true(nor_max_erases(&p->r.internal_chip, l->state.off, l->state.size) <= 1);
}

/*
 * Every unit's erases by one swap of equal images at gap 2. In P the image's units and the trailer;
 * in S what the other image is copied to, the trailer, and going forward S[0] with its stale header;
 * one unit of the boot state; nothing else on either chip.
 */
static void check_every_unit(const struct pair *p, bool forward)
{
    const struct layout *l = &p->r.layout;
    uint32_t n = (p->new_len + UNIT - 1) / UNIT, states = 0;

    for (uint32_t i = 0; i < l->internal_size / UNIT; i++) {
        uint32_t at = i - l->slot0.off / UNIT, last = l->slot0.size / UNIT - 1;
        if (i - l->state.off / UNIT < l->state.size / UNIT)
            states += p->r.internal_chip.unit_erases[i];
        else
            assert_int_equal(p->r.internal_chip.unit_erases[i], at < n || at == last);
    }
    assert_int_equal(states, 1);
    for (uint32_t i = 0; i < l->external_size / UNIT; i++) {
        uint32_t at = i - l->slot1.off / UNIT, last = l->slot1.size / UNIT - 1;
        bool copied = forward ? at >= 2 && at < n + 2 : at < n;
        assert_int_equal(p->r.external_chip.unit_erases[i], copied || at == last || (forward && at == 0));
    }
}

static void swap_and_revert(struct pair *p, const char *name, unsigned gap, double limit)
{
    request(p, false);
    double install = timed_boot(p);
    assert_int_equal(p->r.result.outcome, BOOT_START);
    assert_int_equal(p->r.report.action, BOOT_ACTION_TEST);
    assert_int_equal(p->r.report.gap, gap);
    assert_memory_equal(rig_slot(&p->r, 0), p->new_image, p->new_len);
    assert_memory_equal(rig_slot(&p->r, 1) + gap * UNIT, p->old_image, p->old_len);
    assert_int_equal(p->r.report.slot[1].unit, gap);
    check_wear(p);
    if (gap == 2 && p->old_len == p->new_len)
        check_every_unit(p, true);

    double revert = timed_boot(p);
    assert_int_equal(p->r.report.action, BOOT_ACTION_REVERT);
    assert_memory_equal(rig_slot(&p->r, 0), p->old_image, p->old_len);
    assert_memory_equal(rig_slot(&p->r, 1), p->new_image, p->new_len);
    check_wear(p);
    if (gap == 2 && p->old_len == p->new_len)
        check_every_unit(p, false);
    printf("%s: floor %.0f ms, install %.3f of it, revert %.3f of it\n", name, floor_ms(p), install, revert);
    assert_true(install <= limit && revert <= limit);

    rig_boot(&p->r); /* an ordinary boot writes nothing */
    assert_int_equal(p->r.report.action, BOOT_ACTION_NONE);
    assert_int_equal(p->r.internal_chip.count.erases + p->r.internal_chip.count.programs, 0);
    assert_int_equal(p->r.external_chip.count.erases + p->r.external_chip.count.programs, 0);
}

static void test_the_case(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;

    (void)state;
    setup(&p, &l, 850 * KIB, 850 * KIB);
    swap_and_revert(&p, "850 KiB for 850 KiB, gap 2", 2, 1.05);
    teardown(&p);
}

static void test_unequal_images(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;

    (void)state;
    setup(&p, &l, 61 * KIB + 7, 400 * KIB);
    swap_and_revert(&p, "61 KiB for 400 KiB, gap 2", 2, 1.05);
    teardown(&p);
    setup(&p, &l, 400 * KIB, 61 * KIB + 7);
    swap_and_revert(&p, "400 KiB for 61 KiB, gap 2", 2, 1.05);
    teardown(&p);
}

static void test_gap_one(void **state)
{
    const struct layout l = rig_layout_dk();
    struct pair p;

    (void)state;
    setup(&p, &l, 896 * KIB, 896 * KIB);
    swap_and_revert(&p, "896 KiB for 896 KiB, gap 1", 1, 1.50);
    teardown(&p);
}

static void test_confirm_keeps_the_new_image(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;

    (void)state;
    setup(&p, &l, 100 * KIB, 120 * KIB);
    request(&p, false);
    rig_boot(&p.r);
    assert_true(p.r.report.on_trial);
    struct flash_area p0 = store_slot(&p.r.store, 0);
    assert_int_equal(trailer_confirm(&p0), OK);
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_NONE);
    assert_false(p.r.report.on_trial);
    assert_memory_equal(rig_slot(&p.r, 0), p.new_image, p.new_len);
    rig_boot(&p.r);
    assert_int_equal(p.r.internal_chip.count.programs, 0);
    teardown(&p);
}

static void test_permanent_and_back_by_hand(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;

    (void)state;
    setup(&p, &l, 100 * KIB, 120 * KIB);
    request(&p, true);
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_INSTALL);
    assert_false(p.r.report.on_trial);
    assert_memory_equal(rig_slot(&p.r, 0), p.new_image, p.new_len);
    request(&p, true); /* the old image, at S[2] */
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_INSTALL);
    assert_memory_equal(rig_slot(&p.r, 0), p.old_image, p.old_len);
    assert_memory_equal(rig_slot(&p.r, 1), p.new_image, p.new_len);
    teardown(&p);
}

static void test_broken_primary_is_recovered(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;
    uint8_t zero = 0;

    (void)state;
    setup(&p, &l, 100 * KIB, 120 * KIB);
    rig_load(&p.r, 0, 70 * KIB, &zero, 1);
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_RECOVER);
    assert_int_equal(p.r.result.outcome, BOOT_START);
    assert_memory_equal(rig_slot(&p.r, 0), p.new_image, p.new_len);
    assert_memory_equal(rig_slot(&p.r, 1), p.new_image, p.new_len);
    teardown(&p);
}

static void test_bad_request_is_refused(void **state)
{
    const struct layout l = rig_layout_at25();
    struct pair p;
    uint8_t zero = 0;

    (void)state;
    setup(&p, &l, 100 * KIB, 120 * KIB);
    rig_load(&p.r, 1, 70 * KIB, &zero, 1);
    request(&p, false);
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_NONE);
    assert_memory_equal(rig_slot(&p.r, 0), p.old_image, p.old_len);
    assert_int_equal(p.r.report.finding[0].reason, REASON_REQUEST_REFUSED);
    assert_int_equal(p.r.report.finding[0].found, REASON_IMG_HASH);
    rig_boot(&p.r);
    assert_int_equal(p.r.external_chip.count.erases, 0);
    teardown(&p);
}

static void test_dead_chip_does_not_stop_the_board(void **state)
{
    static const struct {
        const char *fault;
        unsigned reason;
    } rows[] = {
        { "absent", REASON_EXT_ABSENT },
        { "id=C22817", REASON_EXT_ID },
        { "busy", REASON_EXT_BUSY },
        { "read-error", REASON_EXT_READ },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct layout l = rig_layout_at25();
        struct pair p;
        struct nor_fault fault;
        setup(&p, &l, 100 * KIB, 120 * KIB);
        request(&p, false);
        assert_int_equal(nor_fault_parse(rows[i].fault, &fault), OK);
        assert_int_equal(nor_fault_add(&p.r.external_chip, &fault), OK);
        rig_boot(&p.r);
        assert_int_equal(p.r.result.outcome, BOOT_START);
        assert_memory_equal(rig_slot(&p.r, 0), p.old_image, p.old_len);
        assert_int_equal(p.r.report.finding[0].reason, rows[i].reason);
        rig_boot(&p.r); /* the same failure is not logged twice */
        assert_int_equal(p.r.internal_chip.count.programs, 0);
        teardown(&p);
    }
}

/* The internal chip takes everything but records of failures. */
static const struct flash_ops *whole_ops;
static uint32_t log_from, log_to;

static int prog_but_log(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    return off >= log_from && off < log_to ? ERR_IO : whole_ops->prog_start(ctx, off, data, len);
}

/* A start counts whatever else cannot be recorded: else an image that hangs would be started for ever. */
static void test_start_counts_without_a_log(void **state)
{
    struct layout l = rig_layout_at25();
    struct flash_ops ops;
    struct pair p;

    (void)state;
    setup(&p, &l, 40 * KIB, 40 * KIB);
    p.r.cfg.attempts = 2;
    request(&p, false);
    rig_boot(&p.r);
    assert_true(p.r.report.on_trial);
    whole_ops = p.r.internal.ops;
    log_from = l.state.off + 3 * UNIT;
    log_to = l.state.off + 4 * UNIT;
    ops = *whole_ops;
    ops.prog_start = prog_but_log;
    p.r.internal.ops = &ops;
    assert_int_equal(nor_fault_add(&p.r.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }), OK);
    rig_boot(&p.r);
    assert_int_equal(p.r.result.outcome, BOOT_START);
    assert_int_equal(p.r.report.starts, 2);
    p.r.internal.ops = whole_ops;
    p.r.external_chip.faults = 0;
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_REVERT);
    assert_memory_equal(rig_slot(&p.r, 0), p.old_image, p.old_len);
    teardown(&p);
}

/* An ordinary boot of a large image: it is hashed for a second and a half, a watchdog may wait for less. */
static unsigned fed;

static void count_feed(void *ctx)
{
    (void)ctx;
    fed++;
}

static void test_the_watchdog_is_fed_while_an_image_is_verified(void **state)
{
    struct layout l = rig_layout_at25();
    struct pair p;

    (void)state;
    setup(&p, &l, 850 * KIB, 40 * KIB);
    p.r.cfg.feed = count_feed;
    fed = 0;
    rig_boot(&p.r);
    assert_int_equal(p.r.report.action, BOOT_ACTION_NONE);
    assert_true(fed >= 850 * KIB / UNIT);
    teardown(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_case),
        cmocka_unit_test(test_unequal_images),
        cmocka_unit_test(test_gap_one),
        cmocka_unit_test(test_confirm_keeps_the_new_image),
        cmocka_unit_test(test_permanent_and_back_by_hand),
        cmocka_unit_test(test_broken_primary_is_recovered),
        cmocka_unit_test(test_bad_request_is_refused),
        cmocka_unit_test(test_dead_chip_does_not_stop_the_board),
        cmocka_unit_test(test_start_counts_without_a_log),
        cmocka_unit_test(test_the_watchdog_is_fed_while_an_image_is_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
