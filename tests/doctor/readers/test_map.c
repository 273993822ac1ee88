/* pm_static.yml, partitions.yml and pm.config. */
#include "host/doctor/partitions.h"
#include "tests/doctor/readers/reader_test.h"

static bool read_yaml(struct fixture *x, const char *text, struct map *map, struct source **f)
{
    map_init(map);
    *f = memfile(&x->s, "pm_static.yml", text, strlen(text));
    return map_read_yaml(map, &x->s, *f);
}

static void test_partitions_with_places(void **state)
{
    static const char text[] =
        "# fixed\n"
        "mcuboot_primary:\n"
        "  address: 0xc000\n"
        "  size: 0xe2000\n"
        "  orig_span: &id001\n"
        "  - app\n"
        "  span: *id001\n"
        "app:\n"
        "  address: 49664\n"
        "  end_address: 0xee000\n"
        "  placement:\n"
        "    align: {start: 0x1000}\n"
        "    size: 7\n"
        "mcuboot_secondary: {address: 0x0, size: -4096, region: external_flash, device: MX25R64}\n"
        "pad:\n"
        "  span: [mcuboot_pad, app]\n";
    struct map map;
    struct source *f;
    uint64_t size;

    assert_true(read_yaml(*state, text, &map, &f));
    assert_null(f->trouble);
    assert_int_equal(map.count, 4);
    const struct partition *p = map_find(&map, "mcuboot_primary");
    assert_place(&p->at, "pm_static.yml", 2, 1);
    assert_place(&p->at_address, "pm_static.yml", 3, 12);
    assert_place(&p->at_size, "pm_static.yml", 4, 9);
    assert_int_equal(p->address, 0xc000);
    assert_true(partition_size(p, &size) && size == 0xe2000);
    assert_true(p->container && partition_in(p, "flash_primary"));
    p = map_find(&map, "app");
    assert_true(partition_size(p, &size));
    assert_int_equal(size, 0xee000 - 49664); /* not 7, which is a size of its placement */
    assert_true(p->aligned && !p->container);
    p = map_find(&map, "mcuboot_secondary");
    assert_place(&p->at_size, "pm_static.yml", 14, 41);
    assert_true(p->negative && p->signed_size == -4096 && !partition_size(p, &size));
    assert_true(partition_in(p, "external_flash"));
    assert_string_equal(p->device, "MX25R64");
    p = map_find(&map, "pad");
    assert_int_equal(p->spans, 2);
    assert_string_equal(p->span[1], "app");
    assert_null(map_find(&map, "size"));
}

static void test_odd_forms(void **state)
{
    struct map map;
    struct source *f;

    assert_true(read_yaml(*state, "", &map, &f));
    assert_int_equal(map.count, 0);
    assert_true(read_yaml(*state, "- a\n- {address: 1}\n", &map, &f)); /* a list has no names */
    assert_int_equal(map.count, 0);
    assert_true(read_yaml(*state, "a: 3\nb: [1, 2]\nc:\n", &map, &f));
    assert_int_equal(map.count, 3);
    assert_true(read_yaml(*state, "a: {address: soon, size: 0x99999999999999999}\n", &map, &f));
    assert_false(map.first->has_address || map.first->has_size);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "a: {b: [1, 2\n", "not valid YAML: line 2: did not find expected ',' or ']'" },
        { "a:\n\t- b\n", "not valid YAML: line 2: found character that cannot start any token" },
        { "a: \"open\n", "not valid YAML: line 2: found unexpected end of stream" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "more entries or levels than a partition map can have" },
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct map map;
        struct source *f;
        assert_false(read_yaml(*state, rows[i].text, &map, &f));
        assert_string_equal(f->trouble, rows[i].why);
        assert_true(f->decides);
    }
}

/* Nine aliases of nine aliases ...: what is not followed does not grow. */
static void test_billion_laughs(void **state)
{
    char text[2048], *p = text;
    struct map map;
    struct source *f;

    p += sprintf(p, "a: &a [lol, lol, lol]\n");
    for (char c = 'b'; c < 'm'; c++)
        p += sprintf(p, "%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c - 1, c - 1, c - 1, c - 1,
            c - 1, c - 1, c - 1, c - 1, c - 1);
    assert_true(read_yaml(*state, text, &map, &f));
    assert_int_equal(map.count, 12);
}

static void test_too_many(void **state)
{
    char *text = malloc(100000), *p = text;
    struct map map;
    struct source *f;

    for (int i = 0; i < 2000; i++)
        p += sprintf(p, "p%d: {address: %d, size: 1}\n", i, i);
    assert_false(read_yaml(*state, text, &map, &f));
    assert_true(map.count <= 512);
    free(text);
}

static void test_pm_config(void **state)
{
    static const char text[] = "PM_MCUBOOT_PRIMARY_ADDRESS=0xc000\n"
                               "PM_MCUBOOT_PRIMARY_END_ADDRESS=0x85000\n"
                               "PM_MCUBOOT_SECONDARY_SIZE=0x79000\n"
                               "PM_MCUBOOT_SECONDARY_ADDRESS=0x0\n"
                               "PM_MCUBOOT_SECONDARY_DEV_NAME=\"nordic_ext_flash\"\n"
                               "PM_MCUBOOT_SECONDARY_ID=2\n";
    struct fixture *x = *state;
    struct map map;
    uint64_t size;

    map_init(&map);
    assert_true(map_read_config(&map, &x->s, memfile(&x->s, "build/pm.config", text, sizeof text - 1)));
    assert_int_equal(map.count, 2);
    const struct partition *p = map_find(&map, "mcuboot_primary");
    assert_true(partition_size(p, &size) && size == 0x79000);
    assert_place(&p->at_address, "build/pm.config", 1, 1);
    p = map_find(&map, "mcuboot_secondary");
    assert_place(&p->at_size, "build/pm.config", 3, 1);
    assert_true(partition_in(p, "external_flash"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_partitions_with_places),
        READER_TEST(test_odd_forms),
        READER_TEST(test_refused),
        READER_TEST(test_billion_laughs),
        READER_TEST(test_too_many),
        READER_TEST(test_pm_config),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
