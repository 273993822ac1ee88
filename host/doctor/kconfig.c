/*
 * Defaults of a project's Kconfig.sysbuild, as weak assignments: what sysbuild takes unless told.
 *
 *     config NAME / choice NAME       the symbol that the lines below are about
 *         default VALUE [if EXPR]     of a choice: the member that is y
 *     if EXPR ... endif
 *
 * EXPR is judged in three values by what is known of board and SoC and of other symbols; a default is
 * left out only if its condition is certainly false.
 */
#include <ctype.h>
#include <string.h>

#include "host/doctor/kconfig.h"

enum truth { FALSE, MAYBE, TRUE };
enum { MAX_NESTING = 16, MAX_PARENTHESES = 16 };

struct expr {
    const char *at, *end;
    const struct conf *c;
    const struct kconfig_facts *facts;
    int depth;
};

static enum truth is_true(bool known, bool value)
{
    return !known ? MAYBE : value ? TRUE : FALSE;
}

/* `text` begins with `start`, whatever the case. */
static bool starts_alike(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

static enum truth soc_symbol(const struct soc *soc, const char *name)
{
    static const struct {
        const char *series, *start;
    } series[] = { { "SERIES_NRF52", "nrf52" }, { "SERIES_NRF53", "nrf53" }, { "SERIES_NRF54L", "nrf54l" },
        { "SERIES_NRF54H", "nrf54h" }, { "SERIES_NRF91", "nrf91" }, { "SERIES_NRF92", "nrf92" }, { "FAMILY_NORDIC", "nrf" } };

    if (!soc || strstr(name, "CPUNET"))
        return soc ? FALSE : MAYBE;
    for (size_t i = 0; i < sizeof series / sizeof series[0]; i++) {
        if (starts_alike(name, series[i].series))
            return is_true(true, starts_alike(soc->name, series[i].start));
    }
    return is_true(true, starts_alike(name, soc->name));
}

static enum truth symbol_truth(const struct expr *e, const char *name)
{
    const struct kconfig_facts *facts = e->facts;

    if (strcmp(name, "y") == 0 || strcmp(name, "n") == 0)
        return *name == 'y' ? TRUE : FALSE;
    if (strncmp(name, "BOARD_", 6) == 0) {
        size_t n = strlen(name + 6);
        const char *board = facts ? facts->board : NULL;
        return is_true(board != NULL, board && starts_alike(board, name + 6) && !isalnum((unsigned char)board[n]));
    }
    if (strncmp(name, "SOC_", 4) == 0)
        return soc_symbol(facts ? facts->soc : NULL, name + 4);
    const struct conf_item *item = conf_item(e->c, name);
    return is_true(item != NULL, item && strcmp(item->value, "n") != 0);
}

static void skip_blanks(struct expr *e)
{
    while (e->at < e->end && isspace((unsigned char)*e->at))
        e->at++;
}

static bool take(struct expr *e, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(e);
    if ((size_t)(e->end - e->at) < n || strncmp(e->at, word, n) != 0)
        return false;
    e->at += n;
    return true;
}

static enum truth either(struct expr *e);

/* !X, (X), SYMBOL; a comparison is not judged, nor is what nests deeper than a person writes. */
static enum truth operand(struct expr *e)
{
    char name[96];
    size_t n = 0;

    if (e->depth >= MAX_PARENTHESES) {
        e->at = e->end;
        return MAYBE;
    }
    bool negated = take(e, "!");
    if (negated || take(e, "(")) {
        e->depth++;
        enum truth inner = negated ? (enum truth)(TRUE - operand(e)) : either(e);
        e->depth--;
        if (!negated)
            take(e, ")");
        return inner;
    }
    while (e->at < e->end && (isalnum((unsigned char)*e->at) || strchr("_\"$-.", *e->at)) && n < sizeof name - 1)
        name[n++] = *e->at++;
    name[n] = '\0';
    if (n == 0) {
        e->at = e->end; /* nothing that is understood */
        return MAYBE;
    }
    if (take(e, "=") || take(e, "!=") || take(e, "<") || take(e, ">")) {
        e->depth++;
        operand(e);
        e->depth--;
        return MAYBE;
    }
    return symbol_truth(e, name);
}

static enum truth both(struct expr *e)
{
    enum truth t = operand(e);

    while (take(e, "&&")) {
        enum truth u = operand(e);
        t = u < t ? u : t;
    }
    return t;
}

static enum truth either(struct expr *e)
{
    enum truth t = both(e);

    while (take(e, "||")) {
        enum truth u = both(e);
        t = u > t ? u : t;
    }
    return t;
}

static bool may_be(const struct conf *c, const struct kconfig_facts *facts, const char *text, const char *end)
{
    struct expr e = { .at = text, .end = end, .c = c, .facts = facts };

    return either(&e) != FALSE;
}

/* Where a reader stands in the file. */
struct reader {
    struct conf *c;
    const struct kconfig_facts *facts;
    const char *symbol; /* of the config or choice at hand */
    bool choice;
    bool open[MAX_NESTING + 1]; /* may what is within this "if" count? */
    int depth;
    bool help; /* within a help text, whose first line is indented so */
    size_t help_indent;
};

/* The first word of a line; the rest in *rest. */
static bool line_is(const char *line, const char *end, const char *word, const char **rest)
{
    size_t n = strlen(word);

    if ((size_t)(end - line) < n || strncmp(line, word, n) != 0 || (line + n < end && !isspace((unsigned char)line[n])))
        return false;
    for (*rest = line + n; *rest < end && isspace((unsigned char)**rest);)
        (*rest)++;
    return true;
}

/* What ends the entry of a symbol, besides the next symbol. */
static bool ends_entry(const char *line, const char *end)
{
    static const char *const words[] = { "menu", "endmenu", "comment", "source", "rsource", "osource", "orsource", "mainmenu" };
    const char *rest;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (line_is(line, end, words[i], &rest))
            return true;
    }
    return false;
}

static void take_default(struct reader *r, const char *text, const char *end, struct place at)
{
    const char *stop = text;

    while (stop < end && !isspace((unsigned char)*stop))
        stop++;
    const char *condition = stop;
    while (condition < end && isspace((unsigned char)*condition))
        condition++;
    bool counts = r->open[r->depth];
    if (line_is(condition, end, "if", &condition))
        counts = counts && may_be(r->c, r->facts, condition, end);
    if (!counts || !r->symbol || stop == text)
        return;
    size_t quote = *text == '"' && stop - text > 1 && stop[-1] == '"';
    const char *value = pool_copy(r->c->pool, text + quote, (size_t)(stop - text) - 2 * quote);
    const char *name = r->choice ? value : r->symbol;
    if (!conf_item(r->c, name))
        conf_add(r->c, name, r->choice ? "y" : value, at, true);
    if (r->choice)
        r->symbol = NULL; /* the first default that holds is the choice's */
}

static void take_line(struct reader *r, const char *line, const char *end, struct place at)
{
    const char *rest;

    if (line_is(line, end, "if", &rest) && r->depth < MAX_NESTING) {
        r->open[r->depth + 1] = r->open[r->depth] && may_be(r->c, r->facts, rest, end);
        r->depth++;
    } else if (line_is(line, end, "endif", &rest)) {
        r->depth -= r->depth > 0;
    } else if (line_is(line, end, "config", &rest) || line_is(line, end, "menuconfig", &rest)
        || line_is(line, end, "configdefault", &rest) || line_is(line, end, "choice", &rest)) {
        r->choice = *line == 'c' && line[1] == 'h';
        r->symbol = pool_copy(r->c->pool, rest, (size_t)(end - rest));
    } else if (line_is(line, end, "endchoice", &rest) || ends_entry(line, end)) {
        r->symbol = NULL;
    } else if (line_is(line, end, "help", &rest)) {
        r->help = true;
        r->help_indent = 0;
    } else if (line_is(line, end, "default", &rest)) {
        take_default(r, rest, end, at);
    }
}

/* A help text goes on while lines are indented as its first one. */
static bool in_help(struct reader *r, size_t indent)
{
    if (!r->help)
        return false;
    if (r->help_indent == 0)
        r->help_indent = indent;
    r->help = indent > 0 && indent >= r->help_indent;
    return r->help;
}

void kconfig_read(struct conf *c, struct sources *s, struct source *f, const struct kconfig_facts *facts)
{
    const char *text = source_config(s, f);
    struct reader r = { .c = c, .facts = facts, .open = { true } };

    if (!text)
        return;
    for (struct lines l = conf_lines(text, f->len); conf_lines_next(&l);) {
        size_t skip = 0;
        while (skip < l.len && isspace((unsigned char)l.line[skip]))
            skip++;
        if (skip == l.len || in_help(&r, skip))
            continue;
        const char *first = l.line + skip, *end = l.line + l.len, *last = memchr(first, '#', (size_t)(end - first));
        last = last ? last : end;
        while (last > first && isspace((unsigned char)last[-1]))
            last--;
        take_line(&r, first, last, (struct place) { f->rel, l.number, (unsigned)skip + 1 });
    }
}
