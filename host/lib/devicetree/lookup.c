/* Reading a devicetree that has been built. */
#include <stdio.h>
#include <string.h>

#include "host/lib/devicetree/dt_priv.h"

const struct dt_node *dt_root(const struct dt_tree *t)
{
    return t->root;
}

const struct dt_node *dt_detached(const struct dt_tree *t)
{
    return t->detached;
}

const struct dt_file *dt_files(const struct dt_tree *t)
{
    return t->files;
}

const struct dt_missing *dt_missing_includes(const struct dt_tree *t)
{
    return t->missing;
}

const struct dt_deletion *dt_deletions(const struct dt_tree *t)
{
    return t->deletions;
}

const struct dt_problem *dt_problems(const struct dt_tree *t)
{
    return t->problems;
}

size_t dt_problem_count(const struct dt_tree *t)
{
    return t->problem_count;
}

static const struct dt_node *child_of(const struct dt_node *n, const char *name, size_t len)
{
    const struct dt_node *without_unit = NULL;
    int candidates = 0;

    for (const struct dt_node *c = n->child; c; c = c->next) {
        if (strncmp(c->name, name, len) != 0)
            continue;
        if (c->name[len] == '\0')
            return c;
        if (c->name[len] == '@') {
            without_unit = c;
            candidates++;
        }
    }
    return candidates == 1 ? without_unit : NULL;
}

const struct dt_node *dt_child(const struct dt_node *n, const char *name)
{
    return child_of(n, name, strlen(name));
}

static const struct dt_node *walk(const struct dt_node *n, const char *path)
{
    while (n && *path) {
        size_t len = strcspn(path, "/");
        if (len)
            n = child_of(n, path, len);
        path += len + (path[len] == '/');
    }
    return n;
}

const struct dt_node *dt_by_path(const struct dt_tree *t, const char *path)
{
    char alias[64];
    size_t len = strcspn(path, "/");

    if (path[0] == '/')
        return walk(t->root, path + 1);
    if (len == 0 || len >= sizeof alias)
        return NULL;
    memcpy(alias, path, len);
    alias[len] = '\0';
    /* An alias that is given as a string must be a path, so this ends after one step. */
    const struct dt_prop *p = NULL;
    const struct dt_node *aliases = walk(t->root, "aliases");
    if (aliases)
        p = dt_prop(aliases, alias);
    if (!p || !p->value || (p->value->kind == DT_STRING && p->value->text[0] != '/'))
        return NULL;
    const struct dt_node *n = dt_target(t, p->value);
    return n ? walk(n, path + len) : NULL;
}

const struct dt_node *dt_by_label(const struct dt_tree *t, const char *label)
{
    return dt_get(t, NULL, DT_BY_LABEL, label);
}

const struct dt_prop *dt_prop(const struct dt_node *n, const char *name)
{
    for (const struct dt_prop *p = n->prop; p; p = p->next) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

const struct dt_node *dt_each(const struct dt_tree *t, const struct dt_node *n)
{
    if (!n)
        return t->root;
    if (n->child)
        return n->child;
    while (n->parent && !n->next)
        n = n->parent;
    if (n == t->root)
        return t->detached;
    return n->next;
}

bool dt_is_compatible(const struct dt_node *n, const char *compatible)
{
    const struct dt_prop *p = dt_prop(n, "compatible");

    for (const struct dt_value *v = p ? p->value : NULL; v; v = v->next) {
        if (v->kind == DT_STRING && strcmp(v->text, compatible) == 0)
            return true;
    }
    return false;
}

const struct dt_node *dt_by_compatible(const struct dt_tree *t, const struct dt_node *n,
    const char *compatible)
{
    while ((n = dt_each(t, n))) {
        if (dt_is_compatible(n, compatible))
            return n;
    }
    return NULL;
}

bool dt_is_okay(const struct dt_node *n)
{
    const char *status = dt_string(n, "status", 0);

    return !status || strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0;
}

const char *dt_string(const struct dt_node *n, const char *prop, unsigned i)
{
    const struct dt_prop *p = dt_prop(n, prop);

    for (const struct dt_value *v = p ? p->value : NULL; v; v = v->next) {
        if (v->kind == DT_STRING && i-- == 0)
            return v->text;
    }
    return NULL;
}

int dt_u32s(const struct dt_node *n, const char *prop, uint32_t *out, size_t max)
{
    const struct dt_prop *p = dt_prop(n, prop);
    int count = 0;

    if (!p)
        return ERR_NOENT;
    for (const struct dt_value *v = p->value; v; v = v->next, count++) {
        if (v->kind != DT_CELL)
            return ERR_FORMAT;
        if ((size_t)count < max)
            out[count] = (uint32_t)v->num;
    }
    return count;
}

int dt_u32(const struct dt_node *n, const char *prop, uint32_t *out)
{
    const struct dt_prop *p = dt_prop(n, prop);

    if (!p)
        return ERR_NOENT;
    if (!p->value || p->value->kind != DT_CELL)
        return ERR_FORMAT;
    *out = (uint32_t)p->value->num;
    return OK;
}

const uint8_t *dt_bytes(const struct dt_node *n, const char *prop, size_t *len)
{
    const struct dt_prop *p = dt_prop(n, prop);

    if (!p || !p->value || p->value->kind != DT_BYTES || p->value->next)
        return NULL;
    *len = p->value->len;
    return p->value->bytes;
}

const struct dt_node *dt_target(const struct dt_tree *t, const struct dt_value *v)
{
    if (!v || !v->text || (v->kind != DT_PHANDLE && v->kind != DT_PATH && v->kind != DT_STRING))
        return NULL;
    if (v->kind == DT_STRING || v->text[0] == '/')
        return dt_by_path(t, v->text);
    return dt_by_label(t, v->text);
}

const struct dt_prop *dt_chosen_prop(const struct dt_tree *t, const char *name)
{
    const struct dt_node *chosen = walk(t->root, "chosen");

    return chosen ? dt_prop(chosen, name) : NULL;
}

const struct dt_node *dt_chosen(const struct dt_tree *t, const char *name)
{
    const struct dt_prop *p = dt_chosen_prop(t, name);

    return p ? dt_target(t, p->value) : NULL;
}

const struct dt_node *dt_alias(const struct dt_tree *t, const char *name)
{
    const struct dt_node *aliases = walk(t->root, "aliases");
    const struct dt_prop *p = aliases ? dt_prop(aliases, name) : NULL;

    return p ? dt_target(t, p->value) : NULL;
}

char *dt_path(const struct dt_node *n, char *buf, size_t size)
{
    const struct dt_node *up[DT_MAX_DEPTH + 8];
    size_t depth = 0, used = 0;

    if (size == 0)
        return buf;
    buf[0] = '\0';
    if (!n->parent && !n->name[0])
        snprintf(buf, size, "/");
    for (; n && n->name[0] && depth < sizeof up / sizeof up[0]; n = n->parent)
        up[depth++] = n;
    while (depth > 0 && used < size) {
        const struct dt_node *at = up[--depth];
        int wrote = snprintf(buf + used, size - used, "%s%s", at->parent ? "/" : "", at->name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    return buf;
}
