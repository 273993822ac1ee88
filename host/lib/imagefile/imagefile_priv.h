/* Shared by the files of this folder only. */
#ifndef HOST_LIB_IMAGEFILE_IMAGEFILE_PRIV_H
#define HOST_LIB_IMAGEFILE_IMAGEFILE_PRIV_H

#include "host/lib/imagefile/imagefile.h"

/* Puts the clause into why. */
void say(char why[IMAGEFILE_WHY_LEN], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
