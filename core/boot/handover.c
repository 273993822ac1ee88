#include "core/boot/handover.h"

#include <string.h>

#include "core/base/bytes.h"
#include "core/base/crc.h"

#define HANDOVER_MAGIC 0x4F484C53u /* "SLHO" */

enum { OFF_VERSION = 4, OFF_LEN = 6, OFF_CRC = 8 };

void handover_write(void *at, const struct handover *h)
{
    uint8_t *p = at;

    memcpy(p + HANDOVER_HEADER, h, sizeof *h);
    st_le32(p, HANDOVER_MAGIC);
    st_le16(p + OFF_VERSION, HANDOVER_VERSION);
    st_le16(p + OFF_LEN, sizeof *h);
    st_le32(p + OFF_CRC, crc32(0, p + HANDOVER_HEADER, sizeof *h));
}

bool handover_take(void *at, struct handover *h)
{
    uint8_t *p = at;
    bool good = ld_le32(p) == HANDOVER_MAGIC && ld_le16(p + OFF_VERSION) == HANDOVER_VERSION
        && ld_le16(p + OFF_LEN) == sizeof *h
        && ld_le32(p + OFF_CRC) == crc32(0, p + HANDOVER_HEADER, sizeof *h);

    memset(h, 0, sizeof *h);
    if (good)
        memcpy(h, p + HANDOVER_HEADER, sizeof *h);
    if (h->report.findings > REPORT_FINDINGS) { /* a CRC is no proof of who wrote it */
        memset(h, 0, sizeof *h);
        good = false;
    }
    st_le32(p, 0);
    return good;
}
