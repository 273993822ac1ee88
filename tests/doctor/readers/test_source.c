/* The walk over a folder, and its files' lines. */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/doctor/readers/reader_test.h"

struct folder {
    struct pool pool;
    struct sources s;
    char dir[64];
};

static int folder_make(void **state)
{
    struct folder *x = calloc(1, sizeof *x);

    strcpy(x->dir, "/tmp/slipway-source-XXXXXX");
    assert_non_null(mkdtemp(x->dir));
    *state = x;
    return 0;
}

static int folder_drop(void **state)
{
    struct folder *x = *state;
    char command[128];

    snprintf(command, sizeof command, "rm -rf %s", x->dir);
    assert_int_equal(system(command), 0);
    pool_free(&x->pool);
    free(x);
    return 0;
}

static const char *path_of(const struct folder *x, const char *rel)
{
    static char path[512];

    snprintf(path, sizeof path, "%s/%s", x->dir, rel);
    return path;
}

static void put(const struct folder *x, const char *rel, const char *text)
{
    FILE *f = fopen(path_of(x, rel), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void scan(struct folder *x)
{
    const char *why = NULL;

    assert_true(sources_scan(&x->s, &x->pool, x->dir, &why));
}

static const char *why_skipped(const struct folder *x, const char *rel)
{
    for (const struct skipped *k = x->s.skipped; k; k = k->next) {
        if (strcmp(k->rel, rel) == 0)
            return k->why;
    }
    return NULL;
}

static void test_files_in_order(void **state)
{
    static const char *const want[] = { "a.conf", "b/c.conf", "z.conf" };
    struct folder *x = *state;
    size_t n = 0;

    mkdir(path_of(x, "b"), 0700);
    mkdir(path_of(x, ".git"), 0700);
    put(x, ".git/config", "x");
    put(x, "z.conf", "1\r\n22\n\n4");
    put(x, "b/c.conf", "");
    put(x, "a.conf", "x");
    scan(x);
    for (const struct source *f = x->s.first; f; f = f->next)
        assert_string_equal(f->rel, want[n++]);
    assert_int_equal(n, 3);
    assert_string_equal(source_find(&x->s, "b/c.conf")->base, "c.conf");
    assert_null(source_find(&x->s, "c.conf"));
    assert_true(source_below(source_find(&x->s, "b/c.conf"), "b"));
    assert_false(source_below(source_find(&x->s, "a.conf"), "b"));
}

static void test_lines(void **state)
{
    static const char *const want[] = { NULL, "1", "22", "", "4", NULL, NULL };
    static const unsigned order[] = { 1, 2, 3, 4, 5, 4, 2, 6, 1, 0, 3 };
    struct folder *x = *state;

    put(x, "z.conf", "1\r\n22\n\n4");
    scan(x);
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const char *line = source_line(&x->s, "z.conf", order[i]);
        if (!line != !want[order[i]] || (line && strcmp(line, want[order[i]]) != 0))
            fail_msg("line %u is %s", order[i], line);
    }
    assert_null(source_line(&x->s, "none", 1));
    assert_null(source_line(&x->s, NULL, 1));
}

static void test_loops_end(void **state)
{
    struct folder *x = *state;

    mkdir(path_of(x, "a"), 0700);
    put(x, "a/prj.conf", "x");
    assert_int_equal(symlink("..", path_of(x, "a/up")), 0);
    assert_int_equal(symlink(".", path_of(x, "self")), 0);
    assert_int_equal(symlink("y", path_of(x, "x")), 0);
    assert_int_equal(symlink("x", path_of(x, "y")), 0);
    assert_int_equal(symlink("nowhere", path_of(x, "gone")), 0);
    assert_int_equal(symlink("a/prj.conf", path_of(x, "link.conf")), 0);
    scan(x);
    assert_string_equal(why_skipped(x, "self"), "a link to a folder is not followed");
    assert_string_equal(why_skipped(x, "a/up"), "a link to a folder is not followed");
    assert_int_equal(x->s.folders, 2);
    assert_non_null(strstr(source_find(&x->s, "x")->trouble, "a link that leads nowhere"));
    assert_non_null(strstr(source_find(&x->s, "gone")->trouble, "a link that leads nowhere"));
    assert_string_equal(source_text(&x->s, source_find(&x->s, "link.conf")), "x");
}

static void test_pipes_and_devices_are_not_opened(void **state)
{
    struct folder *x = *state;

    assert_int_equal(mkfifo(path_of(x, "prj.conf"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", path_of(x, "app.overlay")), 0);
    scan(x);
    struct source *pipe = source_find(&x->s, "prj.conf"), *device = source_find(&x->s, "app.overlay");
    assert_null(source_config(&x->s, pipe)); /* would wait for a writer for ever */
    assert_string_equal(pipe->trouble, "a named pipe, not a file");
    assert_true(pipe->decides);
    assert_null(source_text(&x->s, device));
    assert_string_equal(device->trouble, "a device, not a file");
}

static void test_depth(void **state)
{
    struct folder *x = *state;
    char rel[256] = "d";

    for (int i = 0; i < 30; i++) {
        assert_int_equal(mkdir(path_of(x, rel), 0700), 0);
        strcat(rel, "/d");
    }
    scan(x);
    assert_int_equal(x->s.folders, SOURCE_MAX_DEPTH + 1);
    assert_string_equal(x->s.skipped->why, "deeper than 16 folders");
    assert_null(x->s.skipped->next);
}

static void test_large_file(void **state)
{
    struct folder *x = *state;

    put(x, "prj.conf", "");
    assert_int_equal(truncate(path_of(x, "prj.conf"), 100 << 20), 0);
    scan(x);
    struct source *f = source_find(&x->s, "prj.conf");
    assert_null(source_text(&x->s, f));
    assert_string_equal(f->trouble, "104857600 bytes are more than the doctor reads (16 MiB a file, 256 MiB in all)");
    assert_int_equal(x->s.total_read, 0);
}

/* As root everything can be read; then only the walk without rights is seen by nobody. */
static void test_unreadable(void **state)
{
    struct folder *x = *state;

    if (geteuid() == 0 && (setegid(65534) != 0 || seteuid(65534) != 0))
        return;
    struct folder own = { .dir = "/tmp/slipway-source-XXXXXX" };
    assert_non_null(mkdtemp(own.dir));
    put(&own, "prj.conf", "x");
    mkdir(path_of(&own, "sub"), 0);
    chmod(path_of(&own, "prj.conf"), 0);
    scan(&own);
    struct source *f = source_find(&own.s, "prj.conf");
    assert_null(source_text(&own.s, f));
    assert_string_equal(f->trouble, "Permission denied");
    assert_string_equal(why_skipped(&own, "sub"), "Permission denied");
    rmdir(path_of(&own, "sub"));
    unlink(path_of(&own, "prj.conf"));
    rmdir(own.dir);
    pool_free(&own.pool);
    if (getuid() == 0)
        assert_int_equal(seteuid(0) + setegid(0), 0);
    (void)x;
}

static void test_no_folder(void **state)
{
    struct folder *x = *state;
    const char *why = NULL;

    assert_false(sources_scan(&x->s, &x->pool, path_of(x, "none"), &why));
    assert_non_null(strstr(why, "none: No such file or directory"));
    put(x, "file", "");
    assert_false(sources_scan(&x->s, &x->pool, path_of(x, "file"), &why));
    assert_non_null(strstr(why, "file is not a folder"));
    char slashes[80];
    snprintf(slashes, sizeof slashes, "%s///", x->dir);
    assert_true(sources_scan(&x->s, &x->pool, slashes, &why));
    assert_string_equal(x->s.dir, x->dir);
}

static void test_total_is_bounded(void **state)
{
    struct folder *x = *state;

    put(x, "a.zip", "x");
    scan(x);
    struct source *f = source_find(&x->s, "a.zip");
    assert_true(source_charge(&x->s, f, SOURCE_MAX_TOTAL - 1));
    assert_null(f->trouble);
    assert_false(source_charge(&x->s, f, 2));
    assert_non_null(strstr(f->trouble, "256 MiB"));
    assert_true(source_charge(&x->s, f, 1));
}

#define FOLDER_TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_files_in_order),
        FOLDER_TEST(test_lines),
        FOLDER_TEST(test_loops_end),
        FOLDER_TEST(test_pipes_and_devices_are_not_opened),
        FOLDER_TEST(test_depth),
        FOLDER_TEST(test_large_file),
        FOLDER_TEST(test_unreadable),
        FOLDER_TEST(test_no_folder),
        FOLDER_TEST(test_total_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
