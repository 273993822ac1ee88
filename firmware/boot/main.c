/* The bootloader's composition root: what it links, and the order from reset to the jump. */
#include "arch/cortex_m4/cpu.h"
#include "arch/cortex_m4/vectors.h"
#include "drivers/nrf52840/errata.h"
#include "drivers/nrf52840/gpio.h"
#include "drivers/nrf52840/power.h"
#include "drivers/nrf52840/wdt.h"
#include "firmware/boot/boot_priv.h"
#include "firmware/common/keys.h"
#include "firmware/common/log.h"
#include "firmware/common/wiring.h"

/* In recovery interrupts only wake the core: none is taken, so no handler has a place here. */
ARCH_VECTORS_SECTION const struct arch_core_vectors image_vectors = { ARCH_VECTORS_COMMON };

static struct bootloader boot;
uint32_t shared[SHARED_SIZE / 4] __attribute__((section(".noinit"), aligned(8)));

/* GPREGRET as applications leave it before a reset: Zephyr's boot mode, and Nordic's SDK for its DFU. */
enum { RETAINED_BOOT_MODE = 1, RETAINED_NORDIC_DFU = 0xB1 };

void log_finding(struct bootloader *b, const struct finding *f)
{
    uint8_t line[LOG_LINE_MAX];

    (void)uarte_write(&b->uart, line, log_line(f, line));
}

void log_note(struct bootloader *b, unsigned reason, uint32_t found, uint32_t expected, uint32_t where)
{
    const struct finding f = { .reason = (uint16_t)reason, .slot = FINDING_NO_SLOT, .found = found,
        .expected = expected, .where = where };

    log_finding(b, &f);
}

static void feed(void *ctx)
{
    (void)ctx;
    wdt_feed();
}

static void take_fault(struct handover_fault *f)
{
    enum { CFSR_MMARVALID = 1u << 7, CFSR_BFARVALID = 1u << 15 };
    struct arch_fault_record r;

    if (!arch_fault_take(&r))
        return;
    *f = (struct handover_fault) {
        .exception = r.word[FAULT_EXCEPTION],
        .pc = r.word[FAULT_PC],
        .lr = r.word[FAULT_LR],
        .cfsr = r.word[FAULT_CFSR],
        .address = r.word[FAULT_CFSR] & CFSR_MMARVALID ? r.word[FAULT_MMFAR]
            : r.word[FAULT_CFSR] & CFSR_BFARVALID      ? r.word[FAULT_BFAR]
                                                       : 0,
        .vectors = r.word[FAULT_VTOR],
    };
}

/* Pulled to where it is pressed, for long enough that a charged line has settled. */
static bool pin_held(void)
{
#if SLIPWAY_HAS_RECOVERY
    gpio_configure(SLIPWAY_RECOVERY_PIN,
        !SLIPWAY_RECOVERY_PULL ? GPIO_INPUT : SLIPWAY_RECOVERY_LOW ? GPIO_INPUT_PULL_UP : GPIO_INPUT_PULL_DOWN);
    hwtime_wait_us(50);
    bool held = gpio_read(SLIPWAY_RECOVERY_PIN) != (SLIPWAY_RECOVERY_LOW != 0);
    gpio_configure(SLIPWAY_RECOVERY_PIN, GPIO_RESET);
    return held;
#else
    return false;
#endif
}

static void start_hardware(struct bootloader *b)
{
    wdt_feed();
    erratum_36();
    hwtime_start(&b->time);
    b->over.reset_reasons = power_take_reset_reasons();
    take_fault(&b->over.fault);
    uarte_open(&b->uart, &wiring_uart);
    chips_init(&b->chips, &slipway_layout, &wiring_qspi, hwtime_ms, &b->time);
    b->store = (struct store) { .layout = &slipway_layout, .internal = &b->chips.internal,
        .external = &b->chips.external, .keys = &firmware_keys };
}

static void log_boot(struct bootloader *b)
{
    const struct boot_report *r = &b->over.report;
    const struct image_version *v = &r->slot[0].version;

    for (unsigned i = 0; i < r->findings; i++)
        log_finding(b, &r->finding[i]);
    if (r->started)
        log_note(b, REASON_STARTED, (uint32_t)v->major << 24 | (uint32_t)v->minor << 16 | v->revision, r->action,
            r->total_ms);
}

/* Everything off that was used here, so that the image finds what it would after a reset. */
__attribute__((noreturn)) static void start_image(struct bootloader *b, const struct boot_result *result)
{
    if (result->trial_s > 0) {
        wdt_start(result->trial_s);
        b->over.watchdog_s = result->trial_s;
    }
    handover_write((void *)HANDOVER_ADDR, &b->over);
    nvmc_protect(SLIPWAY_BOOT_OFF, SLIPWAY_BOOT_CODE_SIZE); /* what is started cannot change who started it */
    chips_stop(&b->chips);
    uarte_close(&b->uart);
    hwtime_stop();
    power_crystal_stop();
    wdt_feed();
    cpu_start_image(result->vectors);
}

int main(void)
{
    struct bootloader *b = &boot;
    const struct boot_config cfg = { .store = &b->store, .buf = { (uint8_t *)shared, (uint8_t *)shared + BOOT_UNIT_MAX },
        .now_ms = hwtime_ms, .feed = feed, .ctx = &b->time };

    start_hardware(b);
    uint8_t mode = power_take_retained(0);
    log_note(b, REASON_RESET, b->over.reset_reasons, mode, 0);
    if (b->over.fault.exception)
        log_note(b, REASON_FAULT, b->over.fault.pc, b->over.fault.cfsr, b->over.fault.exception);
    bool asked = mode == RETAINED_BOOT_MODE || mode == RETAINED_NORDIC_DFU, pin = pin_held();
    if (!asked && !pin) {
        struct boot_result result = boot_run(&cfg, &b->over.report);
        log_boot(b);
        if (result.outcome == BOOT_START)
            start_image(b, &result);
    }
    log_note(b, REASON_RECOVERY, asked ? RECOVERY_ASKED : pin ? RECOVERY_PIN : RECOVERY_NO_IMAGE, 0, 0);
    recovery_run(b);
}
