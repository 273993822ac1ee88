/*
 * The bootloader's decision and work, from reset to the jump. Freestanding: the composition root
 * (firmware/boot, sim/board) opens the chips, calls boot_run(), and does what the outcome says.
 *
 * Order: boot state read -> a swap in progress is finished -> both slots read -> boot_decide() ->
 * verify -> act -> report. The external chip is neither trusted nor relied upon: without it a valid
 * slot 0 is started and the report says so. slide.h and state.h hold the protocol (SPEC.md).
 */
#ifndef CORE_BOOT_BOOT_H
#define CORE_BOOT_BOOT_H

#include "core/boot/report.h"
#include "core/boot/store.h"

enum { BOOT_UNIT_MAX = 4096 };

struct boot_config {
    const struct store *store;
    uint8_t attempts; /* starts of an unconfirmed image before it is reverted; 0 counts as 1 */
    /* Two buffers of one swap unit each, word-aligned; free again when boot_run() returns. */
    uint8_t *buf[2];
    uint32_t (*now_ms)(void *ctx);
    void (*feed)(void *ctx); /* the watchdog; called at least once a unit; may be NULL */
    void *ctx;
};

enum boot_outcome {
    BOOT_START, /* start the image in slot 0 */
    BOOT_RECOVERY, /* nothing can be started: serve SMP */
};

struct boot_result {
    enum boot_outcome outcome;
    uint32_t vectors; /* BOOT_START: address of the vector table, from the start of internal flash */
    uint32_t trial_s; /* BOOT_START: seconds of watchdog the image on trial asks for; 0: none */
};

/* Never fails: what goes wrong is in the report. */
struct boot_result boot_run(const struct boot_config *cfg, struct boot_report *report);

/* What the state cell says, for the application's service: read only. */
enum swap_phase {
    SWAP_IDLE, /* nothing pending */
    SWAP_TRIAL, /* the image in slot 0 runs on trial: slot 1 holds the only copy of the old one */
    SWAP_UNFINISHED, /* images are half way */
};
struct swap_status {
    enum swap_phase phase;
    uint8_t old_unit; /* TRIAL: where in slot 1 the old image begins, in units */
};
int boot_swap_status(const struct store *st, struct swap_status *s) MUST_CHECK;

/*
 * A recovery upload into slot 0 or 1 during an unfinished swap or a trial: writes a CONFIRMED state
 * first, so that the next boot does not go on with what is no longer there.
 */
int boot_forget_swap(const struct store *st) MUST_CHECK;

#endif
