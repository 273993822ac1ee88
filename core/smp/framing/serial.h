/*
 * A serial line on which SMP comes in console lines or raw, whichever a client speaks: decided anew
 * at the start of every message. A raw message begins with an SMP request's header (00, 02, 08 or 0A,
 * then flags 00); anything else is the console, and what is no line of SMP there is text for others.
 */
#ifndef CORE_SMP_FRAMING_SERIAL_H
#define CORE_SMP_FRAMING_SERIAL_H

#include "core/smp/framing/console.h"
#include "core/smp/framing/raw.h"

enum serial_framing {
    SERIAL_UNDECIDED,
    SERIAL_CONSOLE,
    SERIAL_RAW,
};

enum { SERIAL_PAUSE_MS = 1000 }; /* after it, what was begun is given up */

/* A byte that belongs to no message: a person's, for a shell. */
typedef void serial_text(void *ctx, uint8_t byte);

struct serial_rx {
    serial_text *text; /* NULL: dropped. Called with the ctx of serial_rx_feed() */
    enum serial_framing framing;
    bool have_first; /* `first` waits for the byte that decides */
    uint8_t first;
    uint32_t last_ms;
    bool in_smp; /* behind the first byte of a marker, up to the end of the line */
    struct console_rx console;
    struct raw_rx raw;
};

typedef void serial_message(void *ctx, enum serial_framing framing, struct span msg);

void serial_rx_init(struct serial_rx *rx);
/* Calls `message` for every complete one. */
void serial_rx_feed(struct serial_rx *rx, const uint8_t *data, size_t len, uint32_t now_ms,
    serial_message *message, void *ctx);

#endif
