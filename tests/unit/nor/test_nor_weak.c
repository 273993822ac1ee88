/* Power cuts: what each tear leaves, and cells that read differently at each power-up. */
#include <string.h>

#include "tests/unit/nor/nor_rig.h"

static void cut_flag(void *ctx)
{
    *(bool *)ctx = true;
}

static void test_tears_of_a_program(void **state)
{
    static const struct {
        enum sim_tear tear;
        uint32_t clear, set; /* bits that must be clear, bits that must be set in the word */
    } cases[] = {
        { SIM_TEAR_NONE, 0, 0xFFFFFFFF },
        { SIM_TEAR_ALL, 0xF0F0F0F0, 0x0F0F0F0F },
        { SIM_TEAR_HALF, 0x0000F0F0, 0xFFFF0F0F },
        { SIM_TEAR_BITS, 0, 0x0F0F0F0F },
        { SIM_TEAR_WEAK, 0, 0x0F0F0F0F },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool cut = false;
        rig_close(state);
        rig_open(state);
        struct rig *r = (struct rig *)*state;
        r->power.cut = cut_flag;
        r->power.ctx = &cut;
        sim_power_cut_at(&r->power, 2, cases[i].tear);
        assert_int_equal(prog(&r->ind, 8, "\x0F\x0F\x0F\x0F", 4), OK);
        assert_int_equal(prog(&r->ind, 0, "\x0F\x0F\x0F\x0F", 4), ERR_NODEV);
        assert_true(cut);
        assert_true(r->power.off);
        assert_int_equal(erase(&r->exd, 0), ERR_NODEV);
        r->power.cut_at = 0;
        sim_power_up(&r->power);
        uint32_t w = word_at(&r->ind, 0);
        if ((w & cases[i].clear) != 0 || (w & cases[i].set) != cases[i].set)
            fail_msg("%s: %08x", sim_tear_name(cases[i].tear), w);
        assert_int_equal(word_at(&r->ind, 8), 0x0F0F0F0F);
    }
}

static void test_tears_of_an_erase(void **state)
{
    static const struct {
        enum sim_tear tear;
        uint32_t first, last; /* 1: don't care, nothing but bits set may differ */
    } cases[] = {
        { SIM_TEAR_NONE, 0, 0 },
        { SIM_TEAR_ALL, 0xFFFFFFFF, 0xFFFFFFFF },
        { SIM_TEAR_HALF, 0xFFFFFFFF, 0 },
        { SIM_TEAR_BITS, 1, 1 },
        { SIM_TEAR_WEAK, 1, 1 },
    };
    static const uint8_t zeros[RIG_UNIT];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_close(state);
        rig_open(state);
        struct rig *r = (struct rig *)*state;
        nor_load(&r->ex, 0, zeros, sizeof zeros);
        sim_power_cut_at(&r->power, 1, cases[i].tear);
        assert_int_equal(erase(&r->exd, 0), ERR_NODEV);
        r->power.cut_at = 0;
        sim_power_up(&r->power);
        uint32_t first = word_at(&r->exd, 0), last = word_at(&r->exd, RIG_UNIT - 4);
        if (cases[i].first != 1 && (first != cases[i].first || last != cases[i].last))
            fail_msg("%s: %08x %08x", sim_tear_name(cases[i].tear), first, last);
        if (cases[i].tear == SIM_TEAR_BITS)
            assert_true(first != 0 && first != 0xFFFFFFFF);
        assert_int_equal(nor_is_weak(&r->ex, 0, RIG_UNIT), cases[i].tear == SIM_TEAR_WEAK);
        assert_int_equal(word_at(&r->exd, RIG_UNIT), 0xFFFFFFFF);
    }
}

static void test_both_chips_are_torn(void **state)
{
    struct rig *r = (struct rig *)*state;

    nor_load(&r->ex, 0, "abcd", 4);
    nor_load(&r->in, 0, "abcd", 4);
    sim_power_cut_at(&r->power, 2, SIM_TEAR_NONE);
    r->power.tear_other = SIM_TEAR_ALL;
    assert_int_equal(erase(&r->exd, 0), OK);
    assert_int_equal(erase(&r->ind, 0), ERR_NODEV);
    sim_power_up(&r->power);
    assert_int_equal(word_at(&r->exd, 0), 0xFFFFFFFF);
    assert_int_equal(word_at(&r->ind, 0), 0x64636261);
}

/* An operation is in flight until the software has seen its end, however long ago that was. */
static void test_in_flight_until_polled(void **state)
{
    struct rig *r = (struct rig *)*state;

    nor_load(&r->ex, 0, "abcd", 4);
    assert_int_equal(erase(&r->exd, 0), OK);
    assert_int_equal(erase(&r->ind, 0), OK);
    assert_true(r->clock.us > r->ex.op_end_us);
    sim_power_cut_at(&r->power, 3, SIM_TEAR_NONE);
    assert_int_equal(erase(&r->ind, 64), ERR_NODEV);
    sim_power_up(&r->power);
    assert_int_equal(word_at(&r->exd, 0), 0x64636261);
}

/* Enumerates: gives `next` and remembers how many there were. */
struct chooser {
    unsigned next, n;
};

static unsigned pick(void *ctx, unsigned n)
{
    struct chooser *c = (struct chooser *)ctx;

    c->n = n;
    return c->next < n ? c->next : n - 1;
}

static void test_weak_readings_are_chosen_at_each_power_up(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct chooser c = { 0, 0 };

    r->power.choose = pick;
    r->power.ctx = &c;
    sim_power_cut_at(&r->power, 1, SIM_TEAR_WEAK);
    assert_int_equal(prog(&r->ind, 0, "\x00\x00\x00\x00", 4), ERR_NODEV);
    r->power.cut_at = 0;
    unsigned seen = 0;
    sim_power_up(&r->power);
    for (c.next = 0; c.next < c.n; c.next++) {
        sim_power_up(&r->power);
        uint32_t w = word_at(&r->ind, 0);
        seen |= w == 0xFFFFFFFF ? 1u : w == 0 ? 2u : 4u;
    }
    assert_int_equal(c.n, 4); /* old, new, torn, and a mix */
    assert_int_equal(seen, 7);
    assert_true(nor_is_weak(&r->in, 0, 4));
    /* A complete operation settles it. */
    assert_int_equal(prog(&r->ind, 0, "\x00\x00\x00\x00", 4), OK);
    assert_false(nor_is_weak(&r->in, 0, RIG_SIZE));
    assert_null(r->in.weak);
}

static void test_without_a_chooser_a_seed_decides(void **state)
{
    uint32_t got[2][8];

    for (int run = 0; run < 2; run++) {
        rig_close(state);
        rig_open(state);
        struct rig *r = (struct rig *)*state;
        r->power.seed = 42;
        sim_power_cut_at(&r->power, 1, SIM_TEAR_WEAK);
        assert_int_equal(prog(&r->ind, 0, "\x00\x00\x00\x00", 4), ERR_NODEV);
        r->power.cut_at = 0;
        bool differ = false;
        for (int i = 0; i < 8; i++) {
            sim_power_up(&r->power);
            got[run][i] = word_at(&r->ind, 0);
            differ = differ || got[run][i] != got[run][0];
        }
        assert_true(differ);
    }
    assert_memory_equal(got[0], got[1], sizeof got[0]);
}

/* The old contents come back after a second cut, and a program only settles the bits it clears. */
static void test_weak_again(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct chooser c = { 1, 0 };
    uint8_t unit[RIG_UNIT];

    r->power.choose = pick;
    r->power.ctx = &c;
    memset(unit, 0x5A, sizeof unit);
    nor_load(&r->in, 0, unit, sizeof unit);
    sim_power_cut_at(&r->power, 1, SIM_TEAR_WEAK);
    assert_int_equal(erase(&r->ind, 0), ERR_NODEV);
    sim_power_up(&r->power);
    assert_int_equal(word_at(&r->ind, 0), 0xFFFFFFFF); /* reads blank, is not */
    sim_power_cut_at(&r->power, 2, SIM_TEAR_WEAK);
    assert_int_equal(erase(&r->ind, 0), ERR_NODEV);
    r->power.cut_at = 0;
    bool old = false;
    for (c.next = 0; c.next < c.n; c.next++) {
        sim_power_up(&r->power);
        old = old || word_at(&r->ind, 0) == 0x5A5A5A5A;
    }
    assert_true(old);
    assert_int_equal(prog(&r->ind, 4, "\x00\x00\x00\x00", 4), OK);
    assert_true(nor_is_weak(&r->in, 0, 4));
    assert_false(nor_is_weak(&r->in, 4, 4));
    assert_true(nor_is_weak(&r->in, 8, 4));
    assert_int_equal(erase(&r->ind, 0), OK);
    assert_null(r->in.weak);
}

/* A program torn inside a unit that is weak as a whole: both remain possible. */
static void test_weak_program_in_a_weak_unit(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct chooser c = { 1, 0 };
    uint8_t unit[RIG_UNIT];
    unsigned seen = 0;

    r->power.choose = pick;
    r->power.ctx = &c;
    memset(unit, 0x5A, sizeof unit);
    nor_load(&r->in, 0, unit, sizeof unit);
    sim_power_cut_at(&r->power, 1, SIM_TEAR_WEAK);
    assert_int_equal(erase(&r->ind, 0), ERR_NODEV);
    sim_power_up(&r->power);
    sim_power_cut_at(&r->power, 2, SIM_TEAR_WEAK);
    assert_int_equal(prog(&r->ind, 0, "\x00\x00\x00\x00", 4), ERR_NODEV);
    r->power.cut_at = 0;
    for (c.next = 0; c.next < c.n; c.next++) {
        sim_power_up(&r->power);
        bool old = word_at(&r->ind, 4) == 0x5A5A5A5A, zero = word_at(&r->ind, 0) == 0;
        seen |= old && zero ? 1u : 0u;
        seen |= !old && zero ? 2u : 0u;
        seen |= word_at(&r->ind, 0) == 0x5A5A5A5A ? 4u : 0u;
        seen |= word_at(&r->ind, 0) == 0xFFFFFFFF ? 8u : 0u;
    }
    assert_int_equal(seen, 15);
}

/* Half an erase over a weak unit does not make it solid. */
static void test_other_tears_leave_weak_cells_weak(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(nor_weak_add(&r->in, 0, 4, 2, (const uint8_t *)"abcdefgh"), OK);
    sim_power_cut_at(&r->power, 1, SIM_TEAR_HALF);
    assert_int_equal(erase(&r->ind, 0), ERR_NODEV);
    assert_true(nor_is_weak(&r->in, 0, 4));
    assert_int_equal(r->in.weak->n, 3);
}

static void test_weak_add_checks(void **state)
{
    static const struct {
        uint32_t off, len;
        unsigned n;
        int rc;
    } cases[] = {
        { 0, 4, 2, OK },
        { RIG_SIZE - 4, 4, 2, OK },
        { 0, 4, 1, ERR_RANGE },
        { 0, 0, 2, ERR_RANGE },
        { 0, 4, NOR_WEAK_READINGS + 1, ERR_RANGE },
        { RIG_SIZE, 4, 2, ERR_RANGE },
        { RIG_UNIT - 4, 8, 2, ERR_RANGE },
        { 0, RIG_UNIT + 4, 2, ERR_RANGE },
    };
    static const uint8_t readings[1024];
    struct rig *r = (struct rig *)*state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = nor_weak_add(&r->in, cases[i].off, cases[i].len, cases[i].n, readings);
        if (rc != cases[i].rc)
            fail_msg("case %zu: %d", i, rc);
    }
}

static void test_tear_names(void **state)
{
    (void)state;
    for (int i = 0; i < SIM_TEARS; i++)
        assert_int_equal(sim_tear_find(sim_tear_name((enum sim_tear)i)), i);
    assert_int_equal(sim_tear_find("some"), -1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)

int run_weak_tests(void)
{
    const struct CMUnitTest tests[] = {
        T(test_tears_of_a_program),
        T(test_tears_of_an_erase),
        T(test_both_chips_are_torn),
        T(test_in_flight_until_polled),
        T(test_weak_readings_are_chosen_at_each_power_up),
        T(test_without_a_chooser_a_seed_decides),
        T(test_weak_again),
        T(test_weak_program_in_a_weak_unit),
        T(test_other_tears_leave_weak_cells_weak),
        T(test_weak_add_checks),
        cmocka_unit_test(test_tear_names),
    };
    return cmocka_run_group_tests_name("nor_weak", tests, NULL, NULL);
}
