/*
 * What is known of chips and boards: data sheet facts that rules compare a project with.
 * Sources: the data sheets of the parts, the product specifications of the SoCs, and the
 * devicetrees of the development kits.
 */
#ifndef HOST_DOCTOR_CHIPS_H
#define HOST_DOCTOR_CHIPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct soc {
    const char *name; /* as in file names and devicetrees: "nrf52840" */
    unsigned flash_kib; /* internal, 0: varies */
    unsigned erase; /* bytes of an internal unit (the largest, where they differ) */
    bool qspi, cc310, pm, rram;
    int nfc_port, nfc_pin[2]; /* -1: no NFC pins */
};

/* The SoC whose name occurs in `text` (longest name wins), NULL if none. */
const struct soc *soc_in(const char *text);

/* A board of a vendor whose devicetree is not in the project: what of it matters here, as source. */
struct known_board {
    const char *name; /* prefix of the board's name */
    const char *soc;
    const char *dts;
    bool mcuboot_conf; /* MCUboot brings a configuration for this board's external flash */
    const char *const *sb_defaults; /* what the board switches on in sysbuild; NULL, or ends with NULL */
};
const struct known_board *known_board(const char *board);

enum qer { QER_ANY, QER_S1B6, QER_S2B1, QER_NONE };

struct nor_part {
    const char *name; /* lower case, as in node names; a prefix of the real one */
    uint8_t id[3];
    unsigned mbit;
    enum qer qer; /* where the quad-enable bit is */
    uint32_t max_hz;
    bool protects; /* blocks may be protected after power-up, writes then do nothing silently */
    bool dummy_cycles; /* dummy cycles of the 1-4-4 read are programmable */
    bool needs_unlock_dpd; /* answers nothing but the release command while in deep power-down */
    unsigned erase_ms; /* longest time of the erase that the driver uses (64 KiB) */
};
const struct nor_part *nor_by_id(const uint8_t *id);
const struct nor_part *nor_by_name(const char *name); /* of a node, compatible or label; NULL */

/* Who makes it, by the first byte of the id or by the name's beginning; NULL if not known. */
const char *nor_vendor_of_id(uint8_t first);
const char *nor_vendor_of_name(const char *name);
enum qer nor_vendor_qer(const char *vendor);

/* Capacity that an id implies by its vendor's scheme, in bits; 0 if the scheme is not known. */
uint64_t nor_bits_of_id(const uint8_t *id);

#endif
