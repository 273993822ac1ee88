/* Any text as a devicetree source, then as an overlay of itself; every accessor walks the result. */
#include <stddef.h>
#include <stdint.h>

#include "host/lib/devicetree/devicetree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dt_options o = { .no_includes = true };
    struct dt_tree *t = dt_new(&o);
    char path[256];
    uint32_t cells[4];
    size_t len;

    if (!t)
        return 0;
    for (int i = 0; i < 2; i++) {
        if (dt_read_text(t, "fuzz.dts", (const char *)data, size) != OK)
            break;
    }
    for (const struct dt_node *n = NULL; (n = dt_each(t, n));) {
        dt_path(n, path, sizeof path);
        if (dt_u32s(n, "reg", cells, 4) < 0)
            dt_bytes(n, "reg", &len);
        for (const struct dt_prop *p = n->prop; p; p = p->next) {
            for (const struct dt_value *v = p->value; v; v = v->next)
                dt_target(t, v);
        }
    }
    dt_by_path(t, "/a/b@1");
    dt_chosen(t, "zephyr,flash");
    dt_alias(t, "led0");
    dt_free(t);
    return 0;
}
