/*
 * Findings and reports of group 64 as sentences. The device sends reasons and numbers
 * (core/base/reason.h), never text; this turns them into words, for people and for --json.
 */
#ifndef HOST_LIB_EXPLAIN_EXPLAIN_H
#define HOST_LIB_EXPLAIN_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/base/reason.h"

enum { EXPLAIN_MAX = 512 };

/*
 * A number in the unit that the table of reasons names: "1f 47 0c" for a JEDEC id, "870400 bytes
 * (850.0 KiB)" for a size. Returns buf.
 */
const char *explain_value(const char *unit, uint32_t value, char *buf, size_t cap);

/* A finding as group 64 sends it; false if `map` is none (then *f says "nothing wrong"). */
bool explain_take_finding(const json_t *map, struct finding *f);

/*
 * One clause without a full stop: what is wrong, in which slot, what was found, what was expected, and
 * where. "another flash chip answers than the layout names (slot 1): found c2 28 17, expected
 * 1f 47 0c". Returns buf.
 */
const char *explain_finding(const struct finding *f, char *buf, size_t cap);

/*
 * The same for scripts: {"code","reason","slot"?,"found"?,"expected"?,"where"?,"text"}; found, expected
 * and where as texts, and as numbers in found_value, expected_value, where_value.
 */
json_t *explain_finding_json(const struct finding *f);

/* What to try against it: a command, or a thing to do and then a command. Never NULL. */
const char *explain_next(unsigned reason);

/*
 * A finding out of a line of a device's console, "@slw REASON SLOT FOUND EXPECTED WHERE" in hexadecimal,
 * wherever it begins in the line (logs have times and names before it). False: there is none.
 */
bool explain_console_line(const char *line, size_t len, struct finding *f);

/*
 * The boot report (group 64 command 0) in sentences, one a line. `slots` is the answer to command 4, or
 * NULL: it tells whether the image on trial was confirmed since.
 */
void explain_report(const json_t *report, const json_t *slots, FILE *out);
/* The last upload's verdict (command 3) in a sentence or two. */
void explain_upload(const json_t *upload, FILE *out);
/* One entry of slots (command 4) in a line without an end. */
void explain_slot(const json_t *slot, FILE *out);
/* One entry of the chips (command 1) in a line without an end. */
void explain_chip(const json_t *chip, FILE *out);

#endif
