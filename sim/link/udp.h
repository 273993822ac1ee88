/*
 * A UDP server socket, as the SMP transport over UDP has it: one datagram, one frame. Non-blocking;
 * `fd` is for poll(). A client is a number that stays the same as long as it is one of the last
 * LINK_UDP_PEERS to have sent something.
 */
#ifndef SIM_LINK_UDP_H
#define SIM_LINK_UDP_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "core/base/err.h"

enum { LINK_UDP_PEERS = 16 };

struct link_udp_peer {
    struct sockaddr_storage address;
    socklen_t len; /* 0: nobody */
};

struct link_udp {
    int fd;
    char address[96]; /* "127.0.0.1:1337", with the port that was got */
    struct link_udp_peer peer[LINK_UDP_PEERS];
    unsigned next; /* place for the next new one */
};

/* `port` "0": any free one. ERR_NODEV with errno or, for a name that is none, errno = 0. */
int link_udp_open(struct link_udp *udp, const char *host, const char *port) MUST_CHECK;
void link_udp_close(struct link_udp *udp);
/* Bytes of one datagram (a longer one is cut to cap) and who sent it; 0: none there. */
size_t link_udp_receive(struct link_udp *udp, void *buf, size_t cap, unsigned *peer);
/* Lost if it cannot be sent, as datagrams are. */
void link_udp_send(const struct link_udp *udp, unsigned peer, const void *data, size_t len);

#endif
