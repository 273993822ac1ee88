/* dfu_application.zip and its manifest. */
#include <archive.h>
#include <archive_entry.h>

#include "host/doctor/artifact.h"
#include "tests/doctor/readers/reader_test.h"

struct member {
    const char *name;
    const void *data;
    size_t len;
};

static const char manifest[] =
    "{\"format-version\": 1, \"files\": ["
    "{\"file\": \"app_update.bin\", \"type\": \"application\", \"image_index\": \"0\", \"size\": 64, \"load_address\": 49664},"
    "{\"file\": \"net.bin\", \"image_index\": \"1\", \"slot\": 1, \"load_address\": \"0x10000\"}]}";

/* A zip of the members, up to the first without a name. */
static size_t zip(const struct member *m, uint8_t *out, size_t room)
{
    struct archive *a = archive_write_new();
    size_t used = 0;

    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_memory(a, out, room, &used), ARCHIVE_OK);
    for (; m->name; m++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_set_pathname(e, m->name);
        archive_entry_set_size(e, (la_int64_t)m->len);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
        assert_int_equal(archive_write_data(a, m->data, m->len), (la_ssize_t)m->len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
    return used;
}

static struct package *read_zip(struct fixture *x, const struct member *m, struct source **f)
{
    static uint8_t bytes[1 << 20];
    size_t len = zip(m, bytes, sizeof bytes);
    struct source *file = memfile(&x->s, "build/dfu_application.zip", bytes, len);

    if (f)
        *f = file;
    return dfu_package_read(&x->s, file);
}

static void test_manifest(void **state)
{
    static const uint8_t image[64] = { 0x3d, 0xb8, 0xf3, 0x96 };
    const struct member members[] = { { "manifest.json", manifest, sizeof manifest - 1 },
        { "app_update.bin", image, 64 }, { 0 } };
    struct package *z = read_zip(*state, members, NULL);

    assert_null(z->broken);
    const struct manifest_file *app = z->files, *net = app->next;
    assert_string_equal(app->file, "app_update.bin");
    assert_string_equal(app->type, "application");
    assert_true(app->has_index && app->image_index == 0 && !app->has_slot && app->present);
    assert_true(app->has_size && app->size == 64 && app->real_size == 64);
    assert_true(app->has_load_address && app->load_address == 49664);
    assert_true(net->image_index == 1 && net->slot == 1 && net->load_address == 0x10000 && !net->present);
    assert_null(net->next);
    assert_string_equal(z->images->rel, "build/dfu_application.zip:app_update.bin");
    assert_true(z->images->is_image && z->images->in_zip);
}

/* The manifest may come last, and names of members are names only: nothing is written anywhere. */
static void test_odd_members(void **state)
{
    static const char key[] = "-----BEGIN PRIVATE KEY-----\n";
    const struct member members[] = { { "../../../etc/evil.bin", "\x3d\xb8\xf3\x96", 4 }, { "/abs.bin", "x", 1 },
        { "keys/sign.pem", key, sizeof key - 1 }, { "readme.txt", "x", 1 }, { "a.hex", "junk", 4 },
        { "manifest.json", manifest, sizeof manifest - 1 }, { 0 } };
    struct package *z = read_zip(*state, members, NULL);

    assert_null(z->broken);
    assert_string_equal(z->private_key, "keys/sign.pem");
    assert_string_equal(z->images->rel, "build/dfu_application.zip:/abs.bin");
    assert_string_equal(z->images->next->rel, "build/dfu_application.zip:../../../etc/evil.bin");
    assert_null(z->images->next->next);
}

static void test_refused(void **state)
{
    static char nested[5000], large[300 << 10];
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "its manifest.json has no list of files" },
        { "{\"files\": 3}", "its manifest.json has no list of files" },
        { "{\"files\": [", "its manifest.json has no list of files" },
        { nested, "its manifest.json has no list of files" },
        { large, "its manifest.json has no list of files" },
        { "{\"files\": []}", "it has no manifest.json" },
        { "{\"files\": [3, null, [], {}]}", NULL },
    };

    memset(nested, '[', sizeof nested - 1);
    memset(large, ' ', sizeof large - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct member members[] = { { "manifest.json", rows[i].text, strlen(rows[i].text) }, { 0 } };
        struct source *f;
        struct package *z = read_zip(*state, members, &f);
        if (!z->broken != !rows[i].why || (z->broken && strcmp(z->broken, rows[i].why) != 0))
            fail_msg("row %zu: %s", i, z->broken);
        assert_ptr_equal(f->trouble, z->broken);
    }
}

static void test_no_zip(void **state)
{
    struct fixture *x = *state;
    const char *texts[] = { "", "PK", "PK\x03\x04 and then nothing that would make sense of it", "not a zip at all" };

    for (size_t i = 0; i < 4; i++) {
        struct source *f = memfile(&x->s, "dfu.zip", texts[i], strlen(texts[i]));
        struct package *z = dfu_package_read(&x->s, f);
        assert_non_null(z->broken);
        assert_ptr_equal(f->trouble, z->broken);
    }
}

/* 40 MiB of zeros are 40 KiB as a zip. */
static void test_bombs(void **state)
{
    struct fixture *x = *state;
    size_t len = 40u << 20;
    char *zeros = calloc(1, len);
    const struct member bomb[] = { { "a.bin", zeros, len }, { 0 } };
    const struct member many[] = { { "a.bin", zeros, 15u << 20 }, { "b.bin", zeros, 15u << 20 },
        { "c.bin", zeros, 15u << 20 }, { "manifest.json", manifest, sizeof manifest - 1 }, { 0 } };
    struct source *f;

    assert_string_equal(read_zip(x, bomb, &f)->broken, "it unpacks to more than any firmware");
    int whole = !read_zip(x, many, &f)->broken;
    for (int i = 1; i < 8; i++) {
        struct source *again = memfile(&x->s, f->rel, f->text, f->len);
        whole += !dfu_package_read(&x->s, again)->broken;
        if (i == 7)
            assert_non_null(strstr(again->trouble, "256 MiB"));
    }
    assert_int_equal(whole, 5); /* of 45 MiB */
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_manifest),
        READER_TEST(test_odd_members),
        READER_TEST(test_refused),
        READER_TEST(test_no_zip),
        READER_TEST(test_bombs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
