/* Findings as SARIF 2.1.0, for code scanning services. */
#include <jansson.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/report_json.h"

static const char *level_of(enum severity s)
{
    return s == SEV_ERROR ? "error" : s == SEV_WARNING ? "warning" : "note";
}

static json_t *message(const char *text)
{
    json_t *o = json_object();

    json_object_set_new(o, "text", json_text(text));
    return o;
}

static json_t *rules_json(void)
{
    json_t *all = json_array();
    const struct rule *r;

    for (size_t i = 0; (r = rule_at(i)); i++) {
        json_t *o = json_object();
        json_object_set_new(o, "id", json_string(r->id));
        json_object_set_new(o, "shortDescription", message(r->title));
        json_object_set_new(o, "fullDescription", message(r->effect));
        json_object_set_new(o, "help", message(r->fix));
        json_object_set_new(o, "defaultConfiguration", json_pack("{s:s}", "level", level_of(r->severity)));
        json_array_append_new(all, o);
    }
    return all;
}

static json_int_t rule_index(const struct rule *rule)
{
    json_int_t i = 0;

    while (rule_at((size_t)i) != rule)
        i++;
    return i;
}

/* A relative reference: what is not plain is percent-encoded. */
static json_t *uri_of(struct doctor *d, const char *file)
{
    size_t n = strlen(file), used = 0;
    char *out = pool_alloc(&d->pool, 3 * n + 1);

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)file[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
        if (plain)
            out[used++] = (char)c;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02X", c);
    }
    return json_string(out);
}

/* Columns of a place count bytes, those of SARIF here characters. */
static json_t *region_of(struct doctor *d, const struct finding *f)
{
    json_t *region = json_pack("{s:I}", "startLine", (json_int_t)f->at.line);
    const char *line = source_line(&d->project.files, f->at.file, f->at.line);
    json_int_t column = f->at.column;

    for (unsigned i = 0; line && i + 1 < f->at.column && line[i]; i++)
        column -= ((unsigned char)line[i] & 0xC0) == 0x80;
    if (column > 0)
        json_object_set_new(region, "startColumn", json_integer(column));
    if (line)
        json_object_set_new(region, "snippet", message(line));
    return region;
}

static json_t *location(struct doctor *d, const struct finding *f)
{
    json_t *physical = json_object(), *artifact = json_object();

    json_object_set_new(artifact, "uri", uri_of(d, f->at.file));
    json_object_set_new(artifact, "uriBaseId", json_string("PROJECT"));
    json_object_set_new(physical, "artifactLocation", artifact);
    if (f->at.line)
        json_object_set_new(physical, "region", region_of(d, f));
    return json_pack("{s:o}", "physicalLocation", physical);
}

static json_t *result(struct doctor *d, const struct finding *f)
{
    json_t *o = json_object();

    json_object_set_new(o, "ruleId", json_string(f->rule->id));
    json_object_set_new(o, "ruleIndex", json_integer(rule_index(f->rule)));
    json_object_set_new(o, "level", json_string(level_of(f->severity)));
    json_object_set_new(o, "message", message(pool_printf(&d->pool, "%s. %s Fix: %s", f->message, f->effect, f->fix)));
    if (f->at.file && *f->at.file && f->at.file[0] != '(')
        json_object_set_new(o, "locations", json_pack("[o]", location(d, f)));
    if (f->suppressed) {
        json_t *s = json_object();
        json_object_set_new(s, "kind", json_string("inSource"));
        json_object_set_new(s, "justification", json_text(f->suppressed));
        json_object_set_new(o, "suppressions", json_pack("[o]", s));
    }
    json_object_set_new(
        o, "properties", json_pack("{s:o, s:s}", "image", json_text(f->image), "flow", finding_flow(f)));
    return o;
}

/* What could not be read, as the run's own notes; a run with an input that decides unread is no success. */
static json_t *invocation(struct doctor *d)
{
    static const char *const levels[] = { "note", "warning", "error" };
    json_t *notes = json_array();

    for (const struct unread *u = d->unread; u; u = u->next) {
        json_t *n = json_object();
        json_object_set_new(n, "level", json_string(levels[u->level]));
        json_object_set_new(n, "message", message(pool_printf(&d->pool, "%s: %s", u->name, u->why)));
        json_array_append_new(notes, n);
    }
    return json_pack("{s:b, s:o}", "executionSuccessful", doctor_unread(d) == 0, "toolExecutionNotifications", notes);
}

void report_sarif(struct doctor *d, FILE *out)
{
    json_t *driver = json_object(), *run = json_object(), *results = json_array();

    json_object_set_new(driver, "name", json_string("slipway doctor"));
    json_object_set_new(driver, "rules", rules_json());
    for (const struct finding *f = d->findings; f; f = f->next)
        json_array_append_new(results, result(d, f));
    json_object_set_new(run, "tool", json_pack("{s:o}", "driver", driver));
    json_object_set_new(run, "invocations", json_pack("[o]", invocation(d)));
    json_object_set_new(run, "originalUriBaseIds",
        json_pack("{s:{s:{s:s}}}", "PROJECT", "description", "text", "the folder that the doctor was given"));
    json_object_set_new(run, "columnKind", json_string("unicodeCodePoints"));
    json_object_set_new(run, "results", results);
    json_object_set_new(run, "properties", json_pack("{s:o}", "verdict", json_text(d->verdict)));
    json_t *root = json_pack("{s:s, s:s, s:[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version",
        "2.1.0", "runs", run);
    json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(root);
}
