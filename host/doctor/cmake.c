/*
 * Options set by CMake: one that is only asked for, as in if(SB_CONFIG_X AND Y) or "${SB_CONFIG_X}", is not
 * set by that.
 *
 *     -DSB_CONFIG_X=y    SB_CONFIG_X=y         within arguments, also in quotes
 *     set(SB_CONFIG_X y CACHE STRING "")       a command; # begins a comment
 *     "SB_CONFIG_X": "y"                       a preset
 *     SB_CONFIG_X:UNINITIALIZED=y              a cache
 */
#include <ctype.h>
#include <string.h>

#include "host/doctor/cmake.h"

bool cmake_is(const struct source *f)
{
    return strcmp(f->base, "CMakeLists.txt") == 0 || strcmp(f->base, "CMakeCache.txt") == 0
        || strcmp(f->base, "CMakePresets.json") == 0 || strcmp(f->base, "CMakeUserPresets.json") == 0
        || text_ends(f->base, ".cmake");
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Does a name begin at `at`? Behind -D, too, and not within ${ }. */
static bool name_starts(const char *line, const char *at)
{
    if (at == line)
        return true;
    if (at[-1] == '{')
        return false;
    return !is_word(at[-1])
        || (at - line >= 2 && at[-1] == 'D' && at[-2] == '-' && (at - line == 2 || !is_word(at[-3])));
}

/* "set(" and blanks stand before `at`. */
static bool behind_set(const char *line, const char *at)
{
    while (at > line && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    if (at == line || at[-1] != '(')
        return false;
    for (at--; at > line && at[-1] == ' ';)
        at--;
    return at - line >= 3 && strncasecmp(at - 3, "set", 3) == 0 && (at - line == 3 || !is_word(at[-4]));
}

/* Where the value begins that is given to the name from `at` to `rest`; NULL if none is. */
static const char *value_start(const char *line, const char *at, const char *rest)
{
    const char *v = rest;

    if (*v == '=')
        return v + 1;
    if (*v == ':' && isupper((unsigned char)v[1])) { /* NAME:TYPE=VALUE */
        v += 1 + strspn(v + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        return *v == '=' ? v + 1 : NULL;
    }
    if (*v == '"') { /* "NAME": "VALUE" */
        v += 1 + strspn(v + 1, " \t");
        return *v == ':' ? v + 1 + strspn(v + 1, " \t") : NULL;
    }
    return (*v == ' ' || *v == '\t') && behind_set(line, at) ? v + strspn(v, " \t") : NULL;
}

static void take_line(struct conf *c, const char *line, const char *prefix, struct place at)
{
    size_t n = strlen(prefix);

    for (const char *p = line; (p = strstr(p, prefix)); p += n) {
        const char *name = p + n;
        size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        const char *value = len && name_starts(line, p) ? value_start(line, p, name + len) : NULL;
        if (!value)
            continue;
        value += strspn(value, "\\\"");
        size_t vlen = strcspn(value, "\"\\ \t\r);,");
        if (vlen == 0 || *value == '$')
            continue;
        at.column = (unsigned)(p - line) + 1;
        conf_add(c, pool_copy(c->pool, name, len), pool_copy(c->pool, value, vlen), at, false);
    }
}

void cmake_read(struct conf *c, struct sources *s, struct source *f, const char *prefix)
{
    const char *text = source_peek(s, f);
    bool commands = text_ends(f->base, ".cmake") || strcmp(f->base, "CMakeLists.txt") == 0;

    if (!text || f->len > SOURCE_MAX_TEXT || !strstr(text, prefix))
        return;
    for (struct lines l = conf_lines(text, f->len); conf_lines_next(&l);) {
        char *line = pool_copy(c->pool, l.line, l.len);
        char *comment = commands ? strchr(line, '#') : NULL;
        if (comment)
            *comment = '\0';
        take_line(c, line, prefix, (struct place) { f->rel, l.number, 1 });
    }
}
