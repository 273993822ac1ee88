#include "firmware/common/chips.h"

#include "drivers/nrf52840/power.h"

void chips_init(struct chips *c, const struct layout *layout, const struct qspi_pins *pins,
    uint32_t (*now_ms)(void *ctx), void *ctx)
{
    c->nvmc = (struct nvmc) { now_ms, ctx };
    c->qspi = (struct qspi) { .now_ms = now_ms, .ctx = ctx };
    qspi_bus(&c->qspi, pins, &c->bus);
    nvmc_device(&c->nvmc, &c->internal, layout->internal_size);
    spi_nor_device(&c->nor, &c->bus, &c->external, layout->external_size, layout->external_jedec);
}

void chips_stop(struct chips *c)
{
    if (spi_nor_stop(&c->nor, false) != OK) /* an operation runs: the next image's driver waits for it or resets the chip */
        c->bus.ops->close(c->bus.ctx);
    qspi_release(&c->qspi);
}

bool chips_rest(struct chips *c, bool crystal)
{
    if (!c->nor.started || c->external.busy)
        return false;
    c->bus.ops->close(c->bus.ctx);
    if (crystal)
        power_crystal_stop();
    return true;
}

void chips_wake(struct chips *c)
{
    if (c->nor.err == OK && c->bus.ops->open(c->bus.ctx, c->nor.read_op) != OK)
        c->nor.started = false; /* its next use starts it anew, and says what is wrong */
}
