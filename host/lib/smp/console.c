/* Console framing: the coding is core's, which the device uses as well; here are the waits. */
#include <string.h>

#include "host/lib/smp/serial_priv.h"

int serial_console_send(void *ctx, const uint8_t *msg, size_t len)
{
    uint8_t line[CONSOLE_LINE_MAX];
    struct console_tx tx;
    uint32_t n;
    int rc = OK;

    console_tx_begin(&tx, msg, (uint32_t)len);
    while (rc == OK && (n = console_tx_line(&tx, line)) > 0)
        rc = serial_write(ctx, line, n);
    return rc;
}

int serial_console_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms)
{
    struct serial *s = ctx;
    int64_t until = smpc_clock_ms(NULL) + wait_ms;

    for (;;) {
        struct span msg = { NULL, 0 };
        while (s->in_at < s->in_len && msg.len == 0)
            s->in_at += console_rx_feed(&s->console, s->in + s->in_at, s->in_len - s->in_at, &msg);
        if (msg.len > 0 && msg.len <= cap) {
            memcpy(buf, msg.p, msg.len);
            *len = msg.len;
            return OK;
        }
        int64_t left = until - smpc_clock_ms(NULL);
        int rc = left < 0 ? ERR_TIMEOUT : serial_fill(s, (unsigned)left);
        if (rc != OK)
            return rc;
    }
}
