#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/device.h"
#include "host/lib/smp/answer.h"

static int run(struct cli *cli, int argc, char **argv)
{
    struct device d;
    char *reply;

    if (argc != 2)
        return cli_usage(cli, &cmd_echo, "echo takes one TEXT");
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    int64_t sent = smpc_now(&d.c);
    rc = smpc_echo(&d.c, argv[1], &reply);
    long long took = smpc_now(&d.c) - sent;
    answer_clean(argv[1]); /* as the answer was */
    if (rc != OK) {
        rc = device_fail(&d, rc, TOPIC_OTHER, "echo failed");
    } else if (strcmp(reply, argv[1]) != 0) {
        rc = cli_fail(cli, EXIT_DIFFERS, "echo_differs", NULL, "the same command with --log FILE",
            "the device sent back \"%s\" for \"%s\"", reply, argv[1]);
    } else {
        if (!cli->json)
            printf("%s\n", reply);
        cli_event(cli, "result", "{s:b, s:s, s:I}", "ok", 1, "text", reply, "ms", (json_int_t)took);
    }
    free(reply);
    device_close(&d);
    return rc;
}

const struct cli_command cmd_echo = {
    .name = "echo",
    .summary = "send a text and get it back: does the link work?",
    .help = "  slipway echo hello --port /dev/ttyACM0\n"
            "  slipway echo hello --udp 127.0.0.1:1337 -v\n"
            "\n"
            "usage: slipway echo TEXT\n"
            "\n"
            "Prints what came back. Exit status 8 if that is not what was sent.\n",
    .device = true,
    .run = run,
};
