/* Snapshots: the plain state of the board and its memories, one after the other. */
#include <stddef.h>
#include <string.h>

#include "board/board_priv.h"

enum { CPU_PLAIN = offsetof(struct cpu, bus) };

struct part_of {
    void *at;
    size_t len;
};

/* What a snapshot consists of, in order. */
static unsigned parts(const struct board *cb, struct part_of out[8])
{
    struct board *b = (struct board *)(uintptr_t)cb;
    unsigned n = 0;
    out[n++] = (struct part_of){ &b->st, sizeof b->st };
    out[n++] = (struct part_of){ &b->cpu, CPU_PLAIN };
    out[n++] = (struct part_of){ b->flash, BOARD_FLASH_SIZE };
    out[n++] = (struct part_of){ b->ram, BOARD_RAM_SIZE };
    out[n++] = (struct part_of){ b->uicr, BOARD_UICR_SIZE };
    for (unsigned i = 0; i < 2; i++) {
        if (b->st.nor[i].part)
            out[n++] = (struct part_of){ b->st.nor[i].mem, b->st.nor[i].part->size };
    }
    return n;
}

size_t board_snapshot_size(const struct board *b)
{
    struct part_of p[8];
    size_t total = 0;
    for (unsigned i = 0, n = parts(b, p); i < n; i++)
        total += p[i].len;
    return total;
}

void board_snapshot(const struct board *b, void *buf)
{
    struct part_of p[8];
    uint8_t *out = buf;
    for (unsigned i = 0, n = parts(b, p); i < n; i++) {
        memcpy(out, p[i].at, p[i].len);
        out += p[i].len;
    }
}

void board_restore(struct board *b, const void *buf)
{
    struct part_of p[8];
    const uint8_t *in = buf;
    uint8_t *mem[2] = { b->st.nor[0].mem, b->st.nor[1].mem };
    for (unsigned i = 0, n = parts(b, p); i < n; i++) {
        memcpy(p[i].at, in, p[i].len);
        in += p[i].len;
        b->st.nor[0].mem = mem[0]; /* the state came from a board with memory of its own */
        b->st.nor[1].mem = mem[1];
    }
    cpu_code_forget(&b->cpu);
    mpu_changed(b);
    sys_update(b);
}
