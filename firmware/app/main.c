/*
 * The application's composition root on the nRF52840: hardware, wiring, interrupts, and the loop.
 *
 * Two interrupts: the UARTE's (bytes come, bytes have left) and RTC1's (time). They do what cannot wait and
 * leave a mark; everything else is done by the loop, which sleeps when there is no mark. Asleep, of what
 * this image uses only RTC1 and the UARTE run; when nobody has said anything for a while and no record
 * is due soon, the QSPI controller and the crystal rest as well.
 */
#include "arch/cortex_m4/cpu.h"
#include "arch/cortex_m4/vectors.h"
#include "drivers/nrf52840/hwtime.h"
#include "drivers/nrf52840/power.h"
#include "drivers/nrf52840/rtc.h"
#include "drivers/nrf52840/uart_async.h"
#include "drivers/nrf52840/wdt.h"
#include "firmware/app/app.h"
#include "firmware/common/chips.h"
#include "firmware/common/keys.h"
#include "firmware/common/wiring.h"

enum {
    UART_IRQ = UARTE_IRQ(SLIPWAY_UART_BASE),
    /* What comes in during the longest stall of the CPU, a page erase (90 ms at 115200 baud: 1037 bytes). */
    RING = 4096,
    QUEUE = 4096, /* what is said: the longest answer, and as much text */
    RECORD_MS = 500,
    RETAINED_BOOT_MODE = 1,
    FED_MS = 400, /* a watchdog's shortest time is a second */
    REST_MS = 20, /* a sleep so long is worth stopping the crystal, which takes a millisecond to start */
    /* The RC oscillator is 2 % off at most: fast lines keep the crystal (erratum 244 is about the flash). */
    LINE_NEEDS_CRYSTAL = SLIPWAY_UART_BAUD > 115200,
};
_Static_assert((int)QUEUE >= 2 * (int)OUTPUT_ANSWER_MAX, "an answer finds room beside text");

static struct {
    struct hwtime stopwatch; /* for the drivers' short waits; off in sleep */
    struct rtc rtc;
    struct uart_async uart;
    struct chips chips;
    struct store store;
    struct handover over;
    struct app app;
    volatile bool woken; /* an interrupt came since the loop began to look */
    uint8_t ring[RING];
    uint8_t queue[QUEUE];
} root;

/* ---- interrupts -------------------------------------------------------------------------------- */

static void on_uart(void)
{
    uart_async_interrupt(&root.uart);
    root.woken = true;
}

static void on_rtc(void)
{
    rtc_interrupt(&root.rtc);
    root.woken = true;
}

ARCH_VECTORS_SECTION const struct arch_vectors image_vectors
    = { .core = { ARCH_VECTORS_COMMON }, .irq = { [UART_IRQ] = on_uart, [RTC_IRQ] = on_rtc } };

/* ---- sleep ------------------------------------------------------------------------------------- */

/* With interrupts off what comes meanwhile is pending, and ends the wait; then it is taken. */
static void wait_for_interrupt(void)
{
    cpu_irq_off();
    if (!root.woken) {
        hwtime_stop();
        cpu_wait();
        hwtime_start(&root.stopwatch);
    }
    cpu_irq_on();
}

static uint32_t ticks_of(uint32_t ms)
{
    uint32_t max_ms = wdt_runs() ? FED_MS : RTC_WAIT_MAX / RTC_HZ * 1000;

    return (ms < max_ms ? ms : max_ms) * RTC_HZ / 1000;
}

/* Until a byte comes, an interrupt has something to tell, or the time is over. */
static void sleep(uint32_t ms)
{
    uint32_t ticks = ticks_of(ms), line_ticks = uart_async_arm(&root.uart);
    bool rest = ms >= REST_MS && line_ticks == UINT32_MAX && app_alone(&root.app)
        && chips_rest(&root.chips, !LINE_NEEDS_CRYSTAL);

    if (line_ticks > 0) {
        rtc_wake_in(ticks < line_ticks ? ticks : line_ticks);
        wait_for_interrupt();
    }
    uart_async_disarm(&root.uart);
    if (rest)
        chips_wake(&root.chips);
}

/* ---- what the application is given ------------------------------------------------------------- */

static uint32_t port_now_ms(void *ctx)
{
    (void)ctx;
    return rtc_ms(&root.rtc);
}

static uint32_t port_read(void *ctx, uint8_t *buf, uint32_t cap)
{
    (void)ctx;
    return uart_async_read(&root.uart, buf, cap);
}

static uint32_t port_lost(void *ctx)
{
    (void)ctx;
    return uart_async_lost(&root.uart);
}

static uint32_t port_room(void *ctx)
{
    (void)ctx;
    return uart_async_room(&root.uart);
}

static void port_write(void *ctx, const uint8_t *data, uint32_t len)
{
    (void)ctx;
    uart_async_write(&root.uart, data, len);
    cpu_irq_pend(UART_IRQ);
}

static void port_crash(void *ctx)
{
    (void)ctx;
    __builtin_trap(); /* an instruction that there is not */
}

static void port_reset(void *ctx, bool recovery)
{
    uint32_t from = rtc_ms(&root.rtc), limit_ms = QUEUE * root.uart.uarte.byte_us / 1000 + 10;

    (void)ctx;
    while (!uart_async_silent(&root.uart) && rtc_ms(&root.rtc) - from < limit_ms)
        continue;
    if (recovery)
        power_set_retained(0, RETAINED_BOOT_MODE);
    chips_stop(&root.chips);
    cpu_reset();
}

static const struct app_port port = { .now_ms = port_now_ms, .read = port_read, .lost = port_lost,
    .out = { port_room, port_write, NULL }, .crash = port_crash, .reset = port_reset };

/* ---- start ------------------------------------------------------------------------------------- */

static void start_hardware(void)
{
    hwtime_start(&root.stopwatch);
    rtc_start(&root.rtc);
    uart_async_open(&root.uart, &wiring_uart, root.ring, sizeof root.ring, root.queue, sizeof root.queue);
    cpu_irq_enable(RTC_IRQ);
    cpu_irq_enable(UART_IRQ);
    chips_init(&root.chips, &slipway_layout, &wiring_qspi, rtc_ms, &root.rtc);
    root.store = (struct store) { .layout = &slipway_layout, .internal = &root.chips.internal,
        .external = &root.chips.external, .keys = &firmware_keys };
}

int main(void)
{
    bool told = handover_take((void *)HANDOVER_ADDR, &root.over);
    start_hardware();
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
        root.woken = false;
        wdt_feed();
        switch (app_step(&root.app)) {
        case APP_AGAIN:
            break;
        case APP_SOON:
            sleep(1);
            break;
        case APP_WAIT:
            sleep(app_wait_ms(&root.app) + 1); /* what is due now will have been then */
            break;
        }
    }
}
