/* Whether an image in slot 1 can change places with the one in slot 0. */
#ifndef CORE_BOOT_FIT_H
#define CORE_BOOT_FIT_H

#include "core/boot/store.h"

/*
 * `len` is the image's length with its TLVs (or what is known of it), `unit` where in slot 1 it lies.
 * `running` is what lies in slot 0, or NULL. OK, or ERR_NOSPACE with *why REASON_IMG_TOO_LARGE_SWAP or
 * REASON_IMG_OVER_TRAILER.
 */
int fit_swap(const struct store *st, const struct image *running, uint32_t len, unsigned unit,
    struct finding *why) MUST_CHECK;

#endif
