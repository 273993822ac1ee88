#include "core/boot/report.h"

const char *boot_action_name(unsigned action)
{
    switch (action) {
#define ACTION_CASE(num, name, text)                                                               \
    case num:                                                                                      \
        return text;
        BOOT_ACTION_TABLE(ACTION_CASE)
#undef ACTION_CASE
    default:
        return "unknown";
    }
}

void report_add(struct boot_report *r, const struct finding *f)
{
    if (f->reason == REASON_NONE)
        return;
    for (unsigned i = 0; i < r->findings; i++) {
        if (r->finding[i].reason == f->reason && r->finding[i].slot == f->slot && r->finding[i].where == f->where)
            return;
    }
    if (r->findings < REPORT_FINDINGS)
        r->findings++;
    r->finding[r->findings - 1] = *f;
}

void report_note(struct boot_report *r, unsigned reason, unsigned slot, uint32_t found, uint32_t expected,
    uint32_t where)
{
    const struct finding f = { .reason = (uint16_t)reason, .slot = (uint8_t)slot, .found = found,
        .expected = expected, .where = where };

    report_add(r, &f);
}
