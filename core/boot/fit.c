#include "core/boot/fit.h"

static int no_room(struct finding *why, enum reason reason, uint8_t slot, uint32_t found,
    uint32_t expected)
{
    *why = (struct finding) { .reason = (uint16_t)reason, .slot = slot, .found = found,
        .expected = expected };
    return ERR_NOSPACE;
}

int fit_swap(const struct store *st, const struct image *running, uint32_t len, unsigned unit,
    struct finding *why)
{
    const struct layout *l = st->layout;
    uint32_t room0 = l->slot0.size - l->unit;
    uint32_t room1 = l->slot1.size - l->unit - unit * l->unit;

    if (len > room0 || len > room1)
        return no_room(why, REASON_IMG_TOO_LARGE_SWAP, 1, len, room0 < room1 ? room0 : room1);
    if (running == NULL)
        return OK;
    if (running->end > room0)
        return no_room(why, REASON_IMG_OVER_TRAILER, 0, running->end, room0);
    uint32_t larger = len > running->end ? len : running->end;
    uint32_t gap = unit != 0 ? unit : layout_gap_for(l, len, running->end);
    uint32_t room = gap != 0 ? layout_room_gap(l, gap).max_image : 0;
    if (larger > room)
        return no_room(why, REASON_IMG_TOO_LARGE_SWAP, 1, larger,
            unit != 0 ? room : layout_room_best(l).max_image);
    return OK;
}
