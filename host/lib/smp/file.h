/* An image file as an upload needs it: its bytes, what its header and TLVs say, whether it is whole. */
#ifndef HOST_LIB_SMP_FILE_H
#define HOST_LIB_SMP_FILE_H

#include "host/lib/imagefile/imagefile.h"

struct smpc_file {
    struct imagefile source; /* raw binary or Intel HEX */
    struct span bytes; /* what is sent: the image without the padding behind it */
    size_t padding; /* bytes behind the image that are not sent (imgtool --pad) */
    uint8_t sha[CRYPTO_SHA256_LEN]; /* of `bytes`: names the upload */
    bool is_image; /* header and TLVs are well-formed: the next ones are valid */
    struct image image;
    char version[VERSION_TEXT_LEN];
    char hash[2 * CRYPTO_SHA256_LEN + 1]; /* of the image (its TLV), hex */
    bool has_signature;
    struct finding wrong; /* REASON_NONE, or what is wrong with it: not an image, hash, no signature */
};

/* Reads and checks. False with a clause in `why` if the file cannot be read; else see `wrong`. */
bool smpc_file_read(struct smpc_file *f, const char *path, char *why, size_t why_cap);
void smpc_file_free(struct smpc_file *f);

#endif
