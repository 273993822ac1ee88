/* The NOR driver over a chip in every state that a reset may find it in, and a few that nothing heals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/spi_nor/spi_nor.h"
#include "tests/unit/spi_nor/fake_chip.h"

static struct fake_chip chip;
static struct spi_nor nor;
static struct spi_nor_bus bus;
static struct flash_dev dev;

static void no_violation(void)
{
    if (chip.violations)
        fail_msg("%u violations, the first: %s", chip.violations, chip.violation);
}

static void open_part(const struct fake_part *part, uint32_t size)
{
    fake_chip_init(&chip, part, &bus);
    spi_nor_device(&nor, &bus, &dev, size, part->id);
}

static void open_chip(void)
{
    open_part(&fake_at25xe321d, 4u << 20);
}

static int probe(void)
{
    uint32_t id;

    return flash_probe(&dev, &id);
}

static unsigned reason(void)
{
    struct finding why = { .reason = REASON_NONE };

    return dev.ops->explain(dev.ctx, &why) ? why.reason : REASON_NONE;
}

/* ---- found in whatever state ------------------------------------------------------------------- */

static void as_it_should_be(struct fake_chip *c)
{
    (void)c;
}
static void asleep(struct fake_chip *c)
{
    c->sleep = DEEP;
}
static void deep_asleep(struct fake_chip *c)
{
    c->sleep = ULTRA_DEEP;
}
static void in_qpi(struct fake_chip *c)
{
    c->qpi = true;
}
static void erasing(struct fake_chip *c)
{
    c->busy_until = 40000;
}
static void erasing_long(struct fake_chip *c)
{
    c->busy_until = 900000;
    c->ignores_resets = true;
}
static void write_enabled(struct fake_chip *c)
{
    c->wel = true;
}
static void protected(struct fake_chip *c)
{
    c->sr1 = c->part->qer == 2 ? 0x3C : 0x1C;
}
static void protected_and_quad(struct fake_chip *c)
{
    c->sr1 = c->part->qer == 2 ? 0x44 : 0x04;
    c->sr2 = c->part->qer == 2 ? 0 : 0x02;
}
static void inverted(struct fake_chip *c)
{
    c->sr2 = c->part->qer == 2 ? 0 : 0x40;
}
static void quad_already(struct fake_chip *c)
{
    c->sr1 = c->part->qer == 2 ? 0x40 : 0;
    c->sr2 = c->part->qer == 2 ? 0 : 0x02;
}
static void quad_stuck(struct fake_chip *c)
{
    c->quad_stuck = true;
}
static void lines_bad(struct fake_chip *c)
{
    c->lines_bad = true;
}
static void protect_stuck(struct fake_chip *c)
{
    protected(c);
    c->protect_stuck = true;
}
static void absent(struct fake_chip *c)
{
    c->absent = true;
}
static void absent_low(struct fake_chip *c)
{
    c->absent = c->absent_low = true;
}
static void busy_for_ever(struct fake_chip *c)
{
    c->busy_for_ever = c->ignores_resets = true;
}
static void controller_dead(struct fake_chip *c)
{
    c->bus_dead = true;
}

static const struct found {
    const char *name;
    void (*make)(struct fake_chip *c);
    int err;
    unsigned reason;
    uint8_t read_op;
    unsigned status_writes; /* at most */
    uint32_t max_ms;
} found[] = {
    { "as it should be", as_it_should_be, OK, REASON_NONE, 0x6B, 1, 20 },
    { "in deep power-down", asleep, OK, REASON_NONE, 0x6B, 1, 20 },
    { "in ultra-deep power-down", deep_asleep, OK, REASON_NONE, 0x6B, 1, 140 },
    { "in QPI", in_qpi, OK, REASON_NONE, 0x6B, 1, 20 },
    { "erasing", erasing, OK, REASON_NONE, 0x6B, 1, 40 },
    { "erasing, and deaf to resets", erasing_long, OK, REASON_NONE, 0x6B, 1, 950 },
    { "write enable left set", write_enabled, OK, REASON_NONE, 0x6B, 1, 20 },
    { "protected", protected, OK, REASON_NONE, 0x6B, 2, 40 },
    { "protected, quad set", protected_and_quad, OK, REASON_NONE, 0x6B, 1, 40 },
    { "protection inverted by CMP", inverted, OK, REASON_NONE, 0x6B, 1, 40 },
    { "quad set already", quad_already, OK, REASON_NONE, 0x6B, 0, 5 },
    { "quad bit does not take", quad_stuck, OK, REASON_EXT_QUAD, 0x3B, 1, 20 },
    { "IO2 and IO3 elsewhere", lines_bad, OK, REASON_EXT_MODE, 0x0B, 1, 20 },
    { "protection does not go away", protect_stuck, ERR_PROTECTED, REASON_EXT_PROTECTED, 0, 2, 40 },
    { "not there", absent, ERR_NODEV, REASON_EXT_ABSENT, 0, 0, 200 },
    { "not there, line low", absent_low, ERR_NODEV, REASON_EXT_ABSENT, 0, 0, 200 },
    { "busy for ever", busy_for_ever, ERR_TIMEOUT, REASON_EXT_BUSY, 0, 0, 3300 },
    { "the controller does nothing", controller_dead, ERR_TIMEOUT, REASON_NONE, 0, 0, 200 },
};

static void check_found(const struct fake_part *part, const struct found *f)
{
    uint32_t id = 0;

    open_part(part, 4u << 20);
    f->make(&chip);
    int err = flash_probe(&dev, &id);
    if (err != f->err || reason() != f->reason || chip.status_writes > f->status_writes
        || chip.now_us > f->max_ms * 1000u || (f->read_op && chip.read_op != f->read_op))
        fail_msg("%06X %s: %s, reason %s, read %02x, %u status writes, %u us", (unsigned)part->id, f->name,
            err_name(err), reason_code(reason()), chip.read_op, chip.status_writes, (unsigned)chip.now_us);
    no_violation();
    if (err != OK)
        return;
    assert_int_equal(id, part->id);
    uint8_t back[64], want[64];
    memset(want, 0xA5, sizeof want);
    assert_int_equal(flash_erase(&dev, 0, 4096), OK);
    assert_int_equal(flash_prog(&dev, 4, want, sizeof want), OK);
    assert_int_equal(flash_read(&dev, 4, back, sizeof back), OK);
    assert_memory_equal(back, want, sizeof want);
    no_violation();
}

static void a_chip_is_started_from_any_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        check_found(&fake_at25xe321d, &found[i]);
        check_found(&fake_mx25r6435f, &found[i]);
    }
}

static void an_erase_that_ran_is_ended_by_the_reset(void **state)
{
    (void)state;
    open_chip();
    chip.busy_until = 40000000; /* a chip erase */
    assert_int_equal(probe(), OK);
    assert_true(chip.now_us < 100000);
    assert_true(chip.resets > 0);
}

/* ---- identity and table ------------------------------------------------------------------------ */

static void another_chip_is_named(void **state)
{
    uint32_t id = 0;
    struct finding why;

    (void)state;
    open_chip();
    dev.jedec = 0xEF4016;
    assert_int_equal(flash_probe(&dev, &id), ERR_ID);
    assert_int_equal(id, 0x1F470C);
    assert_true(dev.ops->explain(dev.ctx, &why));
    assert_int_equal(why.reason, REASON_EXT_ID);
    assert_int_equal(why.found, 0x1F470C);
    assert_int_equal(why.expected, 0xEF4016);
    assert_int_equal(chip.status_writes, 0); /* nothing of a stranger is changed */
}

static void a_chip_smaller_than_the_layout_is_refused(void **state)
{
    struct finding why;

    (void)state;
    open_part(&fake_at25xe321d, 8u << 20);
    assert_int_equal(probe(), ERR_ID);
    assert_true(dev.ops->explain(dev.ctx, &why));
    assert_int_equal(why.reason, REASON_EXT_SIZE);
    assert_int_equal(why.found, 4u << 20);
    assert_int_equal(why.expected, 8u << 20);
}

static void the_table_gives_blocks_and_times(void **state)
{
    (void)state;
    open_part(&fake_mx25r6435f, 8u << 20);
    spi_nor_use_blocks(&nor);
    assert_int_equal(probe(), OK);
    assert_int_equal(dev.block[0].size, 65536);
    assert_int_equal(dev.block[0].max_ms, 6000); /* 480 ms times 8 is less than twice a unit's bound */
    assert_int_equal(dev.block[1].size, 32768);
    assert_int_equal(dev.erase_max_ms, 3000);
}

static void a_chip_without_a_table_works_slowly(void **state)
{
    struct fake_part plain = fake_at25xe321d;

    (void)state;
    plain.bfpt = NULL;
    open_part(&plain, 4u << 20);
    spi_nor_use_blocks(&nor);
    assert_int_equal(probe(), OK);
    assert_int_equal(chip.read_op, 0x0B);
    assert_int_equal(dev.block[0].size, 0);
    assert_int_equal(flash_erase(&dev, 0, 65536), OK);
    assert_int_equal(chip.erases[0], 16);
    assert_int_equal(reason(), REASON_NONE);
}

/* The first edition of the table ends after nine dwords: erase types, no times, no quad requirement. */
static void a_table_of_nine_dwords_is_enough(void **state)
{
    struct fake_part old = fake_mx25r6435f;

    (void)state;
    old.bfpt_len = 36;
    open_part(&old, 8u << 20);
    spi_nor_use_blocks(&nor);
    assert_int_equal(probe(), OK);
    assert_int_equal(chip.read_op, 0x3B);
    assert_int_equal(dev.block[0].size, 65536);
}

static void every_quad_enable_requirement_is_met(void **state)
{
    static const unsigned qers[] = { 0, 1, 2, 4, 5, 6 };

    (void)state;
    for (size_t i = 0; i < sizeof qers / sizeof qers[0]; i++) {
        struct fake_part part = fake_at25xe321d;
        uint8_t bfpt[64];
        memcpy(bfpt, part.bfpt, sizeof bfpt);
        bfpt[58] = (uint8_t)((bfpt[58] & 0x8F) | qers[i] << 4);
        part.bfpt = bfpt;
        part.qer = qers[i];
        open_part(&part, 4u << 20);
        chip.sr2 = 0x01; /* of no concern: stays */
        if (probe() != OK || chip.read_op != 0x6B || (part.qer != 2 && (chip.sr2 & 1) == 0))
            fail_msg("requirement %u: read %02x, SR1 %02x, SR2 %02x", qers[i], chip.read_op, chip.sr1, chip.sr2);
        no_violation();
    }
}

/* Two lines need no bit. A board on which IO2 and IO3 are not connected has nothing to be told. */
static void a_bus_of_two_lines_reads_on_two(void **state)
{
    (void)state;
    open_chip();
    bus.quad = false;
    assert_int_equal(probe(), OK);
    assert_int_equal(chip.read_op, 0x3B);
    assert_int_equal(reason(), REASON_NONE);
}

/* ---- operations -------------------------------------------------------------------------------- */

static void any_range_is_read(void **state)
{
    uint8_t buf[400];

    (void)state;
    open_chip();
    for (uint32_t off = 0; off < 5; off++) {
        for (uint32_t at = 0; at < 5; at++) {
            for (uint32_t len = 0; len < 140; len += len < 12 ? 1 : 63) {
                memset(buf, 0xEE, sizeof buf);
                assert_int_equal(flash_read(&dev, 1000 + off, buf + at, len), OK);
                assert_memory_equal(buf + at, chip.mem + 1000 + off, len);
                assert_int_equal(buf[at + len], 0xEE);
            }
        }
    }
    no_violation();
}

static void the_callers_bytes_need_not_stay(void **state)
{
    uint8_t data[257];

    (void)state;
    open_chip();
    assert_int_equal(flash_erase(&dev, 0, 4096), OK);
    memset(data, 0x5A, sizeof data);
    assert_int_equal(flash_prog_start(&dev, 256, data + 1, 256), OK); /* not aligned in memory */
    memset(data, 0, sizeof data);
    assert_int_equal(flash_wait(&dev), OK);
    assert_int_equal(chip.mem[256], 0x5A);
    assert_int_equal(chip.mem[511], 0x5A);
    no_violation();
}

static void the_largest_erases_that_fit_are_used(void **state)
{
    (void)state;
    open_chip();
    spi_nor_use_blocks(&nor);
    assert_int_equal(probe(), OK);
    /* 28 K to 64 K: one unit, 32 K; then 64 K; then two units */
    for (uint32_t at = 0x7000, end = 0x22000, piece; at < end; at += piece) {
        piece = flash_erase_piece(&dev, at, end);
        assert_int_equal(flash_piece_start(&dev, at, piece), OK);
        assert_int_equal(flash_wait(&dev), OK);
    }
    assert_int_equal(chip.erases[0], 3);
    assert_int_equal(chip.erases[1], 1);
    assert_int_equal(chip.erases[2], 1);
    assert_int_equal(chip.mem[0x6FFF] == 0xFF, 0);
    assert_int_equal(chip.mem[0x7000], 0xFF);
    assert_int_equal(chip.mem[0x21FFF], 0xFF);
    assert_int_equal(chip.mem[0x22002] == 0xFF, 0);
    no_violation();
}

/* What a protected block is told it ignores without a word. */
static void an_operation_that_is_ignored_is_an_error(void **state)
{
    (void)state;
    open_chip();
    assert_int_equal(probe(), OK);
    chip.sr1 |= 0x04; /* by somebody else */
    assert_int_equal(flash_erase(&dev, 0, 4096), ERR_PROTECTED);
    assert_int_equal(reason(), REASON_EXT_PROTECTED);
    assert_int_equal(flash_prog(&dev, 0, "abcd", 4), ERR_PROTECTED);
    assert_int_equal(chip.mem[1], 31);
    /* the next probe does not look: ready is ready; a start does */
    assert_int_equal(spi_nor_stop(&nor, false), OK);
    assert_int_equal(probe(), OK);
    assert_int_equal(flash_erase(&dev, 0, 4096), OK);
}

static void a_chip_that_lost_its_supply_is_started_again(void **state)
{
    (void)state;
    open_chip();
    assert_int_equal(probe(), OK);
    chip.sleep = DEEP;
    assert_int_equal(probe(), OK);
    assert_int_equal(chip.sleep, AWAKE);
    chip.absent = true;
    assert_int_equal(probe(), ERR_NODEV);
    uint8_t b[4];
    assert_int_equal(flash_read(&dev, 0, b, 4), ERR_NODEV);
    chip.absent = false;
    assert_int_equal(probe(), OK);
    no_violation();
}

static void a_chip_that_is_busy_for_ever_is_waited_for_once(void **state)
{
    (void)state;
    open_chip();
    busy_for_ever(&chip);
    assert_int_equal(probe(), ERR_TIMEOUT);
    uint64_t before = chip.now_us;
    assert_int_equal(probe(), ERR_TIMEOUT);
    assert_true(chip.now_us - before < 600000);
    chip.busy_for_ever = false;
    assert_int_equal(probe(), OK);
}

static void a_stopped_chip_sleeps_and_wakes(void **state)
{
    uint8_t b[4];

    (void)state;
    open_chip();
    assert_int_equal(probe(), OK);
    assert_int_equal(spi_nor_stop(&nor, true), OK);
    assert_int_equal(chip.sleep, DEEP);
    assert_false(chip.open);
    assert_int_equal(flash_read(&dev, 0, b, 4), OK);
    assert_memory_equal(b, chip.mem, 4);
    assert_int_equal(flash_erase_start(&dev, 0), OK);
    assert_int_equal(spi_nor_stop(&nor, true), ERR_BUSY);
    no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chip_is_started_from_any_state),
        cmocka_unit_test(an_erase_that_ran_is_ended_by_the_reset),
        cmocka_unit_test(another_chip_is_named),
        cmocka_unit_test(a_chip_smaller_than_the_layout_is_refused),
        cmocka_unit_test(the_table_gives_blocks_and_times),
        cmocka_unit_test(a_chip_without_a_table_works_slowly),
        cmocka_unit_test(a_table_of_nine_dwords_is_enough),
        cmocka_unit_test(every_quad_enable_requirement_is_met),
        cmocka_unit_test(a_bus_of_two_lines_reads_on_two),
        cmocka_unit_test(any_range_is_read),
        cmocka_unit_test(the_callers_bytes_need_not_stay),
        cmocka_unit_test(the_largest_erases_that_fit_are_used),
        cmocka_unit_test(an_operation_that_is_ignored_is_an_error),
        cmocka_unit_test(a_chip_that_lost_its_supply_is_started_again),
        cmocka_unit_test(a_chip_that_is_busy_for_ever_is_waited_for_once),
        cmocka_unit_test(a_stopped_chip_sleeps_and_wakes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
