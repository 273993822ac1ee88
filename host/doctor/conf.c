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

/* One line after another of a text: its start and its length without the end. */
struct lines {
    const char *at, *end, *line;
    size_t len;
    unsigned number;
};

static struct lines lines_of(const char *text, size_t len)
{
    bool marked = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0;

    return (struct lines) { .at = text + (marked ? 3 : 0), .end = text + len };
}

static bool lines_next(struct lines *l)
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
    for (struct lines l = lines_of(text, f->len); lines_next(&l);)
        read_line(c, l.line, l.len, prefix, (struct place) { f->rel, l.number, 1 });
}

/* Where the reader of a Kconfig file stands: in which symbol's entry, and in how deep a help text. */
struct kconfig {
    const char *symbol; /* NULL: in none */
    bool help; /* in a help text, which ends with a line indented less than its first */
    size_t help_indent; /* 0: its first line has not come yet */
};

/* The word that `line` begins with, and blanks behind it. */
static bool begins(const char *line, size_t len, const char *word, size_t *rest)
{
    size_t n = strlen(word);

    if (len < n || memcmp(line, word, n) != 0 || (len > n && line[n] != ' ' && line[n] != '\t'))
        return false;
    while (n < len && (line[n] == ' ' || line[n] == '\t'))
        n++;
    *rest = n;
    return true;
}

static bool in_help(struct kconfig *k, size_t indent)
{
    if (!k->help)
        return false;
    if (k->help_indent == 0)
        k->help_indent = indent;
    k->help = indent > 0 && indent >= k->help_indent;
    return k->help;
}

/* What ends the entry of a symbol: the next entry of any kind. */
static bool ends_entry(const char *line, size_t len)
{
    static const char *const words[] = { "choice", "endchoice", "menu", "endmenu", "if", "endif", "comment", "source",
        "rsource", "osource", "orsource", "mainmenu" };
    size_t rest;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (begins(line, len, words[i], &rest))
            return true;
    }
    return false;
}

static void kconfig_line(struct conf *c, struct kconfig *k, const char *line, size_t len, struct place at)
{
    size_t rest;

    if (begins(line, len, "config", &rest) || begins(line, len, "menuconfig", &rest)) {
        k->symbol = pool_copy(c->pool, line + rest, name_length(line + rest));
    } else if (ends_entry(line, len)) {
        k->symbol = NULL;
    } else if (begins(line, len, "help", &rest) || begins(line, len, "---help---", &rest)) {
        k->help = true;
        k->help_indent = 0;
    } else if (k->symbol && begins(line, len, "default", &rest) && rest < len) {
        char *value = value_of(c->pool, line + rest, len - rest), *condition = strstr(value, " if ");
        if (condition)
            *condition = '\0';
        if (!conf_item(c, k->symbol))
            conf_add(c, k->symbol, value, at, true);
    }
}

void conf_read_kconfig(struct conf *c, struct sources *s, struct source *f)
{
    const char *text = source_config(s, f);
    struct kconfig k = { .symbol = NULL };

    if (!text)
        return;
    for (struct lines l = lines_of(text, f->len); lines_next(&l);) {
        size_t skip = 0;
        while (skip < l.len && isspace((unsigned char)l.line[skip]))
            skip++;
        if (skip == l.len || in_help(&k, skip))
            continue;
        kconfig_line(c, &k, l.line + skip, l.len - skip, (struct place) { f->rel, l.number, (unsigned)skip + 1 });
    }
}
