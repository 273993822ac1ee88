/* Requests, answers, names, findings in words, and the choice of a device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/lib/explain/explain.h"
#include "host/lib/smp/answer.h"
#include "host/lib/smp/device.h"
#include "host/lib/smp/file.h"
#include "host/lib/smp/mgmt.h"
#include "host/lib/smp/names.h"
#include "tests/unit/smp_client/fake_link.h"

static struct fake fake;
static struct smpc client;

static void start(fake_device *answer)
{
    struct smpc_link link;

    memset(&fake, 0, sizeof fake);
    fake.answer = answer;
    link = fake_link(&fake);
    smpc_init(&client, &link, 250); /* wraps soon */
}

static const struct smpc_request echo = { .op = SMPC_WRITE, .group = 0, .id = 0,
    .patience = { .first_ms = 1000, .total_ms = 7000 } };

#define REPLY(f, msg, text) fake_reply(f, msg, text, sizeof text - 1)

/* Devices: each answers the third sending, or in another odd way. */
static void never(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)f, (void)msg, (void)len;
}
static void at_once(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA1\x61r\x61x");
}
static void third_time(struct fake *f, const uint8_t *msg, size_t len)
{
    if (f->sent == 3)
        at_once(f, msg, len);
}
static void wrong_things_first(struct fake *f, const uint8_t *msg, size_t len)
{
    uint8_t other[SMPC_HEADER_LEN + 1];

    (void)len;
    for (unsigned i = 0; i < 6; i++) { /* op, group high and low, sequence, command, and a short one */
        static const uint8_t at[] = { 0, 4, 5, 6, 7 };
        memcpy(other, msg, SMPC_HEADER_LEN);
        other[0] = (uint8_t)(other[0] + 1);
        st_be16(other + 2, 1);
        other[SMPC_HEADER_LEN] = 0xA0;
        if (i < sizeof at)
            other[at[i]] ^= 2;
        fake_push(f, other, i < sizeof at ? sizeof other : 3);
    }
    REPLY(f, msg, "\xA1\x61r\x61x");
}
static void lying_length(struct fake *f, const uint8_t *msg, size_t len)
{
    uint8_t out[SMPC_HEADER_LEN + 1];

    (void)len;
    memcpy(out, msg, SMPC_HEADER_LEN);
    out[0] = (uint8_t)(out[0] + 1);
    st_be16(out + 2, 500);
    out[SMPC_HEADER_LEN] = 0xA0;
    fake_push(f, out, sizeof out);
}
static void legacy_zero(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA1\x62rc\x00");
}
static void rc_eight(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA2\x62rc\x08\x63rsn\x62no");
}
static void group_eight(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA1\x63" "err\xA2\x65group\x01\x62rc\x08");
}
static void v1_only(struct fake *f, const uint8_t *msg, size_t len)
{
    if (msg[0] >> 3)
        REPLY(f, msg, "\xA1\x62rc\x0D");
    else
        at_once(f, msg, len);
}
static void no_payload(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    fake_reply(f, msg, "", 0);
}
static void chatter(struct fake *f, const uint8_t *msg, size_t len)
{
    static const uint8_t other[] = { 1, 0, 0, 1, 0, 9, 0, 0, 0xA0 };

    (void)msg, (void)len;
    for (unsigned i = 0; i < FAKE_QUEUE; i++)
        fake_push(f, other, sizeof other);
}

static void test_requests(void **state)
{
    static const struct {
        const char *name;
        fake_device *device;
        int rc;
        unsigned sent;
        int64_t ms; /* that it took */
    } cases[] = {
        { "answered at once", at_once, OK, 1, 0 },
        { "no answer: repeated after 1, 2 and 4 s", never, ERR_TIMEOUT, 3, 7000 },
        { "answered the third time", third_time, OK, 3, 3000 },
        { "other messages are dropped", wrong_things_first, OK, 1, 0 },
        { "a length beyond the message is no answer", lying_length, ERR_TIMEOUT, 3, 7000 },
        { "rc 0 is success", legacy_zero, OK, 1, 0 },
        { "rc 8", rc_eight, SMPC_REFUSED, 1, 0 },
        { "err of a group", group_eight, SMPC_REFUSED, 1, 0 },
        { "falls back to v1", v1_only, OK, 2, 0 },
        { "no payload is an empty map", no_payload, OK, 1, 0 },
        { "chatter without an answer", chatter, ERR_TIMEOUT, 3, 7000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *answer;
        print_message("%s\n", cases[i].name);
        start(cases[i].device);
        assert_int_equal(smpc_request(&client, &echo, &answer), cases[i].rc);
        assert_int_equal(fake.sent, cases[i].sent);
        assert_int_equal(fake.now_ms, cases[i].ms);
        assert_true((answer != NULL) == (cases[i].rc == OK));
        for (unsigned k = 1; k < fake.sent; k++)
            assert_int_equal(fake.sent_seq[k], fake.sent_seq[0]); /* a late answer serves */
        if (cases[i].device == wrong_things_first)
            assert_string_equal(answer_text(answer, "r", ""), "x");
        json_decref(answer);
    }
}

static void test_refusals_carry_their_group(void **state)
{
    json_t *answer;

    (void)state;
    start(rc_eight);
    assert_int_equal(smpc_request(&client, &echo, &answer), SMPC_REFUSED);
    assert_false(client.refusal.of_group);
    assert_int_equal(client.refusal.rc, 8);
    assert_string_equal(client.refusal.reason, "no");
    assert_true(smpc_not_there(&client, SMPC_REFUSED));
    start(group_eight);
    assert_int_equal(smpc_request(&client, &echo, &answer), SMPC_REFUSED);
    assert_true(client.refusal.of_group);
    assert_int_equal(client.refusal.group, 1);
    assert_false(smpc_not_there(&client, SMPC_REFUSED));
}

static void test_once_is_once(void **state)
{
    (void)state;
    start(never);
    assert_int_equal(smpc_reset(&client, false, false), ERR_TIMEOUT);
    assert_int_equal(fake.sent, 1);
}

static void test_deadline_and_interrupt(void **state)
{
    volatile sig_atomic_t flag = 1;
    json_t *answer;

    (void)state;
    start(never);
    client.deadline_ms = 2500;
    assert_int_equal(smpc_request(&client, &echo, &answer), ERR_TIMEOUT);
    assert_int_equal(fake.now_ms, 2500);
    start(never);
    client.interrupted = &flag;
    assert_int_equal(smpc_request(&client, &echo, &answer), SMPC_INTERRUPTED);
}

static void test_link_errors_come_through(void **state)
{
    json_t *answer;

    (void)state;
    start(at_once);
    fake.send_rc = ERR_NODEV;
    assert_int_equal(smpc_request(&client, &echo, &answer), ERR_NODEV);
    smpc_close(&client);
    assert_true(fake.closed);
}

static void params_small(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA2\x68" "buf_size\x05\x69" "buf_count\x00");
}
static void params_huge(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA2\x68" "buf_size\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x69" "buf_count\x1A\xFF\xFF\xFF\xFF");
}
static void params_good(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xBF\x69" "buf_count\x04\x68" "buf_size\x19\x05\x80\xFF");
}
static void params_text(struct fake *f, const uint8_t *msg, size_t len)
{
    (void)len;
    REPLY(f, msg, "\xA1\x68" "buf_size\x61" "9");
}
static void only_v1_answers(struct fake *f, const uint8_t *msg, size_t len)
{
    if (msg[0] >> 3 == 0)
        params_good(f, msg, len);
}

static void test_connect(void **state)
{
    static const struct {
        const char *name;
        fake_device *device;
        int rc;
        unsigned size, count, version;
        size_t message;
    } cases[] = {
        { "as it says", params_good, OK, 1408, 4, 1, 1404 },
        { "too small to be true", params_small, OK, 64, 1, 1, 60 },
        { "too large to be true", params_huge, OK, 65535, 64, 1, SMPC_MESSAGE_MAX },
        { "no number", params_text, OK, 384, 1, 1, 380 },
        { "does not know the command", rc_eight, OK, 384, 1, 1, 380 },
        { "only v1 is answered", only_v1_answers, OK, 1408, 4, 0, 1404 },
        { "nobody", never, ERR_TIMEOUT, 384, 1, 0, 380 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        print_message("%s\n", cases[i].name);
        start(cases[i].device);
        client.link.overhead = 4;
        client.message_max = client.buf_size - 4;
        assert_int_equal(smpc_connect(&client), cases[i].rc);
        assert_int_equal(client.buf_size, cases[i].size);
        assert_int_equal(client.buf_count, cases[i].count);
        assert_int_equal(client.version, cases[i].version);
        assert_int_equal(client.message_max, cases[i].message);
        assert_true(fake.now_ms <= 6000);
    }
}

static void test_answers(void **state)
{
    static const struct {
        const char *cbor;
        size_t len;
        const char *json; /* NULL: not taken */
    } cases[] = {
#define C(bytes, json) { bytes, sizeof bytes - 1, json }
        C("\xA0", "{}"),
        C("\xBF\xFF", "{}"),
        C("\xA1\x61" "a\x01", "{\"a\":1}"),
        C("\xA1\x61" "a\x38\x63", "{\"a\":-100}"),
        C("\xA1\x61" "a\x1B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", "{\"a\":9223372036854775807}"),
        C("\xA1\x61" "a\x43\x01\xAB\xFF", "{\"a\":\"01abff\"}"),
        C("\xA1\x61" "a\x63x\x1by", "{\"a\":\"x?y\"}"),
        C("\xA1\x61" "a\x62\xC3\x28", "{\"a\":\"?\"}"), /* not UTF-8 */
        C("\xA1\x61" "a\x62x\x00", "{\"a\":\"x?\"}"),
        C("\xA1\x61" "a\x82\xF5\xF6", "{\"a\":[true,null]}"),
        C("\xA1\x61" "a\x9F\xF4\xFF", "{\"a\":[false]}"),
        C("\xA1\x61" "a\xF9\x3E\x00", "{\"a\":1.5}"),
        C("\xA1\x61" "a\xF9\x7E\x00", "{\"a\":null}"), /* not a number */
        C("\xA1\x61" "a\xC1\x01", "{\"a\":1}"), /* a tag */
        C("\xA2\x61" "a\x01\x61" "a\x02", "{\"a\":2}"),
        C("", NULL),
        C("\x80", NULL),
        C("\xA1\x01\x02", NULL), /* a key that is no text */
        C("\xA1\x61" "a", NULL),
        C("\xA1\x61", NULL),
        C("\xBF\x61" "a\x01", NULL),
        C("\xA0\x00", NULL), /* something behind it */
        C("\xA1\x61" "a\x5B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", NULL),
        C("\xBA\xFF\xFF\xFF\xFF", NULL),
        C("\xA1\x61" "a\x81\x81\x81\x81\x81\x81\x81\x81\x81\x81\x01", NULL), /* too deep */
        C("\xA1\x61" "a\xC1\xC1\xC1\xC1\xC1\xC1\xC1\xC1\xC1\xC1\x01", NULL), /* also with tags */
#undef C
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *map = smpc_answer_decode(span_of(cases[i].cbor, cases[i].len));
        char *text = map ? json_dumps(map, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
        print_message("case %zu: %s\n", i, text ? text : "(none)");
        if (cases[i].json)
            assert_string_equal(text, cases[i].json);
        else
            assert_null(map);
        free(text);
        json_decref(map);
    }
}

static void test_names(void **state)
{
    char label[80];

    (void)state;
    assert_string_equal(smpc_rc_label(1, 8, label, sizeof label), "IMG 8 HASH_NOT_FOUND");
    assert_string_equal(smpc_rc_label(SMPC_GROUP_SMP, 8, label, sizeof label), "SMP 8 ENOTSUP");
    assert_string_equal(smpc_rc_label(1, 99, label, sizeof label), "IMG 99");
    assert_string_equal(smpc_rc_label(70, 3, label, sizeof label), "group 70 error 3");
    assert_int_equal(smpc_group_by_name("img"), 1);
    assert_int_equal(smpc_group_by_name("nonsense"), -2);
    for (unsigned rc = 1; rc <= 34; rc++)
        assert_non_null(smpc_rc_text(1, rc));
    for (unsigned rc = 0; rc <= 13; rc++)
        assert_non_null(smpc_rc_name(SMPC_GROUP_SMP, rc));
    assert_null(smpc_rc_text(1, 0xFFFFFFFF));
}

static void test_findings_in_words(void **state)
{
    static const struct {
        struct finding f;
        const char *text;
    } cases[] = {
        { { REASON_EXT_ABSENT, 1, 0, 0x1F470C, 0 }, "the external flash does not answer (slot 1): found 00 00 00 "
                                                    "(no answer), expected 1f 47 0c" },
        { { REASON_EXT_BUSY, 1, 500, 300, 64 }, "the external flash stays busy (slot 1): found 500 ms, expected at "
                                                "most 300 ms, at offset 0x40" },
        { { REASON_EXT_READ, 1, 4, 0, 0 }, "the external flash cannot be read (slot 1): ERR_NODEV (the device does "
                                           "not answer), at offset 0x0" },
        { { REASON_EXT_READ, 1, (uint32_t)-4, 0, 0 }, "the external flash cannot be read (slot 1): ERR_NODEV (the "
                                                      "device does not answer), at offset 0x0" },
        { { REASON_IMG_NONE, FINDING_NO_SLOT, 0, 0, 0 }, "the slot is blank" },
        { { REASON_IMG_TRUNCATED, 1, 1, 2048, 0 }, "the image is shorter than its header says (slot 1): found 1 byte, "
                                                   "expected 2048 bytes (2.0 KiB)" },
        { { REASON_IMG_DEPENDENCY, 0, 0x01020003, 0x02000000, 0 }, "a dependency of the image is not met (slot 0): "
                                                                   "found 1.2.3, expected 2.0.0" },
        { { REASON_REQUEST_REFUSED, 1, REASON_IMG_SIGNATURE, 0, 0 },
            "the requested image does not verify; the request was removed (slot 1): the signature does not verify" },
        { { REASON_SWAP_RESUMED, FINDING_NO_SLOT, 3, 12, 0 }, "a swap that was cut off was continued: in group 3 of 12" },
        { { REASON_REVERTED, FINDING_NO_SLOT, 1, 1, 0 },
            "the new image did not confirm itself; the old one was put back: after 1 of 1 start" },
        { { REASON_UPLOAD_RUNNING, 1, 4096, 8192, 0 }, "an upload is not complete (slot 1): 4096 of 8192 bytes (8.0 KiB)" },
        { { REASON_IMG_MAGIC, 1, 0xDEADBEEF, 0x96F3B83D, 0 }, "what lies there is not an MCUboot image (slot 1): "
                                                              "found 0xdeadbeef, expected 0x96f3b83d" },
    };
    char text[EXPLAIN_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(explain_finding(&cases[i].f, text, sizeof text), cases[i].text);
    /* Every unit of the table is known, and every reason has something to try. */
    static const unsigned all[] = {
#define REASON_NUMBER(num, name, code, found, expected, where, words) num,
        REASON_TABLE(REASON_NUMBER)
#undef REASON_NUMBER
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct finding f = { (uint16_t)all[i], 1, 1, 2, 3 };
        json_t *o = explain_finding_json(&f);
        assert_true(strlen(explain_finding(&f, text, sizeof text)) >= strlen(reason_text(all[i])));
        assert_true(*explain_next(all[i]) != '\0');
        assert_true((json_object_get(o, "found") != NULL) == (*reason_found(all[i]) != '\0'));
        json_decref(o);
    }
    struct finding f = { REASON_EXT_ID, 1, 2, 3, 4 };
    assert_string_equal(explain_finding(&f, text, 20), "another flash chip ");
}

static void test_device_choice(void **state)
{
    static const struct {
        struct smpc_choice c;
        int rc;
        const char *name;
    } cases[] = {
        { { .port = "/dev/ttyACM0" }, OK, "/dev/ttyACM0" },
        { { .port = "/dev/x", .env = "udp:1.2.3.4:5" }, OK, "/dev/x" },
        { { .env = "/dev/y" }, OK, "/dev/y" },
        { { .env = "udp:1.2.3.4:5" }, OK, "udp:1.2.3.4:5" },
        { { .udp = "host" }, OK, "udp:host:1337" },
        { { .udp = "host:7" }, OK, "udp:host:7" },
        { { .udp = "[::1]" }, OK, "udp:::1:1337" },
        { { .udp = "[::1]:7" }, OK, "udp:::1:7" },
        { { .udp = "fe80::1" }, OK, "udp:fe80::1:1337" },
        { { .udp = "host:0" }, ERR_ARG, NULL },
        { { .udp = "host:70000" }, ERR_ARG, NULL },
        { { .udp = "host:7x" }, ERR_ARG, NULL },
        { { .udp = "" }, ERR_ARG, NULL },
        { { .udp = "a", .port = "b" }, ERR_ARG, NULL },
        { { .udp = "a", .raw = true }, ERR_ARG, NULL },
        { { .udp = "a", .baud = "9600" }, ERR_ARG, NULL },
        { { .port = "/dev/x", .baud = "" }, ERR_ARG, NULL },
        { { .port = "/dev/x", .baud = "12" }, ERR_ARG, NULL },
        { { .env = "ttyACM0" }, ERR_ARG, NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smpc_device d;
        char why[600];
        print_message("case %zu\n", i);
        assert_int_equal(smpc_device_choose(&d, &cases[i].c, why, sizeof why), cases[i].rc);
        if (cases[i].name)
            assert_string_equal(d.name, cases[i].name);
        else
            assert_true(why[0] != '\0');
    }
}

static void test_versions(void **state)
{
    static const char *const cases[][2] = { { "1.2.3", "1.2.3+0" }, { "1.2.3.4", "1.2.3+4" },
        { "1.2.3+4", "1.2.3+4" }, { "255.255.65535.4294967295", "255.255.65535+4294967295" }, { "?", "?" },
        { "1.2", "1.2" }, { "1.2.3-rc", "1.2.3-rc" }, { "", "" } };
    char text[40];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        smpc_version_text(cases[i][0], text, sizeof text);
        assert_string_equal(text, cases[i][1]);
    }
}

/* What a device says must not steer the terminal that shows it. */
static void test_control_characters_are_made_harmless(void **state)
{
    static const char *const rows[][2] = {
        { "plain, \xC3\xA4\xE2\x82\xAC\n\tends", "plain, \xC3\xA4\xE2\x82\xAC\n\tends" },
        { "\x1B[2J\r\x7F\b", "?[2J???" },
        { "\xC2\x9B" "2J", "??2J" }, /* CSI in one character */
        { "\xC2\x80\xC2\x9F\xC2\xA0", "????\xC2\xA0" },
        { "\xC2", "\xC2" },
        { "", "" },
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        strcpy(text, rows[i][0]);
        answer_clean(text);
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_control_characters_are_made_harmless),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_refusals_carry_their_group),
        cmocka_unit_test(test_once_is_once),
        cmocka_unit_test(test_deadline_and_interrupt),
        cmocka_unit_test(test_link_errors_come_through),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_findings_in_words),
        cmocka_unit_test(test_device_choice),
        cmocka_unit_test(test_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
