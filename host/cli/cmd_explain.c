/* slipway explain: what a log line, a message or a code means, and what to do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/cli/cli.h"
#include "host/cli/commands.h"
#include "host/doctor/explain.h"
#include "host/lib/explain/explain.h"

enum { MAX_LOG = 64 << 20 };

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

static int explain_stream(const struct cli *cli, FILE *f, const char *name)
{
    size_t len;
    char *text = read_stream(f, &len);

    if (!text)
        return cli_fail(cli, EXIT_USAGE, "no_memory", NULL, NULL, "%s is too large to be read", name);
    int n = explain_log(text, len, stdout);
    free(text);
    if (n)
        return EXIT_DONE;
    return cli_fail(cli, EXIT_FAILED, "nothing_known", "MCUboot, Zephyr, MCUmgr and phone app messages about updates are known.",
        "slipway doctor DIR, with the project", "no line of %s is known", name);
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
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

/* A code of Slipway's own findings, as --json and the lines of `slipway sim` have them. */
static bool explain_code(const char *code, FILE *out)
{
    enum { REASONS = 256 };

    for (unsigned i = 1; i < REASONS; i++) {
        if (strcmp(reason_code(i), code) != 0 || strcmp(code, reason_code(UINT16_MAX)) == 0)
            continue;
        fprintf(out, "%s (finding %u): %s\n  try: %s\n", code, i, reason_text(i), explain_next(i));
        return true;
    }
    return false;
}

static int run(struct cli *cli, int argc, char **argv)
{
    int from = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;

    if (from >= argc)
        return cli_usage(cli, &cmd_explain, "what is to be explained?");
    if (argc - from == 1 && strcmp(argv[from], "-") == 0)
        return explain_stream(cli, stdin, "standard input");
    if (argc - from == 1 && is_file(argv[from])) {
        FILE *f = fopen(argv[from], "rb");
        if (!f)
            return cli_fail(cli, EXIT_USAGE, "unreadable", strerror(errno), NULL, "cannot read %s", argv[from]);
        int rc = explain_stream(cli, f, argv[from]);
        fclose(f);
        return rc;
    }
    char *words = joined(argc, argv, from);
    int n = !words ? 0 : explain_code(words, stdout) ? 1 : explain_words(words, stdout);
    int rc = n ? EXIT_DONE
               : cli_fail(cli, EXIT_FAILED, "nothing_known", NULL, "slipway explain smp GROUP CODE, -- -ERRNO, or the whole log",
                     "\"%s\" is neither a file nor a message or code that is known", words ? words : "");
    free(words);
    return rc;
}

const struct cli_command cmd_explain = {
    .name = "explain",
    .summary = "what a log, a message or an error code means, and what to do",
    .help = "  slipway explain smp 1 8\n"
            "  minicom -C boot.log; slipway explain boot.log\n\n"
            "  smp GROUP CODE    an SMP error, as a client prints it\n"
            "  -- -2             an errno of a Zephyr log\n"
            "  CODE              a finding of a Slipway device, such as external_flash_absent\n"
            "  \"TEXT\"            a message, such as \"Hash not Found (8)\"\n"
            "  FILE or -         a log\n"
            "Exit status: 0 explained, 1 nothing known, 2 wrong use or unreadable.\n",
    .run = run,
};
