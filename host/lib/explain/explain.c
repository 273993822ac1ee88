#include <string.h>

#include "core/base/err.h"
#include "host/lib/explain/explain.h"
#include "host/lib/smp/answer.h"

typedef void format_fn(uint32_t v, char *buf, size_t cap);

static void as_jedec(uint32_t v, char *buf, size_t cap)
{
    const char *nobody = v == 0 || (v & 0xFFFFFF) == 0xFFFFFF ? " (no answer)" : "";
    snprintf(buf, cap, "%02x %02x %02x%s", v >> 16 & 0xFF, v >> 8 & 0xFF, v & 0xFF, nobody);
}

static void as_size(uint32_t v, char *buf, size_t cap)
{
    if (v < 1024)
        snprintf(buf, cap, "%u byte%s", v, v == 1 ? "" : "s");
    else
        snprintf(buf, cap, "%u bytes (%.1f KiB)", v, v / 1024.0);
}

static void as_version(uint32_t v, char *buf, size_t cap)
{
    snprintf(buf, cap, "%u.%u.%u", v >> 24, v >> 16 & 0xFF, v & 0xFFFF);
}

/* Errors are negative; they are sent as they are or without their sign. */
static void as_err(uint32_t v, char *buf, size_t cap)
{
    int err = (int32_t)v > 0 ? -(int)v : (int32_t)v;
    snprintf(buf, cap, "%s (%s)", err_name(err), err_text(err));
}

static void as_reason(uint32_t v, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s", reason_text(v));
}

static const struct unit {
    const char *name;
    format_fn *format; /* or */
    const char *pattern; /* with one unsigned number */
} units[] = {
    { "jedec", as_jedec, NULL },
    { "size", as_size, NULL },
    { "version", as_version, NULL },
    { "err", as_err, NULL },
    { "reason", as_reason, NULL },
    { "hash", NULL, "%08x..." },
    { "keyhash", NULL, "key %08x..." },
    { "ms", NULL, "%u ms" },
    { "byte", NULL, "0x%02x" },
    { "status", NULL, "status 0x%02x" },
    { "flags", NULL, "flags 0x%x" },
    { "type", NULL, "type 0x%04x" },
    { "offset", NULL, "offset 0x%x" },
    { "unit", NULL, "unit %u" },
    { "group", NULL, "group %u" },
    { "groups", NULL, "%u groups" },
    { "starts", NULL, "%u" },
};

const char *explain_value(const char *unit, uint32_t value, char *buf, size_t cap)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, unit) != 0)
            continue;
        if (units[i].format)
            units[i].format(value, buf, cap);
        else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(buf, cap, units[i].pattern, value); /* patterns are those above */
#pragma GCC diagnostic pop
        }
        return buf;
    }
    snprintf(buf, cap, "0x%08x", value); /* magic, layout, address, crc32 */
    return buf;
}

bool explain_take_finding(const json_t *map, struct finding *f)
{
    json_int_t reason = answer_int(map, "r", REASON_NONE);
    json_int_t slot = answer_int(map, "slot", FINDING_NO_SLOT);

    *f = (struct finding) { .reason = (uint16_t)reason,
        .slot = (uint8_t)(slot < 0 || slot > FINDING_NO_SLOT ? FINDING_NO_SLOT : slot),
        .found = (uint32_t)answer_int(map, "f", 0),
        .expected = (uint32_t)answer_int(map, "e", 0),
        .where = (uint32_t)answer_int(map, "w", 0) };
    return json_is_object(map) && reason > 0 && reason <= UINT16_MAX;
}

/* Is what was expected a bound rather than a value? */
static bool is_limit(const struct finding *f)
{
    return strcmp(reason_expected(f->reason), "ms") == 0 || f->reason == REASON_IMG_TOO_LARGE_SLOT
        || f->reason == REASON_IMG_TOO_LARGE_SWAP;
}

static void print_numbers(FILE *out, const struct finding *f)
{
    const char *found = reason_found(f->reason), *expected = reason_expected(f->reason);
    char a[128], b[128];

    if (!*found)
        return;
    explain_value(found, f->found, a, sizeof a);
    explain_value(expected, f->expected, b, sizeof b);
    if (strcmp(expected, "groups") == 0)
        fprintf(out, ": in group %u of %u", f->found, f->expected);
    else if (strcmp(expected, "starts") == 0)
        fprintf(out, ": after %s of %s start%s", a, b, f->expected == 1 ? "" : "s");
    else if (f->reason == REASON_UPLOAD_RUNNING || f->reason == REASON_UPLOAD_RESUMED)
        fprintf(out, ": %u of %s", f->found, b);
    else if (strcmp(found, "ms") == 0 && f->found == 0)
        fprintf(out, ": it was busy before anything was asked of it (its longest operation takes %s)", b);
    else if (!*expected)
        fprintf(out, ": %s", a);
    else
        fprintf(out, ": found %s, expected %s%s", a, is_limit(f) ? "at most " : "", b);
}

const char *explain_finding(const struct finding *f, char *buf, size_t cap)
{
    FILE *out = fmemopen(buf, cap, "w");
    const char *where = reason_where(f->reason);
    char text[64];

    buf[0] = '\0';
    if (!out)
        return buf;
    fputs(reason_text(f->reason), out);
    if (strcmp(reason_text(f->reason), reason_text(UINT16_MAX)) == 0)
        fprintf(out, " (%u)", f->reason);
    if (f->slot != FINDING_NO_SLOT)
        fprintf(out, " (slot %u)", f->slot);
    print_numbers(out, f);
    if (*where)
        fprintf(out, ", at %s", explain_value(where, f->where, text, sizeof text));
    fclose(out);
    buf[cap - 1] = '\0';
    return buf;
}

static void set_number(json_t *o, const char *key, const char *unit, uint32_t value)
{
    char text[128], name[32];

    if (!*unit)
        return;
    json_object_set_new(o, key, json_string(explain_value(unit, value, text, sizeof text)));
    snprintf(name, sizeof name, "%s_value", key);
    json_object_set_new(o, name, json_integer(value));
}

json_t *explain_finding_json(const struct finding *f)
{
    char text[EXPLAIN_MAX];
    json_t *o = json_pack("{s:s, s:i}", "code", reason_code(f->reason), "reason", f->reason);

    if (f->slot != FINDING_NO_SLOT)
        json_object_set_new(o, "slot", json_integer(f->slot));
    set_number(o, "found", reason_found(f->reason), f->found);
    set_number(o, "expected", reason_expected(f->reason), f->expected);
    set_number(o, "where", reason_where(f->reason), f->where);
    json_object_set_new(o, "text", json_string(explain_finding(f, text, sizeof text)));
    return o;
}

#define CHECK_CHIP  "slipway info (asks the chip again); look at its supply, wiring and pins in board.dts"
#define CHIP_FAILS  "slipway info (chip and write protection); if it stays so the chip or its wiring is bad"
#define SIGN_AGAIN  "slipway sign --key KEY.pem --board BOARD --version X.Y.Z app.bin app.signed.bin"
#define KNOWN_KEYS  "sign with a key whose public half was built into the bootloader: slipway sign --key KEY.pem ..."
#define UPLOAD_AGAIN "slipway upload --restart FILE"
#define SEE_REPORT  "slipway report"
#define SEE_ROOM    "slipway layout BOARD (the largest image that can be swapped); make the image smaller"
#define OTHER_BOARD "slipway sign --board BOARD ... for the board that this is; slipway info shows its layout"

static const struct {
    unsigned reason;
    const char *next;
} nexts[] = {
    { REASON_EXT_ABSENT, CHECK_CHIP },
    { REASON_EXT_ID, "slipway info; if this chip is meant, put its jedec-id into board.dts and build again" },
    { REASON_EXT_BUSY, "slipway reset, then slipway info; a chip that stays busy needs its supply off and on" },
    { REASON_EXT_ERASE, CHIP_FAILS },
    { REASON_EXT_PROGRAM, CHIP_FAILS },
    { REASON_EXT_READ, CHECK_CHIP },
    { REASON_EXT_PROTECTED, CHIP_FAILS },
    { REASON_EXT_QUAD, "nothing has to be done, it is only slower; for speed look at the wiring of IO2 and IO3" },
    { REASON_EXT_MODE, "nothing has to be done, it is only slower; look at the wiring of IO1 to IO3 and at the clock" },
    { REASON_EXT_SIZE, "put the size of the chip that is fitted into board.dts, check with slipway layout, and build again" },
    { REASON_IMG_NONE, "slipway upload FILE" },
    { REASON_IMG_MAGIC, SIGN_AGAIN },
    { REASON_IMG_HEADER, SIGN_AGAIN },
    { REASON_IMG_NO_TLVS, SIGN_AGAIN },
    { REASON_IMG_TLV, SIGN_AGAIN },
    { REASON_IMG_TRUNCATED, "slipway inspect FILE; build and sign it again" },
    { REASON_IMG_NO_HASH, SIGN_AGAIN },
    { REASON_IMG_HASH, "slipway inspect FILE; if the file is good: " UPLOAD_AGAIN },
    { REASON_IMG_UNSIGNED, SIGN_AGAIN },
    { REASON_IMG_STRANGER, KNOWN_KEYS },
    { REASON_IMG_SIGNATURE, "slipway verify --key KEY.pem FILE; sign it again" },
    { REASON_IMG_TOO_LARGE_SLOT, SEE_ROOM },
    { REASON_IMG_TOO_LARGE_SWAP, SEE_ROOM },
    { REASON_IMG_LAYOUT, OTHER_BOARD },
    { REASON_IMG_VECTORS, OTHER_BOARD },
    { REASON_IMG_ALIGN, "slipway sign --header-size 512 ... (--board does so)" },
    { REASON_LAYOUT_MISMATCH, "build bootloader and application from the same board.dts and flash both" },
    { REASON_UPLOAD_RUNNING, "slipway upload FILE (goes on where it stopped)" },
    { REASON_UPLOAD_SHA, UPLOAD_AGAIN },
    { REASON_UPLOAD_STATE, "slipway confirm (keeps the image on trial), or slipway reset (puts the old one back)" },
    { REASON_UPLOAD_LENGTH, UPLOAD_AGAIN },
    { REASON_REVERTED, "slipway list; let the application confirm itself, or slipway confirm in time" },
    { REASON_REQUEST_REFUSED, "slipway upload FILE with an image that verifies" },
    { REASON_SWAP_STOPPED, CHECK_CHIP },
    { REASON_SWAP_ABANDONED, "slipway report, then slipway test HASH again" },
    { REASON_NOT_BOOTABLE, "slipway upload FILE, then slipway reset" },
    { REASON_OLD_IMAGE_LOST, "slipway confirm, then slipway upload FILE" },
};

const char *explain_next(unsigned reason)
{
    for (size_t i = 0; i < sizeof nexts / sizeof *nexts; i++) {
        if (nexts[i].reason == reason)
            return nexts[i].next;
    }
    return SEE_REPORT;
}
