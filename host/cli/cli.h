/*
 * The frame of the command `slipway`: one file per command, this header is all they share.
 *
 * A command returns an exit code. It writes its result to stdout through nothing but printf (or
 * cli_event() under --json) and narrates to stderr through cli_note() and cli_fail().
 */
#ifndef HOST_CLI_CLI_H
#define HOST_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

/* Exit codes: a contract with scripts, never renumbered. */
enum {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_FILE = 3, /* file or format bad */
    EXIT_VERIFY = 4, /* hash or signature does not verify */
    EXIT_NODEVICE = 5, /* no device or cannot connect */
    EXIT_TIMEOUT = 6,
    EXIT_REFUSED = 7, /* refused by the device */
    EXIT_DIFFERS = 8, /* done but not as asked: the old version runs, contents differ */
    EXIT_INTERRUPTED = 130,
};

/* What the options that every command has were set to. */
struct cli {
    bool json;
    bool quiet;
    int verbose; /* 0, 1, 2 */
    bool color; /* decided from --color, NO_COLOR and the terminal */
    bool ascii; /* --color never: pictures without line-drawing characters, too */
    FILE *log; /* --log FILE, or NULL */
    const char *port; /* --port, or NULL */
    const char *baud; /* --baud, or NULL */
    bool raw; /* --raw */
    const char *udp; /* --udp HOST[:PORT], or NULL (a command with a server reads it itself) */
};

struct cli_command {
    const char *name;
    const char *summary; /* one line, for `slipway help` */
    const char *help; /* starts with two examples */
    bool device; /* takes --port, --baud, --raw, --udp */
    /* argv[0] is the command's name; the options common to all are already taken out. */
    int (*run)(struct cli *cli, int argc, char **argv);
};

/* Every command, in the order of `slipway help`; ends with a NULL name. Assembled in main.c. */
extern const struct cli_command *const cli_commands[];

/*
 * Narration: one line to stderr, unless -q. Errors are printed by cli_fail() even then.
 *
 * cli_fail() prints
 *     error: WHAT
 *       WHY, the state now
 *       try: NEXT
 * with `why` and `next` left out where NULL, and under --json the result event
 *     {"event":"result","ok":false,"code":CODE,"message":WHAT,"detail":WHY,"next":NEXT}
 * and returns `exit_code`. CODE is a short name for scripts, like "external_flash_absent".
 */
void cli_note(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_debug(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int cli_fail(const struct cli *cli, int exit_code, const char *code, const char *why,
    const char *next, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/*
 * cli_fail() with more members for the result event, a JSON object that it takes over (or NULL): what
 * was found, what was expected, the state of the slots.
 */
struct json_t;
int cli_fail_more(const struct cli *cli, int exit_code, const char *code, const char *why,
    const char *next, struct json_t *more, const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* A wrong use of a command: prints it with a pointer to `slipway help NAME`, returns EXIT_USAGE. */
int cli_usage(const struct cli *cli, const struct cli_command *cmd, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * One JSON line on stdout if --json, else nothing. `fmt` and its arguments are those of jansson's
 * json_pack() and give the object's members after "event": cli_event(cli, "slot", "{s:i}", "slot", 1).
 */
void cli_event(const struct cli *cli, const char *event, const char *fmt, ...);

/*
 * Progress of a long operation on stderr: a bar on a terminal, else a line per 10 %. Under --json an
 * event "progress" {"done","total"} per 10 %. Call with done == total to finish it.
 */
struct cli_progress {
    const struct cli *cli;
    const char *what;
    long total;
    long start; /* where it began (a resumed upload) */
    double started; /* seconds, monotonic */
    int last_percent;
    double last_drawn;
};
void cli_progress_begin(struct cli_progress *p, const struct cli *cli, const char *what, long done, long total);
void cli_progress(struct cli_progress *p, long done);
void cli_progress_end(struct cli_progress *p, bool ok);

#endif
