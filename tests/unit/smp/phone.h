/*
 * nRF Connect Device Manager as a client: what it sends, in which order, and after what time it gives
 * up, written from a description of its behaviour. Shared by the tests of its upgrade and of the
 * points that a server has to keep for it.
 */
#ifndef TESTS_UNIT_SMP_PHONE_H
#define TESTS_UNIT_SMP_PHONE_H

#include "core/smp/groups/img.h"
#include "tests/support/smprig.h"

enum { PHONE_A_LEN = 30000, PHONE_B_LEN = 60001, PHONE_TAIL = 4 + 36 + 36 + 76, PHONE_WINDOW = 3 };

struct phone {
    struct smprig s;
    uint8_t *a, *b;      /* the image that runs, version 1, and the file, version 2 */
    uint8_t sha[32];     /* of the file */
    unsigned buf_size;   /* as the board says */
    unsigned window;     /* chunks under way, the first one apart */
    unsigned lose_every; /* n-th answers of an upload get lost; 0: none */
    unsigned count, lost;
};

/* What the phone reads of an entry of the list. */
struct phone_entry {
    bool listed, pending, permanent, confirmed, active;
};

/* A board that runs A; a phone that is not connected. */
void phone_open(struct phone *p);
void phone_close(struct phone *p);
/* A request whose answer must come in time, whole, with its sequence number, and nothing behind it. */
const char *phone_ask(
    struct phone *p, unsigned op, unsigned group, unsigned id, const struct cborkit *c, uint32_t limit_ms);
/* Bootloader info with a query. */
const char *phone_query(struct phone *p, const char *what);
/* The first request of a connection: v1, sequence 255. */
void phone_connect(struct phone *p);
const char *phone_list(struct phone *p);
struct phone_entry phone_entry(const char *list, unsigned slot);
/* Slot in which the file's hash is listed; 2: none. */
unsigned phone_where_is_b(const struct phone *p, const char *list);
/* Test or confirm of the file's hash; the list that answers it. */
const char *phone_set_state(struct phone *p, bool confirm);
/* Reset, answered with success, and the link goes soon; then a new connection. */
void phone_reset(struct phone *p);
/* Bytes of the file in a chunk of the largest packet, header included. */
uint32_t phone_chunk_room(const struct phone *p, uint32_t off);
/* Sends a chunk without waiting; the offset behind it. */
uint32_t phone_submit_chunk(struct phone *p, uint32_t off);
/* Chunk 0 alone, then a window of them; what the server wants goes before anything else. The offset reached. */
uint32_t phone_upload(struct phone *p, uint32_t off, uint32_t stop);
/* The offset that an answer of this round has; anything else fails. */
uint32_t phone_answered_off(struct phone *p, unsigned i);

#endif
