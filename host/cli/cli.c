#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/cli.h"

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    if (text) {
        puts(text);
        fflush(stdout);
        free(text);
    }
    json_decref(object);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list ap;

    if (cli->quiet)
        return;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

void cli_debug(const struct cli *cli, const char *fmt, ...)
{
    va_list ap;

    if (cli->verbose == 0)
        return;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static int fail(const struct cli *cli, int exit_code, const char *code, const char *why,
    const char *next, json_t *more, const char *what)
{
    fprintf(stderr, "error: %s\n", what);
    for (const char *line = why; line && *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(stderr, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
    if (next)
        fprintf(stderr, "  try: %s\n", next);
    if (cli->json) {
        json_t *o = json_pack("{s:s, s:b, s:s, s:s, s:s*, s:s*}", "event", "result", "ok", 0, "code",
            code, "message", what, "detail", why, "next", next);
        if (o) {
            json_object_update_missing(o, more);
            print_json(o);
        }
    }
    json_decref(more);
    return exit_code;
}

int cli_fail(const struct cli *cli, int exit_code, const char *code, const char *why,
    const char *next, const char *fmt, ...)
{
    char what[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(cli, exit_code, code, why, next, NULL, what);
}

int cli_fail_more(const struct cli *cli, int exit_code, const char *code, const char *why,
    const char *next, struct json_t *more, const char *fmt, ...)
{
    char what[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return fail(cli, exit_code, code, why, next, more, what);
}

int cli_usage(const struct cli *cli, const struct cli_command *cmd, const char *fmt, ...)
{
    char what[512], next[64];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    snprintf(next, sizeof next, "slipway help %s", cmd->name);
    return cli_fail(cli, EXIT_USAGE, "usage", NULL, next, "%s", what);
}

void cli_event(const struct cli *cli, const char *event, const char *fmt, ...)
{
    va_list ap;
    json_error_t error;

    if (!cli->json)
        return;
    va_start(ap, fmt);
    json_t *members = json_vpack_ex(&error, 0, fmt, ap);
    va_end(ap);
    json_t *o = json_object();
    json_object_set_new(o, "event", json_string(event));
    if (members) {
        json_object_update(o, members);
        json_decref(members);
    } else {
        json_object_set_new(o, "internal_error", json_string(error.text));
    }
    print_json(o);
}

static void draw_bar(struct cli_progress *p, long done, bool last)
{
    enum { WIDTH = 30 };
    double spent = now_s() - p->started;
    double rate = spent > 0.05 ? (double)(done - p->start) / spent : 0;
    long filled = p->total ? WIDTH * done / p->total : WIDTH;

    fprintf(stderr, "\r%s [", p->what);
    for (long i = 0; i < WIDTH; i++)
        fputc(i < filled ? '#' : '.', stderr);
    fprintf(stderr, "] %3ld %%  %.1f KiB/s", p->total ? 100 * done / p->total : 100, rate / 1024);
    if (!last && rate > 0)
        fprintf(stderr, "  %ld s left ", (long)((double)(p->total - done) / rate + 0.5));
    fprintf(stderr, last ? "            \n" : "   ");
    fflush(stderr);
}

void cli_progress_begin(struct cli_progress *p, const struct cli *cli, const char *what, long done, long total)
{
    *p = (struct cli_progress) { .cli = cli, .what = what, .total = total, .start = done,
        .started = now_s(), .last_percent = -10, .last_drawn = 0 };
    cli_progress(p, done);
}

void cli_progress(struct cli_progress *p, long done)
{
    int percent = p->total ? (int)(100 * done / p->total) : 100;
    bool terminal = isatty(STDERR_FILENO);

    if (terminal && !p->cli->quiet && now_s() - p->last_drawn >= 0.1) {
        p->last_drawn = now_s();
        draw_bar(p, done, false);
    }
    if (percent / 10 == p->last_percent / 10 && p->last_percent >= 0)
        return;
    p->last_percent = percent;
    cli_event(p->cli, "progress", "{s:s, s:I, s:I}", "what", p->what, "done", (json_int_t)done,
        "total", (json_int_t)p->total);
    if (!terminal && !p->cli->quiet)
        fprintf(stderr, "%s %d %% (%ld of %ld)\n", p->what, percent, done, p->total);
}

void cli_progress_end(struct cli_progress *p, bool ok)
{
    if (!isatty(STDERR_FILENO) || p->cli->quiet)
        return;
    if (ok)
        draw_bar(p, p->total, true);
    else
        fprintf(stderr, "\r%70s\r", "");
}
