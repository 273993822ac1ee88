/*
 * What the shipped application costs while it has nothing to do, and during an upload: how long the core
 * sleeps, how many instructions it executes, and what is still running meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board_priv.h"
#include "tests/firmware/app/line.h"

enum { WRITE = 2, IMG = 1, UPLOAD = 1, CHUNK = 512 };

struct row {
    const char *board;
    const char *part;
};
static const struct row rows[] = { { "at25xe321d_nrf52840", "at25xe321d" }, { "nrf52840dk", "mx25r6435f" } };
enum { ROWS = sizeof rows / sizeof rows[0] };

struct cost {
    uint64_t cycles, insns, asleep;
};

static struct cost cost_now(const struct line *l)
{
    struct cost c = { board_now(l->b), board_insns(l->b), l->b->st.sys.sleep_cycles };

    if (board_sleeping(l->b))
        c.asleep += c.cycles - l->b->st.sys.slept_at;
    return c;
}

static struct cost cost_since(const struct line *l, const struct cost *from)
{
    struct cost to = cost_now(l);

    return (struct cost) { to.cycles - from->cycles, to.insns - from->insns, to.asleep - from->asleep };
}

static double seconds(uint64_t cycles)
{
    return (double)cycles / BOARD_CYCLES_PER_S;
}

static void print_cost(const char *board, const char *what, const struct cost *c)
{
    print_message("%s, %s: %.1f s, %.0f instructions a second, asleep %.3f %%\n", board, what, seconds(c->cycles),
        (double)c->insns / seconds(c->cycles), 100.0 * (double)c->asleep / (double)c->cycles);
}

static bool timer0_runs(const struct line *l)
{
    return periph_by_base(l->b, 0x40008000)->s[0] != 0;
}

static uint32_t reg_at(struct line *l, uint32_t addr)
{
    uint32_t v = 0;

    assert_true(board_peek(l->b, addr, &v, sizeof v));
    return v;
}

/* Asleep, and what runs: looked at every few milliseconds, in no step with anything the firmware does. */
static void expect_rest(struct line *l, uint32_t looks)
{
    enum { HFCLKRUN = 0x40000408, QSPI_ENABLE = 0x40029500 };
    uint32_t asleep = 0;

    for (uint32_t i = 0; i < looks; i++) {
        line_run_ms(l, 7);
        if (!board_sleeping(l->b))
            continue;
        asleep++;
        assert_false(timer0_runs(l));
        assert_int_equal(reg_at(l, HFCLKRUN), 0);
        assert_int_equal(reg_at(l, QSPI_ENABLE), 0);
    }
    assert_true(asleep > looks * 98 / 100);
}

/* With a record every half second, as shipped, and without: only what has to runs meanwhile. */
static void idle_is_sleep(void **state)
{
    static const struct {
        const char *what;
        const char *typed;
        double insns_a_second;
    } cases[] = { { "idle, with a record each 500 ms", NULL, 60000 }, { "idle, without", "set record-ms 0\rreset\r", 100 } };

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        struct line l;
        line_open(&l, rows[i].board, rows[i].part);
        line_start(&l);
        for (int k = 0; k < 2; k++) {
            if (cases[k].typed)
                line_type(&l, cases[k].typed);
            line_run_ms(&l, 5000);
            struct cost from = cost_now(&l);
            line_run_ms(&l, 60000);
            struct cost c = cost_since(&l, &from);
            print_cost(rows[i].board, cases[k].what, &c);
            assert_true((double)c.insns / seconds(c.cycles) <= cases[k].insns_a_second);
            assert_true(c.asleep > c.cycles / 1000 * 998);
            if (!cases[k].typed)
                continue;
            expect_rest(&l, 500);
        }
        line_close(&l);
    }
}

/* Time goes on beyond the 512 s after which the counter wraps: records are due, and the clock is right. */
static void time_goes_on(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    line_run_ms(&l, 600000);
    l.said_len = 0;
    line_type(&l, "records\r");
    line_run_ms(&l, 100);
    const char *at = strstr(l.said, "written ");
    assert_non_null(at);
    unsigned written = (unsigned)strtoul(at + strlen("written "), NULL, 10);
    print_message("%u records in 600 s\n", written);
    assert_in_range(written, 1190, 1201);
    line_close(&l);
}

static void an_upload_sleeps_between_its_bytes(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        struct line l;
        uint32_t len;
        uint8_t *app = line_app(rows[i].board, &len);
        line_open(&l, rows[i].board, rows[i].part);
        line_start(&l);
        struct cost from = cost_now(&l);
        for (uint32_t off = 0; off < 48 * CHUNK; off += CHUNK) {
            struct cborkit c;
            ck_map(&c, off == 0 ? 3 : 2);
            if (off == 0)
                ck_uint(&c, "len", len);
            ck_uint(&c, "off", off);
            ck_bytes(&c, "data", app + off, CHUNK);
            line_ask(&l, WRITE, IMG, UPLOAD, &c);
        }
        struct cost c = cost_since(&l, &from);
        print_cost(rows[i].board, "uploading 24 KiB", &c);
        assert_true(c.asleep > c.cycles / 2);
        free(app);
        line_close(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_is_sleep),
        cmocka_unit_test(time_goes_on),
        cmocka_unit_test(an_upload_sleeps_between_its_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
