/* dfu_application.zip: a zip of images with a manifest.json. */
#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/artifact.h"
#include "host/doctor/conf.h"

enum { MAX_MEMBERS = 64, MAX_MEMBER = 16 << 20, MAX_UNPACKED = 64 << 20, MAX_MANIFEST = 256 << 10 };

static uint64_t number_of(const json_t *v, bool *has)
{
    uint64_t n = 0;

    *has = json_is_integer(v) || (json_is_string(v) && conf_number(json_string_value(v), &n));
    if (json_is_integer(v))
        n = (uint64_t)json_integer_value(v);
    return n;
}

static void read_manifest(struct package *z, struct pool *pool, const char *text, size_t len)
{
    json_t *root = len <= MAX_MANIFEST ? json_loadb(text, len, 0, NULL) : NULL;
    const json_t *files = root ? json_object_get(root, "files") : NULL;
    struct manifest_file **end = &z->files;

    if (!json_is_array(files)) {
        z->broken = "its manifest.json has no list of files";
        json_decref(root);
        return;
    }
    for (size_t i = 0; i < json_array_size(files) && i < MAX_MEMBERS; i++) {
        const json_t *o = json_array_get(files, i);
        struct manifest_file *m = pool_alloc(pool, sizeof *m);
        const char *name = json_string_value(json_object_get(o, "file"));
        const char *type = json_string_value(json_object_get(o, "type"));
        m->file = pool_dup(pool, name ? name : "");
        m->type = pool_dup(pool, type ? type : "");
        m->image_index = (int)number_of(json_object_get(o, "image_index"), &m->has_index);
        m->slot = (int)number_of(json_object_get(o, "slot"), &m->has_slot);
        m->load_address = number_of(json_object_get(o, "load_address"), &m->has_load_address);
        m->size = number_of(json_object_get(o, "size"), &m->has_size);
        *end = m;
        end = &m->next;
    }
    json_decref(root);
}

/* The data of the present entry, NULL (and `why`) if it is too large or damaged. */
static char *unpack(
    struct archive *a, struct sources *s, struct source *f, size_t *len, size_t *total, const char **why)
{
    size_t room = 0, used = 0;
    char *data = NULL;

    for (;;) {
        if (used == room) {
            room = room ? room * 2 : 65536;
            char *more = room <= (size_t)MAX_MEMBER * 2 ? realloc(data, room) : NULL;
            if (!more) {
                *why = "a member is larger than any firmware";
                break;
            }
            data = more;
        }
        la_ssize_t n = archive_read_data(a, data + used, room - used);
        if (n < 0) {
            *why = "a member is damaged";
            break;
        }
        used += (size_t)n;
        *total += (size_t)n;
        if (used > MAX_MEMBER || *total > MAX_UNPACKED) {
            *why = "it unpacks to more than any firmware";
            break;
        }
        if (n == 0 && !source_charge(s, f, used)) {
            *why = f->trouble;
            break;
        }
        if (n == 0) {
            char *copy = pool_copy(s->pool, data, used);
            free(data);
            *len = used;
            return copy;
        }
    }
    free(data);
    return NULL;
}

static void take_member(
    struct package *z, struct sources *s, struct source *f, const char *name, const char *data, size_t len)
{
    struct pool *pool = s->pool;

    if (strcmp(name, "manifest.json") == 0) {
        read_manifest(z, pool, data, len);
        return;
    }
    if (memmem(data, len, "PRIVATE KEY-----", 16)) {
        z->private_key = pool_dup(pool, name);
        return;
    }
    if (!text_ends(name, ".bin") && !text_ends(name, ".hex"))
        return;
    struct artifact *a = artifact_of(
        s, f, pool_printf(pool, "%s:%s", f->rel, name), (const uint8_t *)data, len, text_ends(name, ".hex"));
    if (!a)
        return;
    a->in_zip = true;
    a->next = z->images;
    z->images = a;
}

static void match_members(struct package *z)
{
    for (struct manifest_file *m = z->files; m; m = m->next) {
        for (const struct artifact *a = z->images; a; a = a->next) {
            if (strcmp(strrchr(a->rel, ':') + 1, m->file) == 0) {
                m->present = true;
                m->real_size = a->blob.len;
            }
        }
    }
}

static void read_members(struct package *z, struct archive *a, struct sources *s, struct source *f)
{
    struct pool *pool = s->pool;
    struct archive_entry *e;
    size_t total = 0;
    int rc = ARCHIVE_OK;

    for (int i = 0; i < MAX_MEMBERS && (rc = archive_read_next_header(a, &e)) == ARCHIVE_OK; i++) {
        const char *name = archive_entry_pathname(e);
        size_t len = 0;
        if (!name || archive_entry_filetype(e) != AE_IFREG)
            continue;
        name = pool_dup(pool, name);
        const char *data = unpack(a, s, f, &len, &total, &z->broken);
        if (!data)
            return;
        take_member(z, s, f, name, data, len);
    }
    if (rc != ARCHIVE_EOF && rc != ARCHIVE_OK && !z->broken)
        z->broken = "it is not a readable zip file";
    else if (!z->files && !z->broken)
        z->broken = "it has no manifest.json";
    match_members(z);
}

struct package *dfu_package_read(struct sources *s, struct source *f)
{
    const char *text = source_text(s, f);
    struct archive *a = text ? archive_read_new() : NULL;

    if (!a)
        return NULL;
    struct package *z = pool_alloc(s->pool, sizeof *z);
    z->file = f;
    archive_read_support_format_zip(a);
    if (archive_read_open_memory(a, text, f->len) == ARCHIVE_OK)
        read_members(z, a, s, f);
    else
        z->broken = "it is not a readable zip file";
    archive_read_free(a);
    if (!f->trouble)
        f->trouble = z->broken;
    return z;
}
