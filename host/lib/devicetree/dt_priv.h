/* Inside the devicetree reader: the tree's memory, its index, and macros. */
#ifndef HOST_LIB_DEVICETREE_DT_PRIV_H
#define HOST_LIB_DEVICETREE_DT_PRIV_H

#include "host/lib/devicetree/devicetree.h"

struct dt_chunk {
    struct dt_chunk *next;
    size_t used, size;
    /* data follows */
};

enum dt_scope { DT_BY_CHILD, DT_BY_PROP, DT_BY_LABEL, DT_BY_MACRO };

/* One entry of the index: what `name` means in `scope`; value NULL once it is deleted. */
struct dt_entry {
    const void *scope;
    enum dt_scope kind;
    const char *name;
    size_t hash;
    void *value;
};

struct dt_macro {
    const char *name;
    const char *text;
    bool function; /* taken for unknown wherever it is used */
    struct dt_loc loc;
};

/* Appends in order of appearance: the list's last link. */
struct dt_tree {
    struct dt_chunk *chunks;
    size_t memory, source_bytes, file_count, problem_count, eval_steps;
    bool out_of_memory;
    struct dt_entry *index;
    size_t index_size, index_used;
    struct dt_node *root;
    struct dt_node *detached, **detached_end;
    struct dt_file *files, **files_end;
    struct dt_missing *missing, **missing_end;
    struct dt_deletion *deletions, **deletions_end;
    struct dt_problem *problems, **problems_end;
    char **include_dirs;
    size_t include_dir_count;
    bool no_includes;
    int include_depth;
};

/* Zeroed memory of the tree, NULL (and out_of_memory set) at the limit. */
void *dt_alloc(struct dt_tree *t, size_t size);
char *dt_copy(struct dt_tree *t, const char *text, size_t len);

/* The index. dt_put replaces; a value of NULL deletes. dt_put returns false without memory. */
void *dt_get(const struct dt_tree *t, const void *scope, enum dt_scope kind, const char *name);
bool dt_put(struct dt_tree *t, const void *scope, enum dt_scope kind, const char *name, void *value);

/* Tree building; NULL without memory. */
struct dt_node *dt_add_child(struct dt_tree *t, struct dt_node *parent, const char *name);
struct dt_node *dt_reference(struct dt_tree *t, const char *label); /* found, or detached anew */
struct dt_prop *dt_add_prop(struct dt_tree *t, struct dt_node *n, const char *name);
void dt_add_label(struct dt_tree *t, struct dt_node *n, const char *name, const struct dt_loc *loc);
void dt_remove_node(struct dt_tree *t, struct dt_node *n);
void dt_remove_prop(struct dt_tree *t, struct dt_node *n, const char *name);
void dt_complain(struct dt_tree *t, enum dt_problem_kind kind, const struct dt_loc *loc,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Evaluates an integer expression of devicetree or of the preprocessor. `in_if`: names that nobody
 * defined count as 0, defined() works. False if a name is not known or the text is no expression.
 */
bool dt_eval(struct dt_tree *t, const char *text, size_t len, bool in_if, uint64_t *out);

/*
 * Makes a text safe to parse (guard.c): blanks comments of a large one, in place, positions stay. Returns
 * how much of it may be parsed: less than `len` if more is open at once than in any devicetree.
 */
size_t dt_guard(char *text, size_t len);

/* The parser's half: adds the text of one file below `at` (the root of the tree for a file). */
int dt_parse(struct dt_tree *t, struct dt_node *at, const char *file, const char *text, size_t len);
int dt_parse_file(struct dt_tree *t, struct dt_node *at, const char *path);

#endif
