#include "core/smp/framing/console.h"

#include <string.h>

#include "core/base/crc.h"

/*
 * Where a receiver is in the stream. None of the marker bytes is a base64 character, so a marker is
 * recognized wherever it comes, also in the middle of a line that lost its end.
 */
enum {
    OUTSIDE, /* looking for 06 or 04 */
    SAW_06,
    SAW_04,
    IN_LINE,
};

enum {
    MARK_FIRST_0 = 0x06,
    MARK_FIRST_1 = 0x09,
    MARK_MORE_0 = 0x04,
    MARK_MORE_1 = 0x14,
    MARK_LEN = 2,
    LINE_TEXT_MAX = CONSOLE_LINE_MAX - MARK_LEN - 1,
    LINE_RAW = LINE_TEXT_MAX / 4 * 3, /* bytes that a line carries */
    LEN_LEN = 2,
    CRC_LEN = 2,
};
_Static_assert(LINE_RAW % 3 == 0, "no padding before the last line");

void console_rx_init(struct console_rx *rx)
{
    memset(rx, 0, sizeof *rx);
}

/* -1: not a base64 character. */
static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to one to three bytes; how many, or 0 if they are not base64. */
static unsigned base64_group(const uint8_t in[4], uint8_t out[3])
{
    unsigned pad = in[3] != '=' ? 0 : in[2] != '=' ? 1 : 2;
    uint32_t v = 0;

    for (unsigned i = 0; i < 4; i++) {
        int digit = i + pad >= 4 ? 0 : base64_value(in[i]);
        if (digit < 0)
            return 0;
        v = v << 6 | (uint32_t)digit;
    }
    out[0] = (uint8_t)(v >> 16);
    out[1] = (uint8_t)(v >> 8);
    out[2] = (uint8_t)v;
    return 3 - pad;
}

static void drop_packet(struct console_rx *rx, uint32_t *counter)
{
    rx->in_packet = false;
    (*counter)++;
}

/* Appends the line's bytes; false if the packet had to be dropped. */
static bool append_line(struct console_rx *rx)
{
    if (rx->line_len % 4 != 0) {
        drop_packet(rx, &rx->count.bad_line);
        return false;
    }
    for (unsigned i = 0; i < rx->line_len; i += 4) {
        uint8_t raw[3];
        unsigned n = base64_group(rx->line + i, raw);
        if (n == 0) {
            drop_packet(rx, &rx->count.bad_line);
            return false;
        }
        if (n > (unsigned)(CONSOLE_PACKET_MAX - rx->have)) {
            drop_packet(rx, &rx->count.bad_length);
            return false;
        }
        memcpy(rx->packet + rx->have, raw, n);
        rx->have = (uint16_t)(rx->have + n);
    }
    return true;
}

/* A line is complete: true, and *msg, if the packet is as well. */
static bool end_line(struct console_rx *rx, struct span *msg)
{
    if (!rx->in_packet || !append_line(rx) || rx->have < LEN_LEN)
        return false;
    uint32_t total = ld_be16(rx->packet);
    if (total < CONSOLE_TOTAL_MIN || total > CONSOLE_PACKET_MAX - LEN_LEN
        || rx->have > total + LEN_LEN) {
        drop_packet(rx, &rx->count.bad_length);
        return false;
    }
    if (rx->have < total + LEN_LEN)
        return false;
    /* Over message and CRC the CRC is 0. */
    if (crc16_xmodem(0, rx->packet + LEN_LEN, total) != 0) {
        drop_packet(rx, &rx->count.bad_crc);
        return false;
    }
    rx->in_packet = false;
    rx->count.packets++;
    *msg = span_of(rx->packet + LEN_LEN, total - CRC_LEN);
    return true;
}

static void begin_line(struct console_rx *rx, bool first)
{
    rx->state = IN_LINE;
    rx->line_len = 0;
    if (first) {
        if (rx->in_packet)
            rx->count.cut_off++;
        rx->in_packet = true;
        rx->have = 0;
    } else if (!rx->in_packet) {
        rx->count.no_start++;
        rx->state = OUTSIDE;
    }
}

static bool take_byte(struct console_rx *rx, uint8_t c, struct span *msg)
{
    if (rx->state == SAW_06 && c == MARK_FIRST_1) {
        begin_line(rx, true);
    } else if (rx->state == SAW_04 && c == MARK_MORE_1) {
        begin_line(rx, false);
    } else if (c == MARK_FIRST_0) {
        rx->state = SAW_06;
    } else if (c == MARK_MORE_0) {
        rx->state = SAW_04;
    } else if (rx->state == IN_LINE && c == '\n') {
        rx->state = OUTSIDE;
        return end_line(rx, msg);
    } else if (rx->state != IN_LINE) {
        rx->state = OUTSIDE;
    } else if (rx->line_len == LINE_TEXT_MAX && c != '\r') {
        rx->state = OUTSIDE;
        drop_packet(rx, &rx->count.bad_line);
    } else if (c != '\r') {
        rx->line[rx->line_len++] = c;
    }
    return false;
}

size_t console_rx_feed(struct console_rx *rx, const uint8_t *data, size_t len, struct span *msg)
{
    *msg = span_of(NULL, 0);
    for (size_t i = 0; i < len; i++) {
        if (take_byte(rx, data[i], msg))
            return i + 1;
    }
    return len;
}

static char base64_char(uint32_t v)
{
    v &= 63;
    if (v < 26)
        return (char)('A' + v);
    if (v < 52)
        return (char)('a' + v - 26);
    if (v < 62)
        return (char)('0' + v - 52);
    return v == 62 ? '+' : '/';
}

void console_tx_begin(struct console_tx *tx, const uint8_t *msg, uint32_t len)
{
    *tx = (struct console_tx) { .msg = msg, .len = len, .crc = crc16_xmodem(0, msg, len) };
}

/* Byte `at` of the packet. */
static uint8_t packet_byte(const struct console_tx *tx, uint32_t at)
{
    uint8_t two[2];

    if (at >= LEN_LEN && at < LEN_LEN + tx->len)
        return tx->msg[at - LEN_LEN];
    st_be16(two, at < LEN_LEN ? (uint16_t)(tx->len + CRC_LEN) : tx->crc);
    return two[at < LEN_LEN ? at : at - LEN_LEN - tx->len];
}

uint32_t console_tx_line(struct console_tx *tx, uint8_t out[CONSOLE_LINE_MAX])
{
    uint32_t packet_len = LEN_LEN + tx->len + CRC_LEN;
    uint32_t end = packet_len - tx->at < LINE_RAW ? packet_len : tx->at + LINE_RAW;
    uint32_t n = MARK_LEN;

    if (tx->at == packet_len)
        return 0;
    out[0] = tx->at == 0 ? MARK_FIRST_0 : MARK_MORE_0;
    out[1] = tx->at == 0 ? MARK_FIRST_1 : MARK_MORE_1;
    while (tx->at < end) {
        uint32_t left = end - tx->at;
        uint32_t v = (uint32_t)packet_byte(tx, tx->at) << 16;
        v |= left > 1 ? (uint32_t)packet_byte(tx, tx->at + 1) << 8 : 0;
        v |= left > 2 ? packet_byte(tx, tx->at + 2) : 0;
        out[n++] = (uint8_t)base64_char(v >> 18);
        out[n++] = (uint8_t)base64_char(v >> 12);
        out[n++] = left > 1 ? (uint8_t)base64_char(v >> 6) : '=';
        out[n++] = left > 2 ? (uint8_t)base64_char(v) : '=';
        tx->at += left > 2 ? 3 : left;
    }
    out[n++] = '\n'; /* alone: two clients take a carriage return for data */
    return n;
}
