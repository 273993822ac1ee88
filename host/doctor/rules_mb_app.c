/* MCUboot: what depends on drivers, files of the project and the images it checks. */
#include <stdio.h>
#include <string.h>

#include "host/doctor/rule.h"

typedef unsigned long long ull;

static bool slot_is_external(const struct view *v)
{
    struct slot s = slot_secondary(v);

    return s.known ? s.external : v->pm && v->external_intent;
}

static void mb13(struct check *c)
{
    const struct view *v = c->v;
    static const char *const names[] = { "MCUBOOT_DOWNGRADE_PREVENTION", "BOOT_DOWNGRADE_PREVENTION" };

    for (int i = 0; i < 2; i++) {
        bool on = opt_on(v, &v->boot, names[i]) || sb_on(v, names[i]);
        bool versioned = opt_item(&v->app, "MCUBOOT_IMGTOOL_SIGN_VERSION")
            || source_findf(&v->p->files, "%s/VERSION", v->app_dir) || conf_item(&v->sb, "MCUBOOT_IMGTOOL_SIGN_VERSION");
        if (on && !versioned)
            check_report(c, opt_place(&v->boot, names[i]), "app",
                "downgrade prevention is on, and the application has no version (no VERSION file, no "
                "CONFIG_MCUBOOT_IMGTOOL_SIGN_VERSION): every image is 0.0.0");
    }
}

static void mb14(struct check *c)
{
    static const char *const option = "NORDIC_QSPI_NOR_STACK_WRITE_BUFFER_SIZE";
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int i = 0; i < 2; i++) {
        const struct conf_item *item = opt_item(images[i], option);
        const struct dt_node *n = ext_flash(v, images[i]);
        bool qspi = opt_on(v, images[i], "NORDIC_QSPI_NOR") || (n && is_qspi_nor(n));
        bool zero = item && strcmp(item->value, "0") == 0;
        bool old = !item && zephyr_below(v, 30000) && qspi && images[i]->present;
        if (!zero && !old)
            continue;
        struct finding *f = check_report(c, opt_place(images[i], option), images[i]->name,
            "CONFIG_%s is %s: data that lies in internal flash, like the image's magic, cannot be written to QSPI", option,
            zero ? "0" : "not set, and its default on this Zephyr is 0");
        f->fix = check_say(c, "CONFIG_%s=4", option);
        if (zero && conf_item(&images[i]->src, option))
            fix_replace(c, f, &item->at, f->fix);
        else
            fix_append(c, f, images[i]->conf_file, f->fix);
    }
}

static void mb14b(struct check *c)
{
    static const char *const option = "NORDIC_QSPI_NOR_STACK_WRITE_BUFFER_SIZE";
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };
    uint64_t n;

    for (int i = 0; i < 2 && zephyr_below(v, 30500); i++) {
        const struct conf_item *item = opt_item(images[i], option);
        if (item && conf_number(item->value, &n) && n > 4)
            check_report(c, item->at, images[i]->name, "CONFIG_%s=%llu: the driver of Zephyr before 3.5 writes the whole buffer whatever the length",
                option, (ull)n);
    }
}

static void mb15(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_prop *p = pm_chosen(&v->boot) ? pm_chosen(&v->boot) : pm_chosen(&v->app);

    if (!p || !slot_is_external(v))
        return;
    check_report(c, dt_place(v, &p->loc), "mcuboot",
        "if the external flash is not ready when MCUboot opens it (a slow supply at power-up), MCUboot stops instead of booting slot 0");
}

static void mb16(struct check *c)
{
    const struct view *v = c->v;
    bool off = opt_off(v, &v->boot, "LOG");
    bool mute = opt_off(v, &v->boot, "CONSOLE") && !opt_on(v, &v->boot, "USE_SEGGER_RTT");

    if (off || mute)
        check_report(c, opt_place(&v->boot, off ? "LOG" : "CONSOLE"), "mcuboot", "MCUboot logs nowhere: what it thinks of slot 1 cannot be seen");
}

static void mb17(struct check *c)
{
    const struct view *v = c->v;

    if (conf_is(&v->boot.src, "MCUBOOT_CLEANUP_ARM_CORE", "n") && (!v->p->ncs || ncs_below(v, 20400)))
        check_report(c, opt_place(&v->boot, "MCUBOOT_CLEANUP_ARM_CORE"), "mcuboot",
            "CONFIG_MCUBOOT_CLEANUP_ARM_CORE=n: the application starts with MCUboot's interrupts and stack limits");
}

static void mb18(struct check *c)
{
    const struct view *v = c->v;
    const char *dir = *v->app_dir ? check_say(c, "%s/sysbuild/mcuboot", v->app_dir) : "sysbuild/mcuboot";

    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (text_starts(f->base, "prj") && text_ends(f->base, ".conf") && strcmp(path_dir(v->p->pool, f->rel), dir) == 0)
            return; /* for a FILE_SUFFIX at least */
    }
    for (struct source *f = v->p->files.first; f && v->sysbuild; f = f->next) {
        if (!source_below(f, dir) || (!text_ends(f->base, ".conf") && !text_ends(f->base, ".overlay")))
            continue;
        check_report(c, in_file(f->rel), "mcuboot",
            "the folder %s/ has no prj.conf: it becomes MCUboot's configuration folder and replaces MCUboot's own prj.conf and boards/", dir);
        return;
    }
}

/* A file below `from` that has no counterpart below `to`, MCUboot's first. */
static const struct source *without_counterpart(const struct view *v, const char *from, const char *to)
{
    const char *root = *v->app_dir ? path_join(v->p->pool, v->app_dir, from) : from;

    const struct source *other = NULL;

    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (!source_below(f, root) || (!text_ends(f->base, ".conf") && !text_ends(f->base, ".overlay")))
            continue;
        const char *rest = f->rel + strlen(root) + 1;
        if (source_findf(&v->p->files, "%s/%s/%s", v->app_dir, to, rest))
            continue;
        if (text_starts(rest, "mcuboot"))
            return f;
        other = other ? other : f;
    }
    return other;
}

/* Has MCUboot a configuration or an overlay below `dir` of the application? */
static bool boot_files_below(const struct view *v, const char *dir)
{
    const char *root = path_join(v->p->pool, v->app_dir, dir);

    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (source_below(f, root) && text_starts(f->rel + strlen(root) + 1, "mcuboot"))
            return true;
    }
    return false;
}

static void mb19(struct check *c)
{
    const struct view *v = c->v;
    bool sysbuild = v->flow == FLOW_SYSBUILD || (v->flow == FLOW_NONE && v->sysbuild);
    const struct source *f = sysbuild ? without_counterpart(v, "child_image", "sysbuild")
                                      : without_counterpart(v, "sysbuild", "child_image");

    if (!f || (!sysbuild && v->flow != FLOW_CHILD))
        return;
    struct finding *found = check_report(c, in_file(f->rel), "mcuboot", "%s is not used by this build: %s", f->rel,
        sysbuild ? "sysbuild does not look into child_image/" : "without sysbuild nothing looks into sysbuild/");
    /* other files of MCUboot are where they belong: what is left may be kept for the other way to build */
    if (boot_files_below(v, sysbuild ? "sysbuild" : "child_image") || !strstr(f->rel, "mcuboot"))
        found->severity = SEV_WARNING;
    found->fix = sysbuild ? "move it to sysbuild/" : "build with west build --sysbuild, or move it to child_image/";
}

static void mb20(struct check *c)
{
    const struct view *v = c->v;

    if (v->p->ncs >= 20000 && v->p->ncs < 20100 && v->board && text_ends(v->board, "_ns") && slot_is_external(v))
        check_report(c, in_file(v->app.conf_file), "app", "a non-secure application with TF-M and slot 1 in external flash, on nRF Connect SDK 2.0");
}

static struct place mode_place(const struct view *v)
{
    static const char *const sb[] = { "MCUBOOT_MODE_DIRECT_XIP", "MCUBOOT_MODE_DIRECT_XIP_WITH_REVERT" };

    for (int i = 0; i < 2; i++) {
        const struct conf_item *item = conf_item(&v->sb, sb[i]);
        if (item)
            return item->at;
    }
    return opt_place(&v->boot, "BOOT_DIRECT_XIP");
}

static void mb21(struct check *c)
{
    const struct view *v = c->v;

    if (swap_mode(v) != DIRECT_XIP)
        return;
    if (slot_is_external(v) && !(v->soc && strcmp(v->soc->name, "nrf5340") == 0))
        check_report(c, mode_place(v), "mcuboot", "direct XIP runs slot 1 where it lies, and this SoC cannot execute from external flash");
    else if (v->soc && v->soc->rram && v->pm && !v->has_static)
        check_report(c, mode_place(v), "mcuboot", "direct XIP on an nRF54L needs a pm_static.yml (NCSDK-30119; newer kits may not)")->severity
            = SEV_WARNING;
}

static void mb22(struct check *c)
{
    static const char *const names[] = { "BOOT_BOOTSTRAP", "BOOT_IMG_HASH_DIRECTLY_ON_STORAGE", "BOOT_SIGNATURE_TYPE_PURE" };
    const struct view *v = c->v;

    for (int i = 0; i < 3; i++) {
        if (opt_on(v, &v->boot, names[i]) && slot_is_external(v))
            check_report(c, opt_place(&v->boot, names[i]), "mcuboot", "CONFIG_%s needs both slots in the address space; slot 1 is in external flash",
                names[i]);
    }
}

static void mb23(struct check *c)
{
    const struct view *v = c->v;
    struct slot slots[] = { slot_primary(v), slot_secondary(v) };

    if (!swaps(swap_mode(v)))
        return;
    for (int i = 0; i < 2; i++) {
        const struct slot *s = &slots[i];
        if (!s->known || !s->erase || s->size / s->erase >= 2)
            continue;
        struct finding *f = check_report(c, s->at, "mcuboot", "%s has 0x%llx bytes: %llu erase unit of %llu KiB, and a swap needs at least two",
            s->name, (ull)s->size, (ull)(s->size / s->erase), (ull)s->erase / 1024);
        f->fix = "larger slots, or overwrite-only (CONFIG_BOOT_UPGRADE_ONLY=y)";
    }
    for (const struct artifact *a = NULL; (a = each_artifact(v, a));) {
        const struct slot *s = &slots[0];
        if (!a->is_image || a->broken || !s->known || !s->erase || a->signed_size > s->size || s->erase <= 4096)
            continue;
        if (a->signed_size + s->erase > s->size)
            check_report(c, in_file(a->rel), "mcuboot", "the image has 0x%x bytes and leaves no free unit of %llu KiB in slot 0", a->signed_size,
                (ull)s->erase / 1024);
    }
}

const struct rule rules_mb_app[] = {
    { "MB13", SEV_WARNING, IN_ANY, false, "sources", "downgrade prevention, and images without a version",
        "MCUboot erases the new image at boot: 'Hash not Found'.", "Keep a VERSION file and raise it with every image.",
        "An image that is not newer is refused.", "bootutil loader.c", mb13 },
    { "MB14", SEV_ERROR, IN_ANY, false, "both", "the QSPI driver cannot write constants",
        "'Test' and 'Confirm' do nothing: the magic is never stored, the image stays unselected.",
        "CONFIG_NORDIC_QSPI_NOR_STACK_WRITE_BUFFER_SIZE=4", "QSPI's DMA reads RAM only; the magic is a constant in flash.",
        "zephyr #26419, PR #39138", mb14 },
    { "MB14b", SEV_WARNING, IN_ANY, false, "both", "the QSPI write buffer overruns on this Zephyr", "Bytes behind a short write are overwritten.",
        "CONFIG_NORDIC_QSPI_NOR_STACK_WRITE_BUFFER_SIZE=4", "Fixed in Zephyr 3.5.", "zephyr PR #60327", mb14b },
    { "MB15", SEV_INFO, IN_PM, false, "sources", "a chip that is late keeps MCUboot from booting",
        "On a cold start: 'Failed to open flash area ... -19, cannot continue'; a reset helps.",
        "A part with a short start-up time, a delay in the board's init, or a bootloader that boots slot 0 anyway.",
        "MCUboot opens slot 1 before it looks at slot 0 and gives up on an error.", "devzone 112192; bootutil loader.c", mb15 },
    { "MB16", SEV_INFO, IN_ANY, false, "sources", "MCUboot is silent", "None, but nobody sees why an update is refused.",
        "CONFIG_LOG=y with a UART or RTT, at least while you test.", "MCUboot's log names the reason.", "experience", mb16 },
    { "MB17", SEV_WARNING, IN_ANY, false, "sources", "the core is not cleaned up before the application", "The application faults right after its start.",
        "CONFIG_MCUBOOT_CLEANUP_ARM_CORE=y", "An application expects the core as after reset.", "NCSDK-20104", mb17 },
    { "MB18", SEV_WARNING, IN_SYSBUILD | IN_NONE, false, "sources", "a folder sysbuild/mcuboot/ without prj.conf",
        "MCUboot is built without its own configuration and aborts at boot.",
        "Use sysbuild/mcuboot.conf and sysbuild/mcuboot.overlay, or copy MCUboot's prj.conf and board files into the folder.",
        "The folder becomes APPLICATION_CONFIG_DIR of MCUboot.", "sysbuild_extensions.cmake; devzone 127194", mb18 },
    { "MB19", SEV_ERROR, IN_ANY, false, "sources", "files for a build flow that is not used",
        "What they configure silently does not happen.", "Move the files.", "sysbuild reads sysbuild/, child images read child_image/.",
        "migration guide; devzone 88319 and 119044", mb19 },
    { "MB20", SEV_WARNING, IN_PM, false, "both", "TF-M with slot 1 in external flash on nRF Connect SDK 2.0", "Not supported there.", "Update the SDK.",
        "Known issue.", "NCSDK-15345", mb20 },
    { "MB21", SEV_ERROR, IN_ANY, false, "sources", "direct XIP from a flash that cannot be executed", "The new image never starts.",
        "Swap or overwrite; on an nRF54L give a pm_static.yml.", "Direct XIP copies nothing.", "NCSDK-30119", mb21 },
    { "MB22", SEV_WARNING, IN_ANY, false, "sources", "an option that needs slot 1 in the address space", "The hash of slot 1 fails: the image is refused.",
        "Switch it off.", "External flash is read through a driver.", "help texts of boot/zephyr/Kconfig", mb22 },
    { "MB23", SEV_ERROR, IN_ANY, false, "both", "slots too small for a swap", "The update is never applied.", "Larger slots, or overwrite-only.",
        "A swap needs a unit for its own state besides those of the image.", "mcuboot #2057; zephyr PR #87014", mb23 },
    { .id = NULL },
};
