#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/bytes.h"
#include "core/base/crc.h"
#include "core/base/err.h"

static void test_crc_check_values(void **state)
{
    (void)state;
    assert_int_equal(crc32(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc16_xmodem(0, "123456789", 9), 0x31C3);
}

static void test_crc_continues(void **state)
{
    (void)state;
    assert_int_equal(crc32(crc32(0, "1234", 4), "56789", 5), 0xCBF43926);
    assert_int_equal(crc16_xmodem(crc16_xmodem(0, "1234", 4), "56789", 5), 0x31C3);
}

static void test_byte_order(void **state)
{
    uint8_t b[4];

    (void)state;
    st_le32(b, 0x96F3B83D);
    assert_memory_equal(b, "\x3d\xb8\xf3\x96", 4);
    assert_int_equal(ld_le32(b), 0x96F3B83D);
    assert_int_equal(ld_be32(b), 0x3DB8F396);
    assert_int_equal(ld_le16(b), 0xB83D);
    assert_int_equal(ld_be16(b), 0x3DB8);
    st_be32(b, 0x01020304);
    assert_int_equal(ld_be32(b), 0x01020304);
    st_be16(b, 0xA1B2);
    st_le16(b + 2, 0xA1B2);
    assert_memory_equal(b, "\xa1\xb2\xb2\xa1", 4);
}

static void test_cursor_error_is_sticky(void **state)
{
    struct rd r = rd_of(span_of("\x01\x02\x03", 3));

    (void)state;
    assert_int_equal(rd_u8(&r), 1);
    assert_false(r.bad);
    assert_int_equal(rd_le32(&r), 0);
    assert_true(r.bad);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(r.left, 2);
}

static void test_error_texts(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_TIMEOUT), "ERR_TIMEOUT");
    assert_string_equal(err_text(OK), "no error");
    assert_string_equal(err_text(-999), "unknown error");
    assert_string_equal(err_name(-999), "ERR_UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc_check_values),
        cmocka_unit_test(test_crc_continues),
        cmocka_unit_test(test_byte_order),
        cmocka_unit_test(test_cursor_error_is_sticky),
        cmocka_unit_test(test_error_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
