/* What every test of a reader starts with: cmocka, and a project of files in memory. */
#ifndef TESTS_DOCTOR_READERS_READER_TEST_H
#define TESTS_DOCTOR_READERS_READER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/memfile.h"

struct fixture {
    struct pool pool;
    struct sources s;
};

static inline int fixture_make(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);

    memfiles_init(&x->s, &x->pool);
    *state = x;
    return 0;
}

static inline int fixture_drop(void **state)
{
    struct fixture *x = *state;

    pool_free(&x->pool);
    free(x);
    return 0;
}

#define READER_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_make, fixture_drop)

static inline void assert_place(const struct place *at, const char *file, unsigned line, unsigned column)
{
    assert_string_equal(at->file, file);
    assert_int_equal(at->line, line);
    assert_int_equal(at->column, column);
}

#endif
