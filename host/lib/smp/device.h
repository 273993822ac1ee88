/* Which device a command talks to: from options, or SLIPWAY_DEVICE, or the only one there is. */
#ifndef HOST_LIB_SMP_DEVICE_H
#define HOST_LIB_SMP_DEVICE_H

#include <stdbool.h>

#include "host/lib/smp/link.h"

struct smpc_device {
    bool udp;
    char path[256]; /* serial port, or host */
    char port[16]; /* UDP */
    unsigned baud;
    bool raw;
    char name[300]; /* for messages: "/dev/ttyACM0", "udp:127.0.0.1:1337" */
};

/* What the command line said; NULL where it said nothing. `env` is the value of SLIPWAY_DEVICE. */
struct smpc_choice {
    const char *port;
    const char *baud;
    const char *udp;
    const char *env;
    bool raw;
};

/*
 * OK; ERR_ARG: contradictory or malformed; ERR_NODEV: nothing said and not exactly one USB serial port
 * there. `why` gets a sentence.
 */
int smpc_device_choose(struct smpc_device *d, const struct smpc_choice *choice, char *why, size_t cap)
    MUST_CHECK;

/* ERR_NODEV or ERR_BUSY with a clause in `why`. */
int smpc_device_open(const struct smpc_device *d, struct smpc_link *link, char *why, size_t cap) MUST_CHECK;

#endif
