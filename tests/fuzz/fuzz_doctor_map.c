/* Any text as pm_static.yml. */
#include <stdlib.h>

#include "host/doctor/partitions.h"
#include "tests/support/memfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool = { NULL };
    struct sources s;
    struct map map;
    uint64_t bytes;

    memfiles_init(&s, &pool);
    map_init(&map);
    struct source *f = memfile(&s, "pm_static.yml", data, size);
    if (!map_read_yaml(&map, &s, f) && !f->trouble)
        abort(); /* refused, and nobody says why */
    for (const struct partition *p = map.first; p; p = p->next) {
        if (p->at.line == 0 || !map_find(&map, p->name) || p->spans > 16)
            abort();
        (void)partition_size(p, &bytes);
    }
    pool_free(&pool);
    return 0;
}
