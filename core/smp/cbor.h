/*
 * CBOR maps with text keys, as SMP uses them, over zcbor's C runtime (RFC 8949).
 *
 * Reading: a table of the known keys of a request. Maps of definite and indefinite length, in any
 * order; unknown keys are skipped; null counts as absent. Nesting is bounded before zcbor, which
 * recurses, sees the bytes.
 * Writing: functions with a sticky error, tested once at the end. Maps and lists are of indefinite
 * length, so that nothing has to be counted in advance.
 */
#ifndef CORE_SMP_CBOR_H
#define CORE_SMP_CBOR_H

#include <stdbool.h>
#include <stdint.h>

#include <zcbor_encode.h>

#include "core/base/bytes.h"
#include "core/base/err.h"

enum {
    CBOR_DEPTH = 8, /* maps and lists inside one another in a request */
    CBOR_OUT_DEPTH = 6, /* in an answer */
};

enum cbor_kind {
    CBOR_UINT, /* uint32_t; a larger one reads as UINT32_MAX */
    CBOR_BOOL, /* bool; a number counts as well, 0 is false */
    CBOR_BSTR, /* struct span into the request */
    CBOR_TSTR, /* struct span into the request */
};

struct cbor_field {
    const char *key;
    enum cbor_kind kind;
    void *value; /* left as it is if the key is absent */
    bool present;
    bool seen; /* of cbor_read_map(): present or null */
};

/*
 * Reads a request's map into the fields. No bytes at all count as an empty map; bytes behind the map
 * are ignored. ERR_FORMAT: not a map, cut off, nested too deeply, a known key of another type or twice.
 */
int cbor_read_map(struct span bytes, struct cbor_field *field, unsigned count) MUST_CHECK;

struct smp_out {
    zcbor_state_t z[CBOR_OUT_DEPTH + 2];
    bool bad; /* something did not fit */
};

/* Begins a map in buf. */
void cbor_out_begin(struct smp_out *o, uint8_t *buf, uint32_t len);
/* Ends the map; its length in bytes, or 0 if something did not fit. */
uint32_t cbor_out_end(struct smp_out *o, const uint8_t *buf);

/* Into a map: key and value. Into a list: key NULL. */
void cbor_put_uint(struct smp_out *o, const char *key, uint32_t v);
void cbor_put_int(struct smp_out *o, const char *key, int32_t v);
void cbor_put_bool(struct smp_out *o, const char *key, bool v);
void cbor_put_bytes(struct smp_out *o, const char *key, const void *p, uint32_t len);
void cbor_put_text(struct smp_out *o, const char *key, const char *text);
void cbor_put_text_n(struct smp_out *o, const char *key, struct span text);
void cbor_map_begin(struct smp_out *o, const char *key);
void cbor_map_end(struct smp_out *o);
void cbor_list_begin(struct smp_out *o, const char *key);
void cbor_list_end(struct smp_out *o);

#endif
