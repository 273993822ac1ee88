/* Options that CMake files, presets and caches set; see cmake.c for the forms. */
#ifndef HOST_DOCTOR_CMAKE_H
#define HOST_DOCTOR_CMAKE_H

#include "host/doctor/conf.h"

/* CMakeLists.txt, *.cmake, CMakePresets.json (or the user's), CMakeCache.txt. */
bool cmake_is(const struct source *f);

/* Adds what `f` gives to options that begin with `prefix` ("SB_CONFIG_", "mcuboot_CONFIG_"). */
void cmake_read(struct conf *c, struct sources *s, struct source *f, const char *prefix);

#endif
