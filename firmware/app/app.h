/*
 * The application that Slipway comes with: an SMP server on the UART, a small shell beside it, settings,
 * a recorder that uses the external flash meanwhile, and the update service. An example of how a
 * product's own application puts these together, and what `slipway demo` runs.
 *
 * This part knows no hardware: it is given a line, a clock and two flash devices (struct app_port), so
 * that the same code is the firmware (main.c) and runs in tests on the host. One loop calls app_step();
 * what the hardware does by itself (bytes that come and leave, an erase that runs) is looked at there, and
 * interrupts only end the sleep between two steps.
 */
#ifndef FIRMWARE_APP_APP_H
#define FIRMWARE_APP_APP_H

#include "core/boot/handover.h"
#include "core/boot/service.h"
#include "core/settings/settings.h"
#include "core/smp/framing/serial.h"
#include "core/smp/groups/os.h"
#include "core/smp/smp.h"
#include "firmware/app/output.h"
#include "firmware/app/recorder.h"

/* Keys of settings; the shell knows them by name. Values are text. Append only: they are stored. */
#define APP_SETTING_TABLE(X)                                                                       \
    X(1, NAME, "name", "what this device is called")                                               \
    X(2, CONFIRM, "confirm", "1: an image on trial confirms itself after its self-test")           \
    X(3, WATCHDOG, "watchdog", "seconds; an image that does not feed it is reset. From the next start") \
    X(4, RECORD_MS, "record-ms", "milliseconds between records in the store, 0: none")              \
    X(5, STARTS, "starts", "how often the application was started, counted by itself")

enum app_setting {
#define APP_SETTING_ENUM(num, name, text, help) APP_SETTING_##name = (num),
    APP_SETTING_TABLE(APP_SETTING_ENUM)
#undef APP_SETTING_ENUM
};

struct app_port {
    uint32_t (*now_ms)(void *ctx);
    uint32_t (*read)(void *ctx, uint8_t *buf, uint32_t cap); /* bytes that have come in */
    uint32_t (*lost)(void *ctx); /* bytes that came and could not be read */
    struct output_port out;
    void (*crash)(void *ctx); /* comes to a fault */
    void (*reset)(void *ctx, bool recovery); /* what was said leaves first; does not return on a device */
    void *ctx;
};

struct app_config {
    const struct store *store;
    struct handover *over; /* of the bootloader; NULL: it left nothing. A fault in it becomes a finding of its report */
    const struct app_port *port;
    struct flash_area storage; /* size 0: no settings */
    struct flash_area recorder; /* size 0: no records */
    uint32_t record_ms; /* unless the setting says otherwise */
    bool confirm; /* as the setting */
};

enum {
    APP_GROUPS = 3,
    APP_LINE_MAX = 80, /* of a command */
    APP_SELF_TEST_MS = 2000, /* an image on trial has to run so long before it confirms itself */
    APP_VERSION_MAX = 32,
};

struct app {
    struct app_config cfg;
    struct service service;
    struct smp_os os;
    struct smp_os_info info;
    struct smp_binding group[APP_GROUPS];
    struct smp_server server;
    struct smp_transport line;
    struct serial_rx serial;
    struct settings settings;
    int settings_err; /* OK: they can be used */
    struct recorder recorder;
    struct output out;
    uint32_t answered_ms; /* when the last answer was given */
    uint32_t heard_ms; /* when the last byte came */
    bool held; /* an answer, for want of room; the server offers it again */
    bool recorder_runs; /* it has the external chip */
    bool self_tested;
    uint32_t start_ms;
    uint32_t watchdog_s; /* that main.c should start; 0: none */
    char version[APP_VERSION_MAX]; /* from the header of the running image: "1.2.3+4" */
    char typed[APP_LINE_MAX];
    uint32_t typed_len;
};

/* Opens settings and recorder, begins to serve, and says on the line who runs. */
void app_init(struct app *a, const struct app_config *cfg);

enum app_next {
    APP_AGAIN, /* there is more to do */
    APP_SOON, /* it waits for what takes a millisecond or more: an erase, room for an answer */
    APP_WAIT, /* nothing until a byte comes or app_wait_ms() is over */
};
/* One step of the loop. */
enum app_next app_step(struct app *a);
uint32_t app_wait_ms(const struct app *a);
/* Nobody has said anything for a while: what takes a moment to wake up again may rest. */
bool app_alone(const struct app *a);

/* A setting as a number; `otherwise` if there is none. */
uint32_t app_setting_number(const struct app *a, enum app_setting key, uint32_t otherwise);

#endif
