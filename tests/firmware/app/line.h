/*
 * The shipped hex files on the virtual board, and an SMP client on its UART that knows to the cycle when
 * the last byte of a request went in and the first one of its answer came out.
 */
#ifndef TESTS_FIRMWARE_APP_LINE_H
#define TESTS_FIRMWARE_APP_LINE_H

#include "board/board.h"
#include "core/smp/framing/console.h"
#include "tests/support/cborkit.h"

struct line {
    struct board *b;
    char said[16384]; /* the last of what came on the UART, as text */
    size_t said_len;
    struct console_rx rx;
    bool waiting; /* for the first byte of an answer */
    uint64_t sent_at; /* cycles: the last byte of the request was received */
    uint64_t begun_at; /* the first byte of the answer was sent */
    uint8_t answer[SMP_BUF_SIZE];
    uint32_t answer_len;
    uint8_t seq;
};

/* Erased chips with bootloader and application; `part` is the external chip. Off. */
void line_open(struct line *l, const char *board, const char *part);
void line_close(struct line *l);
/* Power on, and on until the application says who it is. */
void line_start(struct line *l);
void line_run_ms(struct line *l, uint32_t ms);
/* Text typed; not waited for. */
void line_type(struct line *l, const char *text);
/* A request, to its answer: the answer as text; fails the test after 10 s of the board's time. */
const char *line_ask(struct line *l, unsigned op, unsigned group, unsigned id, const struct cborkit *payload);
/* Milliseconds from the last byte of the last request to the first of its answer. */
double line_latency_ms(const struct line *l);
/* The signed application of that board; the caller frees it. */
uint8_t *line_app(const char *board, uint32_t *len);

#endif
