/* What the slots hold: structure, hash, signature, whether it can be installed, and what was asked for. */
#include <string.h>

#include "core/boot/fit.h"
#include "core/boot/service_priv.h"

enum { HASH_STEP = 4096 }; /* bytes hashed in one step */

/* A probe first: an absent chip reads like a blank one. */
static bool chip_answers(struct service *sv, unsigned slot, struct finding *why)
{
    uint32_t jedec = 0;
    const struct store *st = sv->cfg.store;
    int err = slot == 1 ? flash_probe(st->external, &jedec) : OK;

    if (err == OK)
        return true;
    store_explain(st, slot, err, 0, why);
    return false;
}

bool service_cut_off_upload(const struct service *sv, struct finding *why)
{
    uint8_t sha[CRYPTO_SHA256_LEN];
    uint32_t len = 0, have = 0;

    if (sv->up.state != UPLOAD_NONE || upload_record_read(sv->cfg.store, &len, sha, &have) != OK || have >= len)
        return false;
    *why = (struct finding) { .reason = REASON_UPLOAD_RUNNING, .slot = 1, .found = have, .expected = len };
    return true;
}

/* Where no image can be read: what became of an upload says more than what lies there. */
static void explain_upload(struct service *sv, unsigned slot, struct finding *why)
{
    if (sv->up.slot == slot && sv->up.state == UPLOAD_FAILED)
        *why = sv->up.why;
    if (slot == 1)
        (void)service_cut_off_upload(sv, why);
}

static void open_slot(struct service *sv, unsigned s)
{
    struct service_slot *slot = &sv->slot[s];

    *slot = (struct service_slot) { .verdict = VERDICT_BAD };
    if (sv->up.state == UPLOAD_RUNNING && sv->up.slot == s) {
        slot->why = (struct finding) { .reason = REASON_UPLOAD_RUNNING, .slot = (uint8_t)s,
            .found = sv->up.off, .expected = sv->up.len };
        return;
    }
    if (!chip_answers(sv, s, &slot->why))
        return;
    slot->present = store_open(sv->cfg.store, s, &slot->img, &slot->unit, &slot->why) == OK;
    slot->bootable = slot->present && (slot->img.flags & IMAGE_F_NON_BOOTABLE) == 0;
    if (slot->present)
        slot->why = (struct finding) { .slot = (uint8_t)s };
    else
        explain_upload(sv, s, &slot->why);
}

static bool same_image(const struct service_slot *slot, const uint8_t *hash, unsigned unit,
    uint32_t end)
{
    return slot->unit == unit && slot->img.end == end
        && memcmp(slot->img.hash, hash, CRYPTO_SHA256_LEN) == 0;
}

static void remember(struct service *sv, unsigned s, enum verdict verdict,
    const struct finding *why)
{
    const struct service_slot *slot = &sv->slot[s];
    struct service_memo *m = &sv->memo[s];

    *m = (struct service_memo) { .known = true, .end = slot->img.end, .unit = slot->unit,
        .verdict = verdict, .why = *why };
    m->why.slot = (uint8_t)s;
    memcpy(m->hash, slot->img.hash, sizeof m->hash);
}

/* Whether the verdict on this slot's image is known: from before, from the boot, from the upload. */
static bool recall(struct service *sv, unsigned s)
{
    static const struct finding nothing = { .slot = FINDING_NO_SLOT };
    const struct service_slot *slot = &sv->slot[s];
    const struct service_memo *m = &sv->memo[s];
    const struct boot_report *r = sv->cfg.report;
    const struct upload *up = &sv->up;

    if (!slot->present)
        return true;
    if (m->known && same_image(slot, m->hash, m->unit, m->end))
        return true;
    bool booted = r != NULL && !sv->written[s] && r->slot[s].present && r->slot[s].verified
        && same_image(slot, r->slot[s].hash, r->slot[s].unit, r->slot[s].size);
    bool uploaded = up->state == UPLOAD_DONE && up->slot == s
        && same_image(slot, up->img.hash, 0, up->img.end);
    if (booted || uploaded)
        remember(sv, s, VERDICT_GOOD, &nothing);
    return booted || uploaded;
}

static int hash_step(struct service *sv)
{
    const struct image *img = &sv->slot[sv->looking].img;
    uint8_t hash[CRYPTO_SHA256_LEN];

    for (uint32_t done = 0; done < HASH_STEP && sv->at < img->tlv_off;) {
        uint32_t left = img->tlv_off - sv->at;
        uint32_t n = left < sizeof sv->buf ? left : (uint32_t)sizeof sv->buf;
        int err = area_read(&img->area, img->off + sv->at, sv->buf, n);
        if (err != OK)
            return err;
        crypto_sha256_update(&sv->sha, sv->buf, n);
        sv->at += n;
        done += n;
    }
    if (sv->at < img->tlv_off)
        return ERR_BUSY;
    crypto_sha256_final(&sv->sha, hash);
    image_auth_start(&sv->auth, img, sv->cfg.store->keys, hash);
    sv->stage = SERVICE_SIGNATURE;
    return ERR_BUSY;
}

/* Ends the check of sv->looking, with a verdict or with a flash error. */
static void conclude(struct service *sv, int err, enum verdict verdict, struct finding *why)
{
    unsigned s = sv->looking;

    if (err != OK && err != ERR_VERIFY && err != ERR_FORMAT)
        store_explain(sv->cfg.store, s, err, sv->slot[s].img.off, why);
    remember(sv, s, err == OK ? verdict : VERDICT_BAD, why);
    /* What could not be read is looked at again next time. */
    sv->memo[s].known = err == OK || err == ERR_VERIFY;
    if (!sv->memo[s].known) {
        sv->slot[s].present = false;
        sv->slot[s].why = sv->memo[s].why;
    }
    sv->looking++;
    sv->stage = SERVICE_HASH;
    sv->at = 0;
}

/* Goes through both slots; one that needs no check, or is checked, is passed. */
static int check_step(struct service *sv)
{
    struct finding why = { .slot = FINDING_NO_SLOT };
    enum verdict verdict = VERDICT_BAD;

    if (sv->looking > 1)
        return OK;
    if (sv->stage == SERVICE_HASH && sv->at == 0) {
        if (recall(sv, sv->looking)) {
            sv->looking++;
            return ERR_BUSY;
        }
        crypto_sha256_init(&sv->sha);
    }
    int err = sv->stage == SERVICE_HASH ? hash_step(sv)
                                        : image_auth_poll(&sv->auth, &verdict, &why);
    if (err != ERR_BUSY)
        conclude(sv, err, verdict, &why);
    return ERR_BUSY;
}

static void read_verdict(struct service *sv, unsigned s)
{
    struct service_slot *slot = &sv->slot[s];
    const struct service_memo *m = &sv->memo[s];

    if (!slot->present || !m->known)
        return;
    slot->verdict = m->verdict;
    if (m->verdict != VERDICT_GOOD)
        slot->why = m->why;
}

/* A good image in slot 1 that can still not be installed. */
static void check_install(struct service *sv)
{
    struct service_slot *slot = &sv->slot[1];
    const struct image *running = sv->slot[0].present ? &sv->slot[0].img : NULL;
    struct finding why;

    if (!slot->present || slot->verdict != VERDICT_GOOD)
        return;
    if (store_runnable(sv->cfg.store, &slot->img, 1, &why) != OK
        || fit_swap(sv->cfg.store, running, slot->img.end, slot->unit, &why) != OK)
        slot->why = why;
}

void service_read_flags(struct service *sv)
{
    const struct store *st = sv->cfg.store;
    const struct flash_area area = store_slot(st, 1);
    struct service_slot *a = &sv->slot[0], *o = &sv->slot[1];
    struct swap_status swap = { .phase = SWAP_UNFINISHED };
    struct trailer t = { TRAILER_BLANK, TRAILER_BLANK, TRAILER_BLANK };

    /* A state that cannot be read is no reason to believe that nothing is under way. */
    if (boot_swap_status(st, &swap) != OK)
        swap.phase = SWAP_UNFINISHED;
    sv->phase = swap.phase;
    a->active = !sv->cfg.recovery;
    a->confirmed = a->active && sv->phase != SWAP_TRIAL;
    bool readable = o->why.reason != REASON_EXT_ABSENT && o->why.reason != REASON_EXT_ID;
    if (readable && trailer_read(&area, &t) != OK)
        t.magic = TRAILER_BLANK;
    o->active = false;
    o->pending = t.magic == TRAILER_SET;
    o->permanent = o->pending && t.image_ok == TRAILER_SET;
    o->confirmed = sv->phase == SWAP_TRIAL && o->present;
}

int service_look_step(struct service *sv)
{
    if (sv->stage == SERVICE_OPEN) {
        if (upload_settle(&sv->up) == ERR_BUSY)
            return ERR_BUSY;
        open_slot(sv, 0);
        open_slot(sv, 1);
        sv->stage = SERVICE_HASH;
        sv->looking = 0;
        sv->at = 0;
    }
    int err = check_step(sv);
    if (err != OK)
        return err;
    read_verdict(sv, 0);
    read_verdict(sv, 1);
    check_install(sv);
    service_read_flags(sv);
    sv->stage = SERVICE_ACT;
    return OK;
}

void service_slot_changed(struct service *sv, unsigned slot)
{
    sv->written[slot] = true;
    sv->memo[slot].known = false;
}
