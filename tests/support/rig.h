/* Two NOR chips, a layout and a key: what boot_run() and the service need, in one struct. */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include "core/boot/boot.h"
#include "sim/flash/nor.h"
#include "tests/support/testimage.h"

struct rig {
    struct sim_clock clock;
    struct sim_power power;
    struct nor internal_chip, external_chip;
    struct flash_dev internal, external;
    struct layout layout;
    struct testkey key;
    struct image_keys keys;
    struct store store;
    uint8_t buf[2][BOOT_UNIT_MAX];
    struct boot_config cfg;
    struct boot_report report;
    struct boot_result result;
};

/* The maps of boards/at25xe321d_nrf52840 and boards/nrf52840dk. */
struct layout rig_layout_at25(void);
struct layout rig_layout_dk(void);

void rig_open(struct rig *r, const struct layout *layout);
void rig_close(struct rig *r);
/* Power-up and boot; counters of both chips start at 0. */
void rig_boot(struct rig *r);
void rig_load(struct rig *r, unsigned slot, uint32_t off, const uint8_t *data, uint32_t len);
const uint8_t *rig_slot(const struct rig *r, unsigned slot);

#endif
