#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/link/pty.h"
#include "sim/link/udp.h"

static void wait_for(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&p, 1, 2000), 1);
}

static int client_to(const char *address)
{
    const char *colon = strrchr(address, ':');
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void test_udp_tells_its_clients_apart(void **state)
{
    struct link_udp udp;
    char buf[16];
    unsigned peer[2];
    int fd[2];

    (void)state;
    assert_int_equal(link_udp_open(&udp, "127.0.0.1", "0"), OK);
    assert_int_equal(strncmp(udp.address, "127.0.0.1:", 10), 0);
    assert_true(atoi(udp.address + 10) > 0);
    assert_int_equal(link_udp_receive(&udp, buf, sizeof buf, &peer[0]), 0);
    link_udp_send(&udp, 3, "nobody", 6);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 2; i++) {
            unsigned from = 99;
            if (round == 0)
                fd[i] = client_to(udp.address);
            assert_int_equal(send(fd[i], i ? "from b" : "from a", 6, 0), 6);
            wait_for(udp.fd);
            assert_int_equal(link_udp_receive(&udp, buf, sizeof buf, &from), 6);
            assert_memory_equal(buf, i ? "from b" : "from a", 6);
            if (round == 0)
                peer[i] = from;
            assert_int_equal(from, peer[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        link_udp_send(&udp, peer[i], i ? "to b" : "to a", 4);
        wait_for(fd[i]);
        assert_int_equal(recv(fd[i], buf, sizeof buf, 0), 4);
        assert_memory_equal(buf, i ? "to b" : "to a", 4);
        close(fd[i]);
    }
    link_udp_close(&udp);
}

static void test_udp_port_taken(void **state)
{
    struct link_udp first, second;

    (void)state;
    assert_int_equal(link_udp_open(&first, "127.0.0.1", "0"), OK);
    assert_int_equal(link_udp_open(&second, "127.0.0.1", strrchr(first.address, ':') + 1), ERR_NODEV);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(link_udp_open(&second, "no such host", "1"), ERR_NODEV);
    assert_int_equal(errno, 0);
    link_udp_close(&first);
}

static void test_pty_is_raw_and_survives_its_clients(void **state)
{
    struct link_pty pty;
    char buf[16];

    (void)state;
    assert_int_equal(link_pty_open(&pty, NULL), OK);
    assert_int_equal(link_pty_receive(&pty, buf, sizeof buf), 0);
    for (int i = 0; i < 2; i++) {
        int fd = open(pty.path, O_RDWR | O_NOCTTY);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "\x06\x09\x03\x04\r\n", 6), 6);
        wait_for(pty.fd);
        assert_int_equal(link_pty_receive(&pty, buf, sizeof buf), 6);
        assert_memory_equal(buf, "\x06\x09\x03\x04\r\n", 6);
        link_pty_send(&pty, "\x06\x09\n", 3);
        wait_for(fd);
        assert_int_equal(read(fd, buf, sizeof buf), 3);
        assert_memory_equal(buf, "\x06\x09\n", 3);
        close(fd);
    }
    link_pty_close(&pty);
}

static void test_pty_link(void **state)
{
    char dir[] = "/tmp/slipway-link-XXXXXX", path[64], target[64];
    struct link_pty pty;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/tty", dir);
    assert_int_equal(symlink("/dev/pts/left-over", path), 0);
    assert_int_equal(link_pty_open(&pty, path), OK);
    ssize_t n = readlink(path, target, sizeof target);
    assert_int_equal(n, strlen(pty.path));
    assert_memory_equal(target, pty.path, (size_t)n);
    link_pty_close(&pty);
    assert_int_equal(access(path, F_OK), -1);

    close(creat(path, 0600));
    assert_int_equal(link_pty_open(&pty, path), ERR_NODEV);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(access(path, F_OK), 0);
    unlink(path);
    rmdir(dir);
}

/* With nobody reading, sending ends and the rest is lost. */
static void test_pty_does_not_block(void **state)
{
    struct link_pty pty;
    static char much[256 * 1024];

    (void)state;
    assert_int_equal(link_pty_open(&pty, NULL), OK);
    link_pty_send(&pty, much, sizeof much);
    link_pty_close(&pty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_udp_tells_its_clients_apart),
        cmocka_unit_test(test_udp_port_taken),
        cmocka_unit_test(test_pty_is_raw_and_survives_its_clients),
        cmocka_unit_test(test_pty_link),
        cmocka_unit_test(test_pty_does_not_block),
    };
    return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
