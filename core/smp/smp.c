#include "core/smp/smp.h"

#include <string.h>

enum {
    OP_MASK = 7,
    VERSION_SHIFT = 3,
    VERSION_MASK = 3,
};

bool smp_header_read(struct span bytes, struct smp_header *h)
{
    struct rd r = rd_of(bytes);
    uint8_t first = rd_u8(&r);

    h->op = first & OP_MASK;
    h->version = first >> VERSION_SHIFT & VERSION_MASK;
    h->flags = rd_u8(&r);
    h->len = rd_be16(&r);
    h->group = rd_be16(&r);
    h->seq = rd_u8(&r);
    h->id = rd_u8(&r);
    return !r.bad;
}

void smp_header_write(uint8_t out[SMP_HEADER_LEN], const struct smp_header *h)
{
    out[0] = (uint8_t)((h->version & VERSION_MASK) << VERSION_SHIFT | (h->op & OP_MASK));
    out[1] = h->flags;
    st_be16(out + 2, h->len);
    st_be16(out + 4, h->group);
    out[6] = h->seq;
    out[7] = h->id;
}

void smp_init(struct smp_server *s, const struct smp_config *cfg)
{
    memset(s, 0, sizeof *s);
    s->cfg = *cfg;
}

bool smp_submit(struct smp_server *s, const struct smp_transport *t, uint64_t peer,
    const uint8_t *msg, uint32_t len)
{
    uint32_t *drop = len < SMP_HEADER_LEN ? &s->count.dropped_short
        : len > SMP_BUF_SIZE              ? &s->count.dropped_long
        : s->queued == SMP_BUF_COUNT      ? &s->count.dropped_full
                                          : NULL;
    if (drop != NULL) {
        (*drop)++;
        return false;
    }
    struct smp_request *q = &s->queue[(s->first + s->queued) % SMP_BUF_COUNT];
    q->transport = t;
    q->peer = peer;
    q->len = (uint16_t)len;
    q->at = 0;
    memcpy(q->bytes, msg, len);
    s->queued++;
    return true;
}

static const struct smp_binding *find_group(const struct smp_server *s, uint16_t id)
{
    for (unsigned i = 0; i < s->cfg.count; i++) {
        if (s->cfg.groups[i].group->id == id)
            return &s->cfg.groups[i];
    }
    return NULL;
}

static smp_handler *find_handler(const struct smp_group *g, const struct smp_header *h)
{
    for (unsigned i = 0; i < g->count; i++) {
        if (g->cmds[i].id == h->id)
            return h->op == SMP_OP_READ ? g->cmds[i].read : g->cmds[i].write;
    }
    return NULL;
}

static void out_begin(struct smp_server *s)
{
    cbor_out_begin(&s->out, s->rsp + SMP_HEADER_LEN, SMP_BUF_SIZE - SMP_HEADER_LEN);
}

static uint32_t out_end(struct smp_server *s)
{
    return cbor_out_end(&s->out, s->rsp + SMP_HEADER_LEN);
}

/* The payload that says what a handler returned; its length. Never empty, and errors always fit. */
static uint32_t put_result(struct smp_server *s, const struct smp_group *g, int result)
{
    uint32_t len = result == SMP_DONE ? out_end(s) : 0;

    if (len > 0)
        return len;
    if (result == SMP_DONE)
        result = smp_rc(SMP_RC_TOO_LARGE);
    out_begin(s);
    unsigned code = (unsigned)result & ~(unsigned)SMP_ERR_BIT;
    if ((result & SMP_ERR_BIT) == 0) {
        cbor_put_uint(&s->out, "rc", code);
    } else if (s->call.hdr.version == SMP_V1) {
        cbor_put_uint(&s->out, "rc", g->v1 != NULL ? g->v1(code) : SMP_RC_UNKNOWN);
    } else {
        cbor_map_begin(&s->out, "err");
        cbor_put_uint(&s->out, "group", g->id);
        cbor_put_uint(&s->out, "rc", code);
        cbor_map_end(&s->out);
    }
    return out_end(s);
}

/* Completes the answer in s->rsp. */
static void finish(struct smp_server *s, const struct smp_group *g, int result)
{
    uint32_t len = put_result(s, g, result);
    struct smp_header rsp = s->call.hdr;

    rsp.op = s->call.hdr.op == SMP_OP_READ ? SMP_OP_READ_RSP : SMP_OP_WRITE_RSP;
    rsp.version = s->call.hdr.version > SMP_V2 ? SMP_V2 : s->call.hdr.version;
    rsp.flags = 0;
    rsp.len = (uint16_t)len;
    smp_header_write(s->rsp, &rsp);
    s->rsp_len = SMP_HEADER_LEN + len;
    s->state = SMP_SENDING;
    /* Of several requests in a message, those behind one that was refused are not looked at. */
    if (result != SMP_DONE && (result & SMP_ERR_BIT) == 0)
        s->queue[s->first].at = s->queue[s->first].len;
}

static void drop_request(struct smp_server *s)
{
    s->first = (s->first + 1) % SMP_BUF_COUNT;
    s->queued--;
    s->state = SMP_IDLE;
}

static void call_handler(struct smp_server *s, const struct smp_binding *b)
{
    smp_handler *handler = find_handler(b->group, &s->call.hdr);

    if (handler == NULL) {
        finish(s, b->group, smp_rc(SMP_RC_NOT_SUPPORTED));
        return;
    }
    /* An answer that was begun before a wait is begun anew. */
    out_begin(s);
    s->call.now_ms = s->cfg.now_ms(s->cfg.ctx);
    int result = handler(b->ctx, &s->call);
    s->call.again = true;
    if (result == SMP_BUSY)
        s->state = SMP_WORKING;
    else
        finish(s, b->group, result);
}

/* The next request of the message at the head of the queue, in the order in which Zephyr looks. */
static void begin_request(struct smp_server *s)
{
    struct smp_request *q = &s->queue[s->first];
    struct span left = span_of(q->bytes + q->at, (size_t)(q->len - q->at));
    struct smp_header *h = &s->call.hdr;

    if (!smp_header_read(left, h)) {
        s->count.dropped_short++;
        drop_request(s);
        return;
    }
    s->count.requests++;
    s->call = (struct smp_call) { .hdr = *h, .out = &s->out };
    if (h->len > left.len - SMP_HEADER_LEN) {
        finish(s, NULL, smp_rc(SMP_RC_CORRUPT));
        return;
    }
    s->call.payload = span_of(left.p + SMP_HEADER_LEN, h->len);
    q->at = (uint16_t)(q->at + SMP_HEADER_LEN + h->len);
    if (h->op == SMP_OP_READ_RSP || h->op == SMP_OP_WRITE_RSP) {
        /* Answering an answer could go on for ever between two servers. */
        s->count.dropped_response++;
        drop_request(s);
        return;
    }
    const struct smp_binding *b = find_group(s, h->group);
    if (h->op > SMP_OP_WRITE)
        finish(s, NULL, smp_rc(SMP_RC_NOT_SUPPORTED));
    else if (h->version > SMP_V2)
        finish(s, NULL, smp_rc(SMP_RC_TOO_NEW));
    else if (b == NULL)
        finish(s, NULL, smp_rc(SMP_RC_NOT_SUPPORTED));
    else
        call_handler(s, b);
}

static void send_answer(struct smp_server *s)
{
    struct smp_request *q = &s->queue[s->first];

    if (!q->transport->send(q->transport->ctx, q->peer, s->rsp, s->rsp_len))
        return;
    s->state = SMP_IDLE;
    if (q->at == q->len)
        drop_request(s);
}

bool smp_poll(struct smp_server *s)
{
    switch (s->state) {
    case SMP_SENDING:
        send_answer(s);
        return s->state != SMP_IDLE || s->queued > 0;
    case SMP_WORKING:
        call_handler(s, find_group(s, s->call.hdr.group));
        return true;
    case SMP_IDLE:
        if (s->queued > 0) {
            begin_request(s);
            return true;
        }
    }
    return s->cfg.idle != NULL && s->cfg.idle(s->cfg.ctx);
}

/* A transport that takes everything and sends nothing. */
static bool send_nowhere(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    (void)ctx;
    (void)peer;
    (void)msg;
    (void)len;
    return true;
}

void smp_forget(struct smp_server *s, const struct smp_transport *t, uint64_t peer)
{
    static const struct smp_transport nowhere = { .send = send_nowhere };

    for (unsigned i = 0; i < s->queued; i++) {
        struct smp_request *q = &s->queue[(s->first + i) % SMP_BUF_COUNT];
        if (q->transport == t && q->peer == peer)
            q->transport = &nowhere;
    }
}
