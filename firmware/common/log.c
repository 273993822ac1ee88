#include "firmware/common/log.h"

static uint8_t *put_hex(uint8_t *p, uint32_t v)
{
    unsigned digits = 1;

    while (digits < 8 && v >> 4 * digits)
        digits++;
    *p++ = ' ';
    while (digits-- > 0) {
        uint8_t d = (uint8_t)(v >> 4 * digits & 15);
        *p++ = (uint8_t)(d < 10 ? '0' + d : 'a' - 10 + d);
    }
    return p;
}

uint32_t log_line(const struct finding *f, uint8_t out[LOG_LINE_MAX])
{
    static const char mark[4] = { '@', 's', 'l', 'w' };
    uint8_t *p = out;

    for (unsigned i = 0; i < sizeof mark; i++)
        *p++ = (uint8_t)mark[i];
    p = put_hex(p, f->reason);
    p = put_hex(p, f->slot);
    p = put_hex(p, f->found);
    p = put_hex(p, f->expected);
    p = put_hex(p, f->where);
    *p++ = '\r';
    *p++ = '\n';
    return (uint32_t)(p - out);
}
