/* `slipway`: finds the command, takes out the options that all commands share, runs it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/cli.h"
#include "host/cli/commands.h"

#define SLIPWAY_VERSION "0.1.0"

const struct cli_command *const cli_commands[] = {
    &cmd_keygen,
    &cmd_pubkey,
    &cmd_sign,
    &cmd_verify,
    &cmd_inspect,
    &cmd_layout,
    &cmd_info,
    &cmd_report,
    &cmd_list,
    &cmd_upload,
    &cmd_test,
    &cmd_confirm,
    &cmd_erase,
    &cmd_reset,
    &cmd_echo,
    &cmd_update,
    &cmd_sim,
    &cmd_demo,
    &cmd_board,
    &cmd_doctor,
    &cmd_explain,
    NULL,
};

static const struct cli_command *find(const char *name)
{
    for (const struct cli_command *const *c = cli_commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    return NULL;
}

static void print_overview(FILE *out)
{
    fprintf(out, "usage: slipway COMMAND [OPTION]...\n\n"
                 "Firmware update for nRF52840 boards whose second image slot lies in external flash.\n"
                 "Try it without a board: slipway demo\n\n");
    for (const struct cli_command *const *c = cli_commands; *c; c++)
        fprintf(out, "  %-9s %s\n", (*c)->name, (*c)->summary);
    fprintf(out,
        "\nOptions of every command:\n"
        "  --json           stdout is JSON lines, the last one has \"event\":\"result\"\n"
        "  -q               no narration on stderr\n"
        "  -v, -vv          more of it\n"
        "  --color WHEN     auto, always or never (NO_COLOR is respected)\n"
        "  --log FILE       append every frame sent and received to FILE\n"
        "  --version        print the version\n"
        "Options of commands that talk to a device (or set SLIPWAY_DEVICE=/dev/... or udp:HOST:PORT):\n"
        "  --port DEV [--baud 115200] [--raw]   a serial port, console framing or raw\n"
        "  --udp HOST[:1337]                    UDP\n"
        "\nslipway help COMMAND shows one command. Exit status: 0 done, 1 failed, 2 usage, 3 file or\n"
        "format bad, 4 does not verify, 5 no device, 6 timeout, 7 refused by the device, 8 done but not\n"
        "as asked, 130 interrupted.\n");
}

static int help(const char *name)
{
    if (!name) {
        print_overview(stdout);
        return EXIT_DONE;
    }
    const struct cli_command *cmd = find(name);
    if (!cmd) {
        fprintf(stderr, "error: no command %s\n  try: slipway help\n", name);
        return EXIT_USAGE;
    }
    printf("slipway %s: %s\n\n%s", cmd->name, cmd->summary, cmd->help);
    return EXIT_DONE;
}

struct parser {
    struct cli *cli;
    int argc;
    char **argv;
    int at;
    const char *color;
    bool help;
};

/* The value of an option that takes one, as `--x V` or `--x=V`; NULL if argv[at] is not that option. */
static const char *option_value(struct parser *p, const char *name, bool *missing)
{
    const char *arg = p->argv[p->at];
    size_t n = strlen(name);

    if (strncmp(arg, name, n) != 0 || (arg[n] != '\0' && arg[n] != '='))
        return NULL;
    if (arg[n] == '=')
        return arg + n + 1;
    if (p->at + 1 >= p->argc) {
        (void)cli_fail(p->cli, EXIT_USAGE, "usage", NULL, "slipway help", "%s needs a value", name);
        *missing = true;
        return NULL;
    }
    return p->argv[++p->at];
}

/* Takes argv[at] if it is an option of all commands. 1: taken, 0: not ours, -1: wrong use. */
static int take_common(struct parser *p, bool device)
{
    struct cli *cli = p->cli;
    const char *arg = p->argv[p->at], *v;
    bool missing = false;

    if (strcmp(arg, "--json") == 0)
        cli->json = true;
    else if (strcmp(arg, "-q") == 0 || strcmp(arg, "--quiet") == 0)
        cli->quiet = true;
    else if (strcmp(arg, "-v") == 0 || strcmp(arg, "--verbose") == 0)
        cli->verbose++;
    else if (strcmp(arg, "-vv") == 0)
        cli->verbose += 2;
    else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
        p->help = true;
    else if ((v = option_value(p, "--color", &missing)))
        p->color = v;
    else if (!missing && (v = option_value(p, "--log", &missing))) {
        cli->log = fopen(v, "a");
        if (!cli->log) {
            (void)cli_fail(cli, EXIT_USAGE, "usage", strerror(errno), NULL, "cannot open the log %s", v);
            return -1;
        }
    } else if (device && !missing && (v = option_value(p, "--port", &missing)))
        cli->port = v;
    else if (device && !missing && (v = option_value(p, "--baud", &missing)))
        cli->baud = v;
    else if (device && !missing && (v = option_value(p, "--udp", &missing)))
        cli->udp = v;
    else if (device && strcmp(arg, "--raw") == 0)
        cli->raw = true;
    else
        return missing ? -1 : 0;
    return 1;
}

static int decide_color(struct cli *cli, const char *when)
{
    const char *no_color = getenv("NO_COLOR");

    if (!when || strcmp(when, "auto") == 0)
        cli->color = isatty(STDOUT_FILENO) && !(no_color && *no_color);
    else if (strcmp(when, "always") == 0)
        cli->color = true;
    else if (strcmp(when, "never") == 0)
        cli->ascii = true;
    else
        return cli_fail(cli, EXIT_USAGE, "usage", NULL, NULL, "--color is auto, always or never, not %s", when);
    return EXIT_DONE;
}

/* Options before the command: those of all commands, --version and --help. Index of the command or -1. */
static int find_command(struct parser *p)
{
    for (p->at = 1; p->at < p->argc; p->at++) {
        const char *arg = p->argv[p->at];
        if (arg[0] != '-')
            return p->at;
        if (strcmp(arg, "--version") == 0) {
            printf("slipway %s\n", SLIPWAY_VERSION);
            exit(EXIT_DONE);
        }
        int took = take_common(p, true);
        if (took <= 0) {
            if (took == 0)
                (void)cli_fail(p->cli, EXIT_USAGE, "usage", NULL, "slipway help", "unknown option %s", arg);
            exit(EXIT_USAGE);
        }
    }
    return -1;
}

/* Looked for before all else is parsed, so that a wrong use is told as it was asked to be. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    struct cli cli = { .json = wants_json(argc, argv) };
    struct parser p = { .cli = &cli, .argc = argc, .argv = argv };

    signal(SIGPIPE, SIG_IGN);
    int at = find_command(&p);
    if (at < 0) {
        print_overview(p.help ? stdout : stderr);
        return p.help ? EXIT_DONE : cli_fail(&cli, EXIT_USAGE, "usage", NULL, "slipway help", "which command?");
    }
    if (strcmp(argv[at], "help") == 0)
        return help(at + 1 < argc ? argv[at + 1] : NULL);
    const struct cli_command *cmd = find(argv[at]);
    if (!cmd)
        return cli_fail(&cli, EXIT_USAGE, "usage", NULL, "slipway help", "no command %s", argv[at]);

    char **rest = calloc((size_t)argc + 1, sizeof *rest);
    if (!rest)
        return EXIT_FAILED;
    int n = 0;
    rest[n++] = argv[at];
    bool only_operands = false;
    int rc = EXIT_DONE;
    for (p.at = at + 1; p.at < argc && rc == EXIT_DONE; p.at++) {
        if (strcmp(argv[p.at], "--") == 0)
            only_operands = true;
        int took = only_operands ? 0 : take_common(&p, cmd->device);
        if (took < 0)
            rc = EXIT_USAGE;
        else if (took == 0)
            rest[n++] = argv[p.at];
    }
    if (rc == EXIT_DONE)
        rc = p.help ? help(cmd->name) : decide_color(&cli, p.color);
    if (rc == EXIT_DONE && !p.help)
        rc = cmd->run(&cli, n, rest);
    free(rest);
    if (cli.log)
        fclose(cli.log);
    return rc;
}
