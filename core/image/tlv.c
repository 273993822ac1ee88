/*
 * The TLV areas:
 *
 *     u16 magic, u16 bytes of the area, these four included
 *     { u16 type, u16 len, len bytes } ...     nothing aligned, nothing between them
 *
 * An entry has to end where its area ends or before; the protected area (magic 0x6908) has to be as
 * long as the header says, and the other one (0x6907) has to follow it.
 */
#include "core/image/image_priv.h"

static int malformed(struct finding *why, uint32_t type, uint32_t where)
{
    return image_bad(why, REASON_IMG_TLV, type, 0, where);
}

/* Checks the info header at `at`; *len is the area's length. */
static int read_info(const struct image *img, uint32_t at, uint32_t want_magic, uint32_t limit,
    uint32_t *len, struct finding *why)
{
    uint8_t info[IMAGE_TLV_INFO_LEN];
    int rc = image_read(img, at, info, sizeof info, why);

    if (rc != OK)
        return rc;
    uint32_t magic = ld_le16(info);
    *len = ld_le16(info + 2);
    if (magic != want_magic) {
        if (magic == IMAGE_TLV_MAGIC || magic == IMAGE_TLV_PROT_MAGIC)
            return malformed(why, magic, at);
        return image_bad(why, REASON_IMG_NO_TLVS, magic, want_magic, at);
    }
    if (*len < IMAGE_TLV_INFO_LEN)
        return malformed(why, magic, at);
    if (*len > limit - at)
        return image_bad(why, REASON_IMG_TRUNCATED, limit, at + *len, at);
    return OK;
}

/* A u32 that may be there once, and in the protected area only. */
static int take_u32(const struct image_tlv_iter *it, bool *has, uint32_t *value,
    struct finding *why)
{
    uint8_t v[4];

    if (!it->prot)
        return OK;
    if (*has || it->len != sizeof v)
        return malformed(why, it->type, it->data_off - IMAGE_TLV_ENTRY_LEN);
    int rc = image_read(it->img, it->data_off, v, sizeof v, why);
    if (rc == OK) {
        *has = true;
        *value = ld_le32(v);
    }
    return rc;
}

/* The hash does not lie in what it covers, and there is one. */
static int take_hash(const struct image_tlv_iter *it, struct image *img, struct finding *why)
{
    if (it->prot || img->has_hash || it->len != sizeof img->hash)
        return malformed(why, it->type, it->data_off - IMAGE_TLV_ENTRY_LEN);
    img->has_hash = true;
    return image_read(img, it->data_off, img->hash, sizeof img->hash, why);
}

static int take(const struct image_tlv_iter *it, struct image *img, bool *has_trial,
    struct finding *why)
{
    switch (it->type) {
    case IMAGE_TLV_SHA256:
        return take_hash(it, img, why);
    case IMAGE_TLV_LAYOUT:
        return take_u32(it, &img->has_layout, &img->layout_hash, why);
    case IMAGE_TLV_SEC_CNT:
        return take_u32(it, &img->has_counter, &img->security_counter, why);
    case IMAGE_TLV_TRIAL:
        return take_u32(it, has_trial, &img->trial_s, why);
    default:
        return OK;
    }
}

int image_read_tlvs(struct image *img, uint32_t limit, struct finding *why)
{
    struct image_tlv_iter it;
    bool has_trial = false;
    uint32_t len = 0;
    int rc = OK;

    if (img->prot_size != 0) {
        uint32_t at = img->tlv_off - img->prot_size;
        rc = read_info(img, at, IMAGE_TLV_PROT_MAGIC, limit, &len, why);
        if (rc == OK && len != img->prot_size)
            rc = malformed(why, IMAGE_TLV_PROT_MAGIC, at);
    }
    if (rc == OK)
        rc = read_info(img, img->tlv_off, IMAGE_TLV_MAGIC, limit, &len, why);
    if (rc != OK)
        return rc;
    img->end = img->tlv_off + len;
    image_tlv_begin(&it, img);
    while ((rc = image_tlv_read(&it, why)) > 0) {
        rc = take(&it, img, &has_trial, why);
        if (rc != OK)
            return rc;
    }
    return rc;
}

void image_tlv_begin(struct image_tlv_iter *it, const struct image *img)
{
    *it = (struct image_tlv_iter) { .img = img };
    it->prot = img->prot_size != 0;
    it->end = it->prot ? img->tlv_off : img->end;
    it->at = img->tlv_off - img->prot_size + IMAGE_TLV_INFO_LEN;
}

int image_tlv_read(struct image_tlv_iter *it, struct finding *why)
{
    uint8_t entry[IMAGE_TLV_ENTRY_LEN];

    if (it->at == it->end && it->prot) {
        it->prot = false;
        it->at = it->img->tlv_off + IMAGE_TLV_INFO_LEN;
        it->end = it->img->end;
    }
    if (it->at == it->end)
        return 0;
    if (it->end - it->at < sizeof entry)
        return malformed(why, 0, it->at);
    int rc = image_read(it->img, it->at, entry, sizeof entry, why);
    if (rc != OK)
        return rc;
    it->type = ld_le16(entry);
    it->len = ld_le16(entry + 2);
    if (it->len > it->end - it->at - sizeof entry)
        return malformed(why, it->type, it->at);
    it->data_off = it->at + IMAGE_TLV_ENTRY_LEN;
    it->at = it->data_off + it->len;
    return 1;
}

int image_tlv_next(struct image_tlv_iter *it)
{
    struct finding why;

    return image_tlv_read(it, &why);
}
