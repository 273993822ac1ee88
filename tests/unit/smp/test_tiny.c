/* The recovery's CBOR: known bytes (RFC 8949, appendix A), every cut of them, and its writer read back by zcbor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/smp/cbor.h"
#include "core/smp/tiny.h"

#define BYTES(...)                                                                                 \
    .map = (const uint8_t[]) { __VA_ARGS__ }, .len = sizeof((const uint8_t[]) { __VA_ARGS__ })

static const struct {
    const char *name;
    const uint8_t *map;
    size_t len;
    enum tiny_kind kind; /* of "a" */
    uint32_t num;
} cases[] = {
    { "empty map", BYTES(0xA0), TINY_NONE, 0 },
    { "a: 1", BYTES(0xA1, 0x61, 'a', 0x01), TINY_UINT, 1 },
    { "a: 1, indefinite", BYTES(0xBF, 0x61, 'a', 0x01, 0xFF), TINY_UINT, 1 },
    { "a: 1000000", BYTES(0xA1, 0x61, 'a', 0x1A, 0x00, 0x0F, 0x42, 0x40), TINY_UINT, 1000000 },
    { "a: 2^40 is as large as it gets", BYTES(0xA1, 0x61, 'a', 0x1B, 0, 0, 1, 0, 0, 0, 0, 0), TINY_UINT, UINT32_MAX },
    { "a: true", BYTES(0xA1, 0x61, 'a', 0xF5), TINY_BOOL, 1 },
    { "a: false", BYTES(0xA1, 0x61, 'a', 0xF4), TINY_BOOL, 0 },
    { "a: null", BYTES(0xA1, 0x61, 'a', 0xF6), TINY_NONE, 22 },
    { "a: bytes", BYTES(0xA1, 0x61, 'a', 0x42, 1, 2), TINY_BYTES, 2 },
    { "a: text", BYTES(0xA1, 0x61, 'a', 0x62, 'x', 'y'), TINY_TEXT, 2 },
    { "a: -1", BYTES(0xA1, 0x61, 'a', 0x20), TINY_OTHER, 0 },
    { "a: 1.0", BYTES(0xA1, 0x61, 'a', 0xF9, 0x3C, 0x00), TINY_OTHER, 0x3C00 },
    { "b: [1, {c: [2]}], a: 3",
        BYTES(0xA2, 0x61, 'b', 0x82, 0x01, 0xA1, 0x61, 'c', 0x81, 0x02, 0x61, 'a', 0x03), TINY_UINT, 3 },
    { "b: a tag, a: 3", BYTES(0xA2, 0x61, 'b', 0xC1, 0x01, 0x61, 'a', 0x03), TINY_UINT, 3 },
    { "twice: the first", BYTES(0xA2, 0x61, 'a', 0x01, 0x61, 'a', 0x02), TINY_UINT, 1 },
    { "another key", BYTES(0xA1, 0x62, 'a', 'a', 0x01), TINY_NONE, 0 },
    { "bytes behind the map", BYTES(0xA1, 0x61, 'a', 0x01, 0x99), TINY_UINT, 1 },
    { "a list", BYTES(0x81, 0x01), TINY_BAD, 0 },
    { "a key that is a number", BYTES(0xA1, 0x01, 0x01), TINY_BAD, 0 },
    { "text of indefinite length", BYTES(0xA1, 0x61, 'a', 0x7F, 0x61, 'x', 0xFF), TINY_BAD, 0 },
    { "a list of indefinite length inside", BYTES(0xA1, 0x61, 'b', 0x9F, 0x01, 0xFF), TINY_BAD, 0 },
    { "no end", BYTES(0xBF, 0x61, 'a', 0x01), TINY_BAD, 0 },
    { "a length beyond memory", BYTES(0xA1, 0x61, 'a', 0x5B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF), TINY_BAD, 0 },
    { "more items than bytes", BYTES(0xA1, 0x61, 'b', 0x9A, 0xFF, 0xFF, 0xFF, 0xFF, 0x01), TINY_BAD, 0 },
    { "a map of 2^31 pairs inside", BYTES(0xA1, 0x61, 'b', 0xBA, 0x80, 0, 0, 0, 0x01), TINY_BAD, 0 },
    { "reserved additional information", BYTES(0xA1, 0x61, 'a', 0x1C), TINY_BAD, 0 },
};

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tiny_value v = tiny_find(span_of(cases[i].map, cases[i].len), "a");
        if (v.kind != cases[i].kind || (v.kind != TINY_BAD && v.kind != TINY_NONE && v.num != cases[i].num))
            fail_msg("%s: kind %d, number %u", cases[i].name, (int)v.kind, v.num);
    }
    assert_int_equal(tiny_find(span_of(NULL, 0), "a").kind, TINY_NONE);
}

/* In memory of just that size, so that a read past the end is seen. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t n = 1; n < cases[i].len; n++) {
            uint8_t *copy = malloc(n);
            memcpy(copy, cases[i].map, n);
            struct tiny_value v = tiny_find(span_of(copy, n), "a");
            assert_true(v.kind == TINY_BAD || strcmp(cases[i].name, "bytes behind the map") == 0);
            free(copy);
        }
    }
}

static void test_writer(void **state)
{
    uint8_t buf[128];
    uint32_t n = 0;
    bool yes = false;
    struct span b = { NULL, 0 }, t = { NULL, 0 };
    struct cbor_field f[] = {
        { .key = "n", .kind = CBOR_UINT, .value = &n },
        { .key = "y", .kind = CBOR_BOOL, .value = &yes },
        { .key = "b", .kind = CBOR_BSTR, .value = &b },
        { .key = "t", .kind = CBOR_TSTR, .value = &t },
    };

    (void)state;
    for (uint32_t cap = 0; cap <= sizeof buf; cap++) {
        struct tiny_out o = { .p = buf, .cap = cap };
        memset(buf, 0xEE, sizeof buf);
        tiny_map_begin(&o, NULL);
        tiny_uint(&o, "n", 0xDEADBEEF);
        tiny_bool(&o, "y", true);
        tiny_bytes(&o, "b", "\x01\x02\x03", 3);
        tiny_text(&o, "t", span_of("word", 4));
        tiny_list_begin(&o, "l");
        tiny_uint(&o, NULL, 23);
        tiny_end(&o);
        tiny_end(&o);
        for (uint32_t i = cap; i < sizeof buf; i++)
            assert_int_equal(buf[i], 0xEE);
        if (o.bad)
            continue;
        assert_int_equal(cbor_read_map(span_of(buf, o.len), f, 4), OK);
        assert_int_equal(n, 0xDEADBEEF);
        assert_true(yes && b.len == 3 && t.len == 4);
    }
    assert_true(n != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
