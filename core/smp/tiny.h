/*
 * CBOR for the bootloader's recovery, in 0.6 KB where cbor.h over zcbor takes 3: one flat map is read,
 * one is written. For applications and hosts cbor.h is the one to use.
 *
 * Reading: a key is looked for in the map each time. The map may be of definite or indefinite length;
 * keys and values are of definite length; values of unknown keys are skipped, maps and lists included.
 * Writing: maps and lists of indefinite length, a sticky error.
 */
#ifndef CORE_SMP_TINY_H
#define CORE_SMP_TINY_H

#include "core/base/bytes.h"

enum tiny_kind {
    TINY_NONE, /* the key is not there, or null */
    TINY_UINT, /* num; more than 32 bits read as UINT32_MAX */
    TINY_BOOL, /* num is 0 or 1 */
    TINY_BYTES, /* bytes */
    TINY_TEXT, /* bytes */
    TINY_OTHER, /* something else: negative, a tag, a map, a list */
    TINY_BAD, /* the map is malformed or cut off, or holds strings of indefinite length */
};

struct tiny_value {
    enum tiny_kind kind;
    uint32_t num;
    struct span bytes;
};

/* No bytes at all count as an empty map. The first value with this key. */
struct tiny_value tiny_find(struct span map, const char *key);

struct tiny_out {
    uint8_t *p;
    uint32_t len, cap;
    bool bad; /* something did not fit */
};

void tiny_map_begin(struct tiny_out *o, const char *key); /* key NULL: in a list, or the outermost */
void tiny_list_begin(struct tiny_out *o, const char *key);
void tiny_end(struct tiny_out *o); /* of a map or a list */
void tiny_uint(struct tiny_out *o, const char *key, uint32_t v);
void tiny_bool(struct tiny_out *o, const char *key, bool v);
void tiny_bytes(struct tiny_out *o, const char *key, const void *p, uint32_t len);
void tiny_text(struct tiny_out *o, const char *key, struct span text);

#endif
