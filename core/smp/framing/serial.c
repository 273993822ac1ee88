#include "core/smp/framing/serial.h"

void serial_rx_init(struct serial_rx *rx)
{
    *rx = (struct serial_rx) { .framing = SERIAL_UNDECIDED };
    console_rx_init(&rx->console);
    raw_rx_init(&rx->raw);
}

static bool may_begin_raw(uint8_t b)
{
    return b == 0x00 || b == 0x02 || b == 0x08 || b == 0x0A;
}

static size_t feed_raw(struct serial_rx *rx, const uint8_t *data, size_t len, uint32_t now_ms,
    serial_message *message, void *ctx)
{
    struct span msg;
    size_t n = raw_rx_feed(&rx->raw, data, len, now_ms, &msg);

    if (msg.len) {
        rx->framing = SERIAL_UNDECIDED;
        message(ctx, SERIAL_RAW, msg);
    }
    return n;
}

static void sort_out_text(struct serial_rx *rx, const uint8_t *data, size_t len, void *ctx)
{
    for (size_t i = 0; i < len; i++) {
        bool marker = data[i] == 0x06 || data[i] == 0x04;
        if (rx->text && !rx->in_smp && !marker)
            rx->text(ctx, data[i]);
        rx->in_smp = (rx->in_smp || marker) && data[i] != '\n';
    }
}

/* Up to the end of the line: behind it the other framing may begin. A further line begins with 04. */
static size_t feed_console(struct serial_rx *rx, const uint8_t *data, size_t len,
    serial_message *message, void *ctx)
{
    size_t line = 0;
    struct span msg;

    while (line < len && data[line] != '\n')
        line++;
    bool ended = line < len;
    line += ended;
    size_t n = console_rx_feed(&rx->console, data, line, &msg);
    sort_out_text(rx, data, n, ctx);
    if (msg.len)
        message(ctx, SERIAL_CONSOLE, msg);
    if (n == line && ended)
        rx->framing = SERIAL_UNDECIDED;
    return n;
}

/* The second byte says what the first one was; it is fed now. */
static void decide(struct serial_rx *rx, uint8_t second, uint32_t now_ms, serial_message *message,
    void *ctx)
{
    rx->have_first = false;
    rx->framing = second == 0 ? SERIAL_RAW : SERIAL_CONSOLE;
    if (second == 0)
        feed_raw(rx, &rx->first, 1, now_ms, message, ctx);
    else
        feed_console(rx, &rx->first, 1, message, ctx);
}

void serial_rx_feed(struct serial_rx *rx, const uint8_t *data, size_t len, uint32_t now_ms,
    serial_message *message, void *ctx)
{
    if (now_ms - rx->last_ms > SERIAL_PAUSE_MS) {
        serial_text *text = rx->text;
        serial_rx_init(rx);
        rx->text = text;
    }
    rx->last_ms = now_ms;
    while (len > 0) {
        size_t n = 1;
        if (rx->framing == SERIAL_UNDECIDED && rx->have_first)
            decide(rx, data[0], now_ms, message, ctx);
        if (rx->framing == SERIAL_UNDECIDED && may_begin_raw(data[0])) {
            rx->first = data[0];
            rx->have_first = true;
        } else if (rx->framing == SERIAL_RAW) {
            n = feed_raw(rx, data, len, now_ms, message, ctx);
        } else {
            rx->framing = SERIAL_CONSOLE;
            n = feed_console(rx, data, len, message, ctx);
        }
        data += n;
        len -= n;
    }
}
