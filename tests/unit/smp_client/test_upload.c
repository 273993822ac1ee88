/*
 * The upload against a scripted server in virtual time: what arrives, how much is sent, and that it
 * ends against every kind of lying or dead device.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/lib/smp/answer.h"
#include "host/lib/smp/upload.h"
#include "tests/unit/smp_client/fake_link.h"

enum { FILE_LEN = 100003, END_MS = 60000 };

/* The server of the protocol, with things it may do wrong. */
struct server {
    size_t have;
    size_t resume_at; /* what chunk 0 is answered with, if more than 0 */
    unsigned chunks; /* taken in so far */
    unsigned lose_request, lose_answer; /* every n-th; 0: none */
    unsigned dead_from; /* this request on */
    unsigned forget_at; /* loses the session at this chunk */
    bool always_zero, stuck, twice, slow, beyond;
    size_t longest; /* message */
    uint8_t got[FILE_LEN];
};

static uint8_t file[FILE_LEN];
static struct server server;
static struct fake fake;
static struct smpc client;

static void reply_off(struct fake *f, const uint8_t *msg, size_t off)
{
    uint8_t cbor[] = { 0xA1, 0x63, 'o', 'f', 'f', 0x1A, 0, 0, 0, 0 };

    st_be32(cbor + 6, (uint32_t)off);
    fake_reply(f, msg, cbor, sizeof cbor);
}

/* `off` and `data` of a chunk, found as a server that knows the keys would. */
static void take(struct server *s, const uint8_t *msg, size_t len)
{
    json_t *map = smpc_answer_decode(span_of(msg + SMPC_HEADER_LEN, len - SMPC_HEADER_LEN));
    size_t off = (size_t)answer_int(map, "off", -1);
    const char *hex = answer_text(map, "data", "");
    size_t n = strlen(hex) / 2;

    if (off == 0) {
        assert_int_equal(answer_int(map, "len", 0), FILE_LEN);
        s->have = s->resume_at;
    }
    if (off == s->have && off + n <= FILE_LEN) {
        for (size_t i = 0; i < n; i++) {
            char digits[3] = { hex[2 * i], hex[2 * i + 1], 0 };
            s->got[off + i] = (uint8_t)strtoul(digits, NULL, 16);
        }
        s->have = off + n;
    }
    json_decref(map);
}

static void serve(struct fake *f, const uint8_t *msg, size_t len)
{
    struct server *s = f->arg;
    unsigned n = f->sent;

    s->longest = len > s->longest ? len : s->longest;
    if ((s->lose_request && n % s->lose_request == 2) || (s->dead_from && n >= s->dead_from))
        return;
    if (s->forget_at && ++s->chunks == s->forget_at)
        s->have = 0;
    if (!s->stuck || s->have == 0)
        take(s, msg, len);
    if (s->lose_answer && n % s->lose_answer == 3)
        return;
    for (int i = 0; i <= s->twice; i++)
        reply_off(f, msg, s->always_zero ? 0 : s->beyond && s->have > 5000 ? FILE_LEN - 3 : s->have);
    if (s->slow)
        f->now_ms += 1500;
}

static int upload(const struct server *s, unsigned buf_size, unsigned buf_count, struct smpc_upload *u)
{
    memset(&fake, 0, sizeof fake);
    server = *s;
    fake.answer = serve;
    fake.arg = &server;
    struct smpc_link link = fake_link(&fake);
    smpc_init(&client, &link, 200);
    client.message_max = client.buf_size = buf_size;
    client.buf_count = buf_count;
    *u = (struct smpc_upload) { .file = span_of(file, sizeof file) };
    return smpc_upload(&client, u);
}

static void test_what_arrives(void **state)
{
    static const struct {
        const char *name;
        struct server s;
        unsigned buf_size, buf_count;
    } cases[] = {
        { "plain", { 0 }, 1408, 4 },
        { "one buffer", { 0 }, 1408, 1 },
        { "many small buffers", { 0 }, 128, 64 },
        { "smallest", { 0 }, 72, 4 },
        { "requests lost", { .lose_request = 7 }, 1408, 4 },
        { "answers lost", { .lose_answer = 7 }, 1408, 4 },
        { "both lost", { .lose_answer = 5, .lose_request = 7 }, 512, 8 },
        { "answers twice", { .twice = true }, 1408, 4 },
        { "resumed", { .resume_at = 50000 }, 1408, 4 },
        { "resumed at an odd place", { .resume_at = 50001 }, 1408, 4 },
        { "session lost", { .forget_at = 9 }, 1408, 4 },
        { "1.5 s a chunk", { .slow = true }, 1408, 4 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smpc_upload u;
        size_t from = cases[i].s.resume_at;
        print_message("%s\n", cases[i].name);
        assert_int_equal(upload(&cases[i].s, cases[i].buf_size, cases[i].buf_count, &u), OK);
        assert_true(u.whole);
        assert_int_equal(u.resumed_at, from);
        assert_memory_equal(server.got + from, file + from, sizeof file - from);
        assert_true(server.longest <= cases[i].buf_size);
    }
}

static void test_it_ends(void **state)
{
    static const struct {
        const char *name;
        struct server s;
        int rc;
    } cases[] = {
        { "dead", { .dead_from = 1 }, ERR_TIMEOUT },
        { "dies in the middle", { .dead_from = 30 }, ERR_TIMEOUT },
        { "always 0", { .always_zero = true }, ERR_FORMAT },
        { "never moves", { .stuck = true }, ERR_TIMEOUT },
        { "asks for what was not sent", { .beyond = true }, ERR_FORMAT },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct smpc_upload u;
        print_message("%s\n", cases[i].name);
        assert_int_equal(upload(&cases[i].s, 1408, 4, &u), cases[i].rc);
        assert_false(u.whole);
        assert_true(fake.now_ms < END_MS);
        assert_true(fake.sent < 300);
    }
}

static void test_no_more_than_the_window_is_under_way(void **state)
{
    static const struct {
        unsigned buf_count, window;
    } cases[] = { { 1, 1 }, { 2, 1 }, { 4, 3 }, { 64, SMPC_WINDOW_MAX } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* Everything after chunk 0 is lost: what is sent at one time is the window. */
        struct server s = { .dead_from = 2 };
        struct smpc_upload u;
        unsigned n = 0;
        assert_int_equal(upload(&s, 1408, cases[i].buf_count, &u), ERR_TIMEOUT);
        while (n + 1 < fake.sent && fake.sent_ms[n + 1] == fake.sent_ms[1])
            n++;
        assert_int_equal(n, cases[i].window);
    }
}

static void test_a_loss_costs_little(void **state)
{
    struct server none = { 0 }, lossy = { .lose_request = 10 };
    struct smpc_upload u;

    (void)state;
    assert_int_equal(upload(&none, 1408, 4, &u), OK);
    unsigned least = fake.sent;
    assert_int_equal(upload(&lossy, 1408, 4, &u), OK);
    assert_true(fake.sent < least * 3 / 2);
    assert_true(fake.now_ms < 20000);
    lossy = (struct server) { .lose_answer = 9 };
    assert_int_equal(upload(&lossy, 1408, 4, &u), OK);
    assert_true(fake.sent <= least + 3); /* a later answer covers the lost one */
    assert_int_equal(u.window, 3);
}

int main(void)
{
    for (size_t i = 0; i < sizeof file; i++)
        file[i] = (uint8_t)(i * 2654435761u >> 13);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_arrives),
        cmocka_unit_test(test_it_ends),
        cmocka_unit_test(test_no_more_than_the_window_is_under_way),
        cmocka_unit_test(test_a_loss_costs_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
