#include "host/lib/keys/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PEM_FILE_MAX = 65536 };

struct key {
    EVP_PKEY *pkey;
    bool is_private;
    uint8_t point[CRYPTO_P256_POINT_LEN];
};

static void say(char why[KEY_WHY_LEN], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char why[KEY_WHY_LEN], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, KEY_WHY_LEN, fmt, ap);
    va_end(ap);
}

/* Takes the key over, whatever comes of it. */
static struct key *key_new(EVP_PKEY *pkey, bool is_private)
{
    struct key *k = calloc(1, sizeof *k);
    size_t len = 0;

    if (!k || !pkey) {
        free(k);
        EVP_PKEY_free(pkey);
        return NULL;
    }
    k->pkey = pkey;
    k->is_private = is_private;
    if (EVP_PKEY_set_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
            "uncompressed") != 1
        || EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, k->point,
               sizeof k->point, &len) != 1
        || len != sizeof k->point) {
        key_free(k);
        return NULL;
    }
    return k;
}

struct key *key_generate(void)
{
    return key_new(EVP_EC_gen("P-256"), true);
}

void key_free(struct key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    free(k);
}

/* OpenSSL asks for a password: there is none to give, but now we know. */
static int no_password(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[64] = "";

    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC
        && EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
               NULL) == 1
        && strcmp(group, "prime256v1") == 0;
}

static bool halves_match(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
    bool match = ctx && EVP_PKEY_pairwise_check(ctx) == 1;

    EVP_PKEY_CTX_free(ctx);
    return match;
}

static EVP_PKEY *read_pem(const void *pem, size_t len, bool private, bool *password)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)len);
    EVP_PKEY *pkey = NULL;

    if (bio && private)
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, password);
    else if (bio)
        pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, password);
    BIO_free(bio);
    return pkey;
}

struct key *key_parse(const void *pem, size_t len, char why[KEY_WHY_LEN])
{
    bool password = false, private = true;

    if (len > PEM_FILE_MAX) {
        say(why, "it is too long for a PEM file");
        return NULL;
    }
    EVP_PKEY *pkey = read_pem(pem, len, true, &password);
    if (!pkey && !password) {
        private = false;
        pkey = read_pem(pem, len, false, &password);
    }
    if (!pkey) {
        say(why, password ? "the key is protected by a password, which is not supported"
                          : "it holds no key in PEM form");
        return NULL;
    }
    if (!is_p256(pkey)) {
        char group[64] = "";
        (void)EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
        say(why, "it is not an ECDSA P-256 key (but %s%s%s)", EVP_PKEY_get0_type_name(pkey),
            group[0] ? " " : "", group);
    } else if (private && !halves_match(pkey)) {
        say(why, "the private and the public half in it do not belong together");
    } else {
        struct key *k = key_new(pkey, private);
        if (!k)
            say(why, "OpenSSL cannot use it");
        return k;
    }
    EVP_PKEY_free(pkey);
    return NULL;
}

struct key *key_read(const char *path, char why[KEY_WHY_LEN])
{
    FILE *f = fopen(path, "rb");
    char *text = malloc(PEM_FILE_MAX + 1);
    struct key *k = NULL;

    if (!f || !text) {
        say(why, "%s", strerror(f ? ENOMEM : errno));
    } else {
        size_t len = fread(text, 1, PEM_FILE_MAX + 1, f);
        if (ferror(f))
            say(why, "%s", strerror(errno));
        else
            k = key_parse(text, len, why);
        OPENSSL_cleanse(text, len);
    }
    free(text);
    if (f)
        fclose(f);
    return k;
}

bool key_is_private(const struct key *k)
{
    return k->is_private;
}

void key_point(const struct key *k, uint8_t point[CRYPTO_P256_POINT_LEN])
{
    memcpy(point, k->point, sizeof k->point);
}

void key_hash(const struct key *k, uint8_t hash[CRYPTO_SHA256_LEN])
{
    uint8_t *der = NULL;
    int len = i2d_PUBKEY(k->pkey, &der);

    memset(hash, 0, CRYPTO_SHA256_LEN);
    if (len > 0)
        EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);
    OPENSSL_free(der);
}

static char *take_text(BIO *bio, bool written)
{
    char *data = NULL, *text = NULL;
    long len = BIO_get_mem_data(bio, &data);

    if (written && len > 0)
        text = strndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

char *key_private_pem(const struct key *k)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (!bio || !k->is_private) {
        BIO_free(bio);
        return NULL;
    }
    return take_text(bio,
        PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) == 1);
}

char *key_public_pem(const struct key *k)
{
    BIO *bio = BIO_new(BIO_s_mem());

    return bio ? take_text(bio, PEM_write_bio_PUBKEY(bio, k->pkey) == 1) : NULL;
}

static bool write_all(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            left -= (size_t)n;
        }
    }
    return fsync(fd) == 0 || errno == EINVAL;
}

enum key_created key_create(const struct key *k, const char *path, char why[KEY_WHY_LEN])
{
    char *pem = key_private_pem(k);

    if (!pem) {
        say(why, "OpenSSL cannot write it as PEM");
        return KEY_FAILED;
    }
    enum key_created result = KEY_CREATED;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        result = errno == EEXIST ? KEY_EXISTS : KEY_FAILED;
        say(why, "%s", strerror(errno));
    } else {
        bool written = write_all(fd, pem);
        int error = errno;
        if (close(fd) != 0 || !written) {
            say(why, "%s", strerror(written ? errno : error));
            unlink(path);
            result = KEY_FAILED;
        }
    }
    OPENSSL_cleanse(pem, strlen(pem));
    free(pem);
    return result;
}

bool key_sign(const struct key *k, const uint8_t hash[CRYPTO_SHA256_LEN],
    uint8_t sig[CRYPTO_SIG_MAX], size_t *len)
{
    if (!k->is_private)
        return false;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
    *len = CRYPTO_SIG_MAX;
    bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1
        && EVP_PKEY_sign(ctx, sig, len, hash, CRYPTO_SHA256_LEN) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}
