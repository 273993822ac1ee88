/*
 * What the application says on its line: text for a person, line by line, and answers of the SMP server,
 * both into a queue that the line empties by itself (struct output_port). Nothing waits:
 *
 *   - an answer that does not fit is not taken; the server offers it again. None is lost or cut.
 *   - a line of text that does not fit is dropped and counted, and how many were is said as soon as that
 *     fits. Text leaves room for the longest answer: however much is logged, a client is answered.
 */
#ifndef FIRMWARE_APP_OUTPUT_H
#define FIRMWARE_APP_OUTPUT_H

#include "core/smp/framing/serial.h"

struct output_port {
    uint32_t (*room)(void *ctx); /* bytes that write() takes now */
    void (*write)(void *ctx, const uint8_t *data, uint32_t len);
    void *ctx;
};

enum {
    OUTPUT_LINE_MAX = 160,
    /* The longest answer in console lines: base64, and a marker and a line feed for each 93 bytes. */
    OUTPUT_ANSWER_MAX = (CONSOLE_PACKET_MAX + 2) / 3 * 4 + (CONSOLE_PACKET_MAX + 92) / 93 * 3,
};

struct output {
    const struct output_port *port;
    bool quiet; /* a client speaks raw SMP, which text would break: nothing is said, or counted */
    uint32_t dropped; /* lines since that was said */
    uint32_t dropped_ever;
    uint32_t len;
    uint8_t line[OUTPUT_LINE_MAX]; /* being put together */
};

/* The port outlives the output. */
void output_init(struct output *o, const struct output_port *port);
/* Part of a line; said when its line feed has come, or when it is as long as it may be. */
void output_text(struct output *o, const char *text, uint32_t len);
/* A message of the SMP server. False: no room now, nothing was said. */
bool output_answer(struct output *o, enum serial_framing framing, const uint8_t *msg, uint32_t len) MUST_CHECK;
/* From the loop: says what was dropped. */
void output_poll(struct output *o);
/* There is something to say that did not fit. */
bool output_waits(const struct output *o);

#endif
