/* Findings as one JSON object; cli.md fixes its members. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/report_json.h"
#include "host/doctor/text.h"

/* json_string() refuses what is not UTF-8: '?' for each byte of that. */
json_t *json_text(const char *text)
{
    json_t *s = json_string(text ? text : "");
    uint32_t code;

    if (s)
        return s;
    char *copy = strdup(text), *to = copy;
    for (size_t n; copy && *text; text += n, to += n) {
        n = text_char(text, &code);
        if (n == 0) {
            *to = '?';
            n = 1;
        }
    }
    s = json_string(copy ? copy : "");
    free(copy);
    return s;
}

const char *finding_flow(const struct finding *f)
{
    for (int i = 0; i < FLOW_COUNT; i++) {
        if (f->flows == 1u << i)
            return flow_name((enum flow)i);
    }
    return "any";
}

static json_t *finding_json(const struct finding *f)
{
    json_t *o = json_object();

    json_object_set_new(o, "rule", json_string(f->rule->id));
    json_object_set_new(o, "severity", json_string(severity_name(f->severity)));
    json_object_set_new(o, "file", json_text(f->at.file));
    json_object_set_new(o, "line", json_integer((json_int_t)f->at.line));
    json_object_set_new(o, "column", json_integer((json_int_t)f->at.column));
    json_object_set_new(o, "message", json_text(f->message));
    json_object_set_new(o, "effect", json_text(f->effect));
    json_object_set_new(o, "fix", json_text(f->fix));
    json_object_set_new(o, "image", json_text(f->image));
    json_object_set_new(o, "flow", json_string(finding_flow(f)));
    if (f->board)
        json_object_set_new(o, "board", json_text(f->board));
    if (f->patch)
        json_object_set_new(o, "patch", json_text(f->patch));
    if (f->suppressed)
        json_object_set_new(o, "reason", json_text(f->suppressed));
    return o;
}

static json_t *inputs_json(const struct doctor *d)
{
    json_t *inputs = json_array();

    for (const struct source *s = d->project.files.first; s; s = s->next) {
        if (s->used)
            json_array_append_new(inputs, json_text(s->rel));
    }
    return inputs;
}

/* {"name", "why"}; json_pack() would take texts of a project for UTF-8. */
static json_t *name_and_why(const char *name, const char *why)
{
    return json_pack("{s:o, s:o}", "name", json_text(name), "why", json_text(why));
}

void report_json(struct doctor *d, FILE *out)
{
    static const char *const reach[] = { "unknown", "yes", "no" };
    json_t *root = json_object(), *findings = json_array(), *hidden = json_array(), *missing = json_array(),
           *unread = json_array();

    for (const struct finding *f = d->findings; f; f = f->next)
        json_array_append_new(f->suppressed ? hidden : findings, finding_json(f));
    for (const struct missing *m = d->missing; m; m = m->next)
        json_array_append_new(missing, name_and_why(m->name, m->why));
    for (const struct unread *u = d->unread; u; u = u->next) {
        if (u->level != UNREAD_NOTE)
            json_array_append_new(unread, name_and_why(u->name, u->why));
    }
    json_object_set_new(root, "schema", json_integer(1));
    json_object_set_new(
        root, "verdict", json_pack("{s:s, s:o}", "reaches_slot1", reach[d->reach], "text", json_text(d->verdict)));
    json_object_set_new(root, "findings", findings);
    json_object_set_new(root, "suppressed", hidden);
    json_object_set_new(root, "inputs", inputs_json(d));
    json_object_set_new(root, "missing", missing);
    json_object_set_new(root, "unread", unread);
    json_object_set_new(root, "dropped", json_integer((json_int_t)d->dropped));
    json_dumpf(root, out, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    fputc('\n', out);
    json_decref(root);
}
