/* The application of mcuboot_app.h on boards with our bootloader: test, confirm, revert, permanent, taking over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/interop/mcuboot_app.h"
#include "tests/support/rig.h"

enum { KIB = 1024, LEN_A = 150 * KIB + 13, LEN_B = 201 * KIB + 6 };

struct board {
    struct rig r;
    struct mcuboot_app app;
    uint8_t *a, *b;
};

static void setup(struct board *t, const struct layout *l)
{
    rig_open(&t->r, l);
    t->a = testimage_make(&t->r.key, &(struct testimage_options) { .major = 1, .seed = 1 }, LEN_A);
    t->b = testimage_make(&t->r.key, &(struct testimage_options) { .major = 2, .seed = 2 }, LEN_B);
    t->app = (struct mcuboot_app) { .dev = { &t->r.internal, &t->r.external },
        .off = { l->slot0.off, l->slot1.off }, .size = { l->slot0.size, l->slot1.size } };
    rig_load(&t->r, 0, 0, t->a, LEN_A);
    rig_boot(&t->r);
    assert_int_equal(t->r.result.outcome, BOOT_START);
}

static void teardown(struct board *t)
{
    assert_int_equal(t->r.internal_chip.violations + t->r.external_chip.violations, 0);
    rig_close(&t->r);
    free(t->a);
    free(t->b);
}

static void runs(const struct board *t, const uint8_t *image, uint32_t len)
{
    assert_int_equal(t->r.result.outcome, BOOT_START);
    assert_memory_equal(rig_slot(&t->r, 0), image, len);
}

/* What Zephyr's boot_is_img_confirmed() and MCUmgr's list are derived from. */
static void expect(const struct board *t, enum mcuboot_flag image_ok, enum mcuboot_swap next)
{
    struct mcuboot_state p = mcuboot_read(&t->app, 0), s = mcuboot_read(&t->app, 1);

    assert_int_equal(p.magic, MAGIC_GOOD);
    assert_int_equal(p.copy_done, FLAG_SET);
    assert_int_equal(p.image_ok, image_ok);
    assert_int_equal(s.magic, MAGIC_UNSET);
    assert_int_equal(mcuboot_swap_type(&t->app), next);
}

static void test_revert(void **state)
{
    const struct layout layouts[] = { rig_layout_at25(), rig_layout_dk() };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct board t;
        setup(&t, &layouts[i]);
        assert_int_equal(mcuboot_swap_type(&t.app), SWAP_TYPE_NONE);
        mcuboot_upload(&t.app, t.b, LEN_B);
        assert_true(mcuboot_set_pending(&t.app, false));
        assert_int_equal(mcuboot_swap_type(&t.app), SWAP_TYPE_TEST);
        rig_boot(&t.r);
        runs(&t, t.b, LEN_B);
        expect(&t, FLAG_UNSET, SWAP_TYPE_REVERT);
        rig_boot(&t.r);
        runs(&t, t.a, LEN_A);
        expect(&t, FLAG_SET, SWAP_TYPE_NONE);
        teardown(&t);
    }
}

static void test_confirm(void **state)
{
    const struct layout l = rig_layout_at25();
    struct board t;

    (void)state;
    setup(&t, &l);
    mcuboot_upload(&t.app, t.b, LEN_B);
    assert_true(mcuboot_set_pending(&t.app, false));
    assert_false(mcuboot_set_pending(&t.app, true)); /* already asked */
    rig_boot(&t.r);
    assert_true(mcuboot_set_confirmed(&t.app));
    expect(&t, FLAG_SET, SWAP_TYPE_NONE);
    assert_true(mcuboot_set_confirmed(&t.app));
    for (int i = 0; i < 3; i++) {
        rig_boot(&t.r);
        runs(&t, t.b, LEN_B);
        expect(&t, FLAG_SET, SWAP_TYPE_NONE);
    }
    mcuboot_upload(&t.app, t.a, LEN_A);
    assert_true(mcuboot_set_pending(&t.app, false));
    rig_boot(&t.r);
    runs(&t, t.a, LEN_A);
    expect(&t, FLAG_UNSET, SWAP_TYPE_REVERT);
    teardown(&t);
}

static void test_permanent(void **state)
{
    const struct layout l = rig_layout_at25();
    struct board t;

    (void)state;
    setup(&t, &l);
    mcuboot_upload(&t.app, t.b, LEN_B);
    assert_true(mcuboot_set_pending(&t.app, true));
    assert_int_equal(mcuboot_swap_type(&t.app), SWAP_TYPE_PERM);
    rig_boot(&t.r);
    runs(&t, t.b, LEN_B);
    expect(&t, FLAG_SET, SWAP_TYPE_NONE);
    rig_boot(&t.r);
    runs(&t, t.b, LEN_B);
    teardown(&t);
}

/* A factory image without a trailer cannot be confirmed and needs none. */
static void test_blank_trailer_is_confirmed(void **state)
{
    const struct layout l = rig_layout_at25();
    struct board t;

    (void)state;
    setup(&t, &l);
    assert_int_equal(mcuboot_read(&t.app, 0).magic, MAGIC_UNSET);
    assert_true(mcuboot_set_confirmed(&t.app));
    rig_boot(&t.r);
    runs(&t, t.a, LEN_A);
    assert_int_equal(mcuboot_read(&t.app, 0).magic, MAGIC_UNSET);
    teardown(&t);
}

/* Our bootloader takes the place of MCUboot while a test image runs: the old one comes back. */
static void test_takes_over_a_test(void **state)
{
    static const uint8_t set[4] = { 1, 0xFF, 0xFF, 0xFF };
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c,
        0xb6, 0x79, 0x80 };
    const struct layout l = rig_layout_at25();

    (void)state;
    for (int confirmed = 0; confirmed < 2; confirmed++) {
        struct board t;
        rig_open(&t.r, &l);
        t.a = testimage_make(&t.r.key, &(struct testimage_options) { .major = 1, .seed = 1 }, LEN_A);
        t.b = testimage_make(&t.r.key, &(struct testimage_options) { .major = 2, .seed = 2 }, LEN_B);
        t.app = (struct mcuboot_app) { .dev = { &t.r.internal, &t.r.external },
            .off = { l.slot0.off, l.slot1.off }, .size = { l.slot0.size, l.slot1.size } };
        rig_load(&t.r, 0, 0, t.b, LEN_B);
        rig_load(&t.r, 1, 0, t.a, LEN_A);
        rig_load(&t.r, 0, l.slot0.size - 32, set, sizeof set);
        rig_load(&t.r, 0, l.slot0.size - 16, magic, sizeof magic);
        if (confirmed)
            rig_load(&t.r, 0, l.slot0.size - 24, set, sizeof set);
        rig_boot(&t.r);
        if (confirmed) {
            runs(&t, t.b, LEN_B);
            assert_int_equal(t.r.report.action, BOOT_ACTION_NONE);
        } else {
            runs(&t, t.a, LEN_A);
            assert_int_equal(t.r.report.action, BOOT_ACTION_REVERT);
        }
        rig_boot(&t.r);
        assert_int_equal(t.r.report.action, BOOT_ACTION_NONE);
        expect(&t, FLAG_SET, SWAP_TYPE_NONE);
        teardown(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revert),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_permanent),
        cmocka_unit_test(test_blank_trailer_is_confirmed),
        cmocka_unit_test(test_takes_over_a_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
