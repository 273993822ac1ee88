/*
 * The application: it reads and writes trailers as MCUboot's own library does (magic first, then
 * image_ok, then swap_info; each flag a word), and takes one step of the campaign's script a session.
 */
#include <string.h>

#include "core/boot/trailer.h"
#include "tests/powerloss/bench.h"

enum { OFF_MAGIC = 16, OFF_IMAGE_OK = 24, OFF_SWAP_INFO = 40, WORD = 4, TYPE_TEST = 2, TYPE_PERM = 3,
    CHUNK = 1024 };

static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f,
    0x2c, 0xb6, 0x79, 0x80 };

static uint32_t trailer_at(const struct bench *b, unsigned slot, uint32_t from_end)
{
    const struct layout_part *p = slot == 0 ? &b->layout.slot0 : &b->layout.slot1;

    return p->off + p->size - from_end;
}

/* An application that meets an error has no use for it: it resets, and the next boot shows what became of it. */
static void check(struct bench *b, int err, const char *what)
{
    if (err == OK)
        return;
    if (!b->dead && !b->failed)
        bad(b, what);
    b->w.astray = 1;
    longjmp(b->out, 1);
}

static void program(struct bench *b, unsigned slot, uint32_t off, const void *data, uint32_t len)
{
    check(b, flash_prog(&b->dev[slot], off, data, len), "the application could not program");
}

static void erase(struct bench *b, unsigned slot, uint32_t off)
{
    check(b, flash_erase(&b->dev[slot], off, UNIT), "the application could not erase");
}

static void flag(struct bench *b, unsigned slot, uint32_t from_end, uint8_t value)
{
    uint8_t word[WORD] = { value, 0xFF, 0xFF, 0xFF };

    program(b, slot, trailer_at(b, slot, from_end), word, sizeof word);
}

static bool trailer_blank(const struct bench *b, unsigned slot)
{
    const uint8_t *p = b->chip[slot].mem + trailer_at(b, slot, OFF_SWAP_INFO);

    for (unsigned i = 0; i < OFF_SWAP_INFO; i++)
        if (p[i] != 0xFF)
            return false;
    return true;
}

static void erase_request(struct bench *b)
{
    erase(b, 1, trailer_at(b, 1, UNIT));
    promise_over(b);
}

/* A request whose writing was cut is begun anew. */
static void request(struct bench *b, unsigned image, bool permanent)
{
    struct promise *pr = &b->w.pr;

    if (!trailer_blank(b, 1) || pr->neu != NONE)
        erase_request(b);
    promise_request(b, image);
    program(b, 1, trailer_at(b, 1, OFF_MAGIC), magic, sizeof magic);
    pr->req = SURE;
    if (permanent) {
        pr->may_kind = KIND_TEST | KIND_PERM;
        flag(b, 1, OFF_IMAGE_OK, 0x01);
        pr->may_kind = KIND_PERM;
    }
    flag(b, 1, OFF_SWAP_INFO, permanent ? TYPE_PERM : TYPE_TEST);
}

/* Hands the file to the writer as a client does, from where the writer wants it: after a cut it may go on. */
static void send(struct bench *b, const struct pl_image *im)
{
    struct upload *u = &b->upload;
    uint32_t off = 0;

    upload_init(u, &b->store);
    while (off < im->len) {
        uint32_t len = im->len - off < CHUNK ? im->len - off : CHUNK;
        struct upload_chunk c = { .off = off, .has_len = off == 0, .len = im->len,
            .sha = span_of(im->sha, sizeof im->sha), .data = span_of(im->data + off, len) };
        upload_chunk(u, &c, 1, false);
        int err;
        do
            err = upload_poll(u);
        while (err == ERR_BUSY);
        check(b, err, "the writer refuses the upload");
        if (u->next <= off)
            bad(b, "the upload does not go on");
        if (b->why)
            longjmp(b->out, 1);
        off = u->next;
    }
    if (u->state != UPLOAD_DONE)
        bad(b, "an upload that is complete is not done");
}

/* The service's way to ask: core/boot/trailer.c. */
static void upload(struct bench *b, unsigned image)
{
    struct flash_area s = store_slot(&b->store, 1);

    send(b, &b->image[image]);
    promise_request(b, image);
    if (!b->upload.trailer_fresh)
        check(b, trailer_erase(&s, UNIT), "the service could not erase the trailer");
    check(b, trailer_request(&s, UNIT, false), "the service could not ask for the image");
    b->w.pr.req = SURE;
}

static void confirm(struct bench *b)
{
    struct promise *pr = &b->w.pr;

    pr->confirm = MAYBE;
    flag(b, 0, OFF_IMAGE_OK, 0x01);
    pr->good = (uint8_t)b->running;
    promise_over(b);
}

static void ask_revert(struct bench *b)
{
    b->w.pr.revreq = MAYBE;
    program(b, 1, trailer_at(b, 1, OFF_MAGIC), magic, sizeof magic);
    b->w.pr.revreq = SURE;
}

/* A faulty application wrote over itself, long before power fails: no operation, nothing weak. */
static void damage(struct bench *b)
{
    const uint8_t zero[WORD] = { 0 };

    if (b->trial)
        b->w.pr.damaged = 1;
    else
        b->w.pr.good = 0; /* what is left */
    nor_load(&b->chip[INTERNAL], b->layout.slot0.off + 0x400, zero, sizeof zero);
}

static bool is_request(enum act a)
{
    return a == ACT_TEST_A || a == ACT_TEST_B || a == ACT_PERM_B || a == ACT_UPLOAD_C;
}

static unsigned target_of(enum act a)
{
    return a == ACT_TEST_A ? 0 : a == ACT_UPLOAD_C ? 2 : 1;
}

/* The image to be asked for must still lie in S: a cut upload or an undone swap takes it away. */
static bool available(const struct bench *b, unsigned image)
{
    return solid_in_s(b, image, 0) || solid_in_s(b, image, 1) || solid_in_s(b, image, 2);
}

static bool fits(const struct bench *b, enum act a)
{
    if (is_request(a))
        return !b->trial && (unsigned)b->running != target_of(a);
    if (a == ACT_DAMAGE_LATER)
        return !b->trial && b->running == 1 && available(b, 0);
    return b->trial;
}

/* Steps that are done, or have become impossible, are passed. */
static enum act next_act(struct bench *b)
{
    for (; b->w.step < ACTS_MAX && b->c->act[b->w.step] != ACT_END; b->w.step++)
        if (fits(b, (enum act)b->c->act[b->w.step]))
            return (enum act)b->c->act[b->w.step];
    return ACT_END;
}

static void do_request(struct bench *b, enum act a)
{
    unsigned image = target_of(a);

    if (a == ACT_UPLOAD_C)
        upload(b, image);
    else if (available(b, image))
        request(b, image, a == ACT_PERM_B);
    else
        b->w.step++;
}

void app_act(struct bench *b)
{
    if (b->running == NONE || b->degraded || b->dead || b->failed)
        return;
    enum act a = next_act(b);
    if (is_request(a)) {
        do_request(b, a);
        return;
    }
    switch (a) {
    case ACT_CONFIRM:
        confirm(b);
        break;
    case ACT_CONFIRM_UPLOAD_C:
        confirm(b);
        b->w.step++;
        upload(b, 2);
        break;
    case ACT_ASK_REVERT:
        ask_revert(b);
        break;
    case ACT_DAMAGE:
    case ACT_DAMAGE_LATER:
        damage(b);
        break;
    default:
        break;
    }
}

bool app_done(const struct bench *b)
{
    if (b->w.rotten && b->report.swap_stopped)
        return true; /* recovery, or what verifies runs: somebody has to upload a good one */
    return b->running != NONE && !b->trial
        && (b->w.step == ACTS_MAX || b->c->act[b->w.step] == ACT_END);
}

/* Flash cells that hold no longer: no operation, and read the same from now on. */
static void rot(struct bench *b)
{
    const uint8_t zero[WORD] = { 0 };
    struct promise *pr = &b->w.pr;

    if (!(b->c->extra & X_ROT) || b->w.rotten || pr->req != SURE || pr->booted || !choose(b, 2))
        return;
    nor_load(&b->chip[EXTERNAL], b->layout.slot1.off + 0x400, zero, sizeof zero);
    b->w.rotten = b->w.astray = pr->damaged = 1;
}

void app_tamper(struct bench *b)
{
    rot(b);
    struct promise *pr = &b->w.pr;
    const struct pl_image *im = &b->image[2];

    if (!(b->c->extra & X_FLASHED) || pr->tampered || !choose(b, 2))
        return;
    nor_load(&b->chip[INTERNAL], b->layout.slot0.off, im->data, im->len);
    pr->good = 2;
    promise_over(b);
    b->w.pr.tampered = 1;
}
