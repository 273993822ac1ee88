/*
 * SMP on a UART of its own, raw: messages back to back, their end by the header's length. No checksum
 * and no escape; after a pause inside a message (ten times what an operating system may hold bytes
 * back) what follows is taken for a new one.
 */
#ifndef CORE_SMP_FRAMING_RAW_H
#define CORE_SMP_FRAMING_RAW_H

#include "core/base/bytes.h"
#include "core/smp/smp.h"

enum { RAW_PAUSE_MS = 200 };

struct raw_counters {
    uint32_t messages;
    uint32_t bad_header; /* longer than SMP_BUF_SIZE, or bits set that no version has */
    uint32_t cut_off; /* a pause inside a message */
};

struct raw_rx {
    struct raw_counters count;
    bool skipping; /* until the next pause */
    uint16_t have;
    uint32_t last_ms;
    uint8_t bytes[SMP_BUF_SIZE];
};

void raw_rx_init(struct raw_rx *rx);
/* As console_rx_feed(). now_ms: when the bytes came. */
size_t raw_rx_feed(struct raw_rx *rx, const uint8_t *data, size_t len, uint32_t now_ms,
    struct span *msg);

#endif
