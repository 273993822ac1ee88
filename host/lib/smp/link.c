#include <time.h>

#include "host/lib/smp/link.h"

int64_t smpc_clock_ms(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int gone_send(void *ctx, const uint8_t *msg, size_t len)
{
    (void)ctx, (void)msg, (void)len;
    return ERR_NODEV;
}

static int gone_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms)
{
    (void)ctx, (void)buf, (void)cap, (void)len, (void)wait_ms;
    return ERR_NODEV;
}

static void gone_close(void *ctx)
{
    (void)ctx;
}

struct smpc_link smpc_link_gone(void)
{
    static const struct smpc_link_ops ops = {
        .send = gone_send,
        .recv = gone_recv,
        .now_ms = smpc_clock_ms,
        .close = gone_close,
    };
    return (struct smpc_link) { .ops = &ops, .message_max = SMPC_MESSAGE_MAX };
}
