/* The layout reader: boards that are right, and one row for each way in which they can be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/layout/load.h"

#define AT25   TEST_ROOT "/boards/at25xe321d_nrf52840/board.dts"
#define DK     TEST_ROOT "/boards/nrf52840dk/board.dts"
#define CUSTOM TEST_ROOT "/tests/vectors/boards/custom_no_scratch.dts"

enum { KIB = 1024, ANY_LINE = 0xFFFFFF };

static struct layout_report report;
static struct layout layout;

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

/* Loads text through a file of its own. */
static int load_text(const char *text, size_t len)
{
    char path[] = "/tmp/slipway-layout-XXXXXX.dts";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    close(fd);
    int rc = layout_load(path, &layout, &report);
    unlink(path);
    return rc;
}

static void expect_part(const struct layout_part *p, uint32_t off, uint32_t size)
{
    assert_int_equal(p->off, off);
    assert_int_equal(p->size, size);
}

static void test_at25(void **state)
{
    (void)state;
    assert_int_equal(layout_load(AT25, &layout, &report), OK);
    assert_string_equal(layout.board, "at25xe321d_nrf52840");
    assert_int_equal(layout.internal_size, 1024 * KIB);
    assert_int_equal(layout.internal_erase, 4096);
    assert_int_equal(layout.external_size, 4096 * KIB);
    assert_int_equal(layout.external_jedec, 0x1F470C);
    expect_part(&layout.boot, 0, 48 * KIB);
    expect_part(&layout.slot0, 0xC000, 904 * KIB);
    expect_part(&layout.slot1, 0, 1024 * KIB);
    expect_part(&layout.state, 0xEE000, 16 * KIB);
    assert_int_equal(layout.hash, 0x5FC4A507); /* as computed apart from this code in unit_layout */
    assert_int_equal(layout_room_best(&layout).max_image, 900 * KIB);
    assert_int_equal(layout_room_best(&layout).gap, 2);
    assert_int_equal(report.problem_count, 0);
}

static void test_dk(void **state)
{
    (void)state;
    assert_int_equal(layout_load(DK, &layout, &report), OK);
    assert_string_equal(layout.board, "nrf52840dk");
    assert_int_equal(layout.external_size, 8192 * KIB);
    assert_int_equal(layout.external_jedec, 0xC22817);
    assert_int_equal(layout_room_gap(&layout, 2).max_image, 892 * KIB);
    assert_int_equal(layout_room_gap(&layout, 1).max_image, 896 * KIB);
    assert_int_equal(report.warnings, 0);
}

static void test_own_board_without_scratch(void **state)
{
    (void)state;
    assert_int_equal(layout_load(CUSTOM, &layout, &report), OK);
    assert_string_equal(layout.board, "custom_no_scratch");
    assert_int_equal(layout.internal_size, 1024 * KIB);
    assert_int_equal(layout.external_size, 8192 * KIB);
    expect_part(&layout.slot0, 0x10000, 800 * KIB);
    expect_part(&layout.state, 0xC000, 16 * KIB);
    assert_int_equal(layout_room_best(&layout).max_image, 796 * KIB);
    assert_int_equal(report.warnings, 0);
}

/* By name: from the folder of the program upwards; then the folders of SLIPWAY_BOARDS. */
static void test_names(void **state)
{
    char path[LAYOUT_PATH_MAX];

    (void)state;
    assert_int_equal(layout_load("nrf52840dk", &layout, &report), OK);
    assert_int_equal(layout_load(TEST_ROOT "/boards/nrf52840dk", &layout, &report), OK);
    assert_string_equal(layout.board, "nrf52840dk");
    assert_int_equal(layout_load("no_such_board", &layout, &report), ERR_NOENT);
    assert_string_equal(report.problem[0].id, "no_board");
    assert_int_equal(layout_load("", &layout, &report), ERR_NOENT);
    assert_int_equal(layout_find("../boards/nrf52840dk", path, sizeof path), ERR_NOENT);

    char dir[] = "/tmp/slipway-boards-XXXXXX", cmd[256];
    assert_non_null(mkdtemp(dir));
    snprintf(cmd, sizeof cmd, "mkdir %s/mine && cp " DK " %s/mine/board.dts", dir, dir);
    assert_int_equal(system(cmd), 0);
    assert_int_equal(layout_find("mine", path, sizeof path), ERR_NOENT);
    snprintf(cmd, sizeof cmd, "/nowhere::%s", dir);
    setenv("SLIPWAY_BOARDS", cmd, 1);
    assert_int_equal(layout_load("mine", &layout, &report), OK);
    assert_string_equal(layout.board, "mine");
    unsetenv("SLIPWAY_BOARDS");
    snprintf(cmd, sizeof cmd, "rm -r %s", dir);
    assert_int_equal(system(cmd), 0);
}

static const char PARTITION_AT_9C000[] =
    "slot1_partition: partition@9c000 { label = \"image-1\"; reg = <0x9c000 0x52000>; };\n";

struct mistake {
    const char *name;
    const char *file;
    const char *find; /* replaced once; */
    const char *replace;
    const char *find2; /* and this one, or NULL */
    const char *replace2;
    enum layout_severity severity;
    const char *id;
    const char *at; /* text of the line that the problem names; NULL: the file as a whole */
    const char *say; /* in what, why or fix */
};

static const struct mistake mistakes[] = {
    { "overlap", AT25, "<0x0000c000 0x000e2000>", "<0x0000c000 0x000e3000>", NULL, NULL, LAYOUT_ERROR, "overlap",
        "reg = <0x000ee000", "reg = <0xc000 0xe2000>" },
    { "overlap at the same start", AT25, "partition@c000 {", "image@0 {", "<0x0000c000 0x000e2000>",
        "<0x0 0xee000>", LAYOUT_ERROR, "overlap", "reg = <0x0 0xee000>", "0xc000 bytes" },
    { "unit address", AT25, "partition@c000 {", "partition@d000 {", NULL, NULL, LAYOUT_ERROR, "unit_address",
        "reg = <0x0000c000", "partition@c000" },
    { "unit address is no number", AT25, "partition@c000 {", "partition@slot {", NULL, NULL, LAYOUT_ERROR,
        "unit_address", "reg = <0x0000c000", "partition@c000" },
    { "no unit address", AT25, "partition@c000 {", "image {", NULL, NULL, LAYOUT_WARNING, "unit_address",
        "reg = <0x0000c000", "partition@c000" },
    { "end of the internal chip", AT25, "<0x000f8000 0x00008000>", "<0x000f8000 0x00009000>", NULL, NULL,
        LAYOUT_ERROR, "chip_end", "reg = <0x000f8000", "reg = <0xf8000 0x8000>" },
    { "end of the external chip", AT25, "0x00300000", "0x00301000", NULL, NULL, LAYOUT_ERROR, "chip_end",
        "reg = <0x00100000 0x00301000>", "0x401000" },
    { "end beyond 32 bits", AT25, "0x00300000", "0xfffff000", NULL, NULL, LAYOUT_ERROR, "chip_end",
        "reg = <0x00100000 0xfffff000>", "0x1000ff000" },
    { "starts behind the chip", AT25, "partition@100000", "partition@500000", "<0x00100000 ", "<0x00500000 ",
        LAYOUT_ERROR, "chip_end", "reg = <0x00500000", "below 0x400000" },
    { "size not aligned", AT25, "0x000e2000>; /* 904", "0x000e1200>; /* 904", NULL, NULL, LAYOUT_ERROR,
        "alignment", "reg = <0x0000c000", "0xe1000" },
    { "offset not aligned", AT25, "partition@c000", "partition@c200", "<0x0000c000 0x000e2000>",
        "<0xc200 0xe1000>", LAYOUT_ERROR, "alignment", "reg = <0xc200", "0xc000" },
    { "size 0", AT25, "0x00300000", "0", NULL, NULL, LAYOUT_ERROR, "empty", "<0x00100000 0>", "size 0" },
    { "no reg", AT25, "reg = <0x0000c000 0x000e2000>;", "", NULL, NULL, LAYOUT_ERROR, "reg_missing",
        "slot0_partition:", "no reg" },
    { "reg with a macro", AT25, "0x000e2000>; /* 904", "SLOT_SIZE>; /* 904", NULL, NULL, LAYOUT_ERROR, "reg",
        "reg = <0x0000c000", "macro" },
    { "reg with one cell", AT25, "<0x0000c000 0x000e2000>", "<0xc000>", NULL, NULL, LAYOUT_ERROR, "reg",
        "reg = <0xc000>", "OFFSET SIZE" },
    { "boot missing", AT25, "boot_partition: partition@0 {\n\t\t\t\t\t\tlabel = \"mcuboot\";",
        "other: partition@0 {\n", NULL, NULL, LAYOUT_ERROR, "missing", "flash0:", "boot_partition" },
    { "slot 0 missing", AT25, "slot0_partition: ", "", "label = \"image-0\";", "", LAYOUT_ERROR, "missing",
        "flash0:", "slot0_partition" },
    { "slot 1 missing", AT25, "slot1_partition: ", "", "label = \"image-1\";", "", LAYOUT_ERROR, "missing",
        "at25xe321d:", "slot1_partition" },
    { "slot 1 still in internal flash", AT25, "slot1_partition: partition@0", "ext: partition@0",
        "/* Its first", PARTITION_AT_9C000, LAYOUT_ERROR, "slot1_internal", "reg = <0x9c000", "/delete-node/" },
    { "slot 0 on the external chip", AT25, "slot0_partition: ", "", "store_partition: ", "slot0_partition: ",
        LAYOUT_ERROR, "wrong_chip", "reg = <0x00100000", "&flash0" },
    { "two with one label", AT25, "slot1_partition: ", "", "label = \"store\"", "label  = \"image-1\"",
        LAYOUT_ERROR, "label_twice", "label  = ", "slot1_partition" },
    { "no external chip", AT25, "nordic,qspi-nor", "nordic,something", "jedec-id", "jedec", LAYOUT_ERROR,
        "no_external_flash", NULL, "nordic,qspi-nor" },
    { "external chip disabled", AT25, "jedec-id", "status = \"disabled\"; jedec-id", NULL, NULL, LAYOUT_ERROR,
        "no_external_flash", NULL, "okay" },
    { "QSPI disabled", AT25, "#size-cells = <0>;\n\t\t\tstatus = \"okay\"",
        "#size-cells = <0>;\n\t\t\tstatus = \"disabled\"", NULL, NULL, LAYOUT_ERROR, "no_external_flash", NULL, "okay" },
    { "no internal chip", AT25, "flash0: ", "", "\"soc-nv-flash\"", "\"other\"", LAYOUT_ERROR,
        "no_internal_flash", NULL, "zephyr.dts" },
    { "size in bytes", AT25, "<33554432>", "<4194304>", NULL, NULL, LAYOUT_ERROR, "size_in_bytes",
        "size = <4194304>", "size = <33554432>" },
    { "size in bytes, unknown maker", AT25, "<33554432>", "<4194304>", "1f 47 0c", "77 47 0c", LAYOUT_ERROR,
        "size_in_bytes", "size = <4194304>", "size = <33554432>" },
    { "size of another chip", AT25, "<33554432>", "<67108864>", NULL, NULL, LAYOUT_WARNING, "size_jedec",
        "size = <67108864>", "size = <33554432>" },
    { "no size", AT25, "size = <33554432>;", "", NULL, NULL, LAYOUT_ERROR, "size_missing", "at25xe321d:",
        "size = <33554432>" },
    { "no size, unknown maker", AT25, "size = <33554432>;", "", "1f 47 0c", "77 47 0c", LAYOUT_ERROR,
        "size_missing", "at25xe321d:", "in bits" },
    { "size no multiple of a sector", AT25, "<33554432>", "<33554440>", "1f 47 0c", "77 47 0c", LAYOUT_ERROR,
        "size_unit", "size = <33554440>", "Mbit" },
    { "no JEDEC id", AT25, "jedec-id = [1f 47 0c];", "", NULL, NULL, LAYOUT_ERROR, "jedec_missing",
        "at25xe321d:", "9Fh" },
    { "JEDEC id of no chip", AT25, "[1f 47 0c]", "[00 00 00]", NULL, NULL, LAYOUT_ERROR, "jedec_invalid",
        "jedec-id = [00", "9Fh" },
    { "JEDEC id of two bytes", AT25, "[1f 47 0c]", "[1f 47]", NULL, NULL, LAYOUT_ERROR, "jedec_invalid",
        "jedec-id = [1f", "three bytes" },
    { "JEDEC id as cells", AT25, "[1f 47 0c]", "<0x1f470c>", NULL, NULL, LAYOUT_ERROR, "jedec_invalid",
        "jedec-id = <0x", "three bytes" },
    { "no room to swap", AT25, "<0x00000000 0x00100000>; /* 1 MiB */\n\t\t\t\t\t};\n\t\t\t\t\tstore",
        "<0x0 0x2000>; };\n\t\t\t\t\tstore", NULL, NULL, LAYOUT_ERROR, "swap_room", "reg = <0x0 0x2000>", "0x3000" },
    { "slot 1 limits", DK, "none", "none", NULL, NULL, LAYOUT_NOTE, "slot1_limits",
        "reg = <0x00000000 0x000e2000>", "0xe4000" },
    { "scratch too small", AT25, "<0x000ee000 0x0000a000>", "<0x000ee000 0x00003000>", NULL, NULL,
        LAYOUT_ERROR, "state_room", "reg = <0x000ee000", "16 KiB" },
    { "scratch on the external chip", AT25, "scratch_partition: ", "", "store_partition: ",
        "scratch_partition: ", LAYOUT_ERROR, "state_room", "reg = <0x00100000", "internal" },
    { "boot too small", AT25, "<0x00000000 0x0000c000>", "<0x00000000 0x00004000>", NULL, NULL, LAYOUT_ERROR,
        "boot_room", "reg = <0x00000000 0x00004000>", "0x7000" },
    { "boot too small for its state", CUSTOM, "<0x0 DT_SIZE_K(64)>", "<0x0 DT_SIZE_K(32)>", NULL, NULL,
        LAYOUT_ERROR, "boot_room", "<0x0 DT_SIZE_K(32)>", "0xb000" },
    { "boot smaller than its state", CUSTOM, "<0x0 DT_SIZE_K(64)>", "<0x0 DT_SIZE_K(8)>", NULL, NULL,
        LAYOUT_ERROR, "boot_room", "<0x0 DT_SIZE_K(8)>", "scratch_partition" },
    { "boot not at 0", AT25, "partition@0 {\n\t\t\t\t\t\tlabel = \"mcuboot\"",
        "partition@1000 {\n\t\t\t\t\t\tlabel = \"mcuboot\"", "<0x00000000 0x0000c000>", "<0x1000 0xb000>",
        LAYOUT_WARNING, "boot_not_first", "reg = <0x1000 0xb000>", "MBR" },
    { "pages of 8 KiB", AT25, "erase-block-size = <4096>", "erase-block-size = <8192>", NULL, NULL,
        LAYOUT_ERROR, "erase_unit", "erase-block-size", "4096" },
    { "syntax", AT25, "compatible = \"soc-nv-flash\";", "compatible = \"soc-nv-flash\" erase;", NULL, NULL,
        LAYOUT_ERROR, "syntax", "\"soc-nv-flash\" erase;", "misread" },
    { "no such include, and something missing", CUSTOM, "slot0_partition: ", "", "label = \"image-0\";", "",
        LAYOUT_NOTE, "include_missing", "#include", "zephyr.dts" },
};

static char *replaced(char *text, const char *find, const char *by)
{
    char *at = find ? strstr(text, find) : NULL;
    if (!at)
        return text;
    size_t head = (size_t)(at - text);
    char *out = calloc(1, strlen(text) + strlen(by) + 1);
    assert_non_null(out);
    memcpy(out, text, head);
    strcpy(out + head, by);
    strcat(out, at + strlen(find));
    free(text);
    return out;
}

static unsigned line_of(const char *text, const char *snippet)
{
    const char *at = strstr(text, snippet);
    unsigned line = 1;
    if (!at)
        fail_msg("the row names a line with %s, which is not there", snippet);
    for (const char *p = text; p < at; p++)
        line += *p == '\n';
    return line;
}

static const struct layout_problem *find_problem_at(const char *id, unsigned line)
{
    for (unsigned i = 0; i < report.problem_count; i++) {
        if (strcmp(report.problem[i].id, id) == 0 && (line == ANY_LINE || report.problem[i].at.line == line))
            return &report.problem[i];
    }
    return NULL;
}

static const struct layout_problem *find_problem(const char *id)
{
    return find_problem_at(id, ANY_LINE);
}

static void check_mistake(const struct mistake *m)
{
    char *text = replaced(replaced(read_file(m->file), m->find, m->replace), m->find2, m->replace2);
    int rc = load_text(text, strlen(text));
    unsigned line = m->at ? line_of(text, m->at) : 0;
    const struct layout_problem *p = find_problem_at(m->id, line);

    for (unsigned i = 0; !p && i < report.problem_count; i++)
        print_message("line %u: %s: %s\n", report.problem[i].at.line, report.problem[i].id, report.problem[i].what);
    if (!p)
        fail_msg("%s: no problem %s at line %u", m->name, m->id, line);
    assert_int_equal(p->severity, m->severity);
    assert_int_equal(rc, report.errors ? ERR_FORMAT : OK);
    if (m->severity == LAYOUT_ERROR)
        assert_int_equal(rc, ERR_FORMAT);
    assert_true(p->at.line == 0 || p->at.column >= 1);
    if (!strstr(p->what, m->say) && !strstr(p->why, m->say) && !strstr(p->fix, m->say))
        fail_msg("%s: neither \"%s\" nor \"%s\" nor \"%s\" says \"%s\"", m->name, p->what, p->why, p->fix, m->say);
    free(text);
}

/* A chip larger than the nRF52840's: slots of 259 and 261 units, of which a swap can follow 256. */
static void test_too_many_units(void **state)
{
    static const char text[] =
        "/ { flash0: flash@0 { reg = <0 0x200000>; partitions { compatible = \"fixed-partitions\";\n"
        "boot_partition: partition@0 { reg = <0 0xc000>; };\n"
        "slot0_partition: partition@c000 { reg = <0xc000 0x103000>; }; }; };\n"
        "x: nor@0 { compatible = \"nordic,qspi-nor\"; jedec-id = [c2 28 17]; size = <67108864>;\n"
        "partitions { compatible = \"fixed-partitions\";\n"
        "slot1_partition: partition@0 { reg = <0 0x105000>; }; }; }; };\n";

    (void)state;
    assert_int_equal(load_text(text, sizeof text - 1), ERR_FORMAT);
    const struct layout_problem *p = find_problem("too_many_units");
    assert_non_null(p);
    assert_int_equal(p->at.line, 3);
    assert_non_null(strstr(p->fix, "0x101000"));
}

/* What is 65 partitions, and more problems than are kept. */
static void test_more_than_is_kept(void **state)
{
    char *text = calloc(1, 65536);
    size_t n = 0;

    (void)state;
    assert_non_null(text);
    n += (size_t)snprintf(text, 65536, "/ { flash0: flash@0 { reg = <0 0x100000>; partitions {\n");
    for (unsigned i = 0; i < 70; i++)
        n += (size_t)snprintf(text + n, 65536 - n, "p%u: partition@%x { reg = <0x%x 0x1000>; };\n", i, i, i * 2);
    n += (size_t)snprintf(text + n, 65536 - n, "}; }; };\n");
    assert_int_equal(load_text(text, n), ERR_FORMAT);
    assert_int_equal(report.region_count, LAYOUT_REGIONS_MAX);
    assert_int_equal(report.problem_count, LAYOUT_PROBLEMS_MAX);
    assert_true(report.errors > LAYOUT_PROBLEMS_MAX);
    free(text);
}

static void test_nested_partitions(void **state)
{
    static const char sub[] =
        "reg = <0x00100000 0x00300000>;\n"
        "compatible = \"fixed-subpartitions\"; ranges; a: partition@0 { reg = <0 0x1000>; };\n"
        "b: partition@1000 { reg = <0x1000 0x1000>; };\n";
    char *text = replaced(read_file(AT25), "reg = <0x00100000 0x00300000>;", sub);

    (void)state;
    assert_int_equal(load_text(text, strlen(text)), OK);
    assert_int_equal(report.region_count, 8);
    assert_string_equal(report.region[7].name, "b");
    assert_int_equal(report.region[7].off, 0x101000);
    assert_int_equal(report.region[7].chip, LAYOUT_EXTERNAL);
    free(text);
}

#define LARGEST_NUMBERS                                                                            \
    "/ { flash0: flash0 { reg = <0 0xffffffff>; partitions { "                                     \
    "slot0_partition: x { reg = <0xffffffff 0xffffffff>; }; slot1_partition: y { reg = <0 0>; }; }; }; };"

/* Files that are no board, and a board cut off or damaged anywhere: an answer, never a crash. */
static void test_hostile(void **state)
{
    static const char *const rubbish[] = { "", "{", "/ { };", "&flash0 { };", "/ { a: a@0 { reg = <&a>; }; };",
        LARGEST_NUMBERS,
        "&flash0 { erase-block-size = <0>; partitions { boot_partition: b@0 { reg = <1 2 3 4>; }; }; };",
        "&q { n@0 { compatible = \"nordic,qspi-nor\"; size = <1>; jedec-id = []; partitions { p { reg; }; }; }; };" };
    char *text = read_file(AT25);
    size_t len = strlen(text);

    (void)state;
    for (size_t i = 0; i < sizeof rubbish / sizeof rubbish[0]; i++) {
        assert_int_equal(load_text(rubbish[i], strlen(rubbish[i])), ERR_FORMAT);
        assert_true(report.errors > 0);
    }
    assert_int_equal(load_text("a\0b", 3), ERR_FORMAT);
    assert_int_equal(layout_load("/", &layout, &report), ERR_NOENT);
    for (size_t cut = 0; cut < len; cut += 97)
        assert_int_equal(load_text(text, cut) == OK, false);
    for (size_t at = 0; at < len; at += 53) {
        char was = text[at];
        text[at] = (char)0xFF;
        int rc = load_text(text, len); /* a damaged comment or name may do no harm */
        assert_true(rc == OK || report.errors > 0);
        text[at] = was;
    }
    free(text);
}

static void test_escape_sequences_do_not_reach_names(void **state)
{
    char *text = replaced(replaced(read_file(AT25), "store_partition: ", ""), "label = \"store\"",
        "label = \"\x1b[2Jx\"");

    (void)state;
    (void)load_text(text, strlen(text));
    assert_string_equal(report.region[5].name, "?[2Jx");
    free(text);
}

static void test_source_line(void **state)
{
    char line[16];

    (void)state;
    assert_true(layout_source_line(DK, 1, line, sizeof line));
    assert_string_equal(line, "/*");
    assert_true(layout_source_line(DK, 2, line, sizeof line));
    assert_string_equal(line, " * Nordic nRF52");
    assert_false(layout_source_line(DK, 100000, line, sizeof line));
    assert_false(layout_source_line(DK, 0, line, sizeof line));
    assert_false(layout_source_line("/nowhere", 1, line, sizeof line));
}

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        print_message("%s\n", mistakes[i].name);
        check_mistake(&mistakes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at25),
        cmocka_unit_test(test_dk),
        cmocka_unit_test(test_own_board_without_scratch),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_too_many_units),
        cmocka_unit_test(test_more_than_is_kept),
        cmocka_unit_test(test_nested_partitions),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_escape_sequences_do_not_reach_names),
        cmocka_unit_test(test_source_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
