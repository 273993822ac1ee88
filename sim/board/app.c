/* The application, or the bootloader's recovery: the service, the SMP server, and its links. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "core/smp/groups/img.h"
#include "core/smp/groups/slipway.h"
#include "sim/board/board_priv.h"

enum { POLLS_BETWEEN_LINKS = 256 }; /* of the server, before the links are looked at again */

static const struct smp_os_info os_info = {
    .kernel = "Slipway",
    .node = "sim",
    .release = "0.1.0",
    .version = "simulated board",
    .build = "",
    .machine = "arm",
    .processor = "cortex-m4",
    .platform = "sim",
    .system = "Slipway",
};

static bool send_udp(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    link_udp_send(&((struct board_sim *)ctx)->udp, (unsigned)peer, msg, len);
    return true;
}

/* A peer on the serial line is a framing. */
static bool send_pty(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    struct board_sim *b = (struct board_sim *)ctx;

    if (peer == SERIAL_RAW) {
        link_pty_send(&b->pty, msg, len);
        return true;
    }
    struct console_tx tx;
    uint8_t line[CONSOLE_LINE_MAX];
    uint32_t n;
    console_tx_begin(&tx, msg, len);
    while ((n = console_tx_line(&tx, line)) > 0)
        link_pty_send(&b->pty, line, n);
    return true;
}

static bool send_mailbox(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    struct board_mailbox *m = &((struct board_sim *)ctx)->mailbox;

    (void)peer;
    if (m->answer && len <= m->cap) {
        memcpy(m->answer, msg, len);
        m->len = (int)len;
    }
    return true;
}

static bool idle(void *ctx)
{
    return service_idle(&((struct board_sim *)ctx)->service);
}

void board_app_start(struct board_sim *b)
{
    struct service_config service = {
        .store = b->boot.recovery ? &b->store : &b->app_store,
        .report = &b->report,
        .recovery = b->boot.recovery,
    };

    service_init(&b->service, &service);
    smp_os_init(&b->os, &os_info);
    b->group[0] = (struct smp_binding) { &smp_group_os, &b->os };
    b->group[1] = (struct smp_binding) { &smp_group_img, &b->service };
    b->group[2] = (struct smp_binding) { &smp_group_slipway, &b->service };
    struct smp_config smp = { .groups = b->group, .count = BOARD_GROUPS, .now_ms = board_now_ms,
        .idle = idle, .ctx = b };
    smp_init(&b->server, &smp);
    serial_rx_init(&b->serial);
    b->to_udp = (struct smp_transport) { send_udp, b };
    b->to_pty = (struct smp_transport) { send_pty, b };
    b->to_mailbox = (struct smp_transport) { send_mailbox, b };
}

int board_sim_attach_udp(struct board_sim *b, const char *host, const char *port)
{
    return link_udp_open(&b->udp, host, port);
}

int board_sim_attach_pty(struct board_sim *b, const char *link)
{
    return link_pty_open(&b->pty, link);
}

const char *board_sim_udp_address(const struct board_sim *b)
{
    return b->udp.fd >= 0 ? b->udp.address : NULL;
}

const char *board_sim_pty_path(const struct board_sim *b)
{
    return b->pty.fd >= 0 ? b->pty.path : NULL;
}

void board_sim_drop_links(struct board_sim *b)
{
    link_udp_close(&b->udp);
    link_pty_close(&b->pty);
}

static void serial_got(void *ctx, enum serial_framing framing, struct span msg)
{
    struct board_sim *b = (struct board_sim *)ctx;

    smp_submit(&b->server, &b->to_pty, framing, msg.p, (uint32_t)msg.len);
}

static uint64_t wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

/*
 * What has come in goes to the server; as much as it has room for, so that no request is dropped. A
 * pause on the serial line is one of the client's time, not of the board's.
 */
static void read_links(struct board_sim *b)
{
    uint8_t bytes[4096];
    unsigned peer;
    size_t n;

    if (b->udp.fd >= 0 && b->server.queued < SMP_BUF_COUNT
        && (n = link_udp_receive(&b->udp, bytes, sizeof bytes, &peer)) > 0)
        smp_submit(&b->server, &b->to_udp, peer, bytes, (uint32_t)n);
    if (b->pty.fd >= 0 && b->server.queued == 0 && (n = link_pty_receive(&b->pty, bytes, 256)) > 0)
        serial_rx_feed(&b->serial, bytes, n, (uint32_t)(wall_us() / 1000), serial_got, b);
}

static bool reset_if_due(struct board_sim *b)
{
    if (!smp_os_reset_due(&b->os, board_now_ms(b)))
        return false;
    board_sim_reset(b, b->os.boot_mode == SMP_OS_BOOT_RECOVERY);
    return true;
}

bool board_sim_reset_if_asked(struct board_sim *b)
{
    if (b->os.reset_asked)
        b->clock.us += SMP_OS_RESET_DELAY_MS * 1000u;
    return reset_if_due(b);
}

/* Waiting for a client takes the time that it takes: the board's clock goes on with it. */
static void wait_links(struct board_sim *b, unsigned timeout_ms)
{
    struct pollfd fd[2] = { { .fd = b->udp.fd, .events = POLLIN }, { .fd = b->pty.fd, .events = POLLIN } };
    uint64_t start = wall_us();

    if (poll(fd, 2, (int)timeout_ms) < 0 && errno != EINTR)
        return;
    b->clock.us += wall_us() - start;
}

void board_sim_run(struct board_sim *b, unsigned timeout_ms)
{
    bool more = true;

    read_links(b);
    for (unsigned i = 0; more && i < POLLS_BETWEEN_LINKS; i++)
        more = smp_poll(&b->server);
    reset_if_due(b);
    wait_links(b, more ? 0 : b->os.reset_asked && timeout_ms > 10 ? 10 : timeout_ms);
}

int board_sim_exchange(struct board_sim *b, const void *msg, uint32_t len, void *answer, uint32_t cap)
{
    enum { POLLS_MAX = 10000000 };

    b->mailbox = (struct board_mailbox) { (uint8_t *)answer, cap, ERR_TIMEOUT };
    if (!smp_submit(&b->server, &b->to_mailbox, 0, (const uint8_t *)msg, len))
        return ERR_TIMEOUT;
    for (unsigned i = 0; i < POLLS_MAX && b->mailbox.len == ERR_TIMEOUT; i++) {
        if (!smp_poll(&b->server) && b->mailbox.len == ERR_TIMEOUT)
            break;
    }
    int got = b->mailbox.len;
    b->mailbox = (struct board_mailbox) { NULL, 0, ERR_TIMEOUT };
    return got;
}
