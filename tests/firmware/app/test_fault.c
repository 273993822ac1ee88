/*
 * A fault in the shipped files, from the instruction to the client: it is recorded in RAM, the chip is reset,
 * the bootloader logs it, the application has it in the report, once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/firmware/app/line.h"

enum { READ = 0, SLIPWAY = 64, REPORT = 0, SLOT0 = 0xC000, SLOT0_END = 0xEE000, REASON_FAULT = 66 };
enum { PC = 15, MSP = 17, NOWHERE = 0x30000000, HARD_FAULT = 3, NONE = 0xFF };
/* CFSR */
enum { IBUSERR = 1 << 8, STKERR = 1 << 12, UNDEFINSTR = 1 << 16 };

struct fault {
    unsigned slot, pc, cfsr, exception;
};

/* On until the application is there again; what the bootloader said of a fault. False: nothing. */
static bool restarted(struct line *l, struct fault *f)
{
    for (int i = 0; i < 3000 && !strstr(l->said, "slipway-app "); i++)
        line_run_ms(l, 1);
    if (!strstr(l->said, "slipway-app "))
        fail_msg("no application within 3 s; it said: %s", l->said);
    line_run_ms(l, 10);
    const char *at = strstr(l->said, "@slw 42 ");
    return at && sscanf(at, "@slw 42 %x %x %x %x", &f->slot, &f->pc, &f->cfsr, &f->exception) == 4;
}

static void forget(struct line *l)
{
    l->said_len = 0;
    l->said[0] = 0;
}

static const char *report(struct line *l)
{
    struct cborkit c;

    ck_map(&c, 0);
    return line_ask(l, READ, SLIPWAY, REPORT, &c);
}

/* As the report has it; slot NONE: it names none. */
static void expect_reported(struct line *l, const struct fault *f)
{
    char want[100], slot[20] = "";

    if (f->slot != NONE)
        snprintf(slot, sizeof slot, "\"slot\":%u,", f->slot);
    snprintf(want, sizeof want, "{\"r\":%u,%s\"f\":%u,\"e\":%u,\"w\":%u}", (unsigned)REASON_FAULT, slot, f->pc, f->cfsr,
        f->exception);
    const char *text = report(l);
    if (!strstr(text, want))
        fail_msg("%s is not in the report: %s", want, text);
}

/* The next reset is one like any other. */
static void expect_forgotten(struct line *l)
{
    struct fault f;

    forget(l);
    line_type(l, "reset\r");
    assert_false(restarted(l, &f));
    const char *text = report(l);
    if (strstr(text, "\"r\":66,"))
        fail_msg("reported again: %s", text);
}

static void open_line(struct line *l)
{
    line_open(l, "nrf52840dk", "mx25r6435f");
    line_start(l);
    line_run_ms(l, 50);
    forget(l);
}

static void an_application_that_comes_to_a_fault(void **state)
{
    struct line l;
    struct fault f;

    (void)state;
    open_line(&l);
    line_type(&l, "crash\r");
    assert_true(restarted(&l, &f));
    assert_in_range(f.pc, SLOT0 + 0x200, SLOT0_END);
    assert_int_equal(f.cfsr, UNDEFINSTR);
    assert_int_equal(f.exception, HARD_FAULT);
    f.slot = 0;
    expect_reported(&l, &f);
    forget(&l);
    line_type(&l, "boot\r");
    line_run_ms(&l, 100);
    assert_non_null(strstr(l.said, "@slw 42 0 "));
    expect_forgotten(&l);
    line_close(&l);
}

/* It jumps to where nothing is, in the middle of its sleep. */
static void a_jump_to_nowhere(void **state)
{
    struct line l;
    struct fault f;

    (void)state;
    open_line(&l);
    board_set_reg(l.b, PC, NOWHERE);
    assert_true(restarted(&l, &f));
    assert_int_equal(f.pc, NOWHERE);
    assert_int_equal(f.cfsr, IBUSERR);
    expect_reported(&l, &(struct fault) { 0, f.pc, f.cfsr, f.exception });
    line_close(&l);
}

/* Its stack has run out of RAM: there is no frame to be read, and all the same a record. */
static void a_stack_outside_of_memory(void **state)
{
    struct line l;
    struct fault f;

    (void)state;
    open_line(&l);
    board_set_reg(l.b, MSP, 0x20000010 - 0x40);
    line_type(&l, "x");
    assert_true(restarted(&l, &f));
    assert_true(f.cfsr & STKERR);
    assert_int_equal(f.pc, 0);
    expect_reported(&l, &(struct fault) { 0, f.pc, f.cfsr, f.exception });
    line_close(&l);
}

/* In the middle of the signature check, and the start after it is a start like any other. */
static void a_bootloader_that_comes_to_a_fault(void **state)
{
    struct line l;
    struct fault f;

    (void)state;
    open_line(&l);
    board_power_on(l.b);
    line_run_ms(&l, 200);
    forget(&l);
    board_set_reg(l.b, PC, NOWHERE);
    assert_true(restarted(&l, &f));
    assert_int_equal(f.pc, NOWHERE);
    expect_reported(&l, &(struct fault) { NONE, f.pc, f.cfsr, f.exception });
    expect_forgotten(&l);
    line_close(&l);
}

/* RAM at power-on is noise, which is not believed. */
static void no_fault_at_power_on(void **state)
{
    struct line l;
    struct fault f;

    (void)state;
    open_line(&l);
    for (int i = 0; i < 3; i++) {
        forget(&l);
        board_power_on(l.b);
        assert_false(restarted(&l, &f));
    }
    line_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_that_comes_to_a_fault),
        cmocka_unit_test(a_jump_to_nowhere),
        cmocka_unit_test(a_stack_outside_of_memory),
        cmocka_unit_test(a_bootloader_that_comes_to_a_fault),
        cmocka_unit_test(no_fault_at_power_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
