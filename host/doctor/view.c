/* Views: what an application's images consist of, for one board and one build flow. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/kconfig.h"
#include "host/doctor/cmake.h"
#include "host/doctor/model.h"
#include "host/doctor/project_priv.h"

/* What is gathered once for an application and a board, and shared by the views of its flows. */
struct setup {
    struct project *p;
    const char *app, *board;
    struct build *build;
    struct source *board_dts;
    const struct known_board *known;
    unsigned board_count;
    const char *suffix; /* FILE_SUFFIX of this build, NULL: none */
    const struct suffixes *suffixes; /* those that the application has files for */
    bool has_sysbuild, has_child, pm_evidence, pm_outputs, pm_off;
    const char *boot_given; /* a file that gives MCUboot more files or options, in ways not followed here; NULL */
};

static struct dt_tree *new_tree(struct project *p)
{
    const char *dirs[8];
    struct dt_options o = { .include_dirs = dirs };

    dirs[o.include_dir_count++] = path_join(p->pool, p->files.dir, "dts");
    dirs[o.include_dir_count++] = path_join(p->pool, p->files.dir, "include");
    if (p->sdk) {
        dirs[o.include_dir_count++] = path_join(p->pool, p->sdk, "zephyr/dts");
        dirs[o.include_dir_count++] = path_join(p->pool, p->sdk, "zephyr/dts/arm");
        dirs[o.include_dir_count++] = path_join(p->pool, p->sdk, "zephyr/dts/common");
        dirs[o.include_dir_count++] = path_join(p->pool, p->sdk, "zephyr/include");
    }
    struct dt_tree *t = dt_new(&o);
    if (p->tree_count == p->tree_room) {
        p->tree_room = p->tree_room ? p->tree_room * 2 : 16;
        struct dt_tree **more = realloc(p->trees, p->tree_room * sizeof *more);
        if (more)
            p->trees = more;
        else
            p->tree_room = 0;
    }
    if (!t || p->tree_room == 0) {
        fprintf(stderr, "error: the doctor has no memory left for a devicetree\n");
        exit(2);
    }
    p->trees[p->tree_count++] = t;
    return t;
}

static bool read_dts(struct image *i, struct source *f)
{
    /* what could not be read once is not tried again for the next view: each try may take seconds */
    const char *text = f && !f->unfit ? source_text(i->files, f) : NULL;

    if (!f)
        return false;
    f->decides = true;
    if (!text)
        return false;
    int rc = dt_read_text(i->dt, f->path, text, f->len);
    if (rc != OK) {
        f->unfit = true;
        f->trouble = rc == ERR_FORMAT ? "binary data where a devicetree was expected"
            : rc == ERR_TIMEOUT       ? "it takes longer to parse than any devicetree should"
                                      : "larger, or nested deeper, than any devicetree";
        return false;
    }
    source_check_utf8(i->files, f);
    for (const struct dt_problem *p = dt_problems(i->dt); p && !f->trouble; p = p->next) {
        if (p->kind == DT_LIMIT && strcmp(p->loc.file, f->path) == 0)
            f->trouble = pool_printf(i->files->pool, "line %u: %s", p->loc.line, p->message);
    }
    i->dt_any = true;
    return true;
}

/* What a board of the project gives both images: BOARD_defconfig beside its .dts. */
static void read_defconfig(const struct setup *u, struct image *i)
{
    const char *dir = path_dir(u->p->pool, u->board_dts->rel);
    size_t n = strlen(u->board_dts->base) - 4;
    struct source *f = source_findf(&u->p->files, "%s/%.*s_defconfig", dir, (int)n, u->board_dts->base);

    if (f)
        conf_read(&i->src, &u->p->files, f, "CONFIG_");
}

static void read_board(const struct setup *u, struct image *i)
{
    if (u->board_dts)
        read_defconfig(u, i);
    if (u->board_dts) {
        i->board_seen = read_dts(i, u->board_dts);
    } else if (u->known) {
        const char *name = pool_printf(u->p->pool, "(board %s)", u->known->name);
        i->board_seen = dt_read_text(i->dt, name, u->known->dts, strlen(u->known->dts)) == OK;
    }
}

/* A link that git has written as a text file holds the path of what is meant. */
static struct source *follow(const struct setup *u, struct source *f)
{
    struct sources *s = &u->p->files;
    const char *text = f && f->size > 2 && f->size < 200 ? source_peek(s, f) : NULL;

    if (!text || !(strchr(text, '/') || strchr(text, '.')) || text[strcspn(text, "= \t\r#{")] != '\0')
        return f;
    const char *dir = path_dir(s->pool, f->rel), *to = pool_copy(s->pool, text, strcspn(text, "\n"));
    for (; text_starts(to, "../"); to += 3) {
        if (!*dir)
            return f;
        dir = path_dir(s->pool, dir);
    }
    struct source *real = source_find(s, path_join(s->pool, dir, to));
    return real ? real : f;
}

static bool add_overlay(const struct setup *u, struct image *i, struct source *f)
{
    f = follow(u, f);
    if (!f || !read_dts(i, f))
        return false;
    i->overlay = f->rel;
    i->has_overlay = i->present = true;
    return true;
}

static bool add_conf(const struct setup *u, struct image *i, struct source *f)
{
    f = follow(u, f);
    if (!f)
        return false;
    conf_read(&i->src, &u->p->files, f, "CONFIG_");
    if (!i->has_conf)
        i->conf_file = f->rel;
    i->has_conf = i->present = true;
    return true;
}

static void start_image(const struct setup *u, struct image *i, const char *name, const char *conf,
    const char *overlay)
{
    *i = (struct image) { .name = name, .files = &u->p->files, .dt = new_tree(u->p), .conf_file = conf, .overlay = overlay };
    conf_init(&i->src, u->p->pool);
    conf_init(&i->built, u->p->pool);
    read_board(u, i);
}

/* Is `name` that of the board, in the plain form or in that of the build's suffix? */
static bool names_board(const struct setup *u, const char *name, bool with_suffix)
{
    const char *suffix, *board = without_file_suffix(u->p, u->suffixes, name, &suffix);
    bool fits = with_suffix ? suffix && u->suffix && strcmp(suffix, u->suffix) == 0 : !suffix;

    return fits && u->board && board_matches(board, u->board);
}

/* Files of the folder `dir` that are named after the board: DIR/BOARD_SUFFIX.EXT, else DIR/BOARD.EXT. */
static bool each_board_file(const struct setup *u, struct image *i, const char *dir, const char *ext)
{
    bool any = false;

    for (int with_suffix = u->suffix != NULL; with_suffix >= 0 && !any; with_suffix--) {
        for (struct source *f = u->p->files.first; f; f = f->next) {
            if (!text_ends(f->base, ext) || strcmp(path_dir(u->p->pool, f->rel), dir) != 0
                || !names_board(u, pool_copy(u->p->pool, f->base, strlen(f->base) - strlen(ext)), with_suffix))
                continue;
            any |= strcmp(ext, ".conf") == 0 ? add_conf(u, i, f) : add_overlay(u, i, f);
        }
    }
    return any;
}

/* STEM_SUFFIX.EXT of a build with a suffix, else STEM.EXT; NULL if neither is there. */
static struct source *variant_of(const struct setup *u, const char *stem, const char *ext)
{
    struct source *f = u->suffix ? source_findf(&u->p->files, "%s_%s%s", stem, u->suffix, ext) : NULL;

    return f ? f : source_findf(&u->p->files, "%s%s", stem, ext);
}

/* Fragments and overlays that CMake files name for an image, by the words of one line. */
static void cmake_files(const struct setup *u, struct image *i, bool boot)
{
    struct sources *s = &u->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        if ((strcmp(f->base, "CMakeLists.txt") != 0 && !text_ends(f->base, ".cmake")) || !source_below(f, u->app)
            || project_in_build(u->p, f->rel) || f->size > 262144)
            continue;
        for (const char *at = source_peek(s, f); at && *at; at += at[0] == '\n') {
            size_t n = strcspn(at, "\n");
            const char *line = pool_copy(u->p->pool, at, n);
            at += n;
            bool names_boot = strstr(line, "mcuboot") != NULL;
            const char *ext = strstr(line, ".overlay") ? strstr(line, ".overlay") + 8
                : strstr(line, ".conf")                 ? strstr(line, ".conf") + 5 : NULL;
            if (!ext || names_boot != boot || strchr(line, '#'))
                continue;
            const char *start = ext;
            while (start > line && !strchr(" \t\"(=;/}", start[-1]))
                start--;
            const char *name = pool_copy(u->p->pool, start, (size_t)(ext - start));
            for (struct source *g = s->first; g; g = g->next) {
                if (strcmp(g->base, name) == 0 && source_below(g, u->app) && !strstr(line, "if("))
                    text_ends(name, ".conf") ? add_conf(u, i, g) : add_overlay(u, i, g);
            }
        }
    }
}

static void read_built(const struct setup *u, struct image *i, struct source *config, struct source *dts)
{
    if (config) {
        conf_read(&i->built, &u->p->files, config, "CONFIG_");
        i->has_built = i->built.any;
        i->present = true;
    }
    if (dts) {
        i->dt = new_tree(u->p);
        i->dt_built = i->board_seen = read_dts(i, dts);
        i->present = true;
        if (i->dt_built)
            i->overlay = i->has_overlay ? i->overlay : dts->rel;
    }
}

static void read_app(const struct setup *u, struct image *i)
{
    struct pool *pool = u->p->pool;
    struct sources *s = &u->p->files;
    const char *boards = path_join(pool, u->app, "boards");

    start_image(u, i, "app", path_join(pool, u->app, "prj.conf"),
        u->board && !u->board_dts ? pool_printf(pool, "%s/%s.overlay", boards, u->board)
                                  : path_join(pool, u->app, "app.overlay"));
    if (!add_conf(u, i, variant_of(u, path_join(pool, u->app, "prj"), ".conf")) && u->board)
        add_conf(u, i, source_findf(s, "%s/prj_%s.conf", u->app, u->board));
    each_board_file(u, i, boards, ".conf");
    if (!each_board_file(u, i, boards, ".overlay") && !each_board_file(u, i, u->app, ".overlay"))
        add_overlay(u, i, variant_of(u, path_join(pool, u->app, "app"), ".overlay"));
    cmake_files(u, i, false);
    read_built(u, i, u->build ? u->build->app_config : NULL, u->build ? u->build->app_dts : NULL);
}

/* MCUboot's own files below `dir` ("sysbuild", "child_image"): NAME.conf, NAME.overlay, NAME/... */
static void read_boot_dir(const struct setup *u, struct image *i, const char *dir)
{
    struct pool *pool = u->p->pool;
    struct sources *s = &u->p->files;
    const char *own = path_join(pool, dir, "mcuboot");
    bool any = false;

    add_conf(u, i, variant_of(u, path_join(pool, own, "prj"), ".conf"));
    each_board_file(u, i, path_join(pool, own, "boards"), ".conf");
    add_conf(u, i, variant_of(u, own, ".conf"));
    any |= each_board_file(u, i, path_join(pool, own, "boards"), ".overlay");
    any |= add_overlay(u, i, variant_of(u, own, ".overlay"));
    if (!any)
        add_overlay(u, i, variant_of(u, path_join(pool, own, "app"), ".overlay"));
    if (u->board) {
        add_conf(u, i, source_findf(s, "%s_%s.conf", own, u->board));
        add_overlay(u, i, source_findf(s, "%s_%s.overlay", own, u->board));
    }
}

static void read_boot(const struct setup *u, struct image *i, enum flow flow)
{
    struct pool *pool = u->p->pool;
    struct sources *s = &u->p->files;
    const char *dir = path_join(pool, u->app, flow == FLOW_CHILD ? "child_image" : "sysbuild");

    start_image(u, i, "mcuboot", pool_printf(pool, "%s/mcuboot.conf", dir), pool_printf(pool, "%s/mcuboot.overlay", dir));
    if (flow != FLOW_NONE || u->has_sysbuild)
        read_boot_dir(u, i, dir);
    /* a flow that was asked for, and files for the other one: they are what is meant (MB19 says it) */
    if (u->p->forced_flow == FLOW_CHILD && !u->has_child)
        read_boot_dir(u, i, path_join(pool, u->app, "sysbuild"));
    if (u->p->forced_flow == FLOW_SYSBUILD && !u->has_sysbuild)
        read_boot_dir(u, i, path_join(pool, u->app, "child_image"));
    add_conf(u, i, source_findf(s, "%s/mcuboot.conf", u->app));
    add_overlay(u, i, source_findf(s, "%s/mcuboot.overlay", u->app));
    add_conf(u, i, source_findf(s, "%s/mcuboot/prj.conf", u->app));
    if (flow == FLOW_SYSBUILD)
        cmake_files(u, i, true);
    read_built(u, i, u->build ? u->build->boot_config : NULL, u->build ? u->build->boot_dts : NULL);
}

/* Options that CMake files below the application, and caches of builds, give. */
static void cmake_options(const struct setup *u, struct conf *c, const char *prefix)
{
    struct sources *s = &u->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        bool cache = strcmp(f->base, "CMakeCache.txt") == 0;
        if (cmake_is(f) && (cache || (source_below(f, u->app) && !project_in_build(u->p, f->rel))))
            cmake_read(c, s, f, prefix);
    }
}

/* sysbuild.conf and -D lines, then the defaults of Kconfig.sysbuild of application and board. */
static void sb_of_project(const struct setup *u, struct conf *sb)
{
    struct sources *s = &u->p->files;
    struct source *conf = variant_of(u, path_join(s->pool, u->app, "sysbuild"), ".conf"), *kconfig;
    const struct soc *soc = soc_in(u->board);
    if (!soc && u->known)
        soc = soc_in(u->known->soc);
    if (!soc && u->board_dts)
        soc = soc_in(source_peek(s, u->board_dts));
    struct kconfig_facts facts = { .board = u->board, .soc = soc };

    if (conf)
        conf_read(sb, s, conf, "SB_CONFIG_");
    cmake_options(u, sb, "SB_CONFIG_");
    if ((kconfig = source_findf(s, "%s/Kconfig.sysbuild", u->app)))
        kconfig_read(sb, s, kconfig, &facts);
    if (u->board_dts && (kconfig = source_findf(s, "%s/Kconfig.sysbuild", path_dir(s->pool, u->board_dts->rel))))
        kconfig_read(sb, s, kconfig, &facts);
}

static void read_sysbuild(const struct setup *u, struct view *v)
{
    struct sources *s = &u->p->files;

    conf_init(&v->sb, u->p->pool);
    if (u->build && u->build->sb_config) {
        conf_read(&v->sb, s, u->build->sb_config, "SB_CONFIG_");
        v->sb_built = v->sb.any;
    }
    if (v->sb_built)
        return;
    sb_of_project(u, &v->sb);
    for (const char *const *name = u->known ? u->known->sb_defaults : NULL; name && *name; name++) {
        if (!conf_item(&v->sb, *name))
            conf_add(&v->sb, *name, "y", (struct place) { .file = "(board)" }, true);
    }
}

/* pm_static_BOARD_SUFFIX.yml and so on: the part of the name behind "pm_static_". */
static struct source *static_map_of_board(const struct setup *u, bool with_suffix)
{
    struct sources *s = &u->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        bool yaml = text_starts(f->base, "pm_static_") && text_ends(f->base, ".yml") && source_below(f, u->app);
        if (yaml && names_board(u, pool_copy(s->pool, f->base + 10, strlen(f->base) - 14), with_suffix))
            return f;
    }
    return NULL;
}

/* The static map: for the board, for the application, in the board's own folder. */
static struct source *static_map(const struct setup *u)
{
    struct sources *s = &u->p->files;
    struct source *fixed = u->suffix ? static_map_of_board(u, true) : NULL;

    if (!fixed)
        fixed = static_map_of_board(u, false);
    if (!fixed)
        fixed = variant_of(u, path_join(s->pool, u->app, "pm_static"), ".yml");
    if (!fixed && u->board_dts)
        fixed = variant_of(u, path_join(s->pool, path_dir(s->pool, u->board_dts->rel), "pm_static"), ".yml");
    for (struct source *f = s->first; f && !fixed; f = f->next) {
        if (text_starts(f->base, "pm_static") && (text_ends(f->base, ".yml") || text_ends(f->base, ".yaml"))
            && strcmp(path_dir(s->pool, f->rel), u->app) == 0 && !u->board)
            fixed = f;
    }
    return fixed;
}

static void read_maps(const struct setup *u, struct view *v)
{
    struct sources *s = &u->p->files;
    struct build *b = u->build;

    map_init(&v->partitions);
    map_init(&v->pm_static);
    struct source *map = b && b->partitions ? b->partitions : source_findf(s, "%s/partitions.yml", u->app);
    if (!map)
        map = source_find(s, "partitions.yml");
    if (map)
        v->has_partitions = map_read_yaml(&v->partitions, s, map) && v->partitions.first;
    else if (b && b->pm_config)
        v->has_partitions = map_read_config(&v->partitions, s, b->pm_config);
    struct source *fixed = static_map(u);
    if (fixed)
        v->has_static = map_read_yaml(&v->pm_static, s, fixed) && v->pm_static.first;
}

static const struct soc *find_soc(const struct setup *u, const struct view *v)
{
    const struct soc *soc = soc_in(u->board);

    if (!soc && u->known)
        soc = soc_in(u->known->soc);
    if (!soc && u->board_dts)
        soc = soc_in(source_peek(&u->p->files, u->board_dts));
    for (const struct conf_item *i = v->app.built.first; i && !soc; i = i->next) {
        if (text_starts(i->name, "SOC_NRF") && strcmp(i->value, "y") == 0)
            soc = soc_in(i->name + 4);
    }
    if (soc)
        return soc;
    /* without a board: the SoC that the overlays' names agree on */
    for (struct source *f = u->p->files.first; f; f = f->next) {
        const struct soc *other = text_ends(f->base, ".overlay") ? soc_in(f->base) : NULL;
        if (other && soc && other != soc)
            return NULL;
        soc = other ? other : soc;
    }
    return soc;
}

/* Is slot 1 meant to be external? A chosen chip says so, unless somebody says no: it may be for files. */
static bool wants_external(const struct view *v)
{
    static const char *const option = "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY";
    const struct partition *fixed = static_secondary(v);

    if (fixed)
        return partition_in(fixed, "external_flash");
    if (sb_on(v, option) || conf_is(&v->app.src, option, "y") || boot_wants_external(v))
        return true;
    bool refused = v->flow == FLOW_SYSBUILD ? sb_off(v, option) : conf_is(&v->app.src, option, "n");
    return !refused && (pm_chosen(&v->app) || pm_chosen(&v->boot));
}

static void make_view(const struct setup *u, enum flow flow, unsigned candidates, bool whatif,
    void (*fn)(struct view *, void *), void *ctx)
{
    struct view v = { .p = u->p, .app_dir = u->app, .board = u->board, .flow = flow, .build = u->build,
        .candidates = candidates, .whatif = whatif, .pm = flow != FLOW_NONE, .board_count = u->board_count,
        .boot_given = u->boot_given };

    v.sysbuild = flow == FLOW_SYSBUILD || (flow == FLOW_NONE && u->has_sysbuild);
    read_app(u, &v.app);
    read_boot(u, &v.boot, flow);
    read_sysbuild(u, &v);
    cmake_options(u, &v.app.src, "CONFIG_");
    cmake_options(u, &v.boot.src, "mcuboot_CONFIG_");
    read_maps(u, &v);
    v.soc = find_soc(u, &v);
    v.boot.present |= uses_mcuboot(&v);
    v.external_intent = wants_external(&v);
    fn(&v, ctx);
}

/* Signs of the nRF Connect SDK and its Partition Manager anywhere in the project. */
static bool mentions_pm(struct project *p)
{
    static const char *const words[] = { "nordic,pm-ext-flash", "CONFIG_PM_PARTITION", "CONFIG_PM_EXTERNAL",
        "CONFIG_PM_OVERRIDE", "CONFIG_NCS_", "SB_CONFIG_PM_", "SB_CONFIG_SECURE_BOOT", "SB_CONFIG_PARTITION_MANAGER",
        "CONFIG_PM_SINGLE_IMAGE", "SB_CONFIG_NETCORE", "PM_STATIC_YML", "SB_CONFIG_WIFI_NRF", "CONFIG_WIFI_PATCHES_EXT" };

    if (p->ncs)
        return true;
    for (struct source *f = p->files.first; f; f = f->next) {
        if (text_starts(f->base, "pm_static"))
            return true;
        bool text = text_ends(f->base, ".conf") || text_ends(f->base, ".overlay") || text_ends(f->base, ".dts")
            || text_ends(f->base, ".dtsi") || strcmp(f->base, "Kconfig.sysbuild") == 0
            || strcmp(f->base, "CMakeLists.txt") == 0;
        if (!text || f->size > 1 << 20 || project_in_build(p, f->rel))
            continue;
        const char *at = source_peek(&p->files, f);
        for (size_t i = 0; at && i < sizeof words / sizeof words[0]; i++) {
            if (strstr(at, words[i]))
                return true;
        }
    }
    return false;
}

/* Does a build file or script hand MCUboot files or options of its own? */
static bool gives_boot(struct sources *s, struct source *f)
{
    static const char *const ends[] = { ".cmake", ".sh", ".bat", ".ps1", ".json", ".yml", ".yaml" };
    static const char *const words[] = { "mcuboot_EXTRA_", "mcuboot_DTC_OVERLAY_FILE", "mcuboot_OVERLAY_CONFIG",
        "mcuboot_CONF_FILE", "mcuboot_CONFIG_", "mcuboot_SHIELD", "add_overlay_dts(mcuboot", "add_overlay_config(mcuboot",
        "set_config_bool(mcuboot", "set_config_int(mcuboot" };
    bool script = strcmp(f->base, "CMakeLists.txt") == 0 || strcmp(f->base, "Makefile") == 0;

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        script |= text_ends(f->base, ends[i]);
    const char *text = script && f->size < 1 << 18 ? source_peek(s, f) : NULL;
    for (size_t i = 0; text && i < sizeof words / sizeof words[0]; i++) {
        if (strstr(text, words[i]))
            return true;
    }
    return false;
}

static void gather(struct setup *u)
{
    struct sources *s = &u->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        if (!source_below(f, u->app) || project_in_build(u->p, f->rel))
            continue;
        const char *rest = f->rel + strlen(u->app) + (*u->app ? 1 : 0);
        u->has_sysbuild |= text_starts(rest, "sysbuild/") || strcmp(rest, "sysbuild.conf") == 0
            || strcmp(rest, "Kconfig.sysbuild") == 0 || strcmp(rest, "sysbuild.cmake") == 0;
        u->has_child |= text_starts(rest, "child_image/");
        if (!u->boot_given && gives_boot(s, f))
            u->boot_given = f->rel;
    }
    u->pm_evidence = mentions_pm(u->p) || (u->has_child && !u->has_sysbuild);
    const struct build *b = u->build;
    if (!b)
        return;
    const char *config = b->app_config ? source_peek(s, b->app_config) : NULL;
    u->pm_outputs = b->partitions || b->pm_config
        || (config && strstr(config, "\nCONFIG_PARTITION_MANAGER_ENABLED=y"));
    u->pm_off = config && !u->pm_outputs;
    if (b->sb_config)
        u->has_sysbuild = true;
}

static bool sb_says(const struct setup *u, const char *partition_manager)
{
    struct conf sb;

    conf_init(&sb, u->p->pool);
    sb_of_project(u, &sb);
    return conf_is(&sb, "PARTITION_MANAGER", partition_manager);
}

/* Partitions as Zephyr writes them since 4.4. In kits of that time the Partition Manager is what one asks for. */
static bool mapped_partitions(const struct setup *u)
{
    for (struct source *f = u->p->files.first; f; f = f->next) {
        bool dts = text_ends(f->base, ".overlay") || text_ends(f->base, ".dts") || text_ends(f->base, ".dtsi");
        if (!dts || !source_below(f, u->app) || f->size > 1 << 20 || project_in_build(u->p, f->rel))
            continue;
        const char *text = source_peek(&u->p->files, f);
        if (text && strstr(text, "\"zephyr,mapped-partition\""))
            return true;
    }
    return false;
}

/* The flows that are possible, and which of them is only a what-if. */
static unsigned candidates_of(const struct setup *u, unsigned *whatif)
{
    const struct soc *soc = soc_in(u->board);
    int ncs = u->p->ncs;

    *whatif = 0;
    if (u->p->forced_flow >= 0)
        return 1u << u->p->forced_flow;
    if (u->pm_off || sb_says(u, "n") || (soc && !soc->pm))
        return IN_NONE;
    if (u->build && u->build->sb_config)
        return u->pm_outputs ? IN_SYSBUILD : IN_NONE;
    if (u->has_sysbuild && u->has_child)
        return ncs >= 20700 ? IN_SYSBUILD : ncs ? IN_CHILD : IN_PM;
    if (u->has_sysbuild) {
        if (!u->pm_evidence)
            return u->p->plain_zephyr ? IN_NONE : IN_SYSBUILD | IN_NONE;
        if (!u->pm_outputs && mapped_partitions(u) && !static_map(u) && !sb_says(u, "y"))
            return IN_SYSBUILD | IN_NONE;
        *whatif = u->pm_outputs ? 0 : IN_NONE;
        return IN_SYSBUILD;
    }
    if (u->has_child) {
        *whatif = u->pm_outputs ? 0 : IN_NONE;
        return IN_CHILD;
    }
    if (!u->pm_evidence && !u->pm_outputs)
        return IN_NONE;
    return ncs >= 30000 ? IN_SYSBUILD : ncs && ncs < 20700 ? IN_CHILD : IN_PM;
}

static void views_of_variant(struct setup u, void (*fn)(struct view *, void *), void *ctx)
{
    unsigned whatif;

    gather(&u);
    unsigned flows = candidates_of(&u, &whatif);
    for (int f = 0; f < FLOW_COUNT; f++) {
        if (flows & (1u << f))
            make_view(&u, (enum flow)f, flows, false, fn, ctx);
    }
    if (whatif & ~flows)
        make_view(&u, FLOW_NONE, flows, true, fn, ctx);
}

static void views_of(struct project *p, const char *app, const char *board, unsigned boards, struct build *b,
    void (*fn)(struct view *, void *), void *ctx)
{
    struct suffixes suffixes;
    struct setup u = { .p = p, .app = app, .board = board, .build = b, .board_count = boards, .suffixes = &suffixes };

    project_suffixes(p, app, &suffixes);
    u.known = known_board(board);
    u.board_dts = board ? project_board_dts(p, board) : NULL;
    views_of_variant(u, fn, ctx);
    for (size_t i = 0; i < suffixes.count && !b; i++) {
        if (suffixes.sysbuild[i]) {
            u.suffix = suffixes.name[i];
            views_of_variant(u, fn, ctx);
        }
    }
}

/* BOARD of a build folder's CMake cache, with '/' as '_'. NULL if it does not say. */
static const char *board_of_build(struct project *p, const struct build *b)
{
    struct source *f = source_findf(&p->files, "%s/CMakeCache.txt", b->root);
    const char *text = f ? source_peek(&p->files, f) : NULL;
    const char *at = text ? strstr(text, "\nBOARD:") : NULL;

    if (!at || !(at = strchr(at + 1, '=')))
        return NULL;
    char *name = pool_copy(p->pool, at + 1, strcspn(at + 1, "\r\n"));
    for (char *c = name; *c; c++)
        *c = *c == '/' ? '_' : *c;
    return *name ? name : NULL;
}

void project_views(struct project *p, void (*fn)(struct view *v, void *ctx), void *ctx)
{
    const char *boards[16];

    for (size_t a = 0; a < p->app_count; a++) {
        const char *app = p->apps[a];
        size_t count = project_boards(p, app, boards);
        bool built = false;
        for (struct build *b = p->builds; b; b = b->next) {
            size_t n = strlen(app);
            if (p->app_count > 1 && (strncmp(b->root, app, n) != 0 || (n && b->root[n] != '/')))
                continue;
            const char *board = board_of_build(p, b);
            views_of(p, app, board ? board : count ? boards[0] : NULL, 1, b, fn, ctx);
            built = true;
        }
        for (size_t i = 0; i < count && !built; i++)
            views_of(p, app, boards[i], (unsigned)count, NULL, fn, ctx);
        if (count == 0 && !built)
            views_of(p, app, NULL, 1, NULL, fn, ctx);
    }
}
