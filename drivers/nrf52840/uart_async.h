/*
 * A UART that nobody waits for: reception as uarte.h has it, and what is sent is queued and leaves by DMA,
 * from one interrupt to the next. The loop of an image reads, writes and asks; the handler of the UARTE's
 * interrupt calls uart_async_interrupt() and nothing else. The queue has one writer (the loop) and one
 * reader (the interrupt), so neither locks the other out:
 *
 *     SILENT --queued--> SENDS --ENDTX, more queued--> SENDS
 *                          +--ENDTX, none--> STOPS --TXSTOPPED--> SILENT (or SENDS)
 *
 * A CPU that stands still for a page erase stops neither direction: what DMA was given goes out whole.
 * It needs rtc.h running: a byte counts as arrived when another follows or its time on the line is over.
 */
#ifndef DRIVERS_NRF52840_UART_ASYNC_H
#define DRIVERS_NRF52840_UART_ASYNC_H

#include "drivers/nrf52840/uarte.h"

enum uart_async_state {
    UART_ASYNC_SILENT,
    UART_ASYNC_SENDS,
    UART_ASYNC_STOPS,
};

struct uart_async {
    struct uarte uarte;
    /* reception; of the loop */
    uint32_t byte_ticks; /* more than one byte takes, in ticks of rtc.h */
    uint32_t seen; /* bytes counted, and since when at the latest */
    uint32_t seen_tick;
    /* sending */
    uint8_t *queue; /* in RAM; its length is a power of two, 32 KiB at most */
    uint32_t queue_len;
    volatile uint32_t put; /* bytes queued so far, by the loop */
    volatile uint32_t left; /* and sent, by the interrupt; both wrap */
    uint32_t sending; /* with the DMA; of the interrupt */
    uint8_t state; /* enum uart_async_state; of the interrupt */
    volatile uint32_t errors; /* framing, break, overrun */
};

/* Starts both directions, whatever an image before left it doing. Buffers belong to it from now on. */
void uart_async_open(struct uart_async *u, const struct uarte_pins *pins, uint8_t *ring, uint32_t ring_len,
    uint8_t *queue, uint32_t queue_len);
void uart_async_interrupt(struct uart_async *u);

/* Bytes that have come, at most `cap`; 0: none. */
uint32_t uart_async_read(struct uart_async *u, uint8_t *buf, uint32_t cap);
/* Bytes that came and cannot be read: overwritten, or broken on the line. */
uint32_t uart_async_lost(const struct uart_async *u);
/* Bytes that can be queued now. */
uint32_t uart_async_room(const struct uart_async *u);
/* Queues them, no more than there is room for. The caller then makes the interrupt pending: it begins. */
void uart_async_write(struct uart_async *u, const uint8_t *data, uint32_t len);
/* All has left. */
bool uart_async_silent(const struct uart_async *u);

/*
 * Before sleep: the interrupt comes with the next byte. How many ticks may be slept at most: 0, there is
 * something to read; UINT32_MAX, nothing is on its way.
 */
uint32_t uart_async_arm(struct uart_async *u);
void uart_async_disarm(struct uart_async *u);

#endif
