/* A board in a process, without links: single frames in and out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/board/board_sim.h"
#include "tests/support/rig.h"

enum { IMAGE_LEN = 20000 };

struct bench {
    struct layout layout;
    struct testkey key;
    struct image_keys keys;
    struct board_config cfg;
    struct board_sim *board;
    unsigned boots, cuts;
};

static void booted(void *ctx, const struct board_boot *boot)
{
    assert_non_null(boot->report);
    ((struct bench *)ctx)->boots++;
}

static void cut(void *ctx)
{
    ((struct bench *)ctx)->cuts++;
}

static struct bench *open_bench(void **state, bool self_confirm)
{
    struct bench *b = calloc(1, sizeof *b);
    char text[256];
    int rc;

    *state = b;
    b->layout = rig_layout_at25();
    testkey_make(&b->key);
    b->keys = (struct image_keys) { &b->key.key, 1 };
    b->cfg = (struct board_config) { .layout = &b->layout, .keys = &b->keys, .seed = 1,
        .self_confirm = self_confirm, .booted = booted, .cut = cut, .ctx = b };
    b->board = board_sim_open(&b->cfg, &rc, text, sizeof text);
    assert_non_null(b->board);
    return b;
}

static int close_bench(void **state)
{
    struct bench *b = (struct bench *)*state;

    board_sim_close(b->board);
    testkey_free(&b->key);
    free(b);
    return 0;
}

static void flash(struct bench *b, unsigned slot, uint8_t major)
{
    struct testimage_options o = { .major = major, .build = 7, .seed = major };
    uint8_t *image = testimage_make(&b->key, &o, IMAGE_LEN);

    assert_int_equal(board_sim_flash(b->board, slot, image, IMAGE_LEN), OK);
    assert_int_equal(board_sim_flash(b->board, slot, image, IMAGE_LEN), ERR_BADSTATE);
    free(image);
}

/* MCUboot's request for a test, as a debug probe would put it there. */
static void ask_for_test(struct bench *b)
{
    static const uint8_t magic[] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50,
        0x0f, 0x2c, 0xb6, 0x79, 0x80 };

    nor_load(board_sim_chip(b->board, 1), b->layout.slot1.off + b->layout.slot1.size - 16, magic, 16);
}

static void expect(struct bench *b, enum boot_action action, const char *running)
{
    const struct board_boot *last = board_sim_last(b->board);

    if (last->report->action != action || strcmp(last->running, running) != 0)
        fail_msg("%s, %s", boot_action_name(last->report->action), last->running);
}

static void test_runs_what_lies_in_slot_0(void **state)
{
    struct bench *b = open_bench(state, false);

    board_sim_power_on(b->board);
    expect(b, BOOT_ACTION_NONE, "none");
    assert_true(board_sim_last(b->board)->recovery);
    assert_string_equal(board_sim_last(b->board)->reason, "no_image");
    flash(b, 0, 3);
    board_sim_reset(b->board, false);
    expect(b, BOOT_ACTION_NONE, "3.0.0+7");
    assert_int_equal(b->boots, 2);
}

static void test_swap_is_counted_and_timed(void **state)
{
    struct bench *b = open_bench(state, false);

    flash(b, 0, 1);
    board_sim_power_on(b->board);
    flash(b, 1, 2);
    ask_for_test(b);
    board_sim_reset(b->board, false);
    expect(b, BOOT_ACTION_TEST, "2.0.0+7");
    const struct board_boot *last = board_sim_last(b->board);
    assert_in_range(last->internal.erases, 5, 5 + 3);
    assert_in_range(last->external.erases, 5, 5 + 3);
    assert_in_range(last->elapsed_us, last->internal.busy_us,
        last->internal.busy_us + last->external.busy_us - 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(nor_max_erases(board_sim_chip(b->board, i), 0, 1 << 20), 1);
        assert_int_equal(board_sim_chip(b->board, i)->violations, 0);
    }
    board_sim_reset(b->board, false);
    expect(b, BOOT_ACTION_REVERT, "1.0.0+7");
    board_sim_reset(b->board, false);
    expect(b, BOOT_ACTION_NONE, "1.0.0+7");
    assert_int_equal(last->internal.busy_us + last->external.busy_us + last->elapsed_us, 0);
}

static void test_self_confirm(void **state)
{
    struct bench *b = open_bench(state, true);

    flash(b, 0, 1);
    board_sim_power_on(b->board);
    flash(b, 1, 2);
    ask_for_test(b);
    for (int i = 0; i < 3; i++) {
        board_sim_reset(b->board, false);
        expect(b, i == 0 ? BOOT_ACTION_TEST : BOOT_ACTION_NONE, "2.0.0+7");
    }
}

static void test_frames(void **state)
{
    static const uint8_t echo[] = "\x0a\x00\x00\x06\x00\x00\x42\x00\xa1\x61\x64\x62hi";
    static const uint8_t reset[] = "\x0a\x00\x00\x01\x00\x00\x43\x05\xa0";
    struct bench *b = open_bench(state, false);
    uint8_t answer[256];

    flash(b, 0, 1);
    board_sim_power_on(b->board);
    int n = board_sim_exchange(b->board, echo, sizeof echo - 1, answer, sizeof answer);
    assert_in_range(n, 13, 15);
    assert_memory_equal(answer, "\x0b\x00", 2);
    assert_int_equal(answer[6], 0x42);
    assert_int_equal(board_sim_exchange(b->board, echo, 3, answer, sizeof answer), ERR_TIMEOUT);
    assert_false(board_sim_reset_if_asked(b->board));
    assert_true(board_sim_exchange(b->board, reset, sizeof reset - 1, answer, sizeof answer) > 0);
    assert_int_equal(b->boots, 1);
    assert_true(board_sim_reset_if_asked(b->board));
    assert_int_equal(b->boots, 2);
}

/* Power fails in a boot, returns, and the swap is continued. */
static void test_cut_and_power_on(void **state)
{
    struct bench *b = open_bench(state, false);
    struct sim_power *power = board_sim_power(b->board);

    flash(b, 0, 1);
    board_sim_power_on(b->board);
    flash(b, 1, 2);
    ask_for_test(b);
    sim_power_cut_at(power, power->ops + 60, SIM_TEAR_WEAK);
    board_sim_reset(b->board, false);
    assert_int_equal(b->cuts, 1);
    assert_true(power->off);
    power->cut_at = 0;
    board_sim_power_on(b->board);
    expect(b, BOOT_ACTION_RESUME, "2.0.0+7");
}

#define T(f) cmocka_unit_test_teardown(f, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_runs_what_lies_in_slot_0),
        T(test_swap_is_counted_and_timed),
        T(test_self_confirm),
        T(test_frames),
        T(test_cut_and_power_on),
    };
    return cmocka_run_group_tests_name("board_sim", tests, NULL, NULL);
}
