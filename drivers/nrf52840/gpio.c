#include "drivers/nrf52840/gpio.h"

#include <stddef.h>

struct gpio_regs {
    uint32_t reserved0[0x504 / 4];
    volatile uint32_t out, outset, outclr;
    volatile const uint32_t in;
    uint32_t reserved1[(0x700 - 0x514) / 4];
    volatile uint32_t pin_cnf[32];
};
_Static_assert(offsetof(struct gpio_regs, outset) == 0x508, "OUTSET");
_Static_assert(offsetof(struct gpio_regs, in) == 0x510, "IN");
_Static_assert(offsetof(struct gpio_regs, pin_cnf) == 0x700, "PIN_CNF");

/* Port 1 lies 0x300 behind port 0. */
static struct gpio_regs *port(unsigned pin)
{
    return (struct gpio_regs *)(uintptr_t)(0x50000000u + (pin / 32) * 0x300u);
}

void gpio_configure(unsigned pin, enum gpio_mode mode)
{
    port(pin)->pin_cnf[pin % 32] = (uint32_t)mode;
}

void gpio_write(unsigned pin, bool high)
{
    if (high)
        port(pin)->outset = 1u << pin % 32;
    else
        port(pin)->outclr = 1u << pin % 32;
}

bool gpio_read(unsigned pin)
{
    return port(pin)->in >> pin % 32 & 1;
}
