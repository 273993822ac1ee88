/* `slipway board run`: firmware on the virtual nRF52840. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "board/board.h"
#include "host/cli/board_port.h"
#include "host/cli/commands.h"
#include "host/lib/layout/load.h"

enum { EXIT_CUT = 20, EXIT_FAULT = 21, EXIT_WAITS = 22, FILES_MAX = 16, UNTIL_MAX = 512, SLICE_MS = 5 };

struct load_file {
    const char *arg;
    bool hex;
};

struct options {
    struct load_file file[FILES_MAX];
    unsigned files;
    const char *board, *uart0, *internal, *external, *until, *input, *pace, *cut, *trace, *gdb;
    const char *for_text;
    double seconds; /* of --for, < 0: no limit */
    uint64_t cut_at;
    enum board_tear tear;
    bool stats;
};

struct session {
    struct cli *cli;
    struct options opt;
    struct board *b;
    struct nor_part *made; /* a generic part, ours to free */
    struct board_port port;
    bool real; /* pace */
    FILE *trace;
    char last[UNTIL_MAX]; /* the end of the output, to find --until in */
    size_t last_len;
    bool seen;
    bool mid_line; /* the last byte on stdout was no newline */
    uint8_t *input;
    size_t input_len, input_at;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
    (void)sig;
    interrupted = 1;
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

/* ---- options ---- */

static int parse_cut(struct options *o, const struct cli *cli)
{
    static const char *const names[] = { "none", "all", "half", "bits" };
    char *end;
    errno = 0;
    o->cut_at = strtoull(o->cut, &end, 0);
    o->tear = TEAR_NONE;
    if (end != o->cut && o->cut_at && !errno && o->cut[0] != '-') {
        if (*end == '\0')
            return 0;
        for (unsigned i = 0; *end == ':' && i < 4; i++) {
            if (strcmp(end + 1, names[i]) == 0) {
                o->tear = (enum board_tear)i;
                return 0;
            }
        }
    }
    return cli_usage(cli, &cmd_board, "--cut is N or N:none, N:all, N:half, N:bits with N from 1, not %s", o->cut);
}

static int check_options(struct options *o, const struct cli *cli)
{
    char *end;
    o->seconds = -1;
    if (o->for_text) {
        o->seconds = strtod(o->for_text, &end);
        if (*end || end == o->for_text || !(o->seconds >= 0) || o->seconds > 1e9)
            return cli_usage(cli, &cmd_board, "--for is a number of seconds, not %s", o->for_text);
    }
    if (o->pace && strcmp(o->pace, "real") && strcmp(o->pace, "max"))
        return cli_usage(cli, &cmd_board, "--pace is real or max, not %s", o->pace);
    if (o->until && (!*o->until || strlen(o->until) >= UNTIL_MAX))
        return cli_usage(cli, &cmd_board, "--until takes a text of 1 to %d characters", UNTIL_MAX - 1);
    if (o->gdb && (strtol(o->gdb, &end, 10) < 1 || *end || strtol(o->gdb, NULL, 10) > 65535))
        return cli_usage(cli, &cmd_board, "--gdb is a port from 1 to 65535, not %s", o->gdb);
    if (!o->files && !o->internal)
        return cli_usage(cli, &cmd_board, "nothing to run: give --hex FILE, --bin FILE@ADDRESS or --internal FILE");
    return o->cut ? parse_cut(o, cli) : 0;
}

static int parse_options(struct options *o, const struct cli *cli, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **value;
    } plain[] = {
        { "--board", &o->board }, { "--uart0", &o->uart0 }, { "--internal", &o->internal },
        { "--external", &o->external }, { "--for", &o->for_text }, { "--until", &o->until }, { "--input", &o->input },
        { "--pace", &o->pace }, { "--gdb", &o->gdb }, { "--cut", &o->cut }, { "--trace", &o->trace },
    };
    if (argc < 2 || strcmp(argv[1], "run"))
        return cli_usage(cli, &cmd_board, "what to do with a board: run");
    for (int i = 2; i < argc; i++) {
        const char *a = argv[i], *eq = strchr(a, '=');
        size_t n = eq ? (size_t)(eq - a) : strlen(a);
        if (strcmp(a, "--stats") == 0) {
            o->stats = true;
            continue;
        }
        const char **to = NULL;
        for (unsigned k = 0; k < sizeof plain / sizeof plain[0]; k++) {
            if (strlen(plain[k].name) == n && strncmp(a, plain[k].name, n) == 0)
                to = plain[k].value;
        }
        bool file = n == 5 && (strncmp(a, "--hex", n) == 0 || strncmp(a, "--bin", n) == 0);
        if (!to && !file)
            return cli_usage(cli, &cmd_board, "unknown option %s", a);
        const char *value = eq ? eq + 1 : i + 1 < argc ? argv[++i] : NULL;
        if (!value)
            return cli_usage(cli, &cmd_board, "%s needs a value", a);
        if (to)
            *to = value;
        else if (o->files == FILES_MAX)
            return cli_usage(cli, &cmd_board, "at most %d files", FILES_MAX);
        else
            o->file[o->files++] = (struct load_file){ value, a[2] == 'h' };
    }
    return check_options(o, cli);
}

/* ---- files ---- */

static uint8_t *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    size_t cap = 0;
    *len = 0;
    while (f) {
        if (*len == cap) {
            uint8_t *more = realloc(buf, cap = cap ? cap * 2 : 65536);
            if (!more || cap > 1u << 29) {
                free(more ? more : buf);
                fclose(f);
                errno = EFBIG;
                return NULL;
            }
            buf = more;
        }
        size_t n = fread(buf + *len, 1, cap - *len, f);
        *len += n;
        if (n == 0)
            break;
    }
    bool bad = !f || ferror(f);
    if (f)
        fclose(f);
    if (bad) {
        free(buf);
        return NULL;
    }
    return buf;
}

static int cannot_read(const struct cli *cli, const char *path)
{
    return cli_fail(cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot read %s", path);
}

static int load_one(struct session *s, const struct load_file *f)
{
    char path[4096], err[256];
    uint32_t addr = 0;
    size_t len;
    snprintf(path, sizeof path, "%s", f->arg);
    if (!f->hex) {
        char *at = strrchr(path, '@'), *end;
        if (!at)
            return cli_usage(s->cli, &cmd_board, "--bin is FILE@ADDRESS, not %s", f->arg);
        *at = '\0';
        addr = (uint32_t)strtoul(at + 1, &end, 0);
        if (*end || end == at + 1)
            return cli_usage(s->cli, &cmd_board, "--bin is FILE@ADDRESS, and %s is no address", at + 1);
    }
    uint8_t *data = read_file(path, &len);
    if (!data)
        return cannot_read(s->cli, path);
    int rc = f->hex ? board_load_hex(s->b, (const char *)data, len, err, sizeof err)
                    : board_load_bin(s->b, addr, data, len, err, sizeof err);
    free(data);
    if (rc)
        return cli_fail(s->cli, EXIT_FILE, "format", err, "a hex file for the nRF52840; see: slipway help board",
            "cannot load %s; nothing was run", path);
    return 0;
}

/* A chip's file: raw contents. A file that is not there yet is a chip that was never written. */
static int load_image(struct session *s, const char *path, uint8_t *to, size_t size)
{
    size_t len;
    if (!path || !to)
        return 0;
    uint8_t *data = read_file(path, &len);
    if (!data)
        return errno == ENOENT ? 0 : cannot_read(s->cli, path);
    if (len == size)
        memcpy(to, data, size);
    free(data);
    if (len != size)
        return cli_fail(s->cli, EXIT_FILE, "size", NULL, "give the file of this chip, or a new name",
            "%s has %zu bytes, the chip has %zu; nothing was run", path, len, size);
    return 0;
}

static int store_image(struct session *s, const char *path, const uint8_t *from, size_t size)
{
    if (!path || !from)
        return 0;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(from, 1, size, f) == size;
    if (f && fclose(f))
        ok = false;
    if (!ok)
        return cli_fail(s->cli, EXIT_FILE, "write", strerror(errno), NULL, "cannot write %s", path);
    return 0;
}

/* ---- the board ---- */

static int part_of_board(struct session *s, struct board_config *config)
{
    struct layout layout;
    struct layout_report *r = NULL;
    config->qspi = nor_part_find("mx25r6435f");
    if (!s->opt.board)
        return 0;
    r = calloc(1, sizeof *r);
    if (!r || layout_load(s->opt.board, &layout, r)) {
        int rc = cli_fail(s->cli, EXIT_FILE, "board", r && r->problem_count ? r->problem[0].what : NULL,
            "slipway layout BOARD shows every problem", "board %s cannot be used; nothing was run", s->opt.board);
        free(r);
        return rc;
    }
    const struct layout_chip *ext = &r->chip[LAYOUT_EXTERNAL];
    if (!ext->found)
        config->qspi = NULL;
    else if (ext->jedec == 0x1F470C)
        config->qspi = nor_part_find("at25xe321d");
    else if (ext->jedec != 0xC22817) {
        uint8_t id[3] = { (uint8_t)(ext->jedec >> 16), (uint8_t)(ext->jedec >> 8), (uint8_t)ext->jedec };
        config->qspi = s->made = nor_part_generic(id, ext->size, NULL, 0, id[0] == 0xC2 ? 2 : 5);
    }
    bool missing = ext->found && !config->qspi;
    uint32_t size = ext->size;
    free(r);
    return missing ? cli_fail(s->cli, EXIT_FILE, "board", "its size is no power of two of 64 KiB to 128 MiB", NULL,
                         "no flash part with %" PRIu32 " bytes can be made for board %s", size, s->opt.board)
                   : 0;
}

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    struct session *s = ctx;
    if (uart != 0)
        return;
    board_port_write(&s->port, data, len);
    s->mid_line = s->port.kind == PORT_STDIO && len && data[len - 1] != '\n';
    for (size_t i = 0; i < len && s->opt.until; i++) {
        size_t n = strlen(s->opt.until);
        if (s->last_len == n) {
            memmove(s->last, s->last + 1, n - 1);
            s->last_len--;
        }
        s->last[s->last_len++] = (char)data[i];
        if (s->last_len == n && memcmp(s->last, s->opt.until, n) == 0) {
            s->seen = true;
            board_stop(s->b);
        }
    }
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

static int open_files(struct session *s)
{
    size_t ext;
    int rc = load_image(s, s->opt.internal, board_flash(s->b), BOARD_FLASH_SIZE);
    uint8_t *external = board_external(s->b, &ext);
    if (!rc && s->opt.external && !external)
        rc = cli_usage(s->cli, &cmd_board, "--external: board %s has no external flash", s->opt.board);
    if (!rc)
        rc = load_image(s, s->opt.external, external, ext);
    for (unsigned i = 0; !rc && i < s->opt.files; i++)
        rc = load_one(s, &s->opt.file[i]);
    if (!rc && s->opt.input && !(s->input = read_file(s->opt.input, &s->input_len)))
        rc = cannot_read(s->cli, s->opt.input);
    if (!rc && s->opt.trace && !(s->trace = fopen(s->opt.trace, "w")))
        rc = cli_fail(s->cli, EXIT_FILE, "write", strerror(errno), NULL, "cannot write %s", s->opt.trace);
    return rc;
}

static int set_up(struct session *s)
{
    struct board_config config = { .seed = 1 };
    char err[256];
    int rc = part_of_board(s, &config);
    if (rc)
        return rc;
    s->b = board_new(&config);
    if (!s->b)
        return cli_fail(s->cli, EXIT_FAILED, "memory", NULL, NULL, "no memory for a board");
    rc = open_files(s);
    if (rc)
        return rc;
    if (board_port_open(&s->port, s->opt.uart0 ? s->opt.uart0 : "stdio", err, sizeof err))
        return cli_fail(s->cli, strncmp(err, "--uart0", 7) ? EXIT_NODEVICE : EXIT_USAGE, "uart", NULL, NULL, "%s", err);
    if (!s->opt.uart0 && !s->port.live)
        s->port.in_open = false; /* stdin of a script is not the board's unless it says so */
    if (s->port.shown[0])
        cli_note(s->cli, "uart0 is %s", s->port.shown);
    s->real = s->opt.pace ? strcmp(s->opt.pace, "real") == 0 : s->port.live;
    board_on_uart(s->b, on_uart, s);
    board_on_note(s->b, on_note, s);
    if (s->trace) {
        board_on_flash(s->b, on_flash, s);
        board_hash_start(s->b);
    }
    board_cut_at(s->b, s->opt.cut_at, s->opt.tear);
    board_power_on(s->b);
    return 0;
}

/* ---- running ---- */

static void feed(struct session *s)
{
    uint8_t buf[512];
    if (s->input_at < s->input_len && board_uart_pending(s->b, 0) < 1024)
        s->input_at += board_uart_input(s->b, 0, s->input + s->input_at, s->input_len - s->input_at);
    size_t n = board_uart_pending(s->b, 0) < 4096 ? board_port_read(&s->port, buf, sizeof buf) : 0;
    if (n)
        (void)board_uart_input(s->b, 0, buf, n);
}

/* In slices: input is looked for between them, and with --pace real each takes its time. */
static enum board_stop run(struct session *s, uint64_t until)
{
    const uint64_t slice = (uint64_t)SLICE_MS * BOARD_CYCLES_PER_S / 1000;
    bool live = s->real || s->port.in_open || s->input_len;
    double begun = wall(), virtual_begun = seconds(board_now(s->b));
    for (;;) {
        feed(s);
        uint64_t step = s->real ? slice : 20 * slice;
        uint64_t to = live && until - board_now(s->b) > step ? board_now(s->b) + step : until;
        if (!live && until == UINT64_MAX) /* signals are looked at once in a while */
            to = board_now(s->b) + 60ull * BOARD_CYCLES_PER_S;
        enum board_stop stop = board_run(s->b, to);
        if (stop != BOARD_RUNS || s->seen || interrupted || board_now(s->b) >= until)
            return stop;
        double ahead = (seconds(board_now(s->b)) - virtual_begun) - (wall() - begun);
        if (s->real && ahead > 0.001)
            board_port_wait(&s->port, (int)(ahead * 1000));
    }
}

static int serve_gdb(struct session *s, uint64_t until, enum board_stop *stop)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(s->opt.gdb)) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 1)) {
        close(fd);
        return cli_fail(s->cli, EXIT_NODEVICE, "port", strerror(errno), NULL, "cannot listen on port %s", s->opt.gdb);
    }
    cli_note(s->cli, "waiting for a debugger: gdb-multiarch -ex 'target remote localhost:%s'", s->opt.gdb);
    int client = accept(fd, NULL, NULL);
    close(fd);
    if (client < 0)
        return cli_fail(s->cli, EXIT_NODEVICE, "port", strerror(errno), NULL, "no debugger came");
    *stop = board_gdb_serve(s->b, client, until);
    close(client);
    return 0;
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
    printf("\"overlap_ms\":%.3f,\"resets\":%" PRIu64 ",", seconds(st.overlap_cycles) * 1000, st.resets);
    if (s->trace)
        printf("\"trace_hash\":\"%016" PRIx64 "\",", board_hash(s->b));
    printf("\"unmodelled\":[");
    for (unsigned i = 0; board_unmodelled(s->b, i); i++)
        printf("%s\"%s\"", i ? "," : "", board_unmodelled(s->b, i));
    printf("]}\n");
}

static int verdict(const struct session *s, enum board_stop stop)
{
    const struct cli *cli = s->cli;
    if (s->seen)
        return EXIT_DONE;
    switch (stop) {
    case BOARD_CUT:
        cli_note(cli, "%s", board_why(s->b));
        return EXIT_CUT;
    case BOARD_LOCKUP: case BOARD_FAULT: case BOARD_SPIN:
        return cli_fail(cli, EXIT_FAULT, "fault", board_why(s->b), "--gdb PORT to look at it from the start",
            "the firmware came to an end it cannot leave");
    case BOARD_WAITS_UNMODELLED:
        return cli_fail(cli, EXIT_WAITS, "unmodelled", board_why(s->b), "docs/board.md lists what is modelled",
            "the firmware waits for what is not there");
    default: break;
    }
    if (interrupted)
        return EXIT_INTERRUPTED;
    if (stop == BOARD_IDLE || stop == BOARD_OFF)
        cli_note(cli, "%s", board_why(s->b));
    if (s->opt.until)
        return cli_fail(cli, EXIT_FAILED, "until", board_why(s->b)[0] ? board_why(s->b) : NULL, NULL,
            "\"%s\" was not seen on UART 0 in %.3f s of virtual time", s->opt.until, seconds(board_now(s->b)));
    return EXIT_DONE;
}

static int finish(struct session *s, enum board_stop stop, double took)
{
    size_t ext;
    uint8_t *external = board_external(s->b, &ext);
    fflush(stdout);
    int rc = store_image(s, s->opt.internal, board_flash(s->b), BOARD_FLASH_SIZE);
    int rc2 = store_image(s, s->opt.external, external, ext);
    if (s->trace)
        fprintf(s->trace, "hash %016" PRIx64 "\n", board_hash(s->b));
    if (!rc)
        rc = rc2;
    if (!rc)
        rc = verdict(s, stop);
    if (s->opt.stats)
        print_stats(s, stop, took);
    fflush(stdout);
    return rc;
}

static int run_board(struct cli *cli, int argc, char **argv)
{
    struct session s = { .cli = cli, .port = { .fd = -1, .listener = -1 } };
    enum board_stop stop = BOARD_RUNS;
    int rc = parse_options(&s.opt, cli, argc, argv);
    if (!rc)
        rc = set_up(&s);
    if (!rc) {
        struct sigaction sa = { .sa_handler = on_signal };
        sigaction(SIGINT, &sa, NULL);
        sigaction(SIGTERM, &sa, NULL);
        uint64_t until = s.opt.seconds < 0 ? UINT64_MAX : (uint64_t)llround(s.opt.seconds * BOARD_CYCLES_PER_S);
        double begun = wall();
        if (s.opt.gdb)
            rc = serve_gdb(&s, until, &stop);
        else
            stop = run(&s, until);
        if (!rc)
            rc = finish(&s, stop, wall() - begun);
    }
    if (s.trace && fclose(s.trace) && !rc)
        rc = cli_fail(cli, EXIT_FILE, "write", strerror(errno), NULL, "cannot write %s", s.opt.trace);
    board_port_close(&s.port);
    board_free(s.b);
    nor_part_free(s.made);
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
        "  --internal FILE      contents of the internal flash, read if there and written at the end\n"
        "  --external FILE      the same of the external flash\n"
        "  --for SECONDS        stop after that much virtual time\n"
        "  --until TEXT         stop when TEXT appears on UART 0\n"
        "  --input FILE         send its bytes to UART 0, at the line's speed\n"
        "  --pace real|max      real when a person or live client is on the UART, else max\n"
        "  --gdb PORT           wait for gdb-multiarch on localhost:PORT, start halted\n"
        "  --cut N[:HOW]        power fails in the N-th flash operation; HOW: none, all, half, bits of it done\n"
        "  --trace FILE         flash operations, faults, resets, and a hash over every instruction (slower)\n"
        "  --stats              one JSON line at the end of stdout\n"
        "\n"
        "Exit status: 0 --for or --until met, 1 TEXT not seen, 2 usage, 3 bad file, 5 no pty or port,\n"
        "20 power cut, 21 lock-up or fault, 22 waits for something that is not modelled.\n",
    .run = run_board,
};
