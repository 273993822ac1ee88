/*
 * Firmware that is out to break its board. The first byte says how many stores to peripherals, NVMC and
 * system registers come before the code (address and value, five bytes each); the rest is the code. Any
 * end is right, but the board has to come to one, and its report has to be a text.
 */
#include "tests/fuzz/board_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where registers are, of a number. */
static uint32_t place(unsigned n)
{
    static const uint16_t slot[] = { 0x00, 0x02, 0x03, 0x06, 0x08, 0x0B, 0x0C, 0x0D, 0x0E, 0x10, 0x11, 0x14, 0x1A, 0x1E, 0x1F,
        0x23, 0x28, 0x29, 0x2F, 0x27, 0x01 };
    unsigned s = n >> 10 & 31u, off = n << 2 & 0xFFCu;
    if (s < sizeof slot / sizeof slot[0])
        return 0x40000000u + ((uint32_t)slot[s] << 12) + off;
    return s < 24 ? 0x50000000u + off : s < 28 ? 0xE000E000u + off : 0x40000000u + (n & 0xFFFCu);
}

static void pokes(struct board *b, const uint8_t *p, unsigned count)
{
    for (unsigned i = 0; i < count; i++, p += 5) {
        uint32_t v = p[2] | (uint32_t)p[3] << 8 | (uint32_t)p[4] << ((p[4] & 3u) * 8);
        uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
        (void)board_poke(b, place(p[0] | (unsigned)p[1] << 8), bytes, 4);
        (void)board_peek(b, place(p[0] | (unsigned)p[1] << 8), bytes, 4);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = size ? data[0] & 63u : 0;
    if (size < 2 + 5u * count)
        return 0;
    struct board *b = board_guest(data + 1 + 5u * count, size - 1 - 5u * count);
    for (unsigned i = 0; i < 13; i++) /* something to store to */
        board_set_reg(b, i, i < 4 ? 0x20000000u + 4096u * i : place((unsigned)data[size - 1] * 97u + i * 1031u));
    pokes(b, data + 1, count);
    (void)board_uart_input(b, 0, data, size < 64 ? size : 64);
    for (unsigned i = 0; i < 8; i++) {
        if (board_run(b, board_now(b) + BOARD_CYCLES_PER_S / 5000) != BOARD_RUNS)
            break;
    }
    char text[2048];
    board_registers_text(b, text, sizeof text);
    if (strlen(text) < 100 || strlen(board_why(b)) > 2047)
        abort();
    return 0;
}
