/* What core/ and the compiler use of <string.h>; there is no C library on the target. */
#ifndef ARCH_CORTEX_M4_LIBC_STRING_H
#define ARCH_CORTEX_M4_LIBC_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
char *strchr(const char *s, int c);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);

#endif
