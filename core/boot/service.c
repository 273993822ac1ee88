/* The jobs of the update service. */
#include "core/boot/service.h"

#include <string.h>

#include "core/boot/service_priv.h"

void service_init(struct service *sv, const struct service_config *cfg)
{
    memset(sv, 0, sizeof *sv);
    sv->cfg = *cfg;
    sv->why.slot = FINDING_NO_SLOT;
    upload_init(&sv->up, cfg->store);
}

bool service_idle(struct service *sv)
{
    return sv->job == SERVICE_REST && upload_idle(&sv->up);
}

static void begin(struct service *sv, enum service_job job)
{
    sv->job = job;
    sv->stage = SERVICE_OPEN;
    sv->why = (struct finding) { .slot = FINDING_NO_SLOT };
}

void service_look(struct service *sv)
{
    begin(sv, SERVICE_LOOK);
}

void service_request(struct service *sv, const uint8_t hash[CRYPTO_SHA256_LEN], bool confirm)
{
    begin(sv, SERVICE_REQUEST);
    sv->want_hash = hash != NULL;
    sv->want_confirm = confirm;
    if (hash != NULL)
        memcpy(sv->hash, hash, sizeof sv->hash);
}

void service_upload(struct service *sv, const struct upload_chunk *c)
{
    begin(sv, SERVICE_UPLOAD);
    sv->chunk = *c;
}

void service_erase(struct service *sv)
{
    begin(sv, SERVICE_ERASE);
}

/* ---- rules ------------------------------------------------------------------------------------- */

static int refuse(struct service *sv, int err, enum reason reason, uint32_t found,
    uint32_t expected)
{
    sv->why = (struct finding) { .reason = (uint16_t)reason, .slot = 1, .found = found,
        .expected = expected };
    return err;
}

/* The bootloader would look for slot 1 elsewhere: what is put there now would not be found. */
static int check_layouts(struct service *sv)
{
    const struct boot_report *r = sv->cfg.report;
    uint32_t mine = sv->cfg.store->layout->hash;

    if (r == NULL || r->layout_hash == 0 || r->layout_hash == mine)
        return OK;
    return refuse(sv, ERR_LAYOUT, REASON_LAYOUT_MISMATCH, mine, r->layout_hash);
}

/* May slot 1 be written? In recovery always: nothing depends on a trial there. */
static int check_writable(struct service *sv, bool *forget)
{
    struct swap_status swap;
    int err = boot_swap_status(sv->cfg.store, &swap);

    *forget = false;
    if (err != OK) {
        store_explain(sv->cfg.store, 0, err, 0, &sv->why);
        return err;
    }
    *forget = sv->cfg.recovery && swap.phase != SWAP_IDLE;
    if (swap.phase != SWAP_IDLE && !sv->cfg.recovery)
        return refuse(sv, ERR_BADSTATE, REASON_UPLOAD_STATE, 0, 0);
    return check_layouts(sv);
}

/* ---- test and confirm -------------------------------------------------------------------------- */

/* A request for slot 1, or a confirm in slot 0, that the chip did not do. */
static int flash_failed(struct service *sv, unsigned slot, int err)
{
    struct flash_area area = store_slot(sv->cfg.store, slot);
    struct finding *why = &sv->why;
    struct trailer_byte b;

    store_explain(sv->cfg.store, slot, err, area.size - TRAILER_LEN, why);
    if (err != ERR_READBACK || !trailer_wrong_byte(&area, slot == 1, slot == 0 || sv->want_confirm, &b))
        return err;
    /* A zero bit where a one belongs cannot come from a program: the erase did not happen. */
    if ((uint8_t)~b.found & b.expected)
        *why = (struct finding) { .reason = slot == 1 ? REASON_EXT_ERASE : REASON_INT_ERASE, .expected = 0xFF };
    else
        why->expected = b.expected;
    why->slot = (uint8_t)slot;
    why->found = b.found;
    why->where = b.off;
    return err;
}

/*
 * Nothing is written if the image stays anyway. On trial it is by the state cell, or, where there was
 * no state yet and the chip with the old image is silent, by the trailer that MCUboot left.
 */
static int confirm_running(struct service *sv)
{
    const struct flash_area area = store_slot(sv->cfg.store, 0);
    struct trailer t;

    if (sv->cfg.recovery || sv->phase == SWAP_UNFINISHED || sv->slot[1].pending)
        return ERR_BADSTATE;
    int err = trailer_read(&area, &t);
    bool trial = sv->phase == SWAP_TRIAL || (t.magic == TRAILER_SET && t.image_ok == TRAILER_BLANK);
    if (err == OK && trial)
        err = trailer_confirm(&area);
    return err == OK ? OK : flash_failed(sv, 0, err);
}

static int error_of(uint16_t reason)
{
    switch (reason) {
    case REASON_IMG_TOO_LARGE_SLOT:
    case REASON_IMG_TOO_LARGE_SWAP:
    case REASON_IMG_OVER_TRAILER:
        return ERR_NOSPACE;
    case REASON_IMG_LAYOUT:
    case REASON_IMG_VECTORS:
        return ERR_LAYOUT;
    case REASON_IMG_FLAGS:
    case REASON_IMG_ALIGN:
        return ERR_UNSUPPORTED;
    default:
        return ERR_VERIFY;
    }
}

/*
 * What reads blank may be left of an erase that was cut in an earlier power cycle, and read as an old image_ok
 * tomorrow: a trial would become permanent. So a request goes where this power cycle has erased.
 */
static int renew_trailer(struct service *sv, const struct flash_area *area)
{
    uint32_t unit = sv->cfg.store->layout->unit;

    if (sv->slot[1].pending || (sv->up.trailer_fresh && sv->up.slot == 1))
        return OK;
    int err = trailer_erase(area, unit);
    if (err == OK)
        return OK;
    store_explain(sv->cfg.store, 1, err, area->size - unit, &sv->why);
    if (err != ERR_READBACK)
        return err;
    uint8_t found = 0xFF;
    for (uint32_t at = area->size - unit; found == 0xFF && area_read(area, at, &found, 1) == OK; at++)
        sv->why.where = at;
    sv->why.reason = REASON_EXT_ERASE;
    sv->why.found = found;
    sv->why.expected = 0xFF;
    return err;
}

/* The image in slot 1 is asked for, on trial or to stay. The program of its magic is the commit. */
static int request_other(struct service *sv)
{
    const struct store *st = sv->cfg.store;
    const struct flash_area area = store_slot(st, 1);
    const struct service_slot *o = &sv->slot[1];

    if (sv->phase == SWAP_TRIAL && sv->want_confirm)
        return OK; /* it is what the board goes back to unless the running image is confirmed */
    if (sv->phase == SWAP_TRIAL)
        return refuse(sv, ERR_BADSTATE, REASON_UPLOAD_STATE, 0, 0);
    if (sv->phase == SWAP_UNFINISHED)
        return refuse(sv, ERR_BADSTATE, REASON_SWAP_STOPPED, 0, 0);
    if (o->why.reason != REASON_NONE) {
        sv->why = o->why;
        return error_of(o->why.reason);
    }
    if (o->verdict != VERDICT_GOOD)
        return refuse(sv, ERR_VERIFY, REASON_IMG_HASH, 0, 0);
    int err = check_layouts(sv);
    if (err != OK)
        return err;
    if (o->permanent && !sv->want_confirm)
        return ERR_BADSTATE;
    err = renew_trailer(sv, &area);
    if (err != OK)
        return err;
    err = trailer_request(&area, st->layout->unit, sv->want_confirm);
    return err == OK ? OK : flash_failed(sv, 1, err);
}

static bool holds(const struct service *sv, unsigned s)
{
    return sv->slot[s].present && memcmp(sv->slot[s].img.hash, sv->hash, sizeof sv->hash) == 0;
}

static bool chip_failed(uint16_t reason)
{
    return reason >= REASON_EXT_ABSENT && reason <= REASON_INT_BUSY;
}

static int decide_request(struct service *sv)
{
    if (!sv->want_hash)
        return confirm_running(sv);
    if (holds(sv, 0) && !holds(sv, 1))
        return sv->want_confirm ? confirm_running(sv) : ERR_ARG;
    if (holds(sv, 1) && !(holds(sv, 0) && sv->want_confirm))
        return request_other(sv);
    if (holds(sv, 1))
        return confirm_running(sv);
    /* "Not found" would hide that one slot could not be looked at. */
    if (chip_failed(sv->slot[1].why.reason)) {
        sv->why = sv->slot[1].why;
        return ERR_NODEV;
    }
    return ERR_NOENT;
}

static int request_step(struct service *sv)
{
    int err = service_look_step(sv);

    if (err == OK) {
        err = decide_request(sv);
        sv->refused = sv->why;
        service_read_flags(sv);
    }
    return err;
}

/* ---- upload and erase -------------------------------------------------------------------------- */

static uint8_t upload_slot(struct service *sv)
{
    uint32_t jedec;

    if (sv->cfg.recovery && flash_probe(sv->cfg.store->external, &jedec) != OK)
        return 0;
    return 1;
}

static int upload_step(struct service *sv)
{
    bool forget = false;
    int err = OK;

    if (sv->stage == SERVICE_OPEN) {
        if (upload_settle(&sv->up) == ERR_BUSY)
            return ERR_BUSY;
        if (sv->chunk.off == 0)
            err = check_writable(sv, &forget);
        if (err != OK) {
            sv->up.len = sv->chunk.has_len ? sv->chunk.len : 0;
            return upload_refuse(&sv->up, err, &sv->why);
        }
        upload_chunk(&sv->up, &sv->chunk, upload_slot(sv), forget);
        sv->stage = SERVICE_ACT;
    }
    err = upload_poll(&sv->up);
    if (sv->up.state == UPLOAD_RUNNING)
        service_slot_changed(sv, sv->up.slot);
    sv->why = sv->up.why;
    return err;
}

static int erase_step(struct service *sv)
{
    bool forget = false;
    int err;

    if (sv->stage == SERVICE_OPEN) {
        if (upload_settle(&sv->up) == ERR_BUSY)
            return ERR_BUSY;
        err = check_writable(sv, &forget);
        if (err == OK && forget)
            err = boot_forget_swap(sv->cfg.store);
        sv->refused = sv->why;
        if (err != OK)
            return err;
        service_slot_changed(sv, 1);
        upload_wipe(&sv->up);
        sv->stage = SERVICE_ACT;
    }
    err = upload_poll(&sv->up);
    sv->why = sv->up.why;
    sv->refused = sv->why;
    return err;
}

int service_poll(struct service *sv)
{
    int err = OK;

    switch (sv->job) {
    case SERVICE_LOOK:
        err = service_look_step(sv);
        break;
    case SERVICE_REQUEST:
        err = request_step(sv);
        break;
    case SERVICE_UPLOAD:
        err = upload_step(sv);
        break;
    case SERVICE_ERASE:
        err = erase_step(sv);
        break;
    case SERVICE_REST:
        break;
    }
    if (err != ERR_BUSY)
        sv->job = SERVICE_REST;
    return err;
}

int service_probe(struct service *sv, uint32_t *jedec, struct finding *why)
{
    *jedec = 0;
    *why = (struct finding) { .slot = FINDING_NO_SLOT };
    if (upload_settle(&sv->up) == ERR_BUSY)
        return ERR_BUSY;
    const struct flash_area area = store_slot(sv->cfg.store, 1);
    uint8_t word[4];
    int err = flash_probe(sv->cfg.store->external, jedec);
    if (err == OK)
        err = area_read(&area, 0, word, sizeof word); /* one may know its name and still not read */
    if (err == OK) {
        (void)store_chip_note(sv->cfg.store, why);
        return OK;
    }
    store_explain(sv->cfg.store, 1, err, 0, why);
    return err == ERR_BUSY ? ERR_TIMEOUT : err;
}
