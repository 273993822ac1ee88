/* The command line of `slipway board run`, read and checked. For cmd_board.c and its files only. */
#ifndef HOST_CLI_BOARD_OPTIONS_H
#define HOST_CLI_BOARD_OPTIONS_H

#include "board/board.h"
#include "host/cli/cli.h"

enum { BOARD_FILES_MAX = 16, BOARD_UNTIL_MAX = 512 };

struct board_file {
    const char *arg; /* of --hex: a path; of --bin: path@address */
    bool hex;
};

struct board_options {
    struct board_file file[BOARD_FILES_MAX];
    unsigned files;
    const char *board, *uart0, *usb0, *vbus, *internal, *external, *until, *input, *trace;
    const char *for_text, *pace, *cut, *gdb, *fault_text; /* as given; what they mean is below */
    double seconds; /* of --for, < 0: no limit */
    uint64_t cut_at;
    enum board_tear tear;
    unsigned gdb_port;
    enum board_chip_fault fault; /* of the external chip, with its operation fault_at */
    uint64_t fault_at;
    bool stats;
};

/* EXIT_DONE, or EXIT_USAGE with the message printed. argv[0] is the command's name. */
int board_options_read(struct board_options *o, const struct cli *cli, int argc, char **argv);

#endif
