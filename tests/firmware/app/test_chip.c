/*
 * The shipped files with an external chip in every state that a reset may find it in, and with chips that
 * are not what the layout says: the board boots, works, or says which it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board_priv.h"
#include "tests/firmware/app/line.h"

enum { READ = 0, WRITE = 2, OS = 0, IMG = 1, SLIPWAY = 64, RESET = 5, UPLOAD = 1, FLASH = 1, REPORT = 0 };
enum { MS = BOARD_CYCLES_PER_S / 1000 };

static void as_it_is(struct board *b, struct nor *n)
{
    (void)b;
    (void)n;
}
static void asleep(struct board *b, struct nor *n)
{
    (void)b;
    n->power_down = true;
}
static void deep_asleep(struct board *b, struct nor *n)
{
    (void)b;
    n->power_down = n->ultra = true;
}
static void erasing(struct board *b, struct nor *n)
{
    while (!nor_erase(b, n, 0x20000, 65536)) /* half a second; what runs has to end before */
        assert_int_equal(board_run(b, board_now(b) + MS), BOARD_RUNS);
}
static void protected(struct board *b, struct nor *n)
{
    (void)b;
    n->sr[0] |= 0x0C;
}
static void quad_off(struct board *b, struct nor *n)
{
    (void)b;
    n->sr[0] &= (uint8_t)~0x40;
    n->sr[1] &= (uint8_t)~0x02;
}
static void four_byte(struct board *b, struct nor *n)
{
    (void)b;
    n->four_byte = true;
}
static void write_enabled(struct board *b, struct nor *n)
{
    (void)b;
    n->wel = true;
}

static const struct state {
    const char *name;
    void (*make)(struct board *b, struct nor *n);
    uint32_t max_ms; /* more than a start takes otherwise */
} states[] = {
    { "as it is", as_it_is, 0 },
    { "in deep power-down", asleep, 100 },
    { "in ultra-deep power-down", deep_asleep, 100 },
    { "in the middle of an erase", erasing, 100 },
    { "with block protection on", protected, 60 },
    { "with quad off", quad_off, 60 },
    { "in 4-byte addressing", four_byte, 60 },
    { "with write enable set", write_enabled, 60 },
};

/* Milliseconds from the reset until the application is there again. */
static double reset_in(struct line *l, const struct state *s)
{
    struct cborkit c;

    ck_map(&c, 0);
    assert_string_equal(line_ask(l, WRITE, OS, RESET, &c), "{}");
    l->said_len = 0;
    l->said[0] = 0;
    s->make(l->b, &l->b->st.nor[0]);
    uint64_t from = board_now(l->b);
    for (int i = 0; i < 5000 && !strstr(l->said, "slipway-app "); i++)
        line_run_ms(l, 1);
    if (!strstr(l->said, "slipway-app "))
        fail_msg("%s: no application within 5 s; it said: %s", s->name, l->said);
    line_run_ms(l, 10);
    return (double)(board_now(l->b) - from) / MS;
}

static void expect_good(struct line *l, const char *name)
{
    struct cborkit c;
    uint8_t data[512];

    ck_map(&c, 0);
    const char *text = line_ask(l, READ, SLIPWAY, FLASH, &c);
    const char *external = strstr(text, "\"external\"");
    if (!external || !strstr(external, "\"ok\":true") || strstr(external, "\"why\""))
        fail_msg("%s: %s", name, text);
    memset(data, 0, sizeof data);
    uint32_t len;
    uint8_t *app = line_app("nrf52840dk", &len);
    ck_map(&c, 3);
    ck_uint(&c, "len", len);
    ck_uint(&c, "off", 0);
    ck_bytes(&c, "data", app, sizeof data);
    free(app);
    text = line_ask(l, WRITE, IMG, UPLOAD, &c);
    if (strcmp(text, "{\"off\":512}") != 0)
        fail_msg("%s: an upload is answered with %s", name, text);
}

static void a_chip_found_in_any_state_works(void **state)
{
    struct line l;
    double usual = 0;

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        double took = reset_in(&l, &states[i]);
        expect_good(&l, states[i].name);
        usual = i == 0 ? took : usual;
        print_message("chip %s: %.0f ms to the application\n", states[i].name, took);
        if (took > usual + states[i].max_ms + 5)
            fail_msg("%s: %.0f ms, %.0f otherwise", states[i].name, took, usual);
    }
    line_close(&l);
}

/* Boots from slot 0, and group 64 says what it is. */
static void expect_bad(const char *part, const char *found, unsigned reason)
{
    struct line l;
    struct cborkit c;
    char want[40];

    line_open(&l, "at25xe321d_nrf52840", part);
    line_start(&l);
    ck_map(&c, 0);
    const char *text = line_ask(&l, READ, SLIPWAY, FLASH, &c);
    snprintf(want, sizeof want, "\"r\":%u,", reason);
    if (!strstr(text, "\"ok\":false") || !strstr(text, found) || !strstr(text, want))
        fail_msg("%s: %s", part, text);
    text = line_ask(&l, READ, SLIPWAY, REPORT, &c);
    if (!strstr(text, want) || !strstr(text, "\"action\":\"none\""))
        fail_msg("%s: %s", part, text);
    line_close(&l);
}

static void a_chip_that_is_not_there_is_said(void **state)
{
    (void)state;
    expect_bad("none", "\"jedec\":16777215", 1);
}

static void another_chip_is_named(void **state)
{
    (void)state;
    expect_bad("mx25r6435f", "\"jedec\":12724247", 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chip_found_in_any_state_works),
        cmocka_unit_test(a_chip_that_is_not_there_is_said),
        cmocka_unit_test(another_chip_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
