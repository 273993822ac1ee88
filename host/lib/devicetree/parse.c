/* From source text to the tree: tree-sitter's syntax tree is walked once, in order. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tree_sitter/api.h>

#include "host/lib/devicetree/dt_priv.h"
#include "host/lib/devicetree/walk_priv.h"

const TSLanguage *tree_sitter_devicetree(void);

/* Members of a node, of the file, or of the error that tree-sitter put around them. */
static void walk_member(struct walk *w, struct dt_node *at, TSNode member);

void walk_each(struct walk *w, struct dt_node *at, TSNode parent, walk_fn fn)
{
    TSTreeCursor c = ts_tree_cursor_new(parent);

    if (ts_tree_cursor_goto_first_child(&c)) {
        do {
            if (w->t->out_of_memory)
                break;
            fn(w, at, ts_tree_cursor_current_node(&c));
        } while (ts_tree_cursor_goto_next_sibling(&c));
    }
    ts_tree_cursor_delete(&c);
}

bool walk_is(TSNode n, const char *type)
{
    return strcmp(ts_node_type(n), type) == 0;
}

const char *walk_text(const struct walk *w, TSNode n, size_t *len)
{
    uint32_t from = ts_node_start_byte(n), to = ts_node_end_byte(n);

    *len = to - from;
    return w->text + from;
}

char *walk_copy(const struct walk *w, TSNode n)
{
    size_t len;
    const char *text = walk_text(w, n, &len);

    return dt_copy(w->t, text, len);
}

struct dt_loc walk_loc(const struct walk *w, TSNode n)
{
    TSPoint p = ts_node_start_point(n);

    return (struct dt_loc) { w->file, p.row + 1, p.column + 1 };
}

static TSNode field(TSNode n, const char *name)
{
    return ts_node_child_by_field_name(n, name, (uint32_t)strlen(name));
}

/* "label" of &label, "/path" of &{/path}. */
char *walk_reference(const struct walk *w, TSNode n)
{
    size_t len;
    const char *text = walk_text(w, n, &len);

    if (len > 0 && text[0] == '&') {
        text++;
        len--;
    }
    while (len > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        len--;
    }
    if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
        text++;
        len -= 2;
    }
    return dt_copy(w->t, text, len);
}

/* What stands where a node, a reference or a /delete-node/ names a node. */
struct target {
    TSNode name;
    bool have_name, is_reference;
    char text[256]; /* name with unit address, or the reference without & */
    TSNode label[8];
    int labels;
};

static bool read_target(const struct walk *w, TSNode n, struct target *g)
{
    TSTreeCursor c = ts_tree_cursor_new(n);
    size_t used = 0;
    bool more = ts_tree_cursor_goto_first_child(&c);

    *g = (struct target) { .have_name = false };
    for (; more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode k = ts_tree_cursor_current_node(&c);
        const char *f = ts_tree_cursor_current_field_name(&c);
        size_t len;
        const char *text = walk_text(w, k, &len);
        if (f && strcmp(f, "label") == 0 && g->labels < 8 && walk_is(k, "identifier")) {
            g->label[g->labels++] = k;
        } else if (f && (strcmp(f, "name") == 0 || strcmp(f, "address") == 0)) {
            if (strcmp(f, "name") == 0) {
                g->name = k;
                g->have_name = true;
                g->is_reference = walk_is(k, "reference");
            }
            if (len < sizeof g->text - used)
                used += (size_t)snprintf(g->text + used, sizeof g->text - used, "%.*s", (int)len, text);
        } else if (walk_is(k, "{")) {
            break;
        }
    }
    ts_tree_cursor_delete(&c);
    return g->have_name && used > 0;
}

static struct dt_node *target_node(struct walk *w, struct dt_node *at, struct target *g)
{
    if (g->is_reference) {
        char *ref = walk_reference(w, g->name);
        return ref && *ref ? dt_reference(w->t, ref) : NULL;
    }
    if (strcmp(g->text, "/") == 0)
        return at->parent || at != w->t->root ? NULL : w->t->root;
    return dt_add_child(w->t, at, g->text[0] == '/' ? g->text + 1 : g->text);
}

static void walk_node(struct walk *w, struct dt_node *at, TSNode n)
{
    struct target g;
    struct dt_loc loc;

    if (!read_target(w, n, &g))
        return;
    loc = walk_loc(w, g.name);
    struct dt_node *node = target_node(w, at, &g);
    if (!node) {
        if (strcmp(g.text, "/") == 0)
            dt_complain(w->t, DT_SYNTAX, &loc, "the root node cannot stand within another node");
        return;
    }
    if (!node->first.file)
        node->first = loc;
    node->loc = loc;
    for (int i = g.labels; i-- > 0;) {
        char *name = walk_copy(w, g.label[i]);
        struct dt_loc at_label = walk_loc(w, g.label[i]);
        if (name)
            dt_add_label(w->t, node, name, &at_label);
    }
    if (w->depth >= DT_MAX_DEPTH) {
        dt_complain(w->t, DT_LIMIT, &loc, "nodes are nested deeper than %d; what is below is not read",
            DT_MAX_DEPTH);
        return;
    }
    w->depth++;
    walk_each(w, node, n, walk_member);
    w->depth--;
}

static void record_deletion(struct walk *w, const struct dt_node *n, const char *what, struct dt_loc loc)
{
    char path[512];
    struct dt_deletion *d = dt_alloc(w->t, sizeof *d);

    if (!d)
        return;
    d->what = dt_copy(w->t, what, strlen(what));
    d->loc = loc;
    if (n) {
        dt_path(n, path, sizeof path);
        d->path = dt_copy(w->t, path, strlen(path));
    }
    *w->t->deletions_end = d;
    w->t->deletions_end = (struct dt_deletion **)(uintptr_t)&d->next;
}

static void walk_delete_node(struct walk *w, struct dt_node *at, TSNode n)
{
    struct target g;
    const struct dt_node *gone;

    if (!read_target(w, n, &g))
        return;
    struct dt_loc loc = walk_loc(w, g.name);
    if (g.is_reference) {
        char *ref = walk_reference(w, g.name);
        if (!ref)
            return;
        gone = ref[0] == '/' ? dt_by_path(w->t, ref) : dt_by_label(w->t, ref);
    } else {
        gone = dt_get(w->t, at, DT_BY_CHILD, g.text);
    }
    record_deletion(w, gone, g.text, loc);
    if (gone && gone != w->t->root)
        dt_remove_node(w->t, (struct dt_node *)(uintptr_t)gone);
    else if (!w->t->missing)
        dt_complain(w->t, DT_UNKNOWN_TARGET, &loc, "/delete-node/ %.80s: there is no such node", g.text);
}

static void walk_delete_property(struct walk *w, struct dt_node *at, TSNode n)
{
    TSNode name = field(n, "name");
    char *text = ts_node_is_null(name) ? NULL : walk_copy(w, name);

    if (!text)
        return;
    record_deletion(w, at, text, walk_loc(w, name));
    dt_remove_prop(w->t, at, text);
}

static void walk_define(struct walk *w, TSNode n, bool function)
{
    TSNode name = field(n, "name"), value = field(n, "value");
    struct dt_macro *m = dt_alloc(w->t, sizeof *m);

    if (!m || ts_node_is_null(name))
        return;
    m->name = walk_copy(w, name);
    m->text = ts_node_is_null(value) ? "" : walk_copy(w, value);
    m->function = function;
    m->loc = walk_loc(w, name);
    if (m->name && m->text && !dt_put(w->t, NULL, DT_BY_MACRO, m->name, m))
        w->t->out_of_memory = true;
}

static void walk_undef(struct walk *w, TSNode n)
{
    TSNode name = field(n, "name");
    char *text = ts_node_is_null(name) ? NULL : walk_copy(w, name);

    if (text && !dt_put(w->t, NULL, DT_BY_MACRO, text, NULL))
        w->t->out_of_memory = true;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Where an include is: beside the file, then in the folders given. */
static bool find_include(const struct walk *w, const char *name, char *out, size_t size)
{
    const char *slash = strrchr(w->file, '/');
    int dir = slash ? (int)(slash - w->file) + 1 : 0;

    if (w->t->no_includes)
        return false;
    if (name[0] == '/') {
        snprintf(out, size, "%s", name);
        return false;
    }
    if (snprintf(out, size, "%.*s%s", dir, w->file, name) < (int)size && is_file(out))
        return true;
    for (size_t i = 0; i < w->t->include_dir_count; i++) {
        if (snprintf(out, size, "%s/%s", w->t->include_dirs[i], name) < (int)size && is_file(out))
            return true;
    }
    return false;
}

static void walk_include(struct walk *w, struct dt_node *at, TSNode n)
{
    TSNode p = field(n, "path");
    char found[1024];

    if (ts_node_is_null(p))
        return;
    char *name = walk_copy(w, p);
    size_t len = name ? strlen(name) : 0;
    struct dt_loc loc = walk_loc(w, p);
    if (len >= 2 && (name[0] == '"' || name[0] == '<')) {
        name[len - 1] = '\0';
        name++;
    }
    if (!name)
        return;
    if (find_include(w, name, found, sizeof found)) {
        int rc = dt_parse_file(w->t, at, found);
        if (rc != OK)
            dt_complain(w->t, DT_LIMIT, &loc, "%.120s is not read: %s", name, err_text(rc));
        return;
    }
    struct dt_missing *m = dt_alloc(w->t, sizeof *m);
    if (!m)
        return;
    m->name = name;
    m->loc = loc;
    *w->t->missing_end = m;
    w->t->missing_end = (struct dt_missing **)(uintptr_t)&m->next;
}

/* Whether the branch that `n` opens is taken: #if, #elif by value, #ifdef, #ifndef by name. */
static bool condition_holds(struct walk *w, TSNode n)
{
    TSNode cond = field(n, "condition"), name = field(n, "name");
    size_t len;
    uint64_t v = 0;

    if (!ts_node_is_null(cond)) {
        const char *text = walk_text(w, cond, &len);
        return dt_eval(w->t, text, len, true, &v) && v != 0;
    }
    if (ts_node_is_null(name))
        return false;
    char *text = walk_copy(w, name);
    bool defined = text && dt_get(w->t, NULL, DT_BY_MACRO, text);
    const char *keyword = walk_text(w, ts_node_child(n, 0), &len);
    bool negated = memmem(keyword, len, "ndef", 4) != NULL;
    return defined != negated;
}

static void walk_condition(struct walk *w, struct dt_node *at, TSNode n)
{
    bool taken = walk_is(n, "preproc_else") || condition_holds(w, n);
    TSNode other = field(n, "alternative");

    if (w->depth >= DT_MAX_DEPTH)
        return;
    w->depth++;
    if (taken) {
        walk_each(w, at, n, walk_member);
    } else if (!ts_node_is_null(other)) {
        walk_condition(w, at, other);
    }
    w->depth--;
}

static void walk_error(struct walk *w, struct dt_node *at, TSNode n)
{
    struct dt_loc loc = walk_loc(w, n);
    size_t len;
    const char *text = walk_text(w, n, &len);
    size_t line = 0;

    while (line < len && line < 40 && text[line] != '\n')
        line++;
    dt_complain(w->t, DT_SYNTAX, &loc, "syntax error at '%.*s'", (int)line, text);
    if (w->depth >= DT_MAX_DEPTH)
        return;
    w->depth++;
    walk_each(w, at, n, walk_member);
    w->depth--;
}

static bool is_condition(TSNode n)
{
    return walk_is(n, "preproc_if") || walk_is(n, "preproc_ifdef");
}

static void walk_member(struct walk *w, struct dt_node *at, TSNode n)
{
    if (ts_node_is_missing(n)) {
        struct dt_loc loc = walk_loc(w, n);
        dt_complain(w->t, DT_SYNTAX, &loc, "'%s' is missing", ts_node_type(n));
    } else if (walk_is(n, "node")) {
        walk_node(w, at, n);
    } else if (walk_is(n, "property")) {
        walk_property(w, at, n);
    } else if (walk_is(n, "delete_node")) {
        walk_delete_node(w, at, n);
    } else if (walk_is(n, "delete_property")) {
        walk_delete_property(w, at, n);
    } else if (walk_is(n, "preproc_include") || walk_is(n, "dtsi_include")) {
        walk_include(w, at, n);
    } else if (walk_is(n, "preproc_def")) {
        walk_define(w, n, false);
    } else if (walk_is(n, "preproc_function_def")) {
        walk_define(w, n, true);
    } else if (walk_is(n, "preproc_undef")) {
        walk_undef(w, n);
    } else if (is_condition(n)) {
        walk_condition(w, at, n);
    } else if (walk_is(n, "omit_if_no_ref")) {
        walk_each(w, at, n, walk_member);
    } else if (walk_is(n, "ERROR")) {
        walk_error(w, at, n);
    }
}

static void note_file(struct dt_tree *t, char *name)
{
    struct dt_file *f = dt_alloc(t, sizeof *f);

    if (!f)
        return;
    f->name = name;
    *t->files_end = f;
    t->files_end = (struct dt_file **)(uintptr_t)&f->next;
}

static TSTree *syntax_tree(const char *text, size_t len)
{
    TSParser *parser = ts_parser_new();
    TSTree *tree = NULL;

    if (parser && ts_parser_set_language(parser, tree_sitter_devicetree())) {
        ts_parser_set_timeout_micros(parser, (uint64_t)DT_MAX_TIME_MS * 1000);
        tree = ts_parser_parse_string(parser, NULL, text, (uint32_t)len);
    }
    ts_parser_delete(parser);
    return tree;
}

static void complain_rest(struct dt_tree *t, const char *file, const char *text, size_t at)
{
    struct dt_loc loc = { file, 1, 1 };

    for (size_t i = 0; i < at; i++) {
        loc.column = text[i] == '\n' ? 1 : loc.column + 1;
        loc.line += text[i] == '\n';
    }
    dt_complain(t, DT_LIMIT, &loc, "more is open here than in any devicetree; the rest is not read");
}

int dt_parse(struct dt_tree *t, struct dt_node *at, const char *file, const char *text, size_t len)
{
    if (memchr(text, '\0', len))
        return ERR_FORMAT;
    t->source_bytes += len;
    if (t->source_bytes > DT_MAX_SOURCE || ++t->file_count > DT_MAX_FILES)
        return ERR_NOSPACE;
    char *name = dt_copy(t, file, strlen(file));
    /* The grammar wants a directive's line to end: the last line gets its newline. */
    char *padded = malloc(len + 2);
    if (!name || !padded) {
        free(padded);
        return ERR_NOSPACE;
    }
    size_t skip = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    memcpy(padded, text + skip, len - skip);
    memcpy(padded + (len - skip), "\n", 2);
    note_file(t, name);
    len -= skip;
    size_t safe = dt_guard(padded, len);
    if (safe < len)
        complain_rest(t, name, padded, safe);
    TSTree *tree = syntax_tree(padded, safe + (safe == len));
    if (tree) {
        struct walk w = { .t = t, .file = name, .text = padded };
        TSNode root = ts_tree_root_node(tree);
        if (walk_is(root, "ERROR"))
            walk_error(&w, at, root);
        else
            walk_each(&w, at, root, walk_member);
        ts_tree_delete(tree);
    }
    free(padded);
    if (!tree)
        return ERR_TIMEOUT;
    return t->out_of_memory ? ERR_NOSPACE : OK;
}

/* Reads a whole file; ERR_NOSPACE if it has more than `max` bytes. */
static int slurp(const char *path, size_t max, char **text, size_t *len)
{
    FILE *f = fopen(path, "rb");
    struct stat st;

    if (!f)
        return errno == ENOENT || errno == ENOTDIR ? ERR_NOENT : ERR_IO;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        fclose(f);
        return ERR_IO;
    }
    if ((size_t)st.st_size > max) {
        fclose(f);
        return ERR_NOSPACE;
    }
    *text = malloc((size_t)st.st_size + 1);
    *len = *text ? fread(*text, 1, (size_t)st.st_size, f) : 0;
    bool bad = !*text || ferror(f);
    fclose(f);
    if (bad) {
        free(*text);
        return *text ? ERR_IO : ERR_NOSPACE;
    }
    return OK;
}

int dt_parse_file(struct dt_tree *t, struct dt_node *at, const char *path)
{
    char *text = NULL;
    size_t len = 0;

    if (t->include_depth >= DT_MAX_INCLUDE_DEPTH)
        return ERR_NOSPACE;
    int rc = slurp(path, DT_MAX_SOURCE - (t->source_bytes < DT_MAX_SOURCE ? t->source_bytes : DT_MAX_SOURCE),
        &text, &len);
    if (rc != OK)
        return rc;
    t->include_depth++;
    rc = dt_parse(t, at, path, text, len);
    t->include_depth--;
    free(text);
    return rc;
}

int dt_read_file(struct dt_tree *t, const char *path)
{
    return dt_parse_file(t, t->root, path);
}

int dt_read_text(struct dt_tree *t, const char *name, const char *text, size_t len)
{
    return dt_parse(t, t->root, name, text, len);
}
