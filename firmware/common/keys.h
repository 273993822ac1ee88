/* The keys whose images are accepted: written by the build from SLIPWAY_KEYS (tools/keys2c). */
#ifndef FIRMWARE_COMMON_KEYS_H
#define FIRMWARE_COMMON_KEYS_H

#include "core/image/image.h"

extern const struct image_keys firmware_keys;

#endif
