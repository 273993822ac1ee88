/*
 * SMP server: header, queue of requests, dispatch over const tables of groups.
 *
 *     0  3 bits 0, 2 bits version, 3 bits op     4  u16 group       every u16 big-endian
 *     1  flags 0                                 6  u8 sequence
 *     2  u16 payload bytes                       7  u8 command
 *
 * A transport (UART, UDP, BLE) takes bytes apart into whole messages and gives each to smp_submit(),
 * which copies it into a queue and returns. The loop of the image calls smp_poll(), which handles one
 * request at a time, in order; a handler that has to wait for flash or for a signature answers
 * SMP_BUSY and is called again at the next poll, while further requests queue. A request too many is
 * dropped without a word: clients repeat it, whereas "busy" would end an upload.
 *
 * Everything runs in the context of the loop; an interrupt only hands bytes to a transport. The
 * protocol is Zephyr's (doc/services/device_mgmt/smp_protocol); what is answered to what, in which
 * order, is in SPEC.md.
 */
#ifndef CORE_SMP_SMP_H
#define CORE_SMP_SMP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/smp/cbor.h"

enum {
    SMP_HEADER_LEN = 8,
    /*
     * Largest message, header included, in either direction: "buf_size" of the OS parameters. It is
     * the UDP datagram that fits an Ethernet frame: there are clients (smpclient) that send as much
     * over UDP whatever the parameters say. It holds the whole of group 64's report.
     */
    SMP_BUF_SIZE = 1472,
    /*
     * Requests that may be outstanding, the one in work included: "buf_count". Phones have three
     * chunks under way whatever is said here, and one other request beside them.
     */
    SMP_BUF_COUNT = 4,
};

enum smp_op {
    SMP_OP_READ = 0,
    SMP_OP_READ_RSP = 1,
    SMP_OP_WRITE = 2,
    SMP_OP_WRITE_RSP = 3,
};

enum smp_version {
    SMP_V1 = 0, /* errors are {"rc": n} */
    SMP_V2 = 1, /* errors of a group are {"err": {"group": g, "rc": n}} */
};

/* Codes of {"rc": n}, MGMT_ERR_* of MCUmgr. */
enum smp_rc {
    SMP_RC_OK = 0,
    SMP_RC_UNKNOWN = 1,
    SMP_RC_NO_MEMORY = 2,
    SMP_RC_INVALID = 3,
    SMP_RC_TIMEOUT = 4,
    SMP_RC_NO_ENTRY = 5,
    SMP_RC_BAD_STATE = 6,
    SMP_RC_TOO_LARGE = 7, /* the answer does not fit */
    SMP_RC_NOT_SUPPORTED = 8,
    SMP_RC_CORRUPT = 9,
    SMP_RC_BUSY = 10,
    SMP_RC_DENIED = 11,
    SMP_RC_TOO_OLD = 12,
    SMP_RC_TOO_NEW = 13,
};

struct smp_header {
    uint8_t op; /* 0..7 */
    uint8_t version; /* 0..3 */
    uint8_t flags;
    uint8_t seq;
    uint8_t id;
    uint16_t group;
    uint16_t len; /* of the payload */
};

/* False if there are fewer than SMP_HEADER_LEN bytes. Does not look at what follows the header. */
bool smp_header_read(struct span bytes, struct smp_header *h);
void smp_header_write(uint8_t out[SMP_HEADER_LEN], const struct smp_header *h);

/* A request in the hands of its handler. */
struct smp_call {
    struct smp_header hdr;
    struct span payload; /* stays in place until the request is answered */
    struct smp_out *out; /* the answer: a map that is already open; leave it open */
    bool again; /* the handler answered SMP_BUSY before */
    uint32_t now_ms;
};

/*
 * What a handler returns: SMP_DONE (the map holds the answer), SMP_BUSY (call again), smp_rc(n) or
 * smp_err(n) (a code of the handler's group; what was put into the map is dropped).
 */
enum {
    SMP_DONE = 0,
    SMP_BUSY = -1,
    SMP_ERR_BIT = 0x100,
};
static inline int smp_rc(enum smp_rc rc)
{
    return (int)rc;
}
static inline int smp_err(unsigned rc)
{
    return (int)(SMP_ERR_BIT | rc);
}

typedef int smp_handler(void *ctx, struct smp_call *call);

struct smp_cmd {
    uint8_t id;
    smp_handler *read; /* NULL: not supported */
    smp_handler *write;
};

struct smp_group {
    uint16_t id;
    const struct smp_cmd *cmds;
    unsigned count;
    /* A group's code as SMP v1 says it; NULL: SMP_RC_UNKNOWN for all. */
    enum smp_rc (*v1)(unsigned err);
};

/* A group and what its handlers work on; an image's main.c has an array of these. */
struct smp_binding {
    const struct smp_group *group;
    void *ctx;
};

/*
 * Sends one message of at most SMP_BUF_SIZE bytes to `peer`, which is what the transport gave to
 * smp_submit(). True: taken (sent, or copied). False: not now; it is offered again at the next poll.
 * A transport whose link is gone answers true.
 */
typedef bool smp_send(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len);

struct smp_transport {
    smp_send *send;
    void *ctx;
};

struct smp_config {
    const struct smp_binding *groups;
    unsigned count;
    uint32_t (*now_ms)(void *ctx); /* monotonic, wrapping */
    /*
     * Called by smp_poll() when no request is in work: one step of what may be done meanwhile, such
     * as erasing ahead of an upload. True: there is more. NULL: nothing.
     */
    bool (*idle)(void *ctx);
    void *ctx; /* of now_ms and idle */
};

/* Requests dropped, and why; for logs. */
struct smp_counters {
    uint32_t requests;
    uint32_t dropped_full;
    uint32_t dropped_short; /* fewer bytes than a header */
    uint32_t dropped_long; /* more than SMP_BUF_SIZE */
    uint32_t dropped_response; /* somebody's answer, not a request */
};

struct smp_request {
    const struct smp_transport *transport;
    uint64_t peer;
    uint16_t len;
    uint16_t at; /* of the request in work: a message may hold several, back to back */
    uint8_t bytes[SMP_BUF_SIZE];
};

enum smp_state {
    SMP_IDLE,
    SMP_WORKING, /* a handler answered SMP_BUSY */
    SMP_SENDING, /* the transport did not take the answer yet */
};

struct smp_server {
    struct smp_config cfg;
    struct smp_counters count;
    enum smp_state state;
    struct smp_call call;
    struct smp_out out;
    uint32_t rsp_len;
    unsigned first; /* of the queue */
    unsigned queued;
    uint8_t rsp[SMP_BUF_SIZE];
    struct smp_request queue[SMP_BUF_COUNT];
};

/* Groups, transports and what cfg points to must outlive the server. */
void smp_init(struct smp_server *s, const struct smp_config *cfg);

/* False: dropped and counted. Nothing needs to be done about it. */
bool smp_submit(struct smp_server *s, const struct smp_transport *t, uint64_t peer,
    const uint8_t *msg, uint32_t len);

/* One step. True: call again at once; false: nothing to do until something is submitted. */
bool smp_poll(struct smp_server *s);

/* Forgets queued requests and an answer not taken yet that belong to this transport and peer. */
void smp_forget(struct smp_server *s, const struct smp_transport *t, uint64_t peer);

#endif
