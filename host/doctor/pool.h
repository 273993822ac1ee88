/*
 * Memory of one run of the doctor: everything it reads and finds lives until pool_free().
 *
 * A run is short and bounded (source.h), so nothing is freed one by one. Without memory the program
 * ends with a message and exit status 2: there is nothing sensible to report then.
 */
#ifndef HOST_DOCTOR_POOL_H
#define HOST_DOCTOR_POOL_H

#include <stdarg.h>
#include <stddef.h>

struct pool {
    struct pool_chunk *chunks;
};

void *pool_alloc(struct pool *p, size_t size); /* zeroed, never NULL */
char *pool_copy(struct pool *p, const char *text, size_t len);
char *pool_dup(struct pool *p, const char *text);
char *pool_printf(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *pool_vprintf(struct pool *p, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void pool_free(struct pool *p);

#endif
