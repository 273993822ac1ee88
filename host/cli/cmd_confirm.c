#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/target.h"

static const struct smpc_image *find_active(const struct smpc_images *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->image[i].active)
            return &list->image[i];
    }
    return NULL;
}

/* Nothing named: the running image if it is on trial, or is confirmed already; else the pending one. */
static const struct smpc_image *candidate(struct device *d, const struct smpc_images *list, int *rc)
{
    const struct smpc_image *active = find_active(list), *pending = NULL;

    for (unsigned i = 0; i < list->count; i++) {
        if (list->image[i].pending && !list->image[i].active)
            pending = &list->image[i];
    }
    if (active && !(active->confirmed && pending))
        return active;
    *rc = device_fail_state(d, EXIT_FAILED, pending ? "several_images" : "nothing_to_confirm", NULL,
        pending ? "slipway confirm HASH (installs it for good), or slipway reset (tries it first)" : "slipway list",
        pending ? "the running image is confirmed already, and another is pending: which is meant?"
                : "the device lists no running image");
    return NULL;
}

static bool is_done(const struct smpc_images *list, const char *hash)
{
    for (unsigned i = 0; i < list->count; i++) {
        const struct smpc_image *im = &list->image[i];
        if (strcmp(im->hash, hash) == 0 && (im->active ? im->confirmed : im->permanent || im->confirmed))
            return true;
    }
    return false;
}

static int request(struct device *d, const struct smpc_image *im)
{
    struct smpc_images after;
    bool was = im->active && im->confirmed;
    int rc = smpc_image_request(&d->c, im->active ? NULL : im->hash, true, &after);

    device_forget(d);
    if (rc != OK)
        return device_fail(d, rc, TOPIC_STATE, "confirm of %s in slot %u", im->version, im->slot);
    if (!is_done(&after, im->hash))
        return device_fail_state(d, EXIT_DIFFERS, "not_confirmed", NULL, "slipway report",
            "the device accepted the confirm of %s but does not show it", im->version);
    if (im->active)
        cli_note(d->cli, "%s, which runs, is confirmed%s", im->version, was ? " (it was before)" : "");
    else
        cli_note(d->cli, "%s in slot %u is installed for good at the next start, without a trial\n"
                         "next: slipway reset", im->version, im->slot);
    cli_event(d->cli, "result", "{s:b, s:s, s:s, s:i, s:b}", "ok", 1, "version", im->version, "hash", im->hash,
        "slot", (int)im->slot, "running", im->active);
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    static const struct target_verb verb = { &cmd_confirm, candidate, request };

    return target_run(cli, &verb, argc, argv);
}

const struct cli_command cmd_confirm = {
    .name = "confirm",
    .summary = "keep the image that runs on trial, or install one for good",
    .help = "  slipway confirm\n"
            "  slipway confirm app.signed.bin --udp 127.0.0.1\n"
            "\n"
            "usage: slipway confirm [HASH|FILE]\n"
            "\n"
            "Without HASH or FILE the running image is meant. An image that does not run yet is put in\n"
            "at the next start without a trial: if it fails, nothing puts the old one back by itself.\n",
    .device = true,
    .run = run,
};
