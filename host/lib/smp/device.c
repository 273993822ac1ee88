#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/smp/device.h"
#include "host/lib/smp/serial.h"
#include "host/lib/smp/udp.h"

enum { BAUD_DEFAULT = 115200, BAUD_MAX = 4000000 };

static int set_serial(struct smpc_device *d, const char *path)
{
    d->udp = false;
    if ((size_t)snprintf(d->path, sizeof d->path, "%s", path) >= sizeof d->path)
        return ERR_ARG;
    memcpy(d->name, d->path, sizeof d->name < sizeof d->path ? sizeof d->name : sizeof d->path);
    d->name[sizeof d->name - 1] = '\0';
    return OK;
}

/* HOST, HOST:PORT, [IPv6], [IPv6]:PORT, or a bare IPv6 address. */
static int set_udp(struct smpc_device *d, const char *where, char *why, size_t cap)
{
    const char *colon = strrchr(where, ':'), *end = strchr(where, ']');
    size_t host_len = strlen(where);

    snprintf(d->port, sizeof d->port, "%s", SMPC_UDP_PORT);
    if (where[0] == '[' && end) {
        where++;
        host_len = (size_t)(end - where);
        colon = end[1] == ':' ? end + 1 : NULL;
    } else if (colon && strchr(where, ':') != colon) {
        colon = NULL;
    } else if (colon) {
        host_len = (size_t)(colon - where);
    }
    if (colon) {
        char *rest;
        long port = strtol(colon + 1, &rest, 10);
        if (port < 1 || port > 65535 || *rest != '\0') {
            snprintf(why, cap, "%s is not a UDP port", colon + 1);
            return ERR_ARG;
        }
        snprintf(d->port, sizeof d->port, "%ld", port);
    }
    if (host_len == 0 || host_len >= sizeof d->path) {
        snprintf(why, cap, "--udp wants HOST or HOST:PORT");
        return ERR_ARG;
    }
    d->udp = true;
    snprintf(d->path, sizeof d->path, "%.*s", (int)host_len, where);
    snprintf(d->name, sizeof d->name, "udp:%s:%s", d->path, d->port);
    return OK;
}

static int set_only_port(struct smpc_device *d, char *why, size_t cap)
{
    char names[512];
    unsigned n = smpc_serial_list(names, sizeof names);

    if (n == 1)
        return set_serial(d, names);
    if (n == 0)
        snprintf(why, cap, "no device was named and this machine has no USB serial port");
    else
        snprintf(why, cap, "no device was named and there are %u USB serial ports: %s", n, names);
    return ERR_NODEV;
}

static int set_baud(struct smpc_device *d, const char *text, char *why, size_t cap)
{
    char *rest;
    long baud = text ? strtol(text, &rest, 10) : BAUD_DEFAULT;

    if (text && (*text == '\0' || *rest != '\0' || baud < 300 || baud > BAUD_MAX)) {
        snprintf(why, cap, "%s is not a baud rate", text);
        return ERR_ARG;
    }
    d->baud = (unsigned)baud;
    return OK;
}

int smpc_device_choose(struct smpc_device *d, const struct smpc_choice *choice, char *why, size_t cap)
{
    const char *env = choice->env && *choice->env ? choice->env : NULL;

    memset(d, 0, sizeof *d);
    d->raw = choice->raw;
    why[0] = '\0';
    if (choice->port && choice->udp) {
        snprintf(why, cap, "--port and --udp name two devices");
        return ERR_ARG;
    }
    if (choice->udp && (choice->baud || choice->raw)) {
        snprintf(why, cap, "--baud and --raw belong to --port, not to --udp");
        return ERR_ARG;
    }
    int rc = set_baud(d, choice->baud, why, cap);
    if (rc != OK)
        return rc;
    if (choice->udp)
        return set_udp(d, choice->udp, why, cap);
    if (choice->port)
        return set_serial(d, choice->port);
    if (env && strncmp(env, "udp:", 4) == 0)
        return set_udp(d, env + 4, why, cap);
    if (env && env[0] == '/')
        return set_serial(d, env);
    if (env) {
        snprintf(why, cap, "SLIPWAY_DEVICE is /dev/... or udp:HOST:PORT, not %s", env);
        return ERR_ARG;
    }
    return set_only_port(d, why, cap);
}

int smpc_device_open(const struct smpc_device *d, struct smpc_link *link, char *why, size_t cap)
{
    why[0] = '\0';
    if (d->udp)
        return smpc_udp_open(link, d->path, d->port, why, cap);
    return smpc_serial_open(link, d->path, d->baud, d->raw, why, cap);
}
