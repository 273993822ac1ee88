/* Pins: psels of pinctrl groups, the older *-pin properties, and gpios of a button. */
#include <stdio.h>
#include <string.h>

#include "host/lib/layout/layout_priv.h"

enum { PINS_MAX = 48, UART_BAUD_DEFAULT = 115200, QSPI_HZ_DEFAULT = 8000000 };

/* Numbers of Zephyr's nrf-pinctrl.h, in a psel of a built devicetree. */
static const struct {
    const char *name;
    uint8_t number;
} functions[] = {
    { "UART_TX", 0 }, { "UART_RX", 1 }, { "QSPI_SCK", 29 }, { "QSPI_CSN", 30 }, { "QSPI_IO0", 31 },
    { "QSPI_IO1", 32 }, { "QSPI_IO2", 33 }, { "QSPI_IO3", 34 },
};

static bool psel_is(const struct dt_value *v, unsigned shift, unsigned function, uint8_t *pin)
{
    char name[40] = "";
    unsigned port = 0, number = 0;

    if (v->kind == DT_CELL) {
        *pin = (uint8_t)(v->num & 0x7F);
        return v->num >> shift == functions[function].number && *pin < PINS_MAX;
    }
    if (v->kind != DT_UNKNOWN || sscanf(v->text, "NRF_PSEL(%39[A-Z0-9_], %u, %u", name, &port, &number) != 3)
        return false;
    *pin = (uint8_t)(port * 32 + number);
    return strcmp(name, functions[function].name) == 0 && port < 2 && number < 32 && *pin < PINS_MAX;
}

static const struct dt_value *first_psel(const struct dt_node *group)
{
    const struct dt_prop *psels = dt_prop(group, "psels");

    return psels ? psels->value : NULL;
}

/*
 * Where the function begins in a psel: bit 24 in Zephyr of today, 17 and 16 in older ones. A file has one kind.
 * RX, SCK and two of the IOs are odd numbers; no flag of this chip's is in bit 16.
 */
static unsigned function_shift(const struct dt_node *groups)
{
    uint64_t all = 0;

    for (const struct dt_node *g = groups ? groups->child : NULL; g; g = g->next) {
        for (const struct dt_value *v = first_psel(g); v; v = v->next)
            all |= v->kind == DT_CELL ? v->num : 0;
    }
    return all >> 24 ? 24 : all >> 16 & 1 ? 16 : 17;
}

/* The pin of a function in the groups of a device's first pinctrl state. */
static uint8_t pin_of(const struct dt_tree *tree, const struct dt_node *dev, const char *name)
{
    const struct dt_prop *state = dt_prop(dev, "pinctrl-0");
    const struct dt_node *groups = state && state->value ? dt_target(tree, state->value) : NULL;
    unsigned function = 0, shift = function_shift(groups);
    uint8_t pin;

    while (strcmp(functions[function].name, name) != 0)
        function++;
    for (const struct dt_node *g = groups ? groups->child : NULL; g; g = g->next) {
        for (const struct dt_value *v = first_psel(g); v; v = v->next) {
            if (psel_is(v, shift, function, &pin))
                return pin;
        }
    }
    return WIRING_NO_PIN;
}

/* As before pinctrl: cells of a property are pins. */
static uint8_t old_pin(const struct dt_node *dev, const char *prop, unsigned index)
{
    uint32_t cell[4];
    int n = dt_u32s(dev, prop, cell, 4);

    return n > (int)index && cell[index] < PINS_MAX ? (uint8_t)cell[index] : WIRING_NO_PIN;
}

static uint8_t either(uint8_t pin, uint8_t old)
{
    return pin != WIRING_NO_PIN ? pin : old;
}

static void read_uart(const struct dt_tree *t, struct layout_wiring *w)
{
    const struct dt_node *n = dt_chosen(t, "zephyr,uart-mcumgr");

    if (!n)
        n = dt_chosen(t, "zephyr,console");
    if (!n || dt_u32(n, "reg", &w->uart_base) != OK)
        return;
    if (dt_u32(n, "current-speed", &w->uart_baud) != OK)
        w->uart_baud = UART_BAUD_DEFAULT;
    w->uart_tx = either(pin_of(t, n, "UART_TX"), old_pin(n, "tx-pin", 0));
    w->uart_rx = either(pin_of(t, n, "UART_RX"), old_pin(n, "rx-pin", 0));
    w->uart = w->uart_tx != WIRING_NO_PIN && w->uart_rx != WIRING_NO_PIN;
}

static void read_qspi(const struct dt_tree *t, const struct dt_node *chip, struct layout_wiring *w)
{
    static const char *const io[4] = { "QSPI_IO0", "QSPI_IO1", "QSPI_IO2", "QSPI_IO3" };
    const struct dt_node *n = chip ? chip->parent : NULL;

    if (!n || !dt_is_compatible(n, "nordic,nrf-qspi"))
        return;
    if (dt_u32(chip, "sck-frequency", &w->qspi_hz) != OK)
        w->qspi_hz = QSPI_HZ_DEFAULT;
    w->qspi_sck = either(pin_of(t, n, "QSPI_SCK"), old_pin(n, "sck-pin", 0));
    w->qspi_csn = either(pin_of(t, n, "QSPI_CSN"), old_pin(n, "csn-pins", 0));
    for (unsigned i = 0; i < 4; i++)
        w->qspi_io[i] = either(pin_of(t, n, io[i]), old_pin(n, "io-pins", i));
    w->qspi = w->qspi_sck != WIRING_NO_PIN && w->qspi_csn != WIRING_NO_PIN
        && w->qspi_io[0] != WIRING_NO_PIN && w->qspi_io[1] != WIRING_NO_PIN;
}

/* GPIO_ACTIVE_LOW is bit 0, GPIO_PULL_UP and _DOWN bits 4 and 5, by number or by name. */
static bool flag(const struct dt_value *v, unsigned bit, const char *name)
{
    if (v->kind == DT_CELL)
        return v->num >> bit & 1;
    return v->kind == DT_UNKNOWN && strstr(v->text, name) != NULL;
}

static unsigned port_of(const struct dt_tree *t, const struct dt_value *v)
{
    const struct dt_node *n = dt_target(t, v);
    uint32_t port;

    if (n && dt_u32(n, "port", &port) == OK)
        return port;
    return v->text && strcmp(v->text, "gpio1") == 0 ? 1 : 0;
}

static void read_recovery(const struct dt_tree *t, struct layout_wiring *w)
{
    const struct dt_node *n = dt_alias(t, "mcuboot-button0");
    const struct dt_prop *p = n ? dt_prop(n, "gpios") : NULL;
    const struct dt_value *port = p ? p->value : NULL, *pin = port ? port->next : NULL;

    if (!pin || port->kind != DT_PHANDLE || pin->kind != DT_CELL || pin->num >= 32 || !pin->next)
        return;
    w->recovery_pin = (uint8_t)(port_of(t, port) * 32 + pin->num);
    w->recovery_low = flag(pin->next, 0, "GPIO_ACTIVE_LOW");
    w->recovery_pull = flag(pin->next, 4, "GPIO_PULL_UP") || flag(pin->next, 5, "GPIO_PULL_DOWN");
    w->recovery = w->recovery_pin < PINS_MAX;
}

void layout_read_wiring(struct loader *l)
{
    struct layout_wiring *w = &l->report->wiring;

    *w = (struct layout_wiring) { .recovery_pin = WIRING_NO_PIN };
    read_uart(l->tree, w);
    read_qspi(l->tree, l->chip[LAYOUT_EXTERNAL], w);
    read_recovery(l->tree, w);
}
