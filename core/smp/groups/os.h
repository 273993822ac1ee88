/*
 * Group 0, OS: echo, reset, parameters, info, bootloader info. A device without a clock of the day and
 * without tasks has no more; the other commands are answered with "not supported".
 */
#ifndef CORE_SMP_GROUPS_OS_H
#define CORE_SMP_GROUPS_OS_H

#include "core/smp/smp.h"

enum { SMP_GROUP_OS = 0 };

enum smp_os_cmd {
    SMP_OS_ECHO = 0,
    SMP_OS_RESET = 5,
    SMP_OS_PARAMS = 6,
    SMP_OS_INFO = 7,
    SMP_OS_BOOTLOADER = 8,
};

enum smp_os_err {
    SMP_OS_ERR_UNKNOWN = 1,
    SMP_OS_ERR_INVALID_FORMAT = 2,
    SMP_OS_ERR_NO_ANSWER = 3, /* the bootloader does not know the query */
};

enum {
    SMP_OS_BOOT_NORMAL = 0,
    SMP_OS_BOOT_RECOVERY = 1, /* reset with boot_mode 1: the bootloader stays and serves SMP */
    SMP_OS_RESET_DELAY_MS = 250, /* from the answer to the reset, for links to send it */
    SMP_OS_MODE_SWAP = 3, /* bootloader mode that clients know: swap without scratch */
};

/* Texts of the info command; none is NULL. */
struct smp_os_info {
    const char *kernel; /* s */
    const char *node; /* n */
    const char *release; /* r */
    const char *version; /* v */
    const char *build; /* b: date and time */
    const char *machine; /* m */
    const char *processor; /* p */
    const char *platform; /* i: the board */
    const char *system; /* o */
};

struct smp_os {
    const struct smp_os_info *info;
    bool reset_asked;
    uint8_t boot_mode; /* of the reset */
    uint32_t reset_ms; /* when it was asked for */
};

void smp_os_init(struct smp_os *os, const struct smp_os_info *info);
/* True once: the composition root resets now, into recovery if os->boot_mode says so. */
bool smp_os_reset_due(struct smp_os *os, uint32_t now_ms);

/* Bind with a struct smp_os. */
extern const struct smp_group smp_group_os;

#endif
