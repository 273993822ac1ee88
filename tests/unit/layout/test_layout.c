#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/boot/layout.h"

enum { KIB = 1024 };

#define HASH_AT25 0x5FC4A507u
#define UNIT_FOR_ZERO 0x334B9FCAu

/* The two boards of the tree by hand: what host/lib/layout reads must come to the same. */
static const struct layout at25 = {
    .board = "at25xe321d_nrf52840",
    .internal_size = 1024 * KIB,
    .internal_erase = 4096,
    .external_size = 4096 * KIB,
    .external_erase = 4096,
    .external_jedec = 0x1F470C,
    .boot = { 0, 48 * KIB },
    .slot0 = { 0xC000, 904 * KIB },
    .slot1 = { 0, 1024 * KIB },
    .state = { 0xEE000, 16 * KIB },
    .unit = 4096,
};

static struct layout with_slots(uint32_t slot0_units, uint32_t slot1_units)
{
    struct layout l = at25;
    l.slot0.size = slot0_units * 4096;
    l.slot1.size = slot1_units * 4096;
    return l;
}

static void test_room(void **state)
{
    static const struct {
        const char *name;
        uint32_t slot0, slot1; /* units */
        uint32_t gap1, gap2; /* units of the largest image */
        uint32_t best; /* gap */
    } rows[] = {
        { "larger slot 1: slot 0's trailer is the limit", 226, 256, 225, 225, 2 },
        { "nrf52840dk: 896 and 892 KiB", 226, 226, 224, 223, 1 },
        { "slot 1 one unit larger", 226, 227, 225, 224, 1 },
        { "slot 1 two units larger", 226, 228, 225, 225, 2 },
        { "slot 1 smaller", 226, 200, 198, 197, 1 },
        { "gap 1 ends at 239 units", 256, 300, 239, 255, 2 },
        { "gap 2 ends at 256 units", 300, 300, 239, 256, 2 },
        { "smallest at gap 1", 2, 3, 1, 0, 1 },
        { "smallest at gap 2", 2, 4, 1, 1, 2 },
        { "slot 0 holds only its trailer", 1, 10, 0, 0, 0 },
        { "slot 1 has no room for a gap", 10, 2, 0, 0, 0 },
        { "no slots", 0, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layout l = with_slots(rows[i].slot0, rows[i].slot1);
        struct layout_room one = layout_room_gap(&l, 1), two = layout_room_gap(&l, 2);
        struct layout_room best = layout_room_best(&l);

        print_message("%s\n", rows[i].name);
        assert_int_equal(one.max_image, rows[i].gap1 * 4096);
        assert_int_equal(one.gap, rows[i].gap1 ? 1 : 0);
        assert_int_equal(two.max_image, rows[i].gap2 * 4096);
        assert_int_equal(two.gap, rows[i].gap2 ? 2 : 0);
        assert_int_equal(best.gap, rows[i].best);
        assert_int_equal(best.max_image, one.max_image > two.max_image ? one.max_image : two.max_image);
    }
}

static void test_room_needs_a_unit_and_a_gap(void **state)
{
    struct layout l = at25;

    (void)state;
    assert_int_equal(layout_room_gap(&l, 0).max_image, 0);
    assert_int_equal(layout_room_gap(&l, 3).max_image, 0);
    l.unit = 0;
    assert_int_equal(layout_room_best(&l).gap, 0);
    assert_int_equal(layout_units(&l, 1), 0);
    assert_int_equal(layout_gap_for(&l, 1, 1), 0);
}

static void test_gap_for(void **state)
{
    struct layout dk = with_slots(226, 226);
    struct layout none = with_slots(1, 1);

    (void)state;
    assert_int_equal(layout_gap_for(&dk, 892 * KIB, 4 * KIB), 2);
    assert_int_equal(layout_gap_for(&dk, 4 * KIB, 892 * KIB), 2);
    assert_int_equal(layout_gap_for(&dk, 892 * KIB + 1, 1), 1);
    assert_int_equal(layout_gap_for(&dk, 896 * KIB, 896 * KIB), 1);
    assert_int_equal(layout_gap_for(&dk, 1, 896 * KIB + 1), 0);
    assert_int_equal(layout_gap_for(&dk, UINT32_MAX, 1), 0);
    assert_int_equal(layout_gap_for(&dk, 0, 0), 2);
    assert_int_equal(layout_gap_for(&none, 0, 0), 0);
}

static void test_units(void **state)
{
    (void)state;
    assert_int_equal(layout_units(&at25, 0), 0);
    assert_int_equal(layout_units(&at25, 1), 1);
    assert_int_equal(layout_units(&at25, 4096), 1);
    assert_int_equal(layout_units(&at25, 4097), 2);
    assert_int_equal(layout_units(&at25, UINT32_MAX), 0x100000);
}

/* The value comes from Python: zlib.crc32(struct.pack("<13I", ...)) over the words of layout.h. */
static void test_hash(void **state)
{
    struct layout l = at25;

    (void)state;
    assert_int_equal(layout_hash(&l), HASH_AT25);
    l.board = "another name";
    l.external_jedec = 0;
    l.hash = 77;
    assert_int_equal(layout_hash(&l), HASH_AT25);
}

static void test_hash_covers_every_word(void **state)
{
    struct layout l = at25;
    uint32_t *const words[] = { &l.internal_size, &l.internal_erase, &l.external_size,
        &l.external_erase, &l.boot.off, &l.boot.size, &l.slot0.off, &l.slot0.size, &l.slot1.off,
        &l.slot1.size, &l.state.off, &l.state.size, &l.unit };

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        *words[i] ^= 0x1000;
        assert_int_not_equal(layout_hash(&l), HASH_AT25);
        *words[i] ^= 0x1000;
    }
    assert_int_equal(layout_hash(&l), HASH_AT25);
}

/* A layout whose CRC is 0 (found by solving for the last word) gets 1: 0 means "none" elsewhere. */
static void test_hash_is_never_zero(void **state)
{
    struct layout l = at25;

    (void)state;
    l.unit = UNIT_FOR_ZERO;
    assert_int_equal(layout_hash(&l), 1);
}

static void test_area(void **state)
{
    struct flash_dev dev = { 0 };
    struct flash_area a = layout_area(&at25.slot0, &dev);

    (void)state;
    assert_ptr_equal(a.dev, &dev);
    assert_int_equal(a.off, 0xC000);
    assert_int_equal(a.size, 904 * KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_room_needs_a_unit_and_a_gap),
        cmocka_unit_test(test_gap_for),
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_hash),
        cmocka_unit_test(test_hash_covers_every_word),
        cmocka_unit_test(test_hash_is_never_zero),
        cmocka_unit_test(test_area),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
