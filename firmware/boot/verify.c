/*
 * The bootloader's signature check: BearSSL's generic code for prime curves, which is 3 KB smaller than
 * the one that applications use, on a stack that lies in the memory of the swap. While a signature is
 * checked nothing is kept there: an image has been hashed through it before.
 */
#include <stddef.h>

#include "arch/cortex_m4/cpu.h"
#include "core/crypto/p256.h"
#include "firmware/boot/boot_priv.h"

struct check {
    const uint8_t *pub, *hash, *sig;
    enum verdict verdict;
};

static void check(void *arg)
{
    struct check *c = arg;

    c->verdict = p256_i31_verify(c->pub, c->hash, c->sig);
}

enum verdict p256_verify(const uint8_t pub[CRYPTO_P256_POINT_LEN], const uint8_t hash[CRYPTO_SHA256_LEN],
    const uint8_t sig[P256_SIG_LEN])
{
    struct check c = { pub, hash, sig, VERDICT_BAD };

    cpu_call_on_stack(check, &c, (uint8_t *)shared + SHARED_SIZE);
    return c.verdict;
}

/*
 * BearSSL chooses a curve by its number, which is always P-256 here: these two only take their tables'
 * place in the link.
 */
extern const uint8_t br_secp384r1[20], br_secp521r1[20];
const uint8_t br_secp384r1[20] = { 0 }, br_secp521r1[20] = { 0 };
