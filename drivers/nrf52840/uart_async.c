#include "drivers/nrf52840/uart_async.h"

#include <stdatomic.h>
#include <string.h>

#include "drivers/nrf52840/rtc.h"
#include "drivers/nrf52840/uarte_priv.h"

enum { US_PER_S = 1000000 };

void uart_async_open(struct uart_async *u, const struct uarte_pins *pins, uint8_t *ring, uint32_t ring_len,
    uint8_t *queue, uint32_t queue_len)
{
    memset(u, 0, sizeof *u);
    uarte_open(&u->uarte, pins);
    u->byte_ticks = u->uarte.byte_us * RTC_HZ / US_PER_S + 2; /* one begun, one rounded down */
    u->queue = queue;
    u->queue_len = queue_len;
    uarte_listen(&u->uarte, ring, ring_len);
    u->uarte.regs->intenset = UARTE_INT_ENDTX | UARTE_INT_TXSTOPPED | UARTE_INT_ERROR;
}

/* ---- reception --------------------------------------------------------------------------------- */

/*
 * How many bytes are in RAM for sure: RXDRDY, which counts them, comes before DMA has written the byte; the
 * one before it is there.
 */
static uint32_t arrived(struct uart_async *u)
{
    uint32_t count = uarte_counted(), now = rtc_ticks();

    if (count != u->seen) {
        u->seen = count;
        u->seen_tick = now;
    }
    bool whole = ((now - u->seen_tick) & RTC_MASK) >= u->byte_ticks;
    return whole || count == u->uarte.taken ? count : count - 1;
}

uint32_t uart_async_read(struct uart_async *u, uint8_t *buf, uint32_t cap)
{
    return uarte_take(&u->uarte, arrived(u), buf, cap);
}

uint32_t uart_async_lost(const struct uart_async *u)
{
    return u->uarte.lost + u->errors;
}

uint32_t uart_async_arm(struct uart_async *u)
{
    u->uarte.regs->rxdrdy = 0;
    u->uarte.regs->intenset = UARTE_INT_RXDRDY;
    if (arrived(u) != u->uarte.taken)
        return 0;
    return u->seen == u->uarte.taken ? UINT32_MAX : u->byte_ticks;
}

void uart_async_disarm(struct uart_async *u)
{
    u->uarte.regs->intenclr = UARTE_INT_RXDRDY;
}

/* ---- sending ----------------------------------------------------------------------------------- */

uint32_t uart_async_room(const struct uart_async *u)
{
    return u->queue_len - (u->put - u->left);
}

bool uart_async_silent(const struct uart_async *u)
{
    return u->put == u->left;
}

void uart_async_write(struct uart_async *u, const uint8_t *data, uint32_t len)
{
    uint32_t at = u->put & (u->queue_len - 1);
    uint32_t first = len < u->queue_len - at ? len : u->queue_len - at;

    memcpy(u->queue + at, data, first);
    memcpy(u->queue, data + first, len - first);
    atomic_signal_fence(memory_order_release); /* the interrupt finds the bytes before it is told of them */
    u->put += len;
}

/* What is queued up to the end of the queue, in one DMA; nothing more: the transmitter rests. */
static void send_next(struct uart_async *u)
{
    struct uarte_regs *r = u->uarte.regs;
    uint32_t n = u->put - u->left, at = u->left & (u->queue_len - 1);

    if (u->state == UART_ASYNC_STOPS)
        return;
    if (n > 0) {
        u->sending = n < u->queue_len - at ? n : u->queue_len - at;
        u->state = UART_ASYNC_SENDS;
        r->txd_ptr = (uint32_t)(uintptr_t)(u->queue + at);
        r->txd_maxcnt = u->sending;
        r->starttx = 1;
    } else if (u->state == UART_ASYNC_SENDS) {
        u->state = UART_ASYNC_STOPS;
        r->stoptx = 1;
    }
}

void uart_async_interrupt(struct uart_async *u)
{
    struct uarte_regs *r = u->uarte.regs;

    if (r->rxdrdy)
        uart_async_disarm(u); /* whoever sleeps is awake; no interrupt for each byte of a message */
    if (r->error) {
        r->error = 0;
        r->errorsrc = r->errorsrc; /* write one to clear */
        u->errors++;
    }
    if (r->txstopped) {
        r->txstopped = 0;
        u->state = UART_ASYNC_SILENT;
    }
    if (r->endtx) {
        r->endtx = 0;
        u->left += u->sending;
        u->sending = 0;
    }
    if (u->sending == 0)
        send_next(u);
    (void)r->endtx; /* the writes have arrived: else the interrupt would come again */
}
