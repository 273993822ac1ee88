/* PEM keys. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <string.h>

#include "host/doctor/artifact.h"

enum { MAX_PEM = 64 << 10 };

const char *key_type_name(enum key_type t)
{
    static const char *const names[] = { "none", "RSA-2048", "RSA-3072", "ECDSA P-256", "ECDSA P-384", "Ed25519",
        "another type" };

    return names[t];
}

static enum key_type type_of(EVP_PKEY *k)
{
    int bits = EVP_PKEY_get_bits(k);

    switch (EVP_PKEY_get_base_id(k)) {
    case EVP_PKEY_RSA:
        return bits == 2048 ? KEY_RSA2048 : bits == 3072 ? KEY_RSA3072 : KEY_OTHER;
    case EVP_PKEY_EC:
        return bits == 256 ? KEY_EC256 : bits == 384 ? KEY_EC384 : KEY_OTHER;
    case EVP_PKEY_ED25519:
        return KEY_ED25519;
    default:
        return KEY_OTHER;
    }
}

/* The keys in MCUboot's repository are known by the beginning of their public part. */
static bool is_published(enum key_type type, const unsigned char *der, size_t len)
{
    static const unsigned char ec256_x[] = { 0x2a, 0xcb, 0x40, 0x3c, 0xe8, 0xfe, 0xed, 0x5b };
    static const unsigned char rsa2048_n[] = { 0xd1, 0x06, 0x08, 0x1a, 0x18, 0x44, 0x2c, 0x18 };

    if (type == KEY_EC256)
        return memmem(der, len, ec256_x, sizeof ec256_x) != NULL;
    if (type == KEY_RSA2048)
        return memmem(der, len, rsa2048_n, sizeof rsa2048_n) != NULL;
    return false;
}

/*
 * An encrypted key is neither asked for on the terminal nor tried: the work of deriving its key from a
 * password is what the file says it is, hours if it wants.
 */
static int no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing;
    *(bool *)ctx = true;
    return -1;
}

static EVP_PKEY *parse(const char *text, size_t len, bool *is_private, bool *encrypted)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    EVP_PKEY *k = NULL;

    if (!bio)
        return NULL;
    k = PEM_read_bio_PrivateKey(bio, NULL, no_password, encrypted);
    *is_private = k != NULL;
    if (!k) {
        BIO_reset(bio);
        k = PEM_read_bio_PUBKEY(bio, NULL, no_password, encrypted);
    }
    BIO_free(bio);
    ERR_clear_error();
    return k;
}

struct key *pem_read(struct sources *s, struct source *f)
{
    const char *text = source_text(s, f);
    bool is_private = false, encrypted = false;

    /* a certificate, or an empty file, is none of ours */
    if (!text || !memmem(text, f->len, " KEY-----", 9))
        return NULL;
    EVP_PKEY *pkey = f->len <= MAX_PEM ? parse(text, f->len, &is_private, &encrypted) : NULL;
    if (!pkey) {
        f->trouble = encrypted ? "the key is protected by a password, which the doctor does not ask for"
                               : "no key can be read from it";
        return NULL;
    }
    struct key *k = pool_alloc(s->pool, sizeof *k);
    k->file = f;
    k->pkey = pkey;
    k->is_private = is_private;
    k->type = type_of(pkey);
    unsigned char *der = NULL;
    bool rsa = k->type == KEY_RSA2048 || k->type == KEY_RSA3072;
    /* imgtool hashes PKCS#1 of an RSA key and SubjectPublicKeyInfo of the others */
    int len = rsa ? i2d_PublicKey(pkey, &der) : i2d_PUBKEY(pkey, &der);
    if (len > 0) {
        SHA256(der, (size_t)len, k->hash);
        k->is_default = is_published(k->type, der, (size_t)len);
        OPENSSL_free(der);
    }
    return k;
}

void pem_free(struct key *first)
{
    for (; first; first = first->next)
        EVP_PKEY_free(first->pkey);
}
