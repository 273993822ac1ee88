/* The rules: what must hold at every moment, and at every start of an image (as tests/model has them). */
#include <string.h>

#include "tests/powerloss/bench.h"

void promise_begin(struct bench *b)
{
    struct promise *pr = &b->w.pr;

    *pr = (struct promise) { .good = 0, .neu = NONE };
    if (b->c->extra & X_MCUBOOT) {
        pr->neu = 1;
        pr->req = SURE;
        pr->may_kind = KIND_TEST;
        pr->booted = pr->fails = pr->may_fails = 1;
    }
}

void promise_request(struct bench *b, unsigned image)
{
    struct promise *pr = &b->w.pr;

    pr->neu = (uint8_t)image;
    pr->req = MAYBE;
    pr->may_kind = KIND_TEST;
}

void promise_over(struct bench *b)
{
    const struct promise *pr = &b->w.pr;

    b->w.pr = (struct promise) { .good = pr->good, .neu = NONE, .tampered = pr->tampered };
}

static uint32_t slot_off(const struct bench *b, unsigned slot)
{
    return slot == 0 ? b->layout.slot0.off : b->layout.slot1.off;
}

/* Unit i of the image lies solid and right at that unit of the slot; bytes behind its end are free. */
static bool solid_unit(const struct bench *b, unsigned slot, unsigned unit, unsigned image, unsigned i)
{
    const struct pl_image *im = &b->image[image];
    uint32_t room = slot == 0 ? b->layout.slot0.size : b->layout.slot1.size;
    uint32_t off = slot_off(b, slot) + unit * UNIT, len = im->len - i * UNIT < UNIT ? im->len - i * UNIT : UNIT;

    if ((unit + 1) * UNIT > room - UNIT)
        return false;
    return memcmp(b->chip[slot].mem + off, im->data + (size_t)i * UNIT, len) == 0
        && !nor_is_weak(&b->chip[slot], off, len);
}

static bool recoverable(const struct bench *b, unsigned image)
{
    for (unsigned i = 0; i < b->image[image].units; i++)
        if (!solid_unit(b, 0, i, image, i) && !solid_unit(b, 1, i, image, i)
            && !solid_unit(b, 1, i + 1, image, i) && !solid_unit(b, 1, i + 2, image, i))
            return false;
    return true;
}

void check_state(struct bench *b)
{
    const struct promise *pr = &b->w.pr;

    if (!recoverable(b, pr->good))
        bad(b, "the confirmed image is lost: a unit of it is nowhere solid");
    if (pr->neu != NONE && pr->req == SURE && !pr->damaged && !recoverable(b, pr->neu))
        bad(b, "the requested image is lost: a unit of it is nowhere solid");
}

bool solid_in_s(const struct bench *b, unsigned image, unsigned unit_off)
{
    for (unsigned i = 0; i < b->image[image].units; i++)
        if (!solid_unit(b, 1, unit_off + i, image, i))
            return false;
    return true;
}

int image_in_p(const struct bench *b)
{
    for (int x = 0; x < IMAGES; x++) {
        const struct pl_image *im = &b->image[x];
        if (memcmp(b->chip[INTERNAL].mem + b->layout.slot0.off, im->data, im->len) == 0)
            return x;
    }
    return NONE;
}

static bool same_image(const struct bench *b, unsigned x, unsigned y)
{
    if (x == NONE || y == NONE || b->image[x].len != b->image[y].len)
        return false;
    return memcmp(b->image[x].data, b->image[y].data, b->image[x].len) == 0;
}

/* ---- trailers, as an application sees them --------------------------------------------------------- */

enum flag { F_BLANK, F_SET, F_BAD };
struct flags {
    enum flag magic, image_ok, copy_done;
};

static enum flag flag_at(const uint8_t *p)
{
    return *p == 0xFF ? F_BLANK : *p == 0x01 ? F_SET : F_BAD;
}

static struct flags flags_of(const struct bench *b, unsigned slot)
{
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50,
        0x0f, 0x2c, 0xb6, 0x79, 0x80 };
    uint8_t blank[16];
    uint32_t size = slot == 0 ? b->layout.slot0.size : b->layout.slot1.size;
    const uint8_t *end = b->chip[slot].mem + slot_off(b, slot) + size;

    memset(blank, 0xFF, sizeof blank);
    return (struct flags) {
        .magic = memcmp(end - 16, magic, 16) == 0 ? F_SET : memcmp(end - 16, blank, 16) == 0 ? F_BLANK : F_BAD,
        .image_ok = flag_at(end - 24),
        .copy_done = flag_at(end - 32),
    };
}

static bool trailer_weak(const struct bench *b, unsigned slot)
{
    uint32_t size = slot == 0 ? b->layout.slot0.size : b->layout.slot1.size;

    return nor_is_weak(&b->chip[slot], slot_off(b, slot) + size - 32, 32);
}

/* ---- starts ---------------------------------------------------------------------------------------- */

static const char *check_trial(struct bench *b)
{
    struct promise *pr = &b->w.pr;
    struct flags f = flags_of(b, 0);

    if (!(pr->may_kind & KIND_TEST))
        return "a permanent request was installed as a test";
    if (b->w.step < ACTS_MAX && b->c->act[b->w.step] == ACT_PERM_B) /* cut before it became permanent */
        b->w.astray = 1;
    pr->may_kind = KIND_TEST;
    if (pr->confirm == SURE)
        return "a confirmed image is on trial again";
    if (pr->fails >= b->c->attempts && !pr->degraded)
        return "an image without attempts left was started again";
    if (pr->fails < b->c->attempts)
        pr->fails++;
    if (pr->revreq == SURE && !b->dead)
        return "a request to revert was ignored";
    if (!solid_in_s(b, pr->good, 0) && !solid_in_s(b, pr->good, 1) && !solid_in_s(b, pr->good, 2))
        return "on trial without a solid copy of the old image in slot 1";
    if (f.magic != F_SET || f.copy_done != F_SET || f.image_ok != F_BLANK || trailer_weak(b, 0))
        return "slot 0's trailer is not what an application on trial expects";
    pr->booted = 1;
    return NULL;
}

static const char *check_accepted(struct bench *b)
{
    struct promise *pr = &b->w.pr;

    if (!(pr->may_kind & KIND_PERM) && pr->confirm == NO)
        return "an unconfirmed image was taken as confirmed";
    pr->good = pr->neu;
    promise_over(b);
    return NULL;
}

static const char *check_returned(struct bench *b)
{
    struct promise *pr = &b->w.pr;

    if (b->trial)
        return "the confirmed image was started on trial";
    if (pr->req == MAYBE)
        return NULL; /* in flight at the cut: not taken, or not yet */
    if (b->dead && !pr->booted) {
        pr->degraded = 1;
        return NULL; /* cannot be acted upon: reported */
    }
    if (!(pr->may_kind & KIND_TEST) && !pr->damaged)
        return "a permanent request was not acted upon";
    if (pr->confirm == SURE)
        return "a confirmed image was reverted";
    if (!pr->booted && !pr->damaged)
        return "an image that was never started was given up";
    if (pr->may_fails < b->c->attempts && pr->revreq == NO && !pr->damaged)
        return "an image with attempts left was reverted";
    b->w.astray = 1;
    promise_over(b);
    return NULL;
}

/* Identical images are told apart by the request. */
static const char *check_identical(struct bench *b)
{
    struct flags s = flags_of(b, 1);

    if (s.magic == F_BLANK && !trailer_weak(b, 1))
        promise_over(b);
    else if (b->w.pr.req == SURE && !b->dead)
        return "a request was not acted upon";
    return NULL;
}

/* After somebody flashed P any whole image is right, until no request is left over from before. */
static const char *check_tampered(struct bench *b)
{
    struct promise *pr = &b->w.pr;

    if (!b->trial && flags_of(b, 1).magic == F_BLANK && !trailer_weak(b, 1))
        pr->tampered = 2;
    if (!b->trial) {
        pr->good = (uint8_t)b->running;
        promise_over(b);
        return NULL;
    }
    pr->neu = (uint8_t)b->running;
    pr->req = SURE;
    pr->may_kind = KIND_TEST;
    pr->booted = pr->fails = 1;
    return NULL;
}

static const char *check_confirmed_trailers(struct bench *b)
{
    struct flags p = flags_of(b, 0);

    if (p.magic == F_BAD || p.image_ok == F_BAD || p.copy_done == F_BAD)
        return "slot 0's trailer was left damaged";
    if ((p.magic == F_SET) != (p.image_ok == F_SET))
        return "slot 0's trailer was left half set";
    if (!b->dead && flags_of(b, 1).magic == F_SET)
        return "a request was left standing";
    return NULL;
}

static const char *check_whole(struct bench *b)
{
    const struct pl_image *im = &b->image[b->running == NONE ? 0 : b->running];

    if (b->running == NONE)
        return "what was started is no whole image";
    if (b->result.vectors != b->layout.slot0.off + 0x200)
        return "started at a wrong address";
    if (!b->degraded && nor_is_weak(&b->chip[INTERNAL], b->layout.slot0.off, im->len))
        return "a unit of the image that was started is weak";
    return NULL;
}

static const char *check_started(struct bench *b)
{
    struct promise *pr = &b->w.pr;
    unsigned x = (unsigned)b->running;
    const char *why = check_whole(b);

    if (why)
        return why;
    if (b->degraded) {
        pr->degraded = 1;
        if (same_image(b, x, pr->neu))
            pr->booted = 1;
        return NULL;
    }
    if (b->trial != b->report.on_trial)
        return "boot report and trailer differ about the trial";
    if (!b->trial && (why = check_confirmed_trailers(b)))
        return why;
    if (pr->tampered == 1)
        return check_tampered(b);
    if (pr->neu == NONE || pr->req == NO)
        return same_image(b, x, pr->good) && !b->trial ? NULL : "another image than the confirmed one runs";
    if (same_image(b, pr->neu, pr->good) && !b->trial)
        return same_image(b, x, pr->good) ? check_identical(b) : "an image that nobody promised";
    if (!same_image(b, x, pr->neu))
        return same_image(b, x, pr->good) ? check_returned(b) : "an image that nobody promised";
    if (pr->req == MAYBE)
        pr->req = SURE;
    return b->trial ? check_trial(b) : check_accepted(b);
}

/* What verifies is started although the bootloader could not do its work: no trailer says anything. */
static bool is_degraded(const struct bench *b, const struct flags *p)
{
    if (b->failed || b->report.swap_stopped)
        return true;
    /* A dead chip matters where a request, a trial or a swap is pending. */
    return b->dead && (b->w.pr.neu != NONE || p->magic == F_BAD || p->image_ok == F_BAD);
}

void check_boot(struct bench *b)
{
    struct flags p = flags_of(b, 0);
    const char *why;

    if (b->result.outcome != BOOT_START) {
        if (!b->dead && !b->failed && !b->w.rotten)
            bad(b, "no image was started");
        return;
    }
    if (b->report.swap_stopped && !b->dead && !b->failed && !b->w.rotten)
        bad(b, "the swap stopped although nothing is broken");
    b->running = image_in_p(b);
    b->trial = p.magic == F_SET && p.copy_done == F_SET && p.image_ok == F_BLANK;
    b->degraded = is_degraded(b, &p);
    why = check_started(b);
    if (why)
        bad(b, why);
}
