/* A board for the fuzz targets: small parts, put back to its start by a snapshot for each input. */
#ifndef TESTS_FUZZ_BOARD_GUEST_H
#define TESTS_FUZZ_BOARD_GUEST_H

#include <stdlib.h>
#include <string.h>

#include "board/board.h"

/* The board, on, with `code` at 0x400 behind vectors that all lead there. */
static inline struct board *board_guest(const uint8_t *code, size_t len)
{
    static struct board *b;
    static void *start;
    if (!b) {
        static const uint8_t id[3] = { 0xEF, 0x40, 0x16 };
        struct board_config config = { .qspi = nor_part_generic(id, 65536, NULL, 0, 5),
            .spi = nor_part_generic(id, 65536, NULL, 0, 5), .spi_bus = 2, .spi_cs_pin = 17, .seed = 1, .usb_host = true };
        b = board_new(&config);
        start = b ? malloc(board_snapshot_size(b)) : NULL;
        if (!start)
            abort();
        for (unsigned i = 0; i < 64; i++) {
            uint32_t v = i ? 0x401 : 0x20010000;
            memcpy(board_flash(b) + 4 * i, &v, 4);
        }
        board_power_on(b);
        board_snapshot(b, start);
    }
    board_restore(b, start);
    memcpy(board_flash(b) + 0x400, code, len < 65536 ? len : 65536);
    board_contents_changed(b);
    return b;
}

#endif
