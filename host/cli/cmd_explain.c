/* slipway explain: what a log, a message or a code means, and what to do. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/cli.h"
#include "host/cli/commands.h"
#include "host/doctor/explain.h"
#include "host/lib/explain/explain.h"

enum { MAX_LOG = 16 << 20 };

/* What has been explained so far, for whoever prints the next. */
struct output {
    const struct cli *cli;
    int count;
};

/* json_string() takes UTF-8 only; logs of a UART are anything. */
static json_t *text_json(const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    if (!copy)
        return json_null();
    for (size_t i = 0; i < len; i++)
        copy[i] = (unsigned char)text[i] >= 0x20 && (unsigned char)text[i] < 0x7f ? text[i] : '?';
    copy[len] = '\0';
    json_t *s = json_string(copy);
    free(copy);
    return s;
}

static json_t *causes_json(const struct explanation *e)
{
    json_t *all = json_array();

    for (int i = 0; e && i < EXPLAIN_CAUSES && e->causes[i]; i++)
        json_array_append_new(all, json_string(e->causes[i]));
    return all;
}

static void put_json(const struct explain_hit *hit, const struct cli *cli)
{
    const struct explanation *e = hit->entry;

    cli_event(cli, "explanation", "{s:o*, s:o*, s:s*, s:s*, s:s*, s:o, s:s*, s:s*, s:s*}", "line",
        hit->text ? json_integer((json_int_t)hit->line) : NULL, "text",
        hit->text ? text_json(hit->text, hit->len < 400 ? hit->len : 400) : NULL, "code",
        hit->meaning ? hit->label : NULL, "meaning", hit->meaning, "title", e ? e->title : NULL, "causes",
        causes_json(e), "tell", e ? e->tell : NULL, "action", e ? e->action : NULL, "rules", e ? e->rules : NULL);
}

static void put(const struct explain_hit *hit, void *ctx)
{
    struct output *o = ctx;

    if (o->cli->json) {
        put_json(hit, o->cli);
    } else {
        if (o->count)
            putchar('\n');
        explain_print(hit, stdout);
    }
    o->count++;
}

/* All of a stream, at most MAX_LOG bytes. NULL without memory. */
static char *read_stream(FILE *f, size_t *len)
{
    size_t room = 65536, n;
    char *text = malloc(room);

    *len = 0;
    while (text && (n = fread(text + *len, 1, room - *len, f)) > 0) {
        *len += n;
        if (*len < room)
            continue;
        if (room >= MAX_LOG)
            break;
        char *more = realloc(text, room *= 2);
        if (!more)
            free(text);
        text = more;
    }
    return text;
}

static int nothing_known(const struct cli *cli, const char *what, const char *next)
{
    return cli_fail(cli, EXIT_FAILED, "nothing_known",
        "messages of MCUboot, Zephyr, MCUmgr, builds and phone apps about updates are known, SMP codes and errnos",
        next, "%s", what);
}

static int finish(const struct cli *cli, int count)
{
    cli_event(cli, "result", "{s:b, s:i}", "ok", 1, "explained", count);
    return EXIT_DONE;
}

/* A line of a device's console. */
static void put_finding(const struct finding *f, unsigned line, struct output *o)
{
    char text[EXPLAIN_MAX];

    if (o->cli->json) {
        cli_event(o->cli, "console", "{s:i, s:o}", "line", (int)line, "finding", explain_finding_json(f));
    } else {
        printf("%sline %u, from the device: %s\n", o->count ? "\n" : "", line, explain_finding(f, text, sizeof text));
        if (f->reason < REASON_RESET) /* from there on it is news */
            printf("  try: %s\n", explain_next(f->reason));
    }
    o->count++;
}

static void explain_console(const char *text, size_t len, struct output *o)
{
    struct finding f;
    unsigned line = 1;

    for (const char *p = text, *end = text + len, *next; p < end; p = next, line++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        next = lf ? lf + 1 : end;
        if (explain_console_line(p, (size_t)(next - p), &f))
            put_finding(&f, line, o);
    }
}

static int explain_stream(const struct cli *cli, FILE *f, const char *name)
{
    struct output o = { .cli = cli };
    size_t len;
    char what[600];
    char *text = read_stream(f, &len);

    if (!text)
        return cli_fail(cli, EXIT_USAGE, "no_memory", NULL, NULL, "no memory to read %s", name);
    if (ferror(f)) {
        free(text);
        return cli_fail(cli, EXIT_USAGE, "unreadable", strerror(errno), NULL, "cannot read %s", name);
    }
    if (len >= MAX_LOG)
        cli_note(cli, "warning: only the first %d MiB of %s are read", MAX_LOG >> 20, name);
    explain_console(text, len, &o);
    explain_log(text, len, put, &o);
    free(text);
    snprintf(what, sizeof what, "no line of %s is known", name);
    return o.count ? finish(cli, o.count) : nothing_known(cli, what, "slipway doctor DIR, with the project");
}

static int explain_file(const struct cli *cli, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        return cli_fail(cli, EXIT_USAGE, "unreadable", strerror(errno), NULL, "cannot read %s", path);
    int rc = explain_stream(cli, f, path);
    fclose(f);
    return rc;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

/* The arguments with a blank between them: smp 1 8 and "smp 1 8" are the same. */
static char *joined(int argc, char **argv, int from)
{
    size_t room = 1;

    for (int i = from; i < argc; i++)
        room += strlen(argv[i]) + 1;
    char *text = calloc(1, room);
    for (int i = from; text && i < argc; i++) {
        if (i > from)
            strcat(text, " ");
        strcat(text, argv[i]);
    }
    return text;
}

/* A code of Slipway's own findings, as --json and the lines of `slipway sim` have them. 0: it is none. */
static unsigned own_finding(const char *code)
{
    enum { REASONS = 256 };

    for (unsigned i = 1; i < REASONS; i++) {
        if (strcmp(reason_code(i), code) == 0 && strcmp(code, reason_code(UINT16_MAX)) != 0)
            return i;
    }
    return 0;
}

static int explain_finding_code(const struct cli *cli, const char *code, unsigned reason)
{
    if (!cli->json)
        printf("%s (finding %u): %s\n  try: %s\n", code, reason, reason_text(reason), explain_next(reason));
    cli_event(cli, "explanation", "{s:s, s:s, s:[], s:s}", "code", code, "title", reason_text(reason), "causes",
        "action", explain_next(reason));
    return finish(cli, 1);
}

static int explain_text(const struct cli *cli, const char *words)
{
    unsigned own = own_finding(words);
    struct output o = { .cli = cli };
    struct explain_hit hit;
    struct finding f;
    char what[300];

    if (explain_console_line(words, strlen(words), &f)) {
        put_finding(&f, 1, &o);
        return finish(cli, 1);
    }
    if (own)
        return explain_finding_code(cli, words, own);
    if (explain_words(words, &hit)) {
        put(&hit, &o);
        return finish(cli, 1);
    }
    snprintf(what, sizeof what, "\"%.200s\" is neither a file nor a message or code that is known", words);
    return nothing_known(
        cli, what, "slipway explain smp GROUP CODE, -- -ERRNO, or the whole log: slipway explain FILE");
}

static int run(struct cli *cli, int argc, char **argv)
{
    int from = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (from >= argc)
        return cli_usage(cli, &cmd_explain, "what is to be explained?");
    if (from == 1 && argv[1][0] == '-' && argv[1][1] && (argv[1][1] < '0' || argv[1][1] > '9'))
        return cli_usage(cli, &cmd_explain, "unknown option %s", argv[1]);
    if (argc - from == 1 && strcmp(argv[from], "-") == 0)
        return explain_stream(cli, stdin, "standard input");
    if (argc - from == 1 && is_file(argv[from]))
        return explain_file(cli, argv[from]);
    char *words = joined(argc, argv, from);
    int rc = words ? explain_text(cli, words) : cli_fail(cli, EXIT_USAGE, "no_memory", NULL, NULL, "no memory");
    free(words);
    return rc;
}

const struct cli_command cmd_explain = {
    .name = "explain",
    .summary = "what a log, a message or an error code means, and what to do",
    .help = "  slipway explain smp 1 8\n"
            "  minicom -C boot.log; slipway explain boot.log\n\n"
            "  smp GROUP CODE    an SMP error, as a client prints it (img 8, os 2, smp 8 work, too)\n"
            "  -- -2             an errno of a Zephyr log\n"
            "  CODE              a finding of a Slipway device, such as external_flash_absent\n"
            "  \"TEXT\"            a message, such as \"Hash not Found (8)\"\n"
            "  FILE or -         a log; lines \"@slw ...\" are what a Slipway bootloader says\n"
            "Exit status: 0 explained, 1 nothing known, 2 wrong use or unreadable.\n",
    .run = run,
};
