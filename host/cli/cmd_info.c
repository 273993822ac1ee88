#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/device.h"
#include "host/lib/smp/answer.h"

static void line(const struct cli *cli, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void line(const struct cli *cli, const char *name, const char *fmt, ...)
{
    va_list ap;

    if (cli->json)
        return;
    printf("%-12s ", name);
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
    putchar('\n');
}

static void show_link(struct device *d)
{
    const struct smpc *c = &d->c;

    line(d->cli, "device", "%s, SMP v%d, %u buffer%s of %u bytes%s", d->where.name, c->version + 1,
        c->buf_count, c->buf_count == 1 ? "" : "s", c->buf_size, c->has_params ? "" : " (a guess)");
    cli_event(d->cli, "device", "{s:s, s:i, s:i, s:i}", "name", d->where.name, "smp", c->version + 1,
        "buf_size", (int)c->buf_size, "buf_count", (int)c->buf_count);
}

static int show_running(struct device *d)
{
    struct smpc_images list;
    int rc = smpc_images_read(&d->c, &list);

    if (rc != OK && rc != SMPC_REFUSED)
        return rc;
    for (unsigned i = 0; i < list.count; i++) {
        const struct smpc_image *im = &list.image[i];
        if (!im->active)
            continue;
        line(d->cli, "running", "%s from slot %u, %s", im->version, im->slot,
            im->confirmed ? "confirmed" : "on trial: it is reverted unless it is confirmed");
        cli_event(d->cli, "running", "{s:s, s:i, s:b, s:s}", "version", im->version, "slot", (int)im->slot,
            "confirmed", im->confirmed, "hash", im->hash);
    }
    return OK;
}

static int show_system(struct device *d)
{
    json_t *answer, *mode = NULL;
    int rc = smpc_os_info(&d->c, "a", &answer);

    if (rc == OK) {
        line(d->cli, "system", "%s", answer_text(answer, "output", "?"));
        cli_event(d->cli, "system", "{s:s}", "text", answer_text(answer, "output", ""));
    }
    json_decref(answer);
    if (rc != OK && rc != SMPC_REFUSED)
        return rc;
    rc = smpc_bootloader(&d->c, NULL, &answer);
    if (rc == OK && smpc_bootloader(&d->c, "mode", &mode) != OK)
        mode = NULL;
    if (rc == OK) {
        const char *name = answer_text(answer, "bootloader", "?");
        line(d->cli, "bootloader", "answers as %s, mode %lld", name, (long long)answer_int(mode, "mode", -1));
        cli_event(d->cli, "bootloader", "{s:s, s:I}", "name", name, "mode", answer_int(mode, "mode", -1));
    }
    json_decref(answer);
    json_decref(mode);
    return rc == SMPC_REFUSED ? OK : rc;
}

static void show_parts(const struct device *d)
{
    const json_t *part;
    size_t i;

    if (d->cli->json)
        return;
    json_array_foreach(answer_list(d->layout, "parts"), i, part)
        printf("  %-10s %-8s  0x%06llx  %5lld KiB\n", answer_text(part, "name", "?"),
            answer_text(part, "chip", "?"), (long long)answer_int(part, "off", 0),
            (long long)answer_int(part, "size", 0) / 1024);
}

static void show_layout(struct device *d)
{
    if (!device_ask(d, SLIPWAY_LAYOUT))
        return;
    const json_t *l = d->layout;
    uint32_t app = (uint32_t)answer_int(l, "hash", 0), boot = (uint32_t)answer_int(l, "boot", 0);
    json_int_t max = answer_int(l, "max", 0);

    line(d->cli, "board", "%s", answer_text(l, "board", "?"));
    if (app == boot)
        line(d->cli, "layout", "0x%08x, application and bootloader agree", app);
    else
        line(d->cli, "layout", "0x%08x in the application, 0x%08x in the bootloader: THEY DIFFER", app, boot);
    line(d->cli, "swap", "largest image %lld bytes (%lld KiB), units of %lld bytes, gap %lld", (long long)max,
        (long long)max / 1024, (long long)answer_int(l, "unit", 0), (long long)answer_int(l, "gap", 0));
    show_parts(d);
    cli_event(d->cli, "layout", "{s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:O*}", "board",
        answer_text(l, "board", "?"), "hash", (json_int_t)app, "boot", (json_int_t)boot, "agree", app == boot,
        "unit", answer_int(l, "unit", 0), "gap", answer_int(l, "gap", 0), "max", max, "parts",
        json_object_get(l, "parts"));
    if (app != boot) {
        struct finding f = { .reason = REASON_LAYOUT_MISMATCH, .slot = FINDING_NO_SLOT, .found = app,
            .expected = boot };
        char text[EXPLAIN_MAX];
        cli_note(d->cli, "warning: %s\n  try: %s", explain_finding(&f, text, sizeof text), explain_next(f.reason));
    }
}

static void show_chip(const struct device *d, const json_t *chip)
{
    struct finding f;
    json_t *why = NULL;

    if (!d->cli->json) {
        explain_chip(chip, stdout);
        putchar('\n');
    }
    if (explain_take_finding(json_object_get(chip, "why"), &f)) {
        cli_note(d->cli, "warning: %s\n  try: %s", reason_text(f.reason), explain_next(f.reason));
        why = explain_finding_json(&f);
    }
    char id[64], want[64];
    bool named = answer_int(chip, "jedec_want", 0) != 0; /* internal flash has no id */
    explain_value("jedec", (uint32_t)answer_int(chip, "jedec", 0), id, sizeof id);
    explain_value("jedec", (uint32_t)answer_int(chip, "jedec_want", 0), want, sizeof want);
    cli_event(d->cli, "chip", "{s:s, s:b, s:I, s:I, s:s*, s:s*, s:o*}", "name", answer_text(chip, "name", "?"),
        "ok", answer_bool(chip, "ok"), "size", answer_int(chip, "size", 0), "erase",
        answer_int(chip, "erase", 0), "jedec", named ? id : NULL, "jedec_want", named ? want : NULL, "why", why);
    if (!d->cli->json)
        json_decref(why);
}

static void show_flash(struct device *d)
{
    const json_t *chip;
    size_t i;

    if (!device_ask(d, SLIPWAY_FLASH))
        return;
    json_array_foreach(answer_list(d->flash, "chips"), i, chip)
        show_chip(d, chip);
}

/* A chip can know its name and fail all the same: what an upload or the last start met with it. */
static void show_failure(const struct device *d, const char *source, const char *when, const json_t *why)
{
    char text[EXPLAIN_MAX];
    struct finding f;

    if (!explain_take_finding(why, &f) || f.reason >= REASON_IMG_NONE)
        return;
    cli_note(d->cli, "warning: %s: %s", when, explain_finding(&f, text, sizeof text));
    json_t *finding = explain_finding_json(&f);
    cli_event(d->cli, "failure", "{s:s, s:o}", "source", source, "finding", finding);
    if (!d->cli->json)
        json_decref(finding);
}

static void show_failures(struct device *d)
{
    json_t *report = NULL;
    const json_t *entry;
    size_t i;

    if (device_ask(d, SLIPWAY_UPLOAD))
        show_failure(d, "upload", "the last upload met this", json_object_get(d->upload, "why"));
    if (!d->no_slipway && smpc_slipway(&d->c, SLIPWAY_REPORT, &report) == OK) {
        json_array_foreach(answer_list(report, "findings"), i, entry)
            show_failure(d, "boot", "the last start met this", entry);
    }
    json_decref(report);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct device d;

    if (argc != 1)
        return cli_usage(cli, &cmd_info, "info does not take %s", argv[1]);
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    show_link(&d);
    rc = show_running(&d);
    if (rc == OK)
        rc = show_system(&d);
    if (rc == OK) {
        show_layout(&d);
        show_flash(&d);
        show_failures(&d);
        if (d.no_slipway)
            cli_note(cli, "The device has no group 64: its layout and the health of its flash are not known.");
        cli_event(cli, "result", "{s:b, s:b}", "ok", 1, "slipway", !d.no_slipway);
    } else {
        rc = device_fail(&d, rc, TOPIC_OTHER, "info");
    }
    device_close(&d);
    return rc;
}

const struct cli_command cmd_info = {
    .name = "info",
    .summary = "board, versions, layout, and the health of both flash chips",
    .help = "  slipway info --port /dev/ttyACM0\n"
            "  slipway info --udp 127.0.0.1:1337 --json\n"
            "\n"
            "usage: slipway info\n"
            "\n"
            "The external chip is asked for its identity when the command runs.\n",
    .device = true,
    .run = run,
};
