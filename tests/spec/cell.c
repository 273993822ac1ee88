/*
 * state_read() and state_write() for tests/spec/test_cell.py. In: state areas of three units, one after
 * another. Out, a line each: the valid units, the base (-1: none), settled, its position, then what a new
 * CONFIRMED state does first: "void N" if unit N loses its seal, "erase N".
 */
#include <stdio.h>
#include <string.h>

#include "core/boot/state.h"

enum { UNIT = 4096, AREA = STATE_UNITS * UNIT, LAYOUT_HASH = 0x1234ABCD };

struct ram {
    uint8_t mem[AREA];
    int voided, erased; /* units, -1: none yet */
};

static int ram_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    memcpy(buf, ((struct ram *)ctx)->mem + off, len);
    return OK;
}

static int ram_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    struct ram *r = ctx;

    if (r->erased < 0)
        r->voided = (int)(off / UNIT);
    for (uint32_t i = 0; i < len; i++)
        r->mem[off + i] &= ((const uint8_t *)data)[i];
    return OK;
}

static int ram_erase(void *ctx, uint32_t off)
{
    struct ram *r = ctx;

    memset(r->mem + off, 0xFF, UNIT);
    r->erased = (int)(off / UNIT);
    return OK;
}

static int ram_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static uint32_t ram_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct flash_ops ops = { .read = ram_read, .prog_start = ram_prog, .erase_start = ram_erase,
    .poll = ram_poll, .now_ms = ram_now };

int main(void)
{
    static struct ram ram;
    struct flash_dev dev = { .ops = &ops, .ctx = &ram, .name = "ram", .size = AREA, .erase_size = UNIT, .prog_size = 4,
        .prog_max = UNIT };
    const struct flash_area area = { &dev, 0, AREA };
    const struct state_tables none = { .new_le = NULL };

    while (fread(ram.mem, 1, AREA, stdin) == AREA) {
        struct state st = { .state = STATE_CONFIRMED };
        struct state_cell c;
        ram.voided = ram.erased = -1;
        if (state_read(&c, &area, UNIT, LAYOUT_HASH) != OK)
            return 1;
        const struct state_unit *b = state_base(&c);
        printf("%d%d%d %d %d %d", c.unit[0].valid, c.unit[1].valid, c.unit[2].valid, c.base, state_settled(&c),
            b ? state_position(b) : -1);
        if (state_write(&c, &st, &none) != OK)
            return 1;
        printf(" void %d erase %d\n", ram.voided, ram.erased);
    }
    return 0;
}
