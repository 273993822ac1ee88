/*
 * A toy board for fuzzing what boot and update service find in flash: two NOR models, three signed
 * images, and the states that a board can be in, each made once by the real code.
 */
#ifndef TESTS_FUZZ_BOOT_BENCH_H
#define TESTS_FUZZ_BOOT_BENCH_H

#include "core/boot/service.h"
#include "sim/flash/nor.h"
#include "tests/powerloss/bench.h"

enum { CHIP_UNITS = 16, CHIP_LEN = CHIP_UNITS * UNIT };

/* Scenes, by what happened before. */
enum scene {
    SCENE_NEW, /* A in slot 0, nothing booted yet */
    SCENE_SETTLED, /* booted once */
    SCENE_UPLOADED, /* B in slot 1 */
    SCENE_ASKED, /* and asked for on trial */
    SCENE_TRIAL, /* swapped in, not confirmed */
    SCENE_CONFIRMED,
    SCENE_CUT, /* power failed in the swap, at a third, ... */
    SCENE_CUT_LATE, /* ... and at two thirds of it */
    SCENE_HALF_UPLOAD, /* an upload of B with its progress record, not complete */
    SCENE_NO_PRIMARY, /* slot 0 blank, B in slot 1 */
    SCENES
};

struct boot_bench {
    struct sim_clock clock;
    struct sim_power power;
    struct nor chip[CHIPS];
    struct flash_dev dev[CHIPS];
    struct layout layout;
    struct pl_key key;
    struct image_keys keys;
    struct store store;
    struct boot_config cfg;
    struct boot_report report;
    struct boot_result result;
    struct service service;
    struct pl_image a, b;
    uint8_t buf[2][BOOT_UNIT_MAX];
    struct nor_snapshot scene[SCENES][CHIPS];
};

/* Makes images and scenes. */
void boot_bench_make(struct boot_bench *b);
/* Power-up on the contents of a scene, nothing running, no faults. */
void boot_bench_set(struct boot_bench *b, enum scene scene);
/* Reset and boot. */
void boot_bench_boot(struct boot_bench *b);
/* The application (or recovery) starts. */
void boot_bench_serve(struct boot_bench *b);
/* Uploads `im` as a client does, from wherever the device wants it; at most `chunks` of them. */
void boot_bench_upload(struct boot_bench *b, const struct pl_image *im, unsigned chunks);

/* What belongs to neither slot nor state area is as it was. */
bool boot_bench_rest_untouched(const struct boot_bench *b);

/* Contents of a slot as they are. */
uint8_t *boot_bench_slot(struct boot_bench *b, unsigned slot);
/* Whether slot 0 holds an image that verifies and can be started. */
bool boot_bench_primary_good(struct boot_bench *b);

#endif
