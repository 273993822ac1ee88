/*
 * The bootloader's recovery as one small SMP server: what brings a board back to life, and nothing
 * else. Applications have the service (core/boot/service.h) with the groups above it; it takes 17 KB,
 * and a bootloader has 28 for everything.
 *
 *     OS     echo, reset (also back into recovery), parameters
 *     IMG    state (read, test and confirm of slot 1), upload
 *     64     report, verdict of the upload
 *
 * All else is answered with "not supported" (SMP_RC_NOT_SUPPORTED). One request at a time, and each is
 * answered when it is done: a chunk is in flash, read back, when its answer comes. Uploads go to slot 1
 * where the external chip answers, else to slot 0; an upload does not go on after a reset, and nothing is
 * erased ahead. What is in the slot is hashed and its signature checked before the last chunk is answered.
 */
#ifndef CORE_SMP_GROUPS_RESCUE_H
#define CORE_SMP_GROUPS_RESCUE_H

#include "core/boot/store.h"
#include "core/boot/upload.h"

enum { RESCUE_BLOCK = 256 };

struct rescue_config {
    const struct store *store;
    const struct boot_report *report;
    uint32_t buf_size; /* largest request and answer */
    struct store_work work; /* its memory is word-aligned, and not the request's */
    uint32_t (*now_ms)(void *ctx); /* of work.ctx */
};

struct rescue {
    const struct rescue_config *cfg;
    bool reset_asked;
    uint8_t boot_mode; /* of the reset: 1 stays in recovery */
    uint32_t reset_ms;
    /* the upload */
    enum upload_state state;
    uint8_t slot;
    struct finding why;
    uint32_t len; /* of the file */
    uint32_t off; /* bytes taken */
    struct image img; /* of the slot that was looked at last */
    uint32_t block[RESCUE_BLOCK / 4];
};

/* *cfg is kept. */
void rescue_init(struct rescue *r, const struct rescue_config *cfg);
/* Handles a message; the answer's length in `rsp`, of cfg->buf_size bytes, or 0: none. */
uint32_t rescue_handle(struct rescue *r, struct span msg, uint8_t *rsp);
/* True once, so long after the answer that a link has sent it. */
bool rescue_reset_due(struct rescue *r);

#endif
