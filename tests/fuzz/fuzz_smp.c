/*
 * Requests as they come: the input is a row of messages (u16 length, bytes) to a server with all
 * groups over two small chips of memory. Nothing may crash, hang, or answer more than it was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "core/boot/service.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/os.h"
#include "core/smp/groups/slipway.h"
#include "core/smp/smp.h"

enum { UNIT = 4096, INTERNAL = 16 * UNIT, EXTERNAL = 16 * UNIT, POLLS_MAX = 200000 };

struct chip {
    uint8_t *mem;
    uint32_t size;
};

static int chip_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    memcpy(buf, ((struct chip *)ctx)->mem + off, len);
    return OK;
}

static int chip_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    uint8_t *p = ((struct chip *)ctx)->mem + off;

    for (uint32_t i = 0; i < len; i++)
        p[i] &= ((const uint8_t *)data)[i];
    return OK;
}

static int chip_erase(void *ctx, uint32_t off)
{
    memset(((struct chip *)ctx)->mem + off, 0xFF, UNIT);
    return OK;
}

static int chip_poll(void *ctx)
{
    (void)ctx;
    return OK;
}

static int chip_probe(void *ctx, uint32_t *jedec)
{
    *jedec = ((struct chip *)ctx)->size == EXTERNAL ? 0x1F470C : 0;
    return OK;
}

static uint32_t chip_now(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct flash_ops ops = { .read = chip_read, .prog_start = chip_prog, .erase_start = chip_erase,
    .poll = chip_poll, .probe = chip_probe, .now_ms = chip_now };

struct bench {
    uint8_t internal_mem[INTERNAL], external_mem[EXTERNAL];
    struct chip chip[2];
    struct flash_dev dev[2];
    struct layout layout;
    struct store store;
    struct image_keys keys;
    struct boot_report report;
    struct service service;
    struct smp_os os;
    struct smp_binding binding[3];
    struct smp_transport transport;
    struct smp_server server;
    unsigned answers;
};

static uint32_t now_ms(void *ctx)
{
    (void)ctx;
    return 0;
}

static bool idle(void *ctx)
{
    return service_idle(&((struct bench *)ctx)->service);
}

static bool take(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    struct smp_header h;

    (void)peer;
    if (!smp_header_read(span_of(msg, len), &h) || h.len != len - SMP_HEADER_LEN || h.len == 0)
        abort();
    ((struct bench *)ctx)->answers++;
    return true;
}

static struct flash_dev device(struct chip *c, uint8_t *mem, uint32_t size, uint32_t jedec)
{
    *c = (struct chip) { mem, size };
    memset(mem, 0xFF, size);
    return (struct flash_dev) { .ops = &ops, .ctx = c, .name = "chip", .size = size,
        .erase_size = UNIT, .prog_size = 4, .prog_max = 256, .erase_max_ms = 10, .prog_max_ms = 10,
        .jedec = jedec };
}

static void open_bench(struct bench *b)
{
    static const struct smp_os_info info = { "a", "b", "c", "d", "e", "f", "g", "h", "i" };
    struct service_config cfg = { .store = &b->store, .report = &b->report };
    struct smp_config smp = { b->binding, 3, now_ms, idle, b };

    memset(b, 0, sizeof *b);
    b->dev[0] = device(&b->chip[0], b->internal_mem, INTERNAL, 0);
    b->dev[1] = device(&b->chip[1], b->external_mem, EXTERNAL, 0x1F470C);
    b->layout = (struct layout) { .board = "fuzz", .internal_size = INTERNAL, .internal_erase = UNIT,
        .external_size = EXTERNAL, .external_erase = UNIT, .external_jedec = 0x1F470C,
        .boot = { 0, UNIT }, .slot0 = { UNIT, 8 * UNIT }, .slot1 = { 0, 12 * UNIT },
        .state = { 9 * UNIT, 4 * UNIT }, .unit = UNIT };
    b->layout.hash = layout_hash(&b->layout);
    b->store = (struct store) { .layout = &b->layout, .internal = &b->dev[0],
        .external = &b->dev[1], .keys = &b->keys, .any_payload = true };
    service_init(&b->service, &cfg);
    smp_os_init(&b->os, &info);
    b->binding[0] = (struct smp_binding) { &smp_group_os, &b->os };
    b->binding[1] = (struct smp_binding) { &smp_group_img, &b->service };
    b->binding[2] = (struct smp_binding) { &smp_group_slipway, &b->service };
    b->transport = (struct smp_transport) { take, b };
    smp_init(&b->server, &smp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench b;
    struct rd r = rd_of(span_of(data, size));

    open_bench(&b);
    while (r.left >= 2) {
        size_t n = rd_be16(&r) % (SMP_BUF_SIZE + 8);
        if (n > r.left)
            n = r.left;
        const uint8_t *msg = rd_take(&r, n);
        /* apart from the input, so that a read past the message is seen */
        uint8_t *copy = malloc(n ? n : 1);
        memcpy(copy, msg, n);
        (void)smp_submit(&b.server, &b.transport, 1, copy, (uint32_t)n);
        free(copy);
        for (unsigned i = 0; smp_poll(&b.server); i++) {
            if (i > POLLS_MAX)
                abort();
        }
    }
    if (b.answers > size / SMP_HEADER_LEN + 1)
        abort();
    return 0;
}
