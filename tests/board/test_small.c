/* RNG, TEMP, ECB, EGU and SWI. */
#include <string.h>

#include "tests/board/rig.h"

enum { RNG = 0x4000D000, TEMP = 0x4000C000, ECB = 0x4000E000, EGU0 = 0x40014000 };

static void rng_times_and_values(void **state)
{
    unsigned seen[256] = { 0 }, different = 0;
    (void)state;
    rig_start();
    irq_on(13);
    wr(RNG + 0x304, 1);
    wr(RNG, 1);
    double t = until_event(RNG + 0x100, 1000);
    assert_true(t > 128 && t < 170);
    assert_int_equal(irqs(13), 1);
    for (unsigned i = 0; i < 200; i++) {
        wr(RNG + 0x100, 0);
        t = until_event(RNG + 0x100, 1000);
        assert_true(t < 31 + 1);
        seen[rd(RNG + 0x508) & 0xFFu]++;
    }
    for (unsigned i = 0; i < 256; i++)
        different += seen[i] != 0;
    assert_true(different > 100);
    wr(RNG + 4, 1); /* STOP */
    wr(RNG + 0x100, 0);
    assert_true(until_event(RNG + 0x100, 1000) < 0);
    wr(RNG + 0x504, 1); /* bias correction: 120 us each */
    wr(RNG + 0x200, 1); /* VALRDY_STOP */
    wr(RNG, 1);
    t = until_event(RNG + 0x100, 1000);
    assert_true(t > 128 + 115 && t < 128 + 125);
    wr(RNG + 0x100, 0);
    assert_true(until_event(RNG + 0x100, 1000) < 0); /* the shortcut stopped it */
}

static void rng_is_the_seed_s(void **state)
{
    uint32_t v[3];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct board_config config = { .seed = i == 2 ? 8 : 7 };
        rig_start_with(&config);
        v[i] = 0;
        for (unsigned k = 0; k < 4; k++) {
            wr(RNG + 0x200, 1);
            wr(RNG + 0x100, 0);
            wr(RNG, 1);
            us(300);
            v[i] = v[i] << 8 | rd(RNG + 0x508);
        }
    }
    assert_int_equal(v[0], v[1]);
    assert_int_not_equal(v[0], v[2]);
}

static void temp_is_25_degrees(void **state)
{
    (void)state;
    rig_start();
    irq_on(12);
    wr(TEMP + 0x304, 1);
    wr(TEMP, 1);
    double t = until_event(TEMP + 0x100, 100);
    assert_true(t > 34 && t < 38);
    assert_int_equal(rd(TEMP + 0x508), 100);
    assert_int_equal(irqs(12), 1);
    wr(TEMP + 0x100, 0);
    wr(TEMP, 1);
    wr(TEMP + 4, 1);
    assert_true(until_event(TEMP + 0x100, 100) < 0);
}

/* FIPS 197, appendix B and C.1. */
static void ecb_encrypts(void **state)
{
    static const uint8_t block[2][48] = {
        { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa,
            0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4,
            0xc5, 0x5a },
        { 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c, 0x32, 0x43, 0xf6, 0xa8,
            0x88, 0x5a, 0x30, 0x8d, 0x31, 0x31, 0x98, 0xa2, 0xe0, 0x37, 0x07, 0x34, 0x39, 0x25, 0x84, 0x1d, 0x02, 0xdc, 0x09,
            0xfb, 0xdc, 0x11, 0x85, 0x97, 0x19, 0x6a, 0x0b, 0x32 },
    };
    uint8_t got[48];
    (void)state;
    rig_start();
    for (unsigned i = 0; i < 2; i++) {
        ram_put(RIG_RAM, block[i], 32);
        wr(ECB + 0x504, RIG_RAM);
        wr(ECB + 0x100, 0);
        wr(ECB, 1);
        double t = until_event(ECB + 0x100, 100);
        assert_true(t > 5 && t < 9);
        ram_get(RIG_RAM, got, 48);
        assert_memory_equal(got, block[i], 48); /* key and text are as they were */
    }
    wr(ECB + 0x504, 0x1000); /* no RAM */
    wr(ECB, 1);
    assert_true(until_event(ECB + 0x104, 100) > 0);
    wr(ECB + 0x104, 0);
    wr(ECB + 0x100, 0);
    wr(ECB + 0x504, RIG_RAM);
    irq_on(14);
    wr(ECB + 0x304, 2);
    wr(ECB, 1);
    wr(ECB + 4, 1); /* broken off */
    us(1);
    assert_int_equal(rd(ECB + 0x104), 1);
    assert_int_equal(irqs(14), 1);
    us(50);
    assert_int_equal(rd(ECB + 0x100), 0);
}

static void egu_sixteen_channels_six_instances(void **state)
{
    (void)state;
    rig_start();
    for (uint32_t e = 0; e < 6; e++) {
        uint32_t b = EGU0 + 0x1000 * e;
        for (uint32_t c = 0; c < 16; c++) {
            unsigned before = irqs(20 + e);
            wr(b + 0x300, 1u << c);
            assert_int_equal(rd(b + 0x304), 1u << c);
            irq_on(20 + e);
            wr(b + 4 * ((c + 1) % 16), 1);
            us(1);
            assert_int_equal(irqs(20 + e), before);
            wr(b + 4 * c, 1);
            us(1);
            assert_int_equal(irqs(20 + e), before + 1);
            assert_int_equal(rd(b + 0x100 + 4 * c), 1);
            wr(b + 0x100 + 4 * c, 0);
            wr(b + 0x100 + 4 * ((c + 1) % 16), 0);
            wr(b + 0x308, 0xFFFF);
        }
    }
}

/* SWI is the line alone: pended in the NVIC, by ISPR or STIR. */
static void swi(void **state)
{
    (void)state;
    rig_start();
    irq_on(25);
    wr(0xE000E200, 1u << 25);
    us(1);
    assert_int_equal(irqs(25), 1);
    irq_on(25);
    wr(0xE000EF00, 25);
    us(1);
    assert_int_equal(irqs(25), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rng_times_and_values, rig_stop),
        cmocka_unit_test_teardown(rng_is_the_seed_s, rig_stop),
        cmocka_unit_test_teardown(temp_is_25_degrees, rig_stop),
        cmocka_unit_test_teardown(ecb_encrypts, rig_stop),
        cmocka_unit_test_teardown(egu_sixteen_channels_six_instances, rig_stop),
        cmocka_unit_test_teardown(swi, rig_stop),
    };
    return cmocka_run_group_tests_name("small", tests, NULL, NULL);
}
