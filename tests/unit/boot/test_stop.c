/* What a boot does when a chip fails in one place: it stops, and goes on when the chip works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/boot/trailer.h"
#include "tests/support/rig.h"

enum { KIB = 1024, UNIT = 4096, LEN = 40 * KIB };

/* A chip that takes nothing in one unit, and whose reads of one range fail. */
struct sick {
    const struct flash_ops *ops;
    void *ctx;
    uint32_t dead_unit;
    uint32_t dark_from, dark_to;
};

static bool in_dead_unit(const struct sick *s, uint32_t off)
{
    return off >= s->dead_unit && off - s->dead_unit < UNIT;
}

static int sick_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct sick *s = ctx;
    return off < s->dark_to && off + len > s->dark_from ? ERR_IO : s->ops->read(s->ctx, off, buf, len);
}

static int sick_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct sick *s = ctx;
    return in_dead_unit(s, off) ? ERR_IO : s->ops->prog_start(s->ctx, off, data, len);
}

static int sick_erase(void *ctx, uint32_t off)
{
    struct sick *s = ctx;
    return in_dead_unit(s, off) ? ERR_IO : s->ops->erase_start(s->ctx, off);
}

static int sick_poll(void *ctx)
{
    struct sick *s = ctx;
    return s->ops->poll(s->ctx);
}

static int sick_probe(void *ctx, uint32_t *jedec)
{
    struct sick *s = ctx;
    return s->ops->probe(s->ctx, jedec);
}

static uint32_t sick_now(void *ctx)
{
    struct sick *s = ctx;
    return s->ops->now_ms(s->ctx);
}

static const struct flash_ops sick_ops = { .read = sick_read, .prog_start = sick_prog, .erase_start = sick_erase,
    .poll = sick_poll, .probe = sick_probe, .now_ms = sick_now };

struct board {
    struct rig r;
    struct sick sick;
    uint8_t *a, *b;
};

/* A runs, B lies in slot 1; `chip`'s driver goes through the sick one. */
static void setup(struct board *t, unsigned chip)
{
    const struct layout l = rig_layout_at25();

    rig_open(&t->r, &l);
    t->a = testimage_make(&t->r.key, &(struct testimage_options) { .major = 1, .seed = 1 }, LEN);
    t->b = testimage_make(&t->r.key, &(struct testimage_options) { .major = 2, .seed = 2 }, LEN);
    rig_load(&t->r, 0, 0, t->a, LEN);
    rig_boot(&t->r);
    rig_load(&t->r, 1, 0, t->b, LEN);
    struct flash_dev *dev = chip == 0 ? &t->r.internal : &t->r.external;
    t->sick = (struct sick) { .ops = dev->ops, .ctx = dev->ctx, .dead_unit = UINT32_MAX };
    dev->ops = &sick_ops;
    dev->ctx = &t->sick;
}

static void teardown(struct board *t)
{
    assert_int_equal(t->r.internal_chip.violations + t->r.external_chip.violations, 0);
    rig_close(&t->r);
    free(t->a);
    free(t->b);
}

static void request(struct board *t)
{
    struct flash_area s = store_slot(&t->r.store, 1);
    assert_int_equal(trailer_request(&s, UNIT, false), OK);
}

static bool reported(const struct board *t, unsigned reason)
{
    for (unsigned i = 0; i < t->r.report.findings; i++)
        if (t->r.report.finding[i].reason == reason)
            return true;
    return false;
}

/* What cannot be read is not broken: slot 0 is not replaced by what lies in slot 1. */
static void test_an_unreadable_primary_is_not_replaced(void **state)
{
    struct board t;

    (void)state;
    setup(&t, 0);
    const struct layout_part *p = &t.r.layout.slot0;
    t.sick.dark_from = p->off + 20 * KIB;
    t.sick.dark_to = p->off + 21 * KIB;
    rig_boot(&t.r);
    assert_int_equal(t.r.result.outcome, BOOT_RECOVERY);
    assert_true(reported(&t, REASON_INT_READ));
    assert_int_equal(t.r.external_chip.count.erases, 0);
    t.sick.dark_to = 0;
    rig_boot(&t.r);
    assert_int_equal(t.r.result.outcome, BOOT_START);
    assert_memory_equal(rig_slot(&t.r, 0), t.a, LEN);
    teardown(&t);
}

/* A request for an image that cannot be read is not refused: it is looked at again. */
static void test_an_unreadable_request_stands(void **state)
{
    struct board t;

    (void)state;
    setup(&t, 1);
    request(&t);
    t.sick.dark_from = 20 * KIB;
    t.sick.dark_to = 21 * KIB;
    rig_boot(&t.r);
    assert_int_equal(t.r.report.action, BOOT_ACTION_NONE);
    assert_true(reported(&t, REASON_EXT_READ));
    t.sick.dark_to = 0;
    rig_boot(&t.r);
    assert_int_equal(t.r.report.action, BOOT_ACTION_TEST);
    teardown(&t);
}

/* A revert whose chip fails does not confirm the image on trial: it is done when the chip works. */
static void test_a_revert_that_fails_is_tried_again(void **state)
{
    struct board t;

    (void)state;
    setup(&t, 1);
    request(&t);
    rig_boot(&t.r);
    assert_true(t.r.report.on_trial);
    t.sick.dead_unit = 0; /* S[0]: what the revert writes first */
    rig_boot(&t.r);
    assert_int_equal(t.r.result.outcome, BOOT_START);
    assert_true(t.r.report.swap_stopped);
    t.sick.dead_unit = UINT32_MAX;
    rig_boot(&t.r);
    assert_int_equal(t.r.report.action, BOOT_ACTION_RESUME);
    assert_memory_equal(rig_slot(&t.r, 0), t.a, LEN);
    teardown(&t);
}

/* An install that meets a broken unit before slot 0 is touched is given up for this boot, not for good. */
static void test_an_install_that_touched_nothing_is_given_up(void **state)
{
    struct board t;

    (void)state;
    setup(&t, 1);
    request(&t);
    t.sick.dead_unit = (LEN / UNIT + 1) * UNIT; /* where the old image's last unit goes */
    rig_boot(&t.r);
    assert_int_equal(t.r.result.outcome, BOOT_START);
    assert_true(reported(&t, REASON_SWAP_ABANDONED));
    assert_memory_equal(rig_slot(&t.r, 0), t.a, LEN);
    t.sick.dead_unit = UINT32_MAX;
    rig_boot(&t.r);
    assert_int_equal(t.r.report.action, BOOT_ACTION_TEST);
    assert_memory_equal(rig_slot(&t.r, 0), t.b, LEN);
    teardown(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_unreadable_primary_is_not_replaced),
        cmocka_unit_test(test_an_unreadable_request_stands),
        cmocka_unit_test(test_a_revert_that_fails_is_tried_again),
        cmocka_unit_test(test_an_install_that_touched_nothing_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
