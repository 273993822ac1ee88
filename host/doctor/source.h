/*
 * The files of a project: found once by walking the folder, read when somebody asks.
 *
 * Bounded against hostile folders: links to folders are not followed, depth, number of files and
 * bytes read are limited; what is left out is recorded and said, never silently dropped.
 */
#ifndef HOST_DOCTOR_SOURCE_H
#define HOST_DOCTOR_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/doctor/pool.h"

enum {
    SOURCE_MAX_FILES = 50000,
    SOURCE_MAX_DEPTH = 16,
    SOURCE_MAX_BYTES = 16 << 20, /* one file */
    SOURCE_MAX_TOTAL = 256 << 20, /* all files that are read */
};

/* Where something stands in the project; file is relative to the project's folder. Line 0: the file. */
struct place {
    const char *file;
    unsigned line, column;
};

struct source {
    struct source *next;
    const char *rel; /* "sysbuild/mcuboot.conf" */
    const char *path; /* as opened */
    const char *base; /* last part of rel */
    size_t size;
    long long mtime; /* seconds */
    bool loaded;
    const char *text; /* NUL-terminated, NULL if it could not be read */
    size_t len;
    const char *trouble; /* why it could not be read, NULL if fine or not tried */
    bool used; /* an input of the diagnosis */
};

struct sources {
    struct pool *pool;
    const char *dir;
    struct source *first, **end;
    struct source **index; /* by hash of rel */
    size_t count, total_read;
    const char *cut; /* what limit ended the walk, NULL if none */
};

/* Walks `dir`. False if it is not a readable folder (`why` says so). */
bool sources_scan(struct sources *s, struct pool *pool, const char *dir, const char **why);

struct source *source_find(const struct sources *s, const char *rel);
struct source *source_findf(const struct sources *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The text of a file, NULL if it cannot be read (source->trouble says why). Marks it as used. */
const char *source_text(struct sources *s, struct source *f);
const char *source_peek(struct sources *s, struct source *f); /* the same without marking */

/* A line of a file without its end, NULL if there is none. */
const char *source_line(struct sources *s, const char *rel, unsigned line);

/* rel has the folder `dir` ("" for the project itself) as its first part. */
bool source_below(const struct source *f, const char *dir);

/* Path pieces, in the pool. dir "" is the project itself. */
const char *path_join(struct pool *p, const char *dir, const char *name);
const char *path_dir(struct pool *p, const char *rel);
bool text_ends(const char *text, const char *end);
bool text_starts(const char *text, const char *start);

#endif
