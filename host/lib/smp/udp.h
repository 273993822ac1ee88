/* SMP over UDP: one message a datagram, port 1337 unless said otherwise. */
#ifndef HOST_LIB_SMP_UDP_H
#define HOST_LIB_SMP_UDP_H

#include "host/lib/smp/link.h"

#define SMPC_UDP_PORT "1337"

/* What fits one Ethernet frame with IPv4 and UDP headers; larger ones would be sent in fragments. */
enum { SMPC_UDP_MESSAGE_MAX = 1472 };

/* `host` a name or an address, IPv4 or IPv6. OK, or ERR_NODEV with a clause in `why`. */
int smpc_udp_open(struct smpc_link *link, const char *host, const char *port, char *why, size_t why_cap)
    MUST_CHECK;

#endif
