/*
 * What a project is, as the rules see it.
 *
 * A project holds one or more applications; an application is built for boards; a build goes one of
 * three ways ("flow"). One combination of these is a view: images with their merged devicetree and
 * configuration, the partition map, and what is known of versions. Where the flow cannot be known,
 * there is one view per flow that is possible. Rules read views and nothing else.
 */
#ifndef HOST_DOCTOR_MODEL_H
#define HOST_DOCTOR_MODEL_H

#include "host/doctor/artifact.h"
#include "host/doctor/chips.h"
#include "host/doctor/conf.h"
#include "host/doctor/partitions.h"
#include "host/lib/devicetree/devicetree.h"

enum flow { FLOW_SYSBUILD, FLOW_CHILD, FLOW_NONE, FLOW_COUNT }; /* with, with, without Partition Manager */
enum { IN_SYSBUILD = 1 << FLOW_SYSBUILD, IN_CHILD = 1 << FLOW_CHILD, IN_NONE = 1 << FLOW_NONE,
    IN_PM = IN_SYSBUILD | IN_CHILD, IN_ANY = IN_PM | IN_NONE };
const char *flow_name(enum flow f); /* "sysbuild", "child", "none" */

struct image {
    const char *name; /* "app", "mcuboot" */
    struct sources *files;
    bool present; /* something of it is known */
    struct dt_tree *dt; /* never NULL; empty if nothing is known */
    bool dt_any, dt_built, board_seen;
    struct conf src; /* fragments, in the order they are applied */
    struct conf built; /* .config */
    bool has_built;
    const char *overlay; /* the last overlay, or where one belongs */
    const char *conf_file; /* the fragment, or where one belongs */
    bool has_overlay, has_conf;
};

/* One build folder; each path NULL if it is not there. */
struct build {
    struct build *next;
    const char *root;
    struct source *app_config, *app_dts, *boot_config, *boot_dts, *sb_config, *partitions, *pm_config;
    const char *app_name; /* folder of the application's image */
};

struct project {
    struct pool *pool;
    struct sources files;
    const char *sdk; /* --sdk, or NULL */
    struct sources sdk_files; /* scanned on demand */
    bool sdk_scanned;
    int forced_flow; /* --flow, or -1 */
    int ncs, zephyr; /* 20601 for 2.6.1, 0 if not known */
    const char *ncs_from; /* what says so */
    const char **apps;
    size_t app_count;
    struct build *builds;
    struct key *keys;
    struct artifact *artifacts;
    struct package *packages;
    struct dt_tree **trees; /* all that were made, to be freed */
    size_t tree_count, tree_room;
    bool has_sources, confirms; /* C sources are there; one confirms the image */
    bool plain_zephyr; /* the manifest takes Zephyr itself, no nRF Connect SDK: no Partition Manager */
};

enum swap_mode { SWAP_MOVE, SWAP_OFFSET, SWAP_SCRATCH, OVERWRITE, DIRECT_XIP, RAM_LOAD, SINGLE_SLOT };

struct view {
    struct project *p;
    const char *app_dir; /* "" for the project's folder */
    const char *board; /* NULL if none is named */
    const struct soc *soc; /* NULL if not known */
    enum flow flow;
    bool whatif; /* a flow that is not taken unless somebody switches the Partition Manager off */
    unsigned candidates; /* flows that are possible, this one among them */
    const char *boot_given; /* a build file that gives MCUboot more than is seen here, or NULL */
    unsigned board_count; /* boards that the application is for; more than one: this is one of them */
    bool sysbuild, pm;
    bool external_intent; /* the project says that slot 1 is to be external */
    struct image app, boot;
    struct conf sb; /* SB_CONFIG_: sysbuild.conf, Kconfig.sysbuild, -D */
    bool sb_built;
    struct build *build;
    struct map partitions, pm_static; /* ->file NULL if there is none */
    bool has_partitions, has_static;
};

/* Reads everything below `dir`. False (`why`) if the folder cannot be read. */
bool project_open(struct project *p, struct pool *pool, const char *dir, const char *sdk, int forced_flow,
    const char **why);
void project_close(struct project *p);

/* Calls fn for each view of the project. */
void project_views(struct project *p, void (*fn)(struct view *v, void *ctx), void *ctx);

/* --- questions that rules ask ------------------------------------------------------------------ */

/* The value an option has in the end: .config, else what sysbuild forces, else the fragments. NULL:
 * not set anywhere, so the default. */
const char *opt(const struct view *v, const struct image *i, const char *name);
bool opt_is(const struct view *v, const struct image *i, const char *name, const char *value);
bool opt_on(const struct view *v, const struct image *i, const char *name); /* "y" */
bool opt_off(const struct view *v, const struct image *i, const char *name); /* "n", said so */
uint64_t opt_number(const struct view *v, const struct image *i, const char *name, uint64_t fallback);
const struct conf_item *opt_item(const struct image *i, const char *name); /* where it was written */
struct place opt_place(const struct image *i, const char *name); /* the same, else the fragment */
bool sb_on(const struct view *v, const char *name);
bool sb_off(const struct view *v, const char *name);

/* Is it a file for one board only: its name, or a folder of its path, is the board's? */
bool for_board_only(const struct view *v, const char *file);

/* Images of the build that a view is of, then of no build at all (released files, of any board). */
const struct artifact *each_artifact(const struct view *v, const struct artifact *after);
bool artifact_is_app(const struct artifact *a); /* a whole image, of the application */
bool package_of_view(const struct view *v, const struct package *z);
/* A released file that may be meant for another board or application: what it lacks is no error. */
bool artifact_unsure(const struct view *v, const struct artifact *a);

/* Do MCUboot's own files say that slot 1 is external (and not only the board that both images share)? */
bool boot_wants_external(const struct view *v);
/* Where the static map puts slot 1: NULL if it does not say. */
const struct partition *static_secondary(const struct view *v);
/* Does this flow put slot 1 outside, as far as switches and the static map go? */
bool external_on(const struct view *v);

bool uses_mcuboot(const struct view *v);
bool uses_image_upload(const struct view *v); /* an image management over MCUmgr is configured */
enum swap_mode swap_mode(const struct view *v);
bool swap_mode_said(const struct view *v); /* false: it is the default */
bool sectors_fit(const struct view *v, uint64_t primary, uint64_t secondary); /* counts that a swap takes */
const char *swap_mode_name(enum swap_mode m);
bool swaps(enum swap_mode m);

/* The external flash of an image: what nordic,pm-ext-flash (or slot1) names, else the only candidate. */
const struct dt_node *ext_flash(const struct view *v, const struct image *i);
bool is_nor(const struct dt_node *n); /* jedec,spi-nor or nordic,qspi-nor or another flash chip */
bool is_qspi_nor(const struct dt_node *n);
bool is_spi_nor(const struct dt_node *n);
const struct nor_part *part_of(const struct dt_node *n); /* by id, else by name */
bool node_bits(const struct dt_node *n, uint64_t *bits); /* property size, or size-in-bytes * 8 */
const struct dt_prop *pm_chosen(const struct image *i); /* nordic,pm-ext-flash */
struct place prop_place(const struct view *v, const struct dt_node *n, const char *prop);
struct place node_place(const struct view *v, const struct dt_node *n);
struct place dt_place(const struct view *v, const struct dt_loc *loc);

/* A slot in the partition map that this flow uses. */
struct slot {
    bool known;
    bool external;
    uint64_t address, size, erase; /* erase: bytes of a unit, 0 if not known */
    struct place at;
    const char *name;
};
struct slot slot_primary(const struct view *v);
struct slot slot_secondary(const struct view *v);
/* Bytes slot 0 would get from the Partition Manager with slot 1 outside (`external`) or inside. 0: unknown. */
uint64_t expected_primary(const struct view *v, bool external);
/* Bytes of external flash, 0 if not known. */
uint64_t ext_bytes(const struct view *v);
/* A partition of a fixed-partitions devicetree: all of them, in order. NULL ends. */
const struct dt_node *each_partition(const struct image *i, const struct dt_node *after);
const struct dt_node *flash_of_partition(const struct dt_node *partition);
bool partition_reg(const struct dt_node *n, uint64_t *address, uint64_t *size);

/* Version gates; 0 (not known) is neither below nor at least. */
bool ncs_below(const struct view *v, int version);
bool zephyr_below(const struct view *v, int version);

#endif
