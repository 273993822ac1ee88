#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/target.h"

/* The one image that does not run; NULL with *rc if there is none, or several. */
static const struct smpc_image *only_candidate(struct device *d, const struct smpc_images *list, int *rc)
{
    const struct smpc_image *found = NULL;
    struct finding f;
    unsigned n = 0;

    for (unsigned i = 0; i < list->count; i++) {
        if (!list->image[i].active && *list->image[i].hash) {
            found = &list->image[i];
            n++;
        }
    }
    if (n == 1)
        return found;
    if (n == 0 && device_slot_wrong(d, 1, &f) && f.reason != REASON_IMG_NONE)
        *rc = device_fail_finding(d, EXIT_REFUSED, &f, "there is nothing to test in slot 1");
    else if (n == 0 && device_layouts_differ(d, &f))
        *rc = device_fail_finding(d, EXIT_REFUSED, &f, "there is nothing to test");
    else if (n == 0)
        *rc = device_fail_state(d, EXIT_FAILED, "nothing_to_test", NULL, "slipway upload FILE, then slipway test",
            "there is no image to test beside the one that runs");
    else
        *rc = device_fail_state(d, EXIT_FAILED, "several_images", NULL, "slipway test HASH",
            "there are %u images that could be tested", n);
    return NULL;
}

static bool is_pending(const struct smpc_images *list, const char *hash)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (strcmp(list->image[i].hash, hash) == 0 && list->image[i].pending)
            return true;
    }
    return false;
}

static int request(struct device *d, const struct smpc_image *im)
{
    struct smpc_images after;
    int rc = smpc_image_request(&d->c, im->hash, false, &after);

    device_forget(d);
    if (rc != OK)
        return device_fail(d, rc, TOPIC_STATE, "test of %s in slot %u", im->version, im->slot);
    if (!is_pending(&after, im->hash))
        return device_fail_state(d, EXIT_DIFFERS, "not_pending", NULL, "slipway report",
            "the device accepted the test of %s but does not show it as pending", im->version);
    cli_note(d->cli, "%s in slot %u is tried at the next start; if it is not confirmed then, it is reverted\n"
                     "next: slipway reset", im->version, im->slot);
    cli_event(d->cli, "result", "{s:b, s:s, s:s, s:i}", "ok", 1, "version", im->version, "hash", im->hash,
        "slot", (int)im->slot);
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct target_verb verb = { &cmd_test, only_candidate, request };

    return target_run(cli, &verb, argc, argv);
}

const struct cli_command cmd_test = {
    .name = "test",
    .summary = "ask for an image to be tried at the next start",
    .help = "  slipway test\n"
            "  slipway test app.signed.bin --udp 127.0.0.1\n"
            "\n"
            "usage: slipway test [HASH|FILE]\n"
            "\n"
            "HASH is the image's hash as `slipway list` shows it, its first 6 digits or more; of FILE the\n"
            "hash is read. Without either the one image that does not run is meant. After the next\n"
            "reset it runs on trial: unless it is confirmed, the start after that puts the old one back.\n",
    .device = true,
    .run = run,
};
