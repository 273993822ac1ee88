/*
 * A pseudo terminal in raw mode: the client opens `path` (or a symbolic link to it) as if it were a
 * serial port. Non-blocking; `fd` is for poll(). Clients may come and go.
 */
#ifndef SIM_LINK_PTY_H
#define SIM_LINK_PTY_H

#include <stddef.h>

#include "core/base/err.h"

struct link_pty {
    int fd;
    int client_fd; /* held, so that a client that leaves is no hang-up */
    char path[64]; /* "/dev/pts/3" */
    const char *link; /* the caller's, or NULL */
};

/*
 * `link`: where to put a symbolic link, or NULL; one to a pseudo terminal that is left over
 * there is replaced, anything else is not. It is removed by link_pty_close(). ERR_NODEV with errno.
 */
int link_pty_open(struct link_pty *pty, const char *link) MUST_CHECK;
void link_pty_close(struct link_pty *pty);
/* Bytes read; 0: none there. */
size_t link_pty_receive(struct link_pty *pty, void *buf, size_t cap);
/* Waits for room up to a second, then drops the rest: nobody listens. */
void link_pty_send(struct link_pty *pty, const void *data, size_t len);

#endif
