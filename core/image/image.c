/* Header and structure of an image: what it says of itself, before anything is hashed. */
#include "core/image/image.h"

#include <string.h>

#include "core/image/image_priv.h"

/*
 *     0  u32 magic 96f3b83d     12  u32 payload bytes     20  u8 major, u8 minor, u16 revision
 *     4  u32 load address       16  u32 flags             24  u32 build
 *     8  u16 header bytes                                 28  u32 0
 *    10  u16 protected TLV bytes, their info header included
 */
enum {
    AT_MAGIC = 0,
    AT_LOAD_ADDR = 4,
    AT_HDR_SIZE = 8,
    AT_PROT_SIZE = 10,
    AT_IMG_SIZE = 12,
    AT_FLAGS = 16,
    AT_VERSION = 20,
};
_Static_assert(AT_VERSION + 8 + 4 == IMAGE_HEADER_LEN, "header");

enum { VECTOR_ALIGN = 256 }; /* 16 + 48 vectors of 4 bytes, rounded up to a power of two */

#define ENCRYPTED  (IMAGE_F_ENCRYPTED_AES128 | IMAGE_F_ENCRYPTED_AES256)
#define COMPRESSED (IMAGE_F_COMPRESSED_LZMA1 | IMAGE_F_COMPRESSED_LZMA2)

int image_version_cmp(const struct image_version *a, const struct image_version *b)
{
    if (a->major != b->major)
        return a->major < b->major ? -1 : 1;
    if (a->minor != b->minor)
        return a->minor < b->minor ? -1 : 1;
    if (a->revision != b->revision)
        return a->revision < b->revision ? -1 : 1;
    return 0;
}

int image_bad(struct finding *why, enum reason reason, uint32_t found, uint32_t expected,
    uint32_t where)
{
    *why = (struct finding) { .reason = (uint16_t)reason, .slot = FINDING_NO_SLOT,
        .found = found, .expected = expected, .where = where };
    return ERR_FORMAT;
}

/* Sizes as the header gives them; only magic and what needs no TLV is judged. */
static int parse_header(struct image *img, const uint8_t h[IMAGE_HEADER_LEN], uint32_t limit,
    struct finding *why)
{
    uint32_t magic = ld_le32(h + AT_MAGIC);

    if (bytes_all(h, IMAGE_HEADER_LEN, 0xFF))
        return image_bad(why, REASON_IMG_NONE, 0, 0, 0);
    if (magic != IMAGE_MAGIC)
        return image_bad(why, REASON_IMG_MAGIC, magic, IMAGE_MAGIC, 0);
    img->load_addr = ld_le32(h + AT_LOAD_ADDR);
    img->hdr_size = ld_le16(h + AT_HDR_SIZE);
    img->prot_size = ld_le16(h + AT_PROT_SIZE);
    img->img_size = ld_le32(h + AT_IMG_SIZE);
    img->flags = ld_le32(h + AT_FLAGS);
    img->version = (struct image_version) { .major = h[AT_VERSION], .minor = h[AT_VERSION + 1],
        .revision = ld_le16(h + AT_VERSION + 2), .build = ld_le32(h + AT_VERSION + 4) };
    if (img->hdr_size < IMAGE_HEADER_LEN)
        return image_bad(why, REASON_IMG_HEADER, img->hdr_size, IMAGE_HEADER_LEN, 0);
    if (img->prot_size != 0 && img->prot_size < IMAGE_TLV_INFO_LEN)
        return image_bad(why, REASON_IMG_HEADER, img->prot_size, IMAGE_TLV_INFO_LEN, 0);
    uint32_t around = img->hdr_size + img->prot_size + IMAGE_TLV_INFO_LEN;
    if (img->img_size > UINT32_MAX - around)
        return image_bad(why, REASON_IMG_HEADER, img->img_size, limit, 0);
    img->tlv_off = img->hdr_size + img->img_size + img->prot_size;
    if (img->tlv_off + IMAGE_TLV_INFO_LEN > limit)
        return image_bad(why, REASON_IMG_TRUNCATED, limit, img->tlv_off + IMAGE_TLV_INFO_LEN, 0);
    return OK;
}

static int check_flags(const struct image *img, struct finding *why)
{
    if ((img->flags & ENCRYPTED) != 0)
        return image_bad(why, REASON_IMG_ENCRYPTED, img->flags, 0, 0);
    if ((img->flags & COMPRESSED) != 0)
        return image_bad(why, REASON_IMG_FLAGS, img->flags, 0, 0);
    return OK;
}

int image_parse_header(struct image *img, struct span bytes, uint32_t limit, struct finding *why)
{
    *img = (struct image) { 0 };
    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    if (bytes.len < IMAGE_HEADER_LEN)
        return image_bad(why, REASON_IMG_TRUNCATED, (uint32_t)bytes.len, IMAGE_HEADER_LEN, 0);
    int rc = parse_header(img, bytes.p, limit, why);
    return rc == OK ? check_flags(img, why) : rc;
}

int image_read(const struct image *img, uint32_t at, void *buf, uint32_t len, struct finding *why)
{
    int rc = area_read(&img->area, img->off + at, buf, len);

    if (rc != OK) {
        bool external = img->area.dev->jedec != 0;
        (void)image_bad(why, external ? REASON_EXT_READ : REASON_INT_READ, (uint32_t)-rc, 0,
            img->off + at);
    }
    return rc;
}

/* Stack pointer and reset vector, where the payload is long enough to have them. */
static int read_vectors(struct image *img, struct finding *why)
{
    uint8_t v[8];

    if (img->img_size < sizeof v)
        return OK;
    int rc = image_read(img, img->hdr_size, v, sizeof v, why);
    if (rc == OK) {
        img->initial_sp = ld_le32(v);
        img->reset_vector = ld_le32(v + 4);
    }
    return rc;
}

static int read_header(struct image *img, uint32_t limit, struct finding *why)
{
    uint8_t h[IMAGE_HEADER_LEN];

    if (limit < sizeof h)
        return image_bad(why, REASON_IMG_TRUNCATED, limit, sizeof h, 0);
    int rc = image_read(img, 0, h, sizeof h, why);
    return rc == OK ? parse_header(img, h, limit, why) : rc;
}

int image_open(struct image *img, const struct flash_area *area, uint32_t off, uint32_t limit,
    struct finding *why)
{
    *img = (struct image) { .area = *area, .off = off };
    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    uint32_t room = off <= area->size ? area->size - off : 0;
    if (limit > room)
        limit = room;

    int rc = read_header(img, limit, why);
    if (rc == OK)
        rc = image_read_tlvs(img, limit, why);
    if (rc == OK)
        rc = read_vectors(img, why);
    if (rc != OK) {
        img->end = 0;
        return rc;
    }
    rc = check_flags(img, why);
    if (rc == OK && !img->has_hash)
        rc = image_bad(why, REASON_IMG_NO_HASH, 0, 0, 0);
    return rc;
}

int image_runnable(const struct image *img, uint32_t run_addr, uint32_t run_size,
    uint32_t layout_hash, struct finding *why)
{
    uint32_t elsewhere = IMAGE_F_NON_BOOTABLE | IMAGE_F_RAM_LOAD | ENCRYPTED | COMPRESSED;

    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    if ((img->flags & elsewhere) != 0
        || ((img->flags & IMAGE_F_ROM_FIXED) != 0 && img->load_addr != run_addr)) {
        (void)image_bad(why, REASON_IMG_FLAGS, img->flags, 0, 0);
        return ERR_UNSUPPORTED;
    }
    if ((run_addr + img->hdr_size) % VECTOR_ALIGN != 0) {
        (void)image_bad(why, REASON_IMG_ALIGN, img->hdr_size, VECTOR_ALIGN, 0);
        return ERR_UNSUPPORTED;
    }
    if (img->has_layout && img->layout_hash != layout_hash) {
        (void)image_bad(why, REASON_IMG_LAYOUT, img->layout_hash, layout_hash, 0);
        return ERR_LAYOUT;
    }
    uint32_t offset = img->reset_vector - run_addr; /* wraps to a large one for what lies below */
    if (!img->has_layout && offset >= run_size) {
        (void)image_bad(why, REASON_IMG_VECTORS, img->reset_vector, run_addr, 0);
        return ERR_LAYOUT;
    }
    return OK;
}
