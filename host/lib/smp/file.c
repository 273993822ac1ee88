#include <stdio.h>
#include <string.h>

#include "host/lib/smp/file.h"

static bool find_signature(const struct image *img)
{
    struct image_tlv_iter it;

    image_tlv_begin(&it, img);
    while (image_tlv_next(&it) == 1) {
        if (it.type >= 0x20 && it.type <= 0x25) /* RSA, ECDSA, Ed25519 of any size */
            return true;
    }
    return false;
}

static void check_image(struct smpc_file *f)
{
    uint8_t buf[4096], hash[CRYPTO_SHA256_LEN];
    struct ram_flash ram;

    ram_flash_init(&ram, f->bytes);
    struct flash_area area = ram_flash_area(&ram);
    f->wrong.slot = FINDING_NO_SLOT;
    if (image_open(&f->image, &area, 0, (uint32_t)f->bytes.len, &f->wrong) != OK)
        return;
    f->is_image = true;
    f->wrong = (struct finding) { .slot = FINDING_NO_SLOT };
    f->has_signature = find_signature(&f->image);
    version_text(&f->image.version, f->version);
    hex_text(f->image.hash, sizeof f->image.hash, f->hash);
    bool hashed = image_hash(&f->image, buf, sizeof buf, hash) == OK;
    f->image.area.dev = NULL; /* it ends with this function */
    if (hashed && !crypto_equal(hash, f->image.hash, sizeof hash)) {
        f->wrong.reason = REASON_IMG_HASH;
        f->wrong.found = ld_be32(hash);
        f->wrong.expected = ld_be32(f->image.hash);
    } else if (!f->has_signature) {
        f->wrong.reason = REASON_IMG_UNSIGNED;
    }
}

bool smpc_file_read(struct smpc_file *f, const char *path, char *why, size_t why_cap)
{
    char text[IMAGEFILE_WHY_LEN];
    struct crypto_sha256 sha;

    memset(f, 0, sizeof *f);
    if (imagefile_read(path, &f->source, text) != OK) {
        snprintf(why, why_cap, "%s", text);
        return false;
    }
    f->bytes = span_of(f->source.data.p, f->source.data.len);
    if (f->bytes.len == 0) {
        snprintf(why, why_cap, "it is empty");
        smpc_file_free(f);
        return false;
    }
    check_image(f);
    if (f->is_image) {
        f->padding = f->bytes.len - f->image.end;
        f->bytes.len = f->image.end;
    }
    crypto_sha256_init(&sha);
    crypto_sha256_update(&sha, f->bytes.p, f->bytes.len);
    crypto_sha256_final(&sha, f->sha);
    return true;
}

void smpc_file_free(struct smpc_file *f)
{
    imagefile_free(&f->source);
    f->bytes = span_of(NULL, 0);
}
