/* An image file as an upload needs it: its bytes, what its header and TLVs say, whether it is whole. */
#ifndef HOST_LIB_SMP_FILE_H
#define HOST_LIB_SMP_FILE_H

#include "core/image/image.h"

enum { SMPC_FILE_MAX = 16 * 1024 * 1024 };

struct smpc_file {
    uint8_t *bytes;
    size_t len;
    uint8_t sha[CRYPTO_SHA256_LEN]; /* of the whole file: names the upload */
    bool is_image; /* header and TLVs are well-formed: the next ones are valid */
    struct image image; /* refers to bytes */
    char version[40]; /* "1.2.3" or "1.2.3+4" */
    char hash[2 * CRYPTO_SHA256_LEN + 1]; /* of the image (its TLV), hex */
    bool has_signature;
    struct finding wrong; /* REASON_NONE, or what is wrong with it: not an image, hash, no signature */
};

/* Reads and checks. False with a clause in `why` if the file cannot be read; else see `wrong`. */
bool smpc_file_read(struct smpc_file *f, const char *path, char *why, size_t why_cap);
void smpc_file_free(struct smpc_file *f);

/* "1.2.3", or "1.2.3+4" with a build number: the form of imgtool; SMP writes 1.2.3.4. */
void smpc_version_text(const struct image_version *v, char *buf, size_t cap);
/* True if two such texts name the same version, in whichever of the two forms. */
bool smpc_version_same(const char *a, const char *b);

#endif
