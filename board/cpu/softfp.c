/* See softfp.h. Names of the steps are those of the ARM ARM's pseudocode (FPUnpack, FPRound, ...). */
#include "board/cpu/softfp.h"

#define DEFAULT_NAN 0x7FC00000u
#define INFINITY_BITS 0x7F800000u

__extension__ typedef unsigned __int128 u128;

/* A finite nonzero value: (-1)^sign * sig * 2^(exp - 62), 2^62 <= sig < 2^63. */
struct num {
    bool sign;
    int exp;
    uint64_t sig;
};

static bool is_nan(uint32_t a) { return (a & 0x7FFFFFFFu) > INFINITY_BITS; }
static bool is_snan(uint32_t a) { return is_nan(a) && !(a & 0x00400000u); }
static bool is_inf(uint32_t a) { return (a & 0x7FFFFFFFu) == INFINITY_BITS; }
static bool is_zero(uint32_t a) { return (a & 0x7FFFFFFFu) == 0; }
static uint32_t sign_of(uint32_t a) { return a & 0x80000000u; }

/* FPUnpack's treatment of denormal inputs under FZ. */
static uint32_t flush_input(uint32_t a, uint32_t *fpscr)
{
    if ((*fpscr & FPSCR_FZ) && !(a & INFINITY_BITS) && (a & 0x007FFFFFu)) {
        *fpscr |= FPSCR_IDC;
        return sign_of(a);
    }
    return a;
}

static struct num normalize(bool sign, int exp, uint64_t sig)
{
    int up = __builtin_clzll(sig) - 1;
    if (up < 0) { /* bit 63 set: one down, keeping the sticky bit */
        sig = sig >> 1 | (sig & 1u);
        return (struct num){ sign, exp + 1, sig };
    }
    return (struct num){ sign, exp - up, sig << up };
}

static struct num unpack(uint32_t a)
{
    int e = (int)(a >> 23 & 0xFFu);
    uint64_t m = a & 0x007FFFFFu;
    if (e == 0)
        return normalize(a >> 31, -126 + 39, m); /* m * 2^-149 = m * 2^(-87 - 62) */
    return (struct num){ a >> 31, e - 127, (m | 0x00800000u) << 39 };
}

static uint64_t shift_sticky(uint64_t v, unsigned n)
{
    if (n == 0)
        return v;
    if (n > 63)
        return v != 0;
    return v >> n | ((v << (64 - n)) != 0);
}

/* Does the discarded part `rem` of a whole `unit` round the magnitude up? */
static bool rounds_up(unsigned rmode, bool sign, bool odd, uint64_t rem, uint64_t half)
{
    switch (rmode) {
    case FP_NEAREST: return rem > half || (rem == half && odd);
    case FP_PLUS: return rem && !sign;
    case FP_MINUS: return rem && sign;
    default: return false;
    }
}

static uint32_t overflow(bool sign, unsigned rmode, uint32_t *fpscr)
{
    bool to_inf = rmode == FP_NEAREST || (rmode == FP_PLUS && !sign) || (rmode == FP_MINUS && sign);
    *fpscr |= FPSCR_OFC | FPSCR_IXC;
    return (sign ? 0x80000000u : 0) | (to_inf ? INFINITY_BITS : INFINITY_BITS - 1u);
}

/* FPRound: tininess is detected before rounding. */
static uint32_t round_mode(struct num v, unsigned rmode, uint32_t *fpscr)
{
    uint32_t s = v.sign ? 0x80000000u : 0;
    int biased = v.exp + 127;
    uint64_t sig = v.sig;

    if (biased < 1) {
        if (*fpscr & FPSCR_FZ) {
            *fpscr |= FPSCR_UFC;
            return s;
        }
        sig = shift_sticky(sig, biased < -70 ? 71u : (unsigned)(1 - biased));
        biased = 0;
    }
    uint64_t rem = sig & ((1ull << 39) - 1u);
    uint32_t mant = (uint32_t)(sig >> 39);
    if (biased == 0 && rem)
        *fpscr |= FPSCR_UFC;
    if (rounds_up(rmode, v.sign, mant & 1u, rem, 1ull << 38))
        mant++;
    if (rem)
        *fpscr |= FPSCR_IXC;
    /* A carry out of the mantissa moves into the exponent; a denormal may become normal so. */
    uint32_t r = biased == 0 ? mant : ((uint32_t)biased << 23) + (mant - 0x00800000u);
    if (r >= INFINITY_BITS || biased >= 255)
        return overflow(v.sign, rmode, fpscr);
    return s | r;
}

static unsigned rmode_of(uint32_t fpscr) { return fpscr >> 22 & 3u; }

static uint32_t round_pack(struct num v, uint32_t *fpscr)
{
    return round_mode(v, rmode_of(*fpscr), fpscr);
}

static uint32_t process_nan(uint32_t a, uint32_t *fpscr)
{
    if (is_snan(a)) {
        *fpscr |= FPSCR_IOC;
        a |= 0x00400000u;
    }
    return *fpscr & FPSCR_DN ? DEFAULT_NAN : a;
}

/* FPProcessNaNs: signalling ones first, in operand order. */
static bool process_nans(uint32_t a, uint32_t b, uint32_t *r, uint32_t *fpscr)
{
    if (is_snan(a))
        *r = process_nan(a, fpscr);
    else if (is_snan(b))
        *r = process_nan(b, fpscr);
    else if (is_nan(a))
        *r = process_nan(a, fpscr);
    else if (is_nan(b))
        *r = process_nan(b, fpscr);
    else
        return false;
    return true;
}

static uint32_t invalid(uint32_t *fpscr)
{
    *fpscr |= FPSCR_IOC;
    return DEFAULT_NAN;
}

static uint32_t exact_zero(uint32_t fpscr)
{
    return rmode_of(fpscr) == FP_MINUS ? 0x80000000u : 0;
}

/* Sum of two finite nonzero values, not rounded; sig = 0 if they cancel exactly. */
static struct num add_nums(struct num a, struct num b)
{
    if (a.exp < b.exp || (a.exp == b.exp && a.sig < b.sig)) {
        struct num t = a;
        a = b;
        b = t;
    }
    /* Below bit 62 one needs a few guard bits: a 24-bit mantissa leaves 39 of them. */
    uint64_t bs = shift_sticky(b.sig, (unsigned)(a.exp - b.exp));
    uint64_t sum = a.sign == b.sign ? a.sig + bs : a.sig - bs;
    if (sum == 0)
        return (struct num){ false, 0, 0 };
    return normalize(a.sign, a.exp, sum);
}

static uint32_t add_finite(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_zero(a) && is_zero(b))
        return sign_of(a) == sign_of(b) ? a : exact_zero(*fpscr);
    if (is_zero(a))
        return round_pack(unpack(b), fpscr);
    if (is_zero(b))
        return round_pack(unpack(a), fpscr);
    struct num r = add_nums(unpack(a), unpack(b));
    return r.sig ? round_pack(r, fpscr) : exact_zero(*fpscr);
}

uint32_t softfp_add(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t r;
    a = flush_input(a, fpscr);
    b = flush_input(b, fpscr);
    if (process_nans(a, b, &r, fpscr))
        return r;
    if (is_inf(a))
        return is_inf(b) && sign_of(a) != sign_of(b) ? invalid(fpscr) : a;
    if (is_inf(b))
        return b;
    return add_finite(a, b, fpscr);
}

uint32_t softfp_sub(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    if (is_nan(b)) { /* the sign of a NaN operand stays */
        uint32_t r;
        a = flush_input(a, fpscr);
        (void)process_nans(a, b, &r, fpscr);
        return r;
    }
    return softfp_add(a, b ^ 0x80000000u, fpscr);
}

uint32_t softfp_mul(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t r;
    a = flush_input(a, fpscr);
    b = flush_input(b, fpscr);
    if (process_nans(a, b, &r, fpscr))
        return r;
    uint32_t s = sign_of(a ^ b);
    if (is_inf(a) || is_inf(b))
        return is_zero(a) || is_zero(b) ? invalid(fpscr) : s | INFINITY_BITS;
    if (is_zero(a) || is_zero(b))
        return s;
    struct num x = unpack(a), y = unpack(b);
    uint64_t p = (x.sig >> 31) * (y.sig >> 31); /* exact: 24 bits each in the top of 32 */
    return round_pack(normalize(s, x.exp + y.exp, p), fpscr);
}

uint32_t softfp_div(uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t r;
    a = flush_input(a, fpscr);
    b = flush_input(b, fpscr);
    if (process_nans(a, b, &r, fpscr))
        return r;
    uint32_t s = sign_of(a ^ b);
    if ((is_inf(a) && is_inf(b)) || (is_zero(a) && is_zero(b)))
        return invalid(fpscr);
    if (is_zero(b) && !is_inf(a))
        *fpscr |= FPSCR_DZC;
    if (is_inf(a) || is_zero(b))
        return s | INFINITY_BITS;
    if (is_zero(a) || is_inf(b))
        return s;
    struct num x = unpack(a), y = unpack(b);
    uint64_t d = y.sig >> 31, q = x.sig / d, rem = x.sig % d;
    return round_pack(normalize(s, x.exp - y.exp + 31, q | (rem != 0)), fpscr);
}

/* The integer square root by bits; v < 2^62. */
static uint64_t isqrt(uint64_t v, bool *exact)
{
    uint64_t root = 0;
    for (uint64_t bit = 1ull << 31; bit; bit >>= 1) {
        uint64_t t = root | bit;
        if (t * t <= v)
            root = t;
    }
    *exact = root * root == v;
    return root;
}

uint32_t softfp_sqrt(uint32_t a, uint32_t *fpscr)
{
    a = flush_input(a, fpscr);
    if (is_nan(a))
        return process_nan(a, fpscr);
    if (is_zero(a))
        return a;
    if (a >> 31)
        return invalid(fpscr);
    if (is_inf(a))
        return a;
    struct num x = unpack(a);
    /* v * 2^e with v < 2^62 and e even: the root is root(v) * 2^(e/2). Mantissas leave room to shift. */
    bool exact;
    uint64_t v = x.sig >> 1;
    int e = x.exp - 61;
    if (e & 1) {
        v >>= 1;
        e++;
    }
    uint64_t root = isqrt(v, &exact);
    return round_pack(normalize(false, 61 + e / 2, root << 1 | !exact), fpscr);
}

/* a * b + c with one rounding, all finite, product nonzero. */
static uint32_t fma_finite(uint32_t c, struct num p_hi, u128 p, uint32_t *fpscr)
{
    /* p_hi holds sign and exponent of the product p, whose top bit is 125 or 126. */
    if (is_zero(c)) {
        uint64_t sig = (uint64_t)(p >> 64) | ((uint64_t)p != 0);
        return round_pack(normalize(p_hi.sign, p_hi.exp + 2, sig), fpscr);
    }
    struct num x = unpack(c);
    u128 q = (u128)x.sig << 62; /* as p: value = q * 2^(exp - 124) */
    int d = p_hi.exp - x.exp;
    bool swap = d < 0 || (d == 0 && p < q);
    u128 big = swap ? q : p, small = swap ? p : q;
    int exp = swap ? x.exp : p_hi.exp;
    unsigned n = (unsigned)(d < 0 ? -d : d);
    if (n > 127)
        small = 1;
    else if (n)
        small = small >> n | ((small << (128 - n)) != 0);
    bool sign = swap ? x.sign : p_hi.sign, other = swap ? p_hi.sign : x.sign;
    u128 sum = sign == other ? big + small : big - small;
    if (sum >> 127 && sign != other) { /* p of one more bit than q: the order was wrong */
        sum = 0 - sum;
        sign = other;
    }
    if (sum == 0)
        return exact_zero(*fpscr);
    /* Normalize the 128 bits before cutting them to 64. */
    while (!(sum >> 126)) {
        sum <<= 1;
        exp--;
    }
    uint64_t sig = (uint64_t)(sum >> 64) | ((uint64_t)sum != 0);
    return round_pack(normalize(sign, exp + 2, sig), fpscr);
}

uint32_t softfp_fma(uint32_t c, uint32_t a, uint32_t b, uint32_t *fpscr)
{
    uint32_t r;
    c = flush_input(c, fpscr);
    a = flush_input(a, fpscr);
    b = flush_input(b, fpscr);
    bool undefined = (is_inf(a) && is_zero(b)) || (is_zero(a) && is_inf(b));
    if (is_nan(c) && !is_snan(c) && undefined)
        return invalid(fpscr);
    if (is_snan(c) || (is_nan(c) && !is_snan(a) && !is_snan(b)))
        return process_nan(c, fpscr);
    if (process_nans(a, b, &r, fpscr))
        return r;
    uint32_t s = sign_of(a ^ b);
    if (undefined)
        return invalid(fpscr);
    if (is_inf(a) || is_inf(b))
        return is_inf(c) && sign_of(c) != s ? invalid(fpscr) : s | INFINITY_BITS;
    if (is_inf(c))
        return c;
    if (is_zero(a) || is_zero(b)) {
        if (is_zero(c))
            return sign_of(c) == s ? c : exact_zero(*fpscr);
        return round_pack(unpack(c), fpscr);
    }
    struct num x = unpack(a), y = unpack(b);
    struct num p = { s != 0, x.exp + y.exp, 0 };
    return fma_finite(c, p, (u128)x.sig * y.sig, fpscr);
}

unsigned softfp_compare(uint32_t a, uint32_t b, bool quiet_traps, uint32_t *fpscr)
{
    a = flush_input(a, fpscr);
    b = flush_input(b, fpscr);
    if (is_nan(a) || is_nan(b)) {
        if (is_snan(a) || is_snan(b) || quiet_traps)
            *fpscr |= FPSCR_IOC;
        return 3; /* C V: unordered */
    }
    if (a == b || (is_zero(a) && is_zero(b)))
        return 6; /* Z C */
    bool less = sign_of(a) != sign_of(b) ? a >> 31 : (a < b) != (a >> 31);
    return less ? 8 : 2;
}

uint32_t softfp_from_int(int64_t v, unsigned fbits, unsigned rmode, uint32_t *fpscr)
{
    if (v == 0)
        return 0;
    uint64_t mag = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    return round_mode(normalize(v < 0, 62 - (int)fbits, mag), rmode, fpscr);
}

static uint32_t saturated(bool sign, unsigned width, bool is_signed, uint32_t *fpscr)
{
    *fpscr |= FPSCR_IOC;
    uint32_t max = 0xFFFFFFFFu >> (32 - width + (is_signed ? 1u : 0u));
    if (!sign)
        return max;
    return is_signed ? ~max : 0;
}

uint32_t softfp_to_int(uint32_t a, unsigned fbits, unsigned width, bool is_signed, unsigned rmode, uint32_t *fpscr)
{
    a = flush_input(a, fpscr);
    if (is_nan(a)) {
        *fpscr |= FPSCR_IOC;
        return 0;
    }
    if (is_inf(a))
        return saturated(a >> 31, width, is_signed, fpscr);
    if (is_zero(a))
        return 0;
    struct num x = unpack(a);
    int e = x.exp + (int)fbits;
    if (e > 40)
        return saturated(x.sign, width, is_signed, fpscr);
    /* The integer part above bit 20, the rest below with its sticky bit. */
    uint64_t fixed = shift_sticky(x.sig, e < -21 ? 64u : (unsigned)(42 - e));
    uint64_t whole = fixed >> 20, rem = fixed & 0xFFFFFu;
    if (rounds_up(rmode, x.sign, whole & 1u, rem, 0x80000u))
        whole++;
    uint64_t limit = is_signed ? (1ull << (width - 1)) - (x.sign ? 0 : 1) : x.sign ? 0 : (1ull << width) - 1;
    if (whole > limit)
        return saturated(x.sign, width, is_signed, fpscr);
    if (rem)
        *fpscr |= FPSCR_IXC;
    return (uint32_t)(x.sign ? 0 - whole : whole);
}

uint32_t softfp_from_half(uint16_t h, uint32_t *fpscr)
{
    uint32_t s = (uint32_t)(h & 0x8000u) << 16, m = h & 0x3FFu;
    int e = h >> 10 & 0x1F;
    if (e == 31 && !(*fpscr & FPSCR_AHP)) {
        if (!m)
            return s | INFINITY_BITS;
        return process_nan(s | INFINITY_BITS | m << 13, fpscr);
    }
    if (e == 0 && m == 0)
        return s;
    struct num v = e ? (struct num){ s != 0, e - 15, (uint64_t)(m | 0x400u) << 52 }
                     : normalize(s != 0, -14 + 52, m);
    return s | (uint32_t)(v.exp + 127) << 23 | ((uint32_t)(v.sig >> 39) & 0x007FFFFFu);
}

static uint16_t half_special(uint32_t a, uint16_t s, uint32_t *fpscr)
{
    bool ahp = *fpscr & FPSCR_AHP;
    if (is_nan(a)) {
        if (ahp) {
            *fpscr |= FPSCR_IOC;
            return s;
        }
        uint32_t q = process_nan(a, fpscr);
        return (uint16_t)((q >> 16 & 0x8000u) | 0x7E00u | (q >> 13 & 0x1FFu));
    }
    if (ahp) {
        *fpscr |= FPSCR_IOC;
        return s | 0x7FFFu;
    }
    return s | 0x7C00u;
}

/* FPRoundBase for half precision; FZ does not apply to the result. */
uint16_t softfp_to_half(uint32_t a, uint32_t *fpscr)
{
    a = flush_input(a, fpscr);
    uint16_t s = (uint16_t)(a >> 16 & 0x8000u);
    bool ahp = *fpscr & FPSCR_AHP;
    if (is_nan(a) || is_inf(a))
        return half_special(a, s, fpscr);
    if (is_zero(a))
        return s;
    struct num v = unpack(a);
    unsigned rmode = rmode_of(*fpscr);
    int biased = v.exp + 15;
    uint64_t sig = v.sig;
    if (biased < 1) {
        sig = shift_sticky(sig, biased < -70 ? 71u : (unsigned)(1 - biased));
        biased = 0;
    }
    uint64_t rem = sig & ((1ull << 52) - 1u);
    uint32_t mant = (uint32_t)(sig >> 52);
    if (rounds_up(rmode, v.sign, mant & 1u, rem, 1ull << 51))
        mant++;
    uint32_t r = biased == 0 ? mant : ((uint32_t)biased << 10) + (mant - 0x400u);
    if (ahp && r >= 0x8000u) {
        *fpscr |= FPSCR_IOC;
        return s | 0x7FFFu;
    }
    if (biased == 0 && rem)
        *fpscr |= FPSCR_UFC;
    if (!ahp && r >= 0x7C00u) {
        uint32_t big = overflow(v.sign, rmode, fpscr);
        return s | (is_inf(big) ? 0x7C00u : 0x7BFFu);
    }
    if (rem)
        *fpscr |= FPSCR_IXC;
    return (uint16_t)(s | r);
}
