/*
 * Devicetree sources, read with their positions.
 *
 * Reads board files, overlays and built zephyr.dts into one merged tree, the way dtc would see them,
 * but tolerant: an include that is not there, a macro nobody defined, a label of a node in an unseen
 * file are kept as such and never end the reading. Every node and property knows file, line and
 * column of its last definition. Used by `slipway layout` and by the doctor; hosted, not for targets.
 *
 * One tree has one owner, who creates it with dt_new(), adds files in order and frees all of it with
 * dt_free(). Everything returned by pointer belongs to the tree. No state outside the tree: several
 * trees may live at once. Source language: Devicetree Specification v0.4, chapter 6, and the C
 * preprocessor as far as Zephyr's files use it.
 *
 * What is bounded (hostile input): bytes of source in all (DT_MAX_SOURCE), memory (DT_MAX_MEMORY),
 * depth of nodes, of includes and of macros, steps of evaluation, time per file. A limit that is hit
 * is an error naming the file; what had been read until then stays in the tree.
 */
#ifndef HOST_LIB_DEVICETREE_DEVICETREE_H
#define HOST_LIB_DEVICETREE_DEVICETREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum {
    DT_MAX_SOURCE = 8 << 20, /* bytes of all files of a tree together */
    DT_MAX_MEMORY = 192 << 20, /* bytes of a tree */
    DT_MAX_DEPTH = 64, /* nodes within nodes, conditions within conditions */
    DT_MAX_INCLUDE_DEPTH = 32,
    DT_MAX_FILES = 512, /* files read, counting each inclusion */
    DT_MAX_PROBLEMS = 200, /* kept; more are counted only */
    DT_MAX_TIME_MS = 5000, /* per file */
};

/* Where something stands. Line and column count from 1, the column in bytes. */
struct dt_loc {
    const char *file; /* as given to dt_read_file(), or as found by #include */
    unsigned line, column;
};

enum dt_kind {
    DT_CELL, /* a number within < >, or the result of an expression there */
    DT_STRING,
    DT_BYTES, /* [1f 47 0c] */
    DT_PHANDLE, /* &label or &{/path} within < > */
    DT_PATH, /* &label or &{/path} outside of < > */
    DT_UNKNOWN, /* a macro that is not known, /incbin/, or an expression with one of those */
};

/* One element of a property's value, in the order of the source. */
struct dt_value {
    const struct dt_value *next;
    enum dt_kind kind;
    unsigned group; /* counts the parts between commas, from 0: <1 2>, <3> gives 0 0 1 */
    uint64_t num; /* DT_CELL; cut to the width that /bits/ gives (32 without) */
    const char *text; /* DT_STRING: its text; DT_PHANDLE and DT_PATH: label, or path beginning with
                         '/'; DT_UNKNOWN: the source text; DT_CELL: the source text if it is more
                         than a literal (a macro's name), else NULL */
    const uint8_t *bytes; /* DT_BYTES */
    size_t len; /* DT_BYTES: bytes; else strlen(text) */
    unsigned line, column; /* in the file of the property */
};

struct dt_prop {
    const struct dt_prop *next;
    const char *name;
    const struct dt_value *value; /* NULL: no value, the property is a flag */
    unsigned bits; /* of a cell, 32 unless /bits/ says otherwise */
    struct dt_loc loc; /* of the name, in the last definition */
};

struct dt_label {
    const struct dt_label *next;
    const char *name;
    struct dt_loc loc;
};

struct dt_node {
    const struct dt_node *parent; /* NULL for the root and for detached nodes */
    const struct dt_node *child; /* first, in order of first appearance */
    const struct dt_node *next; /* sibling */
    const char *name; /* with unit address: "partition@c000"; "" for the root; "&label" if detached */
    const char *unit; /* unit address as text, NULL if none */
    uint64_t address; /* unit address as a number (hexadecimal), 0 if it is none */
    bool has_address; /* the unit address is a number */
    const struct dt_label *label; /* first of its labels */
    const struct dt_prop *prop; /* first of its properties */
    struct dt_loc first; /* of its first definition */
    struct dt_loc loc; /* of its last definition (what `&label { }` or a second `name { }` wrote) */
};

enum dt_problem_kind {
    DT_SYNTAX, /* text the grammar has no place for */
    DT_DUPLICATE_LABEL, /* a label that another node already has */
    DT_UNKNOWN_TARGET, /* /delete-node/ of what is not there */
    DT_LIMIT, /* a limit was hit, the rest of this file was not read */
};

struct dt_problem {
    const struct dt_problem *next;
    enum dt_problem_kind kind;
    struct dt_loc loc;
    const char *message; /* a sentence without file and line */
};

/* An #include or /include/ that was not found. */
struct dt_missing {
    const struct dt_missing *next;
    const char *name; /* as written, without quotes */
    struct dt_loc loc;
};

/* A /delete-node/ or /delete-property/ that was carried out or recorded. */
struct dt_deletion {
    const struct dt_deletion *next;
    const char *what; /* "&label", "node@1" or a property's name */
    const char *path; /* of the node that went, or of the property's node; NULL if it was not found */
    struct dt_loc loc;
};

/* A file that was read, in order. */
struct dt_file {
    const struct dt_file *next;
    const char *name;
};

struct dt_tree; /* opaque; see the accessors below */

/* Copied by dt_new(), which takes NULL as "none". */
struct dt_options {
    const char *const *include_dirs; /* searched after the including file's own folder */
    size_t include_dir_count;
    bool no_includes; /* never open another file: every include is recorded as missing */
};

/* An empty tree with its root node. NULL if there is no memory. */
struct dt_tree *dt_new(const struct dt_options *options);
void dt_free(struct dt_tree *t);

/*
 * Adds a file to the tree, after what is already there (an overlay after its board). Syntax errors
 * are collected, see dt_problems(), and do not make this fail.
 * ERR_NOENT: no such file; ERR_IO: not readable, or a folder; ERR_FORMAT: binary (holds a NUL byte);
 * ERR_NOSPACE: a limit of size, nesting or memory; ERR_TIMEOUT: longer than DT_MAX_TIME_MS.
 */
int dt_read_file(struct dt_tree *t, const char *path) MUST_CHECK;

/* The same for text in memory; `name` stands as file in positions and gives the folder of includes. */
int dt_read_text(struct dt_tree *t, const char *name, const char *text, size_t len) MUST_CHECK;

/* The root is never NULL. Detached nodes are what `&label { }` wrote when the label is in an unseen
 * file: a list by ->next, NULL if none. */
const struct dt_node *dt_root(const struct dt_tree *t);
const struct dt_node *dt_detached(const struct dt_tree *t);

const struct dt_file *dt_files(const struct dt_tree *t);
const struct dt_missing *dt_missing_includes(const struct dt_tree *t);
const struct dt_deletion *dt_deletions(const struct dt_tree *t);
const struct dt_problem *dt_problems(const struct dt_tree *t);
size_t dt_problem_count(const struct dt_tree *t); /* also those beyond DT_MAX_PROBLEMS */

/*
 * Lookups; NULL if there is none. A path is absolute ("/soc/flash@0"), or begins with an alias
 * ("led0/sub"); a unit address may be left out where the name alone is unique among its siblings.
 */
const struct dt_node *dt_by_path(const struct dt_tree *t, const char *path);
const struct dt_node *dt_by_label(const struct dt_tree *t, const char *label);
const struct dt_node *dt_child(const struct dt_node *n, const char *name);
const struct dt_prop *dt_prop(const struct dt_node *n, const char *name);

/* All nodes in document order, detached ones last: start with NULL, ends with NULL. */
const struct dt_node *dt_each(const struct dt_tree *t, const struct dt_node *n);

/* The next node after `n` (NULL: the first) that has `compatible` in its list of compatibles. */
const struct dt_node *dt_by_compatible(const struct dt_tree *t, const struct dt_node *n,
    const char *compatible);
bool dt_is_compatible(const struct dt_node *n, const char *compatible);

/* status is "okay" or "ok", or absent. Of the node alone, not of its parents. */
bool dt_is_okay(const struct dt_node *n);

/*
 * Values. dt_strings: the i-th string of a property, NULL if it has not so many.
 * dt_u32s: the cells of a property (of all groups) into out[max]; the number of cells it has, which
 * may be more than max, or ERR_NOENT: no such property, ERR_FORMAT: an element is not a number.
 * dt_u32: the first cell, the same errors.
 * dt_bytes: the bytes of a property of one byte array, NULL if it is not that.
 */
const char *dt_string(const struct dt_node *n, const char *prop, unsigned i);
int dt_u32s(const struct dt_node *n, const char *prop, uint32_t *out, size_t max) MUST_CHECK;
int dt_u32(const struct dt_node *n, const char *prop, uint32_t *out) MUST_CHECK;
const uint8_t *dt_bytes(const struct dt_node *n, const char *prop, size_t *len);

/* The node that a DT_PHANDLE, DT_PATH or (as path or alias) DT_STRING value names; NULL if unseen. */
const struct dt_node *dt_target(const struct dt_tree *t, const struct dt_value *v);

/* What /chosen or /aliases say: the property, and the node that its first value names. */
const struct dt_prop *dt_chosen_prop(const struct dt_tree *t, const char *name);
const struct dt_node *dt_chosen(const struct dt_tree *t, const char *name);
const struct dt_node *dt_alias(const struct dt_tree *t, const char *name);

/* The path of a node into buf, always terminated, cut if it is too long. Returns buf. */
char *dt_path(const struct dt_node *n, char *buf, size_t size);

#endif
