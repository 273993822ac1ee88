#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/explain_priv.h"

/* `pattern` somewhere in the line, without regard to case; '*' skips any characters. */
static bool matches(const char *line, size_t len, const char *pattern)
{
    const char *at = line, *end = line + len;

    while (*pattern) {
        size_t n = strcspn(pattern, "*");
        const char *hit = NULL;
        for (const char *p = at; p + n <= end && !hit; p++) {
            if (strncasecmp(p, pattern, n) == 0)
                hit = p;
        }
        if (!hit)
            return false;
        at = hit + n;
        pattern += n + (pattern[n] == '*');
    }
    /* "-2" must not be taken for "-22" */
    char last = pattern[-1];
    return !(isdigit((unsigned char)last) && at < end && isdigit((unsigned char)*at));
}

const struct explanation *explain_line(const char *line, size_t len)
{
    for (const struct explanation *e = explanations; e->title; e++) {
        if (e->match && matches(line, len, e->match))
            return e;
    }
    return NULL;
}

static const struct explanation *by_code(const char *code)
{
    for (const struct explanation *e = explanations; e->title; e++) {
        if (e->code && strcmp(e->code, code) == 0)
            return e;
    }
    return NULL;
}

const struct explanation *explain_smp(int group, int rc)
{
    char code[40];

    snprintf(code, sizeof code, "smp %d %d", group, rc);
    return by_code(code);
}

const struct explanation *explain_errno(int number)
{
    char code[40];

    snprintf(code, sizeof code, "errno %d", number < 0 ? -number : number);
    return by_code(code);
}

void explain_print(const struct explanation *e, FILE *out)
{
    fprintf(out, "%s\n", e->title);
    for (int i = 0; i < 6 && e->causes[i]; i++)
        fprintf(out, "  %d. %s\n", i + 1, e->causes[i]);
    if (e->tell)
        fprintf(out, "  Tell them apart: %s\n", e->tell);
    if (e->action)
        fprintf(out, "  What to do: %s\n", e->action);
    if (e->rules)
        fprintf(out, "  Rules: %s (slipway doctor --explain RULE; slipway doctor DIR checks them)\n", e->rules);
}

int explain_log(const char *text, size_t len, FILE *out)
{
    const struct explanation *seen[128];
    int count = 0;
    unsigned number = 0;

    for (const char *at = text, *end = text + len; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t n = (size_t)((stop ? stop : end) - at);
        const struct explanation *e = explain_line(at, n < 2000 ? n : 2000);
        number++;
        bool known = false;
        for (int i = 0; i < count; i++)
            known |= seen[i] == e;
        if (e && !known && count < 128) {
            seen[count++] = e;
            fprintf(out, "%sline %u: ", count > 1 ? "\n" : "", number);
            for (size_t i = 0; i < n && i < 160; i++)
                fputc(isprint((unsigned char)at[i]) ? at[i] : ' ', out);
            fputc('\n', out);
            explain_print(e, out);
        }
        at += n + 1;
    }
    return count;
}

/* "... (8)" at the end: the number of a phone app's message, which is the image group's. */
static int number_in_parens(const char *words)
{
    const char *open = strrchr(words, '(');
    char *end;

    if (!open)
        return -1;
    long v = strtol(open + 1, &end, 10);
    return *end == ')' && v >= 0 && v < 256 ? (int)v : -1;
}

int explain_words(const char *words, FILE *out)
{
    int group, rc, used = 0;
    const struct explanation *e = NULL;

    if (sscanf(words, "smp %d %d%n", &group, &rc, &used) == 2 && words[used] == '\0')
        e = explain_smp(group, rc);
    else if (sscanf(words, "%d%n", &rc, &used) == 1 && words[used] == '\0' && rc > -1000 && rc < 1000)
        e = explain_errno(rc);
    else if (!(e = explain_line(words, strlen(words))) && (rc = number_in_parens(words)) >= 0)
        e = explain_smp(1, rc);
    if (!e)
        return 0;
    explain_print(e, out);
    return 1;
}
