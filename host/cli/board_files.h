/* What the virtual board is loaded from and leaves behind: firmware, the chips' files, its devicetree. */
#ifndef HOST_CLI_BOARD_FILES_H
#define HOST_CLI_BOARD_FILES_H

#include "host/cli/board_options.h"

/* The parts that a board's flash was made of, to be freed after the board. */
struct board_parts {
    struct nor_part *made[2];
};

/* Each returns EXIT_DONE, or has printed what is wrong and returns the exit code. */

/* The external flash that the board's devicetree has: behind QSPI, on an SPIM, or none. NULL: no devicetree. */
int board_parts_read(const struct cli *cli, const char *board, struct board_config *config, struct board_parts *parts);
void board_parts_free(struct board_parts *parts);

/* The file whole; NULL and errno if it cannot be read. The caller frees it. */
uint8_t *board_file_read(const char *path, size_t *len);
int board_file_unreadable(const struct cli *cli, const char *path);
/* The chips' files, where they exist, then firmware over them. */
int board_files_load(const struct cli *cli, const struct board_options *o, struct board *b);
/* The chips' files, as the run left the chips. */
int board_files_store(const struct cli *cli, const struct board_options *o, struct board *b);

#endif
