/*
 * Every register of the modelled peripherals, by a table of facts: it is there, it has its reset value,
 * exactly its bits can be written. What is not modelled says so by name and address.
 */
#include <stdio.h>
#include <string.h>

#include "tests/board/rig.h"

struct row {
    uint32_t addr;
    unsigned count, stride;
    char kind;
    uint32_t reset, mask;
    const char *name;
};

static const struct row rows[] = {
#include "tests/board/registers.inc"
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Registers of the table that the board does not have; each read is reported. */
static bool not_modelled(const char *name)
{
    static const char *const names[] = { "SPIM0.STALLSTAT", "SPIM3.STALLSTAT", "SPIM0.EVENTS_TODO", "USBD.TASKS_STARTISO" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    }
    return false;
}

/* Where the board is knowingly not what the table says, and why. */
static bool excused(const char *name)
{
    static const char *const names[] = {
        "POWER.RAMSTATUS", "CLOCK.HFCLKSTAT", "QSPI.STATUS", /* states, not constants: RAM is on, HFCLK runs, QSPI is idle */
        "UARTE1.SHORTS", "SPIM3.SHORTS", "SPIM3.INTENSET", "SPIM3.RXD.LIST", "SPIM3.TXD.LIST", "TWIM0.INTEN", /* one model for all: bits of interfaces that this one lacks */
        "QSPI.IFCONFIG1", /* bits 23:8 are undocumented, but drivers read and write them back */
        "QSPI.XIPOFFSET", /* a multiple of four */
    };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

/* Those that do not just keep what was written; the peripherals' own tests have them. */
static bool acts(const char *name)
{
    static const char *const names[] = { "RESETREAS", ".OUTSET", ".OUTCLR", ".DIRSET", ".DIRCLR", ".LATCH", "CHENSET", "CHENCLR",
        "EVTENSET", "EVTENCLR", "ERRORSRC", "RAM0.POWER", "CINSTR", "ACL", "IHIT", "IMISS", "P0.OUT", "P1.OUT", "P0.DIR",
        "P1.DIR", "CRV", "GPIOTE.CONFIG", "USBD.EVENTCAUSE", "USBD.EPSTATUS", "USBD.EPDATASTATUS", "USBD.SIZE.EPOUT", "USBD.DTOGGLE" };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strstr(name, names[i]))
            return true;
    }
    return false;
}

static unsigned wrong;

static void differs(const struct row *r, uint32_t addr, const char *what, uint32_t is, uint32_t should)
{
    print_error("%s (0x%08x): %s is 0x%08x, should be 0x%08x\n", r->name, (unsigned)addr, what, (unsigned)is, (unsigned)should);
    wrong++;
}

static void check_reset(const struct row *r, uint32_t addr)
{
    unsigned before = unmodelled_count();
    uint32_t v = rd(addr);
    bool there = unmodelled_count() == before;
    if (there == not_modelled(r->name))
        differs(r, addr, "being modelled", there, !there);
    if (r->kind == 'w' || r->kind == 't' || !there || excused(r->name))
        return;
    if (v != r->reset)
        differs(r, addr, "reset value", v, r->reset);
}

static void reset_values(void **state)
{
    (void)state;
    rig_start();
    wrong = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned k = 0; k < rows[i].count; k++)
            check_reset(&rows[i], rows[i].addr + k * rows[i].stride);
    }
    assert_int_equal(wrong, 0);
}

static void check_bits(const struct row *r, uint32_t addr)
{
    uint32_t fixed = r->reset & ~r->mask; /* PSEL: bits that are no field read as ones */
    if (excused(r->name))
        return;
    if (r->kind == 'p' && !acts(r->name)) {
        wr(addr, 0xFFFFFFFF);
        if (rd(addr) != (r->mask | fixed))
            differs(r, addr, "all ones written, what is read", rd(addr), r->mask | fixed);
        wr(addr, 0);
        if (rd(addr) != fixed)
            differs(r, addr, "zero written, what is read", rd(addr), fixed);
    } else if (r->kind == 'i') {
        wr(addr, 0xFFFFFFFF);
        if (rd(addr) != r->mask || rd(addr + 4) != r->mask)
            differs(r, addr, "all ones set, what is read", rd(addr), r->mask);
        wr(addr, 0);
        if (rd(addr) != r->mask)
            differs(r, addr, "zero set, what is read", rd(addr), r->mask);
        wr(addr + 4, r->mask & ~(r->mask - 1u));
        if (rd(addr) != (r->mask & (r->mask - 1u)))
            differs(r, addr, "lowest bit cleared, what is read", rd(addr), r->mask & (r->mask - 1u));
        wr(addr + 4, 0xFFFFFFFF);
        if (rd(addr) != 0)
            differs(r, addr, "all ones cleared, what is read", rd(addr), 0);
    } else if (r->kind == 'r') {
        wr(addr, ~rd(addr));
        if (rd(addr) != r->reset)
            differs(r, addr, "read-only, what is read after a write", rd(addr), r->reset);
    }
}

static void written_bits(void **state)
{
    (void)state;
    wrong = 0;
    for (unsigned i = 0; i < ROWS; i++) {
        if (i == 0 || rows[i].addr >> 12 != rows[i - 1].addr >> 12)
            rig_start(); /* a fresh chip for each peripheral */
        for (unsigned k = 0; k < rows[i].count && !not_modelled(rows[i].name); k++)
            check_bits(&rows[i], rows[i].addr + k * rows[i].stride);
    }
    assert_int_equal(wrong, 0);
}

/* An event can be cleared and, as on the chip, set; a task reads 0. */
static void events_and_tasks(void **state)
{
    (void)state;
    wrong = 0;
    rig_start();
    for (unsigned i = 0; i < ROWS; i++) {
        for (unsigned k = 0; k < rows[i].count && !not_modelled(rows[i].name); k++) {
            uint32_t addr = rows[i].addr + k * rows[i].stride;
            if (rows[i].kind == 't' && rd(addr) != 0)
                differs(&rows[i], addr, "a task, what is read", rd(addr), 0);
            if (rows[i].kind != 'e')
                continue;
            wr(addr, 1);
            uint32_t set = rd(addr);
            wr(addr, 0);
            if (set != 1 || rd(addr) != 0)
                differs(&rows[i], addr, "an event set, then cleared", rd(addr), 0);
        }
    }
    assert_int_equal(wrong, 0);
}

static char said[256];

static void on_note(void *ctx, const char *text)
{
    (void)ctx;
    snprintf(said, sizeof said, "%s", text);
}

static void unmodelled_said_once(void **state)
{
    (void)state;
    rig_start();
    board_on_note(rig, on_note, NULL);
    said[0] = '\0';
    assert_int_equal(rd(0x4001C500), 0);
    assert_non_null(strstr(said, "PWM0+0x500 (0x4001c500), read at pc 0x00000120"));
    said[0] = '\0';
    (void)rd(0x4001C500);
    wr(0x4001C500, 1);
    assert_string_equal(said, "");
    wr(0x40001000, 1);
    assert_non_null(strstr(said, "RADIO+0x000 (0x40001000), written"));
    wr(0x4000B5F0, 1); /* a hole in a peripheral that is modelled */
    assert_non_null(strstr(said, "RTC0+0x5f0 (0x4000b5f0), written"));
    wr(0x40035000, 1); /* no peripheral at all */
    assert_non_null(strstr(said, "(0x40035000), written"));
    assert_int_equal(unmodelled_count(), 4);
    assert_string_equal(board_unmodelled(rig, 0), "PWM0+0x500 (0x4001c500)");
    assert_null(board_unmodelled(rig, 4));
    said[0] = '\0';
    wr(0x40000C34, 2); /* offsets of errata work-arounds are taken in silence */
    (void)rd(0x4006EC00);
    for (uint32_t a = 0x40000E00; a <= 0x40000E34; a += 4) /* so are registers of older chips that start-up code writes */
        wr(a, 0xFFFFFFFF);
    wr(0x40000524, rd(0x40000524) | 3);
    assert_string_equal(said, "");
}

/* CryptoCell says that it is there, as firmware of others checks; all else of it is reported. */
static void cryptocell_is_there(void **state)
{
    (void)state;
    rig_start();
    assert_int_equal(rd(0x5002B928) >> 24, 0xF0);
    assert_int_equal(rd(0x5002BA24), 0x20E00000);
    wr(0x5002BA24, 0);
    assert_int_equal(rd(0x5002BA24), 0x20E00000);
    assert_int_equal(unmodelled_count(), 0);
    wr(0x5002B130, 1);
    assert_string_equal(board_unmodelled(rig, 0), "CRYPTOCELL+0x130 (0x5002b130)");
}

/* A channel of the PPI to a task that is not modelled is an access, too. */
static void unmodelled_by_ppi(void **state)
{
    (void)state;
    rig_start();
    wr(0x4001F510, 0x40014100); /* EGU0.TRIGGERED[0] */
    wr(0x4001F514, 0x40001010); /* RADIO.DISABLE */
    wr(0x4001F504, 1);
    assert_int_equal(unmodelled_count(), 0);
    wr(0x40014000, 1);
    assert_string_equal(board_unmodelled(rig, 0), "RADIO+0x010 (0x40001010)");
    wr(0x4001F514, 0x4000B0F0); /* no task of RTC0 */
    wr(0x40014000, 1);
    assert_string_equal(board_unmodelled(rig, 1), "RTC0+0x0f0 (0x4000b0f0)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reset_values, rig_stop),
        cmocka_unit_test_teardown(written_bits, rig_stop),
        cmocka_unit_test_teardown(events_and_tasks, rig_stop),
        cmocka_unit_test_teardown(unmodelled_said_once, rig_stop),
        cmocka_unit_test_teardown(cryptocell_is_there, rig_stop),
        cmocka_unit_test_teardown(unmodelled_by_ppi, rig_stop),
    };
    return cmocka_run_group_tests_name("registers", tests, NULL, NULL);
}
