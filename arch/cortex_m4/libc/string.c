/*
 * The functions of <string.h> that are called. Copies go by words where both ends are aligned: flash
 * units are, and take most of the time. -fno-tree-loop-distribute-patterns keeps the compiler from
 * turning each into a call of itself.
 */
#include <stdint.h>
#include <string.h>

static int aligned(const void *a, const void *b)
{
    return (((uintptr_t)a | (uintptr_t)b) & 3u) == 0;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if (aligned(d, s)) {
        for (; n >= 4; n -= 4, d += 4, s += 4)
            *(uint32_t *)(void *)d = *(const uint32_t *)(const void *)s;
    }
    while (n-- > 0)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *d = to;
    const unsigned char *s = from;

    if ((uintptr_t)d <= (uintptr_t)s) {
        while (n-- > 0)
            *d++ = *s++;
    } else {
        while (n-- > 0)
            d[n] = s[n];
    }
    return to;
}

void *memset(void *p, int c, size_t n)
{
    unsigned char *d = p;

    while (n-- > 0)
        *d++ = (unsigned char)c;
    return p;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    if (aligned(x, y)) {
        for (; n >= 4 && *(const uint32_t *)a == *(const uint32_t *)b; n -= 4) {
            a = (const uint32_t *)a + 1;
            b = (const uint32_t *)b + 1;
        }
        x = a;
        y = b;
    }
    for (; n > 0 && *x == *y; n--, x++, y++)
        continue;
    return n == 0 ? 0 : *x - *y;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n] != '\0')
        n++;
    return n;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++) {
        if (*s == '\0')
            return NULL;
    }
    return (char *)(uintptr_t)s;
}

int strcmp(const char *a, const char *b)
{
    for (; *a != '\0' && *a == *b; a++, b++)
        continue;
    return (unsigned char)*a - (unsigned char)*b;
}
