/* The board's wiring as the drivers take it. For an image's main.c, which includes it once. */
#ifndef FIRMWARE_COMMON_WIRING_H
#define FIRMWARE_COMMON_WIRING_H

#include "drivers/nrf52840/qspi.h"
#include "drivers/nrf52840/uarte.h"
#include "slipway_board.h"

#if !SLIPWAY_HAS_UART
#error "the board's devicetree names no UART: chosen zephyr,uart-mcumgr (or zephyr,console), with reg and the pins UART_TX and UART_RX in its pinctrl-0"
#endif
#if !SLIPWAY_HAS_QSPI
#error "the board's devicetree wires no QSPI flash: a nordic,nrf-qspi controller with QSPI_SCK, QSPI_CSN, QSPI_IO0 and QSPI_IO1 in its pinctrl-0"
#endif

static const struct uarte_pins wiring_uart = {
    .base = SLIPWAY_UART_BASE,
    .baud = SLIPWAY_UART_BAUD,
    .baud_register = UARTE_BAUD(SLIPWAY_UART_BAUD),
    .tx = SLIPWAY_UART_TX,
    .rx = SLIPWAY_UART_RX,
};
static const struct qspi_pins wiring_qspi = {
    .hz = SLIPWAY_QSPI_HZ,
    .sck = SLIPWAY_QSPI_SCK,
    .csn = SLIPWAY_QSPI_CSN,
    .io = { SLIPWAY_QSPI_IO0, SLIPWAY_QSPI_IO1, SLIPWAY_QSPI_IO2, SLIPWAY_QSPI_IO3 },
};

#endif
