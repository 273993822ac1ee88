#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/device.h"

static int parse_slot(const char *text)
{
    char *end;
    long slot = strtol(text, &end, 10);

    return *text && *end == '\0' && slot >= 0 && slot < 16 ? (int)slot : -1;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct device d;
    int slot = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--slot") != 0 || i + 1 >= argc)
            return cli_usage(cli, &cmd_erase, strcmp(argv[i], "--slot") ? "erase does not take %s" : "%s needs a number",
                argv[i]);
        slot = parse_slot(argv[++i]);
        if (slot < 0)
            return cli_usage(cli, &cmd_erase, "%s is not a slot", argv[i]);
    }
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    cli_note(cli, "erasing slot %d; some devices need half a minute for it", slot);
    int64_t start = smpc_now(&d.c);
    rc = smpc_slot_erase(&d.c, slot);
    if (rc != OK) {
        rc = device_fail(&d, rc, slot == 1 ? TOPIC_STATE : TOPIC_OTHER, "slot %d was not erased", slot);
    } else {
        long long took = smpc_now(&d.c) - start;
        cli_note(cli, "slot %d is erased (%lld ms)", slot, took);
        cli_event(cli, "result", "{s:b, s:i, s:I}", "ok", 1, "slot", slot, "ms", (json_int_t)took);
    }
    device_close(&d);
    return rc;
}

const struct cli_command cmd_erase = {
    .name = "erase",
    .summary = "erase slot 1, or another slot that is not in use",
    .help = "  slipway erase\n"
            "  slipway erase --slot 1 --udp 127.0.0.1\n"
            "\n"
            "usage: slipway erase [--slot N]\n"
            "\n"
            "The device refuses to erase the slot whose image runs, and the only copy of the old image\n"
            "while a new one is on trial.\n",
    .device = true,
    .run = run,
};
