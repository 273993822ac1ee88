/* The lines that a bootloader says on its UART: numbers, which the host has the words for. */
#include <string.h>

#include "host/lib/explain/explain.h"

enum { FIELDS = 5, DIGITS_MAX = 8 };

/* The next number behind exactly one blank. */
static bool take_hex(const char **at, const char *end, uint32_t *v)
{
    static const char digits[] = "0123456789abcdef";
    const char *p = *at;
    unsigned n = 0;

    if (p == end || *p != ' ')
        return false;
    *v = 0;
    for (p++; p < end && n < DIGITS_MAX; p++, n++) {
        const char *d = *p ? strchr(digits, *p) : NULL;
        if (!d)
            break;
        *v = *v << 4 | (uint32_t)(d - digits);
    }
    *at = p;
    return n > 0;
}

bool explain_console_line(const char *line, size_t len, struct finding *f)
{
    static const char mark[] = "@slw";
    const char *end = line + len;
    uint32_t v[FIELDS];

    for (const char *p = line; (size_t)(end - p) > sizeof mark - 1; p++) {
        if (memcmp(p, mark, sizeof mark - 1) != 0)
            continue;
        const char *at = p + sizeof mark - 1;
        unsigned n = 0;
        while (n < FIELDS && take_hex(&at, end, &v[n]))
            n++;
        if (n < FIELDS || v[0] > UINT16_MAX || v[1] > UINT8_MAX)
            continue;
        *f = (struct finding) { .reason = (uint16_t)v[0], .slot = (uint8_t)v[1], .found = v[2], .expected = v[3],
            .where = v[4] };
        return true;
    }
    return false;
}
