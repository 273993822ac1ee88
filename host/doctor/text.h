/*
 * Text of a project on its way out: it may hold anything, and what is shown must neither command a
 * terminal nor break a format.
 */
#ifndef HOST_DOCTOR_TEXT_H
#define HOST_DOCTOR_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "host/doctor/pool.h"

/*
 * Bytes of the character that `text` (NUL-terminated) begins with, by RFC 3629: no overlong forms, no
 * surrogates. 0 if it is not UTF-8. *code is the character.
 */
size_t text_char(const char *text, uint32_t *code);

/* The first line, from 1, that is not UTF-8; 0 if all are. */
unsigned text_bad_line(const char *text, size_t len);

/*
 * Writes `text` up to `len` bytes or its end. Tab and newline pass; '?' stands for other control
 * characters, for those that change the direction of writing, and for what is not UTF-8.
 */
void text_put(const char *text, size_t len, FILE *out);

/*
 * Writes words from column `column` on, in lines of at most TEXT_WIDTH columns where words allow; the
 * following lines are indented. Ends the last line.
 */
enum { TEXT_WIDTH = 100 };
void text_put_wrapped(const char *text, size_t column, size_t indent, FILE *out);

/* What text_put() writes, as a copy, and '?' for newlines, too: a name of one line. */
char *text_printable(struct pool *pool, const char *text);

#endif
