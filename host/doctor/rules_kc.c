/* Configuration hygiene, and what the doctor says about its own inputs. */
#include <stdlib.h>
#include <string.h>

#include "host/doctor/doctor.h"
#include "host/doctor/explain.h"
#include "host/doctor/project_priv.h"

/* --- KC01: names ------------------------------------------------------------------------------- */

static const struct {
    const char *old, *now;
    int zephyr; /* gone from this version on */
    int ncs; /* and from this nRF Connect SDK, which takes some changes early; 0: as its Zephyr */
} renamed[] = {
    { "MCUMGR_TRANSPORT_BT_AUTHEN", "MCUMGR_TRANSPORT_BT_PERM_RW (or ..._ENCRYPT, ..._AUTHEN)", 40000, 20900 },
    { "BT_HCI_VS_EXT", "BT_HCI_VS", 30700, 0 },
    { "MCUMGR_CMD_IMG_MGMT", "MCUMGR_GRP_IMG", 30500, 0 },
    { "MCUMGR_CMD_OS_MGMT", "MCUMGR_GRP_OS", 30500, 0 },
    { "MCUMGR_CMD_FS_MGMT", "MCUMGR_GRP_FS", 30500, 0 },
    { "MCUMGR_CMD_STAT_MGMT", "MCUMGR_GRP_STAT", 30500, 0 },
    { "MCUMGR_CMD_SHELL_MGMT", "MCUMGR_GRP_SHELL", 30500, 0 },
    { "MCUMGR_SMP_BT", "MCUMGR_TRANSPORT_BT", 30500, 0 },
    { "MCUMGR_SMP_BT_AUTHEN", "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN", 30500, 0 },
    { "MCUMGR_SMP_UART", "MCUMGR_TRANSPORT_UART", 30500, 0 },
    { "MCUMGR_SMP_SHELL", "MCUMGR_TRANSPORT_SHELL", 30500, 0 },
    { "MCUMGR_SMP_UDP", "MCUMGR_TRANSPORT_UDP", 30500, 0 },
    { "MCUMGR_BUF_SIZE", "MCUMGR_TRANSPORT_NETBUF_SIZE", 30500, 0 },
    { "MCUMGR_BUF_COUNT", "MCUMGR_TRANSPORT_NETBUF_COUNT", 30500, 0 },
    { "OS_MGMT_RESET_HOOK", "MCUMGR_GRP_OS_RESET_HOOK", 30500, 0 },
    { "NORDIC_QSPI_NOR_FLASH_ALLOW_STACK_USAGE_FOR_DATA_IN_FLASH", "NORDIC_QSPI_NOR_STACK_WRITE_BUFFER_SIZE", 30000, 0 },
};

/* A `config NAME` of any Kconfig file of the SDK or of the project. */
static bool kconfig_defines(struct sources *s, const char *name, bool *any)
{
    size_t n = strlen(name);

    for (struct source *f = s->first; f; f = f->next) {
        if (!text_starts(f->base, "Kconfig"))
            continue;
        *any = true;
        const char *text = source_peek(s, f);
        for (const char *at = text; at && (at = strstr(at, "config ")); at += 7) {
            if (strncmp(at + 7, name, n) == 0 && (at[7 + n] == '\n' || at[7 + n] == '\r' || at[7 + n] == ' ' || at[7 + n] == '\0'))
                return true;
        }
    }
    return false;
}

static void check_symbol(struct check *c, const struct image *i, const struct conf_item *item, bool sdk)
{
    const struct view *v = c->v;
    bool any = false;

    for (size_t k = 0; k < sizeof renamed / sizeof renamed[0]; k++) {
        if (strcmp(renamed[k].old, item->name) != 0)
            continue;
        bool gone = (renamed[k].ncs && v->p->ncs >= renamed[k].ncs) || v->p->zephyr >= renamed[k].zephyr;
        if (kconfig_defines(&v->p->files, item->name, &any) || (v->p->zephyr && !gone))
            return;
        struct finding *f = check_report(c, item->at, i->name, "CONFIG_%s %s; it is now %s", item->name,
            v->p->zephyr ? "does not exist in this SDK" : "does not exist in newer SDKs", renamed[k].now);
        f->fix = check_say(c, "CONFIG_%s", renamed[k].now);
        if (!v->p->zephyr)
            f->severity = SEV_WARNING;
        return;
    }
    if (sdk && !kconfig_defines(&v->p->sdk_files, item->name, &any) && any && !kconfig_defines(&v->p->files, item->name, &any))
        check_report(c, item->at, i->name, "CONFIG_%s is not defined by any Kconfig file of the SDK", item->name);
}

static void kc01(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };
    const char *why;

    if (v->p->sdk && !v->p->sdk_scanned) {
        v->p->sdk_scanned = true;
        if (!sources_scan(&v->p->sdk_files, v->p->pool, v->p->sdk, &why))
            v->p->sdk_files = (struct sources) { .pool = v->p->pool, .dir = v->p->sdk };
    }
    for (int i = 0; i < 2; i++) {
        for (const struct conf_item *item = images[i]->src.first; item; item = item->next)
            check_symbol(c, images[i], item, v->p->sdk != NULL);
    }
}

/* --- KC02: assignments that do not take --------------------------------------------------------- */

static const struct {
    const char *option, *needs;
} needs[] = { { "UART_CONSOLE", "CONSOLE" }, { "RTT_CONSOLE", "CONSOLE" }, { "LOG_PRINTK", "PRINTK" }, { "SPI_NOR_IDLE_IN_DPD", "SPI_NOR" },
    { "SHELL_BACKEND_SERIAL", "SHELL" }, { "MCUMGR_TRANSPORT_BT", "BT" }, { "BT_SMP", "BT" }, { "IMG_ERASE_PROGRESSIVELY", "IMG_MANAGER" },
    { "NORDIC_QSPI_NOR", "FLASH" }, { "SPI_NOR", "SPI" }, { "MCUMGR_GRP_IMG", "MCUMGR" }, { "IMG_MANAGER", "STREAM_FLASH" } };

static void against_built(struct check *c, const struct image *i)
{
    for (const struct conf_item *item = i->src.first; item; item = item->next) {
        const char *built = conf_value(&i->built, item->name);
        if (item != conf_item(&i->src, item->name) || (strcmp(item->value, "y") != 0 && strcmp(item->value, "n") != 0))
            continue;
        bool yes = strcmp(item->value, "y") == 0, is = built && strcmp(built, "y") == 0;
        if (yes != is && !(built && strlen(built) > 1))
            check_report(c, item->at, i->name, "CONFIG_%s=%s did not take: the build's .config has it %s", item->name, item->value, is ? "y" : "off");
    }
}

static void without_node(struct check *c, const struct image *i, const char *option, const char *compatible)
{
    const struct conf_item *item = conf_item(&i->src, option);

    if (!item || strcmp(item->value, "y") != 0 || !i->board_seen || dt_by_compatible(i->dt, NULL, compatible))
        return;
    check_report(c, item->at, i->name, "CONFIG_%s=y does not take: the devicetree has no %s node", option, compatible);
}

static void kc02(struct check *c)
{
    const struct view *v = c->v;
    const struct image *images[] = { &v->app, &v->boot };

    for (int k = 0; k < 2; k++) {
        const struct image *i = images[k];
        if (i->has_built && i->has_conf) {
            against_built(c, i);
            continue;
        }
        for (size_t n = 0; n < sizeof needs / sizeof needs[0]; n++) {
            const struct conf_item *item = conf_item(&i->src, needs[n].option), *base = conf_item(&i->src, needs[n].needs);
            if (item && base && strcmp(item->value, "y") == 0 && strcmp(base->value, "n") == 0)
                check_report(c, item->at, i->name, "CONFIG_%s=y does not take: CONFIG_%s=n (line %u)", needs[n].option, needs[n].needs, base->at.line);
        }
        without_node(c, i, "SPI_NOR", "jedec,spi-nor");
        without_node(c, i, "NORDIC_QSPI_NOR", "nordic,qspi-nor");
    }
}

/* --- KC03, KC04 --------------------------------------------------------------------------------- */

static const char *const choices[][9] = {
    { "BT_CTLR_TX_PWR_PLUS_8", "BT_CTLR_TX_PWR_PLUS_4", "BT_CTLR_TX_PWR_0", "BT_CTLR_TX_PWR_MINUS_4", "BT_CTLR_TX_PWR_MINUS_8",
        "BT_CTLR_TX_PWR_MINUS_12", "BT_CTLR_TX_PWR_MINUS_20", NULL },
    { "LOG_MODE_IMMEDIATE", "LOG_MODE_DEFERRED", "LOG_MODE_MINIMAL", NULL },
    { "CLOCK_CONTROL_NRF_K32SRC_RC", "CLOCK_CONTROL_NRF_K32SRC_XTAL", "CLOCK_CONTROL_NRF_K32SRC_SYNTH", NULL },
    { "BOOT_SIGNATURE_TYPE_RSA", "BOOT_SIGNATURE_TYPE_ECDSA_P256", "BOOT_SIGNATURE_TYPE_ED25519", "BOOT_SIGNATURE_TYPE_NONE", NULL },
    { "BOOT_SWAP_USING_MOVE", "BOOT_SWAP_USING_SCRATCH", "BOOT_SWAP_USING_OFFSET", "BOOT_UPGRADE_ONLY", "BOOT_DIRECT_XIP", "BOOT_RAM_LOAD",
        "SINGLE_APPLICATION_SLOT", NULL },
    { "MCUMGR_TRANSPORT_BT_PERM_RW", "MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT", "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN", NULL },
    { "SIZE_OPTIMIZATIONS", "SPEED_OPTIMIZATIONS", "DEBUG_OPTIMIZATIONS", "NO_OPTIMIZATIONS", NULL },
};

static void choice_members(struct check *c, const struct image *i, const struct conf_item *const *on, int count)
{
    const struct conf_item *last = on[0];

    for (int k = 1; k < count; k++) {
        if (strcmp(on[k]->at.file, last->at.file) == 0 && on[k]->at.line > last->at.line)
            last = on[k];
    }
    for (int k = 0; k < count; k++) {
        if (on[k] == last || strcmp(on[k]->at.file, last->at.file) != 0)
            continue;
        struct finding *f = check_report(c, on[k]->at, i->name, "CONFIG_%s=y and CONFIG_%s=y (line %u) are members of one choice; the last one, %s, wins",
            on[k]->name, last->name, last->at.line, last->name);
        fix_delete(c, f, &on[k]->at);
    }
}

static void log_levels(struct check *c, const struct image *i)
{
    static const char *const levels[] = { "_LOG_LEVEL_OFF", "_LOG_LEVEL_ERR", "_LOG_LEVEL_WRN", "_LOG_LEVEL_INF", "_LOG_LEVEL_DBG" };

    for (const struct conf_item *item = i->src.first; item; item = item->next) {
        const char *at = strstr(item->name, "_LOG_LEVEL_");
        if (!at || strcmp(item->value, "y") != 0)
            continue;
        const struct conf_item *on[5];
        int count = 0;
        for (int k = 0; k < 5; k++) {
            const char *name = check_say(c, "%.*s%s", (int)(at - item->name), item->name, levels[k]);
            const struct conf_item *other = conf_item(&i->src, name);
            if (other && strcmp(other->value, "y") == 0)
                on[count++] = other;
        }
        if (count > 1 && on[0] == item)
            choice_members(c, i, on, count);
    }
}

static void kc03(struct check *c)
{
    const struct image *images[] = { &c->v->app, &c->v->boot };

    for (int k = 0; k < 2; k++) {
        for (size_t n = 0; n < sizeof choices / sizeof choices[0]; n++) {
            const struct conf_item *on[9];
            int count = 0;
            for (const char *const *name = choices[n]; *name; name++) {
                const struct conf_item *item = conf_item(&images[k]->src, *name);
                if (item && strcmp(item->value, "y") == 0)
                    on[count++] = item;
            }
            if (count > 1)
                choice_members(c, images[k], on, count);
        }
        log_levels(c, images[k]);
    }
}

static void kc04(struct check *c)
{
    const struct image *images[] = { &c->v->app, &c->v->boot };

    for (int k = 0; k < 2; k++) {
        for (const struct conf_item *item = images[k]->src.first; item; item = item->next) {
            const struct conf_item *last = conf_item(&images[k]->src, item->name);
            if (last == item || strcmp(last->at.file, item->at.file) != 0 || strcmp(last->value, item->value) == 0)
                continue;
            struct finding *f = check_report(c, item->at, images[k]->name, "CONFIG_%s is %s here and %s in line %u; the last one counts", item->name,
                item->value, last->value, last->at.line);
            fix_delete(c, f, &item->at);
        }
    }
}

/* --- KC05, KC06 --------------------------------------------------------------------------------- */

static void kc05(struct check *c)
{
    const struct view *v = c->v;
    bool rc = opt_on(v, &v->app, "CLOCK_CONTROL_NRF_K32SRC_RC") || opt_on(v, &v->app, "CLOCK_CONTROL_NRF_K32SRC_SYNTH");
    bool boot_rc = opt_on(v, &v->boot, "CLOCK_CONTROL_NRF_K32SRC_RC") || opt_on(v, &v->boot, "CLOCK_CONTROL_NRF_K32SRC_SYNTH");
    bool kernel = opt_on(v, &v->boot, "MULTITHREADING");

    if (!rc || boot_rc || !uses_mcuboot(v) || !kernel)
        return;
    struct finding *f = check_report(c, opt_place(&v->app, "CLOCK_CONTROL_NRF_K32SRC_RC"), "mcuboot",
        "the application runs without the 32 kHz crystal, MCUboot is left at its default and waits for one");
    fix_append(c, f, v->boot.conf_file, "CONFIG_CLOCK_CONTROL_NRF_K32SRC_RC=y");
}

static void kc06(struct check *c)
{
    static const struct {
        const char *name;
        uint64_t least;
    } values[] = { { "BT_L2CAP_TX_MTU", 498 }, { "BT_BUF_ACL_RX_SIZE", 502 }, { "BT_BUF_ACL_TX_SIZE", 251 }, { "BT_CTLR_DATA_LENGTH_MAX", 251 } };
    const struct view *v = c->v;
    uint64_t n;

    if (!opt_on(v, &v->app, "NCS_SAMPLE_MCUMGR_BT_OTA_DFU") && !opt_on(v, &v->app, "NCS_SAMPLE_MCUMGR_BT_OTA_DFU_SPEEDUP"))
        return;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        const struct conf_item *item = conf_item(&v->app.src, values[i].name);
        if (!item || !conf_number(item->value, &n) || n >= values[i].least)
            continue;
        struct finding *f = check_report(c, item->at, "app", "CONFIG_%s=%llu undoes the speed-up of Bluetooth DFU, which sets %llu", values[i].name,
            (unsigned long long)n, (unsigned long long)values[i].least);
        fix_delete(c, f, &item->at);
    }
}

/* --- ADV ---------------------------------------------------------------------------------------- */

static void ask(struct check *c, const char *name, const char *why)
{
    doctor_ask(c->d, name, why);
    check_report(c, in_file(name), "", "%s would decide: %s", name, why);
}

static void adv01(struct check *c)
{
    const struct view *v = c->v;

    if (!uses_mcuboot(v) && !v->external_intent)
        return;
    if ((v->candidates & (v->candidates - 1)) != 0)
        ask(c, "sysbuild.conf or child_image/", "which way this is built (or say --flow sysbuild, child or none)");
    if (!v->app.board_seen && v->external_intent)
        ask(c, "the board's .dts", "what the overlays add to (or the built zephyr.dts of each image)");
    bool placed = slot_primary(v).known && slot_secondary(v).known;
    if (v->pm && !placed && v->external_intent)
        ask(c, "build/partitions.yml", "where the build really put the slots");
    if (!v->p->zephyr && v->external_intent)
        ask(c, "west.yml", "the version of the SDK, which several known faults depend on");
    if (v->pm && !v->boot.has_conf && !v->boot.has_built && v->external_intent)
        ask(c, v->boot.conf_file, "how MCUboot is configured");
}

static void adv02(struct check *c)
{
    struct sources *s = &c->v->p->files;

    for (struct source *f = s->first; f; f = f->next) {
        const char *text = project_is_log(f) ? source_text(s, f) : NULL;
        unsigned line = 0;
        for (const char *at = text, *end = text ? text + f->len : NULL; at && at < end;) {
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            size_t n = (size_t)((stop ? stop : end) - at);
            const struct explanation *e = explain_line(at, n < 2000 ? n : 2000);
            line++;
            if (e && !e->usual)
                check_report(c, (struct place) { f->rel, line, 1 }, "", "%s First to look at: %s%s%s", e->title, e->causes[0] ? e->causes[0] : "-",
                    e->rules ? "; rules " : "", e->rules ? e->rules : "");
            at += n + 1;
        }
    }
}

const struct rule rules_kc[] = {
    { "KC01", SEV_ERROR, IN_ANY, false, "sources", "an option that this SDK does not have", "Kconfig aborts: undefined symbol.", "Use the new name.",
        "Assignments to undefined symbols are fatal.", "scripts/kconfig/kconfig.py; migration guides", kc01 },
    { "KC02", SEV_WARNING, IN_ANY, false, "both", "an assignment that does not take", "The feature is missing, with one warning among many.",
        "Meet the dependency, or delete the line.", "Kconfig drops what its dependencies forbid.", "scripts/kconfig/kconfig.py", kc02 },
    { "KC03", SEV_WARNING, IN_ANY, false, "sources", "two members of one choice", "The last one wins.", "Keep one.", "A choice has one value.", "scripts/kconfig/kconfig.py", kc03 },
    { "KC04", SEV_INFO, IN_ANY, false, "sources", "one option set twice", "The last one wins, in silence.", "Keep one.", "Re-assignment is not reported.", "kconfiglib", kc04 },
    { "KC05", SEV_WARNING, IN_ANY, false, "sources", "MCUboot waits for a crystal that the board does not have", "The bootloader hangs.",
        "CONFIG_CLOCK_CONTROL_NRF_K32SRC_RC=y for both.", "The default clock source is the crystal.", "nrf clock control", kc05 },
    { "KC06", SEV_INFO, IN_ANY, false, "sources", "Bluetooth buffers set below the DFU defaults", "Uploads are slower.", "Delete the line.",
        "The sample option sets what is fast.", "mcumgr_bt_ota_dfu Kconfig", kc06 },
    { "ADV01", SEV_INFO, IN_ANY, false, "sources", "an input that would decide something is missing", "None; the doctor says what it could not see.",
        "Add the file, or run it where the build is.", "Nothing is guessed that can be read.", "-", adv01 },
    { "ADV02", SEV_INFO, IN_ANY, false, "log", "a log of the project says what went wrong", "See the message.", "See slipway explain FILE for the whole log.",
        "Messages of MCUboot, Zephyr and phone apps have known causes.", "the cases behind each entry", adv02 },
    { .id = NULL },
};
