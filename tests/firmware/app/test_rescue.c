/*
 * The shipped bootloader with nothing to start and no external chip that would do: an upload on its UART goes
 * into slot 0, and what was uploaded is started. What is broken or was cut off is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/app/line.h"

enum { READ = 0, WRITE = 2, OS = 0, RESET = 5, IMG = 1, STATE = 0, UPLOAD = 1, CHUNK = 512 };
enum { SLOT0 = 0xC000, SLOT0_SIZE = 0xE2000 };

static const char in_recovery[] = "@slw 66 ff 1 0 0\r\n"; /* no image */

struct bench {
    struct line l;
    uint8_t *app;
    uint32_t len;
};

static void forget(struct line *l)
{
    l->said_len = 0;
    l->said[0] = 0;
}

static void expect_said(struct line *l, const char *text)
{
    for (int i = 0; i < 3000 && !strstr(l->said, text); i++)
        line_run_ms(l, 1);
    if (!strstr(l->said, text))
        fail_msg("%s was not said within 3 s, but: %s", text, l->said);
}

static void start(struct line *l, const char *text)
{
    forget(l);
    board_power_on(l->b);
    expect_said(l, text);
}

static void open_bench(struct bench *b, const char *part)
{
    line_open(&b->l, "nrf52840dk", part);
    b->app = line_app("nrf52840dk", &b->len);
    memset(board_flash(b->l.b) + SLOT0, 0xFF, SLOT0_SIZE);
    start(&b->l, in_recovery);
}

static void close_bench(struct bench *b)
{
    free(b->app);
    line_close(&b->l);
}

/* Chunks from `from` up to `to`; the answer to the last one. */
static const char *upload(struct bench *b, uint32_t from, uint32_t to)
{
    const char *said = "";
    char want[40];

    for (uint32_t off = from; off < to; off += CHUNK) {
        struct cborkit c;
        uint32_t n = to - off < CHUNK ? to - off : CHUNK;
        snprintf(want, sizeof want, "\"off\":%u}", (unsigned)off);
        if (off > from && !strstr(said, want))
            fail_msg("up to %u, the answer is %s", (unsigned)off, said);
        ck_map(&c, off == 0 ? 3 : 2);
        if (off == 0)
            ck_uint(&c, "len", b->len);
        ck_uint(&c, "off", off);
        ck_bytes(&c, "data", b->app + off, n);
        said = line_ask(&b->l, WRITE, IMG, UPLOAD, &c);
    }
    return said;
}

static const char *ask_plain(struct line *l, unsigned op, unsigned group, unsigned id)
{
    struct cborkit c;

    ck_map(&c, 0);
    return line_ask(l, op, group, id, &c);
}

static void expect_uploaded(struct bench *b)
{
    char want[40];
    const char *said = upload(b, 0, b->len);

    snprintf(want, sizeof want, "\"off\":%u", (unsigned)b->len);
    if (!strstr(said, want))
        fail_msg("the last chunk is answered with %s", said);
    assert_memory_equal(board_flash(b->l.b) + SLOT0, b->app, b->len);
    said = ask_plain(&b->l, READ, IMG, STATE);
    if (!strstr(said, "\"slot\":0,") || strstr(said, "\"slot\":1,") || !strstr(said, "\"0.1.0"))
        fail_msg("the list is %s", said);
    forget(&b->l);
    ask_plain(&b->l, WRITE, OS, RESET);
    expect_said(&b->l, "slipway-app 0.1.0");
}

static void a_board_with_another_chip(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "at25xe321d");
    expect_uploaded(&b);
    start(&b.l, "slipway-app 0.1.0"); /* and again */
    close_bench(&b);
}

/*
 * Power fails on the way: what is there is not started. Nor is what came with a bit of it changed. The next
 * upload is as good as the first.
 */
static void a_board_without_a_chip(void **state)
{
    struct bench b;

    (void)state;
    open_bench(&b, "none");
    upload(&b, 0, 20 * CHUNK);
    start(&b.l, in_recovery);
    b.app[b.len / 2] ^= 1;
    const char *said = upload(&b, 0, b.len);
    if (strstr(said, "\"off\":") || !(strstr(said, "\"rc\":") || strstr(said, "\"err\":")))
        fail_msg("a broken image is answered with %s", said);
    start(&b.l, in_recovery);
    assert_non_null(strstr(b.l.said, "@slw 1d 0 ")); /* the hash of slot 0 */
    b.app[b.len / 2] ^= 1;
    expect_uploaded(&b);
    close_bench(&b);
}

/* By the client and by the shell: the shipped application goes into recovery once, not for ever. */
static void the_application_asks_for_recovery(void **state)
{
    struct line l;

    (void)state;
    line_open(&l, "nrf52840dk", "mx25r6435f");
    line_start(&l);
    for (int i = 0; i < 2; i++) {
        forget(&l);
        if (i == 0) {
            struct cborkit c;
            ck_map(&c, 1);
            ck_uint(&c, "boot_mode", 1);
            assert_string_equal(line_ask(&l, WRITE, OS, RESET, &c), "{}");
        } else {
            line_type(&l, "reset recovery\r");
        }
        expect_said(&l, "@slw 66 ff 2 0 0\r\n"); /* asked for */
        assert_null(strstr(l.said, "slipway-app "));
        forget(&l);
        ask_plain(&l, WRITE, OS, RESET);
        expect_said(&l, "slipway-app 0.1.0");
    }
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_with_another_chip),
        cmocka_unit_test(a_board_without_a_chip),
        cmocka_unit_test(the_application_asks_for_recovery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
