#include "tests/support/smprig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/smp/groups/img.h"
#include "core/smp/groups/slipway.h"

enum { POLLS_MAX = 4000000 };

static const struct smp_os_info info = {
    .kernel = "Slipway",
    .node = "node",
    .release = "0.1.0",
    .version = "v0.1.0-test",
    .build = "Mon",
    .machine = "arm",
    .processor = "cortex-m4",
    .platform = "board",
    .system = "Slipway",
};

static uint32_t now_ms(void *ctx)
{
    return (uint32_t)(((struct smprig *)ctx)->rig.clock.us / 1000);
}

static bool take_answer(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    struct smprig *s = ctx;

    if (s->closed)
        return false;
    if (s->answers == SMPRIG_ANSWERS || len > SMP_BUF_SIZE)
        abort();
    memcpy(s->answer[s->answers], msg, len);
    s->peer[s->answers] = peer;
    s->len[s->answers++] = len;
    return true;
}

static bool idle(void *ctx)
{
    return service_idle(&((struct smprig *)ctx)->service);
}

void smprig_start(struct smprig *s, bool recovery)
{
    struct service_config cfg = { .store = &s->rig.store, .report = &s->rig.report,
        .recovery = recovery };
    struct smp_config smp = { .groups = s->binding, .count = 3, .now_ms = now_ms, .idle = idle,
        .ctx = s };

    service_init(&s->service, &cfg);
    smp_os_init(&s->os, &info);
    s->binding[0] = (struct smp_binding) { &smp_group_os, &s->os };
    s->binding[1] = (struct smp_binding) { &smp_group_img, &s->service };
    s->binding[2] = (struct smp_binding) { &smp_group_slipway, &s->service };
    s->transport = (struct smp_transport) { take_answer, s };
    smp_init(&s->server, &smp);
    smprig_clear(s);
}

void smprig_open(struct smprig *s, const struct layout *layout)
{
    memset(s, 0, sizeof *s);
    rig_open(&s->rig, layout);
}

void smprig_close(struct smprig *s)
{
    rig_close(&s->rig);
}

void smprig_boot(struct smprig *s, bool recovery)
{
    rig_boot(&s->rig);
    smprig_start(s, recovery);
}

void smprig_clear(struct smprig *s)
{
    s->answers = 0;
}

void smprig_run(struct smprig *s)
{
    for (unsigned i = 0; smp_poll(&s->server); i++) {
        if (i > POLLS_MAX)
            abort();
    }
}

void smprig_until(struct smprig *s, unsigned answers)
{
    for (unsigned i = 0; s->answers < answers; i++) {
        if (i > POLLS_MAX)
            abort();
        (void)smp_poll(&s->server);
    }
}

bool smprig_submit(struct smprig *s, unsigned version, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload)
{
    uint8_t msg[SMP_BUF_SIZE + 64];
    uint32_t n = payload ? (uint32_t)payload->len : 0;
    struct smp_header h = { .op = (uint8_t)op, .version = (uint8_t)version, .seq = ++s->seq,
        .id = (uint8_t)id, .group = (uint16_t)group, .len = (uint16_t)n };

    if (n + SMP_HEADER_LEN > sizeof msg)
        abort();
    smp_header_write(msg, &h);
    if (n > 0)
        memcpy(msg + SMP_HEADER_LEN, payload->bytes, n);
    return smp_submit(&s->server, &s->transport, 7, msg, SMP_HEADER_LEN + n);
}

const char *smprig_text(struct smprig *s, unsigned answer)
{
    if (answer >= s->answers)
        return "no answer";
    return ck_diag(s->answer[answer] + SMP_HEADER_LEN, s->len[answer] - SMP_HEADER_LEN, s->text,
        sizeof s->text);
}

static const char *ask(struct smprig *s, unsigned version, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload)
{
    smprig_clear(s);
    if (!smprig_submit(s, version, op, group, id, payload))
        return "dropped";
    smprig_until(s, 1);
    return smprig_text(s, 0);
}

const char *smprig_ask(struct smprig *s, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload)
{
    return ask(s, SMP_V2, op, group, id, payload);
}

const char *smprig_ask_v1(struct smprig *s, unsigned op, unsigned group, unsigned id,
    const struct cborkit *payload)
{
    return ask(s, SMP_V1, op, group, id, payload);
}

void smprig_chunk(struct cborkit *c, const uint8_t *image, uint32_t len, uint32_t off, uint32_t n,
    const uint8_t *sha)
{
    if (n > len - off)
        n = len - off;
    ck_map(c, off == 0 ? sha ? 4 : 3 : 2);
    ck_bytes(c, "data", image + off, n);
    if (off == 0) {
        ck_uint(c, "len", len);
        if (sha)
            ck_bytes(c, "sha", sha, 32);
    }
    ck_uint(c, "off", off);
}

void smprig_sha(const uint8_t *image, uint32_t len, uint8_t sha[32])
{
    struct crypto_sha256 h;

    crypto_sha256_init(&h);
    crypto_sha256_update(&h, image, len);
    crypto_sha256_final(&h, sha);
}

const char *smprig_send(struct smprig *s, const uint8_t *image, uint32_t len, uint32_t off,
    uint32_t stop, uint32_t n)
{
    struct cborkit c;
    uint8_t sha[32];
    const char *text = "nothing sent";

    smprig_sha(image, len, sha);
    while (off < stop) {
        unsigned next;
        smprig_chunk(&c, image, len, off, n, sha);
        text = smprig_ask(s, SMP_OP_WRITE, SMP_GROUP_IMG, SMP_IMG_UPLOAD, &c);
        if (sscanf(text, "{\"off\":%u", &next) != 1 || next <= off)
            break;
        off = next;
    }
    return text;
}

const char *smprig_upload(struct smprig *s, const uint8_t *image, uint32_t len, uint32_t n)
{
    return smprig_send(s, image, len, 0, len, n);
}
