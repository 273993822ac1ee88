/*
 * Power fails at every flash operation of an upload, torn in every way; then the client comes back
 * with the same file. It must end with exactly that image in slot 1, complete and verified, whatever
 * the operations in flight left. A second cut in the resumed upload, at random places.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/smp/groups/img.h"
#include "tests/support/smprig.h"

enum { A_LEN = 6000, B_LEN = 3 * 4096 + 1000, CHUNK = 512 };

static struct smprig s;
static uint8_t *a, *b;

static void power_up(void)
{
    sim_power_up(&s.rig.power);
    s.rig.internal.busy = s.rig.external.busy = false;
    smprig_start(&s, false);
}

/* The client's upload; background work runs between chunks, as it does while a client thinks. */
static bool upload(bool idle)
{
    uint32_t off = 0;
    unsigned next;

    while (off < B_LEN) {
        const char *text = smprig_send(&s, b, B_LEN, off, off + 1, CHUNK);
        if (sscanf(text, "{\"off\":%u", &next) != 1 || next <= off || s.rig.power.off)
            return false;
        off = next;
        if (idle)
            smprig_run(&s);
    }
    return s.service.up.state == UPLOAD_DONE;
}

static void prepare(uint64_t seed)
{
    uint8_t *old = malloc(s.rig.layout.slot1.size);

    s.rig.power.seed = seed;
    s.rig.power.cut_at = 0;
    /* all of it has to be erased */
    memset(old, 0x5A, s.rig.layout.slot1.size);
    rig_load(&s.rig, 1, 0, old, s.rig.layout.slot1.size);
    free(old);
    power_up();
}

static void check(const char *plan, bool idle)
{
    if (!upload(idle))
        fail_msg("%s: the upload after it did not complete: reason %u", plan, s.service.up.why.reason);
    if (memcmp(rig_slot(&s.rig, 1), b, B_LEN) != 0)
        fail_msg("%s: slot 1 holds something else", plan);
    /* what a next power-up reads is settled as well */
    for (int i = 0; i < 3; i++) {
        power_up();
        if (memcmp(rig_slot(&s.rig, 1), b, B_LEN) != 0)
            fail_msg("%s: slot 1 reads differently later", plan);
    }
}

static void run_cut(uint64_t n, enum sim_tear tear, bool idle, uint64_t second)
{
    char plan[80];

    snprintf(plan, sizeof plan, "cut %llu %s%s, then %llu", (unsigned long long)n,
        sim_tear_name(tear), idle ? " with idle" : "", (unsigned long long)second);
    prepare(n * 7 + second + 1);
    sim_power_cut_at(&s.rig.power, s.rig.power.ops + n, tear);
    if (upload(idle) || !s.rig.power.off) {
        power_up();
        return;
    }
    power_up();
    if (second) {
        sim_power_cut_at(&s.rig.power, s.rig.power.ops + second, tear);
        (void)upload(idle);
        power_up();
    }
    s.rig.power.cut_at = 0;
    check(plan, idle);
}

static uint64_t count_ops(bool idle)
{
    prepare(1);
    uint64_t before = s.rig.power.ops;
    assert_true(upload(idle));
    return s.rig.power.ops - before;
}

static void test_every_cut(void **state)
{
    uint64_t n = count_ops(false);

    (void)state;
    assert_true(n > 60);
    for (uint64_t i = 1; i <= n; i++) {
        for (int tear = 0; tear < SIM_TEARS; tear++)
            run_cut(i, (enum sim_tear)tear, false, 0);
    }
}

static void test_cuts_with_work_in_the_background(void **state)
{
    uint64_t n = count_ops(true);

    (void)state;
    for (uint64_t i = 1; i <= n; i += 2)
        run_cut(i, (enum sim_tear)(i / 2 % SIM_TEARS), true, 0);
}

static void test_two_cuts(void **state)
{
    uint64_t n = count_ops(false);

    (void)state;
    srand(3);
    for (int i = 0; i < 150; i++)
        run_cut(1 + (uint64_t)rand() % n, (enum sim_tear)(i % SIM_TEARS), i & 1, 1 + (uint64_t)rand() % n);
}

static int setup(void **state)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5 };

    (void)state;
    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &oa, A_LEN);
    b = testimage_make(&s.rig.key, &ob, B_LEN);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(s.rig.internal_chip.violations, 0);
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
    free(a);
    free(b);
    smprig_close(&s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_cuts_with_work_in_the_background),
        cmocka_unit_test(test_two_cuts),
    };
    return cmocka_run_group_tests_name("upload, torn", tests, setup, teardown);
}
