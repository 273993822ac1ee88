/* Devicetree: nodes, partitions and overlays. */
#include <stdlib.h>
#include <string.h>

#include "host/doctor/rule.h"

typedef unsigned long long ull;

static bool in_project(const struct dt_loc *loc)
{
    return loc->file && loc->file[0] != '(';
}

/* Any label of a node: how people call it. */
static const char *label_of(const struct dt_node *n)
{
    return n->label ? n->label->name : n->name;
}

/* Is the node, or its bus, brought to life by the application's overlay alone? */
static bool alive(const struct dt_node *n)
{
    return n && dt_is_okay(n) && (!n->parent || dt_is_okay(n->parent));
}

static void dt08(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *boot = pm_chosen(&v->boot), *app = pm_chosen(&v->app);
    const struct dt_node *in_app = ext_flash(v, &v->app), *in_boot = ext_flash(v, &v->boot);

    if (v->boot.dt_built != v->app.dt_built || !uses_mcuboot(v) || (!boot && !app) || !in_app)
        return;
    const char *name = boot && boot->value && boot->value->text ? boot->value->text : label_of(in_app);
    const struct dt_node *same = dt_by_label(v->boot.dt, name);
    bool defined = same && (dt_prop(same, "compatible") || dt_prop(same, "reg"));
    /* "&label { status = ..." only goes on a node of the board's; what has a compatible defines one */
    const struct dt_prop *kind = dt_prop(in_app, "compatible");
    bool app_defines = kind && in_project(&kind->loc) && text_ends(kind->loc.file, ".overlay");
    if (boot && !defined && app_defines) {
        check_report(c, dt_place(v, &boot->loc), "mcuboot",
            "MCUboot's overlay refers to &%s, but only the application's overlay (%s) defines that node", name,
            dt_place(v, &in_app->first).file);
        return;
    }
    if (boot && in_boot && alive(in_app) && !alive(in_boot)) {
        struct finding *f = check_report(c, dt_place(v, &boot->loc), "mcuboot",
            "%s or its bus is enabled (status = \"okay\") in the application's overlay only; in MCUboot it stays disabled",
            label_of(in_boot));
        f->fix = check_say(c, "enable it for MCUboot too, in %s", v->boot.overlay);
    }
}

static void check_partition(struct check *c, const struct image *i, const struct dt_node *n)
{
    const struct view *v = c->v;
    uint64_t address, size, chip_size = 0, bits = 0, other_address, other_size;
    uint32_t reg[2];

    if (!partition_reg(n, &address, &size))
        return;
    const struct dt_node *chip = flash_of_partition(n);
    if (chip && is_nor(chip) && node_bits(chip, &bits))
        chip_size = bits / 8;
    else if (chip && dt_u32s(chip, "reg", reg, 2) == 2)
        chip_size = reg[1];
    if (n->has_address && n->address != address)
        check_report(c, node_place(v, n), i->name, "the node %s says 0x%llx in its name and 0x%llx in reg", n->name,
            (ull)n->address, (ull)address);
    if (chip_size && address + size > chip_size)
        check_report(c, prop_place(v, n, "reg"), i->name, "partition %s ends at 0x%llx, its chip at 0x%llx", label_of(n),
            (ull)(address + size), (ull)chip_size);
    for (const struct dt_node *o = n->next; o; o = o->next) {
        if (!partition_reg(o, &other_address, &other_size) || address >= other_address + other_size
            || other_address >= address + size)
            continue;
        check_report(c, prop_place(v, o, "reg"), i->name, "partitions %s (0x%llx..0x%llx) and %s (0x%llx..0x%llx) overlap",
            label_of(o), (ull)other_address, (ull)(other_address + other_size), label_of(n), (ull)address,
            (ull)(address + size));
    }
}

static void dt09(struct check *c)
{
    const struct image *images[] = { &c->v->app, &c->v->boot };

    for (int i = 0; i < 2; i++) {
        for (const struct dt_node *n = NULL; (n = each_partition(images[i], n));) {
            if (in_project(&n->loc) && n->parent && dt_is_compatible(n->parent, "fixed-partitions"))
                check_partition(c, images[i], n);
        }
    }
}

/* A reference to a label that /delete-node/ took away. */
static bool refers_to(const struct dt_value *value, const char *label)
{
    for (; value; value = value->next) {
        if ((value->kind == DT_PHANDLE || value->kind == DT_PATH) && strcmp(value->text, label) == 0)
            return true;
    }
    return false;
}

static void dt10(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        for (const struct dt_deletion *d = dt_deletions(images[i]->dt); d; d = d->next) {
            if (d->what[0] != '&' || dt_by_label(images[i]->dt, d->what + 1))
                continue;
            for (const struct dt_node *n = NULL; (n = dt_each(images[i]->dt, n));) {
                for (const struct dt_prop *p = n->prop; p; p = p->next) {
                    if (refers_to(p->value, d->what + 1))
                        check_report(c, dt_place(v, &p->loc), images[i]->name, "%s still refers to %s, which %s:%u deletes",
                            p->name, d->what, dt_place(v, &d->loc).file, d->loc.line);
                }
            }
        }
    }
}

/* Two nodes matter once both drivers are built; MCUboot's own configuration leaves I2C out. */
static void same_hardware(struct check *c, const struct image *i, const struct dt_node *a, const struct dt_node *b)
{
    const struct view *v = c->v;
    bool boot = i == &v->boot;

    if (opt_off(v, i, "I2C") || opt_off(v, i, "SPI") || (boot && !opt_on(v, i, "I2C")))
        return;
    struct finding *f = check_report(c, prop_place(v, b, "status"), i->name,
        "%s and %s are both enabled and are the same hardware at one base address", label_of(b), label_of(a));
    if (!opt_on(v, i, "I2C") || !opt_on(v, i, "SPI"))
        f->severity = SEV_WARNING;
}

static void dt11(struct check *c)
{
    /* Instances that share one base address on nRF52 (serial box 0 and 1, SPIM2 with SPIS2). */
    static const char *const groups[][6] = { { "spi0", "i2c0", "spis0", "twis0", NULL }, { "spi1", "i2c1", "spis1", NULL } };
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    if (!v->soc || !text_starts(v->soc->name, "nrf52"))
        return;
    for (int i = 0; i < 2; i++) {
        for (size_t g = 0; g < 2; g++) {
            const struct dt_node *first = NULL;
            for (size_t k = 0; groups[g][k]; k++) {
                const struct dt_node *n = dt_by_label(images[i]->dt, groups[g][k]);
                const char *status = n ? dt_string(n, "status", 0) : NULL;
                if (!status || strcmp(status, "okay") != 0)
                    continue;
                if (first)
                    same_hardware(c, images[i], first, n);
                first = n;
            }
        }
    }
}

static void dt12(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        for (const struct dt_problem *p = dt_problems(images[i]->dt); p; p = p->next) {
            if (p->kind == DT_DUPLICATE_LABEL && strstr(p->message, "slot1_partition"))
                check_report(c, dt_place(v, &p->loc), images[i]->name,
                    "slot1_partition is defined a second time; the first definition was not deleted");
        }
    }
    const struct dt_node *n = dt_by_label(v->app.dt, "slot1_partition");
    struct slot s = slot_secondary(v);
    bool intent = false;
    const struct dt_node *chip = ext_flash(v, &v->app);
    for (const struct dt_node *k = chip ? dt_child(chip, "partitions") : NULL; k; k = NULL) {
        for (const struct dt_node *part = k->child; part; part = part->next) {
            const char *label = dt_string(part, "label", 0);
            intent |= label && (strcmp(label, "image-1") == 0 || strcmp(label, "image-1-ext") == 0);
        }
    }
    if (n && s.known && !s.external && intent && flash_of_partition(n) != chip)
        check_report(c, node_place(v, n), "app",
            "slot1_partition still lies in internal flash, although %s has a partition labelled image-1", label_of(chip));
}

static const char *dt13_counts(struct check *c, const struct slot *p, const struct slot *s, enum swap_mode m)
{
    uint64_t a = p->size / p->erase, b = s->size / s->erase;

    if (p->erase != s->erase)
        return check_say(c, "slot 0 has units of %llu KiB and slot 1 of %llu KiB; a swap needs the same layout in both",
            (ull)p->erase / 1024, (ull)s->erase / 1024);
    if (sectors_fit(c->v, a, b))
        return NULL;
    return check_say(c, "slot0_partition has %llu sectors (0x%llx), slot1_partition %llu (0x%llx); %s refuses that", (ull)a,
        (ull)p->size, (ull)b, (ull)s->size, swap_mode_name(m));
}

/* The whole configuration is there, and nothing in it speaks of an update: the slots are the board's. */
static bool has_no_updates(const struct view *v)
{
    static const char *const signs[] = { "BOOTLOADER_MCUBOOT", "IMG_MANAGER", "MCUBOOT_IMG_MANAGER", "MCUMGR" };

    if (!v->app.has_conf || uses_mcuboot(v))
        return false;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (opt_on(v, &v->app, signs[i]))
            return false;
    }
    return true;
}

static void dt13(struct check *c)
{
    const struct view *v = c->v;
    struct slot pri = slot_primary(v), sec = slot_secondary(v);
    enum swap_mode m = swap_mode(v);

    if (!swaps(m) || m == SWAP_SCRATCH || has_no_updates(v))
        return;
    if (!sec.known && pri.known) {
        /* slot 1 is on a NOR that cannot be seen whole: its units are 4 KiB whatever its size */
        const struct dt_node *chip = ext_flash(v, &v->app);
        if (!chip || !is_nor(chip))
            return;
        sec = (struct slot) { .known = true, .external = true, .erase = 4096, .size = pri.size, .at = node_place(v, chip) };
    }
    if (!pri.known || !sec.known || !pri.erase || !sec.erase)
        return;
    const char *message = dt13_counts(c, &pri, &sec, m);
    if (!message)
        return;
    struct finding *f = check_report(c, sec.at, "mcuboot", "%s", message);
    if (pri.erase == sec.erase)
        f->fix = check_say(c, "make both slots 0x%llx bytes, or slot 0 one sector larger than slot 1",
            (ull)(pri.size < sec.size ? pri.size : sec.size));
    else
        f->fix = "use overwrite-only (CONFIG_BOOT_UPGRADE_ONLY=y), which does not need like units";
}

static void dt14(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *p = dt_chosen_prop(v->boot.dt, "zephyr,code-partition");
    const char *target = p && p->value ? p->value->text : NULL;

    if (!v->boot.has_overlay || v->boot.dt_built || !v->sysbuild)
        return;
    if (target && strcmp(target, "boot_partition") == 0)
        return;
    if (!p && !v->boot.board_seen && !dt_by_label(v->boot.dt, "boot_partition"))
        return;
    struct finding *f = check_report(c, in_file(v->boot.overlay), "mcuboot",
        "%s replaces MCUboot's own overlay and does not say zephyr,code-partition = &boot_partition, so MCUboot is linked "
        "into %s", v->boot.overlay, target ? target : "the application's slot");
    fix_append(c, f, v->boot.overlay, "/ { chosen { zephyr,code-partition = &boot_partition; }; };");
}

static void dt14_built(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *p = dt_chosen_prop(v->boot.dt, "zephyr,code-partition");

    dt14(c);
    if (v->boot.dt_built && p && p->value && p->value->text && strcmp(p->value->text, "slot0_partition") == 0)
        check_report(c, dt_place(v, &p->loc), "mcuboot", "MCUboot was built with zephyr,code-partition = &slot0_partition");
}

static void dt22(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        const struct dt_node *q = NULL;
        while ((q = dt_by_compatible(images[i]->dt, q, "nordic,qspi-nor"))) {
            const struct nor_part *part = part_of(q);
            const struct dt_node *s = NULL;
            while (dt_is_okay(q) && part && (s = dt_by_compatible(images[i]->dt, s, "jedec,spi-nor"))) {
                if (dt_is_okay(s) && part_of(s) == part && (!s->parent || dt_is_okay(s->parent)))
                    check_report(c, node_place(v, s), images[i]->name,
                        "%s (SPI) and %s (QSPI) describe the same part and are both enabled", label_of(s), label_of(q));
            }
        }
    }
}

const struct rule rules_dt[] = {
    { "DT08", SEV_ERROR, IN_ANY, false, "sources", "the flash node exists, or is enabled, in the application only",
        "MCUboot has no such device: it stops with -2 or -19, or does not even build.",
        "Put the node into the board's dts, or repeat it whole in MCUboot's overlay.",
        "Each image has a devicetree of its own; an overlay of the application does not reach MCUboot.",
        "devzone 120348", dt08 },
    { "DT09", SEV_WARNING, IN_NONE, false, "sources", "fixed-partitions that leave their chip, overlap or contradict themselves",
        "Slots and file systems overwrite each other.", "Correct reg and the unit address.",
        "Zephyr's devicetree tools check types, not meaning.", "edtlib", dt09 },
    { "DT10", SEV_WARNING, IN_ANY, false, "sources", "a deleted node that is still referred to", "dtc stops: undefined node label.",
        "Delete or redirect the reference as well.", "/delete-node/ takes the label with it.", "dtc", dt10 },
    { "DT11", SEV_ERROR, IN_ANY, false, "sources", "two enabled peripherals share one base address",
        "The bus is dead and the flash answers -19.", "Disable one of the two.",
        "SPI0 and I2C0 (and 1) of an nRF52 are one piece of hardware.", "nRF52840 product specification, instances", dt11 },
    { "DT12", SEV_ERROR, IN_NONE, false, "sources", "slot1_partition is defined twice, or still internal",
        "Slot 1 is not where it is meant to be.", "/delete-node/ &slot1_partition; before defining it anew.",
        "The board's own slot1_partition stays unless it is deleted.", "mcuboot #2057 and its like", dt12 },
    { "DT13", SEV_ERROR, IN_NONE, true, "both", "the slots of the devicetree cannot be swapped",
        "'Cannot upgrade: not a compatible amount of sectors'; the image stays pending.", "Give both slots the same size.",
        "Swap using move needs like sectors, slot 0 equal to slot 1 or one larger.",
        "mcuboot swap_move.c; devzone 128375, mcuboot PR #2283 and #2057", dt13 },
    { "DT14", SEV_ERROR, IN_NONE, true, "both", "MCUboot's overlay replaces its own and loses the code partition",
        "MCUboot is linked where the application belongs: a dead board.",
        "Repeat zephyr,code-partition = &boot_partition in the overlay.",
        "sysbuild/mcuboot.overlay is used instead of MCUboot's app.overlay, not on top of it.",
        "zephyr #79967 and #60683", dt14_built },
    { "DT22", SEV_WARNING, IN_ANY, false, "sources", "one chip described twice, for QSPI and for SPI",
        "Two drivers pull at the same pins.", "Disable one of the nodes.", "Some boards carry both descriptions.",
        "zephyr #55199", dt22 },
    { .id = NULL },
};
