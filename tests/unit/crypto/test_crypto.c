/*
 * Known answers: FIPS 180-4 examples, RFC 6979 A.2.5. The cases of wrong encodings and special values
 * are made here, with OpenSSL, after the kinds that Project Wycheproof lists for ECDSA.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "core/crypto/crypto.h"

#define RFC6979_X "60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6"
#define RFC6979_Y "7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299"
#define P256_N    "FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"
#define P256_P    "FFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF"

static void unhex(const char *hex, uint8_t *out, size_t len)
{
    assert_int_equal(strlen(hex), 2 * len);
    for (size_t i = 0; i < len; i++) {
        char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static void sha256(const void *data, size_t len, uint8_t out[CRYPTO_SHA256_LEN])
{
    struct crypto_sha256 s;

    crypto_sha256_init(&s);
    crypto_sha256_update(&s, data, len);
    crypto_sha256_final(&s, out);
}

static void test_sha256_known_answers(void **state)
{
    static const struct {
        const char *text, *digest;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    uint8_t want[CRYPTO_SHA256_LEN], got[CRYPTO_SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unhex(cases[i].digest, want, sizeof want);
        sha256(cases[i].text, strlen(cases[i].text), got);
        assert_memory_equal(got, want, sizeof want);
    }
}

static void test_sha256_million(void **state)
{
    struct crypto_sha256 s;
    uint8_t block[1000], want[CRYPTO_SHA256_LEN], got[CRYPTO_SHA256_LEN];

    (void)state;
    memset(block, 'a', sizeof block);
    crypto_sha256_init(&s);
    for (int i = 0; i < 1000; i++)
        crypto_sha256_update(&s, block, sizeof block);
    crypto_sha256_final(&s, got);
    unhex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", want, sizeof want);
    assert_memory_equal(got, want, sizeof want);
}

static void test_sha256_in_pieces(void **state)
{
    uint8_t data[300], whole[CRYPTO_SHA256_LEN], got[CRYPTO_SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31);
    sha256(data, sizeof data, whole);
    for (size_t cut = 0; cut <= sizeof data; cut++) {
        struct crypto_sha256 s, copy;
        uint8_t part[CRYPTO_SHA256_LEN], want[CRYPTO_SHA256_LEN];
        crypto_sha256_init(&s);
        crypto_sha256_update(&s, data, cut);
        crypto_sha256_final(&s, part); /* in between: the context goes on */
        sha256(data, cut, want);
        assert_memory_equal(part, want, sizeof want);
        copy = s;
        crypto_sha256_update(&copy, data + cut, sizeof data - cut);
        crypto_sha256_final(&copy, got);
        assert_memory_equal(got, whole, sizeof whole);
    }
}

static enum verdict check(const uint8_t *pub, const uint8_t *hash, const uint8_t *sig, size_t len)
{
    struct crypto_ecdsa e;
    enum verdict v = (enum verdict)0;
    /* A copy of exactly this length, so that the sanitizer sees any read past its end. */
    uint8_t *copy = malloc(len ? len : 1);

    memcpy(copy, sig, len);
    crypto_ecdsa_start(&e, pub, hash, span_of(copy, len));
    while (!crypto_ecdsa_poll(&e, &v))
        ;
    free(copy);
    assert_true(v == VERDICT_GOOD || v == VERDICT_BAD);
    return v;
}

struct sig {
    uint8_t der[200];
    size_t len;
};

static void put(struct sig *s, const void *p, size_t n)
{
    assert_true(s->len + n <= sizeof s->der);
    memcpy(s->der + s->len, p, n);
    s->len += n;
}

static void put_u8(struct sig *s, unsigned v)
{
    uint8_t b = (uint8_t)v;
    put(s, &b, 1);
}

/* How an INTEGER may be written. */
enum form {
    DER,
    LEADING_ZERO, /* one zero more than needed */
    NEGATIVE, /* without the zero that a set first bit needs */
    LONG_LENGTH, /* 81 LEN */
    WRONG_TAG, /* BIT STRING */
    NO_BYTES, /* length 0 */
};

static void put_integer(struct sig *s, const BIGNUM *v, enum form form)
{
    uint8_t b[40] = { 0 };
    int n = BN_bn2bin(v, b + 2);
    bool top = n > 0 && (b[2] & 0x80) != 0;
    int zeros = (top || n == 0) + (form == LEADING_ZERO) - (form == NEGATIVE && top);

    put_u8(s, form == WRONG_TAG ? 0x03 : 0x02);
    if (form == NO_BYTES) {
        put_u8(s, 0);
        return;
    }
    if (form == LONG_LENGTH)
        put_u8(s, 0x81);
    put_u8(s, (unsigned)(n + zeros));
    put(s, b + 2 - zeros, (size_t)(n + zeros));
}

static struct sig sequence(const struct sig *body)
{
    struct sig s = { .len = 0 };

    put_u8(&s, 0x30);
    put_u8(&s, (unsigned)body->len);
    put(&s, body->der, body->len);
    return s;
}

static struct sig encode(const BIGNUM *r, enum form rf, const BIGNUM *s, enum form sf)
{
    struct sig body = { .len = 0 };

    put_integer(&body, r, rf);
    put_integer(&body, s, sf);
    return sequence(&body);
}

/* A key and a signature over `hash`, made by OpenSSL. */
struct signer {
    EVP_PKEY *key;
    uint8_t pub[CRYPTO_P256_POINT_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    BIGNUM *r, *s, *n;
};

static void take_signature(struct signer *g)
{
    uint8_t der[CRYPTO_SIG_MAX];
    const uint8_t *p = der;
    size_t len = sizeof der;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(g->key, NULL);

    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, der, &len, g->hash, sizeof g->hash), 1);
    EVP_PKEY_CTX_free(ctx);
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
    assert_non_null(sig);
    BN_copy(g->r, ECDSA_SIG_get0_r(sig));
    BN_copy(g->s, ECDSA_SIG_get0_s(sig));
    ECDSA_SIG_free(sig);
}

static void signer_new(struct signer *g)
{
    size_t len = 0;

    g->key = EVP_EC_gen("P-256");
    assert_non_null(g->key);
    assert_int_equal(EVP_PKEY_get_octet_string_param(g->key, OSSL_PKEY_PARAM_PUB_KEY, g->pub,
                         sizeof g->pub, &len), 1);
    assert_int_equal(len, sizeof g->pub);
    sha256("firmware", 8, g->hash);
    g->r = BN_new();
    g->s = BN_new();
    g->n = NULL;
    assert_true(BN_hex2bn(&g->n, P256_N) > 0);
    take_signature(g);
}

static void signer_free(struct signer *g)
{
    EVP_PKEY_free(g->key);
    BN_free(g->r);
    BN_free(g->s);
    BN_free(g->n);
}

static void expect(const struct signer *g, const char *name, const struct sig *s, enum verdict want)
{
    enum verdict v = check(g->pub, g->hash, s->der, s->len);
    if (v != want)
        fail_msg("%s: %s", name, v == VERDICT_GOOD ? "accepted" : "rejected");
}

static void test_ecdsa_rfc6979(void **state)
{
    static const struct {
        const char *text, *r, *s;
    } cases[] = {
        { "sample", "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8" },
        { "test", "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367",
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083" },
    };
    uint8_t pub[CRYPTO_P256_POINT_LEN] = { 0x04 }, hash[CRYPTO_SHA256_LEN];

    (void)state;
    unhex(RFC6979_X, pub + 1, 32);
    unhex(RFC6979_Y, pub + 33, 32);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BIGNUM *r = NULL, *s = NULL;
        BN_hex2bn(&r, cases[i].r);
        BN_hex2bn(&s, cases[i].s);
        struct sig sig = encode(r, DER, s, DER);
        sha256(cases[i].text, strlen(cases[i].text), hash);
        assert_int_equal(check(pub, hash, sig.der, sig.len), VERDICT_GOOD);
        hash[31] ^= 1;
        assert_int_equal(check(pub, hash, sig.der, sig.len), VERDICT_BAD);
        BN_free(r);
        BN_free(s);
    }
}

static void test_ecdsa_encodings(void **state)
{
    static const struct {
        const char *name;
        enum form r, s;
        enum verdict want;
    } cases[] = {
        { "DER", DER, DER, VERDICT_GOOD },
        { "r with a zero too many", LEADING_ZERO, DER, VERDICT_BAD },
        { "s with a zero too many", DER, LEADING_ZERO, VERDICT_BAD },
        { "r with a length in long form", LONG_LENGTH, DER, VERDICT_BAD },
        { "s with a length in long form", DER, LONG_LENGTH, VERDICT_BAD },
        { "r of another type", WRONG_TAG, DER, VERDICT_BAD },
        { "s of another type", DER, WRONG_TAG, VERDICT_BAD },
        { "r without bytes", NO_BYTES, DER, VERDICT_BAD },
        { "s without bytes", DER, NO_BYTES, VERDICT_BAD },
    };
    struct signer g;

    (void)state;
    signer_new(&g);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sig s = encode(g.r, cases[i].r, g.s, cases[i].s);
        expect(&g, cases[i].name, &s, cases[i].want);
    }
    /* Half of all r have the first bit set: without the zero before it the number is negative. */
    for (int i = 0; i < 100 && !BN_is_bit_set(g.r, 255); i++)
        take_signature(&g);
    assert_true(BN_is_bit_set(g.r, 255));
    struct sig s = encode(g.r, NEGATIVE, g.s, DER);
    expect(&g, "r negative", &s, VERDICT_BAD);
    signer_free(&g);
}

static void test_ecdsa_frames(void **state)
{
    struct signer g;
    struct sig good, s, body = { .len = 0 };

    (void)state;
    signer_new(&g);
    /* Two bytes shorter than the longest, so that it is not the length that gives an addition away. */
    for (int i = 0; i < 1000 && (BN_num_bits(g.r) != 255 || BN_num_bits(g.s) != 255); i++)
        take_signature(&g);
    good = encode(g.r, DER, g.s, DER);
    assert_int_equal(good.len, CRYPTO_SIG_MAX - 2);
    expect(&g, "as it is", &good, VERDICT_GOOD);
    s = good;
    put(&s, "\0\0", 2);
    expect(&g, "zeros behind it", &s, VERDICT_GOOD);
    put(&s, "\xFF\x30", 2);
    expect(&g, "anything behind it", &s, VERDICT_GOOD);
    s = good;
    s.der[0] = 0x31;
    expect(&g, "a SET", &s, VERDICT_BAD);
    s = good;
    s.der[1] = 0x80;
    put(&s, "\0\0", 2);
    expect(&g, "indefinite length", &s, VERDICT_BAD);
    s = good;
    s.der[1]++;
    put(&s, "\0", 1);
    expect(&g, "a byte more inside", &s, VERDICT_BAD);
    s = good;
    s.der[1]--;
    expect(&g, "a byte less inside", &s, VERDICT_BAD);
    s = (struct sig) { .len = 0 };
    put(&s, "\x30\x81", 2);
    put(&s, good.der + 1, good.len - 1);
    expect(&g, "length in long form", &s, VERDICT_BAD);
    put_integer(&body, g.r, DER);
    s = sequence(&body);
    expect(&g, "only r", &s, VERDICT_BAD);
    put_integer(&body, g.s, DER);
    put(&body, "\x05\x00", 2);
    s = sequence(&body);
    expect(&g, "a NULL behind s", &s, VERDICT_BAD);
    for (size_t n = 0; n < good.len; n++) {
        s = good;
        s.len = n;
        expect(&g, "cut short", &s, VERDICT_BAD);
    }
    signer_free(&g);
}

static void test_ecdsa_special_values(void **state)
{
    struct signer g;
    BIGNUM *zero = BN_new(), *one = BN_new(), *v = BN_new();
    struct sig s;

    (void)state;
    signer_new(&g);
    BN_zero(zero);
    BN_one(one);
    const struct {
        const char *name;
        const BIGNUM *r, *s;
    } bad[] = {
        { "r = 0", zero, g.s },
        { "s = 0", g.r, zero },
        { "both 0", zero, zero },
        { "r = n", g.n, g.s },
        { "s = n", g.r, g.n },
        { "r = 1", one, g.s },
        { "s = 1", g.r, one },
        { "both 1", one, one },
        { "swapped", g.s, g.r },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        s = encode(bad[i].r, DER, bad[i].s, DER);
        expect(&g, bad[i].name, &s, VERDICT_BAD);
    }
    BN_sub(v, g.n, g.r);
    s = encode(v, DER, g.s, DER);
    expect(&g, "n - r", &s, VERDICT_BAD);
    BN_add(v, g.n, g.r);
    s = encode(v, DER, g.s, DER);
    expect(&g, "n + r", &s, VERDICT_BAD);
    BN_add(v, g.n, g.s);
    s = encode(g.r, DER, v, DER);
    expect(&g, "n + s", &s, VERDICT_BAD);
    BN_sub(v, g.n, g.s);
    s = encode(g.r, DER, v, DER);
    expect(&g, "n - s is the other signature of the same hash", &s, VERDICT_GOOD);
    BN_free(zero);
    BN_free(one);
    BN_free(v);
    signer_free(&g);
}

static void test_ecdsa_keys(void **state)
{
    struct signer g, other;
    uint8_t pub[CRYPTO_P256_POINT_LEN];

    (void)state;
    signer_new(&g);
    signer_new(&other);
    struct sig s = encode(g.r, DER, g.s, DER);
    assert_int_equal(check(other.pub, g.hash, s.der, s.len), VERDICT_BAD);
    for (unsigned prefix = 0; prefix < 256; prefix++) {
        memcpy(pub, g.pub, sizeof pub);
        pub[0] = (uint8_t)prefix;
        assert_int_equal(check(pub, g.hash, s.der, s.len),
            prefix == 0x04 ? VERDICT_GOOD : VERDICT_BAD);
    }
    for (size_t i = 1; i < sizeof pub; i++) { /* not on the curve */
        memcpy(pub, g.pub, sizeof pub);
        pub[i] ^= 0x01;
        assert_int_equal(check(pub, g.hash, s.der, s.len), VERDICT_BAD);
    }
    memset(pub + 1, 0, 64);
    pub[0] = 0x04;
    assert_int_equal(check(pub, g.hash, s.der, s.len), VERDICT_BAD);
    memcpy(pub, g.pub, sizeof pub);
    unhex(P256_P, pub + 1, 32); /* a coordinate that is not reduced */
    assert_int_equal(check(pub, g.hash, s.der, s.len), VERDICT_BAD);
    signer_free(&g);
    signer_free(&other);
}

static void test_ecdsa_every_bit(void **state)
{
    struct signer g;

    (void)state;
    signer_new(&g);
    struct sig s = encode(g.r, DER, g.s, DER);
    for (size_t bit = 0; bit < 8 * s.len; bit++) {
        s.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(&g, "a bit of the signature", &s, VERDICT_BAD);
        s.der[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof g.hash; bit++) {
        g.hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(&g, "a bit of the hash", &s, VERDICT_BAD);
        g.hash[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect(&g, "as it was", &s, VERDICT_GOOD);
    signer_free(&g);
}

/* One signature in 128 has a number that is shorter than 32 bytes. */
static void test_ecdsa_short_numbers(void **state)
{
    struct signer g;
    unsigned short_ones = 0;

    (void)state;
    signer_new(&g);
    for (int i = 0; i < 50000 && short_ones < 4; i++) {
        take_signature(&g);
        if (i < 20 || BN_num_bits(g.r) <= 247 || BN_num_bits(g.s) <= 247) {
            struct sig s = encode(g.r, DER, g.s, DER);
            expect(&g, "from OpenSSL", &s, VERDICT_GOOD);
            short_ones += i >= 20;
        }
    }
    assert_int_equal(short_ones, 4);
    signer_free(&g);
}

static void test_equal(void **state)
{
    uint8_t a[32], b[32];

    (void)state;
    for (size_t i = 0; i < sizeof a; i++)
        a[i] = b[i] = (uint8_t)i;
    assert_true(crypto_equal(a, b, sizeof a));
    assert_true(crypto_equal(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(crypto_equal(a, b, sizeof a));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_known_answers),
        cmocka_unit_test(test_sha256_million),
        cmocka_unit_test(test_sha256_in_pieces),
        cmocka_unit_test(test_ecdsa_rfc6979),
        cmocka_unit_test(test_ecdsa_encodings),
        cmocka_unit_test(test_ecdsa_frames),
        cmocka_unit_test(test_ecdsa_special_values),
        cmocka_unit_test(test_ecdsa_keys),
        cmocka_unit_test(test_ecdsa_every_bit),
        cmocka_unit_test(test_ecdsa_short_numbers),
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
