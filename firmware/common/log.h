/*
 * Log lines by codes: the device sends a finding's numbers, the host has the words (core/base/reason.h;
 * `slipway explain` reads them).
 *
 *     @slw REASON SLOT FOUND EXPECTED WHERE     hexadecimal, no leading zeros, CR LF
 */
#ifndef FIRMWARE_COMMON_LOG_H
#define FIRMWARE_COMMON_LOG_H

#include "core/base/reason.h"

enum { LOG_LINE_MAX = 4 + 2 * 6 + 3 * 9 + 2 };

/* The line, without a terminating zero; its length. */
uint32_t log_line(const struct finding *f, uint8_t out[LOG_LINE_MAX]);

#endif
