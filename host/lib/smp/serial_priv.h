/* A serial port, shared by its two framings. */
#ifndef HOST_LIB_SMP_SERIAL_PRIV_H
#define HOST_LIB_SMP_SERIAL_PRIV_H

#include "core/smp/framing/console.h"
#include "host/lib/smp/serial.h"

struct sp_port;

struct serial {
    int fd;
    struct sp_port *port; /* NULL: a pseudo terminal */
    size_t in_at, in_len; /* received and not yet taken: in[in_at .. in_len) */
    uint8_t in[2 * SMPC_MESSAGE_MAX];
    struct console_rx console;
};

/* All bytes, within 5 s. OK, ERR_TIMEOUT, ERR_NODEV, ERR_IO. */
int serial_write(struct serial *s, const uint8_t *p, size_t len) MUST_CHECK;
/* Reads more into `in`. OK: something came. ERR_TIMEOUT, ERR_NODEV. */
int serial_fill(struct serial *s, unsigned wait_ms) MUST_CHECK;

int serial_raw_send(void *ctx, const uint8_t *msg, size_t len);
int serial_raw_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms);
int serial_console_send(void *ctx, const uint8_t *msg, size_t len);
int serial_console_recv(void *ctx, uint8_t *buf, size_t cap, size_t *len, unsigned wait_ms);

#endif
