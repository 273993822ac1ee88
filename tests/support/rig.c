#include "tests/support/rig.h"

#include <stdlib.h>
#include <string.h>

static void require(int ok)
{
    if (!ok)
        abort();
}

static struct layout layout_with(const char *board, uint32_t external_size, uint32_t slot1_size, uint32_t jedec)
{
    struct layout l = {
        .board = board,
        .internal_size = 0x100000,
        .internal_erase = 0x1000,
        .external_size = external_size,
        .external_erase = 0x1000,
        .external_jedec = jedec,
        .boot = { 0, 0xC000 },
        .slot0 = { 0xC000, 904 * 1024 },
        .slot1 = { 0, slot1_size },
        .state = { 0xEE000, 0x4000 },
        .unit = 0x1000,
    };

    l.hash = layout_hash(&l);
    return l;
}

struct layout rig_layout_at25(void)
{
    return layout_with("at25xe321d_nrf52840", 4u << 20, 1u << 20, 0x1F470C);
}

struct layout rig_layout_dk(void)
{
    return layout_with("nrf52840dk", 8u << 20, 904u * 1024, 0xC22817);
}

static uint32_t now_ms(void *ctx)
{
    const struct rig *r = ctx;
    return (uint32_t)(r->clock.us / 1000);
}

void rig_open(struct rig *r, const struct layout *layout)
{
    struct nor_geometry inner = nor_internal_nrf52840(layout->internal_size);
    struct nor_geometry outer = nor_external_part(layout->external_jedec, layout->external_size);

    memset(r, 0, sizeof *r);
    r->layout = *layout;
    require(nor_open(&r->internal_chip, &inner, &r->clock, &r->power, NULL) == OK);
    require(nor_open(&r->external_chip, &outer, &r->clock, &r->power, NULL) == OK);
    nor_device(&r->internal_chip, &r->internal);
    nor_device(&r->external_chip, &r->external);
    r->external.jedec = layout->external_jedec;
    testkey_make(&r->key);
    r->keys = (struct image_keys) { .key = &r->key.key, .count = 1 };
    r->store = (struct store) { .layout = &r->layout, .internal = &r->internal, .external = &r->external,
        .keys = &r->keys, .any_payload = true };
    r->cfg = (struct boot_config) { .store = &r->store, .attempts = 1, .buf = { r->buf[0], r->buf[1] },
        .now_ms = now_ms, .ctx = r };
}

void rig_close(struct rig *r)
{
    nor_close(&r->internal_chip);
    nor_close(&r->external_chip);
    testkey_free(&r->key);
}

void rig_boot(struct rig *r)
{
    sim_power_up(&r->power);
    r->internal.busy = r->external.busy = false;
    nor_counters_clear(&r->internal_chip);
    nor_counters_clear(&r->external_chip);
    r->result = boot_run(&r->cfg, &r->report);
}

static struct nor *chip(const struct rig *r, unsigned slot)
{
    return (struct nor *)(uintptr_t)(slot == 0 ? &r->internal_chip : &r->external_chip);
}

static uint32_t slot_off(const struct rig *r, unsigned slot)
{
    return slot == 0 ? r->layout.slot0.off : r->layout.slot1.off;
}

void rig_load(struct rig *r, unsigned slot, uint32_t off, const uint8_t *data, uint32_t len)
{
    nor_load(chip(r, slot), slot_off(r, slot) + off, data, len);
}

const uint8_t *rig_slot(const struct rig *r, unsigned slot)
{
    return chip(r, slot)->mem + slot_off(r, slot);
}
