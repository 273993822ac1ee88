/*
 * core/crypto/crypto.h for the harness: BearSSL's verdict on a signature is worked out once for each
 * key, hash and signature and remembered; the hash itself is always computed, by OpenSSL, which uses
 * the machine's instructions. A boot then takes microseconds instead of milliseconds.
 */
#define crypto_ecdsa_poll    real_ecdsa_poll
#define crypto_sha256_init   real_sha256_init
#define crypto_sha256_update real_sha256_update
#define crypto_sha256_final  real_sha256_final
#include "core/crypto/bearssl.c"
#undef crypto_ecdsa_poll
#undef crypto_sha256_init
#undef crypto_sha256_update
#undef crypto_sha256_final

#include <openssl/sha.h>

/* The renaming took the prototypes along. */
void crypto_sha256_init(struct crypto_sha256 *s);
void crypto_sha256_update(struct crypto_sha256 *s, const void *data, size_t len);
void crypto_sha256_final(const struct crypto_sha256 *s, uint8_t out[CRYPTO_SHA256_LEN]);
bool crypto_ecdsa_poll(struct crypto_ecdsa *e, enum verdict *verdict);

enum { MEMO = 64 };

struct memo {
    bool used;
    uint8_t pub[CRYPTO_P256_POINT_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t sig[CRYPTO_SIG_MAX];
    size_t sig_len;
    enum verdict verdict;
};
static struct memo memo[MEMO];
static unsigned memo_next;

static bool same(const struct memo *m, const struct crypto_ecdsa *e)
{
    return m->used && m->sig_len == e->sig.len && memcmp(m->hash, e->hash, sizeof m->hash) == 0
        && memcmp(m->sig, e->sig.p, e->sig.len) == 0 && memcmp(m->pub, e->pub, sizeof m->pub) == 0;
}

bool crypto_ecdsa_poll(struct crypto_ecdsa *e, enum verdict *verdict)
{
    for (unsigned i = 0; i < MEMO; i++) {
        if (same(&memo[i], e)) {
            *verdict = memo[i].verdict;
            return true;
        }
    }
    while (!real_ecdsa_poll(e, verdict)) { }
    if (e->sig.len > CRYPTO_SIG_MAX)
        return true;
    struct memo *m = &memo[memo_next++ % MEMO];
    *m = (struct memo) { .used = true, .sig_len = e->sig.len, .verdict = *verdict };
    memcpy(m->pub, e->pub, sizeof m->pub);
    memcpy(m->hash, e->hash, sizeof m->hash);
    memcpy(m->sig, e->sig.p, e->sig.len);
    return true;
}

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct crypto_sha256), "context does not fit");

void crypto_sha256_init(struct crypto_sha256 *s)
{
    SHA256_Init((void *)s);
}

void crypto_sha256_update(struct crypto_sha256 *s, const void *data, size_t len)
{
    SHA256_Update((void *)s, data, len);
}

void crypto_sha256_final(const struct crypto_sha256 *s, uint8_t out[CRYPTO_SHA256_LEN])
{
    struct crypto_sha256 copy = *s;
    SHA256_Final(out, (void *)&copy);
}
