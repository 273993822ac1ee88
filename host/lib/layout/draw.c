#include "host/lib/layout/draw.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_MIN = 40, WIDTH_MAX = 200, WIDTH_UNKNOWN = 80, BOXES_MAX = 2 * LAYOUT_REGIONS_MAX + 8 };

/* A piece of the picture: `col` columns between two bars; a part, or what lies between parts. */
struct box {
    const struct draw_part *part; /* NULL: free */
    uint32_t size;
    unsigned cols;
};

static unsigned terminal_width(FILE *out)
{
    struct winsize w;
    const char *columns = getenv("COLUMNS");

    if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return columns && atoi(columns) > 0 ? (unsigned)atoi(columns) : WIDTH_UNKNOWN;
}

/* The locale of the environment; the program itself stays in "C", so that numbers print alike. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "UTF8")
                || strstr(value, "utf-8");
    }
    return false;
}

struct draw_style draw_style_for(FILE *out, bool color)
{
    unsigned width = terminal_width(out);

    if (width > WIDTH_MAX)
        width = WIDTH_MAX;
    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    return (struct draw_style) { .width = width, .unicode = locale_is_utf8(), .color = color };
}

static unsigned split(struct box *box, uint32_t chip_size, const struct draw_part *part, unsigned count)
{
    unsigned n = 0;
    uint32_t at = 0;

    for (unsigned i = 0; i < count && n + 2 < BOXES_MAX; i++) {
        if (part[i].off > at)
            box[n++] = (struct box) { .size = part[i].off - at };
        box[n++] = (struct box) { .part = &part[i], .size = part[i].size };
        at = part[i].off + part[i].size;
    }
    if (at < chip_size)
        box[n++] = (struct box) { .size = chip_size - at };
    return n;
}

/* Shares out the columns in proportion, none less than 1; what rounding left goes to the largest. */
static void share_columns(struct box *box, unsigned n, unsigned cols)
{
    uint64_t total = 0;
    unsigned used = 0, largest = 0;

    for (unsigned i = 0; i < n; i++)
        total += box[i].size;
    for (unsigned i = 0; i < n && total; i++) {
        box[i].cols = (unsigned)((uint64_t)box[i].size * cols / total);
        if (box[i].cols == 0)
            box[i].cols = 1;
        used += box[i].cols;
        if (box[i].size > box[largest].size)
            largest = i;
    }
    if (used < cols)
        box[largest].cols += cols - used;
    else if (used - cols < box[largest].cols)
        box[largest].cols -= used - cols;
}

static void put_times(FILE *out, const char *s, unsigned n)
{
    while (n-- > 0)
        fputs(s, out);
}

static void put_rule(FILE *out, const struct draw_style *style, const struct box *box, unsigned n,
    const char *left, const char *cross, const char *right)
{
    fputs(style->unicode ? left : "+", out);
    for (unsigned i = 0; i < n; i++) {
        put_times(out, style->unicode ? "\xe2\x94\x80" : "-", box[i].cols);
        fputs(i + 1 == n ? (style->unicode ? right : "+") : style->unicode ? cross : "+", out);
    }
    fputc('\n', out);
}

/* The name in the middle of the columns, or the key where it does not fit; filled up. */
static void put_cell(FILE *out, const struct draw_style *style, const struct box *b, bool detail)
{
    const struct draw_part *p = b->part;
    const char *text = !p ? (detail ? "" : "free") : detail ? p->detail : p->name;
    const char *fill = p ? " " : style->unicode ? "\xc2\xb7" : ".";

    if (strlen(text) > b->cols)
        text = p && !detail && strlen(p->key) <= b->cols ? p->key : "";
    unsigned len = (unsigned)strlen(text), left = (b->cols - len) / 2;
    bool color = style->color && p && p->color;
    if (color)
        fprintf(out, "\x1b[%dm", p->color);
    put_times(out, fill, left);
    fputs(text, out);
    put_times(out, fill, b->cols - len - left);
    if (color)
        fputs("\x1b[0m", out);
}

static void put_row(FILE *out, const struct draw_style *style, const struct box *box, unsigned n, bool detail)
{
    const char *bar = style->unicode ? "\xe2\x94\x82" : "|";

    fputs(bar, out);
    for (unsigned i = 0; i < n; i++) {
        put_cell(out, style, &box[i], detail);
        fputs(bar, out);
    }
    fputc('\n', out);
}

void draw_chip(FILE *out, const struct draw_style *style, uint32_t chip_size,
    const struct draw_part *part, unsigned count)
{
    struct box box[BOXES_MAX];
    unsigned n = split(box, chip_size, part, count);

    if (n == 0)
        return;
    unsigned bars = n + 1;
    share_columns(box, n, style->width > bars + n ? style->width - bars : n);
    put_rule(out, style, box, n, "\xe2\x94\x8c", "\xe2\x94\xac", "\xe2\x94\x90");
    put_row(out, style, box, n, false);
    put_row(out, style, box, n, true);
    put_rule(out, style, box, n, "\xe2\x94\x94", "\xe2\x94\xb4", "\xe2\x94\x98");
    char end[16];
    snprintf(end, sizeof end, "0x%08" PRIx32, chip_size);
    fprintf(out, "0x%08x%*s\n", 0, style->width > 10 ? (int)style->width - 10 : 0, end);
}

static int color_of(enum layout_role role)
{
    static const int colors[] = { [LAYOUT_BOOT] = 33, [LAYOUT_SLOT0] = 32, [LAYOUT_SLOT1] = 36,
        [LAYOUT_SCRATCH] = 35, [LAYOUT_STORAGE] = 34, [LAYOUT_OTHER] = 0 };
    return colors[role];
}

static void take_part(struct draw_part *part, unsigned *n, const char *name, uint32_t off,
    uint32_t size, int color)
{
    if (size == 0 || *n >= DRAW_PARTS_MAX)
        return;
    struct draw_part *p = &part[(*n)++];
    size_t len = strlen(name);
    if (len > 10 && strcmp(name + len - 10, "_partition") == 0)
        len -= 10; /* the picture and the table call it slot0 */
    *p = (struct draw_part) { .off = off, .size = size, .color = color };
    snprintf(p->name, sizeof p->name, "%.*s", (int)len, name);
    snprintf(p->detail, sizeof p->detail, "%" PRIu32 " KiB", size / 1024);
}

static int by_offset(const void *a, const void *b)
{
    const struct draw_part *x = a, *y = b;
    return x->off < y->off ? -1 : x->off > y->off;
}

/* A partition, cut where the state area is a part of it. */
static void take_region(struct draw_part *part, unsigned *n, const struct layout *l,
    const struct layout_region *r)
{
    uint32_t end = r->off + r->size, state_end = l->state.off + l->state.size;
    int color = color_of(r->role);

    if (r->chip != LAYOUT_INTERNAL || l->state.off < r->off || state_end > end) {
        take_part(part, n, r->name, r->off, r->size, color);
        return;
    }
    take_part(part, n, r->name, r->off, l->state.off - r->off, color);
    take_part(part, n, "state", l->state.off, l->state.size, 31);
    take_part(part, n, r->name, state_end, end - state_end, color);
}

static bool holds_another(const struct layout_report *rep, unsigned i)
{
    const struct layout_region *a = &rep->region[i];

    for (unsigned k = 0; k < rep->region_count; k++) {
        const struct layout_region *b = &rep->region[k];
        if (k != i && a->chip == b->chip && b->off >= a->off && b->off + b->size <= a->off + a->size
            && b->size < a->size)
            return true;
    }
    return false;
}

unsigned draw_parts(struct draw_part part[DRAW_PARTS_MAX], const struct layout *layout,
    const struct layout_report *report, unsigned chip)
{
    unsigned n = 0, before = 0;

    for (unsigned i = 0; i < report->region_count; i++) {
        const struct layout_region *r = &report->region[i];
        bool container = r->role == LAYOUT_OTHER && holds_another(report, i);
        if (r->chip == chip && !container)
            take_region(part, &n, layout, r);
    }
    qsort(part, n, sizeof part[0], by_offset);
    if (chip == LAYOUT_EXTERNAL) {
        struct draw_part internal[DRAW_PARTS_MAX];
        before = draw_parts(internal, layout, report, LAYOUT_INTERNAL);
    }
    for (unsigned i = 0; i < n; i++)
        snprintf(part[i].key, sizeof part[i].key, "%u", (before + i + 1) % 1000);
    return n;
}

void draw_layout_chip(FILE *out, const struct draw_style *style, const struct layout *layout,
    const struct layout_report *report, unsigned chip)
{
    const struct layout_chip *c = &report->chip[chip];
    struct draw_part part[DRAW_PARTS_MAX];
    unsigned n = draw_parts(part, layout, report, chip);

    fprintf(out, "%s flash: %" PRIu32 " KiB, erase unit %" PRIu32 " KiB, %s",
        chip == LAYOUT_EXTERNAL ? "external" : "internal", c->size / 1024, c->erase / 1024, c->name);
    if (chip == LAYOUT_EXTERNAL)
        fprintf(out, ", JEDEC %02" PRIx32 " %02" PRIx32 " %02" PRIx32, c->jedec >> 16,
            c->jedec >> 8 & 0xFF, c->jedec & 0xFF);
    fprintf(out, "; a column is %.1f KiB\n", (double)c->size / 1024 / style->width);
    draw_chip(out, style, c->size, part, n);
}
