/* The one line at the top: will an update reach slot 1, and if not, where does it go? */
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
        return sb_on(v, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY") || opt_on(v, &v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
    return pm_chosen(&v->app) && !opt_off(v, &v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
}

/* The picture of the first view that is more than a guess: sizes as built, or as they would be. */
void verdict_of_view(struct doctor *d, const struct view *v)
{
    struct drawing *g = &d->drawing;

    if (g->any || !uses_mcuboot(v))
        return;
    g->any = true;
    g->flow = v->flow;
    g->chip = chip_name(v);
    g->chip = g->chip ? pool_dup(&d->pool, g->chip) : NULL;
    g->soc = v->soc ? v->soc->name : NULL;
    g->board = v->board;
    g->flash = v->soc ? (uint64_t)v->soc->flash_kib * 1024 : 0;
    g->ext = ext_bytes(v);
    g->primary = slot_primary(v);
    g->secondary = slot_secondary(v);
    g->external_as_meant = v->external_intent || (g->secondary.known && g->secondary.external);
    if (g->secondary.known)
        g->external_as_built = g->secondary.external;
    else
        g->external_as_built = v->pm && switched_outside(v) && pm_chosen(&v->app);
    if (!g->primary.known && v->pm) {
        uint64_t boot = opt_number(v, &v->boot, "PM_PARTITION_SIZE_MCUBOOT", 0xc000);
        uint64_t size = expected_primary(v, g->external_as_built);
        g->primary = (struct slot) { .known = size != 0, .address = boot, .size = size, .name = "mcuboot_primary" };
        g->secondary = (struct slot) { .known = size != 0, .external = g->external_as_built, .size = size,
            .address = g->external_as_built ? 0 : boot + size, .name = "mcuboot_secondary" };
    }
    g->app_sees = pm_chosen(&v->app) || !v->pm;
    g->boot_sees = pm_chosen(&v->boot) || !v->pm;
    g->primary_meant = g->primary;
    g->secondary_meant = g->secondary;
    if (g->external_as_meant && !g->external_as_built) {
        uint64_t size = expected_primary(v, true);
        g->primary_meant = (struct slot) { .known = size != 0, .address = g->primary.address, .size = size };
        g->secondary_meant = (struct slot) { .known = size != 0, .external = true, .size = size };
    }
    if (v->has_partitions || v->has_static) {
        struct map *copy = pool_alloc(&d->pool, sizeof *copy);
        *copy = v->has_partitions ? v->partitions : v->pm_static;
        g->map = copy;
        g->map_name = copy->file->rel;
    }
}

static const struct finding *find(const struct doctor *d, const char *rule, enum severity at_least)
{
    for (const struct finding *f = d->findings; f; f = f->next) {
        if (!f->suppressed && f->severity >= at_least && strcmp(f->rule->id, rule) == 0)
            return f;
    }
    return NULL;
}

/* Findings that by themselves decide that slot 1 is not reached, and how to say it. */
static const char *placement_verdict(struct doctor *d)
{
    const char *chip = d->drawing.chip ? d->drawing.chip : "the external flash";
    const struct finding *off = find(d, "PM03", SEV_ERROR), *unseen = find(d, "PM01", SEV_ERROR);
    const char *sb = "SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y";

    if (off && unseen)
        return pool_printf(&d->pool,
            "NO: the upload goes to internal flash, not to %s. sysbuild keeps slot 1 internal because it was not told "
            "otherwise, and the application does not choose the chip. Two lines fix it: \"%s\" in sysbuild.conf, and "
            "\"/ { chosen { nordic,pm-ext-flash = &%s; }; };\" in the application's overlay.", chip, sb, chip);
    if (off)
        return pool_printf(&d->pool,
            "NO: the upload goes to internal flash, not to %s. sysbuild keeps slot 1 internal because it was not told "
            "otherwise. One line fixes it: \"%s\" in sysbuild.conf.", chip, sb);
    if (unseen)
        return pool_printf(&d->pool,
            "NO: there is no slot 1 on %s. Only MCUboot chooses the chip; the Partition Manager asks the application. "
            "One line fixes it: \"/ { chosen { nordic,pm-ext-flash = &%s; }; };\" in the application's overlay.", chip, chip);
    if (find(d, "PM22", SEV_WARNING))
        return pool_printf(&d->pool, "NO: as built, the upload goes to internal flash, not to %s.", chip);
    if (find(d, "PM02", SEV_ERROR))
        return pool_printf(&d->pool,
            "NO: the upload reaches %s, but MCUboot does not know the chip and never installs it.", chip);
    return NULL;
}

void verdict_finish(struct doctor *d)
{
    struct drawing *g = &d->drawing;
    const char *placed = placement_verdict(d);

    if (placed) {
        d->reach = REACH_NO;
        d->verdict = placed;
        return;
    }
    const struct finding *worst = d->findings;
    if (worst && !worst->suppressed && worst->severity == SEV_ERROR) {
        d->reach = REACH_NO;
        d->verdict = pool_printf(&d->pool, "NO: an update will not get through: %s.", worst->message);
        return;
    }
    if (!g->any) {
        d->verdict = "UNKNOWN: no bootloader is configured in what can be seen here, so there is no slot 1 to reach.";
        return;
    }
    if (g->secondary.known || g->external_as_built) {
        d->reach = REACH_YES;
        d->verdict = g->external_as_built
            ? pool_printf(&d->pool, "YES: slot 1 is on %s, and nothing found here keeps an update from it.",
                  g->chip ? g->chip : "the external flash")
            : "YES: slot 1 is in internal flash, and nothing found here keeps an update from it.";
        return;
    }
    d->verdict = g->external_as_meant
        ? "UNKNOWN: slot 1 is meant for the external flash, but an input that decides it is missing; see below."
        : "UNKNOWN: where slot 1 lies cannot be told from these files; see below for what is missing.";
}
