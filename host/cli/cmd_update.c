#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/cli/commands.h"
#include "host/cli/transfer.h"
#include "host/lib/smp/answer.h"

enum { WAIT_DEFAULT_S = 45, WAIT_MAX_S = 600, POLL_MS = 500, SETTLE_MS = 10000 };

enum mode {
    MODE_FULL, /* trial, then confirm */
    MODE_PERMANENT, /* no trial */
    MODE_TEST_ONLY,
    MODE_DRY_RUN,
};

struct update {
    struct transfer t;
    enum mode mode;
    unsigned wait_s;
    struct device d;
    struct smpc_images list;
};

static int parse(struct cli *cli, int argc, char **argv, struct update *u)
{
    static const char *const option[] = { "--confirm", "--test-only", "--dry-run" };

    for (int i = 1; i < argc; i++) {
        enum mode mode = MODE_FULL;
        for (unsigned k = 0; k < 3; k++) {
            if (strcmp(argv[i], option[k]) == 0)
                mode = (enum mode)(k + 1);
        }
        if (mode != MODE_FULL) {
            if (u->mode != MODE_FULL && u->mode != mode)
                return cli_usage(cli, &cmd_update, "--confirm, --test-only and --dry-run exclude each other");
            u->mode = mode;
        } else if (strcmp(argv[i], "--wait") == 0 && i + 1 < argc) {
            char *end;
            long s = strtol(argv[++i], &end, 10);
            if (*argv[i] == '\0' || *end || s < 1 || s > WAIT_MAX_S)
                return cli_usage(cli, &cmd_update, "--wait takes seconds, 1 to %d, not %s", WAIT_MAX_S, argv[i]);
            u->wait_s = (unsigned)s;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return cli_usage(cli, &cmd_update, "update does not take %s", argv[i]);
        } else if (u->t.path) {
            return cli_usage(cli, &cmd_update, "update takes one FILE, not %s as well", argv[i]);
        } else {
            u->t.path = argv[i];
        }
    }
    return u->t.path ? EXIT_DONE : cli_usage(cli, &cmd_update, "update wants a FILE");
}

static void step(const struct update *u, const char *name, const char *text)
{
    cli_note(u->d.cli, "%s", text);
    cli_event(u->d.cli, "step", "{s:s}", "name", name);
}

static const struct smpc_image *active_image(const struct update *u)
{
    for (unsigned i = 0; i < u->list.count; i++) {
        if (u->list.image[i].active)
            return &u->list.image[i];
    }
    return NULL;
}

static bool file_runs(const struct update *u)
{
    const struct smpc_image *im = active_image(u);

    return im && (*im->hash ? strcmp(im->hash, u->t.file.hash) == 0
                            : strcmp(im->version, u->t.file.version) == 0);
}

static bool file_pending(const struct update *u)
{
    for (unsigned i = 0; i < u->list.count; i++) {
        if (u->list.image[i].pending && strcmp(u->list.image[i].hash, u->t.file.hash) == 0)
            return true;
    }
    return false;
}

/* Does slot 1 hold FILE already, verified? Only group 64 can tell. */
static bool file_uploaded(struct update *u)
{
    const json_t *slot;
    size_t i;

    if (!device_ask(&u->d, SLIPWAY_SLOTS))
        return false;
    json_array_foreach(answer_list(u->d.slots, "slots"), i, slot) {
        const json_t *image = json_object_get(slot, "image");
        if (answer_int(slot, "slot", 0) == 1 && answer_bool(image, "ok") && !json_object_get(slot, "why")
            && strcmp(answer_text(image, "hash", ""), u->t.file.hash) == 0)
            return true;
    }
    return false;
}

static int succeed(struct update *u, bool confirmed)
{
    const struct smpc_file *f = &u->t.file;

    cli_note(u->d.cli, "%s runs%s", f->version,
        confirmed ? " and is confirmed" : " on trial; next: slipway confirm keeps it, slipway reset puts the old one back");
    cli_event(u->d.cli, "result", "{s:b, s:s, s:s, s:b}", "ok", 1, "version", f->version, "hash", f->hash,
        "confirmed", confirmed);
    return EXIT_DONE;
}

/* Confirms the running image, which is FILE's. */
static int finish(struct update *u)
{
    const struct smpc_image *im = active_image(u);
    int rc = OK;

    if (u->mode == MODE_TEST_ONLY)
        return succeed(u, im && im->confirmed);
    if (im && !im->confirmed) {
        step(u, "confirm", "confirming it");
        rc = smpc_image_request(&u->d.c, NULL, true, &u->list);
        device_forget(&u->d);
    }
    if (rc != OK)
        return device_fail(&u->d, rc, TOPIC_STATE, "%s runs, but cannot be confirmed", u->t.file.version);
    im = active_image(u);
    if (!im || !im->confirmed || !file_runs(u))
        return device_fail_state(&u->d, EXIT_DIFFERS, "not_confirmed", NULL, "slipway report",
            "%s runs, the device accepted the confirm, but does not show it", u->t.file.version);
    return succeed(u, true);
}

static int request(struct update *u)
{
    bool permanent = u->mode == MODE_PERMANENT;

    step(u, permanent ? "install" : "test",
        permanent ? "asking for it at the next start, for good" : "asking for a trial at the next start");
    int rc = smpc_image_request(&u->d.c, u->t.file.hash, permanent, &u->list);
    device_forget(&u->d);
    if (rc != OK)
        return device_fail(&u->d, rc, TOPIC_STATE, "%s is in slot 1, but the device does not take it",
            u->t.file.version);
    if (!file_pending(u))
        return device_fail_state(&u->d, EXIT_DIFFERS, "not_pending", NULL, "slipway report",
            "the device accepted %s for the next start, but does not show it as pending", u->t.file.version);
    return EXIT_DONE;
}

/* What the bootloader did instead, in words, as the message's detail; its first finding as the code. */
static int fail_old_runs(struct update *u)
{
    const struct smpc_image *im = active_image(u);
    struct finding f = { .reason = REASON_NONE };
    json_t *report = NULL;
    char *detail = NULL;
    size_t len;
    FILE *out = open_memstream(&detail, &len);

    u->d.c.deadline_ms = smpc_now(&u->d.c) + DEVICE_BUDGET_MS / 2;
    if (smpc_slipway(&u->d.c, SLIPWAY_REPORT, &report) == OK) {
        explain_report(report, NULL, out);
        (void)explain_take_finding(json_array_get(answer_list(report, "findings"), 0), &f);
    }
    fputs("now:\n", out);
    device_print_state(&u->d, out);
    fclose(out);
    json_t *more = json_pack("{s:s*, s:o}", "running", im ? im->version : NULL, "slots",
        device_state_json(&u->d));
    if (f.reason != REASON_NONE)
        json_object_set_new(more, "finding", explain_finding_json(&f));
    int rc = cli_fail_more(u->d.cli, EXIT_DIFFERS, f.reason ? reason_code(f.reason) : "old_version_runs", detail,
        f.reason ? explain_next(f.reason) : "slipway report, slipway list", more,
        "%s was sent and asked for, but after the reset %s runs", u->t.file.version,
        im ? im->version : "no image");
    free(detail);
    json_decref(report);
    return rc;
}

static void pause_ms(unsigned ms)
{
    struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    nanosleep(&t, NULL); /* a signal ends it; the next request sees the flag */
}

/*
 * Asks until the device answers with FILE running (OK), or with another image although it has had time
 * to restart (ERR_NOENT): its request is gone, or it never was away for long.
 */
static int wait_for_file(struct update *u)
{
    int64_t start = smpc_now(&u->d.c), limit = start + (int64_t)u->wait_s * 1000;
    int rc = ERR_TIMEOUT;

    while (smpc_now(&u->d.c) < limit) {
        pause_ms(POLL_MS);
        u->d.c.deadline_ms = smpc_now(&u->d.c) + 3 * POLL_MS;
        rc = smpc_images_read(&u->d.c, &u->list);
        if (rc == SMPC_INTERRUPTED)
            return rc;
        if (rc == OK && file_runs(u))
            return OK;
        if (rc == OK && (!file_pending(u) || smpc_now(&u->d.c) - start > SETTLE_MS))
            return ERR_NOENT;
        if (rc == ERR_NODEV || rc == ERR_IO)
            device_reopen(&u->d);
    }
    return rc == OK ? ERR_NOENT : rc == SMPC_REFUSED ? rc : ERR_TIMEOUT;
}

static int restart_and_wait(struct update *u)
{
    step(u, "reset", "resetting the device; a swap takes up to half a minute");
    int rc = smpc_reset(&u->d.c, false, false);
    if (rc != OK && rc != ERR_TIMEOUT)
        return device_fail(&u->d, rc, TOPIC_STATE, "%s is asked for, but the reset failed", u->t.file.version);
    step(u, "wait", "waiting for it to come back");
    rc = wait_for_file(u);
    u->d.c.deadline_ms = smpc_now(&u->d.c) + DEVICE_BUDGET_MS / 2;
    device_forget(&u->d);
    if (rc == OK)
        return EXIT_DONE;
    if (rc == ERR_NOENT)
        return fail_old_runs(u);
    if (rc == ERR_TIMEOUT)
        return cli_fail(u->d.cli, EXIT_TIMEOUT, "did_not_come_back",
            "It was reset with the new image asked for. It may still be swapping; a cut does no harm.",
            "slipway report in a minute; update --wait SECONDS waits longer",
            "%s did not answer for %u s after the reset", u->d.where.name, u->wait_s);
    return device_fail(&u->d, rc, TOPIC_OTHER, "after the reset");
}

static int tell_plan(struct update *u)
{
    const struct smpc_image *im = active_image(u);
    bool runs = file_runs(u), there = !runs && file_uploaded(u);

    cli_note(u->d.cli, "%s: %s fits this device%s%s", u->t.path, u->t.file.version, im ? ", which runs " : "",
        im ? im->version : "");
    cli_note(u->d.cli, "would %s; nothing was changed",
        runs        ? im->confirmed ? "do nothing" : "confirm it"
            : there ? "test, reset, wait, confirm"
                    : "upload, test, reset, wait, confirm");
    cli_event(u->d.cli, "result", "{s:b, s:b, s:s, s:s, s:b, s:b}", "ok", 1, "dry_run", 1, "version",
        u->t.file.version, "hash", u->t.file.hash, "runs", runs, "uploaded", there);
    return EXIT_DONE;
}

static int go(struct update *u)
{
    int rc = transfer_check(&u->d, &u->t);
    if (rc != EXIT_DONE)
        return rc;
    rc = smpc_images_read(&u->d.c, &u->list);
    if (rc != OK)
        return device_fail(&u->d, rc, TOPIC_OTHER, "the images cannot be listed");
    if (file_runs(u) && u->mode != MODE_DRY_RUN) {
        cli_note(u->d.cli, "%s runs already", u->t.file.version);
        return finish(u);
    }
    if (u->mode == MODE_DRY_RUN)
        return tell_plan(u);
    bool there = file_uploaded(u);
    step(u, "upload", there ? "it lies in slot 1 already: nothing is sent" : "uploading to slot 1");
    rc = there ? EXIT_DONE : transfer_send(&u->d, &u->t);
    if (rc == EXIT_DONE)
        rc = request(u);
    if (rc == EXIT_DONE)
        rc = restart_and_wait(u);
    return rc == EXIT_DONE ? finish(u) : rc;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct update u = { .wait_s = WAIT_DEFAULT_S, .t = { .slot = -1 } };

    int rc = parse(cli, argc, argv, &u);
    if (rc == EXIT_DONE)
        rc = transfer_read(cli, &u.t);
    if (rc != EXIT_DONE)
        return rc;
    rc = device_open(&u.d, cli);
    if (rc == EXIT_DONE) {
        rc = go(&u);
        device_close(&u.d);
    }
    transfer_free(&u.t);
    return rc;
}

const struct cli_command cmd_update = {
    .name = "update",
    .summary = "all of it: upload, test, reset, wait, see that FILE runs, confirm",
    .help = "  slipway update app.signed.bin\n"
            "  slipway update app.signed.bin --test-only --udp 127.0.0.1\n"
            "\n"
            "usage: slipway update FILE [--confirm | --test-only | --dry-run] [--wait SECONDS]\n"
            "\n"
            "  --confirm    install for good at once: no trial, nothing puts the old image back by itself\n"
            "  --test-only  leave it on trial: the application, or slipway confirm, has to keep it\n"
            "  --dry-run    check FILE against the device, say what would be done, change nothing\n"
            "  --wait S     how long the device may take to come back (default 45)\n"
            "\n"
            "Ends with exit status 0 only if FILE's version and hash were seen to run (and, without\n"
            "--test-only, confirmed). Exit status 8: the old image runs; the message says what the\n"
            "bootloader did and why.\n",
    .device = true,
    .run = run,
};
