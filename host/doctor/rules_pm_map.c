/* The Partition Manager's map: sizes, places, overlaps. */
#include <stdlib.h>
#include <string.h>

#include "host/doctor/rule.h"

typedef unsigned long long ull;

/* The map that a build made, else the static one; NULL if there is none. */
static const struct map *map_of(const struct view *v)
{
    return v->has_partitions ? &v->partitions : v->has_static ? &v->pm_static : NULL;
}

static void pm08(struct check *c)
{
    const struct view *v = c->v;
    struct slot pri = slot_primary(v), sec = slot_secondary(v);
    enum swap_mode m = swap_mode(v);

    if (!swaps(m) || m == SWAP_SCRATCH)
        return;
    if (!pri.known && sec.known && v->has_static && !v->has_partitions && !map_find(&v->pm_static, "mcuboot_primary")
        && !map_find(&v->pm_static, "app")) {
        struct finding *f = check_report(c, sec.at, "mcuboot",
            "pm_static.yml fixes mcuboot_secondary (0x%llx) but not mcuboot_primary: the two will differ as soon as the "
            "primary is sized anew", (ull)sec.size);
        f->severity = SEV_WARNING;
        return;
    }
    if (!pri.known || !sec.known)
        return;
    uint64_t a = pri.size / 4096, b = sec.size / 4096;
    if (sectors_fit(v, a, b))
        return;
    struct finding *f = check_report(c, sec.at, "mcuboot",
        "slot 0 has %llu sectors (0x%llx), slot 1 has %llu (0x%llx); %s accepts equal counts, or one %s in slot 0",
        (ull)a, (ull)pri.size, (ull)b, (ull)sec.size, swap_mode_name(m), m == SWAP_MOVE ? "more" : "less");
    f->fix = check_say(c, "give both slots the same size: 0x%llx", (ull)(pri.size < sec.size ? pri.size : sec.size));
}

static uint64_t region_bytes(const struct view *v, const char *region)
{
    if (strcmp(region, "external_flash") == 0)
        return ext_bytes(v);
    if (strcmp(region, "flash_primary") == 0 && v->soc)
        return (uint64_t)v->soc->flash_kib * 1024;
    return 0;
}

static void pm09(struct check *c)
{
    const struct view *v = c->v;
    const struct map *l = map_of(v);

    for (const struct partition *p = l ? l->first : NULL; p; p = p->next) {
        const char *region = p->region ? p->region : "flash_primary";
        uint64_t size, room = region_bytes(v, region);
        if (!room || !p->has_address || !partition_size(p, &size) || p->negative)
            continue;
        if (p->address + size <= room)
            continue;
        bool ext = strcmp(region, "external_flash") == 0;
        struct finding *f = check_report(c, p->at, "sysbuild", "partition %s ends at 0x%llx, but the %s flash has 0x%llx bytes%s",
            p->name, (ull)(p->address + size), ext ? "external" : "internal", (ull)room,
            ext ? " (the devicetree's size is in bits)" : "");
        if (ext)
            f->fix = "move or shrink it, or correct the size of the flash node (bits, not bytes)";
        /* one map for several boards: it may be meant for another of them */
        if (v->board_count > 1 && !for_board_only(v, l->file->rel))
            f->severity = SEV_WARNING;
    }
}

static void pm10(struct check *c)
{
    const struct view *v = c->v;
    struct slot slots[] = { slot_primary(v), slot_secondary(v) };

    if (v->soc && v->soc->erase != 4096)
        return;
    for (int i = 0; i < 2; i++) {
        const struct slot *s = &slots[i];
        if (!s->known || (s->address % 4096 == 0 && s->size % 4096 == 0))
            continue;
        struct finding *f = check_report(c, s->at, "mcuboot",
            "%s is 0x%llx bytes at 0x%llx: not a multiple of the erase unit of 0x1000", s->name, (ull)s->size, (ull)s->address);
        if (!s->external && swap_mode(v) == OVERWRITE)
            f->severity = SEV_WARNING; /* shares a unit with its neighbour, which goes well while that end of it is empty */
    }
}

static bool is_inner(const char *name)
{
    static const char *const names[] = { "app", "mcuboot_pad", "app_image", "tfm", "tfm_nonsecure", "mcuboot_primary_app",
        "mcuboot_primary_1", "s0", "s1", "s0_image", "s1_image", "s0_pad", "s1_pad", "external_flash" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return strstr(name, "pad") != NULL;
}

static bool names_part(const struct partition *box, const struct partition *p)
{
    for (int i = 0; i < box->spans; i++) {
        if (strcmp(box->span[i], p->name) == 0)
            return true;
    }
    return false;
}

static bool within(const struct partition *inner, uint64_t isize, const struct partition *outer, uint64_t osize)
{
    return inner->address >= outer->address && inner->address + isize <= outer->address + osize;
}

static bool overlap_matters(const struct partition *a, uint64_t asize, const struct partition *b, uint64_t bsize)
{
    uint64_t aend = a->address + asize, bend = b->address + bsize;

    if (asize == 0 || bsize == 0 || a->address >= bend || b->address >= aend)
        return false;
    if (names_part(a, b) || names_part(b, a) || (a->container && b->container))
        return false;
    if ((within(a, asize, b, bsize) || within(b, bsize, a, asize)) && (is_inner(a->name) || is_inner(b->name) || a->container || b->container))
        return false;
    return true;
}

/* What is built or updated, or a place for it: not data of the application. */
static bool holds_image(const struct partition *p)
{
    static const char *const starts[] = { "mcuboot", "app", "tfm", "b0", "s0", "s1", "provision" };

    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        if (text_starts(p->name, starts[i]))
            return true;
    }
    return false;
}

static void pm11(struct check *c)
{
    const struct map *l = map_of(c->v);

    for (const struct partition *a = l ? l->first : NULL; a; a = a->next) {
        uint64_t asize, bsize;
        const char *region = a->region ? a->region : "flash_primary";
        if (!a->has_address || !partition_size(a, &asize) || strstr(region, "ram") || strcmp(region, "otp") == 0)
            continue;
        for (const struct partition *b = a->next; b; b = b->next) {
            if (!b->has_address || !partition_size(b, &bsize) || !partition_in(b, region)
                || !overlap_matters(a, asize, b, bsize))
                continue;
            struct finding *f = check_report(c, b->at, "sysbuild", "%s (0x%llx..0x%llx) and %s (0x%llx..0x%llx) overlap in %s",
                b->name, (ull)b->address, (ull)(b->address + bsize), a->name, (ull)a->address, (ull)(a->address + asize), region);
            /* one place for the updates of several images, one after the other, can be meant; so can data in data */
            bool nested = within(a, asize, b, bsize) || within(b, bsize, a, asize);
            if ((text_starts(a->name, "mcuboot_secondary") && text_starts(b->name, "mcuboot_secondary"))
                || (nested && !holds_image(a) && !holds_image(b)))
                f->severity = SEV_WARNING;
        }
    }
}

/* The name within FIXED_PARTITION_xxx( ), NULL if it is not a plain name. */
static const char *partition_argument(struct pool *pool, const char *at)
{
    size_t n = strcspn(at, "(");

    if (n > 24 || at[n] != '(')
        return NULL;
    at += n + 1;
    at += strspn(at, " ");
    n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return n && at[n + strspn(at + n, " ")] == ')' ? pool_copy(pool, at, n) : NULL;
}

static bool pm_defines(struct check *c, const char *name)
{
    static const char *const always[] = { "storage_partition", "storage", "slot0_partition", "slot1_partition", "image_0",
        "image_1", "boot_partition", "scratch_partition", "settings_storage", "littlefs_storage", "nvs_storage",
        "mcuboot_primary", "mcuboot_secondary", "mcuboot", "app" };
    const struct view *v = c->v;

    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        if (strcmp(always[i], name) == 0)
            return true;
    }
    if (map_find(&v->partitions, name) || map_find(&v->pm_static, name))
        return true;
    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (text_starts(f->base, "pm.yml")) {
            const char *text = source_text(&v->p->files, f);
            if (text && strstr(text, name))
                return true;
        }
    }
    /* Only what the devicetree has as a partition can be meant. */
    const struct dt_node *n = dt_by_label(v->app.dt, name);
    return !n || !n->parent || !dt_prop(n, "reg");
}

/* Is `at` within a comment of C text? */
static bool in_comment(const char *text, const char *at)
{
    for (const char *p = text; p < at; p++) {
        const char *end = NULL;
        if (p[0] == '/' && p[1] == '*')
            end = strstr(p + 2, "*/");
        else if (p[0] == '/' && p[1] == '/')
            end = strchr(p, '\n');
        else
            continue;
        if (!end || end > at)
            return true;
        p = end;
    }
    return false;
}

static void uses_of_partitions(struct check *c, struct source *f, const char *text, const char *macro)
{
    const struct view *v = c->v;

    for (const char *at = text; (at = strstr(at, macro)); at++) {
        const char *name = partition_argument(v->p->pool, at);
        if (!name || pm_defines(c, name) || in_comment(text, at))
            continue;
        unsigned line = 1;
        const char *start = text;
        for (const char *p = text; p < at; p++) {
            if (*p == '\n') {
                line++;
                start = p + 1;
            }
        }
        f->used = true;
        struct finding *found = check_report(c, (struct place) { f->rel, line, (unsigned)(at - start) + 1 }, "app",
            "%s(%s): the Partition Manager has no partition %s; the devicetree's is not used", macro, name, name);
        if (!map_of(v))
            found->severity = SEV_WARNING;
    }
}

static void pm14(struct check *c)
{
    static const char *const macros[] = { "FIXED_PARTITION_ID", "FIXED_PARTITION_OFFSET", "FIXED_PARTITION_SIZE",
        "FIXED_PARTITION_DEVICE", "FLASH_AREA_ID" };
    const struct view *v = c->v;

    for (struct source *f = v->p->files.first; f; f = f->next) {
        bool code = text_ends(f->base, ".c") || text_ends(f->base, ".h") || text_ends(f->base, ".cpp");
        const char *text = code && source_below(f, v->app_dir) ? source_peek(&v->p->files, f) : NULL;
        /* code that asks for the Partition Manager knows of both worlds */
        if (!text || strstr(text, "PARTITION_MANAGER"))
            continue;
        for (size_t m = 0; m < sizeof macros / sizeof macros[0]; m++)
            uses_of_partitions(c, f, text, macros[m]);
    }
}

static void compare_maps(struct check *c, const struct map *now, const struct map *then, const char *then_name,
    bool deployed)
{
    static const char *const names[] = { "mcuboot_primary", "mcuboot_secondary", "mcuboot_pad", "mcuboot" };

    for (int i = 0; i < 4; i++) {
        const struct partition *a = map_find(now, names[i]), *b = map_find(then, names[i]);
        uint64_t asize = 0, bsize = 0;
        if (!a || !b || !partition_size(a, &asize) || !partition_size(b, &bsize) || !a->has_address || !b->has_address)
            continue;
        if (a->address == b->address && asize == bsize && partition_in(a, b->region ? b->region : "flash_primary"))
            continue;
        struct finding *f = check_report(c, a->at, "sysbuild", "%s is 0x%llx bytes at 0x%llx of %s here and 0x%llx at 0x%llx of %s in %s", names[i],
            (ull)asize, (ull)a->address, a->region ? a->region : "flash_primary", (ull)bsize, (ull)b->address,
            b->region ? b->region : "flash_primary", then_name);
        if (!deployed)
            f->severity = SEV_WARNING;
    }
}

static void pm16(struct check *c)
{
    const struct view *v = c->v;

    if (!v->has_partitions)
        return;
    if (v->has_static)
        compare_maps(c, &v->partitions, &v->pm_static, v->pm_static.file->rel, false);
    for (struct source *f = v->p->files.first; f; f = f->next) {
        struct map deployed;
        if (!strstr(f->base, "deployed") || !text_ends(f->base, ".yml"))
            continue;
        map_init(&deployed);
        if (map_read_yaml(&deployed, &v->p->files, f))
            compare_maps(c, &v->partitions, &deployed, f->rel, true);
    }
}

static void pm17(struct check *c)
{
    const struct view *v = c->v;
    const struct map *l = map_of(v);
    const struct partition *p = map_find(l, "mcuboot_pad");
    uint64_t size, want = v->soc && v->soc->rram ? 0x800 : 0x200, said;
    const char *sb = conf_value(&v->sb, "PM_MCUBOOT_PAD");

    if (!p || !partition_size(p, &size) || (!v->soc && !sb))
        return;
    if (sb && conf_number(sb, &said))
        want = said;
    if (size != want)
        check_report(c, p->at, "sysbuild", "mcuboot_pad has 0x%llx bytes, the image header takes 0x%llx on this SoC", (ull)size,
            (ull)want);
}

static void pm19(struct check *c)
{
    const struct view *v = c->v;
    const struct map *l = map_of(v);
    struct place at;

    if (log_line(c, "'PM_MCUBOOT_PRIMARY_1_ID' undeclared", &at) || log_line(c, "'PM_MCUBOOT_SECONDARY_1_ID' undeclared", &at))
        check_report(c, at, "mcuboot",
            "the compiler misses the partitions of image 1: MCUboot is built for more images than the map has");
    uint64_t n = opt_number(v, &v->boot, "UPDATEABLE_IMAGE_NUMBER", 1);
    const char *sb = conf_value(&v->sb, "MCUBOOT_UPDATEABLE_IMAGES");
    uint64_t said;
    if (sb && conf_number(sb, &said) && !v->boot.has_built)
        n = said;
    for (uint64_t i = 1; l && i < n && i < 8; i++) {
        const char *pri = check_say(c, "mcuboot_primary_%u", (unsigned)i), *sec = check_say(c, "mcuboot_secondary_%u", (unsigned)i);
        const char *gone = !map_find(l, pri) ? pri : !map_find(l, sec) ? sec : NULL;
        if (!gone)
            continue;
        struct finding *f = check_report(c, in_file(l->file->rel), "mcuboot", "MCUboot handles %u images, but %s has no %s%s",
            (unsigned)n, l->file->rel, gone, v->has_partitions ? "" : ", so that its place is left to the build");
        if (!v->has_partitions)
            f->severity = SEV_WARNING;
    }
}

static void pm20(struct check *c)
{
    const struct map *l = map_of(c->v);

    for (const struct partition *p = l ? l->first : NULL; p; p = p->next) {
        bool backwards = p->has_address && p->has_end && p->end < p->address;
        if (p->negative || backwards)
            check_report(c, p->at_size, "sysbuild", "%s has a negative size (%s0x%llx): the partitions before it do not fit its "
                "region", p->name, "-", (ull)(p->negative ? p->size : p->address - p->end));
    }
}

static void pm21(struct check *c)
{
    static const char *const names[] = { "mcuboot_primary", "app", "mcuboot" };
    const struct view *v = c->v;
    const struct map *l = map_of(v);

    if (v->soc && strcmp(v->soc->name, "nrf5340") == 0)
        return;
    for (int i = 0; i < 3; i++) {
        const struct partition *p = map_find(l, names[i]);
        if (p && partition_in(p, "external_flash"))
            check_report(c, p->at, "sysbuild", "%s is placed in the external flash, from which this SoC cannot start an image",
                names[i]);
    }
}

static void pm22(struct check *c)
{
    const struct view *v = c->v;
    const struct partition *p = map_find(&v->partitions, "mcuboot_secondary");

    if (!v->has_partitions || !p || partition_in(p, "external_flash") || !v->external_intent)
        return;
    const struct partition *fixed = map_find(&v->pm_static, "mcuboot_secondary");
    if (fixed && !partition_in(fixed, "external_flash"))
        return;
    check_report(c, p->at, "sysbuild", "the build has put mcuboot_secondary into %s, although the project has an external flash for it",
        p->region ? p->region : "flash_primary");
}

const struct rule rules_pm_map[] = {
    { "PM08", SEV_ERROR, IN_PM, false, "both", "the two slots have sector counts that cannot be swapped",
        "'Cannot upgrade: not a compatible amount of sectors'; the image stays pending and the old one keeps running.",
        "Give both slots the same size (share_size, or pm_static.yml for both).",
        "Swap using move needs slot 0 equal to slot 1 or one sector larger; swap using offset the other way round.",
        "mcuboot swap_move.c and swap_offset.c; devzone 128375, mcuboot PR #2283", pm08 },
    { "PM09", SEV_ERROR, IN_PM, false, "both", "a partition ends behind its chip",
        "Reads and writes wrap around or fail; the Partition Manager says nothing and the build is green.",
        "Move or shrink the partition, or correct the chip's size.",
        "The Partition Manager does not compare a partition with the size of an external chip.",
        "a run of partition_manager.py of 2.9.0; devzone 85987", pm09 },
    { "PM10", SEV_ERROR, IN_ANY, false, "both", "a slot is not aligned to the erase unit",
        "The first erase of the upload returns -EINVAL and the upload stops.",
        "Align start and size to 0x1000.", "NOR flash is erased in units of 4096 bytes; the Partition Manager accepts 0x200.",
        "nrf_qspi_nor.c; a run of partition_manager.py of 2.9.0", pm10 },
    { "PM11", SEV_ERROR, IN_PM, false, "both", "two partitions of one chip overlap",
        "A file system and a slot destroy each other.", "Give each its own range.",
        "The Partition Manager reports some overlaps as gaps and lets others pass.", "a run of partition_manager.py of 2.9.0",
        pm11 },
    { "PM14", SEV_ERROR, IN_PM, false, "sources", "the code uses a partition that the Partition Manager does not have",
        "The build stops: PM_..._ID undeclared.", "Add the partition to pm_static.yml.",
        "Under the Partition Manager FIXED_PARTITION_xxx(x) means its partition x, not the devicetree's.",
        "zephyr/nrf include/flash_map_pm.h", pm14 },
    { "PM16", SEV_ERROR, IN_PM, false, "build output", "the new map differs from the one on devices in the field",
        "An update linked for the new places does not boot, or overwrites what is not its own.",
        "Restore the deployed map in pm_static.yml.", "A bootloader in the field cannot be moved by an update.",
        "MCUboot's design; Partition Manager documentation on static configuration", pm16 },
    { "PM17", SEV_WARNING, IN_PM, false, "build output", "mcuboot_pad is not as large as the image header",
        "The header is looked for at the wrong place; nothing boots.", "Make mcuboot_pad 0x200 (nRF54L: 0x800).",
        "The pad is where imgtool puts the header.", "partition_manager.cmake", pm17 },
    { "PM19", SEV_ERROR, IN_PM, false, "build output", "MCUboot is built for more images than the map has slots",
        "The build stops: PM_MCUBOOT_PRIMARY_1_ID undeclared.",
        "Add mcuboot_primary_1 and mcuboot_secondary_1, or build for one image.",
        "Each updateable image needs both its slots in the map.", "pm_sysflash.h; devzone 119405", pm19 },
    { "PM20", SEV_ERROR, IN_PM, false, "build output", "a partition has a negative size",
        "The map is nonsense, and the build is green.", "Correct the size of the chip (bits), or the partitions before it.",
        "The Partition Manager computes remainders without looking at their sign.", "a run of partition_manager.py of 2.9.0",
        pm20 },
    { "PM21", SEV_ERROR, IN_PM, false, "both", "the running image is placed in external flash",
        "Nothing boots.", "Keep mcuboot_primary internal.",
        "Only the nRF5340 has a supported way to execute from QSPI flash in the nRF Connect SDK.",
        "sdk-nrf sysbuild/Kconfig.xip; devzone 114604", pm21 },
    { "PM22", SEV_WARNING, IN_PM, false, "build output", "the build placed slot 1 internally against the project's intent",
        "Uploads go to internal flash; the external chip stays empty.", "As PM03 and PM01, then build pristine.",
        "partitions.yml is what the build really did.", "a run of partition_manager.py of 2.9.0", pm22 },
    { .id = NULL },
};
