/*
 * Signed MCUboot images made in memory, with OpenSSL and the format's description only: a second
 * writer beside host/lib, for tests of what reads them.
 */
#ifndef TESTS_SUPPORT_TESTIMAGE_H
#define TESTS_SUPPORT_TESTIMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "core/image/image.h"

struct testkey {
    void *pkey; /* EVP_PKEY */
    struct image_key key;
};
void testkey_make(struct testkey *k);
void testkey_free(struct testkey *k);

struct testimage_options {
    uint8_t major, minor;
    uint16_t revision;
    uint32_t build;
    uint32_t flags;
    uint32_t hdr_size; /* 0: 0x200 */
    uint32_t seed; /* of the payload */
    uint32_t layout_hash; /* 0: no layout TLV */
    uint32_t reset_vector; /* 0: random payload from the first word on */
};
/* An image of exactly `total` bytes, malloc'ed, signed by k. */
uint8_t *testimage_make(const struct testkey *k, const struct testimage_options *o, uint32_t total);

#endif
