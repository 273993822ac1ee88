#include "tests/unit/smp_client/fake_link.h"

#include <string.h>

static int fake_send(void *ctx, const uint8_t *msg, size_t len)
{
    struct fake *f = ctx;

    if (f->sent < FAKE_LOG) {
        f->sent_ms[f->sent] = f->now_ms;
        f->sent_seq[f->sent] = msg[6];
    }
    f->sent++;
    if (f->send_rc == OK && f->answer)
        f->answer(f, msg, len);
    return f->send_rc;
}

static int fake_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms)
{
    struct fake *f = ctx;

    if (f->count == 0) {
        f->now_ms += wait_ms;
        return ERR_TIMEOUT;
    }
    f->now_ms += f->step_ms;
    size_t n = f->queue[f->first].len;
    *len = n < cap ? n : cap;
    memcpy(buf, f->queue[f->first].bytes, *len);
    f->first = (f->first + 1) % FAKE_QUEUE;
    f->count--;
    return OK;
}

static int64_t fake_now(void *ctx)
{
    return ((struct fake *)ctx)->now_ms;
}

static void fake_close(void *ctx)
{
    ((struct fake *)ctx)->closed = true;
}

static const struct smpc_link_ops fake_ops = {
    .send = fake_send,
    .recv = fake_recv,
    .now_ms = fake_now,
    .close = fake_close,
};

struct smpc_link fake_link(struct fake *f)
{
    return (struct smpc_link) { .ops = &fake_ops, .ctx = f, .message_max = SMPC_MESSAGE_MAX };
}

void fake_push(struct fake *f, const void *msg, size_t len)
{
    if (f->count == FAKE_QUEUE || len > SMPC_MESSAGE_MAX)
        return; /* as a device with full buffers: lost */
    unsigned at = (f->first + f->count++) % FAKE_QUEUE;
    memcpy(f->queue[at].bytes, msg, len);
    f->queue[at].len = len;
}

void fake_reply(struct fake *f, const uint8_t *msg, const void *cbor, size_t len)
{
    uint8_t out[SMPC_MESSAGE_MAX];

    memcpy(out, msg, SMPC_HEADER_LEN);
    out[0] = (uint8_t)(out[0] + 1);
    st_be16(out + 2, (uint16_t)len);
    memcpy(out + SMPC_HEADER_LEN, cbor, len);
    fake_push(f, out, SMPC_HEADER_LEN + len);
}
