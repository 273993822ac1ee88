/* Any text as a hex file, any bytes at any address: loaded or refused in words, never half of it. */
#include <stdlib.h>
#include <string.h>

#include "board/board.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct board *b;
    static uint8_t before[BOARD_FLASH_SIZE];
    char err[64]; /* shorter than some of the sentences */
    if (!b) {
        const uint8_t id[3] = { 0xEF, 0x40, 0x16 };
        struct board_config config = { .qspi = nor_part_generic(id, 65536, NULL, 0, 5), .seed = 1 };
        b = board_new(&config);
    }
    if (!b)
        abort();
    memcpy(before, board_flash(b), sizeof before);
    memset(err, 0, sizeof err);
    if (board_load_hex(b, (const char *)data, size, err, sizeof err)
        && (!err[0] || memcmp(before, board_flash(b), sizeof before)))
        abort();
    uint32_t addr;
    if (size < sizeof addr)
        return 0;
    memcpy(&addr, data, sizeof addr);
    memset(err, 0, sizeof err);
    if (board_load_bin(b, addr, data + sizeof addr, size - sizeof addr, err, sizeof err) && !err[0])
        abort();
    return 0;
}
