/*
 * CRC-32 for the harness: eight bytes at a time, where the shipped one goes by nibbles to save flash
 * on the device. crc_fast_check() compares the two, so that what is tested is what ships.
 */
#define crc32 shipped_crc32
#include "core/base/crc.c"
#undef crc32

#include <stdbool.h>
#include <string.h>

#include "tests/powerloss/bench.h"

enum { SLICES = 8 };
static uint32_t table[SLICES][256];

uint32_t crc32(uint32_t crc, const void *data, size_t len);

static void fill(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint8_t byte = (uint8_t)i;
        /* From a register of 0 a byte gives its entry: undo the inversions of the function. */
        table[0][i] = ~shipped_crc32(~0u, &byte, 1);
    }
    for (unsigned k = 1; k < SLICES; k++)
        for (unsigned i = 0; i < 256; i++)
            table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 0xFF];
}

uint32_t crc32(uint32_t crc, const void *data, size_t len)
{
    const uint8_t *p = data;

    if (!table[0][1])
        fill();
    crc = ~crc;
    for (; len >= SLICES; len -= SLICES, p += SLICES) {
        uint32_t lo, hi;
        memcpy(&lo, p, 4);
        memcpy(&hi, p + 4, 4);
        lo ^= crc;
        crc = table[7][lo & 0xFF] ^ table[6][lo >> 8 & 0xFF] ^ table[5][lo >> 16 & 0xFF] ^ table[4][lo >> 24]
            ^ table[3][hi & 0xFF] ^ table[2][hi >> 8 & 0xFF] ^ table[1][hi >> 16 & 0xFF] ^ table[0][hi >> 24];
    }
    for (; len > 0; len--)
        crc = crc >> 8 ^ table[0][(crc ^ *p++) & 0xFF];
    return ~crc;
}

bool crc_fast_check(void)
{
    uint8_t data[100];
    bool same = true;

    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (unsigned from = 0; from < 16; from++)
        for (unsigned len = 0; len <= sizeof data - from; len++)
            same = same && crc32(len, data + from, len) == shipped_crc32(len, data + from, len);
    return same;
}
