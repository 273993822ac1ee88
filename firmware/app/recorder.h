/*
 * What an application does with its own part of the external flash: records are appended to a ring, read
 * back, and old ones read again, while an update is uploaded to another part of the same chip. A chip
 * does one thing at a time: the loop calls recorder_begin() only when nobody else uses the chip, and
 * gives it to nobody else until recorder_poll() has ended.
 *
 *     record   magic 'RECD'   number u32   milliseconds u32   16 bytes of data   CRC-32
 *
 * Records lie from the start of the area; a unit is erased when the first record of it is due.
 */
#ifndef FIRMWARE_APP_RECORDER_H
#define FIRMWARE_APP_RECORDER_H

#include "core/flash/flash.h"

enum {
    RECORDER_UNITS = 16, /* of the area are used at most */
    RECORDER_LEN = 32,
    RECORDER_MAGIC = 0x44434552, /* "RECD" */
};

enum recorder_step {
    RECORDER_REST,
    RECORDER_ERASE,
    RECORDER_PROGRAM,
};

struct recorder {
    struct flash_area area; /* size 0: there is none, nothing is done */
    uint32_t period_ms; /* 0: only when told to */
    uint32_t next_off; /* where the next record goes */
    uint32_t number; /* of the next record, from 1 */
    uint32_t due_ms;
    enum recorder_step step;
    bool erased; /* the unit of next_off */
    uint8_t record[RECORDER_LEN];
    /* since the start */
    uint32_t written;
    uint32_t checked; /* old records read again, and good */
    uint32_t erases;
    uint32_t bad; /* operations that failed, and records that read wrong */
    int err; /* the last one that failed */
};

/* Finds the newest record. Flash errors; the recorder then rests. */
int recorder_open(struct recorder *r, const struct flash_area *area, uint32_t period_ms) MUST_CHECK;
/*
 * True: a record is due and its first operation was started. With `may_erase` false a record that needs
 * a unit erased waits.
 */
bool recorder_begin(struct recorder *r, uint32_t now_ms, bool may_erase);
/* True: the chip is still needed. To be called when recorder_begin() was true, until it is false. */
bool recorder_poll(struct recorder *r, uint32_t now_ms);

#endif
