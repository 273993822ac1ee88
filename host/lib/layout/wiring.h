/*
 * Which pins of the chip a board's devicetree gives to what firmware uses. Only `slipway layout
 * --header` asks: a file that says nothing of pins is a layout all the same, and firmware that needs
 * one of them says so when it is compiled.
 */
#ifndef HOST_LIB_LAYOUT_WIRING_H
#define HOST_LIB_LAYOUT_WIRING_H

#include <stdbool.h>
#include <stdint.h>

enum { WIRING_NO_PIN = 0xFF };

struct layout_wiring {
    /* UART of /chosen zephyr,uart-mcumgr, else zephyr,console */
    bool uart;
    uint32_t uart_base;
    uint32_t uart_baud;
    uint8_t uart_tx, uart_rx; /* pins are port * 32 + pin */
    /* the controller that the external flash hangs on */
    bool qspi;
    uint32_t qspi_hz;
    uint8_t qspi_sck, qspi_csn, qspi_io[4];
    /* a button or jumper that keeps the bootloader in recovery: /aliases mcuboot-button0 */
    bool recovery;
    uint8_t recovery_pin;
    bool recovery_low; /* pressed is low */
    bool recovery_pull; /* away from pressed, by the chip */
};

#endif
