/*
 * nRF Connect Device Manager's upgrade, by frames written from a description of what it sends: its
 * requests at a connection, its validation, its window of three chunks, each of its modes, and the
 * limits in time after which it gives up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/boot/trailer.h"
#include "tests/unit/smp/phone.h"

enum mode { CONFIRM_ONLY, TEST_ONLY, TEST_AND_CONFIRM, NO_REVERT };

static struct phone p;

static void test_connection_and_status_card(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    assert_true(p.buf_size >= 512 && p.buf_size == SMP_BUF_SIZE);
    assert_non_null(strstr(phone_ask(&p, SMP_OP_READ, 0, SMP_OS_PARAMS, NULL, 2500), "\"buf_count\":4"));
    ck_map(&c, 1);
    ck_string(&c, "format", "sv");
    assert_non_null(strstr(phone_ask(&p, SMP_OP_READ, 0, SMP_OS_INFO, &c, 2500), "{\"output\":\"Slipway"));
    assert_string_equal(phone_ask(&p, SMP_OP_READ, 128, 1, NULL, 2500), "{\"rc\":8}");
    assert_string_equal(phone_ask(&p, SMP_OP_READ, 0, SMP_OS_BOOTLOADER, NULL, 2500), "{\"bootloader\":\"MCUboot\"}");
    assert_string_equal(phone_query(&p, "active_b0_slot"), "{\"err\":{\"group\":0,\"rc\":3}}");
    assert_string_equal(phone_query(&p, "mode"), "{\"mode\":3}");
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 63, 0, NULL, 40000), "{\"rc\":8}");
    phone_close(&p);
}

static unsigned uploads, resets;

/* A slot 1 that is asked for, or in a trial, is left by a reset; a board that does not leave it is reset for ever. */
static const char *validate(void)
{
    for (unsigned i = 0; i < 2; i++) {
        const char *text = phone_list(&p);
        struct phone_entry target = phone_entry(text, 1);
        bool busy = target.listed && (target.pending || target.confirmed != target.active);
        if (!busy || phone_where_is_b(&p, text) != 2)
            return text;
        phone_reset(&p);
        resets++;
    }
    fail_msg("two resets, and slot 1 is still in use");
    return NULL;
}

/* The file is there already: what is left to do. */
static void finish_without_upload(enum mode mode, const char *text)
{
    struct phone_entry active = phone_entry(text, 0), target = phone_entry(text, 1);
    bool confirms = mode == CONFIRM_ONLY || mode == TEST_AND_CONFIRM;

    if (phone_where_is_b(&p, text) == 0) {
        if (confirms && !active.confirmed)
            assert_true(phone_entry(phone_set_state(&p, true), 0).confirmed);
        return;
    }
    if (target.pending && mode == CONFIRM_ONLY)
        assert_true(phone_entry(phone_set_state(&p, true), 1).permanent);
    phone_reset(&p);
    resets++;
    if (mode == TEST_AND_CONFIRM && !target.confirmed)
        assert_true(phone_entry(phone_set_state(&p, true), 0).confirmed);
}

static void upgrade(enum mode mode)
{
    uploads = resets = 0;
    phone_ask(&p, SMP_OP_READ, 0, SMP_OS_BOOTLOADER, NULL, 2500);
    phone_query(&p, "mode");
    const char *text = validate();
    struct phone_entry target = phone_entry(text, 1);
    unsigned where = phone_where_is_b(&p, text);
    if (where == 0 || (where == 1 && (target.pending || target.confirmed))) {
        finish_without_upload(mode, text);
        return;
    }
    if (where == 2) {
        assert_int_equal(phone_upload(&p, 0, PHONE_B_LEN), PHONE_B_LEN);
        uploads++;
    }
    if (mode == CONFIRM_ONLY) {
        struct phone_entry e = phone_entry(phone_set_state(&p, true), 1);
        assert_true(e.listed && (e.permanent || e.confirmed));
    } else if (mode != NO_REVERT) {
        struct phone_entry e = phone_entry(phone_set_state(&p, false), 1);
        assert_true(e.listed && e.pending);
    }
    phone_reset(&p);
    resets++;
    if (mode == TEST_AND_CONFIRM) {
        struct phone_entry e = phone_entry(phone_set_state(&p, true), 0);
        assert_true(e.listed && e.confirmed);
    }
}

static void test_modes(void **state)
{
    static const struct {
        enum mode mode;
        uint8_t first, second; /* major version that runs after one boot and after a further one */
    } cases[] = {
        { CONFIRM_ONLY, 2, 2 },
        { TEST_ONLY, 2, 1 },
        { TEST_AND_CONFIRM, 2, 2 },
        { NO_REVERT, 1, 1 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        phone_open(&p);
        phone_connect(&p);
        upgrade(cases[i].mode);
        assert_int_equal(p.s.rig.report.slot[0].version.major, cases[i].first);
        smprig_boot(&p.s, false);
        assert_int_equal(p.s.rig.report.slot[0].version.major, cases[i].second);
        smprig_boot(&p.s, false);
        assert_int_equal(p.s.rig.report.slot[0].version.major, cases[i].second);
        phone_close(&p);
    }
}

static void test_lost_answers(void **state)
{
    (void)state;
    for (unsigned every = 2; every <= 7; every++) {
        phone_open(&p);
        phone_connect(&p);
        p.lose_every = every;
        assert_int_equal(phone_upload(&p, 0, PHONE_B_LEN), PHONE_B_LEN);
        assert_true(p.lost > 0);
        assert_memory_equal(rig_slot(&p.s.rig, 1), p.b, PHONE_B_LEN);
        assert_int_equal(p.s.rig.external_chip.unit_erases[0], 1);
        phone_close(&p);
    }
}

/* The answer to the last chunk is lost: with off 0 the phone would send all of it again. */
static void test_last_chunk_again(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    uint32_t last = PHONE_B_LEN - 101;
    assert_true(phone_upload(&p, 0, last) >= last);
    smprig_chunk(&c, p.b, PHONE_B_LEN, last, 101, p.sha);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":60001,\"match\":true}");
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":60001,\"match\":true}");
    phone_close(&p);
}

/* The board resets in the middle: off 0 is the answer, then the phone begins again and resumes. */
static void test_reset_in_the_middle(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    uint32_t off = phone_upload(&p, 0, 30000);
    smprig_boot(&p.s, false);
    phone_connect(&p);
    smprig_chunk(&c, p.b, PHONE_B_LEN, off, phone_chunk_room(&p, off), p.sha);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":0}");
    smprig_chunk(&c, p.b, PHONE_B_LEN, 0, phone_chunk_room(&p, 0), p.sha);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 6000), "{\"off\":28672}");
    assert_int_equal(phone_upload(&p, 28672, PHONE_B_LEN), PHONE_B_LEN);
    assert_memory_equal(rig_slot(&p.s.rig, 1), p.b, PHONE_B_LEN);
    phone_close(&p);
}

/* Pending by test, then the app's default mode: another server's "already pending" ends it for good. */
static void test_confirm_of_what_is_pending_by_test(void **state)
{
    (void)state;
    phone_open(&p);
    phone_connect(&p);
    assert_int_equal(phone_upload(&p, 0, PHONE_B_LEN), PHONE_B_LEN);
    assert_true(phone_entry(phone_set_state(&p, false), 1).pending);
    assert_true(phone_entry(phone_set_state(&p, true), 1).permanent);
    phone_reset(&p);
    assert_int_equal(p.s.rig.report.action, BOOT_ACTION_INSTALL);
    phone_close(&p);
}

/* Another image is on trial: the phone resets, and the board must really go back. */
static void test_trial_of_another_is_left_by_one_reset(void **state)
{
    struct testimage_options o = { .major = 3, .seed = 6 };

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    uint8_t *other = testimage_make(&p.s.rig.key, &o, 20000);
    smprig_upload(&p.s, other, 20000, 1000);
    struct flash_area area = store_slot(&p.s.rig.store, 1);
    assert_int_equal(trailer_request(&area, 4096, false), OK);
    phone_reset(&p);
    assert_int_equal(p.s.rig.report.slot[0].version.major, 3);
    upgrade(CONFIRM_ONLY);
    assert_int_equal(uploads, 1);
    assert_int_equal(resets, 2);
    assert_int_equal(p.s.rig.report.slot[0].version.major, 2);
    free(other);
    phone_close(&p);
}

/* The file is there: uploaded, asked for, on trial, running. Nothing is sent again, and each mode ends well. */
static void test_file_that_is_there(void **state)
{
    static const struct {
        const char *name;
        enum { UPLOADED, ASKED_FOR, ON_TRIAL, RUNNING } before;
        enum mode mode;
        unsigned resets;
        uint8_t then, later; /* version that runs, and after a further reset */
    } cases[] = {
        { "uploaded, confirm", UPLOADED, CONFIRM_ONLY, 1, 2, 2 },
        { "uploaded, test", UPLOADED, TEST_ONLY, 1, 2, 1 },
        { "asked for, confirm", ASKED_FOR, CONFIRM_ONLY, 1, 2, 2 },
        { "asked for, test", ASKED_FOR, TEST_ONLY, 1, 2, 1 },
        { "asked for, test and confirm", ASKED_FOR, TEST_AND_CONFIRM, 1, 2, 2 },
        { "on trial, confirm", ON_TRIAL, CONFIRM_ONLY, 0, 2, 2 },
        { "on trial, test", ON_TRIAL, TEST_ONLY, 0, 2, 1 },
        { "on trial, test and confirm", ON_TRIAL, TEST_AND_CONFIRM, 0, 2, 2 },
        { "running, confirm", RUNNING, CONFIRM_ONLY, 0, 2, 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        print_message("%s\n", cases[i].name);
        phone_open(&p);
        phone_connect(&p);
        phone_upload(&p, 0, PHONE_B_LEN);
        if (cases[i].before >= ASKED_FOR)
            phone_set_state(&p, cases[i].before == RUNNING);
        if (cases[i].before >= ON_TRIAL)
            phone_reset(&p);
        upgrade(cases[i].mode);
        assert_int_equal(uploads, 0);
        assert_int_equal(resets, cases[i].resets);
        assert_int_equal(p.s.rig.report.slot[0].version.major, cases[i].then);
        phone_reset(&p);
        assert_int_equal(p.s.rig.report.slot[0].version.major, cases[i].later);
        phone_close(&p);
    }
}

/* The way back of a trial, when the file is the old image: it lies in slot 1, confirmed; a reset brings it. */
static void test_way_back_of_a_trial(void **state)
{
    struct testimage_options o = { .major = 3, .seed = 6 };

    (void)state;
    phone_open(&p);
    uint8_t *other = testimage_make(&p.s.rig.key, &o, 20000);
    phone_connect(&p);
    upgrade(CONFIRM_ONLY);
    smprig_upload(&p.s, other, 20000, 1000);
    struct flash_area area = store_slot(&p.s.rig.store, 1);
    assert_int_equal(trailer_request(&area, 4096, false), OK);
    phone_reset(&p);
    upgrade(CONFIRM_ONLY);
    assert_int_equal(uploads, 0);
    assert_int_equal(resets, 1);
    assert_int_equal(p.s.rig.report.slot[0].version.major, 2);
    free(other);
    phone_close(&p);
}

/* The upload card, and two buffers: one chunk at a time, 2.5 s for each of them, no retry. */
static void test_window_of_one(void **state)
{
    (void)state;
    phone_open(&p);
    phone_connect(&p);
    p.window = 1;
    assert_int_equal(phone_upload(&p, 0, PHONE_B_LEN), PHONE_B_LEN);
    assert_memory_equal(rig_slot(&p.s.rig, 1), p.b, PHONE_B_LEN);
    phone_close(&p);
}

static void test_erase_card(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    assert_int_equal(phone_upload(&p, 0, PHONE_B_LEN), PHONE_B_LEN);
    assert_int_equal(nor_fault_add(&p.s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_NO_ERASE }), OK);
    ck_map(&c, 1);
    ck_uint(&c, "slot", 1);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c, 40000), "{\"err\":{\"group\":1,\"rc\":13}}");
    ck_map(&c, 1);
    ck_uint(&c, "slot", 0);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c, 40000), "{\"err\":{\"group\":1,\"rc\":9}}");
    assert_memory_equal(rig_slot(&p.s.rig, 0), p.a, PHONE_A_LEN);
    phone_close(&p);
}

/* What is advertised is taken in full, header included. */
static void test_message_of_buf_size(void **state)
{
    struct cborkit c;
    uint32_t n;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    for (n = p.buf_size - 120;; n++) {
        smprig_chunk(&c, p.b, PHONE_B_LEN, 0, n, p.sha);
        if (c.len + SMP_HEADER_LEN == p.buf_size)
            break;
    }
    char want[32];
    snprintf(want, sizeof want, "{\"off\":%u}", n);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 6000), want);
    phone_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connection_and_status_card),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_lost_answers),
        cmocka_unit_test(test_last_chunk_again),
        cmocka_unit_test(test_reset_in_the_middle),
        cmocka_unit_test(test_confirm_of_what_is_pending_by_test),
        cmocka_unit_test(test_trial_of_another_is_left_by_one_reset),
        cmocka_unit_test(test_file_that_is_there),
        cmocka_unit_test(test_way_back_of_a_trial),
        cmocka_unit_test(test_window_of_one),
        cmocka_unit_test(test_erase_card),
        cmocka_unit_test(test_message_of_buf_size),
    };
    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
