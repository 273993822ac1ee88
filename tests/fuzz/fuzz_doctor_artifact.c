/* Any bytes as an image: a bin, or with ':' in front an Intel HEX file. */
#include <stdlib.h>

#include "host/doctor/artifact.h"
#include "tests/support/memfile.h"

static const char ec_key[] = "-----BEGIN PUBLIC KEY-----\n"
                             "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKstAPOj+7VtEn5UDaft6Gp3SPxUL\n"
                             "zGqhJMQKgHPSzb3cyZ4ArrnGHZlNcmo4Bf5S+3jzRFd1dWSiWtNjh+xu3w==\n"
                             "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool = { NULL };
    struct sources s;
    unsigned line = 0;
    bool hex = size && data[0] == ':';

    memfiles_init(&s, &pool);
    struct source *f = memfile(&s, hex ? "a.hex" : "a.bin", data, size);
    struct artifact *a = artifact_read(&s, f);
    if (!a && !f->trouble)
        abort();
    if (a && a->has_signature) {
        /* the signature's bytes are looked at whatever the key is: of every type that could fit */
        struct key *k = pem_read(&s, memfile(&s, "k.pem", ec_key, sizeof ec_key - 1));
        if (k) {
            k->type = a->signature_type;
            (void)artifact_verify(a, k);
        }
        pem_free(k);
    }
    if (hex)
        (void)hex_touches(&s, f, 0x12000000, 0x20000000, &line);
    pool_free(&pool);
    return 0;
}
