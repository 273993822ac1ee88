/* The folder with a board's chips: made, kept, locked; the list of weak cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/board/files.h"

enum { SIZE = 16384 };

struct rig {
    char dir[64];
    char text[512];
    struct sim_clock clock;
    struct sim_power power;
    struct nor nor[SIM_CHIPS];
    struct board_files files;
};

static int start(struct rig *r)
{
    struct nor_geometry in = nor_internal_nrf52840(SIZE), ex = nor_external_part(0x1F470C, SIZE);

    r->power = (struct sim_power) { .seed = 7 };
    int rc = board_files_open(&r->files, r->dir, SIZE, SIZE, r->text, sizeof r->text);
    if (rc != OK)
        return rc;
    assert_int_equal(nor_open(&r->nor[0], &in, &r->clock, &r->power, r->files.mem[0]), OK);
    assert_int_equal(nor_open(&r->nor[1], &ex, &r->clock, &r->power, r->files.mem[1]), OK);
    return board_files_attach(&r->files, &r->nor[0], &r->nor[1], r->text, sizeof r->text);
}

static void stop(struct rig *r)
{
    for (int i = 0; i < SIM_CHIPS; i++) {
        r->nor[i].weak_changed = NULL;
        nor_close(&r->nor[i]);
    }
    board_files_close(&r->files);
}

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);

    strcpy(r->dir, "/tmp/slipway-files-XXXXXX");
    *state = r;
    return mkdtemp(r->dir) && rmdir(r->dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct rig *r = (struct rig *)*state;
    static const char *const names[] = { "internal.bin", "external.bin", "weak.txt" };
    char path[128];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", r->dir, names[i]);
        unlink(path);
    }
    rmdir(r->dir);
    free(r);
    return 0;
}

static bool exists(struct rig *r, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    return access(path, F_OK) == 0;
}

static void write_file(struct rig *r, const char *name, const char *contents, size_t len)
{
    char path[128];

    mkdir(r->dir, 0777);
    snprintf(path, sizeof path, "%s/%s", r->dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fwrite(contents, 1, len, f);
    fclose(f);
}

static void erase(struct nor *n, uint32_t off)
{
    struct flash_dev d;

    nor_device(n, &d);
    if (d.ops->erase_start(n, off) == OK) {
        while (d.ops->poll(n) == ERR_BUSY)
            continue;
    }
}

static void test_made_erased_and_kept(void **state)
{
    struct rig *r = (struct rig *)*state;

    assert_int_equal(start(r), OK);
    for (uint32_t i = 0; i < SIZE; i++)
        assert_int_equal(r->files.mem[1][i], 0xFF);
    nor_load(&r->nor[1], 100, "kept", 4);
    stop(r);
    assert_int_equal(start(r), OK);
    assert_memory_equal(r->nor[1].mem + 100, "kept", 4);
    assert_false(exists(r, "weak.txt"));
    stop(r);
}

static void test_kill_loses_nothing(void **state)
{
    struct rig *r = (struct rig *)*state;
    pid_t child = fork();

    if (child == 0) {
        if (start(r) != OK)
            _exit(1);
        nor_load(&r->nor[0], 8, "here", 4);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(start(r), OK);
    assert_memory_equal(r->nor[0].mem + 8, "here", 4);
    stop(r);
}

static void test_one_process_at_a_time(void **state)
{
    struct rig *r = (struct rig *)*state;
    struct board_files second;

    assert_int_equal(start(r), OK);
    assert_int_equal(board_files_open(&second, r->dir, SIZE, SIZE, r->text, sizeof r->text), ERR_BUSY);
    assert_non_null(strstr(r->text, r->dir));
    stop(r);
}

static void test_a_file_of_another_size(void **state)
{
    struct rig *r = (struct rig *)*state;

    write_file(r, "external.bin", "short", 5);
    assert_int_equal(start(r), ERR_FORMAT);
    assert_non_null(strstr(r->text, "external.bin has 5 bytes"));
}

static void test_weak_cells_are_listed(void **state)
{
    struct rig *r = (struct rig *)*state;
    uint8_t unit[4096];

    memset(unit, 0x5A, sizeof unit);
    assert_int_equal(start(r), OK);
    nor_load(&r->nor[1], 4096, unit, sizeof unit);
    sim_power_cut_at(&r->power, 1, SIM_TEAR_WEAK);
    erase(&r->nor[1], 4096);
    assert_true(exists(r, "weak.txt"));
    stop(r);

    assert_int_equal(start(r), OK);
    assert_true(nor_is_weak(&r->nor[1], 4096, 4096));
    assert_false(nor_is_weak(&r->nor[1], 0, 4096));
    assert_int_equal(r->nor[1].weak->n, 3);
    assert_memory_equal(r->nor[1].weak->readings, unit, sizeof unit);
    erase(&r->nor[1], 4096);
    assert_false(exists(r, "weak.txt"));
    stop(r);
}

static void test_lists_that_are_none(void **state)
{
    static const char *const bad[] = {
        "weak\n",
        "weak middle 0x000000 4 2\n00000000\n11111111\n",
        "weak internal 0x000000 4 2\n00000000\n1111111\n",
        "weak internal 0x000000 4 2\n00000000\n",
        "weak internal 0x000000 4 2\n000000zz\n11111111\n",
        "weak internal 0x000000 8192 1\n",
        "weak internal 0x00fffe 4 2\n00000000\n11111111\n",
        "weak internal 0x000000 4 4000000000\n",
        "weak internal 0x000000 4 2\n00000000\n11111111\ngarbage\n",
    };
    struct rig *r = (struct rig *)*state;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_file(r, "weak.txt", bad[i], strlen(bad[i]));
        int rc = start(r);
        if (rc != ERR_FORMAT)
            fail_msg("case %zu: %d", i, rc);
        stop(r);
    }
    write_file(r, "weak.txt", "weak internal 0x000010 4 2\n00000000\n11111111\n", 45);
    assert_int_equal(start(r), OK);
    assert_true(nor_is_weak(&r->nor[0], 16, 4));
    stop(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_made_erased_and_kept),
        T(test_kill_loses_nothing),
        T(test_one_process_at_a_time),
        T(test_a_file_of_another_size),
        T(test_weak_cells_are_listed),
        T(test_lists_that_are_none),
    };
    return cmocka_run_group_tests_name("board_files", tests, NULL, NULL);
}
