/*
 * What logs and codes mean: texts of MCUboot, Zephyr, MCUmgr and phone apps, and error numbers.
 *
 * `slipway explain` prints entries in full; the doctor uses the same table for logs in a project.
 */
#ifndef HOST_DOCTOR_EXPLAIN_H
#define HOST_DOCTOR_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

struct explanation {
    const char *match; /* text in a log; '*' stands for anything within the line */
    const char *code; /* "smp 1 8", "errno 2", or NULL */
    const char *title; /* what it means */
    const char *causes[6]; /* possible causes, likeliest first; NULL ends */
    const char *tell; /* how to tell them apart */
    const char *action; /* what to do */
    const char *rules; /* rules that look for it, or NULL */
};

/* The entry whose text a line of a log contains; NULL if none. Longest match first. */
const struct explanation *explain_line(const char *line, size_t len);

/* Entries of a code: "smp GROUP RC" or an errno. NULL if it is not known. */
const struct explanation *explain_smp(int group, int rc);
const struct explanation *explain_errno(int number);

/* Prints one entry in full. */
void explain_print(const struct explanation *e, FILE *out);

/* Prints what is known of each line of a log, each entry once, with the line. The number of entries. */
int explain_log(const char *text, size_t len, FILE *out);

/* "smp 1 8", "-2", "Hash not Found (8)": the number of entries printed. */
int explain_words(const char *words, FILE *out);

#endif
