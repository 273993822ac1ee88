/* NVMC, UICR, FICR, ACL: modes, what a word write and an erase do and cost, what is refused. */
#include <string.h>

#include "tests/board/rig.h"

enum { NVMC = 0x4001E000, READY = NVMC + 0x400, READYNEXT = NVMC + 0x408, CONFIG = NVMC + 0x504, ERASEPAGE = NVMC + 0x508,
    ERASEALL = NVMC + 0x50C, ERASEUICR = NVMC + 0x514, PARTIAL = NVMC + 0x518, PARTIALCFG = NVMC + 0x51C,
    ACL = NVMC + 0x800, REN = 0, WEN = 1, EEN = 2, PAGE = 0x10000, UICR = 0x10001000 };

static void write_takes_41_us_and_only_clears(void **state)
{
    (void)state;
    rig_start();
    wr(CONFIG, WEN);
    double t = now_us();
    wr(PAGE, 0x0F0F1234);
    assert_true(now_us() - t >= 41 && now_us() - t < 42); /* the core, in flash, stood still */
    wr(PAGE, 0xFFFF00FF);
    wr(CONFIG, REN);
    assert_int_equal(rd(PAGE), 0x0F0F0034);
    assert_int_equal(rd(READY), 1);
    assert_int_equal(rd(READYNEXT), 1);
    assert_int_equal(faults(), 0);
}

static void only_whole_words_in_wen(void **state)
{
    (void)state;
    rig_start();
    wr(PAGE, 0);
    assert_int_equal(rd(PAGE), 0xFFFFFFFF); /* Ren: nothing */
    wr(CONFIG, EEN);
    wr(PAGE, 0);
    assert_int_equal(rd(PAGE), 0xFFFFFFFF); /* Een: nothing */
    wr(CONFIG, WEN);
    wr8(PAGE, 0);
    assert_int_equal(faults(), 1); /* a byte: bus fault, here a HardFault */
    wr(PAGE + 2, 0);
    assert_int_equal(faults(), 2); /* not aligned */
    wr(0x100000, 0);
    assert_int_equal(faults(), 3); /* behind the end */
    assert_int_equal(rd(PAGE), 0xFFFFFFFF);
}

static void erase_takes_85_ms(void **state)
{
    struct board_stats st;
    (void)state;
    rig_start();
    wr(CONFIG, WEN);
    wr(PAGE, 0);
    wr(PAGE + 0xFFC, 0);
    wr(PAGE + 0x1000, 0x55);
    wr(ERASEPAGE, PAGE); /* not in this mode */
    assert_int_equal(rd(PAGE), 0);
    wr(CONFIG, EEN);
    double t = now_us();
    wr(ERASEPAGE, PAGE + 0x123);
    assert_true(now_us() - t >= 85000 && now_us() - t < 85002);
    assert_int_equal(rd(PAGE), 0xFFFFFFFF);
    assert_int_equal(rd(PAGE + 0xFFC), 0xFFFFFFFF);
    assert_int_equal(rd(PAGE + 0x1000), 0x55);
    wr(ERASEPAGE, 0x100000); /* no such page */
    board_get_stats(rig, &st);
    assert_int_equal(st.internal.erases, 1);
    assert_int_equal(st.internal.programs, 3);
    assert_int_equal(st.internal.busy_cycles, (85000 + 3 * 41) * RIG_US);
}

/* The page is whole again when the steps add up to 85 ms; before, what is in it is undefined. */
static void partial_erase_adds_up(void **state)
{
    (void)state;
    rig_start();
    wr(CONFIG, WEN);
    for (uint32_t a = 0; a < 64; a += 4)
        wr(PAGE + a, 0);
    wr(CONFIG, EEN);
    assert_int_equal(rd(PARTIALCFG), 10);
    wr(PARTIALCFG, 40);
    double t = now_us();
    wr(PARTIAL, PAGE);
    assert_true(now_us() - t >= 40000 && now_us() - t < 41000);
    unsigned erased = 0;
    for (uint32_t a = 0; a < 64; a += 4)
        erased += rd(PAGE + a) == 0xFFFFFFFF;
    assert_true(erased < 16);
    wr(PARTIAL, PAGE);
    wr(PARTIAL, PAGE); /* 120 ms */
    for (uint32_t a = 0; a < 64; a += 4)
        assert_int_equal(rd(PAGE + a), 0xFFFFFFFF);
}

static void uicr_is_flash_and_survives(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(UICR + 0x208), 0xFFFFFFFF);
    wr(CONFIG, WEN);
    wr(UICR + 0x080, 0x12345678);
    wr(UICR + 0x20C, 0xFFFFFFFE);
    wr(CONFIG, EEN);
    wr(ERASEPAGE, UICR); /* not by this register */
    assert_int_equal(rd(UICR + 0x080), 0x12345678);
    board_reset_pin(rig);
    rig_settle();
    assert_int_equal(rd(UICR + 0x080), 0x12345678);
    assert_int_equal(rd(UICR + 0x20C), 0xFFFFFFFE);
    assert_int_equal(rd(CONFIG), REN);
    wr(CONFIG, EEN);
    wr(ERASEUICR, 1);
    assert_int_equal(rd(UICR + 0x080), 0xFFFFFFFF);
}

static void erase_all_is_both(void **state)
{
    (void)state;
    rig_start();
    wr(CONFIG, WEN);
    wr(0xFF000, 0);
    wr(UICR + 0x080, 0);
    wr(CONFIG, EEN);
    board_set_reg(rig, 0, 1); /* by hand: the rig's own code is gone afterwards */
    board_set_reg(rig, 1, ERASEALL);
    board_set_reg(rig, 15, 0x110);
    uint64_t t = board_now(rig);
    (void)board_run(rig, t + 1000);
    assert_true(board_now(rig) - t >= 169ull * RIG_MS);
    for (uint32_t i = 0; i < BOARD_FLASH_SIZE; i++)
        assert_int_equal(board_flash(rig)[i], 0xFF);
    assert_int_equal(board_uicr(rig)[0x80], 0xFF);
}

static void ficr_says_what_chip(void **state)
{
    static const struct { uint16_t off; uint32_t val; } cells[] = { { 0x010, 0x1000 }, { 0x014, 0x100 }, { 0x100, 0x52840 },
        { 0x104, 0x41414430 }, { 0x108, 0x2004 }, { 0x10C, 0x100 }, { 0x110, 0x400 }, { 0x130, 8 }, { 0x134, 3 },
        { 0x350, 0xBB42319F } };
    (void)state;
    rig_start();
    for (unsigned i = 0; i < sizeof cells / sizeof cells[0]; i++)
        assert_int_equal(rd(0x10000000u + cells[i].off), cells[i].val);
    wr(CONFIG, WEN);
    wr(0x10000100, 0);
    assert_int_equal(faults(), 1);
    assert_int_equal(rd(0x10000100), 0x52840);
}

/* Regions that ACL closes: no write, no erase, until the next reset; its registers are written once. */
static void acl_closes_pages(void **state)
{
    (void)state;
    rig_start();
    wr(ACL + 0, PAGE);
    wr(ACL + 4, 0x1000);
    wr(ACL + 8, 2);
    wr(ACL + 0, 0);
    assert_int_equal(rd(ACL + 0), PAGE);
    wr(CONFIG, WEN);
    wr(PAGE, 0);
    assert_int_equal(faults(), 1);
    wr(PAGE + 0x1000, 0x77);
    assert_int_equal(rd(PAGE + 0x1000), 0x77);
    wr(CONFIG, EEN);
    double t = now_us();
    wr(ERASEPAGE, PAGE);
    wr(ERASEALL, 1);
    assert_true(now_us() - t < 10);
    assert_int_equal(rd(PAGE + 0x1000), 0x77);
    board_reset_pin(rig);
    rig_settle();
    assert_int_equal(rd(ACL + 8), 0);
    wr(CONFIG, WEN);
    wr(PAGE, 0x66);
    assert_int_equal(rd(PAGE), 0x66);
}

/* Code in RAM goes on while the flash works, sees READY fall, and stops where it touches flash. */
static void ram_code_runs_on(void **state)
{
    static const uint16_t code[] = {
        0x6008, /* str r0, [r1]: the erase begins */
        0x6812, /* ldr r2, [r2]: READY */
        0x681B, /* ldr r3, [r3]: flash, waits for the end */
        0x6824, /* ldr r4, [r4]: READY again */
        0xE7FE,
    };
    (void)state;
    rig_start();
    wr(CONFIG, EEN);
    ram_put(RIG_RAM, code, sizeof code);
    board_set_reg(rig, 0, PAGE);
    board_set_reg(rig, 1, ERASEPAGE);
    board_set_reg(rig, 2, READY);
    board_set_reg(rig, 3, 0);
    board_set_reg(rig, 4, READY);
    board_set_reg(rig, 15, RIG_RAM);
    uint64_t t = board_now(rig);
    (void)board_run(rig, t + 3);
    assert_true(board_now(rig) - t < 20);
    for (unsigned i = 0; i < 3; i++)
        (void)board_run(rig, board_now(rig) + 20);
    assert_int_equal(board_reg(rig, 2), 0);
    assert_int_equal(board_reg(rig, 4), 1);
    assert_true(board_now(rig) - t >= 85ull * RIG_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(write_takes_41_us_and_only_clears, rig_stop),
        cmocka_unit_test_teardown(only_whole_words_in_wen, rig_stop),
        cmocka_unit_test_teardown(erase_takes_85_ms, rig_stop),
        cmocka_unit_test_teardown(partial_erase_adds_up, rig_stop),
        cmocka_unit_test_teardown(uicr_is_flash_and_survives, rig_stop),
        cmocka_unit_test_teardown(erase_all_is_both, rig_stop),
        cmocka_unit_test_teardown(ficr_says_what_chip, rig_stop),
        cmocka_unit_test_teardown(acl_closes_pages, rig_stop),
        cmocka_unit_test_teardown(ram_code_runs_on, rig_stop),
    };
    return cmocka_run_group_tests_name("nvmc", tests, NULL, NULL);
}
