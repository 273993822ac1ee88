/* `slipway sim`: a board without hardware, on a UDP port and a pseudo terminal. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/cli/files.h"
#include "sim/board/board_sim.h"

enum {
    EXIT_CUT = 20,
    WAIT_MS = 500,
};

static const char default_udp[] = "127.0.0.1:1337";

struct sim {
    struct cli *cli;
    /* options */
    const char *board_name, *state, *image, *udp, *pty;
    bool no_time;
    struct board_config cfg;
    struct nor_fault fault[SIM_CHIPS][NOR_FAULTS];
    unsigned faults[SIM_CHIPS];
    uint64_t cut_at;
    enum sim_tear tear;
    /* what the board is made of */
    struct layout layout;
    struct layout_report report;
    struct file_keys known;
    struct image_keys keys;
    struct board_sim *board;
};

static volatile sig_atomic_t stop_asked;

static void ask_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* --- options --- */

static int parse_cut(struct sim *s, const char *text)
{
    char *end;

    errno = 0;
    unsigned long long n = strtoull(text, &end, 10);
    if (errno || end == text || text[0] == '-' || n == 0 || (*end != '\0' && *end != ':'))
        return cli_usage(s->cli, &cmd_sim, "--cut is N or N:TEAR with N from 1, not %s", text);
    int tear = *end == ':' ? sim_tear_find(end + 1) : SIM_TEAR_NONE;
    if (tear < 0)
        return cli_usage(s->cli, &cmd_sim, "--cut: %s is not one of none, all, half, bits, weak", end + 1);
    s->cut_at = n;
    s->tear = (enum sim_tear)tear;
    return EXIT_DONE;
}

static int parse_fault(struct sim *s, const char *text)
{
    struct nor_fault f;
    unsigned chip = strncmp(text, "internal:", 9) == 0 ? 0 : 1;

    if (strcmp(text, "layout:other") == 0) {
        s->cfg.other_layout = true;
        return EXIT_DONE;
    }
    if ((chip == 1 && strncmp(text, "external:", 9) != 0) || nor_fault_parse(text + 9, &f) != OK
        || (chip == 0 && f.kind != NOR_FAULT_READ_ERROR))
        return cli_usage(s->cli, &cmd_sim, "--fault: no fault is called %s", text);
    if (s->faults[chip] == NOR_FAULTS)
        return cli_usage(s->cli, &cmd_sim, "--fault: more than %d of one chip", NOR_FAULTS);
    s->fault[chip][s->faults[chip]++] = f;
    return EXIT_DONE;
}

static int parse_time(struct sim *s, const char *text)
{
    if (strcmp(text, "real") == 0)
        s->cfg.time = BOARD_TIME_REAL;
    else if (strcmp(text, "none") == 0)
        s->no_time = true;
    else if (strcmp(text, "virtual") != 0)
        return cli_usage(s->cli, &cmd_sim, "--time is real, virtual or none, not %s", text);
    return EXIT_DONE;
}

/* One option with its value; -1: it is none of these. */
static int take_value(struct sim *s, struct args *a)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        { "--board", &s->board_name },
        { "--state", &s->state },
        { "--image", &s->image },
        { "--udp", &s->udp },
        { "--pty", &s->pty },
    };
    const char *v;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if ((v = args_value(a, texts[i].name, NULL))) {
            *texts[i].text = v;
            return EXIT_DONE;
        }
    }
    if ((v = args_value(a, "--key", NULL)))
        return files_add_key(s->cli, &s->known, v);
    if ((v = args_value(a, "--time", NULL)))
        return parse_time(s, v);
    if ((v = args_value(a, "--fault", NULL)))
        return parse_fault(s, v);
    if ((v = args_value(a, "--cut", NULL)))
        return parse_cut(s, v);
    return -1;
}

static int parse(struct sim *s, int argc, char **argv)
{
    struct args a = args_of(s->cli, &cmd_sim, argc, argv);

    while (args_next(&a)) {
        int rc = EXIT_DONE;
        if (args_flag(&a, "--self-confirm", NULL))
            s->cfg.self_confirm = true;
        else
            rc = take_value(s, &a);
        if (rc < 0 && !a.wrong)
            args_unknown(&a);
        else if (rc > 0)
            return rc;
    }
    if (a.wrong)
        return EXIT_USAGE;
    if (!s->board_name || !s->state)
        return cli_usage(s->cli, &cmd_sim, "--board and --state are needed");
    return EXIT_DONE;
}

/* --- what is printed --- */

static double ms(const struct sim *s, uint64_t us)
{
    return s->no_time ? 0.0 : (double)us / 1000.0;
}

static void print_boot(const struct sim *s, const struct board_boot *b)
{
    double internal = ms(s, b->internal.busy_us), external = ms(s, b->external.busy_us),
           elapsed = ms(s, b->elapsed_us);
    const char *action = boot_action_name(b->report->action);

    if (s->cli->json) {
        cli_event(s->cli, "boot", "{s:s, s:s, s:I, s:f, s:I, s:f, s:f}", "action", action, "running",
            b->running, "internal_erases", (long long)b->internal.erases, "internal_ms", internal,
            "external_erases", (long long)b->external.erases, "external_ms", external, "elapsed_ms",
            elapsed);
        return;
    }
    printf("boot action=%s running=%s internal_erases=%llu internal_ms=%.1f external_erases=%llu "
           "external_ms=%.1f elapsed_ms=%.1f\n",
        action, b->running, (unsigned long long)b->internal.erases, internal,
        (unsigned long long)b->external.erases, external, elapsed);
}

static void booted(void *ctx, const struct board_boot *b)
{
    const struct sim *s = (const struct sim *)ctx;
    const char *udp = board_sim_udp_address(s->board), *pty = board_sim_pty_path(s->board);

    print_boot(s, b);
    if (s->cli->json) {
        if (b->recovery)
            cli_event(s->cli, "recovery", "{s:s}", "reason", b->reason);
        cli_event(s->cli, "ready", "{s:s, s:s}", "udp", udp, "pty", pty);
        return;
    }
    if (b->recovery)
        printf("recovery reason=%s\n", b->reason);
    printf("ready udp=%s pty=%s\n", udp, pty);
    fflush(stdout);
}

/* Power is gone: nothing more happens on this board, not even in memory. */
static void cut(void *ctx)
{
    const struct sim *s = (const struct sim *)ctx;

    cli_note(s->cli, "power failed at flash operation %llu, torn: %s", (unsigned long long)s->cut_at,
        sim_tear_name(s->tear));
    cli_event(s->cli, "result", "{s:b, s:s, s:I}", "ok", 0, "code", "power_cut", "operation",
        (long long)s->cut_at);
    fflush(stdout);
    board_sim_drop_links(s->board);
    _exit(EXIT_CUT);
}

static bool hurry(void *ctx)
{
    (void)ctx;
    return stop_asked != 0;
}

/* --- the board --- */

static int open_board(struct sim *s)
{
    char text[4400];
    int rc;

    s->keys = (struct image_keys) { s->known.key, s->known.count };
    s->cfg.layout = &s->layout;
    s->cfg.keys = &s->keys;
    s->cfg.state_dir = s->state;
    s->cfg.booted = booted;
    s->cfg.cut = cut;
    s->cfg.hurry = hurry;
    s->cfg.ctx = s;
    s->board = board_sim_open(&s->cfg, &rc, text, sizeof text);
    if (!s->board)
        return cli_fail(s->cli, rc == ERR_FORMAT ? EXIT_FILE : rc == ERR_BUSY ? EXIT_NODEVICE : EXIT_FAILED,
            "state", text, rc == ERR_BUSY ? "another --state, or end that board first" : NULL,
            "cannot use the state in %s", s->state);
    for (unsigned chip = 0; chip < SIM_CHIPS; chip++) {
        for (unsigned i = 0; i < s->faults[chip]; i++) {
            if (nor_fault_add(board_sim_chip(s->board, chip), &s->fault[chip][i]) != OK)
                return EXIT_USAGE;
        }
    }
    if (s->cut_at)
        sim_power_cut_at(board_sim_power(s->board), s->cut_at, s->tear);
    return EXIT_DONE;
}

/* --image: what a debug probe would do once to a new board. */
static int flash_image(struct sim *s)
{
    struct imagefile f;
    struct image img;
    struct finding why = { 0 };
    uint32_t slot = s->layout.slot0.size;
    int rc = files_read(s->cli, s->image, &f);

    if (rc != EXIT_DONE)
        return rc;
    size_t len = f.data.len;
    rc = len > slot ? ERR_NOSPACE
        : image_parse_header(&img, span_of(f.data.p, len), (uint32_t)len, &why) != OK
        ? ERR_FORMAT
        : board_sim_flash(s->board, 0, f.data.p, (uint32_t)len);
    imagefile_free(&f);
    if (rc == ERR_NOSPACE)
        return cli_fail(s->cli, EXIT_FILE, "image_too_large_for_slot", NULL, NULL,
            "%s has %zu bytes, slot 0 has room for %u", s->image, len, (unsigned)slot);
    if (rc == ERR_FORMAT)
        return cli_fail(s->cli, EXIT_FILE, reason_code(why.reason), reason_text(why.reason),
            "slipway sign", "%s cannot go into slot 0", s->image);
    if (rc == ERR_BADSTATE)
        cli_note(s->cli, "slot 0 of %s holds something already: %s is not put there", s->state, s->image);
    return EXIT_DONE;
}

static int cannot_listen(struct sim *s, const char *what, const char *where)
{
    return cli_fail(s->cli, EXIT_NODEVICE, "link", errno ? strerror(errno) : "no such host", "another one",
        "cannot have the %s %s", what, where);
}

/* "[HOST:]PORT"; the host may be "[::1]". */
static int attach_udp(struct sim *s, const char *where)
{
    char host[256] = "127.0.0.1", *end;
    const char *colon = strrchr(where, ':'), *port = colon ? colon + 1 : where;

    if (colon) {
        bool brackets = where[0] == '[' && colon > where + 1 && colon[-1] == ']';
        snprintf(host, sizeof host, "%.*s", (int)(colon - where) - (brackets ? 2 : 0),
            where + (brackets ? 1 : 0));
    }
    unsigned long n = strtoul(port, &end, 10);
    if (port[0] < '0' || port[0] > '9' || *end || n > 65535)
        return cli_usage(s->cli, &cmd_sim, "--udp is [HOST:]PORT, not %s", where);
    return board_sim_attach_udp(s->board, host, port) == OK ? EXIT_DONE
                                                             : cannot_listen(s, "UDP port", where);
}

static int attach_links(struct sim *s)
{
    int rc = EXIT_DONE;

    if (s->udp)
        rc = attach_udp(s, s->udp);
    else if (board_sim_attach_udp(s->board, "127.0.0.1", "1337") != OK) {
        cli_note(s->cli, "%s is taken: any free port", default_udp);
        rc = attach_udp(s, "0");
    }
    if (rc == EXIT_DONE && board_sim_attach_pty(s->board, s->pty) != OK)
        rc = cannot_listen(s, "pseudo terminal", s->pty ? s->pty : "(no link asked for)");
    return rc;
}

static void serve(struct sim *s)
{
    struct sigaction on_stop = { .sa_handler = ask_stop };

    sigaction(SIGTERM, &on_stop, NULL);
    sigaction(SIGINT, &on_stop, NULL);
    board_sim_power_on(s->board);
    while (!stop_asked)
        board_sim_run(s->board, WAIT_MS);
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct sim *s = calloc(1, sizeof *s);

    if (!s)
        return EXIT_FAILED;
    s->cli = cli;
    int rc = parse(s, argc, argv);
    if (rc == EXIT_DONE)
        rc = files_board(cli, s->board_name, &s->layout, &s->report);
    if (rc == EXIT_DONE)
        rc = open_board(s);
    if (rc == EXIT_DONE && s->image)
        rc = flash_image(s);
    if (rc == EXIT_DONE)
        rc = attach_links(s);
    if (rc == EXIT_DONE && s->keys.count == 0)
        cli_note(cli, "no --key: this board's bootloader knows no key and will start nothing");
    if (rc == EXIT_DONE) {
        serve(s);
        cli_event(cli, "result", "{s:b}", "ok", 1);
    }
    board_sim_close(s->board);
    free(s);
    return rc;
}

const struct cli_command cmd_sim = {
    .name = "sim",
    .summary = "a board without hardware: boot core, application and both flash chips in one process",
    .help = "  slipway sim --board at25xe321d_nrf52840 --state board --key key.pem --image v1.signed.bin\n"
            "  slipway sim --board my.dts --state board --key key.pem --udp 0 --pty /tmp/tty --cut 900:weak\n"
            "\n"
            "DIR keeps the raw contents of both chips, internal.bin and external.bin, between runs. Each\n"
            "boot prints a line `boot ...` and a line `ready ...`; then the board answers SMP on UDP and\n"
            "on a pseudo terminal (console or raw framing, whichever the client speaks).\n"
            "\n"
            "  --board BOARD       folder below boards/, or a devicetree file\n"
            "  --state DIR         where the chips' contents are kept; made if missing\n"
            "  --key KEY.pem       key whose signatures count, private or public; repeat for more\n"
            "  --image SIGNED      goes into slot 0 if that is empty\n"
            "  --udp [HOST:]PORT   default 127.0.0.1:1337; 0: any free port\n"
            "  --pty LINK          symbolic link to the pseudo terminal\n"
            "  --time MODE         virtual (default), real (also sleeps it), none (reports zeros)\n"
            "  --fault SPEC        external:absent, external:id=XXXXXX, external:no-erase,\n"
            "                      external:no-program, external:busy, external:read-error,\n"
            "                      internal:read-error, layout:other; @N behind one of a chip: from its\n"
            "                      N-th operation on; may be repeated\n"
            "  --cut N[:TEAR]      power fails at the N-th flash operation of both chips together; what is\n"
            "                      in flight is torn: none (default), all, half, bits, weak; exit 20\n"
            "  --self-confirm      the application confirms itself after an update\n",
    .device = false,
    .run = run,
};
