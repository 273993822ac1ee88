/* The external chip's own properties: size in bits, JEDEC id, and whether they agree. */
#include <inttypes.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

/*
 * The third byte of most makers' ids is the power of two of the size in bytes; Adesto/Renesas put it,
 * less 15, into the low five bits of the second.
 */
uint32_t layout_jedec_size(uint32_t jedec)
{
    static const uint8_t third_byte[] = { 0xC2, 0xEF, 0xC8, 0x9D, 0x20, 0x85, 0x01, 0x5E, 0xA1 };
    unsigned maker = jedec >> 16 & 0xFF, power = jedec & 0xFF;

    if (maker == 0x1F)
        power = (jedec >> 8 & 0x1F) + 15;
    else if (!memchr(third_byte, (int)maker, sizeof third_byte))
        return 0;
    return power >= 16 && power <= 28 ? UINT32_C(1) << power : 0;
}

/* The end of the last partition on the external chip. */
static uint64_t partitions_end(const struct loader *l)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < l->report->region_count; i++) {
        const struct layout_region *r = &l->report->region[i];
        uint64_t this_end = (uint64_t)r->off + r->size;
        if (r->chip == LAYOUT_EXTERNAL && this_end > end)
            end = this_end;
    }
    return end;
}

static void check_jedec(struct loader *l, const struct dt_node *n)
{
    struct dt_loc at = layout_loc(n, "jedec-id");
    uint32_t id = l->report->chip[LAYOUT_EXTERNAL].jedec;
    struct layout_problem *p;

    if (!dt_prop(n, "jedec-id")) {
        p = layout_problem(l->report, LAYOUT_ERROR, "jedec_missing", &at, "%s has no jedec-id", n->name);
        layout_why(p, "without it another chip, or none, would be taken for this one");
    } else if (id == 0 || id == 0xFFFFFF) {
        p = layout_problem(l->report, LAYOUT_ERROR, "jedec_invalid", &at,
            "the jedec-id of %s is not the three bytes of a chip", n->name);
        layout_why(p, "a bus without a chip answers 00 00 00 or ff ff ff");
    } else {
        return;
    }
    layout_fix(p, "jedec-id = [c2 28 17]; with the three bytes of your chip's data sheet (RDID, 9Fh)");
}

static void size_is_wrong(struct loader *l, const struct dt_node *n, uint32_t bits, uint32_t right)
{
    struct dt_loc at = layout_loc(n, "size");
    struct layout_problem *p;

    if ((uint64_t)bits == right) {
        p = layout_problem(l->report, LAYOUT_ERROR, "size_in_bytes", &at,
            "size = <%" PRIu32 "> is this chip's size in bytes; the property counts bits", bits);
        layout_why(p, "the chip would be taken for one of %" PRIu32 " KiB", bits / 8 / 1024);
    } else {
        p = layout_problem(l->report, LAYOUT_WARNING, "size_jedec", &at,
            "size = <%" PRIu32 "> is %" PRIu32 " KiB; the jedec-id stands for %" PRIu32 " KiB", bits,
            bits / 8 / 1024, right / 1024);
        layout_why(p, "one of the two is of another chip");
    }
    if (right <= UINT32_MAX / 8)
        layout_fix(p, "size = <%" PRIu32 ">; if the jedec-id is right", right * 8);
}

static void check_size(struct loader *l, const struct dt_node *n)
{
    const struct layout_chip *c = &l->report->chip[LAYOUT_EXTERNAL];
    uint32_t bits = 0, by_id = layout_jedec_size(c->jedec);
    struct dt_loc at = layout_loc(n, "size");
    struct layout_problem *p;

    if (dt_prop(n, "size-in-bytes"))
        bits = c->size <= UINT32_MAX / 8 ? c->size * 8 : UINT32_MAX;
    else if (dt_u32(n, "size", &bits) < 0 || bits == 0) {
        p = layout_problem(l->report, LAYOUT_ERROR, "size_missing", &at, "%s has no size", n->name);
        layout_why(p, "where the chip ends is not known");
        if (by_id && by_id <= UINT32_MAX / 8)
            layout_fix(p, "size = <%" PRIu32 ">; in bits, by its jedec-id", by_id * 8);
        else
            layout_fix(p, "size = <33554432>; in bits: this would be 4 MiB");
        return;
    }
    if (by_id && c->size != by_id) {
        size_is_wrong(l, n, bits, by_id);
    } else if (!by_id && partitions_end(l) > c->size && partitions_end(l) <= bits) {
        p = layout_problem(l->report, LAYOUT_ERROR, "size_in_bytes", &at,
            "size = <%" PRIu32 "> is %" PRIu32 " KiB, its partitions end at %" PRIu64 " KiB", bits,
            bits / 8 / 1024, partitions_end(l) / 1024);
        layout_why(p, "the property counts bits; this looks like a number of bytes");
        if (bits <= UINT32_MAX / 8)
            layout_fix(p, "size = <%" PRIu32 ">; if the chip has %" PRIu32 " bytes", bits * 8, bits);
    }
    if (c->size % c->erase != 0 || c->size == 0) {
        p = layout_problem(l->report, LAYOUT_ERROR, "size_unit", &at,
            "size = <%" PRIu32 "> bits is no multiple of the chip's erase unit, %" PRIu32 " bytes", bits, c->erase);
        layout_fix(p, "the size in bits, as the chip's data sheet gives it in Mbit times 1048576");
    }
}

void layout_check_external(struct loader *l)
{
    const struct dt_node *n = l->chip[LAYOUT_EXTERNAL];

    check_jedec(l, n);
    check_size(l, n);
}
