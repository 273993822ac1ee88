/* Lines of a device's console, as the device writes them and as logs garble them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "firmware/common/log.h"
#include "host/lib/explain/explain.h"

static void expect(const struct finding *a, const struct finding *b)
{
    assert_int_equal(a->reason, b->reason);
    assert_int_equal(a->slot, b->slot);
    assert_int_equal(a->found, b->found);
    assert_int_equal(a->expected, b->expected);
    assert_int_equal(a->where, b->where);
}

static void test_what_the_device_writes(void **state)
{
    static const uint32_t values[] = { 0, 1, 0xF, 0x10, 0x1F470C, 0x80000000, UINT32_MAX };
    enum { VALUES = sizeof values / sizeof *values };
    struct finding got;
    uint8_t line[LOG_LINE_MAX];

    (void)state;
    for (unsigned i = 0; i < VALUES * VALUES * VALUES; i++) {
        const struct finding f = { .reason = (uint16_t)(i * 191), .slot = (uint8_t)(i % 3 == 2 ? 0xFF : i % 3),
            .found = values[i % VALUES], .expected = values[i / VALUES % VALUES],
            .where = values[i / VALUES / VALUES] };
        uint32_t len = log_line(&f, line);
        assert_true(len <= sizeof line);
        assert_true(explain_console_line((const char *)line, len, &got));
        expect(&got, &f);
    }
}

static void test_table(void **state)
{
    static const struct {
        const char *line;
        bool is;
    } row[] = {
        { "@slw 3f ff 0 0 0", true },
        { "[00:00:00.123] uart0: @slw 2 1 c22817 1f470c 0\r\n", true },
        { "@slw @slw 2 1 c22817 1f470c 0", true }, /* a line that was cut off by a reset */
        { "@slw 2 1 c22817 1f470c", false }, /* cut off */
        { "@slw 2 1 c22817 1f470c ", false },
        { "@slw", false },
        { "", false },
        { "@slw 10000 1 0 0 0", false }, /* no u16 */
        { "@slw 1 100 0 0 0", false }, /* no u8 */
        { "@slw 1  1 0 0 0", false },
        { "@slw 1 1 0x1 0 0", false },
        { "@slw 1 1 -1 0 0", false },
        { "@slw G 1 0 0 0", false },
        { "@slw 123456789 1 0 0 0", false },
        { "@SLW 1 1 0 0 0", false },
    };
    struct finding f;

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        if (explain_console_line(row[i].line, strlen(row[i].line), &f) != row[i].is)
            fail_msg("row %zu: %s", i, row[i].line);
    }
    assert_false(explain_console_line("@slw 1 1 0 0 \0", 14, &f));
}

static void test_in_words(void **state)
{
    static const char line[] = "@slw 2 1 c22817 1f470c 0";
    char text[EXPLAIN_MAX];
    struct finding f;

    (void)state;
    assert_true(explain_console_line(line, sizeof line - 1, &f));
    explain_finding(&f, text, sizeof text);
    assert_non_null(strstr(text, "found c2 28 17, expected 1f 47 0c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_device_writes),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
