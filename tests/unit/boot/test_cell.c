/*
 * The state cell over a table of what its three units can hold: which one is believed, which one is
 * written next, and whether its seal is voided first. The expectation is worked out here from the rules as
 * SPEC.md states them, not from the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/crc.h"
#include "core/boot/state.h"
#include "tests/support/rig.h"

enum { UNIT = 4096, HASH = 0x1234ABCD, UNITS = STATE_UNITS, NONE = -1, OFF_SEAL = 0x40 };

/* How far the writing of a unit came, or what is left of it. */
enum how { GARBAGE, HEADER, SEALED, ACTED_MAYBE, SETTLED, LOST_SEAL, HOWS };

struct unit {
    enum how how;
    uint32_t seq;
    int prev; /* NONE: none */
    uint32_t prev_seq;
};

static const uint32_t words[] = { 0x5EA1C396u, 0xAC7E935Cu, 0x3C5E771Du };

/* ---- the rules ---------------------------------------------------------------------------------- */

static bool valid(const struct unit *u)
{
    return u->how != GARBAGE;
}

static bool sealed(const struct unit *u)
{
    return u->how >= SEALED && u->how <= SETTLED;
}

static bool has_act(const struct unit *u)
{
    return u->how >= ACTED_MAYBE;
}

static bool acted(const struct unit *u)
{
    return u->how == SETTLED || u->how == LOST_SEAL;
}

static int names(const struct unit u[UNITS], int base)
{
    for (int v = 0; v < UNITS; v++)
        if (v != base && valid(&u[v]) && u[v].prev == base && u[v].prev_seq == u[base].seq)
            return v;
    return NONE;
}

static int highest(const struct unit u[UNITS], const bool fits[UNITS])
{
    int best = NONE;

    for (int i = 0; i < UNITS; i++)
        if (fits[i] && (best == NONE || u[i].seq > u[best].seq))
            best = i;
    return best;
}

static int expected_base(const struct unit u[UNITS])
{
    bool known[UNITS], seal[UNITS], any[UNITS];

    for (int i = 0; i < UNITS; i++) {
        any[i] = valid(&u[i]);
        seal[i] = sealed(&u[i]);
        known[i] = seal[i] && (has_act(&u[i]) || names(u, i) != NONE);
    }
    int base = highest(u, known);
    if (base == NONE)
        base = highest(u, seal);
    return base != NONE ? base : highest(u, any);
}

static int expected_target(const struct unit u[UNITS], int base)
{
    bool newer[UNITS] = { false }, may[UNITS];
    int oldest = NONE;

    for (int i = 0; i < UNITS; i++)
        if (i != base && !valid(&u[i]))
            return i;
    int keep = !has_act(&u[base]) ? names(u, base) : NONE;
    if (has_act(&u[base]) && !acted(&u[base]) && u[base].prev != NONE && u[u[base].prev].seq == u[base].prev_seq)
        keep = u[base].prev;
    for (int i = 0; i < UNITS; i++) {
        may[i] = i != base && i != keep;
        newer[i] = may[i] && u[i].seq > u[base].seq;
        if (may[i] && (oldest == NONE || u[i].seq < u[oldest].seq))
            oldest = i;
    }
    int newest = highest(u, newer);
    return newest != NONE ? newest : oldest;
}

static bool expected_void(const struct unit u[UNITS], int base, int target)
{
    if (base == NONE || !valid(&u[target]))
        return false;
    return !(u[target].seq < u[base].seq && acted(&u[base]));
}

/* ---- the table ---------------------------------------------------------------------------------- */

static struct {
    struct rig r;
    const struct flash_ops *ops;
    struct flash_ops watched;
    struct flash_area area;
    int erased, voided; /* units, in the write under test */
    unsigned erases;
} t;

static int watch_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    uint32_t at = off - t.area.off;

    if (t.erases == 0 && at % UNIT == OFF_SEAL && ld_le32(data) == 0)
        t.voided = (int)(at / UNIT);
    return t.ops->prog_start(ctx, off, data, len);
}

static int watch_erase(void *ctx, uint32_t off)
{
    t.erases++;
    t.erased = (int)((off - t.area.off) / UNIT);
    return t.ops->erase_start(ctx, off);
}

static void put(int i, const struct unit *u)
{
    uint8_t b[0x100];

    memset(b, 0xFF, sizeof b);
    if (u->how != GARBAGE) {
        memset(b, 0, 0x24);
        st_le32(b, STATE_MAGIC);
        st_le32(b + 4, u->seq);
        st_le32(b + 8, u->prev_seq);
        b[0x0C] = u->prev == NONE ? STATE_NO_PREV : (uint8_t)u->prev;
        st_le32(b + 0x18, HASH);
        st_le32(b + 0x20, crc32(0, b, 0x20));
    }
    for (unsigned w = 0; w < 3; w++)
        if (u->how >= SEALED + w && !(w == 0 && u->how == LOST_SEAL))
            st_le32(b + OFF_SEAL + 4 * w, words[w]);
    nor_load(&t.r.internal_chip, t.area.off + (uint32_t)i * UNIT, b, sizeof b);
}

static void check(const struct unit u[UNITS])
{
    const struct state_tables none = { .new_le = NULL };
    struct state st = { .state = STATE_CONFIRMED };
    struct state_cell c;

    for (int i = 0; i < UNITS; i++)
        put(i, &u[i]);
    assert_int_equal(state_read(&c, &t.area, UNIT, HASH), OK);
    int base = expected_base(u);
    bool right = c.base == base;
    t.erases = 0;
    t.voided = t.erased = NONE;
    assert_int_equal(state_write(&c, &st, &none), OK);
    int target = base == NONE ? 0 : expected_target(u, base);
    right = right && t.erases == 1 && t.erased == target && t.voided == (expected_void(u, base, target) ? target : NONE);
    if (!right)
        fail_msg("units {how seq prev/prev_seq} %d %u %d/%u, %d %u %d/%u, %d %u %d/%u: base %d, erased %d, voided %d", u[0].how,
            u[0].seq, u[0].prev, u[0].prev_seq, u[1].how, u[1].seq, u[1].prev, u[1].prev_seq, u[2].how, u[2].seq,
            u[2].prev, u[2].prev_seq, base, t.erased, t.voided);
}

static void test_every_row(void **state)
{
    static const uint8_t seqs[][UNITS] = { { 1, 2, 3 }, { 1, 3, 2 }, { 2, 1, 3 }, { 2, 3, 1 }, { 3, 1, 2 }, { 3, 2, 1 },
        { 1, 2, 2 }, { 2, 1, 2 }, { 2, 2, 1 } };
    unsigned long rows = 0;

    (void)state;
    for (unsigned how = 0; how < HOWS * HOWS * HOWS; how++)
        for (unsigned s = 0; s < sizeof seqs / sizeof seqs[0]; s++)
            for (unsigned prev = 0; prev < 27; prev++) {
                /* prev: none, the next unit, or the one after it with another seq than it has now */
                const unsigned h[UNITS] = { how % HOWS, how / HOWS % HOWS, how / HOWS / HOWS };
                const unsigned p[UNITS] = { prev % 3, prev / 3 % 3, prev / 9 };
                struct unit u[UNITS];
                for (int i = 0; i < UNITS; i++) {
                    int named = p[i] == 0 ? NONE : (i + (int)p[i]) % UNITS;
                    u[i] = (struct unit) { (enum how)h[i], seqs[s][i], named,
                        named == NONE ? 0 : (uint32_t)seqs[s][named] + (how + prev) % 4 / 3 };
                }
                check(u);
                rows++;
            }
    assert_int_equal(rows, HOWS * HOWS * HOWS * 9 * 27);
}

static int setup(void **state)
{
    const struct layout l = rig_layout_at25();

    (void)state;
    rig_open(&t.r, &l);
    t.area = store_state(&t.r.store);
    t.ops = t.r.internal.ops;
    t.watched = *t.ops;
    t.watched.prog_start = watch_prog;
    t.watched.erase_start = watch_erase;
    t.r.internal.ops = &t.watched;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_close(&t.r);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
