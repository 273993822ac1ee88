/* Walks the arguments of a command: options in any order, `--name VALUE` or `--name=VALUE`. */
#ifndef HOST_CLI_ARGS_H
#define HOST_CLI_ARGS_H

#include "host/cli/cli.h"

struct args {
    const struct cli *cli;
    const struct cli_command *cmd;
    int argc;
    char **argv;
    int at; /* of the argument looked at */
    bool only_operands; /* behind "--" */
    bool wrong; /* a message was printed; the command returns EXIT_USAGE */
};

struct args args_of(const struct cli *cli, const struct cli_command *cmd, int argc, char **argv);
/* Moves to the next argument; false at the end, and after something was wrong. */
bool args_next(struct args *a);
/* The argument itself if it is an operand, else NULL. */
const char *args_operand(const struct args *a);
/* Is it this flag? `brief` is a second spelling or NULL. */
bool args_flag(const struct args *a, const char *name, const char *brief);
/* The value if it is this option, else NULL. A missing value is said and sets `wrong`. */
const char *args_value(struct args *a, const char *name, const char *brief);
/* One more value of the option just found (options with two values). */
const char *args_more(struct args *a, const char *name);
/* Nobody knows the argument: says so. */
void args_unknown(struct args *a);

#endif
