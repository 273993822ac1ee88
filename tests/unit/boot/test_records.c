/* What the bootloader keeps in flash: state cell, log of failures, trailers; and the report in RAM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/crc.h"
#include "core/boot/failure.h"
#include "core/boot/state.h"
#include "core/boot/trailer.h"
#include "tests/support/rig.h"

enum { UNIT = 4096, HASH = 0x1234ABCD };

static const struct state_tables no_tables;
static const struct state confirmed = { .state = STATE_CONFIRMED };

static struct flash_area open_area(struct rig *r)
{
    const struct layout l = rig_layout_at25();

    rig_open(r, &l);
    return store_state(&r->store);
}

static struct state_cell read_cell(const struct flash_area *a)
{
    struct state_cell c;
    assert_int_equal(state_read(&c, a, UNIT, HASH), OK);
    return c;
}

static struct state swap_state(void)
{
    return (struct state) { .state = STATE_SWAP, .kind = SWAP_TEST, .dir = SWAP_FORWARD, .gap = 2, .n_p = 3, .n_s = 2 };
}

static void test_empty_area_has_no_state(void **state)
{
    struct rig r;
    struct flash_area a = open_area(&r);
    struct state_cell c = read_cell(&a);

    (void)state;
    assert_null(state_base(&c));
    assert_false(state_settled(&c));
    assert_int_equal(state_set(&c, STATE_SETTLE), ERR_BADSTATE);
    assert_int_equal(state_mark(&c, 0), ERR_BADSTATE);
    rig_close(&r);
}

static void test_written_state_is_read_back(void **state)
{
    static const uint8_t digests[4 * 5] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0 };
    const struct state_tables tables = { .new_le = digests };
    struct rig r;
    struct flash_area a = open_area(&r);
    struct state_cell c = read_cell(&a);
    struct state st = swap_state();
    uint32_t crc;

    (void)state;
    assert_int_equal(state_write(&c, &st, &tables), OK);
    assert_int_equal(state_mark(&c, 1), OK);
    assert_int_equal(state_mark(&c, 2), OK);
    assert_int_equal(state_mark(&c, 500), ERR_BADSTATE);

    c = read_cell(&a);
    const struct state_unit *u = state_base(&c);
    assert_non_null(u);
    assert_int_equal(u->st.n_p, 3);
    assert_int_equal(u->st.tables_crc, crc32(0, digests, sizeof digests));
    assert_int_equal(state_position(u), 2);
    assert_false(u->word[STATE_DONE]);
    assert_int_equal(state_digest_s(&c, 1, &crc), OK);
    assert_int_equal(crc, 2);
    assert_int_equal(state_digest_p(&c, 0, &crc), OK);
    assert_int_equal(crc, 3);
    assert_int_equal(state_set(&c, STATE_DONE), ERR_BADSTATE); /* not written by this boot */

    /* A revert exchanges the tables. */
    struct state back = { .state = STATE_SWAP, .kind = SWAP_REVERT, .dir = SWAP_BACKWARD, .gap = 2, .n_p = 2, .n_s = 3 };
    const struct state_tables exchange = { .exchange = true };
    assert_int_equal(state_write(&c, &back, &exchange), OK);
    c = read_cell(&a);
    assert_int_equal(state_base(&c)->prev, 0);
    assert_int_equal(state_digest_s(&c, 0, &crc), OK);
    assert_int_equal(crc, 3);
    assert_int_equal(state_digest_p(&c, 1, &crc), OK);
    assert_int_equal(crc, 2);
    rig_close(&r);
}

static void test_units_take_turns(void **state)
{
    struct rig r;
    struct flash_area a = open_area(&r);

    (void)state;
    for (uint32_t i = 1; i <= 12; i++) {
        struct state_cell c = read_cell(&a);
        struct state st = confirmed;
        assert_int_equal(state_write(&c, &st, &no_tables), OK);
        assert_int_equal(state_set(&c, STATE_SETTLE), OK);
        c = read_cell(&a);
        assert_int_equal(state_base(&c)->seq, i);
        assert_true(state_settled(&c));
    }
    assert_true(nor_max_erases(&r.internal_chip, a.off, 3 * UNIT) <= 4);
    assert_int_equal(nor_max_erases(&r.internal_chip, a.off + 3 * UNIT, UNIT), 0);
    rig_close(&r);
}

/* Overwrites a unit as a cut or a stranger would. */
static void put(struct rig *r, const struct flash_area *a, int unit, uint32_t off, const void *data, uint32_t len)
{
    nor_load(&r->internal_chip, a->off + (uint32_t)unit * UNIT + off, data, len);
}

static void test_a_seal_without_proof_gives_way(void **state)
{
    static const uint8_t blank[4] = { 0xFF, 0xFF, 0xFF, 0xFF };
    struct rig r;
    struct flash_area a = open_area(&r);
    struct state_cell c = read_cell(&a);
    struct state st = confirmed;

    (void)state;
    assert_int_equal(state_write(&c, &st, &no_tables), OK);
    assert_int_equal(state_write(&c, &st, &no_tables), OK);
    /* The newer unit's ACT is lost: the older one, whose ACT is there, is the base. */
    put(&r, &a, 1, STATE_OFF_WORDS + 4 * STATE_ACT, blank, 4);
    c = read_cell(&a);
    assert_int_equal(c.base, 0);
    assert_false(state_settled(&c));
    /* The older one's ACT is lost too: the newer one that names it proves that it was complete. */
    put(&r, &a, 0, STATE_OFF_WORDS + 4 * STATE_ACT, blank, 4);
    c = read_cell(&a);
    assert_int_equal(c.base, 0);
    /* While the base leans on its witness, that is not what is erased next. */
    assert_int_equal(state_write(&c, &st, &no_tables), OK);
    assert_int_equal(c.base, 2);
    rig_close(&r);
}

static void forge(uint8_t h[0x24], const struct state *st, uint32_t hash)
{
    memset(h, 0, 0x24);
    st_le32(h, STATE_MAGIC);
    st_le32(h + 4, 9);
    h[0x0C] = STATE_NO_PREV;
    h[0x0D] = st->state;
    h[0x0E] = st->kind;
    h[0x0F] = st->dir;
    h[0x10] = st->gap;
    st_le16(h + 0x12, st->n_p);
    st_le16(h + 0x14, st->n_s);
    st_le32(h + 0x18, hash);
    st_le32(h + 0x20, crc32(0, h, 0x20));
}

static void test_impossible_headers_are_not_believed(void **state)
{
    static const struct {
        const char *name;
        struct state st;
        uint32_t hash;
        bool valid;
    } rows[] = {
        { "confirmed", { .state = STATE_CONFIRMED }, HASH, true },
        { "another layout", { .state = STATE_CONFIRMED }, HASH + 1, false },
        { "confirmed with tables", { .state = STATE_CONFIRMED, .n_s = 1 }, HASH, false },
        { "no such state", { .state = 7 }, HASH, false },
        { "no such kind", { .state = STATE_SWAP, .kind = 9, .gap = 2, .n_p = 1, .n_s = 1 }, HASH, false },
        { "kind none", { .state = STATE_SWAP, .kind = 0, .gap = 2, .n_p = 1, .n_s = 1 }, HASH, false },
        { "no such direction", { .state = STATE_SWAP, .kind = SWAP_TEST, .dir = 2, .gap = 2, .n_p = 1, .n_s = 1 }, HASH, false },
        { "gap 0", { .state = STATE_SWAP, .kind = SWAP_TEST, .gap = 0, .n_p = 1, .n_s = 1 }, HASH, false },
        { "gap 3", { .state = STATE_SWAP, .kind = SWAP_TEST, .gap = 3, .n_p = 1, .n_s = 1 }, HASH, false },
        { "nothing in S", { .state = STATE_SWAP, .kind = SWAP_TEST, .gap = 2, .n_p = 1 }, HASH, false },
        { "recover that saves", { .state = STATE_SWAP, .kind = SWAP_RECOVER, .gap = 2, .n_p = 1, .n_s = 1 }, HASH, false },
        { "tables past the unit", { .state = STATE_SWAP, .kind = SWAP_TEST, .gap = 2, .n_p = 300, .n_s = 300 }, HASH, false },
        { "tables whose CRC is wrong", { .state = STATE_SWAP, .kind = SWAP_TEST, .gap = 2, .n_p = 1, .n_s = 1 }, HASH, false },
    };
    struct rig r;
    struct flash_area a = open_area(&r);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t h[0x24];
        forge(h, &rows[i].st, rows[i].hash);
        put(&r, &a, 1, 0, h, sizeof h);
        struct state_cell c = read_cell(&a);
        if (c.unit[1].valid != rows[i].valid)
            fail_msg("%s: valid %d", rows[i].name, c.unit[1].valid);
    }
    rig_close(&r);
}

/* A state with a number behind which there is none must not make every boot write the state for ever. */
static void test_highest_number_is_not_believed(void **state)
{
    struct rig r;
    struct flash_area a = open_area(&r);
    struct state_cell c = read_cell(&a);
    struct state st = confirmed;
    uint8_t h[0x24];

    (void)state;
    assert_int_equal(state_write(&c, &st, &no_tables), OK);
    memcpy(h, r.internal_chip.mem + a.off, sizeof h);
    for (uint32_t above = 0; above <= 0xFFFF; above++) {
        st_le32(h + 0x04, STATE_SEQ_MAX + above);
        st_le32(h + 0x20, crc32(0, h, 0x20));
        put(&r, &a, 0, 0, h, sizeof h);
        c = read_cell(&a);
        assert_true((state_base(&c) != NULL) == (above == 0));
    }
    assert_int_equal(state_write(&c, &st, &no_tables), OK);
    assert_int_equal(state_set(&c, STATE_SETTLE), OK);
    assert_true(state_settled(&c));
    c = read_cell(&a);
    assert_true(state_settled(&c));
    rig_close(&r);
}

static void test_unreadable_area_is_an_error(void **state)
{
    struct nor_fault fault;
    struct state_cell c;
    struct rig r;
    struct flash_area a = open_area(&r);

    (void)state;
    assert_int_equal(nor_fault_parse("read-error", &fault), OK);
    assert_int_equal(nor_fault_add(&r.internal_chip, &fault), OK);
    assert_true(state_read(&c, &a, UNIT, HASH) < 0);
    assert_null(state_base(&c));
    rig_close(&r);
}

/* ---- log of failures -------------------------------------------------------------------------- */

static struct finding numbered(uint32_t n)
{
    return (struct finding) { .reason = REASON_IMG_HASH, .slot = 1, .found = n };
}

static void test_failures_are_kept_once(void **state)
{
    struct finding out[FAILURE_KEPT], f = numbered(7);
    const struct finding news = { .reason = REASON_SWAP_RESUMED, .slot = FINDING_NO_SLOT };
    struct rig r;

    (void)state;
    open_area(&r);
    assert_int_equal(failure_read(&r.store, out), 0);
    assert_int_equal(failure_append(&r.store, &news, 1), OK);
    assert_int_equal(failure_append(&r.store, &f, 1), OK);
    assert_int_equal(failure_append(&r.store, &f, 1), OK);
    assert_int_equal(failure_read(&r.store, out), 1);
    assert_int_equal(out[0].found, 7);
    assert_int_equal(r.internal_chip.count.programs, 1);
    rig_close(&r);
}

static void test_log_goes_round(void **state)
{
    enum { RECORDS = UNIT / FAILURE_LEN, WRITTEN = 3 * RECORDS + 5 };
    struct finding out[FAILURE_KEPT];
    struct rig r;

    (void)state;
    open_area(&r);
    for (uint32_t i = 0; i < WRITTEN; i++) {
        struct finding f = numbered(i);
        assert_int_equal(failure_append(&r.store, &f, 1), OK);
        int n = failure_read(&r.store, out);
        assert_true(n >= 1);
        assert_int_equal(out[n - 1].found, i);
    }
    assert_int_equal(r.internal_chip.count.erases, 3);
    assert_int_equal(r.internal_chip.violations, 0);
    rig_close(&r);
}

static void test_torn_record_is_skipped(void **state)
{
    struct finding out[FAILURE_KEPT], f = numbered(1);
    struct rig r;
    struct flash_area a = open_area(&r);
    uint8_t half[16] = { 0x46, 0x53, 1 };

    (void)state;
    assert_int_equal(failure_append(&r.store, &f, 1), OK);
    put(&r, &a, 3, FAILURE_LEN, half, sizeof half);
    f = numbered(2);
    assert_int_equal(failure_append(&r.store, &f, 1), OK);
    assert_int_equal(failure_read(&r.store, out), 2);
    assert_int_equal(out[1].found, 2);
    rig_close(&r);
}

/* An erase of the log that was cut may leave its second half: what lies there is not written over. */
static void test_log_goes_on_after_half_an_erase(void **state)
{
    enum { RECORDS = UNIT / FAILURE_LEN };
    struct finding out[FAILURE_KEPT], f;
    uint8_t blank[UNIT / 2];
    struct rig r;
    struct flash_area a = open_area(&r);

    (void)state;
    for (uint32_t i = 0; i < RECORDS; i++) {
        f = numbered(i);
        assert_int_equal(failure_append(&r.store, &f, 1), OK);
    }
    memset(blank, 0xFF, sizeof blank);
    put(&r, &a, 3, 0, blank, sizeof blank);
    for (uint32_t i = 1000; i < 1000 + RECORDS; i++) {
        f = numbered(i);
        assert_int_equal(failure_append(&r.store, &f, 1), OK);
        int n = failure_read(&r.store, out);
        assert_true(n >= 1);
        assert_int_equal(out[n - 1].found, i);
    }
    assert_int_equal(r.internal_chip.violations, 0);
    rig_close(&r);
}

/* ---- trailers --------------------------------------------------------------------------------- */

static void test_requests(void **state)
{
    static const uint8_t junk = 0x0F;
    struct rig r;
    struct trailer t;

    (void)state;
    open_area(&r);
    struct flash_area s = store_slot(&r.store, 1);
    assert_int_equal(trailer_request(&s, UNIT, false), OK);
    assert_int_equal(trailer_read(&s, &t), OK);
    assert_true(t.magic == TRAILER_SET && t.image_ok == TRAILER_BLANK && t.copy_done == TRAILER_BLANK);
    assert_int_equal(trailer_request(&s, UNIT, false), OK);
    assert_int_equal(r.external_chip.count.programs, 1);
    assert_int_equal(trailer_request(&s, UNIT, true), OK); /* a test becomes permanent without an erase */
    assert_int_equal(r.external_chip.count.erases, 0);
    assert_int_equal(trailer_read(&s, &t), OK);
    assert_int_equal(t.image_ok, TRAILER_SET);
    assert_int_equal(trailer_request(&s, UNIT, false), OK); /* back to a test: erased first */
    assert_int_equal(r.external_chip.count.erases, 1);
    nor_load(&r.external_chip, s.off + s.size - 24, &junk, 1);
    assert_int_equal(trailer_request(&s, UNIT, true), OK);
    assert_int_equal(trailer_read(&s, &t), OK);
    assert_true(t.magic == TRAILER_SET && t.image_ok == TRAILER_SET);
    rig_close(&r);
}

static void test_confirm(void **state)
{
    static const uint8_t junk = 0x0F;
    struct rig r;
    struct trailer t;

    (void)state;
    open_area(&r);
    struct flash_area p = store_slot(&r.store, 0);
    assert_int_equal(trailer_write_primary(&p, false), OK);
    assert_int_equal(trailer_confirm(&p), OK);
    assert_int_equal(trailer_confirm(&p), OK);
    assert_int_equal(trailer_read(&p, &t), OK);
    assert_true(t.magic == TRAILER_SET && t.image_ok == TRAILER_SET && t.copy_done == TRAILER_SET);
    nor_load(&r.internal_chip, p.off + p.size - 24, &junk, 1);
    assert_int_equal(trailer_confirm(&p), ERR_BADSTATE);
    assert_int_equal(r.internal_chip.violations, 0);
    rig_close(&r);
}

/* ---- report ----------------------------------------------------------------------------------- */

static void test_report_keeps_the_latest(void **state)
{
    struct boot_report rep = { .findings = 0 };

    (void)state;
    report_note(&rep, REASON_NONE, 0, 0, 0, 0);
    assert_int_equal(rep.findings, 0);
    for (uint32_t i = 0; i < REPORT_FINDINGS + 3; i++)
        report_note(&rep, REASON_IMG_HASH, 1, 0, 0, i);
    report_note(&rep, REASON_IMG_HASH, 1, 0, 0, 0); /* known */
    assert_int_equal(rep.findings, REPORT_FINDINGS);
    assert_int_equal(rep.finding[0].where, 0);
    assert_int_equal(rep.finding[REPORT_FINDINGS - 1].where, REPORT_FINDINGS + 2);
    assert_string_equal(boot_action_name(BOOT_ACTION_INSTALL), "install");
    assert_string_equal(boot_action_name(99), "unknown");
}

static void test_flash_errors_become_findings(void **state)
{
    static const struct {
        int err;
        unsigned slot;
        unsigned reason;
    } rows[] = {
        { ERR_NODEV, 0, REASON_INT_READ }, { ERR_ID, 0, REASON_INT_READ }, { ERR_TIMEOUT, 0, REASON_INT_BUSY },
        { ERR_TIMEOUT, 1, REASON_EXT_BUSY }, { ERR_PROTECTED, 1, REASON_EXT_PROTECTED },
        { ERR_PROTECTED, 0, REASON_INT_PROGRAM }, { ERR_READBACK, 1, REASON_EXT_PROGRAM },
        { ERR_READBACK, 0, REASON_INT_PROGRAM }, { ERR_IO, 1, REASON_EXT_READ }, { ERR_IO, 0, REASON_INT_READ },
    };
    struct rig r;
    struct finding why;

    (void)state;
    open_area(&r);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        store_explain(&r.store, rows[i].slot, rows[i].err, 0x123, &why);
        assert_int_equal(why.reason, rows[i].reason);
        assert_int_equal(why.slot, rows[i].slot);
    }
    rig_close(&r);
}

static struct finding note;

static bool explain(void *ctx, struct finding *why)
{
    (void)ctx;
    *why = note;
    return note.reason != REASON_NONE;
}

/* What a driver knows goes before what an error says, but only if it is a cause of errors. */
static void test_a_driver_says_more(void **state)
{
    static const struct {
        unsigned note;
        int err;
        unsigned reason;
    } rows[] = {
        { REASON_EXT_SIZE, ERR_ID, REASON_EXT_SIZE }, { REASON_EXT_PROTECTED, ERR_IO, REASON_EXT_PROTECTED },
        { REASON_EXT_QUAD, ERR_TIMEOUT, REASON_EXT_BUSY }, { REASON_EXT_MODE, ERR_IO, REASON_EXT_READ },
        { REASON_EXT_SIZE, ERR_READBACK, REASON_EXT_PROGRAM }, { REASON_NONE, ERR_TIMEOUT, REASON_EXT_BUSY },
    };
    struct rig r;
    struct finding why;

    (void)state;
    open_area(&r);
    struct flash_ops ops = *r.store.external->ops;
    ops.explain = explain;
    r.store.external->ops = &ops;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        note = (struct finding) { .reason = (uint16_t)rows[i].note, .found = 7 };
        store_explain(&r.store, 1, rows[i].err, 0x123, &why);
        assert_int_equal(why.reason, rows[i].reason);
        assert_int_equal(why.slot, 1);
    }
    store_explain(&r.store, 0, ERR_IO, 0, &why);
    assert_int_equal(why.reason, REASON_INT_READ);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_driver_says_more),
        cmocka_unit_test(test_empty_area_has_no_state),
        cmocka_unit_test(test_written_state_is_read_back),
        cmocka_unit_test(test_units_take_turns),
        cmocka_unit_test(test_a_seal_without_proof_gives_way),
        cmocka_unit_test(test_impossible_headers_are_not_believed),
        cmocka_unit_test(test_highest_number_is_not_believed),
        cmocka_unit_test(test_unreadable_area_is_an_error),
        cmocka_unit_test(test_failures_are_kept_once),
        cmocka_unit_test(test_log_goes_round),
        cmocka_unit_test(test_torn_record_is_skipped),
        cmocka_unit_test(test_log_goes_on_after_half_an_erase),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_report_keeps_the_latest),
        cmocka_unit_test(test_flash_errors_become_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
