/*
 * Kconfig fragments and .config: assignments with their places, in order; the last one counts.
 *
 * `CONFIG_X=y`, `# CONFIG_X is not set`, `SB_CONFIG_X=...`; strings lose their quotes. What is
 * neither blank, comment nor assignment is kept as trouble of its line.
 */
#ifndef HOST_DOCTOR_CONF_H
#define HOST_DOCTOR_CONF_H

#include "host/doctor/source.h"

struct conf_item {
    struct conf_item *next; /* in order of reading */
    struct conf_item *chain; /* older one of the same bucket */
    const char *name; /* without CONFIG_ or SB_CONFIG_ */
    const char *value; /* "y", "n", "4096", text of a string */
    struct place at;
    bool weak; /* a default of a Kconfig file: any assignment is stronger */
};

enum { CONF_BUCKETS = 256 };

struct conf {
    struct pool *pool;
    struct conf_item *first, **end;
    struct conf_item *bucket[CONF_BUCKETS];
    bool any;
};

void conf_init(struct conf *c, struct pool *pool);
void conf_add(struct conf *c, const char *name, const char *value, struct place at, bool weak);

/* One line after another of a text: its start and its length without the end. */
struct lines {
    const char *at, *end, *line;
    size_t len;
    unsigned number;
};
struct lines conf_lines(const char *text, size_t len);
bool conf_lines_next(struct lines *l);

/* Reads the assignments with `prefix` ("CONFIG_" or "SB_CONFIG_") of a file. */
void conf_read(struct conf *c, struct sources *s, struct source *f, const char *prefix);

const struct conf_item *conf_item(const struct conf *c, const char *name); /* the one that counts */
const char *conf_value(const struct conf *c, const char *name); /* NULL if it is not assigned */
bool conf_is(const struct conf *c, const char *name, const char *value);

/* "0x10" or "16"; false if it is no number. */
bool conf_number(const char *text, uint64_t *out);

#endif
