#include "host/lib/imagefile/scan.h"

#include <string.h>

/* For BOOT_MAX_ALIGN 8; else its first two bytes are the alignment and these follow. */
static const uint8_t magic_8[SCAN_MAGIC_LEN] = { 0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F, 0x35, 0x52,
    0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80 };
static const uint8_t magic_rest[SCAN_MAGIC_LEN - 2] = { 0x2D, 0xE1, 0x5D, 0x29, 0x41, 0x0B, 0x8D, 0x77, 0x67,
    0x9C, 0x11, 0x0F, 0x1F, 0x8A };

/* 0: not a magic. */
static uint32_t magic_align(const uint8_t *p)
{
    uint32_t align = ld_le16(p);

    if (memcmp(p, magic_8, sizeof magic_8) == 0)
        return 8;
    if (memcmp(p + 2, magic_rest, sizeof magic_rest) == 0 && (align == 16 || align == 32))
        return align;
    return 0;
}

static void read_trailer(struct scan_trailer *t, struct span bytes, uint32_t end)
{
    const uint8_t *p = bytes.p + end;

    *t = (struct scan_trailer) { .end = end };
    memcpy(t->magic, p - SCAN_MAGIC_LEN, SCAN_MAGIC_LEN);
    t->align = magic_align(t->magic);
    uint32_t first = t->align > SCAN_MAGIC_LEN ? t->align : SCAN_MAGIC_LEN;
    if (t->align == 0 || end < first + 4 * t->align)
        return;
    t->good = true;
    p -= first;
    t->image_ok = *(p - t->align);
    t->copy_done = *(p - 2 * t->align);
    t->swap_info = *(p - 3 * t->align);
    t->swap_size = ld_le32(p - 4 * t->align);
}

/* True if there was an image's magic; *next is where to go on. */
static bool take_image(struct scan *s, uint32_t off, uint32_t *next)
{
    struct scan_image *i = &s->image[s->images];
    struct flash_area area = ram_flash_area(&s->ram);
    static const uint8_t magic[4] = { 0x3D, 0xB8, 0xF3, 0x96 };
    uint8_t buf[4096];

    if (area.size - off < sizeof magic || memcmp(s->ram.bytes.p + off, magic, sizeof magic) != 0)
        return false;
    i->off = off;
    (void)!image_open(&i->img, &area, off, area.size - off, &i->why);
    if (i->img.end != 0) {
        if (image_hash(&i->img, buf, sizeof buf, i->hash) != OK)
            return false;
        *next = off + i->img.end;
    }
    s->images++;
    return true;
}

static uint32_t next_boundary(uint32_t base, uint32_t off)
{
    return off + (SCAN_UNIT - (base + off) % SCAN_UNIT);
}

static void find_images(struct scan *s, uint32_t base)
{
    uint32_t size = s->ram.dev.size;

    for (uint32_t off = 0; off < size && s->images < SCAN_IMAGES_MAX;) {
        uint32_t next = off + 1;
        (void)take_image(s, off, &next);
        off = next_boundary(base, next - 1);
    }
}

static void find_trailers(struct scan *s, uint32_t base)
{
    uint32_t size = s->ram.dev.size;

    for (uint32_t end = next_boundary(base, 0); end < size && s->trailers < SCAN_TRAILERS_MAX;
         end += SCAN_UNIT) {
        struct scan_trailer *t = &s->trailer[s->trailers];
        if (end < SCAN_MAGIC_LEN)
            continue;
        read_trailer(t, s->ram.bytes, end);
        s->trailers += t->good;
    }
}

void scan_bytes(struct scan *s, struct span bytes, uint32_t base)
{
    memset(s, 0, sizeof *s);
    ram_flash_init(&s->ram, bytes);
    find_images(s, base);
    find_trailers(s, base);
    const struct scan_image *last = s->images ? &s->image[s->images - 1] : NULL;
    uint32_t size = s->ram.dev.size;
    if (last && last->img.end != 0 && size >= SCAN_MAGIC_LEN && size > last->off + last->img.end) {
        s->has_last = true;
        read_trailer(&s->last, bytes, size);
    }
}

bool scan_trailer_at(const struct scan *s, uint32_t end, struct scan_trailer *t)
{
    if (end < SCAN_MAGIC_LEN || end > s->ram.dev.size)
        return false;
    read_trailer(t, s->ram.bytes, end);
    return true;
}
