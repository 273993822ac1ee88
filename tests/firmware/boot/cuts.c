/*
 * Power cuts over install and revert with the shipped bootloader: firmware_cuts BOARD [POINTS [ONE]].
 *
 * An image that never confirms itself is installed, and reverted at the next start. The run is done once
 * and its flash operations are noted; then again for each of POINTS of them, cut there, with what was in
 * flight on either chip left not done, done, half done or torn at random. However often power came back
 * then, an image was started, and at last the old one, bit for bit. ONE runs that operation alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/firmware/boot/rig.h"

enum { OPS_MAX = 200000, STARTS_MAX = 5, IMAGE_LEN = 24 * 1024 };

struct campaign {
    struct fw_rig rig;
    void *start[2]; /* before the install, before the revert */
    unsigned begins[2]; /* operation with which each begins */
    uint64_t first; /* operations before the install */
    unsigned ops; /* of the whole run */
    bool rare[OPS_MAX]; /* an erase, or anything on the external chip */
    uint8_t image[IMAGE_LEN]; /* the old one */
    unsigned failures;
};

static void note_operation(void *ctx, const struct board_flash_op *op)
{
    struct campaign *c = ctx;
    uint64_t n = op->number - c->first - 1;

    if (n >= OPS_MAX)
        return;
    c->rare[n] = op->erase || op->external;
    c->ops = (unsigned)n + 1;
}

/* Install and revert without a cut. */
static bool rehearse(struct campaign *c)
{
    rig_flash(&c->rig, "one");
    board_power_on(c->rig.b);
    if (!rig_run(&c->rig, "app done", 5))
        return false;
    memcpy(c->image, board_flash(c->rig.b) + RIG_SLOT0, IMAGE_LEN);
    rig_request(&c->rig, "silent");
    c->first = board_flash_ops(c->rig.b);
    board_on_flash(c->rig.b, note_operation, c);
    for (int i = 0; i < 2; i++) {
        c->begins[i] = c->ops;
        c->start[i] = malloc(board_snapshot_size(c->rig.b));
        board_snapshot(c->rig.b, c->start[i]);
        board_power_on(c->rig.b);
        if (!rig_run(&c->rig, "app done", 30))
            return false;
    }
    board_on_flash(c->rig.b, NULL, NULL);
    return rig_said(&c->rig, "app silent") && memcmp(c->image, board_flash(c->rig.b) + RIG_SLOT0, IMAGE_LEN) == 0;
}

/* Power comes back until the old image runs. */
static bool recover(struct campaign *c)
{
    for (int i = 0; i < STARTS_MAX; i++) {
        rig_clear(&c->rig);
        board_power_on(c->rig.b);
        if (!rig_run(&c->rig, "app done", 60))
            return false;
        if (rig_said(&c->rig, "app one"))
            return memcmp(c->image, board_flash(c->rig.b) + RIG_SLOT0, IMAGE_LEN) == 0;
    }
    return false;
}

/* Runs to the cut at operation n of the run, then recovers. */
static void cut_at(struct campaign *c, unsigned n, enum board_tear tear)
{
    static const char *const name[] = { "none", "all", "half", "bits" };

    board_restore(c->rig.b, c->start[n >= c->begins[1]]);
    board_cut_at(c->rig.b, c->first + n + 1, tear);
    rig_clear(&c->rig);
    board_power_on(c->rig.b);
    bool cut = !rig_run(&c->rig, "app done", 30);
    board_cut_at(c->rig.b, 0, TEAR_NONE);
    if (cut && recover(c))
        return;
    c->failures++;
    printf("operation %u of %u, %s: %s\n%s\n", n, c->ops, name[tear], cut ? "not recovered" : "was not reached", c->rig.text);
}

int main(int argc, char **argv)
{
    static struct campaign c;
    unsigned points = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 0) : 300, rare = 0, done = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: firmware_cuts BOARD [POINTS [ONE]]\n");
        return 2;
    }
    rig_open(&c.rig, argv[1], RIG_CHIP_OF_BOARD);
    if (!rehearse(&c)) {
        printf("install and revert do not even work without a cut:\n%s\n", c.rig.text);
        return 1;
    }
    for (unsigned n = 0; n < c.ops; n++)
        rare += c.rare[n];
    /*
     * Half of the points among erases and the external chip, half anywhere; in strides, so that a
     * campaign that is broken off has looked everywhere.
     */
    for (unsigned k = 0; k < points; k++) {
        unsigned i = (unsigned)((uint64_t)k * 131 % points), n = (unsigned)((uint64_t)c.ops * i / points);
        if (i % 2 == 0) {
            unsigned want = rare * i / points, seen = 0;
            for (n = 0; !(c.rare[n] && seen++ == want); n++)
                continue;
        }
        if (argc > 3)
            n = (unsigned)strtoul(argv[3], NULL, 0);
        cut_at(&c, n, (enum board_tear)((i / 2 + k) % 4));
        done++;
        if (done % 25 == 0)
            fprintf(stderr, "%u of %u, %u not recovered\n", done, points, c.failures);
    }
    printf("%s: %u cuts over install and revert (%u operations, %u of them erases or external): %u not recovered\n",
        argv[1], done, c.ops, rare, c.failures);
    rig_close(&c.rig);
    free(c.start[0]);
    free(c.start[1]);
    return c.failures != 0;
}
