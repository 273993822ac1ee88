/* Checking and sending an image file: what `upload` and `update` share. */
#ifndef HOST_CLI_TRANSFER_H
#define HOST_CLI_TRANSFER_H

#include "host/cli/device.h"

struct transfer {
    const char *path;
    struct smpc_file file;
    unsigned image;
    bool restart; /* forget what the device holds of an earlier upload */
    bool force; /* send it although the checks here fail: the device decides */
    int slot; /* after it: where the image lies, -1 if the device does not say */
};

/*
 * Reads the file and judges it by itself: an image, whole, with a hash that fits and a signature.
 * 0, or 3 or 4 after the message; then nothing is to be freed.
 */
int transfer_read(const struct cli *cli, struct transfer *t);
void transfer_free(struct transfer *t);

/*
 * Judges it for this device: layout hash, size against slot and room to swap, and whether bootloader and
 * application agree. 0, or 3 or 7 after the message. A device without group 64 is asked for its slots.
 */
int transfer_check(struct device *d, const struct transfer *t);

/* Sends it, with progress, and looks whether it arrived. 0, or the exit code after the message. */
int transfer_send(struct device *d, struct transfer *t);

#endif
