#include <string.h>

#include "host/lib/imagefile/imagefile.h"

static int ram_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    const struct ram_flash *r = ctx;

    memcpy(buf, r->bytes.p + off, len);
    return OK;
}

static int ram_prog_start(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    (void)ctx;
    (void)off;
    (void)data;
    (void)len;
    return ERR_PROTECTED;
}

static int ram_erase_start(void *ctx, uint32_t off)
{
    (void)ctx;
    (void)off;
    return ERR_PROTECTED;
}

static int ram_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static int ram_probe(void *ctx, uint32_t *jedec)
{
    (void)ctx;
    *jedec = 0;
    return OK;
}

static uint32_t ram_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct flash_ops ram_ops = { .read = ram_read, .prog_start = ram_prog_start,
    .erase_start = ram_erase_start, .poll = ram_poll, .probe = ram_probe, .now_ms = ram_now };

void ram_flash_init(struct ram_flash *r, struct span bytes)
{
    r->bytes = bytes;
    r->dev = (struct flash_dev) { .ops = &ram_ops, .ctx = r, .name = "file",
        .size = (uint32_t)bytes.len, .erase_size = 4096, .prog_size = 4, .prog_max = 256 };
}

struct flash_area ram_flash_area(struct ram_flash *r)
{
    return (struct flash_area) { .dev = &r->dev, .off = 0, .size = r->dev.size };
}
