#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/device.h"

static int run(struct cli *cli, int argc, char **argv)
{
    bool recovery = false, force = false;
    struct device d;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--recovery") == 0)
            recovery = true;
        else if (strcmp(argv[i], "--force") == 0)
            force = true;
        else
            return cli_usage(cli, &cmd_reset, "reset does not take %s", argv[i]);
    }
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    rc = smpc_reset(&d.c, recovery, force);
    if (rc == ERR_TIMEOUT) {
        rc = cli_fail(cli, EXIT_TIMEOUT, "no_answer", "It was asked once; it may have reset all the same.",
            "slipway report", "%s did not answer the reset", d.where.name);
    } else if (rc != OK) {
        rc = device_fail(&d, rc, TOPIC_OTHER, "reset of %s", d.where.name);
    } else {
        cli_note(cli, "%s resets%s; slipway report says what it did then", d.where.name,
            recovery ? " and stays in the bootloader's recovery" : "");
        cli_event(cli, "result", "{s:b, s:b}", "ok", 1, "recovery", recovery);
    }
    device_close(&d);
    return rc;
}

const struct cli_command cmd_reset = {
    .name = "reset",
    .summary = "restart the device; a requested image is swapped in then",
    .help = "  slipway reset\n"
            "  slipway reset --recovery --port /dev/ttyACM0\n"
            "\n"
            "usage: slipway reset [--recovery] [--force]\n"
            "\n"
            "  --recovery  stay in the bootloader, which takes an upload over SMP\n"
            "  --force     also when the application says that it is busy\n"
            "\n"
            "It does not wait for the device to come back.\n",
    .device = true,
    .run = run,
};
