/*
 * The NOR parts as their bus sees them: identity, SFDP, status registers, protection, programs and erases
 * with their times, what a busy part ignores, power-down, reset, 4-byte addresses.
 */
#include "tests/board/spi_frame.h"

enum { WIP = 1, WEL = 2 };

static struct nor_part *made;

/* What a Winbond-like devicetree would say: 8 MiB, addresses of 3 or 4 bytes. */
static const uint8_t bfpt[64] = { 0xE5, 0x20, 0xF3, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x42, 0xBB,
    0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0xFF, 0xFF, 0x40, 0xEB, 0x0C, 0x20, 0x0F, 0x52, 0x10, 0xD8, 0x00, 0x00,
    0x36, 0x02, 0xA6, 0x00, 0x82, 0xEA, 0x14, 0xC9, 0xE9, 0x63, 0x76, 0x33, 0x7A, 0x75, 0x7A, 0x75, 0xF7, 0xA2, 0xD5, 0x5C,
    0x19, 0xF7, 0x4D, 0xFF, 0xE9, 0x30, 0xF8, 0x80 };

static const struct nor_part *part(unsigned i)
{
    static const uint8_t id[3] = { 0xEF, 0x40, 0x17 };
    if (!made)
        made = nor_part_generic(id, 8u << 20, bfpt, sizeof bfpt, 4);
    return i == 0 ? nor_part_find("at25xe321d") : i == 1 ? nor_part_find("mx25r6435f") : made;
}

static const struct {
    uint8_t id[3];
    uint32_t size;
    double t4, t32, t64, page, status; /* ms */
} facts[3] = {
    { { 0x1F, 0x47, 0x0C }, 4u << 20, 64, 512, 1008, 1.472, 11.4 },
    { { 0xC2, 0x28, 0x17 }, 8u << 20, 48, 240, 480, 0.896, 10 },
    { { 0xEF, 0x40, 0x17 }, 8u << 20, 64, 128, 160, 0.704, 10 },
};

static void enable_and(uint8_t op, uint32_t addr, const uint8_t *data, uint32_t n)
{
    spi_cmd(0x06);
    spi_at(op, addr, data, n, NULL, 0);
}

static uint8_t byte_at(uint32_t addr)
{
    uint8_t v;
    spi_at(0x03, addr, NULL, 0, &v, 1);
    return v;
}

static void identity(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint8_t id[4], rems[2], zero[3] = { 0 }, op = 0x9F, res;
        spi_rig(part(i));
        spi_frame(&op, 1, id, 4);
        assert_memory_equal(id, facts[i].id, 3);
        assert_int_equal(id[3], i == 0 ? 1 : 0); /* Adesto's extended byte */
        spi_at(0x90, 0, NULL, 0, rems, 2);
        assert_int_equal(rems[0], facts[i].id[0]);
        spi_at(0xAB, 0, NULL, 0, &res, 1);
        assert_int_equal(res, rems[1]);
        (void)zero;
        assert_int_equal(nor_part_size(part(i)), facts[i].size);
        uint8_t uid[8], frame[5] = { 0x4B };
        spi_frame(frame, 5, uid, 8);
        assert_true(uid[0] != 0xFF && uid[0] != uid[1]);
    }
}

static uint32_t sfdp_word(uint32_t addr)
{
    uint8_t tx[5] = { 0x5A, 0, (uint8_t)(addr >> 8), (uint8_t)addr, 0 }, v[4];
    spi_frame(tx, 5, v, 4);
    return v[0] | (uint32_t)v[1] << 8 | (uint32_t)v[2] << 16 | (uint32_t)v[3] << 24;
}

/* The table that is read says what the part then does. */
static void sfdp_tells_the_truth(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        assert_int_equal(sfdp_word(0), 0x50444653);
        uint32_t at = sfdp_word(12) & 0xFFFFFF;
        assert_int_equal(sfdp_word(8) >> 24, 16); /* dwords */
        assert_int_equal(sfdp_word(12) >> 24, 0xFF);
        assert_int_equal(sfdp_word(at + 4), facts[i].size * 8 - 1);
        assert_int_equal(sfdp_word(at) & 3u, 1);
        assert_int_equal(sfdp_word(at) >> 8 & 0xFFu, 0x20);
        assert_int_equal(sfdp_word(at + 28), 0x520F200C);
        assert_int_equal(sfdp_word(at + 32) & 0xFFFFu, 0xD810);
        static const unsigned unit[4] = { 1, 16, 128, 1000 };
        uint32_t d10 = sfdp_word(at + 36);
        double t4 = ((d10 >> 4 & 31u) + 1) * unit[d10 >> 9 & 3u];
        assert_true(t4 == facts[i].t4);
        assert_int_equal(sfdp_word(at + 56) >> 20 & 7u, i == 0 ? 5 : i == 1 ? 2 : 4); /* QER */
        assert_int_equal(sfdp_word(0x8000), 0xFFFFFFFF);
    }
}

static void program_clears_bits_and_wraps(void **state)
{
    uint8_t data[300];
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        for (unsigned k = 0; k < sizeof data; k++)
            data[k] = (uint8_t)k;
        spi_at(0x02, 0x1000, data, 4, NULL, 0); /* without write enable */
        assert_int_equal(spi_ask(0x05), 0);
        assert_int_equal(byte_at(0x1001), 0xFF);
        spi_cmd(0x06);
        assert_int_equal(spi_ask(0x05), WEL);
        spi_cmd(0x04);
        assert_int_equal(spi_ask(0x05), 0);
        enable_and(0x02, 0x10F0, data, 32);
        double t = spi_busy();
        assert_true(t > facts[i].page * 980 && t < facts[i].page * 1030);
        assert_int_equal(spi_ask(0x05), 0); /* WEL is gone */
        assert_int_equal(byte_at(0x10F0), 0);
        assert_int_equal(byte_at(0x10FF), 15);
        assert_int_equal(byte_at(0x1000), 16); /* wrapped inside the page */
        assert_int_equal(byte_at(0x100F), 31);
        assert_int_equal(byte_at(0x1100), 0xFF);
        data[0] = 0xF0;
        enable_and(0x02, 0x100F, data, 1);
        (void)spi_busy();
        assert_int_equal(byte_at(0x100F), 31 & 0xF0);
        for (unsigned k = 0; k < sizeof data; k++)
            data[k] = (uint8_t)(k >> 1);
        enable_and(0x02, 0x2000, data, 300); /* more than a page: the last 256 count */
        (void)spi_busy();
        assert_int_equal(byte_at(0x2000), 256 >> 1);
        assert_int_equal(byte_at(0x202B), 299 >> 1);
        assert_int_equal(byte_at(0x202C), 0x2C >> 1);
    }
}

static void erases(void **state)
{
    static const struct { uint8_t op; uint32_t len; } kinds[] = { { 0x20, 4096 }, { 0x52, 32768 }, { 0xD8, 65536 } };
    const uint8_t zero[2] = { 0 };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const double ms[3] = { facts[i].t4, facts[i].t32, facts[i].t64 };
        spi_rig(part(i));
        for (unsigned k = 0; k < 3; k++) {
            uint32_t at = 0x20000, end = at + kinds[k].len;
            const uint32_t places[4] = { at - 1, at, end - 1, end };
            for (unsigned p = 0; p < 4; p++) {
                enable_and(0x02, places[p], zero, 1);
                (void)spi_busy();
            }
            spi_at(kinds[k].op, at, NULL, 0, NULL, 0); /* not enabled */
            assert_int_equal(byte_at(at), 0);
            enable_and(kinds[k].op, at + 0x123, NULL, 0);
            double t = spi_busy();
            assert_true(t > ms[k] * 990 && t < ms[k] * 1010);
            assert_int_equal(byte_at(at - 1), 0);
            assert_int_equal(byte_at(at), 0xFF);
            assert_int_equal(byte_at(end - 1), 0xFF);
            assert_int_equal(byte_at(end), 0);
        }
        spi_cmd(0x06);
        spi_cmd(0xC7);
        assert_true(spi_busy() > 20e6);
        assert_int_equal(byte_at(0x30000), 0xFF);
        spi_cmd(0x06);
        spi_cmd(0x60);
        assert_int_equal(spi_ask(0x05) & WIP, WIP);
    }
}

static void reads_run_round_the_end(void **state)
{
    const uint8_t v = 0x5A;
    uint8_t got[2], tx[5] = { 0x0B, 0x3F, 0xFF, 0xFF, 0 };
    (void)state;
    spi_rig(part(0));
    enable_and(0x02, 0, &v, 1);
    (void)spi_busy();
    spi_at(0x03, 0x3FFFFF, NULL, 0, got, 2);
    assert_int_equal(got[0], 0xFF);
    assert_int_equal(got[1], 0x5A);
    spi_frame(tx, 5, got, 2); /* fast read: one dummy byte */
    assert_int_equal(got[0], 0xFF);
    assert_int_equal(got[1], 0x5A);
}

static void busy_parts_are_deaf(void **state)
{
    const uint8_t zero[1] = { 0 };
    uint8_t id[3], op = 0x9F;
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        enable_and(0x20, 0, NULL, 0);
        spi_cmd(0x06);
        enable_and(0x02, 0x5000, zero, 1);
        spi_frame(&op, 1, id, 3);
        assert_int_equal(id[0], 0xFF);
        assert_int_equal(byte_at(0x5000), 0xFF);
        assert_int_equal(spi_ask(0x05), WIP);
        (void)spi_busy();
        assert_int_equal(byte_at(0x5000), 0xFF);
    }
}

static void wrsr(const uint8_t *bytes, uint32_t n, double ms)
{
    spi_cmd(0x06);
    spi_frame(bytes, n, NULL, 0);
    double t = spi_busy();
    assert_true(t > ms * 1000 - 300 && t < ms * 1000 + 300);
}

static void protection_ignores_in_silence(void **state)
{
    static const uint8_t mask[3] = { 0x1C, 0x3C, 0x1C };
    const uint8_t zero[1] = { 0 };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned bit = 2; bit < 6; bit++) {
            if (!(mask[i] >> bit & 1u))
                continue;
            uint8_t on[2] = { 0x01, (uint8_t)(1u << bit) }, off[2] = { 0x01, 0 };
            spi_rig(part(i));
            spi_frame(on, 2, NULL, 0); /* not enabled */
            assert_int_equal(spi_ask(0x05), 0);
            wrsr(on, 2, facts[i].status);
            assert_int_equal(spi_ask(0x05), 1u << bit);
            enable_and(0x02, 0x100, zero, 1);
            assert_int_equal(spi_ask(0x05) & WIP, 0);
            assert_int_equal(byte_at(0x100), 0xFF);
            enable_and(0x20, 0, NULL, 0);
            assert_int_equal(spi_ask(0x05) & WIP, 0);
            board_power_on(rig); /* it is non-volatile */
            rig_settle();
            wr(0x50000508, 1u << SPI_CS);
            wr(0x50000518, 1u << SPI_CS);
            for (uint32_t r = 0x508; r <= 0x510; r += 4)
                wr(SPIM2 + r, 19);
            wr(SPIM2 + 0x500, 7);
            assert_int_equal(spi_ask(0x05), 1u << bit);
            wrsr(off, 2, facts[i].status);
            enable_and(0x02, 0x100, zero, 1);
            (void)spi_busy();
            assert_int_equal(byte_at(0x100), 0);
        }
    }
}

static void status_registers(void **state)
{
    const uint8_t two[3] = { 0x01, 0x00, 0x02 }, one[2] = { 0x01, 0x00 }, sr2[2] = { 0x31, 0x42 }, sr3[2] = { 0x11, 0x60 };
    const uint8_t qe[2] = { 0x01, 0x40 }, cr[3] = { 0x01, 0x40, 0x08 };
    (void)state;
    spi_rig(part(0)); /* Adesto: SR2 bit 1 is QE, any register by 65h and 71h */
    wrsr(two, 3, facts[0].status);
    assert_int_equal(spi_ask(0x35), 2);
    wrsr(one, 2, facts[0].status);
    assert_int_equal(spi_ask(0x35), 2); /* one byte leaves the second */
    wrsr(sr2, 2, facts[0].status);
    assert_int_equal(spi_ask(0x35), 0x42);
    wrsr(sr3, 2, facts[0].status);
    assert_int_equal(spi_ask(0x15), 0x60);
    uint8_t any[3] = { 0x71, 5, 0x20 }, ask[3] = { 0x65, 5, 0 }, v;
    wrsr(any, 3, facts[0].status);
    spi_frame(ask, 3, &v, 1);
    assert_int_equal(v, 0x20);
    ask[1] = 1;
    spi_frame(ask, 3, &v, 1);
    assert_int_equal(v, spi_ask(0x05));
    spi_rig(part(1)); /* Macronix: QE in SR1 bit 6, 15h reads the configuration */
    wrsr(qe, 2, facts[1].status);
    assert_int_equal(spi_ask(0x05), 0x40);
    wrsr(cr, 3, facts[1].status);
    assert_int_equal(spi_ask(0x15), 0x08);
    spi_rig(part(2));
    wrsr(two, 3, facts[2].status);
    assert_int_equal(spi_ask(0x35), 2);
    static const uint8_t id[3] = { 0xC8, 0x40, 0x15 };
    struct nor_part *v1 = nor_part_generic(id, 2u << 20, NULL, 0, 1);
    spi_rig(v1); /* S2B1v1: one byte clears the second register */
    wrsr(two, 3, 10);
    assert_int_equal(spi_ask(0x35), 2);
    wrsr(one, 2, 10);
    assert_int_equal(spi_ask(0x35), 0);
    assert_int_equal(sfdp_word(0), 0xFFFFFFFF); /* no table given, none there */
    (void)rig_stop(NULL);
    nor_part_free(v1);
    v1 = nor_part_generic(id, 2u << 20, NULL, 0, 3);
    const uint8_t w3e[2] = { 0x3E, 0x80 };
    spi_rig(v1); /* S2B7: 3Eh writes, 3Fh reads */
    wrsr(w3e, 2, 10);
    assert_int_equal(spi_ask(0x3F), 0x80);
    (void)rig_stop(NULL);
    nor_part_free(v1);
}

/* 50h before a status write: it is there at once, allows nothing else, and a reset takes it back. */
static void volatile_status(void **state)
{
    const uint8_t qe[2] = { 0x31, 0x02 }, zero[1] = { 0 };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        spi_cmd(0x50);
        assert_int_equal(spi_ask(0x05), 0); /* no WEL, and that was another frame */
        spi_frame(qe, 2, NULL, 0);
        assert_int_equal(spi_ask(0x35), 0);
        spi_cmd(0x50);
        spi_frame(qe, 2, NULL, 0);
        assert_int_equal(spi_ask(0x05), 0); /* not busy */
        assert_int_equal(spi_ask(0x35), i == 1 ? 0 : 2); /* the MX25R does not know it */
        spi_cmd(0x50);
        spi_at(0x02, 0x100, zero, 1, NULL, 0);
        assert_int_equal(byte_at(0x100), 0xFF);
        spi_cmd(0x66);
        spi_cmd(0x99);
        us(50);
        assert_int_equal(spi_ask(0x35), 0);
    }
}

static bool knows_itself(void)
{
    uint8_t id[3], op = 0x9F;
    spi_frame(&op, 1, id, 3);
    return id[0] != 0xFF;
}

static void deep_power_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        spi_cmd(0xB9);
        us(30);
        assert_int_equal(spi_ask(0x05), 0xFF);
        if (i == 1) { /* MX25R: that frame woke it */
            us(40);
            assert_true(knows_itself());
            continue;
        }
        assert_false(knows_itself());
        spi_cmd(0x06);
        spi_cmd(0xAB);
        assert_false(knows_itself()); /* still waking up */
        us(40);
        assert_true(knows_itself());
        assert_int_equal(spi_ask(0x05), 0); /* the write enable was not heard */
    }
    spi_rig(part(0));
    spi_cmd(0x79); /* ultra-deep: up to 1.2 ms to come back */
    spi_cmd(0xAB);
    us(300);
    assert_false(knows_itself());
    us(1000);
    assert_true(knows_itself());
}

static void software_reset(void **state)
{
    const uint8_t zero[1] = { 0 };
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        spi_rig(part(i));
        enable_and(0x02, 0x3000, zero, 1);
        (void)spi_busy();
        spi_cmd(0x06);
        spi_cmd(0x99); /* alone it is nothing */
        assert_int_equal(spi_ask(0x05), WEL);
        spi_cmd(0x66);
        spi_cmd(0x05); /* something in between */
        spi_cmd(0x99);
        assert_int_equal(spi_ask(0x05), WEL);
        spi_cmd(0x66);
        spi_cmd(0x99);
        us(50);
        assert_int_equal(spi_ask(0x05), 0);
        enable_and(0xD8, 0x0000, NULL, 0); /* in the middle of an erase */
        spi_cmd(0x66);
        spi_cmd(0x99);
        us(50);
        assert_int_equal(spi_ask(0x05), 0);
        assert_true(knows_itself());
    }
}

/* Only a part whose table says so takes four address bytes. */
static void four_byte_addresses(void **state)
{
    uint8_t tx[6] = { 0x02, 0x00, 0x40, 0x00, 0x07, 0x33 }, rd4[5] = { 0x03, 0x00, 0x40, 0x00, 0x07 }, v;
    (void)state;
    spi_rig(part(2));
    spi_cmd(0xB7);
    spi_cmd(0x06);
    spi_frame(tx, 6, NULL, 0);
    (void)spi_busy();
    spi_frame(rd4, 5, &v, 1);
    assert_int_equal(v, 0x33);
    spi_cmd(0xE9);
    assert_int_equal(byte_at(0x400007), 0x33);
    spi_rig(part(0));
    spi_cmd(0xB7);
    assert_int_equal(byte_at(0x10), 0xFF);
    enable_and(0x02, 0x10, (const uint8_t *)"\x11", 1);
    (void)spi_busy();
    assert_int_equal(byte_at(0x10), 0x11); /* it still takes three */
}

static void generic_parts_have_limits(void **state)
{
    static const uint8_t id[3] = { 1, 2, 3 };
    (void)state;
    assert_null(nor_part_generic(id, 32768, NULL, 0, 0));
    assert_null(nor_part_generic(id, 100000, NULL, 0, 0));
    assert_null(nor_part_generic(id, 256u << 20, NULL, 0, 0));
    assert_null(nor_part_generic(id, 65536, bfpt, 63, 0));
    assert_null(nor_part_find("nothing"));
    assert_string_equal(nor_part_name(part(0)), "at25xe321d");
}

static int stop_all(void **state)
{
    (void)rig_stop(state);
    nor_part_free(made);
    made = NULL;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(identity, stop_all),
        cmocka_unit_test_teardown(sfdp_tells_the_truth, stop_all),
        cmocka_unit_test_teardown(program_clears_bits_and_wraps, stop_all),
        cmocka_unit_test_teardown(erases, stop_all),
        cmocka_unit_test_teardown(reads_run_round_the_end, stop_all),
        cmocka_unit_test_teardown(busy_parts_are_deaf, stop_all),
        cmocka_unit_test_teardown(protection_ignores_in_silence, stop_all),
        cmocka_unit_test_teardown(status_registers, stop_all),
        cmocka_unit_test_teardown(volatile_status, stop_all),
        cmocka_unit_test_teardown(deep_power_down, stop_all),
        cmocka_unit_test_teardown(software_reset, stop_all),
        cmocka_unit_test_teardown(four_byte_addresses, stop_all),
        cmocka_unit_test_teardown(generic_parts_have_limits, stop_all),
    };
    return cmocka_run_group_tests_name("nor", tests, NULL, NULL);
}
