/*
 * Firmware that waits for RADIO or CryptoCell while a tick runs is ended and told what it waits for; firmware
 * that has touched them and works goes on. test_wait WAIT.hex; the firmware is fw/wait.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/board/rig.h"

static const char *hexfile;
static size_t said;

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    (void)ctx;
    (void)uart;
    (void)data;
    said += len;
}

static void start(char mode)
{
    static char text[1 << 16];
    char err[256];
    const struct board_config config = { .seed = 5 };
    FILE *f = fopen(hexfile, "rb");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        fclose(f);
    board_free(rig);
    rig = board_new(&config);
    assert_non_null(rig);
    assert_int_equal(board_load_hex(rig, text, n, err, sizeof err), 0);
    memset(board_flash(rig) + 0xF0000, 0, 4);
    board_flash(rig)[0xF0000] = (uint8_t)mode;
    said = 0;
    board_on_uart(rig, on_uart, NULL);
    board_power_on(rig);
}

static enum board_stop run_for(double seconds)
{
    return board_run(rig, (uint64_t)(seconds * BOARD_CYCLES_PER_S));
}

static double ended(void)
{
    return (double)board_now(rig) / BOARD_CYCLES_PER_S;
}

static void expect_end(char mode, double from, double to, const char *name)
{
    start(mode);
    enum board_stop stop = run_for(60);
    if (stop != BOARD_WAITS_UNMODELLED || ended() < from || ended() > to || !strstr(board_why(rig), name))
        fail_msg("%c: stop %d at %.3f s: %s", mode, (int)stop, ended(), board_why(rig));
}

static void waits(void **state)
{
    (void)state;
    expect_end('i', 10, 10.5, "interrupt of RADIO, which is not modelled");
    expect_end('l', 10, 10.5, "interrupt of RADIO, which is not modelled");
    expect_end('e', 10, 10.5, "RADIO");
    expect_end('p', 1, 1.5, "RADIO (0x40001110), which is not modelled");
    expect_end('k', 10, 10.5, "interrupt of CRYPTOCELL, which is not modelled");
}

static void expect_work(char mode, double seconds, size_t least)
{
    start(mode);
    enum board_stop stop = run_for(seconds);
    if (stop != BOARD_RUNS || said < least || board_waits(rig))
        fail_msg("%c: stop %d at %.3f s, %zu bytes said: %s", mode, (int)stop, ended(), said, board_why(rig));
}

static void works(void **state)
{
    (void)state;
    expect_work('7', 65, 6 * 9);
    expect_work('a', 65, 6 * 4);
    expect_work('b', 40, 0);
    expect_work('t', 40, 0);
    expect_work('o', 40, 0);
}

/* A loop that waits for a flag, and one that computes, both with nothing to be seen from outside. */
static void loops(void **state)
{
    (void)state;
    start('s');
    assert_int_equal(run_for(1.6), BOARD_RUNS);
    assert_true(board_waits(rig));
    start('c');
    assert_int_equal(run_for(1.6), BOARD_RUNS);
    assert_false(board_waits(rig));
    assert_int_equal(run_for(2.2), BOARD_RUNS);
    assert_int_equal(said, 14);
}

/* A run shorter than that is judged at its end. */
static void short_run(void **state)
{
    (void)state;
    start('i');
    assert_int_equal(run_for(4), BOARD_RUNS);
    assert_true(board_waits(rig));
    assert_non_null(strstr(board_why(rig), "RADIO"));
    start('i');
    assert_int_equal(run_for(1), BOARD_RUNS);
    assert_false(board_waits(rig)); /* too short to tell */
    start('7');
    assert_int_equal(run_for(12), BOARD_RUNS); /* it spoke at 7 s */
    assert_false(board_waits(rig));
}

/* Somebody may still type: it goes on. */
static void with_a_person(void **state)
{
    (void)state;
    start('i');
    board_expect_input(rig, true);
    assert_int_equal(run_for(40), BOARD_RUNS);
    board_expect_input(rig, false);
    assert_int_equal(run_for(41), BOARD_WAITS_UNMODELLED);
}

/* In pieces, and from a snapshot in the middle, it ends at the same moment. */
static void in_pieces(void **state)
{
    (void)state;
    start('i');
    (void)run_for(60);
    uint64_t at = board_now(rig);
    start('i');
    void *snapshot = malloc(board_snapshot_size(rig));
    assert_non_null(snapshot);
    enum board_stop stop = BOARD_RUNS;
    for (double t = 0.05; stop == BOARD_RUNS; t += 0.05) {
        stop = run_for(t);
        if (t > 5 && t < 5.05) {
            board_snapshot(rig, snapshot);
            (void)run_for(6);
            board_restore(rig, snapshot);
        }
    }
    free(snapshot);
    assert_int_equal(stop, BOARD_WAITS_UNMODELLED);
    assert_int_equal(board_now(rig), at);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(waits, rig_stop),
        cmocka_unit_test_teardown(works, rig_stop),
        cmocka_unit_test_teardown(loops, rig_stop),
        cmocka_unit_test_teardown(short_run, rig_stop),
        cmocka_unit_test_teardown(with_a_person, rig_stop),
        cmocka_unit_test_teardown(in_pieces, rig_stop),
    };
    if (argc != 2)
        return 2;
    hexfile = argv[1];
    return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
