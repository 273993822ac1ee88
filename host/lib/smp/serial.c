#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "host/lib/smp/serial_priv.h"

enum { WRITE_MS = 5000 };

int serial_write(struct serial *s, const uint8_t *p, size_t len)
{
    int64_t until = smpc_clock_ms(NULL) + WRITE_MS;

    while (len > 0) {
        int64_t left = until - smpc_clock_ms(NULL);
        struct pollfd f = { .fd = s->fd, .events = POLLOUT };
        if (left <= 0)
            return ERR_TIMEOUT;
        int ready = poll(&f, 1, (int)left);
        if (ready < 0 && errno != EINTR)
            return ERR_IO;
        if (ready <= 0)
            continue;
        ssize_t n = write(s->fd, p, len);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return errno == EIO || errno == ENXIO || errno == ENODEV ? ERR_NODEV : ERR_IO;
        p += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    return OK;
}

int serial_fill(struct serial *s, unsigned wait_ms)
{
    struct pollfd f = { .fd = s->fd, .events = POLLIN };

    if (s->in_at > 0) {
        memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
        s->in_len -= s->in_at;
        s->in_at = 0;
    }
    if (s->in_len == sizeof s->in)
        s->in_len = 0; /* cannot happen: both framings take what is longer than a message */
    int ready = poll(&f, 1, (int)wait_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return ERR_TIMEOUT;
    ssize_t n = ready < 0 ? -1 : read(s->fd, s->in + s->in_len, sizeof s->in - s->in_len);
    if (n > 0) {
        s->in_len += (size_t)n;
        return OK;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return ERR_TIMEOUT;
    return ERR_NODEV; /* EIO: the other side of a pty, or the USB device, is gone */
}

static void serial_close(void *ctx)
{
    struct serial *s = ctx;

    flock(s->fd, LOCK_UN);
    if (s->port) {
        sp_close(s->port);
        sp_free_port(s->port);
    } else {
        close(s->fd);
    }
    free(s);
}

static const struct smpc_link_ops raw_ops = {
    .send = serial_raw_send,
    .recv = serial_raw_recv,
    .now_ms = smpc_clock_ms,
    .close = serial_close,
};

static const struct smpc_link_ops console_ops = {
    .send = serial_console_send,
    .recv = serial_console_recv,
    .now_ms = smpc_clock_ms,
    .close = serial_close,
};

/* A port of libserialport, open and set up; false with a clause in why. */
static bool open_port(struct serial *s, const char *path, unsigned baud, char *why, size_t cap)
{
    if (sp_get_port_by_name(path, &s->port) != SP_OK)
        return false;
    if (sp_open(s->port, SP_MODE_READ_WRITE) != SP_OK) {
        snprintf(why, cap, "%s", strerror(errno));
        sp_free_port(s->port);
        s->port = NULL;
        return false;
    }
    if (sp_set_baudrate(s->port, (int)baud) != SP_OK || sp_set_bits(s->port, 8) != SP_OK
        || sp_set_parity(s->port, SP_PARITY_NONE) != SP_OK || sp_set_stopbits(s->port, 1) != SP_OK
        || sp_set_flowcontrol(s->port, SP_FLOWCONTROL_NONE) != SP_OK
        || sp_get_port_handle(s->port, &s->fd) != SP_OK) {
        snprintf(why, cap, "it cannot be set to %u baud, 8N1", baud);
        sp_close(s->port);
        sp_free_port(s->port);
        s->port = NULL;
        return false;
    }
    return true;
}

/* A pseudo terminal: no baud rate, raw mode. */
static bool open_pty(struct serial *s, const char *path, char *why, size_t cap)
{
    struct termios t;

    s->fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (s->fd < 0) {
        snprintf(why, cap, "%s", strerror(errno));
        return false;
    }
    if (tcgetattr(s->fd, &t) != 0) {
        snprintf(why, cap, "it is not a serial port");
        close(s->fd);
        return false;
    }
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    tcsetattr(s->fd, TCSANOW, &t);
    return true;
}

static bool open_any(struct serial *s, const char *path, unsigned baud, char *why, size_t cap)
{
    char real[PATH_MAX];

    if (!realpath(path, real)) {
        snprintf(why, cap, "%s", strerror(errno));
        return false;
    }
    if (open_port(s, real, baud, why, cap))
        return true;
    return why[0] == '\0' && open_pty(s, real, why, cap);
}

int smpc_serial_open(struct smpc_link *link, const char *path, unsigned baud, bool raw, char *why,
    size_t why_cap)
{
    struct serial *s = calloc(1, sizeof *s);

    if (!s || !open_any(s, path, baud, why, why_cap)) {
        free(s);
        return ERR_NODEV;
    }
    if (flock(s->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        snprintf(why, why_cap, "another program has it open");
        serial_close(s);
        return ERR_BUSY;
    }
    tcflush(s->fd, TCIFLUSH);
    console_rx_init(&s->console);
    *link = (struct smpc_link) { .ops = raw ? &raw_ops : &console_ops, .ctx = s,
        .message_max = SMPC_MESSAGE_MAX, .overhead = raw ? 0 : 4 };
    if (!raw && serial_write(s, (const uint8_t *)"\n", 1) != OK) { /* ends what the device may hold */
        snprintf(why, why_cap, "nothing can be written to it");
        serial_close(s);
        return ERR_NODEV;
    }
    return OK;
}

unsigned smpc_serial_list(char *names, size_t cap)
{
    struct sp_port **list;
    unsigned n = 0;
    size_t at = 0;

    names[0] = '\0';
    if (sp_list_ports(&list) != SP_OK)
        return 0;
    for (unsigned i = 0; list[i]; i++) {
        if (sp_get_port_transport(list[i]) != SP_TRANSPORT_USB)
            continue;
        int len = snprintf(names + at, cap - at, "%s%s", n ? " " : "", sp_get_port_name(list[i]));
        at += len > 0 && (size_t)len < cap - at ? (size_t)len : 0;
        n++;
    }
    sp_free_port_list(list);
    return n;
}
