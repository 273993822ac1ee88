/* Console and raw framing, against frames written down elsewhere and against themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/smp/framing/console.h"
#include "core/smp/framing/raw.h"

/* echo {"d":"hi"}, sequence 0x42, in SMP v2 and v1; CRCs 0x9B0A and 0x7061. */
static const uint8_t echo_v2[] = "\x0a\x00\x00\x06\x00\x00\x42\x00\xa1\x61\x64\x62hi";
static const uint8_t echo_v1[] = "\x02\x00\x00\x06\x00\x00\x42\x00\xa1\x61\x64\x62hi";
static const char line_v2[] = "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsK\n";
static const char line_v1[] = "\x06\x09" "ABACAAAGAABCAKFhZGJoaXBh\n";
enum { ECHO_LEN = 14 };

static unsigned feed(struct console_rx *rx, const void *data, size_t len, struct span *last)
{
    const uint8_t *p = data;
    struct span msg;
    unsigned n = 0;

    while (len > 0) {
        size_t took = console_rx_feed(rx, p, len, &msg);
        if (msg.len > 0) {
            n++;
            *last = msg;
        }
        p += took;
        len -= took;
    }
    return n;
}

static void test_vectors(void **state)
{
    struct console_rx rx;
    struct console_tx tx;
    struct span msg = { 0 };
    uint8_t line[CONSOLE_LINE_MAX];

    (void)state;
    console_rx_init(&rx);
    assert_int_equal(feed(&rx, line_v2, sizeof line_v2 - 1, &msg), 1);
    assert_int_equal(msg.len, ECHO_LEN);
    assert_memory_equal(msg.p, echo_v2, ECHO_LEN);
    assert_int_equal(feed(&rx, line_v1, sizeof line_v1 - 1, &msg), 1);
    assert_memory_equal(msg.p, echo_v1, ECHO_LEN);
    console_tx_begin(&tx, echo_v2, ECHO_LEN);
    assert_int_equal(console_tx_line(&tx, line), sizeof line_v2 - 1);
    assert_memory_equal(line, line_v2, sizeof line_v2 - 1);
    assert_int_equal(console_tx_line(&tx, line), 0);
}

static void test_round_trip(void **state)
{
    static struct console_rx rx;
    static uint8_t in[SMP_BUF_SIZE];
    uint8_t line[CONSOLE_LINE_MAX];
    struct console_tx tx;
    struct span msg = { 0 };

    (void)state;
    srand(1);
    console_rx_init(&rx);
    for (uint32_t len = SMP_HEADER_LEN; len <= SMP_BUF_SIZE; len++) {
        unsigned got = 0;
        uint32_t n;
        for (uint32_t i = 0; i < len; i++)
            in[i] = (uint8_t)rand();
        console_tx_begin(&tx, in, len);
        while ((n = console_tx_line(&tx, line)) > 0) {
            assert_true(n <= CONSOLE_LINE_MAX);
            assert_int_equal(line[n - 1], '\n');
            assert_null(memchr(line, '\r', n));
            got += feed(&rx, line, n, &msg);
        }
        assert_int_equal(got, 1);
        assert_int_equal(msg.len, len);
        assert_memory_equal(msg.p, in, len);
    }
    assert_int_equal(rx.count.bad_crc + rx.count.bad_length + rx.count.bad_line + rx.count.cut_off, 0);
}

/* The other way of encoding: each line by itself, the CRC's low byte as a group of its own. */
static void test_lines_encoded_one_by_one(void **state)
{
    /* total 0x0010; 8 header bytes, payload and CRC in groups as one server sends them */
    static const char frame[] = "\x06\x09" "ABAKAAAG\n\x04\x14" "AABCAKFhZA==\n\x04\x14" "YmhpmwI=\n";
    static const char good[] = "\x06\x09" "ABAKAAAG\n\x04\x14" "AABCAKFhZA==\n\x04\x14" "Ymhpmw==Cg==\n";
    struct console_rx rx;
    struct span msg = { 0 };

    (void)state;
    console_rx_init(&rx);
    assert_int_equal(feed(&rx, frame, sizeof frame - 1, &msg), 0);
    assert_int_equal(rx.count.bad_crc, 1);
    assert_int_equal(feed(&rx, good, sizeof good - 1, &msg), 1);
    assert_memory_equal(msg.p, echo_v2, ECHO_LEN);
}

struct noise {
    const char *name;
    const char *bytes;
    unsigned packets;
    size_t counter; /* offset of the counter that must have moved; 0: packets */
};
#define COUNTER(c) offsetof(struct console_counters, c)
#define V2 "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsK\n"

static const struct noise noises[] = {
    { "log lines around", "uart:~$ boot\r\n" V2 "done\r\n", 1, 0 },
    { "log in front of the marker", "\x1b[0mlog" V2, 1, 0 },
    { "carriage return", "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsK\r\n", 1, 0 },
    { "a line without its end, then a new packet", "\x06\x09" "ABAKAAAG" V2, 1, COUNTER(cut_off) },
    { "first line twice", "\x06\x09" "ABAKAAAG\n" V2, 1, COUNTER(cut_off) },
    { "further line alone", "\x04\x14" "ABAKAAAG\n" V2, 1, COUNTER(no_start) },
    { "marker cut", "\x06" V2, 1, 0 },
    { "marker of the other half", "\x06\x14" V2, 1, 0 },
    { "one bit wrong", "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsJ\n" V2, 1, COUNTER(bad_crc) },
    { "not base64", "\x06\x09" "ABAK?AAGAABCAKFhZGJoaZsK\n" V2, 1, COUNTER(bad_line) },
    { "padding in front", "\x06\x09" "=BAKAAAGAABCAKFhZGJoaZsK\n" V2, 1, COUNTER(bad_line) },
    { "a character too few", "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZs\n" V2, 1, COUNTER(bad_line) },
    { "total 0", "\x06\x09" "AAAAAAAAAAAAAAAAAAAAAAAA\n" V2, 1, COUNTER(bad_length) },
    { "total 1", "\x06\x09" "AAEA\n" V2, 1, COUNTER(bad_length) },
    { "total 9", "\x06\x09" "AAkKAAAAAAAAAAAA\n" V2, 1, COUNTER(bad_length) },
    { "more than the total", "\x06\x09" "ABAKAAAGAABCAKFhZGJoaZsKAAAA\n" V2, 1, COUNTER(bad_length) },
    { "total larger than any message", "\x06\x09" "//8KAAAG\n" V2, 1, COUNTER(bad_length) },
    { "line too long", "\x06\x09" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" V2, 1, COUNTER(bad_line) },
    { "empty line", "\x06\x09\n" V2, 1, COUNTER(cut_off) },
    { "two packets", V2 V2, 2, 0 },
};

static void test_noise(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof noises / sizeof noises[0]; i++) {
        static struct console_rx rx;
        struct span msg = { 0 };
        uint32_t moved;

        print_message("%s\n", noises[i].name);
        console_rx_init(&rx);
        assert_int_equal(feed(&rx, noises[i].bytes, strlen(noises[i].bytes), &msg), noises[i].packets);
        assert_memory_equal(msg.p, echo_v2, ECHO_LEN);
        memcpy(&moved, (const uint8_t *)&rx.count + noises[i].counter, sizeof moved);
        assert_true(moved > 0);
        uint32_t bad = rx.count.bad_line + rx.count.no_start + rx.count.bad_length
            + rx.count.bad_crc + rx.count.cut_off;
        assert_int_equal(bad, noises[i].counter != 0);
    }
}

/* One line more than a packet can have. */
static void test_overflow(void **state)
{
    static struct console_rx rx;
    struct span msg = { 0 };
    char line[CONSOLE_LINE_MAX + 1] = "\x06\x09" "BYI";

    (void)state;
    console_rx_init(&rx);
    memset(line + 5, 'A', 121);
    line[126] = '\n';
    assert_int_equal(feed(&rx, line, 127, &msg), 0);
    assert_int_equal(rx.count.bad_length, 0);
    memcpy(line, "\x04\x14" "AAA", 5);
    for (int i = 0; i < 20; i++)
        assert_int_equal(feed(&rx, line, 127, &msg), 0);
    assert_int_equal(rx.count.bad_length, 1);
    assert_int_equal(feed(&rx, V2, sizeof V2 - 1, &msg), 1);
}

static unsigned feed_raw(struct raw_rx *rx, const void *data, size_t len, uint32_t now,
    struct span *last)
{
    const uint8_t *p = data;
    struct span msg;
    unsigned n = 0;

    while (len > 0) {
        size_t took = raw_rx_feed(rx, p, len, now, &msg);
        if (msg.len > 0) {
            n++;
            *last = msg;
        }
        p += took;
        len -= took;
    }
    return n;
}

static void test_raw(void **state)
{
    static struct raw_rx rx;
    struct span msg = { 0 };
    uint8_t two[2 * ECHO_LEN];
    uint32_t t = UINT32_MAX - 10;

    (void)state;
    raw_rx_init(&rx);
    memcpy(two, echo_v2, ECHO_LEN);
    memcpy(two + ECHO_LEN, echo_v1, ECHO_LEN);
    assert_int_equal(feed_raw(&rx, two, sizeof two, t, &msg), 2);
    assert_memory_equal(msg.p, echo_v1, ECHO_LEN);
    /* byte by byte, with pauses that are too short */
    for (int i = 0; i < ECHO_LEN; i++) {
        t += RAW_PAUSE_MS - 1;
        assert_int_equal(feed_raw(&rx, echo_v2 + i, 1, t, &msg), i == ECHO_LEN - 1);
    }
    /* half a message, a pause, a whole one */
    assert_int_equal(feed_raw(&rx, echo_v2, 9, t, &msg), 0);
    t += RAW_PAUSE_MS;
    assert_int_equal(feed_raw(&rx, echo_v2, ECHO_LEN, t, &msg), 1);
    assert_int_equal(rx.count.cut_off, 1);
    assert_int_equal(rx.count.messages, 4);
    assert_int_equal(raw_rx_feed(&rx, echo_v2, 0, t, &msg), 0);
}

static void test_raw_bad_headers(void **state)
{
    static struct raw_rx rx;
    struct span msg = { 0 };
    uint8_t bad[ECHO_LEN];
    uint32_t t = 1000;

    (void)state;
    raw_rx_init(&rx);
    memcpy(bad, echo_v2, ECHO_LEN);
    bad[0] |= 0x20;
    assert_int_equal(feed_raw(&rx, bad, ECHO_LEN, t, &msg), 0);
    assert_int_equal(feed_raw(&rx, echo_v2, ECHO_LEN, t, &msg), 0); /* no pause yet */
    t += RAW_PAUSE_MS;
    assert_int_equal(feed_raw(&rx, echo_v2, ECHO_LEN, t, &msg), 1);
    memcpy(bad, echo_v2, ECHO_LEN);
    st_be16(bad + 2, SMP_BUF_SIZE - SMP_HEADER_LEN + 1);
    assert_int_equal(feed_raw(&rx, bad, ECHO_LEN, t, &msg), 0);
    assert_int_equal(rx.count.bad_header, 2);
    t += RAW_PAUSE_MS;
    st_be16(bad + 2, SMP_BUF_SIZE - SMP_HEADER_LEN);
    assert_int_equal(feed_raw(&rx, bad, ECHO_LEN, t, &msg), 0);
    for (int i = 0; i < SMP_BUF_SIZE - ECHO_LEN; i++)
        assert_int_equal(feed_raw(&rx, bad, 1, t, &msg), i == SMP_BUF_SIZE - ECHO_LEN - 1);
    assert_int_equal(msg.len, SMP_BUF_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_lines_encoded_one_by_one),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_raw_bad_headers),
    };
    return cmocka_run_group_tests_name("smp framing", tests, NULL, NULL);
}
