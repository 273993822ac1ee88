/* Shared by the files of core/image only. */
#ifndef CORE_IMAGE_IMAGE_PRIV_H
#define CORE_IMAGE_IMAGE_PRIV_H

#include "core/image/image.h"

/* Sets *why; ERR_FORMAT. */
int image_bad(struct finding *why, enum reason reason, uint32_t found, uint32_t expected,
    uint32_t where);

/* Reads len bytes at `at` of the image. A flash error is put into *why as REASON_EXT_/INT_READ. */
int image_read(const struct image *img, uint32_t at, void *buf, uint32_t len,
    struct finding *why) MUST_CHECK;

/* Walks both TLV areas of an image whose header was read, fills in what they say. */
int image_read_tlvs(struct image *img, uint32_t limit, struct finding *why) MUST_CHECK;

/* image_tlv_next() that says why it failed. */
int image_tlv_read(struct image_tlv_iter *it, struct finding *why) MUST_CHECK;

#endif
