/*
 * The shipped bootloader and an external chip that fails in the middle of a swap: firmware_hostile BOARD [POINTS
 * [KIND]].
 *
 * At each of POINTS of the chip's operations of an install it becomes busy for ever, dies, or begins to leave a bit
 * of what it programs or erases. The bootloader must come to an end within a minute, with an image started or in
 * recovery, and say which it was on the UART and, to an image, in the report; with a chip that works again and
 * the same contents, the new image runs, bit for bit. Then: the chip alone keeps its power while the processor is
 * reset in each of these operations, and a chip that is found in QPI. KIND runs one of them alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/firmware/boot/rig.h"

enum { IMAGE_LEN = 24 * 1024, KINDS = 5 };

static const struct {
    const char *name;
    enum board_chip_fault fault;
    unsigned reason[2]; /* one of them is said */
} kinds[KINDS] = {
    { "busy", CHIP_BUSY, { REASON_EXT_BUSY, REASON_EXT_BUSY } },
    { "ones", CHIP_ONES, { REASON_EXT_ABSENT, REASON_EXT_ABSENT } },
    { "zeros", CHIP_ZEROS, { REASON_EXT_ABSENT, REASON_EXT_ERASE } },
    { "bad-program", CHIP_BAD_PROGRAM, { REASON_EXT_PROGRAM, REASON_EXT_PROGRAM } },
    { "bad-erase", CHIP_BAD_ERASE, { REASON_EXT_ERASE, REASON_EXT_PROGRAM } },
};

static struct fw_rig rig;
static const char *board;
static void *start; /* off, with image one and a request for image two */
static uint8_t image_two[IMAGE_LEN];
static unsigned failures;

static void failed(const char *kind, uint64_t n, const char *what)
{
    failures++;
    printf("%s, operation %u, %s: %s\n%s\n%s\n", kind, (unsigned)n, board, what, rig.text, board_why(rig.b));
}

static void power_up(void)
{
    rig_clear(&rig);
    board_power_on(rig.b);
}

/* True when an image has started; false in recovery, or, *end false, when a minute is over. */
static bool boot(bool *end)
{
    uint64_t until = board_now(rig.b) + 60ull * BOARD_CYCLES_PER_S;
    while (board_now(rig.b) < until && !rig_said(&rig, "app done") && !rig_said(&rig, "@slw 66 ff"))
        (void)rig_run(&rig, "\n", 60);
    *end = board_now(rig.b) < until;
    return rig_said(&rig, "app done");
}

static bool two_runs(void)
{
    bool end;
    return boot(&end) && rig_said(&rig, "app two") && memcmp(board_flash(rig.b) + RIG_SLOT0, image_two, IMAGE_LEN) == 0;
}

static bool names_it(unsigned kind, bool started)
{
    static struct handover over;
    bool said = false, reported = !started;
    for (unsigned i = 0; i < 2; i++) {
        char line[32];
        unsigned reason = kinds[kind].reason[i];
        snprintf(line, sizeof line, "@slw %x 1 ", reason);
        said = said || rig_said(&rig, line);
        reported = reported || (rig_handover(&rig, &over) && rig_found(&over, reason));
    }
    return said && reported;
}

static void fail_at(unsigned kind, uint64_t n)
{
    bool end;
    board_restore(rig.b, start);
    board_external_fault(rig.b, kinds[kind].fault, board_external_ops(rig.b) + n);
    power_up();
    bool started = boot(&end);
    if (!end)
        failed(kinds[kind].name, n, "neither an image nor recovery within a minute");
    else if (!(started && rig_said(&rig, "app two")) && !names_it(kind, started)) /* a bit that was left may not matter */
        failed(kinds[kind].name, n, "it is not said what was wrong");
    board_external_fault(rig.b, CHIP_GOOD, 0);
    power_up();
    if (!two_runs())
        failed(kinds[kind].name, n, "with a good chip again the new image does not run");
}

static uint64_t reset_in;

static void note_operation(void *ctx, const struct board_flash_op *op)
{
    struct fw_rig *r = ctx;
    if (op->external && board_external_ops(r->b) == reset_in)
        board_stop(r->b);
}

/* The processor is reset; the chip goes on with what it does. */
static void reset_at(uint64_t n)
{
    board_restore(rig.b, start);
    reset_in = board_external_ops(rig.b) + n;
    board_on_flash(rig.b, note_operation, &rig);
    rig_clear(&rig);
    board_power_on(rig.b);
    uint64_t until = board_now(rig.b) + 60ull * BOARD_CYCLES_PER_S;
    (void)board_run(rig.b, until);
    board_on_flash(rig.b, NULL, NULL);
    if (board_external_ops(rig.b) != reset_in || board_now(rig.b) >= until)
        failed("reset", n, "the operation was not reached");
    rig_clear(&rig);
    board_reset_pin(rig.b);
    if (!two_runs())
        failed("reset", n, "the new image does not run");
}

/* An application has left it in QPI and reset itself; only a reset on four lines, by hand, is heard. */
static void found_in_qpi(void)
{
    bool end;
    rig_close(&rig);
    rig_open(&rig, board, RIG_CHIP_WITH_QPI);
    rig_flash(&rig, "qpi");
    power_up();
    if (!boot(&end) || !rig_said(&rig, "app qpi"))
        failed("qpi", 0, "the application that sets QPI does not start");
    rig_request(&rig, "two");
    rig_clear(&rig);
    if (!two_runs())
        failed("qpi", 0, "no swap after it");
}

/* The install without a fault: the chip's operations. */
static uint64_t rehearse(void)
{
    rig_open(&rig, board, RIG_CHIP_OF_BOARD);
    size_t size;
    rig_flash(&rig, "one");
    rig_request(&rig, "two");
    memcpy(image_two, board_external(rig.b, &size), IMAGE_LEN);
    start = malloc(board_snapshot_size(rig.b));
    board_snapshot(rig.b, start);
    uint64_t before = board_external_ops(rig.b);
    power_up();
    if (!two_runs()) {
        printf("the install does not even work with a good chip:\n%s\n", rig.text);
        exit(1);
    }
    return board_external_ops(rig.b) - before;
}

int main(int argc, char **argv)
{
    unsigned points = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 12, done = 0;
    const char *only = argc > 3 ? argv[3] : NULL;

    if (argc < 2) {
        fprintf(stderr, "usage: firmware_hostile BOARD [POINTS [KIND]]\n");
        return 2;
    }
    board = argv[1];
    uint64_t ops = rehearse();
    for (unsigned kind = 0; kind <= KINDS; kind++) {
        if (only && strcmp(only, kind < KINDS ? kinds[kind].name : "reset"))
            continue;
        for (unsigned i = 0; i < points; i++, done++) { /* each kind at its own places */
            uint64_t n = 1 + (ops - 1) * (2 * i + 1) / (2 * points) * (kind + 8) / (KINDS + 8);
            if (kind < KINDS)
                fail_at(kind, n);
            else
                reset_at(n);
        }
    }
    if (!only || !strcmp(only, "qpi"))
        found_in_qpi();
    printf("%s: a chip that fails or is left alone at %u places of an install of %u operations, and one in QPI: %u failures\n",
        board, done, (unsigned)ops, failures);
    rig_close(&rig);
    free(start);
    return failures != 0;
}
