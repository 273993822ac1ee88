#include "sim/link/pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int open_pair(struct link_pty *pty)
{
    struct termios t;

    pty->fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->fd < 0 || grantpt(pty->fd) != 0 || unlockpt(pty->fd) != 0
        || ptsname_r(pty->fd, pty->path, sizeof pty->path) != 0)
        return ERR_NODEV;
    pty->client_fd = open(pty->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (pty->client_fd < 0 || tcgetattr(pty->client_fd, &t) != 0)
        return ERR_NODEV;
    cfmakeraw(&t);
    if (tcsetattr(pty->client_fd, TCSANOW, &t) != 0
        || fcntl(pty->fd, F_SETFL, O_NONBLOCK) != 0)
        return ERR_NODEV;
    return OK;
}

static int make_link(const struct link_pty *pty, const char *link)
{
    char target[sizeof "/dev/pts/" - 1];

    if (readlink(link, target, sizeof target) == sizeof target
        && memcmp(target, "/dev/pts/", sizeof target) == 0)
        unlink(link);
    return symlink(pty->path, link) == 0 ? OK : ERR_NODEV;
}

int link_pty_open(struct link_pty *pty, const char *link)
{
    *pty = (struct link_pty) { .fd = -1, .client_fd = -1 };
    int rc = open_pair(pty);
    if (rc == OK && link) {
        rc = make_link(pty, link);
        pty->link = rc == OK ? link : NULL;
    }
    if (rc != OK) {
        int error = errno;
        link_pty_close(pty);
        errno = error;
    }
    return rc;
}

void link_pty_close(struct link_pty *pty)
{
    char target[sizeof pty->path];

    if (pty->link) {
        ssize_t n = readlink(pty->link, target, sizeof target - 1);
        if (n > 0 && (size_t)n == strlen(pty->path) && memcmp(target, pty->path, (size_t)n) == 0)
            unlink(pty->link);
    }
    if (pty->client_fd >= 0)
        close(pty->client_fd);
    if (pty->fd >= 0)
        close(pty->fd);
    *pty = (struct link_pty) { .fd = -1, .client_fd = -1 };
}

size_t link_pty_receive(struct link_pty *pty, void *buf, size_t cap)
{
    ssize_t n = read(pty->fd, buf, cap);
    return n > 0 ? (size_t)n : 0;
}

void link_pty_send(struct link_pty *pty, const void *data, size_t len)
{
    const char *p = (const char *)data;

    while (len > 0) {
        struct pollfd room = { .fd = pty->fd, .events = POLLOUT };
        ssize_t n = write(pty->fd, p, len);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            return;
        } else if (poll(&room, 1, 1000) == 0) {
            return;
        }
    }
}
