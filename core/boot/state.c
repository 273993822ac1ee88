#include "core/boot/state.h"

#include "core/base/bytes.h"
#include "core/base/crc.h"

enum {
    OFF_MAGIC = 0x00,
    OFF_SEQ = 0x04,
    OFF_PREV_SEQ = 0x08,
    OFF_PREV = 0x0C,
    OFF_STATE = 0x0D,
    OFF_KIND = 0x0E,
    OFF_DIR = 0x0F,
    OFF_GAP = 0x10,
    OFF_STARTS = 0x11,
    OFF_N_P = 0x12,
    OFF_N_S = 0x14,
    OFF_START = 0x16,
    OFF_LAYOUT = 0x18,
    OFF_TABLES_CRC = 0x1C,
    OFF_CRC = 0x20,
    HDR_LEN = 0x24,
    CHUNK = 256, /* bytes moved at a time */
};
_Static_assert((int)HDR_LEN <= (int)STATE_OFF_WORDS, "the header ends before the words");
_Static_assert(STATE_OFF_WORDS + 4 * STATE_WORDS <= STATE_OFF_MARKS, "the words end before the marks");

/* Mixed patterns: neither blank, nor zero, nor a half-programmed neighbour reads as one of them. */
static const uint32_t word_value[STATE_WORDS] = {
    [STATE_SEAL] = 0x5EA1C396u,
    [STATE_ACT] = 0xAC7E935Cu,
    [STATE_SETTLE] = 0x3C5E771Du,
    [STATE_DONE] = 0xD09E6A35u,
    [STATE_START] = 0x57A27C69u,
};
static const uint32_t mark_value = 0x6B3AC59Eu;

static uint32_t unit_off(const struct state_cell *c, int u)
{
    return (uint32_t)u * c->unit_size;
}

static int read_word(const struct state_cell *c, int u, uint32_t off, uint32_t *v)
{
    uint8_t b[4];
    int err = area_read(&c->area, unit_off(c, u) + off, b, sizeof b);

    *v = err == OK ? ld_le32(b) : 0;
    return err;
}

static int prog_word(const struct state_cell *c, int u, uint32_t off, uint32_t v)
{
    uint8_t b[4];

    st_le32(b, v);
    return area_write(&c->area, unit_off(c, u) + off, b, sizeof b);
}

/* ---- reading ---------------------------------------------------------------------------------- */

static int tables_crc(const struct state_cell *c, int u, uint32_t len, uint32_t *crc)
{
    uint8_t buf[CHUNK];

    *crc = 0;
    for (uint32_t at = 0; at < len; at += CHUNK) {
        uint32_t n = len - at < CHUNK ? len - at : CHUNK;
        int err = area_read(&c->area, unit_off(c, u) + STATE_OFF_TABLES + at, buf, n);
        if (err != OK)
            return err;
        *crc = crc32(*crc, buf, n);
    }
    return OK;
}

/* Impossible values cannot come from us, but a CRC is no proof of who wrote it. */
static bool sane(const struct state_cell *c, const struct state_unit *u)
{
    const struct state *st = &u->st;
    uint32_t tables = 4u * ((uint32_t)st->n_p + st->n_s);

    if (u->seq > STATE_SEQ_MAX)
        return false;
    if (st->state == STATE_CONFIRMED)
        return tables == 0;
    return st->state == STATE_SWAP && st->kind >= SWAP_TEST && st->kind <= SWAP_RECOVER
        && st->dir <= SWAP_BACKWARD && (st->gap == 1 || st->gap == 2) && st->n_s > 0
        && (st->n_p > 0) == (st->kind != SWAP_RECOVER) && STATE_OFF_TABLES + tables <= c->unit_size;
}

static void parse_header(struct state_unit *u, const uint8_t *h)
{
    u->seq = ld_le32(h + OFF_SEQ);
    u->prev_seq = ld_le32(h + OFF_PREV_SEQ);
    u->prev = h[OFF_PREV];
    u->st = (struct state) {
        .state = h[OFF_STATE],
        .kind = h[OFF_KIND],
        .dir = h[OFF_DIR],
        .gap = h[OFF_GAP],
        .starts = h[OFF_STARTS],
        .n_p = ld_le16(h + OFF_N_P),
        .n_s = ld_le16(h + OFF_N_S),
        .start = ld_le16(h + OFF_START),
        .tables_crc = ld_le32(h + OFF_TABLES_CRC),
    };
}

static int read_marks(const struct state_cell *c, int index, struct state_unit *u)
{
    uint8_t buf[CHUNK];

    for (uint32_t at = STATE_OFF_MARKS; at < STATE_OFF_TABLES; at += CHUNK) {
        uint32_t n = STATE_OFF_TABLES - at < CHUNK ? STATE_OFF_TABLES - at : CHUNK;
        int err = area_read(&c->area, unit_off(c, index) + at, buf, n);
        if (err != OK)
            return err;
        for (uint32_t i = 0; i < n; i += 4) {
            if (ld_le32(buf + i) == mark_value) {
                u->marked = true;
                u->mark = (uint16_t)((at + i - STATE_OFF_MARKS) / 4);
            }
        }
    }
    return OK;
}

static int read_unit(struct state_cell *c, int index)
{
    struct state_unit *u = &c->unit[index];
    uint8_t h[HDR_LEN];
    uint32_t crc, v;

    *u = (struct state_unit) { .valid = false };
    int err = area_read(&c->area, unit_off(c, index), h, sizeof h);
    if (err != OK)
        return err;
    if (ld_le32(h + OFF_MAGIC) != STATE_MAGIC || ld_le32(h + OFF_CRC) != crc32(0, h, OFF_CRC)
        || ld_le32(h + OFF_LAYOUT) != c->layout_hash)
        return OK;
    parse_header(u, h);
    if (!sane(c, u))
        return OK;
    err = tables_crc(c, index, 4u * ((uint32_t)u->st.n_p + u->st.n_s), &crc);
    if (err != OK)
        return err;
    u->valid = crc == u->st.tables_crc;
    for (int w = 0; w < STATE_WORDS; w++) {
        err = read_word(c, index, STATE_OFF_WORDS + 4u * (uint32_t)w, &v);
        if (err != OK)
            return err;
        u->word[w] = v == word_value[w];
    }
    return read_marks(c, index, u);
}

/* ACT is certain if a word programmed after it is there. */
static bool acted(const struct state_unit *u)
{
    return u->word[STATE_ACT]
        && (u->word[STATE_SETTLE] || u->word[STATE_DONE] || u->word[STATE_START] || u->marked);
}

/* A valid unit that was written from unit u, or -1. It proves that u was complete. */
static int witness(const struct state_cell *c, int u)
{
    for (int v = 0; v < STATE_UNITS; v++) {
        const struct state_unit *w = &c->unit[v];
        if (v != u && w->valid && w->prev == u && w->prev_seq == c->unit[u].seq)
            return v;
    }
    return -1;
}

static bool known(const struct state_cell *c, int u)
{
    const struct state_unit *s = &c->unit[u];
    return s->valid && s->word[STATE_SEAL] && (s->word[STATE_ACT] || witness(c, u) >= 0);
}

/* The best known unit; where none is known, sealed before unsealed. */
static int find_base(const struct state_cell *c)
{
    for (int pass = 0; pass < 3; pass++) {
        int best = -1;
        for (int u = 0; u < STATE_UNITS; u++) {
            const struct state_unit *s = &c->unit[u];
            bool good = pass == 0 ? known(c, u) : pass == 1 ? s->valid && s->word[STATE_SEAL] : s->valid;
            if (good && (best < 0 || s->seq > c->unit[best].seq))
                best = u;
        }
        if (best >= 0)
            return best;
    }
    return -1;
}

int state_read(struct state_cell *c, const struct flash_area *area, uint32_t unit_size, uint32_t layout_hash)
{
    int err = OK;

    *c = (struct state_cell) { .area = *area, .unit_size = unit_size, .layout_hash = layout_hash, .base = -1 };
    for (int u = 0; u < STATE_UNITS && err == OK; u++)
        err = read_unit(c, u);
    if (err != OK) {
        for (int u = 0; u < STATE_UNITS; u++)
            c->unit[u].valid = false;
        return err;
    }
    c->base = find_base(c);
    return OK;
}

NOT_INLINE const struct state_unit *state_base(const struct state_cell *c)
{
    return c->base < 0 ? NULL : &c->unit[c->base];
}

uint16_t state_position(const struct state_unit *u)
{
    return u->marked && u->mark > u->st.start ? u->mark : u->st.start;
}

bool state_settled(const struct state_cell *c)
{
    const struct state_unit *b = state_base(c);

    if (!b || !b->word[STATE_SETTLE])
        return false;
    for (int u = 0; u < STATE_UNITS; u++) {
        if (u != c->base && c->unit[u].valid && c->unit[u].seq >= b->seq)
            return false;
    }
    return true;
}

/* ---- writing ---------------------------------------------------------------------------------- */

/* The unit that must survive beside the base, in case the base's last word does not hold; or -1. */
static int keep_beside_base(const struct state_cell *c)
{
    const struct state_unit *b = &c->unit[c->base];

    if (!b->word[STATE_ACT])
        return witness(c, c->base);
    if (!acted(b) && b->prev < STATE_UNITS && c->unit[b->prev].valid && c->unit[b->prev].seq == b->prev_seq)
        return b->prev;
    return -1;
}

/* True if unit a is a better target than unit b: the newest of those newer than the base, else the oldest. */
static bool better_target(const struct state_cell *c, int a, int b)
{
    uint32_t base = c->base < 0 ? UINT32_MAX : c->unit[c->base].seq;
    uint32_t sa = c->unit[a].seq, sb = c->unit[b].seq;
    bool newer_a = sa > base, newer_b = sb > base;

    if (newer_a != newer_b)
        return newer_a;
    return newer_a ? sa > sb : sa < sb;
}

static int choose_target(const struct state_cell *c)
{
    int keep = c->base < 0 ? -1 : keep_beside_base(c), target = -1;

    for (int u = 0; u < STATE_UNITS; u++) {
        if (u != c->base && !c->unit[u].valid)
            return u;
    }
    for (int u = 0; u < STATE_UNITS; u++) {
        if (u == c->base || u == keep)
            continue;
        if (target < 0 || better_target(c, u, target))
            target = u;
    }
    return target;
}

/*
 * A unit that is not certainly history loses its seal before it is erased, so that a half erase cannot
 * bring it back. The one word that may see a second program (a third after two cuts in this very word).
 */
static int void_seal(const struct state_cell *c, int target)
{
    if (c->base < 0 || !c->unit[target].valid)
        return OK;
    if (c->unit[target].seq < c->unit[c->base].seq && acted(&c->unit[c->base]))
        return OK;
    return prog_word(c, target, STATE_OFF_WORDS + 4u * STATE_SEAL, 0);
}

/* Table entries first..first+n of the new unit, from the tables given or from the base's. */
static int get_entries(const struct state_cell *c, const struct state *st, const struct state_tables *t,
    uint32_t first, uint32_t n, uint8_t *out)
{
    if (t->new_le) {
        for (uint32_t i = 0; i < 4 * n; i++)
            out[i] = t->new_le[4 * first + i];
        return OK;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = first + i;
        if (t->exchange) /* new S table = base's P table, which lies behind the base's S table */
            from = from < st->n_s ? st->n_p + from : from - st->n_s;
        int err = area_read(&c->area, unit_off(c, c->base) + STATE_OFF_TABLES + 4 * from, out + 4 * i, 4);
        if (err != OK)
            return err;
    }
    return OK;
}

static int write_tables(const struct state_cell *c, int target, struct state *st, const struct state_tables *t)
{
    uint32_t total = (uint32_t)st->n_p + st->n_s;
    uint8_t buf[CHUNK];

    st->tables_crc = 0;
    for (uint32_t at = 0; at < total; at += CHUNK / 4) {
        uint32_t n = total - at < CHUNK / 4 ? total - at : CHUNK / 4;
        uint32_t off = unit_off(c, target) + STATE_OFF_TABLES + 4 * at;
        int err = get_entries(c, st, t, at, n, buf);
        if (err == OK)
            err = area_write(&c->area, off, buf, 4 * n);
        if (err != OK)
            return err;
        st->tables_crc = crc32(st->tables_crc, buf, 4 * n);
    }
    return OK;
}

/* Copied tables are those that the base had when it was read. */
static int check_base_tables(const struct state_cell *c)
{
    const struct state_unit *b = &c->unit[c->base];
    uint32_t crc;
    int err = tables_crc(c, c->base, 4u * ((uint32_t)b->st.n_p + b->st.n_s), &crc);

    return err != OK ? err : crc == b->st.tables_crc ? OK : ERR_SOURCE;
}

static int write_header(const struct state_cell *c, int target, const struct state_unit *u)
{
    uint8_t h[HDR_LEN];

    st_le32(h + OFF_MAGIC, STATE_MAGIC);
    st_le32(h + OFF_SEQ, u->seq);
    st_le32(h + OFF_PREV_SEQ, u->prev_seq);
    h[OFF_PREV] = u->prev;
    h[OFF_STATE] = u->st.state;
    h[OFF_KIND] = u->st.kind;
    h[OFF_DIR] = u->st.dir;
    h[OFF_GAP] = u->st.gap;
    h[OFF_STARTS] = u->st.starts;
    st_le16(h + OFF_N_P, u->st.n_p);
    st_le16(h + OFF_N_S, u->st.n_s);
    st_le16(h + OFF_START, u->st.start);
    st_le32(h + OFF_LAYOUT, c->layout_hash);
    st_le32(h + OFF_TABLES_CRC, u->st.tables_crc);
    st_le32(h + OFF_CRC, crc32(0, h, OFF_CRC));
    return area_write(&c->area, unit_off(c, target), h, sizeof h);
}

static uint32_t highest_seq(const struct state_cell *c)
{
    uint32_t top = 0;

    for (int u = 0; u < STATE_UNITS; u++) {
        if (c->unit[u].valid && c->unit[u].seq > top)
            top = c->unit[u].seq;
    }
    return top;
}

int state_write(struct state_cell *c, struct state *st, const struct state_tables *tables)
{
    int target = choose_target(c);
    struct state_unit u = {
        .valid = true,
        .seq = highest_seq(c) + 1,
        .prev = c->base < 0 ? STATE_NO_PREV : (uint8_t)c->base,
        .prev_seq = c->base < 0 ? 0 : c->unit[c->base].seq,
    };

    int err = tables->new_le || st->n_s == 0 ? OK : check_base_tables(c);
    if (err == OK)
        err = void_seal(c, target);
    if (err == OK)
        err = area_erase(&c->area, unit_off(c, target), c->unit_size);
    c->unit[target] = (struct state_unit) { .valid = false };
    if (err == OK)
        err = write_tables(c, target, st, tables);
    u.st = *st;
    if (err == OK)
        err = write_header(c, target, &u);
    if (err != OK)
        return err;
    c->unit[target] = u;
    c->base = target;
    c->fresh = true;
    err = state_set(c, STATE_SEAL);
    return err != OK ? err : state_set(c, STATE_ACT);
}

int state_set(struct state_cell *c, enum state_word w)
{
    if (c->base < 0 || !c->fresh)
        return ERR_BADSTATE;
    int err = prog_word(c, c->base, STATE_OFF_WORDS + 4u * (uint32_t)w, word_value[w]);
    if (err == OK)
        c->unit[c->base].word[w] = true;
    return err;
}

int state_mark(struct state_cell *c, uint16_t group)
{
    uint32_t off = STATE_OFF_MARKS + 4u * group;

    if (c->base < 0 || !c->fresh || off >= STATE_OFF_TABLES)
        return ERR_BADSTATE;
    int err = prog_word(c, c->base, off, mark_value);
    if (err == OK) {
        c->unit[c->base].marked = true;
        c->unit[c->base].mark = group;
    }
    return err;
}

int state_digest_s(const struct state_cell *c, uint16_t i, uint32_t *crc)
{
    return read_word(c, c->base, STATE_OFF_TABLES + 4u * i, crc);
}

int state_digest_p(const struct state_cell *c, uint16_t i, uint32_t *crc)
{
    return read_word(c, c->base, STATE_OFF_TABLES + 4u * ((uint32_t)c->unit[c->base].st.n_s + i), crc);
}
