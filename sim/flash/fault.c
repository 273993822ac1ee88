#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/flash/nor.h"

static const struct {
    const char *name;
    enum nor_fault_kind kind;
} fault_names[] = {
    { "absent", NOR_FAULT_ABSENT },
    { "no-erase", NOR_FAULT_NO_ERASE },
    { "no-program", NOR_FAULT_NO_PROGRAM },
    { "busy", NOR_FAULT_BUSY },
    { "read-error", NOR_FAULT_READ_ERROR },
};

/* `len` characters at p, all of them a number in that base. */
static bool number(const char *p, size_t len, int base, uint64_t *value)
{
    char *end;

    if (len == 0 || p[0] == '-' || p[0] == '+' || p[0] == ' ')
        return false;
    errno = 0;
    *value = strtoull(p, &end, base);
    return errno == 0 && end == p + len;
}

int nor_fault_parse(const char *text, struct nor_fault *fault)
{
    const char *at = strchr(text, '@');
    size_t len = at ? (size_t)(at - text) : strlen(text);
    uint64_t value;

    *fault = (struct nor_fault) { .kind = NOR_FAULT_NONE };
    if (at) {
        if (!number(at + 1, strlen(at + 1), 10, &fault->from_op) || fault->from_op == 0)
            return ERR_ARG;
    }
    if (len == 9 && strncmp(text, "id=", 3) == 0) {
        if (!number(text + 3, 6, 16, &value))
            return ERR_ARG;
        fault->kind = NOR_FAULT_ID;
        fault->id = (uint32_t)value;
        return OK;
    }
    for (size_t i = 0; i < sizeof fault_names / sizeof fault_names[0]; i++) {
        if (strlen(fault_names[i].name) == len && strncmp(text, fault_names[i].name, len) == 0) {
            fault->kind = fault_names[i].kind;
            return OK;
        }
    }
    return ERR_ARG;
}
