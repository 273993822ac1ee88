#include <stdlib.h>
#include <string.h>

#include "sim/flash/nor_priv.h"

/* The block: contents | unit_erases | unit_programs | word_programs. */
struct part {
    void *p;
    size_t len;
};

static void parts_of(const struct nor *nor, struct part part[4])
{
    size_t units = nor->geo.size / nor->geo.erase_size;

    part[0] = (struct part) { nor->mem, nor->geo.size };
    part[1] = (struct part) { nor->unit_erases, units * sizeof *nor->unit_erases };
    part[2] = (struct part) { nor->unit_programs, units * sizeof *nor->unit_programs };
    part[3] = (struct part) { nor->word_programs, nor->geo.size / nor->geo.prog_size };
}

int nor_snapshot_take(struct nor_snapshot *s, const struct nor *nor)
{
    struct part part[4];
    size_t len = 0, at = 0;

    parts_of(nor, part);
    for (int i = 0; i < 4; i++)
        len += part[i].len;
    if (s->block_len != len) {
        free(s->block);
        s->block = malloc(len);
        s->block_len = s->block ? len : 0;
    }
    if (!s->block)
        return ERR_NOSPACE;
    for (int i = 0; i < 4; at += part[i++].len)
        memcpy(s->block + at, part[i].p, part[i].len);
    s->count = nor->count;
    s->ops = nor->ops;
    s->violations = nor->violations;
    memcpy(s->violation, nor->violation, sizeof s->violation);
    return weak_copy(&s->weak, nor->weak);
}

int nor_snapshot_restore(const struct nor_snapshot *s, struct nor *nor)
{
    struct part part[4];
    size_t len = 0, at = 0;

    parts_of(nor, part);
    for (int i = 0; i < 4; i++)
        len += part[i].len;
    if (s->block_len != len)
        return ERR_ARG;
    for (int i = 0; i < 4; at += part[i++].len)
        memcpy(part[i].p, s->block + at, part[i].len);
    nor->count = s->count;
    nor->ops = s->ops;
    nor->violations = s->violations;
    memcpy(nor->violation, s->violation, sizeof nor->violation);
    nor->op = NOR_IDLE;
    return weak_copy(&nor->weak, s->weak);
}

void nor_snapshot_free(struct nor_snapshot *s)
{
    free(s->block);
    weak_free(&s->weak);
    *s = (struct nor_snapshot) { 0 };
}
