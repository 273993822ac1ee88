/*
 * What logs and codes mean: texts of MCUboot, Zephyr, MCUmgr, builds and clients, and error numbers.
 *
 * `slipway explain` prints entries in full; the doctor uses the same tables for logs in a project.
 */
#ifndef HOST_DOCTOR_EXPLAIN_H
#define HOST_DOCTOR_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { EXPLAIN_MATCHES = 4, EXPLAIN_CAUSES = 6 };

struct explanation {
    const char *match[EXPLAIN_MATCHES]; /* texts in a log; '*' stands for anything within the line */
    const char *code;                   /* "smp 1 8", "errno 2", or NULL */
    const char *title;                  /* what it means */
    const char *causes[EXPLAIN_CAUSES]; /* possible causes, likeliest first; NULL ends */
    const char *tell;                   /* how to tell them apart */
    const char *action;                 /* what to do */
    const char *rules;                  /* rules of the doctor that look for it, or NULL */
    bool usual;                         /* also printed when all is well: worth explaining, no finding of the doctor */
};

/*
 * The entry for a line of a log, NULL if there is none: the one with the longest text in the line; else
 * that of a code in the line (IMG_MGMT_ERR_..., "err":{"group":1,"rc":8}, "Error: 8"); else that of a
 * negative errno in a line that speaks of a failure.
 */
const struct explanation *explain_line(const char *line, size_t len);

/* Entries of a code: SMP group (-1: SMP itself) and rc, or an errno. NULL if there is none. */
const struct explanation *explain_smp(int group, int rc);
const struct explanation *explain_errno(int number);

/* What was found for a line of a log, or for words. */
struct explain_hit {
    unsigned line;    /* of a log, from 1; 0 for words */
    const char *text; /* that line, of `len` bytes; NULL for words */
    size_t len;
    char label[80];                  /* of a code: "IMG 8 HASH_NOT_FOUND"; else empty */
    const char *meaning;             /* of a code: what the name means; NULL */
    const struct explanation *entry; /* NULL: a code with a name and no entry of its own */
};

/* Calls fn for the first line of a log that leads to each entry, in order. The number of calls. */
int explain_log(const char *text, size_t len, void (*fn)(const struct explain_hit *hit, void *ctx), void *ctx);

/* "smp 1 8", "img 8", "-2", "errno 2", "Hash not Found (8)". False if nothing is known of it. */
bool explain_words(const char *words, struct explain_hit *hit);

/* In full, for people. */
void explain_print(const struct explain_hit *hit, FILE *out);

/* All entries, NULL behind the last. */
const struct explanation *explain_at(size_t i);

#endif
