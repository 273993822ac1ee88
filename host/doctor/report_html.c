/*
 * One self-contained page: the verdict, both chips to scale as each image sees them (as built, and as
 * the project seems to mean it), and the findings. No scripts, nothing loaded from anywhere.
 */
#include <string.h>

#include "host/doctor/doctor.h"

typedef unsigned long long ull;

enum { DRAW_WIDTH = 860, BAR = 34 };

static const char style[] =
    "body{font:15px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1c2430}"
    "main{max-width:1000px;margin:0 auto;padding:24px}"
    "h1{font-size:20px;margin:0 0 4px}h2{font-size:17px;margin:32px 0 8px}h3{font-size:14px;margin:14px 0 2px;font-weight:600}"
    ".verdict{padding:16px 20px;border-radius:10px;font-size:17px;margin:14px 0 8px;border-left:6px solid}"
    ".no{background:#fdecea;border-color:#c62828}.yes{background:#e8f5e9;border-color:#2e7d32}.unknown{background:#fff8e1;border-color:#f9a825}"
    ".card{background:#fff;border:1px solid #dfe3e8;border-radius:10px;padding:14px 18px;margin:12px 0}"
    ".card.error{border-left:5px solid #c62828}.card.warning{border-left:5px solid #f9a825}.card.info{border-left:5px solid #1976d2}"
    ".head{display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}.id{font-weight:700}.at{font-family:ui-monospace,monospace;font-size:13px;color:#5b6776}"
    "pre{background:#f1f3f5;padding:8px 10px;border-radius:6px;overflow-x:auto;font-size:13px;margin:8px 0}"
    "dl{display:grid;grid-template-columns:70px 1fr;margin:6px 0}dt{color:#5b6776}dd{margin:0}"
    "svg{display:block;width:100%;height:auto}.pair{display:grid;grid-template-columns:1fr;gap:2px}"
    "svg text{font:12px system-ui,sans-serif;fill:#1c2430}small{color:#5b6776}"
    "@media(prefers-color-scheme:dark){body{background:#14181d;color:#e4e8ee}.card{background:#1d232b;border-color:#303a45}"
    "pre{background:#262e38}.no{background:#3a1f1e}.yes{background:#1d3120}.unknown{background:#37301a}svg text{fill:#e4e8ee}"
    ".at,dt,small{color:#9aa6b4}}";

static void put(const char *text, FILE *out)
{
    for (; text && *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c == '"')
            fputs("&quot;", out);
        else if (c >= 0x20 || c == '\n' || c == '\t')
            fputc(c, out);
    }
}

/* A box from `from` to `to` bytes on a bar whose scale is `per_byte`. */
struct box {
    const char *label, *color;
    uint64_t from, to;
    bool dashed;
};

static void put_box(const struct box *b, double per_byte, int y, FILE *out)
{
    double x = (double)b->from * per_byte, w = (double)(b->to - b->from) * per_byte;

    if (b->to <= b->from)
        return;
    fprintf(out, "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\" %s><title>", x, y, w < 1.5 ? 1.5 : w, BAR, b->color,
        b->dashed ? "fill-opacity=\"0.25\" stroke=\"#c62828\" stroke-dasharray=\"5 4\"" : "stroke=\"#fff\" stroke-width=\"0.7\"");
    put(b->label, out);
    fprintf(out, " 0x%llx..0x%llx</title></rect>", (ull)b->from, (ull)b->to);
    if (w > 70) {
        fprintf(out, "<text x=\"%.1f\" y=\"%d\">", x + 5, y + 15);
        put(b->label, out);
        fprintf(out, "</text><text x=\"%.1f\" y=\"%d\" opacity=\".75\">%llu KiB</text>", x + 5, y + 29, (ull)(b->to - b->from) / 1024);
    }
}

static void put_chip(const char *name, uint64_t size, const struct box *boxes, int count, double per_byte, FILE *out)
{
    fprintf(out, "<small>");
    put(name, out);
    fprintf(out, ", %llu KiB</small><svg viewBox=\"0 0 %d %d\" role=\"img\"><rect x=\"0.5\" y=\"1\" width=\"%.1f\" height=\"%d\" fill=\"#cfd8dc\" "
                 "fill-opacity=\".35\" stroke=\"#90a4ae\"/>", (ull)size / 1024, DRAW_WIDTH, BAR + 4, (double)size * per_byte, BAR);
    for (int i = 0; i < count; i++)
        put_box(&boxes[i], per_byte, 1, out);
    fprintf(out, "</svg>");
}

/* One image's view of both chips. */
static void put_view(const struct drawing *g, const char *image, bool sees, bool meant, FILE *out)
{
    const struct slot *pri = meant ? &g->primary_meant : &g->primary, *sec = meant ? &g->secondary_meant : &g->secondary;
    uint64_t flash = g->flash ? g->flash : pri->known && !pri->external ? pri->address + pri->size : 1u << 20;
    uint64_t ext = g->ext ? g->ext : sec->external ? sec->address + sec->size : 0;
    double per_byte = (DRAW_WIDTH - 2.0) / (double)(ext > flash ? ext : flash);
    bool lost = sec->known && sec->external && !sees && !meant;
    struct box inside[3], outside[1];
    int n = 0, m = 0;

    inside[n++] = (struct box) { "MCUboot", "#90caf9", 0, pri->known ? pri->address : 0xc000, false };
    if (pri->known)
        inside[n++] = (struct box) { "slot 0", "#a5d6a7", pri->address, pri->address + pri->size, false };
    struct box s = { lost ? "slot 1: not in this image's map" : "slot 1", "#ffcc80", sec->address, sec->address + sec->size, lost };
    if (sec->known && sec->external)
        outside[m++] = s;
    else if (sec->known)
        inside[n++] = s;
    fprintf(out, "<h3>%s%s</h3><div class=\"pair\">", image, lost ? " (cannot see slot 1)" : "");
    put_chip(g->soc ? g->soc : "internal flash", flash, inside, n, per_byte, out);
    if (ext)
        put_chip(g->chip ? g->chip : "external flash", ext, outside, m, per_byte, out);
    fprintf(out, "</div>");
}

static void put_drawing(const struct drawing *g, FILE *out)
{
    if (!g->any || (!g->primary.known && !g->secondary.known && !g->primary_meant.known)) {
        fprintf(out, "<p><small>There is nothing to draw: the slots cannot be told from these files.</small></p>");
        return;
    }
    fprintf(out, "<h2>As built</h2><div class=\"card\">");
    put_view(g, "Application", g->app_sees, false, out);
    put_view(g, "MCUboot", g->boot_sees, false, out);
    fprintf(out, "</div><h2>As the project seems to mean it</h2><div class=\"card\">");
    put_view(g, "Application and MCUboot", true, true, out);
    fprintf(out, "</div><p><small>To scale");
    if (g->map_name) {
        fprintf(out, ", from ");
        put(g->map_name, out);
    } else {
        fprintf(out, ", as the Partition Manager would place them; no partitions.yml was seen");
    }
    fprintf(out, ". Build flow: %s.</small></p>", flow_name(g->flow));
}

static void put_finding(struct doctor *d, const struct finding *f, FILE *out)
{
    const char *line = source_line(&d->project.files, f->at.file, f->at.line);

    fprintf(out, "<div class=\"card %s\"><div class=\"head\"><span class=\"id\">%s %s</span><span class=\"at\">", severity_name(f->severity),
        severity_name(f->severity), f->rule->id);
    put(f->at.file, out);
    if (f->at.line)
        fprintf(out, ":%u:%u", f->at.line, f->at.column);
    fprintf(out, "</span></div><div>");
    put(f->message, out);
    fprintf(out, ".</div>");
    if (line) {
        fprintf(out, "<pre>%u | ", f->at.line);
        put(line, out);
        fprintf(out, "</pre>");
    }
    if (f->severity != SEV_INFO) {
        fprintf(out, "<dl><dt>then</dt><dd>");
        put(f->effect, out);
        fprintf(out, "</dd><dt>fix</dt><dd>");
        put(f->fix, out);
        fprintf(out, "</dd></dl>");
    }
    if (f->patch) {
        fprintf(out, "<pre>");
        put(f->patch, out);
        fprintf(out, "</pre>");
    }
    fprintf(out, "</div>\n");
}

void report_html(struct doctor *d, FILE *out)
{
    static const char *const reach[] = { "unknown", "yes", "no" };

    fprintf(out, "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                 "<title>slipway doctor</title><style>%s</style><main><h1>Will an update reach slot 1?</h1><div class=\"verdict %s\">", style,
        reach[d->reach]);
    put(d->verdict, out);
    fprintf(out, "</div>\n");
    put_drawing(&d->drawing, out);
    fprintf(out, "<h2>%zu errors, %zu warnings, %zu notes</h2>\n", d->count[SEV_ERROR], d->count[SEV_WARNING], d->count[SEV_INFO]);
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed)
            put_finding(d, f, out);
    }
    if (d->missing) {
        fprintf(out, "<h2>Missing inputs</h2><div class=\"card\"><ul>");
        for (const struct missing *m = d->missing; m; m = m->next) {
            fprintf(out, "<li>");
            put(m->name, out);
            fprintf(out, ": ");
            put(m->why, out);
            fprintf(out, "</li>");
        }
        fprintf(out, "</ul></div>");
    }
    fprintf(out, "</main></html>\n");
}
