#include "host/lib/layout/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

/* "x/nrf52840dk/board.dts" is the board nrf52840dk, "x/mine.dts" is mine. */
static void name_board(struct layout_report *r)
{
    char *full = realpath(r->path, NULL);
    char *path = full ? full : r->path;
    char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    int len = (int)strcspn(base, ".");

    if (slash && strcmp(base, "board.dts") == 0) {
        *slash = '\0';
        slash = strrchr(path, '/');
        base = slash ? slash + 1 : path;
        len = (int)strlen(base);
    }
    snprintf(r->board, sizeof r->board, "%.*s", len, base);
    free(full);
}

/* A name or path that gave no text to read. */
static int cannot_read(struct layout_report *r, int err, const char *board)
{
    struct dt_loc at = { .file = r->path };
    struct layout_problem *p;

    if (err == ERR_NOENT) {
        p = layout_problem(r, LAYOUT_ERROR, "no_board", &at, "there is no board %s", board);
        layout_why(p, "it is no file, no folder with a board.dts, and no folder below a boards/ that slipway knows");
        layout_fix(p, "give the path of a devicetree file; SLIPWAY_BOARDS may name folders of boards");
        return ERR_NOENT;
    }
    p = layout_problem(r, LAYOUT_ERROR, "unreadable", &at, "%s cannot be read: %s", r->path,
        err == ERR_FORMAT ? "it is not text" : err_text(err));
    layout_fix(p, "give the path of a devicetree source (.dts)");
    return err == ERR_FORMAT ? ERR_FORMAT : ERR_IO;
}

/* What the reader stumbled over. */
static void take_problems(struct loader *l)
{
    for (const struct dt_problem *q = dt_problems(l->tree); q; q = q->next) {
        enum layout_severity severity = q->kind == DT_UNKNOWN_TARGET ? LAYOUT_WARNING : LAYOUT_ERROR;
        struct layout_problem *p = layout_problem(l->report, severity, "syntax", &q->loc, "%s", q->message);
        if (severity == LAYOUT_ERROR)
            layout_why(p, "what follows may be misread, so no layout is taken from this file");
    }
}

/* Something is not there: it may be in a file that was not found. */
static void mention_include(struct loader *l)
{
    static const char *const absent[] = { "missing", "no_internal_flash", "no_external_flash", "reg",
        "reg_missing", "size_missing", "jedec_missing" };
    const struct dt_missing *m = dt_missing_includes(l->tree);
    bool is_absent = false;

    for (unsigned i = 0; i < l->report->problem_count; i++) {
        for (size_t k = 0; k < sizeof absent / sizeof absent[0]; k++)
            is_absent |= strcmp(l->report->problem[i].id, absent[k]) == 0;
    }
    if (!m || !is_absent)
        return;
    struct layout_problem *p = layout_problem(l->report, LAYOUT_NOTE, "include_missing", &m->loc,
        "%s was not found beside this file; what it defines is not known here", m->name);
    layout_fix(p, "if what is missing comes from there: give slipway the built zephyr.dts");
}

int layout_load(const char *board, struct layout *out, struct layout_report *report)
{
    memset(report, 0, sizeof *report);
    memset(out, 0, sizeof *out);
    int err = layout_find(board, report->path, sizeof report->path);
    if (err)
        return cannot_read(report, err, board);
    name_board(report);

    struct dt_tree *tree = dt_new(NULL);
    err = tree ? dt_read_file(tree, report->path) : ERR_NOSPACE;
    if (err) {
        dt_free(tree);
        return cannot_read(report, err, board);
    }
    struct loader l = { .report = report, .tree = tree };
    layout_read_tree(&l);
    layout_read_wiring(&l);
    layout_check_all(&l, out);
    take_problems(&l);
    mention_include(&l);
    dt_free(tree);
    return report->errors ? ERR_FORMAT : OK;
}
