/* Any text as a PEM file. */
#include "host/doctor/artifact.h"
#include "tests/support/memfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool pool = { NULL };
    struct sources s;

    memfiles_init(&s, &pool);
    struct key *k = pem_read(&s, memfile(&s, "key.pem", data, size));
    if (k && !key_type_name(k->type))
        __builtin_trap();
    pem_free(k);
    pool_free(&pool);
    return 0;
}
