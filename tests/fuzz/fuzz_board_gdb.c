/* Anything said to the GDB stub: it answers or hangs up; the board behind it is running firmware. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/board_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t code[] = { 0x01, 0x30, 0x00, 0xBF, 0x08, 0x60, 0xFB, 0xE7 }; /* adds, nop, str, b */
    int s[2];
    if (size > 32768 || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
        return 0;
    struct board *b = board_guest(code, sizeof code);
    board_set_reg(b, 1, 0x20000000);
    fcntl(s[0], F_SETFL, O_NONBLOCK);
    fcntl(s[1], F_SETFL, O_NONBLOCK);
    if (write(s[0], data, size) == (ssize_t)size) {
        shutdown(s[0], SHUT_WR);
        (void)board_gdb_serve(b, s[1], board_now(b) + BOARD_CYCLES_PER_S / 4000, NULL, NULL);
    }
    close(s[0]);
    close(s[1]);
    return 0;
}
