/* The composition root: the only file that knows all that runs on the simulated board. */
#include "sim/board/board_sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "core/boot/trailer.h"
#include "sim/board/board_priv.h"

static void sleep_us(uint64_t us)
{
    struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };
    nanosleep(&t, NULL);
}

/* Real time: virtual time is slept off in pieces of a millisecond, as a sleep is never exact. */
static void clock_stepped(void *ctx, uint64_t step_us)
{
    struct board_sim *b = (struct board_sim *)ctx;

    if (b->cfg.hurry && b->cfg.hurry(b->cfg.ctx))
        return;
    b->sleep_debt_us += step_us;
    if (b->sleep_debt_us >= 1000) {
        sleep_us(b->sleep_debt_us);
        b->sleep_debt_us = 0;
    }
}

static void power_cut(void *ctx)
{
    struct board_sim *b = (struct board_sim *)ctx;

    if (b->cfg.cut)
        b->cfg.cut(b->cfg.ctx);
}

uint32_t board_now_ms(void *ctx)
{
    return (uint32_t)(((struct board_sim *)ctx)->clock.us / 1000);
}

static int open_chips(struct board_sim *b, char *text, size_t len)
{
    const struct layout *l = b->cfg.layout;
    struct nor_geometry in = nor_internal_nrf52840(l->internal_size);
    struct nor_geometry ex = nor_external_part(l->external_jedec, l->external_size);

    in.erase_size = l->internal_erase;
    ex.erase_size = l->external_erase;
    if (b->cfg.state_dir) {
        int rc = board_files_open(&b->files, b->cfg.state_dir, in.size, ex.size, text, len);
        if (rc != OK)
            return rc;
        b->have_files = true;
    }
    int rc = nor_open(&b->nor[0], &in, &b->clock, &b->power, b->files.mem[0]);
    if (rc == OK)
        rc = nor_open(&b->nor[1], &ex, &b->clock, &b->power, b->files.mem[1]);
    if (rc != OK) {
        snprintf(text, len, "no memory for the board's flash, or a geometry that flash cannot have");
        return rc;
    }
    return b->have_files ? board_files_attach(&b->files, &b->nor[0], &b->nor[1], text, len) : OK;
}

/* The application of another build: slot 1 begins one unit later there. */
static void make_other_layout(struct board_sim *b)
{
    b->other = *b->cfg.layout;
    b->other.slot1.off += b->other.unit;
    b->other.slot1.size -= b->other.unit;
    b->other.hash = layout_hash(&b->other);
}

static uint64_t any_seed(void)
{
    uint64_t seed = 0;

    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        seed = (uint64_t)time(NULL);
    return seed;
}

struct board_sim *board_sim_open(const struct board_config *cfg, int *rc, char *text, size_t text_len)
{
    struct board_sim *b = calloc(1, sizeof *b);

    *rc = ERR_NOSPACE;
    if (!b) {
        snprintf(text, text_len, "no memory for a board");
        return NULL;
    }
    b->cfg = *cfg;
    b->files.lock = -1;
    b->udp.fd = b->pty.fd = b->pty.client_fd = -1;
    b->power.seed = cfg->seed ? cfg->seed : any_seed();
    b->power.cut = power_cut;
    b->power.ctx = b;
    *rc = open_chips(b, text, text_len);
    if (*rc != OK) {
        board_sim_close(b);
        return NULL;
    }
    if (cfg->time == BOARD_TIME_REAL) {
        b->clock.stepped = clock_stepped;
        b->clock.ctx = b;
    }
    b->store = (struct store) { .layout = cfg->layout, .internal = &b->dev[0], .external = &b->dev[1],
        .keys = cfg->keys, .any_payload = true };
    b->app_store = b->store;
    if (cfg->other_layout) {
        make_other_layout(b);
        b->app_store.layout = &b->other;
    }
    return b;
}

/* An operation that a reset or the end of the process finds in flight goes on to its end. */
static void finish_operation(struct board_sim *b, unsigned chip)
{
    struct nor *nor = &b->nor[chip];
    struct flash_dev *dev = &b->dev[chip];

    if (nor->op == NOR_IDLE || nor->op_void || !dev->ops)
        return;
    while (dev->ops->poll(dev->ctx) == ERR_BUSY)
        continue;
}

void board_sim_close(struct board_sim *b)
{
    if (!b)
        return;
    for (unsigned i = 0; i < SIM_CHIPS; i++) {
        if (!b->nor[i].power)
            continue;
        if (!b->power.off)
            finish_operation(b, i);
        b->nor[i].weak_changed = NULL;
        nor_close(&b->nor[i]);
    }
    if (b->have_files)
        board_files_close(&b->files);
    board_sim_drop_links(b);
    free(b);
}

struct nor *board_sim_chip(struct board_sim *b, unsigned chip)
{
    return &b->nor[chip];
}

struct sim_power *board_sim_power(struct board_sim *b)
{
    return &b->power;
}

struct sim_clock *board_sim_clock(struct board_sim *b)
{
    return &b->clock;
}

const struct board_boot *board_sim_last(const struct board_sim *b)
{
    return &b->boot;
}

int board_sim_flash(struct board_sim *b, unsigned slot, const void *data, uint32_t len)
{
    const struct layout_part *part = slot ? &b->cfg.layout->slot1 : &b->cfg.layout->slot0;
    struct nor *nor = &b->nor[slot ? 1 : 0];

    if (!bytes_all(nor->mem + part->off, part->size, 0xFF))
        return ERR_BADSTATE;
    if (len > part->size)
        return ERR_NOSPACE;
    nor_load(nor, part->off, data, len);
    return OK;
}

/* What a chip did since its counters were `before`. */
static struct nor_counters since(const struct nor *nor, const struct nor_counters *before)
{
    return (struct nor_counters) {
        .erases = nor->count.erases - before->erases,
        .programs = nor->count.programs - before->programs,
        .words = nor->count.words - before->words,
        .busy_us = nor->count.busy_us - before->busy_us,
    };
}

/* What runs is what lies in slot 0. */
static void read_running(struct board_sim *b)
{
    const struct layout_part *slot = &b->cfg.layout->slot0;
    struct span bytes = span_of(b->nor[0].mem + slot->off, slot->size);
    struct image img;
    struct finding why;

    snprintf(b->boot.running, sizeof b->boot.running, "none");
    if (b->boot.recovery || image_parse_header(&img, bytes, slot->size, &why) != OK)
        return;
    snprintf(b->boot.running, sizeof b->boot.running, "%u.%u.%u+%lu", img.version.major,
        img.version.minor, img.version.revision, (unsigned long)img.version.build);
}

/*
 * Why nothing could be started, in one code: what stopped a swap half way, else what is wrong with
 * slot 0.
 */
static const char *recovery_reason(const struct boot_report *r)
{
    for (unsigned i = 0; i < r->findings; i++) {
        const struct finding *f = &r->finding[i];
        if (f->reason == REASON_SWAP_STOPPED)
            return reason_code(i > 0 ? r->finding[i - 1].reason : f->reason);
        if (f->reason == REASON_NOT_BOOTABLE && f->found != REASON_NONE)
            return reason_code(f->found);
    }
    return reason_code(r->slot[0].why.reason ? r->slot[0].why.reason : REASON_NOT_BOOTABLE);
}

/* As boot_write_img_confirmed() of MCUboot's library: only an image that was swapped in and asks. */
static void confirm_itself(struct board_sim *b)
{
    struct flash_area slot = store_slot(&b->store, 0);
    struct trailer t;

    if (trailer_read(&slot, &t) != OK)
        return;
    if (t.magic != TRAILER_SET || t.copy_done != TRAILER_SET || t.image_ok != TRAILER_BLANK)
        return;
    static const uint8_t flag[4] = { 0x01, 0xFF, 0xFF, 0xFF };
    if (area_prog(&slot, slot.size - 24, flag, sizeof flag) != OK)
        return;
}

static void boot(struct board_sim *b, bool recovery)
{
    struct boot_config cfg = {
        .store = &b->store,
        .attempts = b->cfg.attempts,
        .buf = { (uint8_t *)b->buf[0], (uint8_t *)b->buf[1] },
        .now_ms = board_now_ms,
        .ctx = b,
    };

    b->report = (struct boot_report) { .layout_hash = b->cfg.layout->hash };
    if (recovery) {
        b->boot.recovery = true;
        b->boot.reason = "requested";
        return;
    }
    struct boot_result result = boot_run(&cfg, &b->report);
    b->boot.recovery = result.outcome != BOOT_START;
    b->boot.reason = b->boot.recovery ? recovery_reason(&b->report) : NULL;
}

void board_sim_reset(struct board_sim *b, bool recovery)
{
    struct nor_counters before[SIM_CHIPS];

    for (unsigned i = 0; i < SIM_CHIPS; i++) {
        finish_operation(b, i);
        nor_device(&b->nor[i], &b->dev[i]);
        before[i] = b->nor[i].count;
    }
    uint64_t start_us = b->clock.us;
    b->boot = (struct board_boot) { .report = &b->report };
    boot(b, recovery);
    board_app_start(b);
    if (!b->boot.recovery && b->cfg.self_confirm)
        confirm_itself(b);
    read_running(b);
    b->boot.internal = since(&b->nor[0], &before[0]);
    b->boot.external = since(&b->nor[1], &before[1]);
    b->boot.elapsed_us = b->clock.us - start_us;
    if (b->cfg.booted)
        b->cfg.booted(b->cfg.ctx, &b->boot);
}

void board_sim_power_on(struct board_sim *b)
{
    sim_power_up(&b->power);
    board_sim_reset(b, false);
}
