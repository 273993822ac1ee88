/* A storage partition in which settings were set, changed and removed until units were full, for tests/spec/test_settings.py. */
#include <stdio.h>
#include <string.h>

#include "core/settings/settings.h"
#include "sim/flash/nor.h"

enum { UNIT = 4096, SIZE = 2 * UNIT, ROUNDS = 150 };

int main(void)
{
    static struct nor chip;
    struct sim_clock clock = { 0 };
    struct sim_power power = { 0 };
    struct nor_geometry g = nor_internal_nrf52840(SIZE);
    struct flash_dev dev;
    struct settings s;

    if (nor_open(&chip, &g, &clock, &power, NULL) != OK)
        return 1;
    nor_device(&chip, &dev);
    const struct flash_area area = { &dev, 0, SIZE };
    int err = settings_open(&s, &area);
    /* Key k gets k bytes of the round's number, every fifth time nothing. */
    for (uint16_t i = 0; err == OK && i < ROUNDS; i++) {
        uint16_t key = (uint16_t)(1 + i % 7);
        uint8_t value[SETTINGS_VALUE_MAX];
        memset(value, (uint8_t)i, sizeof value);
        err = settings_set(&s, key, value, i % 5 == 0 ? 0 : key * 8u);
    }
    if (err == OK)
        fwrite(chip.mem, 1, SIZE, stdout);
    nor_close(&chip);
    return err == OK ? 0 : 1;
}
