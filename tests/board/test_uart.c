/* UART (legacy) and UARTE: bytes and their times, buffers, FIFO, flow control, stopping, errors. */
#include <string.h>

#include "tests/board/rig.h"

enum { U0 = 0x40002000, U1 = 0x40028000, STARTRX = 0x000, STOPRX = 0x004, STARTTX = 0x008, STOPTX = 0x00C, SUSPEND = 0x01C,
    FLUSHRX = 0x02C, RXDRDY = 0x108, ENDRX = 0x110, TXDRDY = 0x11C, ENDTX = 0x120, ERROR = 0x124, RXTO = 0x144,
    RXSTARTED = 0x14C, TXSTARTED = 0x150, TXSTOPPED = 0x158, SHORTS = 0x200, INTENSET = 0x304, ERRORSRC = 0x480,
    ENABLE = 0x500, TXD_PIN = 0x50C, RXD = 0x518, TXD = 0x51C, BAUD = 0x524, RXPTR = 0x534, RXMAX = 0x538, RXAMOUNT = 0x53C,
    TXPTR = 0x544, TXMAX = 0x548, TXAMOUNT = 0x54C, RXON = 0x564, TXON = 0x568, CONFIG = 0x56C };

static char out[512];
static size_t out_len;
static unsigned out_uart;

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    (void)ctx;
    out_uart = uart;
    for (size_t i = 0; i < len && out_len < sizeof out; i++)
        out[out_len++] = (char)data[i];
}

static void start(uint32_t base, uint32_t enable, uint32_t baud)
{
    rig_start();
    board_on_uart(rig, on_uart, NULL);
    out_len = 0;
    wr(base + TXD_PIN, 6);
    wr(base + 0x514, 8);
    wr(base + BAUD, baud);
    wr(base + ENABLE, enable);
}

static void send(uint32_t base, const char *text)
{
    ram_put(RIG_RAM, text, strlen(text));
    wr(base + TXPTR, RIG_RAM);
    wr(base + TXMAX, (uint32_t)strlen(text));
    wr(base + STARTTX, 1);
}

static void sends_at_the_line_s_speed(void **state)
{
    static const struct { uint32_t reg; double baud; } rates[] = { { 0x00275000, 9600 }, { 0x01D60000, 115200 },
        { 0x01D7E000, 115200 }, { 0x04000000, 250000 }, { 0x0F000000, 921600 }, { 0x10000000, 1000000 } };
    (void)state;
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        start(U0, 8, rates[i].reg);
        send(U0, "0123456789");
        double t = until_event(U0 + ENDTX, 20000), want = 100e6 / rates[i].baud;
        assert_true(t > want * 0.98 - 1 && t < want * 1.02 + 1);
        assert_int_equal(out_len, 10);
        assert_memory_equal(out, "0123456789", 10);
        assert_int_equal(rd(U0 + TXSTARTED), 1);
        assert_int_equal(rd(U0 + TXDRDY), 1);
        assert_int_equal(rd(U0 + TXAMOUNT), 10);
    }
    start(U0, 8, 0x10000000); /* parity and a second stop bit: twelve bits */
    wr(U0 + CONFIG, 0x1E);
    send(U0, "0123456789");
    double t = until_event(U0 + ENDTX, 2000);
    assert_true(t > 118 && t < 122);
}

static void second_instance_and_interrupt(void **state)
{
    (void)state;
    start(U1, 8, 0x10000000);
    irq_on(40);
    wr(U1 + INTENSET, 1u << 8);
    send(U1, "x");
    us(20);
    assert_int_equal(irqs(40), 1);
    assert_int_equal(out_uart, 1);
    assert_int_equal(out[0], 'x');
}

/* A byte is fetched when it goes onto the line; the buffer may change after that. */
static void dma_fetches_ahead(void **state)
{
    (void)state;
    start(U0, 8, 0x01D60000);
    send(U0, "a");
    ram_put(RIG_RAM, "b", 1);
    us(200);
    assert_int_equal(out[0], 'a');
    ram_put(RIG_RAM, "cd", 2);
    wr(U0 + TXPTR, 0x1000); /* flash: EasyDMA does not reach it */
    wr(U0 + TXMAX, 1);
    wr(U0 + STARTTX, 1);
    us(200);
    assert_int_equal(out[1], 0);
}

static void stoptx_breaks_off(void **state)
{
    (void)state;
    start(U0, 8, 0x01D60000);
    send(U0, "0123456789");
    us(300);
    assert_int_equal(rd(U0 + TXON), 1);
    wr(U0 + STOPTX, 1);
    us(1000);
    assert_int_equal(rd(U0 + TXSTOPPED), 1);
    assert_int_equal(rd(U0 + ENDTX), 1);
    assert_int_equal(rd(U0 + TXON), 0);
    assert_true(out_len >= 3 && out_len < 5);
    wr(U0 + TXSTOPPED, 0);
    wr(U0 + STOPTX, 1); /* idle: says so again */
    assert_int_equal(rd(U0 + TXSTOPPED), 1);
    wr(U0 + TXD_PIN, 0xFFFFFFFF);
    size_t n = out_len;
    send(U0, "lost"); /* no pin */
    us(1000);
    assert_int_equal(out_len, n);
}

static void legacy_sends_byte_by_byte(void **state)
{
    (void)state;
    start(U0, 4, 0x10000000);
    wr(U0 + TXD, 'n'); /* not started */
    us(50);
    wr(U0 + STARTTX, 1);
    wr(U0 + TXD, 'a');
    wr(U0 + TXD, 'b'); /* one may wait */
    us(9);
    assert_int_equal(rd(U0 + TXDRDY), 0);
    us(3);
    assert_int_equal(rd(U0 + TXDRDY), 1);
    us(20);
    assert_int_equal(out_len, 2);
    assert_memory_equal(out, "ab", 2);
    wr(U0 + STOPTX, 1);
    wr(U0 + TXD, 'c');
    us(20);
    assert_int_equal(out_len, 2);
}

static void legacy_receives_through_a_fifo(void **state)
{
    (void)state;
    start(U0, 4, 0x10000000);
    assert_false(board_uart_listens(rig, 0));
    (void)board_uart_input(rig, 0, (const uint8_t *)"0123456789", 10);
    us(100);
    assert_int_equal(rd(U0 + RXDRDY), 0);
    wr(U0 + STARTRX, 1);
    assert_true(board_uart_listens(rig, 0));
    us(25); /* two bytes */
    assert_int_equal(rd(U0 + RXDRDY), 1);
    wr(U0 + RXDRDY, 0);
    assert_int_equal(rd(U0 + RXD), '0');
    assert_int_equal(rd(U0 + RXDRDY), 1); /* the next one */
    us(200); /* all: one was read, six fit, the rest is lost */
    assert_int_equal(rd(U0 + ERROR), 1);
    assert_int_equal(rd(U0 + ERRORSRC), 1);
    wr(U0 + ERRORSRC, 1);
    assert_int_equal(rd(U0 + ERRORSRC), 0);
    char got[8] = "";
    for (unsigned i = 0; i < 6; i++)
        got[i] = (char)rd(U0 + RXD);
    assert_string_equal(got, "123456");
    wr(U0 + STOPRX, 1);
    us(50);
    assert_int_equal(rd(U0 + RXTO), 1);
    assert_false(board_uart_listens(rig, 0));
    wr(U0 + RXTO, 0);
    wr(U0 + STARTRX, 1);
    wr(U0 + SUSPEND, 1); /* both directions */
    us(50);
    assert_false(board_uart_listens(rig, 0));
}

static void receives_into_two_buffers(void **state)
{
    char got[11] = "";
    (void)state;
    start(U0, 8, 0x10000000);
    wr(U0 + RXPTR, RIG_RAM);
    wr(U0 + RXMAX, 4);
    wr(U0 + SHORTS, 1u << 5);
    wr(U0 + STARTRX, 1);
    assert_int_equal(rd(U0 + RXSTARTED), 1);
    assert_int_equal(rd(U0 + RXON), 1);
    wr(U0 + RXSTARTED, 0);
    wr(U0 + RXPTR, RIG_RAM + 4); /* the buffer after this one */
    (void)board_uart_input(rig, 0, (const uint8_t *)"0123456789", 10);
    double t = until_event(U0 + ENDRX, 200);
    assert_true(t > 35 && t < 50);
    assert_int_equal(rd(U0 + RXAMOUNT), 4);
    assert_int_equal(rd(U0 + RXSTARTED), 1);
    wr(U0 + ENDRX, 0);
    wr(U0 + RXPTR, RIG_RAM + 8);
    us(45);
    assert_int_equal(rd(U0 + ENDRX), 1);
    us(50);
    wr(U0 + SHORTS, 0);
    wr(U0 + ENDRX, 0);
    wr(U0 + STOPRX, 1);
    us(1);
    assert_int_equal(rd(U0 + ENDRX), 1);
    assert_int_equal(rd(U0 + RXAMOUNT), 2);
    us(60);
    assert_int_equal(rd(U0 + RXTO), 1);
    assert_int_equal(rd(U0 + RXON), 0);
    ram_get(RIG_RAM, got, 10);
    assert_string_equal(got, "0123456789");
}

static void flush_leaves_amount_if_empty(void **state)
{
    char got[4] = "";
    (void)state;
    start(U0, 8, 0x10000000);
    wr(U0 + RXPTR, RIG_RAM);
    wr(U0 + RXMAX, 2);
    wr(U0 + STARTRX, 1);
    (void)board_uart_input(rig, 0, (const uint8_t *)"abcde", 5);
    us(80); /* two in the buffer, three in the FIFO */
    assert_int_equal(rd(U0 + RXAMOUNT), 2);
    wr(U0 + STOPRX, 1);
    us(60);
    wr(U0 + ENDRX, 0);
    wr(U0 + RXPTR, RIG_RAM + 16);
    wr(U0 + RXMAX, 5);
    wr(U0 + FLUSHRX, 1);
    assert_int_equal(rd(U0 + ENDRX), 1);
    assert_int_equal(rd(U0 + RXAMOUNT), 3);
    ram_get(RIG_RAM + 16, got, 3);
    assert_string_equal(got, "cde");
    wr(U0 + ENDRX, 0);
    wr(U0 + FLUSHRX, 1);
    assert_int_equal(rd(U0 + ENDRX), 1);
    assert_int_equal(rd(U0 + RXAMOUNT), 3); /* the chip's fault, kept */
}

/* ENDRX_STOPRX ends after one buffer; overrun without flow control, none with it. */
static void shortcut_and_flow_control(void **state)
{
    (void)state;
    start(U0, 8, 0x10000000);
    wr(U0 + RXPTR, RIG_RAM);
    wr(U0 + RXMAX, 2);
    wr(U0 + SHORTS, 1u << 6);
    wr(U0 + STARTRX, 1);
    (void)board_uart_input(rig, 0, (const uint8_t *)"0123456789", 10);
    us(200);
    assert_int_equal(rd(U0 + RXTO), 1);
    assert_true(board_uart_pending(rig, 0) >= 6);
    for (unsigned hwfc = 0; hwfc < 2; hwfc++) {
        start(U0, 8, 0x10000000);
        wr(U0 + CONFIG, hwfc);
        wr(U0 + RXPTR, RIG_RAM);
        wr(U0 + RXMAX, 2);
        wr(U0 + STARTRX, 1);
        (void)board_uart_input(rig, 0, (const uint8_t *)"0123456789ABCDEF", 16);
        us(400);
        assert_int_equal(rd(U0 + ERRORSRC), !hwfc);
        assert_int_equal(board_uart_pending(rig, 0) > 0, hwfc);
    }
}

static void disabling_forgets(void **state)
{
    (void)state;
    start(U0, 8, 0x01D60000);
    wr(U0 + RXPTR, RIG_RAM);
    wr(U0 + RXMAX, 2);
    wr(U0 + STARTRX, 1);
    send(U0, "abc");
    wr(U0 + ENABLE, 0);
    us(1000);
    assert_int_equal(out_len, 0);
    assert_int_equal(rd(U0 + RXON), 0);
    assert_int_equal(rd(U0 + TXON), 0);
    assert_false(board_uart_listens(rig, 0));
    wr(U0 + STARTTX, 1); /* not enabled: nothing */
    wr(U0 + STARTRX, 1);
    assert_int_equal(rd(U0 + TXSTARTED), 1); /* of before */
    assert_int_equal(rd(U0 + RXON), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(sends_at_the_line_s_speed, rig_stop),
        cmocka_unit_test_teardown(second_instance_and_interrupt, rig_stop),
        cmocka_unit_test_teardown(dma_fetches_ahead, rig_stop),
        cmocka_unit_test_teardown(stoptx_breaks_off, rig_stop),
        cmocka_unit_test_teardown(legacy_sends_byte_by_byte, rig_stop),
        cmocka_unit_test_teardown(legacy_receives_through_a_fifo, rig_stop),
        cmocka_unit_test_teardown(receives_into_two_buffers, rig_stop),
        cmocka_unit_test_teardown(flush_leaves_amount_if_empty, rig_stop),
        cmocka_unit_test_teardown(shortcut_and_flow_control, rig_stop),
        cmocka_unit_test_teardown(disabling_forgets, rig_stop),
    };
    return cmocka_run_group_tests_name("uart", tests, NULL, NULL);
}
