#include "core/smp/groups/version.h"

static size_t put_number(uint8_t *p, uint32_t v)
{
    uint8_t digits[10];
    size_t n = 0;

    do {
        digits[n++] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    for (size_t i = 0; i < n; i++)
        p[i] = digits[n - 1 - i];
    return n;
}

struct span smp_version_text(const struct image_version *v, char build_mark,
    uint8_t buf[SMP_VERSION_MAX])
{
    size_t n = put_number(buf, v->major);

    buf[n++] = '.';
    n += put_number(buf + n, v->minor);
    buf[n++] = '.';
    n += put_number(buf + n, v->revision);
    if (v->build != 0 || build_mark == SMP_VERSION_PLUS) {
        buf[n++] = (uint8_t)build_mark;
        n += put_number(buf + n, v->build);
    }
    return span_of(buf, n);
}
