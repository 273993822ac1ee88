/*
 * The handover: what was written is taken, once; what lies there otherwise (noise, an older or longer struct,
 * bits that RAM has lost, bytes that somebody put there) is not believed, and nothing is read or
 * written beyond its room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/crc.h"
#include "core/boot/handover.h"

enum { OFF_VERSION = 4, OFF_LEN = 6, OFF_CRC = 8, USED = HANDOVER_HEADER + (int)sizeof(struct handover), GUARD = 64 };

static struct {
    uint8_t before[GUARD];
    uint8_t at[HANDOVER_ROOM];
    uint8_t behind[GUARD];
} ram;

static struct handover sample(void)
{
    struct handover h;

    memset(&h, 0, sizeof h);
    h.reset_reasons = 4;
    h.watchdog_s = 30;
    h.fault = (struct handover_fault) { 3, 0xC400, 0xC500, 0x8200, 0x40000000, 0xC200 };
    h.report.action = BOOT_ACTION_REVERT;
    h.report.findings = REPORT_FINDINGS;
    h.report.finding[REPORT_FINDINGS - 1] = (struct finding) { .reason = REASON_REVERTED, .where = UINT32_MAX };
    return h;
}

static int fill(void **state)
{
    (void)state;
    memset(&ram, 0xA5, sizeof ram);
    return 0;
}

static void expect_guards(void)
{
    for (int i = 0; i < GUARD; i++) {
        assert_int_equal(ram.before[i], 0xA5);
        assert_int_equal(ram.behind[i], 0xA5);
    }
    for (int i = USED; i < HANDOVER_ROOM; i++)
        assert_int_equal(ram.at[i], 0xA5);
}

/* Not believed: all zero, and the place is left so that nobody believes it later. */
static void expect_nothing(const char *what)
{
    struct handover h, none;

    memset(&h, 0x5A, sizeof h);
    memset(&none, 0, sizeof none);
    if (handover_take(ram.at, &h))
        fail_msg("%s was believed", what);
    assert_memory_equal(&h, &none, sizeof h);
    assert_int_equal(ld_le32(ram.at), 0);
}

static void what_was_written_is_taken_once(void **state)
{
    struct handover h = sample(), got;

    (void)state;
    handover_write(ram.at, &h);
    expect_guards();
    assert_true(handover_take(ram.at, &got));
    assert_memory_equal(&got, &h, sizeof h);
    expect_nothing("a handover that was taken before");
    expect_guards();
}

/* The bootloader writes over whatever is there, its own last one too. */
static void the_last_one_counts(void **state)
{
    struct handover h = sample(), got;

    (void)state;
    handover_write(ram.at, &h);
    h.report.action = BOOT_ACTION_INSTALL;
    h.fault.exception = 0;
    handover_write(ram.at, &h);
    assert_true(handover_take(ram.at, &got));
    assert_memory_equal(&got, &h, sizeof h);
}

/* The chip aligns it to nothing but a word; neither function asks for more than bytes. */
static void any_address_will_do(void **state)
{
    static uint8_t bytes[HANDOVER_ROOM + 4];
    struct handover h = sample(), got;

    (void)state;
    for (int skew = 0; skew < 4; skew++) {
        handover_write(bytes + skew, &h);
        assert_true(handover_take(bytes + skew, &got));
        assert_memory_equal(&got, &h, sizeof h);
    }
}

static void each_bit_counts(void **state)
{
    struct handover h = sample();

    (void)state;
    for (int bit = 0; bit < USED * 8; bit++) {
        handover_write(ram.at, &h);
        ram.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_nothing("a handover with one bit changed");
    }
    expect_guards();
}

/* RAM that was never written, and what it looks like when power comes back. */
static void noise_is_not_believed(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        memset(ram.at, (int)byte, sizeof ram.at);
        expect_nothing("one byte all over");
    }
    for (int i = 0; i < 1000; i++) {
        for (int k = 0; k < USED; k++)
            ram.at[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        st_le32(ram.at, 0x4F484C53);
        st_le16(ram.at + OFF_VERSION, HANDOVER_VERSION);
        st_le16(ram.at + OFF_LEN, sizeof(struct handover));
        ram.at[HANDOVER_HEADER + offsetof(struct handover, report.findings)] = 0;
        expect_nothing("noise behind the right header");
    }
}

/* Of another age: everything right, and the CRC over what it says its length is, or over what ours is. */
static void another_version_or_length_is_not_believed(void **state)
{
    static const struct {
        const char *what;
        uint16_t version, len;
    } rows[] = {
        { "the version before", HANDOVER_VERSION - 1, sizeof(struct handover) },
        { "the next version", HANDOVER_VERSION + 1, sizeof(struct handover) },
        { "a shorter struct", HANDOVER_VERSION, sizeof(struct handover) - 4 },
        { "a longer struct", HANDOVER_VERSION, sizeof(struct handover) + 4 },
        { "no length", HANDOVER_VERSION, 0 },
        { "a length beyond its room", HANDOVER_VERSION, 0xFFFF },
    };
    struct handover h = sample();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t room = HANDOVER_ROOM - HANDOVER_HEADER, len = rows[i].len < room ? rows[i].len : room;
        for (int ours = 0; ours < 2; ours++) {
            handover_write(ram.at, &h);
            st_le16(ram.at + OFF_VERSION, rows[i].version);
            st_le16(ram.at + OFF_LEN, rows[i].len);
            st_le32(ram.at + OFF_CRC, crc32(0, ram.at + HANDOVER_HEADER, ours ? sizeof(struct handover) : len));
            expect_nothing(rows[i].what);
        }
    }
    expect_guards();
}

/* Well made, by somebody who is no bootloader: more findings than there is room for would be read out of RAM. */
static void more_findings_than_there_are_is_not_believed(void **state)
{
    struct handover h = sample();

    (void)state;
    h.report.findings = REPORT_FINDINGS + 1;
    handover_write(ram.at, &h);
    expect_nothing("a report of nine findings");
    h.report.findings = 255;
    handover_write(ram.at, &h);
    expect_nothing("a report of 255 findings");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_was_written_is_taken_once, fill),
        cmocka_unit_test_setup(the_last_one_counts, fill),
        cmocka_unit_test_setup(any_address_will_do, fill),
        cmocka_unit_test_setup(each_bit_counts, fill),
        cmocka_unit_test_setup(noise_is_not_believed, fill),
        cmocka_unit_test_setup(more_findings_than_there_are_is_not_believed, fill),
        cmocka_unit_test_setup(another_version_or_length_is_not_believed, fill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
