/* SPIM, legacy SPI and TWI of slots 3, 4, 35 and 47, a NOR part behind one of them. */
#include "tests/board/spi_frame.h"

enum { SPIM3 = 0x4002F000, TWIM0 = 0x40003000 };
static const uint32_t bases[4] = { 0x40003000, 0x40004000, SPIM2, SPIM3 };
static const unsigned irq_of[4] = { 3, 4, 35, 47 };

static const struct nor_part *flash(void)
{
    return nor_part_find("mx25r6435f");
}

static void reads_the_id(void **state)
{
    uint8_t id[3], op = 0x9F;
    (void)state;
    spi_rig(flash());
    spi_frame(&op, 1, id, 3);
    assert_memory_equal(id, "\xC2\x28\x17", 3);
    assert_int_equal(rd(SPIM2 + 0x110), 1); /* ENDRX */
    assert_int_equal(rd(SPIM2 + 0x120), 1); /* ENDTX */
    assert_int_equal(rd(SPIM2 + 0x14C), 1); /* STARTED */
    assert_int_equal(rd(SPIM2 + 0x53C), 4); /* AMOUNT, both */
    assert_int_equal(rd(SPIM2 + 0x54C), 1);
    wr(0x50000508, 1u << SPI_CS); /* not selected: nobody drives MISO */
    wr(SPIM2 + 0x118, 0);
    wr(SPIM2 + 0x10, 1);
    us(100);
    ram_get(SPI_RX, id, 3);
    assert_memory_equal(id, "\xFF\xFF\xFF", 3);
}

static void speed_and_interrupt(void **state)
{
    static const struct { uint32_t reg; double mhz; } rates[] = { { 0x02000000, 0.125 }, { 0x04000000, 0.25 }, { 0x08000000, 0.5 },
        { 0x10000000, 1 }, { 0x20000000, 2 }, { 0x40000000, 4 }, { 0x80000000, 8 }, { 0x0A000000, 16 }, { 0x14000000, 32 } };
    (void)state;
    rig_start();
    for (unsigned i = 0; i < 4; i++) {
        uint32_t b = bases[i];
        wr(b + 0x500, 7);
        wr(b + 0x544, RIG_RAM);
        wr(b + 0x548, 100);
        wr(b + 0x538, 0);
        for (unsigned r = 0; r < (i == 3 ? 9u : 7u); r++) {
            wr(b + 0x524, rates[r].reg);
            wr(b + 0x118, 0);
            wr(b + 0x10, 1);
            double t = until_event(b + 0x118, 10000), want = 800 / rates[r].mhz;
            assert_true(t > want - 1 && t < want * 1.01 + 22);
        }
        wr(b + 0x118, 0);
        wr(b + 0x304, 1u << 6);
        irq_on(irq_of[i]);
        wr(b + 0x10, 1);
        us(10000);
        assert_int_equal(irqs(irq_of[i]), 1);
    }
}

static void over_read_character_and_shortcut(void **state)
{
    (void)state;
    spi_rig(flash());
    wr(SPIM2 + 0x5C0, 0x9F); /* ORC: what is sent when there is nothing to send */
    wr(0x5000050C, 1u << SPI_CS);
    wr(SPIM2 + 0x548, 0);
    wr(SPIM2 + 0x534, SPI_RX);
    wr(SPIM2 + 0x538, 4);
    wr(SPIM2 + 0x10, 1);
    us(100);
    assert_int_equal(ram_word(SPI_RX), 0x1728C2FF);
    wr(SPIM2 + 0x200, 1u << 17); /* END_START */
    wr(SPIM2 + 0x118, 0);
    wr(SPIM2 + 0x10, 1);
    us(20);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(until_event(SPIM2 + 0x118, 100) >= 0);
        wr(SPIM2 + 0x118, 0);
    }
    wr(SPIM2 + 0x200, 0);
    wr(SPIM2 + 0x14, 1);
    assert_int_equal(rd(SPIM2 + 0x104), 1); /* STOPPED */
    wr(SPIM2 + 0x118, 0);
    us(100);
    assert_int_equal(rd(SPIM2 + 0x118), 0);
    wr(SPIM2 + 0x500, 0);
    wr(SPIM2 + 0x10, 1);
    us(100);
    assert_int_equal(rd(SPIM2 + 0x118), 0); /* disabled */
}

/* SPIM3 may drive CS itself: each transfer is a frame. */
static void own_chip_select(void **state)
{
    struct board_config config = { .spi = flash(), .spi_bus = 3, .spi_cs_pin = 40, .seed = 1 };
    (void)state;
    rig_start_with(&config);
    wr(0x50000808, 1u << 8); /* the GPIO itself is an output and high */
    wr(0x50000818, 1u << 8);
    wr(SPIM3 + 0x514, 40);
    wr(SPIM3 + 0x500, 7);
    ram_put(SPI_TX, "\x9F", 1);
    wr(SPIM3 + 0x544, SPI_TX);
    wr(SPIM3 + 0x548, 1);
    wr(SPIM3 + 0x534, SPI_RX);
    wr(SPIM3 + 0x538, 4);
    for (unsigned i = 0; i < 2; i++) {
        wr(SPIM3 + 0x10, 1);
        us(300);
        assert_int_equal(ram_word(SPI_RX), 0x1728C2FF);
        ram_put(SPI_RX, "\0\0\0\0", 4);
    }
}

static void legacy_spi(void **state)
{
    uint8_t got[4];
    (void)state;
    spi_rig(flash());
    wr(SPIM2 + 0x500, 1);
    wr(SPIM2 + 0x304, 1u << 2);
    irq_on(35);
    wr(0x5000050C, 1u << SPI_CS);
    for (unsigned i = 0; i < 4; i++) {
        wr(SPIM2 + 0x108, 0);
        wr(SPIM2 + 0x51C, i ? 0 : 0x9F);
        us(5);
        assert_int_equal(rd(SPIM2 + 0x108), 1);
        got[i] = (uint8_t)rd(SPIM2 + 0x518);
    }
    assert_memory_equal(got, "\xFF\xC2\x28\x17", 4);
    assert_int_equal(irqs(35), 1);
    wr(0x50000508, 1u << SPI_CS);
}

static void nobody_on_the_two_wire_bus(void **state)
{
    static const struct { uint32_t freq; double us_; } rates[] = { { 0x01980000, 100 }, { 0x04000000, 40 }, { 0x06400000, 25 } };
    (void)state;
    rig_start();
    irq_on(3);
    for (unsigned legacy = 0; legacy < 2; legacy++) {
        for (unsigned i = 0; i < 3; i++) {
            wr(TWIM0 + 0x500, legacy ? 5 : 6);
            wr(TWIM0 + 0x524, rates[i].freq);
            wr(TWIM0 + 0x588, 0x1D);
            wr(TWIM0 + (i % 2 ? 0 : 8), 1); /* STARTRX, STARTTX */
            double t = until_event(TWIM0 + 0x124, 500);
            assert_true(t > rates[i].us_ * 0.9 && t < rates[i].us_ * 1.1 + 1);
            assert_int_equal(rd(TWIM0 + 0x4C4), 2); /* ANACK */
            wr(TWIM0 + 0x4C4, 2);
            assert_int_equal(rd(TWIM0 + 0x4C4), 0);
            wr(TWIM0 + 0x124, 0);
            wr(TWIM0 + 0x1C, 1);
            assert_int_equal(rd(TWIM0 + 0x148), 1); /* SUSPENDED */
            wr(TWIM0 + 0x20, 1);
            wr(TWIM0 + 0x14, 1);
            assert_int_equal(rd(TWIM0 + 0x104), 1);
            wr(TWIM0 + 0x104, 0);
        }
    }
    wr(TWIM0 + 0x500, 6);
    wr(TWIM0 + 0x300, 1u << 9);
    wr(TWIM0 + 8, 1);
    assert_int_equal(rd(TWIM0 + 0x150), 1);
    us(200);
    assert_int_equal(irqs(3), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reads_the_id, rig_stop),
        cmocka_unit_test_teardown(speed_and_interrupt, rig_stop),
        cmocka_unit_test_teardown(over_read_character_and_shortcut, rig_stop),
        cmocka_unit_test_teardown(own_chip_select, rig_stop),
        cmocka_unit_test_teardown(legacy_spi, rig_stop),
        cmocka_unit_test_teardown(nobody_on_the_two_wire_bus, rig_stop),
    };
    return cmocka_run_group_tests_name("spim", tests, NULL, NULL);
}
