#include "host/cli/args.h"

#include <string.h>

struct args args_of(const struct cli *cli, const struct cli_command *cmd, int argc, char **argv)
{
    return (struct args) { .cli = cli, .cmd = cmd, .argc = argc, .argv = argv, .at = 0 };
}

bool args_next(struct args *a)
{
    if (a->wrong)
        return false;
    a->at++;
    if (a->at < a->argc && !a->only_operands && strcmp(a->argv[a->at], "--") == 0) {
        a->only_operands = true;
        a->at++;
    }
    return a->at < a->argc;
}

const char *args_operand(const struct args *a)
{
    const char *arg = a->argv[a->at];

    return a->only_operands || arg[0] != '-' || arg[1] == '\0' ? arg : NULL;
}

bool args_flag(const struct args *a, const char *name, const char *brief)
{
    const char *arg = a->argv[a->at];

    return !a->only_operands && (strcmp(arg, name) == 0 || (brief && strcmp(arg, brief) == 0));
}

const char *args_more(struct args *a, const char *name)
{
    if (a->at + 1 >= a->argc) {
        a->wrong = true;
        (void)cli_usage(a->cli, a->cmd, "%s needs a value", name);
        return NULL;
    }
    return a->argv[++a->at];
}

const char *args_value(struct args *a, const char *name, const char *brief)
{
    const char *arg = a->argv[a->at];
    size_t n = strlen(name);

    if (a->only_operands || a->wrong)
        return NULL;
    if (strncmp(arg, name, n) == 0 && arg[n] == '=')
        return arg + n + 1;
    return args_flag(a, name, brief) ? args_more(a, name) : NULL;
}

void args_unknown(struct args *a)
{
    if (a->wrong)
        return;
    a->wrong = true;
    (void)cli_usage(a->cli, a->cmd, args_operand(a) ? "one operand too many: %s" : "unknown option %s",
        a->argv[a->at]);
}
