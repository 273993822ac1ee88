/* `slipway board run`: firmware on the virtual nRF52840. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "board/board.h"
#include "host/cli/board_files.h"
#include "host/cli/board_options.h"
#include "host/cli/board_port.h"
#include "host/cli/commands.h"

enum { EXIT_CUT = 20, EXIT_FAULT = 21, EXIT_WAITS = 22, SLICE_MS = 5, SEED = 1 };

/* The end of what was sent on one line, to find --until in. */
struct tail {
    char text[BOARD_UNTIL_MAX];
    size_t len;
};

struct session {
    struct cli *cli;
    struct board_options opt;
    struct board *b;
    struct board_parts parts;
    struct board_port port, usb; /* of UART 0, of the USB; nothing without --usb0 */
    bool real; /* pace */
    double begun, virtual_begun;
    FILE *trace;
    struct tail uart_tail, usb_tail;
    bool seen;
    bool mid_line; /* the last byte on stdout was no newline */
    bool other_uart; /* it was said that UART 1 is not shown */
    uint8_t *input;
    size_t input_len, input_at;
};

static volatile sig_atomic_t interrupted;
static struct board *running; /* what a signal has to stop */

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
    if (running)
        board_interrupt(running);
}

static double wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(uint64_t cycles)
{
    return (double)cycles / BOARD_CYCLES_PER_S;
}

/* ---- what the board tells ---- */

static void look_for_text(struct session *s, struct tail *t, char c)
{
    size_t n = strlen(s->opt.until);
    if (t->len == n) {
        memmove(t->text, t->text + 1, n - 1);
        t->len--;
    }
    t->text[t->len++] = c;
    if (t->len == n && memcmp(t->text, s->opt.until, n) == 0) {
        s->seen = true;
        board_stop(s->b);
    }
}

static void show(struct session *s, struct board_port *port, struct tail *tail, const uint8_t *data, size_t len)
{
    board_port_write(port, data, len);
    if (port->kind == PORT_STDIO && len)
        s->mid_line = data[len - 1] != '\n';
    for (size_t i = 0; i < len && s->opt.until && !s->seen; i++)
        look_for_text(s, tail, (char)data[i]);
}

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    struct session *s = ctx;
    if (uart != 0) {
        if (!s->other_uart)
            cli_note(s->cli, "board %.6f s: UART %u sends; only UART 0 is shown", seconds(board_now(s->b)), uart);
        s->other_uart = true;
        return;
    }
    show(s, &s->port, &s->uart_tail, data, len);
}

static void on_usb(void *ctx, const uint8_t *data, size_t len)
{
    struct session *s = ctx;
    show(s, &s->usb, &s->usb_tail, data, len);
}

static void on_note(void *ctx, const char *text)
{
    struct session *s = ctx;
    if (s->trace)
        fprintf(s->trace, "%.9f %" PRIu64 " %s\n", seconds(board_now(s->b)), board_insns(s->b), text);
    cli_note(s->cli, "board %.6f s: %s", seconds(board_now(s->b)), text);
}

static void on_flash(void *ctx, const struct board_flash_op *op)
{
    struct session *s = ctx;
    fprintf(s->trace, "%.9f %" PRIu64 " flash %" PRIu64 " %s %s 0x%08" PRIx32 " %" PRIu32 "\n", seconds(op->cycles),
        board_insns(s->b), op->number, op->external ? "external" : "internal", op->erase ? "erase" : "program", op->addr,
        op->len);
}

/* ---- setting up ---- */

static int open_files(struct session *s)
{
    const struct board_options *o = &s->opt;
    int rc = board_files_load(s->cli, o, s->b);
    if (!rc && o->input && !(s->input = board_file_read(o->input, &s->input_len)))
        rc = board_file_unreadable(s->cli, o->input);
    if (!rc && o->trace && !(s->trace = fopen(o->trace, "w")))
        rc = cli_fail(s->cli, EXIT_FILE, "write", strerror(errno), NULL, "cannot write %s", o->trace);
    return rc;
}

static int open_port(struct session *s, struct board_port *port, const char *option, const char *spec)
{
    char err[256];
    if (board_port_open(port, option, spec, err, sizeof err))
        return strncmp(err, "--u", 3) == 0 ? cli_usage(s->cli, &cmd_board, "%s", err)
                                           : cli_fail(s->cli, EXIT_NODEVICE, port == &s->usb ? "usb" : "uart", NULL, NULL,
                                                 "%s", err);
    if (port->shown[0])
        cli_note(s->cli, "%s is %s", option + 2, port->shown);
    return EXIT_DONE;
}

/* UART 0 is on stdio unless something is said, of it or of the USB. */
static int open_ports(struct session *s)
{
    const struct board_options *o = &s->opt;
    bool taken = o->usb0 && strcmp(o->usb0, "stdio") == 0;
    int rc = open_port(s, &s->port, "--uart0", o->uart0 ? o->uart0 : taken ? "file:/dev/null" : "stdio");
    if (!rc && !o->uart0 && !s->port.live)
        s->port.in_open = false; /* stdin of a script is not the board's unless it says so */
    if (!rc && o->usb0)
        rc = open_port(s, &s->usb, "--usb0", o->usb0);
    s->real = o->pace ? strcmp(o->pace, "real") == 0 : s->port.live || s->usb.live;
    return rc;
}

static int set_up(struct session *s)
{
    struct board_config config = { .seed = SEED, .usb_host = s->opt.usb0,
        .vbus = s->opt.usb0 || (s->opt.vbus && strcmp(s->opt.vbus, "on") == 0) };
    int rc = board_parts_read(s->cli, s->opt.board, &config, &s->parts);
    if (rc)
        return rc;
    if (s->opt.fault != CHIP_GOOD && !config.qspi && !config.spi)
        return cli_usage(s->cli, &cmd_board, "--fault: board %s has no external flash", s->opt.board);
    s->b = board_new(&config);
    if (!s->b)
        return cli_fail(s->cli, EXIT_FAILED, "memory", NULL, NULL, "no memory for a board");
    rc = open_files(s);
    if (!rc)
        rc = open_ports(s);
    if (rc)
        return rc;
    board_on_uart(s->b, on_uart, s);
    board_on_usb(s->b, on_usb, s);
    board_on_note(s->b, on_note, s);
    if (s->trace) {
        board_on_flash(s->b, on_flash, s);
        board_hash_start(s->b);
    }
    board_cut_at(s->b, s->opt.cut_at, s->opt.tear);
    if (s->opt.fault != CHIP_GOOD)
        board_external_fault(s->b, s->opt.fault, s->opt.fault_at);
    board_power_on(s->b);
    return EXIT_DONE;
}

/* ---- running ---- */

/* May anything still come to the UART or the USB? */
static bool expects_input(const struct session *s)
{
    return s->port.in_open || s->usb.in_open || board_usb_pending(s->b) || s->input_at < s->input_len || board_uart_pending(s->b, 0);
}

static void feed(struct session *s)
{
    uint8_t buf[512];
    if (s->input_at < s->input_len && board_uart_pending(s->b, 0) < 1024)
        s->input_at += board_uart_input(s->b, 0, s->input + s->input_at, s->input_len - s->input_at);
    size_t n = board_uart_pending(s->b, 0) < 4096 ? board_port_read(&s->port, buf, sizeof buf) : 0;
    if (n)
        (void)board_uart_input(s->b, 0, buf, n);
    while (board_usb_open(s->b) && board_usb_pending(s->b) < 4096 && (n = board_port_read(&s->usb, buf, sizeof buf)) != 0)
        (void)board_usb_input(s->b, buf, n);
}

/* With --pace real virtual time does not run ahead; a board that only waits for somebody waits gently. */
static void keep_pace(struct session *s)
{
    struct board_port *port = s->usb.live && !s->port.live ? &s->usb : &s->port;
    double ahead = (seconds(board_now(s->b)) - s->virtual_begun) - (wall() - s->begun);
    if (s->real && ahead > 0.001)
        board_port_wait(port, (int)(ahead * 1000));
    else if (!s->real && port->live && board_sleeping(s->b) && board_next_event(s->b) == UINT64_MAX)
        board_port_wait(port, 20);
}

/* In slices while somebody may type or the pace is real; the result is the same as of one piece. */
static enum board_stop run(struct session *s, uint64_t until)
{
    const uint64_t slice = (uint64_t)SLICE_MS * BOARD_CYCLES_PER_S / 1000;
    for (;;) {
        feed(s);
        board_expect_input(s->b, expects_input(s));
        uint64_t step = s->real ? slice : 20 * slice, to = until;
        bool goes_on = until != UINT64_MAX || board_next_event(s->b) != UINT64_MAX;
        bool sliced = expects_input(s) || (s->real && goes_on);
        if (sliced && until - board_now(s->b) > step)
            to = board_now(s->b) + step;
        enum board_stop stop = board_run(s->b, to);
        if (stop != BOARD_RUNS || s->seen || interrupted)
            return stop;
        keep_pace(s);
        if (board_now(s->b) >= until || interrupted)
            return stop;
    }
}

static bool between(void *ctx)
{
    struct session *s = ctx;
    feed(s);
    return s->seen || interrupted;
}

/* Waits for a debugger and lets it lead. */
static int serve_gdb(struct session *s, uint64_t until, enum board_stop *stop)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->opt.gdb_port) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 1)) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return cli_fail(s->cli, EXIT_NODEVICE, "port", strerror(why), "--gdb with another port",
            "cannot listen on port %u", s->opt.gdb_port);
    }
    cli_note(s->cli, "waiting for a debugger: gdb-multiarch -ex 'target remote localhost:%u'", s->opt.gdb_port);
    struct pollfd caller = { .fd = fd, .events = POLLIN };
    while (!interrupted && poll(&caller, 1, 200) == 0) /* a signal may come just before */
        ;
    int client = interrupted ? -1 : accept(fd, NULL, NULL);
    int why = errno;
    close(fd);
    if (client < 0)
        return interrupted ? EXIT_INTERRUPTED
                           : cli_fail(s->cli, EXIT_NODEVICE, "port", strerror(why), NULL, "no debugger came");
    *stop = board_gdb_serve(s->b, client, until, between, s);
    close(client);
    return EXIT_DONE;
}

/* ---- the end ---- */

static const char *stop_name(const struct session *s, enum board_stop stop)
{
    static const char *const names[] = { "for", "cut", "lockup", "fault", "loop", "unmodelled", "idle", "off", "debugger" };
    if (s->seen)
        return "until";
    return stop == BOARD_RUNS && interrupted ? "interrupted" : names[stop];
}

static void print_chip(const char *name, const struct board_chip_stats *c)
{
    printf("\"%s\":{\"erases\":%" PRIu64 ",\"programs\":%" PRIu64 ",\"busy_ms\":%.3f},", name, c->erases, c->programs,
        seconds(c->busy_cycles) * 1000);
}

static void print_stats(const struct session *s, enum board_stop stop, double took)
{
    struct board_stats st;
    board_get_stats(s->b, &st);
    if (s->mid_line)
        printf("\n");
    printf("{\"insns\":%" PRIu64 ",\"virtual_s\":%.6f,\"wall_s\":%.6f,\"stop\":\"%s\",", st.insns, seconds(st.cycles), took,
        stop_name(s, stop));
    print_chip("internal", &st.internal);
    print_chip("external", &st.external);
    printf("\"overlap_ms\":%.3f,\"unmodelled\":[", seconds(st.overlap_cycles) * 1000);
    for (unsigned i = 0; board_unmodelled(s->b, i); i++)
        printf("%s\"%s\"", i ? "," : "", board_unmodelled(s->b, i));
    printf("]}\n");
}

static int verdict(const struct session *s, enum board_stop stop)
{
    const struct cli *cli = s->cli;
    const char *why = board_why(s->b);
    if (s->seen)
        return EXIT_DONE;
    switch (stop) {
    case BOARD_CUT:
        cli_note(cli, "%s", why);
        return EXIT_CUT;
    case BOARD_LOCKUP: case BOARD_FAULT:
        return cli_fail(cli, EXIT_FAULT, "fault", why, "--gdb PORT to look at it from the start",
            "the firmware came to an end it cannot leave");
    case BOARD_WAITS_UNMODELLED:
        return cli_fail(cli, EXIT_WAITS, "unmodelled", why, "docs/board.md lists what is modelled",
            "the firmware waits for what is not there");
    default: break;
    }
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (s->opt.until)
        return cli_fail(cli, EXIT_FAILED, "until", why[0] ? why : NULL, NULL,
            "\"%s\" was not seen on UART 0 or USB in %.3f s of virtual time", s->opt.until, seconds(board_now(s->b)));
    if (stop == BOARD_SPIN)
        return cli_fail(cli, EXIT_FAULT, "loop", why, "--gdb PORT to look at it from the start",
            "the firmware came to an end it cannot leave");
    if (stop == BOARD_IDLE || stop == BOARD_OFF)
        cli_note(cli, "%s", why);
    return EXIT_DONE;
}

static int finish(struct session *s, enum board_stop stop, double took)
{
    fflush(stdout);
    int rc = board_files_store(s->cli, &s->opt, s->b);
    if (s->trace)
        fprintf(s->trace, "hash %016" PRIx64 "\n", board_hash(s->b));
    if (!rc)
        rc = verdict(s, stop);
    if (s->cli->json && s->mid_line) {
        printf("\n");
        s->mid_line = false;
    }
    if (rc == EXIT_DONE || rc == EXIT_CUT || rc == EXIT_INTERRUPTED) /* the others said theirs with the message */
        cli_event(s->cli, "result", "{s:b,s:s}", "ok", rc == EXIT_DONE, "stop", stop_name(s, stop));
    if (s->opt.stats)
        print_stats(s, stop, took);
    fflush(stdout);
    return rc;
}

static int run_and_finish(struct session *s)
{
    enum board_stop stop = BOARD_RUNS;
    uint64_t until = s->opt.seconds < 0 ? UINT64_MAX : (uint64_t)llround(s->opt.seconds * BOARD_CYCLES_PER_S);
    struct sigaction sa = { .sa_handler = on_signal };
    running = s->b;
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    s->begun = wall();
    s->virtual_begun = seconds(board_now(s->b));
    if (s->opt.gdb) {
        int rc = serve_gdb(s, until, &stop);
        if (rc)
            return rc;
    } else {
        stop = run(s, until);
        if (stop == BOARD_RUNS && !s->seen && !interrupted && board_waits(s->b))
            stop = BOARD_WAITS_UNMODELLED;
    }
    return finish(s, stop, wall() - s->begun);
}

static int run_board(struct cli *cli, int argc, char **argv)
{
    struct session s = { .cli = cli, .port = { .fd = -1, .listener = -1 }, .usb = { .fd = -1, .listener = -1 } };
    int rc = board_options_read(&s.opt, cli, argc, argv);
    if (!rc)
        rc = set_up(&s);
    if (!rc)
        rc = run_and_finish(&s);
    if (s.trace && fclose(s.trace) && !rc)
        rc = cli_fail(cli, EXIT_FILE, "write", strerror(errno), NULL, "cannot write %s", s.opt.trace);
    running = NULL;
    board_port_close(&s.port);
    board_port_close(&s.usb);
    board_free(s.b);
    board_parts_free(&s.parts);
    free(s.input);
    return rc;
}

const struct cli_command cmd_board = {
    .name = "board",
    .summary = "run firmware on a virtual nRF52840",
    .help =
        "  slipway board run --hex app.hex --for 5 --stats\n"
        "  slipway board run --hex boot.hex --hex app.hex --internal int.bin --external ext.bin --uart0 pty:/tmp/board\n"
        "\n"
        "  --hex FILE           Intel hex, may be repeated; external flash at 0x12000000\n"
        "  --bin FILE@ADDRESS   raw bytes\n"
        "  --board BOARD        its external flash; without it an MX25R6435F\n"
        "  --uart0 WHERE        stdio (default), pty[:LINK], unix:PATH or file:PATH\n"
        "  --usb0 WHERE         the same for the board's USB: plugs it into a computer that opens its CDC ACM port\n"
        "  --vbus on|off        power on the USB without a computer: off unless said, on with --usb0\n"
        "  --internal FILE      contents of the internal flash, read if there and written at the end\n"
        "  --external FILE      the same of the external flash\n"
        "  --for SECONDS        stop after that much virtual time\n"
        "  --until TEXT         stop when TEXT appears on UART 0 or USB\n"
        "  --input FILE         send its bytes to UART 0, at the line's speed\n"
        "  --pace real|max      real when a person or live client is on the UART, else max\n"
        "  --gdb PORT           wait for gdb-multiarch on localhost:PORT, halted at reset\n"
        "  --cut N[:HOW]        power fails in the N-th flash operation; HOW: none, all, half, bits of it done\n"
        "  --fault external:KIND[@N]  the external chip is broken, from its N-th operation on: busy for ever,\n"
        "                       ones or zeros (dead), bad-program, bad-erase (a bit of each stays)\n"
        "  --trace FILE         flash operations, faults, resets, and a hash over every instruction (slower)\n"
        "  --stats              one JSON line at the end of stdout\n"
        "\n"
        "Exit status: 0 --for or --until met, or asleep for good; 1 TEXT not seen; 2 usage; 3 bad file;\n"
        "5 no pty or port; 20 power cut; 21 lock-up, fault or dead loop; 22 waits for something that is\n"
        "not modelled; 130 interrupted.\n",
    .run = run_board,
};
