/* Console lines and raw messages on one line, told apart at the start of every message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/smp/framing/serial.h"

/* Echo "hi": v2, sequence 0x42. */
#define RAW     "\x0a\x00\x00\x06\x00\x00\x42\x00\xa1\x61\x64\x62hi"
#define RAW_LEN 14u
#define CONSOLE "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsK\n"
/* Parameters: v1 READ, which begins with two zeros. */
#define ZERO     "\x00\x00\x00\x01\x00\x00\x07\x06\xa0"
#define ZERO_LEN 9u

struct heard {
    char what[32]; /* c or r a message */
    unsigned n;
};

static void hear(void *ctx, enum serial_framing framing, struct span msg)
{
    struct heard *h = (struct heard *)ctx;

    assert_true(msg.len == RAW_LEN || msg.len == ZERO_LEN);
    assert_memory_equal(msg.p, msg.len == RAW_LEN ? RAW : ZERO, msg.len);
    h->what[h->n++] = framing == SERIAL_RAW ? 'r' : 'c';
}

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    const char *heard;
} cases[] = {
#define CASE(name, bytes, heard) { name, bytes, sizeof(bytes) - 1, heard }
    CASE("console", CONSOLE, "c"),
    CASE("raw", RAW, "r"),
    CASE("raw beginning with zeros", ZERO ZERO, "rr"),
    CASE("one after the other", CONSOLE RAW CONSOLE CONSOLE RAW RAW CONSOLE, "crccrrc"),
    CASE("a line feed first", "\n" CONSOLE, "c"),
    CASE("line feeds and returns first", "\r\n\n\r\n" CONSOLE RAW, "cr"),
    CASE("a shell's noise", "uart:~$ help\r\n" CONSOLE "uart:~$ \n" RAW, "cr"),
    CASE("a console line that is none", "\x06\x09!!!!\n" CONSOLE, "c"),
    CASE("cut off, then anew", "\x06\x09" "ABAKAAAG\n" CONSOLE RAW, "cr"),
};

static void test_streams(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t step = 1; step <= cases[i].len; step += step < 4 ? 1 : 17) {
            struct serial_rx rx;
            struct heard h = { .n = 0 };
            serial_rx_init(&rx);
            for (size_t at = 0; at < cases[i].len; at += step) {
                size_t n = cases[i].len - at < step ? cases[i].len - at : step;
                serial_rx_feed(&rx, (const uint8_t *)cases[i].bytes + at, n, 5, hear, &h);
            }
            if (strcmp(h.what, cases[i].heard) != 0)
                fail_msg("%s by %zu: %s", cases[i].name, step, h.what);
        }
    }
}

/* What was begun before a long pause is forgotten, in either framing. */
static void test_pause(void **state)
{
    static const char *const begun[] = { "\x06\x09" "ABAKAAAGAABC\n\x04", "\x0a\x00\x00\x06" };
    static const size_t len[] = { 16, 4 };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct serial_rx rx;
        struct heard h = { .n = 0 };
        serial_rx_init(&rx);
        serial_rx_feed(&rx, (const uint8_t *)begun[i], len[i], 1000, hear, &h);
        serial_rx_feed(&rx, (const uint8_t *)RAW, RAW_LEN, 1001 + SERIAL_PAUSE_MS, hear, &h);
        assert_string_equal(h.what, "r");
    }
}

struct typed {
    struct heard h; /* first: hear() gets the same ctx */
    char text[64];
    size_t n;
};

static void type(void *ctx, uint8_t b)
{
    struct typed *t = ctx;

    if (t->n < sizeof t->text - 1)
        t->text[t->n++] = (char)b;
}

/* What a person types between a client's messages reaches the shell, and nothing of a message does. */
static void test_text(void **state)
{
    static const char line[] = "help\r\n" CONSOLE "set 1 a\r" CONSOLE RAW "x\r\n";
    size_t len = sizeof "help\r\n" - 1 + 2 * (sizeof CONSOLE - 1) + sizeof "set 1 a\r" - 1 + RAW_LEN + 3;

    (void)state;
    for (size_t step = 1; step < 20; step += 3) {
        struct serial_rx rx;
        struct typed t = { .n = 0 };
        serial_rx_init(&rx);
        rx.text = type;
        for (size_t at = 0; at < len; at += step)
            serial_rx_feed(&rx, (const uint8_t *)line + at, len - at < step ? len - at : step, 5, hear, &t);
        assert_string_equal(t.h.what, "ccr");
        assert_string_equal(t.text, "help\r\nset 1 a\rx\r\n");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests_name("board_serial", tests, NULL, NULL);
}
