/*
 * What a large source must not do to the parser: tree-sitter 0.20 frees what it does not own once more
 * than 65535 unfinished tokens are on its stack when it meets an error.
 *
 * A text of fewer bytes cannot get there. In a larger one comments are blanked, so that what opens and
 * closes can be counted as the parser will see it, also after it lost its way: from an error on it may
 * take the inside of a string for tokens. Therefore what opens counts within strings, too, what closes
 * does not, and comments cannot begin within strings.
 */
#include <stdlib.h>
#include <string.h>

#include "host/lib/devicetree/dt_priv.h"

enum { SAFE_BYTES = 60000, MAX_OPEN = 4096, MAX_PENDING = 20000 };

static size_t blank_to(char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (text[i] != '\n')
            text[i] = ' ';
    }
    return to;
}

/* The end of the string or character that begins at `at`, 0 if its line ends first. */
static size_t quoted_end(const char *text, size_t at, size_t len)
{
    char quote = text[at];

    for (size_t i = at + 1; i < len && text[i] != '\n'; i++) {
        if (text[i] == '\\' && i + 1 < len && text[i + 1] != '\n')
            i++;
        else if (text[i] == quote)
            return i + 1;
    }
    return 0;
}

static size_t comment_end(const char *text, size_t at, size_t len)
{
    if (text[at + 1] == '/') {
        const char *stop = memchr(text + at, '\n', len - at);
        return stop ? (size_t)(stop - text) : len;
    }
    const char *stop = memmem(text + at + 2, len - at - 2, "*/", 2);
    return stop ? (size_t)(stop - text) + 2 : len;
}

static bool comment_at(const char *text, size_t at, size_t len)
{
    return text[at] == '/' && at + 1 < len && (text[at + 1] == '/' || text[at + 1] == '*');
}

struct open {
    size_t brackets, conditions;
    size_t pending; /* operators of an expression, which ends at the latest with its statement */
};

/* `quoted`: within a string, where nothing closes. */
static void count(struct open *o, char c, bool quoted)
{
    if (c == '\0')
        return;
    if (strchr("([{<", c))
        o->brackets++;
    else if (!quoted && strchr(")]}>", c))
        o->brackets -= o->brackets > 0;
    else if (strchr("?~!+-*", c))
        o->pending++;
    if (!quoted && strchr(";{}", c))
        o->pending = 0;
}

static size_t take_quoted(struct open *o, char *text, size_t at, size_t end)
{
    for (size_t i = at; i < end; i++) {
        if (comment_at(text, i, end))
            text[i + 1] = ' ';
        count(o, text[i], true);
    }
    return end;
}

size_t dt_guard(char *text, size_t len)
{
    struct open o = { 0, 0, 0 };

    if (len < SAFE_BYTES)
        return len;
    for (size_t at = 0; at < len;) {
        if (comment_at(text, at, len)) {
            at = blank_to(text, at, comment_end(text, at, len));
        } else if (text[at] == '"' || text[at] == '\'') {
            size_t end = quoted_end(text, at, len);
            at = end ? take_quoted(&o, text, at, end) : blank_to(text, at, at + 1);
        } else {
            if (text[at] == '#' && len - at > 3 && memcmp(text + at, "#if", 3) == 0)
                o.conditions++;
            else if (text[at] == '#' && len - at > 6 && memcmp(text + at, "#endif", 6) == 0)
                o.conditions -= o.conditions > 0;
            bool shift = text[at] == '<' && at + 1 < len && text[at + 1] == '<';
            count(&o, shift ? '+' : text[at], false);
            at += shift ? 2 : 1;
        }
        if (o.brackets > MAX_OPEN || o.pending > MAX_PENDING || o.conditions > MAX_OPEN)
            return at;
    }
    return len;
}
