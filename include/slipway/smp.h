/*
 * The public header of slipway::smp: the SMP server with its groups (0 OS, 1 image, 64 Slipway) and the
 * framings of serial lines. Bind the groups you want in an array of struct smp_binding, hand messages to
 * smp_submit() and call smp_poll() from your loop (core/smp/smp.h).
 */
#ifndef SLIPWAY_SMP_H
#define SLIPWAY_SMP_H

#include "core/smp/framing/console.h"
#include "core/smp/framing/raw.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/os.h"
#include "core/smp/groups/slipway.h"
#include "core/smp/smp.h"

#endif
