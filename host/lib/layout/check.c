/* The rules of a layout. Each check adds its problems and goes on, so that one run shows them all. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

static const char *const role_label[] = { "boot_partition", "slot0_partition", "slot1_partition",
    "scratch_partition", "storage_partition" };
static const char *const chip_name[] = { "internal", "external" };

static struct dt_loc loc_of(const struct loader *l, const struct layout_region *r)
{
    return layout_loc(l->region[r - l->report->region], "reg");
}

static struct dt_loc loc_of_file(const struct loader *l)
{
    return (struct dt_loc) { .file = l->report->path };
}

static const char *kib(uint32_t bytes, char *buf, size_t size)
{
    if (bytes % 1024 == 0)
        snprintf(buf, size, "%" PRIu32 " KiB", bytes / 1024);
    else
        snprintf(buf, size, "%" PRIu32 " bytes", bytes);
    return buf;
}
#define KIB(bytes) kib((bytes), (char[24]) { 0 }, 24)

static void check_chip_end(struct loader *l, const struct layout_region *r)
{
    const struct layout_chip *c = &l->report->chip[r->chip];
    uint64_t end = (uint64_t)r->off + r->size;
    struct dt_loc at = loc_of(l, r);

    if (r->size == 0) {
        struct layout_problem *p = layout_problem(l->report, LAYOUT_ERROR, "empty", &at, "%s has size 0", r->name);
        layout_fix(p, "give it a size, or delete the node");
    }
    if (c->size == 0 || end <= c->size)
        return;
    struct layout_problem *p = layout_problem(l->report, LAYOUT_ERROR, "chip_end", &at,
        "%s ends at 0x%" PRIx64 ", the %s flash at 0x%" PRIx32, r->name, end, chip_name[r->chip], c->size);
    layout_why(p, "what is written behind the end comes to lie at the start of the chip, or nowhere");
    if (r->off < c->size)
        layout_fix(p, "reg = <0x%" PRIx32 " 0x%" PRIx32 ">; (%s) or less", r->off, c->size - r->off,
            KIB(c->size - r->off));
    else
        layout_fix(p, "move it below 0x%" PRIx32, c->size);
}

static void check_alignment(struct loader *l, const struct layout_region *r)
{
    uint32_t erase = l->report->chip[r->chip].erase;
    struct dt_loc at = loc_of(l, r);

    if (erase == 0 || (r->off % erase == 0 && r->size % erase == 0))
        return;
    uint32_t off = r->off / erase * erase, size = r->size / erase * erase;
    struct layout_problem *p = layout_problem(l->report, LAYOUT_ERROR, "alignment", &at,
        "%s: 0x%" PRIx32 " is no multiple of the %s flash's erase unit, 0x%" PRIx32, r->name,
        r->off % erase ? r->off : r->size, chip_name[r->chip], erase);
    layout_why(p, "erasing it would erase a part of its neighbour");
    layout_fix(p, "reg = <0x%" PRIx32 " 0x%" PRIx32 ">; and look at its neighbours", off,
        size ? size : erase);
}

static void check_unit_address(struct loader *l, const struct layout_region *r)
{
    const struct dt_node *n = l->region[r - l->report->region];
    uint32_t reg[4] = { 0 };
    int cells = dt_u32s(n, "reg", reg, 4);
    uint32_t own = cells == 4 ? reg[1] : reg[0]; /* without a container's offset */
    struct dt_loc at = loc_of(l, r);
    struct layout_problem *p;

    if (!n->unit) {
        if (n->name[0] != '&') {
            p = layout_problem(l->report, LAYOUT_WARNING, "unit_address", &at,
                "%s has reg but the node %s no unit address", r->name, n->name);
            layout_fix(p, "name the node partition@%" PRIx32, own);
        }
        return;
    }
    if (n->has_address && n->address == own)
        return;
    p = layout_problem(l->report, LAYOUT_ERROR, "unit_address", &at,
        "%s is called @%s but its reg says 0x%" PRIx32, r->name, n->unit, own);
    layout_why(p, "one of the two is a slip; the build takes reg, people read the name");
    layout_fix(p, "name the node partition@%" PRIx32 ", or put 0x%s into reg", own, n->unit);
}

static bool is_inside(const struct dt_node *n, const struct dt_node *above)
{
    for (; n; n = n->parent) {
        if (n == above)
            return true;
    }
    return false;
}

static void check_overlap(struct loader *l, unsigned i, unsigned k)
{
    const struct layout_region *a = &l->report->region[i], *b = &l->report->region[k];

    if (a->off > b->off) {
        const struct layout_region *swap = a;
        a = b;
        b = swap;
    }
    uint64_t end = (uint64_t)a->off + a->size;
    if (a->chip != b->chip || b->off >= end || b->size == 0 || a->size == 0)
        return;
    if (is_inside(l->region[i], l->region[k]) || is_inside(l->region[k], l->region[i]))
        return;
    struct dt_loc at = loc_of(l, b);
    uint64_t b_end = (uint64_t)b->off + b->size;
    struct layout_problem *p = layout_problem(l->report, LAYOUT_ERROR, "overlap", &at,
        "%s begins at 0x%" PRIx32 ", inside %s, which ends at 0x%" PRIx64, b->name, b->off, a->name, end);
    layout_why(p, "0x%" PRIx64 " bytes belong to both (%s is at line %u): each would destroy the other",
        (end < b_end ? end : b_end) - b->off, a->name, a->at.line);
    if (b->off > a->off)
        layout_fix(p, "%s: reg = <0x%" PRIx32 " 0x%" PRIx32 ">; or begin %s at 0x%" PRIx64, a->name,
            a->off, b->off - a->off, b->name, end);
    else
        layout_fix(p, "begin one of them at 0x%" PRIx64, end);
}

static void check_regions(struct loader *l)
{
    const struct layout_report *rep = l->report;

    for (unsigned i = 0; i < rep->region_count; i++) {
        check_unit_address(l, &rep->region[i]);
        check_chip_end(l, &rep->region[i]);
        check_alignment(l, &rep->region[i]);
        for (unsigned k = 0; k < i; k++)
            check_overlap(l, k, i);
    }
}

/* A role's partition that has to be there, on the chip where it has to be. */
static bool check_role(struct loader *l, enum layout_role role, int chip, const char *why)
{
    const struct layout_region *r = l->role[role];
    struct layout_problem *p;

    if (r && r->chip == chip)
        return true;
    if (r) {
        struct dt_loc at = loc_of(l, r);
        p = layout_problem(l->report, LAYOUT_ERROR, role == LAYOUT_SLOT1 ? "slot1_internal" : "wrong_chip",
            &at, "%s lies on the %s flash, it has to lie on the %s one", r->name, chip_name[r->chip],
            chip_name[chip]);
        layout_why(p, "%s", why);
        layout_fix(p, chip == LAYOUT_EXTERNAL
                ? "/delete-node/ &slot1_partition; and define it again in a fixed-partitions node below the "
                  "nordic,qspi-nor node"
                : "move the node into the fixed-partitions node below &flash0");
        return false;
    }
    const struct dt_node *dev = l->chip[chip];
    struct dt_loc at = dev ? dev->loc : loc_of_file(l);
    p = layout_problem(l->report, LAYOUT_ERROR, "missing", &at, "there is no %s on the %s flash",
        role_label[role], chip_name[chip]);
    layout_why(p, "%s", why);
    layout_fix(p, "below %s: %s: partition@OFFSET { reg = <OFFSET SIZE>; }; in a node with compatible "
                  "= \"fixed-partitions\"", dev ? dev->name : chip ? "the nordic,qspi-nor node" : "&flash0",
        role_label[role]);
    return false;
}

static void check_chips_found(struct loader *l)
{
    struct dt_loc at = loc_of_file(l);
    struct layout_problem *p;

    if (!l->chip[LAYOUT_INTERNAL]) {
        p = layout_problem(l->report, LAYOUT_ERROR, "no_internal_flash", &at,
            "no internal flash in this file: no node is compatible with soc-nv-flash, and there is no &flash0");
        layout_fix(p, "give slipway the board's .dts or the built zephyr.dts, not an overlay of something else");
    }
    if (!l->chip[LAYOUT_EXTERNAL]) {
        p = layout_problem(l->report, LAYOUT_ERROR, "no_external_flash", &at,
            "no external flash in this file: no enabled node is compatible with nordic,qspi-nor");
        layout_why(p, "slot 1 lies in external flash on every Slipway board");
        layout_fix(p, "add the chip below &qspi: compatible, reg, jedec-id, size in bits; and status = \"okay\" "
                      "for both");
    }
}

/* Boot state: the first four units of scratch, else the last four of the boot partition. */
static void check_state(struct loader *l, struct layout *out)
{
    const struct layout_region *scratch = l->role[LAYOUT_SCRATCH], *boot = l->role[LAYOUT_BOOT];
    uint32_t state = LAYOUT_STATE_UNITS * out->internal_erase;
    struct layout_problem *p;

    if (scratch) {
        struct dt_loc at = loc_of(l, scratch);
        out->state = (struct layout_part) { scratch->off, state };
        if (scratch->chip == LAYOUT_INTERNAL && scratch->size >= state)
            return;
        p = layout_problem(l->report, LAYOUT_ERROR, "state_room", &at, scratch->chip == LAYOUT_INTERNAL
                ? "%s is %s; the boot state takes its first four units, %s"
                : "%s (%s) is on the external flash; the boot state (%s) has to be internal",
            scratch->name, KIB(scratch->size), KIB(state));
        layout_why(p, "without its state a swap that was cut off cannot be continued");
        layout_fix(p, "at least 0x%" PRIx32 " bytes of internal flash, or delete it: then the state takes the "
                      "boot partition's last four units", state);
        return;
    }
    if (!boot || boot->size < state) {
        out->state = (struct layout_part) { 0, state };
        return; /* too small even for the state: check_boot says so */
    }
    out->state = (struct layout_part) { boot->off + (boot->size - state), state };
}

static void check_boot(struct loader *l, const struct layout *out)
{
    const struct layout_region *boot = l->role[LAYOUT_BOOT];
    uint32_t state = l->role[LAYOUT_SCRATCH] ? 0 : LAYOUT_STATE_UNITS * out->internal_erase;
    struct layout_problem *p;

    if (!boot || boot->chip != LAYOUT_INTERNAL)
        return;
    struct dt_loc at = loc_of(l, boot);
    if (boot->size < LAYOUT_BOOT_CODE_MIN + state) {
        p = layout_problem(l->report, LAYOUT_ERROR, "boot_room", &at,
            "%s is %s; the bootloader's code needs %s%s", boot->name, KIB(boot->size),
            KIB(LAYOUT_BOOT_CODE_MIN), state ? " and its state, without a scratch partition, four units more" : "");
        layout_why(p, "the bootloader could not be linked, or would erase its own code");
        layout_fix(p, "reg = <0x%" PRIx32 " 0x%" PRIx32 ">;%s", boot->off, LAYOUT_BOOT_CODE_MIN + state,
            state ? " or add a scratch_partition of four units" : "");
    }
    if (boot->off != 0) {
        p = layout_problem(l->report, LAYOUT_WARNING, "boot_not_first", &at,
            "%s begins at 0x%" PRIx32 "; the chip starts at 0", boot->name, boot->off);
        layout_why(p, "something else has to be there that starts the bootloader (an MBR, another bootloader)");
        layout_fix(p, "if there is nothing: reg = <0 0x%" PRIx32 ">;", boot->size);
    }
}

static void check_unit(struct loader *l, const struct layout *out)
{
    struct dt_loc at = l->chip[LAYOUT_INTERNAL] ? layout_loc(l->chip[LAYOUT_INTERNAL], "erase-block-size")
                                                : loc_of_file(l);
    if (out->unit == 4096 && out->internal_erase == 4096)
        return;
    struct layout_problem *p = layout_problem(l->report, LAYOUT_ERROR, "erase_unit", &at,
        "the erase units are %" PRIu32 " and %" PRIu32 " bytes; both have to be 4096", out->internal_erase,
        out->external_erase);
    layout_why(p, "images are exchanged in units of 4096 bytes, which is also the size of a state cell");
    layout_fix(p, "for an nRF52840: erase-block-size = <4096>;");
}

/* Can anything be swapped, and how much less than slot 0 has room for? */
static void check_swap_room(struct loader *l, const struct layout *out)
{
    const struct layout_region *s0 = l->role[LAYOUT_SLOT0], *s1 = l->role[LAYOUT_SLOT1];
    struct layout_room best = layout_room_best(out), two = layout_room_gap(out, 2);
    struct layout_problem *p;

    if (!s0 || !s1 || out->unit == 0)
        return;
    uint32_t units0 = s0->size / out->unit, units1 = s1->size / out->unit;
    struct dt_loc at0 = loc_of(l, s0), at1 = loc_of(l, s1);
    if (best.gap == 0) {
        bool small1 = units1 < 3;
        p = layout_problem(l->report, LAYOUT_ERROR, "swap_room", small1 ? &at1 : &at0,
            "no image can be swapped: slot 0 has %" PRIu32 " units, slot 1 %" PRIu32, units0, units1);
        layout_why(p, "slot 0 needs a unit for the image and one for its trailer, slot 1 the image, a gap of one "
                      "unit and its trailer; a unit is %" PRIu32 " bytes", out->unit);
        layout_fix(p, "at least 0x%" PRIx32 " bytes for slot 0 and 0x%" PRIx32 " for slot 1",
            2 * out->unit, 3 * out->unit);
        return;
    }
    uint32_t fits = (units0 - 1) * out->unit; /* what slot 0 holds beside its trailer */
    uint32_t units = best.max_image / out->unit;
    if (units0 - 1 > units && units1 >= units0 + 2) {
        p = layout_problem(l->report, LAYOUT_ERROR, "too_many_units", &at0,
            "slot 0 has %" PRIu32 " units; a swap can keep track of 256 (239 at gap 1)", units0);
        layout_why(p, "an image that fits both slots could not be swapped: the largest is %s", KIB(best.max_image));
        layout_fix(p, "reg = <0x%" PRIx32 " 0x%" PRIx32 ">;", s0->off, (units + 1) * out->unit);
    } else if (two.max_image < fits) {
        p = layout_problem(l->report, LAYOUT_NOTE, "slot1_limits", &at1,
            "slot 0 could hold %s; slot 1 lets images of %s be swapped at gap 2, of %s at all", KIB(fits),
            KIB(two.max_image), KIB(best.max_image));
        layout_why(p, "slot 1 has to hold the image, two units of gap and a trailer unit to be swapped at full speed");
        layout_fix(p, "where the chip has room: 0x%" PRIx32 " bytes for slot 1", (units0 + 2) * out->unit);
    }
}

static struct layout_part part_of(const struct layout_region *r)
{
    return r ? (struct layout_part) { r->off, r->size } : (struct layout_part) { 0, 0 };
}

void layout_check_all(struct loader *l, struct layout *out)
{
    const struct layout_chip *in = &l->report->chip[LAYOUT_INTERNAL];
    const struct layout_chip *ex = &l->report->chip[LAYOUT_EXTERNAL];

    check_chips_found(l);
    if (ex->found)
        layout_check_external(l);
    check_regions(l);
    bool both = in->found && ex->found;
    if (in->found) {
        check_role(l, LAYOUT_BOOT, LAYOUT_INTERNAL, "the bootloader needs a place of its own");
        check_role(l, LAYOUT_SLOT0, LAYOUT_INTERNAL, "the application runs from slot 0");
    }
    if (ex->found)
        check_role(l, LAYOUT_SLOT1, LAYOUT_EXTERNAL, "updates arrive in slot 1, in external flash");
    *out = (struct layout) {
        .board = l->report->board,
        .internal_size = in->size,
        .internal_erase = in->erase,
        .external_size = ex->size,
        .external_erase = ex->erase,
        .external_jedec = ex->jedec,
        .boot = part_of(l->role[LAYOUT_BOOT]),
        .slot0 = part_of(l->role[LAYOUT_SLOT0]),
        .slot1 = part_of(l->role[LAYOUT_SLOT1]),
        .unit = in->erase > ex->erase ? in->erase : ex->erase,
    };
    if (!both)
        return;
    check_unit(l, out);
    check_state(l, out);
    check_boot(l, out);
    check_swap_room(l, out);
    out->hash = layout_hash(out);
}
