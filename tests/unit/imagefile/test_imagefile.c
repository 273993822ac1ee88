#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/lib/imagefile/imagefile.h"
#include "host/lib/imagefile/scan.h"

static char why[IMAGEFILE_WHY_LEN];

#define END ":00000001FF\n"

static void test_hex_records(void **state)
{
    static const struct {
        const char *name, *text, *data;
        size_t len;
        uint32_t base;
        int want;
        const char *says; /* in `why` */
    } cases[] = {
        { "one record", ":0300300002337A1E\n" END, "\x02\x33\x7A", 3, 0x30, OK, NULL },
        { "lower case, CRLF, blank lines, no line end", "\r\n:0300300002337a1e\r\n\n:00000001ff", "\x02\x33\x7A", 3,
            0x30, OK, NULL },
        { "a gap", ":0100000001FE\n:0100030002FA\n" END, "\x01\xFF\xFF\x02", 4, 0, OK, NULL },
        { "downwards", ":0100030002FA\n:0100000001FE\n" END, "\x01\xFF\xFF\x02", 4, 0, OK, NULL },
        { "linear address", ":020000040001F9\n:0100000001FE\n" END, "\x01", 1, 0x10000, OK, NULL },
        { "segment address", ":020000021000EC\n:0100000001FE\n" END, "\x01", 1, 0x10000, OK, NULL },
        { "start addresses", ":0400000300003800C1\n:04000005000000CD2A\n:0100000001FE\n" END, "\x01", 1, 0, OK, NULL },
        { "no data", END, "", 0, 0, OK, NULL },
        { "a record without data", ":00000000" "00\n" END, "", 0, 0, OK, NULL },
        { "top of the address space", ":02000004FFFFFC\n:01FFFF0001" "00\n" END, "\x01", 1, 0xFFFFFFFF, OK, NULL },
        { "behind it", ":02000004FFFFFC\n:02FFFF000102FD\n" END, NULL, 0, 0, ERR_FORMAT, "line 2" },
        { "far apart", ":0100000001FE\n:020000041000EA\n:0100000001FE\n" END, NULL, 0, 0, ERR_NOSPACE, "0x10000000" },
        { "checksum", ":0300300002337A1F\n" END, NULL, 0, 0, ERR_FORMAT, "checksum" },
        { "cut off", ":0300300002337A1E\n", NULL, 0, 0, ERR_FORMAT, "cut off" },
        { "cut within a record", ":0300300002337A1E\n:0300", NULL, 0, 0, ERR_FORMAT, "line 2" },
        { "no colon", "0300300002337A1E\n" END, NULL, 0, 0, ERR_FORMAT, "colon" },
        { "a digit that is none", ":030030000233GA1E\n" END, NULL, 0, 0, ERR_FORMAT, "digits" },
        { "longer than it says", ":0300300002337A1E00\n" END, NULL, 0, 0, ERR_FORMAT, "longer" },
        { "shorter than it says", ":0400300002337A1D\n" END, NULL, 0, 0, ERR_FORMAT, "longer or shorter" },
        { "unknown type", ":00000006FA\n" END, NULL, 0, 0, ERR_FORMAT, "type" },
        { "behind the end", END ":0100000001FE\n", NULL, 0, 0, ERR_FORMAT, "behind the end" },
        { "end with data", ":0100000101FD\n", NULL, 0, 0, ERR_FORMAT, "end record" },
        { "short linear address", ":0100000401FA\n" END, NULL, 0, 0, ERR_FORMAT, "wrong length" },
        { "short start address", ":0100000501F9\n" END, NULL, 0, 0, ERR_FORMAT, "wrong length" },
        { "nothing", "", NULL, 0, 0, ERR_FORMAT, "cut off" },
        { "a NUL", ":\0", NULL, 0, 0, ERR_FORMAT, "line 1" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct imagefile f;
        why[0] = '\0';
        int rc = ihex_parse(span_of(cases[i].text, strlen(cases[i].text)), &f, why);
        if (rc != cases[i].want || (cases[i].says && !strstr(why, cases[i].says)))
            fail_msg("%s: %s, %s", cases[i].name, err_name(rc), why);
        if (rc == OK) {
            assert_int_equal(f.data.len, cases[i].len);
            assert_int_equal(f.has_base, cases[i].len > 0);
            assert_int_equal(f.base, cases[i].base);
            if (cases[i].len)
                assert_memory_equal(f.data.p, cases[i].data, cases[i].len);
        }
        imagefile_free(&f);
    }
}

/* No record crosses a multiple of 64 KiB, where readers do not agree on how addresses go on. */
static void check_records(const struct blob *text)
{
    for (size_t at = 0; at < text->len; at += strcspn((char *)text->p + at, "\n") + 1) {
        unsigned count, address;
        assert_int_equal(sscanf((char *)text->p + at, ":%2x%4x", &count, &address), 2);
        assert_true(address + count <= 0x10000);
    }
}

static void test_hex_round(void **state)
{
    static const uint32_t bases[] = { 0, 1, 0xC000, 0xFFF8, 0xFFFF, 0x12340003, 0xFFFF0000 };
    static const size_t lens[] = { 0, 1, 15, 16, 17, 300, 65535, 65536 };

    (void)state;
    for (size_t b = 0; b < sizeof bases / sizeof bases[0]; b++) {
        for (size_t l = 0; l < sizeof lens / sizeof lens[0]; l++) {
            struct imagefile f = { .base = bases[b] }, back;
            struct blob text = { 0 };
            for (size_t i = 0; i < lens[l]; i++)
                blob_fill(&f.data, (uint8_t)(i * 7 + l), 1);
            ihex_format(&f, &text);
            blob_fill(&text, 0, 1);
            text.len--;
            check_records(&text);
            assert_int_equal(ihex_parse(span_of(text.p, text.len), &back, why), OK);
            assert_int_equal(back.data.len, lens[l]);
            if (lens[l]) {
                assert_int_equal(back.base, bases[b]);
                assert_memory_equal(back.data.p, f.data.p, lens[l]);
            }
            blob_free(&text);
            imagefile_free(&f);
            imagefile_free(&back);
        }
    }
}

static void test_files(void **state)
{
    char dir[] = "/tmp/slipway_files_XXXXXX", path[64], hex[64];
    struct imagefile f = { 0 }, back;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a.bin", dir);
    snprintf(hex, sizeof hex, "%s/a.HEX", dir);
    assert_int_equal(imagefile_read(path, &back, why), ERR_NOENT);
    assert_int_equal(imagefile_read(dir, &back, why), ERR_IO);
    blob_add(&f.data, "contents", 8);
    f.base = 0xC000;
    assert_int_equal(imagefile_write(path, &f, why), OK);
    assert_int_equal(imagefile_write(path, &f, why), OK); /* over the old one */
    assert_int_equal(imagefile_write(hex, &f, why), OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(imagefile_read(i ? hex : path, &back, why), OK);
        assert_int_equal(back.is_hex, i);
        assert_int_equal(back.base, i ? 0xC000 : 0);
        assert_int_equal(back.data.len, 8);
        assert_memory_equal(back.data.p, "contents", 8);
        imagefile_free(&back);
    }
    imagefile_free(&f);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(hex), 0);
    snprintf(path, sizeof path, "%s/no/where", dir);
    assert_int_equal(imagefile_write(path, &f, why), ERR_IO);
    assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        uint32_t max;
        bool ok;
        uint32_t value;
    } cases[] = {
        { "0", 10, true, 0 },
        { "10", 10, true, 10 },
        { "11", 10, false, 0 },
        { "0x1f", 255, true, 31 },
        { "0X1F", 255, true, 31 },
        { "4294967295", 0xFFFFFFFF, true, 0xFFFFFFFF },
        { "4294967296", 0xFFFFFFFF, false, 0 },
        { "99999999999999999999", 0xFFFFFFFF, false, 0 },
        { "010", 255, false, 0 },
        { "-1", 255, false, 0 },
        { "+1", 255, false, 0 },
        { " 1", 255, false, 0 },
        { "1 ", 255, false, 0 },
        { "", 255, false, 0 },
        { "0x", 255, false, 0 },
        { "x1", 255, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t n = 0;
        if (parse_number(cases[i].text, cases[i].max, &n) != cases[i].ok || (cases[i].ok && n != cases[i].value))
            fail_msg("\"%s\": %u", cases[i].text, n);
    }
}

static void test_versions(void **state)
{
    static const struct {
        const char *text, *shown; /* NULL: refused */
    } cases[] = {
        { "1.2.3+4", "1.2.3+4" }, { "1", "1.0.0+0" }, { "1.2", "1.2.0+0" }, { "0.0.0", "0.0.0+0" },
        { "255.255.65535+4294967295", "255.255.65535+4294967295" }, { "256", NULL }, { "1.256", NULL },
        { "1.2.65536", NULL }, { "1.2.3+4294967296", NULL }, { "01.0.0", NULL }, { "1.00", NULL }, { "", NULL },
        { "1.", NULL }, { "1..2", NULL }, { "1.2.3.4", NULL }, { "1.2+3", NULL }, { "1.2.3+", NULL },
        { "1.2.3-rc1", NULL }, { "v1.2.3", NULL }, { "1.2.3 ", NULL }, { "-1.0.0", NULL },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct image_version v;
        char text[VERSION_TEXT_LEN];
        bool ok = parse_version(cases[i].text, &v, why);
        if (ok != (cases[i].shown != NULL))
            fail_msg("\"%s\" %s", cases[i].text, ok ? "taken" : "refused");
        if (ok) {
            version_text(&v, text);
            assert_string_equal(text, cases[i].shown);
        }
    }
}

static void test_dependencies(void **state)
{
    static const struct {
        const char *text;
        size_t count; /* 0: refused */
    } cases[] = {
        { "(0, 1.2.0)", 1 }, { "(0,1.2.0)", 1 }, { " ( 0 , 1 ) ", 1 }, { "(0, 1.2.0), (1, 2.0.0+3)", 2 },
        { "(0,1)(1,2)(2,3)", 3 }, { "", 0 }, { "()", 0 }, { "(0)", 0 }, { "(0, )", 0 }, { "(256, 1.0)", 0 },
        { "(0, 1.2.0", 0 }, { "0, 1.2.0", 0 }, { "(0, 1.2.0) x", 0 }, { "(a, 1.0)", 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sign_options o = { 0 };
        bool ok = parse_dependencies(cases[i].text, &o, why);
        if (ok != (cases[i].count > 0) || (ok && o.dependencies != cases[i].count))
            fail_msg("\"%s\": %zu", cases[i].text, o.dependencies);
    }
    struct sign_options o = { 0 };
    for (int i = 0; i < SIGN_LIST_MAX; i++)
        assert_true(parse_dependencies("(1, 2.3.4+5)", &o, why));
    assert_false(parse_dependencies("(1, 2.3.4+5)", &o, why));
    assert_int_equal(o.dependency[31].image, 1);
    assert_int_equal(o.dependency[31].least.build, 5);
}

static void test_custom_tlvs(void **state)
{
    static const struct {
        const char *tag, *value;
        bool ok;
        size_t len;
    } cases[] = {
        { "0xa0", "0x00ff", true, 2 }, { "160", "text", true, 4 }, { "0xa0", "", true, 0 }, { "0xa0", "0x", true, 0 },
        { "0xfffe", "0xAB", true, 1 }, { "0xffff", "0xAB", false, 0 }, { "0x9f", "0xAB", false, 0 },
        { "0x10000", "x", false, 0 }, { "a0", "x", false, 0 }, { "0xa0", "0xabc", false, 0 },
        { "0xa0", "0xzz", false, 0 }, { "0xa0", "0X11", true, 4 },
    };
    struct sign_options o = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool ok = parse_custom_tlv(cases[i].tag, cases[i].value, &o, why);
        if (ok != cases[i].ok || (ok && o.tlv[0].value.len != cases[i].len))
            fail_msg("%s %s: %s", cases[i].tag, cases[i].value, ok ? "taken" : why);
        sign_options_free(&o);
    }
    assert_true(parse_custom_tlv("0xa1", "x", &o, why));
    assert_false(parse_custom_tlv("161", "y", &o, why)); /* the same tag */
    assert_non_null(strstr(why, "already"));
    sign_options_free(&o);
}

static void test_counters(void **state)
{
    struct sign_options o = { .version = { .major = 3, .minor = 2, .revision = 258, .build = 9 } };

    (void)state;
    assert_true(parse_counter("auto", &o, why));
    assert_int_equal(o.counter, 0x03020102);
    assert_true(parse_counter("0xFFFFFFFF", &o, why));
    assert_int_equal(o.counter, 0xFFFFFFFF);
    assert_true(o.has_counter);
    assert_false(parse_counter("Auto!", &o, why));
    assert_false(parse_counter("4294967296", &o, why));
}

static void sign_into(struct blob *out, size_t payload, const struct sign_options *o)
{
    struct key *k = key_generate();
    uint8_t *in = calloc(1, payload + 1);
    uint32_t end;

    assert_int_equal(imagefile_sign(o, k, span_of(in, payload), out, &end, why), OK);
    assert_int_equal(end, out->len);
    free(in);
    key_free(k);
}

static void test_trailers(void **state)
{
    struct sign_options o = { .header_size = 32, .pad_header = true, .confirm = true };
    struct blob b = { 0 };
    static struct scan s;

    (void)state;
    sign_into(&b, 1000, &o);
    size_t len = b.len;
    assert_int_equal(sign_put_trailer(&o, (uint32_t)len + 23, &b, why), ERR_NOSPACE);
    assert_int_equal(sign_put_trailer(&o, 20, &b, why), ERR_NOSPACE);
    assert_int_equal(b.len, len);
    assert_int_equal(sign_put_trailer(&o, 8192, &b, why), OK);
    assert_int_equal(b.len, 8192);
    scan_bytes(&s, span_of(b.p, b.len), 0);
    assert_int_equal(s.images, 1);
    assert_int_equal(s.image[0].img.end, len);
    assert_true(s.has_last && s.last.good);
    assert_int_equal(s.last.image_ok, 1);
    assert_int_equal(s.last.copy_done, 0xFF);
    assert_int_equal(s.last.swap_size, 0xFFFFFFFF);

    /* A magic for an alignment of 16 or 32 puts the flags further away. */
    for (unsigned align = 16; align <= 32; align *= 2) {
        memset(b.p + 8192 - 256, 0xFF, 256);
        memcpy(b.p + 8192 - 14, "\x2D\xE1\x5D\x29\x41\x0B\x8D\x77\x67\x9C\x11\x0F\x1F\x8A", 14);
        st_le16(b.p + 8192 - 16, (uint16_t)align);
        b.p[8192 - align - align] = 1;
        b.p[8192 - 3 * align] = 2;
        b.p[8192 - 4 * align] = 3;
        scan_bytes(&s, span_of(b.p, b.len), 0);
        assert_true(s.last.good);
        assert_int_equal(s.last.align, align);
        assert_int_equal(s.last.image_ok, 1);
        assert_int_equal(s.last.copy_done, 2);
        assert_int_equal(s.last.swap_info, 3);
    }
    st_le16(b.p + 8192 - 16, 64);
    scan_bytes(&s, span_of(b.p, b.len), 0);
    assert_false(s.last.good);
    blob_free(&b);
}

/* Images at unit boundaries of the address, none inside of another, none across the end. */
static void test_scan(void **state)
{
    struct sign_options o = { .header_size = 32, .pad_header = true };
    struct blob a = { 0 }, chip = { 0 };
    static struct scan s;

    (void)state;
    sign_into(&a, 5000, &o);
    blob_fill(&chip, 0xFF, 65536);
    memcpy(chip.p + 8192, a.p, a.len);
    memcpy(chip.p + 8192 + 4096, a.p, 4); /* a magic within the image */
    memcpy(chip.p + 24576 + 100, a.p, a.len); /* not at a boundary */
    memcpy(chip.p + 65536 - 4096, a.p, 4096); /* its second half is missing */
    scan_bytes(&s, span_of(chip.p, chip.len), 0);
    assert_int_equal(s.images, 2);
    assert_int_equal(s.image[0].off, 8192);
    assert_memory_not_equal(s.image[0].hash, s.image[0].img.hash, 32);
    assert_int_equal(s.image[1].off, 65536 - 4096);
    assert_int_equal(s.image[1].why.reason, REASON_IMG_TRUNCATED);
    assert_false(s.has_last);

    scan_bytes(&s, span_of(chip.p, chip.len), 4096 - 100); /* as a HEX file that begins there */
    assert_int_equal(s.images, 1);
    assert_int_equal(s.image[0].off, 24576 + 100);
    assert_memory_equal(s.image[0].hash, s.image[0].img.hash, 32);
    for (size_t n = 0; n <= a.len; n++) {
        scan_bytes(&s, span_of(a.p, n), 0);
        assert_int_equal(s.images, n >= 4);
        if (s.images)
            assert_int_equal(s.image[0].img.end != 0, n == a.len);
    }
    blob_free(&a);
    blob_free(&chip);
}

static void test_sign_refuses(void **state)
{
    struct sign_options o = { .header_size = 512 };
    struct blob out = { 0 };
    struct key *k = key_generate();
    uint8_t in[600] = { 0 };
    uint32_t end;

    (void)state;
    assert_int_equal(imagefile_sign(&o, k, span_of(in, 511), &out, &end, why), ERR_FORMAT);
    blob_free(&out);
    for (size_t at = 0; at < 512; at += 73) {
        in[at] = 1;
        assert_int_equal(imagefile_sign(&o, k, span_of(in, sizeof in), &out, &end, why), ERR_FORMAT);
        in[at] = 0;
        blob_free(&out);
    }
    in[512] = 1;
    assert_int_equal(imagefile_sign(&o, k, span_of(in, sizeof in), &out, &end, why), OK);
    blob_free(&out);

    /* What a device would refuse is not written: a layout hash of three bytes. */
    assert_true(sign_add_tlv(&o, IMAGE_TLV_LAYOUT, "abc", 3, why));
    assert_int_equal(imagefile_sign(&o, k, span_of(in, sizeof in), &out, &end, why), ERR_FORMAT);
    assert_non_null(strstr(why, "0x5aa0"));
    blob_free(&out);
    sign_options_free(&o);

    uint8_t *big = calloc(1, 0xFF00);
    assert_true(sign_add_tlv(&o, 0xA0, big, 0xFF00, why));
    assert_true(sign_add_tlv(&o, 0xA1, big, 0xFF00, why));
    assert_false(sign_add_tlv(&o, 0xA2, big, 0xFF01, why));
    assert_int_equal(imagefile_sign(&o, k, span_of(in, sizeof in), &out, &end, why), ERR_NOSPACE);
    free(big);
    blob_free(&out);
    sign_options_free(&o);
    key_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex_records),
        cmocka_unit_test(test_hex_round),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_dependencies),
        cmocka_unit_test(test_custom_tlvs),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_trailers),
        cmocka_unit_test(test_scan),
        cmocka_unit_test(test_sign_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
