/* POWER and CLOCK: reset reasons, retained registers, RAM sections, System OFF, clocks and their times. */
#include <string.h>

#include "tests/board/rig.h"

enum { POWER = 0x40000000, RESETREAS = POWER + 0x400, USBREGSTATUS = POWER + 0x438, SYSTEMOFF = POWER + 0x500,
    GPREGRET = POWER + 0x51C, GPREGRET2 = POWER + 0x520, RAMPOWER = POWER + 0x900, HFCLKRUN = POWER + 0x408,
    HFCLKSTAT = POWER + 0x40C, LFCLKRUN = POWER + 0x414, LFCLKSTAT = POWER + 0x418, LFCLKSRCCOPY = POWER + 0x41C,
    LFCLKSRC = POWER + 0x518, CTIV = POWER + 0x538, INTENSET = POWER + 0x304, INTENCLR = POWER + 0x308,
    WDT = 0x40010000, PIN_CNF = 0x50000700 };

#define AIRCR 0xE000ED0Cu

static void soft_reset(void)
{
    wr(AIRCR, 0x05FA0004);
    rig_settle();
}

static void reset_reasons_add_up(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(RESETREAS), 0); /* power-on */
    wr(AIRCR, 0x12340004);
    assert_int_equal(rd(RESETREAS), 0); /* wrong key */
    wr(GPREGRET, 0x1B1);
    wr(GPREGRET2, 0x42);
    soft_reset();
    assert_int_equal(rd(RESETREAS), 1u << 2);
    assert_int_equal(rd(GPREGRET), 0xB1);
    assert_int_equal(rd(GPREGRET2), 0x42);
    board_reset_pin(rig);
    rig_settle();
    assert_int_equal(rd(RESETREAS), 1u << 2 | 1u << 0);
    assert_int_equal(rd(GPREGRET), 0);
    assert_int_equal(rd(GPREGRET2), 0);
    wr(RESETREAS, 1);
    assert_int_equal(rd(RESETREAS), 1u << 2);
    wr(GPREGRET, 7);
    wr(WDT + 0x504, 15);
    wr(WDT, 1);
    us(1000);
    rig_settle();
    assert_int_equal(rd(RESETREAS), 1u << 2 | 1u << 1);
    assert_int_equal(rd(GPREGRET), 0);
    wr(RESETREAS, 0xFFFFFFFF);
    assert_int_equal(rd(RESETREAS), 0);
    board_power_on(rig);
    rig_settle();
    assert_int_equal(rd(RESETREAS), 0);
}

static void ram_survives_all_but_power(void **state)
{
    (void)state;
    rig_start();
    ram_put(0x2003FFFC, "\x11\x22\x33\x44", 4);
    soft_reset();
    assert_int_equal(ram_word(0x2003FFFC), 0x44332211);
    board_reset_pin(rig);
    rig_settle();
    assert_int_equal(ram_word(0x2003FFFC), 0x44332211);
    board_power_on(rig);
    assert_int_not_equal(ram_word(0x2003FFFC), 0x44332211);
}

static bool filled(uint32_t addr, uint32_t len)
{
    uint32_t i = 0;
    while (i < len && ram_word(addr + i) == 0xA5A5A5A5)
        i += 4;
    return i == len;
}

static void fill(uint32_t addr, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 4)
        ram_put(addr + i, "\xA5\xA5\xA5\xA5", 4);
}

/* Sections of 4 KiB in blocks 0 to 7, of 32 KiB in block 8, lose their content when they are switched off. */
static void ram_sections(void **state)
{
    (void)state;
    rig_start();
    fill(0x20004000, 0x2000); /* block 2, both sections */
    fill(0x20018000, 0x8000); /* block 8, section 1 */
    assert_int_equal(rd(RAMPOWER + 0x20), 0xFFFF);
    wr(RAMPOWER + 0x28, 2); /* POWERCLR: section 1 */
    assert_int_equal(rd(RAMPOWER + 0x20), 0xFFFD);
    assert_true(filled(0x20004000, 0x1000));
    assert_false(filled(0x20005000, 0x1000));
    wr(RAMPOWER + 0x24, 2); /* POWERSET */
    assert_int_equal(rd(RAMPOWER + 0x20), 0xFFFF);
    assert_true(filled(0x20018000, 0x8000));
    wr(RAMPOWER + 0x80, 0xFFFD);
    assert_false(filled(0x20018000, 0x8000));
}

/* System OFF: only a pin wakes; what is not retained is lost, the rest and GPREGRET are not. */
static void system_off(void **state)
{
    (void)state;
    rig_start();
    fill(0x20004000, 0x2000);
    wr(RAMPOWER + 0x24, 1u << 16); /* retain block 2, section 0 */
    wr(GPREGRET, 0x5C);
    wr(PIN_CNF + 4 * 11, 2u << 16); /* P0.11: input, sense high */
    board_set_reg(rig, 0, 1);
    board_set_reg(rig, 1, SYSTEMOFF);
    board_set_reg(rig, 15, 0x110);
    assert_int_equal(board_run(rig, board_now(rig) + 1000), BOARD_OFF);
    assert_int_equal(board_run(rig, board_now(rig) + 64000000), BOARD_OFF);
    board_pin_input(rig, 11, true);
    rig_settle();
    assert_int_equal(rd(RESETREAS), 1u << 16);
    assert_true(filled(0x20004000, 0x1000));
    assert_false(filled(0x20005000, 0x1000));
    assert_int_equal(rd(GPREGRET), 0x5C);
    assert_int_equal(rd(RAMPOWER + 0x20), 0xFFFF);
}

static void hfclk(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(HFCLKSTAT), 0x10000);
    wr(INTENSET, 1);
    irq_on(0);
    wr(POWER + 0x000, 1);
    assert_int_equal(rd(HFCLKRUN), 1);
    assert_int_equal(rd(POWER + 0x100), 0);
    double t = until_event(POWER + 0x100, 2000);
    assert_true(t > 350 && t < 450);
    assert_int_equal(rd(HFCLKSTAT), 0x10001);
    assert_int_equal(irqs(0), 1);
    wr(POWER + 0x004, 1);
    assert_int_equal(rd(HFCLKRUN), 0);
    assert_int_equal(rd(HFCLKSTAT), 0x10000);
}

static double start_lfclk(uint32_t src)
{
    wr(LFCLKSRC, src);
    wr(POWER + 0x104, 0);
    wr(POWER + 0x008, 1);
    return until_event(POWER + 0x104, 400000);
}

static void lfclk(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(LFCLKSTAT), 0);
    double t = start_lfclk(0);
    assert_true(t > 500 && t < 700); /* LFRC */
    assert_int_equal(rd(LFCLKRUN), 1);
    assert_int_equal(rd(LFCLKSTAT), 0x10000);
    wr(POWER + 0x00C, 1);
    assert_int_equal(rd(LFCLKRUN), 0);
    assert_int_equal(rd(LFCLKSTAT), 0);
    wr(LFCLKSRC, 1);
    wr(POWER + 0x104, 0);
    wr(POWER + 0x008, 1);
    us(1000);
    assert_int_equal(rd(LFCLKSRCCOPY), 1);
    assert_int_equal(rd(LFCLKSTAT), 0x10000); /* the RC meanwhile */
    t = until_event(POWER + 0x104, 400000);
    assert_true(t > 200000 && t < 300000);
    assert_int_equal(rd(LFCLKSTAT), 0x10001);
    wr(POWER + 0x00C, 1);
    assert_true(start_lfclk(2) > 0);
    assert_int_equal(rd(LFCLKSTAT), 0x10002);
}

static void calibration(void **state)
{
    (void)state;
    rig_start();
    wr(POWER + 0x010, 1);
    assert_true(until_event(POWER + 0x10C, 100000) > 1000); /* DONE */
    wr(CTIV, 2);
    wr(POWER + 0x014, 1);
    assert_int_equal(rd(POWER + 0x128), 1); /* CTSTARTED */
    double t = until_event(POWER + 0x110, 600000); /* CTTO: two quarters of a second */
    assert_true(t > 499000 && t < 501000);
    wr(POWER + 0x110, 0);
    wr(POWER + 0x014, 1);
    wr(POWER + 0x018, 1);
    assert_int_equal(rd(POWER + 0x12C), 1); /* CTSTOPPED */
    assert_true(until_event(POWER + 0x110, 600000) < 0);
}

static void sleep_events_and_usb(void **state)
{
    struct board_config config = { .seed = 1, .vbus = true };
    (void)state;
    rig_start();
    sleep_us(100);
    assert_int_equal(rd(POWER + 0x114), 1);
    assert_int_equal(rd(USBREGSTATUS), 0);
    assert_int_equal(rd(POWER + 0x11C), 0);
    wr(POWER + 0x118, 0);
    irq_on(0);
    wr(INTENSET, 1);
    wr(POWER + 0x000, 1);
    sleep_us(1000); /* HFCLKSTARTED wakes it */
    assert_int_equal(rd(POWER + 0x118), 1);
    rig_start_with(&config);
    assert_int_equal(rd(USBREGSTATUS), 3);
    assert_int_equal(rd(POWER + 0x11C), 1);
    assert_int_equal(rd(POWER + 0x124), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reset_reasons_add_up, rig_stop),
        cmocka_unit_test_teardown(ram_survives_all_but_power, rig_stop),
        cmocka_unit_test_teardown(ram_sections, rig_stop),
        cmocka_unit_test_teardown(system_off, rig_stop),
        cmocka_unit_test_teardown(hfclk, rig_stop),
        cmocka_unit_test_teardown(lfclk, rig_stop),
        cmocka_unit_test_teardown(calibration, rig_stop),
        cmocka_unit_test_teardown(sleep_events_and_usb, rig_stop),
    };
    return cmocka_run_group_tests_name("power", tests, NULL, NULL);
}
