/*
 * A board's state on disk: internal.bin and external.bin, the raw contents of both chips, mapped into
 * memory so that what a chip would keep is kept however the process ends; and weak.txt, there only
 * while cells are weak:
 *
 *     weak internal|external OFFSET LENGTH READINGS      OFFSET in hex, the others decimal
 *     hex bytes of a reading                             READINGS lines
 *
 * One process at a time: the folder is locked while it is open.
 */
#ifndef SIM_BOARD_FILES_H
#define SIM_BOARD_FILES_H

#include "sim/flash/nor.h"

struct board_files {
    char dir[3072];
    int lock;
    uint8_t *mem[SIM_CHIPS]; /* internal, external */
    uint32_t size[SIM_CHIPS];
    struct nor *chip[SIM_CHIPS];
};

/*
 * Opens or makes the folder and its files; missing files are made erased. What went wrong is in text:
 * ERR_BUSY (another process has it), ERR_FORMAT (a file of another size), ERR_IO.
 */
int board_files_open(struct board_files *f, const char *dir, uint32_t internal_size,
    uint32_t external_size, char *text, size_t text_len) MUST_CHECK;
void board_files_close(struct board_files *f);

/* Reads weak.txt into the chips, and keeps it up to date from then on. ERR_FORMAT, ERR_IO with text. */
int board_files_attach(struct board_files *f, struct nor *internal, struct nor *external, char *text,
    size_t text_len) MUST_CHECK;

#endif
