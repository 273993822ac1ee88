#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/imagefile/imagefile_priv.h"

static void make_room(struct blob *b, size_t more)
{
    if (more <= b->room - b->len)
        return;
    size_t room = b->len + more;
    if (room < 2 * b->room)
        room = 2 * b->room;
    uint8_t *p = realloc(b->p, room);
    if (!p) {
        fprintf(stderr, "error: out of memory (%zu bytes)\n", room);
        exit(EXIT_FAILURE);
    }
    b->p = p;
    b->room = room;
}

void blob_add(struct blob *b, const void *p, size_t len)
{
    if (len == 0)
        return;
    make_room(b, len);
    memcpy(b->p + b->len, p, len);
    b->len += len;
}

void blob_fill(struct blob *b, uint8_t value, size_t len)
{
    if (len == 0)
        return;
    make_room(b, len);
    memset(b->p + b->len, value, len);
    b->len += len;
}

void blob_free(struct blob *b)
{
    free(b->p);
    *b = (struct blob) { 0 };
}

void say(char why[IMAGEFILE_WHY_LEN], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, IMAGEFILE_WHY_LEN, fmt, ap);
    va_end(ap);
}
