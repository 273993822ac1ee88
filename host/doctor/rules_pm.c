/* Placement: which flash slot 1 ends up in. */
#include <string.h>

#include "host/doctor/project_priv.h"
#include "host/doctor/rule.h"

#define SB_EXTERNAL "SB_CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y"

static const char *sysbuild_conf(struct check *c)
{
    return *c->v->app_dir ? check_say(c, "%s/sysbuild.conf", c->v->app_dir) : "sysbuild.conf";
}

static bool fixed_in(const struct view *v, bool external)
{
    const struct partition *p = static_secondary(v);

    return p && partition_in(p, "external_flash") == external;
}

static bool of_boot(const struct source *f)
{
    return strstr(f->rel, "mcuboot") != NULL;
}

/*
 * Another overlay of the project that chooses the flash and that the files seen here do not name: it
 * may be given on the command line, so that what is missing without it is not proven.
 */
static const char *other_overlay(const struct view *v, bool boot)
{
    struct sources *s = &v->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        bool overlay = text_ends(f->base, ".overlay") || text_ends(f->base, ".dtsi");
        if (!overlay || f->used || of_boot(f) != boot || f->size > 1 << 20 || project_in_build(v->p, f->rel)
            || !source_below(f, v->app_dir))
            continue;
        const char *text = source_peek(s, f);
        if (text && strstr(text, "nordic,pm-ext-flash"))
            return f->rel;
    }
    return NULL;
}

static void unless_given(struct check *c, struct finding *f, bool boot)
{
    const char *other = other_overlay(c->v, boot);

    if (!other)
        return;
    f->severity = SEV_WARNING;
    f->message = check_say(c, "%s (unless %s is given to the build)", f->message, other);
}

static const char *chip_label(const struct dt_prop *p)
{
    return p->value && p->value->text ? p->value->text : "your_flash";
}

static bool two_slots(const struct view *v)
{
    return uses_mcuboot(v) && swap_mode(v) != SINGLE_SLOT;
}

static void pm01(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *p = pm_chosen(&v->boot);

    if (!p || pm_chosen(&v->app) || v->app.dt_built != v->boot.dt_built)
        return;
    struct finding *f = check_report(c, dt_place(v, &p->loc), "app",
        "nordic,pm-ext-flash = &%s is chosen for MCUboot only; the application does not choose it, "
        "and the Partition Manager asks the application", chip_label(p));
    f->fix = check_say(c, "choose it in the application too, in %s (or in the board's dts, for both): "
                    "/ { chosen { nordic,pm-ext-flash = &%s; }; };", v->app.overlay, chip_label(p));
    fix_append(c, f, v->app.overlay, check_say(c, "/ { chosen { nordic,pm-ext-flash = &%s; }; };", chip_label(p)));
    if (v->has_static && map_find(&v->pm_static, "mcuboot_secondary") && !external_on(v))
        f->severity = SEV_WARNING; /* the static map has slot 1 inside: the line may be a leftover */
    unless_given(c, f, false);
}

static void pm02(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *p = pm_chosen(&v->app);

    if (!p || pm_chosen(&v->boot) || !two_slots(v) || ncs_below(v, 20200) || !external_on(v)
        || v->app.dt_built != v->boot.dt_built)
        return;
    struct finding *f = check_report(c, dt_place(v, &p->loc), "mcuboot",
        "nordic,pm-ext-flash = &%s is chosen for the application only; MCUboot's devicetree does not choose it, "
        "so slot 1 is missing from MCUboot's flash map", chip_label(p));
    f->fix = check_say(c, "write the same line for MCUboot, in %s: / { chosen { nordic,pm-ext-flash = &%s; }; };",
        v->boot.overlay, chip_label(p));
    fix_append(c, f, v->boot.overlay, check_say(c, "/ { chosen { nordic,pm-ext-flash = &%s; }; };", chip_label(p)));
    unless_given(c, f, true);
}

/* Is it evident that slot 1 is to be outside, or could the chip be for something else? */
static bool evidently_external(const struct view *v)
{
    return boot_wants_external(v) || conf_is(&v->app.src, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY", "y")
        || conf_is(&v->boot.src, "NORDIC_QSPI_NOR", "y") || conf_is(&v->boot.src, "SPI_NOR", "y");
}

static struct place intent_place(const struct view *v)
{
    const struct dt_prop *p = pm_chosen(&v->boot);

    if (!p)
        p = pm_chosen(&v->app);
    if (p)
        return dt_place(v, &p->loc);
    const struct image *i = opt_item(&v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY") ? &v->app : &v->boot;
    return opt_place(i, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
}

static void pm03(struct check *c)
{
    const struct view *v = c->v;
    bool evident = evidently_external(v);

    const struct dt_prop *chosen = pm_chosen(&v->app);
    bool by_board = chosen && chosen->loc.file && chosen->loc.file[0] == '(';

    if (!evident && by_board)
        return; /* a kit's own choice says nothing of what this project wants */
    if (!v->external_intent || !two_slots(v) || sb_on(v, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY")
        || fixed_in(v, false) || opt_on(v, &v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY"))
        return;
    const struct conf_item *off = conf_item(&v->sb, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY");
    if (fixed_in(v, true)) {
        /* the map decides where the slot is; the switch also decides what MCUboot is built with */
        struct finding *w = check_report(c, off ? off->at : static_secondary(v)->at, "sysbuild",
            "the static map puts slot 1 into the external flash, and %s is not in sysbuild.conf: MCUboot is built for an internal one",
            SB_EXTERNAL);
        w->severity = SEV_WARNING;
        fix_append(c, w, sysbuild_conf(c), SB_EXTERNAL);
        return;
    }
    struct finding *f = check_report(c, off ? off->at : intent_place(v), "sysbuild",
        "slot 1 is meant for the external flash, but %s is not in sysbuild.conf, so sysbuild switches it off "
        "in the application and in MCUboot, whatever their own files say%s", SB_EXTERNAL,
        evident ? "" : " (if the external flash is for something else, nothing is wrong)");
    if (!evident)
        f->severity = SEV_WARNING;
    if (off) {
        fix_replace(c, f, &off->at, SB_EXTERNAL);
        return;
    }
    if (!source_find(&v->p->files, sysbuild_conf(c)))
        f->fix = "Set " SB_EXTERNAL " in sysbuild.conf (beside SB_CONFIG_BOOTLOADER_MCUBOOT=y).";
    fix_append(c, f, sysbuild_conf(c), SB_EXTERNAL);
}

static void pm04(struct check *c)
{
    const struct view *v = c->v;
    bool boot_only = conf_is(&v->boot.src, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY", "y")
        && !opt_item(&v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY") && !pm_chosen(&v->app);
    bool off = conf_is(&v->app.src, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY", "n") && v->external_intent
        && !fixed_in(v, true);

    if (boot_only)
        check_report(c, opt_place(&v->boot, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY"), "mcuboot",
            "CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=y stands in MCUboot's configuration only; "
            "with child images it is the application (the parent) that decides");
    else if (off)
        check_report(c, opt_place(&v->app, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY"), "app",
            "CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY=n in the application keeps slot 1 in internal flash");
}

static const char *compatible_of(const struct dt_node *n)
{
    const char *text = dt_string(n, "compatible", 0);

    return text ? text : "";
}

static void pm05(struct check *c)
{
    const struct view *v = c->v;
    const struct image *i = ext_flash(v, &v->app) ? &v->app : &v->boot;
    const struct dt_node *n = ext_flash(v, i);
    bool child = v->flow == FLOW_CHILD;

    if (!n || !*compatible_of(n) || is_qspi_nor(n) || (!v->external_intent && !pm_chosen(i)) || !two_slots(v))
        return;
    if (child ? is_spi_nor(n) : !external_on(v))
        return;
    if (sb_on(v, "PM_OVERRIDE_EXTERNAL_DRIVER_CHECK") || opt_on(v, &v->app, "PM_OVERRIDE_EXTERNAL_DRIVER_CHECK"))
        return;
    struct finding *f = check_report(c, node_place(v, n), "sysbuild",
        "the external flash %s is a \"%s\"; the Partition Manager only takes %s for granted and leaves slot 1 out of "
        "the flash map", n->name, compatible_of(n), child ? "a QSPI or SPI NOR driver" : "the QSPI driver");
    if (!child) {
        f->fix = "say that you vouch for the driver: SB_CONFIG_PM_OVERRIDE_EXTERNAL_DRIVER_CHECK=y in sysbuild.conf";
        fix_append(c, f, sysbuild_conf(c), "SB_CONFIG_PM_OVERRIDE_EXTERNAL_DRIVER_CHECK=y");
    }
}

/* PM06 and PM07: the driver of the external flash, in one image. */
static void driver_off(struct check *c, const struct image *i)
{
    const struct view *v = c->v;
    const struct dt_node *n = ext_flash(v, i);
    struct finding *f;

    if (!n)
        n = ext_flash(v, &v->app);
    bool external = v->pm ? external_on(v) : slot_secondary(v).known && slot_secondary(v).external;
    if (!n || !two_slots(v) || !external || !i->present)
        return;
    const char *missing = NULL;
    if (is_qspi_nor(n))
        missing = opt_off(v, i, "NORDIC_QSPI_NOR") ? "NORDIC_QSPI_NOR" : NULL;
    else if (is_spi_nor(n))
        missing = opt_off(v, i, "SPI_NOR") ? "SPI_NOR" : opt_off(v, i, "SPI") ? "SPI" : NULL;
    if (!missing && opt_off(v, i, "FLASH"))
        missing = "FLASH";
    if (missing) {
        const struct conf_item *built = i->has_built ? conf_item(&i->built, missing) : NULL;
        const struct conf_item *item = conf_item(&i->src, missing);
        f = check_report(c, built ? built->at : opt_place(i, missing), i->name,
            "CONFIG_%s is off in %s, so nothing drives the external flash %s", missing, i->name, n->name);
        f->fix = check_say(c, "CONFIG_%s=y in %s", missing, i->conf_file);
        if (item && strcmp(item->value, "y") != 0)
            fix_replace(c, f, &item->at, check_say(c, "CONFIG_%s=y", missing));
        return;
    }
    if (is_spi_nor(n) && !i->has_built && !opt(v, i, "SPI") && !opt(v, i, "SPI_NOR")) {
        f = check_report(c, in_file(i->conf_file), i->name,
            "the external flash %s is an SPI NOR, and neither CONFIG_SPI nor CONFIG_SPI_NOR is set for %s in what can be seen",
            n->name, i->name);
        f->severity = SEV_WARNING;
        fix_append(c, f, i->conf_file, "CONFIG_SPI=y");
    }
}

static void pm06(struct check *c)
{
    driver_off(c, &c->v->boot);
}

static void pm07(struct check *c)
{
    driver_off(c, &c->v->app);
}

static void pm12(struct check *c)
{
    static const char *const options[] = { "PM_PARTITION_REGION_LITTLEFS_EXTERNAL", "PM_PARTITION_REGION_SETTINGS_STORAGE_EXTERNAL",
        "PM_PARTITION_REGION_NVS_STORAGE_EXTERNAL", "PM_PARTITION_REGION_FATFS_EXTERNAL" };
    const struct view *v = c->v;

    if (v->has_static || !external_on(v))
        return;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (opt_on(v, &v->app, options[i]))
            check_report(c, opt_place(&v->app, options[i]), "app",
                "CONFIG_%s puts another partition into the external flash without a pm_static.yml: where slot 1 then "
                "begins is left to the Partition Manager, which aligns it to 4 bytes only", options[i]);
    }
}

static void pm13(struct check *c)
{
    static const char *const labels[] = { "slot1_partition", "slot0_partition" };
    const struct view *v = c->v;

    for (int i = 0; i < 2; i++) {
        const struct dt_node *n = dt_by_label(v->app.dt, labels[i]);
        if (!n || v->app.dt_built || !n->loc.file || n->loc.file[0] == '(')
            continue;
        check_report(c, node_place(v, n), "app",
            "%s in the devicetree has no effect: with the Partition Manager on, sizes and places come from it", labels[i]);
        return;
    }
}

static void pm15(struct check *c)
{
    const struct view *v = c->v;

    if (!uses_mcuboot(v) || v->has_static)
        return;
    const char *file = *v->app_dir ? check_say(c, "%s/pm_static.yml", v->app_dir) : "pm_static.yml";
    check_report(c, in_file(file), "sysbuild",
        "there is a bootloader and no pm_static.yml: the next build may place the slots elsewhere");
}

static void pm18(struct check *c)
{
    static const char *const names[] = { "PM_EXTERNAL_FLASH", "PM_EXTERNAL_FLASH_DEV_NAME", "PM_EXTERNAL_FLASH_SIZE",
        "PM_EXTERNAL_FLASH_BASE", "PM_PARTITION_SIZE_MCUBOOT_SECONDARY" };
    const struct image *images[] = { &c->v->app, &c->v->boot };

    for (int i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
            const struct conf_item *item = conf_item(&images[i]->src, names[k]);
            if (!item || (c->v->p->ncs && c->v->p->ncs < 10600))
                continue;
            struct finding *f = check_report(c, item->at, images[i]->name, "CONFIG_%s no longer exists in the nRF Connect SDK",
                names[k]);
            fix_delete(c, f, &item->at);
        }
    }
}

static void pm23(struct check *c)
{
    const struct view *v = c->v;
    const struct build *b = v->build;
    const struct source *made = b ? (b->partitions ? b->partitions : b->boot_config) : NULL;

    if (!made)
        return;
    if (v->has_static && v->pm_static.file->mtime > made->mtime + 1)
        check_report(c, in_file(v->pm_static.file->rel), "sysbuild",
            "%s is newer than %s: the configured build folder keeps the old slots in its signing step",
            v->pm_static.file->rel, made->rel);
    for (const struct key *k = v->p->keys; k; k = k->next) {
        if (k->is_private && k->file->mtime > made->mtime + 1)
            check_report(c, in_file(k->file->rel), "sysbuild", "the key %s is newer than %s: the configured build folder may sign "
                "with the old one", k->file->rel, made->rel);
    }
}

static void pm24(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *app = pm_chosen(&v->app), *boot = pm_chosen(&v->boot);
    const struct dt_node *a = ext_flash(v, &v->app), *b = ext_flash(v, &v->boot);
    uint64_t abits = 0, bbits = 0;

    if (!app || !boot)
        return;
    if (a && b && a->parent && b->parent && strcmp(a->name, b->name) != 0) {
        check_report(c, dt_place(v, &boot->loc), "mcuboot", "MCUboot chooses %s and the application %s as external flash", b->name,
            a->name);
        return;
    }
    if (a && b && node_bits(a, &abits) && node_bits(b, &bbits) && abits != bbits)
        check_report(c, prop_place(v, b, "size"), "mcuboot",
            "the external flash has %llu bits for MCUboot and %llu for the application", (unsigned long long)bbits,
            (unsigned long long)abits);
}

const struct rule rules_pm[] = {
    { "PM01", SEV_ERROR, IN_PM, false, "sources", "the external flash is chosen for MCUboot, not for the application",
        "Slot 1 is placed in internal flash, or the build stops with PM_MCUBOOT_SECONDARY_ID undeclared; the external "
        "chip stays empty.",
        "Choose nordic,pm-ext-flash in the application's devicetree as well.",
        "The Partition Manager takes the region external_flash from the default image, the application. What only "
        "MCUboot chooses it never sees, and a partition of a region that does not exist is dropped without a word.",
        "nRF Connect SDK 2.9.0, cmake/sysbuild/partition_manager.cmake and scripts/partition_manager.py", pm01 },
    { "PM02", SEV_ERROR, IN_PM, false, "sources", "the external flash is chosen for the application, not for MCUboot",
        "The upload ends well and MCUboot never swaps: it logs 'Failed reading sectors' and leaves the image pending, or "
        "'Failed to open flash area ... -2, cannot continue' and does not boot.",
        "Choose nordic,pm-ext-flash in MCUboot's devicetree as well.",
        "Since nRF Connect SDK 2.2 each image's flash map is made from its own devicetree: an area whose chip the image "
        "does not know is left out.",
        "known issues NCSDK-19970 and NCSDK-18532, release notes 2.2.0", pm02 },
    { "PM03", SEV_ERROR, IN_SYSBUILD, false, "sources",
        "slot 1 is meant to be external, but sysbuild is not told so",
        "Slot 1 lies in internal flash and the application has half the room; uploads succeed and nothing ever arrives "
        "in the external chip.",
        "Set " SB_EXTERNAL " in sysbuild.conf.",
        "sysbuild writes CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY into the application and into MCUboot from its own "
        "option, which is off unless set. Values in prj.conf or mcuboot.conf are overwritten.",
        "nRF Connect SDK 2.9.0, sysbuild/CMakeLists.txt and sysbuild/Kconfig.sysbuild", pm03 },
    { "PM04", SEV_ERROR, IN_CHILD, false, "sources",
        "the switch for the external slot is set in the wrong image, or off in the parent",
        "Slot 1 is dropped from the map (the build stops with PM_MCUBOOT_SECONDARY_ID undeclared) or stays internal.",
        "Set it in the application's prj.conf, or leave it out there: it defaults to y once the application chooses the "
        "external flash.",
        "With child images the parent's configuration decides about the map.",
        "help of CONFIG_PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY", pm04 },
    { "PM05", SEV_ERROR, IN_PM, false, "both", "the chosen external flash is none that the Partition Manager expects",
        "MCUboot stops: 'Failed to open flash area ID 2: -2, cannot continue', although partitions.yml looks right.",
        "With sysbuild set SB_CONFIG_PM_OVERRIDE_EXTERNAL_DRIVER_CHECK=y; with child images use a QSPI or SPI NOR driver.",
        "Under sysbuild the external region is entered only if the QSPI driver is on in the application, or the check is "
        "overridden; with child images SPI NOR counts too. It is the most frequent break when moving to sysbuild.",
        "devzone 116419; nRF Connect SDK 2.9.0, cmake/sysbuild/partition_manager.cmake", pm05 },
    { "PM06", SEV_ERROR, IN_ANY, false, "both", "the driver of the external flash is off in MCUboot",
        "MCUboot reports -2 or 'Failed reading sectors'; no update is taken, or nothing boots.",
        "Enable the driver in MCUboot's configuration.",
        "An area is part of MCUboot's flash map only if the driver of its chip is built in.",
        "sdk-nrf, flash_map_partition_manager.c", pm06 },
    { "PM07", SEV_ERROR, IN_ANY, false, "both", "the driver of the external flash is off in the application",
        "The upload is refused: 'Failed to open flash area', no free slot, or error -19.",
        "Enable the driver in prj.conf.", "The application writes slot 1; without a driver the area is not in its map.",
        "sdk-nrf, flash_map_partition_manager.c", pm07 },
    { "PM12", SEV_WARNING, IN_PM, false, "sources", "another partition is placed dynamically in the external flash",
        "Slot 1 can begin at an address like 0x300: erasing it fails, or erases a neighbour.",
        "Fix the map with a pm_static.yml.", "The Partition Manager aligns the external slot to 4 bytes only.",
        "sdk-nrf, subsys/mcuboot pm.yml, and a run of partition_manager.py of 2.9.0", pm12 },
    { "PM13", SEV_INFO, IN_PM, false, "sources", "partitions of the devicetree are ignored by this build",
        "None: changing these sizes changes nothing.",
        "Do not look for the fault there; change pm_static.yml, or delete them.",
        "With the Partition Manager on, fixed-partitions of the devicetree are not used.",
        "Partition Manager documentation", pm13 },
    { "PM15", SEV_WARNING, IN_PM, false, "sources", "a bootloader, and no pm_static.yml",
        "A build with other options moves the slots; an update linked for the new places does not boot on a device in the "
        "field.",
        "Copy build/partitions.yml to pm_static.yml once the layout is final.",
        "Bootloaders in the field keep the map they were built with.", "partition_manager.cmake warns of it", pm15 },
    { "PM18", SEV_WARNING, IN_PM, false, "sources", "an option of the Partition Manager that was removed",
        "Kconfig aborts: undefined symbol.", "Use chosen nordic,pm-ext-flash and pm_static.yml.",
        "External flash was once described by options, now by the devicetree.", "sdk-nrf PR #3607 and #5439", pm18 },
    { "PM23", SEV_WARNING, IN_PM, false, "both", "pm_static.yml or a key is newer than the configured build",
        "Images are signed with old slot sizes or the old key and are then rejected.",
        "Build pristine: west build -p always.", "Some values are taken at configure time only.",
        "known issues NCSDK-28461 and NCSDK-28462", pm23 },
    { "PM24", SEV_WARNING, IN_PM, false, "sources", "the two images choose different external flashes",
        "Both believe in a slot 1, at different places: the image that was uploaded is never found.",
        "Choose the same node, with the same size, in both.",
        "Each image's flash map comes from its own devicetree.", "sdk-nrf, flash_map_partition_manager.c", pm24 },
    { .id = NULL },
};
