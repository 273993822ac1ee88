/*
 * Requests and answers of SMP, client side: sequence numbers, timeouts, repetition, version fallback.
 *
 * A request is repeated with the same bytes and the same sequence number until an answer with its
 * sequence number, group and command comes or its time is up; every other message is dropped. So a
 * late answer to the first sending serves, and a stale one of an earlier request never does.
 *
 * Answers are CBOR maps; they are given as JSON objects (jansson), byte strings as lower-case hex,
 * control characters in texts as '?'. Functions return OK or a negative number of core/base/err.h:
 *
 *     ERR_TIMEOUT  no answer in time        ERR_NODEV, ERR_IO  the link is gone
 *     ERR_FORMAT   an answer that is not understood (client->problem says what)
 *     SMPC_REFUSED  by the device: client->refusal
 *     SMPC_INTERRUPTED  the flag given by the caller was set
 */
#ifndef HOST_LIB_SMP_CLIENT_H
#define HOST_LIB_SMP_CLIENT_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/base/bytes.h"
#include "host/lib/smp/link.h"

enum { SMPC_INTERRUPTED = -100, SMPC_REFUSED = -101 };
enum smpc_op { SMPC_READ = 0, SMPC_WRITE = 2 };
enum smpc_group { SMPC_OS = 0, SMPC_IMG = 1 };

/* Why the device refused: an error of a group ({"err":{"group","rc"}}), or of SMP itself ({"rc"}). */
struct smpc_refusal {
    bool of_group;
    unsigned group;
    unsigned rc;
    char reason[128]; /* the device's own words ("rsn"), or "" */
};

struct smpc {
    struct smpc_link link;
    volatile sig_atomic_t *interrupted; /* NULL, or set from a signal handler */
    FILE *log; /* NULL, or every message in hex with time */
    int64_t deadline_ms; /* by link's clock: no request waits beyond it; 0: none */
    uint8_t version; /* of the header: 1 is "v2", 0 "v1" */
    uint8_t seq;
    bool connected;
    bool has_params;
    uint32_t buf_size; /* as the device says, or a guess if it does not */
    uint32_t buf_count;
    size_t message_max; /* of a request, header included */
    unsigned resent; /* requests repeated so far, for narration */
    unsigned dropped; /* messages that answered nothing asked */
    struct smpc_refusal refusal; /* after SMPC_REFUSED */
    char problem[160]; /* after ERR_FORMAT */
    uint8_t tx[SMPC_MESSAGE_MAX];
    uint8_t rx[SMPC_MESSAGE_MAX];
};

/* How long a request may take. Repeated after first_ms, then after twice as long, and so on. */
struct smpc_patience {
    unsigned first_ms;
    unsigned total_ms;
    bool once; /* not repeated: it is not idempotent */
};

extern const struct smpc_patience smpc_patience_short; /* reads and small writes */
extern const struct smpc_patience smpc_patience_erase; /* answers after a whole slot was erased */
extern const struct smpc_patience smpc_patience_once;

struct smpc_request {
    enum smpc_op op;
    uint16_t group;
    uint8_t id;
    struct span body; /* a CBOR map; empty: an empty map is sent */
    struct smpc_patience patience;
};

/* Takes over `link`. `first_seq`: any number, best another one each time (stale answers). */
void smpc_init(struct smpc *c, const struct smpc_link *link, uint8_t first_seq);
void smpc_close(struct smpc *c);

/*
 * First contact: asks for the parameters, v2 first, then v1. OK also if the device does not know the
 * command (a guess is used then). ERR_TIMEOUT if nothing answers within some 6 s.
 */
int smpc_connect(struct smpc *c) MUST_CHECK;

/* *answer is the map, to be freed by json_decref(); NULL after an error. */
int smpc_request(struct smpc *c, const struct smpc_request *req, json_t **answer) MUST_CHECK;

/*
 * The halves of smpc_request(), for callers with several requests under way (upload.c). smpc_send()
 * gives the sequence number; smpc_receive() takes the next message of that group and command with
 * any sequence number, and gives that; OK, SMPC_REFUSED and ERR_FORMAT belong to it.
 */
int smpc_send(struct smpc *c, const struct smpc_request *req, uint8_t *seq) MUST_CHECK;
int smpc_receive(struct smpc *c, const struct smpc_request *req, unsigned wait_ms, uint8_t *seq,
    json_t **answer) MUST_CHECK;

int64_t smpc_now(const struct smpc *c);
/* Milliseconds until the client's deadline, at most `wanted`. */
unsigned smpc_time_left(const struct smpc *c, unsigned wanted);

#endif
