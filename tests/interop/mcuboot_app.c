#include "tests/interop/mcuboot_app.h"

#include <stdlib.h>
#include <string.h>

static const uint8_t good_magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f,
    0x2c, 0xb6, 0x79, 0x80 };

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void read_at(const struct mcuboot_app *a, unsigned slot, uint32_t from_end, uint8_t *buf, uint32_t len)
{
    require(flash_read(a->dev[slot], a->off[slot] + a->size[slot] - from_end, buf, len) == OK);
}

static void write_at(const struct mcuboot_app *a, unsigned slot, uint32_t from_end, const void *data, uint32_t len)
{
    require(flash_prog(a->dev[slot], a->off[slot] + a->size[slot] - from_end, data, len) == OK);
}

static void write_flag(const struct mcuboot_app *a, unsigned slot, uint32_t from_end, uint8_t value)
{
    const uint8_t word[4] = { value, 0xFF, 0xFF, 0xFF };
    write_at(a, slot, from_end, word, sizeof word);
}

static enum mcuboot_flag read_flag(const struct mcuboot_app *a, unsigned slot, uint32_t from_end)
{
    uint8_t v;
    read_at(a, slot, from_end, &v, 1);
    return v == 1 ? FLAG_SET : v == 0xFF ? FLAG_UNSET : FLAG_BAD;
}

struct mcuboot_state mcuboot_read(const struct mcuboot_app *a, unsigned slot)
{
    static const uint8_t erased[16] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF };
    uint8_t m[16];

    read_at(a, slot, 16, m, sizeof m);
    return (struct mcuboot_state) {
        .magic = memcmp(m, good_magic, 16) == 0 ? MAGIC_GOOD : memcmp(m, erased, 16) == 0 ? MAGIC_UNSET : MAGIC_BAD,
        .image_ok = read_flag(a, slot, 24),
        .copy_done = read_flag(a, slot, 32),
    };
}

enum mcuboot_swap mcuboot_swap_type(const struct mcuboot_app *a)
{
    struct mcuboot_state p = mcuboot_read(a, 0), s = mcuboot_read(a, 1);

    if (s.magic == MAGIC_GOOD && s.image_ok == FLAG_UNSET)
        return SWAP_TYPE_TEST;
    if (s.magic == MAGIC_GOOD && s.image_ok == FLAG_SET)
        return SWAP_TYPE_PERM;
    if (p.magic == MAGIC_GOOD && p.image_ok == FLAG_UNSET && p.copy_done == FLAG_SET)
        return SWAP_TYPE_REVERT;
    return SWAP_TYPE_NONE;
}

void mcuboot_upload(const struct mcuboot_app *a, const uint8_t *image, uint32_t len)
{
    uint8_t tail[4] = { 0xFF, 0xFF, 0xFF, 0xFF };
    uint32_t whole = len & ~3u;

    require(flash_erase(a->dev[1], a->off[1], a->size[1]) == OK);
    require(flash_prog(a->dev[1], a->off[1], image, whole) == OK);
    if (len > whole) {
        memcpy(tail, image + whole, len - whole);
        require(flash_prog(a->dev[1], a->off[1] + whole, tail, sizeof tail) == OK);
    }
}

bool mcuboot_set_pending(const struct mcuboot_app *a, bool permanent)
{
    struct mcuboot_state s = mcuboot_read(a, 1);

    if (s.magic == MAGIC_GOOD)
        return false;
    if (s.magic == MAGIC_BAD)
        require(flash_erase(a->dev[1], a->off[1] + a->size[1] - 4096, 4096) == OK);
    write_at(a, 1, 16, good_magic, sizeof good_magic);
    if (permanent)
        write_flag(a, 1, 24, 1);
    write_flag(a, 1, 40, permanent ? 3 : 2);
    return true;
}

bool mcuboot_set_confirmed(const struct mcuboot_app *a)
{
    struct mcuboot_state p = mcuboot_read(a, 0);

    if (p.magic == MAGIC_UNSET)
        return true; /* flashed without a trailer: nothing to confirm */
    if (p.magic == MAGIC_BAD)
        return false;
    if (p.image_ok == FLAG_UNSET)
        write_flag(a, 0, 24, 1);
    return true;
}
