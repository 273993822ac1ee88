/*
 * The shipped bootloader, on the virtual board named by the argument: starts, swaps, reverts, recovery,
 * external chips in every bad state, and the time that a swap takes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/boot/rig.h"

static const char *board;
static struct fw_rig rig;
static struct handover over;

static int open_rig(void **state)
{
    (void)state;
    rig_open(&rig, board, RIG_CHIP_OF_BOARD);
    return 0;
}

static int close_rig(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void expect_run(const char *text, double seconds)
{
    if (rig_run(&rig, text, seconds))
        return;
    print_error("\"%s\" was not said; what was:\n%s\n%s\n", text, rig.text, board_why(rig.b));
    fail();
}

static void power_up(void)
{
    rig_clear(&rig);
    board_power_on(rig.b);
}

static void expect_handover(void)
{
    assert_true(rig_handover(&rig, &over));
    assert_true(over.report.started);
}

/* The image is started with core and peripherals as a reset leaves them. */
static void test_starts(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    power_up();
    expect_run("app done", 3);
    assert_true(rig_said(&rig, "app one"));
    assert_true(rig_said(&rig, "core uart=00000000 masks=00000000 vtor=0000c200 systick=00000000 mpu=00000000"
                               " iser=00000000 ispr=00000000 cpacr=00000000 ccr=00000200 cfsr=00000000"
                               " qspi=00000000 uarte=00000100 ppi=00000000 nvmc=00000000 wdt=00000000"));
    expect_handover();
    assert_int_equal(over.report.action, BOOT_ACTION_NONE);
    assert_int_equal(over.report.slot[0].version.major, 1);
    assert_int_equal(over.fault.exception, 0);
}

/* An ordinary boot writes nothing; its phases are printed for docs/measurements.md. */
static void test_ordinary_boot(void **state)
{
    struct board_stats before, after;

    (void)state;
    rig_flash(&rig, "one");
    power_up();
    expect_run("app done", 3);
    board_get_stats(rig.b, &before);
    uint64_t reset = board_now(rig.b);
    power_up();
    expect_run("app one", 3);
    board_get_stats(rig.b, &after);
    assert_int_equal(after.internal.erases - before.internal.erases, 0);
    assert_int_equal(after.internal.programs - before.internal.programs, 0);
    assert_int_equal(after.external.erases + after.external.programs, before.external.erases + before.external.programs);
    expect_handover();
    print_message("ordinary boot of 24 KiB, %s: %.0f ms from reset, of which state %u, verify %u\n", board,
        rig_ms(rig.seen_at - reset), over.report.phase_ms[PHASE_STATE], over.report.phase_ms[PHASE_VERIFY]);
}

static void test_swap_and_confirm(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    rig_request(&rig, "two");
    power_up();
    expect_run("app done", 30);
    assert_true(rig_said(&rig, "app two"));
    expect_handover();
    assert_int_equal(over.report.action, BOOT_ACTION_TEST);
    assert_true(over.report.on_trial);
    assert_int_equal(over.report.gap, 2);
    power_up(); /* it has confirmed itself */
    expect_run("app done", 30);
    assert_true(rig_said(&rig, "app two"));
    expect_handover();
    assert_false(over.report.on_trial);
    assert_int_equal(over.report.action, BOOT_ACTION_NONE);
}

static void test_permanent(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    rig_request(&rig, "forever");
    for (int i = 0; i < 2; i++) {
        power_up();
        expect_run("app done", 30);
        assert_true(rig_said(&rig, "app forever"));
    }
}

static void test_revert(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    rig_request(&rig, "silent");
    power_up();
    expect_run("app done", 30);
    assert_true(rig_said(&rig, "app silent"));
    power_up();
    expect_run("app done", 30);
    assert_true(rig_said(&rig, "app one"));
    expect_handover();
    assert_int_equal(over.report.action, BOOT_ACTION_REVERT);
    assert_true(rig_found(&over, REASON_REVERTED));
    power_up();
    expect_run("app done", 30);
    assert_true(rig_said(&rig, "app one"));
}

/* An image on trial that asks for a watchdog (TLV 0x5AA1, 5 s) and hangs: nobody has to come. */
static void test_watchdog_of_a_trial(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    rig_request(&rig, "hang");
    power_up();
    expect_run("app hang", 30);
    uint64_t hung = rig.seen_at;
    expect_run("app one", 30);
    assert_true(rig_ms(rig.seen_at - hung) > 5000);
    expect_handover();
    assert_true(rig_found(&over, REASON_REVERTED));
    assert_int_equal(over.reset_reasons, 2);
}

/* What is started erases and programs the bootloader's pages: nothing of it happens, and the next start is like the first. */
static void test_intruder(void **state)
{
    static uint8_t boot[RIG_SLOT0];

    (void)state;
    memcpy(boot, board_flash(rig.b), sizeof boot);
    rig_flash(&rig, "intruder");
    power_up();
    for (int i = 0; i < 2; i++) {
        expect_run("app done", 3);
        rig_clear(&rig);
    }
    assert_memory_equal(board_flash(rig.b), boot, sizeof boot);
}

/* ---- recovery --------------------------------------------------------------------------------- */

static void test_no_image(void **state)
{
    (void)state;
    power_up();
    expect_run("@slw 66 ff 1 0 0", 3);
    assert_true(rig_said(&rig, "@slw 3b 0 14 0 0")); /* not_bootable: the slot is blank */
}

static void test_asked_for(void **state)
{
    /* OS reset with an empty map. */
    static const uint8_t request[] = "\x06\x09" "AAsKAAABAAABBaDXFw==\n";

    (void)state;
    rig_flash(&rig, "recover");
    power_up();
    expect_run("app done", 3);
    expect_run("@slw 66 ff 2 0 0\r\n", 3);
    board_uart_input(rig.b, 0, request, sizeof request - 1);
    expect_run("app done", 3); /* asked for once, not for ever */
}

static void test_pin(void **state)
{
    (void)state;
    rig_flash(&rig, "one");
    board_pin_input(rig.b, 11, false);
    power_up();
    expect_run("@slw 66 ff 3 0 0", 3);
    board_pin_input(rig.b, 11, true);
    power_up();
    expect_run("app done", 3);
}

static void test_recovery_answers(void **state)
{
    /* OS echo of "hi", as SMP over console has it: {"d": "hi"}. */
    static const uint8_t request[] = "\x06\x09" "ABAKAAAGAAABAKFhZGJoaaWv\n";

    (void)state;
    power_up();
    expect_run("@slw 66 ff 1 0 0\r\n", 3);
    rig_clear(&rig);
    board_uart_input(rig.b, 0, request, sizeof request - 1);
    expect_run("\n", 3);
    assert_memory_equal(rig.text, "\x06\x09", 2);
}

/* ---- external chips --------------------------------------------------------------------------- */

static void expect_good_primary_with(enum rig_chip chip, unsigned reason)
{
    rig_close(&rig);
    rig_open(&rig, board, chip);
    rig_flash(&rig, "one");
    power_up();
    expect_run("app done", 10);
    expect_handover();
    assert_true(rig_found(&over, reason));
}

static void test_chip_absent(void **state)
{
    (void)state;
    expect_good_primary_with(RIG_CHIP_NONE, REASON_EXT_ABSENT);
}

static void test_chip_of_another_kind(void **state)
{
    (void)state;
    expect_good_primary_with(RIG_CHIP_OTHER, REASON_EXT_ID);
}

static void test_chip_that_is_smaller(void **state)
{
    (void)state;
    expect_good_primary_with(RIG_CHIP_SMALLER, REASON_EXT_SIZE);
}

/* The image before left the chip in a state, reset the board, and the bootloader swaps all the same. */
static void expect_swap_after(const char *mischief)
{
    rig_flash(&rig, mischief);
    power_up();
    expect_run("app done", 10);
    rig_request(&rig, "two");
    expect_run("app done", 60);
    if (!rig_said(&rig, "app two")) {
        print_error("after %s:\n%s\n", mischief, rig.text);
        fail();
    }
    expect_handover();
}

static void test_chip_in_power_down(void **state)
{
    (void)state;
    expect_swap_after("power_down");
}

static void test_chip_that_is_erasing(void **state)
{
    (void)state;
    expect_swap_after("erasing");
}

static void test_chip_protected(void **state)
{
    (void)state;
    expect_swap_after("protected");
}

static void test_chip_with_quad_off(void **state)
{
    (void)state;
    expect_swap_after("quad_off");
}

static void test_chip_with_four_byte_addresses(void **state)
{
    (void)state;
    expect_swap_after("four_byte");
}

/* ---- time ------------------------------------------------------------------------------------- */

/*
 * From reset to the new image's first instruction, less verification and the digests, against the
 * floor: every unit of internal flash that has to change is erased and programmed once.
 */
static void test_swap_time(void **state)
{
    enum { UNITS = 100 + 1 + 2 };
    const double floor_ms = UNITS * (85 + 1024 * 0.041);
    struct board_stats before, after;

    (void)state;
    rig_flash(&rig, "large_one");
    power_up();
    expect_run("app done", 5);
    board_get_stats(rig.b, &before);
    rig_request(&rig, "large_two");
    power_up();
    uint64_t reset = board_now(rig.b);
    expect_run("app large_two", 60);
    board_get_stats(rig.b, &after);
    expect_handover();
    const uint32_t *ms = over.report.phase_ms;
    double all = rig_ms(rig.seen_at - reset), counted = all - ms[PHASE_VERIFY] - ms[PHASE_DIGEST];
    print_message("swap of 400 KiB for 400 KiB, %s: %.0f ms, without verification (%u) and digests (%u) %.0f ms, "
                  "%.3f of the floor; state %u, slide %u, close %u; internal busy %.0f ms, external %.0f, both %.0f\n",
        board, all, ms[PHASE_VERIFY], ms[PHASE_DIGEST], counted, counted / floor_ms, ms[PHASE_STATE], ms[PHASE_SLIDE],
        ms[PHASE_CLOSE], rig_ms(after.internal.busy_cycles - before.internal.busy_cycles),
        rig_ms(after.external.busy_cycles - before.external.busy_cycles),
        rig_ms(after.overlap_cycles - before.overlap_cycles));
    assert_true(counted <= 1.05 * floor_ms);
    assert_true(after.internal.erases - before.internal.erases <= UNITS);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_starts, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_ordinary_boot, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_swap_and_confirm, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_permanent, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_revert, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_watchdog_of_a_trial, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_intruder, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_no_image, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_asked_for, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_pin, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_recovery_answers, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_absent, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_of_another_kind, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_that_is_smaller, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_in_power_down, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_that_is_erasing, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_protected, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_with_quad_off, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_chip_with_four_byte_addresses, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(test_swap_time, open_rig, close_rig),
    };

    if (argc < 2) {
        fprintf(stderr, "usage: firmware_boot BOARD [TEST]\n");
        return 2;
    }
    board = argv[1];
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
