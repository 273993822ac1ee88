#include "core/base/reason.h"

#define COLUMN(function, column, unknown)                                                          \
    const char *function(unsigned reason)                                                          \
    {                                                                                              \
        switch (reason) {                                                                          \
            REASON_TABLE(column)                                                                   \
        default:                                                                                   \
            return unknown;                                                                        \
        }                                                                                          \
    }
#define CASE_CODE(num, name, code, found, expected, where, text)                                   \
    case num:                                                                                      \
        return code;
#define CASE_TEXT(num, name, code, found, expected, where, text)                                   \
    case num:                                                                                      \
        return text;
#define CASE_FOUND(num, name, code, found, expected, where, text)                                  \
    case num:                                                                                      \
        return found;
#define CASE_EXPECTED(num, name, code, found, expected, where, text)                               \
    case num:                                                                                      \
        return expected;
#define CASE_WHERE(num, name, code, found, expected, where, text)                                  \
    case num:                                                                                      \
        return where;

COLUMN(reason_code, CASE_CODE, "unknown")
COLUMN(reason_text, CASE_TEXT, "a reason that this version does not know")
COLUMN(reason_found, CASE_FOUND, "")
COLUMN(reason_expected, CASE_EXPECTED, "")
COLUMN(reason_where, CASE_WHERE, "")
