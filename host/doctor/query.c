/* Questions that rules ask a view. */
#include <stdio.h>
#include <string.h>

#include "host/doctor/model.h"
#include "host/doctor/project_priv.h"

bool ncs_below(const struct view *v, int version)
{
    return v->p->ncs && v->p->ncs < version;
}

bool zephyr_below(const struct view *v, int version)
{
    int zephyr = v->p->zephyr;

    zephyr += zephyr % 100 == 99; /* x.y.99 of an nRF Connect SDK has what x.y+1 brought */
    return zephyr && zephyr < version;
}

bool sb_on(const struct view *v, const char *name)
{
    return conf_is(&v->sb, name, "y");
}

bool sb_off(const struct view *v, const char *name)
{
    return conf_is(&v->sb, name, "n");
}

/* What sysbuild writes into the images, whatever their own fragments say. */
static const char *forced(const struct view *v, const struct image *i, const char *name)
{
    static const struct {
        const char *option, *sb;
        bool in_app, in_boot;
    } strings[] = {
        { "BOOT_SIGNATURE_KEY_FILE", "BOOT_SIGNATURE_KEY_FILE", false, true },
        { "MCUBOOT_SIGNATURE_KEY_FILE", "BOOT_SIGNATURE_KEY_FILE", true, false },
        { "BOOT_SIGNATURE_TYPE_RSA", "BOOT_SIGNATURE_TYPE_RSA", false, true },
        { "BOOT_SIGNATURE_TYPE_ECDSA_P256", "BOOT_SIGNATURE_TYPE_ECDSA_P256", false, true },
        { "BOOT_SIGNATURE_TYPE_ED25519", "BOOT_SIGNATURE_TYPE_ED25519", false, true },
        { "BOOT_SIGNATURE_TYPE_NONE", "BOOT_SIGNATURE_TYPE_NONE", false, true },
    };
    bool app = strcmp(i->name, "app") == 0;

    if (!v->sysbuild)
        return NULL;
    if (v->flow == FLOW_SYSBUILD && strcmp(name, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY") == 0)
        return sb_on(v, name) ? "y" : "n";
    for (size_t k = 0; k < sizeof strings / sizeof strings[0]; k++) {
        if (strcmp(name, strings[k].option) == 0 && (app ? strings[k].in_app : strings[k].in_boot))
            return conf_value(&v->sb, strings[k].sb);
    }
    return NULL;
}

const char *opt(const struct view *v, const struct image *i, const char *name)
{
    if (i->has_built) {
        const char *built = conf_value(&i->built, name);
        return built ? built : "n";
    }
    const char *value = forced(v, i, name);
    return value ? value : conf_value(&i->src, name);
}

bool opt_is(const struct view *v, const struct image *i, const char *name, const char *value)
{
    const char *has = opt(v, i, name);

    return has && strcmp(has, value) == 0;
}

bool opt_on(const struct view *v, const struct image *i, const char *name)
{
    return opt_is(v, i, name, "y");
}

bool opt_off(const struct view *v, const struct image *i, const char *name)
{
    return opt_is(v, i, name, "n");
}

uint64_t opt_number(const struct view *v, const struct image *i, const char *name, uint64_t fallback)
{
    const char *text = opt(v, i, name);
    uint64_t n;

    return text && conf_number(text, &n) ? n : fallback;
}

bool for_board_only(const struct view *v, const char *file)
{
    struct pool *pool = v->p->pool;

    if (!v->board || !file)
        return false;
    for (const char *path = file; *path; path = path_dir(pool, path)) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
        const char *bare = pool_copy(pool, name, strcspn(name, "."));
        if (board_matches(bare, v->board) || strstr(bare, v->board))
            return true;
    }
    return false;
}

/* Below the folder of a build other than the view's. */
static bool of_other_build(const struct view *v, const char *rel)
{
    for (const struct build *b = v->p->builds; b; b = b->next) {
        size_t n = strlen(b->root);
        if (b != v->build && n && strncmp(rel, b->root, n) == 0 && rel[n] == '/')
            return true;
    }
    return false;
}

const struct artifact *each_artifact(const struct view *v, const struct artifact *after)
{
    const struct artifact *a = after ? after->next : v->p->artifacts;

    while (a && of_other_build(v, a->rel))
        a = a->next;
    return a;
}

/* Images of the network core and of the bootloaders have slots of their own. */
bool artifact_is_app(const struct artifact *a)
{
    static const char *const others[] = { "mcuboot/zephyr/", "s0_image", "s1_image", "net", "ipc_radio", "hci_", "b0", "rpmsg",
        "mcuboot_secondary_app" };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strstr(a->rel, others[i]))
            return false;
    }
    return a->is_image && !a->broken && !(a->has_vectors && a->reset_vector >= 0x01000000);
}

bool package_of_view(const struct view *v, const struct package *z)
{
    return !of_other_build(v, z->file->rel);
}

bool artifact_unsure(const struct view *v, const struct artifact *a)
{
    size_t n = v->build ? strlen(v->build->root) : 0;
    bool built = n && strncmp(a->rel, v->build->root, n) == 0;

    bool to_upload = a->in_zip || text_ends(a->rel, ".signed.bin") || text_ends(a->rel, "app_update.bin");

    return !built && (v->board_count > 1 || v->p->app_count > 1 || !to_upload);
}

const struct partition *static_secondary(const struct view *v)
{
    return map_find(&v->pm_static, "mcuboot_secondary");
}

bool boot_wants_external(const struct view *v)
{
    const struct dt_prop *p = pm_chosen(&v->boot);
    const char *option = "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY";

    return conf_is(&v->boot.src, option, "y") || (p && p->loc.file && text_ends(p->loc.file, ".overlay"));
}

bool external_on(const struct view *v)
{
    static const char *const option = "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY";
    const struct partition *fixed = static_secondary(v);

    if (fixed)
        return partition_in(fixed, "external_flash");
    if (v->flow == FLOW_SYSBUILD)
        return sb_on(v, option) || opt_on(v, &v->app, option);
    return (pm_chosen(&v->app) || opt_on(v, &v->app, option)) && !opt_off(v, &v->app, option);
}

const struct conf_item *opt_item(const struct image *i, const char *name)
{
    const struct conf_item *src = conf_item(&i->src, name);

    return src ? src : i->has_built ? conf_item(&i->built, name) : NULL;
}

struct place opt_place(const struct image *i, const char *name)
{
    const struct conf_item *item = opt_item(i, name);

    return item ? item->at : (struct place) { i->conf_file, 0, 0 };
}

bool uses_mcuboot(const struct view *v)
{
    if (v->sysbuild && (sb_on(v, "BOOTLOADER_MCUBOOT") || sb_off(v, "BOOTLOADER_MCUBOOT")))
        return sb_on(v, "BOOTLOADER_MCUBOOT");
    return v->boot.has_conf || v->boot.has_overlay || v->boot.has_built || v->boot.dt_built
        || opt_on(v, &v->app, "BOOTLOADER_MCUBOOT");
}

bool uses_image_upload(const struct view *v)
{
    static const char *const names[] = { "MCUMGR_GRP_IMG", "NCS_SAMPLE_MCUMGR_BT_OTA_DFU", "MCUMGR_CMD_IMG_MGMT" };

    for (int i = 0; i < 3; i++) {
        if (opt_on(v, &v->app, names[i]))
            return true;
    }
    return false;
}

static const struct {
    const char *sb, *boot;
    enum swap_mode mode;
} modes[] = {
    { "MCUBOOT_MODE_SINGLE_APP", "SINGLE_APPLICATION_SLOT", SINGLE_SLOT },
    { "MCUBOOT_MODE_OVERWRITE_ONLY", "BOOT_UPGRADE_ONLY", OVERWRITE },
    { "MCUBOOT_MODE_DIRECT_XIP", "BOOT_DIRECT_XIP", DIRECT_XIP },
    { "MCUBOOT_MODE_DIRECT_XIP_WITH_REVERT", "BOOT_DIRECT_XIP_REVERT", DIRECT_XIP },
    { "MCUBOOT_MODE_RAM_LOAD", "BOOT_RAM_LOAD", RAM_LOAD },
    { "MCUBOOT_MODE_SWAP_SCRATCH", "BOOT_SWAP_USING_SCRATCH", SWAP_SCRATCH },
    { "MCUBOOT_MODE_SWAP_USING_OFFSET", "BOOT_SWAP_USING_OFFSET", SWAP_OFFSET },
    { "MCUBOOT_MODE_SWAP_USING_MOVE", "BOOT_SWAP_USING_MOVE", SWAP_MOVE },
    { "MCUBOOT_MODE_SWAP_WITHOUT_SCRATCH", "BOOT_SWAP_USING_MOVE", SWAP_MOVE },
};

/* Index of the mode that the project states: in the build, to sysbuild, or to MCUboot; -1 if none. */
static int stated_mode(const struct view *v)
{
    enum { COUNT = sizeof modes / sizeof modes[0] };

    for (int i = 0; i < COUNT && v->boot.has_built; i++) {
        if (conf_is(&v->boot.built, modes[i].boot, "y"))
            return i;
    }
    /* a default of the board gives way to what the project says */
    for (int weak = 0; weak < 2 && v->sysbuild; weak++) {
        for (int i = 0; i < COUNT; i++) {
            const struct conf_item *item = conf_item(&v->sb, modes[i].sb);
            if (item && strcmp(item->value, "y") == 0 && item->weak == (weak == 1))
                return i;
        }
    }
    for (int i = 0; i < COUNT && v->flow != FLOW_SYSBUILD; i++) {
        if (conf_is(&v->boot.src, modes[i].boot, "y"))
            return i;
    }
    return -1;
}

bool swap_mode_said(const struct view *v)
{
    return stated_mode(v) >= 0;
}

enum swap_mode swap_mode(const struct view *v)
{
    int stated = stated_mode(v);

    if (stated >= 0)
        return modes[stated].mode;
    /* MCUboot's default outside Nordic's chips, if there is a partition for it */
    bool nordic = !v->soc || text_starts(v->soc->name, "nrf");
    return !nordic && dt_by_label(v->app.dt, "scratch_partition") ? SWAP_SCRATCH : SWAP_MOVE;
}

bool sectors_fit(const struct view *v, uint64_t primary, uint64_t secondary)
{
    enum swap_mode m = swap_mode(v);
    bool move = primary == secondary || primary == secondary + 1;
    bool offset = primary == secondary || secondary == primary + 1;

    /* newer Zephyr defaults to swap using offset: what suits either is right until the mode is known */
    if (!v->pm && !swap_mode_said(v))
        return move || offset;
    return m == SWAP_OFFSET ? offset : m == SWAP_MOVE ? move : primary == secondary;
}

const char *swap_mode_name(enum swap_mode m)
{
    static const char *const names[] = { "swap using move", "swap using offset", "swap using scratch",
        "overwrite only", "direct XIP", "RAM load", "single slot" };

    return names[m];
}

bool swaps(enum swap_mode m)
{
    return m == SWAP_MOVE || m == SWAP_OFFSET || m == SWAP_SCRATCH;
}

/* --- devicetree -------------------------------------------------------------------------------- */

struct place dt_place(const struct view *v, const struct dt_loc *loc)
{
    const char *dir = v->p->files.dir;
    size_t n = strlen(dir);
    const char *file = loc->file;

    if (file && strncmp(file, dir, n) == 0 && file[n] == '/')
        file += n + 1;
    return (struct place) { file, loc->line, loc->column };
}

struct place node_place(const struct view *v, const struct dt_node *n)
{
    return dt_place(v, &n->loc);
}

struct place prop_place(const struct view *v, const struct dt_node *n, const char *prop)
{
    const struct dt_prop *p = dt_prop(n, prop);

    return dt_place(v, p ? &p->loc : &n->loc);
}

const struct dt_prop *pm_chosen(const struct image *i)
{
    return dt_chosen_prop(i->dt, "nordic,pm-ext-flash");
}

bool is_qspi_nor(const struct dt_node *n)
{
    return n && dt_is_compatible(n, "nordic,qspi-nor");
}

bool is_spi_nor(const struct dt_node *n)
{
    return n && dt_is_compatible(n, "jedec,spi-nor");
}

bool is_nor(const struct dt_node *n)
{
    if (!n)
        return false;
    return is_qspi_nor(n) || is_spi_nor(n) || dt_is_compatible(n, "atmel,at45")
        || dt_is_compatible(n, "jedec,mspi-nor") || dt_is_compatible(n, "st,stm32-qspi-nor")
        || dt_is_compatible(n, "st,stm32-ospi-nor") || dt_is_compatible(n, "nxp,imx-flexspi-nor");
}

bool partition_reg(const struct dt_node *n, uint64_t *address, uint64_t *size)
{
    uint32_t reg[4];
    int cells = dt_u32s(n, "reg", reg, 4);

    if (cells != 2)
        return false;
    *address = reg[0];
    *size = reg[1];
    return true;
}

const struct dt_node *flash_of_partition(const struct dt_node *partition)
{
    const struct dt_node *up = partition->parent;

    return up && up->parent ? up->parent : up;
}

static bool is_partition(const struct dt_node *n)
{
    return n->parent && dt_prop(n, "reg")
        && (dt_is_compatible(n->parent, "fixed-partitions") || strcmp(n->parent->name, "partitions") == 0);
}

const struct dt_node *each_partition(const struct image *i, const struct dt_node *after)
{
    const struct dt_node *n = after;

    while ((n = dt_each(i->dt, n))) {
        if (is_partition(n))
            return n;
    }
    return NULL;
}

static const struct dt_node *only_candidate(const struct image *i)
{
    const struct dt_node *found = NULL, *own = NULL;
    int count = 0, owns = 0;

    for (const struct dt_node *n = NULL; (n = dt_each(i->dt, n));) {
        if (!is_nor(n) || !dt_is_okay(n))
            continue;
        found = n;
        count++;
        /* what the project writes counts before what a known board brings */
        if (n->first.file && n->first.file[0] != '(') {
            own = n;
            owns++;
        }
    }
    return owns == 1 ? own : count == 1 ? found : NULL;
}

const struct dt_node *ext_flash(const struct view *v, const struct image *i)
{
    const struct dt_prop *p = pm_chosen(i);

    if (p)
        return dt_target(i->dt, p->value);
    const struct dt_node *slot = dt_by_label(i->dt, "slot1_partition");
    if (!v->pm && slot) {
        const struct dt_node *chip = flash_of_partition(slot);
        if (chip && is_nor(chip))
            return chip;
    }
    return only_candidate(i);
}

bool node_bits(const struct dt_node *n, uint64_t *bits)
{
    uint32_t v;

    if (dt_u32(n, "size", &v) == OK) {
        *bits = v;
        return true;
    }
    if (dt_u32(n, "size-in-bytes", &v) == OK) {
        *bits = (uint64_t)v * 8;
        return true;
    }
    return false;
}

const struct nor_part *part_of(const struct dt_node *n)
{
    size_t len = 0;
    const uint8_t *id = dt_bytes(n, "jedec-id", &len);
    const struct nor_part *p = id && len == 3 ? nor_by_id(id) : NULL;

    if (p)
        return p;
    p = nor_by_name(n->name);
    for (const struct dt_label *l = n->label; l && !p; l = l->next)
        p = nor_by_name(l->name);
    return p;
}

uint64_t ext_bytes(const struct view *v)
{
    const struct dt_node *n = ext_flash(v, &v->app);
    uint64_t bits = 0;

    if (!n || !node_bits(n, &bits))
        n = ext_flash(v, &v->boot);
    if (!n || !node_bits(n, &bits))
        return 0;
    return bits / 8;
}

/* --- slots ------------------------------------------------------------------------------------- */

static struct slot slot_of_map(const struct map *l, const char *name)
{
    const struct partition *p = map_find(l, name);
    struct slot s = { .name = name, .erase = 4096 };

    if (!p || !partition_size(p, &s.size) || !p->has_address)
        return (struct slot) { .known = false };
    s.known = true;
    s.address = p->address;
    s.external = partition_in(p, "external_flash");
    s.at = p->at;
    return s;
}

static uint64_t erase_of(const struct view *v, const struct dt_node *chip)
{
    uint32_t size;

    if (is_nor(chip))
        return 4096;
    if (chip && dt_u32(chip, "erase-block-size", &size) == OK && size)
        return size;
    return v->soc ? v->soc->erase : 4096;
}

static struct slot slot_of_dt(const struct view *v, const char *label)
{
    const struct image *images[] = { &v->boot, &v->app };

    for (int i = 0; i < 2; i++) {
        const struct dt_node *n = dt_by_label(images[i]->dt, label);
        struct slot s = { .name = label };
        if (!n || !partition_reg(n, &s.address, &s.size))
            continue;
        const struct dt_node *chip = flash_of_partition(n);
        s.known = true;
        s.external = chip && is_nor(chip);
        s.erase = erase_of(v, chip);
        s.at = node_place(v, n);
        return s;
    }
    return (struct slot) { .known = false };
}

static struct slot slot_named(const struct view *v, const char *pm, const char *label)
{
    if (!v->pm)
        return slot_of_dt(v, label);
    struct slot s = slot_of_map(&v->partitions, pm);
    if (!s.known)
        s = slot_of_map(&v->pm_static, pm);
    return s;
}

struct slot slot_primary(const struct view *v)
{
    return slot_named(v, "mcuboot_primary", "slot0_partition");
}

struct slot slot_secondary(const struct view *v)
{
    return slot_named(v, "mcuboot_secondary", "slot1_partition");
}

uint64_t expected_primary(const struct view *v, bool external)
{
    uint64_t boot, storage = 0;

    if (!v->soc || !v->soc->flash_kib)
        return 0;
    boot = opt_number(v, &v->boot, "PM_PARTITION_SIZE_MCUBOOT", 0xc000);
    if (opt_on(v, &v->app, "SETTINGS") || opt_on(v, &v->app, "NVS"))
        storage = 0x2000;
    uint64_t room = (uint64_t)v->soc->flash_kib * 1024 - boot - storage;
    return external ? room : room / 2 / 4096 * 4096;
}
