/* Versions as texts, without a C library's formatting. */
#ifndef CORE_SMP_GROUPS_VERSION_H
#define CORE_SMP_GROUPS_VERSION_H

#include "core/image/image.h"

enum { SMP_VERSION_MAX = 32 };

/* "1.2.3.4" in the image group, "1.2.3+4" in ours. */
#define SMP_VERSION_DOTS '.'
#define SMP_VERSION_PLUS '+'

/*
 * The text, in buf. The build number is left out if it is 0; with SMP_VERSION_PLUS it is always there.
 */
struct span smp_version_text(const struct image_version *v, char build_mark,
    uint8_t buf[SMP_VERSION_MAX]);

#endif
