/* All families of rules as one list, and what is printed of a rule by itself. */
#include <string.h>

#include "host/doctor/doctor.h"

static const struct rule *const families[] = { rules_pm, rules_pm_map, rules_dt, rules_dt_flash, rules_mb,
    rules_mb_app, rules_im, rules_key, rules_art, rules_kc };

const struct rule *rule_at(size_t i)
{
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
        for (const struct rule *r = families[f]; r->id; r++) {
            if (i-- == 0)
                return r;
        }
    }
    return NULL;
}

const struct rule *rule_find(const char *id)
{
    const struct rule *r;

    for (size_t i = 0; (r = rule_at(i)); i++) {
        if (strcasecmp(r->id, id) == 0)
            return r;
    }
    return NULL;
}

void rules_list(FILE *out)
{
    const struct rule *r;

    for (size_t i = 0; (r = rule_at(i)); i++)
        fprintf(out, "%-6s %-8s %s\n", r->id, severity_name(r->severity), r->title);
}

static void flows_of(const struct rule *r, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s", r->flows & IN_SYSBUILD ? "sysbuild with Partition Manager, " : "",
        r->flows & IN_CHILD ? "child image with Partition Manager, " : "",
        r->flows & IN_NONE ? "no Partition Manager, " : "");
    size_t n = strlen(text);
    if (n >= 2)
        text[n - 2] = '\0';
}

bool rules_explain(const char *id, FILE *out)
{
    const struct rule *r = rule_find(id);
    char flows[128];

    if (!r)
        return false;
    flows_of(r, flows, sizeof flows);
    fprintf(out, "%s (%s): %s\n\n", r->id, severity_name(r->severity), r->title);
    fprintf(out, "What happens  %s\nWhat to do    %s\nWhy           %s\nKnown from    %s\n", r->effect, r->fix, r->why,
        r->source);
    fprintf(out, "Looks at      %s; build flows: %s\n", r->inputs, flows);
    return true;
}

bool rules_page(const char *id, FILE *out)
{
    const struct rule *r = rule_find(id);
    char flows[128];

    if (!r)
        return false;
    flows_of(r, flows, sizeof flows);
    fprintf(out, "# %s: %s\n\n- Severity: %s\n- Looks at: %s\n- Build flows: %s\n\n", r->id, r->title,
        severity_name(r->severity), r->inputs, flows);
    fprintf(out, "## What happens\n%s\n\n## What to do\n%s\n\n## Why\n%s\n\nKnown from: %s\n", r->effect, r->fix, r->why,
        r->source);
    return true;
}
