#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/explain_priv.h"
#include "host/doctor/text.h"
#include "host/lib/smp/names.h"

enum { LINE_SEEN = 2000, LINE_SHOWN = 160 };

static const struct explanation *const tables[] = { explain_boot, explain_codes, explain_clients };
enum { TABLES = sizeof tables / sizeof tables[0] };

const struct explanation *explain_at(size_t i)
{
    for (size_t t = 0; t < TABLES; t++) {
        for (const struct explanation *e = tables[t]; e->title; e++) {
            if (i-- == 0)
                return e;
        }
    }
    return NULL;
}

/*
 * `pattern` somewhere in the line, without regard to case; '*' skips any characters. A number at its end
 * is a whole one: "-2" is not in "-22".
 */
static bool matches(const char *line, const char *pattern)
{
    char piece[128];

    for (const char *at = line;;) {
        size_t n = strcspn(pattern, "*");
        bool number = !pattern[n] && n && isdigit((unsigned char)pattern[n - 1]);
        snprintf(piece, sizeof piece, "%.*s", (int)n, pattern);
        const char *hit = strcasestr(at, piece);
        while (hit && number && isdigit((unsigned char)hit[n]))
            hit = strcasestr(hit + 1, piece);
        if (!hit)
            return false;
        if (!pattern[n])
            return true;
        at = hit + n;
        pattern += n + 1;
    }
}

/* The length of the entry's longest text that is in the line, 0 if none is. */
static size_t longest_match(const struct explanation *e, const char *line)
{
    size_t longest = 0;

    for (int m = 0; m < EXPLAIN_MATCHES && e->match[m]; m++) {
        size_t n = strlen(e->match[m]);
        if (n > longest && matches(line, e->match[m]))
            longest = n;
    }
    return longest;
}

static const struct explanation *by_text(const char *line)
{
    const struct explanation *best = NULL;
    size_t longest = 0;

    for (size_t t = 0; t < TABLES; t++) {
        for (const struct explanation *e = tables[t]; e->title; e++) {
            size_t n = longest_match(e, line);
            if (n > longest) {
                best = e;
                longest = n;
            }
        }
    }
    return best;
}

static const struct explanation *by_code(const char *code)
{
    const struct explanation *e;

    for (size_t i = 0; (e = explain_at(i)); i++) {
        if (e->code && strcmp(e->code, code) == 0)
            return e;
    }
    return NULL;
}

const struct explanation *explain_smp(int group, int rc)
{
    char code[40];

    if (group < 0)
        snprintf(code, sizeof code, "smp %d", rc);
    else
        snprintf(code, sizeof code, "smp %d %d", group, rc);
    return by_code(code);
}

const struct explanation *explain_errno(int number)
{
    char code[40];

    snprintf(code, sizeof code, "errno %d", number < 0 ? -number : number);
    return by_code(code);
}

/* --- codes in a line --------------------------------------------------------------------------- */

/* The number behind `key` and what stands between them: blanks, quotes, ':' and '='. */
static bool number_behind(const char *line, const char *key, int *out)
{
    const char *at = strcasestr(line, key);
    char *end;

    if (!at)
        return false;
    at += strlen(key);
    at += strspn(at, " \"':=");
    if (!isdigit((unsigned char)*at))
        return false;
    long v = strtol(at, &end, 10);
    *out = v < 10000 ? (int)v : 10000;
    return true;
}

/* "IMG_MGMT_ERR_HASH_NOT_FOUND", "IMG_MGMT_ERR.HASH_NOT_FOUND", "MGMT_ERR_EBUSY". */
static bool code_by_name(const char *line, int *group, int *rc)
{
    const char *at = strcasestr(line, "MGMT_ERR");
    size_t used = 8;

    if (!at)
        return false;
    bool img = at - line >= 4 && strncasecmp(at - 4, "IMG_", 4) == 0;
    if (at[used] == '_' || at[used] == '.')
        used++;
    size_t n = strspn(at + used, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
    for (unsigned i = 0; i < 64; i++) {
        const char *name = smpc_rc_name(img ? 1 : SMPC_GROUP_SMP, i);
        if (name && strlen(name) == n && strncasecmp(name, at + used, n) == 0) {
            *group = img ? 1 : SMPC_GROUP_SMP;
            *rc = (int)i;
            return true;
        }
    }
    return false;
}

static bool code_in(const char *line, int *group, int *rc)
{
    if (code_by_name(line, group, rc))
        return true;
    if (number_behind(line, "group", group) && (number_behind(line, "rc", rc) || number_behind(line, "error", rc)))
        return true;
    *group = SMPC_GROUP_SMP;
    return number_behind(line, "\"rc\"", rc) || number_behind(line, "Error: ", rc);
}

static bool speaks_of_failure(const char *line)
{
    static const char *const words[] = { "fail", "err", "unable", "cannot", "could not", "E:", "rc" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasestr(line, words[i]))
            return true;
    }
    return false;
}

/* The entry of the last negative number of the line that is an errno with one. */
static const struct explanation *by_errno(const char *line)
{
    const struct explanation *found = NULL;

    if (!speaks_of_failure(line))
        return NULL;
    for (const char *at = line; (at = strchr(at, '-')); at++) {
        bool apart = at == line || strchr(" :=(,[", at[-1]);
        size_t digits = strspn(at + 1, "0123456789");
        bool whole = at[1 + digits] == '\0' || strchr(" ,.;:)]\r", at[1 + digits]);
        const struct explanation *e = apart && whole && digits > 0 && digits < 4 ? explain_errno(atoi(at + 1)) : NULL;
        if (e)
            found = e;
    }
    return found;
}

const struct explanation *explain_line(const char *line, size_t len)
{
    char copy[LINE_SEEN + 1];
    int group = 0, rc = 0;

    if (len > LINE_SEEN)
        len = LINE_SEEN;
    for (size_t i = 0; i < len; i++)
        copy[i] = line[i] ? line[i] : ' ';
    copy[len] = '\0';
    const struct explanation *e = by_text(copy);
    if (e)
        return e;
    return code_in(copy, &group, &rc) ? explain_smp(group, rc) : by_errno(copy);
}

/* --- logs and words ---------------------------------------------------------------------------- */

int explain_log(const char *text, size_t len, void (*fn)(const struct explain_hit *hit, void *ctx), void *ctx)
{
    enum { MOST = 128 };
    const struct explanation *seen[MOST];
    struct explain_hit hit = { .line = 0 };
    int count = 0;

    for (const char *at = text, *end = text + len; at < end && count < MOST; at += hit.len + 1) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        bool known = false;
        hit.line++;
        hit.text = at;
        hit.len = (size_t)((stop ? stop : end) - at);
        hit.entry = explain_line(at, hit.len);
        for (int i = 0; i < count; i++)
            known |= seen[i] == hit.entry;
        if (hit.entry && !known) {
            seen[count++] = hit.entry;
            fn(&hit, ctx);
        }
    }
    return count;
}

/* Group 0 has few codes of its own; whoever says "smp 0 8" most often means SMP's own 8. */
static bool take_code(struct explain_hit *hit, int group, int rc)
{
    if (group == 0 && rc >= 0 && !smpc_rc_text(0, (unsigned)rc))
        group = SMPC_GROUP_SMP;
    hit->entry = explain_smp(group, rc);
    hit->meaning = rc >= 0 ? smpc_rc_text(group, (unsigned)rc) : NULL;
    if (hit->meaning)
        smpc_rc_label(group, (unsigned)rc, hit->label, sizeof hit->label);
    return hit->entry || hit->meaning;
}

/* "... (8)" at the end: the number of a phone app's message, which is the image group's. */
static int number_in_parens(const char *words)
{
    const char *open = strrchr(words, '(');
    char *end;

    if (!open)
        return -1;
    long v = strtol(open + 1, &end, 10);
    return *end == ')' && v >= 0 && v < 256 ? (int)v : -1;
}

/* "smp 1 8", "smp 8", "img 8", "os 2" */
static bool code_words(const char *words, int *group, int *rc)
{
    char name[16];
    int used = 0;

    if (sscanf(words, " smp %d %d %n", group, rc, &used) == 2 && used && !words[used])
        return *group >= 0;
    used = 0;
    if (sscanf(words, " %15[A-Za-z] %d %n", name, rc, &used) != 2 || !used || words[used])
        return false;
    *group = smpc_group_by_name(name);
    return *group >= SMPC_GROUP_SMP;
}

static bool errno_words(const char *words, int *number)
{
    int used = 0;

    if (sscanf(words, " errno %d %n", number, &used) != 1 || !used || words[used]) {
        used = 0;
        if (sscanf(words, " %d %n", number, &used) != 1 || !used || words[used])
            return false;
    }
    return *number > -10000 && *number < 10000;
}

bool explain_words(const char *words, struct explain_hit *hit)
{
    int group = 0, rc = 0;

    *hit = (struct explain_hit) { .entry = NULL };
    if (code_words(words, &group, &rc))
        return take_code(hit, group, rc);
    if (errno_words(words, &rc))
        hit->entry = explain_errno(rc);
    else if (!(hit->entry = by_text(words))) {
        if (code_in(words, &group, &rc))
            return take_code(hit, group, rc);
        if ((rc = number_in_parens(words)) >= 0)
            return take_code(hit, 1, rc);
        hit->entry = by_errno(words);
    }
    return hit->entry != NULL;
}

static void put_labelled(const char *label, const char *text, FILE *out)
{
    if (!text)
        return;
    size_t column = (size_t)fprintf(out, "  %s: ", label);
    text_put_wrapped(text, column, 5, out);
}

void explain_print(const struct explain_hit *hit, FILE *out)
{
    const struct explanation *e = hit->entry;

    if (hit->text) {
        fprintf(out, "line %u: ", hit->line);
        text_put(hit->text, hit->len < LINE_SHOWN ? hit->len : LINE_SHOWN, out);
        fputc('\n', out);
    }
    if (hit->meaning)
        fprintf(out, "%s: %s\n", hit->label, hit->meaning);
    if (!e)
        return;
    text_put_wrapped(e->title, 0, 0, out);
    for (int i = 0; i < EXPLAIN_CAUSES && e->causes[i]; i++) {
        fprintf(out, "  %d. ", i + 1);
        text_put_wrapped(e->causes[i], 5, 5, out);
    }
    put_labelled("Tell them apart", e->tell, out);
    put_labelled("What to do", e->action, out);
    put_labelled("Rules", e->rules, out);
    if (e->rules)
        fprintf(out, "     (slipway doctor --explain RULE; slipway doctor DIR checks them)\n");
}
