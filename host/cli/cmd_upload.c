#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/transfer.h"

static int parse(struct cli *cli, int argc, char **argv, struct transfer *t)
{
    for (int i = 1; i < argc; i++) {
        char *end = "";
        if (strcmp(argv[i], "--restart") == 0)
            t->restart = true;
        else if (strcmp(argv[i], "--force") == 0)
            t->force = true;
        else if (strcmp(argv[i], "--image") == 0 && i + 1 < argc) {
            unsigned long n = strtoul(argv[++i], &end, 10);
            if (*argv[i] == '\0' || *end || n > 3)
                return cli_usage(cli, &cmd_upload, "--image takes a number from 0 to 3, not %s", argv[i]);
            t->image = (unsigned)n;
        } else if (argv[i][0] == '-' && argv[i][1])
            return cli_usage(cli, &cmd_upload, "upload does not take %s", argv[i]);
        else if (t->path)
            return cli_usage(cli, &cmd_upload, "upload takes one FILE, not %s as well", argv[i]);
        else
            t->path = argv[i];
    }
    return t->path ? EXIT_DONE : cli_usage(cli, &cmd_upload, "upload wants a FILE");
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct transfer t = { .slot = -1 };
    struct device d;

    int rc = parse(cli, argc, argv, &t);
    if (rc == EXIT_DONE)
        rc = transfer_read(cli, &t);
    if (rc != EXIT_DONE)
        return rc;
    rc = device_open(&d, cli);
    if (rc == EXIT_DONE) {
        rc = transfer_check(&d, &t);
        if (rc == EXIT_DONE)
            rc = transfer_send(&d, &t);
        device_close(&d);
    }
    if (rc == EXIT_DONE) {
        cli_note(cli, "next: slipway test (then slipway reset), or slipway update FILE for all of it");
        cli_event(cli, "result", "{s:b, s:s, s:s, s:i}", "ok", 1, "version", t.file.version, "hash",
            t.file.hash, "slot", t.slot < 0 ? 1 : t.slot);
    }
    transfer_free(&t);
    return rc;
}

const struct cli_command cmd_upload = {
    .name = "upload",
    .summary = "send a signed image to slot 1; goes on where an earlier upload stopped",
    .help = "  slipway upload app.signed.bin\n"
            "  slipway upload app.signed.bin --port /dev/ttyACM0 --baud 1000000\n"
            "\n"
            "usage: slipway upload FILE [--image N] [--restart] [--force]\n"
            "\n"
            "  --image N   image number, for devices with several (default 0)\n"
            "  --restart   erase slot 1 first instead of going on with an earlier upload\n"
            "  --force     send FILE although a check here fails; the device decides\n"
            "\n"
            "Before anything is sent, FILE is checked: header, hash, signature there, layout, size against\n"
            "the slot and the room to swap. The device verifies it again before its last answer.\n",
    .device = true,
    .run = run,
};
