/* QSPI: activation, DMA reads, writes and erases, custom instructions, long frames, XIP, power-down. */
#include <string.h>

#include "tests/board/rig.h"

enum { Q = 0x40029000, ACTIVATE = Q + 0, READSTART = Q + 4, WRITESTART = Q + 8, ERASESTART = Q + 0xC, DEACTIVATE = Q + 0x10,
    READY = Q + 0x100, INTENSET = Q + 0x304, ENABLE = Q + 0x500, READ_SRC = Q + 0x504, READ_DST = Q + 0x508, READ_CNT = Q + 0x50C,
    WRITE_DST = Q + 0x510, WRITE_SRC = Q + 0x514, WRITE_CNT = Q + 0x518, ERASE_PTR = Q + 0x51C, ERASE_LEN = Q + 0x520,
    PSEL = Q + 0x524, PSEL_IO = Q + 0x530, XIPOFFSET = Q + 0x540, IFCONFIG0 = Q + 0x544, IFCONFIG1 = Q + 0x600, STATUS = Q + 0x604,
    DPMDUR = Q + 0x614, ADDRCONF = Q + 0x624, CINSTRCONF = Q + 0x634, CINSTRDAT0 = Q + 0x638, CINSTRDAT1 = Q + 0x63C,
    RAM = 0x20010000, XIP = 0x12000000 };
enum { FASTREAD, READ2O, READ2IO, READ4O, READ4IO, PP = 0, PP2O = 1 << 3, PP4O = 2 << 3, PP4IO = 3 << 3 };

static double wait_ready(double limit)
{
    double t = until_event(READY, limit);
    wr(READY, 0);
    return t;
}

/* Sends a custom instruction of `len` bytes (opcode and data), the first data bytes from `dat`. */
static void cinstr(uint8_t op, uint32_t len, uint32_t flags, uint64_t dat)
{
    wr(CINSTRDAT0, (uint32_t)dat);
    wr(CINSTRDAT1, (uint32_t)(dat >> 32));
    wr(CINSTRCONF, op | len << 8 | 3u << 12 | flags);
    assert_true(wait_ready(1e6) >= 0);
}

enum { WIPWAIT = 1 << 14, WREN = 1 << 15, LFEN = 1 << 16, LFSTOP = 1 << 17 };

static void pins(bool on)
{
    for (uint32_t i = 0; i < 2; i++)
        wr(PSEL + 4 * i, on ? 19 - 2 * i : 0xFFFFFFFF);
    for (uint32_t i = 0; i < 4; i++)
        wr(PSEL_IO + 4 * i, on ? 20 + i : 0xFFFFFFFF);
}

static void start(const char *name, uint32_t ifconfig0)
{
    struct board_config config = { .qspi = name ? nor_part_find(name) : NULL, .seed = 4 };
    rig_start_with(&config);
    pins(true);
    wr(IFCONFIG0, ifconfig0);
    wr(IFCONFIG1, 0x00040480); /* 32 MHz, 8 us of CSN high */
    wr(ENABLE, 1);
    wr(ACTIVATE, 1);
    assert_true(wait_ready(1e6) >= 0);
}

static void quad_on(bool macronix)
{
    cinstr(0x01, macronix ? 2 : 3, WREN | WIPWAIT, macronix ? 0x40 : 0x0200);
    cinstr(0x05, 2, WIPWAIT, 0);
}

static void write_flash(uint32_t to, uint32_t from, uint32_t n)
{
    wr(WRITE_DST, to);
    wr(WRITE_SRC, from);
    wr(WRITE_CNT, n);
    wr(WRITESTART, 1);
}

static void read_flash(uint32_t from, uint32_t to, uint32_t n)
{
    wr(READ_SRC, from);
    wr(READ_DST, to);
    wr(READ_CNT, n);
    wr(READSTART, 1);
    assert_true(wait_ready(1e6) >= 0);
}

static void pattern(uint32_t at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i += 4) {
        uint32_t v = i * 2654435761u;
        ram_put(at + i, &v, 4);
    }
}

static bool same(uint32_t a, uint32_t b, uint32_t n)
{
    uint32_t i = 0;
    while (i < n && ram_word(a + i) == ram_word(b + i))
        i += 4;
    return i == n;
}

static void activation(void **state)
{
    (void)state;
    start("mx25r6435f", 0);
    assert_int_equal(rd(STATUS) & 8u, 8);
    struct board_config none = { .seed = 1 };
    rig_start_with(&none); /* nothing connected: READY never comes */
    pins(true);
    wr(ENABLE, 1);
    wr(ACTIVATE, 1);
    assert_true(wait_ready(2e6) < 0);
    assert_int_equal(rd(STATUS) & 8u, 0);
    pins(false); /* the work-around of erratum 215: without pins ACTIVATE ends at once */
    wr(ACTIVATE, 1);
    assert_true(wait_ready(1000) >= 0);
    cinstr(0x05, 2, WIPWAIT, 0); /* clocks into nothing */
    assert_int_equal(rd(CINSTRDAT0), 0xFFFFFFFF);
    pins(true);
    cinstr(0x05, 2, 0, 0);
    wr(CINSTRCONF, 0x05 | 2 << 8 | 3u << 12 | WIPWAIT); /* a status that never says idle */
    assert_true(wait_ready(1e6) < 0);
    rig_start();
    pins(true);
    wr(ACTIVATE, 1); /* not enabled */
    assert_true(wait_ready(1000) < 0);
}

static void every_read_and_write_opcode(void **state)
{
    static const struct { const char *part; uint32_t write[2]; } parts[2] = { { "at25xe321d", { PP, PP4O } },
        { "mx25r6435f", { PP, PP4IO } } };
    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        for (unsigned w = 0; w < 2; w++) {
            for (uint32_t r = FASTREAD; r <= READ4IO; r++) {
                start(parts[p].part, r | parts[p].write[w]);
                quad_on(p == 1);
                if (p == 0 && r == READ4IO) /* it waits 6 clocks: SR5 says 2 after power-on */
                    cinstr(0x71, 3, WREN | WIPWAIT, 0x2005);
                cinstr(0x05, 2, WIPWAIT, 0);
                pattern(RAM, 1024);
                write_flash(0x10100, RAM, 1024); /* over four pages */
                assert_true(wait_ready(1e6) >= 0);
                read_flash(0x10100, RAM + 4096, 1024);
                assert_true(same(RAM, RAM + 4096, 1024));
            }
        }
    }
}

static void wrong_settings_give_rubbish(void **state)
{
    (void)state;
    start("mx25r6435f", READ4IO | PP4IO); /* quad, but QE is not set */
    pattern(RAM, 256);
    write_flash(0, RAM, 256);
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0, RAM + 4096, 256);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF);
    quad_on(true);
    read_flash(0, RAM + 4096, 256);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF); /* nothing had been programmed */
    wr(IFCONFIG0, READ4IO | PP4O); /* a program opcode that this part does not have */
    write_flash(0, RAM, 256);
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0, RAM + 4096, 256);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF);
    wr(IFCONFIG0, PP | FASTREAD | 1u << 6); /* 4-byte addresses to a part that takes three */
    write_flash(0, RAM, 4);
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0, RAM + 4096, 8);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF);
}

static void counts_and_addresses_are_words(void **state)
{
    (void)state;
    start("mx25r6435f", 0);
    pattern(RAM, 64);
    write_flash(0x40, RAM, 6); /* becomes 4 */
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0x40, RAM + 4096, 8);
    assert_int_equal(ram_word(RAM + 4096), ram_word(RAM));
    assert_int_equal(ram_word(RAM + 4100), 0xFFFFFFFF);
    write_flash(0x80, 0x1000, 16); /* flash: EasyDMA does not reach it */
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0x80, RAM + 4096, 8);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF);
}

/* READY of an erase comes when it has been sent; what follows waits until it has ended. */
static void erases_and_waiting(void **state)
{
    static const double ms[3] = { 48, 480, 52000 };
    (void)state;
    start("mx25r6435f", 0);
    for (uint32_t len = 0; len < 3; len++) {
        pattern(RAM, 64);
        write_flash(0x10000, RAM, 64);
        assert_true(wait_ready(1e6) >= 0);
        double begun = now_us();
        wr(ERASE_PTR, 0x10000);
        wr(ERASE_LEN, len);
        wr(ERASESTART, 1);
        assert_true(wait_ready(3000) >= 0);
        wr(READ_SRC, 0x10000);
        wr(READ_DST, RAM + 4096);
        wr(READ_CNT, 64);
        wr(READSTART, 1);
        assert_true(wait_ready(60e6) >= 0);
        double t = (now_us() - begun) / 1000;
        assert_true(t > ms[len] && t < ms[len] * 1.01 + 3);
        assert_int_equal(ram_word(RAM + 4096 + 60), 0xFFFFFFFF);
    }
}

static void speed_of_the_line(void **state)
{
    (void)state;
    start("mx25r6435f", READ4IO | PP4IO);
    quad_on(true);
    for (uint32_t n = 0; n <= 15; n += 5) { /* SCK = 32 MHz / (n + 1) */
        wr(IFCONFIG1, 0x00040401 | n << 28);
        wr(READ_SRC, 0);
        wr(READ_DST, RAM);
        wr(READ_CNT, 16384);
        wr(READSTART, 1);
        double t = until_event(READY, 1e6), want = 16384.0 * 2 / 32 * (n + 1);
        wr(READY, 0);
        assert_true(t > want && t < want * 1.05 + 20);
    }
}

static void custom_instructions(void **state)
{
    (void)state;
    start("at25xe321d", 0);
    irq_on(41);
    wr(INTENSET, 1);
    cinstr(0x9F, 4, 0, 0);
    assert_int_equal(rd(CINSTRDAT0) & 0xFFFFFF, 0x0C471F);
    assert_int_equal(irqs(41), 1);
    cinstr(0x9F, 9, 0, 0); /* eight bytes */
    assert_int_equal(rd(CINSTRDAT0), 0x010C471F);
    assert_int_equal(rd(CINSTRDAT1), 0);
    cinstr(0x06, 1, 0, 0);
    cinstr(0x05, 2, 0, 0);
    assert_int_equal(rd(CINSTRDAT0) & 0xFF, 2);
    assert_int_equal(rd(STATUS) >> 24, 2); /* SREG */
    cinstr(0x04, 1, 0, 0);
    cinstr(0x20, 4, WREN, 0x003000); /* an erase by hand */
    cinstr(0x05, 2, 0, 0);
    assert_int_equal(rd(CINSTRDAT0) & 0xFF, 1);
    double t = now_us();
    cinstr(0x05, 2, WIPWAIT, 0);
    assert_true(now_us() - t > 60000);
    assert_int_equal(rd(CINSTRDAT0) & 0xFF, 0);
}

/* SFDP: opcode alone, then address and dummy, then eight bytes at a time, the last with LFSTOP. */
static void long_frames(void **state)
{
    (void)state;
    start("mx25r6435f", 0);
    cinstr(0x5A, 1, LFEN, 0);
    cinstr(0x5A, 5, LFEN, 0);
    cinstr(0x5A, 9, LFEN, 0);
    assert_int_equal(rd(CINSTRDAT0), 0x50444653);
    cinstr(0x5A, 9, LFEN | LFSTOP, 0);
    assert_int_equal(rd(CINSTRDAT0), 0x10010600); /* header of the basic table: id, 1.6, 16 dwords */
    cinstr(0x9F, 4, 0, 0); /* a frame of its own again */
    assert_int_equal(rd(CINSTRDAT0) & 0xFFFFFF, 0x1728C2);
}

static void xip(void **state)
{
    (void)state;
    start("mx25r6435f", 0);
    pattern(RAM, 256);
    write_flash(0x1000, RAM, 256);
    assert_true(wait_ready(1e6) >= 0);
    us(2000);
    assert_int_equal(rd(XIP + 0x1004), ram_word(RAM + 4));
    wr(XIPOFFSET, 0x1000);
    assert_int_equal(rd(XIP + 8), ram_word(RAM + 8));
    assert_int_equal(faults(), 0);
    wr(XIP + 8, 0); /* read-only */
    assert_int_equal(faults(), 1);
    wr(DEACTIVATE, 1);
    (void)rd(XIP + 8);
    assert_int_equal(faults(), 2);
    wr(ACTIVATE, 1);
    assert_true(wait_ready(1000) >= 0);
    assert_int_equal(rd(XIP + 8), ram_word(RAM + 8));
    wr(ENABLE, 0);
    (void)rd(XIP + 8);
    assert_int_equal(faults(), 3);
}

/* DPMENABLE and DPMEN: sends B9h and ABh, STATUS.DPM changes after DPMDUR. */
static void deep_power_down(void **state)
{
    (void)state;
    start("at25xe321d", 1u << 7);
    wr(DPMDUR, 3u << 16 | 2); /* 48 us out, 32 us in */
    wr(IFCONFIG1, 0x01040480);
    us(10);
    assert_int_equal(rd(STATUS) & 4u, 0);
    us(30);
    assert_int_equal(rd(STATUS) & 4u, 4);
    wr(READ_CNT, 4);
    wr(READ_DST, RAM);
    wr(READSTART, 1);
    assert_true(wait_ready(1e6) < 0); /* the part does not answer the status poll */
    wr(IFCONFIG1, 0x00040480);
    double t = until_event(READY, 1000); /* now it does, and the read that waited goes on */
    assert_true(t > 10 && t < 80);
    assert_int_equal(rd(STATUS) & 4u, 0);
    wr(IFCONFIG0, 0); /* not enabled: DPMEN does nothing */
    wr(IFCONFIG1, 0x01040480);
    us(100);
    assert_int_equal(rd(STATUS) & 4u, 0);
}

/* ADDRCONF: sent with ACTIVATE, how a part is put into 4-byte mode. */
static void address_configuration(void **state)
{
    static const uint8_t id[3] = { 0xEF, 0x40, 0x19 }, bfpt[4] = { 0xE5, 0x20, 0xF3, 0xFF };
    struct nor_part *big = nor_part_generic(id, 32u << 20, bfpt, sizeof bfpt, 4);
    struct board_config config = { .qspi = big, .seed = 4 };
    (void)state;
    rig_start_with(&config);
    pins(true);
    wr(ENABLE, 1);
    wr(IFCONFIG0, 1u << 6);
    wr(ADDRCONF, 0x0D0000B7); /* WREN, WIPWAIT, opcode alone */
    wr(ACTIVATE, 1);
    assert_true(wait_ready(1e6) >= 0);
    pattern(RAM, 64);
    write_flash(0x1800000, RAM, 64); /* behind the first 16 MiB */
    assert_true(wait_ready(1e6) >= 0);
    read_flash(0x1800000, RAM + 4096, 64);
    assert_true(same(RAM, RAM + 4096, 64));
    read_flash(0x0800000, RAM + 4096, 64);
    assert_int_equal(ram_word(RAM + 4096), 0xFFFFFFFF);
    (void)rig_stop(NULL);
    nor_part_free(big);
}

/* DEACTIVATE gives no event; disabling in the middle leaves nothing behind. */
static void stopping(void **state)
{
    (void)state;
    start("mx25r6435f", 0);
    wr(DEACTIVATE, 1);
    us(1000);
    assert_int_equal(rd(READY), 0);
    wr(ACTIVATE, 1);
    assert_true(wait_ready(1000) >= 0);
    write_flash(0, RAM, 4096);
    us(100);
    wr(ENABLE, 0);
    us(100000);
    assert_int_equal(rd(READY), 0);
    wr(ENABLE, 1);
    wr(ACTIVATE, 1);
    assert_true(wait_ready(100000) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(activation, rig_stop),
        cmocka_unit_test_teardown(every_read_and_write_opcode, rig_stop),
        cmocka_unit_test_teardown(wrong_settings_give_rubbish, rig_stop),
        cmocka_unit_test_teardown(counts_and_addresses_are_words, rig_stop),
        cmocka_unit_test_teardown(erases_and_waiting, rig_stop),
        cmocka_unit_test_teardown(speed_of_the_line, rig_stop),
        cmocka_unit_test_teardown(custom_instructions, rig_stop),
        cmocka_unit_test_teardown(long_frames, rig_stop),
        cmocka_unit_test_teardown(xip, rig_stop),
        cmocka_unit_test_teardown(deep_power_down, rig_stop),
        cmocka_unit_test_teardown(address_configuration, rig_stop),
        cmocka_unit_test_teardown(stopping, rig_stop),
    };
    return cmocka_run_group_tests_name("qspi", tests, NULL, NULL);
}
