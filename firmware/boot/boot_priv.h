/* Between the files of the bootloader. */
#ifndef FIRMWARE_BOOT_BOOT_PRIV_H
#define FIRMWARE_BOOT_BOOT_PRIV_H

#include "core/boot/boot.h"
#include "core/boot/handover.h"
#include "drivers/nrf52840/hwtime.h"
#include "drivers/nrf52840/uarte.h"
#include "firmware/common/chips.h"

/* Why the bootloader stays, in REASON_RECOVERY's `found`. */
enum recovery_cause {
    RECOVERY_NO_IMAGE = 1,
    RECOVERY_ASKED = 2, /* by the application, in GPREGRET */
    RECOVERY_PIN = 3,
};

/*
 * Memory that is used by turns: the two units of a swap; in recovery what serves SMP, and a unit's worth to hash
 * through.
 */
enum { SHARED_SIZE = 2 * BOOT_UNIT_MAX };
extern uint32_t shared[SHARED_SIZE / 4];

struct bootloader {
    struct hwtime time;
    struct chips chips;
    struct store store;
    struct handover over; /* the boot report is part of it */
    struct uarte uart;
};

/* Serves SMP until somebody asks for a reset. */
__attribute__((noreturn)) void recovery_run(struct bootloader *b);

void log_finding(struct bootloader *b, const struct finding *f);
void log_note(struct bootloader *b, unsigned reason, uint32_t found, uint32_t expected, uint32_t where);

#endif
