/*
 * Anything in the state area, the trailers, the headers and the upload's record: boot_run() and the
 * update service never crash, hang, or write outside of their areas, and a valid image in slot 0 is
 * started. The input chooses a scene (boot_bench.h) and damages it: with raw bytes, and with records
 * whose checksums are right, for a CRC is no proof of who wrote it. Then two boots, then an upload from
 * wherever the record says, then a third boot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/crc.h"
#include "core/boot/failure.h"
#include "core/boot/state.h"
#include "tests/fuzz/boot_bench.h"

enum {
    OPS_MAX = 6000, /* of a boot: a resumed swap, then a revert, then a recovery, some 2000 */
    UNIT_ERASES_MAX = 4, /* of a slot's unit in a boot: the same three, and a trailer once more */
    STATE_ERASES_MAX = 8, /* of the whole state area in a boot */
    UPLOAD_CHUNKS = 64,
};

/* What the damage begins at; offsets in the input count from here. */
struct place {
    unsigned chip;
    uint32_t off;
    uint32_t len;
};

static struct place place_of(const struct layout *l, unsigned n)
{
    const uint32_t s1 = l->slot1.off, end0 = l->slot0.off + l->slot0.size, end1 = s1 + l->slot1.size;
    const struct place all[] = {
        { INTERNAL, l->state.off, UNIT },
        { INTERNAL, l->state.off + UNIT, UNIT },
        { INTERNAL, l->state.off + 2 * UNIT, UNIT },
        { INTERNAL, l->state.off + 3 * UNIT, UNIT },
        { INTERNAL, end0 - 64, 64 },
        { EXTERNAL, end1 - 64, 64 },
        { EXTERNAL, end1 - UNIT, UNIT },
        { INTERNAL, l->slot0.off, UNIT },
        { EXTERNAL, s1, UNIT },
        { EXTERNAL, s1 + UNIT, UNIT },
        { EXTERNAL, s1 + 2 * UNIT, UNIT },
        { INTERNAL, l->slot0.off, l->slot0.size },
        { EXTERNAL, s1, l->slot1.size },
    };
    return all[n % (sizeof all / sizeof all[0])];
}

static void put(struct boot_bench *b, unsigned chip, uint32_t off, const void *data, uint32_t len)
{
    nor_load(&b->chip[chip], off, data, len);
}

static void damage_bytes(struct boot_bench *b, struct rd *r)
{
    struct place p = place_of(&b->layout, rd_u8(r));
    uint32_t off = rd_le16(r) % p.len, len = rd_u8(r);

    if (len > p.len - off)
        len = p.len - off;
    if (len > r->left)
        len = (uint32_t)r->left;
    const uint8_t *bytes = rd_take(r, len);
    if (bytes)
        put(b, p.chip, p.off + off, bytes, len);
}

static void damage_fill(struct boot_bench *b, struct rd *r)
{
    static uint8_t fill[UNIT];
    struct place p = place_of(&b->layout, rd_u8(r) % 11);

    memset(fill, rd_u8(r), sizeof fill);
    put(b, p.chip, p.off, fill, p.len);
}

/* CRC of the unit that a table entry is about, as it is now; also of what lies behind the slot. */
static uint32_t unit_crc(struct boot_bench *b, unsigned slot, uint32_t unit)
{
    uint32_t first = (slot == 0 ? b->layout.slot0.off : b->layout.slot1.off) / UNIT;

    return first + unit < CHIP_UNITS ? crc32(0, boot_bench_slot(b, slot) + unit * UNIT, UNIT) : 0;
}

static void put_tables(struct boot_bench *b, uint8_t *u, struct rd *r)
{
    uint32_t n_p = ld_le16(u + 0x12), n_s = ld_le16(u + 0x14), gap = u[0x0F] ? u[0x10] : 0;
    bool true_ones = (rd_u8(r) & 3) != 0;

    for (uint32_t i = 0; i < n_s + n_p && 0x800 + 4 * i < UNIT; i++) {
        uint32_t crc = true_ones ? i < n_s ? unit_crc(b, 1, i + gap) : unit_crc(b, 0, i - n_s) : rd_u8(r);
        st_le32(u + 0x800 + 4 * i, crc);
    }
    uint32_t len = 4 * (n_s + n_p);
    st_le32(u + 0x1C, crc32(0, u + 0x800, len < UNIT - 0x800 ? len : UNIT - 0x800));
}

/* A state unit as the code would write it, but with any values. */
static void damage_state(struct boot_bench *b, struct rd *r)
{
    static const uint32_t word[] = { 0x5EA1C396u, 0xAC7E935Cu, 0x3C5E771Du, 0xD09E6A35u, 0x57A27C69u };
    uint8_t u[UNIT];
    unsigned at = rd_u8(r) % 3, set;

    memset(u, 0xFF, sizeof u);
    st_le32(u, 0x57504C53);
    uint8_t wide = rd_u8(r);
    st_le32(u + 4, wide & 8 ? UINT32_MAX - rd_u8(r) : wide & 1 ? rd_le32(r) : rd_u8(r));
    st_le32(u + 8, wide & 2 ? rd_le32(r) : rd_u8(r));
    for (unsigned i = 0x0C; i < 0x12; i++)
        u[i] = rd_u8(r);
    for (unsigned i = 0x12; i < 0x18; i += 2)
        st_le16(u + i, wide & 4 ? rd_le16(r) : rd_u8(r) % 12);
    st_le32(u + 0x18, b->layout.hash);
    put_tables(b, u, r);
    st_le32(u + 0x20, crc32(0, u, 0x20));
    set = rd_u8(r);
    for (unsigned i = 0; i < 5; i++) {
        if (set >> i & 1)
            st_le32(u + 0x40 + 4 * i, word[i]);
    }
    for (unsigned n = set >> 5; n > 0; n--)
        st_le32(u + 0x80 + 4 * (rd_u8(r) % 16), 0x6B3AC59Eu);
    put(b, INTERNAL, b->layout.state.off + at * UNIT, u, sizeof u);
}

static void damage_failure(struct boot_bench *b, struct rd *r)
{
    uint8_t f[FAILURE_LEN];
    unsigned at = rd_u8(r) % (UNIT / FAILURE_LEN);

    st_le16(f, 0x4653);
    for (unsigned i = 2; i < 0x1C; i++)
        f[i] = rd_u8(r);
    st_le32(f + 0x1C, crc32(0, f, 0x1C));
    put(b, INTERNAL, b->layout.state.off + 3 * UNIT + at * FAILURE_LEN, f, sizeof f);
}

/* The progress record of an upload of B: with any length and unit, and words that are right or not. */
static void damage_record(struct boot_bench *b, struct rd *r)
{
    uint32_t at = b->layout.slot1.off + b->layout.slot1.size - UNIT;
    uint8_t rec[UPLOAD_OFF_WORDS + 4 * 9];
    struct crypto_sha256 s;
    uint8_t how = rd_u8(r);

    memset(rec, 0xFF, sizeof rec);
    st_le32(rec, UPLOAD_MAGIC);
    st_le32(rec + UPLOAD_OFF_LEN, how & 1 ? rd_le32(r) : b->b.len);
    crypto_sha256_init(&s);
    crypto_sha256_update(&s, b->b.data, b->b.len);
    crypto_sha256_final(&s, rec + UPLOAD_OFF_SHA);
    st_le32(rec + UPLOAD_OFF_UNIT, how & 2 ? rd_u8(r) : how & 4 ? rd_le32(r) : UNIT);
    st_le32(rec + UPLOAD_OFF_CRC, crc32(0, rec, UPLOAD_OFF_CRC));
    for (unsigned i = 0; i < how >> 4 && i < 9; i++)
        st_le32(rec + UPLOAD_OFF_WORDS + 4 * i, how & 8 ? rd_le32(r) : unit_crc(b, 1, i));
    put(b, EXTERNAL, at, rec, sizeof rec);
}

static void damage_trailer(struct boot_bench *b, struct rd *r)
{
    static const uint8_t magic[16] = { 0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f,
        0x2c, 0xb6, 0x79, 0x80 };
    uint8_t t[32], how = rd_u8(r);
    uint32_t end = how & 1 ? b->layout.slot1.off + b->layout.slot1.size : b->layout.slot0.off + b->layout.slot0.size;

    memset(t, 0xFF, sizeof t);
    if (how & 2)
        memcpy(t + 16, magic, sizeof magic);
    if (how & 4)
        t[8] = 0x01;
    if (how & 8)
        t[0] = 0x01;
    if (how & 16)
        t[rd_u8(r) % sizeof t] = rd_u8(r);
    put(b, how & 1 ? EXTERNAL : INTERNAL, end - 32, t, sizeof t);
}

/* The external chip fails, from some operation on. */
static void add_fault(struct boot_bench *b, struct rd *r)
{
    static const enum nor_fault_kind kind[] = { NOR_FAULT_ABSENT, NOR_FAULT_ID, NOR_FAULT_NO_ERASE,
        NOR_FAULT_NO_PROGRAM, NOR_FAULT_READ_ERROR, NOR_FAULT_BUSY };
    struct nor_fault f = { .kind = kind[rd_u8(r) % 6], .id = 0x123456, .from_op = rd_u8(r) };

    (void)!nor_fault_add(&b->chip[EXTERNAL], &f);
}

static void damage(struct boot_bench *b, struct rd *r)
{
    static void (*const how[])(struct boot_bench *, struct rd *) = { damage_bytes, damage_state, damage_trailer,
        damage_record, damage_failure, damage_fill, add_fault, damage_bytes };

    for (unsigned i = 0; i < 12 && r->left > 0; i++)
        how[rd_u8(r) % 8](b, r);
}

/* ---- what must hold ---------------------------------------------------------------------------- */

/* A unit of the cell that may ask for units of slot 0 to be written. */
static bool swap_on_record(struct boot_bench *b)
{
    const uint8_t *area = b->chip[INTERNAL].mem + b->layout.state.off;

    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *u = area + i * UNIT;
        if (ld_le32(u) == 0x57504C53 && ld_le32(u + 0x20) == crc32(0, u, 0x20) && u[0x0D] == STATE_SWAP)
            return true;
    }
    return false;
}

/* Says which rule is broken. */
#define require(ok)                                                                                \
    do {                                                                                           \
        if (!(ok)) {                                                                               \
            fprintf(stderr, "%d: %s\n", __LINE__, #ok);                                            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void check_others(struct boot_bench *b)
{
    require(boot_bench_rest_untouched(b));
    require(b->chip[INTERNAL].violations == 0);
    require(b->chip[EXTERNAL].violations == 0 || b->chip[EXTERNAL].faults > 0);
}

static uint32_t state_erases(const struct boot_bench *b)
{
    uint32_t n = 0;

    for (unsigned i = 7; i < 11; i++)
        n += b->chip[INTERNAL].unit_erases[i];
    return n;
}

static void boot_and_check(struct boot_bench *b)
{
    bool good = boot_bench_primary_good(b), swap = swap_on_record(b);

    nor_counters_clear(&b->chip[INTERNAL]);
    nor_counters_clear(&b->chip[EXTERNAL]);
    boot_bench_boot(b);
    require(b->power.ops < OPS_MAX);
    require(nor_max_erases(&b->chip[INTERNAL], UNIT, 6 * UNIT) <= UNIT_ERASES_MAX);
    require(state_erases(b) <= STATE_ERASES_MAX);
    require((b->result.outcome == BOOT_START) == boot_bench_primary_good(b));
    /* Only a swap on record, or one that a failing chip stopped half way, may leave no image in slot 0. */
    bool stopped = b->chip[EXTERNAL].faults > 0 && b->report.swap_stopped;
    require(!good || swap || stopped || b->result.outcome == BOOT_START);
    check_others(b);
}

static void read_all(struct boot_bench *b)
{
    struct finding failures[FAILURE_KEPT];
    uint8_t sha[CRYPTO_SHA256_LEN];
    uint32_t len, have;

    (void)!failure_read(&b->store, failures);
    if (upload_record_read(&b->store, &len, sha, &have) == OK)
        require(have <= len);
    service_look(&b->service);
    while (service_poll(&b->service) == ERR_BUSY)
        continue;
}

static void upload_and_check(struct boot_bench *b)
{
    boot_bench_serve(b);
    read_all(b);
    boot_bench_upload(b, &b->b, UPLOAD_CHUNKS);
    if (b->service.up.state == UPLOAD_DONE)
        require(memcmp(boot_bench_slot(b, b->service.up.slot), b->b.data, b->b.len) == 0);
    read_all(b);
    check_others(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct boot_bench b;
    static bool made;
    struct rd r = rd_of(span_of(data, size));

    if (!made)
        boot_bench_make(&b);
    made = true;
    boot_bench_set(&b, rd_u8(&r) % SCENES);
    damage(&b, &r);
    boot_and_check(&b);
    boot_and_check(&b);
    upload_and_check(&b);
    boot_and_check(&b);
    return 0;
}
