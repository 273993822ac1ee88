/* A file of a project that is in memory only, for the doctor's readers. */
#ifndef TESTS_SUPPORT_MEMFILE_H
#define TESTS_SUPPORT_MEMFILE_H

#include <string.h>

#include "host/doctor/source.h"

/* Sources without a folder; all memory is the pool's. */
static inline void memfiles_init(struct sources *s, struct pool *pool)
{
    *s = (struct sources) { .pool = pool, .dir = "." };
    s->end = &s->first;
    s->skipped_end = &s->skipped;
}

static inline struct source *memfile(struct sources *s, const char *rel, const void *data, size_t len)
{
    struct source *f = pool_alloc(s->pool, sizeof *f);
    const char *slash = strrchr(rel, '/');

    *f = (struct source) { .rel = rel,
        .path = rel,
        .base = slash ? slash + 1 : rel,
        .size = len,
        .loaded = true,
        .text = pool_copy(s->pool, data, len),
        .len = len };
    *s->end = f;
    s->end = &f->next;
    s->count++;
    return f;
}

#endif
