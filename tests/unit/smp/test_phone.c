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

#include "core/smp/groups/img.h"
#include "tests/support/smprig.h"

enum { A_LEN = 30000, B_LEN = 60001, TAIL = 4 + 36 + 36 + 76, WINDOW = 3 };

enum mode { CONFIRM_ONLY, TEST_ONLY, TEST_AND_CONFIRM, NO_REVERT };

static struct smprig s;
static uint8_t *a, *b, sha[32];

static void open_board(void)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5 };

    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &oa, A_LEN);
    b = testimage_make(&s.rig.key, &ob, B_LEN);
    smprig_sha(b, B_LEN, sha);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
}

static void close_board(void)
{
    assert_int_equal(s.rig.external_chip.violations, 0);
    assert_int_equal(s.rig.internal_chip.violations, 0);
    free(a);
    free(b);
    smprig_close(&s);
}

/* A request whose answer must come in time. */
static const char *ask(unsigned op, unsigned group, unsigned id, const struct cborkit *c,
    uint32_t limit_ms)
{
    struct cborkit empty;
    uint64_t start = s.rig.clock.us;

    ck_map(&empty, 0);
    const char *text = smprig_ask(&s, op, group, id, c ? c : &empty);
    assert_true(s.rig.clock.us - start < limit_ms * 1000ull);
    assert_string_not_equal(text, "dropped");
    /* one message, nothing behind it, at least a header and a map */
    assert_int_equal(s.answers, 1);
    assert_true(s.len[0] > SMP_HEADER_LEN);
    assert_int_equal(ld_be16(s.answer[0] + 2), s.len[0] - SMP_HEADER_LEN);
    assert_int_equal(s.answer[0][6], s.seq);
    return text;
}

static const char *query(const char *what)
{
    struct cborkit c;

    ck_map(&c, 1);
    ck_string(&c, "query", what);
    return ask(SMP_OP_READ, 0, SMP_OS_BOOTLOADER, &c, 2500);
}

static unsigned buf_size;

static void connect_phone(void)
{
    static const uint8_t first[] = { 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0xFF, 0x06, 0xA0 };
    uint64_t start = s.rig.clock.us;

    smprig_clear(&s);
    assert_true(smp_submit(&s.server, &s.transport, 7, first, sizeof first));
    smprig_until(&s, 1);
    assert_true(s.rig.clock.us - start < 1000000);
    assert_true(s.len[0] > 14);
    assert_int_equal(s.answer[0][6], 0xFF);
    assert_int_equal(sscanf(smprig_text(&s, 0), "{\"buf_size\":%u", &buf_size), 1);
    s.seq = UINT8_MAX; /* the next one is 0 */
}

static void test_connection_and_status_card(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    connect_phone();
    assert_true(buf_size >= 512 && buf_size == SMP_BUF_SIZE);
    assert_non_null(strstr(ask(SMP_OP_READ, 0, SMP_OS_PARAMS, NULL, 2500), "\"buf_count\":4"));
    ck_map(&c, 1);
    ck_string(&c, "format", "sv");
    assert_non_null(strstr(ask(SMP_OP_READ, 0, SMP_OS_INFO, &c, 2500), "{\"output\":\"Slipway"));
    assert_string_equal(ask(SMP_OP_READ, 128, 1, NULL, 2500), "{\"rc\":8}");
    assert_string_equal(ask(SMP_OP_READ, 0, SMP_OS_BOOTLOADER, NULL, 2500), "{\"bootloader\":\"MCUboot\"}");
    assert_string_equal(query("active_b0_slot"), "{\"err\":{\"group\":0,\"rc\":3}}");
    assert_string_equal(query("mode"), "{\"mode\":3}");
    assert_string_equal(ask(SMP_OP_WRITE, 63, 0, NULL, 40000), "{\"rc\":8}");
    close_board();
}

/* What the phone reads of an entry of the list. */
struct entry {
    bool listed, pending, permanent, confirmed, active;
};

static struct entry entry_of(const char *list, unsigned slot)
{
    char key[16];
    struct entry e = { 0 };

    snprintf(key, sizeof key, "{\"slot\":%u", slot);
    const char *p = strstr(list, key);
    if (!p)
        return e;
    char one[400];
    size_t n = strcspn(p, "}");
    snprintf(one, sizeof one, "%.*s", (int)n, p);
    e.listed = true;
    e.pending = strstr(one, "\"pending\":true") != NULL;
    e.permanent = strstr(one, "\"permanent\":true") != NULL;
    e.confirmed = strstr(one, "\"confirmed\":true") != NULL;
    e.active = strstr(one, "\"active\":true") != NULL;
    return e;
}

static const uint8_t *hash_of_b(void)
{
    return b + B_LEN - TAIL + 8;
}

/* Slot in which the file's hash is listed; 2: none. */
static unsigned where_is_b(const char *list)
{
    char hex[24];
    const uint8_t *h = hash_of_b();

    snprintf(hex, sizeof hex, "h'%02x%02x%02x%02x..'", h[0], h[1], h[2], h[3]);
    const char *p = strstr(list, hex);
    const char *one = strstr(list, "{\"slot\":1");
    return !p ? 2 : one && p > one ? 1 : 0;
}

static const char *list(void)
{
    return ask(SMP_OP_READ, 1, SMP_IMG_STATE, NULL, 5000);
}

static const char *set_state(bool confirm)
{
    struct cborkit c;

    ck_map(&c, 2);
    ck_bool(&c, "confirm", confirm);
    ck_bytes(&c, "hash", hash_of_b(), 32);
    return ask(SMP_OP_WRITE, 1, SMP_IMG_STATE, &c, 2500);
}

/* Reset is answered with success, and the link goes soon. */
static void reset(void)
{
    assert_string_equal(ask(SMP_OP_WRITE, 0, SMP_OS_RESET, NULL, 2500), "{}");
    uint32_t now = (uint32_t)(s.rig.clock.us / 1000);
    assert_false(smp_os_reset_due(&s.os, now));
    assert_true(smp_os_reset_due(&s.os, now + 300));
    smprig_boot(&s, false);
    connect_phone();
}

/* Lets answers get lost: every n-th of the upload's. 0: none. */
static unsigned lose_every;
static unsigned lost;

static bool is_lost(void)
{
    static unsigned count;

    bool yes = lose_every != 0 && ++count % lose_every == 0;
    lost += yes;
    return yes;
}

static uint32_t chunk_room(uint32_t off)
{
    /* header, map, keys, lengths; sha and len only in the first; then a multiple of 4 */
    uint32_t around = off == 0 ? 8 + 1 + 5 + 3 + 4 + 5 + 4 + 34 + 4 + 1 : 8 + 1 + 5 + 3 + 4 + 5;

    return (buf_size - around) / 4 * 4;
}

static uint32_t submit_chunk(uint32_t off)
{
    struct cborkit c;
    uint32_t n = chunk_room(off);

    smprig_chunk(&c, b, B_LEN, off, n, sha);
    assert_true(smprig_submit(&s, SMP_V2, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c));
    return off + n < B_LEN ? off + n : B_LEN;
}

static uint32_t answered_off(unsigned i)
{
    unsigned off = 0;
    const char *text = smprig_text(&s, i);

    if (strncmp(text, "{\"off\":", 7) != 0)
        fail_msg("upload ended: %s", text);
    sscanf(text, "{\"off\":%u", &off);
    return off;
}

/* Chunk 0 alone, then up to three outstanding; what the server wants is sent before anything else. */
static uint32_t upload_from(uint32_t off, uint32_t stop)
{
    while (off < stop) {
        uint32_t wanted = off, next = off;
        unsigned n = 0;
        smprig_clear(&s);
        for (; n < (off == 0 ? 1u : WINDOW) && next < B_LEN; n++)
            next = submit_chunk(next);
        uint64_t start = s.rig.clock.us;
        smprig_until(&s, n);
        assert_true(s.rig.clock.us - start < 2500000);
        for (unsigned i = 0; i < n; i++) {
            if (!is_lost())
                wanted = answered_off(i);
        }
        /* nothing came of it: the first of them is sent again, as after a timeout */
        off = wanted;
        smprig_run(&s);
    }
    return off;
}

static void upgrade(enum mode mode)
{
    ask(SMP_OP_READ, 0, SMP_OS_BOOTLOADER, NULL, 2500);
    query("mode");
    const char *text = list();
    struct entry target = entry_of(text, 1);
    if (target.listed && (target.pending || target.confirmed != target.active)) {
        reset();
        text = list();
        target = entry_of(text, 1);
        assert_false(target.listed && (target.pending || target.confirmed != target.active));
    }
    if (where_is_b(text) == 2)
        assert_int_equal(upload_from(0, B_LEN), B_LEN);
    if (mode == CONFIRM_ONLY) {
        struct entry e = entry_of(set_state(true), 1);
        assert_true(e.listed && (e.permanent || e.confirmed));
    } else if (mode != NO_REVERT) {
        struct entry e = entry_of(set_state(false), 1);
        assert_true(e.listed && e.pending);
    }
    reset();
    if (mode == TEST_AND_CONFIRM) {
        struct entry e = entry_of(set_state(true), 0);
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
        open_board();
        connect_phone();
        upgrade(cases[i].mode);
        assert_int_equal(s.rig.report.slot[0].version.major, cases[i].first);
        smprig_boot(&s, false);
        assert_int_equal(s.rig.report.slot[0].version.major, cases[i].second);
        smprig_boot(&s, false);
        assert_int_equal(s.rig.report.slot[0].version.major, cases[i].second);
        close_board();
    }
}

static void test_lost_answers(void **state)
{
    (void)state;
    for (lose_every = 2; lose_every <= 7; lose_every++) {
        open_board();
        connect_phone();
        lost = 0;
        assert_int_equal(upload_from(0, B_LEN), B_LEN);
        assert_true(lost > 0);
        assert_memory_equal(rig_slot(&s.rig, 1), b, B_LEN);
        assert_int_equal(s.rig.external_chip.unit_erases[0], 1);
        close_board();
    }
    lose_every = 0;
}

/* The answer to the last chunk is lost: with off 0 the phone would send all of it again. */
static void test_last_chunk_again(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    connect_phone();
    uint32_t last = B_LEN - 101;
    assert_true(upload_from(0, last) >= last);
    smprig_chunk(&c, b, B_LEN, last, 101, sha);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":60001,\"match\":true}");
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":60001,\"match\":true}");
    close_board();
}

/* The board resets in the middle: off 0 is the answer, then the phone begins again and resumes. */
static void test_reset_in_the_middle(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    connect_phone();
    uint32_t off = upload_from(0, 30000);
    smprig_boot(&s, false);
    connect_phone();
    smprig_chunk(&c, b, B_LEN, off, chunk_room(off), sha);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 2500), "{\"off\":0}");
    smprig_chunk(&c, b, B_LEN, 0, chunk_room(0), sha);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 6000), "{\"off\":28672}");
    assert_int_equal(upload_from(28672, B_LEN), B_LEN);
    assert_memory_equal(rig_slot(&s.rig, 1), b, B_LEN);
    close_board();
}

/* Pending by test, then the app's default mode: another server's "already pending" ends it for good. */
static void test_confirm_of_what_is_pending_by_test(void **state)
{
    (void)state;
    open_board();
    connect_phone();
    assert_int_equal(upload_from(0, B_LEN), B_LEN);
    assert_true(entry_of(set_state(false), 1).pending);
    assert_true(entry_of(set_state(true), 1).permanent);
    reset();
    assert_int_equal(s.rig.report.action, BOOT_ACTION_INSTALL);
    close_board();
}

/* A trial that nobody confirmed: the phone resets, and the board must really go back. */
static void test_trial_is_left_by_one_reset(void **state)
{
    (void)state;
    open_board();
    connect_phone();
    upgrade(TEST_ONLY);
    struct entry target = entry_of(list(), 1);
    assert_true(target.confirmed && !target.active);
    upgrade(CONFIRM_ONLY);
    assert_int_equal(s.rig.report.slot[0].version.major, 2);
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.slot[0].version.major, 2);
    close_board();
}

static void test_erase_card(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    connect_phone();
    assert_int_equal(upload_from(0, B_LEN), B_LEN);
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_NO_ERASE }), OK);
    ck_map(&c, 1);
    ck_uint(&c, "slot", 1);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c, 40000), "{\"err\":{\"group\":1,\"rc\":13}}");
    ck_map(&c, 1);
    ck_uint(&c, "slot", 0);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c, 40000), "{\"err\":{\"group\":1,\"rc\":9}}");
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
    close_board();
}

/* What is advertised is taken in full, header included. */
static void test_message_of_buf_size(void **state)
{
    struct cborkit c;
    uint32_t n;

    (void)state;
    open_board();
    connect_phone();
    for (n = buf_size - 120;; n++) {
        smprig_chunk(&c, b, B_LEN, 0, n, sha);
        if (c.len + SMP_HEADER_LEN == buf_size)
            break;
    }
    char want[32];
    snprintf(want, sizeof want, "{\"off\":%u}", n);
    assert_string_equal(ask(SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, 6000), want);
    close_board();
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
        cmocka_unit_test(test_trial_is_left_by_one_reset),
        cmocka_unit_test(test_erase_card),
        cmocka_unit_test(test_message_of_buf_size),
    };
    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
