/* What CMake files, presets and caches set, and what they only ask for. */
#include "host/doctor/cmake.h"
#include "tests/doctor/readers/reader_test.h"

static void test_lines(void **state)
{
    static const struct {
        const char *file, *line, *value; /* of SB_CONFIG_X; NULL: it is not set */
        unsigned column;
    } rows[] = {
        { "CMakeLists.txt", "set(SB_CONFIG_X y)", "y", 5 },
        { "CMakeLists.txt", "  SET ( SB_CONFIG_X \"a.pem\" CACHE STRING \"\" FORCE)", "a.pem", 9 },
        { "CMakeLists.txt", "set(args -DSB_CONFIG_X=n -DOTHER=1)", "n", 12 },
        { "CMakeLists.txt", "list(APPEND args \"-DSB_CONFIG_X=\\\"k.pem\\\"\")", "k.pem", 21 },
        { "a.cmake", "set(SB_CONFIG_X y) # SB_CONFIG_X=n", "y", 5 },
        { "CMakePresets.json", "  \"SB_CONFIG_X\": \"y\",", "y", 4 },
        { "CMakeUserPresets.json", "{\"SB_CONFIG_X\":\"0x10\"}", "0x10", 3 },
        { "CMakeCache.txt", "SB_CONFIG_X:UNINITIALIZED=y", "y", 1 },
        { "CMakeCache.txt", "SB_CONFIG_X:STRING=a b", "a", 1 },
        { "CMakeLists.txt", "if(SB_CONFIG_X AND Y)", NULL, 0 },
        { "CMakeLists.txt", "if(SB_CONFIG_X)", NULL, 0 },
        { "CMakeLists.txt", "if(NOT SB_CONFIG_X STREQUAL \"y\")", NULL, 0 },
        { "CMakeLists.txt", "if(\"${SB_CONFIG_X}\" STREQUAL \"\")", NULL, 0 },
        { "CMakeLists.txt", "message(\"${SB_CONFIG_X}=y\")", NULL, 0 },
        { "CMakeLists.txt", "# set(SB_CONFIG_X y)", NULL, 0 },
        { "CMakeLists.txt", "unset(SB_CONFIG_X)", NULL, 0 },
        { "CMakeLists.txt", "reset(SB_CONFIG_X y)", NULL, 0 },
        { "CMakeLists.txt", "set(SB_CONFIG_X ${Y})", NULL, 0 },
        { "CMakeLists.txt", "set(MY_SB_CONFIG_X y)", NULL, 0 },
        { "CMakeLists.txt", "set(SB_CONFIG_ y)", NULL, 0 },
        { "CMakeCache.txt", "//SB_CONFIG_X:", NULL, 0 },
        { "CMakePresets.json", "\"SB_CONFIG_X\"", NULL, 0 },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        struct conf c;
        int n = snprintf(text, sizeof text, "\n%s\n", rows[i].line);
        conf_init(&c, &x->pool);
        struct source *f = memfile(&x->s, rows[i].file, text, (size_t)n);
        assert_true(cmake_is(f));
        cmake_read(&c, &x->s, f, "SB_CONFIG_");
        const struct conf_item *item = conf_item(&c, "X");
        if (!item != !rows[i].value || (item && strcmp(item->value, rows[i].value) != 0))
            fail_msg("%s: %s gives %s", rows[i].file, rows[i].line, item ? item->value : "nothing");
        if (item)
            assert_place(&item->at, rows[i].file, 2, rows[i].column);
    }
}

static void test_several_in_a_line(void **state)
{
    static const char text[] = "west build -- -Dmcuboot_CONFIG_A=1 -Dmcuboot_CONFIG_B=2 -DCONFIG_A=3\n";
    struct fixture *x = *state;
    struct conf boot, app;

    conf_init(&boot, &x->pool);
    conf_init(&app, &x->pool);
    struct source *f = memfile(&x->s, "build.cmake", text, sizeof text - 1);
    cmake_read(&boot, &x->s, f, "mcuboot_CONFIG_");
    cmake_read(&app, &x->s, f, "CONFIG_");
    assert_string_equal(conf_value(&boot, "A"), "1");
    assert_string_equal(conf_value(&boot, "B"), "2");
    assert_string_equal(conf_value(&app, "A"), "3");
    assert_null(conf_value(&app, "B")); /* it is another image's */
}

static void test_other_files(void **state)
{
    struct fixture *x = *state;

    assert_false(cmake_is(memfile(&x->s, "prj.conf", "", 0)));
    assert_false(cmake_is(memfile(&x->s, "src/CMakeLists.txt.bak", "", 0)));
    assert_true(cmake_is(memfile(&x->s, "sysbuild.cmake", "", 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_lines),
        READER_TEST(test_several_in_a_line),
        READER_TEST(test_other_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
