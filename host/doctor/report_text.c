/* The doctor's findings for people: verdict first, worst first, each with its line and its fix. */
#include <string.h>

#include "host/doctor/doctor.h"

struct paint {
    const char *error, *warning, *info, *dim, *bold, *off;
};

static const struct paint colored = { "\033[1;31m", "\033[1;33m", "\033[1;36m", "\033[2m", "\033[1m", "\033[0m" };
static const struct paint plain = { "", "", "", "", "", "" };

/* Text of a project may hold anything: control characters would be commands to the terminal. */
static void put_clean(const char *text, FILE *out)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\t' || c == '\n')
            fputc(c, out);
        else if (c < 0x20 || c == 0x7f)
            fputc('?', out);
        else
            fputc(c, out);
    }
}

/* Words to at most 100 columns, the following lines indented. */
static void put_wrapped(const char *label, const char *text, FILE *out)
{
    int column = fprintf(out, "    %-7s", label);

    for (const char *at = text; *at;) {
        size_t n = strcspn(at, " ");
        if (column > 12 && column + (int)n > 100)
            column = fprintf(out, "\n%11s", "") - 1;
        char word[512];
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        put_clean(word, out);
        column += (int)n;
        at += n;
        if (*at == ' ') {
            fputc(' ', out);
            column++;
            at++;
        }
    }
    fputc('\n', out);
}

static void put_line(struct doctor *d, const struct finding *f, FILE *out, const struct paint *p)
{
    const char *line = source_line(&d->project.files, f->at.file, f->at.line);

    if (!line)
        return;
    fprintf(out, "%s%6u | ", p->dim, f->at.line);
    put_clean(line, out);
    fprintf(out, "%s\n", p->off);
}

static void put_patch(const struct finding *f, FILE *out, const struct paint *p)
{
    const char *at = f->patch;

    while (at && *at) {
        size_t n = strcspn(at, "\n");
        fprintf(out, "      %s", p->dim);
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        put_clean(line, out);
        fprintf(out, "%s\n", p->off);
        at += n + (at[n] == '\n');
    }
}

static void put_finding(struct doctor *d, const struct finding *f, FILE *out, const struct paint *p)
{
    const char *color = f->severity == SEV_ERROR ? p->error : f->severity == SEV_WARNING ? p->warning : p->info;

    fprintf(out, "\n%s%s %s%s ", color, severity_name(f->severity), f->rule->id, p->off);
    if (f->at.file) {
        put_clean(f->at.file, out);
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

void report_text(struct doctor *d, FILE *out, bool color)
{
    const struct paint *p = color ? &colored : &plain;

    fprintf(out, "%s", p->bold);
    put_clean(d->verdict, out);
    fprintf(out, "%s\n", p->off);
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed)
            put_finding(d, f, out, p);
    }
    if (d->missing) {
        fprintf(out, "\nTo be sure, the doctor would also like to see:\n");
        for (const struct missing *m = d->missing; m; m = m->next)
            fprintf(out, "  %s: %s\n", m->name, m->why);
    }
    fprintf(out, "\n%zu errors, %zu warnings, %zu notes", d->count[SEV_ERROR], d->count[SEV_WARNING], d->count[SEV_INFO]);
    if (d->suppressed)
        fprintf(out, ", %zu suppressed", d->suppressed);
    fprintf(out, ". More about a rule: slipway doctor --explain RULE\n");
}
