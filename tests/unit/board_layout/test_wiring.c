/*
 * The pins of a board, in every way in which a devicetree says them: by name, as numbers (a devicetree that
 * a build has written, by the numbers of several years), and by the properties from before pinctrl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/lib/layout/load.h"

enum { NO = WIRING_NO_PIN };

static const char template[]
    = "/dts-v1/;\n/ {\n"
      "chosen { zephyr,console = &uart1; };\n"
      "soc {\n"
      "uart1: uart@40028000 { compatible = \"nordic,nrf-uarte\"; reg = <0x40028000 0x1000>; %s };\n"
      "flash-controller@4001e000 { flash0: flash@0 { compatible = \"soc-nv-flash\"; reg = <0 0x100000>;"
      " erase-block-size = <4096>; partitions { compatible = \"fixed-partitions\"; #address-cells = <1>; #size-cells = <1>;"
      " boot_partition: partition@0 { reg = <0 0x10000>; };"
      " slot0_partition: partition@10000 { reg = <0x10000 0xc8000>; }; }; }; };\n"
      "qspi@40029000 { compatible = \"nordic,nrf-qspi\"; reg = <0x40029000 0x1000>; %s\n"
      "chip@0 { compatible = \"nordic,qspi-nor\"; reg = <0>; jedec-id = [ef 40 17]; size = <67108864>;"
      " partitions { compatible = \"fixed-partitions\"; #address-cells = <1>; #size-cells = <1>;"
      " slot1_partition: partition@0 { reg = <0 0xca000>; }; }; }; };\n"
      "};\n"
      "pinctrl { u: u { g { psels = %s; }; }; q: q { g1 { psels = %s; }; g2 { psels = %s; }; }; };\n"
      "};\n";

#define NEW    "pinctrl-0 = <&u>;", "pinctrl-0 = <&q>;"
#define IO_DK  { 20, 21, 22, 23 }
#define IO_NOT { NO, NO, NO, NO }

static const struct row {
    const char *name;
    const char *uart, *qspi; /* properties of the devices */
    const char *uart_psels, *qspi_psels, *qspi_psels2;
    struct layout_wiring want;
} rows[] = {
    { "by name", NEW, "<NRF_PSEL(UART_TX, 1, 2)>, <NRF_PSEL(UART_RX, 0, 8)>",
        "<NRF_PSEL(QSPI_SCK, 0, 19)>, <NRF_PSEL(QSPI_CSN, 1, 15)>", "<NRF_PSEL(QSPI_IO0, 0, 20)>, <NRF_PSEL(QSPI_IO1, 0, 21)>",
        { .uart = true, .uart_tx = 34, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 47, .qspi_io = { 20, 21, NO, NO } } },
    { "numbers, function in bits 31:24", NEW, "<0x6>, <0x1000008>", "<0x1d000013>, <0x1e00002f>, <0x1f000014>",
        "<0x20000015>, <0x21000016>, <0x22000017>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 47, .qspi_io = IO_DK } },
    { "numbers, function in bits 31:17", NEW, "<0x6 0x20008 0x40005 0x60007>", "<0x3a0013>, <0x3c0011>, <0x3e0014>",
        "<0x400015 0x420016 0x440017>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = IO_DK } },
    { "numbers, function in bits 31:16", NEW, "<0x6>, <0x10008>, <0x20005>, <0x30007>", "<0x1d0013>, <0x1e0011>, <0x1f0014>",
        "<0x200015 0x210016 0x220017>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = IO_DK } },
    { "RX before TX, whichever the numbers", NEW, "<0x10008>, <0x6>", "<0x1e0011>, <0x1d0013>", "<0x210016 0x200015 0x1f0014>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = { 20, 21, 22, NO } } },
    { "disconnected, or a pin that there is not", NEW, "<0x7f>, <0x1000008>", "<0x1d000030>, <0x1e000011>", "<0x1f000014 0x20000015>",
        { .uart_tx = NO, .uart_rx = 8, .qspi_sck = NO, .qspi_csn = 17, .qspi_io = { 20, 21, NO, NO } } },
    { "before pinctrl", "tx-pin = <6>; rx-pin = <8>;", "sck-pin = <19>; csn-pins = <17>; io-pins = <20>, <21>, <22>, <23>;", "<>",
        "<>", "<>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = IO_DK } },
    { "before pinctrl, two lines and one list", "tx-pin = <33>; rx-pin = <47>;",
        "sck-pin = <19>; csn-pins = <17 18>; io-pins = <20 21>;", "<>", "<>", "<>",
        { .uart = true, .uart_tx = 33, .uart_rx = 47, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = { 20, 21, NO, NO } } },
    { "before pinctrl, no pin of this chip", "tx-pin = <48>; rx-pin = <8>;", "sck-pin = <0xffffffff>; csn-pins = <17>; io-pins = <20>;",
        "<>", "<>", "<>",
        { .uart_tx = NO, .uart_rx = 8, .qspi_sck = NO, .qspi_csn = 17, .qspi_io = { 20, NO, NO, NO } } },
    { "both: pinctrl counts", "tx-pin = <1>; rx-pin = <2>; pinctrl-0 = <&u>;", "sck-pin = <3>; csn-pins = <4>; pinctrl-0 = <&q>;",
        "<0x6 0x1000008>", "<0x1d000013 0x1e000011>", "<0x1f000014 0x20000015>",
        { .uart = true, .uart_tx = 6, .uart_rx = 8, .qspi = true, .qspi_sck = 19, .qspi_csn = 17, .qspi_io = { 20, 21, NO, NO } } },
    { "nothing", "", "", "<>", "<>", "<>", { .uart_tx = NO, .uart_rx = NO, .qspi_sck = NO, .qspi_csn = NO, .qspi_io = IO_NOT } },
};

static void load(const struct row *r, struct layout_report *report)
{
    char path[] = "/tmp/slipway-wiring-XXXXXX.dts", text[4096];
    struct layout layout;
    int fd = mkstemps(path, 4);
    int len = snprintf(text, sizeof text, template, r->uart, r->qspi, r->uart_psels, r->qspi_psels, r->qspi_psels2);

    assert_true(fd >= 0 && len > 0 && (size_t)len < sizeof text);
    assert_int_equal(write(fd, text, (size_t)len), len);
    close(fd);
    int rc = layout_load(path, &layout, report);
    unlink(path);
    if (rc != OK)
        fail_msg("%s: %s", r->name, report->problem[0].what);
}

static void test_pins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct layout_report report;
        const struct layout_wiring *w = &report.wiring, *want = &rows[i].want;
        load(&rows[i], &report);
        if (memcmp(w->qspi_io, want->qspi_io, sizeof want->qspi_io) != 0 || w->uart_tx != want->uart_tx)
            print_error("%s: tx %u rx %u sck %u csn %u io %u %u %u %u\n", rows[i].name, w->uart_tx, w->uart_rx, w->qspi_sck,
                w->qspi_csn, w->qspi_io[0], w->qspi_io[1], w->qspi_io[2], w->qspi_io[3]);
        assert_int_equal(w->uart_base, 0x40028000);
        assert_int_equal(w->uart, want->uart);
        assert_int_equal(w->uart_tx, want->uart_tx);
        assert_int_equal(w->uart_rx, want->uart_rx);
        assert_int_equal(w->qspi, want->qspi);
        assert_int_equal(w->qspi_sck, want->qspi_sck);
        assert_int_equal(w->qspi_csn, want->qspi_csn);
        assert_memory_equal(w->qspi_io, want->qspi_io, sizeof want->qspi_io);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pins) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
