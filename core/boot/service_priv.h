/* Between service.c (jobs) and service_look.c (what the slots hold). */
#ifndef CORE_BOOT_SERVICE_PRIV_H
#define CORE_BOOT_SERVICE_PRIV_H

#include "core/boot/service.h"

/* One step of a look at both slots: ERR_BUSY, or OK when sv->slot[] is complete. */
int service_look_step(struct service *sv) MUST_CHECK;
/* The flags of both slots, from the trailers and the boot state. */
void service_read_flags(struct service *sv);
/* A slot is written or erased: nothing said of it before counts. */
void service_slot_changed(struct service *sv, unsigned slot);

#endif
