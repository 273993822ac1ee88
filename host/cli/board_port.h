/*
 * The other end of a virtual board's UART or USB: a terminal's stdin and stdout, a pty, a Unix socket, or a
 * file. Output may be lost only when nobody listens (a pty or socket without a client).
 */
#ifndef HOST_CLI_BOARD_PORT_H
#define HOST_CLI_BOARD_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum board_port_kind { PORT_STDIO, PORT_PTY, PORT_UNIX, PORT_FILE };

struct board_port {
    enum board_port_kind kind;
    const char *path; /* link of the pty, path of socket or file; NULL */
    char shown[128]; /* what a client connects to */
    int fd; /* where bytes go and come from, -1 none */
    int listener; /* of a Unix socket */
    bool live; /* a person or a program may type here */
    bool in_open; /* input may still come */
    bool made; /* `path` is ours to remove */
};

/* "stdio", "pty[:LINK]", "unix:PATH", "file:PATH". 0, or -1 with a sentence in err; `option` is for that about the spec. */
int board_port_open(struct board_port *p, const char *option, const char *spec, char *err, size_t errlen);
void board_port_write(struct board_port *p, const void *data, size_t len);
/* What has been typed, without waiting; 0 if nothing. */
size_t board_port_read(struct board_port *p, uint8_t *buf, size_t len);
/* Waits for input, at most `ms`. */
void board_port_wait(struct board_port *p, int ms);
void board_port_close(struct board_port *p);

#endif
