/* What `slipway demo` runs: the commands of this same program, and a board in the background. */
#ifndef HOST_CLI_DEMO_RUN_H
#define HOST_CLI_DEMO_RUN_H

#include <sys/types.h>

#include "host/cli/cli.h"

enum { DEMO_ARGS = 24 };

struct demo_run {
    const struct cli *cli;
    const char *self; /* path of this program */
    const char *dir; /* where everything runs */
    char device[4300]; /* SLIPWAY_DEVICE of the commands; "": none yet */
    pid_t board; /* 0: none runs */
    int board_out; /* its stdout */
    char line[256]; /* of it, as read last */
    char pending[1024]; /* read, not yet a line */
    size_t pending_len;
};

/*
 * Shows a command as a person would type it and runs it to its end. `words` ends with NULL and does
 * not contain "slipway". Its exit status, or -1 if it could not be run.
 */
int demo_command(const struct demo_run *r, const char *const *words);

/* The same in the background; returns when the board is ready. False: it ended or said nothing. */
bool demo_board_start(struct demo_run *r, const char *const *words);
/* Prints what the board says until it is ready again. False as above. */
bool demo_board_ready(struct demo_run *r);
void demo_board_stop(struct demo_run *r);

/*
 * The same for `slipway board run` with its UART on a pty at `link` in r->dir: ready is when the firmware
 * on it answers an echo.
 */
bool demo_uart_start(struct demo_run *r, const char *const *words, const char *link);
/* After a reset: until it answers again. */
bool demo_uart_ready(struct demo_run *r);

/* Where the firmware of a board is, and a key that its bootloader knows; paths. */
struct demo_firmware {
    char boot[4200]; /* slipway-boot.hex */
    char app[4200]; /* slipway-app.bin */
    char key[4200];
};
/*
 * Looks for firmware/BOARD beside the executable `self` and in its parent folders. False: there is none,
 * or no private key that goes with it.
 */
bool demo_firmware_find(struct demo_firmware *f, const char *self, const char *board);

#endif
