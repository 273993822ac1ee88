#include "core/boot/rewrite.h"

#include "core/base/bytes.h"

static uint32_t next_program(const struct rewrite *r)
{
    uint32_t at = (r->area.off + r->off + r->programmed) % r->area.dev->prog_max;
    uint32_t n = r->area.dev->prog_max - at;

    return n < r->len - r->programmed ? n : r->len - r->programmed;
}

static void verify(struct rewrite *r)
{
    uint32_t bad = 0;

    r->finished = true;
    r->err = area_verify(&r->area, r->off, r->data, r->len, &bad, &r->found);
    if (r->err == ERR_READBACK) {
        r->bad_off = r->off + bad;
        r->expected = r->data[bad];
    }
}

/* Starts what comes next on this chip, if nothing runs on it. */
static void step(struct rewrite *r)
{
    struct flash_dev *dev = r->area.dev;
    uint32_t off = r->area.off + r->off;
    int err = flash_poll(dev);

    if (err == ERR_BUSY)
        return;
    if (err == OK && r->erased < r->len) {
        err = flash_erase_start(dev, off + r->erased);
        r->erased += dev->erase_size;
    } else if (err == OK) {
        /* What is blank anyway costs no time. */
        while (r->programmed < r->len && bytes_all(r->data + r->programmed, next_program(r), 0xFF))
            r->programmed += next_program(r);
        if (r->programmed == r->len) {
            verify(r);
            return;
        }
        uint32_t n = next_program(r);
        err = flash_prog_start(dev, off + r->programmed, r->data + r->programmed, n);
        r->programmed += n;
    }
    if (err != OK) {
        r->err = err;
        r->finished = true;
    }
}

int rewrite_both(struct rewrite *external, struct rewrite *internal)
{
    struct rewrite *both[2] = { external, internal };

    for (int i = 0; i < 2; i++) {
        if (both[i]) {
            both[i]->erased = both[i]->programmed = 0;
            both[i]->finished = false;
            both[i]->err = OK;
        }
    }
    /* The external chip first: its operation runs while the internal one's start stalls the CPU. */
    while ((external && !external->finished) || (internal && !internal->finished)) {
        for (int i = 0; i < 2; i++) {
            if (both[i] && !both[i]->finished)
                step(both[i]);
        }
    }
    if (external && external->err != OK)
        return external->err;
    return internal ? internal->err : OK;
}

int rewrite_blank(const struct flash_area *area, uint32_t off, uint32_t len)
{
    bool blank = false;
    int err = area_erase(area, off, len);

    if (err == OK)
        err = area_is_blank(area, off, len, &blank);
    return err != OK ? err : blank ? OK : ERR_READBACK;
}
