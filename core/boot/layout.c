#include "core/boot/layout.h"

#include "core/base/bytes.h"
#include "core/base/crc.h"

/*
 * What the state cell has room for (state.h, SPEC.md): 480 marks, of which a swap of n units takes
 * n + 3 at gap 2 and 2n + 2 at gap 1, and 512 digests, one for each unit of both images.
 */
enum {
    CELL_MARKS = 480,
    CELL_DIGESTS = 512,
    UNITS_MAX_GAP2 = CELL_DIGESTS / 2,
    UNITS_MAX_GAP1 = (CELL_MARKS - 2) / 2,
};
_Static_assert(UNITS_MAX_GAP2 == 256 && UNITS_MAX_GAP2 + 3 <= CELL_MARKS, "gap 2: marks fit");
_Static_assert(UNITS_MAX_GAP1 == 239 && UNITS_MAX_GAP1 <= UNITS_MAX_GAP2, "gap 1: digests fit");

static uint8_t *put_part(uint8_t *p, const struct layout_part *part)
{
    st_le32(p, part->off);
    st_le32(p + 4, part->size);
    return p + 8;
}

uint32_t layout_hash(const struct layout *l)
{
    uint8_t words[13 * 4];
    uint8_t *p = words;

    st_le32(p, l->internal_size);
    st_le32(p + 4, l->internal_erase);
    st_le32(p + 8, l->external_size);
    st_le32(p + 12, l->external_erase);
    p = put_part(p + 16, &l->boot);
    p = put_part(p, &l->slot0);
    p = put_part(p, &l->slot1);
    p = put_part(p, &l->state);
    st_le32(p, l->unit);

    uint32_t hash = crc32(0, words, sizeof words);
    return hash ? hash : 1;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Units of the largest image at a gap: both slots keep their last unit, slot 1 also `gap` units. */
static uint32_t room_units(const struct layout *l, uint32_t gap)
{
    if (l->unit == 0 || gap == 0 || gap > 2)
        return 0;
    uint32_t units0 = l->slot0.size / l->unit;
    uint32_t units1 = l->slot1.size / l->unit;
    if (units0 < 2 || units1 < gap + 2)
        return 0;
    uint32_t n = least(units0 - 1, units1 - 1 - gap);
    return least(n, gap == 2 ? UNITS_MAX_GAP2 : UNITS_MAX_GAP1);
}

struct layout_room layout_room_gap(const struct layout *l, uint32_t gap)
{
    uint32_t units = room_units(l, gap);
    return (struct layout_room) { .gap = units ? gap : 0, .max_image = units * l->unit };
}

struct layout_room layout_room_best(const struct layout *l)
{
    struct layout_room one = layout_room_gap(l, 1), two = layout_room_gap(l, 2);
    return one.max_image > two.max_image ? one : two;
}

uint32_t layout_units(const struct layout *l, uint32_t len)
{
    if (l->unit == 0)
        return 0;
    return len / l->unit + (len % l->unit ? 1u : 0u);
}

uint32_t layout_gap_for(const struct layout *l, uint32_t len_a, uint32_t len_b)
{
    uint32_t n = layout_units(l, len_a > len_b ? len_a : len_b);

    for (uint32_t gap = 2; gap >= 1; gap--) {
        uint32_t room = room_units(l, gap);
        if (room && n <= room)
            return gap;
    }
    return 0;
}

struct flash_area layout_area(const struct layout_part *p, struct flash_dev *dev)
{
    return (struct flash_area) { .dev = dev, .off = p->off, .size = p->size };
}
