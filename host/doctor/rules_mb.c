/* MCUboot: sectors, modes, scratch, sizes. */
#include <stdlib.h>
#include <string.h>

#include "host/doctor/rule.h"

typedef unsigned long long ull;

static bool external_slot(const struct view *v)
{
    struct slot s = slot_secondary(v);

    if (s.known)
        return s.external;
    return v->pm && v->external_intent;
}

static uint64_t most_sectors(const struct view *v, bool *estimated)
{
    struct slot slots[] = { slot_primary(v), slot_secondary(v) };
    uint64_t most = 0;

    *estimated = false;
    for (int i = 0; i < 2; i++) {
        if (slots[i].known && slots[i].erase && slots[i].size / slots[i].erase > most)
            most = slots[i].size / slots[i].erase;
    }
    if (most == 0 && v->pm && (external_on(v) || boot_wants_external(v)) && v->soc && v->soc->erase) {
        most = expected_primary(v, true) / v->soc->erase;
        *estimated = true;
    }
    return most;
}

static void mb01(struct check *c)
{
    const struct view *v = c->v;
    struct place at;
    bool estimated;

    if (log_line(c, "Failed reading sectors; BOOT_MAX_IMG_SECTORS=", &at))
        check_report(c, at, "mcuboot", "MCUboot could not read the sectors of a slot; most often the slot has more than BOOT_MAX_IMG_SECTORS");
    uint64_t number;
    const char *said = opt(v, &v->boot, "BOOT_MAX_IMG_SECTORS");
    if (said && !conf_number(said, &number))
        said = NULL; /* "is not set" */
    enum swap_mode m = swap_mode(v);
    if (!uses_mcuboot(v) || opt_on(v, &v->boot, "BOOT_MAX_IMG_SECTORS_AUTO") || (!swaps(m) && m != OVERWRITE)
        || (!said && !v->pm))
        return;
    uint64_t have = opt_number(v, &v->boot, "BOOT_MAX_IMG_SECTORS", 128), need = most_sectors(v, &estimated);
    if (need <= have)
        return;
    const struct known_board *board = known_board(v->board);
    if (!said && board && board->mcuboot_conf)
        return; /* MCUboot's file for this board raises it */
    uint64_t value = need <= 256 ? 256 : need <= 512 ? 512 : 1024;
    struct finding *f = check_report(c, opt_place(&v->boot, "BOOT_MAX_IMG_SECTORS"), "mcuboot",
        "CONFIG_BOOT_MAX_IMG_SECTORS is %s%llu, the larger slot %s %llu sectors", said ? "" : "left at its default of ", (ull)have,
        estimated ? "will have about" : "has", (ull)need);
    if (!v->pm && (!v->p->zephyr || v->p->zephyr >= 40000)) {
        f->severity = SEV_WARNING; /* newer Zephyr counts the sectors itself */
        f->message = check_say(c, "%s (unless this Zephyr counts them itself: BOOT_MAX_IMG_SECTORS_AUTO)", f->message);
    }
    if (!said && (!v->board || !v->app.board_seen || (estimated && v->soc->rram)))
        f->severity = SEV_WARNING; /* MCUboot may have a file for the board, which is not known here, that raises it */
    f->fix = check_say(c, "CONFIG_BOOT_MAX_IMG_SECTORS=%llu in %s", (ull)value, v->boot.conf_file);
    const struct conf_item *item = conf_item(&v->boot.src, "BOOT_MAX_IMG_SECTORS");
    const char *line = check_say(c, "CONFIG_BOOT_MAX_IMG_SECTORS=%llu", (ull)value);
    if (item)
        fix_replace(c, f, &item->at, line);
    else
        fix_append(c, f, v->boot.conf_file, line);
}

static void page_size(struct check *c, const struct image *i, const char *option)
{
    const struct view *v = c->v;
    const struct conf_item *item = opt_item(i, option);
    uint64_t value;

    if (!item || !conf_number(item->value, &value) || value == 4096)
        return;
    struct finding *f = check_report(c, item->at, i->name, "CONFIG_%s=%llu, but the internal flash is erased in units of 4096", option,
        (ull)value);
    const struct conf_item *src = conf_item(&i->src, option);
    f->fix = check_say(c, "CONFIG_%s=4096", option);
    if (src)
        fix_replace(c, f, &src->at, f->fix);
    if (i == &v->app)
        f->severity = SEV_WARNING;
}

static void mb02(struct check *c)
{
    static const char *const options[] = { "NORDIC_QSPI_NOR_FLASH_LAYOUT_PAGE_SIZE", "SPI_NOR_FLASH_LAYOUT_PAGE_SIZE" };
    const struct view *v = c->v;
    const struct dt_node *n = ext_flash(v, &v->boot);

    if (!swaps(swap_mode(v)) || !external_slot(v) || (v->soc && v->soc->erase != 4096))
        return;
    if (!n)
        n = ext_flash(v, &v->app);
    if (n && is_qspi_nor(n)) {
        page_size(c, &v->boot, options[0]);
        page_size(c, &v->app, options[0]);
    } else if (n && is_spi_nor(n)) {
        page_size(c, &v->boot, options[1]);
        page_size(c, &v->app, options[1]);
    }
    bool unset_spi = n && is_spi_nor(n) && opt_on(v, &v->boot, "SPI_NOR") && !opt(v, &v->boot, options[1]);
    bool old_qspi = n && is_qspi_nor(n) && ncs_below(v, 20000) && !opt(v, &v->boot, options[0]);
    if (!unset_spi && !old_qspi)
        return;
    struct finding *f = check_report(c, in_file(v->boot.conf_file), "mcuboot",
        "CONFIG_%s is not set for MCUboot; the driver's own default is 65536", options[unset_spi]);
    if (unset_spi)
        f->severity = SEV_WARNING;
    fix_append(c, f, v->boot.conf_file, check_say(c, "CONFIG_%s=4096", options[unset_spi]));
}

static void mb03(struct check *c)
{
    const struct view *v = c->v;

    if (!opt_on(v, &v->boot, "SPI_NOR") || opt_on(v, &v->boot, "MULTITHREADING"))
        return;
    struct finding *f = check_report(c, opt_place(&v->boot, "SPI_NOR"), "mcuboot",
        "MCUboot has the SPI NOR driver without CONFIG_MULTITHREADING=y (its default is n on Nordic SoCs)");
    fix_append(c, f, v->boot.conf_file, "CONFIG_MULTITHREADING=y");
}

static const struct {
    const char *boot, *sb[2];
} modes[] = {
    { "BOOT_UPGRADE_ONLY", { "MCUBOOT_MODE_OVERWRITE_ONLY", NULL } },
    { "BOOT_SWAP_USING_SCRATCH", { "MCUBOOT_MODE_SWAP_SCRATCH", NULL } },
    { "BOOT_SWAP_USING_MOVE", { "MCUBOOT_MODE_SWAP_USING_MOVE", "MCUBOOT_MODE_SWAP_WITHOUT_SCRATCH" } },
    { "BOOT_SWAP_USING_OFFSET", { "MCUBOOT_MODE_SWAP_USING_OFFSET", NULL } },
    { "BOOT_DIRECT_XIP", { "MCUBOOT_MODE_DIRECT_XIP", "MCUBOOT_MODE_DIRECT_XIP_WITH_REVERT" } },
    { "BOOT_RAM_LOAD", { "MCUBOOT_MODE_RAM_LOAD", NULL } },
    { "SINGLE_APPLICATION_SLOT", { "MCUBOOT_MODE_SINGLE_APP", NULL } },
};

static void mb04(struct check *c)
{
    const struct view *v = c->v;

    if (!v->sysbuild)
        return;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        const struct conf_item *item = conf_item(&v->boot.src, modes[i].boot);
        if (!item || strcmp(item->value, "y") != 0 || sb_on(v, modes[i].sb[0]) || (modes[i].sb[1] && sb_on(v, modes[i].sb[1])))
            continue;
        if (strcmp(modes[i].boot, "BOOT_SWAP_USING_MOVE") == 0)
            continue; /* what sysbuild would choose anyway */
        struct finding *f = check_report(c, item->at, "mcuboot",
            "CONFIG_%s in MCUboot's configuration is overwritten by sysbuild, whose own mode is another", modes[i].boot);
        f->fix = check_say(c, "SB_CONFIG_%s=y in sysbuild.conf", modes[i].sb[0]);
        fix_append(c, f, *v->app_dir ? check_say(c, "%s/sysbuild.conf", v->app_dir) : "sysbuild.conf",
            check_say(c, "SB_CONFIG_%s=y", modes[i].sb[0]));
    }
}

static void mb05(struct check *c)
{
    const struct view *v = c->v;
    bool scratch = swap_mode(v) == SWAP_SCRATCH;
    const struct dt_node *n = dt_by_label(v->app.dt, "scratch_partition");

    if (!uses_mcuboot(v))
        return;
    if (v->pm) {
        if (scratch && v->has_static && !map_find(&v->pm_static, "mcuboot_scratch"))  {
            struct finding *f = check_report(c, in_file(v->pm_static.file->rel), "mcuboot",
                "swap using scratch is chosen, and pm_static.yml has no mcuboot_scratch");
            f->severity = v->has_partitions && !map_find(&v->partitions, "mcuboot_scratch") ? SEV_ERROR : SEV_WARNING;
        }
        return;
    }
    if (n && !scratch && n->first.file && n->first.file[0] != '(') {
        check_report(c, node_place(v, n), "mcuboot", "scratch_partition is not used: the mode is %s", swap_mode_name(swap_mode(v)));
    } else if (!n && scratch && dt_by_label(v->app.dt, "slot0_partition")) {
        struct finding *f = check_report(c, opt_place(&v->boot, "BOOT_SWAP_USING_SCRATCH"), "mcuboot",
            "swap using scratch is chosen, and there is no scratch_partition");
        f->severity = SEV_ERROR;
    }
}

static void mb06(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_node *n = ext_flash(v, &v->boot);
    bool qspi = opt_on(v, &v->boot, "NORDIC_QSPI_NOR") || (n && is_qspi_nor(n));

    if (swap_mode(v) != SWAP_SCRATCH || !qspi || (v->p->zephyr && v->p->zephyr >= 30000))
        return;
    check_report(c, opt_place(&v->boot, "BOOT_SWAP_USING_SCRATCH"), "mcuboot", "swap using scratch with slot 1 on QSPI%s",
        v->p->zephyr ? "" : ": fails on Zephyr before 3.0 (the version is not known here)");
}

static void mb07(struct check *c)
{
    const struct view *v = c->v;
    const struct partition *p = map_find(v->has_partitions ? &v->partitions : &v->pm_static, "mcuboot");
    uint64_t room;
    bool driver = opt_on(v, &v->boot, "SPI_NOR") || opt_on(v, &v->boot, "NORDIC_QSPI_NOR");

    if (opt_on(v, &v->boot, "FPROTECT") && driver && (!v->soc || v->soc->rram))
        check_report(c, opt_place(&v->boot, "FPROTECT"), "mcuboot",
            "CONFIG_FPROTECT=y with an external flash driver: on an nRF54L the bootloader outgrows what FPROTECT can cover");
    if (!p || !partition_size(p, &room))
        return;
    for (const struct artifact *a = NULL; (a = each_artifact(v, a));) {
        bool boot = strstr(a->rel, "mcuboot/zephyr/zephyr.bin") != NULL;
        if (boot && a->plain && a->blob.len > room)
            check_report(c, in_file(a->rel), "mcuboot", "MCUboot has %zu bytes, its partition 0x%llx", a->blob.len, (ull)room);
    }
}

static uint64_t images_of(const struct view *v, const struct image *i, const char *const *names, bool *known)
{
    uint64_t n;

    if (v->sysbuild && !i->has_built)
        return *known = false, 1; /* one number of sysbuild's for both */
    for (; *names; names++) {
        const char *text = i->has_built ? conf_value(&i->built, *names) : conf_value(&i->src, *names);
        if (text && conf_number(text, &n)) {
            *known = true;
            return n;
        }
    }
    const char *sb = conf_value(&v->sb, "MCUBOOT_UPDATEABLE_IMAGES");
    *known = sb && conf_number(sb, &n);
    return *known ? n : 1;
}

static void mb08(struct check *c)
{
    static const char *const boot_names[] = { "UPDATEABLE_IMAGE_NUMBER", NULL };
    static const char *const app_names[] = { "UPDATEABLE_IMAGE_NUMBER", "MCUMGR_GRP_IMG_UPDATABLE_IMAGE_NUMBER",
        "MCUBOOT_UPDATEABLE_IMAGES", NULL };
    const struct view *v = c->v;
    struct place at;
    bool know_boot, know_app;

    if (log_line(c, "'PM_MCUBOOT_PRIMARY_1_ID' undeclared", &at))
        check_report(c, at, "mcuboot", "MCUboot is built for another number of images than the application and its map");
    uint64_t boot = images_of(v, &v->boot, boot_names, &know_boot), app = images_of(v, &v->app, app_names, &know_app);
    if (!know_boot || !know_app || boot == app)
        return;
    check_report(c, opt_place(&v->app, app_names[0]), "app", "the application handles %llu images, MCUboot %llu", (ull)app, (ull)boot);
}

static void mb09(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *item = conf_item(&v->boot.src, "FLASH_SIMULATOR");

    if (!item || strcmp(item->value, "y") != 0 || (v->soc && strcmp(v->soc->name, "nrf5340") == 0))
        return;
    struct finding *f = check_report(c, item->at, "mcuboot", "CONFIG_FLASH_SIMULATOR belongs to updates of an nRF5340's network core; here it does nothing");
    fix_delete(c, f, &item->at);
}

static void mb10(struct check *c)
{
    const struct view *v = c->v;

    if (swap_mode(v) != SINGLE_SLOT || !uses_image_upload(v))
        return;
    check_report(c, opt_place(&v->boot, "SINGLE_APPLICATION_SLOT"), "mcuboot",
        "MCUboot is configured for a single slot, and the application expects uploads into slot 1");
}

static void mb11(struct check *c)
{
    const struct view *v = c->v;
    bool multi = sb_on(v, "MCUBOOT_NRF53_MULTI_IMAGE_UPDATE") || opt_on(v, &v->app, "NRF53_MULTI_IMAGE_UPDATE")
        || opt_on(v, &v->boot, "NRF53_MULTI_IMAGE_UPDATE");

    if (!multi || !swaps(swap_mode(v)))
        return;
    const struct conf_item *item = conf_item(&v->sb, "MCUBOOT_NRF53_MULTI_IMAGE_UPDATE");
    check_report(c, item ? item->at : opt_place(&v->app, "NRF53_MULTI_IMAGE_UPDATE"), "mcuboot",
        "both cores of the nRF5340 are updated together, with %s: the network core's image cannot be swapped back",
        swap_mode_name(swap_mode(v)));
}

static void mb12(struct check *c)
{
    const struct view *v = c->v;

    if (opt_on(v, &v->boot, "MCUBOOT_SERIAL") && external_slot(v) && ncs_below(v, 20200))
        check_report(c, opt_place(&v->boot, "MCUBOOT_SERIAL"), "mcuboot",
            "serial recovery writes into a slot on QSPI, which fails before nRF Connect SDK 2.2");
}

const struct rule rules_mb[] = {
    { "MB01", SEV_ERROR, IN_ANY, false, "both", "a slot has more sectors than MCUboot can hold",
        "'Failed reading sectors; BOOT_MAX_IMG_SECTORS=128 - too small?': no update, possibly no boot.",
        "Raise CONFIG_BOOT_MAX_IMG_SECTORS in MCUboot's configuration.",
        "Slots grow to about 1 MiB when slot 1 moves outside, 256 units of 4 KiB; the default of 128 covers 512 KiB. Under the "
        "Partition Manager the value is not computed automatically.",
        "boot/zephyr/Kconfig; devzone 81563 and 109756", mb01 },
    { "MB02", SEV_ERROR, IN_ANY, false, "both", "the external flash is presented in pages unlike the internal ones",
        "'not same sector layout': no swap, or a broken one.", "Set the layout page size to 4096 in MCUboot and in the application.",
        "A swap needs the same units on both sides; the drivers' own default is 64 KiB.", "mcuboot #1716", mb02 },
    { "MB03", SEV_WARNING, IN_ANY, false, "both", "an SPI flash driver in MCUboot without threads",
        "MCUboot hangs, or finds no device.", "CONFIG_MULTITHREADING=y in MCUboot's configuration.",
        "The SPI driver waits on kernel objects; the QSPI driver has a way without.", "boot/zephyr/Kconfig", mb03 },
    { "MB04", SEV_WARNING, IN_SYSBUILD | IN_NONE, false, "sources", "MCUboot's mode is set where sysbuild overwrites it",
        "Bootloader and application work in another mode than you think.", "Set the mode in sysbuild.conf: SB_CONFIG_MCUBOOT_MODE_....",
        "sysbuild writes the mode into all images.", "sysbuild/CMakeLists.txt", mb04 },
    { "MB05", SEV_INFO, IN_ANY, false, "sources", "scratch partition and swap mode do not belong together",
        "Room is wasted; or, with scratch mode and no partition, the build stops.", "Delete one of the two.",
        "Only swap using scratch uses it.", "boot/zephyr/Kconfig; pm.yml", mb05 },
    { "MB06", SEV_WARNING, IN_ANY, false, "both", "swap using scratch with slot 1 on QSPI, on an old Zephyr",
        "An assertion in the middle of the swap; the device stays in the bootloader.", "Use swap using move, or Zephyr 3.0 or newer.",
        "Scratch mode read single bytes, which QSPI could not do then.", "zephyr #38719", mb06 },
    { "MB07", SEV_WARNING, IN_ANY, false, "both", "MCUboot outgrows its partition or its protection",
        "The linker stops, or FPROTECT fails at boot.", "Raise CONFIG_PM_PARTITION_SIZE_MCUBOOT, or CONFIG_FPROTECT=n in MCUboot.",
        "A flash driver with logging takes room; the nRF54L protects small regions only.", "sdk-zephyr PR #3170", mb07 },
    { "MB08", SEV_ERROR, IN_ANY, false, "build output", "MCUboot and the application count images differently",
        "Image 1 is never installed, or its upload is refused, or the build stops.", "SB_CONFIG_MCUBOOT_UPDATEABLE_IMAGES, the same for both.",
        "Each has its own option.", "sysbuild/CMakeLists.txt; devzone 119405", mb08 },
    { "MB09", SEV_INFO, IN_ANY, false, "sources", "a flash simulator in MCUboot", "None.", "Delete the lines.",
        "They come from recipes for the nRF5340.", "modules/mcuboot Kconfig", mb09 },
    { "MB10", SEV_ERROR, IN_ANY, false, "sources", "a single slot, and uploads into a second", "There is no slot to upload to.",
        "CONFIG_SINGLE_APPLICATION_SLOT=n, SB_CONFIG_MCUBOOT_MODE_SINGLE_APP=n.", "With one slot images can only be loaded by serial recovery.",
        "pm.yml", mb10 },
    { "MB11", SEV_WARNING, IN_ANY, false, "sources", "both cores of an nRF5340 updated with a swap",
        "A revert bricks: the network core's image cannot be read back.", "SB_CONFIG_MCUBOOT_MODE_OVERWRITE_ONLY=y.",
        "The network core's flash is not readable for the application core.", "Kconfig.mcuboot of the nRF Connect SDK", mb11 },
    { "MB12", SEV_WARNING, IN_PM, false, "both", "serial recovery into a QSPI slot on an old SDK", "The write fails.", "Update the SDK.",
        "Fixed in nRF Connect SDK 2.2.", "NCSDK-18422", mb12 },
    { .id = NULL },
};
