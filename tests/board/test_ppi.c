/* PPI: programmable and fixed channels, forks, groups. Events and tasks of EGU, TIMER and RTC stand in. */
#include "tests/board/rig.h"

enum { PPI = 0x4001F000, CHEN = PPI + 0x500, CHENSET = PPI + 0x504, CHENCLR = PPI + 0x508, EEP = PPI + 0x510, TEP = PPI + 0x514,
    CHG = PPI + 0x800, FORK = PPI + 0x910, EGU0 = 0x40014000, EGU1 = 0x40015000, TIMER0 = 0x40008000, RTC0 = 0x4000B000 };

static void twenty_channels(void **state)
{
    (void)state;
    rig_start();
    for (uint32_t c = 0; c < 20; c++) {
        uint32_t event = EGU0 + 0x100 + 4 * (c % 16), task = EGU1 + 4 * (c % 16), result = EGU1 + 0x100 + 4 * (c % 16);
        wr(EEP + 8 * c, event);
        wr(TEP + 8 * c, task);
        wr(EGU0 + 4 * (c % 16), 1);
        assert_int_equal(rd(result), 0); /* not enabled */
        wr(CHENSET, 1u << c);
        assert_int_equal(rd(CHEN), 1u << c);
        assert_int_equal(rd(CHENSET), 1u << c);
        wr(EGU0 + 4 * (c % 16), 1);
        assert_int_equal(rd(result), 1);
        wr(result, 0);
        wr(CHENCLR, 1u << c);
        assert_int_equal(rd(CHENCLR), 0);
        wr(EGU0 + 4 * (c % 16), 1);
        assert_int_equal(rd(result), 0);
    }
}

/* Writing an event register by hand is no event. */
static void only_real_events(void **state)
{
    (void)state;
    rig_start();
    wr(EEP, EGU0 + 0x100);
    wr(TEP, EGU1);
    wr(CHEN, 1);
    wr(EGU0 + 0x100, 1);
    assert_int_equal(rd(EGU1 + 0x100), 0);
}

static void forks(void **state)
{
    (void)state;
    rig_start();
    wr(EEP + 8 * 3, EGU0 + 0x100);
    wr(FORK + 4 * 3, EGU1 + 4); /* no TEP: the fork alone */
    wr(CHENSET, 1u << 3);
    wr(EGU0, 1);
    assert_int_equal(rd(EGU1 + 0x104), 1);
    wr(TEP + 8 * 3, EGU1);
    wr(EGU0, 1);
    assert_int_equal(rd(EGU1 + 0x100), 1);
}

static void groups(void **state)
{
    (void)state;
    rig_start();
    for (uint32_t g = 0; g < 6; g++) {
        wr(CHEN, 1);
        wr(CHG + 4 * g, 0x30000006u << (g % 2));
        wr(PPI + 8 * g, 1);
        assert_int_equal(rd(CHEN), (0x30000006u << (g % 2)) | 1);
        wr(PPI + 8 * g + 4, 1);
        assert_int_equal(rd(CHEN), 1);
    }
    wr(CHG, 2); /* a channel may switch a group */
    wr(EEP, EGU0 + 0x100);
    wr(TEP, PPI + 0);
    wr(CHEN, 1);
    wr(EGU0, 1);
    assert_int_equal(rd(CHEN), 3);
}

/* Channels 30 and 31: RTC0.COMPARE0 clears and starts TIMER0; the radio's have nothing to reach. */
static void fixed_channels(void **state)
{
    (void)state;
    rig_start();
    wr(0x40000008, 1);
    us(700);
    wr(RTC0 + 0x540, 10);
    wr(RTC0 + 0x344, 1u << 16);
    wr(CHENSET, 1u << 31);
    wr(RTC0, 1);
    us(400);
    wr(TIMER0 + 0x40, 1);
    uint32_t n = rd(TIMER0 + 0x540);
    assert_in_range(n, 60, 110); /* started by it at 305 us */
    wr(RTC0 + 8, 1);
    wr(CHENSET, 1u << 30);
    us(320);
    wr(TIMER0 + 0x40, 1);
    assert_true(rd(TIMER0 + 0x540) < 60); /* cleared by it */
    assert_int_equal(unmodelled_count(), 0);
    wr(CHENSET, 1u << 20); /* TIMER0.COMPARE0 to RADIO.TXEN */
    wr(TIMER0 + 0x540, 5);
    wr(TIMER0 + 0xC, 1);
    us(20);
    assert_string_equal(board_unmodelled(rig, 0), "RADIO+0x000 (0x40001000)");
}

/* TIMER0.COMPARE1 captures another timer at the very same moment. */
static void no_software_in_between(void **state)
{
    (void)state;
    rig_start();
    wr(0x40009000 + 0x510, 0); /* TIMER1 at 16 MHz, 32 bits */
    wr(0x40009000 + 0x508, 3);
    wr(TIMER0 + 0x544, 500);
    wr(EEP, TIMER0 + 0x144);
    wr(TEP, 0x40009000 + 0x44);
    wr(FORK, TIMER0 + 4);
    wr(CHEN, 1);
    wr(0x40009000, 1);
    double t = now_us();
    wr(TIMER0, 1);
    double between = now_us() - t;
    us(2000);
    assert_in_range(rd(0x40009000 + 0x544), 500 * 16, 500 * 16 + 16 * (uint32_t)(between + 1));
    wr(TIMER0 + 0x40, 1);
    assert_int_equal(rd(TIMER0 + 0x540), 500); /* the fork stopped it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(twenty_channels, rig_stop),
        cmocka_unit_test_teardown(only_real_events, rig_stop),
        cmocka_unit_test_teardown(forks, rig_stop),
        cmocka_unit_test_teardown(groups, rig_stop),
        cmocka_unit_test_teardown(fixed_channels, rig_stop),
        cmocka_unit_test_teardown(no_software_in_between, rig_stop),
    };
    return cmocka_run_group_tests_name("ppi", tests, NULL, NULL);
}
