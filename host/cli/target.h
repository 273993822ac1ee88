/* The image that `test` and `confirm` are about. */
#ifndef HOST_CLI_TARGET_H
#define HOST_CLI_TARGET_H

#include "host/cli/device.h"

/*
 * A name for an image: the path of a file (its hash TLV counts), or the beginning of a hash, 6 digits
 * or more. 0 and hash in hex, or the exit code after the message.
 */
int target_read(const struct cli *cli, const char *arg, char hash[SMPC_HASH_TEXT_MAX]);

/*
 * The image of the list whose hash begins so. NULL with *rc set after the message: no slot holds it
 * (which holds what, and why a slot cannot be read), or several do.
 */
const struct smpc_image *target_find(struct device *d, const struct smpc_images *list, const char *hash,
    const char *what, int *rc);

/* `test` or `confirm`, [HASH|FILE]. Exit codes come after the message. */
struct target_verb {
    const struct cli_command *cmd;
    /* The image that is meant where none is named; NULL with *rc set. */
    const struct smpc_image *(*guess)(struct device *d, const struct smpc_images *list, int *rc);
    int (*request)(struct device *d, const struct smpc_image *im);
};
int target_run(struct cli *cli, const struct target_verb *verb, int argc, char **argv);

#endif
