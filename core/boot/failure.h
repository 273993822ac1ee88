/*
 * The log of failures: the last things that went wrong at boot, in the fourth unit of the state area,
 * so that they outlive a power cycle. Records of 32 bytes, appended; a full unit is erased.
 *
 *     0x00 magic u16 'SF'   0x02 reason u16   0x04 slot u8, 3 x 0   0x08 found u32   0x0C expected u32
 *     0x10 where u32        0x14 number u32 (1, 2, ... on this board)   0x18 0   0x1C CRC-32 of 0x00..0x1B
 *
 * A failure that is already among the last eight is not written again: a board that meets the same
 * dead chip at every boot does not wear its flash for it.
 */
#ifndef CORE_BOOT_FAILURE_H
#define CORE_BOOT_FAILURE_H

#include "core/base/reason.h"
#include "core/boot/store.h"

enum {
    FAILURE_LEN = 32,
    FAILURE_KEPT = 8, /* the most that failure_read() gives, and what counts as known */
};

/* The last failures, oldest first; their number, or a flash error. */
int failure_read(const struct store *st, struct finding out[FAILURE_KEPT]) MUST_CHECK;
/* Appends those of the n findings that are failures (not mere news) and not known yet. */
int failure_append(const struct store *st, const struct finding *f, unsigned n) MUST_CHECK;

#endif
