/* The application's composition root on the nRF52840: hardware, wiring, and the loop. */
#include "arch/cortex_m4/cpu.h"
#include "arch/cortex_m4/vectors.h"
#include "drivers/nrf52840/hwtime.h"
#include "drivers/nrf52840/power.h"
#include "drivers/nrf52840/uarte.h"
#include "drivers/nrf52840/wdt.h"
#include "firmware/app/app.h"
#include "firmware/common/chips.h"
#include "firmware/common/keys.h"
#include "firmware/common/wiring.h"

ARCH_VECTORS_SECTION const struct arch_vectors image_vectors = { ARCH_VECTORS_COMMON };

/* What comes in during the longest stall of the CPU, a page erase (90 ms at 115200 baud: 1037 bytes). */
enum { RING = 4096 };
enum { RECORD_MS = 500, RETAINED_BOOT_MODE = 1 };

static struct {
    struct hwtime time;
    struct uarte uart;
    struct chips chips;
    struct store store;
    struct handover over;
    struct app app;
    uint8_t ring[RING];
} root;

static uint32_t port_now_ms(void *ctx)
{
    (void)ctx;
    return hwtime_ms(&root.time);
}

static uint32_t port_read(void *ctx, uint8_t *buf, uint32_t cap)
{
    (void)ctx;
    return uarte_read(&root.uart, buf, cap);
}

static bool port_write(void *ctx, const uint8_t *data, uint32_t len)
{
    (void)ctx;
    return uarte_write(&root.uart, data, len);
}

static void port_reset(void *ctx, bool recovery)
{
    (void)ctx;
    if (recovery)
        power_set_retained(0, RETAINED_BOOT_MODE);
    chips_stop(&root.chips);
    cpu_reset();
}

static const struct app_port port = { port_now_ms, port_read, port_write, port_reset, NULL };

/*
 * Until a byte comes or something is due. Interrupts stay off: what wakes is pending, and is looked at by
 * the loop.
 */
static void sleep(uint32_t ms)
{
    if (ms == 0 || !uarte_wake_on_byte(&root.uart))
        return;
    hwtime_wake_in(ms);
    cpu_wait();
    hwtime_wake_done();
    uarte_wake_done(&root.uart);
    cpu_dsb(); /* the sources have let go before what they left is taken back */
    cpu_irq_clear(HWTIME_IRQ);
    cpu_irq_clear(uarte_irq(&root.uart));
}

int main(void)
{
    cpu_irq_off();
    hwtime_start(&root.time);
    bool told = handover_take((void *)HANDOVER_ADDR, &root.over);
    uarte_open(&root.uart, &wiring_uart);
    uarte_listen(&root.uart, root.ring, sizeof root.ring);
    cpu_irq_enable(HWTIME_IRQ);
    cpu_irq_enable(uarte_irq(&root.uart));
    chips_init(&root.chips, &slipway_layout, &wiring_qspi, hwtime_ms, &root.time);
    root.store = (struct store) { .layout = &slipway_layout, .internal = &root.chips.internal,
        .external = &root.chips.external, .keys = &firmware_keys };
    const struct app_config cfg = {
        .store = &root.store,
        .over = told ? &root.over : NULL,
        .port = &port,
        .storage = { &root.chips.internal, SLIPWAY_STORAGE_OFF, SLIPWAY_STORAGE_SIZE },
        .recorder = { &root.chips.external, SLIPWAY_STORE_OFF, SLIPWAY_STORE_SIZE },
        .record_ms = RECORD_MS,
        .confirm = SLIPWAY_APP_CONFIRM,
    };
    app_init(&root.app, &cfg);
    if (root.app.watchdog_s > 0)
        wdt_start(root.app.watchdog_s);
    for (;;) {
        wdt_feed();
        if (!app_step(&root.app))
            sleep(app_wait_ms(&root.app));
        else if (app_erasing(&root.app))
            sleep(1);
    }
}
