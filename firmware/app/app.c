#include "firmware/app/app.h"

#include <string.h>

#include "core/boot/trailer.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/slipway.h"
#include "core/smp/groups/version.h"
#include "firmware/app/app_priv.h"
#include "firmware/common/log.h"

enum { READ_MAX = 64, WAIT_MAX_MS = 60000 };
enum { AFTER_ANSWER_MS = 5, QUIET_MS = 2000 };

static uint32_t now_ms(void *ctx)
{
    const struct app_port *port = ((struct app *)ctx)->cfg.port;

    return port->now_ms(port->ctx);
}

/* ---- the line ---------------------------------------------------------------------------------- */

void app_print(struct app *a, const char *text)
{
    output_text(&a->out, text, (uint32_t)strlen(text));
}

static void print_base(struct app *a, uint32_t n, uint32_t base)
{
    char text[12], *p = text + sizeof text - 1;

    *p = 0;
    do {
        *--p = "0123456789abcdef"[n % base];
        n /= base;
    } while (n > 0);
    app_print(a, p);
}

void app_print_number(struct app *a, uint32_t n)
{
    print_base(a, n, 10);
}

void app_print_hex(struct app *a, uint32_t n)
{
    print_base(a, n, 16);
}

void app_log(struct app *a, const struct finding *f)
{
    uint8_t line[LOG_LINE_MAX];
    uint32_t len = log_line(f, line);

    output_text(&a->out, (const char *)line, len);
}

/* An answer of the SMP server, in the framing that its request came in. */
static bool send(void *ctx, uint64_t framing, const uint8_t *msg, uint32_t len)
{
    struct app *a = ctx;

    a->held = !output_answer(&a->out, (enum serial_framing)framing, msg, len);
    a->answered_ms = now_ms(a);
    return !a->held;
}

static void got_message(void *ctx, enum serial_framing framing, struct span msg)
{
    struct app *a = ctx;

    a->out.quiet = framing == SERIAL_RAW;
    smp_submit(&a->server, &a->line, framing, msg.p, (uint32_t)msg.len);
}

static void got_text(void *ctx, uint8_t byte)
{
    shell_type(ctx, byte);
}

/* No more than the server has room for, so that no request is dropped; the rest waits in the UART's buffer. */
static bool read_line(struct app *a)
{
    uint8_t bytes[READ_MAX];
    bool some = false;

    while (a->server.queued < SMP_BUF_COUNT) {
        uint32_t n = a->cfg.port->read(a->cfg.port->ctx, bytes, sizeof bytes);
        if (n == 0)
            break;
        some = true;
        a->heard_ms = now_ms(a);
        serial_rx_feed(&a->serial, bytes, n, now_ms(a), got_message, a);
    }
    return some;
}

/* ---- start ------------------------------------------------------------------------------------- */

static void read_version(struct app *a)
{
    struct flash_area slot = store_slot(a->cfg.store, 0);
    uint8_t header[IMAGE_HEADER_LEN];
    struct image img;
    struct finding why;
    static const char unknown[] = "unknown";

    memcpy(a->version, unknown, sizeof unknown);
    if (area_read(&slot, 0, header, sizeof header) != OK
        || image_parse_header(&img, span_of(header, sizeof header), slot.size, &why) != OK)
        return;
    uint8_t text[SMP_VERSION_MAX];
    struct span s = smp_version_text(&img.version, SMP_VERSION_PLUS, text);
    _Static_assert((int)APP_VERSION_MAX >= (int)SMP_VERSION_MAX, "a version fits");
    if (s.len < sizeof a->version) {
        memcpy(a->version, s.p, s.len);
        a->version[s.len] = 0;
    }
}

uint32_t app_setting_number(const struct app *a, enum app_setting key, uint32_t otherwise)
{
    uint8_t text[10];
    uint32_t n = 0;
    int len = a->settings_err == OK ? settings_get(&a->settings, (uint16_t)key, text, sizeof text) : ERR_NOENT;

    if (len <= 0 || len >= (int)sizeof text)
        return otherwise;
    for (int i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return otherwise;
        n = n * 10 + (uint32_t)(text[i] - '0');
    }
    return n;
}

/* How often it was started: a counter that outlives power, and a use of the settings at every start. */
static void count_start(struct app *a)
{
    uint32_t n = app_setting_number(a, APP_SETTING_STARTS, 0) + 1;
    char text[10], *p = text + sizeof text;

    for (uint32_t left = n % 1000000000; left > 0; left /= 10)
        *--p = (char)('0' + left % 10);
    if (a->settings_err == OK)
        a->settings_err
            = settings_set(&a->settings, APP_SETTING_STARTS, p, (uint32_t)(text + sizeof text - p));
}

static void open_settings(struct app *a)
{
    a->settings_err = a->cfg.storage.size ? settings_open(&a->settings, &a->cfg.storage) : ERR_NOENT;
    count_start(a);
    a->cfg.confirm = app_setting_number(a, APP_SETTING_CONFIRM, a->cfg.confirm) != 0;
    a->cfg.record_ms = app_setting_number(a, APP_SETTING_RECORD_MS, a->cfg.record_ms);
    a->watchdog_s = app_setting_number(a, APP_SETTING_WATCHDOG, 0);
}

/*
 * The recorder's erase keeps the chip for as long as a client's chunk would have to wait. While one is
 * at it, right after an answer is the time: the next chunk takes as long on the line.
 */
static bool may_erase(struct app *a)
{
    uint32_t since = now_ms(a) - a->answered_ms;

    return since <= AFTER_ANSWER_MS || since >= QUIET_MS;
}

/* One step of what may be done while no request is in work. */
static bool idle(void *ctx)
{
    struct app *a = ctx;

    if (!a->cfg.store->external->busy && recorder_begin(&a->recorder, now_ms(a), may_erase(a))) {
        a->recorder_runs = true;
        return true;
    }
    return service_idle(&a->service);
}

/*
 * The bootloader logs a fault and hands it over beside its report; a client is told with the report. Slot 0:
 * it was an image's from there; none: the bootloader's.
 */
static void report_fault(struct app *a)
{
    const struct layout_part *slot0 = &a->cfg.store->layout->slot0;
    struct handover *over = a->cfg.over;

    if (!over || over->fault.exception == 0)
        return;
    unsigned slot = over->fault.vectors - slot0->off < slot0->size ? 0 : FINDING_NO_SLOT;
    report_note(&over->report, REASON_FAULT, slot, over->fault.pc, over->fault.cfsr, over->fault.exception);
}

static void start_server(struct app *a)
{
    const struct service_config service = { .store = a->cfg.store, .report = a->cfg.over ? &a->cfg.over->report : NULL };
    const struct smp_config smp = { .groups = a->group, .count = APP_GROUPS, .now_ms = now_ms,
        .idle = idle, .ctx = a };

    service_init(&a->service, &service);
    a->info = (struct smp_os_info) { .kernel = "Slipway", .node = a->cfg.store->layout->board, .release = a->version,
        .version = "slipway-app", .build = "", .machine = "arm", .processor = "cortex-m4",
        .platform = a->cfg.store->layout->board, .system = "Slipway" };
    smp_os_init(&a->os, &a->info);
    a->group[0] = (struct smp_binding) { &smp_group_os, &a->os };
    a->group[1] = (struct smp_binding) { &smp_group_img, &a->service };
    a->group[2] = (struct smp_binding) { &smp_group_slipway, &a->service };
    smp_init(&a->server, &smp);
    a->line = (struct smp_transport) { send, a };
    serial_rx_init(&a->serial);
    a->serial.text = got_text;
}

static void say_hello(struct app *a)
{
    app_print(a, "slipway-app ");
    app_print(a, a->version);
    app_print(a, " on ");
    app_print(a, a->cfg.store->layout->board);
    if (a->cfg.over && a->cfg.over->report.on_trial)
        app_print(a, ", on trial");
    app_print(a, "\r\n");
}

void app_init(struct app *a, const struct app_config *cfg)
{
    uint32_t jedec;

    memset(a, 0, sizeof *a);
    a->cfg = *cfg;
    output_init(&a->out, &cfg->port->out);
    a->start_ms = now_ms(a);
    open_settings(a);
    read_version(a);
    report_fault(a);
    start_server(a);
    if (flash_probe(cfg->store->external, &jedec) == OK)
        a->recorder.err = recorder_open(&a->recorder, &cfg->recorder, a->cfg.record_ms);
    a->recorder.due_ms = now_ms(a) + a->cfg.record_ms;
    say_hello(a);
}

/* ---- trial ------------------------------------------------------------------------------------- */

int app_confirm(struct app *a)
{
    struct flash_area slot = store_slot(a->cfg.store, 0);
    struct trailer t;
    int err = trailer_read(&slot, &t);

    /* As boot_write_img_confirmed(): only what was swapped in can be confirmed, or has to be. */
    if (err != OK || t.magic != TRAILER_SET || t.copy_done != TRAILER_SET)
        return err;
    return trailer_confirm(&slot);
}

/*
 * The self-test of an image on trial: it has run for a while, the external chip answers (without it there
 * would be no next update), and settings and records can be written.
 */
static void test_itself(struct app *a)
{
    struct finding why;
    uint32_t jedec;

    if (a->self_tested || !a->cfg.confirm || now_ms(a) - a->start_ms < APP_SELF_TEST_MS)
        return;
    int err = service_probe(&a->service, &jedec, &why);
    if (err == ERR_BUSY)
        return;
    a->self_tested = true;
    if (err != OK)
        app_log(a, &why);
    bool good = err == OK && (a->settings_err == OK || a->cfg.storage.size == 0) && a->recorder.bad == 0;
    if (good && app_confirm(a) == OK)
        app_print(a, "self-test passed\r\n");
    else
        app_print(a, "self-test failed: an image on trial is not confirmed\r\n");
}

/* ---- the loop ---------------------------------------------------------------------------------- */

bool app_alone(const struct app *a)
{
    return a->cfg.port->now_ms(a->cfg.port->ctx) - a->heard_ms >= QUIET_MS;
}

/* While a client may be waiting, the end of a program (under a millisecond) is looked for all the time. */
static enum app_next step_recorder(struct app *a)
{
    a->recorder_runs = recorder_poll(&a->recorder, now_ms(a));
    if (a->recorder_runs && (a->recorder.step == RECORDER_ERASE || app_alone(a)))
        return APP_SOON;
    return APP_AGAIN;
}

enum app_next app_step(struct app *a)
{
    bool more = read_line(a);

    output_poll(&a->out);
    if (smp_os_reset_due(&a->os, now_ms(a)))
        a->cfg.port->reset(a->cfg.port->ctx, a->os.boot_mode == SMP_OS_BOOT_RECOVERY);
    if (a->recorder_runs)
        return step_recorder(a);
    more = smp_poll(&a->server) || more;
    if (a->server.state == SMP_IDLE && !a->recorder_runs)
        test_itself(a);
    if (a->held || a->service.up.erasing || output_waits(&a->out))
        return APP_SOON;
    return more ? APP_AGAIN : APP_WAIT;
}

static uint32_t sooner(uint32_t wait_ms, uint32_t now, uint32_t due)
{
    int32_t left = (int32_t)(due - now);

    return left <= 0 ? 0 : (uint32_t)left < wait_ms ? (uint32_t)left : wait_ms;
}

uint32_t app_wait_ms(const struct app *a)
{
    uint32_t t = a->cfg.port->now_ms(a->cfg.port->ctx), wait_ms = WAIT_MAX_MS;

    if (a->os.reset_asked)
        wait_ms = sooner(wait_ms, t, a->os.reset_ms + SMP_OS_RESET_DELAY_MS);
    if (a->recorder.area.size > 0 && a->recorder.period_ms > 0)
        wait_ms = sooner(wait_ms, t, a->recorder.due_ms);
    if (a->cfg.confirm && !a->self_tested)
        wait_ms = sooner(wait_ms, t, a->start_ms + APP_SELF_TEST_MS);
    return wait_ms;
}
