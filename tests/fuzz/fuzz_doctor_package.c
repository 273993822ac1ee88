/* Any bytes as dfu_application.zip; behind an 'M', as the manifest of one. */
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "host/doctor/artifact.h"
#include "tests/support/memfile.h"

static void add(struct archive *a, const char *name, const void *data, size_t len)
{
    struct archive_entry *e = archive_entry_new();

    archive_entry_set_pathname(e, name);
    archive_entry_set_size(e, (la_int64_t)len);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    archive_write_header(a, e);
    archive_write_data(a, data, len);
    archive_entry_free(e);
}

static size_t zip_with(const uint8_t *manifest, size_t len, uint8_t *out, size_t room)
{
    struct archive *a = archive_write_new();
    size_t used = 0;

    archive_write_set_format_zip(a);
    archive_write_zip_set_compression_store(a);
    if (archive_write_open_memory(a, out, room, &used) == ARCHIVE_OK) {
        add(a, "manifest.json", manifest, len);
        add(a, "app_update.bin", "\x3d\xb8\xf3\x96", 4);
    }
    archive_write_free(a);
    return used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t zip[1 << 16];
    struct pool pool = { NULL };
    struct sources s;

    if (size > 1 && data[0] == 'M' && size < sizeof zip / 2) {
        size = zip_with(data + 1, size - 1, zip, sizeof zip);
        data = zip;
    }
    memfiles_init(&s, &pool);
    struct package *z = dfu_package_read(&s, memfile(&s, "dfu_application.zip", data, size));
    if (!z || (!z->files && !z->broken))
        abort();
    pool_free(&pool);
    return 0;
}
