/* Two small chips on one clock and one power supply. */
#ifndef TESTS_UNIT_NOR_NOR_RIG_H
#define TESTS_UNIT_NOR_NOR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/flash/nor.h"

enum { RIG_UNIT = 64, RIG_SIZE = 256 };

struct rig {
    struct sim_clock clock;
    struct sim_power power;
    struct nor in, ex;
    struct flash_dev ind, exd;
};

int rig_open(void **state);
int rig_close(void **state);

static inline int prog(struct flash_dev *d, uint32_t off, const void *data, uint32_t len)
{
    return d->ops->prog_start(d->ctx, off, data, len);
}
static inline int erase(struct flash_dev *d, uint32_t off)
{
    return d->ops->erase_start(d->ctx, off);
}
static inline int poll_once(struct flash_dev *d)
{
    return d->ops->poll(d->ctx);
}
int poll_end(struct flash_dev *d);
uint32_t word_at(struct flash_dev *d, uint32_t off);


/* test_nor_weak.c: how many failed. */
int run_weak_tests(void);

#endif
