/*
 * A rule: what it needs, when it fires, what then happens on the device and what to write instead.
 *
 * Rules are rows of tables, one table a family (rules_*.c), joined in rules.c. A row's check reads a
 * view and reports; it never prints, never decides about exit status, and knows nothing of the other
 * rules.
 */
#ifndef HOST_DOCTOR_RULE_H
#define HOST_DOCTOR_RULE_H

#include "host/doctor/model.h"

enum severity { SEV_INFO, SEV_WARNING, SEV_ERROR };

struct check;

struct rule {
    const char *id;
    enum severity severity;
    unsigned flows; /* IN_*: in which build flows it can be true */
    bool whatif; /* worth saying even when the Partition Manager would have to be off first */
    const char *inputs; /* "sources", "build output", "both" */
    const char *title; /* the condition, in one line */
    const char *effect; /* on the device, or in the build */
    const char *fix;
    const char *why; /* the explanation of --explain */
    const char *source; /* where that is known from */
    void (*run)(struct check *c);
};

struct finding {
    struct finding *next;
    const struct rule *rule;
    enum severity severity;
    struct place at;
    const char *image; /* "app", "mcuboot", "sysbuild", or "" */
    const char *message, *effect, *fix;
    const char *patch; /* a unified diff, or NULL */
    unsigned flows, candidates; /* where it was found; where it was looked for */
    bool only_whatif;
    const char *app, *board; /* the first it was found for */
    unsigned boards, board_count; /* boards it was found for, and those looked at; the last of them */
    const char *last_board;
    bool board_file; /* it stands in a file of that board alone */
    const char *boot_given; /* as the view's, if MCUboot was judged by its sources */
    const char *suppressed; /* the reason, or NULL */
};

struct doctor;

struct check {
    const struct rule *rule;
    const struct view *v;
    struct doctor *d;
};

/* Adds a finding with the rule's severity, effect and fix; the caller may change them. Never NULL. */
struct finding *check_report(struct check *c, struct place at, const char *image, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Texts for a finding's fields, and the three forms of a one-line fix. */
const char *check_say(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fix_append(struct check *c, struct finding *f, const char *file, const char *line);
void fix_replace(struct check *c, struct finding *f, const struct place *at, const char *line);
void fix_delete(struct check *c, struct finding *f, const struct place *at);

/* A place for what has none: the file (or where it belongs), no line. */
struct place in_file(const char *file);

/* First line of the project's logs that contains `text`; false if none does. */
bool log_line(struct check *c, const char *text, struct place *at);

/* All rules, in the order of the catalogue; ends with a NULL id. */
const struct rule *rule_at(size_t i); /* NULL behind the last */
const struct rule *rule_find(const char *id);
const char *severity_name(enum severity s);

extern const struct rule rules_pm[], rules_pm_map[], rules_dt[], rules_dt_flash[], rules_mb[], rules_mb_app[],
    rules_im[], rules_key[], rules_art[], rules_kc[];

#endif
