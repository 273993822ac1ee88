/* What the application says, with a line that takes as much as a case lets it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/app/output.h"

enum { ANSWER = OUTPUT_ANSWER_MAX };

struct bench {
    struct output o;
    uint32_t room;
    uint32_t said_len;
    char said[8192];
};

static uint32_t bench_room(void *ctx)
{
    return ((struct bench *)ctx)->room;
}

static void bench_write(void *ctx, const uint8_t *data, uint32_t len)
{
    struct bench *b = ctx;

    assert_true(len <= b->room);
    assert_true(b->said_len + len < sizeof b->said);
    memcpy(b->said + b->said_len, data, len);
    b->said_len += len;
    b->room -= len;
    b->said[b->said_len] = 0;
}

static struct bench bench;
static struct output_port port = { bench_room, bench_write, &bench };

static int bench_open(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    output_init(&bench.o, &port);
    return 0;
}

static void say(const char *text)
{
    output_text(&bench.o, text, (uint32_t)strlen(text));
}

static void a_line_is_said_when_it_ends(void **state)
{
    (void)state;
    bench.room = ANSWER + 100;
    say("one ");
    assert_int_equal(bench.said_len, 0);
    say("line\r\nand");
    assert_string_equal(bench.said, "one line\r\n");
}

static void a_line_without_an_end_is_said_in_parts(void **state)
{
    char text[OUTPUT_LINE_MAX + 10];

    (void)state;
    bench.room = ANSWER + 500;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    say(text);
    assert_int_equal(bench.said_len, OUTPUT_LINE_MAX);
    say("\n");
    assert_int_equal(bench.said_len, sizeof text);
}

static void what_does_not_fit_is_counted_and_said(void **state)
{
    (void)state;
    bench.room = ANSWER + 7;
    say("first\r\n");
    for (int i = 0; i < 12; i++)
        say("another\r\n");
    output_poll(&bench.o);
    assert_string_equal(bench.said, "first\r\n");
    assert_true(output_waits(&bench.o));
    bench.room = ANSWER + 9; /* for a line, not for the note before it */
    say("early\r\n");
    assert_string_equal(bench.said, "first\r\n");
    bench.room = ANSWER + 200;
    output_poll(&bench.o);
    say("after\r\n");
    assert_string_equal(bench.said, "first\r\n13 lines were dropped here: more was said than the line takes\r\nafter\r\n");
    assert_false(output_waits(&bench.o));
    assert_int_equal(bench.o.dropped_ever, 13);
}

static void a_raw_client_hears_no_text(void **state)
{
    static const uint8_t msg[] = { 1, 2, 3 };

    (void)state;
    bench.room = ANSWER + 100;
    bench.o.quiet = true;
    say("text\r\n");
    assert_true(output_answer(&bench.o, SERIAL_RAW, msg, sizeof msg));
    assert_int_equal(bench.said_len, sizeof msg);
    assert_int_equal(bench.o.dropped_ever, 0);
    bench.room = 2;
    assert_false(output_answer(&bench.o, SERIAL_RAW, msg, sizeof msg));
    assert_int_equal(bench.said_len, sizeof msg);
}

/* Of each length: not taken with a byte too little, nothing said of it; whole with as much as it needs. */
static void an_answer_is_whole_or_not_taken(void **state)
{
    static const uint32_t lens[] = { SMP_HEADER_LEN, 40, 88, 89, 90, 500, SMP_BUF_SIZE - 1, SMP_BUF_SIZE };
    static uint8_t msg[SMP_BUF_SIZE];
    static struct console_rx rx;

    (void)state;
    for (uint32_t i = 0; i < sizeof msg; i++)
        msg[i] = (uint8_t)(i * 7);
    for (unsigned i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct span got;
        bench_open(state);
        bench.room = ANSWER;
        assert_true(output_answer(&bench.o, SERIAL_CONSOLE, msg, lens[i]));
        uint32_t need = ANSWER - bench.room;
        console_rx_init(&rx);
        assert_int_equal(console_rx_feed(&rx, (const uint8_t *)bench.said, bench.said_len, &got), need);
        assert_int_equal(got.len, lens[i]);
        assert_memory_equal(got.p, msg, lens[i]);
        bench.said_len = 0;
        bench.room = need - 1;
        assert_false(output_answer(&bench.o, SERIAL_CONSOLE, msg, lens[i]));
        assert_int_equal(bench.said_len, 0);
        bench.room = need;
        assert_true(output_answer(&bench.o, SERIAL_CONSOLE, msg, lens[i]));
        if (lens[i] == SMP_BUF_SIZE)
            assert_int_equal(need, OUTPUT_ANSWER_MAX);
    }
}

static void text_leaves_room_for_the_longest_answer(void **state)
{
    static uint8_t msg[SMP_BUF_SIZE];

    (void)state;
    bench.room = 4096;
    for (int i = 0; i < 300; i++)
        say("a line of some length, of which there are far too many\r\n");
    assert_true(bench.o.dropped > 0);
    assert_true(output_answer(&bench.o, SERIAL_CONSOLE, msg, sizeof msg));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_is_said_when_it_ends, bench_open),
        cmocka_unit_test_setup(a_line_without_an_end_is_said_in_parts, bench_open),
        cmocka_unit_test_setup(what_does_not_fit_is_counted_and_said, bench_open),
        cmocka_unit_test_setup(a_raw_client_hears_no_text, bench_open),
        cmocka_unit_test_setup(an_answer_is_whole_or_not_taken, bench_open),
        cmocka_unit_test_setup(text_leaves_room_for_the_longest_answer, bench_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
