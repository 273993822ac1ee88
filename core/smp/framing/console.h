/*
 * SMP over a console (Zephyr's "SMP over console"): base64 in lines, between whatever else is printed.
 *
 *     06 09 base64 0A        first line of a packet        packet: u16 BE length of what follows it,
 *     04 14 base64 0A        further lines                         message, u16 BE CRC-16/XMODEM
 *
 * A line has at most 127 bytes, markers and line feed included. Two ways of encoding are in use, the
 * packet as one base64 text cut into lines, and each line for itself; both are read by decoding line
 * by line, group by group. Anything outside of lines is skipped; a new first line begins anew. What is
 * wrong is dropped and counted: the protocol has no way to say so.
 */
#ifndef CORE_SMP_FRAMING_CONSOLE_H
#define CORE_SMP_FRAMING_CONSOLE_H

#include "core/base/bytes.h"
#include "core/smp/smp.h"

enum {
    CONSOLE_LINE_MAX = 127,
    CONSOLE_PACKET_MAX = SMP_BUF_SIZE + 4,
    CONSOLE_TOTAL_MIN = SMP_HEADER_LEN + 2, /* a total below this is no message */
};

struct console_counters {
    uint32_t packets;
    uint32_t bad_line; /* not base64, or too long */
    uint32_t no_start; /* a further line without a first one */
    uint32_t bad_length; /* total too small, too large, or more bytes than said */
    uint32_t bad_crc;
    uint32_t cut_off; /* a first line before the packet was complete */
};

struct console_rx {
    uint8_t state; /* of console.c */
    bool in_packet;
    uint8_t line_len;
    uint16_t have; /* bytes of the packet so far */
    struct console_counters count;
    uint8_t line[CONSOLE_LINE_MAX];
    uint8_t packet[CONSOLE_PACKET_MAX];
};

void console_rx_init(struct console_rx *rx);
/*
 * Takes bytes until a packet is complete: returns how many it took, and *msg is the message (valid
 * until the next call), or empty if there is none yet.
 */
size_t console_rx_feed(struct console_rx *rx, const uint8_t *data, size_t len, struct span *msg);

/* Lines of a message, one at a time, so that a UART needs room for one line only. */
struct console_tx {
    const uint8_t *msg; /* stays in place */
    uint32_t len;
    uint32_t at; /* of the next byte of the packet */
    uint16_t crc;
};
void console_tx_begin(struct console_tx *tx, const uint8_t *msg, uint32_t len);
/* The next line with its line feed; its length, 0 when there is no more. */
uint32_t console_tx_line(struct console_tx *tx, uint8_t out[CONSOLE_LINE_MAX]);

#endif
