/* WDT: time-out, feeding every enabled reload register, locked configuration, sleep, resets. */
#include "tests/board/rig.h"

enum { WDT = 0x40010000, TIMEOUT = WDT + 0x100, INTENSET = WDT + 0x304, RUNSTATUS = WDT + 0x400, REQSTATUS = WDT + 0x404,
    CRV = WDT + 0x504, RREN = WDT + 0x508, CONFIG = WDT + 0x50C, RR = WDT + 0x600, KEY = 0x6E524635, RESETREAS = 0x40000400,
    DOG = 2 };

static bool was_reset(void)
{
    uint32_t r = rd(RESETREAS);
    wr(RESETREAS, r);
    return r & DOG;
}

static void start(uint32_t ms, uint32_t rren, uint32_t config)
{
    rig_start();
    wr(CRV, ms * 32768 / 1000 - 1);
    wr(RREN, rren);
    wr(CONFIG, config);
    wr(WDT, 1);
}

static void bites_at_its_time(void **state)
{
    (void)state;
    start(100, 1, 1);
    assert_int_equal(rd(RUNSTATUS), 1);
    us(99000);
    assert_false(was_reset());
    us(1200);
    assert_true(was_reset());
    assert_int_equal(rd(RUNSTATUS), 0); /* and is off again, its registers as after power-on */
    assert_int_equal(rd(CRV), 0xFFFFFFFF);
    us(500000);
    assert_false(was_reset());
}

static void all_enabled_have_to_be_fed(void **state)
{
    (void)state;
    start(10, 0x85, 1);
    assert_int_equal(rd(REQSTATUS), 0x85);
    for (unsigned i = 0; i < 5; i++) {
        us(8000);
        wr(RR + 0, KEY);
        wr(RR + 4 * 7, KEY);
        assert_int_equal(rd(REQSTATUS), 4);
        wr(RR + 4 * 2, KEY + 1); /* wrong */
        assert_int_equal(rd(REQSTATUS), 4);
        wr(RR + 4 * 1, KEY); /* not enabled */
        assert_int_equal(rd(REQSTATUS), 4);
        wr(RR + 4 * 2, KEY);
        assert_int_equal(rd(REQSTATUS), 0x85); /* reloaded */
    }
    assert_false(was_reset());
    us(9000);
    assert_false(was_reset());
    us(1500);
    assert_true(was_reset());
}

static void locked_once_started(void **state)
{
    (void)state;
    start(50, 1, 1);
    wr(CRV, 0xFFFFFFFF);
    wr(RREN, 0xFF);
    wr(CONFIG, 0);
    wr(WDT, 1);
    assert_int_equal(rd(CRV), 50 * 32768 / 1000 - 1);
    assert_int_equal(rd(RREN), 1);
    assert_int_equal(rd(CONFIG), 1);
    us(51000);
    assert_true(was_reset());
    rig_start();
    wr(CRV, 3); /* 15 is the least */
    assert_int_equal(rd(CRV), 15);
    wr(RREN, 0x3A5);
    assert_int_equal(rd(RREN), 0xA5);
    wr(CONFIG, 0xFF);
    assert_int_equal(rd(CONFIG), 9);
}

static void event_two_ticks_before(void **state)
{
    (void)state;
    start(10, 1, 1);
    wr(INTENSET, 1);
    irq_on(16);
    us(10000 - 300);
    assert_int_equal(irqs(16), 0);
    for (unsigned i = 0; i < 400 && !irqs(16); i++)
        us(1);
    assert_int_equal(irqs(16), 1);
    wr(RR, KEY); /* too late */
    assert_false(was_reset());
    us(70);
    assert_true(was_reset());
}

static void goes_on_over_a_soft_reset(void **state)
{
    (void)state;
    start(100, 3, 1);
    us(60000);
    wr(0xE000ED0C, 0x05FA0004);
    rig_settle();
    assert_int_equal(rd(RUNSTATUS), 1);
    assert_int_equal(rd(RREN), 3);
    wr(CRV, 1000000);
    us(20000);
    assert_false(was_reset());
    us(21000);
    assert_true(was_reset());
    start(100, 1, 1);
    board_reset_pin(rig);
    rig_settle();
    assert_int_equal(rd(RUNSTATUS), 0); /* a pin reset ends it */
}

/* CONFIG bit 0: whether it counts while the core sleeps. */
static void pauses_in_sleep_if_told(void **state)
{
    (void)state;
    start(100, 1, 0);
    sleep_us(500000);
    assert_false(was_reset());
    us(90000);
    assert_false(was_reset());
    us(12000);
    assert_true(was_reset());
    start(100, 1, 1);
    sleep_us(99000);
    assert_false(was_reset());
    sleep_us(5000);
    rig_settle();
    assert_true(was_reset());
}

static void switches_lfclk_on(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(0x40000418), 0);
    wr(WDT, 1);
    assert_int_equal(rd(0x40000418), 0x10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(bites_at_its_time, rig_stop),
        cmocka_unit_test_teardown(all_enabled_have_to_be_fed, rig_stop),
        cmocka_unit_test_teardown(locked_once_started, rig_stop),
        cmocka_unit_test_teardown(event_two_ticks_before, rig_stop),
        cmocka_unit_test_teardown(goes_on_over_a_soft_reset, rig_stop),
        cmocka_unit_test_teardown(pauses_in_sleep_if_told, rig_stop),
        cmocka_unit_test_teardown(switches_lfclk_on, rig_stop),
    };
    return cmocka_run_group_tests_name("wdt", tests, NULL, NULL);
}
