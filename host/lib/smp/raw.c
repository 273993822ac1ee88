/*
 * Raw framing: an SMP message is its header and as many bytes as that says. Nothing marks a start, so
 * what cannot be the header of an answer is skipped byte by byte, and a message that stops in the
 * middle is given up after a silence.
 */
#include <string.h>

#include "core/base/bytes.h"
#include "host/lib/smp/serial_priv.h"

enum { SILENCE_MS = 300 };

/* An answer's header: op 1 or 3, version 0 or 1, no flags, a length that may be. */
static bool plausible(const uint8_t *h)
{
    return (h[0] & ~0x0Au) == 1 && h[1] == 0 && ld_be16(h + 2) <= SMPC_MESSAGE_MAX - SMPC_HEADER_LEN;
}

/* Takes a whole message from what was received; 0: there is none yet. */
static size_t take_message(struct serial *s, uint8_t *buf, size_t cap)
{
    while (s->in_len - s->in_at >= SMPC_HEADER_LEN) {
        const uint8_t *h = s->in + s->in_at;
        if (!plausible(h)) {
            s->in_at++;
            continue;
        }
        size_t len = SMPC_HEADER_LEN + (size_t)ld_be16(h + 2);
        if (s->in_len - s->in_at < len)
            return 0;
        s->in_at += len;
        if (len > cap)
            continue;
        memcpy(buf, h, len);
        return len;
    }
    return 0;
}

int serial_raw_send(void *ctx, const uint8_t *msg, size_t len)
{
    return serial_write(ctx, msg, len);
}

int serial_raw_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms)
{
    struct serial *s = ctx;
    int64_t until = smpc_clock_ms(NULL) + wait_ms;

    for (;;) {
        *len = take_message(s, buf, cap);
        if (*len)
            return OK;
        int64_t left = until - smpc_clock_ms(NULL);
        bool partial = s->in_len > s->in_at;
        if (left < 0)
            return ERR_TIMEOUT;
        unsigned wait = partial && left > SILENCE_MS ? SILENCE_MS : (unsigned)left;
        int rc = serial_fill(s, wait);
        if (rc == ERR_TIMEOUT && partial && wait == SILENCE_MS)
            s->in_at++; /* its rest will not come: look for a header behind its first byte */
        else if (rc != OK)
            return rc;
    }
}
