/* A virtual board with the shipped bootloader, what it says on its UART, and the report that it leaves. */
#ifndef TESTS_FIRMWARE_BOOT_RIG_H
#define TESTS_FIRMWARE_BOOT_RIG_H

#include "board/board.h"
#include "core/boot/handover.h"

enum { RIG_TEXT = 8192, RIG_SLOT0 = 0xC000 };

struct fw_rig {
    struct board *b;
    struct nor_part *made; /* ours to free */
    uint32_t slot1_size; /* slot 1 begins at 0 of the external chip */
    char text[RIG_TEXT]; /* said since rig_clear() */
    size_t len;
    const char *until;
    bool seen;
    uint64_t seen_at; /* cycles when `until` was complete */
};

/* What is behind QSPI. */
enum rig_chip { RIG_CHIP_OF_BOARD, RIG_CHIP_NONE, RIG_CHIP_OTHER, RIG_CHIP_SMALLER, RIG_CHIP_WITH_QPI };

/*
 * `board` is one of those that `make` builds for, or the folder of another's slipway-boot.hex; with the DK's
 * name in it that is a DK. Ends the program with a message if a file is not there.
 */
void rig_open(struct fw_rig *r, const char *board, enum rig_chip chip);
void rig_close(struct fw_rig *r);

/* Images of make_images.py: into slot 0, and into slot 1 with a request. While off, or between runs. */
void rig_flash(struct fw_rig *r, const char *image);
void rig_request(struct fw_rig *r, const char *image);

void rig_clear(struct fw_rig *r);
/* Runs until the firmware has said `text`, `seconds` of virtual time at most; false if it has not. */
bool rig_run(struct fw_rig *r, const char *text, double seconds);
bool rig_said(const struct fw_rig *r, const char *text);
/* The handover record, as it lies in RAM; false if there is none. */
bool rig_handover(struct fw_rig *r, struct handover *h);
/* Whether the report has a finding of this reason. */
bool rig_found(const struct handover *h, unsigned reason);

double rig_ms(uint64_t cycles);

#endif
