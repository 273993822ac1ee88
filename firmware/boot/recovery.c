/* Recovery: the SMP server of core/smp/groups/rescue on the UART, in console framing, until a reset. */
#include "arch/cortex_m4/cpu.h"
#include "core/smp/framing/console.h"
#include "core/smp/groups/os.h"
#include "core/smp/groups/rescue.h"
#include "drivers/nrf52840/power.h"
#include "drivers/nrf52840/wdt.h"
#include "firmware/boot/boot_priv.h"

enum {
    RING = 512, /* bytes of UART reception; a power of two */
    MESSAGE = 1024, /* "buf_size" */
    NAP_MS = 50, /* the watchdog is fed, and a reset that was asked for happens, at least so often */
};

/* In the first half of the shared memory; the second is for hashing. */
struct recovery {
    struct rescue rescue;
    struct console_rx console;
    uint8_t ring[RING];
    uint8_t answer[MESSAGE];
};
_Static_assert(sizeof(struct recovery) <= BOOT_UNIT_MAX, "recovery does not fit the shared memory");

static void feed(void *ctx)
{
    (void)ctx;
    wdt_feed();
}

static void send(struct bootloader *b, const uint8_t *msg, uint32_t len)
{
    uint8_t line[CONSOLE_LINE_MAX];
    struct console_tx tx;
    uint32_t n;

    console_tx_begin(&tx, msg, len);
    while ((n = console_tx_line(&tx, line)) > 0)
        (void)uarte_write(&b->uart, line, n);
}

/* Sleeps until a byte comes, a moment at most. Interrupts wake; PRIMASK keeps them from being taken. */
static void nap(struct bootloader *b)
{
    unsigned irq = uarte_irq(&b->uart);
    bool may_sleep = uarte_wake_on_byte(&b->uart);

    hwtime_wake_in(NAP_MS);
    cpu_irq_enable(irq);
    cpu_irq_enable(HWTIME_IRQ);
    if (may_sleep)
        cpu_wait();
    uarte_wake_done(&b->uart);
    hwtime_wake_done();
    cpu_irq_disable(irq);
    cpu_irq_disable(HWTIME_IRQ);
}

static void take_bytes(struct bootloader *b, struct recovery *r, const uint8_t *p, uint32_t n)
{
    struct span msg;

    while (n > 0) {
        uint32_t taken = (uint32_t)console_rx_feed(&r->console, p, n, &msg);
        p += taken;
        n -= taken;
        uint32_t len = msg.len > 0 ? rescue_handle(&r->rescue, msg, r->answer) : 0;
        if (len > 0)
            send(b, r->answer, len);
    }
}

__attribute__((noreturn)) static void reset(const struct rescue *rescue)
{
    if (rescue->boot_mode == SMP_OS_BOOT_RECOVERY)
        power_set_retained(0, SMP_OS_BOOT_RECOVERY);
    cpu_reset();
}

void recovery_run(struct bootloader *b)
{
    struct recovery *r = (struct recovery *)(void *)shared;
    const struct rescue_config cfg = {
        .store = &b->store,
        .report = &b->over.report,
        .buf_size = MESSAGE,
        .work = { .buf = (uint8_t *)shared + BOOT_UNIT_MAX, .len = BOOT_UNIT_MAX, .feed = feed, .ctx = &b->time },
        .now_ms = hwtime_ms,
    };
    uint8_t bytes[32];

    cpu_irq_off();
    rescue_init(&r->rescue, &cfg);
    console_rx_init(&r->console);
    uarte_listen(&b->uart, r->ring, sizeof r->ring);
    for (;;) {
        uint32_t n = uarte_read(&b->uart, bytes, sizeof bytes);
        wdt_feed();
        take_bytes(b, r, bytes, n);
        if (rescue_reset_due(&r->rescue))
            reset(&r->rescue);
        if (n == 0)
            nap(b);
    }
}
