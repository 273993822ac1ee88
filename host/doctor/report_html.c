/*
 * One self-contained page: the verdict, the findings, and beside them both chips to scale as each image
 * sees them, as built and as the project seems to mean it. No scripts, nothing loaded from anywhere; the
 * chips are boxes of the style sheet, so that they and their legends stay readable on a phone.
 */
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/report_html_style.h"
#include "host/doctor/text.h"

typedef unsigned long long ull;

static void put(const char *text, FILE *out)
{
    uint32_t code;

    for (size_t n; text && *text; text += n) {
        n = text_char(text, &code);
        const char *entity = code == '<' ? "&lt;"
            : code == '>'                ? "&gt;"
            : code == '&'                ? "&amp;"
            : code == '"'                ? "&quot;"
                                         : NULL;
        if (n > 0 && entity)
            fputs(entity, out);
        else
            text_put(text, n ? n : 1, out);
        n += n == 0;
    }
}

/* --- chips ------------------------------------------------------------------------------------- */

/* One chip as one image sees it. */
struct chip {
    const char *name, *where;
    uint64_t size, scale; /* the bar is size/scale of the page's width */
    bool external, seen, meant;
    const struct box *boxes;
};

static const char *const role_class[] = { "boot", "s0", "s1", "other" };

static void put_bar(const struct chip *c, FILE *out)
{
    fprintf(out, "<div class=\"bar%s\" style=\"width:%.3f%%\">", c->external && !c->seen ? " unseen" : "",
        100.0 * (double)c->size / (double)c->scale);
    for (const struct box *b = c->boxes; b; b = b->next) {
        if (b->external != c->external || b->from >= c->size)
            continue;
        uint64_t to = b->to > c->size ? c->size : b->to;
        fprintf(out, "<i class=\"%s\" style=\"left:%.3f%%;width:%.3f%%\" title=\"", role_class[b->role],
            100.0 * (double)b->from / (double)c->size, 100.0 * (double)(to - b->from) / (double)c->size);
        put(b->name, out);
        fprintf(out, "\">");
        if ((to - b->from) * 7 > c->scale)
            put(b->name, out);
        fprintf(out, "</i>");
    }
    fprintf(out, "</div>");
}

static void put_legend(const struct chip *c, FILE *out)
{
    bool any = false;

    fprintf(out, "<ul>");
    for (const struct box *b = c->boxes; b; b = b->next) {
        bool lost = c->external && !c->seen;
        if (b->external != c->external)
            continue;
        any = true;
        fprintf(out, "<li%s><b class=\"%s\"></b><span>", lost ? " class=\"lost\"" : "", role_class[b->role]);
        put(b->name, out);
        if (lost && b->role == BOX_SLOT1)
            fprintf(out, ": not in this image's map");
        else if (b->to > c->size)
            fprintf(out, ": ends behind the chip");
        fprintf(
            out, "</span><code>0x%llx</code><code>%llu KiB</code></li>", (ull)b->from, (ull)(b->to - b->from) / 1024);
    }
    if (!any)
        fprintf(out, "<li class=\"%s\"><span>%s</span></li>", c->meant ? "" : "lost",
            c->seen ? "no slot is placed here" : "this image does not know the chip");
    fprintf(out, "</ul>");
}

static void put_chip(const struct chip *c, FILE *out)
{
    fprintf(out, "<div class=\"chip\"><div class=\"name\"><strong>");
    put(c->name, out);
    fprintf(out, "</strong> %s, %llu KiB</div>", c->where, (ull)c->size / 1024);
    put_bar(c, out);
    put_legend(c, out);
    fprintf(out, "</div>");
}

static uint64_t end_of(const struct box *b, bool external)
{
    uint64_t end = 0;

    for (; b; b = b->next) {
        if (b->external == external && b->to > end)
            end = b->to;
    }
    return end;
}

/* Both chips as `image` sees them. */
static void put_view(const struct drawing *g, const char *image, bool sees, bool meant, FILE *out)
{
    const struct box *boxes = meant ? g->meant : g->built;
    uint64_t flash = g->flash ? g->flash : end_of(boxes, false), ext = g->ext ? g->ext : end_of(boxes, true);
    uint64_t scale = flash > ext ? flash : ext;
    bool lost = !sees && !meant && end_of(boxes, true) > 0;
    struct chip c = { .name = g->soc ? g->soc : "SoC",
        .where = "internal flash",
        .size = flash,
        .scale = scale,
        .seen = true,
        .meant = meant,
        .boxes = boxes };

    fprintf(out, "<div class=\"view\"><h3>%s%s</h3>", image, lost ? " <em>cannot see slot 1</em>" : "");
    if (flash)
        put_chip(&c, out);
    c = (struct chip) { .name = g->chip ? g->chip : "external chip",
        .where = "external flash",
        .size = ext,
        .scale = scale,
        .external = true,
        .seen = sees || meant,
        .meant = meant,
        .boxes = boxes };
    if (ext)
        put_chip(&c, out);
    fprintf(out, "</div>");
}

static void put_state(const struct drawing *g, const char *title, bool meant, FILE *out)
{
    fprintf(out, "<section class=\"card state\"><h2>%s</h2><div class=\"pair\">", title);
    put_view(g, "Application", g->app_sees, meant, out);
    put_view(g, "MCUboot", g->boot_sees, meant, out);
    fprintf(out, "</div></section>");
}

static bool agrees(const struct drawing *g)
{
    return g->built == g->meant && ((g->app_sees && g->boot_sees) || !end_of(g->built, true));
}

static void put_drawing(const struct drawing *g, FILE *out)
{
    if (!g->any || (!g->built && !g->meant)) {
        fprintf(out, "<p class=\"small\">There is nothing to draw: the slots cannot be told from these files.</p>");
        return;
    }
    if (agrees(g)) {
        put_state(g, "As built, and as the project means it", false, out);
    } else {
        put_state(g, "As built", false, out);
        put_state(g, "As the project seems to mean it", true, out);
    }
    fprintf(out, "<p class=\"small\">To scale; ");
    if (g->map_name) {
        fprintf(out, "places are those of <code>");
        put(g->map_name, out);
        fprintf(out, "</code>");
    } else {
        fprintf(out,
            g->flow == FLOW_NONE
                ? "places are the devicetree's"
                : "places are what the Partition Manager would choose, since no partitions.yml was seen");
    }
    fprintf(out, ". Build flow: %s.</p>", flow_name(g->flow));
}

/* --- findings ---------------------------------------------------------------------------------- */

static void put_field(const char *name, const char *text, FILE *out)
{
    fprintf(out, "<dt>%s</dt><dd>", name);
    put(text, out);
    fprintf(out, "</dd>");
}

static void put_place(const struct finding *f, FILE *out)
{
    fprintf(out, "<span class=\"at\">");
    put(f->at.file, out);
    if (f->at.line)
        fprintf(out, ":%u:%u", f->at.line, f->at.column);
    fprintf(out, "</span>");
    if (f->image && *f->image) {
        fprintf(out, "<span class=\"image\">");
        put(f->image, out);
        fprintf(out, "</span>");
    }
}

static void put_patch(const char *patch, FILE *out)
{
    fprintf(out, "<pre class=\"patch\">");
    for (const char *at = patch; *at;) {
        size_t n = strcspn(at, "\n");
        const char *kind = strncmp(at, "+++", 3) == 0 || strncmp(at, "---", 3) == 0 || *at == '@' ? "head"
            : *at == '+'                                                                          ? "add"
            : *at == '-'                                                                          ? "del"
                                                                                                  : "same";
        char line[1024];
        snprintf(line, sizeof line, "%.*s", (int)n, at);
        fprintf(out, "<span class=\"%s\">", kind);
        put(line, out);
        fprintf(out, "</span>\n");
        at += n + (at[n] == '\n');
    }
    fprintf(out, "</pre>");
}

static void put_finding(struct doctor *d, const struct finding *f, FILE *out)
{
    const char *line = source_line(&d->project.files, f->at.file, f->at.line);

    fprintf(out, "<article class=\"card %s\" id=\"%s\"><div class=\"head\"><span class=\"id\">%s %s</span>",
        severity_name(f->severity), f->rule->id, severity_name(f->severity), f->rule->id);
    put_place(f, out);
    fprintf(out, "</div><p>");
    put(f->message, out);
    fprintf(out, ".</p>");
    if (line) {
        fprintf(out, "<pre><span class=\"no-line\">%u</span> ", f->at.line);
        put(line, out);
        fprintf(out, "</pre>");
    }
    if (f->severity != SEV_INFO) {
        fprintf(out, "<dl>");
        put_field("then", f->effect, out);
        put_field("fix", f->fix, out);
        fprintf(out, "</dl>");
    }
    if (f->patch)
        put_patch(f->patch, out);
    fprintf(out, "</article>\n");
}

static void put_list(const char *title, FILE *out)
{
    fprintf(out, "<h2>%s</h2><div class=\"card\"><ul>", title);
}

static void put_item(const char *name, const char *why, FILE *out)
{
    fprintf(out, "<li><code>");
    put(name, out);
    fprintf(out, "</code>: ");
    put(why, out);
    fprintf(out, "</li>");
}

static void put_rest(struct doctor *d, FILE *out)
{
    if (d->unread)
        put_list("Not read", out);
    for (const struct unread *u = d->unread; u; u = u->next)
        put_item(u->name, u->why, out);
    if (d->unread)
        fprintf(out, "</ul></div>");
    if (d->missing)
        put_list("To be sure, the doctor would like to see", out);
    for (const struct missing *m = d->missing; m; m = m->next)
        put_item(m->name, m->why, out);
    if (d->missing)
        fprintf(out, "</ul></div>");
}

/* "NO" of "NO: the upload goes ...": the word in front, which the page sets apart. */
static void put_verdict(const struct doctor *d, FILE *out)
{
    static const char *const reach[] = { "unknown", "yes", "no" };
    const char *colon = strstr(d->verdict, ": ");
    int word = colon ? (int)(colon - d->verdict) : 0;

    fprintf(out, "<div class=\"verdict %s\"><strong>%.*s</strong><span>", reach[d->reach], word, d->verdict);
    put(colon ? colon + 2 : d->verdict, out);
    fprintf(out, "</span></div>\n");
}

void report_html(struct doctor *d, FILE *out)
{
    fprintf(out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>slipway doctor</title><style>");
    for (size_t i = 0; i < sizeof report_html_style / sizeof report_html_style[0]; i++)
        fputs(report_html_style[i], out);
    fprintf(out, "</style></head><body><header><h1>Will an update reach slot 1?</h1>");
    put_verdict(d, out);
    fprintf(out, "</header><main><aside>\n");
    put_drawing(&d->drawing, out);
    fprintf(out, "</aside><div class=\"findings\"><h2>%zu error%s, %zu warning%s, %zu note%s", d->count[SEV_ERROR],
        d->count[SEV_ERROR] == 1 ? "" : "s", d->count[SEV_WARNING], d->count[SEV_WARNING] == 1 ? "" : "s",
        d->count[SEV_INFO], d->count[SEV_INFO] == 1 ? "" : "s");
    if (d->suppressed)
        fprintf(out, ", %zu suppressed", d->suppressed);
    fprintf(out, "</h2>\n");
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed)
            put_finding(d, f, out);
    }
    put_rest(d, out);
    fprintf(out, "</div></main></body></html>\n");
}
