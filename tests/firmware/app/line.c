#include "tests/firmware/app/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SLOT0 = 0xC000, CYCLES_PER_MS = BOARD_CYCLES_PER_S / 1000, BAUD = 115200 };

static uint8_t *read_file(const char *board, const char *name, size_t *len)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s/%s", TEST_FIRMWARE, board, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing: run `make`, which builds the firmware", path);
    uint8_t *data = malloc(1 << 20);
    *len = fread(data, 1, (1 << 20) - 1, f);
    data[*len] = 0;
    fclose(f);
    return data;
}

uint8_t *line_app(const char *board, uint32_t *len)
{
    size_t n;
    uint8_t *data = read_file(board, "slipway-app.signed.bin", &n);

    *len = (uint32_t)n;
    return data;
}

static void hear(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    struct line *l = ctx;
    struct span msg;

    (void)uart;
    for (size_t i = 0; i < len; i++) {
        if (l->waiting && data[i] == 0x06) {
            l->begun_at = board_now(l->b);
            l->waiting = false;
        }
        if (l->said_len == sizeof l->said - 1) {
            memmove(l->said, l->said + sizeof l->said / 2, sizeof l->said / 2);
            l->said_len -= sizeof l->said / 2;
        }
        l->said[l->said_len++] = (char)data[i];
        l->said[l->said_len] = 0;
        if (console_rx_feed(&l->rx, data + i, 1, &msg) == 1 && msg.len > 0) {
            memcpy(l->answer, msg.p, msg.len);
            l->answer_len = (uint32_t)msg.len;
        }
    }
}

void line_open(struct line *l, const char *board, const char *part)
{
    const struct board_config config = { .qspi = nor_part_find(part), .seed = 1 };
    char err[200];
    size_t len;

    memset(l, 0, sizeof *l);
    l->b = board_new(&config);
    assert_non_null(l->b);
    console_rx_init(&l->rx);
    board_on_uart(l->b, hear, l);
    uint8_t *hex = read_file(board, "slipway-boot.hex", &len);
    assert_int_equal(board_load_hex(l->b, (const char *)hex, len, err, sizeof err), 0);
    free(hex);
    hex = read_file(board, "slipway-app.hex", &len);
    assert_int_equal(board_load_hex(l->b, (const char *)hex, len, err, sizeof err), 0);
    free(hex);
}

void line_close(struct line *l)
{
    board_free(l->b);
}

static void run_to(struct line *l, uint64_t until)
{
    while (board_now(l->b) < until) {
        enum board_stop stop = board_run(l->b, until);
        if (stop != BOARD_RUNS)
            fail_msg("the board stopped (%d): %s", stop, board_why(l->b));
    }
}

void line_run_ms(struct line *l, uint32_t ms)
{
    run_to(l, board_now(l->b) + (uint64_t)ms * CYCLES_PER_MS);
}

void line_start(struct line *l)
{
    board_power_on(l->b);
    for (int i = 0; i < 3000; i++) {
        line_run_ms(l, 1);
        if (strstr(l->said, "slipway-app ") && l->said[l->said_len - 1] == '\n')
            return;
    }
    fail_msg("no application within 3 s; it said: %s", l->said);
}

void line_type(struct line *l, const char *text)
{
    assert_int_equal(board_uart_input(l->b, 0, (const uint8_t *)text, strlen(text)), strlen(text));
}

static void send_request(struct line *l, unsigned op, unsigned group, unsigned id, const struct cborkit *payload)
{
    uint8_t msg[SMP_BUF_SIZE], text[CONSOLE_LINE_MAX];
    const struct smp_header h = { .op = (uint8_t)op, .version = SMP_V2, .seq = ++l->seq, .id = (uint8_t)id,
        .group = (uint16_t)group, .len = (uint16_t)payload->len };
    uint8_t header[SMP_HEADER_LEN];
    struct console_tx tx;
    uint32_t n;

    smp_header_write(header, &h);
    memcpy(msg, header, sizeof header);
    memcpy(msg + sizeof header, payload->bytes, payload->len);
    console_tx_begin(&tx, msg, (uint32_t)(sizeof header + payload->len));
    while ((n = console_tx_line(&tx, text)) > 0)
        assert_int_equal(board_uart_input(l->b, 0, text, n), n);
}

const char *line_ask(struct line *l, unsigned op, unsigned group, unsigned id, const struct cborkit *payload)
{
    static char text[4096];
    uint64_t limit = board_now(l->b) + 10000ull * CYCLES_PER_MS;

    l->answer_len = 0;
    send_request(l, op, group, id, payload);
    while (board_uart_pending(l->b, 0) > 0)
        run_to(l, board_now(l->b) + CYCLES_PER_MS / 50);
    l->sent_at = board_now(l->b);
    l->waiting = true;
    while (l->answer_len == 0) {
        if (board_now(l->b) > limit)
            fail_msg("no answer within 10 s; the board said: %s", l->said);
        run_to(l, board_now(l->b) + CYCLES_PER_MS / 4);
    }
    return ck_diag(l->answer + SMP_HEADER_LEN, l->answer_len - SMP_HEADER_LEN, text, sizeof text);
}

/* hear() is called when a byte has left: one byte's time earlier it began. */
double line_latency_ms(const struct line *l)
{
    return (double)(l->begun_at - l->sent_at) / CYCLES_PER_MS - 10000.0 / BAUD;
}
