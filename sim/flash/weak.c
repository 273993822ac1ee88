/*
 * Ranges that were in flight when power failed. Each keeps the contents it may show; what was possible
 * before a second cut stays possible after it, because a half-done operation may have done nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "sim/flash/nor_priv.h"

/* Candidates for the readings of one range, without duplicates. */
struct readings {
    uint32_t len;
    unsigned n;
    uint8_t *p; /* room for NOR_WEAK_READINGS */
};

static bool readings_init(struct readings *r, uint32_t len)
{
    *r = (struct readings) { .len = len, .p = malloc((size_t)len * NOR_WEAK_READINGS) };
    return r->p != NULL;
}

static uint8_t *reading(const struct readings *r, unsigned i)
{
    return r->p + (size_t)i * r->len;
}

/* A place to build the next candidate in; readings_keep() makes it one unless it is there already. */
static uint8_t *readings_next(struct readings *r)
{
    return r->n < NOR_WEAK_READINGS ? reading(r, r->n) : NULL;
}

static void readings_keep(struct readings *r)
{
    for (unsigned i = 0; i < r->n; i++) {
        if (memcmp(reading(r, i), reading(r, r->n), r->len) == 0)
            return;
    }
    r->n++;
}

static bool overlaps(const struct nor_weak *w, uint32_t off, uint32_t len)
{
    return w->off < off + len && off < w->off + w->len;
}

static void changed(struct nor *nor)
{
    if (nor->weak_changed)
        nor->weak_changed(nor->weak_ctx);
}

static void weak_free_one(struct nor_weak *w)
{
    free(w->readings);
    free(w);
}

void weak_free(struct nor_weak **list)
{
    while (*list) {
        struct nor_weak *w = *list;
        *list = w->next;
        weak_free_one(w);
    }
}

static struct nor_weak *weak_new(uint32_t off, uint32_t len, unsigned n, const uint8_t *readings)
{
    struct nor_weak *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    *w = (struct nor_weak) { .off = off, .len = len, .n = n, .readings = malloc((size_t)n * len) };
    if (!w->readings) {
        free(w);
        return NULL;
    }
    memcpy(w->readings, readings, (size_t)n * len);
    return w;
}

static void weak_insert(struct nor *nor, struct nor_weak *w)
{
    struct nor_weak **at = &nor->weak;

    while (*at && (*at)->off < w->off)
        at = &(*at)->next;
    w->next = *at;
    *at = w;
}

/* Removes what overlaps; true if there was something. */
static bool weak_remove(struct nor *nor, uint32_t off, uint32_t len)
{
    bool any = false;

    for (struct nor_weak **at = &nor->weak; *at;) {
        struct nor_weak *w = *at;
        if (overlaps(w, off, len)) {
            *at = w->next;
            weak_free_one(w);
            any = true;
        } else {
            at = &w->next;
        }
    }
    return any;
}

int weak_copy(struct nor_weak **to, const struct nor_weak *from)
{
    weak_free(to);
    for (struct nor_weak **at = to; from; from = from->next, at = &(*at)->next) {
        *at = weak_new(from->off, from->len, from->n, from->readings);
        if (!*at)
            return ERR_NOSPACE;
    }
    return OK;
}

int nor_weak_add(struct nor *nor, uint32_t off, uint32_t len, unsigned n, const uint8_t *readings)
{
    uint32_t unit = nor->geo.erase_size;

    if (n < 2 || n > NOR_WEAK_READINGS || len == 0 || len > unit || off >= nor->geo.size
        || off / unit != (off + len - 1) / unit)
        return ERR_RANGE;
    struct nor_weak *w = weak_new(off, len, n, readings);
    if (!w)
        return ERR_NOSPACE;
    weak_remove(nor, off, len);
    weak_insert(nor, w);
    changed(nor);
    return OK;
}

bool nor_is_weak(const struct nor *nor, uint32_t off, uint32_t len)
{
    for (const struct nor_weak *w = nor->weak; w; w = w->next) {
        if (!overlaps(w, off, len))
            continue;
        uint32_t from = off > w->off ? off - w->off : 0;
        uint32_t to = off + len < w->off + w->len ? off + len - w->off : w->len;
        for (unsigned i = 1; i < w->n; i++) {
            if (memcmp(w->readings + from, w->readings + (size_t)i * w->len + from, to - from) != 0)
                return true;
        }
    }
    return false;
}

void weak_forget(struct nor *nor, uint32_t off, uint32_t len)
{
    if (weak_remove(nor, off, len))
        changed(nor);
}

void weak_apply_erase(struct nor *nor, uint32_t off, uint32_t len)
{
    weak_forget(nor, off, len);
}

/* Clears in `to`, which holds [to_off, to_off + to_len), the bits that programming data clears. */
static void program_into(uint8_t *to, uint32_t to_off, uint32_t to_len, uint32_t off,
    const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        if (off + i >= to_off && off + i - to_off < to_len)
            to[off + i - to_off] &= data[i];
    }
}

static bool weak_is_settled(const struct nor_weak *w)
{
    for (unsigned i = 1; i < w->n; i++) {
        if (memcmp(w->readings, w->readings + (size_t)i * w->len, w->len) != 0)
            return false;
    }
    return true;
}

/* A bit that was programmed is solid; one that was left set stays as weak as it was. */
void weak_apply_program(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len)
{
    bool any = false;

    for (struct nor_weak **at = &nor->weak; *at;) {
        struct nor_weak *w = *at;
        if (overlaps(w, off, len)) {
            any = true;
            for (unsigned i = 0; i < w->n; i++)
                program_into(w->readings + (size_t)i * w->len, w->off, w->len, off, data, len);
            if (weak_is_settled(w)) {
                *at = w->next;
                weak_free_one(w);
                continue;
            }
        }
        at = &w->next;
    }
    if (any)
        changed(nor);
}

/* The contents that [off, off + len) could show before: now's reading first, then the others. */
static bool prior_readings(const struct nor *nor, uint32_t off, uint32_t len, struct readings *r)
{
    if (!readings_init(r, len))
        return false;
    for (unsigned k = 0; k <= NOR_WEAK_READINGS; k++) {
        uint8_t *p = readings_next(r);
        if (!p)
            break;
        memcpy(p, nor->mem + off, len);
        for (const struct nor_weak *w = nor->weak; w && k > 0; w = w->next) {
            if (!overlaps(w, off, len))
                continue;
            unsigned i = k - 1 < w->n ? k - 1 : w->n - 1;
            memcpy(p + (w->off - off), w->readings + (size_t)i * w->len, w->len);
        }
        readings_keep(r);
    }
    return true;
}

/* `now` with a random subset of the bits that differ from `then` taken from it. */
static void torn(struct sim_power *power, uint8_t *out, const uint8_t *now, const uint8_t *then,
    uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t take = (uint8_t)sim_power_random(power);
        out[i] = (uint8_t)((now[i] & ~take) | (then[i] & take));
    }
}

/*
 * Makes a range weak between what it could show and, of each of these, what the operation makes of
 * it: `data` at op_off programmed, or (data NULL) all of it erased. The most telling ones come first.
 */
static void weak_tear(struct nor *nor, uint32_t off, uint32_t len, uint32_t op_off,
    const uint8_t *data, uint32_t op_len)
{
    struct readings prior, all;
    uint8_t *done = malloc(len);
    struct nor_weak *w = NULL;

    bool ready = prior_readings(nor, off, len, &prior);
    ready = readings_init(&all, len) && ready && done;
    for (unsigned i = 0; ready && i < prior.n; i++) {
        const uint8_t *before = reading(&prior, i);
        memcpy(done, before, len);
        if (data)
            program_into(done, off, len, op_off, data, op_len);
        else
            memset(done, 0xFF, len);
        for (unsigned kind = 0; kind < 3; kind++) {
            uint8_t *p = readings_next(&all);
            if (!p)
                break;
            if (kind == 2)
                torn(nor->power, p, before, done, len);
            else
                memcpy(p, kind == 0 ? before : done, len);
            readings_keep(&all);
        }
    }
    if (ready) {
        weak_remove(nor, off, len);
        w = all.n > 1 ? weak_new(off, len, all.n, all.p) : NULL;
        if (w)
            weak_insert(nor, w);
        changed(nor);
    }
    free(done);
    free(prior.p);
    free(all.p);
}

void weak_tear_erase(struct nor *nor, uint32_t off, uint32_t len)
{
    weak_tear(nor, off, len, off, NULL, len);
}

/* Ranges that the program touches become one with it. */
void weak_tear_program(struct nor *nor, uint32_t off, const uint8_t *data, uint32_t len)
{
    uint32_t from = off, to = off + len;

    for (const struct nor_weak *w = nor->weak; w; w = w->next) {
        if (!overlaps(w, off, len))
            continue;
        from = w->off < from ? w->off : from;
        to = w->off + w->len > to ? w->off + w->len : to;
    }
    weak_tear(nor, from, to - from, off, data, len);
}

void weak_widen(struct nor *nor, uint32_t off, uint32_t len)
{
    for (struct nor_weak *w = nor->weak; w; w = w->next) {
        if (!overlaps(w, off, len) || w->n == NOR_WEAK_READINGS)
            continue;
        uint8_t *more = realloc(w->readings, (size_t)(w->n + 1) * w->len);
        if (!more)
            return;
        memcpy(more + (size_t)w->n * w->len, nor->mem + w->off, w->len);
        w->readings = more;
        w->n++;
        changed(nor);
    }
}

static unsigned choose(struct sim_power *power, unsigned n)
{
    return power->choose ? power->choose(power->ctx, n) : sim_power_random(power) % n;
}

void weak_choose(struct nor *nor)
{
    for (const struct nor_weak *w = nor->weak; w; w = w->next) {
        unsigned i = choose(nor->power, w->n + 1);
        if (i < w->n) {
            memcpy(nor->mem + w->off, w->readings + (size_t)i * w->len, w->len);
            continue;
        }
        for (uint32_t at = 0; at < w->len; at += nor->geo.prog_size) {
            uint32_t n = w->len - at < nor->geo.prog_size ? w->len - at : nor->geo.prog_size;
            uint32_t k = sim_power_random(nor->power) % w->n;
            memcpy(nor->mem + w->off + at, w->readings + (size_t)k * w->len + at, n);
        }
    }
}
