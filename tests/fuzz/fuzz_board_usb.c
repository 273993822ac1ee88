/*
 * A USB device that is out to break the board's host: what it puts into its endpoint buffers, stalls and leaves
 * unanswered is the input, three bytes and data a step. Enumeration must come to an end of some kind.
 */
#include "tests/fuzz/board_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { U = 0x40027000, BUFFER = 0x20000000 };

static void put(struct board *b, uint32_t addr, uint32_t v)
{
    uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
    (void)board_poke(b, addr, bytes, 4);
}

static void run(struct board *b, uint32_t us)
{
    (void)board_run(b, board_now(b) + (uint64_t)us * (BOARD_CYCLES_PER_S / 1000000));
}

/* `n` bytes for the host from IN endpoint `ep`. */
static void send(struct board *b, unsigned ep, const uint8_t *p, uint32_t n)
{
    (void)board_poke(b, BUFFER, p, n);
    put(b, U + 0x600 + 20 * ep, BUFFER);
    put(b, U + 0x604 + 20 * ep, n);
    put(b, U + 0x004 + 4 * ep, 1);
}

static void step(struct board *b, const uint8_t *p, uint32_t n)
{
    static const uint16_t task[4] = { 0x4C, 0x50, 0x50, 0x54 };
    unsigned ep = p[1] & 7u;
    if (p[0] & 0x80u)
        send(b, p[0] & 0x40u ? ep : 0, p + 3, n);
    else if (p[0] & 0x40u)
        put(b, U + 4 * (p[1] | (p[0] & 1u) << 8), p[2] | (uint32_t)p[2] << 8);
    if (p[0] & 0x20u)
        put(b, U + task[p[0] & 3u], 1);
    if (p[0] & 0x10u)
        put(b, U + 0x28 + 4 * ep, 1);
    run(b, p[0] & 0x08u ? 30000 : 300);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t spin[2] = { 0xFE, 0xE7 };
    struct board *b = board_guest(spin, sizeof spin);
    put(b, U + 0x500, 1);
    run(b, 200);
    put(b, U + 0x504, 1);
    put(b, U + 0x510, 0x1FF);
    put(b, U + 0x514, 0x1FF);
    run(b, 125000);
    (void)board_usb_input(b, data, size);
    for (size_t at = 0; at + 3 <= size;) {
        size_t n = data[at + 2] & 0x7Fu, left = size - at - 3;
        n = data[at] & 0x80u ? n < left ? n : left : 0;
        n = n < 64 ? n : 64;
        step(b, data + at, (uint32_t)n);
        at += 3 + n;
    }
    run(b, 20000);
    if (board_usb_pending(b) > size)
        abort();
    return 0;
}
