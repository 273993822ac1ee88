/* Text on its way out, and what is UTF-8. */
#include "host/doctor/text.h"
#include "tests/doctor/readers/reader_test.h"

static void test_characters(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        uint32_t code;
    } rows[] = {
        { "a", 1, 'a' }, { "\x7f", 1, 0x7f }, { "\xc3\xb6", 2, 0xf6 }, { "\xe2\x82\xac", 3, 0x20ac },
        { "\xf0\x9f\x9a\xa2", 4, 0x1f6a2 }, { "\xf4\x8f\xbf\xbf", 4, 0x10ffff }, { "\x80", 0, 0 }, { "\xff", 0, 0 },
        { "\xc3", 0, 0 }, { "\xc3(", 0, 0 }, { "\xe2\x82", 0, 0 }, { "\xc0\x80", 0, 0 }, { "\xc1\xbf", 0, 0 },
        { "\xe0\x80\xaf", 0, 0 }, { "\xf0\x80\x80\xaf", 0, 0 },         /* overlong */
        { "\xed\xa0\x80", 0, 0 },                                       /* surrogate */
        { "\xf4\x90\x80\x80", 0, 0 }, { "\xf8\x88\x80\x80\x80", 0, 0 }, /* beyond Unicode */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t code = 0;
        size_t n = text_char(rows[i].text, &code);
        if (n != rows[i].len || (n && code != rows[i].code))
            fail_msg("row %zu: %zu bytes, U+%04X", i, n, code);
    }
}

static void test_bad_line(void **state)
{
    (void)state;
    assert_int_equal(text_bad_line("a\n\xc3\xb6\n", 5), 0);
    assert_int_equal(text_bad_line("a\nb\n\xc3\n", 6), 3);
    assert_int_equal(text_bad_line("", 0), 0);
}

static void test_printable(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        { "plain \t text", "plain \t text" },
        { "a\nb", "a?b" },
        { "\x1b[31mred", "?[31mred" },
        { "\xc2\x9b"
          "31m",
            "?31m" },
        { "a\xe2\x80\xae"
          "b",
            "a?b" },
        { "a\xe2\x81\xa6"
          "b",
            "a?b" },
        { "\xff\xfe", "??" },
        { "\xc3\xb6\x7f", "\xc3\xb6?" },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(text_printable(&x->pool, rows[i].in), rows[i].out);
}

static void test_put_is_bounded(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    text_put("ab\ncd", 4, out);
    text_put("\xc3\xb6", 1, out); /* half a character is none */
    fclose(out);
    assert_string_equal(text, "ab\nc?");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_characters),
        READER_TEST(test_bad_line),
        READER_TEST(test_printable),
        READER_TEST(test_put_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
