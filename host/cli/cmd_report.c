#include "host/cli/commands.h"
#include "host/cli/device.h"
#include "host/lib/smp/answer.h"

/* A list of findings as group 64 sends it, in words. */
static json_t *findings_json(const json_t *list)
{
    json_t *all = json_array();
    const json_t *entry;
    struct finding f;
    size_t i;

    json_array_foreach(list, i, entry) {
        if (explain_take_finding(entry, &f))
            json_array_append_new(all, explain_finding_json(&f));
    }
    return all;
}

static json_t *slots_json(const json_t *list)
{
    json_t *all = json_array();
    const json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry)
        json_array_append_new(all, device_slot_json(entry, false));
    return all;
}

static void send_report(const struct cli *cli, const json_t *r)
{
    cli_event(cli, "boot", "{s:s, s:s, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:O*, s:o, s:o, s:o}", "action",
        answer_text(r, "action", "?"), "running", answer_text(r, "running", ""), "started",
        answer_bool(r, "started"), "trial", answer_bool(r, "trial"), "stopped", answer_bool(r, "stopped"),
        "starts", answer_int(r, "starts", 0), "attempts", answer_int(r, "attempts", 0), "gap",
        answer_int(r, "gap", 0), "units", answer_int(r, "units", 0), "ms", json_object_get(r, "ms"),
        "slots", slots_json(answer_list(r, "slots")), "findings", findings_json(answer_list(r, "findings")), "failures",
        findings_json(answer_list(r, "failures")));
}

static void send_upload(const struct cli *cli, const json_t *u)
{
    struct finding f;
    json_t *why = explain_take_finding(json_object_get(u, "why"), &f) ? explain_finding_json(&f) : NULL;

    cli_event(cli, "upload", "{s:s, s:I, s:I, s:s*, s:s*, s:o*}", "state", answer_text(u, "state", "?"),
        "off", answer_int(u, "off", 0), "len", answer_int(u, "len", 0), "version",
        answer_text(u, "version", NULL), "hash", answer_text(u, "hash", NULL), "why", why);
}

static int run(struct cli *cli, int argc, char **argv)
{
    char text[EXPLAIN_MAX];
    struct finding f;
    struct device d;
    json_t *report;

    if (argc != 1)
        return cli_usage(cli, &cmd_report, "report does not take %s", argv[1]);
    int rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    rc = smpc_slipway(&d.c, SLIPWAY_REPORT, &report);
    if (smpc_not_there(&d.c, rc)) {
        rc = cli_fail(cli, EXIT_REFUSED, "no_report",
            "Its bootloader or service is not Slipway's; what it did at the last start is not known.",
            "slipway list (what lies in the slots)", "%s has no boot report (no group 64)", d.where.name);
    } else if (rc != OK) {
        rc = device_fail(&d, rc, TOPIC_OTHER, "the boot report cannot be read");
    } else {
        bool upload = device_ask(&d, SLIPWAY_UPLOAD);
        if (cli->json) {
            send_report(cli, report);
            if (upload)
                send_upload(cli, d.upload);
            cli_event(cli, "result", "{s:b}", "ok", 1);
        } else {
            (void)device_ask(&d, SLIPWAY_SLOTS);
            explain_report(report, device_answer(&d, SLIPWAY_SLOTS), stdout);
            if (upload)
                explain_upload(d.upload, stdout);
            if (device_layouts_differ(&d, &f))
                printf("What the client sees: %s\n", explain_finding(&f, text, sizeof text));
        }
    }
    json_decref(report);
    device_close(&d);
    return rc;
}

const struct cli_command cmd_report = {
    .name = "report",
    .summary = "the last start in words: what was decided and why; the last upload's verdict",
    .help = "  slipway report\n"
            "  slipway report --json --udp 127.0.0.1:1337\n"
            "\n"
            "usage: slipway report\n",
    .device = true,
    .run = run,
};
