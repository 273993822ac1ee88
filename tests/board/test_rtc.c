/* RTC0 to RTC2: counting by LFCLK ticks, events only where enabled, tasks, prescaler, overflow. */
#include "tests/board/rig.h"

enum { START = 0, STOP = 4, CLEAR = 8, TRIGOVRFLW = 0xC, TICK = 0x100, OVRFLW = 0x104, COMPARE = 0x140, INTENSET = 0x304,
    INTENCLR = 0x308, EVTEN = 0x340, EVTENSET = 0x344, EVTENCLR = 0x348, COUNTER = 0x504, PRESCALER = 0x508, CC = 0x540 };
#define TICK_US (1e6 / 32768)

static const struct { uint32_t base; unsigned irq, channels; } rtcs[] = { { 0x4000B000, 11, 3 }, { 0x40011000, 17, 4 },
    { 0x40024000, 36, 4 } };

static void start_lfclk(void)
{
    rig_start();
    wr(0x40000008, 1);
    us(700);
}

static void counts_only_with_lfclk(void **state)
{
    (void)state;
    rig_start();
    wr(rtcs[1].base + START, 1);
    us(10000);
    assert_int_equal(rd(rtcs[1].base + COUNTER), 0);
    wr(0x40000008, 1);
    us(700 + 100 * TICK_US);
    uint32_t n = rd(rtcs[1].base + COUNTER);
    assert_in_range(n, 97, 105);
    wr(0x4000000C, 1); /* LFCLK off: it stands */
    us(1000);
    uint32_t m = rd(rtcs[1].base + COUNTER);
    us(1000);
    assert_int_equal(rd(rtcs[1].base + COUNTER), m);
}

static void start_stop_clear(void **state)
{
    (void)state;
    start_lfclk();
    for (unsigned i = 0; i < 3; i++) {
        uint32_t b = rtcs[i].base;
        wr(b + START, 1);
        us(1000 * TICK_US);
        assert_in_range(rd(b + COUNTER), 998, 1002);
        wr(b + STOP, 1);
        us(1000 * TICK_US);
        assert_in_range(rd(b + COUNTER), 998, 1003);
        wr(b + CLEAR, 1);
        assert_int_equal(rd(b + COUNTER), 0);
        wr(b + START, 1);
        us(10 * TICK_US);
        assert_in_range(rd(b + COUNTER), 8, 12);
    }
}

static void prescaler_while_stopped_only(void **state)
{
    uint32_t b = rtcs[0].base;
    (void)state;
    start_lfclk();
    wr(b + PRESCALER, 7);
    wr(b + START, 1);
    wr(b + PRESCALER, 99);
    assert_int_equal(rd(b + PRESCALER), 7);
    us(800 * TICK_US);
    assert_in_range(rd(b + COUNTER), 99, 101);
    wr(b + STOP, 1);
    wr(b + PRESCALER, 0xFFF);
    assert_int_equal(rd(b + PRESCALER), 0xFFF);
}

static void events_only_if_enabled(void **state)
{
    (void)state;
    start_lfclk();
    for (unsigned i = 0; i < 3; i++) {
        uint32_t b = rtcs[i].base;
        for (unsigned c = 0; c < rtcs[i].channels; c++)
            wr(b + CC + 4 * c, 20 + 10 * c);
        wr(b + EVTENSET, 1u << 17); /* only channel 1 */
        assert_int_equal(rd(b + EVTEN), 1u << 17);
        assert_int_equal(rd(b + EVTENSET), 1u << 17);
        wr(b + START, 1);
        double t = until_event(b + COMPARE + 4, 100 * TICK_US);
        assert_true(t > 28 * TICK_US && t < 32 * TICK_US);
        us(100 * TICK_US);
        assert_int_equal(rd(b + COMPARE), 0);
        assert_int_equal(rd(b + COMPARE + 8), 0);
        assert_int_equal(rd(b + TICK), 0);
        wr(b + EVTENCLR, 1u << 17);
        assert_int_equal(rd(b + EVTEN), 0);
        wr(b + EVTEN, 0xF0003);
        assert_int_equal(rd(b + EVTENCLR), 0xF0003);
        us(3 * TICK_US);
        assert_int_equal(rd(b + TICK), 1);
        wr(b + EVTEN, 0);
    }
}

static void interrupts_and_all_channels(void **state)
{
    (void)state;
    start_lfclk();
    for (unsigned i = 0; i < 3; i++) {
        uint32_t b = rtcs[i].base;
        wr(b + START, 1);
        for (unsigned c = 0; c < rtcs[i].channels; c++) {
            unsigned before = irqs(rtcs[i].irq);
            wr(b + INTENCLR, 0xFFFFFFFF);
            wr(b + CC + 4 * c, rd(b + COUNTER) + 5);
            wr(b + COMPARE + 4 * c, 0);
            wr(b + INTENSET, 1u << (16 + c));
            irq_on(rtcs[i].irq);
            us(3.9 * TICK_US);
            assert_int_equal(irqs(rtcs[i].irq), before);
            us(3 * TICK_US);
            assert_int_equal(irqs(rtcs[i].irq), before + 1);
            assert_int_equal(rd(b + COMPARE + 4 * c), 1);
        }
    }
}

/* A compare value that has passed comes round only after 2^24 counts. */
static void overflow(void **state)
{
    uint32_t b = rtcs[2].base;
    (void)state;
    start_lfclk();
    wr(b + EVTENSET, 1u << 1 | 1u << 16);
    wr(b + START, 1);
    us(10 * TICK_US);
    wr(b + CC, 3);
    wr(b + TRIGOVRFLW, 1);
    assert_in_range(rd(b + COUNTER), 0xFFFFEF, 0xFFFFF1);
    double t = until_event(b + OVRFLW, 30 * TICK_US);
    assert_true(t > 14 * TICK_US && t < 17 * TICK_US);
    assert_int_equal(rd(b + COMPARE), 0);
    us(5 * TICK_US);
    assert_int_equal(rd(b + COMPARE), 1);
    wr(b + COMPARE, 0);
    wr(b + CC, 1); /* passed */
    us(500e6);
    assert_int_equal(rd(b + COMPARE), 0);
    us(13e6); /* 512 s */
    assert_int_equal(rd(b + COMPARE), 1);
}

/* It goes on in sleep and wakes the core. */
static void wakes_from_sleep(void **state)
{
    uint32_t b = rtcs[0].base;
    (void)state;
    start_lfclk();
    wr(b + CC, 32768);
    wr(b + INTENSET, 1u << 16);
    irq_on(11);
    wr(b + START, 1);
    double t = now_us();
    sleep_us(2e6);
    assert_int_equal(irqs(11), 1);
    assert_true(now_us() - t >= 2e6);
    assert_in_range(rd(b + COUNTER), 65534, 65540);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(counts_only_with_lfclk, rig_stop),
        cmocka_unit_test_teardown(start_stop_clear, rig_stop),
        cmocka_unit_test_teardown(prescaler_while_stopped_only, rig_stop),
        cmocka_unit_test_teardown(events_only_if_enabled, rig_stop),
        cmocka_unit_test_teardown(interrupts_and_all_channels, rig_stop),
        cmocka_unit_test_teardown(overflow, rig_stop),
        cmocka_unit_test_teardown(wakes_from_sleep, rig_stop),
    };
    return cmocka_run_group_tests_name("rtc", tests, NULL, NULL);
}
