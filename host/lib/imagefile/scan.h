/* Finds images and trailers in raw bytes: an image file, a slot, a whole chip. */
#ifndef HOST_LIB_IMAGEFILE_SCAN_H
#define HOST_LIB_IMAGEFILE_SCAN_H

#include "host/lib/imagefile/imagefile.h"

enum { SCAN_UNIT = 4096, SCAN_IMAGES_MAX = 64, SCAN_TRAILERS_MAX = 64, SCAN_MAGIC_LEN = 16 };

/* A header with the magic of an image. */
struct scan_image {
    uint32_t off;
    struct image img; /* its area refers to scan.ram */
    struct finding why; /* NONE, or what image_open() says; with img.end != 0 it can be shown whole */
    uint8_t hash[CRYPTO_SHA256_LEN]; /* computed, if img.end != 0 */
};

/* MCUboot's fields at the end of a slot (design documentation, "Image trailer"), for any alignment. */
struct scan_trailer {
    uint32_t end; /* the slot's end */
    uint8_t magic[SCAN_MAGIC_LEN];
    bool good; /* the magic is one of MCUboot's: the rest is read */
    uint32_t align; /* BOOT_MAX_ALIGN that the magic stands for */
    uint8_t image_ok, copy_done, swap_info;
    uint32_t swap_size;
};

struct scan {
    struct ram_flash ram;
    struct scan_image image[SCAN_IMAGES_MAX];
    size_t images;
    struct scan_trailer trailer[SCAN_TRAILERS_MAX]; /* good ones at unit ends, the last end aside */
    size_t trailers;
    bool has_last;
    struct scan_trailer last; /* what lies at the end of the bytes, if no image reaches it */
};

/*
 * Images are looked for at the first byte and at unit boundaries of the address `base` + offset,
 * outside of those found before. The bytes have to stay in place; so has *s.
 */
void scan_bytes(struct scan *s, struct span bytes, uint32_t base);

/* The trailer of a slot that ends at `end` bytes; false if it is too short for one. */
bool scan_trailer_at(const struct scan *s, uint32_t end, struct scan_trailer *t);

#endif
