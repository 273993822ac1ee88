/* Uploads as clients send them: chunks in and out of order, refusals, faults, resume. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/crc.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/slipway.h"
#include "tests/support/smprig.h"

enum { A_LEN = 20000, B_LEN = 50001, CHUNK = 1332, TAIL = 4 + 36 + 36 + 76, UNIT = 4096 };

static struct smprig s;
static uint8_t *a, *b;

static void open_board(void)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5 };

    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &oa, A_LEN);
    b = testimage_make(&s.rig.key, &ob, B_LEN);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
}

static void close_board(void)
{
    assert_int_equal(s.rig.external_chip.violations, 0);
    assert_int_equal(s.rig.internal_chip.violations, 0);
    /* whatever happened, what runs keeps running */
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
    free(a);
    free(b);
    smprig_close(&s);
}

static const char *send_one(const uint8_t *image, uint32_t len, uint32_t off, uint32_t n, bool sha)
{
    uint8_t digest[32];
    struct cborkit c;

    smprig_sha(image, len, digest);
    smprig_chunk(&c, image, len, off, n, sha ? digest : NULL);
    return smprig_ask(&s, SMP_OP_WRITE, SMP_GROUP_IMG, SMP_IMG_UPLOAD, &c);
}

static const char *verdict(void)
{
    return smprig_ask(&s, SMP_OP_READ, SMP_GROUP_SLIPWAY, SLIPWAY_UPLOAD, NULL);
}

static const char *slots(void)
{
    return smprig_ask(&s, SMP_OP_READ, SMP_GROUP_SLIPWAY, SLIPWAY_SLOTS, NULL);
}

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        const char *t_ = (text);                                                                   \
        if (!strstr(t_, part))                                                                     \
            fail_msg("%s: not in %s", part, t_);                                                   \
    } while (0)

static const char *off(uint32_t n)
{
    static char text[32];

    snprintf(text, sizeof text, "{\"off\":%u}", n);
    return text;
}

/* Slot 1 holds the image and nothing behind it but the progress record. */
static void assert_holds(const uint8_t *image, uint32_t len)
{
    const uint8_t *slot = rig_slot(&s.rig, 1);
    uint32_t size = s.rig.layout.slot1.size;

    assert_memory_equal(slot, image, len);
    assert_true(bytes_all(slot + len, size - UNIT - len, 0xFF));
    assert_true(bytes_all(slot + size - 256, 256, 0xFF));
}

static void test_sizes_of_chunks(void **state)
{
    static const uint32_t sizes[] = { 32, 83, 128, 371, 512, 1024, CHUNK };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        open_board();
        nor_counters_clear(&s.rig.external_chip);
        assert_string_equal(smprig_upload(&s, b, B_LEN, sizes[i]), "{\"off\":50001,\"match\":true}");
        assert_holds(b, B_LEN);
        for (uint32_t u = 0; u < 256; u++)
            assert_true(s.rig.external_chip.unit_erases[u] == (u < 13 || u == 255));
        close_board();
    }
}

/* No answer waits for more than the erase of a unit, and the last one for no more than the rest. */
static void test_times(void **state)
{
    uint32_t at = 0;

    (void)state;
    open_board();
    while (at < B_LEN) {
        uint64_t start = s.rig.clock.us;
        send_one(b, B_LEN, at, CHUNK, true);
        uint64_t took = s.rig.clock.us - start;
        assert_true(took < (at == 0 ? 200000u : 100000u));
        at += CHUNK;
    }
    assert_string_equal(smprig_text(&s, 0), "{\"off\":50001,\"match\":true}");
    close_board();
}

/* While nobody waits the slot is erased ahead: the chunks then cost only their programs. */
static void test_erase_ahead(void **state)
{
    (void)state;
    open_board();
    assert_string_equal(send_one(b, B_LEN, 0, CHUNK, true), off(CHUNK));
    smprig_run(&s);
    uint64_t erases = s.rig.external_chip.count.erases, start = s.rig.clock.us;
    assert_int_equal(erases, 1 + 13);
    assert_string_equal(smprig_send(&s, b, B_LEN, CHUNK, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    assert_int_equal(s.rig.external_chip.count.erases, erases);
    /* 13 units of 16 pages of 0.9 ms, one more for each chunk that splits a page, and marks */
    assert_true(s.rig.clock.us - start < 14 * 16 * 900 + 38 * 1800 + 50000);
    assert_holds(b, B_LEN);
    close_board();
}

/* A phone: chunk 0 alone, then three outstanding, and a list beside them. */
static void test_window_of_three(void **state)
{
    struct cborkit c;
    uint8_t sha[32];
    uint32_t sent = CHUNK, acked = CHUNK;
    unsigned lists = 0;

    (void)state;
    open_board();
    smprig_sha(b, B_LEN, sha);
    assert_string_equal(send_one(b, B_LEN, 0, CHUNK, true), off(CHUNK));
    while (acked < B_LEN) {
        smprig_clear(&s);
        unsigned n = 0;
        for (; n < 3 && sent < B_LEN; n++) {
            smprig_chunk(&c, b, B_LEN, sent, 1380, sha);
            assert_true(smprig_submit(&s, SMP_V2, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c));
            sent += 1380;
        }
        assert_true(smprig_submit(&s, SMP_V2, SMP_OP_READ, 1, SMP_IMG_STATE, NULL));
        if (n == 3)
            assert_false(smprig_submit(&s, SMP_V2, SMP_OP_READ, 1, SMP_IMG_STATE, NULL));
        smprig_until(&s, n + 1);
        for (unsigned i = 0; i < n; i++) {
            acked = acked + 1380 < B_LEN ? acked + 1380 : B_LEN;
            if (acked < B_LEN)
                assert_string_equal(smprig_text(&s, i), off(acked));
            else
                assert_string_equal(smprig_text(&s, i), "{\"off\":50001,\"match\":true}");
        }
        assert_contains(smprig_text(&s, n), "\"images\":[{\"slot\":0");
        lists++;
    }
    assert_true(lists > 10);
    assert_holds(b, B_LEN);
    close_board();
}

static void test_chunks_out_of_order(void **state)
{
    (void)state;
    open_board();
    assert_string_equal(send_one(b, B_LEN, 512, 512, true), off(0)); /* no session */
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(512));
    uint64_t erases = s.rig.external_chip.count.erases;
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(512)); /* repeated */
    assert_string_equal(send_one(b, B_LEN, 512, 512, true), off(1024));
    assert_string_equal(send_one(b, B_LEN, 512, 512, true), off(1024)); /* late */
    assert_string_equal(send_one(b, B_LEN, 2048, 512, true), off(1024)); /* early */
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(1024)); /* the client begins again */
    assert_string_equal(send_one(b, B_LEN, 1024, 0, true), off(1024)); /* nothing in it */
    assert_int_equal(s.rig.external_chip.unit_erases[0], 1);
    assert_true(s.rig.external_chip.count.erases <= erases + 13);
    assert_string_equal(smprig_send(&s, b, B_LEN, 1024, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    /* after the end: the last chunk, an old one, the first one */
    assert_string_equal(send_one(b, B_LEN, 49664, 512, true), "{\"off\":50001,\"match\":true}");
    assert_string_equal(send_one(b, B_LEN, 1024, 512, true), "{\"off\":50001,\"match\":true}");
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), "{\"off\":50001,\"match\":true}");
    assert_int_equal(s.rig.external_chip.unit_erases[0], 1);
    assert_holds(b, B_LEN);
    close_board();
}

static void test_without_sha(void **state)
{
    (void)state;
    open_board();
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512));
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512)); /* repeated: no second erase */
    assert_int_equal(s.rig.external_chip.unit_erases[0], 1);
    assert_string_equal(send_one(b, B_LEN, 512, 512, false), off(1024));
    /* begun anew: another build may begin alike, so everything is written again */
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512));
    assert_int_equal(s.rig.external_chip.unit_erases[0], 2);
    assert_string_equal(smprig_send(&s, b, B_LEN, 512, B_LEN, 512), off(B_LEN));
    assert_holds(b, B_LEN);
    close_board();
}

/* image in every chunk, keys in any order, unknown ones: mcumgr-client, Go, and the future. */
static void test_keys(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    for (uint32_t at = 0; at < B_LEN; at += 512) {
        uint32_t n = B_LEN - at < 512 ? B_LEN - at : 512;
        ck_map(&c, at == 0 ? 5 : 4);
        ck_uint(&c, "off", at);
        ck_uint(&c, "image", 1);
        ck_bool(&c, "later", true);
        if (at == 0)
            ck_uint(&c, "len", B_LEN);
        ck_bytes(&c, "data", b + at, n);
        assert_string_equal(smprig_ask(&s, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c), off(at + n));
    }
    assert_holds(b, B_LEN);
    close_board();
}

static uint8_t *padded(uint32_t *len)
{
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52,
        0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80 };
    uint8_t *p;

    *len = s.rig.layout.slot0.size;
    p = malloc(*len);
    memset(p, 0xFF, *len);
    memcpy(p, b, B_LEN);
    memcpy(p + *len - 16, magic, 16);
    return p;
}

static void test_padding_is_counted_and_not_written(void **state)
{
    uint32_t len;
    uint8_t *p;

    (void)state;
    open_board();
    p = padded(&len);
    assert_string_equal(smprig_upload(&s, p, len, CHUNK), "{\"off\":925696,\"match\":true}");
    assert_holds(b, B_LEN);
    assert_contains(slots(), "\"pending\":false");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    free(p);
    close_board();
}

static void test_resume_in_the_padding(void **state)
{
    uint32_t len;
    uint8_t *p;

    (void)state;
    open_board();
    p = padded(&len);
    smprig_send(&s, p, len, 0, 100000, CHUNK);
    smprig_boot(&s, false);
    assert_string_equal(send_one(p, len, 0, CHUNK, true), off(B_LEN));
    assert_string_equal(smprig_send(&s, p, len, B_LEN, len, CHUNK), "{\"off\":925696,\"match\":true}");
    assert_holds(b, B_LEN);
    free(p);
    close_board();
}


static const char *refused(unsigned code)
{
    static char text[40];

    snprintf(text, sizeof text, "{\"err\":{\"group\":1,\"rc\":%u}}", code);
    return text;
}

static void send_bad_requests(void)
{
    struct cborkit c;

    ck_map(&c, 2);
    ck_bytes(&c, "data", b, 512);
    ck_uint(&c, "off", 0);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(21));
    assert_contains(verdict(), "\"why\":{\"r\":84,");
    ck_map(&c, 2);
    ck_bytes(&c, "data", b, 512);
    ck_uint(&c, "len", B_LEN);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(20));
    ck_map(&c, 4);
    ck_bytes(&c, "data", b, 512);
    ck_uint(&c, "len", B_LEN);
    ck_bytes(&c, "sha", b, 33);
    ck_uint(&c, "off", 0);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(24));
    ck_map(&c, 3);
    ck_bytes(&c, "data", b, 512);
    ck_uint(&c, "len", 1ull << 40);
    ck_uint(&c, "off", 0);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(30));
    assert_contains(verdict(), "\"why\":{\"r\":33,\"slot\":1,\"f\":4294967295,\"e\":1048576,");
}

static void send_bad_headers(void)
{
    assert_string_equal(send_one(b, B_LEN, 0, 31, true), refused(22));
    assert_contains(verdict(), "\"why\":{\"r\":27,\"slot\":1,\"f\":31,\"e\":32,");
    assert_string_equal(send_one(b, B_LEN - TAIL, 0, 512, true), refused(22));
    assert_contains(verdict(), "\"why\":{\"r\":27,\"slot\":1,\"f\":49849,\"e\":49853,");
    b[0] ^= 1;
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), refused(23));
    assert_contains(verdict(), "\"why\":{\"r\":21,\"slot\":1,\"f\":2532554812,\"e\":2532554813,");
    b[0] ^= 1;
}

/* Sound images that this board cannot take. */
static void send_wrong_images(void)
{
    struct cborkit c;
    struct testimage_options huge = { .major = 3 }, low = { .major = 3, .hdr_size = 0x20 },
                             old = { .major = 1 }, elsewhere = { .major = 3, .reset_vector = 0x000F9101 };

    /* fits slot 1, but not slot 0 and its trailer */
    uint8_t *x = testimage_make(&s.rig.key, &huge, 925696);
    assert_string_equal(send_one(x, 925696, 0, 512, true), refused(30));
    free(x);
    assert_contains(verdict(), "\"why\":{\"r\":34,\"slot\":1,\"f\":925548,\"e\":921600,");
    x = testimage_make(&s.rig.key, &low, 9000);
    assert_string_equal(send_one(x, 9000, 0, 512, true), refused(29));
    assert_contains(verdict(), "\"why\":{\"r\":37,\"slot\":1,\"f\":32,\"e\":256,");
    free(x);
    x = testimage_make(&s.rig.key, &elsewhere, 9000);
    assert_string_equal(send_one(x, 9000, 0, 1024, true), refused(29));
    assert_contains(verdict(), "\"why\":{\"r\":36,\"slot\":1,\"f\":1020161,\"e\":49152,");
    free(x);
    x = testimage_make(&s.rig.key, &old, 9000);
    ck_map(&c, 4);
    ck_bytes(&c, "data", x, 512);
    ck_uint(&c, "len", 9000);
    ck_bool(&c, "upgrade", true);
    ck_uint(&c, "off", 0);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(27));
    assert_contains(verdict(), "\"state\":\"refused\",\"len\":");
    assert_contains(verdict(), "\"why\":{\"r\":85,\"slot\":1,\"f\":16777216,\"e\":16777216,");
    free(x);
}

static void test_refused_at_once(void **state)
{
    uint64_t before;

    (void)state;
    open_board();
    before = s.rig.external_chip.count.erases;
    send_bad_requests();
    send_bad_headers();
    send_wrong_images();
    /* nothing was touched for any of them */
    smprig_run(&s);
    assert_int_equal(s.rig.external_chip.count.erases, before);
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    close_board();
}

/* Between what the header tells and the end: the TLVs, as soon as they come by. */
static void test_refused_on_the_way(void **state)
{
    (void)state;
    open_board();
    b[B_LEN - TAIL] ^= 0x80;
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), refused(4));
    assert_contains(verdict(), "\"state\":\"failed\"");
    assert_contains(verdict(), "\"why\":{\"r\":25,\"slot\":1,\"f\":27015,");
    assert_contains(slots(), "{\"slot\":1,\"why\":{\"r\":25,");
    b[B_LEN - TAIL] ^= 0x80;
    b[B_LEN - TAIL + 3] = 1; /* TLVs said to be 256 bytes longer than the file */
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), refused(22));
    assert_contains(verdict(), "\"why\":{\"r\":27,\"slot\":1,\"f\":50001,\"e\":50257,");
    b[B_LEN - TAIL + 3] = 0;
    /* more data than announced */
    assert_string_equal(smprig_send(&s, b, B_LEN, 0, 1024, 512), off(1024));
    struct cborkit c;
    ck_map(&c, 2);
    ck_bytes(&c, "data", b, 1024);
    ck_uint(&c, "off", 49664);
    smprig_send(&s, b, B_LEN, 1024, 49664, 512);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), refused(31));
    assert_contains(verdict(), "\"why\":{\"r\":84,\"slot\":1,\"f\":50688,\"e\":50001,");
    close_board();
}

static void test_refused_at_the_end(void **state)
{
    struct testkey stranger;
    struct testimage_options o = { .major = 3 }, other = { .major = 3, .layout_hash = 0x12345678 };

    (void)state;
    open_board();
    b[B_LEN - 3000] ^= 0x10;
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), refused(24));
    assert_contains(verdict(), "\"state\":\"failed\",\"len\":50001,\"off\":50001,\"why\":{\"r\":29,\"slot\":1,");
    /* the repeated last chunk gets the same answer, and so does the whole upload, without writing */
    assert_string_equal(send_one(b, B_LEN, 49664, 512, true), refused(24));
    uint64_t programs = s.rig.external_chip.count.programs;
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), refused(24));
    assert_int_equal(s.rig.external_chip.count.programs, programs);
    b[B_LEN - 3000] ^= 0x10;

    testkey_make(&stranger);
    uint8_t *x = testimage_make(&stranger, &o, 9000);
    assert_string_equal(smprig_upload(&s, x, 9000, 512), refused(24));
    assert_contains(verdict(), "\"why\":{\"r\":31,\"slot\":1,");
    free(x);
    testkey_free(&stranger);
    x = testimage_make(&s.rig.key, &other, 9000);
    assert_string_equal(smprig_upload(&s, x, 9000, 512), refused(25));
    assert_contains(verdict(), "\"why\":{\"r\":35,\"slot\":1,\"f\":305419896,\"e\":1606722823,");
    free(x);
    /* and none of it stands in the way of a good one */
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    assert_contains(verdict(), "\"state\":\"done\"");
    close_board();
}

static void test_sha_of_the_file(void **state)
{
    struct cborkit c;
    uint8_t sha[32];

    (void)state;
    open_board();
    smprig_sha(b, B_LEN, sha);
    sha[0] ^= 1;
    smprig_chunk(&c, b, B_LEN, 0, 512, sha);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), off(512));
    assert_string_equal(smprig_send(&s, b, B_LEN, 512, B_LEN, 512), "{\"off\":50001,\"match\":false}");
    assert_contains(verdict(), "\"state\":\"failed\"");
    assert_contains(verdict(), "\"why\":{\"r\":82,\"slot\":1,");
    /* not resumed: it would end in the same way for ever */
    smprig_boot(&s, false);
    assert_string_equal(smprig_ask(&s, 2, 1, 1, &c), off(512));
    close_board();
}

/*
 * One bit anywhere in what hash or signature covers: never complete, never silent. Every bit of the
 * header and of the TLVs, the signature itself included; of the rest a sample.
 */
static void test_flipped_bits(void **state)
{
    enum { LEN = 2000 };
    struct testimage_options o = { .major = 3 };
    unsigned step = 7;

    (void)state;
    open_board();
    uint8_t *x = testimage_make(&s.rig.key, &o, LEN);
    /* the signature is DER in 72 bytes: nothing covers the zeros that fill them up */
    unsigned end = LEN - 72 + 2 + x[LEN - 72 + 1];
    for (unsigned bit = 0; bit < end * 8; bit += step) {
        step = bit < IMAGE_HEADER_LEN * 8 || bit >= (LEN - TAIL) * 8 - 101 ? 1 : 101;
        x[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const char *text = smprig_upload(&s, x, LEN, 512);
        if (!strstr(text, "\"err\"") || s.service.up.why.reason == REASON_NONE)
            fail_msg("bit %u: %s", bit, text);
        x[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_string_equal(smprig_upload(&s, x, LEN, 512), "{\"off\":2000,\"match\":true}");
    free(x);
    close_board();
}

/* 900 KiB can be swapped on this board; a byte more is seen when the length of the TLVs is. */
static void test_largest_image(void **state)
{
    struct testimage_options o = { .major = 3 };

    (void)state;
    open_board();
    uint8_t *x = testimage_make(&s.rig.key, &o, 921601);
    assert_string_equal(smprig_upload(&s, x, 921601, CHUNK), refused(30));
    assert_contains(verdict(), "\"why\":{\"r\":34,\"slot\":1,\"f\":921601,\"e\":921600,");
    free(x);
    x = testimage_make(&s.rig.key, &o, 921600);
    assert_string_equal(smprig_upload(&s, x, 921600, CHUNK), "{\"off\":921600,\"match\":true}");
    assert_holds(x, 921600);
    free(x);
    close_board();
}

/* Equal slots: 896 KiB at gap 1 is the most, although slot 0 has room for 900. */
static void test_largest_image_of_equal_slots(void **state)
{
    struct layout l = rig_layout_dk();
    struct testimage_options o = { .major = 3 };

    (void)state;
    open_board();
    free(a);
    free(b);
    smprig_close(&s);
    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &o, A_LEN);
    b = testimage_make(&s.rig.key, &o, 917505);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
    assert_string_equal(smprig_upload(&s, b, 917505, CHUNK), refused(30));
    assert_contains(verdict(), "\"why\":{\"r\":34,\"slot\":1,\"f\":917505,\"e\":917504,");
    free(b);
    b = testimage_make(&s.rig.key, &o, 917504);
    assert_string_equal(smprig_upload(&s, b, 917504, CHUNK), "{\"off\":917504,\"match\":true}");
    close_board();
}

struct fault {
    const char *name;
    struct nor_fault fault;
    unsigned code;
    const char *state;
    const char *why;
};

static const struct fault faults[] = {
    { "absent", { .kind = NOR_FAULT_ABSENT }, 10, "refused", "{\"r\":1,\"slot\":1,\"f\":16777215,\"e\":2049804," },
    { "another id", { .kind = NOR_FAULT_ID, .id = 0xC22817 }, 10, "refused", "{\"r\":2,\"slot\":1,\"f\":12724247,\"e\":2049804," },
    { "busy from the start", { .kind = NOR_FAULT_BUSY }, 10, "refused", "{\"r\":3,\"slot\":1," },
    { "busy later", { .kind = NOR_FAULT_BUSY, .from_op = 40 }, 10, "failed", "{\"r\":3,\"slot\":1," },
    { "erases do nothing", { .kind = NOR_FAULT_NO_ERASE }, 13, "failed", "{\"r\":4,\"slot\":1,\"f\":0,\"e\":255," },
    { "erases do nothing later", { .kind = NOR_FAULT_NO_ERASE, .from_op = 8 }, 13, "failed", "{\"r\":4,\"slot\":1,\"f\":0,\"e\":255," },
    { "programs do nothing", { .kind = NOR_FAULT_NO_PROGRAM }, 12, "failed", "{\"r\":5,\"slot\":1,\"f\":255," },
    { "programs do nothing later", { .kind = NOR_FAULT_NO_PROGRAM, .from_op = 40 }, 12, "failed", "{\"r\":5,\"slot\":1,\"f\":255," },
    { "read error", { .kind = NOR_FAULT_READ_ERROR }, 11, "failed", "{\"r\":6,\"slot\":1," },
    { "read error later", { .kind = NOR_FAULT_READ_ERROR, .from_op = 40 }, 11, "failed", "{\"r\":6,\"slot\":1," },
};

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        open_board();
        print_message("%s\n", faults[i].name);
        uint8_t *zeros = calloc(1, s.rig.layout.slot1.size);
        rig_load(&s.rig, 1, 0, zeros, s.rig.layout.slot1.size);
        free(zeros);
        struct nor_fault f = faults[i].fault;
        if (f.from_op > 0)
            f.from_op += s.rig.external_chip.ops;
        assert_int_equal(nor_fault_add(&s.rig.external_chip, &f), OK);
        uint64_t start = s.rig.clock.us;
        const char *text = smprig_upload(&s, b, B_LEN, CHUNK);
        assert_string_equal(text, refused(faults[i].code));
        assert_true(s.rig.clock.us - start < 20000000);
        assert_contains(verdict(), faults[i].state);
        assert_contains(verdict(), faults[i].why);
        close_board();
    }
}

/* A fault that comes while the chip is erased in the background is told at the next chunk. */
static void test_fault_in_the_background(void **state)
{
    (void)state;
    open_board();
    uint8_t *zeros = calloc(1, s.rig.layout.slot1.size);
    rig_load(&s.rig, 1, 0, zeros, s.rig.layout.slot1.size);
    free(zeros);
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(512));
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_NO_ERASE }), OK);
    smprig_run(&s);
    assert_contains(verdict(), "\"why\":{\"r\":4,\"slot\":1,\"f\":0,\"e\":255,\"w\":4096}");
    assert_string_equal(send_one(b, B_LEN, 512, 512, true), refused(13));
    close_board();
}

static void test_resume_after_reset(void **state)
{
    (void)state;
    open_board();
    smprig_send(&s, b, B_LEN, 0, 19900, 512);
    smprig_run(&s);
    smprig_boot(&s, false);
    assert_contains(slots(), "{\"slot\":1,\"why\":{\"r\":80,\"slot\":1,\"f\":16384,\"e\":50001,");
    uint64_t programs = s.rig.external_chip.count.programs;
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(16384));
    assert_int_equal(s.rig.external_chip.count.programs, programs + 1); /* the word of the unit begun is made useless */
    assert_contains(verdict(), "\"state\":\"running\"");
    assert_contains(verdict(), "\"why\":{\"r\":81,\"slot\":1,\"f\":16384,\"e\":50001,");
    nor_counters_clear(&s.rig.external_chip);
    assert_string_equal(smprig_send(&s, b, B_LEN, 16384, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    /* what lay behind is erased again, what was there is not */
    for (uint32_t u = 0; u < 256; u++)
        assert_int_equal(s.rig.external_chip.unit_erases[u], u >= 4 && u < 13);
    assert_holds(b, B_LEN);
    /* after a reset it is complete, and known as such */
    smprig_boot(&s, false);
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), "{\"off\":50001,\"match\":true}");
    close_board();
}

static void test_resume_at_every_place(void **state)
{
    (void)state;
    for (uint32_t at = 512; at < B_LEN; at += 3331) {
        open_board();
        smprig_send(&s, b, B_LEN, 0, at, 512);
        smprig_boot(&s, false);
        unsigned next;
        assert_int_equal(sscanf(send_one(b, B_LEN, 0, 512, true), "{\"off\":%u", &next), 1);
        assert_true(next % UNIT == 0 || next == 512);
        assert_true(next + UNIT > at);
        assert_string_equal(smprig_send(&s, b, B_LEN, next, B_LEN, 1024), "{\"off\":50001,\"match\":true}");
        assert_holds(b, B_LEN);
        close_board();
    }
}

struct spoil {
    const char *name;
    uint32_t at; /* in slot 1, or from its end if `back` */
    bool back;
    uint8_t value;
    unsigned resumes_at;
    bool record; /* it is still believed that an upload was cut off */
};

/* After 19968 bytes: four units complete. Record: 0xFF000 on. */
static const struct spoil spoils[] = {
    { "nothing", 0, false, 0x3d, 16384, true },
    { "a byte of unit 2", 2 * UNIT + 5, false, 0, 8192, true },
    { "a byte of unit 0", 1000, false, 0, 512, true },
    { "a byte behind unit 3", 4 * UNIT + 100, false, 0, 16384, true },
    { "record's magic", UNIT, true, 0, 512, false },
    { "record's sha", UNIT - 0x10, true, 0, 512, false },
    { "word of unit 1", UNIT - 0x34, true, 0, 4096, true },
    { "a word too many", UNIT - 0x40, true, 0, 16384, true },
    { "somebody asked for the image", 1, true, 0, 512, true },
};

static void test_what_is_not_believed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++) {
        open_board();
        print_message("%s\n", spoils[i].name);
        smprig_send(&s, b, B_LEN, 0, 19900, 512);
        smprig_boot(&s, false);
        uint32_t size = s.rig.layout.slot1.size;
        s.rig.external_chip.mem[spoils[i].back ? size - spoils[i].at : spoils[i].at] = spoils[i].value;
        assert_true((strstr(slots(), "{\"r\":80,") != NULL) == spoils[i].record);
        assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(spoils[i].resumes_at));
        assert_string_equal(smprig_send(&s, b, B_LEN, spoils[i].resumes_at, B_LEN, 512), "{\"off\":50001,\"match\":true}");
        assert_holds(b, B_LEN);
        close_board();
    }
}

/* Words that agree with bytes that are no image: told once, then written anew. */
static void test_record_of_no_image(void **state)
{
    enum { TLV = B_LEN - TAIL, LAST = TLV / UNIT };

    (void)state;
    open_board();
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    uint8_t *mem = s.rig.external_chip.mem;
    mem[TLV] ^= 1;
    st_le32(mem + s.rig.layout.slot1.size - UNIT + UPLOAD_OFF_WORDS + 4 * LAST,
        crc32(0, mem + LAST * UNIT, B_LEN - LAST * UNIT));
    smprig_boot(&s, false);
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), refused(4));
    assert_contains(verdict(), "\"why\":{\"r\":25,\"slot\":1,\"f\":26886,");
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    assert_holds(b, B_LEN);
    close_board();
}

/* A record whose checksum is right, but whose numbers no upload of this board can have. */
static void test_record_of_another_unit(void **state)
{
    static const uint32_t units[] = { 0, 1, 3, 256, 65536, UINT32_MAX };
    uint32_t at = 0;

    (void)state;
    open_board();
    at = s.rig.layout.slot1.off + s.rig.layout.slot1.size - UNIT;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        uint8_t rec[UPLOAD_OFF_WORDS], sha[32];
        uint32_t len, have;
        memset(rec, 7, sizeof rec);
        st_le32(rec, UPLOAD_MAGIC);
        st_le32(rec + UPLOAD_OFF_LEN, B_LEN);
        st_le32(rec + UPLOAD_OFF_UNIT, units[i]);
        st_le32(rec + UPLOAD_OFF_CRC, crc32(0, rec, UPLOAD_OFF_CRC));
        nor_load(&s.rig.external_chip, at, rec, sizeof rec);
        assert_int_equal(upload_record_read(&s.rig.store, &len, sha, &have), ERR_NOENT);
        smprig_start(&s, false);
        assert_contains(slots(), "{\"slot\":1,\"why\":{\"r\":20,");
    }
    close_board();
}

static void test_another_upload_does_not_resume(void **state)
{
    struct testimage_options o = { .major = 2, .seed = 6 };

    (void)state;
    open_board();
    uint8_t *x = testimage_make(&s.rig.key, &o, B_LEN);
    smprig_send(&s, b, B_LEN, 0, 19900, 512);
    assert_string_equal(send_one(x, B_LEN, 0, 512, true), off(512)); /* in the same session */
    smprig_send(&s, x, B_LEN, 512, 30000, 512);
    smprig_boot(&s, false);
    assert_string_equal(send_one(b, B_LEN, 0, 512, true), off(512)); /* and after a reset */
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512));
    assert_string_equal(smprig_send(&s, b, B_LEN, 512, B_LEN, 512), off(B_LEN));
    smprig_boot(&s, false);
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512));
    free(x);
    close_board();
}

/* What an upload finds of a request is gone before anything else is changed. */
static void test_upload_withdraws_a_request(void **state)
{
    struct cborkit c;

    (void)state;
    open_board();
    assert_string_equal(smprig_upload(&s, b, B_LEN, 512), "{\"off\":50001,\"match\":true}");
    ck_map(&c, 2);
    ck_bool(&c, "confirm", true);
    ck_bytes(&c, "hash", b + B_LEN - TAIL + 8, 32);
    assert_contains(smprig_ask(&s, 2, 1, SMP_IMG_STATE, &c), "\"permanent\":true");
    assert_string_equal(send_one(b, B_LEN, 0, 512, false), off(512));
    assert_contains(slots(), "\"pending\":false");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    close_board();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_of_chunks),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_erase_ahead),
        cmocka_unit_test(test_window_of_three),
        cmocka_unit_test(test_chunks_out_of_order),
        cmocka_unit_test(test_without_sha),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_padding_is_counted_and_not_written),
        cmocka_unit_test(test_resume_in_the_padding),
        cmocka_unit_test(test_refused_at_once),
        cmocka_unit_test(test_refused_on_the_way),
        cmocka_unit_test(test_refused_at_the_end),
        cmocka_unit_test(test_sha_of_the_file),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_largest_image),
        cmocka_unit_test(test_largest_image_of_equal_slots),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_fault_in_the_background),
        cmocka_unit_test(test_resume_after_reset),
        cmocka_unit_test(test_resume_at_every_place),
        cmocka_unit_test(test_what_is_not_believed),
        cmocka_unit_test(test_record_of_no_image),
        cmocka_unit_test(test_record_of_another_unit),
        cmocka_unit_test(test_another_upload_does_not_resume),
        cmocka_unit_test(test_upload_withdraws_a_request),
    };
    return cmocka_run_group_tests_name("upload", tests, NULL, NULL);
}
