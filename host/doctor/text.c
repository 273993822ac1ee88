#include <stdbool.h>
#include <string.h>

#include "host/doctor/text.h"

size_t text_char(const char *text, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char *p = (const unsigned char *)text;
    size_t n = p[0] < 0x80 ? 1 : (p[0] >> 5) == 6 ? 2 : (p[0] >> 4) == 14 ? 3 : (p[0] >> 3) == 30 ? 4 : 0;

    if (n == 0)
        return 0;
    *code = n == 1 ? p[0] : p[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3Fu);
    }
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[n] || *code > 0x10FFFF || surrogate ? 0 : n;
}

unsigned text_bad_line(const char *text, size_t len)
{
    unsigned line = 1;
    uint32_t code;

    for (size_t i = 0, n; i < len; i += n) {
        n = text_char(text + i, &code);
        if (n == 0)
            return line;
        line += text[i] == '\n';
    }
    return 0;
}

static bool is_shown(uint32_t c)
{
    bool control = (c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c < 0xA0);
    bool direction = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);

    return !control && !direction;
}

void text_put(const char *text, size_t len, FILE *out)
{
    uint32_t code;

    for (size_t i = 0, n; i < len && text[i]; i += n) {
        n = text_char(text + i, &code);
        if (n > 0 && n <= len - i && is_shown(code))
            fwrite(text + i, 1, n, out);
        else
            fputc('?', out);
        n += n == 0;
    }
}

void text_put_wrapped(const char *text, size_t column, size_t indent, FILE *out)
{
    bool first = true;

    for (const char *at = text + strspn(text, " "); *at; first = false) {
        size_t n = strcspn(at, " ");
        if (!first && column + 1 + n > TEXT_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        text_put(at, n, out);
        column += n;
        at += n + strspn(at + n, " ");
    }
    fputc('\n', out);
}

char *text_printable(struct pool *pool, const char *text)
{
    char *copy = pool_alloc(pool, strlen(text) + 1), *to = copy;
    uint32_t code;

    for (size_t n; *text; text += n) {
        n = text_char(text, &code);
        if (n > 0 && code != '\n' && is_shown(code))
            for (size_t i = 0; i < n; i++)
                *to++ = text[i];
        else
            *to++ = '?';
        n += n == 0;
    }
    return copy;
}
