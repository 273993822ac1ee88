/*
 * The same run is the same run: three times, in slices, from snapshots at 100 places, with its power cut
 * at every flash operation in every way of tearing.
 *
 *     test_replay FLASH.hex
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "board/board.h"

enum { OPS_MAX = 200, END = BOARD_CYCLES_PER_S / 2 };

static const char *hex_path;
static char out[4096];
static size_t out_len;

struct op {
    uint32_t addr, len;
    bool external, erase;
};
static struct op ops[OPS_MAX];
static unsigned op_count;

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    (void)ctx;
    (void)uart;
    for (size_t i = 0; i < len && out_len < sizeof out; i++)
        out[out_len++] = (char)data[i];
}

static void on_flash(void *ctx, const struct board_flash_op *op)
{
    (void)ctx;
    if (op_count < OPS_MAX)
        ops[op_count++] = (struct op){ op->addr, op->len, op->external, op->erase };
    assert_int_equal(op->number, op_count);
}

static struct board *board_with_firmware(uint32_t seed, bool hash)
{
    static char text[1 << 20];
    struct board_config config = { .qspi = nor_part_find("mx25r6435f"), .seed = seed };
    char err[200];
    FILE *f = fopen(hex_path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    struct board *b = board_new(&config);
    assert_non_null(b);
    assert_int_equal(board_load_hex(b, text, n, err, sizeof err), 0);
    board_on_uart(b, on_uart, NULL);
    size_t size;
    uint8_t *external = board_external(b, &size);
    for (uint32_t i = 0; i < 0x4000; i++) { /* something that erases and programs change */
        external[i] = (uint8_t)(i * 151u >> 3);
        if (i < 0x2000)
            board_flash(b)[0x80000 + i] = (uint8_t)(i * 101u >> 2);
    }
    if (hash)
        board_hash_start(b);
    board_power_on(b);
    assert_int_equal(board_uart_input(b, 0, (const uint8_t *)"recorded input", 14), 14);
    out_len = 0;
    return b;
}

static void three_times(void **state)
{
    uint64_t hash[5], insns[5];
    char first[sizeof out];
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct board *b = board_with_firmware(i == 4 ? 2 : 1, true);
        if (i == 3) /* in slices, as with a live client */
            for (uint64_t t = 0; t < END; t += 77777)
                assert_int_equal(board_run(b, t), BOARD_RUNS);
        assert_int_equal(board_run(b, END), BOARD_RUNS);
        hash[i] = board_hash(b);
        insns[i] = board_insns(b);
        if (i == 0)
            memcpy(first, out, sizeof first);
        if (i < 4)
            assert_memory_equal(out, first, out_len);
        board_free(b);
    }
    assert_non_null(memmem(first, sizeof first, "done", 4));
    assert_int_equal(hash[0], hash[1]);
    assert_int_equal(hash[0], hash[2]);
    assert_int_equal(hash[0], hash[3]);
    assert_int_equal(insns[0], insns[3]);
    assert_int_not_equal(hash[0], hash[4]); /* another seed is another run */
}

static uint64_t digest(const uint8_t *p, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i + 8 <= n; i += 8) {
        uint64_t v;
        memcpy(&v, p + i, 8);
        h = (h ^ v) * 0x9E3779B97F4A7C15ull;
    }
    return h;
}

/* Of all memories. */
static uint64_t memories(struct board *b)
{
    size_t size;
    const uint8_t *external = board_external(b, &size);
    return digest(board_flash(b), BOARD_FLASH_SIZE) * 3 + digest(board_ram(b), BOARD_RAM_SIZE) * 5
        + digest(board_uicr(b), BOARD_UICR_SIZE) * 7 + digest(external, 65536) * 11;
}

static void spoil(struct board *b)
{
    size_t size;
    board_flash(b)[0x500] ^= 1;
    board_ram(b)[0x3F000] ^= 1;
    board_uicr(b)[0x80] ^= 1;
    board_external(b, &size)[0x5000] ^= 1;
    board_contents_changed(b);
}

/* At each place: the rest of the run is the same after a restore, and on another board restored from it. */
static void from_snapshots(void **state)
{
    (void)state;
    struct board *b = board_with_firmware(1, true), *other = board_with_firmware(7, true);
    void *start = malloc(board_snapshot_size(b)), *there = malloc(board_snapshot_size(b));
    uint32_t random = 12345;
    assert_non_null(start);
    assert_non_null(there);
    board_snapshot(b, start);
    assert_int_equal(board_run(b, END), BOARD_RUNS);
    uint64_t hash = board_hash(b), contents = memories(b);
    for (unsigned i = 0; i < 100; i++) {
        random = random * 1664525u + 1013904223u;
        board_restore(b, start);
        assert_int_equal(board_run(b, random % END), BOARD_RUNS);
        board_snapshot(b, there);
        struct board *next = i % 4 == 0 ? other : b;
        if (i % 4)
            (void)board_run(b, END); /* spoil it */
        spoil(next);
        board_restore(next, there);
        assert_int_equal(board_run(next, END), BOARD_RUNS);
        assert_int_equal(board_hash(next), hash);
        assert_int_equal(memories(next), contents);
    }
    free(start);
    free(there);
    board_free(other);
    board_free(b);
}

/* What the torn range may be: each bit as it was or as it should have become; NONE and ALL are exact. */
static void check_torn(const uint8_t *before, const uint8_t *after, const uint8_t *torn, const struct op *o, enum board_tear tear)
{
    unsigned changed = 0, left = 0;
    for (uint32_t i = 0; i < o->len; i++) {
        assert_int_equal((torn[i] ^ before[i]) & ~(before[i] ^ after[i]), 0);
        changed += torn[i] != before[i];
        left += torn[i] != after[i];
    }
    if (tear == TEAR_NONE)
        assert_int_equal(changed, 0);
    if (tear == TEAR_ALL)
        assert_int_equal(left, 0);
    if (tear == TEAR_HALF && o->len > 64 && o->erase)
        assert_memory_equal(torn + o->len / 2, before + o->len / 2, o->len / 2);
}

static uint8_t *chip(struct board *b, const struct op *o)
{
    size_t n;
    return (o->external ? board_external(b, &n) : board_flash(b)) + o->addr;
}

/* From `start` into the cut at operation n. */
static void run_into_cut(struct board *b, const void *start, unsigned n, int tear)
{
    board_restore(b, start);
    board_cut_at(b, n, (enum board_tear)tear);
    assert_int_equal(board_run(b, END), BOARD_CUT);
    assert_int_equal(board_flash_ops(b), n);
}

static void one_cut(struct board *b, const void *start, unsigned n)
{
    static uint8_t before[4096], after[4096];
    const struct op *o = &ops[n - 1];
    size_t size;
    uint8_t *external = board_external(b, &size);
    run_into_cut(b, start, n, TEAR_NONE);
    assert_non_null(strstr(board_why(b), "flash operation"));
    memcpy(before, chip(b, o), o->len);
    run_into_cut(b, start, n, TEAR_ALL);
    memcpy(after, chip(b, o), o->len);
    for (int tear = TEAR_NONE; tear <= TEAR_BITS; tear++) {
        uint64_t seen[2][3];
        for (unsigned again = 0; again < 2; again++) {
            run_into_cut(b, start, n, tear);
            seen[again][0] = board_now(b);
            seen[again][1] = digest(board_flash(b), BOARD_FLASH_SIZE);
            seen[again][2] = digest(external, 65536);
        }
        assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
        check_torn(before, after, chip(b, o), o, (enum board_tear)tear);
    }
}

static void cut_everywhere(void **state)
{
    (void)state;
    struct board *b = board_with_firmware(1, false);
    void *start = malloc(board_snapshot_size(b));
    assert_non_null(start);
    board_snapshot(b, start);
    op_count = 0;
    board_on_flash(b, on_flash, NULL);
    assert_int_equal(board_run(b, END), BOARD_RUNS);
    board_on_flash(b, NULL, NULL);
    assert_int_equal(op_count, 4 * (1 + 4 + 1 + 16)); /* of both chips */
    for (unsigned n = 1; n <= op_count; n += n < 22 ? 1 : 4)
        one_cut(b, start, n);
    board_power_on(b); /* the next power-up works, whatever was left */
    assert_int_equal(board_run(b, board_now(b) + END), BOARD_RUNS);
    free(start);
    board_free(b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_times),
        cmocka_unit_test(from_snapshots),
        cmocka_unit_test(cut_everywhere),
    };
    if (argc < 2)
        return 2;
    hex_path = argv[1];
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
