/* Runs the rules over the views, merges what they find, applies suppressions, sorts. */
#include <stdlib.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/project_priv.h"
#include "host/doctor/text.h"

enum { FINDING_BUCKETS = 1024, MAX_FINDINGS = 5000, MAX_PER_RULE = 100 };

const char *severity_name(enum severity s)
{
    static const char *const names[] = { "info", "warning", "error" };

    return names[s];
}

/* --- reporting --------------------------------------------------------------------------------- */

static size_t bucket_of(const struct rule *r, const struct place *at, const char *message)
{
    size_t h = (size_t)at->line * 31;

    for (const char *p = r->id; *p; p++)
        h = h * 33 + (unsigned char)*p;
    for (const char *p = message; *p; p++)
        h = h * 33 + (unsigned char)*p;
    return h % FINDING_BUCKETS;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static struct finding *known_finding(struct doctor *d, struct check *c, const struct place *at,
    const char *message)
{
    struct finding *f = d->index[bucket_of(c->rule, at, message)];

    while (f
        && !(f->rule == c->rule && f->at.line == at->line && same(f->at.file, at->file)
            && strcmp(f->message, message) == 0))
        f = f->next;
    return f;
}

/*
 * A new finding of the rule. Beyond MAX_PER_RULE it is counted and goes nowhere: whoever wrote a file of
 * a million contradictions does not want to read a million findings.
 */
static struct finding *new_finding(struct check *c, const struct place *at, const char *message)
{
    struct doctor *d = c->d;
    struct finding *f = pool_alloc(&d->pool, sizeof *f);
    size_t rule = 0;

    while (rule_at(rule) != c->rule)
        rule++;
    f->only_whatif = true;
    f->app = c->v->app_dir;
    f->board = c->v->board;
    if (rule < DOCTOR_MAX_RULES && d->per_rule[rule]++ >= MAX_PER_RULE) {
        d->dropped++;
        return f;
    }
    size_t b = bucket_of(c->rule, at, message);
    f->next = d->index[b];
    d->index[b] = f;
    return f;
}

struct finding *check_report(struct check *c, struct place at, const char *image, const char *fmt, ...)
{
    struct doctor *d = c->d;
    va_list ap;

    va_start(ap, fmt);
    const char *message = pool_vprintf(&d->pool, fmt, ap);
    va_end(ap);
    struct finding *f = known_finding(d, c, &at, message);
    if (!f)
        f = new_finding(c, &at, message);
    f->rule = c->rule;
    f->severity = c->rule->severity;
    f->at = at;
    /* the same words about the same place, for both images: one finding */
    f->image = f->image && strcmp(f->image, image) != 0 ? "app, mcuboot" : image;
    f->message = message;
    f->effect = c->rule->effect;
    f->fix = c->rule->fix;
    f->patch = NULL;
    f->flows |= 1u << c->v->flow;
    f->candidates |= c->v->candidates;
    f->only_whatif &= c->v->whatif;
    if (f->last_board != c->v->board || f->boards == 0)
        f->boards++;
    f->last_board = c->v->board;
    f->board_count = c->v->board_count;
    f->board_file |= for_board_only(c->v, at.file);
    f->boot_given = c->v->boot.has_built ? NULL : c->v->boot_given;
    return f;
}

const char *check_say(struct check *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const char *text = pool_vprintf(&c->d->pool, fmt, ap);
    va_end(ap);
    return text;
}

struct place in_file(const char *file)
{
    return (struct place) { file, 0, 0 };
}

static unsigned line_count(struct sources *s, const char *file, bool *ends_open)
{
    struct source *f = source_find(s, file);
    const char *text = f ? source_peek(s, f) : NULL;
    unsigned n = 0;

    *ends_open = false;
    if (!text)
        return 0;
    for (const char *p = text; *p; p++)
        n += *p == '\n';
    size_t len = strlen(text);
    *ends_open = len && text[len - 1] != '\n';
    return n + *ends_open;
}

void fix_append(struct check *c, struct finding *f, const char *file, const char *line)
{
    struct sources *s = &c->v->p->files;
    bool open;
    unsigned n = line_count(s, file, &open);

    if (n == 0)
        f->patch = check_say(c, "--- /dev/null\n+++ b/%s\n@@ -0,0 +1 @@\n+%s\n", file, line);
    else if (open)
        f->patch = check_say(c, "--- a/%s\n+++ b/%s\n@@ -%u +%u,2 @@\n-%s\n\\ No newline at end of file\n+%s\n+%s\n", file,
            file, n, n, source_line(s, file, n), source_line(s, file, n), line);
    else
        f->patch = check_say(c, "--- a/%s\n+++ b/%s\n@@ -%u,0 +%u @@\n+%s\n", file, file, n, n + 1, line);
}

void fix_replace(struct check *c, struct finding *f, const struct place *at, const char *line)
{
    const char *old = source_line(&c->v->p->files, at->file, at->line);
    size_t indent = old ? strspn(old, " \t") : 0;

    if (old)
        f->patch = check_say(c, "--- a/%s\n+++ b/%s\n@@ -%u +%u @@\n-%s\n+%.*s%s\n", at->file, at->file, at->line, at->line,
            old, (int)indent, old, line);
}

void fix_delete(struct check *c, struct finding *f, const struct place *at)
{
    const char *old = source_line(&c->v->p->files, at->file, at->line);

    if (old)
        f->patch = check_say(c, "--- a/%s\n+++ b/%s\n@@ -%u +%u,0 @@\n-%s\n", at->file, at->file, at->line, at->line - 1, old);
}

bool log_line(struct check *c, const char *text, struct place *at)
{
    struct sources *s = &c->v->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        if (!project_is_log(f))
            continue;
        const char *all = source_text(s, f), *hit = all ? strstr(all, text) : NULL;
        if (!hit)
            continue;
        unsigned line = 1;
        const char *start = all;
        for (const char *p = all; p < hit; p++) {
            if (*p == '\n') {
                line++;
                start = p + 1;
            }
        }
        *at = (struct place) { f->rel, line, (unsigned)(hit - start) + 1 };
        return true;
    }
    return false;
}

void doctor_ask(struct doctor *d, const char *name, const char *why)
{
    for (const struct missing *m = d->missing; m; m = m->next) {
        if (strcmp(m->name, name) == 0)
            return;
    }
    struct missing *m = pool_alloc(&d->pool, sizeof *m);
    m->name = name;
    m->why = why;
    *d->missing_end = m;
    d->missing_end = &m->next;
}

/* --- running ----------------------------------------------------------------------------------- */

static void run_view(struct view *v, void *ctx)
{
    struct doctor *d = ctx;
    const struct rule *r;

    for (size_t i = 0; (r = rule_at(i)); i++) {
        if (!(r->flows & (1u << v->flow)) || (v->whatif && !r->whatif))
            continue;
        struct check c = { .rule = r, .v = v, .d = d };
        r->run(&c);
    }
    if (!v->whatif)
        drawing_of_view(d, v);
}

/* What is true in one flow only, and the flow is not proven, is at most a warning and says so. */
static void judge_flow(struct doctor *d, struct finding *f)
{
    static const char *const when[] = { "if this is built with sysbuild", "if this is built with child images",
        "if the Partition Manager is off" };
    unsigned looked = f->candidates;

    if (f->only_whatif) {
        if (f->severity == SEV_ERROR)
            f->severity = SEV_WARNING;
        f->message = pool_printf(&d->pool, "%s (only %s)", f->message, when[FLOW_NONE]);
        return;
    }
    f->flows &= looked;
    if ((f->flows & looked) == looked)
        return;
    if (f->severity == SEV_ERROR)
        f->severity = SEV_WARNING;
    for (int i = 0; i < FLOW_COUNT; i++) {
        if (f->flows == 1u << i)
            f->message = pool_printf(&d->pool, "%s (only %s)", f->message, when[i]);
    }
}

/* Boards for which a rule was found in an application, in whatever words. */
static unsigned boards_with(const struct doctor *d, const struct finding *f)
{
    unsigned n = 0;

    for (size_t b = 0; b < FINDING_BUCKETS; b++) {
        for (const struct finding *g = d->index[b]; g; g = g->next) {
            if (g->rule == f->rule && same(g->app, f->app))
                n += g->boards;
        }
    }
    return n;
}

/* A project with files for several boards need not be meant for each: what only some of them show, in a
 * file that all share, is a warning. */
static void judge_boards(struct doctor *d, struct finding *f)
{
    if (f->severity != SEV_ERROR || f->board_count < 2 || f->board_file || !f->board || boards_with(d, f) >= f->board_count)
        return;
    f->severity = SEV_WARNING;
    f->message = pool_printf(&d->pool, "%s (only for %s%s)", f->message, f->board, f->boards > 1 ? " and others" : "");
}

/* What MCUboot lacks may be in what a build file hands it. */
static void judge_given(struct doctor *d, struct finding *f)
{
    if (f->severity != SEV_ERROR || !f->boot_given || strcmp(f->image, "mcuboot") != 0)
        return;
    f->severity = SEV_WARNING;
    f->message = pool_printf(&d->pool, "%s (unless %s gives MCUboot what is missing)", f->message, f->boot_given);
}

/* --- suppression ------------------------------------------------------------------------------- */

/* "doctor: ignore PM15 reason" on the line. The reason, NULL if it is not for this rule or has none. */
static const char *reason_in(struct pool *pool, const char *line, const char *rule)
{
    const char *at = line ? strstr(line, "doctor: ignore ") : NULL;

    if (!at)
        return NULL;
    at += 15;
    size_t n = strcspn(at, " \t");
    if (n != strlen(rule) || strncmp(at, rule, n) != 0)
        return NULL;
    at += n + strspn(at + n, " \t:,");
    size_t len = strcspn(at, "\r\n");
    const char *end = strstr(at, "*/");
    if (end && (size_t)(end - at) < len)
        len = (size_t)(end - at);
    while (len && at[len - 1] == ' ')
        len--;
    return len ? pool_copy(pool, at, len) : NULL;
}

/* A line of .slipway-doctor: RULE [FILE] : REASON. */
static const char *reason_in_file(struct doctor *d, const struct finding *f)
{
    struct sources *s = &d->project.files;
    struct source *file = source_find(s, ".slipway-doctor");
    const char *at = file ? source_text(s, file) : NULL;

    for (; at && *at; at += at[0] == '\n') {
        size_t n = strcspn(at, "\n");
        char *line = pool_copy(&d->pool, at, n), *colon = strchr(line, ':');
        at += n;
        if (line[0] == '#' || !colon)
            continue;
        *colon = '\0';
        char *reason = colon + 1 + strspn(colon + 1, " \t");
        char *rule = strtok(line, " \t"), *path = rule ? strtok(NULL, " \t") : NULL;
        if (!rule || strcmp(rule, f->rule->id) != 0 || !*reason)
            continue;
        if (!path || (f->at.file && strcmp(path, f->at.file) == 0))
            return reason;
    }
    return NULL;
}

static void suppress(struct doctor *d, struct finding *f)
{
    struct sources *s = &d->project.files;

    for (unsigned back = 0; back < 2 && f->at.line > back && !f->suppressed; back++)
        f->suppressed = reason_in(&d->pool, source_line(s, f->at.file, f->at.line - back), f->rule->id);
    if (!f->suppressed)
        f->suppressed = reason_in_file(d, f);
}

/* --- order ------------------------------------------------------------------------------------- */

/* Within a severity: what decides where an upload goes first, then what loses it, then the rest. */
static int rank_of(const struct rule *r)
{
    static const char *const first[] = { "PM03", "PM01", "PM04", "PM02", "PM22", "PM05", "PM06", "PM07", "DT08",
        "DT18", "DT17", "IM07", "KEY01", "KEY02", "KEY03", "KEY06", "IM01" };
    enum { COUNT = sizeof first / sizeof first[0] };

    for (int i = 0; i < COUNT; i++) {
        if (strcmp(r->id, first[i]) == 0)
            return i;
    }
    for (size_t i = 0; rule_at(i); i++) {
        if (rule_at(i) == r)
            return COUNT + (int)i;
    }
    return COUNT;
}

static int compare(const void *pa, const void *pb)
{
    const struct finding *a = *(struct finding *const *)pa, *b = *(struct finding *const *)pb;

    if (!a->suppressed != !b->suppressed)
        return a->suppressed ? 1 : -1;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    int ra = rank_of(a->rule), rb = rank_of(b->rule);
    if (ra != rb)
        return ra - rb;
    int by_file = strcmp(a->at.file ? a->at.file : "", b->at.file ? b->at.file : "");
    return by_file ? by_file : (int)a->at.line - (int)b->at.line;
}

static void collect(struct doctor *d)
{
    struct finding **all = malloc(MAX_FINDINGS * sizeof *all);
    size_t n = 0;

    if (!all)
        return;
    for (size_t b = 0; b < FINDING_BUCKETS; b++) {
        for (struct finding *f = d->index[b]; f && n < MAX_FINDINGS; f = f->next) {
            judge_boards(d, f);
            judge_flow(d, f);
            judge_given(d, f);
            suppress(d, f);
            all[n++] = f;
        }
    }
    if (n)
        qsort(all, n, sizeof *all, compare);
    d->end = &d->findings;
    for (size_t i = 0; i < n; i++) {
        *d->end = all[i];
        d->end = &all[i]->next;
        if (all[i]->suppressed)
            d->suppressed++;
        else
            d->count[all[i]->severity]++;
    }
    *d->end = NULL;
    free(all);
}

/* --- what was not read ------------------------------------------------------------------------- */

static struct unread **add_unread(struct doctor *d, struct unread **end, enum unread_level level, const char *name,
    const char *why)
{
    struct unread *u = pool_alloc(&d->pool, sizeof *u);

    *u = (struct unread) { .level = level, .name = text_printable(&d->pool, name),
        .why = text_printable(&d->pool, why) };
    *end = u;
    return &u->next;
}

static void collect_unread(struct doctor *d)
{
    struct unread **end = &d->unread;

    for (const struct source *f = d->project.files.first; f; f = f->next) {
        if (f->trouble)
            end = add_unread(d, end, f->decides ? UNREAD_ERROR : UNREAD_WARNING, f->rel, f->trouble);
    }
    for (const struct skipped *k = d->project.files.skipped; k; k = k->next)
        end = add_unread(d, end, k->harmless ? UNREAD_NOTE : UNREAD_WARNING, k->rel, k->why);
}

size_t doctor_unread(const struct doctor *d)
{
    size_t n = 0;

    for (const struct unread *u = d->unread; u; u = u->next)
        n += u->level == UNREAD_ERROR;
    return n;
}

/* A good verdict is not given on half of the inputs. */
static void doubt(struct doctor *d)
{
    const struct unread *u = d->unread;

    while (u && u->level != UNREAD_ERROR)
        u = u->next;
    if (!u || d->reach == REACH_NO)
        return;
    d->reach = REACH_UNKNOWN;
    d->verdict = pool_printf(&d->pool, "UNKNOWN: %s decides, and cannot be read: %s.", u->name, u->why);
}

bool doctor_run(struct doctor *d, const struct doctor_options *o, const char **why)
{
    *d = (struct doctor) { .reach = REACH_UNKNOWN };
    d->end = &d->findings;
    d->missing_end = &d->missing;
    d->index = pool_alloc(&d->pool, FINDING_BUCKETS * sizeof(struct finding *));
    if (!project_open(&d->project, &d->pool, o->dir, o->sdk, o->flow, why))
        return false;
    project_views(&d->project, run_view, d);
    collect(d);
    verdict_finish(d);
    collect_unread(d);
    doubt(d);
    return true;
}

void doctor_free(struct doctor *d)
{
    project_close(&d->project);
    pool_free(&d->pool);
}

size_t doctor_count(const struct doctor *d, enum severity at_least)
{
    size_t n = 0;

    for (unsigned s = at_least; s <= SEV_ERROR; s++)
        n += d->count[s];
    return n;
}
