/* GPIO P0, P1 and GPIOTE: directions, pulls, sense and latch, events, tasks. */
#include "tests/board/rig.h"

enum { P0 = 0x50000000, P1 = 0x50000300, OUT = 0x504, OUTSET = 0x508, OUTCLR = 0x50C, IN = 0x510, DIR = 0x514, DIRSET = 0x518,
    DIRCLR = 0x51C, LATCH = 0x520, PIN_CNF = 0x700, TE = 0x40006000, TE_SET = TE + 0x30, TE_CLR = TE + 0x60,
    TE_IN = TE + 0x100, TE_PORT = TE + 0x17C, TE_CONFIG = TE + 0x510, CONNECT = 0 };

static uint32_t cnf(unsigned pin)
{
    return pin < 32 ? P0 + PIN_CNF + 4 * pin : P1 + PIN_CNF + 4 * (pin - 32);
}

static uint32_t in(unsigned pin)
{
    return rd((pin < 32 ? P0 : P1) + IN) >> (pin % 32) & 1u;
}

static void outputs(void **state)
{
    (void)state;
    rig_start();
    for (unsigned port = 0; port < 2; port++) {
        uint32_t b = port ? P1 : P0, all = port ? 0xFFFF : 0xFFFFFFFF;
        wr(b + DIRSET, 0xFFFFFFFF);
        assert_int_equal(rd(b + DIR), all);
        wr(b + DIRCLR, 0xF0);
        assert_int_equal(rd(b + DIR), all & ~0xF0u);
        assert_int_equal(rd(b + DIRSET), all & ~0xF0u);
        assert_int_equal(rd(cnf(port * 32 + 4)) & 1u, 0); /* the same bit */
        wr(cnf(port * 32 + 4), 3);
        assert_int_equal(rd(b + DIR), all & ~0xE0u);
        wr(b + OUT, 0x5555);
        wr(b + OUTSET, 0xA);
        wr(b + OUTCLR, 0x5);
        assert_int_equal(rd(b + OUT), 0x555A);
        assert_int_equal(rd(b + OUTSET), 0x555A);
        assert_int_equal(rd(b + OUTCLR), 0x555A);
        assert_true(board_pin_output(rig, port * 32 + 1));
        assert_false(board_pin_output(rig, port * 32));
        assert_false(board_pin_output(rig, port * 32 + 6)); /* its OUT is 1, but it is an input */
        wr(b + DIR, 0);
        assert_int_equal(rd(cnf(port * 32 + 4)), 2);
    }
}

static void inputs_and_pulls(void **state)
{
    static const unsigned pins[] = { 0, 13, 31, 32, 47 };
    (void)state;
    rig_start();
    for (unsigned i = 0; i < sizeof pins / sizeof pins[0]; i++) {
        unsigned p = pins[i];
        board_pin_input(rig, p, true);
        assert_int_equal(in(p), 0); /* the buffer is not connected after reset */
        wr(cnf(p), 0);
        assert_int_equal(in(p), 1);
        board_pin_input(rig, p, false);
        wr(cnf(p), 3u << 2);
        assert_int_equal(in(p), 0); /* stronger than the pull-up */
        wr(cnf(p), 1);
        wr((p < 32 ? P0 : P1) + OUTSET, 1u << (p % 32));
        assert_int_equal(in(p), 1); /* an output is read back, too */
    }
    wr(cnf(20), 3u << 2);
    assert_int_equal(in(20), 1); /* open, pulled up */
    wr(cnf(20), 1u << 2);
    assert_int_equal(in(20), 0);
}

static void sense_latch_and_port_event(void **state)
{
    (void)state;
    rig_start();
    wr(TE + 0x304, 1u << 31);
    irq_on(6);
    wr(cnf(7), 2u << 16); /* sense high */
    wr(cnf(40), 3u << 16 | 3u << 2); /* sense low, pulled up */
    assert_int_equal(rd(TE_PORT), 0);
    board_pin_input(rig, 7, true);
    us(1);
    assert_int_equal(rd(TE_PORT), 1);
    assert_int_equal(irqs(6), 1);
    assert_int_equal(rd(P0 + LATCH), 1u << 7);
    wr(TE_PORT, 0);
    board_pin_input(rig, 40, false); /* another one: DETECT stays up, no new event */
    us(1);
    assert_int_equal(rd(P1 + LATCH), 1u << 8);
    assert_int_equal(rd(TE_PORT), 0);
    wr(P0 + LATCH, 1u << 7); /* comes back as long as the condition holds */
    us(1);
    board_pin_input(rig, 7, false);
    board_pin_input(rig, 40, true);
    wr(P0 + LATCH, 0xFFFFFFFF);
    wr(P1 + LATCH, 0xFFFFFFFF);
    assert_int_equal(rd(P0 + LATCH), 0);
    assert_int_equal(rd(P1 + LATCH), 0);
    wr(TE_PORT, 0);
    board_pin_input(rig, 40, false);
    us(1);
    assert_int_equal(rd(TE_PORT), 1);
}

static void gpiote_events(void **state)
{
    (void)state;
    rig_start();
    for (unsigned ch = 0; ch < 8; ch++) {
        unsigned pin = ch < 4 ? ch + 3 : ch + 32;
        uint32_t where = (pin & 31u) << 8 | (pin >> 5) << 13, ev = TE_IN + 4 * ch;
        board_pin_input(rig, pin, false);
        wr(cnf(pin), 0);
        for (uint32_t pol = 1; pol <= 3; pol++) {
            wr(TE_CONFIG + 4 * ch, 1 | where | pol << 16);
            board_pin_input(rig, pin, true);
            us(1);
            assert_int_equal(rd(ev), pol != 2);
            wr(ev, 0);
            board_pin_input(rig, pin, false);
            us(1);
            assert_int_equal(rd(ev), pol != 1);
            wr(ev, 0);
        }
        wr(TE_CONFIG + 4 * ch, 0);
        board_pin_input(rig, pin, true);
        us(1);
        assert_int_equal(rd(ev), 0);
    }
}

static void gpiote_tasks(void **state)
{
    (void)state;
    rig_start();
    for (unsigned ch = 0; ch < 8; ch++) {
        unsigned pin = ch < 4 ? ch + 3 : ch + 32;
        uint32_t where = (pin & 31u) << 8 | (pin >> 5) << 13;
        wr(TE_CONFIG + 4 * ch, 3 | where | 3u << 16 | 1u << 20); /* toggle, starts high */
        assert_true(board_pin_output(rig, pin));
        wr(TE + 4 * ch, 1);
        assert_false(board_pin_output(rig, pin));
        wr(TE + 4 * ch, 1);
        assert_true(board_pin_output(rig, pin));
        wr(TE_CLR + 4 * ch, 1);
        assert_false(board_pin_output(rig, pin));
        wr(TE_SET + 4 * ch, 1);
        assert_true(board_pin_output(rig, pin));
        wr(TE_CONFIG + 4 * ch, 3 | where | 2u << 16); /* OUT means low */
        wr(TE_SET + 4 * ch, 1);
        wr(TE + 4 * ch, 1);
        assert_false(board_pin_output(rig, pin));
        wr(TE_CONFIG + 4 * ch, 3 | where | 1u << 16);
        wr(TE + 4 * ch, 1);
        assert_true(board_pin_output(rig, pin));
        wr((pin < 32 ? P0 : P1) + DIRSET, 1u << (pin % 32)); /* owned by GPIOTE: OUT does nothing */
        wr((pin < 32 ? P0 : P1) + OUTCLR, 1u << (pin % 32));
        assert_true(board_pin_output(rig, pin));
        wr(TE_CONFIG + 4 * ch, 0);
        assert_false(board_pin_output(rig, pin));
        wr(TE_SET + 4 * ch, 1);
        assert_false(board_pin_output(rig, pin));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(outputs, rig_stop),
        cmocka_unit_test_teardown(inputs_and_pulls, rig_stop),
        cmocka_unit_test_teardown(sense_latch_and_port_event, rig_stop),
        cmocka_unit_test_teardown(gpiote_events, rig_stop),
        cmocka_unit_test_teardown(gpiote_tasks, rig_stop),
    };
    return cmocka_run_group_tests_name("gpio", tests, NULL, NULL);
}
