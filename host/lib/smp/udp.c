#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/lib/smp/udp.h"

struct udp {
    int fd;
};

/* A connected socket learns from ICMP that nobody listens. */
static int error_of(int e)
{
    return e == ECONNREFUSED || e == EHOSTUNREACH || e == ENETUNREACH ? ERR_NODEV : ERR_IO;
}

static int udp_send(void *ctx, const uint8_t *msg, size_t len)
{
    const struct udp *u = ctx;

    for (int tries = 0; tries < 3; tries++) {
        if (send(u->fd, msg, len, 0) == (ssize_t)len)
            return OK;
        if (errno != EINTR && errno != ECONNREFUSED)
            break;
        /* ECONNREFUSED here belongs to the message before: this one was not sent. */
    }
    return error_of(errno);
}

static int udp_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms)
{
    const struct udp *u = ctx;
    struct pollfd p = { .fd = u->fd, .events = POLLIN };

    int n = poll(&p, 1, (int)wait_ms);
    if (n == 0 || (n < 0 && errno == EINTR))
        return ERR_TIMEOUT;
    if (n < 0)
        return ERR_IO;
    ssize_t got = recv(u->fd, buf, cap, 0);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN ? ERR_TIMEOUT : error_of(errno);
    *len = (size_t)got;
    return OK;
}

static void udp_close(void *ctx)
{
    struct udp *u = ctx;

    close(u->fd);
    free(u);
}

static const struct smpc_link_ops udp_ops = {
    .send = udp_send,
    .recv = udp_recv,
    .now_ms = smpc_clock_ms,
    .close = udp_close,
};

static int open_socket(const char *host, const char *port, char *why, size_t why_cap)
{
    struct addrinfo want = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *list;
    int fd = -1;

    int rc = getaddrinfo(host, port, &want, &list);
    if (rc != 0) {
        snprintf(why, why_cap, "%s", gai_strerror(rc));
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            snprintf(why, why_cap, "%s", strerror(errno));
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

int smpc_udp_open(struct smpc_link *link, const char *host, const char *port, char *why, size_t why_cap)
{
    struct udp *u = calloc(1, sizeof *u);

    if (!u)
        return ERR_NODEV;
    u->fd = open_socket(host, port, why, why_cap);
    if (u->fd < 0) {
        free(u);
        return ERR_NODEV;
    }
    *link = (struct smpc_link) { .ops = &udp_ops, .ctx = u, .message_max = SMPC_UDP_MESSAGE_MAX };
    return OK;
}
