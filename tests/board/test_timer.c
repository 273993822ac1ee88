/* TIMER0 to TIMER4: modes, widths, prescaler, capture, compare, shortcuts. */
#include "tests/board/rig.h"

enum { START = 0, STOP = 4, COUNT = 8, CLEAR = 0xC, SHUTDOWN = 0x10, CAPTURE = 0x40, COMPARE = 0x140, SHORTS = 0x200,
    INTENSET = 0x304, MODE = 0x504, BITMODE = 0x508, PRESCALER = 0x510, CC = 0x540 };
enum { W16 = 0, W8 = 1, W24 = 2, W32 = 3 };

static const struct { uint32_t base; unsigned irq, channels; } timers[] = { { 0x40008000, 8, 4 }, { 0x40009000, 9, 4 },
    { 0x4000A000, 10, 4 }, { 0x4001A000, 26, 6 }, { 0x4001B000, 27, 6 } };
enum { TIMERS = 5, T = 0x40008000 };

static uint32_t count(uint32_t base)
{
    wr(base + CAPTURE + 12, 1);
    return rd(base + CC + 12);
}

static void counts_16_mhz_by_the_prescaler(void **state)
{
    (void)state;
    rig_start();
    for (unsigned i = 0; i < TIMERS; i++) {
        uint32_t b = timers[i].base;
        wr(b + BITMODE, W32);
        for (unsigned p = 0; p <= 9; p++) {
            wr(b + PRESCALER, p);
            wr(b + CLEAR, 1);
            wr(b + START, 1);
            us(1000);
            wr(b + STOP, 1);
            uint32_t want = 16000u >> p, got = count(b);
            assert_in_range(got, want, want + 16);
            us(1000);
            assert_int_equal(count(b), got); /* it stands */
        }
    }
}

static void widths(void **state)
{
    static const uint32_t bits[4] = { 16, 8, 24, 32 };
    (void)state;
    rig_start();
    for (unsigned w = 0; w < 4; w++) {
        wr(T + BITMODE, w);
        wr(T + PRESCALER, 0);
        wr(T + SHUTDOWN, 1);
        wr(T + START, 1);
        us(1100000); /* 17.6 million counts */
        wr(T + STOP, 1);
        uint64_t n = 17600000;
        uint32_t low = (uint32_t)(n & ((1ull << bits[w]) - 1)), got = count(T);
        assert_true(got - low < 16 || (w == W8 && got < 256));
    }
}

static void counter_mode(void **state)
{
    (void)state;
    for (uint32_t mode = 1; mode <= 2; mode++) { /* counter, low-power counter */
        rig_start();
        wr(T + MODE, mode);
        wr(T + CC, 3);
        wr(T + COUNT, 1); /* not started */
        wr(T + START, 1);
        us(100);
        assert_int_equal(count(T), 0);
        wr(T + COUNT, 1);
        wr(T + COUNT, 0);
        wr(T + COUNT, 1);
        assert_int_equal(count(T), 2);
        assert_int_equal(rd(T + COMPARE), 0);
        wr(T + COUNT, 1);
        assert_int_equal(rd(T + COMPARE), 1);
    }
}

static void compares_and_interrupts(void **state)
{
    (void)state;
    rig_start();
    for (unsigned i = 0; i < TIMERS; i++) {
        uint32_t b = timers[i].base;
        for (unsigned c = 0; c < timers[i].channels; c++)
            wr(b + CC + 4 * c, 1000 + 100 * c);
        wr(b + INTENSET, 1u << 17);
        irq_on(timers[i].irq);
        wr(b + START, 1); /* 1 MHz after reset */
        us(995);
        assert_int_equal(rd(b + COMPARE), 0);
        us(10);
        assert_int_equal(rd(b + COMPARE), 1);
        assert_int_equal(irqs(timers[i].irq), 0);
        us(100);
        assert_int_equal(rd(b + COMPARE + 4), 1);
        assert_int_equal(irqs(timers[i].irq), 1);
        us(500);
        for (unsigned c = 0; c < timers[i].channels; c++)
            assert_int_equal(rd(b + COMPARE + 4 * c), 1);
    }
}

static void shortcuts(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 6; c++) {
        uint32_t b = 0x4001A000;
        rig_start();
        wr(b + BITMODE, W32);
        wr(b + CC + 4 * c, 100);
        wr(b + SHORTS, 1u << c); /* clear */
        wr(b + START, 1);
        us(1050);
        wr(b + CAPTURE + 4 * ((c + 1) % 6), 1);
        assert_in_range(rd(b + CC + 4 * ((c + 1) % 6)), 48, 55);
        wr(b + SHORTS, 1u << c | 1u << (8 + c)); /* clear and stop */
        us(1000);
        wr(b + CAPTURE + 4 * ((c + 1) % 6), 1);
        assert_int_equal(rd(b + CC + 4 * ((c + 1) % 6)), 0);
        wr(b + SHORTS, 1u << (8 + c)); /* stop */
        wr(b + START, 1);
        us(1000);
        wr(b + CAPTURE + 4 * ((c + 1) % 6), 1);
        assert_int_equal(rd(b + CC + 4 * ((c + 1) % 6)), 100);
    }
}

static void clear_and_shutdown(void **state)
{
    (void)state;
    rig_start();
    wr(T + START, 1);
    us(100);
    wr(T + CLEAR, 1);
    us(10);
    assert_in_range(count(T), 10, 12); /* goes on from 0 */
    wr(T + STOP, 1);
    wr(T + START, 1);
    us(10);
    assert_in_range(count(T), 20, 24); /* from where it stood */
    wr(T + SHUTDOWN, 1);
    assert_int_equal(count(T), 0);
    us(10);
    assert_int_equal(count(T), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counts_16_mhz_by_the_prescaler, rig_stop),
        cmocka_unit_test_teardown(widths, rig_stop),
        cmocka_unit_test_teardown(counter_mode, rig_stop),
        cmocka_unit_test_teardown(compares_and_interrupts, rig_stop),
        cmocka_unit_test_teardown(shortcuts, rig_stop),
        cmocka_unit_test_teardown(clear_and_shutdown, rig_stop),
    };
    return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
