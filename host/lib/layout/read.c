/* From the tree to chips and partitions: who is who, and what cannot be read. */
#include <stdio.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

/* What `&flash0 { }` means when the chip's own file is not at hand. */
enum { NRF52840_FLASH = 0x100000, NRF52840_PAGE = 4096, NOR_SECTOR = 4096 };

static const struct {
    const char *node_label;
    const char *label;
} role_names[LAYOUT_OTHER] = {
    [LAYOUT_BOOT] = { "boot_partition", "mcuboot" },
    [LAYOUT_SLOT0] = { "slot0_partition", "image-0" },
    [LAYOUT_SLOT1] = { "slot1_partition", "image-1" },
    [LAYOUT_SCRATCH] = { "scratch_partition", "image-scratch" },
    [LAYOUT_STORAGE] = { "storage_partition", "storage" },
};

struct dt_loc layout_loc(const struct dt_node *n, const char *prop)
{
    const struct dt_prop *p = prop ? dt_prop(n, prop) : NULL;
    return p ? p->loc : n->loc;
}

static bool has_label(const struct dt_node *n, const char *label)
{
    if (n->name[0] == '&' && strcmp(n->name + 1, label) == 0)
        return true;
    for (const struct dt_label *l = n->label; l; l = l->next) {
        if (strcmp(l->name, label) == 0)
            return true;
    }
    return false;
}

static bool is_internal(const struct dt_node *n)
{
    return dt_is_compatible(n, "soc-nv-flash") || has_label(n, "flash0");
}

static bool is_external(const struct dt_node *n)
{
    return !is_internal(n) && (dt_is_compatible(n, "nordic,qspi-nor")
        || dt_is_compatible(n, "jedec,spi-nor") || dt_prop(n, "jedec-id"));
}

/* status of a node and of all above it: a partition on a disabled bus is not there. */
static const struct dt_node *disabled_at(const struct dt_node *n)
{
    for (; n; n = n->parent) {
        if (!dt_is_okay(n))
            return n;
    }
    return NULL;
}

static bool is_sub_container(const struct dt_node *n)
{
    return n && dt_is_compatible(n, "fixed-subpartitions");
}

/* The flash device that a partition node lies on, or NULL if it is none; *base is added to its reg. */
static const struct dt_node *device_of(const struct dt_node *part, uint32_t *base)
{
    const struct dt_node *c = part->parent;
    uint32_t off;

    *base = 0;
    for (int depth = 0; c && is_sub_container(c) && depth < 8; depth++) {
        if (dt_u32(c, "reg", &off) == OK)
            *base += off;
        c = c->parent;
    }
    if (!c || !(dt_is_compatible(c, "fixed-partitions") || strcmp(c->name, "partitions") == 0))
        return NULL;
    return c->parent;
}

static enum layout_role role_of(const struct dt_node *n, bool by_node_label)
{
    const char *label = dt_string(n, "label", 0);

    for (int role = 0; role < LAYOUT_OTHER; role++) {
        if (by_node_label ? has_label(n, role_names[role].node_label)
                          : label && strcmp(label, role_names[role].label) == 0)
            return (enum layout_role)role;
    }
    return LAYOUT_OTHER;
}

/* What goes to terminals and headers: a file may hold escape sequences in a string. */
static void copy_name(char *to, size_t size, const char *from)
{
    size_t n = 0;

    for (; *from && n + 1 < size; from++)
        to[n++] = *from >= 0x20 && *from < 0x7F ? *from : '?';
    to[n] = '\0';
}

static void name_region(struct layout_region *r, const struct dt_node *n)
{
    const char *name = n->label ? n->label->name : dt_string(n, "label", 0);
    copy_name(r->name, sizeof r->name, name ? name : n->name);
}

/* reg = <offset size>; false with a problem if it is not that. */
static bool read_reg(struct loader *l, const struct dt_node *n, struct layout_region *r, uint32_t base)
{
    uint32_t cell[4] = { 0 };
    int cells = dt_u32s(n, "reg", cell, 4);
    struct dt_loc at = layout_loc(n, "reg");
    struct layout_problem *p;

    if (cells == 4 && cell[0] == 0 && cell[2] == 0) { /* two cells an address and a size */
        cell[0] = cell[1];
        cell[1] = cell[3];
        cells = 2;
    }
    if (cells == 2 && cell[0] <= UINT32_MAX - base) {
        r->off = base + cell[0];
        r->size = cell[1];
        return true;
    }
    p = layout_problem(l->report, LAYOUT_ERROR, cells == ERR_NOENT ? "reg_missing" : "reg",
        &at, cells == ERR_NOENT ? "%s has no reg" : "the reg of %s is not an offset and a size", r->name);
    layout_why(p, cells == ERR_FORMAT ? "it holds a macro or a label that this file does not define"
                                      : "without it nobody knows where the partition lies");
    layout_fix(p, "reg = <OFFSET SIZE>; both in bytes, the offset from the start of its chip");
    return false;
}

static void add_region(struct loader *l, const struct dt_node *n, const struct dt_node *dev, uint32_t base)
{
    struct layout_report *rep = l->report;
    struct layout_region *r = &rep->region[rep->region_count];
    struct dt_loc at = layout_loc(n, "reg");

    if (rep->region_count == LAYOUT_REGIONS_MAX) {
        struct layout_problem *p = layout_problem(rep, LAYOUT_ERROR, "too_many_partitions", &at,
            "more than %d partitions", LAYOUT_REGIONS_MAX);
        layout_fix(p, "give slipway a file with the partitions of this board only");
        return;
    }
    *r = (struct layout_region) { .role = LAYOUT_OTHER };
    r->chip = dev == l->chip[LAYOUT_EXTERNAL] ? LAYOUT_EXTERNAL : LAYOUT_INTERNAL;
    name_region(r, n);
    snprintf(r->at.file, sizeof r->at.file, "%s", at.file ? at.file : "");
    r->at.line = at.line;
    r->at.column = at.column;
    if (!read_reg(l, n, r, base))
        return;
    l->container[rep->region_count] = n->child != NULL || is_sub_container(n);
    l->region[rep->region_count++] = n;
}

static bool is_partition(const struct dt_node *n, const struct dt_node **dev, uint32_t *base)
{
    *dev = device_of(n, base);
    return *dev != NULL && disabled_at(n) == NULL;
}

/* The chip of a class that holds the partition of a role, else the first of that class. */
static const struct dt_node *choose_chip(struct loader *l, bool (*is_class)(const struct dt_node *),
    enum layout_role role)
{
    const struct dt_node *first = NULL, *dev;
    uint32_t base;

    for (const struct dt_node *n = dt_each(l->tree, NULL); n; n = dt_each(l->tree, n)) {
        if (is_class(n) && !first && !disabled_at(n))
            first = n;
        if (is_partition(n, &dev, &base) && is_class(dev)
            && (role_of(n, true) == role || role_of(n, false) == role))
            return dev;
    }
    return first;
}

static void read_internal(struct loader *l)
{
    const struct dt_node *n = l->chip[LAYOUT_INTERNAL];
    struct layout_chip *c = &l->report->chip[LAYOUT_INTERNAL];
    uint32_t reg[2] = { 0 };

    if (!n)
        return;
    struct dt_loc at = layout_loc(n, "reg");
    c->size = dt_u32s(n, "reg", reg, 2) == 2 ? reg[1] : NRF52840_FLASH;
    if (dt_u32(n, "erase-block-size", &c->erase) < 0 || c->erase == 0)
        c->erase = NRF52840_PAGE;
    if (!dt_prop(n, "reg"))
        layout_problem(l->report, LAYOUT_NOTE, "internal_assumed", &at,
            "this file does not define %s; taken as the nRF52840's 1 MiB with 4 KiB pages", n->name);
}

static void read_external(struct loader *l)
{
    const struct dt_node *n = l->chip[LAYOUT_EXTERNAL];
    struct layout_chip *c = &l->report->chip[LAYOUT_EXTERNAL];
    const uint8_t *id;
    uint32_t bits = 0;
    size_t len = 0;

    if (!n)
        return;
    if (dt_u32(n, "size-in-bytes", &c->size) < 0)
        c->size = dt_u32(n, "size", &bits) == OK ? bits / 8 : 0;
    c->erase = NOR_SECTOR;
    id = dt_bytes(n, "jedec-id", &len);
    if (id && len == 3)
        c->jedec = (uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2];
}

static void read_chips(struct loader *l)
{
    l->chip[LAYOUT_INTERNAL] = choose_chip(l, is_internal, LAYOUT_SLOT0);
    l->chip[LAYOUT_EXTERNAL] = choose_chip(l, is_external, LAYOUT_SLOT1);
    for (int i = 0; i < 2; i++) {
        const struct dt_node *n = l->chip[i];
        struct layout_chip *c = &l->report->chip[i];
        if (!n)
            continue;
        c->found = true;
        copy_name(c->name, sizeof c->name, n->name);
        snprintf(c->at.file, sizeof c->at.file, "%s", n->loc.file ? n->loc.file : "");
        c->at.line = n->loc.line;
        c->at.column = n->loc.column;
    }
    read_internal(l);
    read_external(l);
}

static void read_regions(struct loader *l)
{
    const struct dt_node *dev;
    uint32_t base;

    for (const struct dt_node *n = dt_each(l->tree, NULL); n; n = dt_each(l->tree, n)) {
        if (is_partition(n, &dev, &base)
            && (dev == l->chip[LAYOUT_INTERNAL] || dev == l->chip[LAYOUT_EXTERNAL]))
            add_region(l, n, dev, base);
    }
}

/* Node labels first: they are unique; a property `label` may be there twice. */
static void assign_roles(struct loader *l, bool by_node_label)
{
    struct layout_report *rep = l->report;

    for (unsigned i = 0; i < rep->region_count; i++) {
        struct layout_region *r = &rep->region[i];
        enum layout_role role = role_of(l->region[i], by_node_label);
        if (r->role != LAYOUT_OTHER || role == LAYOUT_OTHER)
            continue;
        if (!l->role[role]) {
            r->role = role;
            l->role[role] = r;
        } else if (!by_node_label && role_of(l->region[i], true) == LAYOUT_OTHER
            && role_of(l->region[l->role[role] - rep->region], true) == LAYOUT_OTHER) {
            struct dt_loc at = layout_loc(l->region[i], "label");
            struct layout_problem *p = layout_problem(rep, LAYOUT_ERROR, "label_twice", &at,
                "two partitions have the label \"%s\"", role_names[role].label);
            layout_why(p, "the other is at line %u; which of them is meant is not said", l->role[role]->at.line);
            layout_fix(p, "give the right one the node label %s, or /delete-node/ the other",
                role_names[role].node_label);
        }
    }
}

void layout_read_tree(struct loader *l)
{
    read_chips(l);
    read_regions(l);
    assign_roles(l, true);
    assign_roles(l, false);
}
