/* Kconfig fragments, .config, sysbuild.conf and Kconfig.sysbuild. */
#include "host/doctor/conf.h"
#include "host/doctor/kconfig.h"
#include "tests/doctor/readers/reader_test.h"

static struct conf read_text(struct fixture *x, const char *text, const char *prefix)
{
    struct conf c;

    conf_init(&c, &x->pool);
    conf_read(&c, &x->s, memfile(&x->s, "prj.conf", text, strlen(text)), prefix);
    return c;
}

static void test_assignments(void **state)
{
    static const struct {
        const char *line, *name, *value; /* NULL: no assignment */
        unsigned column;
    } rows[] = {
        { "CONFIG_A=y", "A", "y", 1 },
        { "  CONFIG_A=n", "A", "n", 3 },
        { "\tCONFIG_A = 0x10\r", "A", "0x10", 2 },
        { "CONFIG_A=12 # dozen", "A", "12", 1 },
        { "CONFIG_A=\"b c\"", "A", "b c", 1 },
        { "CONFIG_A=\"b#c\" # d", "A", "b#c", 1 },
        { "CONFIG_A=\"say \\\"b\\\"\"", "A", "say \"b\"", 1 },
        { "CONFIG_A=\"\"", "A", "", 1 },
        { "CONFIG_A=", "A", "", 1 },
        { "CONFIG_A=\"open", "A", "open", 1 },
        { "# CONFIG_A is not set", "A", "n", 3 },
        { "#CONFIG_A is not set", "A", "n", 2 },
        { "# CONFIG_A=y", "A", NULL, 0 },
        { "CONFIG_A", "A", NULL, 0 },
        { "CONFIG_=y", "", NULL, 0 },
        { "SB_CONFIG_A=y", "A", NULL, 0 },
        { "mcuboot_CONFIG_A=y", "A", NULL, 0 },
        { "CONFIG_A!=y", "A", NULL, 0 },
        { "\xEF\xBB\xBF"
          "CONFIG_A=y",
            "A", "y", 1 },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct conf c = read_text(x, rows[i].line, "CONFIG_");
        const struct conf_item *item = conf_item(&c, rows[i].name);
        if (!rows[i].value != !item || (item && strcmp(item->value, rows[i].value) != 0))
            fail_msg("row %zu: %s gives %s", i, rows[i].line, item ? item->value : "nothing");
        if (item)
            assert_place(&item->at, "prj.conf", 1, rows[i].column);
    }
}

static void test_last_one_counts_and_keeps_its_place(void **state)
{
    struct conf c = read_text(*state, "CONFIG_A=1\n\n# CONFIG_A is not set\nCONFIG_B=2\n  CONFIG_A=3\n", "CONFIG_");

    assert_string_equal(conf_value(&c, "A"), "3");
    assert_place(&conf_item(&c, "A")->at, "prj.conf", 5, 3);
    assert_place(&c.first->at, "prj.conf", 1, 1);
    assert_place(&c.first->next->at, "prj.conf", 3, 3);
    assert_null(conf_value(&c, "C"));
}

static void test_sysbuild_prefix(void **state)
{
    struct conf c = read_text(*state, "SB_CONFIG_BOOTLOADER_MCUBOOT=y\nCONFIG_A=y\n", "SB_CONFIG_");

    assert_true(conf_is(&c, "BOOTLOADER_MCUBOOT", "y"));
    assert_null(conf_item(&c, "A"));
}

static void test_kconfig_defaults(void **state)
{
    static const char text[] = "# a comment\n"
                               "config BOOTLOADER\n"
                               "\tbool \"Bootloader\"\n"
                               "\tdefault y if SOC_NRF52840\n"
                               "\tdefault n\n"
                               "\thelp\n"
                               "\t  What is the\n"
                               "\t  default is up to you.\n"
                               "\n"
                               "menuconfig KEY\n"
                               "\thelp\n"
                               "\t  default wrong\n"
                               "\tdefault \"sign.pem\"\n"
                               "config LATER\n"
                               "\tstring\n"
                               "choice MODE\n"
                               "\tdefault SWAP\n"
                               "endchoice\n"
                               "if X\n"
                               "\tdefault 3\n"
                               "endif\n"
                               "source \"share/sysbuild/Kconfig\"\n";
    struct fixture *x = *state;
    struct conf c;

    conf_init(&c, &x->pool);
    kconfig_read(&c, &x->s, memfile(&x->s, "Kconfig.sysbuild", text, sizeof text - 1), NULL);
    assert_string_equal(conf_value(&c, "BOOTLOADER"), "y");
    assert_place(&conf_item(&c, "BOOTLOADER")->at, "Kconfig.sysbuild", 4, 2);
    assert_string_equal(conf_value(&c, "KEY"), "sign.pem");
    assert_place(&conf_item(&c, "KEY")->at, "Kconfig.sysbuild", 13, 2);
    assert_null(conf_item(&c, "LATER"));
    assert_true(conf_is(&c, "SWAP", "y")); /* the choice's member */
    assert_true(conf_item(&c, "KEY")->weak);
    conf_add(&c, "KEY", "other.pem", (struct place) { "sysbuild.conf", 1, 1 }, false);
    conf_add(&c, "KEY", "weak.pem", (struct place) { "Kconfig", 1, 1 }, true);
    assert_string_equal(conf_value(&c, "KEY"), "other.pem");
}

/* Conditions by what is known: false leaves the default out, unknown does not. */
static void test_kconfig_conditions(void **state)
{
    static const struct {
        const char *condition;
        bool taken;
    } rows[] = {
        { "SOC_NRF52840", true },
        { "SOC_NRF5340", false },
        { "!SOC_NRF5340", true },
        { "BOARD_ACME", true },
        { "BOARD_OTHER", false },
        { "SOC_NRF52840 && BOARD_OTHER", false },
        { "SOC_NRF5340 || BOARD_ACME", true },
        { "UNKNOWN", true },
        { "!UNKNOWN", true },
        { "(SOC_NRF5340 && UNKNOWN) || n", false },
        { "UNKNOWN = \"x\"", true },
        { "y", true },
        { "n", false },
        { "&&", true },
    };
    const struct kconfig_facts facts = { .board = "acme_nrf52840", .soc = soc_in("nrf52840") };
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[200];
        struct conf c;
        conf_init(&c, &x->pool);
        snprintf(text, sizeof text, "config A\n\tdefault y if %s\n", rows[i].condition);
        kconfig_read(&c, &x->s, memfile(&x->s, "Kconfig.sysbuild", text, strlen(text)), &facts);
        if (!conf_item(&c, "A") != !rows[i].taken)
            fail_msg("if %s: %s", rows[i].condition, conf_item(&c, "A") ? "taken" : "left out");
    }
}

/* Half a megabyte of '!', '(' or comparisons is no reason to use up the stack. */
static void test_kconfig_nesting(void **state)
{
    static const char *const parts[] = { "!", "(", "A=", "A&&", "!(" };
    static char text[500000];
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct conf c;
        conf_init(&c, &x->pool);
        char *p = text + sprintf(text, "config A\n\tdefault y if ");
        while (p < text + sizeof text - 8)
            p += sprintf(p, "%s", parts[i]);
        kconfig_read(&c, &x->s, memfile(&x->s, "Kconfig.sysbuild", text, strlen(text)), NULL);
        assert_true(conf_is(&c, "A", "y"));
    }
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "256", true, 256 },
        { "0x1000", true, 4096 },
        { "0XfF", true, 255 },
        { "010", true, 10 },
        { "12 \r", true, 12 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "", false, 0 },
        { "y", false, 0 },
        { "-1", false, 0 },
        { "12k", false, 0 },
        { NULL, false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t v = 0;
        bool ok = conf_number(rows[i].text, &v);
        if (ok != rows[i].ok || (ok && v != rows[i].value))
            fail_msg("row %zu", i);
    }
}

static void test_what_is_no_configuration_is_said(void **state)
{
    static char large[SOURCE_MAX_TEXT + 2];
    struct fixture *x = *state;
    struct conf c;

    conf_init(&c, &x->pool);
    struct source *f = memfile(&x->s, "a.conf", "CONFIG_A=y\0", 11);
    conf_read(&c, &x->s, f, "CONFIG_");
    assert_false(c.any);
    assert_string_equal(f->trouble, "binary data where configuration text was expected");
    assert_true(f->decides);

    memset(large, '\n', sizeof large - 1);
    f = memfile(&x->s, "b.conf", large, sizeof large - 1);
    conf_read(&c, &x->s, f, "CONFIG_");
    assert_string_equal(f->trouble, "1048577 bytes are more than any configuration has");

    f = memfile(&x->s, "c.conf", "CONFIG_A=y\nCONFIG_B=\"\xff\"\nCONFIG_C=y\n", 35);
    conf_read(&c, &x->s, f, "CONFIG_");
    assert_string_equal(f->trouble, "line 2 is not UTF-8 text");
    assert_true(conf_is(&c, "C", "y")); /* read all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_assignments),
        READER_TEST(test_last_one_counts_and_keeps_its_place),
        READER_TEST(test_sysbuild_prefix),
        READER_TEST(test_kconfig_defaults),
        READER_TEST(test_kconfig_conditions),
        READER_TEST(test_kconfig_nesting),
        READER_TEST(test_numbers),
        READER_TEST(test_what_is_no_configuration_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
