/*
 * CBOR for tests, apart from what is tested: a writer of definite maps, as clients send them, and a
 * reader that turns any CBOR into text: {"off":5,"match":true,"hash":h'00ff..'}.
 */
#ifndef TESTS_SUPPORT_CBORKIT_H
#define TESTS_SUPPORT_CBORKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cborkit {
    uint8_t bytes[4096];
    size_t len;
};

void ck_map(struct cborkit *c, unsigned pairs); /* starts anew */
void ck_head(struct cborkit *c, unsigned major, uint64_t value);
void ck_text(struct cborkit *c, const char *s);
void ck_uint(struct cborkit *c, const char *key, uint64_t v);
void ck_bool(struct cborkit *c, const char *key, bool v);
void ck_null(struct cborkit *c, const char *key);
void ck_bytes(struct cborkit *c, const char *key, const void *p, size_t n);
void ck_string(struct cborkit *c, const char *key, const char *v);

/* One item as text; byte strings longer than 4 bytes are cut. "?" where it is not CBOR. */
const char *ck_diag(const uint8_t *p, size_t len, char *out, size_t cap);

#endif
