#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "tests/unit/nor/nor_rig.h"

int rig_open(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct nor_geometry in = nor_internal_nrf52840(RIG_SIZE), ex = nor_external_part(0x1F470C, RIG_SIZE);

    in.erase_size = ex.erase_size = RIG_UNIT;
    in.prog_max = ex.prog_max = 32;
    if (!r || nor_open(&r->in, &in, &r->clock, &r->power, NULL)
        || nor_open(&r->ex, &ex, &r->clock, &r->power, NULL))
        return -1;
    nor_device(&r->in, &r->ind);
    nor_device(&r->ex, &r->exd);
    *state = r;
    return 0;
}

int rig_close(void **state)
{
    struct rig *r = (struct rig *)*state;

    nor_close(&r->in);
    nor_close(&r->ex);
    free(r);
    return 0;
}

int poll_end(struct flash_dev *d)
{
    int rc;

    while ((rc = poll_once(d)) == ERR_BUSY)
        continue;
    return rc;
}

uint32_t word_at(struct flash_dev *d, uint32_t off)
{
    uint8_t b[4];

    assert_int_equal(d->ops->read(d->ctx, off, b, 4), OK);
    return ld_le32(b);
}

static void test_parts_have_the_data_sheets_numbers(void **state)
{
    struct nor_geometry in = nor_internal_nrf52840(0), at = nor_external_part(0x1F470C, 0),
                        mx = nor_external_part(0xC22817, 0);

    (void)state;
    assert_int_equal(in.size, 1048576);
    assert_int_equal(in.erase_us + 1024 * in.word_us, 85000 + 1024 * 41);
    assert_int_equal(in.prog_limit, 2);
    assert_true(in.stalls);
    assert_int_equal(at.size, 4 << 20);
    assert_int_equal(mx.size, 8 << 20);
    assert_int_equal(at.erase_us, 48000);
    assert_int_equal(at.page_us, 900);
    assert_int_equal(at.prog_max, 256);
    assert_false(at.stalls);
}

static void test_erased_programmed_erased(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(word_at(&r->ind, 0), 0xFFFFFFFF);
    assert_int_equal(prog(&r->ind, 0, "\x11\x22\x33\x44", 4), OK);
    assert_int_equal(poll_once(&r->ind), OK);
    assert_int_equal(word_at(&r->ind, 0), 0x44332211);
    assert_int_equal(erase(&r->ind, 0), OK);
    assert_int_equal(word_at(&r->ind, 0), 0xFFFFFFFF);
    assert_int_equal(r->in.violations, 0);
}

static void test_internal_start_stalls_the_cpu(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(erase(&r->ind, 64), OK);
    assert_int_equal(r->clock.us, 85000);
    assert_int_equal(prog(&r->ind, 64, "12345678", 8), OK);
    assert_int_equal(r->clock.us, 85082);
    assert_int_equal(r->in.count.busy_us, 85082);
    assert_int_equal(r->ind.ops->now_ms(r->ind.ctx), 85);
}

static void test_external_works_while_the_cpu_is_stalled(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(erase(&r->exd, 0), OK);
    assert_int_equal(r->clock.us, 0);
    assert_int_equal(erase(&r->ind, 0), OK);
    assert_int_equal(r->clock.us, 85000);
    assert_int_equal(poll_once(&r->exd), OK);
    assert_int_equal(r->clock.us, 85000);
    assert_int_equal(prog(&r->exd, 0, "1234", 4), OK);
    assert_int_equal(poll_once(&r->exd), ERR_BUSY);
    assert_int_equal(poll_end(&r->exd), OK);
    assert_int_equal(r->clock.us, 85900);
    assert_int_equal(r->ex.count.busy_us, 48900);
}

static void test_rules_broken_are_recorded(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(prog(&r->ind, 0, "\x0F\xFF\xFF\xFF", 4), OK);
    assert_int_equal(prog(&r->ind, 0, "\x0E\xFF\xFF\xFF", 4), OK);
    assert_int_equal(r->in.violations, 0);
    assert_int_equal(prog(&r->ind, 0, "\x0C\xFF\xFF\xFF", 4), OK);
    assert_int_equal(r->in.violations, 1);
    assert_int_equal(r->in.violation[0].kind, NOR_VIOLATION_LIMIT);
    assert_int_equal(r->in.violation[0].op, 3);
    assert_int_equal(word_at(&r->ind, 0), 0xFFFFFF0C);

    assert_int_equal(prog(&r->exd, 8, "\x00\x00\x00\x00", 4), OK);
    assert_int_equal(poll_end(&r->exd), OK);
    assert_int_equal(prog(&r->exd, 8, "\x00\x00\x10\x00", 4), OK);
    assert_int_equal(r->ex.violations, 1);
    assert_int_equal(r->ex.violation[0].kind, NOR_VIOLATION_SET);
    assert_int_equal(r->ex.violation[0].off, 10);
    assert_int_equal(prog(&r->exd, 12, "\x00\x00\x10\x00", 4), ERR_BUSY);
    assert_int_equal(r->ex.violation[1].kind, NOR_VIOLATION_OVERLAP);
    assert_int_equal(poll_end(&r->exd), OK);
    assert_int_equal(word_at(&r->exd, 8), 0);
}

static void test_data_must_stay_in_place(void **state)
{
    struct rig *r = (struct rig *)*state;
    char data[5] = "abcd";

    assert_int_equal(prog(&r->exd, 0, data, 4), OK);
    data[0] = 'X';
    assert_int_equal(poll_end(&r->exd), OK);
    assert_int_equal(r->ex.violations, 1);
    assert_int_equal(r->ex.violation[0].kind, NOR_VIOLATION_DATA);
}

static void test_bad_arguments(void **state)
{
    static const struct {
        const char *name;
        uint32_t off, len;
        int rc;
    } cases[] = {
        { "behind the end", RIG_SIZE, 4, ERR_RANGE },
        { "over the end", RIG_SIZE - 4, 8, ERR_RANGE },
        { "nothing", 0, 0, ERR_RANGE },
        { "odd offset", 2, 4, ERR_ALIGN },
        { "odd length", 4, 6, ERR_ALIGN },
        { "crosses a page", 28, 8, ERR_ALIGN },
    };
    struct rig *r = (struct rig *)*state;
    char data[16] = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rc = prog(&r->exd, cases[i].off, data, cases[i].len);
        if (rc != cases[i].rc)
            fail_msg("%s: %d", cases[i].name, rc);
    }
    assert_int_equal(erase(&r->ind, RIG_SIZE), ERR_RANGE);
    assert_int_equal(erase(&r->ind, 32), ERR_ALIGN);
    assert_int_equal(r->power.ops, 0);
}

static void test_counters(void **state)
{
    struct rig *r = (struct rig *)*state;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(erase(&r->ind, 64), OK);
        assert_int_equal(prog(&r->ind, 64, "12345678", 8), OK);
    }
    assert_int_equal(r->in.count.erases, 2);
    assert_int_equal(r->in.count.programs, 2);
    assert_int_equal(r->in.count.words, 4);
    assert_int_equal(r->in.unit_erases[1], 2);
    assert_int_equal(r->in.unit_programs[1], 2);
    assert_int_equal(r->in.word_programs[16], 1);
    assert_int_equal(nor_max_erases(&r->in, 0, 64), 0);
    assert_int_equal(nor_max_erases(&r->in, 0, 128), 2);
    assert_int_equal(r->power.ops, 4);
    nor_counters_clear(&r->in);
    assert_int_equal(nor_max_erases(&r->in, 0, 256), 0);
    assert_int_equal(r->in.count.busy_us, 0);
    assert_int_equal(r->in.word_programs[16], 1);
}

static void test_load_is_no_operation(void **state)
{
    struct rig *r = (struct rig *)*state;

    nor_load(&r->in, 4, "abcd\xff\xff\xff\xff", 8);
    assert_int_equal(word_at(&r->ind, 4), 0x64636261);
    assert_int_equal(r->power.ops, 0);
    assert_int_equal(r->in.word_programs[1], 1);
    assert_int_equal(r->in.word_programs[2], 0);
}

static void test_fault_names(void **state)
{
    static const struct {
        const char *text;
        int rc;
        enum nor_fault_kind kind;
        uint32_t id, from;
    } cases[] = {
        { "absent", OK, NOR_FAULT_ABSENT, 0, 0 },
        { "id=C22817", OK, NOR_FAULT_ID, 0xC22817, 0 },
        { "id=c22817@7", OK, NOR_FAULT_ID, 0xC22817, 7 },
        { "no-erase", OK, NOR_FAULT_NO_ERASE, 0, 0 },
        { "no-program@12", OK, NOR_FAULT_NO_PROGRAM, 0, 12 },
        { "busy", OK, NOR_FAULT_BUSY, 0, 0 },
        { "read-error", OK, NOR_FAULT_READ_ERROR, 0, 0 },
        { "", ERR_ARG, 0, 0, 0 },
        { "abs", ERR_ARG, 0, 0, 0 },
        { "absent@", ERR_ARG, 0, 0, 0 },
        { "absent@0", ERR_ARG, 0, 0, 0 },
        { "absent@-1", ERR_ARG, 0, 0, 0 },
        { "absent@1x", ERR_ARG, 0, 0, 0 },
        { "id=C2281", ERR_ARG, 0, 0, 0 },
        { "id=C2281G", ERR_ARG, 0, 0, 0 },
        { "id=C228170", ERR_ARG, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nor_fault f;
        int rc = nor_fault_parse(cases[i].text, &f);
        if (rc != cases[i].rc)
            fail_msg("%s: %d", cases[i].text, rc);
        if (rc == OK && (f.kind != cases[i].kind || f.id != cases[i].id || f.from_op != cases[i].from))
            fail_msg("%s: %d %x %u", cases[i].text, f.kind, f.id, (unsigned)f.from_op);
    }
}

/* What each fault makes of erase, program, read and probe of a chip that held "abcd" at 0. */
static void test_faults(void **state)
{
    static const struct {
        const char *fault;
        int erase, program, read, probe;
        uint32_t jedec;
        uint32_t erased, programmed; /* word 0 after the erase, word 4 after the program */
    } cases[] = {
        { "absent", ERR_NODEV, ERR_NODEV, OK, ERR_NODEV, 0xFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF },
        { "id=C22817", OK, OK, OK, OK, 0xC22817, 0xFFFFFFFF, 0x34333231 },
        { "no-erase", OK, OK, OK, OK, 0x1F470C, 0x64636261, 0x34333231 },
        { "no-program", OK, OK, OK, OK, 0x1F470C, 0xFFFFFFFF, 0xFFFFFFFF },
        { "read-error", OK, OK, ERR_IO, OK, 0x1F470C, 0, 0 },
        { "no-program@3", OK, OK, OK, OK, 0x1F470C, 0xFFFFFFFF, 0x34333231 },
        { "no-program@2", OK, OK, OK, OK, 0x1F470C, 0xFFFFFFFF, 0xFFFFFFFF },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig *r;
        struct nor_fault f;
        uint32_t jedec;
        uint8_t b[4];

        rig_close(state);
        rig_open(state);
        r = (struct rig *)*state;
        nor_load(&r->ex, 0, "abcd", 4);
        assert_int_equal(nor_fault_parse(cases[i].fault, &f), OK);
        assert_int_equal(nor_fault_add(&r->ex, &f), OK);
        int e = erase(&r->exd, 0);
        e = e ? e : poll_end(&r->exd);
        int p = prog(&r->exd, 4, "1234", 4);
        p = p ? p : poll_end(&r->exd);
        int d = r->exd.ops->read(r->exd.ctx, 0, b, 4);
        int id = r->exd.ops->probe(r->exd.ctx, &jedec);
        if (e != cases[i].erase || p != cases[i].program || d != cases[i].read || id != cases[i].probe
            || jedec != cases[i].jedec)
            fail_msg("%s: erase %d program %d read %d probe %d %06x", cases[i].fault, e, p, d, id, jedec);
        if (d == OK && word_at(&r->exd, 0) != cases[i].erased)
            fail_msg("%s: word 0 is %08x", cases[i].fault, word_at(&r->exd, 0));
        if (d == OK && word_at(&r->exd, 4) != cases[i].programmed)
            fail_msg("%s: word 4 is %08x", cases[i].fault, word_at(&r->exd, 4));
    }
}

static void test_busy_for_ever_takes_time(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct nor_fault f = { .kind = NOR_FAULT_BUSY };
    uint32_t jedec;
    uint8_t b[4];

    assert_int_equal(nor_fault_add(&r->ex, &f), OK);
    assert_int_equal(r->exd.ops->probe(r->exd.ctx, &jedec), ERR_TIMEOUT);
    assert_int_equal(r->exd.ops->read(r->exd.ctx, 0, b, 4), ERR_TIMEOUT);
    assert_int_equal(erase(&r->exd, 0), OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(poll_once(&r->exd), ERR_BUSY);
    assert_int_equal(r->clock.us, 100 * r->ex.geo.poll_us);
    assert_int_equal(erase(&r->exd, 0), ERR_TIMEOUT);
    assert_int_equal(r->ex.count.erases, 0);
}

static void test_snapshot(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct nor_snapshot s = { 0 };

    assert_int_equal(prog(&r->ind, 0, "\x0F\xFF\xFF\xFF", 4), OK);
    assert_int_equal(nor_weak_add(&r->in, 64, 4, 2, (const uint8_t *)"abcdefgh"), OK);
    assert_int_equal(nor_snapshot_take(&s, &r->in), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(prog(&r->ind, 0, "\x00\x00\x00\x00", 4), OK);
    assert_int_equal(erase(&r->ind, 64), OK);
    assert_false(nor_is_weak(&r->in, 0, RIG_SIZE));
    assert_true(r->in.violations > 0);

    assert_int_equal(nor_snapshot_restore(&s, &r->in), OK);
    assert_int_equal(word_at(&r->ind, 0), 0xFFFFFF0F);
    assert_int_equal(r->in.violations, 0);
    assert_int_equal(r->in.word_programs[0], 1);
    assert_int_equal(r->in.count.programs, 1);
    assert_int_equal(nor_max_erases(&r->in, 64, 64), 0);
    assert_true(nor_is_weak(&r->in, 64, 4));
    nor_snapshot_free(&s);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_have_the_data_sheets_numbers),
        T(test_erased_programmed_erased),
        T(test_internal_start_stalls_the_cpu),
        T(test_external_works_while_the_cpu_is_stalled),
        T(test_rules_broken_are_recorded),
        T(test_data_must_stay_in_place),
        T(test_bad_arguments),
        T(test_counters),
        T(test_load_is_no_operation),
        cmocka_unit_test(test_fault_names),
        T(test_faults),
        T(test_busy_for_ever_takes_time),
        T(test_snapshot),
    };
    int failed = cmocka_run_group_tests_name("nor", tests, NULL, NULL);
    return failed + run_weak_tests();
}
