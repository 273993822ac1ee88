/* Images in bin and hex files, whole and damaged. */
#include <openssl/evp.h>

#include "core/base/bytes.h"
#include "host/doctor/artifact.h"
#include "tests/doctor/readers/reader_test.h"
#include "tests/support/testimage.h"

enum { TOTAL = 4096, HDR = 0x200 };

struct image_fixture {
    struct testkey key;
    uint8_t *image;
};
static struct image_fixture made;

static int make_image(void **state)
{
    const struct testimage_options o = {
        .major = 1, .minor = 2, .revision = 3, .build = 4, .layout_hash = 7, .reset_vector = 0xc401
    };

    (void)state;
    testkey_make(&made.key);
    made.image = testimage_make(&made.key, &o, TOTAL);
    return 0;
}

static int drop_image(void **state)
{
    (void)state;
    free(made.image);
    testkey_free(&made.key);
    return 0;
}

static struct artifact *read_bytes(struct fixture *x, const char *name, const void *data, size_t len, struct source **f)
{
    struct source *file = memfile(&x->s, name, data, len);

    if (f)
        *f = file;
    return artifact_read(&x->s, file);
}

static void assert_whole(const struct artifact *a)
{
    struct key k = { .type = KEY_EC256, .pkey = made.key.pkey };

    assert_non_null(a);
    assert_true(a->is_image);
    assert_null(a->broken);
    assert_int_equal(a->header_size, HDR);
    assert_int_equal(a->signed_size, TOTAL);
    assert_int_equal(
        a->version.major * 1000000 + a->version.minor * 10000 + a->version.revision * 100 + a->version.build, 1020304);
    assert_true(a->has_hash && a->hash_ok && a->has_signature && !a->has_trailer);
    assert_int_equal(a->reset_vector, 0xc401);
    assert_true(artifact_verify(a, &k));
}

static void test_bin(void **state)
{
    struct artifact *a = read_bytes(*state, "build/app.bin", made.image, TOTAL, NULL);
    struct testkey other;

    assert_whole(a);
    testkey_make(&other);
    assert_false(artifact_verify(a, &(struct key) { .type = KEY_EC256, .pkey = other.pkey }));
    assert_false(artifact_verify(a, &(struct key) { .type = KEY_ED25519, .pkey = made.key.pkey }));
    testkey_free(&other);
}

/* Every cut of the file, and every byte of header and TLVs changed, is read without reading beyond. */
static void test_damage(void **state)
{
    struct fixture *x = *state;
    struct key k = { .type = KEY_EC256, .pkey = made.key.pkey };
    unsigned whole = 0;

    for (size_t len = 0; len < TOTAL; len += len < 64 || len > TOTAL - 200 ? 1 : 97) {
        char *exact = malloc(len ? len : 1); /* so that the sanitizer sees a byte too many */
        memcpy(exact, made.image, len);
        struct source f = { .rel = "cut.bin", .base = "cut.bin", .loaded = true, .text = exact, .len = len };
        struct artifact *a = artifact_read(&x->s, &f);
        assert_true(a && (a->plain || a->broken));
        free(exact);
    }
    for (size_t at = 0; at < TOTAL; at += at == 31 ? TOTAL - 200 : 1) {
        char *exact = malloc(TOTAL);
        memcpy(exact, made.image, TOTAL);
        exact[at] = (char)(exact[at] ^ 0xff);
        struct source f = { .rel = "bad.bin", .base = "bad.bin", .loaded = true, .text = exact, .len = TOTAL };
        struct artifact *a = artifact_read(&x->s, &f);
        whole += a->is_image && !a->broken && a->hash_ok && artifact_verify(a, &k);
        free(exact);
    }
    assert_true(whole <= 34 + 4); /* what the hash does not cover: the key's hash, and its TLV's head */
}

/* The protected area is larger in the header than in its own head: the hash would cover bytes that are not there. */
static void test_protected_area_that_lies(void **state)
{
    struct fixture *x = *state;
    struct key k = { .type = KEY_EC256, .pkey = made.key.pkey };
    uint8_t *lie = malloc(TOTAL);

    memcpy(lie, made.image, TOTAL);
    st_le16(lie + 10, 0xfff0);
    struct source f = { .rel = "lie.bin", .base = "lie.bin", .loaded = true, .text = (char *)lie, .len = TOTAL };
    struct artifact *a = artifact_read(&x->s, &f);
    assert_string_equal(a->broken, "the protected TLV area is not of the size that the header says");
    assert_false(artifact_verify(a, &k));
    free(lie);
}

static void test_not_signed(void **state)
{
    static const uint8_t vectors[16] = { 0, 0, 1, 0x20, 1, 0xc2, 0, 0 };
    struct artifact *a = read_bytes(*state, "zephyr.bin", vectors, sizeof vectors, NULL);

    assert_true(a->plain && !a->is_image && a->has_vectors);
    assert_int_equal(a->reset_vector, 0xc201);
    a = read_bytes(*state, "empty.bin", "", 0, NULL);
    assert_true(a->plain && !a->has_vectors);
}

static void test_trailer(void **state)
{
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c,
        0xb6, 0x79, 0x80 };
    uint8_t *padded = malloc(2 * TOTAL);

    memset(padded, 0xff, 2 * TOTAL);
    memcpy(padded, made.image, TOTAL);
    memcpy(padded + 2 * TOTAL - 16, magic, 16);
    assert_true(read_bytes(*state, "padded.bin", padded, 2 * TOTAL, NULL)->has_trailer);
    free(padded);
}

/* --- Intel HEX --------------------------------------------------------------------------------- */

static char *put_record(char *p, unsigned address, unsigned type, const uint8_t *data, unsigned len)
{
    unsigned sum = len + (address >> 8) + (address & 0xff) + type;

    p += sprintf(p, ":%02X%04X%02X", len, address & 0xffff, type);
    for (unsigned i = 0; i < len; i++) {
        p += sprintf(p, "%02x", data[i]);
        sum += data[i];
    }
    return p + sprintf(p, "%02X\r\n", (0u - sum) & 0xff);
}

static char *put_upper(char *p, uint32_t address)
{
    const uint8_t upper[2] = { (uint8_t)(address >> 24), (uint8_t)(address >> 16) };

    return put_record(p, 0, 4, upper, 2);
}

/* An image as hex from `base` on, malloc'ed. */
static char *hex_of(const uint8_t *data, uint32_t len, uint32_t base)
{
    char *text = malloc(len * 4 + 200), *p = text;

    for (uint32_t i = 0; i < len; i += 32) {
        if (i == 0 || ((base + i) & 0xffff) == 0)
            p = put_upper(p, base + i);
        p = put_record(p, (base + i) & 0xffff, 0, data + i, 32);
    }
    p = put_record(p, 0, 1, NULL, 0);
    strcpy(p, "behind the end anything may stand\n");
    return text;
}

static void test_hex(void **state)
{
    char *text = hex_of(made.image, TOTAL, 0x2f800); /* across a 64 KiB border */
    struct fixture *x = *state;
    struct source *f;
    struct artifact *a = read_bytes(x, "app.hex", text, strlen(text), &f);
    unsigned line = 0;

    assert_whole(a);
    assert_int_equal(a->blob.base, 0x2f800);
    assert_true(a->blob.is_hex);
    assert_false(hex_touches(&x->s, f, 0x12000000, 0x20000000, &line));
    assert_true(hex_touches(&x->s, f, 0x30000, 0x31000, &line));
    assert_int_equal(line, 67); /* head, 64 records up to the border, head */
    free(text);
}

static void test_hex_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "there is no data in this Intel HEX file" },
        { ":00000001FF\n", "there is no data in this Intel HEX file" },
        { ":0100000000FF\nhello\n", "line 2 is no Intel HEX record" },
        { ":0100000000FE\n", "line 1 is no Intel HEX record" }, /* checksum */
        { ":02000000FF\n", "line 1 is no Intel HEX record" },   /* length */
        { ":0100000000F", "line 1 is no Intel HEX record" },
        { ":01zz000000FF\n", "line 1 is no Intel HEX record" },
        { "\x7f"
          "ELF",
            "line 1 is no Intel HEX record" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source *f;
        if (read_bytes(*state, "a.hex", rows[i].text, strlen(rows[i].text), &f) || strcmp(f->trouble, rows[i].why) != 0)
            fail_msg("row %zu: %s", i, f->trouble);
    }
}

/* A byte every 4 KiB: small as a file, as large as it likes in memory. */
static char *sparse_hex(uint32_t span)
{
    char *text = malloc(span / 4096 * 18 + span / 65536 * 20 + 200), *p = text;
    const uint8_t zero = 0;

    for (uint32_t at = 0; at < span; at += 4096) {
        if ((at & 0xffff) == 0)
            p = put_upper(p, at);
        p = put_record(p, at & 0xffff, 0, &zero, 1);
    }
    return text;
}

static void test_hex_that_unpacks(void **state)
{
    struct fixture *x = *state;
    char *text = sparse_hex(32u << 20);
    struct source *f;

    assert_null(read_bytes(x, "a.hex", text, strlen(text), &f));
    assert_string_equal(f->trouble, "its data spans more than any firmware");
    free(text);
    text = sparse_hex(15u << 20);
    size_t read = 0;
    for (int i = 0; i < 30 && !f->trouble == (i > 0); i++)
        read += read_bytes(x, "a.hex", text, strlen(text), &f) != NULL;
    assert_int_equal(read, 17); /* 17 of 15 MiB are 255 MiB */
    assert_non_null(strstr(f->trouble, "256 MiB"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_bin),
        READER_TEST(test_damage),
        READER_TEST(test_protected_area_that_lies),
        READER_TEST(test_not_signed),
        READER_TEST(test_trailer),
        READER_TEST(test_hex),
        READER_TEST(test_hex_refused),
        READER_TEST(test_hex_that_unpacks),
    };

    return cmocka_run_group_tests(tests, make_image, drop_image);
}
