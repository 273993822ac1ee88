/*
 * A link carries whole SMP messages between the client and a device. One struct of functions per
 * transport (udp.c, serial.c, and the scripted ones of the tests); client.c is the only caller.
 */
#ifndef HOST_LIB_SMP_LINK_H
#define HOST_LIB_SMP_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/err.h"

enum {
    SMPC_HEADER_LEN = 8,
    SMPC_MESSAGE_MAX = 4096, /* longest message sent or taken, header included */
};

struct smpc_link_ops {
    /* Sends one message. OK; ERR_NODEV: nobody there (any more); ERR_IO; ERR_TIMEOUT: it takes nothing. */
    int (*send)(void *ctx, const uint8_t *msg, size_t len);
    /*
     * The next whole message, waited for at most wait_ms; what is no message is skipped. OK and *len;
     * ERR_TIMEOUT (early if a signal came); ERR_NODEV, ERR_IO.
     */
    int (*recv)(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms);
    /* Milliseconds, monotonic. */
    int64_t (*now_ms)(void *ctx);
    void (*close)(void *ctx);
};

struct smpc_link {
    const struct smpc_link_ops *ops;
    void *ctx;
    size_t message_max; /* longest message the transport carries */
    size_t overhead; /* bytes of the device's buffer that the framing takes (console: 4) */
};

/* A link to nobody: every send and recv is ERR_NODEV. */
struct smpc_link smpc_link_gone(void);

/* now_ms of the real transports. */
int64_t smpc_clock_ms(void *ctx);

#endif
