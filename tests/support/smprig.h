/* A rig with the update service and the SMP server on it, and frames in and out. */
#ifndef TESTS_SUPPORT_SMPRIG_H
#define TESTS_SUPPORT_SMPRIG_H

#include "core/boot/service.h"
#include "core/smp/groups/os.h"
#include "core/smp/smp.h"
#include "tests/support/cborkit.h"
#include "tests/support/rig.h"

enum { SMPRIG_ANSWERS = 32 };

struct smprig {
    struct rig rig;
    struct service service;
    struct smp_os os;
    struct smp_binding binding[3];
    struct smp_server server;
    struct smp_transport transport;
    bool closed; /* the transport takes nothing */
    /* answers since the last smprig_clear() */
    unsigned answers;
    uint64_t peer[SMPRIG_ANSWERS];
    uint32_t len[SMPRIG_ANSWERS];
    uint8_t answer[SMPRIG_ANSWERS][SMP_BUF_SIZE];
    char text[4096];
    uint8_t seq;
};

void smprig_open(struct smprig *s, const struct layout *layout);
void smprig_close(struct smprig *s);
/* Boots, then starts the application's service (or the recovery's). */
void smprig_boot(struct smprig *s, bool recovery);
/* The service and server anew, as after a reset without the bootloader's work. */
void smprig_start(struct smprig *s, bool recovery);
void smprig_clear(struct smprig *s);
/* Polls until a round does nothing, background work included; at most so many times. */
void smprig_run(struct smprig *s);
/* Polls until there are so many answers. */
void smprig_until(struct smprig *s, unsigned answers);

/* One request, v2, its answer's payload as text. */
const char *smprig_ask(struct smprig *s, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload);
/* The same in v1. */
const char *smprig_ask_v1(struct smprig *s, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload);
/* Queues a request without polling. */
bool smprig_submit(struct smprig *s, unsigned version, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload);
const char *smprig_text(struct smprig *s, unsigned answer);

/* Chunk of an upload as the phone builds it; sha and len only at offset 0. */
void smprig_chunk(struct cborkit *c, const uint8_t *image, uint32_t len, uint32_t off, uint32_t n,
    const uint8_t *sha);
/* A whole upload in chunks of n bytes, following the offsets; the last answer. */
const char *smprig_upload(struct smprig *s, const uint8_t *image, uint32_t len, uint32_t n);
/* From `off` on, up to `stop`. */
const char *smprig_send(struct smprig *s, const uint8_t *image, uint32_t len, uint32_t off,
    uint32_t stop, uint32_t n);
void smprig_sha(const uint8_t *image, uint32_t len, uint8_t sha[32]);

#endif
