#include "core/smp/framing/raw.h"

#include <string.h>

enum { FIRST_BYTE_RESERVED = 0xE0 };

void raw_rx_init(struct raw_rx *rx)
{
    memset(rx, 0, sizeof *rx);
}

static void after_pause(struct raw_rx *rx)
{
    if (rx->have > 0)
        rx->count.cut_off++;
    rx->have = 0;
    rx->skipping = false;
}

/* With the header complete: the whole message's length, or 0 if it cannot be one. */
static uint32_t message_len(const struct raw_rx *rx)
{
    struct smp_header h;
    bool ok = smp_header_read(span_of(rx->bytes, rx->have), &h);

    ok = ok && (rx->bytes[0] & FIRST_BYTE_RESERVED) == 0;
    return ok && h.len <= SMP_BUF_SIZE - SMP_HEADER_LEN ? SMP_HEADER_LEN + (uint32_t)h.len : 0;
}

/* True: the message in rx->bytes is complete. */
static bool take_byte(struct raw_rx *rx, uint8_t c)
{
    rx->bytes[rx->have++] = c;
    if (rx->have < SMP_HEADER_LEN)
        return false;
    uint32_t len = message_len(rx);
    if (len == 0) {
        rx->count.bad_header++;
        rx->skipping = true;
        rx->have = 0;
        return false;
    }
    return rx->have == len;
}

size_t raw_rx_feed(struct raw_rx *rx, const uint8_t *data, size_t len, uint32_t now_ms,
    struct span *msg)
{
    *msg = span_of(NULL, 0);
    if (len == 0)
        return 0;
    if (now_ms - rx->last_ms >= RAW_PAUSE_MS)
        after_pause(rx);
    rx->last_ms = now_ms;
    if (rx->skipping)
        return len;
    for (size_t i = 0; i < len; i++) {
        if (take_byte(rx, data[i])) {
            *msg = span_of(rx->bytes, rx->have);
            rx->have = 0;
            rx->count.messages++;
            return i + 1;
        }
        if (rx->skipping)
            return len;
    }
    return len;
}
