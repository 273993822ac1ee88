/*
 * Anything as an image in flash: no read outside of it, no endless walk, never a good verdict without
 * a signature. The key is the point of RFC 6979 A.2.5, whose hash the seeds carry.
 */
#include <stdlib.h>
#include <string.h>

#include "core/image/image.h"

struct rom {
    const uint8_t *data;
    size_t size;
    unsigned reads;
};

static int rom_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct rom *r = ctx;

    if (off > r->size || len > r->size - off || ++r->reads > 100000)
        abort();
    memcpy(buf, r->data + off, len);
    return OK;
}

static int rom_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static uint32_t rom_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct flash_ops rom_ops = { .read = rom_read, .poll = rom_poll, .now_ms = rom_now };

static const struct image_key key_rfc6979 = { .point = { 0x04,
    0x60, 0xFE, 0xD4, 0xBA, 0x25, 0x5A, 0x9D, 0x31, 0xC9, 0x61, 0xEB, 0x74, 0xC6, 0x35, 0x6D, 0x68,
    0xC0, 0x49, 0xB8, 0x92, 0x3B, 0x61, 0xFA, 0x6C, 0xE6, 0x69, 0x62, 0x2E, 0x60, 0xF2, 0x9F, 0xB6,
    0x79, 0x03, 0xFE, 0x10, 0x08, 0xB8, 0xBC, 0x99, 0xA4, 0x1A, 0xE9, 0xE9, 0x56, 0x28, 0xBC, 0x64,
    0xF2, 0xF1, 0xB2, 0x0C, 0x2D, 0x7E, 0x9F, 0x51, 0x77, 0xA3, 0xC2, 0x94, 0xD4, 0x46, 0x22, 0x99 } };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rom rom = { .data = data, .size = size };
    struct flash_dev dev = { .ops = &rom_ops, .ctx = &rom, .name = "rom", .size = (uint32_t)size,
        .erase_size = 4096, .prog_size = 4, .prog_max = 256 };
    const struct flash_area area = { .dev = &dev, .size = (uint32_t)size };
    struct image_key key = key_rfc6979;
    const struct image_keys keys = { .key = &key, .count = 1 };
    struct image img;
    struct finding why;
    enum verdict verdict = VERDICT_BAD;
    uint8_t buf[256];

    image_key_hash(&key);
    int rc = image_open(&img, &area, 0, (uint32_t)size, &why);
    if ((rc == OK) != (why.reason == REASON_NONE) || img.end > size)
        abort();
    if (rc != OK)
        return 0;
    if (image_hash(&img, buf, sizeof buf, img.hash) != OK) /* a right hash, or nothing gets further */
        abort();
    rc = image_verify(&img, &keys, buf, sizeof buf, &verdict, &why);
    if (rc == OK || verdict != VERDICT_BAD || why.reason == REASON_NONE)
        abort();
    (void)!image_runnable(&img, 0xC000, 904 * 1024, 1, &why);
    return 0;
}
