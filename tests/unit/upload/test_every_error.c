/*
 * Each call of a flash driver fails once in turn, on either chip, during an upload, a list, a request
 * and an erase. Every request is answered, what runs is untouched, and once the chip works again the
 * same upload succeeds without a reset.
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
#include "core/smp/groups/slipway.h"
#include "tests/support/smprig.h"

enum { A_LEN = 6000, B_LEN = 9000, TAIL = 4 + 36 + 36 + 76, CHUNK = 1000 };

struct flaky {
    const struct flash_ops *ops;
    void *ctx;
    unsigned calls;
    unsigned fail_at; /* 0: never */
};

static bool fails(struct flaky *f)
{
    return ++f->calls == f->fail_at;
}

static int flaky_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    struct flaky *f = ctx;
    return fails(f) ? ERR_IO : f->ops->read(f->ctx, off, buf, len);
}

static int flaky_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct flaky *f = ctx;
    return fails(f) ? ERR_IO : f->ops->prog_start(f->ctx, off, data, len);
}

static int flaky_erase(void *ctx, uint32_t off)
{
    struct flaky *f = ctx;
    return fails(f) ? ERR_IO : f->ops->erase_start(f->ctx, off);
}

/* An operation that fails is over. */
static int flaky_poll(void *ctx)
{
    struct flaky *f = ctx;
    int err = f->ops->poll(f->ctx);

    if (err != OK || !fails(f))
        return err;
    return ERR_IO;
}

static int flaky_probe(void *ctx, uint32_t *jedec)
{
    struct flaky *f = ctx;
    return fails(f) ? ERR_NODEV : f->ops->probe(f->ctx, jedec);
}

static uint32_t flaky_now(void *ctx)
{
    struct flaky *f = ctx;
    return f->ops->now_ms(f->ctx);
}

static const struct flash_ops flaky_ops = { .read = flaky_read, .prog_start = flaky_prog, .erase_start = flaky_erase,
    .poll = flaky_poll, .probe = flaky_probe, .now_ms = flaky_now };

static struct smprig s;
static struct flaky flaky[2];
static uint8_t *a, *b;

static void wrap(struct flaky *f, struct flash_dev *dev)
{
    *f = (struct flaky) { .ops = dev->ops, .ctx = dev->ctx };
    dev->ops = &flaky_ops;
    dev->ctx = f;
}

static const char *state_write(bool confirm)
{
    struct cborkit c;

    ck_map(&c, 2);
    ck_bool(&c, "confirm", confirm);
    ck_bytes(&c, "hash", b + B_LEN - TAIL + 8, 32);
    return smprig_ask(&s, SMP_OP_WRITE, 1, SMP_IMG_STATE, &c);
}

/* What a client may do in a session; refusals are as good as successes, silence is not. */
static void scenario(void)
{
    smprig_upload(&s, b, B_LEN, CHUNK);
    smprig_run(&s);
    smprig_ask(&s, SMP_OP_READ, 1, SMP_IMG_STATE, NULL);
    smprig_ask(&s, SMP_OP_READ, 64, SLIPWAY_SLOTS, NULL);
    smprig_ask(&s, SMP_OP_READ, 64, SLIPWAY_REPORT, NULL);
    smprig_ask(&s, SMP_OP_READ, 64, SLIPWAY_FLASH, NULL);
    smprig_ask(&s, SMP_OP_READ, 1, SMP_IMG_SLOTS, NULL);
    state_write(false);
    state_write(true);
    smprig_ask(&s, SMP_OP_WRITE, 1, SMP_IMG_ERASE, NULL);
    smprig_run(&s);
}

static void start(void)
{
    /* a cut-off upload that can be resumed lies there */
    memset(s.rig.external_chip.mem, 0xFF, s.rig.layout.slot1.size);
    smprig_start(&s, false);
    smprig_send(&s, b, B_LEN, 0, 5000, CHUNK);
    smprig_start(&s, false);
}

static void fail_each(unsigned chip)
{
    start();
    flaky[chip].calls = flaky[chip].fail_at = 0;
    scenario();
    unsigned n = flaky[chip].calls;
    assert_true(n > 20);
    for (unsigned i = 1; i <= n; i++) {
        start();
        flaky[chip].calls = 0;
        flaky[chip].fail_at = i;
        scenario();
        flaky[chip].fail_at = 0;
        const char *text = smprig_upload(&s, b, B_LEN, CHUNK);
        if (strcmp(text, "{\"off\":9000,\"match\":true}") != 0)
            fail_msg("chip %u, call %u of %u: %s", chip, i, n, text);
        text = state_write(true);
        if (!strstr(text, "\"permanent\":true"))
            fail_msg("chip %u, call %u of %u: %s", chip, i, n, text);
        assert_memory_equal(rig_slot(&s.rig, 1), b, B_LEN);
    }
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
}

static void test_external(void **state)
{
    (void)state;
    fail_each(1);
}

static void test_internal(void **state)
{
    (void)state;
    fail_each(0);
}

static int setup(void **state)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5 };

    (void)state;
    l.slot0.size = 16 * 4096;
    l.slot1.size = 20 * 4096;
    l.hash = layout_hash(&l);
    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &oa, A_LEN);
    b = testimage_make(&s.rig.key, &ob, B_LEN);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
    wrap(&flaky[0], &s.rig.internal);
    wrap(&flaky[1], &s.rig.external);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(s.rig.internal_chip.violations, 0);
    free(a);
    free(b);
    smprig_close(&s);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_external),
        cmocka_unit_test(test_internal),
    };
    return cmocka_run_group_tests_name("every error", tests, setup, teardown);
}
