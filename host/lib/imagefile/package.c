#include "host/lib/imagefile/package.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/imagefile/imagefile_priv.h"

bool package_is_zip(struct span bytes)
{
    return bytes.len > 4 && memcmp(bytes.p, "PK\x03\x04", 4) == 0;
}

static void copy_text(char to[PACKAGE_TEXT_MAX], const char *from)
{
    snprintf(to, PACKAGE_TEXT_MAX, "%s", from ? from : "");
}

/* The file of this name, made if it is not known yet; NULL: too many. */
static struct package_file *file_named(struct package *p, const char *name)
{
    for (size_t i = 0; i < p->files; i++) {
        if (strcmp(p->file[i].name, name) == 0)
            return &p->file[i];
    }
    if (p->files == PACKAGE_FILES_MAX)
        return NULL;
    struct package_file *f = &p->file[p->files++];
    *f = (struct package_file) { .image_index = -1, .size = -1 };
    copy_text(f->name, name);
    return f;
}

static int read_entry(struct archive *a, struct blob *b, char why[IMAGEFILE_WHY_LEN])
{
    uint8_t chunk[65536];
    la_ssize_t n;

    while ((n = archive_read_data(a, chunk, sizeof chunk)) > 0) {
        blob_add(b, chunk, (size_t)n);
        if (b->len > IMAGEFILE_MAX) {
            say(why, "a file in it is larger than %d MiB", IMAGEFILE_MAX >> 20);
            return ERR_NOSPACE;
        }
    }
    if (n < 0) {
        say(why, "the zip cannot be unpacked: %s", archive_error_string(a));
        return ERR_FORMAT;
    }
    return OK;
}

static int read_entries(struct archive *a, struct package *p, struct blob *manifest,
    char why[IMAGEFILE_WHY_LEN])
{
    struct archive_entry *entry;
    int rc = OK, ar;

    while (rc == OK && (ar = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
        const char *name = archive_entry_pathname(entry);
        if (!name || archive_entry_filetype(entry) == AE_IFDIR)
            continue;
        if (strcmp(name, "manifest.json") == 0) {
            p->has_manifest = true;
            rc = read_entry(a, manifest, why);
            continue;
        }
        struct package_file *f = file_named(p, name);
        if (!f || f->present) {
            say(why, f ? "%.100s is in the zip twice" : "the zip has more files than a package (%.100s)", name);
            return ERR_NOSPACE;
        }
        f->present = true;
        rc = read_entry(a, &f->data, why);
    }
    if (rc == OK && ar != ARCHIVE_EOF) {
        say(why, "the zip cannot be read: %s", archive_error_string(a));
        rc = ERR_FORMAT;
    }
    return rc;
}

/* A number that the manifest may write as a string. */
static long long number_of(const json_t *v)
{
    if (json_is_integer(v))
        return json_integer_value(v);
    return json_is_string(v) ? strtoll(json_string_value(v), NULL, 0) : -1;
}

static void read_listed(struct package_file *f, const json_t *o)
{
    const json_t *version = json_object_get(o, "version_MCUBOOT");

    f->listed = true;
    copy_text(f->type, json_string_value(json_object_get(o, "type")));
    copy_text(f->board, json_string_value(json_object_get(o, "board")));
    copy_text(f->version, json_string_value(version ? version : json_object_get(o, "version")));
    f->image_index = (long)number_of(json_object_get(o, "image_index"));
    f->size = number_of(json_object_get(o, "size"));
}

static int read_manifest(struct package *p, const struct blob *text, char why[IMAGEFILE_WHY_LEN])
{
    json_error_t error;
    json_t *root = json_loadb((const char *)text->p, text->len, 0, &error), *entry;
    const json_t *files = json_object_get(root, "files");
    size_t i;
    int rc = OK;

    if (!json_is_array(files)) {
        say(why, root ? "manifest.json has no list of files%.0s" : "manifest.json is no JSON: %.200s", error.text);
        json_decref(root);
        return ERR_FORMAT;
    }
    copy_text(p->name, json_string_value(json_object_get(root, "name")));
    json_array_foreach(files, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "file"));
        struct package_file *f = name ? file_named(p, name) : NULL;
        if (!f) {
            say(why, name ? "manifest.json lists more than %d files" : "manifest.json lists a file without a name",
                PACKAGE_FILES_MAX);
            rc = ERR_FORMAT;
            break;
        }
        read_listed(f, entry);
    }
    json_decref(root);
    return rc;
}

int package_read(struct span bytes, struct package *p, char why[IMAGEFILE_WHY_LEN])
{
    struct archive *a = archive_read_new();
    struct blob manifest = { 0 };
    int rc;

    memset(p, 0, sizeof *p);
    if (!a || archive_read_support_format_zip(a) != ARCHIVE_OK
        || archive_read_open_memory(a, bytes.p, bytes.len) != ARCHIVE_OK) {
        say(why, "the zip cannot be opened");
        rc = ERR_FORMAT;
    } else {
        rc = read_entries(a, p, &manifest, why);
    }
    if (rc == OK && p->has_manifest)
        rc = read_manifest(p, &manifest, why);
    archive_read_free(a);
    blob_free(&manifest);
    if (rc != OK)
        package_free(p);
    return rc;
}

void package_free(struct package *p)
{
    for (size_t i = 0; i < p->files; i++)
        blob_free(&p->file[i].data);
    p->files = 0;
}
