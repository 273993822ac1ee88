/*
 * USBD with the board's host at the other end: this program is the firmware, by loads and stores of the core. A
 * CDC ACM device of one configuration: notifications on IN 1, data on IN 2 and OUT 2.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/board/rig.h"

enum { U = 0x40027000, STARTEPIN = U + 4, STARTEPOUT = U + 0x28, EP0RCVOUT = U + 0x4C, EP0STATUS = U + 0x50, EP0STALL = U + 0x54,
    USBRESET = U + 0x100, STARTED = U + 0x104, ENDEPIN = U + 0x108, EP0DATADONE = U + 0x128, ENDEPOUT = U + 0x130, SOF = U + 0x154,
    USBEVENT = U + 0x158, EP0SETUP = U + 0x15C, EPDATA = U + 0x160, SHORTS = U + 0x200, INTENSET = U + 0x304, EVENTCAUSE = U + 0x400,
    HALTEDIN = U + 0x420, HALTEDOUT = U + 0x444, EPSTATUS = U + 0x468, EPDATASTATUS = U + 0x46C, USBADDR = U + 0x470,
    SETUP = U + 0x480, SIZE = U + 0x4A0, ENABLE = U + 0x500, PULLUP = U + 0x504, DTOGGLE = U + 0x50C, EPINEN = U + 0x510,
    EPOUTEN = U + 0x514, EPSTALL = U + 0x518, FRAMECNTR = U + 0x520, EPIN = U + 0x600, EPOUT = U + 0x700, STRIDE = 20,
    TX = 0x20010000, RX = 0x20011000, READY = 1 << 11, SUSPEND = 1 << 8 };

static const uint8_t device[18] = { 18, 1, 0, 2, 2, 0, 0, 64, 0x09, 0x12, 1, 0, 0, 1, 0, 0, 0, 1 };
static const uint8_t config[67] = { 9, 2, 67, 0, 2, 1, 0, 0x80, 50, /* interface 0: control, 1: data */
    9, 4, 0, 0, 1, 2, 2, 0, 0, 5, 0x24, 0, 0x10, 1, 5, 0x24, 1, 0, 1, 4, 0x24, 2, 2, 5, 0x24, 6, 0, 1, 7, 5, 0x81, 3, 8, 0, 10,
    9, 4, 1, 0, 2, 10, 0, 0, 0, 7, 5, 0x02, 2, 64, 0, 0, 7, 5, 0x82, 2, 64, 0, 0 };

static uint8_t got[4096];
static size_t got_len;
static char said[1024];

static void on_usb(void *ctx, const uint8_t *data, size_t len)
{
    (void)ctx;
    memcpy(got + got_len, data, len);
    got_len += len;
}

static void on_note(void *ctx, const char *text)
{
    (void)ctx;
    strncat(said, text, sizeof said - strlen(said) - 1);
}

static void start(bool vbus, bool host)
{
    struct board_config c = { .seed = 4, .vbus = vbus, .usb_host = host };
    rig_start_with(&c);
    got_len = 0;
    said[0] = '\0';
    board_on_usb(rig, on_usb, NULL);
    board_on_note(rig, on_note, NULL);
}

static void attach(void)
{
    wr(ENABLE, 1);
    double t = until_event(USBEVENT, 1000);
    assert_true(t > 50 && t < 200);
    assert_int_equal(rd(EVENTCAUSE), READY);
    wr(USBEVENT, 0);
    wr(EVENTCAUSE, READY);
    assert_int_equal(rd(EVENTCAUSE), 0);
    wr(PULLUP, 1);
}

static void expect_reset(void)
{
    double t = until_event(USBRESET, 300000);
    assert_true(t > 95000 && t < 110000);
    wr(USBRESET, 0);
}

static void expect_event(uint32_t event)
{
    if (until_event(event, 1e6) < 0)
        fail_msg("event 0x%08x does not come", (unsigned)event);
    wr(event, 0);
}

static void take_setup(uint8_t setup[8])
{
    expect_event(EP0SETUP);
    for (uint32_t i = 0; i < 8; i++)
        setup[i] = (uint8_t)rd(SETUP + 4 * i);
}

/* RAM to endpoint buffer. */
static void dma_in(unsigned ep, uint32_t from, uint32_t n)
{
    wr(EPIN + STRIDE * ep, from);
    wr(EPIN + STRIDE * ep + 4, n);
    wr(ENDEPIN + 4 * ep, 0);
    wr(STARTEPIN + 4 * ep, 1);
    expect_event(ENDEPIN + 4 * ep);
    assert_int_equal(rd(EPIN + STRIDE * ep + 8), n);
}

/* Endpoint buffer to RAM. */
static uint32_t dma_out(unsigned ep, uint32_t to, uint32_t room)
{
    wr(EPOUT + STRIDE * ep, to);
    wr(EPOUT + STRIDE * ep + 4, room);
    wr(ENDEPOUT + 4 * ep, 0);
    wr(STARTEPOUT + 4 * ep, 1);
    expect_event(ENDEPOUT + 4 * ep);
    return rd(EPOUT + STRIDE * ep + 8);
}

static void answer(const uint8_t *data, uint32_t n)
{
    ram_put(TX, data, n);
    for (uint32_t at = 0; at < n; at += 64) {
        uint32_t part = n - at < 64 ? n - at : 64;
        wr(EP0DATADONE, 0);
        dma_in(0, TX + at, part);
        expect_event(EP0DATADONE);
    }
    wr(EP0STATUS, 1);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* One request; its code. */
static unsigned serve(void)
{
    uint8_t s[8];
    take_setup(s);
    uint32_t length = s[6] | (uint32_t)s[7] << 8;
    if (s[0] == 0x80 && s[1] == 6 && s[3] == 1) {
        answer(device, least(length, sizeof device));
    } else if (s[0] == 0x80 && s[1] == 6 && s[3] == 2) {
        answer(config, least(length, sizeof config));
    } else if (s[0] == 0x21 && s[1] == 0x20) {
        wr(EP0DATADONE, 0);
        wr(EP0RCVOUT, 1);
        expect_event(EP0DATADONE);
        assert_int_equal(rd(SIZE), 7);
        assert_int_equal(dma_out(0, RX, 64), 7);
        wr(EP0STATUS, 1);
    } else if (!(s[0] == 0 && s[1] == 5)) { /* SET_ADDRESS is the hardware's */
        wr(EP0STATUS, 1);
    }
    if (s[0] == 0 && s[1] == 9) {
        assert_int_equal(s[2], 1);
        wr(EPINEN, 7);
        wr(EPOUTEN, 5);
        wr(SIZE + 8, 0);
    }
    if (s[0] == 0x21 && s[1] == 0x22)
        assert_int_equal(s[2], 3); /* DTR and RTS */
    return s[1];
}

static void enumerate(void)
{
    static const uint8_t order[] = { 6, 5, 6, 6, 6, 9, 0x20, 0x22 };
    for (unsigned i = 0; i < sizeof order; i++)
        assert_int_equal(serve(), order[i]);
    us(1000);
    assert_true(board_usb_open(rig));
}

static void start_open(void)
{
    start(false, true);
    attach();
    expect_reset();
    enumerate();
}

/* ---- */

static void without_power(void **state)
{
    (void)state;
    start(false, false);
    wr(ENABLE, 1);
    us(100000);
    assert_int_equal(rd(EVENTCAUSE), 0);
    assert_int_equal(rd(USBEVENT), 0);
    assert_non_null(strstr(said, "enabled without power"));
    start(true, false);
    wr(ENABLE, 1);
    assert_null(strstr(said, "without power"));
}

static void on_a_charger(void **state)
{
    (void)state;
    start(true, false);
    assert_int_equal(rd(0x40000438), 3);
    attach();
    assert_true(until_event(USBEVENT, 10000) > 2900);
    assert_int_equal(rd(EVENTCAUSE), SUSPEND);
    us(1e6);
    assert_int_equal(rd(USBRESET), 0);
    assert_int_equal(rd(FRAMECNTR), 0);
}

static void enumeration(void **state)
{
    (void)state;
    start_open();
    assert_int_equal(rd(USBADDR), 1);
    uint8_t coding[7];
    ram_get(RX, coding, 7);
    assert_memory_equal(coding, "\x00\xC2\x01\x00\x00\x00\x08", 7);
    assert_non_null(strstr(said, "CDC ACM opened, IN 2, OUT 2"));
    wr(SOF, 0);
    assert_true(until_event(SOF, 2000) >= 0);
    uint32_t frame = rd(FRAMECNTR);
    us(10000);
    assert_in_range(rd(FRAMECNTR) - frame, 9, 11);
    assert_int_equal(unmodelled_count(), 0);
}

static void to_the_host(void **state)
{
    (void)state;
    start_open();
    ram_put(TX, "0123456789abcdef", 16);
    wr(EPDATASTATUS, 0xFFFFFFFF);
    wr(EPSTATUS, 0xFFFFFFFF);
    wr(STARTED, 0);
    wr(EPDATA, 0);
    irq_on(39);
    wr(INTENSET, 1 << 24);
    dma_in(2, TX, 16);
    assert_int_equal(rd(STARTED), 1);
    assert_int_equal(rd(EPSTATUS), 1 << 2);
    us(200);
    assert_int_equal(rd(EPDATASTATUS), 1 << 2);
    assert_int_equal(irqs(39), 1);
    wr(EPDATASTATUS, 1 << 2);
    assert_int_equal(rd(EPDATASTATUS), 0);
    assert_int_equal(got_len, 16);
    assert_memory_equal(got, "0123456789abcdef", 16);
    dma_in(2, 0x100, 4); /* EasyDMA does not reach flash */
    us(200);
    assert_memory_equal(got + 16, "\0\0\0\0", 4);
    wr(EPINEN, 3);
    dma_in(2, TX, 4);
    us(5000);
    assert_int_equal(got_len, 20); /* it is not there for the host */
    dma_in(1, TX, 8); /* a notification: read, and no data */
    us(200);
    assert_int_equal(rd(EPDATASTATUS) & 2u, 2);
    assert_int_equal(got_len, 20);
}

static void from_the_host(void **state)
{
    uint8_t data[100], back[100];
    (void)state;
    start_open();
    for (unsigned i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7);
    wr(EPDATASTATUS, 0xFFFFFFFF);
    assert_int_equal(board_usb_input(rig, data, sizeof data), sizeof data);
    us(300);
    assert_int_equal(rd(EPDATASTATUS), 1 << 18);
    assert_int_equal(rd(SIZE + 8), 64);
    us(10000);
    assert_int_equal(board_usb_pending(rig), 36); /* the buffer is full until it is read */
    assert_int_equal(dma_out(2, RX, 64), 64);
    us(300);
    assert_int_equal(rd(SIZE + 8), 36);
    assert_int_equal(dma_out(2, RX + 64, 20), 20); /* as many as there is room for */
    ram_get(RX, back, 84);
    assert_memory_equal(back, data, 84);
    wr(EPOUTEN, 1);
    (void)board_usb_input(rig, data, 5);
    us(5000);
    assert_int_equal(board_usb_pending(rig), 5);
    wr(EPOUTEN, 5);
    wr(SIZE + 8, 0);
    us(300);
    assert_int_equal(board_usb_pending(rig), 0);
}

static void halted_endpoints(void **state)
{
    (void)state;
    start_open();
    assert_int_equal(rd(HALTEDIN + 8), 0);
    wr(EPSTALL, 2 | 1 << 7 | 1 << 8);
    wr(EPSTALL, 2 | 1 << 8);
    assert_int_equal(rd(HALTEDIN + 8), 1);
    assert_int_equal(rd(HALTEDOUT + 8), 1);
    ram_put(TX, "x", 1);
    dma_in(2, TX, 1);
    (void)board_usb_input(rig, (const uint8_t *)"y", 1);
    us(5000);
    assert_int_equal(got_len, 0);
    assert_int_equal(board_usb_pending(rig), 1);
    wr(EPSTALL, 2 | 1 << 7);
    wr(EPSTALL, 2);
    us(300);
    assert_int_equal(rd(HALTEDIN + 8) | rd(HALTEDOUT + 8), 0);
    assert_int_equal(got_len, 1);
    assert_int_equal(board_usb_pending(rig), 0);
    wr(DTOGGLE, 2 | 1 << 7);
    assert_int_equal(rd(DTOGGLE), 2 | 1 << 7 | 2 << 8); /* a packet went: DATA1 is next */
    wr(DTOGGLE, 2 | 1 << 7 | 1 << 8);
    assert_int_equal(rd(DTOGGLE), 2 | 1 << 7 | 1 << 8);
    wr(DTOGGLE, 3 | 2 << 8);
    assert_int_equal(rd(DTOGGLE), 3 | 2 << 8);
}

/* What the shortcuts do alone, in the requests of an enumeration. */
static void shortcuts(void **state)
{
    uint8_t s[8], coding[7];
    (void)state;
    start(false, true);
    attach();
    expect_reset();
    wr(SHORTS, 4); /* EP0DATADONE_EP0STATUS */
    take_setup(s);
    ram_put(TX, device, 18);
    dma_in(0, TX, 18);
    take_setup(s); /* SET_ADDRESS: the request before is over */
    assert_int_equal(s[1], 5);
    wr(SHORTS, 0);
    (void)serve();
    (void)serve();
    take_setup(s);
    assert_int_equal(s[6], 67);
    wr(SHORTS, 1); /* EP0DATADONE_STARTEPIN0: the second packet from the new PTR */
    ram_put(TX, config, 67);
    dma_in(0, TX, 64);
    wr(EPIN, TX + 64);
    wr(EPIN + 4, 3);
    expect_event(ENDEPIN);
    us(300);
    wr(SHORTS, 0);
    wr(EP0STATUS, 1);
    assert_int_equal(serve(), 9);
    take_setup(s);
    assert_int_equal(s[1], 0x20);
    wr(SHORTS, 2 | 8); /* EP0DATADONE_STARTEPOUT0, ENDEPOUT0_EP0STATUS */
    wr(EPOUT, RX);
    wr(EPOUT + 4, 64);
    wr(EP0RCVOUT, 1);
    take_setup(s);
    assert_int_equal(s[1], 0x22);
    ram_get(RX, coding, 7);
    assert_int_equal(coding[6], 8);
}

static void refused(void **state)
{
    uint8_t s[8];
    (void)state;
    start(false, true);
    attach();
    for (unsigned i = 0; i < 3; i++) {
        assert_true(until_event(USBRESET, 300000) >= 0);
        wr(USBRESET, 0);
        take_setup(s);
        wr(EP0STALL, 1);
        us(300);
    }
    us(1e6);
    assert_int_equal(rd(USBRESET) | rd(EP0SETUP), 0); /* it has given up */
    assert_non_null(strstr(said, "GET_DESCRIPTOR of the device was refused"));
    wr(PULLUP, 0);
    wr(PULLUP, 1); /* plugged in again */
    expect_reset();
    for (unsigned i = 0; i < 6; i++)
        (void)serve();
    for (unsigned i = 0; i < 2; i++) { /* a device may have no line */
        take_setup(s);
        wr(EP0STALL, 1);
    }
    us(1000);
    assert_true(board_usb_open(rig));
}

static void not_answered(void **state)
{
    uint8_t s[8];
    (void)state;
    start(false, true);
    attach();
    expect_reset();
    take_setup(s);
    double t = until_event(USBRESET, 6e6);
    assert_true(t > 4.9e6 && t < 5.1e6);
    assert_non_null(strstr(said, "was not answered in five seconds"));
}

/* A reset of the chip takes the pull-up away; and a snapshot in the middle of it all changes nothing. */
static void again(void **state)
{
    (void)state;
    start_open();
    board_reset_pin(rig);
    rig_settle();
    us(1000);
    assert_false(board_usb_open(rig));
    attach();
    expect_reset();
    for (unsigned i = 0; i < 4; i++)
        (void)serve();
    void *snapshot = malloc(board_snapshot_size(rig));
    assert_non_null(snapshot);
    board_snapshot(rig, snapshot);
    double end[2];
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; k < 4; k++)
            (void)serve();
        us(1000);
        assert_true(board_usb_open(rig));
        end[i] = now_us();
        board_restore(rig, snapshot);
        assert_false(board_usb_open(rig));
    }
    assert_true(end[0] == end[1]);
    free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(without_power, rig_stop),
        cmocka_unit_test_teardown(on_a_charger, rig_stop),
        cmocka_unit_test_teardown(enumeration, rig_stop),
        cmocka_unit_test_teardown(to_the_host, rig_stop),
        cmocka_unit_test_teardown(from_the_host, rig_stop),
        cmocka_unit_test_teardown(halted_endpoints, rig_stop),
        cmocka_unit_test_teardown(shortcuts, rig_stop),
        cmocka_unit_test_teardown(refused, rig_stop),
        cmocka_unit_test_teardown(not_answered, rig_stop),
        cmocka_unit_test_teardown(again, rig_stop),
    };
    return cmocka_run_group_tests_name("usbd", tests, NULL, NULL);
}
