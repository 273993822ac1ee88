/*
 * A link to a scripted device with a clock of its own: nothing sleeps. `answer` is the device; what it
 * gives is received in order, a wait with nothing to receive moves the clock.
 */
#ifndef TESTS_UNIT_SMP_CLIENT_FAKE_LINK_H
#define TESTS_UNIT_SMP_CLIENT_FAKE_LINK_H

#include "host/lib/smp/client.h"

enum { FAKE_QUEUE = 64, FAKE_LOG = 4096 };

struct fake;
typedef void fake_device(struct fake *f, const uint8_t *msg, size_t len);

struct fake {
    fake_device *answer;
    void *arg;
    int64_t now_ms;
    unsigned step_ms; /* the clock's step for each message received */
    int send_rc; /* what the next sends return */
    unsigned sent;
    int64_t sent_ms[FAKE_LOG]; /* when each message was sent */
    uint8_t sent_seq[FAKE_LOG];
    struct {
        uint8_t bytes[SMPC_MESSAGE_MAX];
        size_t len;
    } queue[FAKE_QUEUE];
    unsigned first, count;
    bool closed;
};

struct smpc_link fake_link(struct fake *f);
/* Queues a message as it is. */
void fake_push(struct fake *f, const void *msg, size_t len);
/* Queues an answer to the request `msg` with this CBOR map. */
void fake_reply(struct fake *f, const uint8_t *msg, const void *cbor, size_t len);

#endif
