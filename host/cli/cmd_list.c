#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/device.h"
#include "host/lib/smp/answer.h"

/* The entry of group 64's slots for an image of the list, or NULL. */
static const json_t *detail_of(const struct device *d, unsigned slot)
{
    const json_t *entry;
    size_t i;

    json_array_foreach(answer_list(d->slots, "slots"), i, entry) {
        if (answer_int(entry, "slot", -1) == (json_int_t)slot)
            return entry;
    }
    return NULL;
}

static void print_flags(const struct smpc_image *im)
{
    const char *sep = "  ";
    const struct {
        bool set;
        const char *name;
    } flags[] = { { im->active, "active" }, { im->confirmed, "confirmed" },
        { im->active && !im->confirmed, "on trial" }, { im->pending, "pending" },
        { im->permanent, "permanent" } };

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (flags[i].set) {
            printf("%s%s", sep, flags[i].name);
            sep = ", ";
        }
    }
}

/* All but the state of a line of the list. `image` is group 64's, or NULL. */
static void print_row(const struct device *d, unsigned slot, const char *version, const char *hash,
    const json_t *image)
{
    char size[24] = "-";

    if (json_is_object(image))
        snprintf(size, sizeof size, "%lld", (long long)answer_int(image, "size", 0));
    printf("%-4u  %-14s  %8s  %-*.*s", slot, version, size, SHORT_HASH,
        d->cli->verbose ? SMPC_HASH_TEXT_MAX : SHORT_HASH, *hash ? hash : "-");
}

static void print_image(const struct device *d, const struct smpc_image *im)
{
    print_row(d, im->slot, im->version, im->hash, json_object_get(detail_of(d, im->slot), "image"));
    print_flags(im);
    putchar('\n');
}

/* A slot that the standard list leaves out. */
static void print_unlisted(const struct device *d, unsigned slot, const json_t *entry, bool unreadable)
{
    const json_t *image = json_object_get(entry, "image");

    if (!json_is_object(image)) {
        printf("%-4u  %s\n", slot, unreadable ? "cannot be read" : "no image");
        return;
    }
    print_row(d, slot, answer_text(image, "v", "?"), answer_text(image, "hash", ""), image);
    puts("  DOES NOT VERIFY");
}

static bool is_listed(const struct smpc_images *list, unsigned slot)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->image[i].slot == slot)
            return true;
    }
    return false;
}

static void print_listed(const struct device *d, const struct smpc_images *list, unsigned slot)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->image[i].slot == slot)
            print_image(d, &list->image[i]);
    }
}

/* By group 64, in its order: slots that the standard list leaves out too, and what is wrong with each. */
static void print_slots(const struct device *d, const struct smpc_images *list)
{
    char text[EXPLAIN_MAX];
    const json_t *entry;
    struct finding f;
    size_t i;

    json_array_foreach(answer_list(d->slots, "slots"), i, entry) {
        unsigned slot = (unsigned)answer_int(entry, "slot", 0);
        bool wrong = explain_take_finding(json_object_get(entry, "why"), &f);
        if (is_listed(list, slot))
            print_listed(d, list, slot);
        else
            print_unlisted(d, slot, entry, wrong && f.reason < REASON_IMG_NONE);
        f.slot = FINDING_NO_SLOT; /* the line says it */
        if (wrong)
            printf("      %s\n", explain_finding(&f, text, sizeof text));
    }
}

static void send_events(struct device *d)
{
    json_t *all = device_state_json(d), *entry;
    size_t i;

    json_array_foreach(all, i, entry)
        cli_event(d->cli, "slot", "O", entry);
    json_decref(all);
}

static int run(struct cli *cli, int argc, char **argv)
{
    char text[EXPLAIN_MAX];
    struct smpc_images list;
    struct finding f;
    struct device d;

    if (argc != 1)
        return cli_usage(cli, &cmd_list, "list does not take %s", argv[1]);
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    rc = smpc_images_read(&d.c, &list);
    if (rc != OK) {
        rc = device_fail(&d, rc, TOPIC_OTHER, "the images cannot be listed");
        device_close(&d);
        return rc;
    }
    bool ours = device_ask(&d, SLIPWAY_SLOTS);
    if (cli->json) {
        send_events(&d);
        cli_event(cli, "result", "{s:b, s:i}", "ok", 1, "images", (int)list.count);
    } else {
        printf("slot  version             size  %-*s  state\n", SHORT_HASH, "hash");
        for (unsigned i = 0; !ours && i < list.count; i++)
            print_image(&d, &list.image[i]);
        print_slots(&d, &list);
        if (device_layouts_differ(&d, &f))
            printf("      %s\n", explain_finding(&f, text, sizeof text));
    }
    device_close(&d);
    return EXIT_DONE;
}

const struct cli_command cmd_list = {
    .name = "list",
    .summary = "the images in the slots, their versions, hashes and states",
    .help = "  slipway list\n"
            "  slipway list -v --udp 127.0.0.1    (whole hashes)\n"
            "\n"
            "usage: slipway list\n"
            "\n"
            "A slot without an image that can be read is listed with the reason, if the device has\n"
            "Slipway's group 64.\n",
    .device = true,
    .run = run,
};
