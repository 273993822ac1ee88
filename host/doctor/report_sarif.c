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

static json_t *location(struct doctor *d, const struct finding *f)
{
    json_t *physical = json_object(), *artifact = json_object();

    json_object_set_new(artifact, "uri", uri_of(d, f->at.file));
    json_object_set_new(artifact, "uriBaseId", json_string("PROJECT"));
    json_object_set_new(physical, "artifactLocation", artifact);
    if (f->at.line) {
        json_t *region = json_pack("{s:I}", "startLine", (json_int_t)f->at.line);
        if (f->at.column)
            json_object_set_new(region, "startColumn", json_integer((json_int_t)f->at.column));
        json_object_set_new(physical, "region", region);
    }
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
    json_object_set_new(o, "properties", json_pack("{s:o, s:s}", "image", json_text(f->image), "flow", finding_flow(f)));
    return o;
}

void report_sarif(struct doctor *d, FILE *out)
{
    json_t *driver = json_object(), *run = json_object(), *results = json_array();

    json_object_set_new(driver, "name", json_string("slipway doctor"));
    json_object_set_new(driver, "rules", rules_json());
    for (const struct finding *f = d->findings; f; f = f->next)
        json_array_append_new(results, result(d, f));
    json_object_set_new(run, "tool", json_pack("{s:o}", "driver", driver));
    json_object_set_new(run, "columnKind", json_string("unicodeCodePoints"));
    json_object_set_new(run, "results", results);
    json_object_set_new(run, "properties", json_pack("{s:o}", "verdict", json_text(d->verdict)));
    json_t *root = json_pack("{s:s, s:s, s:[o]}", "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs", run);
    json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(root);
}
