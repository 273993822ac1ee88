/* `slipway layout`: shows and checks a board's layout, and writes the header that firmware gets. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/lib/layout/draw.h"
#include "host/lib/layout/header.h"
#include "host/lib/layout/load.h"

static const char *const severity_name[] = { "note", "warning", "error" };

/* The line of the source that a problem is about, with a mark below the column. */
static void print_source(const struct layout_where *at)
{
    char line[240];

    if (!layout_source_line(at->file, at->line, line, sizeof line))
        return;
    fprintf(stderr, "%6u | ", at->line);
    for (const char *c = line; *c; c++)
        fputc(*c == '\t' ? ' ' : (unsigned char)*c < 0x20 || *c == 0x7F ? '?' : *c, stderr);
    fprintf(stderr, "\n       | ");
    for (unsigned i = 1; i < at->column && i < sizeof line; i++)
        fputc(' ', stderr);
    fprintf(stderr, "^\n");
}

static void print_problem(const struct cli *cli, const struct layout_problem *p)
{
    static const int color[] = { 36, 35, 31 };
    bool colored = cli->color;

    cli_event(cli, "problem", "{s:s, s:s, s:s, s:i, s:i, s:s, s:s, s:s}", "severity",
        severity_name[p->severity], "id", p->id, "file", p->at.file, "line", (int)p->at.line, "column",
        (int)p->at.column, "message", p->what, "why", p->why, "fix", p->fix);
    if (cli->quiet && p->severity != LAYOUT_ERROR)
        return;
    if (p->at.line)
        fprintf(stderr, "%s:%u:%u: ", p->at.file, p->at.line, p->at.column);
    else if (p->at.file[0])
        fprintf(stderr, "%s: ", p->at.file);
    if (colored)
        fprintf(stderr, "\x1b[%dm", color[p->severity]);
    fprintf(stderr, "%s:%s %s\n", severity_name[p->severity], colored ? "\x1b[0m" : "", p->what);
    print_source(&p->at);
    if (p->why[0])
        fprintf(stderr, "  why: %s\n", p->why);
    if (p->fix[0])
        fprintf(stderr, "  fix: %s\n", p->fix);
}

static void print_problems(const struct cli *cli, const struct layout_report *r)
{
    for (unsigned i = 0; i < r->problem_count; i++)
        print_problem(cli, &r->problem[i]);
    if (r->problem_count == LAYOUT_PROBLEMS_MAX)
        cli_note(cli, "more problems than are shown; these may go away with the first ones");
}

static void print_parts(const struct cli *cli, const struct layout *l, const struct layout_report *r)
{
    static const char *const chip_name[] = { "internal", "external" };
    struct draw_part part[DRAW_PARTS_MAX];

    if (!cli->json)
        printf("\n     part              chip      from        to            size\n");
    for (unsigned chip = 0; chip < 2; chip++) {
        unsigned n = draw_parts(part, l, r, chip);
        for (unsigned i = 0; i < n; i++) {
            const struct draw_part *p = &part[i];
            cli_event(cli, "part", "{s:s, s:s, s:I, s:I}", "name", p->name, "chip", chip_name[chip],
                "off", (json_int_t)p->off, "size", (json_int_t)p->size);
            if (!cli->json)
                printf("%4s %-17s %s  0x%08" PRIx32 "  0x%08" PRIx32 "  %6" PRIu32 " KiB\n", p->key,
                    p->name, chip_name[chip], p->off, p->off + p->size, p->size / 1024);
        }
    }
}

static void print_room(const struct layout *l)
{
    struct layout_room best = layout_room_best(l), two = layout_room_gap(l, 2);

    printf("\nlargest image that can be swapped: %" PRIu32 " bytes (%" PRIu32 " KiB, %" PRIu32
           " units of %" PRIu32 "), header and signature included\n", best.max_image,
        best.max_image / 1024, best.max_image / l->unit, l->unit);
    if (best.gap == 2)
        printf("swap: gap 2, both chips work at the same time\n");
    else
        printf("swap: gap 2 (both chips at the same time) up to %" PRIu32 " bytes (%" PRIu32
               " KiB), above that gap 1 (one after the other)\n", two.max_image, two.max_image / 1024);
    printf("boot state: 0x%08" PRIx32 " to 0x%08" PRIx32 ", internal\n", l->state.off,
        l->state.off + l->state.size);
    printf("layout hash: 0x%08" PRIx32 "\n", l->hash);
}

static void print_text(const struct cli *cli, const struct layout *l, const struct layout_report *r)
{
    struct draw_style style = draw_style_for(stdout, cli->color);

    style.unicode = style.unicode && !cli->ascii;

    printf("board %s (%s)\n\n", r->board, r->path);
    draw_layout_chip(stdout, &style, l, r, LAYOUT_INTERNAL);
    printf("\n");
    draw_layout_chip(stdout, &style, l, r, LAYOUT_EXTERNAL);
    print_parts(cli, l, r);
    print_room(l);
}

static void print_json(const struct cli *cli, const struct layout *l, const struct layout_report *r)
{
    char hash[16], jedec[8];
    struct layout_room best = layout_room_best(l), one = layout_room_gap(l, 1), two = layout_room_gap(l, 2);

    snprintf(hash, sizeof hash, "0x%08" PRIx32, l->hash);
    snprintf(jedec, sizeof jedec, "%06" PRIx32, l->external_jedec & 0xFFFFFF);
    cli_event(cli, "chip", "{s:s, s:s, s:I, s:I}", "name", "internal", "part", r->chip[0].name, "size",
        (json_int_t)l->internal_size, "erase", (json_int_t)l->internal_erase);
    cli_event(cli, "chip", "{s:s, s:s, s:I, s:I, s:s}", "name", "external", "part", r->chip[1].name,
        "size", (json_int_t)l->external_size, "erase", (json_int_t)l->external_erase, "jedec", jedec);
    print_parts(cli, l, r);
    cli_event(cli, "result", "{s:b, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:i}", "ok", 1, "board",
        r->board, "file", r->path, "hash", hash, "unit", (json_int_t)l->unit, "gap", (json_int_t)best.gap,
        "max_image", (json_int_t)best.max_image, "max_image_gap1", (json_int_t)one.max_image,
        "max_image_gap2", (json_int_t)two.max_image, "warnings", (int)r->warnings);
}

/* Writes beside the target and renames, so that a header is whole or absent. */
static int write_header(const struct cli *cli, const char *path, const struct layout *l,
    const struct layout_report *r)
{
    char tmp[LAYOUT_PATH_MAX + 8];
    const char *base = strrchr(r->path, '/');
    int n = snprintf(tmp, sizeof tmp, "%s.tmp", path);
    FILE *f = n > 0 && (size_t)n < sizeof tmp ? fopen(tmp, "w") : NULL;
    bool good = f != NULL;

    if (f) {
        layout_write_header(f, l, r, base ? base + 1 : r->path);
        good = !ferror(f);
        good = fclose(f) == 0 && good && rename(tmp, path) == 0;
    }
    if (!good) {
        int err = errno;
        remove(tmp);
        return cli_fail(cli, EXIT_FILE, "header_write", strerror(err), NULL,
            "the header %s cannot be written", path);
    }
    cli_note(cli, "%s: layout of %s, hash 0x%08" PRIx32, path, r->board, l->hash);
    return EXIT_DONE;
}

struct options {
    const char *board;
    const char *header;
};

static int parse(const struct cli *cli, int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--header") == 0 || strcmp(argv[i], "--board") == 0) {
            if (i + 1 == argc)
                return cli_usage(cli, &cmd_layout, "%s needs a value", argv[i]);
            const char **to = argv[i][2] == 'h' ? &o->header : &o->board;
            *to = argv[++i];
        } else if (strncmp(argv[i], "--header=", 9) == 0) {
            o->header = argv[i] + 9;
        } else if (strncmp(argv[i], "--board=", 8) == 0) {
            o->board = argv[i] + 8;
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return cli_usage(cli, &cmd_layout, "unknown option %s", argv[i]);
        } else if (o->board) {
            return cli_usage(cli, &cmd_layout, "one board at a time, not %s and %s", o->board, argv[i]);
        } else {
            o->board = argv[i];
        }
    }
    return o->board ? EXIT_DONE : cli_usage(cli, &cmd_layout, "which board?");
}

static int failed(const struct cli *cli, const struct layout_report *r, const char *board)
{
    if (r->errors == 1 && r->problem_count == 1 && !r->problem[0].at.line) {
        const struct layout_problem *p = &r->problem[0];
        return cli_fail(cli, EXIT_FILE, p->id, p->why, p->fix[0] ? p->fix : NULL, "%s", p->what);
    }
    print_problems(cli, r);
    return cli_fail(cli, EXIT_FILE, "layout", NULL, NULL, "%s gives no layout: %u error%s", board,
        r->errors, r->errors == 1 ? "" : "s");
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct options o = { 0 };
    struct layout layout;
    struct layout_report *report = calloc(1, sizeof *report);
    int rc = report ? parse(cli, argc, argv, &o) : EXIT_FAILED;

    if (rc == EXIT_DONE && layout_load(o.board, &layout, report) != OK) {
        rc = failed(cli, report, o.board);
    } else if (rc == EXIT_DONE) {
        print_problems(cli, report);
        if (o.header)
            rc = write_header(cli, o.header, &layout, report);
        if (rc == EXIT_DONE && cli->json)
            print_json(cli, &layout, report);
        else if (rc == EXIT_DONE && !o.header)
            print_text(cli, &layout, report);
    }
    free(report);
    return rc;
}

const struct cli_command cmd_layout = {
    .name = "layout",
    .summary = "show and check where everything lies on a board's two flash chips",
    .help = "  slipway layout nrf52840dk\n"
            "  slipway layout my_board.dts --header build/board_layout.h\n\n"
            "BOARD is the name of a folder below boards/, or the path of a devicetree file (a board's\n"
            ".dts or a built zephyr.dts). Draws both chips to scale, lists the parts, says how large an\n"
            "image can be so that it can be swapped, and shows what is wrong with file, line and fix.\n\n"
            "  --header FILE   write the layout as a C header instead; this is what the build uses\n\n"
            "Exit status: 0 the layout is good, 2 wrong use, 3 no such board or the layout has errors.\n",
    .run = run,
};
