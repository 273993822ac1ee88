/* What lies where on both chips: as this is built, and as the project seems to mean it. */
#include <string.h>

#include "host/doctor/doctor.h"

static const char *chip_name(const struct view *v)
{
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        const struct dt_prop *p = pm_chosen(images[i]);
        const struct dt_node *n = ext_flash(v, images[i]);
        if (n && n->label)
            return n->label->name;
        if (n)
            return n->name;
        if (p && p->value && p->value->text)
            return p->value->text;
    }
    return NULL;
}

static bool switched_outside(const struct view *v)
{
    const struct partition *fixed = map_find(&v->pm_static, "mcuboot_secondary");

    if (fixed)
        return partition_in(fixed, "external_flash");
    if (v->flow == FLOW_SYSBUILD)
        return sb_on(v, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY")
            || opt_on(v, &v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
    return pm_chosen(&v->app) && !opt_off(v, &v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
}

/* Adds a box in order of its place; empty ones are none. */
static void add_box(struct doctor *d, struct box **list, enum box_role role, const char *name, bool external,
    uint64_t from, uint64_t size)
{
    struct box *b = pool_alloc(&d->pool, sizeof *b);

    if (size == 0 || from + size < from)
        return;
    while (*list && ((*list)->external < external || ((*list)->external == external && (*list)->from <= from)))
        list = &(*list)->next;
    *b = (struct box) { .next = *list,
        .role = role,
        .name = pool_dup(&d->pool, name),
        .external = external,
        .from = from,
        .to = from + size };
    *list = b;
}

static void add_slots(struct doctor *d, struct box **list, const struct slot *pri, const struct slot *sec)
{
    if (pri->known && !pri->external)
        add_box(d, list, BOX_BOOT, "MCUboot", false, 0, pri->address);
    if (pri->known)
        add_box(d, list, BOX_SLOT0, "slot 0", pri->external, pri->address, pri->size);
    if (sec->known)
        add_box(d, list, BOX_SLOT1, "slot 1", sec->external, sec->address, sec->size);
}

static bool covered(const struct box *list, bool external, uint64_t from, uint64_t to)
{
    for (; list; list = list->next) {
        if (list->external == external && from < list->to && list->from < to)
            return true;
    }
    return false;
}

/* What else the map or the devicetree places on the chips. */
static void add_others(struct doctor *d, const struct view *v, struct box **list, const struct map *map)
{
    for (const struct partition *p = map ? map->first : NULL; p; p = p->next) {
        bool external = partition_in(p, "external_flash");
        uint64_t size;
        if (p->container || !p->has_address || !partition_size(p, &size)
            || (!external && !partition_in(p, "flash_primary")))
            continue;
        if (!covered(*list, external, p->address, p->address + size))
            add_box(d, list, BOX_OTHER, p->name, external, p->address, size);
    }
    for (const struct dt_node *n = v->pm ? NULL : each_partition(&v->app, NULL); n; n = each_partition(&v->app, n)) {
        const struct dt_node *chip = flash_of_partition(n);
        bool external = chip && is_nor(chip);
        uint64_t from, size;
        if (partition_reg(n, &from, &size) && !covered(*list, external, from, from + size))
            add_box(d, list, BOX_OTHER, n->label ? n->label->name : n->name, external, from, size);
    }
}

/* Nothing says where the slots are: the Partition Manager's own arithmetic. */
static void guess_slots(const struct view *v, bool external, struct slot *pri, struct slot *sec)
{
    uint64_t boot = opt_number(v, &v->boot, "PM_PARTITION_SIZE_MCUBOOT", 0xc000), size = expected_primary(v, external);

    *pri = (struct slot) { .known = size != 0, .address = boot, .size = size };
    *sec =
        (struct slot) { .known = size != 0, .external = external, .size = size, .address = external ? 0 : boot + size };
}

static void draw(struct doctor *d, const struct view *v)
{
    struct drawing *g = &d->drawing;
    struct slot pri = slot_primary(v), sec = slot_secondary(v);
    const struct map *map = v->has_partitions ? &v->partitions : v->has_static ? &v->pm_static : NULL;

    g->external_as_meant = v->external_intent || (sec.known && sec.external);
    g->external_as_built = sec.known ? sec.external : v->pm && switched_outside(v) && pm_chosen(&v->app);
    if (!pri.known && v->pm)
        guess_slots(v, g->external_as_built, &pri, &sec);
    g->slot1_known = sec.known;
    add_slots(d, &g->built, &pri, &sec);
    add_others(d, v, &g->built, map);
    g->map_name = map ? map->file->rel : NULL;
    if (g->external_as_meant && !g->external_as_built) {
        guess_slots(v, true, &pri, &sec);
        add_slots(d, &g->meant, &pri, &sec);
    } else {
        g->meant = g->built;
    }
}

void drawing_of_view(struct doctor *d, const struct view *v)
{
    struct drawing *g = &d->drawing;

    if (g->any || !uses_mcuboot(v))
        return;
    *g = (struct drawing) { .any = true, .flow = v->flow };
    const char *chip = chip_name(v);
    g->chip = chip ? pool_dup(&d->pool, chip) : NULL;
    g->soc = v->soc ? v->soc->name : NULL;
    g->flash = v->soc ? (uint64_t)v->soc->flash_kib * 1024 : 0;
    g->ext = ext_bytes(v);
    g->app_sees = !v->pm || pm_chosen(&v->app);
    g->boot_sees = !v->pm || pm_chosen(&v->boot);
    draw(d, v);
}
