/*
 * Bytes from a serial line, to both framings, in one go and byte by byte: the same messages must come
 * out, of legal length, and each of the console must survive being sent again.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/crc.h"
#include "core/smp/framing/console.h"
#include "core/smp/framing/raw.h"

static void check_round_trip(struct span msg)
{
    static struct console_rx rx;
    struct console_tx tx;
    uint8_t line[CONSOLE_LINE_MAX];
    struct span back = { 0 };
    uint32_t n;

    console_rx_init(&rx);
    console_tx_begin(&tx, msg.p, (uint32_t)msg.len);
    while ((n = console_tx_line(&tx, line)) > 0) {
        if (n > CONSOLE_LINE_MAX || console_rx_feed(&rx, line, n, &back) != n)
            abort();
    }
    if (back.len != msg.len || memcmp(back.p, msg.p, msg.len) != 0)
        abort();
}

/* A sum over all messages, so that two ways of feeding can be compared. */
static uint32_t feed_console(const uint8_t *data, size_t size, size_t step)
{
    static struct console_rx rx;
    uint32_t sum = 0;
    struct span msg;

    console_rx_init(&rx);
    while (size > 0) {
        size_t took = console_rx_feed(&rx, data, size < step ? size : step, &msg);
        if (took == 0)
            abort();
        data += took;
        size -= took;
        if (msg.len == 0)
            continue;
        if (msg.len < SMP_HEADER_LEN || msg.len > SMP_BUF_SIZE)
            abort();
        sum = crc32(sum, msg.p, msg.len);
        check_round_trip(msg);
    }
    return sum;
}

static uint32_t feed_raw(const uint8_t *data, size_t size, size_t step)
{
    static struct raw_rx rx;
    uint32_t sum = 0;
    struct span msg;

    raw_rx_init(&rx);
    while (size > 0) {
        size_t took = raw_rx_feed(&rx, data, size < step ? size : step, 5, &msg);
        if (took == 0)
            abort();
        data += took;
        size -= took;
        if (msg.len > SMP_BUF_SIZE || (msg.len > 0 && msg.len < SMP_HEADER_LEN))
            abort();
        sum = crc32(sum, msg.p, msg.len);
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (feed_console(data, size, size) != feed_console(data, size, 1))
        abort();
    if (feed_raw(data, size, size) != feed_raw(data, size, 1))
        abort();
    return 0;
}
