#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/lib/devicetree/devicetree.h"

static struct dt_tree *tree_of(const char *text)
{
    struct dt_tree *t = dt_new(NULL);

    assert_non_null(t);
    assert_int_equal(dt_read_text(t, "t.dts", text, strlen(text)), OK);
    return t;
}

static struct dt_tree *fixture_tree(void)
{
    const char *dirs[] = { FIXTURES "/inc" };
    struct dt_options o = { .include_dirs = dirs, .include_dir_count = 1 };
    struct dt_tree *t = dt_new(&o);

    assert_non_null(t);
    assert_int_equal(dt_read_file(t, FIXTURES "/board.dts"), OK);
    return t;
}

/* One property of the root, its value as a string of what was read. */
static void describe(const struct dt_prop *p, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (const struct dt_value *v = p->value; v; v = v->next) {
        static const char *const letter[] = { "", "s:", "b:", "&", "@", "?" };
        used += (size_t)snprintf(out + used, size - used, "%s%u/%s", used ? " " : "", v->group,
            letter[v->kind]);
        if (v->kind == DT_CELL)
            used += (size_t)snprintf(out + used, size - used, "%llx", (unsigned long long)v->num);
        else if (v->kind == DT_BYTES)
            for (size_t i = 0; i < v->len; i++)
                used += (size_t)snprintf(out + used, size - used, "%02x", v->bytes[i]);
        else
            used += (size_t)snprintf(out + used, size - used, "%s", v->text);
    }
}

static void test_values(void **state)
{
    static const struct {
        const char *source, *read;
    } rows[] = {
        { "<1 0x10>", "0/1 0/10" },
        { "<1>, <2 3>", "0/1 1/2 1/3" },
        { "<>", "" },
        { "<(1 + 2 * 3)>", "0/7" },
        { "<((1 << 4) | 1)>", "0/11" },
        { "<(1 ? 2 : 3) 4>", "0/2 0/4" },
        { "<(-1)>", "0/ffffffff" },
        { "<(~0 & 0xff)>", "0/ff" },
        { "<(7 / 0)>", "0/?(7 / 0)" },
        { "<(10 % 4) (2 >= 2) (1 == 2) (3 && 0)>", "0/2 0/1 0/0 0/0" },
        { "/bits/ 8 <0x1ff>", "0/ff" },
        { "/bits/ 64 <0x123456789abcdef0>", "0/123456789abcdef0" },
        { "<DT_SIZE_K(48) DT_SIZE_M(1)>", "0/c000 0/100000" },
        { "<DT_FREQ_M(8)>", "0/7a1200" },
        { "<NRF_PSEL(QSPI_SCK, 0, 19)>", "0/?NRF_PSEL(QSPI_SCK, 0, 19)" },
        { "<UNKNOWN_NAME 5>", "0/?UNKNOWN_NAME 0/5" },
        { "<TWICE LOOP_A>", "0/20 0/?LOOP_A" },
        { "<(TWICE + 1)>", "0/21" },
        { "<&lab 3>", "0/&lab 0/3" },
        { "<&{/soc/x@1}>", "0/&/soc/x@1" },
        { "&lab", "0/@lab" },
        { "\"a\", \"b\\\"c\"", "0/s:a 1/s:b\"c" },
        { "[1f 47 0c]", "0/b:1f470c" },
        { "[1F470C]", "0/b:1f470c" },
        { "[ 1f /* of */ 47 ]", "0/b:1f47" },
        { "\"x\", <1>, [02], &lab", "0/s:x 1/1 2/b:02 3/@lab" },
        { "/incbin/(\"f.bin\")", "0/?/incbin/(\"f.bin\")" },
    };
    char source[256], read[256];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(source, sizeof source,
            "#define TWICE (ONCE * 2)\n#define ONCE 0x10\n#define LOOP_A LOOP_B\n#define LOOP_B LOOP_A\n"
            "/ { p = %s; };\n", rows[i].source);
        struct dt_tree *t = tree_of(source);
        const struct dt_prop *p = dt_prop(dt_root(t), "p");
        assert_non_null(p);
        describe(p, read, sizeof read);
        assert_string_equal(read, rows[i].read);
        dt_free(t);
    }
}

static void test_board_with_includes(void **state)
{
    struct dt_tree *t = fixture_tree();
    uint32_t reg[2], size;
    size_t len;
    char path[64];

    (void)state;
    assert_int_equal(dt_problem_count(t), 0);
    assert_string_equal(dt_missing_includes(t)->name, "not/there.dtsi");
    assert_int_equal(dt_missing_includes(t)->loc.line, 3);
    assert_null(dt_missing_includes(t)->next);
    assert_null(dt_detached(t));
    const struct dt_node *slot = dt_by_label(t, "slot0");
    assert_non_null(slot);
    assert_int_equal(dt_u32s(slot, "reg", reg, 2), 2);
    assert_int_equal(reg[1], 904 * 1024);
    assert_int_equal(slot->address, 0xc000);
    assert_int_equal(slot->loc.line, 25);
    assert_int_equal(slot->loc.column, 10);
    assert_string_equal(dt_path(slot, path, sizeof path), "/soc/flash@0/partitions/partition@c000");
    assert_int_equal(dt_u32s(dt_by_label(t, "boot"), "reg", reg, 2), 2);
    assert_int_equal(reg[1], 48 * 1024);
    const struct dt_node *nor = dt_by_compatible(t, NULL, "nordic,qspi-nor");
    assert_ptr_equal(nor, dt_alias(t, "ext"));
    assert_ptr_equal(dt_by_label(t, "uart0"), dt_alias(t, "led0"));
    assert_ptr_equal(dt_chosen(t, "zephyr,code-partition"), slot);
    assert_ptr_equal(dt_by_path(t, "ext"), nor);
    assert_int_equal(dt_u32(nor, "size", &size), OK);
    assert_int_equal(size, 32 << 20);
    assert_memory_equal(dt_bytes(nor, "jedec-id", &len), "\x1f\x47\x0c", 3);
    assert_int_equal(len, 3);
    assert_true(dt_is_compatible(dt_root(t), "slipway,any"));
    dt_free(t);
}

static void test_overlay_changes_the_board(void **state)
{
    struct dt_tree *t = fixture_tree();
    uint32_t size;

    (void)state;
    assert_false(dt_is_okay(dt_by_label(t, "uart0")));
    assert_non_null(dt_by_path(t, "/soc/flash@0/partitions/partition@0"));
    assert_int_equal(dt_read_file(t, FIXTURES "/app.overlay"), OK);
    const struct dt_node *uart = dt_by_label(t, "uart0");
    assert_true(dt_is_okay(uart));
    assert_string_equal(uart->loc.file, FIXTURES "/app.overlay");
    assert_string_equal(uart->first.file, FIXTURES "/chip.dtsi");
    assert_int_equal(dt_prop(uart, "status")->loc.line, 2);
    assert_int_equal(dt_u32(dt_by_label(t, "nor"), "size", &size), ERR_NOENT);
    assert_string_equal(dt_string(dt_by_label(t, "nor"), "writeoc", 0), "pp4o");
    assert_null(dt_by_label(t, "boot"));
    assert_null(dt_by_path(t, "/soc/flash@0/partitions/partition@0"));
    assert_non_null(dt_by_path(t, "/soc/flash@0/partitions/partition@c000"));
    const struct dt_deletion *d = dt_deletions(t);
    assert_string_equal(d->what, "size");
    assert_string_equal(d->next->what, "&boot");
    assert_string_equal(d->next->path, "/soc/flash@0/partitions/partition@0");
    assert_int_equal(d->next->loc.line, 8);
    dt_free(t);
}

static void test_unseen_nodes_are_detached(void **state)
{
    struct dt_tree *t = tree_of("&qspi { nor: nor@0 { reg = <0>; }; };\n&qspi { status = \"okay\"; };\n"
                                "&{/soc/adc} { x; };\n/delete-node/ &i2c0;\n");
    const struct dt_node *qspi = dt_detached(t);
    char path[64];
    int nodes = 0;

    (void)state;
    assert_string_equal(qspi->name, "&qspi");
    assert_ptr_equal(dt_by_label(t, "qspi"), qspi);
    assert_true(dt_is_okay(qspi));
    assert_string_equal(dt_path(dt_by_label(t, "nor"), path, sizeof path), "&qspi/nor@0");
    assert_string_equal(qspi->next->name, "&/soc/adc");
    assert_null(dt_deletions(t)->path);
    for (const struct dt_node *n = NULL; (n = dt_each(t, n));)
        nodes++;
    assert_int_equal(nodes, 4);
    dt_free(t);
}

static void test_conditions(void **state)
{
    struct dt_tree *t = tree_of("#define A 1\n#ifdef A\n/ { a; };\n#else\n/ { b; };\n#endif\n"
                                "#if defined(B) || A > 1\n/ { c; };\n#elif A\n/ { d; };\n#else\n/ { e; };\n#endif\n"
                                "/ {\n#ifndef B\n f;\n#endif\n#undef A\n#ifdef A\n g;\n#endif\n};\n");
    char got[32] = "";

    (void)state;
    for (const struct dt_prop *p = dt_root(t)->prop; p; p = p->next)
        strncat(got, p->name, sizeof got - strlen(got) - 1);
    assert_string_equal(got, "adf");
    dt_free(t);
}

static void test_syntax_errors_have_positions(void **state)
{
    struct dt_tree *t = tree_of("/ {\n\tgood = <1>;\n\tbad = <2>\n\talso = <3>;\n};\n");

    (void)state;
    assert_true(dt_problem_count(t) >= 1);
    assert_int_equal(dt_problems(t)->kind, DT_SYNTAX);
    assert_in_range(dt_problems(t)->loc.line, 3, 4);
    assert_non_null(dt_prop(dt_root(t), "good"));
    dt_free(t);
}

static void test_duplicate_label(void **state)
{
    struct dt_tree *t = tree_of("/ {\n a: one { };\n a: two { };\n b: three { };\n b: three { };\n};\n");

    (void)state;
    assert_int_equal(dt_problem_count(t), 1);
    assert_int_equal(dt_problems(t)->kind, DT_DUPLICATE_LABEL);
    assert_int_equal(dt_problems(t)->loc.line, 3);
    dt_free(t);
}

static void test_redefined_nodes_merge(void **state)
{
    struct dt_tree *t = tree_of("/ { n@1 { x = <1>; y; }; m { }; };\n/ { n@1 { x = <2>; }; k { }; };\n"
                                "/ { /delete-node/ k; last { }; };\n");
    uint32_t x;
    char names[64] = "";

    (void)state;
    assert_int_equal(dt_u32(dt_by_path(t, "/n"), "x", &x), OK);
    assert_int_equal(x, 2);
    assert_int_equal(dt_by_path(t, "/n@1")->loc.line, 2);
    assert_non_null(dt_prop(dt_by_path(t, "/n@1"), "y"));
    for (const struct dt_node *n = dt_root(t)->child; n; n = n->next)
        strncat(names, n->name, sizeof names - strlen(names) - 1);
    assert_string_equal(names, "n@1mlast");
    dt_free(t);
}

static void test_bad_files(void **state)
{
    struct dt_tree *t = dt_new(NULL);

    (void)state;
    assert_int_equal(dt_read_file(t, FIXTURES "/none.dts"), ERR_NOENT);
    assert_int_equal(dt_read_file(t, FIXTURES), ERR_IO);
    assert_int_equal(dt_read_text(t, "junk", "a\0b", 3), ERR_FORMAT);
    assert_int_equal(dt_read_file(t, FIXTURES "/loop.dtsi"), OK);
    assert_non_null(dt_prop(dt_root(t), "x"));
    assert_int_equal(dt_problems(t)->kind, DT_LIMIT);
    dt_free(t);
    dt_free(NULL);
}

static void test_hostile_size(void **state)
{
    size_t len = (size_t)DT_MAX_SOURCE + 1;
    char *big = malloc(len);
    struct dt_tree *t = dt_new(NULL);

    (void)state;
    memset(big, ' ', len);
    assert_int_equal(dt_read_text(t, "big", big, len), ERR_NOSPACE);
    free(big);
    dt_free(t);
}

static void test_hostile_depth(void **state)
{
    enum { LEVELS = 20000 };
    char *deep = malloc(LEVELS * 8 + 64), *p = deep;
    struct dt_tree *t = dt_new(NULL);

    (void)state;
    p += sprintf(p, "/ {");
    for (int i = 0; i < LEVELS; i++)
        p += sprintf(p, "n{");
    for (int i = 0; i < LEVELS; i++)
        p += sprintf(p, "};");
    p += sprintf(p, "};");
    assert_int_equal(dt_read_text(t, "deep", deep, (size_t)(p - deep)), OK);
    assert_int_equal(dt_problems(t)->kind, DT_LIMIT);
    free(deep);
    dt_free(t);
}

/* Repeats `part` until there are `len` bytes behind `head`. */
static char *repeated(const char *head, const char *part, size_t len)
{
    char *text = malloc(len + strlen(head) + strlen(part) + 1), *p = text;

    p += sprintf(p, "%s", head);
    for (char *end = p + len; p < end;)
        p += sprintf(p, "%s", part);
    return text;
}

/* What stays open for more than 65535 tokens: tree-sitter 0.20 frees wrongly at the error behind it. */
static void test_hostile_open(void **state)
{
    static const struct {
        const char *head, *part;
    } rows[] = {
        { "/ { ", "a { " },
        { "/ { x = <", "(" },
        { "", "#if 1\n" },
        { "/ { x = <(", "1?" },
        { "/ { x = <", "A(" },
        { "/ { x = <(", "~" },
        { "/ {", "/* } */ a {" },
        { "/ {", "{ // }\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dt_tree *t = dt_new(NULL);
        char *text = repeated(rows[i].head, rows[i].part, 600000);
        assert_int_equal(dt_read_text(t, "open.dts", text, strlen(text)), OK);
        bool said = false;
        for (const struct dt_problem *p = dt_problems(t); p; p = p->next)
            said |= p->kind == DT_LIMIT && strstr(p->message, "more is open here");
        if (!said)
            fail_msg("row %zu: nobody says that the rest is not read", i);
        free(text);
        dt_free(t);
    }
}

/* Comments of a large file are blanked; what is in it is read as in a small one, with its places. */
static void test_large_with_comments(void **state)
{
    struct dt_tree *t = dt_new(NULL);
    char *text = repeated("/ { /* node '/', it's */ a = \"x//y\"; b = <(1 << 4)>; };\n", "/* (((( { \" */\n", 100000);
    size_t len = strlen(text);

    (void)state;
    text = realloc(text, len + 64);
    strcpy(text + len, "&late { c = <7>; }; // {\n");
    assert_int_equal(dt_read_text(t, "large.dts", text, strlen(text)), OK);
    assert_null(dt_problems(t));
    assert_string_equal(dt_string(dt_root(t), "a", 0), "x/ y");
    assert_int_equal(dt_prop(dt_root(t), "b")->value->num, 16);
    assert_int_equal(dt_prop(dt_root(t), "b")->loc.column, 38);
    const struct dt_node *n = dt_detached(t);
    assert_int_equal(dt_prop(n, "c")->value->num, 7);
    assert_int_equal(dt_prop(n, "c")->loc.column, 9);
    free(text);
    dt_free(t);
}

static void test_hostile_macros(void **state)
{
    char text[2048], *p = text;
    struct dt_tree *t = dt_new(NULL);

    (void)state;
    for (char c = 'A'; c < 'Z'; c++)
        p += sprintf(p, "#define %c (%c+%c)\n", c, c + 1, c + 1);
    p += sprintf(p, "#define Z 1\n/ { p = <A>; q = <(((((((1)))))))>; };\n");
    assert_int_equal(dt_read_text(t, "bomb", text, (size_t)(p - text)), OK);
    assert_int_equal(dt_prop(dt_root(t), "p")->value->kind, DT_UNKNOWN);
    dt_free(t);
}

static void test_many_nodes(void **state)
{
    enum { NODES = 10000 };
    char *text = malloc(NODES * 48 + 64), *p = text;
    struct dt_tree *t = dt_new(NULL);
    uint32_t v;

    (void)state;
    p += sprintf(p, "/ {\n");
    for (int i = 0; i < NODES; i++)
        p += sprintf(p, "l%d: n@%x { reg = <%d>; };\n", i, (unsigned)i, i);
    p += sprintf(p, "};\n");
    assert_int_equal(dt_read_text(t, "many", text, (size_t)(p - text)), OK);
    assert_int_equal(dt_u32(dt_by_label(t, "l9999"), "reg", &v), OK);
    assert_int_equal(v, 9999);
    assert_int_equal(dt_by_label(t, "l9999")->loc.line, 10001);
    free(text);
    dt_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_board_with_includes),
        cmocka_unit_test(test_overlay_changes_the_board),
        cmocka_unit_test(test_unseen_nodes_are_detached),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_syntax_errors_have_positions),
        cmocka_unit_test(test_duplicate_label),
        cmocka_unit_test(test_redefined_nodes_merge),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_hostile_size),
        cmocka_unit_test(test_hostile_depth),
        cmocka_unit_test(test_hostile_open),
        cmocka_unit_test(test_large_with_comments),
        cmocka_unit_test(test_hostile_macros),
        cmocka_unit_test(test_many_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
