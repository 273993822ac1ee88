#include "host/cli/show_image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_BYTES = 32 };

/* A TLV with its bytes. */
struct tlv {
    struct image_tlv_iter it;
    struct blob data;
};

static bool tlv_take(struct tlv *t)
{
    const struct image *img = t->it.img;

    t->data.len = 0;
    if (image_tlv_next(&t->it) <= 0)
        return false;
    blob_fill(&t->data, 0, t->it.len);
    return t->it.len == 0 || area_read(&img->area, img->off + t->it.data_off, t->data.p, t->it.len) == OK;
}

static char *hex_of(const uint8_t *p, size_t len)
{
    char *text = malloc(2 * len + 1);

    if (!text)
        exit(EXIT_FAILURE);
    hex_text(p, len, text);
    return text;
}

static json_t *json_hex(const uint8_t *p, size_t len)
{
    char *text = hex_of(p, len);
    json_t *v = json_string(text);

    free(text);
    return v;
}

static json_t *area_head(unsigned magic, uint32_t len)
{
    return len ? json_pack("{s:i, s:I}", "magic", (int)magic, "tlv_tot", (json_int_t)len) : json_object();
}

static json_t *tlv_area_json(const struct image *img)
{
    json_t *prot = json_array(), *plain = json_array();
    struct tlv t = { 0 };

    image_tlv_begin(&t.it, img);
    while (tlv_take(&t)) {
        json_t *o = json_pack("{s:i, s:s, s:i, s:o}", "type", t.it.type, "type_name", tlv_name(t.it.type),
            "len", t.it.len, "data", json_hex(t.data.p, t.it.len));
        json_array_append_new(t.it.prot ? prot : plain, o);
    }
    blob_free(&t.data);
    return json_pack("{s:o, s:o, s:o, s:o}", "tlv_hdr_prot", area_head(IMAGE_TLV_PROT_MAGIC, img->prot_size),
        "tlvs_prot", prot, "tlv_hdr", area_head(IMAGE_TLV_MAGIC, img->end - img->tlv_off), "tlvs", plain);
}

static json_t *header_json(const struct image *img)
{
    char version[VERSION_TEXT_LEN];

    version_text(&img->version, version);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "magic", (json_int_t)IMAGE_MAGIC, "load_addr",
        (json_int_t)img->load_addr, "hdr_size", (json_int_t)img->hdr_size, "protected_tlv_size",
        (json_int_t)img->prot_size, "img_size", (json_int_t)img->img_size, "flags", (json_int_t)img->flags,
        "version", version);
}

json_t *show_trailer_json(const struct scan_trailer *t)
{
    json_t *o = json_object();

    json_object_set_new(o, "magic", json_hex(t->magic, sizeof t->magic));
    if (!t->good)
        return o;
    json_object_set_new(o, "image_ok", json_integer(t->image_ok));
    json_object_set_new(o, "copy_done", json_integer(t->copy_done));
    json_object_set_new(o, "swap_info", json_integer(t->swap_info));
    json_object_set_new(o, "swap_size", json_integer(t->swap_size));
    return o;
}

static bool hash_matches(const struct scan_image *f)
{
    return f->img.has_hash && memcmp(f->hash, f->img.hash, sizeof f->hash) == 0;
}

/* Whether one of the keys signed it; why->reason NONE if so. */
static bool signed_by_known(const struct shown_image *s, struct finding *why)
{
    const struct image_keys keys = { .key = s->keys->key, .count = s->keys->count };
    enum verdict verdict = VERDICT_BAD;
    uint8_t buf[4096];

    return image_verify(&s->found->img, &keys, buf, sizeof buf, &verdict, why) == OK
        && verdict == VERDICT_GOOD;
}

static void set_signature_json(const struct shown_image *s, json_t *o)
{
    struct finding why;
    uint8_t keyhash[CRYPTO_SHA256_LEN];

    if (files_keyhash(&s->found->img, keyhash)) {
        const char *name = files_key_name(s->keys, keyhash);
        json_object_set_new(o, "keyhash", json_hex(keyhash, sizeof keyhash));
        if (name)
            json_object_set_new(o, "key", json_string(name));
    }
    if (s->keys->count) {
        json_object_set_new(o, "verifies", json_boolean(signed_by_known(s, &why)));
        json_object_set_new(o, "verdict", json_string(reason_code(why.reason)));
    }
}

json_t *show_image_json(const struct shown_image *s)
{
    const struct scan_image *f = s->found;
    char text[400];
    json_t *o = json_pack("{s:s, s:I, s:I, s:o}", "file", s->file, "offset", (json_int_t)f->off, "size",
        (json_int_t)f->img.end, "header", header_json(&f->img));

    if (s->has_address)
        json_object_set_new(o, "address", json_integer(s->address));
    if (s->place)
        json_object_set_new(o, "place", json_string(s->place));
    if (f->why.reason != REASON_NONE)
        json_object_set_new(o, "problem", json_pack("{s:s, s:s}", "code", reason_code(f->why.reason), "text",
                                              files_finding(&f->why, text, sizeof text)));
    if (f->img.end == 0)
        return o;
    json_object_set_new(o, "tlv_area", tlv_area_json(&f->img));
    json_object_set_new(o, "trailer", s->trailer ? show_trailer_json(s->trailer) : json_object());
    json_object_set_new(o, "vectors", json_pack("{s:I, s:I}", "stack_pointer", (json_int_t)f->img.initial_sp,
                                          "reset", (json_int_t)f->img.reset_vector));
    if (f->img.has_hash) {
        json_object_set_new(o, "hash", json_hex(f->img.hash, sizeof f->img.hash));
        json_object_set_new(o, "hash_matches", json_boolean(hash_matches(f)));
    }
    set_signature_json(s, o);
    return o;
}

static void print_hex(const uint8_t *p, size_t len)
{
    char *text = hex_of(p, len > SHOWN_BYTES ? SHOWN_BYTES : len);

    printf("%s%s", text, len > SHOWN_BYTES ? "..." : "");
    free(text);
}

/* Text that somebody put into a custom TLV, if that is what it is. */
static bool is_text(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (p[i] < 0x20 || p[i] > 0x7E)
            return false;
    }
    return len > 0 && len <= SHOWN_BYTES;
}

static void print_dependency(const uint8_t *p)
{
    char version[VERSION_TEXT_LEN];
    const struct image_version v = { .major = p[4], .minor = p[5], .revision = ld_le16(p + 6),
        .build = ld_le32(p + 8) };

    version_text(&v, version);
    printf("image %u at least %s", p[0], version);
}

static void print_meaning(const struct tlv *t, const struct shown_image *s)
{
    const uint8_t *p = t->data.p;
    size_t len = t->it.len;

    if (t->it.type == IMAGE_TLV_SEC_CNT && len == 4)
        printf("%" PRIu32, ld_le32(p));
    else if (t->it.type == IMAGE_TLV_LAYOUT && len == 4)
        printf("layout 0x%08" PRIx32, ld_le32(p));
    else if (t->it.type == IMAGE_TLV_TRIAL && len == 4)
        printf("watchdog of %" PRIu32 " s on trial", ld_le32(p));
    else if (t->it.type == IMAGE_TLV_DEPENDENCY && len == 12)
        print_dependency(p);
    else if (t->it.type == IMAGE_TLV_SHA256) {
        print_hex(p, len);
        printf(hash_matches(s->found) ? "  matches" : "  DOES NOT MATCH the image");
    } else if (t->it.type > 0x80 && is_text(p, len))
        printf("\"%.*s\"", (int)len, (const char *)p);
    else
        print_hex(p, len);
}

static void print_tlvs(const struct shown_image *s)
{
    struct tlv t = { 0 };
    bool first = true, prot = false;

    image_tlv_begin(&t.it, &s->found->img);
    while (tlv_take(&t)) {
        if (first || prot != t.it.prot)
            printf("  %s\n", t.it.prot ? "protected TLVs" : "TLVs");
        first = false;
        prot = t.it.prot;
        const char *name = t.it.type == IMAGE_TLV_LAYOUT ? "LAYOUT"
            : t.it.type == IMAGE_TLV_TRIAL               ? "TRIAL"
            : strcmp(tlv_name(t.it.type), "UNKNOWN") == 0 ? "custom"
                                                          : tlv_name(t.it.type);
        printf("    0x%04x %-12s %4u  ", t.it.type, name, t.it.len);
        print_meaning(&t, s);
        putchar('\n');
    }
    blob_free(&t.data);
}

static void print_signature(const struct shown_image *s)
{
    struct finding why;
    uint8_t keyhash[CRYPTO_SHA256_LEN];
    char text[400];

    if (s->keys->count == 0)
        return;
    if (!signed_by_known(s, &why))
        printf("  signature  %s\n", files_finding(&why, text, sizeof text));
    else
        printf("  signature  verifies with %s\n",
            files_keyhash(&s->found->img, keyhash) && files_key_name(s->keys, keyhash)
                ? files_key_name(s->keys, keyhash)
                : "one of the keys");
}

static const char *flag_text(uint8_t v)
{
    return v == 0x01 ? "set" : v == 0xFF ? "blank" : "bad";
}

void show_trailer_text(const struct scan_trailer *t, const char *indent)
{
    static const char *const types[] = { NULL, "none", "test", "permanent", "revert" };
    unsigned type = t->swap_info & 0xF;

    if (!t->good) {
        bool blank = bytes_all(t->magic, sizeof t->magic, 0xFF);
        printf("%strailer    %s\n", indent, blank ? "blank" : "no magic");
        return;
    }
    printf("%strailer    magic good, image_ok %s, copy_done %s", indent, flag_text(t->image_ok),
        flag_text(t->copy_done));
    if (t->swap_info != 0xFF && type >= 1 && type <= 4)
        printf(", swap_info %s (image %u)", types[type], t->swap_info >> 4);
    if (t->swap_size != 0xFFFFFFFF)
        printf(", swap_size %" PRIu32, t->swap_size);
    if (t->align != 8)
        printf(", for an alignment of %" PRIu32, t->align);
    putchar('\n');
}

static void print_head(const struct shown_image *s)
{
    const struct image *img = &s->found->img;
    char version[VERSION_TEXT_LEN];

    version_text(&img->version, version);
    printf("%s", s->file);
    if (s->found->off != 0 || s->place)
        printf(" at 0x%" PRIx32, s->has_address ? s->address : s->found->off);
    if (s->place)
        printf(", %s", s->place);
    printf(": MCUboot image, version %s", version);
    if (img->end)
        printf(", %" PRIu32 " bytes", img->end);
    printf("\n  header     %" PRIu32 " bytes", img->hdr_size);
    if (img->flags)
        printf(", flags 0x%" PRIx32, img->flags);
    if (img->load_addr)
        printf(", load address 0x%08" PRIx32, img->load_addr);
    printf("\n  payload    %" PRIu32 " bytes", img->img_size);
    if (img->end && img->img_size >= 8)
        printf(", stack pointer 0x%08" PRIx32 ", reset vector 0x%08" PRIx32, img->initial_sp,
            img->reset_vector);
    putchar('\n');
}

void show_image_text(const struct shown_image *s)
{
    char text[400];

    print_head(s);
    if (s->found->img.end) {
        print_tlvs(s);
        print_signature(s);
    }
    if (s->trailer)
        show_trailer_text(s->trailer, "  ");
    if (s->found->why.reason != REASON_NONE)
        printf("  problem    %s\n", files_finding(&s->found->why, text, sizeof text));
}
