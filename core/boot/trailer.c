#include "core/boot/trailer.h"

#include "core/base/bytes.h"
#include "core/boot/rewrite.h"

enum {
    /* from the slot's end */
    OFF_COPY_DONE = 32,
    OFF_IMAGE_OK = 24,
    OFF_MAGIC = 16,
    FLAG_LEN = 4, /* programmed: one word, the flag and three blank bytes */
};
_Static_assert((int)OFF_COPY_DONE == (int)TRAILER_LEN, "copy_done is the first field");

static const uint8_t magic[TRAILER_MAGIC_LEN] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35,
    0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80 };
static const uint8_t flag_set[FLAG_LEN] = { 0x01, 0xFF, 0xFF, 0xFF };

static enum trailer_flag flag_of(uint8_t v)
{
    return v == 0xFF ? TRAILER_BLANK : v == 0x01 ? TRAILER_SET : TRAILER_BAD;
}

static enum trailer_flag magic_of(const uint8_t *p)
{
    if (bytes_all(p, TRAILER_MAGIC_LEN, 0xFF))
        return TRAILER_BLANK;
    for (int i = 0; i < TRAILER_MAGIC_LEN; i++) {
        if (p[i] != magic[i])
            return TRAILER_BAD;
    }
    return TRAILER_SET;
}

int trailer_read(const struct flash_area *slot, struct trailer *t)
{
    uint8_t b[TRAILER_LEN];
    int err = area_read(slot, slot->size - TRAILER_LEN, b, sizeof b);

    *t = (struct trailer) { TRAILER_BLANK, TRAILER_BLANK, TRAILER_BLANK };
    if (err != OK)
        return err;
    t->copy_done = flag_of(b[TRAILER_LEN - OFF_COPY_DONE]);
    t->image_ok = flag_of(b[TRAILER_LEN - OFF_IMAGE_OK]);
    t->magic = magic_of(b + TRAILER_LEN - OFF_MAGIC);
    return OK;
}

int trailer_erase(const struct flash_area *slot, uint32_t unit)
{
    return rewrite_blank(slot, slot->size - unit, unit);
}

static int write_field(const struct flash_area *slot, uint32_t from_end, const uint8_t *data, uint32_t len)
{
    return area_write(slot, slot->size - from_end, data, len);
}

/* A field that reads blank may still be a word that was being programmed when power failed: the whole word must be blank. */
static int request_fits(const struct flash_area *slot, bool permanent, const struct trailer *t, bool *fits)
{
    bool ok_blank;
    int err = area_is_blank(slot, slot->size - OFF_IMAGE_OK, FLAG_LEN, &ok_blank);

    *fits = t->magic == TRAILER_SET ? (permanent && ok_blank) : (t->magic == TRAILER_BLANK && ok_blank);
    return err;
}

int trailer_request(const struct flash_area *slot, uint32_t unit, bool permanent)
{
    struct trailer t;
    bool fits = false;
    int err = trailer_read(slot, &t);

    if (err != OK)
        return err;
    if (t.magic == TRAILER_SET && (permanent ? t.image_ok == TRAILER_SET : t.image_ok == TRAILER_BLANK))
        return OK;
    err = request_fits(slot, permanent, &t, &fits);
    if (err == OK && !fits) {
        err = trailer_erase(slot, unit);
        t.magic = TRAILER_BLANK;
    }
    if (err == OK && t.magic == TRAILER_BLANK)
        err = write_field(slot, OFF_MAGIC, magic, sizeof magic);
    if (err == OK && permanent)
        err = write_field(slot, OFF_IMAGE_OK, flag_set, sizeof flag_set);
    return err;
}

bool trailer_wrong_byte(const struct flash_area *slot, bool magic_too, bool image_ok, struct trailer_byte *b)
{
    uint8_t got[OFF_IMAGE_OK], want[OFF_IMAGE_OK];

    if (area_read(slot, slot->size - OFF_IMAGE_OK, got, sizeof got) != OK)
        return false;
    for (unsigned i = 0; i < sizeof want; i++)
        want[i] = i >= OFF_IMAGE_OK - OFF_MAGIC ? magic[i - (OFF_IMAGE_OK - OFF_MAGIC)]
            : i < FLAG_LEN                      ? flag_set[i]
                                                : 0xFF;
    for (unsigned i = image_ok ? 0 : OFF_IMAGE_OK - OFF_MAGIC; i < (magic_too ? sizeof want : FLAG_LEN); i++) {
        *b = (struct trailer_byte) { slot->size - OFF_IMAGE_OK + i, got[i], want[i] };
        if (got[i] != want[i])
            return true;
    }
    return false;
}

int trailer_confirm(const struct flash_area *slot)
{
    struct trailer t;
    int err = trailer_read(slot, &t);

    if (err != OK || t.image_ok == TRAILER_SET)
        return err;
    if (t.image_ok == TRAILER_BAD)
        return ERR_BADSTATE;
    return write_field(slot, OFF_IMAGE_OK, flag_set, sizeof flag_set);
}

int trailer_write_primary(const struct flash_area *slot, bool confirmed)
{
    int err = write_field(slot, OFF_COPY_DONE, flag_set, sizeof flag_set);

    if (err == OK && confirmed)
        err = write_field(slot, OFF_IMAGE_OK, flag_set, sizeof flag_set);
    return err != OK ? err : write_field(slot, OFF_MAGIC, magic, sizeof magic);
}
