/*
 * A bus with a NOR chip behind it, for tests of drivers/spi_nor: takes what the chips take, in the
 * states that they can be found in, and says when the driver breaks a rule of bus or chip.
 */
#ifndef TESTS_UNIT_SPI_NOR_FAKE_CHIP_H
#define TESTS_UNIT_SPI_NOR_FAKE_CHIP_H

#include <stddef.h>

#include "drivers/spi_nor/bus.h"

enum { FAKE_SIZE = 0x40000 }; /* of the array kept; addresses wrap */

enum fake_sleep { AWAKE, DEEP, ULTRA_DEEP };

struct fake_part {
    uint32_t id;
    uint32_t qer;
    const uint8_t *bfpt; /* NULL: no SFDP */
    size_t bfpt_len;
    uint32_t wake_us;
    uint32_t reset_us; /* until it answers after a reset that ended an operation */
    uint32_t status_us; /* of a write of a status register */
    uint32_t erase_us[3]; /* 4, 32, 64 KiB */
    uint32_t page_us;
    uint8_t sr1_writable;
    bool wakes_on_cs; /* MX25R: any low pulse of CS ends deep power-down */
    bool takes_reset;
};
extern const struct fake_part fake_at25xe321d, fake_mx25r6435f;

struct fake_chip {
    const struct fake_part *part;
    uint8_t mem[FAKE_SIZE];
    uint8_t sr1, sr2;
    bool wel;
    enum fake_sleep sleep;
    bool qpi;
    bool armed; /* 66h came last */
    uint64_t busy_until, deaf_until; /* us */
    /* faults */
    bool absent;
    bool absent_low; /* absent, and the line is pulled down */
    bool busy_for_ever;
    bool quad_stuck; /* the quad-enable bit does not take */
    bool protect_stuck; /* nor do the protection bits */
    bool lines_bad; /* IO2 and IO3 are not where they should be */
    bool ignores_resets;
    /* the bus */
    bool open;
    uint8_t read_op;
    uint64_t now_us;
    uint64_t transfer_until;
    const uint8_t *prog_data;
    uint32_t prog_addr, prog_len;
    bool bus_dead; /* the controller never gets ready */
    /* what happened */
    unsigned status_writes, resets, erases[3], progs, opens, violations;
    char violation[160];
};

void fake_chip_init(struct fake_chip *c, const struct fake_part *part, struct spi_nor_bus *bus);

#endif
