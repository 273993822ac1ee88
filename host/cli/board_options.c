/* See board_options.h. */
#include "host/cli/board_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"

static int check_cut(struct board_options *o, const struct cli *cli)
{
    static const char *const names[] = { "none", "all", "half", "bits" };
    char *end;
    errno = 0;
    o->cut_at = strtoull(o->cut, &end, 10);
    o->tear = TEAR_NONE;
    bool number = end != o->cut && o->cut_at && !errno && o->cut[0] >= '0' && o->cut[0] <= '9';
    if (number && *end == '\0')
        return EXIT_DONE;
    for (unsigned i = 0; number && *end == ':' && i < 4; i++) {
        if (strcmp(end + 1, names[i]) == 0) {
            o->tear = (enum board_tear)i;
            return EXIT_DONE;
        }
    }
    return cli_usage(cli, &cmd_board, "--cut is N or N:none, N:all, N:half, N:bits with N from 1, not %s", o->cut);
}

static int check_fault(struct board_options *o, const struct cli *cli)
{
    static const char *const names[] = { "busy", "ones", "zeros", "bad-program", "bad-erase" };
    const char *kind = strncmp(o->fault_text, "external:", 9) ? "" : o->fault_text + 9, *at = strchr(kind, '@');
    size_t n = at ? (size_t)(at - kind) : strlen(kind);
    char *end = NULL;
    errno = 0;
    o->fault_at = at ? strtoull(at + 1, &end, 10) : 0;
    bool number = !at || (at[1] >= '0' && at[1] <= '9' && *end == '\0' && o->fault_at && !errno);
    for (unsigned i = 0; number && i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == n && strncmp(names[i], kind, n) == 0) {
            o->fault = (enum board_chip_fault)(CHIP_BUSY + i);
            return EXIT_DONE;
        }
    }
    return cli_usage(cli, &cmd_board, "--fault is external:KIND or external:KIND@N with N from 1, KIND one of busy, ones, zeros, "
        "bad-program, bad-erase, not %s", o->fault_text);
}

static int check_gdb(struct board_options *o, const struct cli *cli)
{
    char *end;
    unsigned long port = strtoul(o->gdb, &end, 10);
    if (o->gdb[0] < '0' || o->gdb[0] > '9' || *end || port < 1 || port > 65535)
        return cli_usage(cli, &cmd_board, "--gdb is a port from 1 to 65535, not %s", o->gdb);
    o->gdb_port = (unsigned)port;
    return EXIT_DONE;
}

static int check_for(struct board_options *o, const struct cli *cli)
{
    char *end;
    o->seconds = strtod(o->for_text, &end);
    if (*end || end == o->for_text || !(o->seconds >= 0) || o->seconds > 1e9)
        return cli_usage(cli, &cmd_board, "--for is a number of seconds from 0 to 1e9, not %s", o->for_text);
    return EXIT_DONE;
}

static int check(struct board_options *o, const struct cli *cli)
{
    int rc = EXIT_DONE;
    if (o->for_text)
        rc = check_for(o, cli);
    if (!rc && o->pace && strcmp(o->pace, "real") && strcmp(o->pace, "max"))
        return cli_usage(cli, &cmd_board, "--pace is real or max, not %s", o->pace);
    if (!rc && o->vbus && strcmp(o->vbus, "on") && strcmp(o->vbus, "off"))
        return cli_usage(cli, &cmd_board, "--vbus is on or off, not %s", o->vbus);
    if (!rc && o->usb0 && o->vbus && strcmp(o->vbus, "on"))
        return cli_usage(cli, &cmd_board, "--usb0 plugs the board into a computer, which powers it: not with --vbus off");
    if (!rc && o->usb0 && o->uart0 && !strcmp(o->usb0, "stdio") && !strcmp(o->uart0, "stdio"))
        return cli_usage(cli, &cmd_board, "--uart0 and --usb0 cannot both be stdio");
    if (!rc && o->until && (!*o->until || strlen(o->until) >= BOARD_UNTIL_MAX))
        return cli_usage(cli, &cmd_board, "--until takes a text of 1 to %d characters", BOARD_UNTIL_MAX - 1);
    if (!rc && o->gdb)
        rc = check_gdb(o, cli);
    if (!rc && o->fault_text)
        rc = check_fault(o, cli);
    if (!rc && !o->files && !o->internal)
        return cli_usage(cli, &cmd_board, "nothing to run: give --hex FILE, --bin FILE@ADDRESS or --internal FILE");
    return !rc && o->cut ? check_cut(o, cli) : rc;
}

static int add_file(struct board_options *o, const struct cli *cli, const char *arg, bool hex)
{
    if (o->files == BOARD_FILES_MAX)
        return cli_usage(cli, &cmd_board, "at most %d files with --hex and --bin", BOARD_FILES_MAX);
    o->file[o->files++] = (struct board_file){ arg, hex };
    return EXIT_DONE;
}

/* One argument; EXIT_USAGE if it is none of ours. */
static int take(struct board_options *o, struct args *a)
{
    const struct {
        const char *name;
        const char **to;
    } plain[] = {
        { "--board", &o->board }, { "--uart0", &o->uart0 }, { "--usb0", &o->usb0 },
        { "--vbus", &o->vbus }, { "--internal", &o->internal },
        { "--external", &o->external }, { "--for", &o->for_text }, { "--until", &o->until }, { "--input", &o->input },
        { "--pace", &o->pace }, { "--gdb", &o->gdb }, { "--cut", &o->cut }, { "--trace", &o->trace },
        { "--fault", &o->fault_text },
    };
    const char *v;
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if ((v = args_value(a, plain[i].name, NULL))) {
            *plain[i].to = v;
            return EXIT_DONE;
        }
    }
    if ((v = args_value(a, "--hex", NULL)))
        return add_file(o, a->cli, v, true);
    if ((v = args_value(a, "--bin", NULL)))
        return add_file(o, a->cli, v, false);
    if (!a->wrong && args_flag(a, "--stats", NULL)) {
        o->stats = true;
        return EXIT_DONE;
    }
    args_unknown(a);
    return EXIT_USAGE;
}

int board_options_read(struct board_options *o, const struct cli *cli, int argc, char **argv)
{
    *o = (struct board_options){ .seconds = -1 };
    if (argc < 2 || strcmp(argv[1], "run"))
        return cli_usage(cli, &cmd_board, "what to do with a board: run");
    struct args a = args_of(cli, &cmd_board, argc - 1, argv + 1);
    while (args_next(&a)) {
        int rc = take(o, &a);
        if (rc)
            return rc;
    }
    return a.wrong ? EXIT_USAGE : check(o, cli);
}
