/*
 * What a bootloader leaves in RAM for the image it starts: the boot report, why the chip was reset, and
 * what the last fault was. At the end of RAM, where no image of ours puts anything and a stranger's
 * stack or heap may do as it likes: it is read by who knows of it, first thing after reset, and believed
 * if length, version and CRC are right.
 *
 *     0x2003FC00  magic 'SLHO'   version u16   length u16   CRC-32 of what follows   struct handover
 *
 * Bootloader and application may be of different ages. A change of struct handover or of anything in it
 * is a new HANDOVER_VERSION; the assertions below are there to be seen to.
 */
#ifndef CORE_BOOT_HANDOVER_H
#define CORE_BOOT_HANDOVER_H

#include "core/boot/report.h"

enum {
    HANDOVER_ADDR = 0x2003FC00,
    HANDOVER_ROOM = 0x300, /* behind it is the fault record of arch/cortex_m4 */
    HANDOVER_HEADER = 12,
    HANDOVER_VERSION = 1,
};

/* Of a fault in the image before, or in the bootloader; exception 0: none. */
struct handover_fault {
    uint32_t exception;
    uint32_t pc;
    uint32_t lr;
    uint32_t cfsr;
    uint32_t address; /* MMFAR or BFAR, where CFSR says that it is valid; else 0 */
    uint32_t vectors; /* whose fault: address of the vector table in use */
};

struct handover {
    uint32_t reset_reasons; /* RESETREAS as the bootloader found it, less what errata make of it */
    uint32_t watchdog_s; /* the bootloader started a watchdog of so many seconds; 0: it did not */
    struct handover_fault fault;
    struct boot_report report;
};

_Static_assert(sizeof(struct handover) == 344, "another layout is another HANDOVER_VERSION");
_Static_assert(sizeof(struct handover) + HANDOVER_HEADER <= HANDOVER_ROOM, "no room");

/* `at` is HANDOVER_ADDR on the device, HANDOVER_ROOM bytes. */
void handover_write(void *at, const struct handover *h);
/* False: nothing there that can be believed, *h is all zero. Then forgotten: a reset without a boot does not repeat it. */
bool handover_take(void *at, struct handover *h);

#endif
