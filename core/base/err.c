#include "core/base/err.h"

const char *err_text(int err)
{
    switch (err) {
#define ERR_CASE(num, name, text)                                                                  \
    case num:                                                                                      \
        return text;
        ERR_TABLE(ERR_CASE)
#undef ERR_CASE
    default:
        return "unknown error";
    }
}

const char *err_name(int err)
{
    switch (err) {
#define ERR_CASE(num, name, text)                                                                  \
    case num:                                                                                      \
        return #name;
        ERR_TABLE(ERR_CASE)
#undef ERR_CASE
    default:
        return "ERR_UNKNOWN";
    }
}
