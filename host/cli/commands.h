/* The commands, each in its own file; main.c lists them in the order of `slipway help`. */
#ifndef HOST_CLI_COMMANDS_H
#define HOST_CLI_COMMANDS_H

#include "host/cli/cli.h"

extern const struct cli_command cmd_keygen;
extern const struct cli_command cmd_pubkey;
extern const struct cli_command cmd_sign;
extern const struct cli_command cmd_verify;
extern const struct cli_command cmd_inspect;
extern const struct cli_command cmd_layout;
extern const struct cli_command cmd_board;
extern const struct cli_command cmd_info, cmd_report, cmd_list, cmd_upload, cmd_test, cmd_confirm,
    cmd_erase, cmd_reset, cmd_echo, cmd_update;
extern const struct cli_command cmd_sim;
extern const struct cli_command cmd_demo;
extern const struct cli_command cmd_doctor;
extern const struct cli_command cmd_explain;

#endif
