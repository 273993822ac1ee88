/* PEM files: each type, private and public, and what is none. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <time.h>

#include "host/doctor/artifact.h"
#include "tests/doctor/readers/reader_test.h"

static EVP_PKEY *make(const char *type)
{
    if (strcmp(type, "P-256") == 0 || strcmp(type, "P-384") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "EC", type);
    if (strcmp(type, "RSA") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    return EVP_PKEY_Q_keygen(NULL, NULL, type);
}

/* The key as PEM into `out`; with a password if there is one. */
static size_t pem_of(EVP_PKEY *k, bool is_private, const char *password, char *out, size_t room)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;

    if (!is_private)
        assert_int_equal(PEM_write_bio_PUBKEY(bio, k), 1);
    else
        assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, k, password ? EVP_aes_128_cbc() : NULL, password,
                             password ? (int)strlen(password) : 0, NULL, NULL),
            1);
    size_t len = (size_t)BIO_get_mem_data(bio, &text);
    assert_true(len < room);
    memcpy(out, text, len);
    BIO_free(bio);
    return len;
}

static void test_types(void **state)
{
    static const struct {
        const char *name;
        enum key_type type;
    } rows[] = { { "P-256", KEY_EC256 }, { "P-384", KEY_EC384 }, { "RSA", KEY_RSA2048 }, { "ED25519", KEY_ED25519 },
        { "X25519", KEY_OTHER } };
    struct fixture *x = *state;
    char text[4096];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EVP_PKEY *made = make(rows[i].name);
        for (int priv = 0; priv < 2; priv++) {
            size_t len = pem_of(made, priv, NULL, text, sizeof text);
            struct source *f = memfile(&x->s, "key.pem", text, len);
            struct key *k = pem_read(&x->s, f);
            if (!k || k->type != rows[i].type || k->is_private != (priv == 1) || k->is_default)
                fail_msg("%s, private %d: %s", rows[i].name, priv, k ? key_type_name(k->type) : f->trouble);
            pem_free(k);
        }
        EVP_PKEY_free(made);
    }
}

/* What imgtool puts into TLV 0x01: the hash of the SubjectPublicKeyInfo, for both halves the same. */
static void test_hash(void **state)
{
    struct fixture *x = *state;
    EVP_PKEY *made = make("P-256");
    unsigned char *der = NULL, want[32];
    char text[4096];

    int n = i2d_PUBKEY(made, &der);
    SHA256(der, (size_t)n, want);
    OPENSSL_free(der);
    for (int priv = 0; priv < 2; priv++) {
        size_t len = pem_of(made, priv, NULL, text, sizeof text);
        struct key *k = pem_read(&x->s, memfile(&x->s, "key.pem", text, len));
        assert_memory_equal(k->hash, want, 32);
        pem_free(k);
    }
    EVP_PKEY_free(made);
}

static void test_no_keys(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", NULL },
        { "hello", NULL },
        { "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", NULL },
        { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no key can be read from it" },
        { "-----BEGIN PUBLIC KEY-----\n", "no key can be read from it" },
    };
    struct fixture *x = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct source *f = memfile(&x->s, "key.pem", rows[i].text, strlen(rows[i].text));
        assert_null(pem_read(&x->s, f));
        if (!f->trouble != !rows[i].why || (f->trouble && strcmp(f->trouble, rows[i].why) != 0))
            fail_msg("row %zu: %s", i, f->trouble);
    }
}

/* Nobody is asked for the password, and no rounds are made with a guess. */
static void test_password(void **state)
{
    struct fixture *x = *state;
    EVP_PKEY *made = make("P-256");
    char text[4096];
    size_t len = pem_of(made, true, "secret", text, sizeof text);
    struct source *f = memfile(&x->s, "key.pem", text, len);

    assert_null(pem_read(&x->s, f));
    assert_string_equal(f->trouble, "the key is protected by a password, which the doctor does not ask for");
    len = pem_of(made, true, "x", text, sizeof text);
    f = memfile(&x->s, "key.pem", text, len);
    assert_null(pem_read(&x->s, f));
    assert_non_null(f->trouble);
    EVP_PKEY_free(made);
}

/* PBKDF2 with many rounds; a file may ask for 2^31, hours of work, if somebody began. */
static void test_password_that_takes_for_ever(void **state)
{
    static const char head[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
                      tail[] = "-----END ENCRYPTED PRIVATE KEY-----\n";
    struct fixture *x = *state;
    EVP_PKEY *made = make("P-256");
    char text[4096], raw[4096];
    unsigned char der[1024];
    size_t len = pem_of(made, true, "secret", text, sizeof text), n = 0;

    for (const char *p = text + sizeof head - 1; *p != '-'; p++) {
        if (*p != '\n')
            raw[n++] = *p;
    }
    int size = EVP_DecodeBlock(der, (unsigned char *)raw, (int)n);
    /* the rounds: INTEGER 2048 (02 02 08 00) in the DER; a longer number moves all lengths, so the two bytes do */
    unsigned char *rounds = memmem(der, (size_t)size, "\x02\x02\x08\x00", 4);
    assert_non_null(rounds);
    rounds[2] = 0x7f;
    rounds[3] = 0xff;
    char *p = text + sprintf(text, "%s", head);
    p += EVP_EncodeBlock((unsigned char *)p, der, size);
    p += sprintf(p, "\n%s", tail);
    len = (size_t)(p - text);
    clock_t start = clock();
    for (int i = 0; i < 20; i++)
        assert_null(pem_read(&x->s, memfile(&x->s, "key.pem", text, len)));
    assert_true(clock() - start < CLOCKS_PER_SEC / 2); /* with the rounds: 20 times 32767 of them, for each decoder */
    EVP_PKEY_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        READER_TEST(test_types),
        READER_TEST(test_hash),
        READER_TEST(test_no_keys),
        READER_TEST(test_password),
        READER_TEST(test_password_that_takes_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
