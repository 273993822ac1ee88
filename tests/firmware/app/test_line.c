/* The shipped application on the virtual board: how soon it answers, in the board's own time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/app/line.h"

enum { CHUNK = 512, READ = 0, WRITE = 2, OS = 0, IMG = 1, UPLOAD = 1, ERASE = 5 };

struct row {
    const char *board;
    const char *part;
};
static const struct row rows[] = { { "at25xe321d_nrf52840", "at25xe321d" }, { "nrf52840dk", "mx25r6435f" } };
enum { ROWS = sizeof rows / sizeof rows[0] };

static const char *send_part(struct line *l, const uint8_t *app, uint32_t len, uint32_t off, uint32_t n)
{
    struct cborkit c;

    ck_map(&c, off == 0 ? 3 : 2);
    if (off == 0)
        ck_uint(&c, "len", len);
    ck_uint(&c, "off", off);
    ck_bytes(&c, "data", app + off, len - off < n ? len - off : n);
    return line_ask(l, WRITE, IMG, UPLOAD, &c);
}

static const char *send_chunk(struct line *l, const uint8_t *app, uint32_t len, uint32_t off)
{
    return send_part(l, app, len, off, CHUNK);
}

static void echo_is_answered_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        struct line l;
        struct cborkit c;
        line_open(&l, rows[i].board, rows[i].part);
        line_start(&l);
        ck_map(&c, 1);
        ck_string(&c, "d", "hello");
        assert_string_equal(line_ask(&l, WRITE, OS, 0, &c), "{\"r\":\"hello\"}");
        print_message("%s: echo after %.1f ms\n", rows[i].board, line_latency_ms(&l));
        assert_true(line_latency_ms(&l) <= 5);
        line_close(&l);
    }
}

/*
 * Erased in this power cycle, the first chunk waits for no erase of its slot; into a slot full of something
 * else it waits for two units. The recorder is at work meanwhile.
 */
static void first_chunk(bool erased, double limit_ms)
{
    for (int i = 0; i < ROWS; i++) {
        struct line l;
        struct cborkit c;
        uint32_t len;
        size_t size;
        uint8_t *app = line_app(rows[i].board, &len), *external;
        line_open(&l, rows[i].board, rows[i].part);
        external = board_external(l.b, &size);
        memset(external, 0, size);
        line_start(&l);
        if (erased) {
            ck_map(&c, 0);
            assert_string_equal(line_ask(&l, WRITE, IMG, ERASE, &c), "{}");
            line_run_ms(&l, 30000); /* what it left for later */
        }
        assert_string_equal(send_chunk(&l, app, len, 0), "{\"off\":512}");
        print_message("%s: first chunk into %s slot answered after %.1f ms\n", rows[i].board,
            erased ? "an erased" : "a full", line_latency_ms(&l));
        assert_true(line_latency_ms(&l) <= limit_ms);
        double worst = 0;
        for (uint32_t off = CHUNK; off < 12 * CHUNK; off += CHUNK) {
            send_chunk(&l, app, len, off);
            worst = line_latency_ms(&l) > worst ? line_latency_ms(&l) : worst;
        }
        print_message("%s: the next 11 after %.1f ms at most\n", rows[i].board, worst);
        assert_true(worst <= limit_ms);
        free(app);
        line_close(&l);
    }
}

static void first_chunk_into_an_erased_slot(void **state)
{
    (void)state;
    first_chunk(true, 50);
}

static void first_chunk_into_a_full_slot(void **state)
{
    (void)state;
    first_chunk(false, 150);
}

/* The number behind a word in what the shell said. */
static unsigned said_number(const struct line *l, const char *word)
{
    const char *at = strstr(l->said, word);

    if (!at)
        fail_msg("it does not say %s: %s", word, l->said);
    return (unsigned)strtoul(at + strlen(word), NULL, 10);
}

static void restart(struct line *l)
{
    l->said_len = 0;
    line_type(l, "reset\r");
    for (int i = 0; i < 3000 && !strstr(l->said, "slipway-app "); i++)
        line_run_ms(l, 1);
    line_run_ms(l, 10);
}

/*
 * The other part of the same chip is in use while an update comes in: a record every 20 ms, read back, old
 * ones read again, units erased. Neither disturbs the other.
 */
static void the_store_is_used_during_an_upload(void **state)
{
    struct line l;
    uint32_t len;
    size_t size;
    uint8_t *app = line_app("nrf52840dk", &len);

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    memset(board_external(l.b, &size), 0, 8u << 20);
    line_start(&l);
    line_type(&l, "set record-ms 20\r");
    line_run_ms(&l, 200);
    restart(&l);
    uint32_t part = 24 * 1024; /* the whole of it takes the test too long; units are erased all the same */
    for (uint32_t off = 0; off < part; off += 1024)
        send_part(&l, app, len, off, 1024);
    const uint8_t *slot1 = board_external(l.b, &size);
    assert_memory_equal(slot1, app, part);
    l.said_len = 0;
    line_type(&l, "records\r");
    line_run_ms(&l, 200);
    unsigned written = said_number(&l, "written "), erases = said_number(&l, "erases ");
    print_message("%u records, %u of their units erased, during an upload of %u bytes\n", written, erases, (unsigned)part);
    assert_true(written > 80 && erases >= 1 && said_number(&l, "checked ") > written / 2);
    assert_int_equal(said_number(&l, "bad "), 0);
    free(app);
    line_close(&l);
}

/* A setting outlives power; the counter of starts counts. */
static void settings_outlive_power(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    line_type(&l, "set name kitchen\r");
    line_run_ms(&l, 100);
    l.said_len = 0;
    line_start(&l); /* power off and on */
    l.said_len = 0;
    line_type(&l, "get\r");
    line_run_ms(&l, 300);
    assert_non_null(strstr(l.said, "name = kitchen"));
    assert_non_null(strstr(l.said, "starts = 2"));
    line_close(&l);
}

/*
 * A person pastes far more than the line can say: answers to a client come whole and in time all the same,
 * and of the text each line comes whole, or is among those that are said to be dropped.
 */
static void a_flood_of_text_costs_lines_and_no_answer(void **state)
{
    enum { HELPS = 60, COMMANDS = 10, ECHOES = 6 };
    struct line l;
    unsigned lines = 0, dropped = 0, notes = 0;

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    l.said_len = 0;
    for (int i = 0; i < HELPS; i++)
        line_type(&l, "help\r");
    for (int i = 0; i < ECHOES; i++) {
        struct cborkit c;
        ck_map(&c, 1);
        ck_string(&c, "d", "in the middle of it");
        assert_string_equal(line_ask(&l, WRITE, OS, 0, &c), "{\"r\":\"in the middle of it\"}");
    }
    line_run_ms(&l, 1000);
    for (const char *at = l.said; (at = strstr(at, "\r\n")) != NULL; at += 2)
        lines++;
    for (const char *at = l.said; (at = strstr(at, " lines were dropped")) != NULL; at++, notes++) {
        const char *number = at;
        while (number > l.said && number[-1] >= '0' && number[-1] <= '9')
            number--;
        dropped += (unsigned)strtoul(number, NULL, 10);
    }
    print_message("%u lines said, %u dropped\n", lines - notes, dropped);
    assert_true(dropped > 0);
    assert_int_equal(lines - notes + dropped, HELPS * COMMANDS);
    l.said_len = 0;
    line_type(&l, "line\r");
    line_run_ms(&l, 100);
    assert_int_equal(said_number(&l, "bytes lost "), 0);
    assert_int_equal(said_number(&l, "lines dropped "), dropped);
    line_close(&l);
}

/* Round and round in the queue: the same command is answered alike, wherever in it the text lies. */
static void what_is_said_goes_round_the_queue(void **state)
{
    struct line l;
    char first[1024];

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    for (int i = 0; i < 30; i++) {
        l.said_len = 0;
        line_type(&l, "help\r");
        line_run_ms(&l, 60);
        assert_in_range(l.said_len, 200, sizeof first - 1);
        if (i == 0)
            memcpy(first, l.said, l.said_len + 1);
        assert_string_equal(l.said, first);
    }
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo_is_answered_at_once),
        cmocka_unit_test(first_chunk_into_an_erased_slot),
        cmocka_unit_test(first_chunk_into_a_full_slot),
        cmocka_unit_test(the_store_is_used_during_an_upload),
        cmocka_unit_test(settings_outlive_power),
        cmocka_unit_test(a_flood_of_text_costs_lines_and_no_answer),
        cmocka_unit_test(what_is_said_goes_round_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
