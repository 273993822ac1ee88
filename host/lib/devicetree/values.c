/* A property's value: cells, strings, bytes, references. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/devicetree/walk_priv.h"

/* A property while its value is read: values are appended at `end`. */
struct filling {
    struct walk *w;
    struct dt_prop *prop;
    const struct dt_value **end;
    unsigned group;
    /* a parenthesized expression in < >, which tree-sitter gives as loose parts */
    int parens;
    TSNode paren_start;
};

static struct dt_value *append(struct filling *f, TSNode n, enum dt_kind kind)
{
    struct dt_value *v = dt_alloc(f->w->t, sizeof *v);

    if (!v)
        return NULL;
    struct dt_loc loc = walk_loc(f->w, n);
    v->kind = kind;
    v->group = f->group;
    v->line = loc.line;
    v->column = loc.column;
    *f->end = v;
    f->end = &v->next;
    return v;
}

static void set_text(struct dt_value *v, char *text)
{
    if (!v || !text)
        return;
    v->text = text;
    v->len = strlen(text);
}

static uint64_t cut(uint64_t v, unsigned bits)
{
    return bits >= 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

/* An expression from byte `from` to `to`: a cell if it can be evaluated, else unknown. */
static void add_expression(struct filling *f, TSNode at, uint32_t from, uint32_t to, bool literal)
{
    uint64_t num;
    const char *text = f->w->text + from;
    size_t len = to - from;

    if (dt_eval(f->w->t, text, len, false, &num)) {
        struct dt_value *v = append(f, at, DT_CELL);
        if (v)
            v->num = cut(num, f->prop->bits);
        if (!literal)
            set_text(v, dt_copy(f->w->t, text, len));
        return;
    }
    set_text(append(f, at, DT_UNKNOWN), dt_copy(f->w->t, text, len));
}

static void add_cell(struct filling *f, TSNode n)
{
    if (walk_is(n, "(")) {
        if (f->parens++ == 0)
            f->paren_start = n;
        return;
    }
    if (walk_is(n, ")")) {
        if (f->parens > 0 && --f->parens == 0)
            add_expression(f, f->paren_start, ts_node_start_byte(f->paren_start), ts_node_end_byte(n), false);
        return;
    }
    if (f->parens > 0 || walk_is(n, "<") || walk_is(n, ">") || walk_is(n, "comment"))
        return;
    if (walk_is(n, "reference")) {
        set_text(append(f, n, DT_PHANDLE), walk_reference(f->w, n));
        return;
    }
    if (ts_node_is_missing(n)) {
        struct dt_loc loc = walk_loc(f->w, n);
        dt_complain(f->w->t, DT_SYNTAX, &loc, "'%s' is missing", ts_node_type(n));
        return;
    }
    if (walk_is(n, "ERROR")) {
        struct dt_loc loc = walk_loc(f->w, n);
        dt_complain(f->w->t, DT_SYNTAX, &loc, "syntax error in a value");
        set_text(append(f, n, DT_UNKNOWN), walk_copy(f->w, n));
        return;
    }
    add_expression(f, n, ts_node_start_byte(n), ts_node_end_byte(n), walk_is(n, "integer_literal"));
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_comment(const char *text, size_t len, size_t *i)
{
    bool block = text[*i + 1] == '*';

    for (*i += 2; *i < len; (*i)++) {
        if (!block && text[*i] == '\n')
            return;
        if (block && text[*i] == '/' && text[*i - 1] == '*')
            return;
    }
}

/* "[1f 47 0c]": pairs of digits, blanks anywhere between pairs. */
static void add_bytes(struct filling *f, TSNode n)
{
    size_t len, count = 0;
    const char *text = walk_text(f->w, n, &len);
    struct dt_value *v = append(f, n, DT_BYTES);
    uint8_t *out = dt_alloc(f->w->t, len / 2 + 1);
    int high = -1;

    if (!v || !out)
        return;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '/' && i + 1 < len && (text[i + 1] == '*' || text[i + 1] == '/')) {
            skip_comment(text, len, &i);
            continue;
        }
        int d = hex_digit(text[i]);
        if (d < 0)
            continue;
        if (high < 0) {
            high = d;
        } else {
            out[count++] = (uint8_t)(high << 4 | d);
            high = -1;
        }
    }
    v->bytes = out;
    v->len = count;
}

/* Between the quotes, with the escapes of C. */
static void add_string(struct filling *f, TSNode n)
{
    size_t len, used = 0;
    const char *text = walk_text(f->w, n, &len);
    char *out = dt_alloc(f->w->t, len + 1);

    if (!out)
        return;
    for (size_t i = 1; i + 1 < len; i++) {
        if (text[i] != '\\' || i + 2 >= len) {
            out[used++] = text[i];
            continue;
        }
        char c = text[++i];
        if (c == 'x' && i + 1 < len && hex_digit(text[i + 1]) >= 0) {
            int v = hex_digit(text[++i]);
            if (i + 2 < len && hex_digit(text[i + 1]) >= 0)
                v = v << 4 | hex_digit(text[++i]);
            out[used++] = v ? (char)v : '?';
        } else {
            out[used++] = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
    }
    out[used] = '\0';
    set_text(append(f, n, DT_STRING), out);
}

static void add_cells(struct filling *f, TSNode n)
{
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool more = ts_tree_cursor_goto_first_child(&c);

    f->parens = 0;
    for (; more && !f->w->t->out_of_memory; more = ts_tree_cursor_goto_next_sibling(&c))
        add_cell(f, ts_tree_cursor_current_node(&c));
    ts_tree_cursor_delete(&c);
}

static void add_part(struct filling *f, TSNode n)
{
    if (walk_is(n, ",")) {
        f->group++;
    } else if (walk_is(n, "integer_cells")) {
        add_cells(f, n);
    } else if (walk_is(n, "string_literal")) {
        add_string(f, n);
    } else if (walk_is(n, "byte_string_literal")) {
        add_bytes(f, n);
    } else if (walk_is(n, "reference")) {
        set_text(append(f, n, DT_PATH), walk_reference(f->w, n));
    } else if (walk_is(n, "incbin")) {
        set_text(append(f, n, DT_UNKNOWN), walk_copy(f->w, n));
    } else if (walk_is(n, "ERROR")) {
        struct dt_loc loc = walk_loc(f->w, n);
        dt_complain(f->w->t, DT_SYNTAX, &loc, "syntax error in the value of %.80s", f->prop->name);
        set_text(append(f, n, DT_UNKNOWN), walk_copy(f->w, n));
    } else if (ts_node_is_missing(n)) {
        struct dt_loc loc = walk_loc(f->w, n);
        dt_complain(f->w->t, DT_SYNTAX, &loc, "'%s' is missing after %.80s", ts_node_type(n), f->prop->name);
    }
}

/* The width of /bits/ N, which is the number itself. */
static unsigned bits_of(struct walk *w, TSNode n)
{
    size_t len;
    const char *text = walk_text(w, n, &len);
    unsigned long v = len < 8 ? strtoul(text, NULL, 0) : 0;

    return v == 8 || v == 16 || v == 64 ? (unsigned)v : 32;
}

void walk_property(struct walk *w, struct dt_node *at, TSNode n)
{
    TSNode name = ts_node_child_by_field_name(n, "name", 4);
    char *text = ts_node_is_null(name) ? NULL : walk_copy(w, name);
    struct dt_prop *p = text ? dt_add_prop(w->t, at, text) : NULL;

    if (!p)
        return;
    p->loc = walk_loc(w, name);
    p->value = NULL;
    p->bits = 32;
    struct filling f = { .w = w, .prop = p, .end = &p->value };
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool more = ts_tree_cursor_goto_first_child(&c);
    for (; more && !w->t->out_of_memory; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode k = ts_tree_cursor_current_node(&c);
        const char *role = ts_tree_cursor_current_field_name(&c);
        if (role && strcmp(role, "bits") == 0 && walk_is(k, "integer_literal"))
            p->bits = bits_of(w, k);
        else
            add_part(&f, k);
    }
    ts_tree_cursor_delete(&c);
}
