/*
 * UARTE with reception that needs nobody: DMA fills one buffer round and round (ENDRX starts RX again
 * at the same place, without a gap), and TIMER1 counts the bytes through PPI. A CPU that stands still
 * for a page erase loses nothing as long as less than the buffer comes in.
 *
 * One at a time: it uses TIMER1 and PPI channel 0. Sending waits; uart_async.h is for applications.
 */
#ifndef DRIVERS_NRF52840_UARTE_H
#define DRIVERS_NRF52840_UARTE_H

#include <stdbool.h>
#include <stdint.h>

enum { UARTE_TX_MAX = 128 }; /* bytes of one DMA; longer writes are several */

struct uarte_pins {
    uint32_t base; /* 0x40002000 or 0x40028000 */
    uint32_t baud;
    uint32_t baud_register; /* UARTE_BAUD(baud) */
    uint8_t tx, rx;
};

/* BAUDRATE is about baud * 2^32 / 16 MHz with its low 12 bits 0; the fast ones have values of their own. */
#define UARTE_BAUD(baud)                                                                           \
    ((baud) == 921600u     ? 0x0F000000u                                                           \
            : (baud) == 460800u ? 0x07400000u                                                      \
            : (baud) == 230400u ? 0x03B00000u                                                      \
                                : (uint32_t)(((uint64_t)(baud) << 32) / 16000000u + 0x800u) & 0xFFFFF000u)

#define UARTE_IRQ(base) ((base) >> 12 & 0x3Fu)

struct uarte {
    struct uarte_regs *regs;
    const struct uarte_pins *pins;
    uint32_t byte_us; /* of one byte on the line, rounded up */
    uint8_t *ring;
    uint32_t ring_len; /* a power of two */
    uint32_t taken; /* bytes read since uarte_open(), wrapping */
    uint32_t seen; /* counter when it was looked at last, and when: a byte counts as there only one */
    uint32_t seen_us; /* byte's time later, as RXDRDY comes before the byte is in RAM */
    uint32_t sure;
    uint32_t lost; /* bytes overwritten before they were read */
    uint8_t tx[UARTE_TX_MAX];
};

/* Starts it for sending, whatever an image before left it doing. */
void uarte_open(struct uarte *u, const struct uarte_pins *pins);
/* And for receiving: `ring` is in RAM and belongs to the UARTE until uarte_close(). */
void uarte_listen(struct uarte *u, uint8_t *ring, uint32_t ring_len);
/* Bytes that have come, at most `cap`; 0: none. */
uint32_t uarte_read(struct uarte *u, uint8_t *buf, uint32_t cap);
/* Sends and waits until it has been sent. False: it does not get out (no clock, CTS). */
bool uarte_write(struct uarte *u, const uint8_t *data, uint32_t len);
/* For cpu_wait(): the interrupt is pending when a byte comes. False: there is one already, do not sleep. */
bool uarte_wake_on_byte(struct uarte *u);
void uarte_wake_done(struct uarte *u);
unsigned uarte_irq(const struct uarte *u);
/* Off, pins and registers as after reset. */
void uarte_close(struct uarte *u);

#endif
