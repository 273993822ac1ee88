#include <string.h>

#include <zcbor_encode.h>

#include "host/lib/smp/answer.h"
#include "host/lib/smp/upload.h"

enum {
    IMG_UPLOAD = 1,
    HEADER_MIN = 32, /* chunk 0 must hold an image header */
    CHUNK_MIN = 4, /* data is cut to multiples of a flash word */
    RESTARTS_MAX = 3,
    REWINDS_MAX = 20, /* answers that ask for what was sent already, without progress between */
    STALL_MS = 20000, /* without progress */
    FIRST_MS = 40000, /* for chunk 0: some devices erase the whole slot first */
    WAIT_MS = 1000, /* for an answer before the chunks are sent again, at least; doubled each time */
    WAIT_MAX_MS = 8000,
    CALM = 32, /* answers in order after which one more chunk is let under way */
    SMALL_MESSAGE = 128, /* the smallest that is tried when large ones are never answered */
};

/* A chunk under way: its request's sequence number and where it ends. */
struct flight {
    uint8_t seq;
    size_t end;
    int64_t sent_ms;
};

struct pipe {
    struct smpc *c;
    struct smpc_upload *u;
    size_t next; /* first byte not sent since the last going back */
    size_t sent_max; /* furthest byte ever sent or acknowledged */
    struct flight flight[SMPC_WINDOW_MAX];
    unsigned in_flight;
    unsigned wait_ms;
    unsigned slowest_ms; /* answer so far */
    unsigned window_max;
    unsigned calm; /* answers since the last silence */
    unsigned rewinds; /* since the last progress */
    size_t message; /* bytes of a full request */
    int64_t progress_ms; /* when the last progress was */
    bool begun; /* chunk 0 was answered */
    uint8_t body[SMPC_MESSAGE_MAX];
};

static bool put_int(zcbor_state_t *z, const char *key, size_t v)
{
    return zcbor_tstr_encode_ptr(z, key, strlen(key)) && zcbor_uint32_put(z, (uint32_t)v);
}

/* The CBOR map of a chunk; `data` is last so that everything else is known when it comes. */
static bool encode(struct pipe *p, size_t off, size_t n, bool with_sha, struct span *body)
{
    const struct smpc_upload *u = p->u;
    ZCBOR_STATE_E(z, 1, p->body, sizeof p->body, 0);

    bool ok = zcbor_map_start_encode(z, 6);
    if (off == 0 && u->image)
        ok = ok && put_int(z, "image", u->image);
    ok = ok && put_int(z, "off", off);
    if (off == 0)
        ok = ok && put_int(z, "len", u->file.len);
    if (off == 0 && with_sha)
        ok = ok && zcbor_tstr_put_lit(z, "sha") && zcbor_bstr_encode_ptr(z, (const char *)u->sha, 32);
    ok = ok && zcbor_tstr_put_lit(z, "data") && zcbor_bstr_encode_ptr(z, (const char *)u->file.p + off, n)
        && zcbor_map_end_encode(z, 6);
    *body = span_of(p->body, (size_t)(z->payload - p->body));
    return ok;
}

/*
 * Fits as much data into a request as p->message allows. False if not even the least does: a header
 * in chunk 0 (then without the sha), a word in others.
 */
static bool build(struct pipe *p, size_t off, size_t *n, struct span *body)
{
    size_t left = p->u->file.len - off, least = off == 0 ? HEADER_MIN : CHUNK_MIN;

    for (int with_sha = off == 0; with_sha >= 0; with_sha--) {
        if (!encode(p, off, 0, with_sha, body))
            return false;
        size_t overhead = SMPC_HEADER_LEN + body->len + 2; /* a length of 16 bits instead of 5 */
        if (overhead + least > p->message)
            continue;
        *n = (p->message - overhead) / CHUNK_MIN * CHUNK_MIN;
        if (*n >= left)
            *n = left;
        return encode(p, off, *n, with_sha, body);
    }
    return false;
}

static struct smpc_request request_of(struct span body)
{
    return (struct smpc_request) { .op = SMPC_WRITE, .group = SMPC_IMG, .id = IMG_UPLOAD, .body = body };
}

static int send_chunk(struct pipe *p)
{
    struct span body;
    size_t n = 0;

    if (!build(p, p->next, &n, &body)) {
        snprintf(p->c->problem, sizeof p->c->problem,
            "the device takes messages of %zu bytes only: too few for a chunk", p->message);
        return ERR_FORMAT;
    }
    struct smpc_request req = request_of(body);
    struct flight *f = &p->flight[p->in_flight];
    int rc = smpc_send(p->c, &req, &f->seq);
    if (rc != OK)
        return rc;
    f->end = p->next + n;
    f->sent_ms = smpc_now(p->c);
    p->in_flight++;
    if (f->end <= p->sent_max && p->begun)
        p->u->repeated++;
    p->next = f->end;
    if (p->next > p->sent_max)
        p->sent_max = p->next;
    if (n > p->u->chunk)
        p->u->chunk = (unsigned)n;
    return OK;
}

/* Forgets what is under way and goes on from `off`. */
static void go_back(struct pipe *p, size_t off)
{
    p->in_flight = 0;
    p->next = off;
}

static void shrink_window(struct pipe *p)
{
    p->calm = 0;
    if (p->u->window > 1)
        p->u->window /= 2;
}

static int bad_offset(struct pipe *p, json_int_t off)
{
    snprintf(p->c->problem, sizeof p->c->problem,
        "the device asks for offset %lld of a file of %zu bytes, of which %zu were sent", (long long)off,
        p->u->file.len, p->sent_max);
    return ERR_FORMAT;
}

/* The device lost the upload (it was reset, or somebody else began one): from the start. */
static int start_over(struct pipe *p)
{
    if (++p->u->restarts > RESTARTS_MAX) {
        snprintf(p->c->problem, sizeof p->c->problem,
            "the device began anew at offset 0 %u times; is another client uploading?", RESTARTS_MAX);
        return ERR_FORMAT;
    }
    p->u->off = 0;
    p->u->resumed_at = 0;
    p->sent_max = 0;
    p->begun = false;
    go_back(p, 0);
    return OK;
}

static void note_progress(struct pipe *p, size_t off)
{
    p->u->off = off;
    p->progress_ms = smpc_now(p->c);
    p->rewinds = 0;
    p->wait_ms = 3 * p->slowest_ms > WAIT_MS ? 3 * p->slowest_ms : WAIT_MS;
    if (++p->calm % CALM == 0 && p->u->window < p->window_max)
        p->u->window++;
    if (p->u->progress)
        p->u->progress(p->u->arg, off);
}

/* What the device wants next is `off`; the chunk it answers ended at `end`. */
static int advance(struct pipe *p, size_t off, size_t end)
{
    if (!p->begun) { /* the answer to chunk 0 says where an earlier upload stopped */
        p->begun = true;
        if (off > end) {
            p->u->resumed_at = off;
            p->u->alone_before = off == p->u->file.len;
            p->sent_max = off;
        }
    } else if (off > p->sent_max) {
        return bad_offset(p, (json_int_t)off);
    } else if (off == 0) {
        return start_over(p);
    }
    if (off > p->u->off)
        note_progress(p, off);
    if (off == end)
        return OK;
    if (off < end && ++p->rewinds > REWINDS_MAX)
        return ERR_TIMEOUT; /* it answers, but does not move */
    if (p->rewinds > 1)
        shrink_window(p); /* it keeps losing one of so many */
    go_back(p, off);
    return OK;
}

/* Takes an answer out of the list of chunks under way; those before it are covered by it. */
static bool find_flight(struct pipe *p, uint8_t seq, size_t *end)
{
    for (unsigned i = 0; i < p->in_flight; i++) {
        if (p->flight[i].seq != seq)
            continue;
        unsigned took = (unsigned)(smpc_now(p->c) - p->flight[i].sent_ms);
        p->slowest_ms = took > p->slowest_ms ? took : p->slowest_ms;
        *end = p->flight[i].end;
        p->in_flight -= i + 1;
        memmove(p->flight, p->flight + i + 1, p->in_flight * sizeof *p->flight);
        return true;
    }
    return false;
}

static int take_answer(struct pipe *p, const json_t *answer, size_t end)
{
    json_int_t off = answer_int(answer, "off", 0);

    if (off < 0 || (size_t)off > p->u->file.len)
        return bad_offset(p, off);
    if (json_is_false(json_object_get(answer, "match")))
        p->u->mismatch = true;
    int rc = advance(p, (size_t)off, end);
    p->u->whole = p->u->off == p->u->file.len;
    return rc;
}

/* Nothing came in time: everything again from where the device was, fewer at once. */
static int handle_silence(struct pipe *p)
{
    if (smpc_now(p->c) - p->progress_ms >= STALL_MS || smpc_time_left(p->c, 1) == 0)
        return ERR_TIMEOUT;
    go_back(p, p->u->off);
    shrink_window(p);
    p->wait_ms = 2 * p->wait_ms < WAIT_MAX_MS ? 2 * p->wait_ms : WAIT_MAX_MS;
    return OK;
}

/* Chunk 0 keeps its sequence number, so that a late answer to the first sending serves. */
static int send_first(struct pipe *p)
{
    struct span body;
    size_t n = 0;
    json_t *answer;

    int64_t until = smpc_now(p->c) + FIRST_MS;
    for (int rc = ERR_TIMEOUT;;) {
        int64_t left = until - smpc_now(p->c);
        bool probe = p->message > SMALL_MESSAGE; /* is a smaller one answered? */
        if (left <= 0 || !build(p, 0, &n, &body))
            return rc;
        struct smpc_request req = request_of(body);
        req.patience = (struct smpc_patience) { .first_ms = 1500,
            .total_ms = probe && left > 12000 ? 12000 : (unsigned)left };
        rc = smpc_request(p->c, &req, &answer);
        if (rc == ERR_TIMEOUT && probe && smpc_time_left(p->c, 1)) {
            p->message = p->message / 4 > SMALL_MESSAGE ? p->message / 4 : SMALL_MESSAGE;
            continue;
        }
        if (rc != OK)
            return rc;
        p->u->chunk = n > p->u->chunk ? (unsigned)n : p->u->chunk;
        p->next = p->sent_max = n;
        rc = take_answer(p, answer, n);
        json_decref(answer);
        p->progress_ms = smpc_now(p->c);
        return rc;
    }
}

static int pump(struct pipe *p)
{
    struct smpc_request req = request_of(span_of(NULL, 0));
    json_t *answer;
    uint8_t seq;
    size_t end;
    int rc = OK;

    while (rc == OK && p->in_flight < p->u->window && p->next < p->u->file.len)
        rc = send_chunk(p);
    if (rc != OK)
        return rc;
    rc = smpc_receive(p->c, &req, p->wait_ms, &seq, &answer);
    if (rc == ERR_TIMEOUT)
        return handle_silence(p);
    if (rc != OK && rc != SMPC_REFUSED && rc != ERR_FORMAT)
        return rc;
    if (!find_flight(p, seq, &end)) {
        p->c->dropped++; /* answers a request that was given up */
        rc = OK;
    } else if (rc == OK) {
        rc = take_answer(p, answer, end);
    }
    json_decref(answer);
    return rc;
}

static unsigned window_for(const struct smpc *c)
{
    unsigned n = c->buf_count > 1 ? c->buf_count - 1 : 1; /* one buffer is for the answer */
    return n > SMPC_WINDOW_MAX ? SMPC_WINDOW_MAX : n;
}

int smpc_upload(struct smpc *c, struct smpc_upload *u)
{
    struct pipe p = { .c = c, .u = u, .wait_ms = WAIT_MS, .message = c->message_max };
    int rc = OK;

    u->off = u->resumed_at = 0;
    u->whole = u->mismatch = u->alone_before = false;
    u->repeated = u->restarts = u->chunk = 0;
    p.progress_ms = smpc_now(c);
    u->window = p.window_max = window_for(c);
    while (rc == OK && !u->whole) {
        rc = p.begun ? pump(&p) : send_first(&p);
    }
    return rc;
}
