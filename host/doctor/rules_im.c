/* MCUmgr, transports, the application, and the network core. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/doctor/rule.h"

typedef unsigned long long ull;

static const char *sysbuild_conf(struct check *c)
{
    return *c->v->app_dir ? check_say(c, "%s/sysbuild.conf", c->v->app_dir) : "sysbuild.conf";
}

static void im01(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *item = opt_item(&v->app, "IMG_ERASE_PROGRESSIVELY");
    struct slot s = slot_secondary(v);

    if (!item || strcmp(item->value, "n") != 0 || (s.known && s.size < 256u << 10)
        || (v->app.has_built && !conf_is(&v->app.built, "IMG_MANAGER", "y")))
        return;
    if (v->app.has_built && conf_is(&v->app.built, "IMG_ERASE_PROGRESSIVELY", "y"))
        return;
    struct finding *f = check_report(c, item->at, "app",
        "CONFIG_IMG_ERASE_PROGRESSIVELY=n: the whole slot is erased while the phone waits for the answer to its first chunk");
    if (conf_item(&v->app.src, "IMG_ERASE_PROGRESSIVELY"))
        fix_delete(c, f, &item->at);
}

static uint64_t largest_for(uint64_t primary)
{
    uint64_t rest = 80 + primary / 4096 * 12 + 4096;

    return primary > rest ? primary - rest : 0;
}

static void im02(struct check *c)
{
    const struct view *v = c->v;
    struct slot pri = slot_primary(v), sec = slot_secondary(v);
    enum swap_mode m = swap_mode(v);

    if (!pri.known || pri.erase != 4096 || (m != SWAP_MOVE && m != SWAP_OFFSET))
        return;
    uint64_t limit = largest_for(pri.size);
    if (sec.known && sec.erase == 4096 && sec.size + 4096 < pri.size) {
        if (sec.size - 4096 < limit)
            limit = sec.size - 4096;
        check_report(c, sec.at, "mcuboot",
            "slot 1 (0x%llx) is smaller than slot 0 (0x%llx): an image of more than %llu bytes passes the size check and cannot be swapped",
            (ull)sec.size, (ull)pri.size, (ull)limit);
    }
    for (const struct artifact *a = NULL; (a = each_artifact(v, a));) {
        if (!artifact_is_app(a) || a->signed_size <= limit)
            continue;
        struct finding *f = check_report(c, in_file(a->rel), "app", "the signed image has %u bytes; %s can install at most %llu here",
            a->signed_size, swap_mode_name(m), (ull)limit);
        if (artifact_unsure(v, a))
            f->severity = SEV_WARNING;
    }
}

static bool in_sources(const struct view *v, const char *const *words)
{
    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (!(text_ends(f->base, ".c") || text_ends(f->base, ".cpp") || text_ends(f->base, ".h")) || f->size > 2 << 20)
            continue;
        const char *text = source_peek(&v->p->files, f);
        for (const char *const *w = words; text && *w; w++) {
            if (strstr(text, *w))
                return true;
        }
    }
    return false;
}

static void im03(struct check *c)
{
    static const char *const pairing[] = { "passkey_display", "passkey_entry", "passkey_confirm", NULL };
    const struct view *v = c->v;
    bool explicit_authen = opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN") || opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT_AUTHEN");
    bool other = opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT_PERM_RW") || opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT")
        || opt_off(v, &v->app, "MCUMGR_TRANSPORT_BT_AUTHEN") || opt_on(v, &v->app, "NCS_SAMPLE_MCUMGR_BT_OTA_DFU");
    bool implied = !other && opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT") && opt_on(v, &v->app, "BT_SMP");

    if ((!explicit_authen && !implied) || in_sources(v, pairing))
        return;
    check_report(c, opt_place(&v->app, opt_item(&v->app, "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN") ? "MCUMGR_TRANSPORT_BT_PERM_RW_AUTHEN" : "MCUMGR_TRANSPORT_BT"),
        "app", "SMP over Bluetooth asks for an authenticated link%s, and nothing here can show or take a passkey",
        explicit_authen ? "" : " (the default with BT_SMP)");
}

static void im04(struct check *c)
{
    const struct view *v = c->v;
    uint64_t size = opt_number(v, &v->app, "MCUMGR_TRANSPORT_NETBUF_SIZE", 0);
    bool udp = opt_on(v, &v->app, "MCUMGR_TRANSPORT_UDP");
    bool fragments = opt_on(v, &v->app, "NET_IPV4_FRAGMENT") || opt_on(v, &v->app, "NET_IPV6_FRAGMENT");

    if (size && size < 128)
        check_report(c, opt_place(&v->app, "MCUMGR_TRANSPORT_NETBUF_SIZE"), "app",
            "CONFIG_MCUMGR_TRANSPORT_NETBUF_SIZE=%llu does not hold the first chunk of an upload with its hash", (ull)size);
    else if (udp && !fragments && (size == 0 || size > 1472))
        check_report(c, opt_place(&v->app, size ? "MCUMGR_TRANSPORT_NETBUF_SIZE" : "MCUMGR_TRANSPORT_UDP"), "app",
            "SMP over UDP with buffers of %llu bytes and no IP fragmentation: large requests never arrive", (ull)(size ? size : 2048));
}

/* What a chosen property names: the label, also of a node that cannot be seen; NULL if it is not there. */
static const char *chosen_name(const struct view *v, const char *prop)
{
    const struct dt_prop *p = dt_chosen_prop(v->app.dt, prop);

    return p && p->value ? p->value->text : NULL;
}

static bool same_chosen(const struct view *v, const char *a, const char *b)
{
    const char *x = chosen_name(v, a), *y = chosen_name(v, b);

    return x && y && strcmp(x, y) == 0;
}

static void im05(struct check *c)
{
    const struct view *v = c->v;
    const char *mcumgr = chosen_name(v, "zephyr,uart-mcumgr");
    const struct dt_prop *p = dt_chosen_prop(v->app.dt, "zephyr,uart-mcumgr");

    if (!mcumgr || !opt_on(v, &v->app, "MCUMGR_TRANSPORT_UART"))
        return;
    bool shell = opt_on(v, &v->app, "SHELL") && !opt_off(v, &v->app, "SHELL_BACKEND_SERIAL")
        && same_chosen(v, "zephyr,shell-uart", "zephyr,uart-mcumgr");
    bool same_console = same_chosen(v, "zephyr,console", "zephyr,uart-mcumgr");
    bool console = same_console && !opt_off(v, &v->app, "CONSOLE") && !opt_off(v, &v->app, "UART_CONSOLE")
        && (opt_on(v, &v->app, "UART_CONSOLE") || opt_on(v, &v->app, "LOG_BACKEND_UART"));
    if (!shell && !console)
        return;
    struct finding *f = check_report(c, dt_place(v, &p->loc), "app", "SMP over UART and the %s share %s", shell ? "shell" : "console", mcumgr);
    if (!shell)
        f->severity = SEV_WARNING;
}

static void im06(struct check *c)
{
    const struct view *v = c->v;

    if (!v->p->has_sources || v->p->confirms || !uses_mcuboot(v) || !uses_image_upload(v) || !swaps(swap_mode(v)))
        return;
    check_report(c, opt_place(&v->app, "MCUMGR_GRP_IMG"), "app",
        "no source file here calls boot_write_img_confirmed(): an update sent as \"test\" is taken back at the next reset unless the phone confirms it");
}

static void im07(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_node *n = ext_flash(v, &v->app);
    const struct nor_part *part = n ? part_of(n) : NULL;
    bool qspi = n ? is_qspi_nor(n) : opt_on(v, &v->app, "NORDIC_QSPI_NOR");
    bool ble = opt_on(v, &v->app, "NCS_SAMPLE_MCUMGR_BT_OTA_DFU") || opt_on(v, &v->app, "MCUMGR_TRANSPORT_BT");
    bool hit = v->p->ncs >= 20600 && v->p->ncs <= 20700, slow = !v->p->ncs && part && part->protects && part->erase_ms > 2000;

    if (!qspi || !ble || (!hit && !slow) || (v->soc && strcmp(v->soc->name, "nrf52840") != 0))
        return;
    if (opt_number(v, &v->app, "NORDIC_QSPI_NOR_TIMEOUT_MS", 0) >= 3500)
        return;
    struct finding *f = check_report(c, opt_place(&v->app, "NORDIC_QSPI_NOR_TIMEOUT_MS"), "app",
        "the QSPI driver may give up before the flash is done%s%s", slow ? "; a 64 KiB erase of this part takes up to 2.25 s" : "",
        v->p->ncs ? "" : " (nRF Connect SDK 2.6.0 to 2.7.0; the version is not known here)");
    fix_append(c, f, v->app.conf_file, "CONFIG_NORDIC_QSPI_NOR_TIMEOUT_MS=3500");
}

static void im08(struct check *c)
{
    static const char *const needs[] = { "IMG_MANAGER", "STREAM_FLASH", "FLASH_MAP", "ZCBOR", "NET_BUF" };
    const struct view *v = c->v;

    if (!conf_is(&v->app.src, "MCUMGR_GRP_IMG", "y") && !opt_on(v, &v->app, "MCUMGR_GRP_IMG"))
        return;
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const struct conf_item *item = opt_item(&v->app, needs[i]);
        bool off = opt_off(v, &v->app, needs[i]) && (v->app.has_built || item);
        if (!off)
            continue;
        struct finding *f = check_report(c, opt_place(&v->app, needs[i]), "app",
            "CONFIG_MCUMGR_GRP_IMG needs CONFIG_%s, which is off: the image group is left out", needs[i]);
        f->fix = check_say(c, "CONFIG_%s=y", needs[i]);
    }
    if (!v->app.has_built && !opt(v, &v->app, "IMG_MANAGER") && !opt_on(v, &v->app, "NCS_SAMPLE_MCUMGR_BT_OTA_DFU")) {
        struct finding *f = check_report(c, opt_place(&v->app, "MCUMGR_GRP_IMG"), "app",
            "CONFIG_MCUMGR_GRP_IMG needs CONFIG_IMG_MANAGER, which is not set in what can be seen");
        f->severity = SEV_WARNING;
    }
}

static void im09(struct check *c)
{
    static const char *const words[] = { "rc: 8", "rc=8", "\"rc\": 8", "rc = 8", "Error: 8" };
    struct place at;

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (log_line(c, words[i], &at)) {
            check_report(c, at, "app", "the bare number 8 is two errors: 'not supported' of SMP itself, or 'hash not found' of the image group");
            return;
        }
    }
}

/* The smallest ".max = N" of a watchdog window in the sources, 0 if there is none. */
static unsigned watchdog_window(const struct view *v, struct place *at)
{
    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (!text_ends(f->base, ".c") || f->size > 2 << 20)
            continue;
        const char *text = source_peek(&v->p->files, f);
        const char *hit = text && strstr(text, "wdt_") ? strstr(text, "window.max") : NULL;
        if (!hit)
            continue;
        const char *digits = hit + strcspn(hit, "0123456789;\n");
        if (!isdigit((unsigned char)*digits))
            continue;
        unsigned line = 1;
        for (const char *p = text; p < hit; p++)
            line += *p == '\n';
        *at = (struct place) { f->rel, line, 1 };
        return (unsigned)strtoul(digits, NULL, 10);
    }
    return 0;
}

static void im10(struct check *c)
{
    const struct view *v = c->v;
    const struct dt_node *n = ext_flash(v, &v->app);
    const struct nor_part *part = n ? part_of(n) : NULL;
    struct place at;
    unsigned window = watchdog_window(v, &at), erase = part ? part->erase_ms : 2000;

    if (opt_off(v, &v->app, "IMG_ERASE_PROGRESSIVELY"))
        erase *= 15;
    if (window && window < erase && uses_image_upload(v) && !opt_off(v, &v->app, "WATCHDOG"))
        check_report(c, at, "app", "the watchdog bites after %u ms, an erase during an upload can block for %u ms", window, erase);
    if (opt_off(v, &v->boot, "BOOT_WATCHDOG_FEED") && opt_on(v, &v->app, "WATCHDOG"))
        check_report(c, opt_place(&v->boot, "BOOT_WATCHDOG_FEED"), "mcuboot", "MCUboot does not feed the watchdog that the application started: a swap is cut short");
}

static bool is_5340(const struct view *v)
{
    return !v->soc || strcmp(v->soc->name, "nrf5340") == 0;
}

/* A switch of sysbuild that the project sets itself, not the board. */
static const struct conf_item *sb_said(const struct view *v, const char *name)
{
    const struct conf_item *item = conf_item(&v->sb, name);

    return item && !item->weak && strcmp(item->value, "y") == 0 ? item : NULL;
}

static void net01(struct check *c)
{
    const struct view *v = c->v;
    bool update = sb_on(v, "NETCORE_APP_UPDATE"), boot = sb_on(v, "SECURE_BOOT_NETCORE");
    const struct conf_item *item = sb_said(v, "MCUBOOT_NRF53_MULTI_IMAGE_UPDATE");

    if (!item)
        item = sb_said(v, "NETCORE_APP_UPDATE");
    if (!is_5340(v) || !item || (update && boot))
        return;
    const char *gone = !boot ? "SECURE_BOOT_NETCORE" : "NETCORE_APP_UPDATE";
    struct finding *f = check_report(c, item->at, "sysbuild", "the network core is to be updated, and SB_CONFIG_%s=y is missing", gone);
    fix_append(c, f, sysbuild_conf(c), check_say(c, "SB_CONFIG_%s=y", gone));
}

static void net02(struct check *c)
{
    static const char *const multi = "MCUBOOT_NRF53_MULTI_IMAGE_UPDATE";
    const struct view *v = c->v;
    const struct conf_item *item = sb_said(v, "NETCORE_APP_UPDATE");

    struct slot slot = slot_secondary(v);
    bool external = v->pm ? sb_on(v, "PM_EXTERNAL_FLASH_MCUBOOT_SECONDARY") : slot.known && slot.external;

    if (!is_5340(v) || !item || !external || sb_on(v, multi))
        return;
    /* the switch of the Partition Manager's external slot may select it; nothing does without */
    bool refused = sb_off(v, multi), sure = refused || !v->pm;
    struct finding *f = check_report(c, refused ? conf_item(&v->sb, multi)->at : item->at, "sysbuild",
        "the network core is to be updated through an external slot 1, which needs SB_CONFIG_MCUBOOT_NRF53_MULTI_IMAGE_UPDATE=y%s",
        sure ? "" : " (an SDK whose external slot selects it by itself needs no line)");
    if (!sure)
        f->severity = SEV_WARNING;
    fix_append(c, f, sysbuild_conf(c), "SB_CONFIG_MCUBOOT_NRF53_MULTI_IMAGE_UPDATE=y");
}

const struct rule rules_im[] = {
    { "IM01", SEV_WARNING, IN_ANY, false, "both", "the whole slot is erased at once", "The upload stalls at 0 %, or is retried on a half-erased slot.",
        "Delete the line (the default is y for Bluetooth DFU).", "About 1 MiB takes 11 to 36 s to erase; phones wait 10 to 40 s.",
        "sdk-mcuboot PR #106; Android-nRF-Connect-Device-Manager PR #71", im01 },
    { "IM02", SEV_ERROR, IN_ANY, false, "both", "an image can pass the size check and not be swappable", "The image is accepted and never installed, or the swap goes wrong.",
        "Keep the image below primary - 80 - 12 * (primary / 4096) - 4096 bytes, and the slots of one size.",
        "Trailer and the free unit of the swap take room that the upload check does not count.", "NCSDK-20567; mcuboot PR #2283", im02 },
    { "IM03", SEV_WARNING, IN_ANY, false, "sources", "authenticated Bluetooth access that no device here can satisfy", "The phone can never write: the upload does not start.",
        "CONFIG_MCUMGR_TRANSPORT_BT_PERM_RW_ENCRYPT=y, or ..._PERM_RW=y.", "Authentication needs a display or a keyboard.", "Zephyr migration guide", im03 },
    { "IM04", SEV_WARNING, IN_ANY, false, "sources", "SMP buffers that do not fit the transport", "The upload is refused (message too long), or requests vanish.",
        "At least 256 bytes; on UDP at most 1472, or IP fragmentation on.", "A chunk must fit one buffer and one datagram.", "sdk-nrf PR #28390, smpmgr #8, zephyr #107815", im04 },
    { "IM05", SEV_ERROR, IN_ANY, false, "sources", "SMP over UART shares its UART", "Frames are mixed with text; the upload fails at random.",
        "Choose another UART for zephyr,uart-mcumgr, or use the shell transport.", "Two readers of one UART take bytes from each other.", "chosen zephyr,uart-mcumgr", im05 },
    { "IM06", SEV_WARNING, IN_ANY, false, "sources", "nobody confirms the image", "The update works once and is gone after the next reset.",
        "Call boot_write_img_confirmed() when the application is well, or confirm from the phone.", "A test image must be confirmed.", "MCUboot design.md", im06 },
    { "IM07", SEV_WARNING, IN_ANY, false, "both", "QSPI time-outs during Bluetooth DFU", "A crash in the middle of an upload, with some image sizes.",
        "CONFIG_NORDIC_QSPI_NOR_TIMEOUT_MS=3500 in prj.conf, or a newer SDK.", "Known issue of nRF Connect SDK 2.6.0 to 2.7.0.", "NCSDK-29228", im07 },
    { "IM08", SEV_ERROR, IN_ANY, false, "both", "the image group of MCUmgr lacks what it needs", "The phone gets 'not supported' (8).", "Enable the missing options.",
        "Kconfig drops an option whose dependencies are off.", "zephyr Kconfig of mgmt/mcumgr", im08 },
    { "IM09", SEV_WARNING, IN_ANY, false, "log", "an error 8 without its group", "The wrong fault is looked for.", "Print the group beside the number; see slipway explain smp 1 8.",
        "SMP's own codes and those of a group share numbers.", "devzone 88443", im09 },
    { "IM10", SEV_WARNING, IN_ANY, false, "sources", "a watchdog shorter than an erase", "The device resets in the middle of an upload or a swap.",
        "Feed it from a thread of its own, erase progressively, and let MCUboot feed it.", "An erase blocks the thread that asked for it.", "data sheets", im10 },
    { "NET01", SEV_ERROR, IN_SYSBUILD, false, "sources", "a network core update without its bootloader", "The network core's image is not signed, or not part of the update.",
        "SB_CONFIG_SECURE_BOOT_NETCORE=y and SB_CONFIG_NETCORE_APP_UPDATE=y.", "The network core is updated by its own bootloader, b0n.", "Kconfig.netcore", net01 },
    { "NET02", SEV_ERROR, IN_SYSBUILD | IN_NONE, false, "sources", "a network core update through external flash without multi-image",
        "Kconfig refuses: required if the secondary partition resides in off-chip memory.", "SB_CONFIG_MCUBOOT_NRF53_MULTI_IMAGE_UPDATE=y.",
        "Only with it is the image kept apart.", "Kconfig.mcuboot", net02 },
    { .id = NULL },
};
