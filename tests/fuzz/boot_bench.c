#include "tests/fuzz/boot_bench.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/crc.h"
#include "core/boot/trailer.h"

enum { INTERNAL_END = 11 * UNIT, EXTERNAL_END = 10 * UNIT };
enum { CHUNK = 1000, POLLS_MAX = 100000, A_LEN = 3 * UNIT + 700, B_LEN = 4 * UNIT + 1800 };

static const struct layout toy = {
    .board = "toy",
    .internal_size = CHIP_LEN,
    .internal_erase = UNIT,
    .external_size = CHIP_LEN,
    .external_erase = UNIT,
    .external_jedec = 0x1F470C,
    .boot = { 0, UNIT },
    .slot0 = { UNIT, 6 * UNIT },
    .slot1 = { UNIT, 9 * UNIT },
    .state = { 7 * UNIT, 4 * UNIT },
    .unit = UNIT,
};

static uint32_t now_ms(void *ctx)
{
    return (uint32_t)(((struct boot_bench *)ctx)->clock.us / 1000);
}

static void require(bool ok)
{
    if (!ok)
        abort();
}

uint8_t *boot_bench_slot(struct boot_bench *b, unsigned slot)
{
    return slot == 0 ? b->chip[INTERNAL].mem + toy.slot0.off : b->chip[EXTERNAL].mem + toy.slot1.off;
}

static void open_chips(struct boot_bench *b)
{
    struct nor_geometry in = nor_internal_nrf52840(CHIP_LEN), ex = nor_external_part(toy.external_jedec, CHIP_LEN);

    ex.poll_us = 50000; /* a chip that is asked twice an erase, not ten thousand times */
    memset(&b->power, 0, sizeof b->power);
    b->power.seed = 1;
    b->clock.us = 0;
    require(nor_open(&b->chip[INTERNAL], &in, &b->clock, &b->power, NULL) == OK);
    require(nor_open(&b->chip[EXTERNAL], &ex, &b->clock, &b->power, NULL) == OK);
}

void boot_bench_set(struct boot_bench *b, enum scene scene)
{
    for (unsigned i = 0; i < CHIPS; i++) {
        b->chip[i].faults = 0;
        require(nor_snapshot_restore(&b->scene[scene][i], &b->chip[i]) == OK);
    }
    b->power.cut_at = 0;
    sim_power_up(&b->power);
}

void boot_bench_boot(struct boot_bench *b)
{
    for (unsigned i = 0; i < CHIPS; i++) {
        nor_device(&b->chip[i], &b->dev[i]);
        b->chip[i].op = NOR_IDLE;
    }
    b->power.ops = 0;
    b->result = boot_run(&b->cfg, &b->report);
}

void boot_bench_serve(struct boot_bench *b)
{
    const struct service_config cfg = { .store = &b->store, .report = &b->report,
        .recovery = b->result.outcome == BOOT_RECOVERY };

    service_init(&b->service, &cfg);
}

static int finish(struct boot_bench *b)
{
    int err = ERR_BUSY;

    for (unsigned i = 0; err == ERR_BUSY; i++) {
        require(i < POLLS_MAX);
        err = service_poll(&b->service);
    }
    for (unsigned i = 0; service_idle(&b->service); i++)
        require(i < POLLS_MAX);
    return err;
}

void boot_bench_upload(struct boot_bench *b, const struct pl_image *im, unsigned chunks)
{
    uint8_t sha[CRYPTO_SHA256_LEN];
    struct crypto_sha256 s;
    uint32_t off = 0;

    crypto_sha256_init(&s);
    crypto_sha256_update(&s, im->data, im->len);
    crypto_sha256_final(&s, sha);
    for (unsigned i = 0; i < chunks && off < im->len; i++) {
        uint32_t n = im->len - off < CHUNK ? im->len - off : CHUNK;
        struct upload_chunk c = { .off = off, .has_len = off == 0, .len = im->len,
            .sha = span_of(sha, off == 0 ? sizeof sha : 0), .data = span_of(im->data + off, n) };
        service_upload(&b->service, &c);
        if (finish(b) != OK)
            return;
        off = b->service.up.next;
    }
}

bool boot_bench_primary_good(struct boot_bench *b)
{
    enum verdict verdict = VERDICT_BAD;
    struct finding why;
    struct image img;
    unsigned unit;
    uint8_t buf[256];

    /* With a device of its own: a fault or an operation under way is not of interest. */
    struct flash_dev internal;
    struct store store = b->store;
    nor_device(&b->chip[INTERNAL], &internal);
    store.internal = &internal;
    return store_open(&store, 0, &img, &unit, &why) == OK
        && image_verify(&img, store.keys, buf, sizeof buf, &verdict, &why) == OK && verdict == VERDICT_GOOD
        && store_runnable(&store, &img, 0, &why) == OK;
}

/* ---- scenes ------------------------------------------------------------------------------------ */

static void keep(struct boot_bench *b, enum scene scene)
{
    for (unsigned i = 0; i < CHIPS; i++)
        require(nor_snapshot_take(&b->scene[scene][i], &b->chip[i]) == OK);
}

static void cut_swap(struct boot_bench *b, enum scene scene, uint64_t op)
{
    boot_bench_set(b, SCENE_ASKED);
    b->power.ops = 0;
    sim_power_cut_at(&b->power, op, SIM_TEAR_HALF);
    boot_bench_boot(b);
    require(b->power.off);
    keep(b, scene);
}

/* What belongs to others is not blank, so that a write there is seen. */
static void mark_rest(struct boot_bench *b)
{
    static uint8_t fill[CHIP_LEN];

    memset(fill, 0x3C, sizeof fill);
    nor_load(&b->chip[INTERNAL], 0, fill, toy.slot0.off);
    nor_load(&b->chip[INTERNAL], INTERNAL_END, fill, CHIP_LEN - INTERNAL_END);
    nor_load(&b->chip[EXTERNAL], 0, fill, toy.slot1.off);
    nor_load(&b->chip[EXTERNAL], EXTERNAL_END, fill, CHIP_LEN - EXTERNAL_END);
}

bool boot_bench_rest_untouched(const struct boot_bench *b)
{
    static uint8_t fill[CHIP_LEN];

    if (fill[0] == 0)
        memset(fill, 0x3C, sizeof fill);
    const uint8_t *in = b->chip[INTERNAL].mem, *ex = b->chip[EXTERNAL].mem;
    return memcmp(in, fill, toy.slot0.off) == 0 && memcmp(in + INTERNAL_END, fill, CHIP_LEN - INTERNAL_END) == 0
        && memcmp(ex, fill, toy.slot1.off) == 0 && memcmp(ex + EXTERNAL_END, fill, CHIP_LEN - EXTERNAL_END) == 0;
}

static void confirm(struct boot_bench *b)
{
    boot_bench_serve(b);
    service_request(&b->service, NULL, true);
    require(finish(b) == OK);
}

static void make_swaps(struct boot_bench *b)
{
    const struct flash_area s = store_slot(&b->store, 1);

    require(trailer_request(&s, UNIT, false) == OK);
    keep(b, SCENE_ASKED);
    boot_bench_boot(b);
    uint64_t ops = b->power.ops;
    require(b->report.on_trial);
    keep(b, SCENE_TRIAL);
    confirm(b);
    boot_bench_boot(b);
    require(!b->report.on_trial && b->result.outcome == BOOT_START);
    keep(b, SCENE_CONFIRMED);
    cut_swap(b, SCENE_CUT, ops / 3);
    cut_swap(b, SCENE_CUT_LATE, 2 * ops / 3);
}

void boot_bench_make(struct boot_bench *b)
{
    memset(b, 0, sizeof *b);
    b->layout = toy;
    b->layout.hash = layout_hash(&b->layout);
    pl_key_make(&b->key);
    b->keys = (struct image_keys) { .key = &b->key.pub, .count = 1 };
    b->a = pl_image_make(&b->key, &b->layout, 1, A_LEN, 0);
    b->b = pl_image_make(&b->key, &b->layout, 2, B_LEN, 0);
    b->store = (struct store) { .layout = &b->layout, .internal = &b->dev[INTERNAL],
        .external = &b->dev[EXTERNAL], .keys = &b->keys };
    b->cfg = (struct boot_config) { .store = &b->store, .attempts = 1, .buf = { b->buf[0], b->buf[1] },
        .now_ms = now_ms, .ctx = b };
    open_chips(b);
    mark_rest(b);
    nor_load(&b->chip[INTERNAL], toy.slot0.off, b->a.data, b->a.units * UNIT);
    keep(b, SCENE_NEW);
    boot_bench_boot(b);
    require(b->result.outcome == BOOT_START);
    keep(b, SCENE_SETTLED);
    boot_bench_serve(b);
    boot_bench_upload(b, &b->b, 12);
    require(b->service.up.state == UPLOAD_RUNNING);
    keep(b, SCENE_HALF_UPLOAD);
    boot_bench_upload(b, &b->b, 100);
    require(b->service.up.state == UPLOAD_DONE);
    keep(b, SCENE_UPLOADED);
    static uint8_t blank[6 * UNIT];
    memset(blank, 0xFF, sizeof blank);
    nor_load(&b->chip[INTERNAL], toy.slot0.off, blank, sizeof blank);
    keep(b, SCENE_NO_PRIMARY);
    boot_bench_set(b, SCENE_UPLOADED);
    make_swaps(b);
}
