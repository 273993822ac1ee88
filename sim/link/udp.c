#include "sim/link/udp.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int bind_first(const struct addrinfo *list)
{
    int error = 0;

    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
        if (fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0)
            return fd;
        error = errno;
        if (fd >= 0)
            close(fd);
    }
    errno = error;
    return -1;
}

static void name_address(struct link_udp *udp)
{
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    char host[64] = "?", port[8] = "?";

    if (getsockname(udp->fd, (struct sockaddr *)&own, &len) == 0)
        getnameinfo((struct sockaddr *)&own, len, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(udp->address, sizeof udp->address, own.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
        host, port);
}

int link_udp_open(struct link_udp *udp, const char *host, const char *port)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE };
    struct addrinfo *list;

    *udp = (struct link_udp) { .fd = -1 };
    if (getaddrinfo(host, port, &hints, &list) != 0) {
        errno = 0;
        return ERR_NODEV;
    }
    udp->fd = bind_first(list);
    freeaddrinfo(list);
    if (udp->fd < 0)
        return ERR_NODEV;
    name_address(udp);
    return OK;
}

void link_udp_close(struct link_udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    udp->fd = -1;
}

static unsigned peer_number(struct link_udp *udp, const struct link_udp_peer *who)
{
    for (unsigned i = 0; i < LINK_UDP_PEERS; i++) {
        const struct link_udp_peer *p = &udp->peer[i];
        if (p->len == who->len && memcmp(&p->address, &who->address, who->len) == 0)
            return i;
    }
    unsigned i = udp->next;
    udp->next = (udp->next + 1) % LINK_UDP_PEERS;
    udp->peer[i] = *who;
    return i;
}

size_t link_udp_receive(struct link_udp *udp, void *buf, size_t cap, unsigned *peer)
{
    struct link_udp_peer who = { .len = sizeof who.address };
    ssize_t n = recvfrom(udp->fd, buf, cap, 0, (struct sockaddr *)&who.address, &who.len);

    if (n <= 0)
        return 0;
    *peer = peer_number(udp, &who);
    return (size_t)n;
}

void link_udp_send(const struct link_udp *udp, unsigned peer, const void *data, size_t len)
{
    const struct link_udp_peer *to = &udp->peer[peer % LINK_UDP_PEERS];

    if (to->len && sendto(udp->fd, data, len, 0, (const struct sockaddr *)&to->address, to->len) < 0)
        return;
}
