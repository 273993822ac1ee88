/* Whatever somebody calls an image file: Intel HEX, a package, raw contents of a chip. */
#include <stdlib.h>

#include "host/lib/imagefile/package.h"
#include "host/lib/imagefile/scan.h"

static void scan(struct span bytes, uint32_t base)
{
    static struct scan s;

    scan_bytes(&s, bytes, base);
    for (size_t i = 0; i < s.images; i++) {
        if (s.image[i].off >= bytes.len || s.image[i].img.end > bytes.len - s.image[i].off)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct package p;
    struct imagefile f;
    char why[IMAGEFILE_WHY_LEN];

    if (size == 0)
        return 0;
    switch (data[0]) {
    case ':':
        if (ihex_parse(span_of(data, size), &f, why) == OK && f.data.len <= 1 << 20)
            scan(span_of(f.data.p, f.data.len), f.base);
        imagefile_free(&f);
        break;
    case 'P':
        if (package_read(span_of(data, size), &p, why) == OK) {
            for (size_t i = 0; i < p.files; i++)
                scan(span_of(p.file[i].data.p, p.file[i].data.len), 0);
            package_free(&p);
        }
        break;
    default:
        scan(span_of(data, size), data[size - 1]);
        break;
    }
    return 0;
}
