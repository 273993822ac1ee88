/* Pictures: as wide as asked for, in proportion, each part named or numbered, plain where asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/layout/draw.h"

static char *drawn(const struct draw_style *style, uint32_t size, const struct draw_part *part, unsigned n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    assert_non_null(f);
    draw_chip(f, style, size, part, n);
    fclose(f);
    return text;
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void test_plain_picture(void **state)
{
    static const struct draw_part part[] = {
        { .name = "a", .detail = "1 KiB", .key = "1", .off = 0, .size = 1024 },
        { .name = "bcdefgh", .detail = "2 KiB", .key = "2", .off = 1024, .size = 2048 },
    };
    struct draw_style style = { .width = 40 };
    char *text = drawn(&style, 4096, part, 2);

    (void)state;
    assert_string_equal(text, "+---------+------------------+---------+\n"
                              "|    a    |     bcdefgh      |..free...|\n"
                              "|  1 KiB  |      2 KiB       |.........|\n"
                              "+---------+------------------+---------+\n"
                              "0x00000000                    0x00001000\n");
    free(text);
}

static void test_narrow_part_gets_its_number(void **state)
{
    static const struct draw_part part[] = {
        { .name = "boot", .detail = "1 KiB", .key = "17", .off = 0, .size = 1024 },
        { .name = "rest", .detail = "", .key = "2", .off = 2048, .size = 1022 * 1024 },
    };
    struct draw_style style = { .width = 40 };
    char *text = drawn(&style, 1024 * 1024, part, 2);

    (void)state;
    assert_int_equal(count(text, "boot"), 0);
    assert_int_equal(count(text, "rest"), 1);
    assert_int_equal(strcspn(text, "\n"), 40);
    free(text);
}

static void test_unicode_and_color(void **state)
{
    static const struct draw_part part[] = { { .name = "x", .key = "1", .off = 0, .size = 64, .color = 32 } };
    struct draw_style style = { .width = 40, .unicode = true, .color = true };
    char *text = drawn(&style, 64, part, 1);

    (void)state;
    assert_int_equal(count(text, "\xe2\x94\x8c"), 1);
    assert_int_equal(count(text, "\xe2\x94\x80"), 2 * 38);
    assert_int_equal(count(text, "\x1b[32m"), 2);
    assert_int_equal(count(text, "\x1b[0m"), 2);
    free(text);
}

static void test_many_parts(void **state)
{
    struct draw_part part[DRAW_PARTS_MAX];
    struct draw_style style = { .width = 40 };

    (void)state;
    for (uint32_t i = 0; i < DRAW_PARTS_MAX; i++)
        part[i] = (struct draw_part) { .name = "n", .off = i * 2, .size = 1 };
    char *text = drawn(&style, 2 * DRAW_PARTS_MAX, part, DRAW_PARTS_MAX);
    assert_int_equal(count(text, "n"), DRAW_PARTS_MAX);
    free(text);
    text = drawn(&style, 0, part, 0);
    assert_string_equal(text, "");
    free(text);
}

static void test_parts_of_a_board(void **state)
{
    static struct layout_report report;
    struct draw_part part[DRAW_PARTS_MAX];
    struct layout layout;

    (void)state;
    assert_int_equal(layout_load("nrf52840dk", &layout, &report), OK);
    assert_int_equal(draw_parts(part, &layout, &report, LAYOUT_INTERNAL), 5);
    assert_string_equal(part[0].name, "boot");
    assert_string_equal(part[2].name, "state");
    assert_string_equal(part[3].name, "scratch");
    assert_int_equal(part[3].off, 0xF2000);
    assert_int_equal(draw_parts(part, &layout, &report, LAYOUT_EXTERNAL), 2);
    assert_string_equal(part[0].name, "slot1");
    assert_string_equal(part[0].key, "6");
}

static void test_width(void **state)
{
    struct draw_style style;

    (void)state;
    FILE *f = tmpfile();
    assert_non_null(f);
    unsetenv("COLUMNS");
    setenv("LC_ALL", "C", 1);
    style = draw_style_for(f, true);
    assert_int_equal(style.width, 80);
    assert_false(style.unicode);
    assert_true(style.color);
    setenv("COLUMNS", "5000", 1);
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    style = draw_style_for(f, false);
    assert_int_equal(style.width, 200);
    assert_true(style.unicode);
    setenv("COLUMNS", "1", 1);
    assert_int_equal(draw_style_for(f, false).width, 40);
    fclose(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_picture),
        cmocka_unit_test(test_narrow_part_gets_its_number),
        cmocka_unit_test(test_unicode_and_color),
        cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_parts_of_a_board),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
