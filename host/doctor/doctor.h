/*
 * The doctor: reads a Zephyr or nRF Connect SDK project and says why an update to a slot in external
 * flash will fail. doctor_run() does all the work; the reporters print what it found.
 */
#ifndef HOST_DOCTOR_DOCTOR_H
#define HOST_DOCTOR_DOCTOR_H

#include <stdio.h>

#include "host/doctor/rule.h"

struct doctor_options {
    const char *dir;
    const char *sdk; /* folder with nrf/ and zephyr/, or NULL */
    int flow; /* enum flow, or -1: find out */
};

enum { DOCTOR_MAX_RULES = 256 };

enum reach { REACH_UNKNOWN, REACH_YES, REACH_NO };

struct missing {
    struct missing *next;
    const char *name, *why;
};

/* What lies on the chips, of the first view that has a bootloader; kept beyond that view's life. */
enum box_role { BOX_BOOT, BOX_SLOT0, BOX_SLOT1, BOX_OTHER };

struct box {
    struct box *next;
    const char *name;
    enum box_role role;
    bool external;
    uint64_t from, to; /* bytes from the beginning of its chip */
};

struct drawing {
    bool any;
    bool external_as_built, external_as_meant, slot1_known;
    bool app_sees, boot_sees; /* the external chip is in that image's map */
    const char *chip, *soc; /* NULL: not known */
    uint64_t flash, ext; /* bytes; 0: not known */
    struct box *built, *meant; /* as built, or as this would be built */
    const char *map_name; /* the file that says so, NULL: as the Partition Manager would place them */
    enum flow flow;
};

/* An input that could not be read, or not wholly. */
enum unread_level {
    UNREAD_NOTE, /* nothing is amiss: a link to a folder that is not followed */
    UNREAD_WARNING, /* a build output or a key; what it would say is not known */
    UNREAD_ERROR, /* it decides how the project is built: the diagnosis is of the rest only */
};

struct unread {
    struct unread *next;
    enum unread_level level;
    const char *name, *why;
};

struct doctor {
    struct pool pool;
    struct project project;
    struct finding *findings, **end; /* sorted by doctor_run(): worst first; suppressed ones last */
    struct finding **index;
    size_t count[3]; /* by severity, without suppressed ones */
    size_t suppressed, dropped; /* dropped: beyond what is kept of one rule */
    size_t per_rule[DOCTOR_MAX_RULES]; /* found, by the rule's place in the table */
    enum reach reach;
    const char *verdict; /* one line */
    struct missing *missing, **missing_end;
    struct unread *unread;
    struct drawing drawing;
};

/* False if the folder cannot be read; `why` says so. doctor_free() in either case. */
bool doctor_run(struct doctor *d, const struct doctor_options *o, const char **why);
void doctor_free(struct doctor *d);

/* Findings at or above a severity that are not suppressed. */
size_t doctor_count(const struct doctor *d, enum severity at_least);

/* How many inputs that decide could not be read. */
size_t doctor_unread(const struct doctor *d);

void doctor_ask(struct doctor *d, const char *name, const char *why); /* an input that is missing */

void report_text(struct doctor *d, FILE *out, bool color);
void report_json(struct doctor *d, FILE *out);
void report_sarif(struct doctor *d, FILE *out);
void report_html(struct doctor *d, FILE *out);

/* --list, --explain RULE (false: no such rule), and the pages of docs/doctor/. */
void rules_list(FILE *out);
bool rules_explain(const char *id, FILE *out);
bool rules_page(const char *id, FILE *out);

/* The drawing of a view, if there is none yet (drawing.c), and the verdict over all of them (verdict.c). */
void drawing_of_view(struct doctor *d, const struct view *v);
void verdict_finish(struct doctor *d);

#endif
