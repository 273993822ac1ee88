#include "drivers/nrf52840/nvmc.h"

#include <stddef.h>
#include <string.h>

#include "drivers/nrf52840/errata.h"

struct nvmc_regs {
    uint32_t reserved0[0x400 / 4];
    volatile const uint32_t ready; /* 0x400; READYNEXT behind it is not used: erratum 233 */
    uint32_t reserved1[(0x504 - 0x404) / 4];
    volatile uint32_t config;
    volatile uint32_t erasepage;
};
_Static_assert(offsetof(struct nvmc_regs, ready) == 0x400, "READY");
_Static_assert(offsetof(struct nvmc_regs, config) == 0x504, "CONFIG");
_Static_assert(offsetof(struct nvmc_regs, erasepage) == 0x508, "ERASEPAGE");
#define NVMC ((struct nvmc_regs *)0x4001E000u)

struct acl_regs {
    volatile uint32_t addr, size, perm;
};
/* The last of eight: who protects something of an application's takes them from the first. */
#define ACL7 ((struct acl_regs *)0x4001E870u)

enum { CONFIG_READ = 0, CONFIG_WRITE = 1, CONFIG_ERASE = 2 };
enum { ACL_NO_WRITE = 1 << 1 };
/* From flash READY is never seen 0, as its read waits too; from RAM a page erase is some 5 million turns. */
enum { READY_TURNS_MAX = 20000000 };

static int wait_ready(void)
{
    for (uint32_t i = 0; i < READY_TURNS_MAX; i++) {
        if (NVMC->ready)
            return OK;
    }
    return ERR_TIMEOUT;
}

static void set_config(uint32_t mode)
{
    NVMC->config = mode;
    __asm volatile("dsb\n\tisb" ::: "memory");
}

static int nvmc_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    (void)ctx;
    memcpy(buf, (const void *)(uintptr_t)off, len);
    return OK;
}

static int nvmc_prog_start(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    const uint8_t *from = data;
    int err = wait_ready();

    (void)ctx;
    erratum_242();
    set_config(CONFIG_WRITE);
    for (uint32_t i = 0; err == OK && i < len; i += 4) {
        uint32_t word;
        memcpy(&word, from + i, 4);
        if (word == UINT32_MAX) /* programs nothing, but would count against nWRITE and takes its time */
            continue;
        *(volatile uint32_t *)(uintptr_t)(off + i) = word;
        err = wait_ready();
    }
    set_config(CONFIG_READ);
    return err;
}

static int nvmc_erase_start(void *ctx, uint32_t off)
{
    int err = wait_ready();

    (void)ctx;
    if (err != OK)
        return err;
    erratum_242();
    set_config(CONFIG_ERASE);
    NVMC->erasepage = off;
    err = wait_ready();
    set_config(CONFIG_READ);
    return err;
}

static int nvmc_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static int nvmc_probe(void *ctx, uint32_t *jedec)
{
    (void)ctx;
    *jedec = 0;
    return OK;
}

static uint32_t nvmc_now_ms(void *ctx)
{
    const struct nvmc *n = ctx;

    return n->now_ms(n->ctx);
}

static const struct flash_ops ops = {
    .read = nvmc_read,
    .prog_start = nvmc_prog_start,
    .erase_start = nvmc_erase_start,
    .poll = nvmc_poll,
    .probe = nvmc_probe,
    .now_ms = nvmc_now_ms,
};

void nvmc_device(struct nvmc *n, struct flash_dev *dev, uint32_t size)
{
    *dev = (struct flash_dev) {
        .ops = &ops,
        .ctx = n,
        .name = "internal",
        .size = size,
        .erase_size = NVMC_PAGE,
        .prog_size = 4,
        .prog_max = NVMC_PROG_MAX,
        .erase_max_ms = 200,
        .prog_max_ms = 20,
        .prog_limit = NVMC_PROG_LIMIT,
    };
}

void nvmc_protect(uint32_t off, uint32_t size)
{
    ACL7->addr = off;
    ACL7->size = size;
    ACL7->perm = ACL_NO_WRITE;
}
