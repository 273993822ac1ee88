/*
 * The external flash with its pins moved by hand, and parts that are broken: what a bootloader has to do before
 * the QSPI peripheral can talk to a part that sleeps or is in QPI, and what it meets when a part dies.
 */
#include <string.h>

#include "tests/board/rig.h"

enum { GPIO = 0x50000000, OUTSET = GPIO + 0x508, OUTCLR = GPIO + 0x50C, IN = GPIO + 0x510, CNF = GPIO + 0x700, SCK = 19, CSN = 17,
    IO = 20, Q = 0x40029000, READY = Q + 0x100, ENABLE = Q + 0x500, PSEL = Q + 0x524, PSEL_IO = Q + 0x530, CINSTRCONF = Q + 0x634,
    CINSTRDAT0 = Q + 0x638, OUT_PIN = 3, IN_PIN = 0 };

/* A part that knows QPI: 38h enters and FFh leaves it; quad enable is bit 1 of status register 2. */
static const uint8_t bfpt[64] = { 0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x42, 0xBB,
    0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF, 0x40, 0xEB, 0x0C, 0x20, 0x0F, 0x52, 0x10, 0xD8, 0x00, 0x00,
    0x36, 0x02, 0xA6, 0x00, 0x82, 0xEA, 0x14, 0xC9, 0xE9, 0x63, 0x76, 0x33, 0x7A, 0x75, 0x7A, 0x75, 0xF7, 0xA2, 0xD5, 0x5C,
    0x19, 0xF7, 0x4D, 0xFF, 0xE9, 0x30, 0xF8, 0x80 };

static struct nor_part *made;

static void pin(unsigned n, bool high)
{
    wr(high ? OUTSET : OUTCLR, 1u << n);
}

static void by_hand(const struct nor_part *part)
{
    struct board_config config = { .qspi = part, .seed = 4 };
    rig_start_with(&config);
    pin(CSN, true);
    pin(SCK, false);
    for (unsigned i = 0; i < 4; i++) {
        pin(IO + i, true);
        wr(CNF + 4 * (IO + i), i == 1 ? IN_PIN : OUT_PIN);
    }
    wr(CNF + 4 * CSN, OUT_PIN);
    wr(CNF + 4 * SCK, OUT_PIN);
}

/* A byte out on IO0 and one in on IO1. */
static uint8_t byte(uint8_t out)
{
    uint8_t in = 0;
    for (int i = 7; i >= 0; i--) {
        pin(IO, out >> i & 1);
        in = (uint8_t)((unsigned)in << 1 | (rd(IN) >> (IO + 1) & 1u));
        pin(SCK, true);
        pin(SCK, false);
    }
    return in;
}

static void frame(const uint8_t *out, unsigned n, uint8_t *in, unsigned m)
{
    pin(CSN, false);
    for (unsigned i = 0; i < n; i++)
        (void)byte(out[i]);
    for (unsigned i = 0; i < m; i++)
        in[i] = byte(0);
    pin(CSN, true);
}

static void cmd(uint8_t op)
{
    frame(&op, 1, NULL, 0);
}

/* One byte on four lines. */
static void quad_cmd(uint8_t op)
{
    wr(CNF + 4 * (IO + 1), OUT_PIN);
    pin(CSN, false);
    for (int half = 1; half >= 0; half--) {
        for (unsigned i = 0; i < 4; i++)
            pin(IO + i, op >> (4 * half + (int)i) & 1);
        pin(SCK, true);
        pin(SCK, false);
    }
    pin(CSN, true);
    wr(CNF + 4 * (IO + 1), IN_PIN);
    pin(IO + 2, true);
    pin(IO + 3, true);
}

static const struct nor_part *qpi_part(void)
{
    static const uint8_t id[3] = { 0xEF, 0x40, 0x17 };
    if (!made)
        made = nor_part_generic(id, 8u << 20, bfpt, sizeof bfpt, 4);
    return made;
}

/* True if the peripheral's ACTIVATE is answered. */
static bool activate(void)
{
    wr(PSEL, SCK);
    wr(PSEL + 4, CSN);
    for (unsigned i = 0; i < 4; i++)
        wr(PSEL_IO + 4 * i, IO + i);
    wr(ENABLE, 1);
    wr(READY, 0);
    wr(Q, 1);
    return until_event(READY, 100000) >= 0;
}

static uint32_t instruct(uint8_t op, uint32_t len, uint32_t data, bool enable)
{
    wr(CINSTRDAT0, data);
    wr(READY, 0);
    wr(CINSTRCONF, op | (len + 1) << 8 | 3u << 12 | (uint32_t)enable << 15);
    assert_true(until_event(READY, 1e6) >= 0);
    return rd(CINSTRDAT0);
}

static void identity(void **state)
{
    static const char *const name[2] = { "at25xe321d", "mx25r6435f" };
    static const uint8_t want[2][3] = { { 0x1F, 0x47, 0x0C }, { 0xC2, 0x28, 0x17 } };
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t op = 0x9F, id[3], sfdp[4], ask[5] = { 0x5A };
        by_hand(nor_part_find(name[i]));
        frame(&op, 1, id, 3);
        assert_memory_equal(id, want[i], 3);
        frame(ask, 5, sfdp, 4);
        assert_memory_equal(sfdp, "SFDP", 4);
        pin(IO + 3, false); /* HOLD#: nothing is clocked in */
        frame(&op, 1, id, 3);
        assert_true(id[0] != want[i][0]);
    }
}

/* With the peripheral on, its pins are no GPIOs. */
static void the_peripheral_has_the_pins(void **state)
{
    (void)state;
    by_hand(nor_part_find("at25xe321d"));
    assert_true(activate());
    pin(CSN, false);
    pin(SCK, true);
    assert_int_equal(instruct(0x9F, 3, 0, false) & 0xFFFFFF, 0x0C471F);
    pin(SCK, false);
    pin(CSN, true);
    wr(ENABLE, 0);
    uint8_t op = 0x9F, id[3];
    frame(&op, 1, id, 3);
    assert_int_equal(id[0], 0x1F);
}

static void woken_by_hand(void **state)
{
    (void)state;
    by_hand(nor_part_find("at25xe321d"));
    cmd(0xB9);
    assert_false(activate()); /* the status poll is not answered */
    wr(ENABLE, 0);
    cmd(0xAB);
    us(50);
    assert_true(activate());
    by_hand(nor_part_find("mx25r6435f")); /* wakes by any frame */
    cmd(0xB9);
    pin(CSN, false);
    (void)byte(0x00);
    pin(CSN, true);
    us(50);
    assert_true(activate());
}

/* An SPIM on the same wires, as firmware that does not use QSPI has it; CSN by GPIO, or by SPIM3 itself. */
static void by_spim(void **state)
{
    static const uint32_t spim[2] = { 0x40003000, 0x4002F000 };
    (void)state;
    by_hand(nor_part_find("mx25r6435f"));
    for (unsigned i = 0; i < 2; i++) {
        uint32_t s = spim[i];
        uint8_t got[4] = { 0 }, op[4] = { 0x9F };
        ram_put(0x20010000, op, 4);
        wr(s + 0x508, SCK);
        wr(s + 0x50C, IO);
        wr(s + 0x510, IO + 1);
        if (i)
            wr(s + 0x514, CSN);
        wr(s + 0x524, 0x80000000);
        wr(s + 0x500, 7);
        if (!i)
            pin(CSN, false);
        wr(s + 0x544, 0x20010000);
        wr(s + 0x548, 4);
        wr(s + 0x534, 0x20010100);
        wr(s + 0x538, 4);
        wr(s + 0x010, 1);
        assert_true(until_event(s + 0x118, 1000) >= 0);
        pin(CSN, true);
        ram_get(0x20010100, got, 4);
        assert_memory_equal(got + 1, "\xC2\x28\x17", 3);
        wr(s + 0x50C, IO + 2); /* another wire: nobody there */
        wr(s + 0x118, 0);
        wr(s + 0x010, 1);
        assert_true(until_event(s + 0x118, 1000) >= 0);
        ram_get(0x20010100, got, 4);
        assert_int_equal(got[1], 0xFF);
        wr(s + 0x500, 0);
    }
    assert_true(activate());
}

static void out_of_qpi(void **state)
{
    uint8_t op = 0x9F, id[3];
    (void)state;
    by_hand(qpi_part());
    cmd(0x38);
    frame(&op, 1, id, 3);
    assert_int_equal(id[0], 0xEF); /* without quad enable there is no QPI */
    for (unsigned how = 0; how < 2; how++) {
        cmd(0x06);
        static const uint8_t quad[2] = { 0x31, 0x02 };
        frame(quad, 2, NULL, 0);
        us(20000);
        cmd(0x38);
        frame(&op, 1, id, 3);
        assert_int_equal(id[0], 0xFF); /* deaf on one line */
        assert_false(activate());
        wr(ENABLE, 0);
        cmd(0x66); /* a reset on one line is none */
        cmd(0x99);
        us(100);
        assert_false(activate());
        wr(ENABLE, 0);
        if (how == 0) {
            quad_cmd(0xFF);
        } else {
            quad_cmd(0x66);
            quad_cmd(0x99);
        }
        us(100);
        frame(&op, 1, id, 3);
        assert_int_equal(id[0], 0xEF);
        assert_true(activate());
        wr(ENABLE, 0);
    }
    by_hand(nor_part_find("mx25r6435f")); /* has no QPI: its SFDP says so */
    cmd(0x38);
    cmd(0x35);
    frame(&op, 1, id, 3);
    assert_int_equal(id[0], 0xC2);
}

/* ---- broken parts ---- */

static void start_broken(enum board_chip_fault fault, uint64_t n)
{
    by_hand(nor_part_find("mx25r6435f"));
    assert_true(activate());
    board_external_fault(rig, fault, n);
}

static bool busy(void)
{
    return instruct(0x05, 1, 0, false) & 1u;
}

static void busy_for_ever(void **state)
{
    size_t size;
    (void)state;
    start_broken(CHIP_BUSY, 2);
    (void)instruct(0x20, 3, 0, true);
    us(100000);
    assert_false(busy());
    (void)instruct(0x20, 3, 0x001000, true);
    us(5e6);
    assert_true(busy());
    (void)instruct(0x66, 0, 0, false);
    (void)instruct(0x99, 0, 0, false);
    us(1e6);
    assert_true(busy());
    assert_int_equal(board_external_ops(rig), 2);
    board_external(rig, &size)[0x20] = 0x55;
    board_power_on(rig); /* power helps until the next operation */
    rig_settle();
    assert_true(activate());
    assert_false(busy());
    (void)instruct(0x20, 3, 0, true);
    us(5e6);
    assert_true(busy());
    assert_int_equal(board_external(rig, &size)[0x20], 0x55);
}

static void dead(void **state)
{
    size_t size;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t all = i ? 0x00 : 0xFF;
        start_broken(i ? CHIP_ZEROS : CHIP_ONES, 1);
        assert_int_equal(instruct(0x9F, 3, 0, false) & 0xFF, 0xC2);
        board_external(rig, &size)[0] = 0x5A;
        (void)instruct(0x20, 3, 0, true); /* dies with this */
        us(100000);
        assert_int_equal(board_external(rig, &size)[0], 0x5A);
        assert_int_equal(instruct(0x9F, 3, 0, false) & 0xFFFFFF, all ? 0xFFFFFF : 0);
        assert_int_equal(instruct(0x05, 1, 0, false) & 0xFF, all);
        wr(ENABLE, 0);
        assert_int_equal(activate(), i); /* zeros are an idle part */
        board_external_fault(rig, CHIP_GOOD, 0);
        wr(ENABLE, 0);
        assert_true(activate());
        assert_int_equal(instruct(0x9F, 3, 0, false) & 0xFF, 0xC2);
    }
}

static void leaves_bits(void **state)
{
    size_t size;
    (void)state;
    start_broken(CHIP_BAD_PROGRAM, 1);
    uint8_t *mem = board_external(rig, &size);
    (void)instruct(0x02, 4, 0, true); /* 00h to 0 */
    us(10000);
    assert_false(busy());
    assert_int_equal(mem[0], 0x01);
    start_broken(CHIP_BAD_ERASE, 1);
    mem = board_external(rig, &size);
    mem[7] = 0x0F;
    mem[8] = 0x00;
    (void)instruct(0x20, 3, 0, true);
    us(100000);
    assert_false(busy());
    assert_int_equal(mem[7], 0xEF);
    assert_int_equal(mem[8], 0xFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(identity, rig_stop),
        cmocka_unit_test_teardown(the_peripheral_has_the_pins, rig_stop),
        cmocka_unit_test_teardown(woken_by_hand, rig_stop),
        cmocka_unit_test_teardown(by_spim, rig_stop),
        cmocka_unit_test_teardown(out_of_qpi, rig_stop),
        cmocka_unit_test_teardown(busy_for_ever, rig_stop),
        cmocka_unit_test_teardown(dead, rig_stop),
        cmocka_unit_test_teardown(leaves_bits, rig_stop),
    };
    int failed = cmocka_run_group_tests_name("pins", tests, NULL, NULL);
    nor_part_free(made);
    return failed;
}
