/* Defaults that a project's Kconfig files give; see kconfig.c for what of the language is read. */
#ifndef HOST_DOCTOR_KCONFIG_H
#define HOST_DOCTOR_KCONFIG_H

#include "host/doctor/chips.h"
#include "host/doctor/conf.h"

/* What conditions are judged by; each NULL if it is not known. */
struct kconfig_facts {
    const char *board;
    const struct soc *soc;
};

/* Adds the defaults of `f` to `c` as weak items, where no other item of the name is there. */
void kconfig_read(struct conf *c, struct sources *s, struct source *f, const struct kconfig_facts *facts);

#endif
