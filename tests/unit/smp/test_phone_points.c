/*
 * Thirteen points that a server has to keep for nRF Connect Device Manager; each is a line of the table
 * at the end, named as what goes wrong on the phone if it is not kept. Times are virtual: flash by the
 * data sheets, computing at no cost; the virtual board runs the same on a modelled CPU.
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
#include "core/smp/framing/raw.h"
#include "tests/unit/smp/phone.h"

static struct phone p;

static const char *send_chunk(uint32_t off, uint32_t n, uint32_t limit_ms)
{
    struct cborkit c;

    smprig_chunk(&c, p.b, PHONE_B_LEN, off, n, p.sha);
    return phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, limit_ms);
}

static void assert_off(const char *answer, uint32_t off)
{
    char want[40];

    snprintf(want, sizeof want, off == PHONE_B_LEN ? "{\"off\":%u,\"match\":true}" : "{\"off\":%u}", off);
    assert_string_equal(answer, want);
}

/* 1. Else it takes a wrong packet size: "Payload too long for MTU", or an upload that never moves. */
static void test_01_params_at_each_connection(void **state)
{
    static const unsigned mtu[] = { 23, 65, 247, 498 };
    struct cborkit c;
    uint32_t n = 0;

    (void)state;
    for (size_t i = 0; i < sizeof mtu / sizeof *mtu; i++) {
        struct raw_rx rx;
        struct span msg = span_of(NULL, 0);
        uint8_t frame[SMP_BUF_SIZE];
        phone_open(&p);
        phone_connect(&p);
        assert_int_equal(p.s.answers, 1); /* and nothing before it */
        /* a message of exactly buf_size, header included, in pieces of MTU - 3 */
        for (n = p.buf_size - 120;; n++) {
            smprig_chunk(&c, p.b, PHONE_B_LEN, 0, n, p.sha);
            if (c.len + SMP_HEADER_LEN == p.buf_size)
                break;
        }
        struct smp_header h = {
            .op = SMP_OP_WRITE, .version = SMP_V2, .id = SMP_IMG_UPLOAD, .group = 1, .len = (uint16_t)c.len
        };
        smp_header_write(frame, &h);
        memcpy(frame + SMP_HEADER_LEN, c.bytes, c.len);
        raw_rx_init(&rx);
        for (uint32_t at = 0; at < p.buf_size; at += mtu[i] - 3) {
            uint32_t len = p.buf_size - at < mtu[i] - 3 ? p.buf_size - at : mtu[i] - 3;
            assert_int_equal(msg.len, 0);
            assert_int_equal(raw_rx_feed(&rx, frame + at, len, 0, &msg), len);
        }
        assert_int_equal(msg.len, p.buf_size);
        smprig_clear(&p.s);
        assert_true(smp_submit(&p.s.server, &p.s.transport, 7, msg.p, (uint32_t)msg.len));
        smprig_until(&p.s, 1);
        assert_off(smprig_text(&p.s, 0), n);
        phone_connect(&p); /* another connection, in the middle of the upload */
        assert_off(send_chunk(n, 400, 2500), n + 400);
        phone_close(&p);
    }
}

/* 2. Else an upload at the default of four buffers ends; with up to 24 a silent drop is all that it forgives. */
static void test_02_chunks_outstanding(void **state)
{
    struct cborkit echo;

    (void)state;
    for (unsigned window = 3; window <= 23; window += 4) {
        phone_open(&p);
        phone_connect(&p);
        uint32_t off = phone_upload(&p, 0, 1);
        smprig_clear(&p.s);
        unsigned taken = 0;
        uint32_t next = off;
        for (unsigned i = 0; i < window; i++) {
            struct cborkit c;
            smprig_chunk(&c, p.b, PHONE_B_LEN, next, phone_chunk_room(&p, next), p.sha);
            taken += smprig_submit(&p.s, SMP_V2, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c);
            next += phone_chunk_room(&p, next);
        }
        assert_true(taken >= PHONE_WINDOW);
        ck_map(&echo, 1);
        ck_string(&echo, "d", "x");
        bool beside = smprig_submit(&p.s, SMP_V2, SMP_OP_WRITE, 0, SMP_OS_ECHO, &echo);
        assert_true(beside || window > PHONE_WINDOW);
        smprig_until(&p.s, taken + beside);
        smprig_run(&p.s);
        assert_int_equal(p.s.answers, taken + beside);
        for (unsigned i = 0; i < taken; i++)
            assert_int_equal(phone_answered_off(&p, i), off + (i + 1) * phone_chunk_room(&p, off));
        if (beside)
            assert_string_equal(smprig_text(&p.s, taken), "{\"r\":\"x\"}");
        assert_int_equal(phone_upload(&p, phone_answered_off(&p, taken - 1), PHONE_B_LEN), PHONE_B_LEN);
        assert_memory_equal(rig_slot(&p.s.rig, 1), p.b, PHONE_B_LEN);
        phone_close(&p);
    }
}

/* 3. `data` is the first key and `off` the last, in the first chunk and in all others. */
static void test_03_off_behind_data(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    for (uint32_t off = 0; off < PHONE_B_LEN; off += 1000) {
        smprig_chunk(&c, p.b, PHONE_B_LEN, off, 1000, p.sha);
        assert_memory_equal(c.bytes + 1,
            "\x64"
            "data",
            5);
        const uint8_t *last = NULL;
        for (size_t i = c.len - 10; i < c.len - 3; i++)
            last = memcmp(c.bytes + i,
                       "\x63"
                       "off",
                       4)
                    == 0
                ? c.bytes + i
                : last;
        assert_non_null(last);
        assert_off(send_chunk(off, 1000, off ? 2500 : 40000), off + 1000 < PHONE_B_LEN ? off + 1000 : PHONE_B_LEN);
    }
    phone_close(&p);
}

/* 4. Else an error ends the upload, or with off 0 the phone sends the whole image again. */
static void test_04_repeated_and_early_chunks(void **state)
{
    static const struct {
        uint32_t off, want; /* 0: the chunk that is due */
    } cases[] = { { 0, 5000 }, { 1000, 5000 }, { 4000, 5000 }, { 6000, 5000 }, { 59000, 5000 }, { 5000, 6000 },
        { 5000, 6000 } };

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    for (uint32_t off = 0; off < 5000; off += 1000)
        assert_off(send_chunk(off, 1000, 2500), off + 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_off(send_chunk(cases[i].off, 1000, 2500), cases[i].want);
    assert_int_equal(p.s.rig.external_chip.unit_erases[0], 1);
    for (uint32_t off = 6000; off < PHONE_B_LEN; off += 1000)
        send_chunk(off, 1000, 2500);
    for (unsigned i = 0; i < 3; i++) {
        assert_off(send_chunk(60000, 1, 2500), PHONE_B_LEN); /* the last one, again and again */
        assert_off(send_chunk(30000, 1000, 2500), PHONE_B_LEN);
    }
    phone_close(&p);
}

/* 5. Else it cannot begin again after a lost link. */
static void test_05_chunk_without_a_session(void **state)
{
    (void)state;
    phone_open(&p);
    phone_connect(&p);
    assert_off(send_chunk(5000, 1000, 2500), 0);
    phone_close(&p);
}

/* 6. Limits of its patience, with the largest image, and a slot 1 that is full when the upload begins. */
static void test_06_answers_in_time(void **state)
{
    enum { LARGE = 900 * 1024 };
    struct testimage_options o = { .major = 3 };
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    uint8_t *x = testimage_make(&p.s.rig.key, &o, LARGE), sha[32];
    smprig_sha(x, LARGE, sha);
    memset(p.s.rig.external_chip.mem, 0x55, 1024 * 1024);
    uint32_t room = phone_chunk_room(&p, 0);
    for (uint32_t off = 0, n = room; off < LARGE; off += n, n = room) {
        smprig_chunk(&c, x, LARGE, off, n, sha);
        uint32_t limit = off == 0 ? 40000 : 2500; /* the last chunk too: a window of 1 waits no longer */
        assert_non_null(strstr(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c, limit), "{\"off\":"));
    }
    phone_list(&p); /* 5 s */
    for (unsigned confirm = 0; confirm < 2; confirm++) {
        ck_map(&c, 2);
        ck_bool(&c, "confirm", confirm);
        ck_bytes(&c, "hash", x + LARGE - PHONE_TAIL + 8, 32);
        assert_true(phone_entry(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_STATE, &c, 2500), 1).pending);
    }
    /* after a reset nothing is known of slot 1: it is verified for the list */
    smprig_start(&p.s, false);
    phone_connect(&p);
    assert_true(phone_entry(phone_list(&p), 1).listed);
    free(x);
    phone_close(&p);
}

/* 7. Else Busy or No Memory ends the upload at once. */
static void test_07_no_transient_errors_in_an_upload(void **state)
{
    (void)state;
    phone_open(&p);
    phone_connect(&p);
    memset(p.s.rig.external_chip.mem, 0x55, 1024 * 1024); /* every unit has to be erased on the way */
    for (uint32_t off = 0, next; off < PHONE_B_LEN; off = next) {
        unsigned n = 0;
        smprig_clear(&p.s);
        next = phone_submit_chunk(&p, off);
        n++;
        /* beside it, what the status cards ask */
        assert_true(smprig_submit(&p.s, SMP_V2, SMP_OP_READ, 1, SMP_IMG_STATE, NULL));
        n++;
        smprig_until(&p.s, n);
        assert_int_equal(phone_answered_off(&p, 0), next);
        assert_non_null(strstr(smprig_text(&p.s, 1), "{\"images\":["));
    }
    phone_close(&p);
}

/* 8. Else the default mode fails: "Image already pending (28)", or "Downgrade forbidden". */
static void test_08_confirm_of_the_secondary(void **state)
{
    (void)state;
    for (unsigned tested = 0; tested < 2; tested++) {
        phone_open(&p);
        phone_connect(&p);
        phone_upload(&p, 0, PHONE_B_LEN);
        if (tested)
            assert_true(phone_entry(phone_set_state(&p, false), 1).pending);
        for (unsigned again = 0; again < 2; again++) {
            struct phone_entry e = phone_entry(phone_set_state(&p, true), 1);
            assert_true(e.pending && e.permanent);
        }
        phone_reset(&p);
        const char *list = phone_set_state(&p, true); /* as "both" does after the reset */
        assert_int_equal(phone_where_is_b(&p, list), 0);
        assert_true(phone_entry(list, 0).confirmed && phone_entry(list, 0).active);
        phone_close(&p);
    }
}

/* 9. Else the app waits for a disconnection for ever, or resets for ever. */
static void test_09_reset_is_never_refused(void **state)
{
    static const char *const when[] = { "idle", "in an upload", "in an erase", "pending", "on trial", "chip is dead" };

    (void)state;
    for (unsigned i = 0; i < sizeof when / sizeof *when; i++) {
        print_message("%s\n", when[i]);
        phone_open(&p);
        phone_connect(&p);
        if (i == 1)
            phone_upload(&p, 0, 20000);
        else if (i >= 2)
            phone_upload(&p, 0, PHONE_B_LEN);
        smprig_clear(&p.s);
        if (i == 2)
            assert_true(smprig_submit(&p.s, SMP_V2, SMP_OP_WRITE, 1, SMP_IMG_ERASE, NULL));
        if (i == 3 || i == 4)
            phone_set_state(&p, false);
        if (i == 4)
            phone_reset(&p);
        if (i == 5)
            assert_int_equal(nor_fault_add(&p.s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_BUSY }), OK);
        if (i == 2) {
            /* it is answered behind the erase, in time all the same */
            smprig_until(&p.s, 1);
            assert_string_equal(smprig_text(&p.s, 0), "{}");
        }
        phone_reset(&p);
        /* what it finds then leads to no further reset */
        struct phone_entry target = phone_entry(phone_list(&p), 1);
        if (i == 3)
            phone_reset(&p); /* the trial that nobody confirmed: it is left by one */
        target = phone_entry(phone_list(&p), 1);
        assert_false(target.listed && (target.pending || target.confirmed != target.active));
        phone_close(&p);
    }
}

/* 10. Swap time, 10 s, and some 30 s more: the largest images, both ways. */
static void test_10_back_in_time(void **state)
{
    enum { LARGE = 900 * 1024, PATIENCE_MS = 40000 };
    struct testimage_options oa = { .major = 4, .seed = 4 }, ob = { .major = 5, .seed = 9 };

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    uint8_t *x = testimage_make(&p.s.rig.key, &oa, LARGE), *y = testimage_make(&p.s.rig.key, &ob, LARGE);
    rig_load(&p.s.rig, 0, 0, x, LARGE);
    smprig_boot(&p.s, false);
    smprig_upload(&p.s, y, LARGE, 1400);
    struct flash_area area = store_slot(&p.s.rig.store, 1);
    assert_int_equal(trailer_request(&area, 4096, false), OK);
    for (unsigned i = 0; i < 2; i++) { /* swap, revert */
        uint64_t start = p.s.rig.clock.us;
        smprig_boot(&p.s, false);
        phone_connect(&p);
        assert_int_equal(p.s.rig.report.slot[0].version.major, i == 0 ? 5 : 4);
        assert_true(p.s.rig.clock.us - start < PATIENCE_MS * 1000ull);
        print_message(
            "%s of 900 KiB: %u ms\n", i == 0 ? "swap" : "revert", (unsigned)((p.s.rig.clock.us - start) / 1000));
    }
    free(x);
    free(y);
    phone_close(&p);
}

/* 11. It is sent after any failed erase of slot 1. */
static void test_11_erase_of_slot_0(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    ck_map(&c, 1);
    ck_uint(&c, "slot", 0);
    assert_string_equal(phone_ask(&p, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c, 40000), "{\"err\":{\"group\":1,\"rc\":9}}");
    assert_memory_equal(rig_slot(&p.s.rig, 0), p.a, PHONE_A_LEN);
    phone_close(&p);
}

/* 12. Else the status card stands for 40 s. */
static void test_12_unknown_groups_and_commands(void **state)
{
    (void)state;
    phone_open(&p);
    phone_connect(&p);
    for (unsigned op = SMP_OP_READ; op <= SMP_OP_WRITE; op += SMP_OP_WRITE) {
        for (unsigned group = 2; group < 300; group++) {
            if (group != 64)
                assert_string_equal(phone_ask(&p, op, group, 1, NULL, 2500), "{\"rc\":8}");
        }
        for (unsigned id = 9; id < 64; id++) {
            assert_string_equal(phone_ask(&p, op, 0, id, NULL, 2500), "{\"rc\":8}");
            assert_string_equal(phone_ask(&p, op, 1, id, NULL, 2500), "{\"rc\":8}");
        }
    }
    assert_non_null(strstr(phone_ask(&p, SMP_OP_READ, 0, SMP_OS_INFO, NULL, 2500), "\"output\""));
    phone_close(&p);
}

/* 13. "Unrecognized field", "No content to map due to end-of-input", or an error for an image above 3. */
static void test_13_nothing_else_in_err(void **state)
{
    struct cborkit c;

    (void)state;
    phone_open(&p);
    phone_connect(&p);
    for (unsigned op = SMP_OP_READ; op <= SMP_OP_WRITE; op += SMP_OP_WRITE) {
        for (unsigned id = 0; id < 16; id++) {
            for (unsigned group = 0; group < 2; group++) {
                ck_map(&c, 2);
                ck_uint(&c, "off", 77);
                ck_bytes(&c, "hash", p.sha, 32);
                /* each is answered with a payload (phone_ask looks at that), and errors are these two keys */
                const char *text = phone_ask(&p, op, group, id, &c, 40000);
                const char *err = strstr(text, "\"err\"");
                unsigned g, rc;
                char end;
                if (err)
                    assert_int_equal(sscanf(text, "{\"err\":{\"group\":%u,\"rc\":%u}%c", &g, &rc, &end), 3);
                assert_true(!err || (g == group && end == '}'));
                if (group == 0 && id == SMP_OS_RESET)
                    (void)smp_os_reset_due(&p.s.os, UINT32_MAX);
            }
        }
    }
    assert_null(strstr(phone_list(&p), "\"image\":"));
    phone_close(&p);
}

int main(void)
{
    const struct CMUnitTest points[] = {
        cmocka_unit_test(test_01_params_at_each_connection),
        cmocka_unit_test(test_02_chunks_outstanding),
        cmocka_unit_test(test_03_off_behind_data),
        cmocka_unit_test(test_04_repeated_and_early_chunks),
        cmocka_unit_test(test_05_chunk_without_a_session),
        cmocka_unit_test(test_06_answers_in_time),
        cmocka_unit_test(test_07_no_transient_errors_in_an_upload),
        cmocka_unit_test(test_08_confirm_of_the_secondary),
        cmocka_unit_test(test_09_reset_is_never_refused),
        cmocka_unit_test(test_10_back_in_time),
        cmocka_unit_test(test_11_erase_of_slot_0),
        cmocka_unit_test(test_12_unknown_groups_and_commands),
        cmocka_unit_test(test_13_nothing_else_in_err),
    };
    return cmocka_run_group_tests_name("points of the phone", points, NULL, NULL);
}
