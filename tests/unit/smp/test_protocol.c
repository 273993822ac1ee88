/* Header, order of dispatch, errors of both versions, queue, CBOR: the server without a board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/smp/groups/os.h"
#include "core/smp/smp.h"
#include "tests/support/cborkit.h"

static const struct smp_os_info info = { "Slipway", "node", "0.1.0", "v0.1.0", "Mon", "arm",
    "cortex-m4", "board", "Slipway" };

struct bench {
    struct smp_server server;
    struct smp_os os;
    struct smp_binding binding[2];
    struct smp_transport transport;
    uint32_t now;
    bool closed;
    unsigned idles;
    unsigned busy; /* polls that the slow command takes */
    unsigned calls; /* of it */
    unsigned answers;
    uint32_t len;
    uint8_t answer[SMP_BUF_SIZE];
    uint64_t peer;
    char text[8192];
};

static uint32_t now_ms(void *ctx)
{
    return ((struct bench *)ctx)->now;
}

static bool idle(void *ctx)
{
    ((struct bench *)ctx)->idles++;
    return false;
}

static bool take(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    struct bench *b = ctx;

    if (b->closed)
        return false;
    b->answers++;
    b->peer = peer;
    b->len = len;
    memcpy(b->answer, msg, len);
    return true;
}

/* Group 9 of the bench: 0 fails with code 7 after `busy` polls, 1 answers with a list of lists. */
static int slow(void *ctx, struct smp_call *call)
{
    struct bench *b = ctx;

    cbor_put_uint(call->out, "dropped", 1);
    assert_int_equal(call->again, b->calls++ > 0);
    if (b->busy > 0) {
        b->busy--;
        return SMP_BUSY;
    }
    return smp_err(7);
}

static int nested(void *ctx, struct smp_call *call)
{
    (void)ctx;
    cbor_list_begin(call->out, "l");
    cbor_map_begin(call->out, NULL);
    cbor_put_int(call->out, "n", -3);
    cbor_map_end(call->out);
    cbor_put_text(call->out, NULL, "x");
    cbor_list_end(call->out);
    return SMP_DONE;
}

static enum smp_rc bench_v1(unsigned err)
{
    return err == 7 ? SMP_RC_BAD_STATE : SMP_RC_UNKNOWN;
}

static const struct smp_cmd cmds[] = {
    { .id = 0, .write = slow },
    { .id = 1, .read = nested },
};
static const struct smp_group group9 = { .id = 9, .cmds = cmds, .count = 2, .v1 = bench_v1 };

static struct bench *open_bench(void)
{
    static struct bench b;

    memset(&b, 0, sizeof b);
    smp_os_init(&b.os, &info);
    b.binding[0] = (struct smp_binding) { &smp_group_os, &b.os };
    b.binding[1] = (struct smp_binding) { &group9, &b };
    b.transport = (struct smp_transport) { take, &b };
    struct smp_config cfg = { .groups = b.binding, .count = 2, .now_ms = now_ms, .idle = idle,
        .ctx = &b };
    smp_init(&b.server, &cfg);
    return &b;
}

static void run(struct bench *b)
{
    for (int i = 0; i < 1000 && smp_poll(&b->server); i++)
        ;
}

static void feed(struct bench *b, const void *msg, size_t len)
{
    (void)smp_submit(&b->server, &b->transport, 5, msg, (uint32_t)len);
    run(b);
}

static const char *text(struct bench *b)
{
    return ck_diag(b->answer + SMP_HEADER_LEN, b->len - SMP_HEADER_LEN, b->text, sizeof b->text);
}

struct vector {
    const char *name;
    const char *request; /* hex */
    const char *answer; /* hex, "" none */
};

/* The first two are computed by hand from the header's drawing, the rest follows from them. */
static const struct vector vectors[] = {
    { "echo v2", "0a00000600004200a16164626869", "0b00000700004200bf6172626869ff" },
    { "echo v1", "0200000600004200a16164626869", "0300000700004200bf6172626869ff" },
    { "echo read", "0800000600004200a16164626869", "0900000700004200bf6172626869ff" },
    { "echo, indefinite map", "0a00000700004200bf6164626869ff", "0b00000700004200bf6172626869ff" },
    { "echo, no payload", "0a00000000000000", "0b00000500000000bf617260ff" },
    { "phone's first request", "000000010000ff06a0", "0100001900 00ff06bf686275665f73697a651905c0696275665f636f756e7404ff" },
    { "reset without payload", "0a00000000000105", "0b00000200000105bffff" },
    { "length beyond the message", "0a00000700004200a16164626869", "0b00000600004200bf62726309ff" },
    { "op 4", "0c00000000004200", "0b00000600004200bf62726308ff" },
    { "version 2", "1200000000004200", "0b00000600004200bf6272630dff" },
    { "version 3 of an unknown group", "1a00000000634200", "0b00000600634200bf6272630dff" },
    { "unknown group", "0a00000000804201", "0b00000600804201bf62726308ff" },
    { "unknown group v1", "0200000000804201", "0300000600804201bf62726308ff" },
    { "unknown command", "0a00000000004263", "0b00000600004263bf62726308ff" },
    { "read of what is only written", "0800000000004205", "0900000600004205bf62726308ff" },
    { "answer of somebody else", "0b00000600004200a16172626869", "" },
    { "seven bytes", "0a000000000042", "" },
    { "payload is no map", "0a00000100004200f6", "0b00000600004200bf62726303ff" },
    { "group error v2", "0a00000000090000", "0b00001300090000bf63657272bf6567726f75700962726307ffff" },
    { "group error v1", "0200000000090000", "0300000600090000bf62726306ff" },
    { "nested answer", "0800000000090001", "0900000d00090001bf616c9fbf616e22ff6178ffff" },
};

static size_t from_hex(const char *s, uint8_t *out)
{
    size_t n = 0;

    while (*s) {
        char two[3] = { s[0], s[1], 0 };
        if (s[0] == ' ') {
            s++;
            continue;
        }
        out[n++] = (uint8_t)strtoul(two, NULL, 16);
        s += s[1] ? 2 : 1;
    }
    return n;
}

static void test_vectors(void **state)
{
    uint8_t in[256], want[256];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct bench *b = open_bench();
        size_t n = from_hex(vectors[i].request, in), m = from_hex(vectors[i].answer, want);
        feed(b, in, n);
        print_message("%s\n", vectors[i].name);
        assert_int_equal(b->answers, m > 0);
        if (m > 0) {
            /* the length of an answer stands in its header */
            assert_int_equal(b->len, SMP_HEADER_LEN + ((size_t)want[2] << 8 | want[3]));
            assert_memory_equal(b->answer, want, m < b->len ? m : b->len);
            assert_int_equal(b->peer, 5);
        }
    }
}

struct decode {
    const char *name;
    const char *payload; /* hex, of an echo */
    const char *answer;
};

static const struct decode decodes[] = {
    { "unknown keys of every kind", "a7 6161 01 6162 20 6163 4101 6164 6178 6165 81a16166f6 6167 fb0000000000000000 01 02", "{\"r\":\"x\"}" },
    { "tagged unknown value", "a2 6161 c11a00000000 6164 6178", "{\"r\":\"x\"}" },
    { "null is absent", "a1 6164 f6", "{\"r\":\"\"}" },
    { "known key twice", "a2 6164 6178 6164 6179", "{\"rc\":3}" },
    { "known key twice, once null", "a2 6164 f6 6164 6179", "{\"rc\":3}" },
    { "unknown key twice", "a3 6161 01 6161 02 6164 6178", "{\"r\":\"x\"}" },
    { "another type", "a1 6164 01", "{\"rc\":3}" },
    { "map cut off", "a2 6164 6178", "{\"rc\":3}" },
    { "indefinite map cut off", "bf 6164 6178", "{\"rc\":3}" },
    { "text longer than the message", "a1 6164 7a00000100 61", "{\"rc\":3}" },
    { "text of 2^63 bytes", "a1 6164 7b8000000000000000 61", "{\"rc\":3}" },
    { "map of 2^64 - 1 pairs", "bbffffffffffffffff 6164 6178", "{\"rc\":3}" },
    { "eight levels", "a2 6161 81818181818181 01 6164 6178", "{\"r\":\"x\"}" },
    { "nine levels", "a2 6161 8181818181818181 01 6164 6178", "{\"rc\":3}" },
    { "lists without end", "a2 6161 9f9f9fffffff 6164 6178", "{\"r\":\"x\"}" },
    { "reserved length", "a1 6164 7c", "{\"rc\":3}" },
    { "a break where a value should be", "a1 6164 ff", "{\"rc\":3}" },
    { "text in pieces", "a1 6164 7f6178ff", "{\"rc\":3}" },
    { "a key alone in an indefinite map", "bf 6164 ff", "{\"rc\":3}" },
};

static void test_decoding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof decodes / sizeof decodes[0]; i++) {
        struct bench *b = open_bench();
        uint8_t msg[256] = { 0x0A };
        size_t n = from_hex(decodes[i].payload, msg + SMP_HEADER_LEN);
        msg[3] = (uint8_t)n;
        feed(b, msg, SMP_HEADER_LEN + n);
        print_message("%s\n", decodes[i].name);
        assert_string_equal(text(b), decodes[i].answer);
    }
}

/* Every value of every kind of list would overflow the stack of a decoder that recurses. */
static void test_deep_nesting_is_refused(void **state)
{
    struct bench *b = open_bench();
    uint8_t msg[SMP_BUF_SIZE];

    (void)state;
    memset(msg, 0x81, sizeof msg);
    memcpy(msg, "\x0a\x00\x05\x78\x00\x00\x00\x00\xa1\x61\x61", 11);
    feed(b, msg, sizeof msg);
    assert_string_equal(text(b), "{\"rc\":3}");
}

static void test_answer_that_does_not_fit(void **state)
{
    struct bench *b = open_bench();
    struct cborkit c;
    uint8_t msg[SMP_BUF_SIZE] = { 0x0A };

    (void)state;
    for (uint32_t n = SMP_BUF_SIZE - 18; n <= SMP_BUF_SIZE - 14; n++) {
        char *s = calloc(1, n + 1);
        memset(s, 'a', n);
        ck_map(&c, 1);
        ck_string(&c, "d", s);
        free(s);
        msg[2] = (uint8_t)(c.len >> 8);
        msg[3] = (uint8_t)c.len;
        memcpy(msg + SMP_HEADER_LEN, c.bytes, c.len);
        feed(b, msg, (uint32_t)(SMP_HEADER_LEN + c.len));
        bool fits = b->len == SMP_HEADER_LEN + n + 7;
        assert_true(fits || n == SMP_BUF_SIZE - 14);
        if (n == SMP_BUF_SIZE - 14)
            assert_string_equal(text(b), "{\"rc\":7}");
    }
}

static void test_queue(void **state)
{
    struct bench *b = open_bench();
    static const uint8_t echo[] = "\x0a\x00\x00\x06\x00\x00\x01\x00\xa1\x61\x64\x62hi";
    static const uint8_t big[SMP_BUF_SIZE + 1] = { 0x0A };

    (void)state;
    b->closed = true;
    for (int i = 0; i < SMP_BUF_COUNT; i++)
        assert_true(smp_submit(&b->server, &b->transport, 5, echo, 14));
    assert_false(smp_submit(&b->server, &b->transport, 5, echo, 14));
    for (int i = 0; i < 10; i++)
        assert_true(smp_poll(&b->server)); /* the transport takes nothing */
    b->closed = false;
    run(b);
    assert_int_equal(b->answers, SMP_BUF_COUNT);
    assert_int_equal(b->server.count.dropped_full, 1);
    assert_false(smp_submit(&b->server, &b->transport, 5, big, sizeof big));
    assert_int_equal(b->server.count.dropped_long, 1);
    assert_false(smp_submit(&b->server, &b->transport, 5, echo, 7));
    assert_int_equal(b->server.count.dropped_short, 1);
    assert_false(smp_poll(&b->server));
    assert_true(b->idles > 0);
}

static void test_slow_command(void **state)
{
    struct bench *b = open_bench();
    static const uint8_t slow_v2[] = "\x0a\x00\x00\x00\x00\x09\x01\x00";
    static const uint8_t echo[] = "\x0a\x00\x00\x06\x00\x00\x02\x00\xa1\x61\x64\x62hi";

    (void)state;
    b->busy = 3;
    assert_true(smp_submit(&b->server, &b->transport, 5, slow_v2, 8));
    assert_true(smp_submit(&b->server, &b->transport, 5, echo, 14));
    for (int i = 0; i < 3; i++) {
        assert_true(smp_poll(&b->server));
        assert_int_equal(b->answers, 0);
    }
    assert_int_equal(b->idles, 0);
    assert_true(smp_poll(&b->server));
    assert_true(smp_poll(&b->server));
    assert_string_equal(text(b), "{\"err\":{\"group\":9,\"rc\":7}}");
    run(b);
    assert_int_equal(b->answers, 2);
    assert_string_equal(text(b), "{\"r\":\"hi\"}");
}

static void test_several_in_a_message(void **state)
{
    struct bench *b = open_bench();
    uint8_t msg[42];
    static const uint8_t echo[] = "\x0a\x00\x00\x06\x00\x00\x01\x00\xa1\x61\x64\x62hi";

    (void)state;
    memcpy(msg, echo, 14);
    memcpy(msg + 14, echo, 14);
    memcpy(msg + 28, echo, 14);
    feed(b, msg, 42);
    assert_int_equal(b->answers, 3);
    msg[14 + 7] = 99; /* unknown command: what is behind it is not looked at */
    feed(b, msg, 42);
    assert_int_equal(b->answers, 5);
    assert_string_equal(text(b), "{\"rc\":8}");
    feed(b, msg, 17); /* three bytes are no header */
    assert_int_equal(b->answers, 6);
}

static void test_forget(void **state)
{
    struct bench *b = open_bench();
    static const uint8_t echo[] = "\x0a\x00\x00\x06\x00\x00\x01\x00\xa1\x61\x64\x62hi";

    (void)state;
    assert_true(smp_submit(&b->server, &b->transport, 5, echo, 14));
    assert_true(smp_submit(&b->server, &b->transport, 6, echo, 14));
    smp_forget(&b->server, &b->transport, 5);
    run(b);
    assert_int_equal(b->answers, 1);
    assert_int_equal(b->peer, 6);
}

static const char *os(struct bench *b, unsigned op, unsigned id, const struct cborkit *c)
{
    uint8_t msg[512] = { (uint8_t)(8 | op), 0, 0, (uint8_t)c->len, 0, 0, 9, (uint8_t)id };

    memcpy(msg + SMP_HEADER_LEN, c->bytes, c->len);
    feed(b, msg, SMP_HEADER_LEN + c->len);
    return text(b);
}

static void test_os_info(void **state)
{
    static const struct {
        const char *format, *answer;
    } cases[] = {
        { "", "{\"output\":\"\"}" },
        { "s", "{\"output\":\"Slipway\"}" },
        { "sv", "{\"output\":\"Slipway v0.1.0\"}" },
        { "vs", "{\"output\":\"Slipway v0.1.0\"}" },
        { "ss", "{\"output\":\"Slipway\"}" },
        { "a", "{\"output\":\"Slipway node 0.1.0 v0.1.0 Mon arm cortex-m4 board Slipway\"}" },
        { "x", "{\"err\":{\"group\":0,\"rc\":2}}" },
    };
    struct bench *b = open_bench();
    struct cborkit c;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_map(&c, 1);
        ck_string(&c, "format", cases[i].format);
        assert_string_equal(os(b, 0, SMP_OS_INFO, &c), cases[i].answer);
    }
    ck_map(&c, 0);
    assert_string_equal(os(b, 0, SMP_OS_INFO, &c), "{\"output\":\"Slipway\"}");
}

static void test_os_bootloader(void **state)
{
    struct bench *b = open_bench();
    struct cborkit c;

    (void)state;
    ck_map(&c, 0);
    assert_string_equal(os(b, 0, SMP_OS_BOOTLOADER, &c), "{\"bootloader\":\"MCUboot\"}");
    ck_map(&c, 1);
    ck_string(&c, "query", "mode");
    assert_string_equal(os(b, 0, SMP_OS_BOOTLOADER, &c), "{\"mode\":3}");
    ck_map(&c, 1);
    ck_string(&c, "query", "active_b0_slot");
    assert_string_equal(os(b, 0, SMP_OS_BOOTLOADER, &c), "{\"err\":{\"group\":0,\"rc\":3}}");
    b->answer[0] = 0;
    uint8_t v1[] = "\x00\x00\x00\x0b\x00\x00\x09\x08\xa1\x65query\x63xyz";
    v1[3] = 11;
    feed(b, v1, SMP_HEADER_LEN + 11);
    assert_string_equal(text(b), "{\"rc\":5}");
}

static void test_os_reset(void **state)
{
    struct bench *b = open_bench();
    struct cborkit c;

    (void)state;
    b->now = UINT32_MAX - 100;
    assert_false(smp_os_reset_due(&b->os, b->now));
    ck_map(&c, 2);
    ck_uint(&c, "force", 1);
    ck_uint(&c, "boot_mode", 1);
    assert_string_equal(os(b, 2, SMP_OS_RESET, &c), "{}");
    assert_int_equal(b->os.boot_mode, SMP_OS_BOOT_RECOVERY);
    assert_false(smp_os_reset_due(&b->os, b->now + 249));
    assert_true(smp_os_reset_due(&b->os, b->now + 250));
    assert_false(smp_os_reset_due(&b->os, b->now + 251));
    ck_map(&c, 1);
    ck_uint(&c, "boot_mode", 2);
    assert_string_equal(os(b, 2, SMP_OS_RESET, &c), "{\"rc\":3}");
    assert_false(b->os.reset_asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_decoding),
        cmocka_unit_test(test_deep_nesting_is_refused),
        cmocka_unit_test(test_answer_that_does_not_fit),
        cmocka_unit_test(test_queue),
        cmocka_unit_test(test_slow_command),
        cmocka_unit_test(test_several_in_a_message),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_os_info),
        cmocka_unit_test(test_os_bootloader),
        cmocka_unit_test(test_os_reset),
    };
    return cmocka_run_group_tests_name("smp protocol", tests, NULL, NULL);
}
