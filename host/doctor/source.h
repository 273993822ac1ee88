/*
 * The files of a project: found once by walking the folder, read when somebody asks.
 *
 * Bounded against hostile folders: links to folders are not followed, depth, number of files and
 * folders, and bytes read or unpacked are limited. What is left out is recorded, never silently
 * dropped: sources->skipped for what the walk passed by, source->trouble for what was not read.
 */
#ifndef HOST_DOCTOR_SOURCE_H
#define HOST_DOCTOR_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/doctor/pool.h"

enum {
    SOURCE_MAX_FILES = 50000,
    SOURCE_MAX_FOLDERS = 20000,
    SOURCE_MAX_DEPTH = 16,
    SOURCE_MAX_BYTES = 16 << 20,  /* one file */
    SOURCE_MAX_TEXT = 1 << 20,    /* one file of configuration: ten times the largest .config */
    SOURCE_MAX_TOTAL = 256 << 20, /* all that is read, with what packages and hex files unpack to */
};

/* Where something stands in the project; file is relative to the project's folder. Line 0: the file. */
struct place {
    const char *file;
    unsigned line, column;
};

struct source {
    struct source *next;
    struct source *chain; /* of the index */
    const char *rel;      /* "sysbuild/mcuboot.conf" */
    const char *path;     /* as opened */
    const char *base;     /* last part of rel */
    size_t size;
    long long mtime; /* seconds */
    bool loaded;
    const char *text; /* NUL-terminated, NULL if it could not be read */
    size_t len;
    unsigned seen_line; /* where source_line() was last: asked for in order, it does not start anew */
    const char *seen_at;
    const char *trouble; /* why it could not be read, NULL if fine or not tried */
    bool used;           /* an input of the diagnosis */
    bool unfit;          /* a reader gave it up, and no other should spend the time */
    bool decides;        /* it says how the project is built: unread, the diagnosis is not whole */
};

/* What the walk found and did not take. */
struct skipped {
    struct skipped *next;
    const char *rel, *why;
    bool harmless; /* a link to a folder: not followed, and nothing is amiss */
};

struct sources {
    struct pool *pool;
    const char *dir;
    struct source *first, **end;
    struct source **index; /* by hash of rel */
    size_t count, folders, total_read;
    struct skipped *skipped, **skipped_end;
};

/* Walks `dir`. False if it is not a readable folder (`why` says so). */
bool sources_scan(struct sources *s, struct pool *pool, const char *dir, const char **why);

struct source *source_find(const struct sources *s, const char *rel);
struct source *source_findf(const struct sources *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text of a file, NULL if it cannot be read (source->trouble says why). Marks it as used. */
const char *source_text(struct sources *s, struct source *f);
const char *source_peek(struct sources *s, struct source *f); /* the same without marking */

/* The same for configuration text: NULL also for what is binary or larger than SOURCE_MAX_TEXT. */
const char *source_config(struct sources *s, struct source *f);

/* Text that is not UTF-8 is read all the same, as far as it goes, but it gets its trouble noted. */
void source_check_utf8(struct sources *s, struct source *f);

/* Counts bytes that a file unpacks to; false (and f->trouble) once SOURCE_MAX_TOTAL is used up. */
bool source_charge(struct sources *s, struct source *f, size_t bytes);

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
