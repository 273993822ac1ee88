#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/lib/smp/file.h"

static int mem_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    const struct smpc_file *f = ctx;

    memcpy(buf, f->bytes + off, len); /* flash.c has checked the range */
    return OK;
}

static int mem_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static const struct flash_ops mem_ops = { .read = mem_read, .poll = mem_poll };

static bool read_bytes(struct smpc_file *f, const char *path, char *why, size_t cap)
{
    struct stat st;
    FILE *in = fopen(path, "rb");

    if (!in || fstat(fileno(in), &st) != 0) {
        snprintf(why, cap, "%s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        snprintf(why, cap, "it is not a file");
    } else if (st.st_size == 0 || st.st_size > SMPC_FILE_MAX) {
        snprintf(why, cap, "it is %s", st.st_size ? "larger than 16 MiB" : "empty");
    } else {
        f->len = (size_t)st.st_size;
        f->bytes = malloc(f->len);
        if (f->bytes && fread(f->bytes, 1, f->len, in) != f->len) {
            snprintf(why, cap, "it cannot be read to its end");
            free(f->bytes);
            f->bytes = NULL;
        }
    }
    if (in)
        fclose(in);
    return f->bytes != NULL;
}

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

static void check_image(struct smpc_file *f, struct flash_dev *dev)
{
    struct flash_area area = { .dev = dev, .off = 0, .size = (uint32_t)f->len };
    uint8_t buf[4096], hash[CRYPTO_SHA256_LEN];

    f->wrong.slot = FINDING_NO_SLOT;
    if (image_open(&f->image, &area, 0, (uint32_t)f->len, &f->wrong) != OK)
        return;
    f->is_image = true;
    f->wrong = (struct finding) { .slot = FINDING_NO_SLOT };
    f->has_signature = find_signature(&f->image);
    smpc_version_text(&f->image.version, f->version, sizeof f->version);
    for (unsigned i = 0; i < CRYPTO_SHA256_LEN; i++)
        snprintf(f->hash + 2 * (size_t)i, 3, "%02x", f->image.hash[i]);
    if (image_hash(&f->image, buf, sizeof buf, hash) != OK)
        return;
    if (!crypto_equal(hash, f->image.hash, sizeof hash)) {
        f->wrong.reason = REASON_IMG_HASH;
        f->wrong.found = ld_be32(hash);
        f->wrong.expected = ld_be32(f->image.hash);
    } else if (!f->has_signature) {
        f->wrong.reason = REASON_IMG_UNSIGNED;
    }
}

bool smpc_file_read(struct smpc_file *f, const char *path, char *why, size_t why_cap)
{
    struct flash_dev dev = { .ops = &mem_ops, .ctx = f, .name = "file", .erase_size = 1,
        .prog_size = 1, .prog_max = 1 };
    struct crypto_sha256 sha;

    memset(f, 0, sizeof *f);
    if (!read_bytes(f, path, why, why_cap))
        return false;
    crypto_sha256_init(&sha);
    crypto_sha256_update(&sha, f->bytes, f->len);
    crypto_sha256_final(&sha, f->sha);
    dev.size = (uint32_t)f->len;
    check_image(f, &dev);
    f->image.area.dev = NULL; /* was ours */
    return true;
}

void smpc_file_free(struct smpc_file *f)
{
    free(f->bytes);
    f->bytes = NULL;
}

void smpc_version_text(const struct image_version *v, char *buf, size_t cap)
{
    int n = snprintf(buf, cap, "%u.%u.%u", v->major, v->minor, v->revision);

    if (v->build && n > 0 && (size_t)n < cap)
        snprintf(buf + n, cap - (size_t)n, "+%lu", (unsigned long)v->build);
}

bool smpc_version_same(const char *a, const char *b)
{
    unsigned va[4] = { 0 }, vb[4] = { 0 };
    char sep;

    if (sscanf(a, "%u.%u.%u%c%u", &va[0], &va[1], &va[2], &sep, &va[3]) < 3
        || sscanf(b, "%u.%u.%u%c%u", &vb[0], &vb[1], &vb[2], &sep, &vb[3]) < 3)
        return strcmp(a, b) == 0;
    return memcmp(va, vb, sizeof va) == 0;
}
