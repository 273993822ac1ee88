#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/flash/flash.h"

enum { SIZE = 8192, UNIT = 1024, PAGE = 256, WORD = 4, ERASE_MS = 100, PROG_MS = 3 };

/* A chip whose operations take some polls, and whose clock may tick at each poll, or stand still. */
struct fake {
    uint8_t mem[SIZE];
    uint32_t now;
    uint32_t tick; /* ms a poll */
    uint32_t op_polls; /* polls that answer ERR_BUSY after a start */
    uint32_t left;
    int result; /* of the poll that ends an operation */
    int start_result;
    int read_result;
    int probe_result;
    uint32_t jedec;
    bool drop; /* acknowledges and does nothing */
    unsigned reads, progs, erases, polls;
    uint32_t largest_prog;
    uint32_t prog_off, prog_len;
};

static int fake_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct fake *f = ctx;

    f->reads++;
    assert_true(off <= SIZE && len <= SIZE - off);
    memcpy(buf, f->mem + off, len);
    return f->read_result;
}

static int fake_prog_start(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct fake *f = ctx;
    const uint8_t *p = data;

    assert_true(off <= SIZE && len <= SIZE - off);
    assert_int_equal(off / PAGE, (off + len - 1) / PAGE);
    if (f->start_result != OK)
        return f->start_result;
    f->progs++;
    if (len > f->largest_prog)
        f->largest_prog = len;
    f->prog_off = off;
    f->prog_len = len;
    for (uint32_t i = 0; i < len && !f->drop; i++)
        f->mem[off + i] &= p[i];
    f->left = f->op_polls;
    return OK;
}

static int fake_erase_start(void *ctx, uint32_t off)
{
    struct fake *f = ctx;

    assert_true(off % UNIT == 0 && off < SIZE);
    if (f->start_result != OK)
        return f->start_result;
    f->erases++;
    if (!f->drop)
        memset(f->mem + off, 0xFF, UNIT);
    f->left = f->op_polls;
    return OK;
}

static int fake_poll(void *ctx)
{
    struct fake *f = ctx;

    f->polls++;
    f->now += f->tick;
    if (f->left == 0)
        return f->result;
    f->left--;
    return ERR_BUSY;
}

static int fake_probe(void *ctx, uint32_t *jedec)
{
    struct fake *f = ctx;

    *jedec = f->jedec;
    return f->probe_result;
}

static uint32_t fake_now(void *ctx)
{
    return ((struct fake *)ctx)->now;
}

static const struct flash_ops fake_ops = { .read = fake_read, .prog_start = fake_prog_start,
    .erase_start = fake_erase_start, .poll = fake_poll, .probe = fake_probe, .now_ms = fake_now };

static struct flash_dev device(struct fake *f)
{
    memset(f, 0, sizeof *f);
    memset(f->mem, 0xFF, SIZE);
    f->tick = 1;
    f->jedec = 0x1F470C;
    return (struct flash_dev) { .ops = &fake_ops, .ctx = f, .name = "fake", .size = SIZE,
        .erase_size = UNIT, .prog_size = WORD, .prog_max = PAGE, .erase_max_ms = ERASE_MS,
        .prog_max_ms = PROG_MS, .jedec = 0x1F470C };
}

enum op { READ, PROG_START, PROG, ERASE_START, ERASE, VERIFY, BLANK };

static const struct argument_case {
    const char *name;
    enum op op;
    uint32_t off, len;
    int want;
} argument_cases[] = {
    { "read all", READ, 0, SIZE, OK },
    { "read odd", READ, 3, 7, OK },
    { "read nothing at the end", READ, SIZE, 0, OK },
    { "read past the end", READ, SIZE - 1, 2, ERR_RANGE },
    { "read behind the end", READ, SIZE + 4, 0, ERR_RANGE },
    { "read with a sum that wraps", READ, 0xFFFFFFF0, 0x20, ERR_RANGE },
    { "read with a length that wraps", READ, 16, 0xFFFFFFFF, ERR_RANGE },
    { "start a page", PROG_START, 256, PAGE, OK },
    { "start the end of a page", PROG_START, PAGE - WORD, WORD, OK },
    { "start across pages", PROG_START, PAGE - WORD, 2 * WORD, ERR_ALIGN },
    { "start more than a page", PROG_START, 0, PAGE + WORD, ERR_ALIGN },
    { "start nothing", PROG_START, 0, 0, ERR_ALIGN },
    { "start at an odd offset", PROG_START, 2, WORD, ERR_ALIGN },
    { "start an odd length", PROG_START, 0, 6, ERR_ALIGN },
    { "start past the end", PROG_START, SIZE, WORD, ERR_RANGE },
    { "program over pages", PROG, 100, 800, OK },
    { "program nothing", PROG, 8, 0, OK },
    { "program at an odd offset", PROG, 2, 8, ERR_ALIGN },
    { "program an odd length", PROG, 0, 1022, ERR_ALIGN },
    { "program past the end", PROG, SIZE - WORD, 2 * WORD, ERR_RANGE },
    { "erase a unit", ERASE_START, UNIT, 0, OK },
    { "erase within a unit", ERASE_START, UNIT / 2, 0, ERR_ALIGN },
    { "erase behind the end", ERASE_START, SIZE, 0, ERR_RANGE },
    { "erase all", ERASE, 0, SIZE, OK },
    { "erase nothing", ERASE, 0, 0, OK },
    { "erase half a unit", ERASE, 0, UNIT / 2, ERR_ALIGN },
    { "erase at an odd offset", ERASE, 4, UNIT, ERR_ALIGN },
    { "erase past the end", ERASE, SIZE - UNIT, 2 * UNIT, ERR_RANGE },
    { "verify past the end", VERIFY, SIZE - 4, 8, ERR_RANGE },
    { "blank past the end", BLANK, SIZE - 4, 8, ERR_RANGE },
};

static int call(struct flash_dev *d, const struct argument_case *c)
{
    static uint8_t buf[SIZE];
    uint32_t bad;
    uint8_t found;
    bool blank;

    switch (c->op) {
    case READ:
        return flash_read(d, c->off, buf, c->len);
    case PROG_START:
        return flash_prog_start(d, c->off, buf, c->len);
    case PROG:
        return flash_prog(d, c->off, buf, c->len);
    case ERASE_START:
        return flash_erase_start(d, c->off);
    case ERASE:
        return flash_erase(d, c->off, c->len);
    case VERIFY:
        return flash_verify(d, c->off, buf, c->len, &bad, &found);
    default:
        return flash_is_blank(d, c->off, c->len, &blank);
    }
}

static void test_arguments(void **state)
{
    struct fake f;

    (void)state;
    for (size_t i = 0; i < sizeof argument_cases / sizeof argument_cases[0]; i++) {
        const struct argument_case *c = &argument_cases[i];
        struct flash_dev d = device(&f);
        int rc = call(&d, c);
        if (rc != c->want)
            fail_msg("%s: %s, expected %s", c->name, err_name(rc), err_name(c->want));
        if (rc != OK)
            assert_int_equal(f.reads + f.progs + f.erases, 0);
    }
}

static void test_program_is_cut_at_pages(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    uint8_t data[800];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    f.op_polls = 2;
    assert_int_equal(flash_prog(&d, 100, data, sizeof data), OK);
    assert_int_equal(f.progs, 4); /* to 256, to 512, to 768, to 900 */
    assert_int_equal(f.largest_prog, PAGE);
    assert_memory_equal(f.mem + 100, data, sizeof data);
    assert_int_equal(f.mem[99], 0xFF);
    assert_int_equal(f.mem[900], 0xFF);
    assert_false(d.busy);
}

static void test_erase_takes_each_unit_once(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);

    (void)state;
    memset(f.mem, 0, SIZE);
    assert_int_equal(flash_erase(&d, UNIT, 3 * UNIT), OK);
    assert_int_equal(f.erases, 3);
    assert_int_equal(f.mem[UNIT - 1], 0);
    assert_int_equal(f.mem[UNIT], 0xFF);
    assert_int_equal(f.mem[4 * UNIT - 1], 0xFF);
    assert_int_equal(f.mem[4 * UNIT], 0);
}

static void test_one_operation_at_a_time(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    uint8_t word[WORD] = { 0 };
    uint32_t jedec;

    (void)state;
    f.op_polls = 3;
    assert_int_equal(flash_erase_start(&d, 0), OK);
    assert_int_equal(flash_read(&d, 0, word, 1), ERR_BUSY);
    assert_int_equal(flash_prog_start(&d, 0, word, WORD), ERR_BUSY);
    assert_int_equal(flash_erase_start(&d, 0), ERR_BUSY);
    assert_int_equal(flash_probe(&d, &jedec), ERR_BUSY);
    assert_int_equal(f.polls, 0);
    assert_int_equal(flash_poll(&d), ERR_BUSY);
    assert_int_equal(flash_wait(&d), OK);
    assert_int_equal(f.polls, 4);
    assert_int_equal(flash_poll(&d), OK);
    assert_int_equal(f.polls, 4);
    assert_int_equal(flash_read(&d, 0, word, 1), OK);
}

static void test_the_limit_is_the_data_sheets(void **state)
{
    static const struct {
        const char *name;
        uint32_t polls; /* of one millisecond each */
        bool erase;
        uint32_t from; /* the clock at the start */
        int want;
    } cases[] = {
        { "erase at the limit", ERASE_MS, true, 0, OK },
        { "erase over the limit", ERASE_MS + 1, true, 0, ERR_TIMEOUT },
        { "program at the limit", PROG_MS, false, 7, OK },
        { "program over the limit", PROG_MS + 1, false, 7, ERR_TIMEOUT },
        { "the clock wraps, in time", ERASE_MS, true, 0xFFFFFFF0, OK },
        { "the clock wraps, late", ERASE_MS + 1, true, 0xFFFFFFF0, ERR_TIMEOUT },
    };
    struct fake f;
    uint8_t word[WORD] = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flash_dev d = device(&f);
        f.op_polls = cases[i].polls;
        f.now = cases[i].from;
        int rc = cases[i].erase ? flash_erase_start(&d, 0) : flash_prog_start(&d, 0, word, WORD);
        assert_int_equal(rc, OK);
        rc = flash_wait(&d);
        if (rc != cases[i].want)
            fail_msg("%s: %s", cases[i].name, err_name(rc));
    }
}

/* Whoever comes back late finds the operation ended: that is not a slow chip. */
static void test_a_late_poll_is_not_a_timeout(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);

    (void)state;
    assert_int_equal(flash_erase_start(&d, 0), OK);
    f.now += 10 * ERASE_MS;
    assert_int_equal(flash_poll(&d), OK);
}

static void test_a_clock_that_stands_still(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);

    (void)state;
    f.tick = 0;
    f.op_polls = 0xFFFFFFFF;
    assert_int_equal(flash_erase(&d, 0, UNIT), ERR_TIMEOUT);
    assert_true(f.polls >= 100000 && f.polls <= 10000000);
}

/* A clock that ticks rarely, but ticks, is not one that stands still. */
static void test_polls_count_from_the_last_tick(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);

    (void)state;
    f.tick = 0;
    f.op_polls = 0xFFFFFFFF;
    assert_int_equal(flash_erase_start(&d, 0), OK);
    for (unsigned ms = 0; ms < 3; ms++) {
        for (unsigned i = 0; i < 600000; i++)
            assert_int_equal(flash_poll(&d), ERR_BUSY);
        f.now++;
    }
    assert_int_equal(flash_poll(&d), ERR_BUSY);
}

static void test_a_stuck_chip_costs_one_wait(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    uint8_t word[WORD] = { 0 };
    uint32_t jedec;

    (void)state;
    f.op_polls = 0xFFFFFFFF;
    assert_int_equal(flash_erase(&d, 0, 2 * UNIT), ERR_TIMEOUT);
    unsigned spent = f.polls;
    assert_int_equal(flash_read(&d, 0, word, 1), ERR_TIMEOUT);
    assert_int_equal(flash_prog(&d, 0, word, WORD), ERR_TIMEOUT);
    assert_int_equal(flash_erase(&d, 0, UNIT), ERR_TIMEOUT);
    assert_int_equal(flash_probe(&d, &jedec), ERR_TIMEOUT);
    assert_int_equal(flash_wait(&d), ERR_TIMEOUT);
    assert_int_equal(f.polls, spent + 5);
    assert_int_equal(f.progs, 0);
    assert_int_equal(f.erases, 1);

    f.left = 0; /* it comes back */
    f.op_polls = 0;
    assert_int_equal(flash_read(&d, 0, word, 1), OK);
    assert_int_equal(flash_erase(&d, 0, UNIT), OK);
}

static void test_driver_errors_come_through(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    uint8_t word[WORD] = { 0 }, found;
    uint32_t bad;
    bool blank = true;

    (void)state;
    f.result = ERR_IO;
    assert_int_equal(flash_erase(&d, 0, UNIT), ERR_IO);
    assert_false(d.busy);
    assert_int_equal(flash_prog(&d, 0, word, WORD), ERR_IO);
    f.start_result = ERR_PROTECTED;
    assert_int_equal(flash_erase(&d, 0, UNIT), ERR_PROTECTED);
    assert_int_equal(flash_prog(&d, 0, word, WORD), ERR_PROTECTED);
    assert_false(d.busy);
    f.read_result = ERR_NODEV;
    assert_int_equal(flash_read(&d, 0, word, 1), ERR_NODEV);
    assert_int_equal(flash_verify(&d, 0, word, WORD, &bad, &found), ERR_NODEV);
    assert_int_equal(flash_is_blank(&d, 0, UNIT, &blank), ERR_NODEV);
    assert_false(blank);
}

static void test_probe(void **state)
{
    static const struct {
        const char *name;
        uint32_t expected, answer;
        int driver, want;
    } cases[] = {
        { "the chip of the layout", 0x1F470C, 0x1F470C, OK, OK },
        { "another chip", 0x1F470C, 0xC22817, OK, ERR_ID },
        { "no answer", 0x1F470C, 0xFFFFFF, ERR_NODEV, ERR_NODEV },
        { "busy", 0x1F470C, 0x1F470C, ERR_TIMEOUT, ERR_TIMEOUT },
        { "internal, not asked for", 0, 0, OK, OK },
    };
    struct fake f;
    uint32_t jedec;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct flash_dev d = device(&f);
        d.jedec = cases[i].expected;
        f.jedec = cases[i].answer;
        f.probe_result = cases[i].driver;
        int rc = flash_probe(&d, &jedec);
        if (rc != cases[i].want || jedec != cases[i].answer)
            fail_msg("%s: %s, %06x", cases[i].name, err_name(rc), jedec);
    }
}

static void test_verify_names_the_byte(void **state)
{
    static const uint32_t at[] = { 0, 1, 127, 128, 129, 255, 256, 998, 999 };
    struct fake f;
    struct flash_dev d = device(&f);
    uint8_t data[1000], found;
    uint32_t bad;

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i ^ 0x5A);
    memcpy(f.mem + 33, data, sizeof data);
    assert_int_equal(flash_verify(&d, 33, data, sizeof data, &bad, &found), OK);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        f.mem[33 + at[i]] ^= 0x10;
        assert_int_equal(flash_verify(&d, 33, data, sizeof data, &bad, &found), ERR_READBACK);
        assert_int_equal(bad, at[i]);
        assert_int_equal(found, data[at[i]] ^ 0x10);
        f.mem[33 + at[i]] ^= 0x10;
    }
}

static void test_blank_looks_at_every_byte(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    bool blank;

    (void)state;
    f.mem[99] = 0;
    f.mem[100 + 300] = 0;
    assert_int_equal(flash_is_blank(&d, 100, 300, &blank), OK);
    assert_true(blank);
    for (uint32_t i = 100; i < 400; i++) {
        f.mem[i] = 0xFE;
        assert_int_equal(flash_is_blank(&d, 100, 300, &blank), OK);
        assert_false(blank);
        f.mem[i] = 0xFF;
    }
    assert_int_equal(flash_is_blank(&d, 99, 0, &blank), OK);
    assert_true(blank);
}

static void test_areas_do_not_leak(void **state)
{
    struct fake f;
    struct flash_dev d = device(&f);
    struct flash_area a = { .dev = &d, .off = 2 * UNIT, .size = 2 * UNIT };
    uint8_t word[WORD] = { 1, 2, 3, 4 }, got[WORD], found;
    uint32_t bad;
    bool blank = true;

    (void)state;
    assert_int_equal(area_prog(&a, 2 * UNIT - WORD, word, WORD), OK);
    assert_memory_equal(f.mem + 4 * UNIT - WORD, word, WORD);
    assert_int_equal(area_read(&a, 2 * UNIT - WORD, got, WORD), OK);
    assert_memory_equal(got, word, WORD);
    assert_int_equal(area_verify(&a, 2 * UNIT - WORD, word, WORD, &bad, &found), OK);
    assert_int_equal(area_is_blank(&a, 0, 2 * UNIT - WORD, &blank), OK);
    assert_true(blank);
    assert_int_equal(area_erase(&a, UNIT, UNIT), OK);
    assert_int_equal(f.mem[4 * UNIT - WORD], 0xFF);

    assert_int_equal(area_prog(&a, 2 * UNIT - WORD, word, 2 * WORD), ERR_RANGE);
    assert_int_equal(area_read(&a, 2 * UNIT, got, 1), ERR_RANGE);
    assert_int_equal(area_read(&a, 0xFFFFFFFF, got, 2), ERR_RANGE);
    assert_int_equal(area_erase(&a, UNIT, 2 * UNIT), ERR_RANGE);
    assert_int_equal(area_verify(&a, 2 * UNIT - 1, word, 2, &bad, &found), ERR_RANGE);
    assert_int_equal(area_is_blank(&a, 0, 2 * UNIT + 1, &blank), ERR_RANGE);
    assert_false(blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_program_is_cut_at_pages),
        cmocka_unit_test(test_erase_takes_each_unit_once),
        cmocka_unit_test(test_one_operation_at_a_time),
        cmocka_unit_test(test_the_limit_is_the_data_sheets),
        cmocka_unit_test(test_a_late_poll_is_not_a_timeout),
        cmocka_unit_test(test_a_clock_that_stands_still),
        cmocka_unit_test(test_polls_count_from_the_last_tick),
        cmocka_unit_test(test_a_stuck_chip_costs_one_wait),
        cmocka_unit_test(test_driver_errors_come_through),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_verify_names_the_byte),
        cmocka_unit_test(test_blank_looks_at_every_byte),
        cmocka_unit_test(test_areas_do_not_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
