/* The update service in an application outside of Slipway's tree: two chips in RAM, one SMP request. */
#include <stdio.h>
#include <string.h>

#include <slipway/boot.h>
#include <slipway/smp.h>
#include <slipway_board.h>

static uint8_t chip[2][SLIPWAY_EXTERNAL_SIZE];

static int ram_read(void *ctx, uint32_t off, void *buf, uint32_t len)
{
    memcpy(buf, (uint8_t *)ctx + off, len);
    return OK;
}
static int ram_prog(void *ctx, uint32_t off, const void *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        ((uint8_t *)ctx)[off + i] &= ((const uint8_t *)data)[i];
    return OK;
}
static int ram_erase(void *ctx, uint32_t off)
{
    memset((uint8_t *)ctx + off, 0xFF, SLIPWAY_UNIT);
    return OK;
}
static int ram_poll(void *ctx) { return ctx ? OK : ERR_NODEV; }
static uint32_t now_ms(void *ctx) { return ctx ? 0 : 1; }
static int ram_probe(void *ctx, uint32_t *jedec)
{
    *jedec = ctx == chip[1] ? SLIPWAY_EXTERNAL_JEDEC : 0;
    return OK;
}
static const struct flash_ops ram = { .read = ram_read, .prog_start = ram_prog, .erase_start = ram_erase,
    .poll = ram_poll, .probe = ram_probe, .now_ms = now_ms };

static bool print(void *ctx, uint64_t peer, const uint8_t *msg, uint32_t len)
{
    (void)ctx, (void)peer;
    for (uint32_t i = 0; i < len; i++)
        printf("%02x", msg[i]);
    return puts("") >= 0;
}

int main(void)
{
    struct flash_dev dev[2] = {
        { .ops = &ram, .ctx = chip[0], .name = "internal", .size = SLIPWAY_INTERNAL_SIZE,
            .erase_size = SLIPWAY_INTERNAL_ERASE, .prog_size = 4, .prog_max = 256 },
        { .ops = &ram, .ctx = chip[1], .name = "external", .size = SLIPWAY_EXTERNAL_SIZE,
            .erase_size = SLIPWAY_EXTERNAL_ERASE, .prog_size = 4, .prog_max = 256, .jedec = SLIPWAY_EXTERNAL_JEDEC },
    };
    static const struct image_keys keys = { NULL, 0 };
    struct store store = { .layout = &slipway_layout, .internal = &dev[0], .external = &dev[1], .keys = &keys };
    struct service_config service_cfg = { .store = &store };
    static struct service service;
    static struct smp_server smp;
    struct smp_binding groups[] = { { &smp_group_img, &service }, { &smp_group_slipway, &service } };
    struct smp_config smp_cfg = { .groups = groups, .count = 2, .now_ms = now_ms };
    struct smp_transport to_stdout = { print, NULL };
    static const uint8_t read_layout[] = { 0x08, 0, 0, 1, 0, SMP_GROUP_SLIPWAY, 7, SLIPWAY_LAYOUT, 0xA0 };

    memset(chip, 0xFF, sizeof chip);
    service_init(&service, &service_cfg);
    smp_init(&smp, &smp_cfg);
    smp_submit(&smp, &to_stdout, 0, read_layout, sizeof read_layout);
    while (smp_poll(&smp))
        ;
    return 0;
}
