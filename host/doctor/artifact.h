/*
 * Build outputs: MCUboot images as bin or hex, zip packages with a manifest, PEM keys.
 *
 * MCUboot's image format is that of bootutil/image.h (magic 0x96f3b83d, TLV area behind the image).
 * Every offset of a file is checked against its length before it is used; what does not fit is
 * "no image" with a reason, never an error of the doctor.
 */
#ifndef HOST_DOCTOR_ARTIFACT_H
#define HOST_DOCTOR_ARTIFACT_H

#include "host/doctor/source.h"

enum key_type { KEY_NONE, KEY_RSA2048, KEY_RSA3072, KEY_EC256, KEY_EC384, KEY_ED25519, KEY_OTHER };
const char *key_type_name(enum key_type t);

/* A PEM file with a key, or why it is none. */
struct key {
    struct key *next;
    const struct source *file;
    enum key_type type;
    bool is_private, is_default; /* one of the keys that MCUboot publishes */
    uint8_t hash[32];            /* SHA-256 of the public key, as in TLV 0x01 */
    void *pkey;                  /* EVP_PKEY, freed by pem_free() */
};
struct key *pem_read(struct sources *s, struct source *f); /* NULL: no key in it */
void pem_free(struct key *first);

/* A memory image: a bin from address 0, or the span of a hex file. */
struct blob {
    const uint8_t *data;
    size_t len;
    uint64_t base; /* address of data[0]; 0 of a bin */
    bool is_hex;
};

struct artifact {
    struct artifact *next;
    const char *rel; /* the file; of a member: "a.zip:app.bin" */
    const struct source *file;
    struct blob blob;
    bool in_zip;
    bool is_image;      /* magic found */
    bool plain;         /* ends in .bin or .hex without a magic: an application that was not signed */
    const char *broken; /* why the image is not whole; NULL */
    uint32_t load_addr, header_size, image_size, flags, signed_size; /* all with header and TLVs */
    struct {
        unsigned major, minor, revision, build;
    } version;
    bool has_hash, hash_ok, has_signature, has_keyhash, has_trailer, encrypted;
    uint8_t hash[32], keyhash[32];
    enum key_type signature_type;
    const uint8_t *signature;
    size_t signature_len, digest_len;     /* bytes that the hash covers */
    uint32_t reset_vector, stack_pointer; /* of the vector table behind the header */
    bool has_vectors;
};

/* Reads a .bin or .hex; NULL if it is neither readable nor of use (`f->trouble`). */
struct artifact *artifact_read(struct sources *s, struct source *f);

/* The same for the bytes of a member of the zip `f`, which has to outlive it; `rel` is what it is called. */
struct artifact *artifact_of(
    struct sources *s, struct source *f, const char *rel, const uint8_t *data, size_t len, bool hex);

/* Whether the signature verifies with `k`; only for EC P-256, RSA and Ed25519. */
bool artifact_verify(const struct artifact *a, const struct key *k);

/* Is there a stretch of data at `from` up to `to` in a hex file? (merged.hex into the XIP window) */
bool hex_touches(struct sources *s, struct source *f, uint64_t from, uint64_t to, unsigned *line);

struct manifest_file {
    struct manifest_file *next;
    const char *file, *type;
    int image_index, slot;
    bool has_index, has_slot, has_load_address, present;
    uint64_t load_address, size;
    bool has_size;
    uint64_t real_size;
};

struct package {
    struct package *next;
    const struct source *file;
    const char *broken; /* why it cannot be used; NULL */
    struct manifest_file *files;
    struct artifact *images;
    const char *private_key; /* member that is a private key, NULL */
};
struct package *dfu_package_read(struct sources *s, struct source *f);

#endif
