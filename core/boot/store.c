#include "core/boot/store.h"

#include "core/boot/trailer.h"

enum {
    OLD_IMAGE_UNITS = 2, /* an install leaves the old image at unit 1 or 2 */
    RAM_START = 0x20000000,
    RAM_SIZE = 0x40000,
};

struct flash_area store_slot(const struct store *st, unsigned slot)
{
    return slot == 0 ? layout_area(&st->layout->slot0, st->internal) : layout_area(&st->layout->slot1, st->external);
}

struct flash_area store_state(const struct store *st)
{
    return layout_area(&st->layout->state, st->internal);
}

static uint16_t reason_of(bool external, int err)
{
    switch (err) {
    case ERR_NODEV:
        return external ? REASON_EXT_ABSENT : REASON_INT_READ;
    case ERR_ID:
        return external ? REASON_EXT_ID : REASON_INT_READ;
    case ERR_TIMEOUT:
    case ERR_BUSY:
        return external ? REASON_EXT_BUSY : REASON_INT_BUSY;
    case ERR_PROTECTED:
        return external ? REASON_EXT_PROTECTED : REASON_INT_PROGRAM;
    case ERR_READBACK:
        return external ? REASON_EXT_PROGRAM : REASON_INT_PROGRAM;
    default:
        return external ? REASON_EXT_READ : REASON_INT_READ;
    }
}

bool store_chip_note(const struct store *st, struct finding *why)
{
    struct flash_dev *dev = st->external;

    if (!dev->ops->explain || !dev->ops->explain(dev->ctx, why))
        return false;
    why->slot = 1;
    return true;
}

/* The chip works all the same: this is no cause of an error. */
static bool is_mere_note(const struct finding *why)
{
    return why->reason == REASON_EXT_QUAD || why->reason == REASON_EXT_MODE;
}

void store_explain(const struct store *st, unsigned slot, int err, uint32_t off, struct finding *why)
{
    bool external = slot == 1;
    const struct flash_dev *dev = external ? st->external : st->internal;
    uint16_t reason = reason_of(external, err);

    if (external && err != ERR_READBACK && store_chip_note(st, why) && !is_mere_note(why))
        return;
    *why = (struct finding) { .reason = reason, .slot = (uint8_t)slot, .where = off };
    if (reason == REASON_EXT_ABSENT || reason == REASON_EXT_ID) {
        why->expected = st->external->jedec;
        why->where = 0;
        uint32_t jedec = 0;
        int again = flash_probe(st->external, &jedec);
        why->found = again == OK || again == ERR_ID || again == ERR_NODEV ? jedec : 0;
    } else if (reason == REASON_EXT_BUSY || reason == REASON_INT_BUSY) {
        /* 0: not by an operation of ours */
        why->found = dev->busy ? dev->ops->now_ms(dev->ctx) - dev->started_ms : 0;
        why->expected = dev->busy ? dev->limit_ms : dev->erase_max_ms;
    } else if (reason == REASON_EXT_READ || reason == REASON_INT_READ) {
        why->found = (uint32_t)-err;
    }
}

static int open_at(const struct store *st, unsigned slot, unsigned unit, struct image *img, struct finding *why)
{
    struct flash_area area = store_slot(st, slot);
    uint32_t off = unit * st->layout->unit;
    int err = image_open(img, &area, off, area.size - off - TRAILER_LEN, why);

    if (err != OK && err != ERR_FORMAT)
        store_explain(st, slot, err, off, why);
    why->slot = (uint8_t)slot;
    return err;
}

int store_open(const struct store *st, unsigned slot, struct image *img, unsigned *unit, struct finding *why)
{
    struct flash_area area = store_slot(st, slot);
    struct finding behind;
    bool blank = false;

    *unit = 0;
    int err = open_at(st, slot, 0, img, why);
    if (slot == 0 || err != ERR_FORMAT)
        return err;
    int read = area_is_blank(&area, 0, st->layout->unit, &blank);
    if (read != OK) {
        store_explain(st, slot, read, 0, why);
        return read;
    }
    for (unsigned u = 1; blank && u <= OLD_IMAGE_UNITS; u++) {
        int there = open_at(st, slot, u, img, &behind);
        if (there == ERR_FORMAT)
            continue;
        *unit = u;
        *why = behind;
        return there;
    }
    return err;
}

static void feed(const struct store_work *w)
{
    if (w->feed)
        w->feed(w->ctx);
}

/* As image_hash(), with the watchdog fed: a megabyte takes longer than an application's watchdog may wait. */
static int hash_image(const struct image *img, const struct store_work *w, uint8_t hash[CRYPTO_SHA256_LEN])
{
    struct crypto_sha256 sha;

    crypto_sha256_init(&sha);
    for (uint32_t at = 0, n; at < img->tlv_off; at += n) {
        n = img->tlv_off - at < w->len ? img->tlv_off - at : w->len;
        int err = area_read(&img->area, img->off + at, w->buf, n);
        if (err != OK)
            return err;
        crypto_sha256_update(&sha, w->buf, n);
        feed(w);
    }
    crypto_sha256_final(&sha, hash);
    return OK;
}

static int authenticate(const struct store *st, const struct image *img, const struct store_work *w,
    const uint8_t hash[CRYPTO_SHA256_LEN], struct finding *why)
{
    struct image_auth auth;
    enum verdict verdict;
    int err;

    image_auth_start(&auth, img, st->keys, hash);
    do {
        err = image_auth_poll(&auth, &verdict, why);
        feed(w);
    } while (err == ERR_BUSY);
    return err == OK && verdict != VERDICT_GOOD ? ERR_VERIFY : err;
}

int store_verify(const struct store *st, unsigned slot, const struct store_work *w, struct image *img, unsigned *unit,
    struct finding *why)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    int err = store_open(st, slot, img, unit, why);

    if (err != OK)
        return err;
    err = hash_image(img, w, hash);
    if (err != OK)
        store_explain(st, slot, err, img->off, why);
    else
        err = authenticate(st, img, w, hash, why);
    why->slot = (uint8_t)slot;
    return err;
}

static bool is_vector_table(const struct image *img)
{
    return img->initial_sp >= RAM_START && img->initial_sp <= RAM_START + RAM_SIZE && img->initial_sp % 4 == 0;
}

int store_runnable(const struct store *st, const struct image *img, unsigned slot, struct finding *why)
{
    const struct layout *l = st->layout;
    int err = image_runnable(img, l->slot0.off, l->slot0.size, l->hash, why);

    why->slot = (uint8_t)slot;
    if (err != OK && why->reason == REASON_IMG_VECTORS && st->any_payload && !is_vector_table(img)) {
        *why = (struct finding) { .reason = REASON_NONE, .slot = (uint8_t)slot };
        return OK;
    }
    return err;
}
