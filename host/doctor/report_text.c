/* The doctor's findings for people: verdict first, worst first, each with its line and its fix. */
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/text.h"

struct paint {
    const char *error, *warning, *info, *good, *dim, *bold, *off;
};

static const struct paint colored = { "\033[1;31m", "\033[1;33m", "\033[1;36m", "\033[1;32m", "\033[2m", "\033[1m",
    "\033[0m" };
static const struct paint plain = { "", "", "", "", "", "", "" };

enum { INDENT = 11 }; /* of texts, behind their labels */

static void put(const char *text, FILE *out)
{
    text_put(text, strlen(text), out);
}

static void put_wrapped(const char *label, const char *text, FILE *out)
{
    fprintf(out, "    %-7s", label);
    text_put_wrapped(text, INDENT, INDENT, out);
}

/* The source line, and a mark below the column. */
static void put_line(struct doctor *d, const struct finding *f, FILE *out, const struct paint *p)
{
    const char *line = source_line(&d->project.files, f->at.file, f->at.line);

    if (!line)
        return;
    fprintf(out, "%s%9u | ", p->dim, f->at.line);
    put(line, out);
    fprintf(out, "%s\n", p->off);
    if (f->at.column < 1 || f->at.column > strlen(line))
        return;
    fprintf(out, "%s%9s | ", p->dim, "");
    for (const char *c = line; c < line + f->at.column - 1; c++) {
        if (*c == '\t' || ((unsigned char)*c & 0xC0) != 0x80)
            fputc(*c == '\t' ? '\t' : ' ', out);
    }
    fprintf(out, "^%s\n", p->off);
}

static void put_patch(const struct finding *f, FILE *out, const struct paint *p)
{
    for (const char *at = f->patch; at && *at;) {
        size_t n = strcspn(at, "\n");
        fprintf(out, "      %s", p->dim);
        text_put(at, n, out);
        fprintf(out, "%s\n", p->off);
        at += n + (at[n] == '\n');
    }
}

static void put_finding(struct doctor *d, const struct finding *f, FILE *out, const struct paint *p)
{
    const char *color = f->severity == SEV_ERROR ? p->error : f->severity == SEV_WARNING ? p->warning : p->info;

    fprintf(out, "\n%s%s %s%s ", color, severity_name(f->severity), f->rule->id, p->off);
    if (f->at.file) {
        put(f->at.file, out);
        if (f->at.line)
            fprintf(out, ":%u:%u", f->at.line, f->at.column);
    }
    if (f->image && *f->image)
        fprintf(out, " (%s)", f->image);
    fprintf(out, "\n");
    put_wrapped("", f->message, out);
    put_line(d, f, out, p);
    if (f->severity == SEV_INFO)
        return;
    put_wrapped("then", f->effect, out);
    put_wrapped("fix", f->fix, out);
    put_patch(f, out, p);
}

static void put_rest(const struct doctor *d, FILE *out)
{
    if (d->unread)
        fprintf(out, "\nNot read:\n");
    for (const struct unread *u = d->unread; u; u = u->next)
        fprintf(out, "  %s: %s\n", u->name, u->why);
    if (d->missing)
        fprintf(out, "\nTo be sure, the doctor would also like to see:\n");
    for (const struct missing *m = d->missing; m; m = m->next)
        fprintf(out, "  %s: %s\n", m->name, m->why);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

void report_text(struct doctor *d, FILE *out, bool color)
{
    const struct paint *p = color ? &colored : &plain;
    const size_t *n = d->count;

    fprintf(out, "%s", d->reach == REACH_YES ? p->good : d->reach == REACH_NO ? p->error : p->warning);
    put(d->verdict, out);
    fprintf(out, "%s\n", p->off);
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed)
            put_finding(d, f, out, p);
    }
    put_rest(d, out);
    fprintf(out, "\n%zu error%s, %zu warning%s, %zu note%s", n[SEV_ERROR], plural(n[SEV_ERROR]), n[SEV_WARNING],
        plural(n[SEV_WARNING]), n[SEV_INFO], plural(n[SEV_INFO]));
    if (d->suppressed)
        fprintf(out, ", %zu suppressed", d->suppressed);
    if (d->dropped)
        fprintf(out, ", and %zu more of rules that fire all the time", d->dropped);
    fprintf(out, ". More about a rule: slipway doctor --explain RULE\n");
}
