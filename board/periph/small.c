/* The small ones: RNG, TEMP, ECB, EGU/SWI, and who CryptoCell is. */
#include <string.h>

#include "board/board_priv.h"

enum { US = 64, SHORTS = 0x200 };

/* ---- RNG: 128 us to the first value, then 30 us, 120 us with bias correction ---- */

enum { RNG_CONFIG = 0x504, RNG_VALUE = 0x508, RNG_ON = 0 };

static uint64_t rng_period(const struct periph *p)
{
    return (reg(p, RNG_CONFIG) & 1u ? 120u : 30u) * US;
}

static void rng_task(struct board *b, struct periph *p, unsigned n)
{
    if (n == 0 && !p->s[RNG_ON])
        timer_set(b, p, 0, sim_time(b) + 128 * US + rng_period(p));
    else if (n == 1)
        timer_set(b, p, 0, NEVER);
    p->s[RNG_ON] = n == 0;
}

static void rng_timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    p->store[RNG_VALUE / 4] = board_random(b) & 0xFFu;
    if (reg(p, SHORTS) & 1u)
        p->s[RNG_ON] = 0;
    else
        timer_set(b, p, 0, sim_time(b) + rng_period(p));
    event_raise(b, p, 0);
}

static const struct reg_desc rng_regs[] = { { RNG_CONFIG, 1, 0, REG_RW, 1, 0 }, { RNG_VALUE, 1, 0, REG_R, 0, 0 }, { 0 } };
const struct periph_type rng_type = { .tasks = 3, .events = 1, .inten = true, .shorts = 1, .regs = rng_regs,
    .task = rng_task, .timer = rng_timer };

/* ---- TEMP: 36 us, and it is 25.0 degrees ---- */

static void temp_task(struct board *b, struct periph *p, unsigned n)
{
    timer_set(b, p, 0, n == 0 ? sim_time(b) + 36 * US : NEVER);
}

static void temp_timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    p->store[0x508 / 4] = 25 * 4;
    event_raise(b, p, 0);
}

static const struct reg_desc temp_regs[] = {
    { 0x508, 1, 0, REG_R, 0, 0 },
    /* the line in five pieces: slopes A0..A5, offsets B0..B5, their ends T0..T4 */
    { 0x520, 1, 0, REG_RW, 0xFFF, 0x326 }, { 0x524, 1, 0, REG_RW, 0xFFF, 0x348 }, { 0x528, 1, 0, REG_RW, 0xFFF, 0x3AA },
    { 0x52C, 1, 0, REG_RW, 0xFFF, 0x40E }, { 0x530, 1, 0, REG_RW, 0xFFF, 0x4BD }, { 0x534, 1, 0, REG_RW, 0xFFF, 0x5A3 },
    { 0x540, 1, 0, REG_RW, 0x3FFF, 0x3FEF }, { 0x544, 2, 4, REG_RW, 0x3FFF, 0x3FBE }, { 0x54C, 1, 0, REG_RW, 0x3FFF, 0x12 },
    { 0x550, 1, 0, REG_RW, 0x3FFF, 0x124 }, { 0x554, 1, 0, REG_RW, 0x3FFF, 0x27C }, { 0x560, 1, 0, REG_RW, 0xFF, 0xE2 },
    { 0x564, 1, 0, REG_RW, 0xFF, 0 }, { 0x568, 1, 0, REG_RW, 0xFF, 0x19 }, { 0x56C, 1, 0, REG_RW, 0xFF, 0x3C },
    { 0x570, 1, 0, REG_RW, 0xFF, 0x50 }, { 0 },
};
const struct periph_type temp_type = { .tasks = 3, .events = 1, .inten = true, .regs = temp_regs, .task = temp_task,
    .timer = temp_timer };

/* ---- ECB: AES-128 on a block in RAM {key, clear, cipher}, 7.2 us ---- */

static uint8_t times2(uint8_t v)
{
    return (uint8_t)((unsigned)v << 1 ^ (v & 0x80u ? 0x1Bu : 0u));
}

/* The S-box by its definition: inverse in GF(2^8), then the affine map (FIPS 197, 5.1.1). */
static uint8_t sbox(uint8_t v)
{
    uint8_t p = 1, q = 1;
    if (v == 0)
        return 0x63;
    do { /* p walks through the powers of 3, q through those of its inverse */
        p = (uint8_t)(p ^ times2(p));
        q ^= (uint8_t)(q << 1);
        q ^= (uint8_t)(q << 2);
        q ^= (uint8_t)(q << 4);
        q ^= q & 0x80u ? 0x09u : 0;
    } while (p != v);
    uint8_t r = q;
    for (unsigned i = 1; i < 5; i++)
        r ^= (uint8_t)(q << i | q >> (8 - i));
    return r ^ 0x63u;
}

static void next_key(uint8_t *k, uint8_t *rcon)
{
    for (unsigned i = 0; i < 4; i++)
        k[i] ^= sbox(k[12 + (i + 1) % 4]);
    k[0] ^= *rcon;
    *rcon = times2(*rcon);
    for (unsigned i = 4; i < 16; i++)
        k[i] ^= k[i - 4];
}

static void mix_column(uint8_t *c)
{
    uint8_t all = c[0] ^ c[1] ^ c[2] ^ c[3], first = c[0];
    for (unsigned i = 0; i < 4; i++)
        c[i] ^= all ^ times2(c[i] ^ (i < 3 ? c[i + 1] : first));
}

static void aes128(uint8_t *key, const uint8_t *in, uint8_t *out)
{
    uint8_t s[16], t[16], rcon = 1;
    for (unsigned i = 0; i < 16; i++)
        s[i] = in[i] ^ key[i];
    for (unsigned round = 1; round <= 10; round++) {
        for (unsigned i = 0; i < 16; i++) /* SubBytes and ShiftRows */
            t[i] = sbox(s[(i + 4 * (i % 4)) % 16]);
        for (unsigned c = 0; round < 10 && c < 16; c += 4)
            mix_column(t + c);
        next_key(key, &rcon);
        for (unsigned i = 0; i < 16; i++)
            s[i] = t[i] ^ key[i];
    }
    memcpy(out, s, 16);
}

static void ecb_task(struct board *b, struct periph *p, unsigned n)
{
    if (n == 0) {
        timer_set(b, p, 0, sim_time(b) + 461);
    } else if (p->at[0] != NEVER) {
        timer_set(b, p, 0, NEVER);
        event_raise(b, p, 1);
    }
}

static void ecb_timer(struct board *b, struct periph *p, unsigned which)
{
    (void)which;
    uint8_t block[48];
    uint32_t at = reg(p, 0x504);
    if (!dma_read(b, at, block, sizeof block)) {
        event_raise(b, p, 1);
        return;
    }
    aes128(block, block + 16, block + 32);
    (void)dma_write(b, at + 32, block + 32, 16);
    event_raise(b, p, 0);
}

static const struct reg_desc ecb_regs[] = { { 0x504, 1, 0, REG_RW, 0xFFFFFFFF, 0 }, { 0 } };
const struct periph_type ecb_type = { .tasks = 3, .events = 3, .inten = true, .regs = ecb_regs, .task = ecb_task,
    .timer = ecb_timer };

/* ---- EGU: task n raises event n ---- */

static void egu_task(struct board *b, struct periph *p, unsigned n)
{
    event_raise(b, p, n);
}

const struct periph_type egu_type = { .tasks = 0xFFFF, .events = 0xFFFF, .inten = true, .inten_rw = true,
    .task = egu_task };

/*
 * ---- CryptoCell: its engines are not there, but it says who it is ----
 *
 * Nordic's library reads both before anything else. Told 0 it gives up, its users go on without it, and what they then
 * wait for is no register at all.
 */
static const struct reg_desc cryptocell_regs[] = { { 0x928, 1, 0, REG_R, 0, 0xF0000000 },
    { 0xA24, 1, 0, REG_R, 0, 0x20E00000 }, { 0 } };
const struct periph_type cryptocell_type = { .regs = cryptocell_regs };
