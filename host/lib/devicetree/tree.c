/* Memory, index and building of a devicetree. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/devicetree/dt_priv.h"

enum { CHUNK = 64 << 10, ALIGN = 16 };

void *dt_alloc(struct dt_tree *t, size_t size)
{
    struct dt_chunk *c = t->chunks;
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    size_t head = (sizeof *c + ALIGN - 1) / ALIGN * ALIGN;

    if (!c || c->size - c->used < need) {
        size_t bytes = head + (need > CHUNK ? need : CHUNK);
        if (bytes < need || t->memory + bytes > DT_MAX_MEMORY || !(c = calloc(1, bytes))) {
            t->out_of_memory = true;
            return NULL;
        }
        t->memory += bytes;
        c->size = bytes;
        c->used = head;
        c->next = t->chunks;
        t->chunks = c;
    }
    void *p = (char *)c + c->used;
    c->used += need;
    return p;
}

char *dt_copy(struct dt_tree *t, const char *text, size_t len)
{
    char *p = dt_alloc(t, len + 1);

    if (p && len)
        memcpy(p, text, len);
    return p;
}

/* FNV-1a over the name, then the scope mixed in. */
static size_t hash_of(const void *scope, enum dt_scope kind, const char *name)
{
    uint64_t h = 14695981039346656037u;

    for (const char *p = name; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    h ^= (uint64_t)(uintptr_t)scope * 0x9E3779B97F4A7C15u;
    h ^= h >> 29;
    return (size_t)((h + (uint64_t)kind) * 0xBF58476D1CE4E5B9u);
}

static struct dt_entry *slot_of(const struct dt_tree *t, const void *scope, enum dt_scope kind,
    const char *name, size_t hash)
{
    size_t i = (hash >> 7) & (t->index_size - 1);

    for (;; i = (i + 1) & (t->index_size - 1)) {
        struct dt_entry *e = &t->index[i];
        if (!e->name)
            return e;
        if (e->hash == hash && e->scope == scope && e->kind == kind && strcmp(e->name, name) == 0)
            return e;
    }
}

static bool grow_index(struct dt_tree *t)
{
    size_t old_size = t->index_size, size = old_size ? old_size * 2 : 256;
    struct dt_entry *old = t->index;
    struct dt_entry *fresh = size > DT_MAX_MEMORY / sizeof *old ? NULL : calloc(size, sizeof *fresh);

    if (!fresh) {
        t->out_of_memory = true;
        return false;
    }
    t->index = fresh;
    t->index_size = size;
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].name)
            *slot_of(t, old[i].scope, old[i].kind, old[i].name, old[i].hash) = old[i];
    }
    free(old);
    return true;
}

void *dt_get(const struct dt_tree *t, const void *scope, enum dt_scope kind, const char *name)
{
    if (!t->index_size)
        return NULL;
    return slot_of(t, scope, kind, name, hash_of(scope, kind, name))->value;
}

bool dt_put(struct dt_tree *t, const void *scope, enum dt_scope kind, const char *name, void *value)
{
    if (t->index_used * 2 >= t->index_size && !grow_index(t))
        return false;
    size_t hash = hash_of(scope, kind, name);
    struct dt_entry *e = slot_of(t, scope, kind, name, hash);
    if (!e->name) {
        char *copy = dt_copy(t, name, strlen(name));
        if (!copy)
            return false;
        *e = (struct dt_entry) { .scope = scope, .kind = kind, .name = copy, .hash = hash };
        t->index_used++;
    }
    e->value = value;
    return true;
}

struct dt_tree *dt_new(const struct dt_options *options)
{
    struct dt_tree *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->detached_end = &t->detached;
    t->files_end = &t->files;
    t->missing_end = &t->missing;
    t->deletions_end = &t->deletions;
    t->problems_end = &t->problems;
    t->root = dt_alloc(t, sizeof *t->root);
    if (t->root)
        t->root->name = dt_copy(t, "", 0);
    if (options) {
        t->no_includes = options->no_includes;
        t->include_dir_count = options->include_dir_count;
        t->include_dirs = dt_alloc(t, (t->include_dir_count + 1) * sizeof *t->include_dirs);
        for (size_t i = 0; t->include_dirs && i < t->include_dir_count; i++)
            t->include_dirs[i] = dt_copy(t, options->include_dirs[i], strlen(options->include_dirs[i]));
    }
    if (t->out_of_memory) {
        dt_free(t);
        return NULL;
    }
    return t;
}

void dt_free(struct dt_tree *t)
{
    if (!t)
        return;
    while (t->chunks) {
        struct dt_chunk *c = t->chunks;
        t->chunks = c->next;
        free(c);
    }
    free(t->index);
    free(t);
}

/* The unit address is what follows the first '@' of the name. */
static void set_unit(struct dt_node *n)
{
    const char *at = strchr(n->name, '@');
    char *end;

    if (!at || !at[1])
        return;
    n->unit = at + 1;
    n->address = strtoull(n->unit, &end, 16);
    n->has_address = *end == '\0';
}

/* The tree's lists are const for its readers; within the module they are written. */
static struct dt_node *writable(const struct dt_node *n)
{
    return (struct dt_node *)(uintptr_t)n;
}

static struct dt_node *last_child(const struct dt_tree *t, struct dt_node *parent)
{
    return dt_get(t, parent, DT_BY_CHILD, "/last");
}

struct dt_node *dt_add_child(struct dt_tree *t, struct dt_node *parent, const char *name)
{
    struct dt_node *n = dt_get(t, parent, DT_BY_CHILD, name);

    if (n)
        return n;
    n = dt_alloc(t, sizeof *n);
    if (!n || !(n->name = dt_copy(t, name, strlen(name))))
        return NULL;
    set_unit(n);
    n->parent = parent;
    struct dt_node *last = last_child(t, parent);
    if (!dt_put(t, parent, DT_BY_CHILD, name, n) || !dt_put(t, parent, DT_BY_CHILD, "/last", n))
        return NULL;
    if (last)
        last->next = n;
    else
        parent->child = n;
    return n;
}

static struct dt_node *add_detached(struct dt_tree *t, const char *label)
{
    struct dt_node *n = dt_alloc(t, sizeof *n);
    size_t len = strlen(label);
    char *name = dt_alloc(t, len + 2);

    if (!n || !name)
        return NULL;
    name[0] = '&';
    memcpy(name + 1, label, len);
    n->name = name;
    *t->detached_end = n;
    t->detached_end = (struct dt_node **)(uintptr_t)&n->next;
    return dt_put(t, NULL, DT_BY_LABEL, label, n) ? n : NULL;
}

struct dt_node *dt_reference(struct dt_tree *t, const char *label)
{
    if (label[0] == '/') {
        struct dt_node *n = writable(dt_by_path(t, label));
        return n ? n : add_detached(t, label);
    }
    struct dt_node *n = dt_get(t, NULL, DT_BY_LABEL, label);
    return n ? n : add_detached(t, label);
}

struct dt_prop *dt_add_prop(struct dt_tree *t, struct dt_node *n, const char *name)
{
    struct dt_prop *p = dt_get(t, n, DT_BY_PROP, name);

    if (p)
        return p;
    p = dt_alloc(t, sizeof *p);
    if (!p || !(p->name = dt_copy(t, name, strlen(name))))
        return NULL;
    struct dt_prop *last = dt_get(t, n, DT_BY_PROP, "/last");
    if (!dt_put(t, n, DT_BY_PROP, name, p) || !dt_put(t, n, DT_BY_PROP, "/last", p))
        return NULL;
    if (last)
        last->next = p;
    else
        n->prop = p;
    return p;
}

void dt_add_label(struct dt_tree *t, struct dt_node *n, const char *name, const struct dt_loc *loc)
{
    struct dt_node *holder = dt_get(t, NULL, DT_BY_LABEL, name);

    if (holder == n)
        return;
    if (holder && holder->name[0] != '&')
        dt_complain(t, DT_DUPLICATE_LABEL, loc, "the label %.80s already belongs to another node (%s:%u)",
            name, holder->first.file, holder->first.line);
    struct dt_label *l = dt_alloc(t, sizeof *l);
    if (!l || !(l->name = dt_copy(t, name, strlen(name))))
        return;
    l->loc = *loc;
    l->next = n->label;
    n->label = l;
    if (!dt_put(t, NULL, DT_BY_LABEL, name, n))
        t->out_of_memory = true;
}

static void forget_labels(struct dt_tree *t, const struct dt_node *n)
{
    for (const struct dt_label *l = n->label; l; l = l->next) {
        if (dt_get(t, NULL, DT_BY_LABEL, l->name) == n && !dt_put(t, NULL, DT_BY_LABEL, l->name, NULL))
            t->out_of_memory = true;
    }
    if (n->name[0] == '&' && !dt_put(t, NULL, DT_BY_LABEL, n->name + 1, NULL))
        t->out_of_memory = true;
}

/* Next node of the subtree below `top`, in document order, without recursion. */
static const struct dt_node *next_within(const struct dt_node *n, const struct dt_node *top)
{
    if (n->child)
        return n->child;
    while (n != top && !n->next)
        n = n->parent;
    return n == top ? NULL : n->next;
}

void dt_remove_node(struct dt_tree *t, struct dt_node *n)
{
    for (const struct dt_node *s = n; s; s = next_within(s, n))
        forget_labels(t, s);
    const struct dt_node **link = n->parent ? &writable(n->parent)->child
                                            : (const struct dt_node **)(uintptr_t)&t->detached;
    struct dt_node *before = NULL;
    for (; *link && *link != n; link = &before->next)
        before = writable(*link);
    if (*link != n)
        return;
    *link = n->next;
    bool ok = true;
    if (n->parent) {
        ok = dt_put(t, n->parent, DT_BY_CHILD, n->name, NULL);
        if (!n->next)
            ok = dt_put(t, n->parent, DT_BY_CHILD, "/last", before) && ok;
    } else if (!n->next) {
        t->detached_end = (struct dt_node **)(uintptr_t)link;
    }
    if (!ok)
        t->out_of_memory = true;
}

void dt_remove_prop(struct dt_tree *t, struct dt_node *n, const char *name)
{
    struct dt_prop *p = dt_get(t, n, DT_BY_PROP, name), *before = NULL;

    if (!p)
        return;
    const struct dt_prop **link = &n->prop;
    for (; *link != p; link = &before->next)
        before = (struct dt_prop *)(uintptr_t)*link;
    *link = p->next;
    if (!dt_put(t, n, DT_BY_PROP, name, NULL) || (!p->next && !dt_put(t, n, DT_BY_PROP, "/last", before)))
        t->out_of_memory = true;
}

void dt_complain(struct dt_tree *t, enum dt_problem_kind kind, const struct dt_loc *loc,
    const char *fmt, ...)
{
    char text[256];
    va_list ap;

    t->problem_count++;
    if (t->problem_count > DT_MAX_PROBLEMS)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    struct dt_problem *p = dt_alloc(t, sizeof *p);
    if (!p || !(p->message = dt_copy(t, text, strlen(text))))
        return;
    p->kind = kind;
    p->loc = *loc;
    *t->problems_end = p;
    t->problems_end = (struct dt_problem **)(uintptr_t)&p->next;
}
