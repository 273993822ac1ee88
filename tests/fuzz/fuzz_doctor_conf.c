/* Any text as a Kconfig fragment, as sysbuild.conf, as Kconfig.sysbuild and as pm.config. */
#include <stdlib.h>

#include "host/doctor/cmake.h"
#include "host/doctor/conf.h"
#include "host/doctor/kconfig.h"
#include "host/doctor/partitions.h"
#include "tests/support/memfile.h"

/* Every place lies within the text, and every item is found by its name. */
static void check(const struct conf *c, const struct source *f)
{
    unsigned lines = 1;

    for (size_t i = 0; i < f->len; i++)
        lines += f->text[i] == '\n';
    for (const struct conf_item *i = c->first; i; i = i->next) {
        if (i->at.line == 0 || i->at.line > lines || i->at.column == 0 || !conf_item(c, i->name))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool = { NULL };
    struct sources s;
    struct conf fragment, sysbuild, kconfig, cmake;
    struct map map;

    memfiles_init(&s, &pool);
    conf_init(&fragment, &pool);
    conf_init(&sysbuild, &pool);
    conf_init(&kconfig, &pool);
    conf_init(&cmake, &pool);
    map_init(&map);
    struct source *f = memfile(&s, "prj.conf", data, size);
    conf_read(&fragment, &s, f, "CONFIG_");
    conf_read(&sysbuild, &s, f, "SB_CONFIG_");
    kconfig_read(&kconfig, &s, f, NULL);
    check(&fragment, f);
    check(&sysbuild, f);
    check(&kconfig, f);
    cmake_read(&cmake, &s, memfile(&s, "CMakeLists.txt", data, size), "SB_CONFIG_");
    check(&cmake, f);
    (void)map_read_config(&map, &s, f);
    pool_free(&pool);
    return 0;
}
