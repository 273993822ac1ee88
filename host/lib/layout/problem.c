#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

static void copy_where(struct layout_where *w, const struct dt_loc *at)
{
    snprintf(w->file, sizeof w->file, "%s", at && at->file ? at->file : "");
    w->line = at ? at->line : 0;
    w->column = at ? at->column : 0;
}

struct layout_problem *layout_problem(struct layout_report *r, enum layout_severity severity,
    const char *id, const struct dt_loc *at, const char *fmt, ...)
{
    va_list ap;

    r->errors += severity == LAYOUT_ERROR;
    r->warnings += severity == LAYOUT_WARNING;
    if (r->problem_count < LAYOUT_PROBLEMS_MAX)
        r->problem_count++;
    struct layout_problem *p = &r->problem[r->problem_count - 1]; /* full: the last is overwritten */
    *p = (struct layout_problem) { .severity = severity, .id = id };
    copy_where(&p->at, at);
    va_start(ap, fmt);
    vsnprintf(p->what, sizeof p->what, fmt, ap);
    va_end(ap);
    return p;
}

void layout_why(struct layout_problem *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->why, sizeof p->why, fmt, ap);
    va_end(ap);
}

void layout_fix(struct layout_problem *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->fix, sizeof p->fix, fmt, ap);
    va_end(ap);
}

bool layout_source_line(const char *file, unsigned line, char *buf, size_t size)
{
    FILE *f = line ? fopen(file, "r") : NULL;
    unsigned at = 1;
    size_t n = 0;
    int c;

    if (!f)
        return false;
    while (at < line && (c = fgetc(f)) != EOF)
        at += c == '\n';
    while (at == line && (c = fgetc(f)) != EOF && c != '\n' && c != '\r') {
        if (n + 1 < size)
            buf[n++] = (char)c;
    }
    buf[n] = '\0';
    fclose(f);
    return at == line;
}
