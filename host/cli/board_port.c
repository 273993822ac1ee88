/* See board_port.h. */
#include "host/cli/board_port.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* What an earlier run left at a path, and nothing else that may be there. */
static void remove_old(const char *path, mode_t kind)
{
    struct stat st;
    if (lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind)
        unlink(path);
}

static int open_pty(struct board_port *p, char *err, size_t errlen)
{
    struct termios raw;
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || grantpt(fd) || unlockpt(fd) || ptsname_r(fd, p->shown, sizeof p->shown)) {
        snprintf(err, errlen, "cannot open a pty: %s", strerror(errno));
        return -1;
    }
    int peer = open(p->shown, O_RDWR | O_NOCTTY); /* kept open: without a client the pty must not hang up */
    if (peer >= 0 && tcgetattr(peer, &raw) == 0) {
        cfmakeraw(&raw);
        tcsetattr(peer, TCSANOW, &raw);
    }
    p->listener = peer;
    p->fd = fd;
    if (p->path) {
        remove_old(p->path, S_IFLNK);
        if (symlink(p->shown, p->path)) {
            snprintf(err, errlen, "cannot make the link %s: %s", p->path, strerror(errno));
            return -1;
        }
        p->made = true;
    }
    return 0;
}

static int open_unix(struct board_port *p, char *err, size_t errlen)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    if (strlen(p->path) >= sizeof a.sun_path) {
        snprintf(err, errlen, "the path of a Unix socket has at most %zu characters: %s", sizeof a.sun_path - 1, p->path);
        return -1;
    }
    strcpy(a.sun_path, p->path);
    remove_old(p->path, S_IFSOCK);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (p->listener < 0 || bind(p->listener, (struct sockaddr *)&a, sizeof a) || listen(p->listener, 1)) {
        snprintf(err, errlen, "cannot listen on %s: %s", p->path, strerror(errno));
        return -1;
    }
    p->made = true;
    snprintf(p->shown, sizeof p->shown, "%s", p->path);
    return 0;
}

static int open_file(struct board_port *p, char *err, size_t errlen)
{
    p->fd = open(p->path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (p->fd < 0)
        snprintf(err, errlen, "cannot write %s: %s", p->path, strerror(errno));
    return p->fd < 0 ? -1 : 0;
}

int board_port_open(struct board_port *p, const char *option, const char *spec, char *err, size_t errlen)
{
    *p = (struct board_port){ .fd = -1, .listener = -1 };
    const char *colon = strchr(spec, ':');
    size_t n = colon ? (size_t)(colon - spec) : strlen(spec);
    p->path = colon && colon[1] ? colon + 1 : NULL;
    if (n == 5 && strncmp(spec, "stdio", n) == 0 && !colon) {
        p->kind = PORT_STDIO;
        p->fd = STDOUT_FILENO;
        p->live = isatty(STDIN_FILENO);
        p->in_open = true;
        return 0;
    }
    if (n == 3 && strncmp(spec, "pty", n) == 0) {
        p->kind = PORT_PTY;
        p->live = p->in_open = true;
        return open_pty(p, err, errlen);
    }
    if (n == 4 && strncmp(spec, "unix", n) == 0 && p->path) {
        p->kind = PORT_UNIX;
        p->live = p->in_open = true;
        return open_unix(p, err, errlen);
    }
    if (n == 4 && strncmp(spec, "file", n) == 0 && p->path) {
        p->kind = PORT_FILE;
        return open_file(p, err, errlen);
    }
    snprintf(err, errlen, "%s is stdio, pty[:LINK], unix:PATH or file:PATH, not %s", option, spec);
    return -1;
}

static void accept_client(struct board_port *p)
{
    if (p->kind == PORT_UNIX && p->fd < 0)
        p->fd = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK);
}

static void drop_client(struct board_port *p)
{
    if (p->kind == PORT_UNIX && p->fd >= 0) {
        close(p->fd);
        p->fd = -1;
    }
}

void board_port_write(struct board_port *p, const void *data, size_t len)
{
    const uint8_t *d = data;
    accept_client(p);
    while (len && p->fd >= 0) {
        ssize_t n = write(p->fd, d, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN && p->kind != PORT_PTY) {
            struct pollfd f = { .fd = p->fd, .events = POLLOUT };
            poll(&f, 1, 1000);
            continue;
        }
        if (n < 0) { /* a pty that nobody reads is full: the bytes are lost, as on a line */
            if (errno != EAGAIN)
                drop_client(p);
            return;
        }
        d += n;
        len -= (size_t)n;
    }
}

size_t board_port_read(struct board_port *p, uint8_t *buf, size_t len)
{
    int fd = p->kind == PORT_STDIO ? STDIN_FILENO : p->fd;
    struct pollfd f = { .fd = fd, .events = POLLIN };
    accept_client(p);
    if (!p->in_open || p->kind == PORT_FILE || fd < 0 || poll(&f, 1, 0) <= 0)
        return 0;
    ssize_t n = read(fd, buf, len);
    if (n == 0) {
        drop_client(p);
        if (p->kind == PORT_STDIO)
            p->in_open = false;
    }
    return n > 0 ? (size_t)n : 0;
}

void board_port_wait(struct board_port *p, int ms)
{
    int fd = p->kind == PORT_STDIO ? STDIN_FILENO : p->fd >= 0 ? p->fd : p->listener;
    struct pollfd f = { .fd = fd, .events = POLLIN };
    bool watch = p->kind != PORT_FILE && p->in_open && fd >= 0;
    poll(&f, watch ? 1 : 0, ms);
}

void board_port_close(struct board_port *p)
{
    if (p->kind != PORT_STDIO && p->fd >= 0)
        close(p->fd);
    if (p->listener >= 0)
        close(p->listener);
    if (p->made)
        unlink(p->path);
}
