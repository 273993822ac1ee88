/* SAADC: what it measures, when, and where the results go. */
#include "tests/board/rig.h"

enum {
    SAADC = 0x40007000,
    START = SAADC,
    SAMPLE = SAADC + 4,
    STOP = SAADC + 8,
    CALIBRATE = SAADC + 0xC,
    STARTED = SAADC + 0x100,
    END = SAADC + 0x104,
    DONE = SAADC + 0x108,
    RESULTDONE = SAADC + 0x10C,
    CALIBRATEDONE = SAADC + 0x110,
    STOPPED = SAADC + 0x114,
    LIMITH = SAADC + 0x118,
    LIMITL = SAADC + 0x11C,
    INTENSET = SAADC + 0x304,
    STATUS = SAADC + 0x400,
    ENABLE = SAADC + 0x500,
    PSELP = SAADC + 0x510,
    PSELN = SAADC + 0x514,
    CONFIG = SAADC + 0x518,
    LIMIT = SAADC + 0x51C,
    RESOLUTION = SAADC + 0x5F0,
    OVERSAMPLE = SAADC + 0x5F4,
    SAMPLERATE = SAADC + 0x5F8,
    PTR = SAADC + 0x62C,
    MAXCNT = SAADC + 0x630,
    AMOUNT = SAADC + 0x634
};
enum { BUF = RIG_RAM + 0x100, VDD = 9, VDDH_BY_5 = 13, AIN0 = 1, AIN1 = 2, OUTSET = 0x50000508, DIRSET = 0x50000518 };
enum { GAIN_1_6 = 0, GAIN_1 = 5, DIFFERENTIAL = 1 << 20, BURST = 1 << 24, VDD_BY_4 = 1 << 12 };

static void start(uint32_t results)
{
    wr(ENABLE, 1);
    wr(PTR, BUF);
    wr(MAXCNT, results);
    for (uint32_t e = STARTED; e <= LIMITL; e += 4)
        wr(e, 0);
    wr(START, 1);
    assert_int_equal(rd(STARTED), 1);
}

static int result(unsigned n)
{
    int16_t v;
    ram_get(BUF + 2 * n, &v, sizeof v);
    return v;
}

static int measure(uint32_t psel, uint32_t config, uint32_t resolution)
{
    wr(PSELP, psel);
    wr(CONFIG, config);
    wr(RESOLUTION, resolution);
    start(1);
    wr(SAMPLE, 1);
    assert_true(until_event(END, 100) > 0);
    assert_int_equal(rd(AMOUNT), 1);
    return result(0);
}

static void volts(void **state)
{
    (void)state;
    rig_start();
    /* 3.0 V / 6 of 0.6 V is five sixths of the range */
    assert_int_equal(measure(VDD, GAIN_1_6 << 8, 1), 853);
    assert_int_equal(measure(VDD, GAIN_1_6 << 8, 0), 213);
    assert_int_equal(measure(VDD, GAIN_1_6 << 8, 2), 3413);
    assert_int_equal(measure(VDD, GAIN_1_6 << 8, 3), 13653);
    assert_int_equal(measure(VDD, GAIN_1_6 << 8 | VDD_BY_4, 1), 682);
    assert_int_equal(measure(VDD, GAIN_1 << 8, 1), 1023); /* beyond the range */
    assert_int_equal(measure(VDDH_BY_5, GAIN_1_6 << 8, 2), 682);
    assert_int_equal(measure(AIN0, GAIN_1_6 << 8, 1), 0);
    wr(DIRSET, 1 << 3);
    wr(OUTSET, 1 << 3); /* AIN1 is P0.03 */
    assert_int_equal(measure(AIN1, GAIN_1_6 << 8, 1), 853);
    wr(PSELN, AIN1);
    assert_int_equal(measure(AIN1, GAIN_1_6 << 8 | DIFFERENTIAL, 1), 0);
    assert_int_equal(measure(AIN0, GAIN_1_6 << 8 | DIFFERENTIAL, 1), -426);
    assert_int_equal(measure(AIN0, GAIN_1 << 8 | DIFFERENTIAL, 1), -512);
}

/* Each channel with an input in its turn: acquisition and 2 us; STATUS while it works; the interrupt. */
static void channels_and_times(void **state)
{
    (void)state;
    rig_start();
    wr(PSELP + 16 * 1, VDD);
    wr(PSELP + 16 * 6, AIN0);
    wr(CONFIG + 16 * 6, 5 << 16); /* 40 us */
    start(4);
    irq_on(7);
    wr(INTENSET, 1 << 1);
    wr(SAMPLE, 1);
    assert_int_equal(rd(STATUS), 1);
    double t = until_event(DONE, 100);
    assert_true(t > 10 && t < 12.1);
    wr(DONE, 0);
    t = until_event(DONE, 100);
    assert_true(t > 40 && t < 42.1);
    us(1);
    assert_int_equal(rd(STATUS), 0);
    assert_int_equal(rd(RESULTDONE), 1);
    assert_int_equal(rd(AMOUNT), 2);
    assert_int_equal(rd(END), 0);
    assert_int_equal(irqs(7), 0);
    wr(SAMPLE, 1);
    us(60);
    assert_int_equal(rd(END), 1);
    assert_int_equal(irqs(7), 1);
    assert_int_equal(result(0), 853);
    assert_int_equal(result(1), 0);
    assert_int_equal(result(2), 853);
    wr(DONE, 0);
    wr(SAMPLE, 1); /* no buffer any more */
    assert_true(until_event(DONE, 200) < 0);
}

static void oversampling(void **state)
{
    (void)state;
    rig_start();
    wr(PSELP, VDD);
    wr(OVERSAMPLE, 2);
    start(1);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(rd(RESULTDONE), 0);
        wr(DONE, 0);
        wr(SAMPLE, 1);
        assert_true(until_event(DONE, 20) > 0);
    }
    assert_int_equal(rd(RESULTDONE), 1);
    wr(CONFIG, BURST); /* all four by one SAMPLE, 5 us each */
    start(1);
    wr(SAMPLE, 1);
    double t = until_event(END, 100);
    assert_true(t > 19 && t < 20.1);
}

static void rate_stop_and_enable(void **state)
{
    (void)state;
    rig_start();
    wr(PSELP, VDD);
    wr(SAMPLERATE, 1 << 12 | 1600); /* every 100 us */
    start(1000);
    wr(SAMPLE, 1);
    us(1050);
    assert_int_equal(rd(AMOUNT), 11);
    wr(STOP, 1);
    assert_int_equal(rd(STOPPED), 1);
    us(300);
    assert_int_equal(rd(AMOUNT), 11);
    start(1000);
    wr(SAMPLE, 1);
    wr(ENABLE, 0);
    us(300);
    assert_int_equal(rd(AMOUNT), 0);
    wr(STARTED, 0);
    wr(START, 1); /* switched off: no task does anything */
    wr(CALIBRATE, 1);
    us(1000);
    assert_int_equal(rd(STARTED) | rd(CALIBRATEDONE), 0);
    wr(ENABLE, 1);
    wr(CALIBRATE, 1);
    assert_true(until_event(CALIBRATEDONE, 1000) > 0);
}

static void limits(void **state)
{
    (void)state;
    rig_start();
    wr(LIMIT, 853u << 16 | 100);
    (void)measure(VDD, 0, 1);
    assert_int_equal(rd(LIMITH), 1);
    assert_int_equal(rd(LIMITL), 0);
    (void)measure(AIN0, 0, 1);
    assert_int_equal(rd(LIMITH), 0);
    assert_int_equal(rd(LIMITL), 1);
    wr(LIMIT, 854u << 16 | 0xFFFF);
    (void)measure(VDD, 0, 1);
    assert_int_equal(rd(LIMITH), 0);
    (void)measure(AIN0, 0, 1);
    assert_int_equal(rd(LIMITL), 0);
    assert_int_equal(unmodelled_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(volts, rig_stop),
        cmocka_unit_test_teardown(channels_and_times, rig_stop),
        cmocka_unit_test_teardown(oversampling, rig_stop),
        cmocka_unit_test_teardown(rate_stop_and_enable, rig_stop),
        cmocka_unit_test_teardown(limits, rig_stop),
    };
    return cmocka_run_group_tests_name("saadc", tests, NULL, NULL);
}
