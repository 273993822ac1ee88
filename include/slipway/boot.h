/*
 * The public header of slipway::boot: a bootloader's decision and work, and the update service of an
 * application, over flash devices that you provide.
 *
 * - A bootloader: open both chips, call boot_run(), do what its outcome says (core/boot/boot.h).
 * - An application: service_init(), then its jobs from your loop (core/boot/service.h), usually through
 *   SMP (slipway/smp.h).
 * - Both: struct layout from slipway_board_header(), struct flash_dev for each chip
 *   (core/flash/flash.h), the public keys (core/image/image.h), tied together in a struct store.
 */
#ifndef SLIPWAY_BOOT_H
#define SLIPWAY_BOOT_H

#include "core/boot/boot.h"
#include "core/boot/layout.h"
#include "core/boot/report.h"
#include "core/boot/service.h"
#include "core/boot/store.h"
#include "core/flash/flash.h"
#include "core/image/image.h"

#endif
