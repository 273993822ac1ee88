/* Between uarte.c, which waits, and uart_async.c, which does not: registers, and reception. */
#ifndef DRIVERS_NRF52840_UARTE_PRIV_H
#define DRIVERS_NRF52840_UARTE_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "drivers/nrf52840/timer_regs.h"
#include "drivers/nrf52840/uarte.h"

struct uarte_regs {
    volatile uint32_t startrx, stoprx, starttx, stoptx;
    uint32_t reserved0[(0x108 - 0x10) / 4];
    volatile uint32_t rxdrdy, reserved1, endrx, reserved2[2], txdrdy, endtx, error;
    uint32_t reserved3[(0x144 - 0x128) / 4];
    volatile uint32_t rxto, reserved4, rxstarted, txstarted, reserved5, txstopped;
    uint32_t reserved6[(0x200 - 0x15C) / 4];
    volatile uint32_t shorts;
    uint32_t reserved7[(0x304 - 0x204) / 4];
    volatile uint32_t intenset, intenclr;
    uint32_t reserved8[(0x480 - 0x30C) / 4];
    volatile uint32_t errorsrc;
    uint32_t reserved9[(0x500 - 0x484) / 4];
    volatile uint32_t enable, reserved10, psel_rts, psel_txd, psel_cts, psel_rxd;
    uint32_t reserved11[(0x524 - 0x518) / 4];
    volatile uint32_t baudrate;
    uint32_t reserved12[(0x534 - 0x528) / 4];
    volatile uint32_t rxd_ptr, rxd_maxcnt, rxd_amount, reserved13, txd_ptr, txd_maxcnt;
    uint32_t reserved14[(0x564 - 0x54C) / 4];
    volatile uint32_t rx_on, tx_on; /* not documented: receiver and transmitter are running */
    volatile uint32_t config;
};
_Static_assert(offsetof(struct uarte_regs, rxdrdy) == 0x108, "RXDRDY");
_Static_assert(offsetof(struct uarte_regs, endtx) == 0x120, "ENDTX");
_Static_assert(offsetof(struct uarte_regs, rxto) == 0x144, "RXTO");
_Static_assert(offsetof(struct uarte_regs, txstopped) == 0x158, "TXSTOPPED");
_Static_assert(offsetof(struct uarte_regs, shorts) == 0x200, "SHORTS");
_Static_assert(offsetof(struct uarte_regs, intenset) == 0x304, "INTENSET");
_Static_assert(offsetof(struct uarte_regs, errorsrc) == 0x480, "ERRORSRC");
_Static_assert(offsetof(struct uarte_regs, psel_rxd) == 0x514, "PSEL.RXD");
_Static_assert(offsetof(struct uarte_regs, baudrate) == 0x524, "BAUDRATE");
_Static_assert(offsetof(struct uarte_regs, txd_maxcnt) == 0x548, "TXD.MAXCNT");
_Static_assert(offsetof(struct uarte_regs, config) == 0x56C, "CONFIG");

enum {
    UARTE_INT_RXDRDY = 1 << 2,
    UARTE_INT_ENDTX = 1 << 8,
    UARTE_INT_ERROR = 1 << 9,
    UARTE_INT_TXSTOPPED = 1 << 22,
};

/* Bytes received since uarte_listen(); the last one may not be in RAM yet. */
static inline uint32_t uarte_counted(void)
{
    TIMER1->capture[0] = 1;
    return TIMER1->cc[0];
}

/* Reads up to byte `end`, which is in RAM. */
uint32_t uarte_take(struct uarte *u, uint32_t end, uint8_t *buf, uint32_t cap);

#endif
