/*
 * Makes a signed image. The order of the TLVs and every byte but the signature are imgtool's, which
 * is held by tests/interop/test_imgtool.py.
 */
#include <inttypes.h>
#include <string.h>

#include "host/lib/imagefile/imagefile_priv.h"

enum {
    TRAILER_SECTORS = 128, /* imgtool's default, --max-sectors */
    TRAILER_STATES = 3,
    TRAILER_ALIGN = 8, /* MCUboot's BOOT_MAX_ALIGN on this chip */
    TRAILER_FIELDS = 4, /* swap_size, swap_info, copy_done, image_ok */
    TRAILER_MAGIC = 16,
    TRAILER_IMAGE_OK = 24, /* from the slot's end */
    DEPENDENCY_LEN = 12,
};

static const uint8_t trailer_magic[TRAILER_MAGIC] = { 0x77, 0xC2, 0x95, 0xF3, 0x60, 0xD2, 0xEF, 0x7F,
    0x35, 0x52, 0x50, 0x0F, 0x2C, 0xB6, 0x79, 0x80 };

uint32_t sign_trailer_size(uint32_t align)
{
    return TRAILER_SECTORS * TRAILER_STATES * align + TRAILER_FIELDS * TRAILER_ALIGN + TRAILER_MAGIC;
}

static void put_tlv(struct blob *b, unsigned type, const void *p, size_t len)
{
    uint8_t entry[IMAGE_TLV_ENTRY_LEN];

    st_le16(entry, (uint16_t)type);
    st_le16(entry + 2, (uint16_t)len);
    blob_add(b, entry, sizeof entry);
    blob_add(b, p, len);
}

/* An area of TLVs with its info header; none at all if it is empty. */
static bool put_area(struct blob *out, unsigned magic, const struct blob *entries)
{
    uint8_t info[IMAGE_TLV_INFO_LEN];

    if (entries->len > UINT16_MAX - IMAGE_TLV_INFO_LEN)
        return false;
    if (entries->len == 0)
        return true;
    st_le16(info, (uint16_t)magic);
    st_le16(info + 2, (uint16_t)(entries->len + IMAGE_TLV_INFO_LEN));
    blob_add(out, info, sizeof info);
    blob_add(out, entries->p, entries->len);
    return true;
}

static void protected_entries(const struct sign_options *o, struct blob *b)
{
    uint8_t v[DEPENDENCY_LEN];

    if (o->has_counter) {
        st_le32(v, o->counter);
        put_tlv(b, IMAGE_TLV_SEC_CNT, v, 4);
    }
    for (size_t i = 0; i < o->dependencies; i++) {
        const struct sign_dependency *d = &o->dependency[i];
        memset(v, 0, sizeof v);
        v[0] = d->image;
        v[4] = d->least.major;
        v[5] = d->least.minor;
        st_le16(v + 6, d->least.revision);
        st_le32(v + 8, d->least.build);
        put_tlv(b, IMAGE_TLV_DEPENDENCY, v, sizeof v);
    }
    for (size_t i = 0; i < o->tlvs; i++)
        put_tlv(b, o->tlv[i].type, o->tlv[i].value.p, o->tlv[i].value.len);
}

static int put_payload(const struct sign_options *o, struct span in, struct blob *out,
    char why[IMAGEFILE_WHY_LEN])
{
    if (o->pad_header) {
        blob_fill(out, 0xFF, o->header_size);
    } else if (in.len < o->header_size) {
        say(why, "it is %zu bytes long, shorter than the header of %" PRIu32 " bytes that it should begin with",
            in.len, o->header_size);
        return ERR_FORMAT;
    } else if (!bytes_all(in.p, o->header_size, 0)) {
        say(why, "its first %" PRIu32 " bytes are not zeros, so there is no room for the header", o->header_size);
        return ERR_FORMAT;
    }
    if (in.len > UINT32_MAX / 2) {
        say(why, "it is too large");
        return ERR_NOSPACE;
    }
    blob_add(out, in.p, in.len);
    return OK;
}

static void put_header(const struct sign_options *o, struct blob *out, size_t protected_len)
{
    uint8_t *h = out->p;

    memset(h, 0, IMAGE_HEADER_LEN);
    st_le32(h, IMAGE_MAGIC);
    st_le16(h + 8, (uint16_t)o->header_size);
    st_le16(h + 10, (uint16_t)protected_len);
    st_le32(h + 12, (uint32_t)(out->len - o->header_size));
    h[20] = o->version.major;
    h[21] = o->version.minor;
    st_le16(h + 22, o->version.revision);
    st_le32(h + 24, o->version.build);
}

static int put_signature(const struct key *key, struct blob *out, char why[IMAGEFILE_WHY_LEN])
{
    struct crypto_sha256 s;
    struct blob entries = { 0 };
    uint8_t hash[CRYPTO_SHA256_LEN], keyhash[CRYPTO_SHA256_LEN], sig[CRYPTO_SIG_MAX];
    size_t len;

    crypto_sha256_init(&s);
    crypto_sha256_update(&s, out->p, out->len);
    crypto_sha256_final(&s, hash);
    if (!key_sign(key, hash, sig, &len)) {
        say(why, "the key has no private half");
        return ERR_BADSTATE;
    }
    key_hash(key, keyhash);
    put_tlv(&entries, IMAGE_TLV_SHA256, hash, sizeof hash);
    put_tlv(&entries, IMAGE_TLV_KEYHASH, keyhash, sizeof keyhash);
    put_tlv(&entries, IMAGE_TLV_ECDSA_SIG, sig, len);
    bool fits = put_area(out, IMAGE_TLV_MAGIC, &entries);
    blob_free(&entries);
    return fits ? OK : ERR_NOSPACE;
}

/* By the code that will judge it on the device. */
static int check_result(const struct blob *out, const struct key *key, char why[IMAGEFILE_WHY_LEN])
{
    struct ram_flash ram;
    struct image img;
    struct image_key known;
    const struct image_keys keys = { .key = &known, .count = 1 };
    struct finding found;
    enum verdict verdict = VERDICT_BAD;
    uint8_t buf[4096];

    ram_flash_init(&ram, span_of(out->p, out->len));
    struct flash_area area = ram_flash_area(&ram);
    key_point(key, known.point);
    image_key_hash(&known);
    int rc = image_open(&img, &area, 0, area.size, &found);
    if (rc == OK)
        rc = image_verify(&img, &keys, buf, sizeof buf, &verdict, &found);
    if (rc == OK && verdict == VERDICT_GOOD)
        return OK;
    if (found.reason == REASON_IMG_TLV)
        say(why, "a device would refuse it: TLV 0x%04" PRIx32 " has a form of its own", found.found);
    else
        say(why, "a device would refuse it: %s", reason_text(found.reason));
    return rc == OK ? ERR_VERIFY : rc;
}

int sign_put_trailer(const struct sign_options *o, uint32_t slot_size, struct blob *out,
    char why[IMAGEFILE_WHY_LEN])
{
    if (slot_size < TRAILER_IMAGE_OK || out->len > slot_size - TRAILER_IMAGE_OK) {
        say(why, "image and trailer are larger than the slot");
        return ERR_NOSPACE;
    }
    blob_fill(out, 0xFF, slot_size - out->len - TRAILER_MAGIC);
    blob_add(out, trailer_magic, sizeof trailer_magic);
    if (o->confirm)
        out->p[slot_size - TRAILER_IMAGE_OK] = 0x01;
    return OK;
}

int imagefile_sign(const struct sign_options *o, const struct key *key, struct span in,
    struct blob *out, uint32_t *end, char why[IMAGEFILE_WHY_LEN])
{
    struct blob prot = { 0 };

    int rc = put_payload(o, in, out, why);
    if (rc == OK) {
        protected_entries(o, &prot);
        put_header(o, out, prot.len ? prot.len + IMAGE_TLV_INFO_LEN : 0);
        if (!put_area(out, IMAGE_TLV_PROT_MAGIC, &prot)) {
            say(why, "the protected TLVs are longer than 65535 bytes");
            rc = ERR_NOSPACE;
        }
    }
    blob_free(&prot);
    if (rc == OK)
        rc = put_signature(key, out, why);
    if (rc == OK)
        rc = check_result(out, key, why);
    *end = (uint32_t)out->len;
    return rc;
}
