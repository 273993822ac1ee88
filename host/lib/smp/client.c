#include <stdarg.h>
#include <string.h>

#include "host/lib/smp/answer.h"
#include "host/lib/smp/client.h"

/*
 *     0      1      2..3    4..5   6    7        8..
 *     ver op flags  length  group  seq  command  CBOR map of `length` bytes
 * ver in bits 4-3, op in bits 2-0; big-endian.
 */
enum { AT_OP, AT_FLAGS, AT_LEN, AT_GROUP = 4, AT_SEQ = 6, AT_ID };

/* Guesses for a device that does not tell: what MCUboot's and Zephyr's defaults both take. */
enum { GUESS_BUF_SIZE = 384, GUESS_BUF_COUNT = 1, BUF_SIZE_MIN = 64 };

enum { RC_TOO_OLD = 12, RC_TOO_NEW = 13 };

const struct smpc_patience smpc_patience_short = { .first_ms = 1500, .total_ms = 12000 };
const struct smpc_patience smpc_patience_erase = { .first_ms = 5000, .total_ms = 40000 };
const struct smpc_patience smpc_patience_once = { .first_ms = 3000, .total_ms = 3000, .once = true };

static const uint8_t empty_map[] = { 0xA0 };

int64_t smpc_now(const struct smpc *c)
{
    return c->link.ops->now_ms(c->link.ctx);
}

unsigned smpc_time_left(const struct smpc *c, unsigned wanted)
{
    if (!c->deadline_ms)
        return wanted;
    int64_t left = c->deadline_ms - smpc_now(c);
    return left <= 0 ? 0 : left < wanted ? (unsigned)left : wanted;
}

void smpc_init(struct smpc *c, const struct smpc_link *link, uint8_t first_seq)
{
    memset(c, 0, sizeof *c);
    c->link = *link;
    c->version = 1;
    c->seq = first_seq;
    c->buf_size = GUESS_BUF_SIZE;
    c->buf_count = GUESS_BUF_COUNT;
    c->message_max = GUESS_BUF_SIZE - link->overhead;
}

void smpc_close(struct smpc *c)
{
    if (c->link.ops)
        c->link.ops->close(c->link.ctx);
    c->link.ops = NULL;
}

static void log_message(struct smpc *c, char direction, const uint8_t *msg, size_t len)
{
    if (!c->log)
        return;
    int64_t now = smpc_now(c);
    fprintf(c->log, "%lld.%03d %c ", (long long)(now / 1000), (int)(now % 1000), direction);
    for (size_t i = 0; i < len; i++)
        fprintf(c->log, "%02x", msg[i]);
    fputc('\n', c->log);
    fflush(c->log);
}

static int problem(struct smpc *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int problem(struct smpc *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(c->problem, sizeof c->problem, fmt, ap);
    va_end(ap);
    return ERR_FORMAT;
}

static int send_as(struct smpc *c, const struct smpc_request *req, uint8_t seq)
{
    struct span body = req->body.len ? req->body : span_of(empty_map, sizeof empty_map);

    if (SMPC_HEADER_LEN + body.len > sizeof c->tx)
        return ERR_ARG;
    c->tx[AT_OP] = (uint8_t)((unsigned)c->version << 3 | (unsigned)req->op);
    c->tx[AT_FLAGS] = 0;
    st_be16(c->tx + AT_LEN, (uint16_t)body.len);
    st_be16(c->tx + AT_GROUP, req->group);
    c->tx[AT_SEQ] = seq;
    c->tx[AT_ID] = req->id;
    memcpy(c->tx + SMPC_HEADER_LEN, body.p, body.len);
    log_message(c, '>', c->tx, SMPC_HEADER_LEN + body.len);
    return c->link.ops->send(c->link.ctx, c->tx, SMPC_HEADER_LEN + body.len);
}

int smpc_send(struct smpc *c, const struct smpc_request *req, uint8_t *seq)
{
    *seq = c->seq++;
    return send_as(c, req, *seq);
}

/* Is what lies in rx an answer to `req`, whatever its sequence number? */
static bool answers(const struct smpc *c, const struct smpc_request *req, size_t len)
{
    return len >= SMPC_HEADER_LEN && (c->rx[AT_OP] & 7u) == req->op + 1u
        && ld_be16(c->rx + AT_GROUP) == req->group && c->rx[AT_ID] == req->id
        && (size_t)ld_be16(c->rx + AT_LEN) + SMPC_HEADER_LEN <= len;
}

/* {"rc":n} of SMP itself (0 is success with older servers), {"err":{"group","rc"}} of a group. */
static int find_refusal(struct smpc *c, const json_t *map)
{
    const json_t *err = json_object_get(map, "err");
    bool of_group = json_is_object(err);
    json_int_t rc = answer_int(of_group ? err : map, "rc", 0);

    if (rc == 0)
        return OK;
    c->refusal = (struct smpc_refusal) { .of_group = of_group, .rc = (unsigned)rc,
        .group = (unsigned)answer_int(err, "group", 0) };
    snprintf(c->refusal.reason, sizeof c->refusal.reason, "%s", answer_text(map, "rsn", ""));
    return SMPC_REFUSED;
}

static int decode(struct smpc *c, const struct smpc_request *req, json_t **answer)
{
    size_t len = ld_be16(c->rx + AT_LEN);
    json_t *map = len ? smpc_answer_decode(span_of(c->rx + SMPC_HEADER_LEN, len)) : json_object();

    if (!map)
        return problem(c, "the answer to group %u command %u is not a CBOR map (%zu bytes)", req->group,
            req->id, len);
    int rc = find_refusal(c, map);
    if (rc == OK)
        *answer = map;
    else
        json_decref(map);
    return rc;
}

int smpc_receive(struct smpc *c, const struct smpc_request *req, unsigned wait_ms, uint8_t *seq,
    json_t **answer)
{
    int64_t until = smpc_now(c) + smpc_time_left(c, wait_ms);

    *answer = NULL;
    for (;;) {
        int64_t left = until - smpc_now(c);
        size_t len = 0;
        if (c->interrupted && *c->interrupted)
            return SMPC_INTERRUPTED;
        int rc = c->link.ops->recv(c->link.ctx, c->rx, sizeof c->rx, &len, left > 0 ? (unsigned)left : 0);
        if (rc == ERR_TIMEOUT && smpc_now(c) < until)
            continue; /* a signal */
        if (rc != OK)
            return rc;
        log_message(c, '<', c->rx, len);
        if (answers(c, req, len)) {
            *seq = c->rx[AT_SEQ];
            return decode(c, req, answer);
        }
        c->dropped++;
        if (left <= 0)
            return ERR_TIMEOUT; /* a device that never stops talking */
    }
}

/* One sending and the wait for its answer. */
static int try_once(struct smpc *c, const struct smpc_request *req, uint8_t seq, unsigned wait_ms,
    json_t **answer)
{
    int64_t until = smpc_now(c) + smpc_time_left(c, wait_ms);
    int rc = send_as(c, req, seq);

    while (rc == OK) {
        int64_t left = until - smpc_now(c);
        uint8_t got;
        if (left < 0)
            return ERR_TIMEOUT;
        rc = smpc_receive(c, req, (unsigned)left, &got, answer);
        if (rc != OK && rc != SMPC_REFUSED && rc != ERR_FORMAT)
            return rc;
        if (got == seq)
            return rc;
        json_decref(*answer); /* an answer to an earlier request */
        *answer = NULL;
        c->dropped++;
        rc = OK;
    }
    return rc;
}

int smpc_request(struct smpc *c, const struct smpc_request *req, json_t **answer)
{
    unsigned spent = 0, wait = req->patience.first_ms;
    uint8_t seq = c->seq++;
    int rc = ERR_TIMEOUT;

    *answer = NULL;
    while (spent < req->patience.total_ms) {
        if (wait > req->patience.total_ms - spent)
            wait = req->patience.total_ms - spent;
        if (smpc_time_left(c, wait) == 0)
            return ERR_TIMEOUT;
        c->resent += spent > 0;
        rc = try_once(c, req, seq, wait, answer);
        if (rc == SMPC_REFUSED && !c->refusal.of_group && c->refusal.rc == RC_TOO_NEW && c->version) {
            c->version = 0; /* the device speaks v1 only */
            continue;
        }
        if (rc != ERR_TIMEOUT || req->patience.once)
            return rc;
        spent += wait;
        wait *= 2;
    }
    return rc;
}

static void take_params(struct smpc *c, const json_t *params)
{
    json_int_t size = answer_int(params, "buf_size", 0), count = answer_int(params, "buf_count", 1);

    if (size > 0) {
        c->has_params = true;
        c->buf_size = size > UINT16_MAX ? UINT16_MAX : (uint32_t)size;
        c->buf_count = count < 1 ? 1 : count > 64 ? 64 : (uint32_t)count;
    }
    if (c->buf_size < BUF_SIZE_MIN)
        c->buf_size = BUF_SIZE_MIN;
    c->message_max = c->buf_size - c->link.overhead;
    if (c->message_max > c->link.message_max)
        c->message_max = c->link.message_max;
    if (c->message_max > sizeof c->tx)
        c->message_max = sizeof c->tx;
}

int smpc_connect(struct smpc *c)
{
    static const uint8_t version[] = { 1, 1, 0 };
    static const unsigned wait_ms[] = { 1000, 2000, 2000 };
    int rc = ERR_TIMEOUT;

    for (unsigned i = 0; i < 3 && rc == ERR_TIMEOUT; i++) {
        json_t *params;
        struct smpc_request req = { .op = SMPC_READ, .group = SMPC_OS, .id = 6,
            .patience = { .first_ms = wait_ms[i], .total_ms = wait_ms[i] } };
        c->version = version[i];
        rc = smpc_request(c, &req, &params);
        if (rc == OK || rc == SMPC_REFUSED || rc == ERR_FORMAT) {
            take_params(c, params);
            json_decref(params);
            c->connected = true;
            return OK;
        }
    }
    return rc;
}
