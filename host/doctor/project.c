/* Finding what a project consists of: applications, boards, build folders, versions, artifacts. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/model.h"
#include "host/doctor/project_priv.h"

enum { MAX_APPS = 16, MAX_BOARDS = 12 };

const char *flow_name(enum flow f)
{
    static const char *const names[] = { "sysbuild", "child", "none" };

    return f < FLOW_COUNT ? names[f] : "any";
}

/* "2.6.1" or "v2.6.1-rc1" as 20601; 0 if it is no version. */
static int version_number(const char *text)
{
    unsigned a = 0, b = 0, c = 0;

    while (*text && !isdigit((unsigned char)*text))
        text++;
    if (sscanf(text, "%u.%u.%u", &a, &b, &c) < 2 || a > 99 || b > 99 || c > 99)
        return 0;
    return (int)(a * 10000 + b * 100 + c);
}

/* Which Zephyr an nRF Connect SDK contains. */
static int zephyr_of_ncs(int ncs)
{
    static const struct {
        int ncs, zephyr;
    } rows[] = { { 30200, 40299 }, { 30100, 40199 }, { 30000, 40099 }, { 20900, 30799 }, { 20800, 30799 },
        { 20700, 30699 }, { 20600, 30599 }, { 20500, 30499 }, { 20400, 30399 }, { 20300, 30299 },
        { 20200, 30299 }, { 20100, 30199 }, { 20000, 30099 }, { 10900, 20799 }, { 10800, 20799 },
        { 10700, 20699 }, { 10600, 20699 }, { 10500, 20499 } };

    for (size_t i = 0; ncs && i < sizeof rows / sizeof rows[0]; i++) {
        if (ncs >= rows[i].ncs)
            return rows[i].zephyr;
    }
    return 0;
}

static void set_ncs(struct project *p, int version, const char *from)
{
    if (!version || p->ncs)
        return;
    p->ncs = version;
    p->ncs_from = from;
}

/* The revision of project `name` in a west manifest: the first "revision:" behind its name. */
static int west_revision(const char *text, const char *name)
{
    const char *at = strstr(text, name), *revision = at ? strstr(at, "revision:") : NULL;

    if (!revision || revision - at > 400)
        return 0;
    char word[64];
    if (sscanf(revision + 9, " %63s", word) != 1)
        return 0;
    return version_number(word);
}

static void version_from_file(struct project *p, struct source *f)
{
    const char *text = NULL;

    if (strcmp(f->base, "VERSION.ncs") == 0 && f->size < 4096 && (text = source_text(&p->files, f))) {
        set_ncs(p, version_number(text), f->rel);
    } else if ((strcmp(f->base, "west.yml") == 0 || strcmp(f->base, "west.yaml") == 0) && f->size < 262144
        && (text = source_text(&p->files, f))) {
        int ncs = west_revision(text, "sdk-nrf"), zephyr = west_revision(text, "name: zephyr");
        set_ncs(p, ncs, f->rel);
        if (!p->zephyr && !ncs)
            p->zephyr = zephyr;
        p->plain_zephyr |= strstr(text, "name: zephyr") && !strstr(text, "nrf") && !strstr(text, "ncs");
    }
}

/* "nRF Connect SDK v2.5.2" and "Zephyr version: 3.7.99" in a build's log. */
static void version_from_log(struct project *p, struct source *f)
{
    const char *text = source_text(&p->files, f), *at;

    if (!text)
        return;
    if ((at = strstr(text, "nRF Connect SDK v")))
        set_ncs(p, version_number(at + 17), f->rel);
    if (!p->zephyr && (at = strstr(text, "Zephyr version: ")))
        p->zephyr = version_number(at + 16);
}

static void version_from_sdk(struct project *p)
{
    static const char *const names[] = { "nrf/VERSION", "zephyr/VERSION" };

    for (int i = 0; p->sdk && i < 2; i++) {
        char path[1024], text[512] = "";
        unsigned a = 0, b = 0, c = 0;
        snprintf(path, sizeof path, "%s/%s", p->sdk, names[i]);
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
        if (f)
            fclose(f);
        text[n] = '\0';
        const char *minor = strstr(text, "VERSION_MINOR"), *patch = strstr(text, "PATCHLEVEL");
        if (i == 0)
            set_ncs(p, version_number(text), "nrf/VERSION of the SDK");
        else if (sscanf(text, "VERSION_MAJOR = %u", &a) == 1 && minor && patch
            && sscanf(minor, "VERSION_MINOR = %u", &b) == 1 && sscanf(patch, "PATCHLEVEL = %u", &c) == 1)
            p->zephyr = (int)(a * 10000 + b * 100 + c);
    }
}

bool project_is_log(const struct source *f)
{
    return (text_ends(f->base, ".log") || text_ends(f->base, "error.txt") || text_ends(f->base, "log.txt"))
        && f->size <= 4 << 20;
}

static void find_versions(struct project *p)
{
    version_from_sdk(p);
    for (struct source *f = p->files.first; f; f = f->next) {
        version_from_file(p, f);
        if (project_is_log(f))
            version_from_log(p, f);
    }
    if (!p->zephyr)
        p->zephyr = zephyr_of_ncs(p->ncs);
}

/* A folder of the path is `part`. */
static bool has_part(const char *rel, const char *part)
{
    size_t n = strlen(part);

    for (const char *at = rel; (at = strstr(at, part)); at++) {
        if ((at == rel || at[-1] == '/') && at[n] == '/')
            return true;
    }
    return false;
}

bool project_in_build(const struct project *p, const char *rel)
{
    for (const struct build *b = p->builds; b; b = b->next) {
        size_t n = strlen(b->root);
        if (n && strncmp(rel, b->root, n) == 0 && rel[n] == '/')
            return true;
    }
    return false;
}

static bool is_boot_name(const char *name)
{
    return strcmp(name, "mcuboot") == 0;
}

static bool is_other_image(const char *name)
{
    static const char *const names[] = { "b0", "b0n", "hci_ipc", "hci_rpmsg", "ipc_radio", "empty_net_core",
        "tfm", "s1_image", "empty_flpr", "uicr", "nrf-regtool" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return strstr(name, "cpunet") || strstr(name, "netcore");
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static struct build *build_at(struct project *p, const char *root)
{
    for (struct build *b = p->builds; b; b = b->next) {
        if (strcmp(b->root, root) == 0)
            return b;
    }
    struct build *b = pool_alloc(p->pool, sizeof *b);
    b->root = root;
    b->next = p->builds;
    p->builds = b;
    return b;
}

/* ROOT[/IMAGE]/zephyr/.config or zephyr.dts: what it is of. */
static void take_build_file(struct project *p, struct source *f)
{
    const char *dir = path_dir(p->pool, path_dir(p->pool, f->rel)); /* ROOT[/IMAGE] */
    const char *name = last_part(dir), *parent = path_dir(p->pool, dir);
    bool config = strcmp(f->base, ".config") == 0;
    bool nested = *parent && (text_starts(last_part(parent), "build") || source_findf(&p->files, "%s/CMakeCache.txt", parent)
        || source_findf(&p->files, "%s/mcuboot/zephyr/.config", parent));

    if (is_boot_name(name)) {
        struct build *b = build_at(p, parent);
        *(config ? &b->boot_config : &b->boot_dts) = f;
        return;
    }
    if (is_other_image(name))
        return;
    struct build *b = build_at(p, nested ? parent : dir);
    const char *text = config ? source_peek(&p->files, f) : NULL;
    if (text && strstr(text, "SB_CONFIG_")) {
        b->sb_config = f;
    } else {
        *(config ? &b->app_config : &b->app_dts) = f;
        b->app_name = name;
    }
}

static void find_builds(struct project *p)
{
    for (struct source *f = p->files.first; f; f = f->next) {
        if (text_ends(f->rel, "/zephyr/.config") || text_ends(f->rel, "/zephyr/zephyr.dts"))
            take_build_file(p, f);
    }
    for (struct source *f = p->files.first; f; f = f->next) {
        bool map = strcmp(f->base, "partitions.yml") == 0, config = strcmp(f->base, "pm.config") == 0;
        if (!map && !config)
            continue;
        const char *dir = path_dir(p->pool, f->rel);
        if (!text_starts(last_part(dir), "build") && !project_in_build(p, f->rel))
            continue;
        struct build *b = build_at(p, project_in_build(p, f->rel) && *dir ? dir : dir);
        *(map ? &b->partitions : &b->pm_config) = f;
    }
}

static void add_app(struct project *p, const char *dir)
{
    for (size_t i = 0; i < p->app_count; i++) {
        if (strcmp(p->apps[i], dir) == 0)
            return;
    }
    if (p->app_count < MAX_APPS)
        p->apps[p->app_count++] = dir;
}

/* The folder that has sysbuild/ or child_image/ in it, from a path below. NULL if none. */
static const char *above(struct pool *pool, const char *rel, const char *part)
{
    size_t n = strlen(part);

    for (const char *at = rel; (at = strstr(at, part)); at++) {
        if ((at == rel || at[-1] == '/') && at[n] == '/')
            return pool_copy(pool, rel, at == rel ? 0 : (size_t)(at - rel) - 1);
    }
    return NULL;
}

static void find_apps(struct project *p)
{
    p->apps = pool_alloc(p->pool, MAX_APPS * sizeof *p->apps);
    for (struct source *f = p->files.first; f; f = f->next) {
        if (project_in_build(p, f->rel) || has_part(f->rel, "modules"))
            continue;
        const char *sys = above(p->pool, f->rel, "sysbuild"), *child = above(p->pool, f->rel, "child_image");
        if (sys || child) {
            add_app(p, sys ? sys : child);
            continue;
        }
        const char *dir = path_dir(p->pool, f->rel);
        if (is_boot_name(last_part(dir)))
            continue;
        if (strcmp(f->base, "prj.conf") == 0 || strcmp(f->base, "sysbuild.conf") == 0
            || strcmp(f->base, "Kconfig.sysbuild") == 0 || strcmp(f->base, "app.overlay") == 0)
            add_app(p, dir);
    }
    if (p->app_count == 0)
        add_app(p, "");
}

static bool is_source(const char *base)
{
    return text_ends(base, ".c") || text_ends(base, ".cpp") || text_ends(base, ".cc") || text_ends(base, ".h");
}

static void take_artifact(struct project *p, struct source *f)
{
    bool merged = strstr(f->base, "merged") != NULL;
    bool candidate = text_ends(f->base, ".bin") || text_ends(f->base, ".hex");
    bool package = text_ends(f->base, ".zip") && !project_in_build(p, path_dir(p->pool, path_dir(p->pool, f->rel)));

    if (text_ends(f->base, ".pem")) {
        struct key *k = pem_read(&p->files, f);
        if (k) {
            k->next = p->keys;
            p->keys = k;
        }
    } else if (package) {
        struct package *z = dfu_package_read(&p->files, f);
        if (z) {
            z->next = p->packages;
            p->packages = z;
        }
    } else if (candidate && !merged) {
        struct artifact *a = artifact_read(&p->files, f);
        if (a) {
            a->next = p->artifacts;
            p->artifacts = a;
        }
    }
}

static void find_artifacts(struct project *p)
{
    for (struct source *f = p->files.first; f; f = f->next) {
        if (is_source(f->base) && !project_in_build(p, f->rel) && f->size < 2 << 20) {
            const char *text = source_peek(&p->files, f);
            p->has_sources |= text_ends(f->base, ".c") || text_ends(f->base, ".cpp");
            p->confirms |= text
                && (strstr(text, "boot_write_img_confirmed") || strstr(text, "boot_set_confirmed")
                    || strstr(text, "OTA_SHELL") || strstr(text, "boot_request_upgrade(BOOT_UPGRADE_PERMANENT"));
        } else {
            take_artifact(p, f);
        }
    }
}

bool project_open(struct project *p, struct pool *pool, const char *dir, const char *sdk, int forced_flow,
    const char **why)
{
    *p = (struct project) { .pool = pool, .sdk = sdk, .forced_flow = forced_flow };
    if (!sources_scan(&p->files, pool, dir, why))
        return false;
    find_builds(p);
    find_versions(p);
    find_apps(p);
    find_artifacts(p);
    return true;
}

void project_close(struct project *p)
{
    for (size_t i = 0; i < p->tree_count; i++)
        dt_free(p->trees[i]);
    free(p->trees);
    pem_free(p->keys);
}

/* --- boards ------------------------------------------------------------------------------------ */

/* Two names of one board: equal, or one goes on with a qualifier behind '_'. */
bool board_matches(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), k = n < m ? n : m;

    if (strncmp(a, b, k) != 0)
        return false;
    const char *rest = n < m ? b + k : a + k;
    return *rest == '\0' || *rest == '_' || *rest == '@';
}

static bool is_other_core(const char *name)
{
    return strstr(name, "cpunet") || strstr(name, "cpurad") || strstr(name, "cpuflpr") || strstr(name, "cpuppr");
}

static void add_board(const char **boards, size_t *count, const char *name)
{
    if (is_other_core(name))
        return;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(boards[i], name) == 0)
            return;
    }
    if (*count < MAX_BOARDS)
        boards[(*count)++] = name;
}

static const char *without_suffix(struct pool *pool, const char *base)
{
    const char *dot = strrchr(base, '.');

    return pool_copy(pool, base, dot ? (size_t)(dot - base) : strlen(base));
}

static void add_suffix(struct suffixes *s, const char *name, bool sysbuild)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->name[i], name) == 0) {
            s->sysbuild[i] |= sysbuild;
            return;
        }
    }
    if (s->count < sizeof s->name / sizeof s->name[0]) {
        s->name[s->count] = name;
        s->sysbuild[s->count++] = sysbuild;
    }
}

void project_suffixes(struct project *p, const char *app, struct suffixes *out)
{
    *out = (struct suffixes) { .count = 0 };
    for (struct source *f = p->files.first; f; f = f->next) {
        bool prj = text_starts(f->base, "prj_"), sysbuild = text_starts(f->base, "sysbuild_");
        if ((!prj && !sysbuild) || !text_ends(f->base, ".conf") || strcmp(path_dir(p->pool, f->rel), app) != 0)
            continue;
        const char *name = without_suffix(p->pool, f->base + (prj ? 4 : 9));
        if (!known_board(name) && !soc_in(name)) /* prj_BOARD.conf is another, older, thing */
            add_suffix(out, name, sysbuild);
    }
}

/* Words that go on a board's name behind its SoC: cores, variants, revisions. */
static bool is_qualifier(const char *word, size_t n)
{
    static const char *const words[] = { "cpuapp", "cpunet", "cpurad", "cpuflpr", "cpuppr", "ns", "xip", "iron", "a", "b" };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) == n && strncmp(words[i], word, n) == 0)
            return true;
    }
    return isdigit((unsigned char)word[0]) || (n > 3 && strncmp(word, "nrf", 3) == 0);
}

/* Behind BOARD_SOC and its qualifiers: where a suffix begins that no other file speaks of; NULL if none. */
static const char *rest_of_name(const char *name)
{
    bool soc = false;

    for (const char *word = name; word; word = strchr(word, '_')) {
        word += *word == '_';
        size_t n = strcspn(word, "_");
        if (soc && !is_qualifier(word, n))
            return word;
        soc |= word != name && n > 4 && strncmp(word, "nrf", 3) == 0 && isdigit((unsigned char)word[3]);
    }
    return NULL;
}

/* Is there a file of the board `name`, or is it a kit? Then what follows the name is a suffix. */
static bool is_whole_name(const struct project *p, const char *name, size_t n)
{
    for (const struct source *f = p->files.first; f; f = f->next) {
        if (strncmp(f->base, name, n) == 0
            && (strcmp(f->base + n, ".conf") == 0 || strcmp(f->base + n, ".overlay") == 0 || strcmp(f->base + n, ".dts") == 0))
            return true;
    }
    return known_board(name) != NULL;
}

const char *without_file_suffix(const struct project *p, const struct suffixes *s, const char *name, const char **suffix)
{
    struct pool *pool = p->pool;
    const char *rest = rest_of_name(name);

    *suffix = NULL;
    if (rest && !is_whole_name(p, name, (size_t)(rest - name) - 1))
        rest = NULL; /* nrf52840_sense is a board as well */
    for (size_t i = 0; i < s->count && !rest; i++) {
        size_t n = strlen(name), m = strlen(s->name[i]);
        if (n > m + 1 && name[n - m - 1] == '_' && strcmp(name + n - m, s->name[i]) == 0)
            rest = name + n - m;
    }
    if (!rest || rest - name < 2)
        return name;
    *suffix = pool_dup(pool, rest);
    return pool_copy(pool, name, (size_t)(rest - name) - 1);
}

/* Names of the boards that the application has files for, then those of board files in the project. */
size_t project_boards(struct project *p, const char *app, const char **boards)
{
    size_t count = 0;
    const char *dirs[] = { path_join(p->pool, app, "boards"), path_join(p->pool, app, "child_image/mcuboot/boards"),
        path_join(p->pool, app, "sysbuild/mcuboot/boards") };
    struct suffixes suffixes;
    const char *suffix;

    project_suffixes(p, app, &suffixes);
    for (struct source *f = p->files.first; f; f = f->next) {
        const char *dir = path_dir(p->pool, f->rel);
        if ((strcmp(dir, dirs[0]) == 0 || strcmp(dir, dirs[1]) == 0 || strcmp(dir, dirs[2]) == 0)
            && (text_ends(f->base, ".overlay") || (text_ends(f->base, ".conf") && !text_ends(f->base, "_defconfig"))))
            add_board(boards, &count, without_file_suffix(p, &suffixes, without_suffix(p->pool, f->base), &suffix));
    }
    for (struct source *f = p->files.first; f; f = f->next) {
        /* BOARD.overlay beside prj.conf counts like one in boards/ */
        if (text_ends(f->base, ".overlay") && strcmp(path_dir(p->pool, f->rel), app) == 0
            && known_board(without_suffix(p->pool, f->base)))
            add_board(boards, &count, without_file_suffix(p, &suffixes, without_suffix(p->pool, f->base), &suffix));
    }
    for (struct source *f = p->files.first; f; f = f->next) {
        if (!text_ends(f->base, ".dts") || project_in_build(p, f->rel))
            continue;
        const char *name = without_suffix(p->pool, f->base);
        bool known = false;
        for (size_t i = 0; i < count; i++)
            known |= board_matches(boards[i], name);
        if (!known)
            add_board(boards, &count, name);
    }
    /* configuration/BOARD/ holds one board's files of an application */
    if (count == 0 && known_board(last_part(app)))
        add_board(boards, &count, last_part(app));
    return count;
}

struct source *project_board_dts(struct project *p, const char *board)
{
    struct source *found = NULL;

    for (struct source *f = p->files.first; f; f = f->next) {
        if (!text_ends(f->base, ".dts") || project_in_build(p, f->rel))
            continue;
        const char *name = without_suffix(p->pool, f->base);
        if (strcmp(name, board) == 0)
            return f;
        if (board_matches(name, board) && !found)
            found = f;
    }
    return found;
}
