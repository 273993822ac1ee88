#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "host/doctor/conf.h"
#include "host/doctor/partitions.h"

enum { MAX_EVENTS = 200000, MAX_YAML_DEPTH = 24, MAX_PARTITIONS = 512 };

static const char too_many[] = "more entries or levels than a partition map can have";

void map_init(struct map *l)
{
    *l = (struct map) { .first = NULL };
    l->end = &l->first;
}

const struct partition *map_find(const struct map *l, const char *name)
{
    for (const struct partition *p = l ? l->first : NULL; p; p = p->next) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

bool partition_size(const struct partition *p, uint64_t *size)
{
    if (p->has_size && !p->negative) {
        *size = p->size;
        return true;
    }
    if (p->has_address && p->has_end && p->end >= p->address) {
        *size = p->end - p->address;
        return true;
    }
    return false;
}

bool partition_in(const struct partition *p, const char *region)
{
    return strcmp(p->region ? p->region : "flash_primary", region) == 0;
}

static struct partition *add(struct map *l, struct pool *pool, const char *name, struct place at)
{
    struct partition *p = pool_alloc(pool, sizeof *p);

    *p = (struct partition) { .name = pool_dup(pool, name), .at = at, .at_address = at, .at_size = at };
    *l->end = p;
    l->end = &p->next;
    l->count++;
    return p;
}

/* Where the reader stands in the nesting of a map file. */
struct yaml_state {
    struct map *l;
    struct pool *pool;
    struct source *f;
    struct partition *part;
    int depth; /* open maps and lists */
    bool in_list[MAX_YAML_DEPTH + 1];
    bool want_value[MAX_YAML_DEPTH + 1];
    char key[MAX_YAML_DEPTH + 1][64];
    bool top_is_list;
};

static void set_number(struct partition *p, const char *key, const char *text, struct place at)
{
    bool negative = text[0] == '-';
    uint64_t v;

    if (!conf_number(text + negative, &v))
        return;
    if (strcmp(key, "address") == 0) {
        p->address = v;
        p->has_address = true;
        p->at_address = at;
    } else if (strcmp(key, "end_address") == 0) {
        p->end = v;
        p->has_end = true;
    } else {
        p->size = v;
        p->has_size = true;
        p->negative = negative && v;
        p->signed_size = negative ? -(int64_t)v : (int64_t)v;
        p->at_size = at;
    }
}

static void field_scalar(struct yaml_state *y, const char *key, const char *text, struct place at)
{
    struct partition *p = y->part;

    if (strcmp(key, "address") == 0 || strcmp(key, "end_address") == 0 || strcmp(key, "size") == 0)
        set_number(p, key, text, at);
    else if (strcmp(key, "region") == 0)
        p->region = pool_dup(y->pool, text);
    else if (strcmp(key, "device") == 0)
        p->device = pool_dup(y->pool, text);
    else if (strcmp(key, "span") == 0)
        p->container = true;
}

static void scalar(struct yaml_state *y, const char *text, struct place at)
{
    int d = y->depth;

    if (d == 0)
        return;
    if (y->in_list[d]) {
        if (d >= 3 && y->part && strcmp(y->key[2], "span") == 0 && y->part->spans < 16)
            y->part->span[y->part->spans++] = pool_dup(y->pool, text);
        return;
    }
    if (!y->want_value[d]) {
        size_t n = strlen(text);
        if (n >= sizeof y->key[d])
            n = sizeof y->key[d] - 1;
        memcpy(y->key[d], text, n);
        y->key[d][n] = '\0';
        y->want_value[d] = true;
        if (d == 1 && !y->top_is_list)
            y->part = add(y->l, y->pool, y->key[1], at);
        return;
    }
    y->want_value[d] = false;
    if (d == 2 && y->part)
        field_scalar(y, y->key[2], text, at);
}

static bool open_level(struct yaml_state *y, bool list)
{
    if (y->depth >= MAX_YAML_DEPTH)
        return false;
    if (y->depth == 2 && y->part && !y->in_list[2]) {
        y->part->container |= strcmp(y->key[2], "span") == 0;
        y->part->aligned |= strcmp(y->key[2], "placement") == 0;
    }
    y->depth++;
    if (y->depth == 1)
        y->top_is_list = list;
    y->in_list[y->depth] = list;
    y->want_value[y->depth] = false;
    return true;
}

static void close_level(struct yaml_state *y)
{
    if (y->depth > 0)
        y->depth--;
    y->want_value[y->depth] = false;
}

static bool take_event(struct yaml_state *y, const yaml_event_t *e)
{
    struct place at = { y->f->rel, (unsigned)e->start_mark.line + 1, (unsigned)e->start_mark.column + 1 };

    switch (e->type) {
    case YAML_SCALAR_EVENT:
        scalar(y, (const char *)e->data.scalar.value, at);
        return true;
    case YAML_ALIAS_EVENT:
        if (y->depth == 2 && y->part && strcmp(y->key[2], "span") == 0)
            y->part->container = true;
        y->want_value[y->depth] = y->in_list[y->depth] ? false : !y->want_value[y->depth];
        return true;
    case YAML_MAPPING_START_EVENT:
        return open_level(y, false);
    case YAML_SEQUENCE_START_EVENT:
        return open_level(y, true);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        close_level(y);
        return true;
    default:
        return true;
    }
}

static const char *run_parser(struct yaml_state *y, yaml_parser_t *parser)
{
    yaml_event_t event;

    for (int count = 0;; count++) {
        if (!yaml_parser_parse(parser, &event))
            return pool_printf(y->pool, "not valid YAML: line %zu: %s", parser->problem_mark.line + 1,
                parser->problem ? parser->problem : "unreadable");
        bool done = event.type == YAML_STREAM_END_EVENT;
        bool ok = count < MAX_EVENTS && y->l->count < MAX_PARTITIONS && take_event(y, &event);
        yaml_event_delete(&event);
        if (done)
            return NULL;
        if (!ok)
            return too_many;
    }
}

bool map_read_yaml(struct map *l, struct sources *s, struct source *f)
{
    const char *text = source_config(s, f);
    struct yaml_state y = { .l = l, .pool = s->pool, .f = f };
    yaml_parser_t parser;

    l->file = f;
    if (!text)
        return false;
    if (!yaml_parser_initialize(&parser)) {
        f->trouble = "no memory for the YAML parser";
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, f->len);
    const char *trouble = run_parser(&y, &parser);
    yaml_parser_delete(&parser);
    if (trouble)
        f->trouble = trouble;
    return !trouble;
}

static struct partition *config_part(struct map *l, struct pool *pool, const char *name, size_t len,
    struct place at)
{
    char low[64];

    if (len == 0 || len >= sizeof low)
        return NULL;
    for (size_t i = 0; i < len; i++)
        low[i] = (char)tolower((unsigned char)name[i]);
    low[len] = '\0';
    const struct partition *p = map_find(l, low);
    return p ? (struct partition *)(uintptr_t)p : add(l, pool, low, at);
}

bool map_read_config(struct map *l, struct sources *s, struct source *f)
{
    struct conf c;

    conf_init(&c, s->pool);
    conf_read(&c, s, f, "PM_");
    l->file = f;
    for (const struct conf_item *i = c.first; i; i = i->next) {
        size_t n = strlen(i->name);
        const char *key = NULL;
        if (text_ends(i->name, "_END_ADDRESS"))
            key = "end_address", n -= 12;
        else if (text_ends(i->name, "_ADDRESS"))
            key = "address", n -= 8;
        else if (text_ends(i->name, "_SIZE"))
            key = "size", n -= 5;
        else if (text_ends(i->name, "_DEV_NAME"))
            key = "device", n -= 9;
        else
            continue;
        if (l->count >= MAX_PARTITIONS) {
            f->trouble = too_many;
            break;
        }
        struct partition *p = config_part(l, s->pool, i->name, n, i->at);
        if (p && strcmp(key, "device") == 0) {
            p->device = i->value;
            if (strstr(i->value, "ext_flash") || strstr(i->value, "ext-flash"))
                p->region = "external_flash";
        } else if (p) {
            set_number(p, key, i->value, i->at);
        }
    }
    return l->first != NULL;
}
