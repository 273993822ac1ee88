/*
 * SMP over a serial port or a pseudo terminal, console framing or raw.
 *
 * libserialport sets up real ports and lists them; it refuses pseudo terminals, which get the same
 * settings by termios. The port is locked (flock), so that two programs do not steal each other's
 * bytes; what was received before opening is thrown away.
 */
#ifndef HOST_LIB_SMP_SERIAL_H
#define HOST_LIB_SMP_SERIAL_H

#include <stdbool.h>

#include "host/lib/smp/link.h"

/*
 * OK; ERR_NODEV: there is no such port, or it cannot be set up; ERR_BUSY: another program holds it.
 * A clause in `why`.
 */
int smpc_serial_open(struct smpc_link *link, const char *path, unsigned baud, bool raw, char *why,
    size_t why_cap) MUST_CHECK;

/*
 * The USB serial ports of this machine, names separated by a space into `names`. Returns how many.
 * Others are not counted: a board is never behind the ttyS0 that a PC has anyway without being named.
 */
unsigned smpc_serial_list(char *names, size_t cap);

#endif
