#include "drivers/nrf52840/uarte.h"

#include <stddef.h>
#include <string.h>

#include "drivers/nrf52840/gpio.h"
#include "drivers/nrf52840/hwtime.h"
#include "drivers/nrf52840/uarte_priv.h"

struct ppi_regs {
    uint32_t reserved0[0x504 / 4];
    volatile uint32_t chenset, chenclr;
    uint32_t reserved1;
    volatile uint32_t ch0_eep, ch0_tep;
};
_Static_assert(offsetof(struct ppi_regs, chenset) == 0x504, "CHENSET");
_Static_assert(offsetof(struct ppi_regs, ch0_eep) == 0x510, "CH[0].EEP");
#define PPI ((struct ppi_regs *)0x4001F000u)

enum { ENABLED = 8, SHORT_ENDRX_STARTRX = 1 << 5, NOT_CONNECTED = -1, STOP_US = 50000 };

static void wait_until_zero(const volatile uint32_t *reg)
{
    uint32_t from = hwtime_us();

    while (*reg != 0 && hwtime_us() - from < STOP_US)
        continue;
}

static void wait_for(const volatile uint32_t *event)
{
    uint32_t from = hwtime_us();

    while (*event == 0 && hwtime_us() - from < STOP_US)
        continue;
}

/* An image before left receiver or transmitter on: without this RX may stay dead. */
static void stop_leftovers(struct uarte_regs *r)
{
    if (r->tx_on)
        r->stoptx = 1;
    if (!r->rx_on)
        return;
    r->enable = ENABLED;
    r->stoprx = 1;
    wait_until_zero(&r->rx_on);
    r->errorsrc = r->errorsrc;
    r->enable = 0;
}

static void count_bytes(struct uarte_regs *r)
{
    TIMER1->shutdown = 1;
    TIMER1->mode = TIMER_MODE_LOW_POWER_COUNTER;
    TIMER1->bitmode = TIMER_32_BITS;
    TIMER1->clear = 1;
    TIMER1->start = 1;
    PPI->ch0_eep = (uint32_t)(uintptr_t)&r->rxdrdy;
    PPI->ch0_tep = (uint32_t)(uintptr_t)&TIMER1->count;
    PPI->chenset = 1;
}

void uarte_open(struct uarte *u, const struct uarte_pins *pins)
{
    struct uarte_regs *r = (struct uarte_regs *)(uintptr_t)pins->base;

    memset(u, 0, sizeof *u);
    u->regs = r;
    u->pins = pins;
    u->byte_us = 10000000u / pins->baud + 1;
    stop_leftovers(r);
    gpio_write(pins->tx, true);
    gpio_configure(pins->tx, GPIO_OUTPUT);
    gpio_configure(pins->rx, GPIO_INPUT_PULL_UP); /* a line that nobody drives is idle, not a break */
    r->psel_txd = pins->tx;
    r->psel_rxd = pins->rx;
    r->baudrate = pins->baud_register;
    r->config = 0;
    r->enable = ENABLED;
}

void uarte_listen(struct uarte *u, uint8_t *ring, uint32_t ring_len)
{
    struct uarte_regs *r = u->regs;

    u->ring = ring;
    u->ring_len = ring_len;
    r->shorts = SHORT_ENDRX_STARTRX;
    count_bytes(r);
    r->rxd_ptr = (uint32_t)(uintptr_t)ring;
    r->rxd_maxcnt = ring_len;
    r->startrx = 1;
}

/* How many bytes are in RAM for sure. */
static uint32_t arrived(struct uarte *u)
{
    uint32_t now = hwtime_us();

    if (u->sure != u->seen && now - u->seen_us < u->byte_us)
        return u->sure;
    u->sure = u->seen;
    u->seen = uarte_counted();
    u->seen_us = now;
    return u->sure;
}

uint32_t uarte_take(struct uarte *u, uint32_t end, uint8_t *buf, uint32_t cap)
{
    uint32_t n = 0;

    if (uarte_counted() - u->taken > u->ring_len) { /* what is still there may be overwritten any time */
        u->lost += end - u->taken;
        u->taken = end;
    }
    while (n < cap && u->taken != end)
        buf[n++] = u->ring[u->taken++ & (u->ring_len - 1)];
    return n;
}

uint32_t uarte_read(struct uarte *u, uint8_t *buf, uint32_t cap)
{
    return uarte_take(u, arrived(u), buf, cap);
}

bool uarte_write(struct uarte *u, const uint8_t *data, uint32_t len)
{
    bool sent = true;

    while (len > 0 && sent) {
        uint32_t n = len < UARTE_TX_MAX ? len : UARTE_TX_MAX, from = hwtime_us();
        memcpy(u->tx, data, n); /* DMA reads RAM only */
        u->regs->endtx = 0;
        u->regs->txd_ptr = (uint32_t)(uintptr_t)u->tx;
        u->regs->txd_maxcnt = n;
        u->regs->starttx = 1;
        while (!u->regs->endtx && sent)
            sent = hwtime_us() - from < 2 * n * u->byte_us + STOP_US;
        data += n;
        len -= n;
    }
    u->regs->stoptx = 1;
    return sent;
}

bool uarte_wake_on_byte(struct uarte *u)
{
    u->regs->rxdrdy = 0;
    u->regs->intenset = UARTE_INT_RXDRDY;
    return u->taken == uarte_counted();
}

void uarte_wake_done(struct uarte *u)
{
    u->regs->intenclr = UARTE_INT_RXDRDY;
}

unsigned uarte_irq(const struct uarte *u)
{
    return UARTE_IRQ(u->pins->base);
}

void uarte_close(struct uarte *u)
{
    struct uarte_regs *r = u->regs;

    r->intenclr = UARTE_INT_RXDRDY;
    r->shorts = 0;
    r->rxto = 0;
    r->stoprx = 1;
    if (u->ring)
        wait_for(&r->rxto);
    r->txstopped = 0;
    r->stoptx = 1;
    wait_for(&r->txstopped);
    r->enable = 0;
    PPI->chenclr = 1;
    TIMER1->shutdown = 1;
    TIMER1->clear = 1;
    TIMER1->mode = TIMER1->bitmode = 0;
    r->psel_txd = r->psel_rxd = (uint32_t)NOT_CONNECTED;
    r->rxdrdy = r->endrx = r->txdrdy = r->endtx = r->error = r->rxto = r->rxstarted = r->txstarted = r->txstopped = 0;
    gpio_configure(u->pins->rx, GPIO_RESET);
    gpio_configure(u->pins->tx, GPIO_RESET);
}
