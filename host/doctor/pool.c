#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/pool.h"

enum { CHUNK = 64 << 10, ALIGN = 16 };

struct pool_chunk {
    struct pool_chunk *next;
    size_t used, size;
};

void *pool_alloc(struct pool *p, size_t size)
{
    struct pool_chunk *c = p->chunks;
    size_t head = (sizeof *c + ALIGN - 1) / ALIGN * ALIGN;
    size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;

    if (!c || c->size - c->used < need) {
        size_t bytes = head + (need > CHUNK ? need : CHUNK);
        c = calloc(1, bytes);
        if (!c) {
            fprintf(stderr, "error: the doctor has no memory left (%zu bytes)\n", bytes);
            exit(2);
        }
        c->size = bytes;
        c->used = head;
        c->next = p->chunks;
        p->chunks = c;
    }
    void *at = (char *)c + c->used;
    c->used += need;
    return at;
}

char *pool_copy(struct pool *p, const char *text, size_t len)
{
    char *copy = pool_alloc(p, len + 1);

    if (len)
        memcpy(copy, text, len);
    return copy;
}

char *pool_dup(struct pool *p, const char *text)
{
    return pool_copy(p, text, strlen(text));
}

char *pool_vprintf(struct pool *p, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    size_t size = n > 0 ? (size_t)n + 1 : 1;
    char *text = pool_alloc(p, size);

    vsnprintf(text, size, fmt, again);
    va_end(again);
    return text;
}

char *pool_printf(struct pool *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    char *text = pool_vprintf(p, fmt, ap);
    va_end(ap);
    return text;
}

void pool_free(struct pool *p)
{
    while (p->chunks) {
        struct pool_chunk *c = p->chunks;
        p->chunks = c->next;
        free(c);
    }
}
