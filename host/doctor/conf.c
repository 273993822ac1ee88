#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/conf.h"

bool conf_number(const char *text, uint64_t *out)
{
    char *end;

    if (!text || !isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *out = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
    return errno == 0 && end[strspn(end, " \t\r")] == '\0';
}

static size_t bucket_of(const char *name)
{
    size_t h = 0;

    for (; *name; name++)
        h = h * 31 + (unsigned char)*name;
    return h % CONF_BUCKETS;
}

void conf_init(struct conf *c, struct pool *pool)
{
    *c = (struct conf) { .pool = pool };
    c->end = &c->first;
}

void conf_add(struct conf *c, const char *name, const char *value, struct place at, bool weak)
{
    struct conf_item *i = pool_alloc(c->pool, sizeof *i);
    size_t b = bucket_of(name);

    *i = (struct conf_item) { .name = name, .value = value, .at = at, .weak = weak, .chain = c->bucket[b] };
    c->bucket[b] = i;
    *c->end = i;
    c->end = &i->next;
    c->any = true;
}

const struct conf_item *conf_item(const struct conf *c, const char *name)
{
    const struct conf_item *weak = NULL;

    for (const struct conf_item *i = c->bucket[bucket_of(name)]; i; i = i->chain) {
        if (strcmp(i->name, name) != 0)
            continue;
        if (!i->weak)
            return i;
        if (!weak)
            weak = i;
    }
    return weak;
}

const char *conf_value(const struct conf *c, const char *name)
{
    const struct conf_item *i = conf_item(c, name);

    return i ? i->value : NULL;
}

bool conf_is(const struct conf *c, const char *name, const char *value)
{
    const char *v = conf_value(c, name);

    return v && strcmp(v, value) == 0;
}

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (isalnum((unsigned char)p[n]) || p[n] == '_')
        n++;
    return n;
}

/* The value behind '=': quotes and trailing blanks go. */
static char *value_of(struct pool *pool, const char *p, size_t len)
{
    while (len && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }
    if (len && *p == '"') {
        char *out = pool_alloc(pool, len + 1);
        size_t used = 0;
        for (size_t i = 1; i < len && p[i] != '"'; i++) {
            if (p[i] == '\\' && i + 1 < len)
                i++;
            out[used++] = p[i];
        }
        return out;
    }
    const char *comment = memchr(p, '#', len);
    if (comment)
        len = (size_t)(comment - p);
    while (len && isspace((unsigned char)p[len - 1]))
        len--;
    return pool_copy(pool, p, len);
}

static void read_line(struct conf *c, const char *line, size_t len, const char *prefix, struct place at)
{
    size_t n = strlen(prefix), skip = 0;
    bool unset = false;

    while (skip < len && isspace((unsigned char)line[skip]))
        skip++;
    if (skip < len && line[skip] == '#') {
        skip++;
        while (skip < len && line[skip] == ' ')
            skip++;
        unset = true;
    }
    if (len - skip <= n || memcmp(line + skip, prefix, n) != 0)
        return;
    at.column = (unsigned)skip + 1;
    const char *name = line + skip + n;
    size_t name_len = name_length(name), rest = skip + n + name_len;
    if (name_len == 0)
        return;
    const char *copy = pool_copy(c->pool, name, name_len);
    if (unset) {
        if (len - rest >= 11 && memcmp(line + rest, " is not set", 11) == 0)
            conf_add(c, copy, "n", at, false);
        return;
    }
    while (rest < len && (line[rest] == ' ' || line[rest] == '\t'))
        rest++;
    if (rest < len && line[rest] == '=')
        conf_add(c, copy, value_of(c->pool, line + rest + 1, len - rest - 1), at, false);
}

struct lines conf_lines(const char *text, size_t len)
{
    bool marked = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;

    return (struct lines) { .at = text + (marked ? 3 : 0), .end = text + len };
}

bool conf_lines_next(struct lines *l)
{
    if (l->at >= l->end)
        return false;
    const char *stop = memchr(l->at, '\n', (size_t)(l->end - l->at));
    l->line = l->at;
    l->len = (size_t)((stop ? stop : l->end) - l->at);
    l->at += l->len + 1;
    l->number++;
    return true;
}

void conf_read(struct conf *c, struct sources *s, struct source *f, const char *prefix)
{
    const char *text = source_config(s, f);

    if (!text)
        return;
    for (struct lines l = conf_lines(text, f->len); conf_lines_next(&l);)
        read_line(c, l.line, l.len, prefix, (struct place) { f->rel, l.number, 1 });
}
