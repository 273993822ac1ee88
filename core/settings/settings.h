/*
 * Settings of an application: values of up to 64 bytes under numbers, kept in a partition of two or
 * more erase units of flash whose words may be programmed twice (the nRF52840's own).
 *
 * A log: what is set is appended; when a unit is full, what is still valid is copied to the next one.
 * A power cut at any moment leaves the value that was there or the one that was being set, and which
 * of them it is is decided once, by the next settings_open(): what a cut leaves may read right today
 * and wrong tomorrow, so that what may have been in flight is written again before it is believed.
 *
 *     unit     magic 'SETT'   number u32 (the highest counts)   CRC-32 of both   A   B   records ...
 *     record   mark 'SETV'   key u16, length u8, 0   CRC-32 of these and the data   data, filled up with
 *              FF   A   B
 *
 * A is 0 when all before it was written and has been read back; it makes the record (the unit) count.
 * B is 0 when A was completed. A alone may have been torn. What lies between records means nothing: after
 * a start a gap is left, for words in flight at a cut may read blank. The mark is the same in all
 * records, so that one that was torn and reads blank is completed by the next record, not overwritten;
 * only if power fails twice in a row in that very word it is programmed a third time.
 *
 * Called from the loop. Writing stalls for the words it writes, at worst for the erase of a unit.
 */
#ifndef CORE_SETTINGS_SETTINGS_H
#define CORE_SETTINGS_SETTINGS_H

#include "core/flash/flash.h"

enum {
    SETTINGS_VALUE_MAX = 64,
    SETTINGS_MAGIC = 0x54544553, /* "SETT" */
    SETTINGS_MARK = 0x56544553, /* "SETV" */
};

struct settings {
    struct flash_area area;
    uint32_t unit; /* offset of the one in use */
    uint32_t number; /* its number */
    uint32_t tail; /* where the next record goes, from the start of the unit */
};

/*
 * Finds what is there, and settles what a power cut left open. A partition without settings of ours is
 * taken as empty: its first unit is erased. ERR_ARG: fewer than two units. Flash errors.
 */
int settings_open(struct settings *s, const struct flash_area *area) MUST_CHECK;
/* The value's length, which may be larger than `cap`; ERR_NOENT. */
int settings_get(const struct settings *s, uint16_t key, void *value, uint32_t cap) MUST_CHECK;
/* Length 0: the key has no value any more. ERR_ARG: too long. ERR_NOSPACE: the partition is full. */
int settings_set(struct settings *s, uint16_t key, const void *value, uint32_t len) MUST_CHECK;

#endif
