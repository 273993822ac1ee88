#include "firmware/app/output.h"

#include <string.h>

void output_init(struct output *o, const struct output_port *port)
{
    memset(o, 0, sizeof *o);
    o->port = port;
}

static uint32_t room(const struct output *o)
{
    return o->port->room(o->port->ctx);
}

static void write(const struct output *o, const uint8_t *data, uint32_t len)
{
    o->port->write(o->port->ctx, data, len);
}

static bool fits_beside_answer(const struct output *o, uint32_t len)
{
    return room(o) >= OUTPUT_ANSWER_MAX + len;
}

static void end_line(struct output *o)
{
    uint32_t len = o->len;

    o->len = 0;
    if (o->quiet)
        return;
    if (o->dropped == 0 && fits_beside_answer(o, len)) {
        write(o, o->line, len);
    } else {
        o->dropped++; /* also while some were dropped and that is not said yet: the order stays */
        o->dropped_ever++;
    }
}

void output_text(struct output *o, const char *text, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        o->line[o->len++] = (uint8_t)text[i];
        if (text[i] == '\n' || o->len == sizeof o->line)
            end_line(o);
    }
}

bool output_waits(const struct output *o)
{
    return o->dropped > 0 && !o->quiet;
}

void output_poll(struct output *o)
{
    static const char what[] = " lines were dropped here: more was said than the line takes\r\n";
    uint8_t text[10 + sizeof what], *p = text + 10;
    uint32_t len = sizeof what - 1;

    if (!output_waits(o) || !fits_beside_answer(o, sizeof text))
        return;
    memcpy(p, what, len);
    for (uint32_t n = o->dropped; n > 0; n /= 10, len++)
        *--p = (uint8_t)('0' + n % 10);
    write(o, p, len);
    o->dropped = 0;
}

/* Its length in console lines: those are made once to be counted, which needs no memory. */
static uint32_t framed_len(const uint8_t *msg, uint32_t len)
{
    struct console_tx tx;
    uint8_t text[CONSOLE_LINE_MAX];
    uint32_t n, all = 0;

    console_tx_begin(&tx, msg, len);
    while ((n = console_tx_line(&tx, text)) > 0)
        all += n;
    return all;
}

bool output_answer(struct output *o, enum serial_framing framing, const uint8_t *msg, uint32_t len)
{
    struct console_tx tx;
    uint8_t text[CONSOLE_LINE_MAX];
    uint32_t n;

    if (framing == SERIAL_RAW) {
        if (len > room(o))
            return false;
        write(o, msg, len);
        return true;
    }
    if (OUTPUT_ANSWER_MAX > room(o) && framed_len(msg, len) > room(o))
        return false;
    console_tx_begin(&tx, msg, len);
    while ((n = console_tx_line(&tx, text)) > 0)
        write(o, text, n);
    return true;
}
