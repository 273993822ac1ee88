/* Pins, numbered port * 32 + pin. */
#ifndef DRIVERS_NRF52840_GPIO_H
#define DRIVERS_NRF52840_GPIO_H

#include <stdbool.h>
#include <stdint.h>

enum gpio_mode {
    GPIO_RESET = 0x2, /* input, not connected: as after reset */
    GPIO_INPUT = 0x0,
    GPIO_INPUT_PULL_DOWN = 0x4,
    GPIO_INPUT_PULL_UP = 0xC,
    GPIO_OUTPUT = 0x3,
    GPIO_OUTPUT_STRONG = 0x303, /* H0H1 */
    GPIO_PERIPHERAL_STRONG = 0x302, /* H0H1, for pins that QSPI drives */
};

void gpio_configure(unsigned pin, enum gpio_mode mode);
void gpio_write(unsigned pin, bool high);
bool gpio_read(unsigned pin);

#endif
