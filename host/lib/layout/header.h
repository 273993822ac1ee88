/* The generated header: the layout as firmware compiles it in. Its text is described in SPEC.md. */
#ifndef HOST_LIB_LAYOUT_HEADER_H
#define HOST_LIB_LAYOUT_HEADER_H

#include <stdio.h>

#include "core/boot/layout.h"
#include "host/lib/layout/load.h"

/*
 * Writes it, with the wiring and the partitions that only an application uses from *r; `source` is the
 * name of the file that the layout came from. Check ferror() of `out`.
 */
void layout_write_header(FILE *out, const struct layout *l, const struct layout_report *r,
    const char *source);

#endif
