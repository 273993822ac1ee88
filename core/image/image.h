/*
 * An MCUboot image in a flash area: header, TLVs, hash, signatures.
 *
 *     +0            header, hdr_size bytes (32 used)
 *     +hdr_size     payload, img_size bytes
 *     +..           protected TLVs (optional), prot_size bytes, magic 0x6908
 *     +..           TLVs, magic 0x6907
 *
 * The hash covers header, payload and protected TLVs. Everything here comes from flash or from a
 * file that somebody sent: each length is checked against its section before it is used.
 * Image facts: MCUboot's image.h and design documentation.
 */
#ifndef CORE_IMAGE_IMAGE_H
#define CORE_IMAGE_IMAGE_H

#include "core/base/reason.h"
#include "core/crypto/crypto.h"
#include "core/flash/flash.h"

enum {
    IMAGE_HEADER_LEN = 32,
    IMAGE_TLV_INFO_LEN = 4,
    IMAGE_TLV_ENTRY_LEN = 4,
};

#define IMAGE_MAGIC          0x96F3B83Du
#define IMAGE_TLV_MAGIC      0x6907u
#define IMAGE_TLV_PROT_MAGIC 0x6908u

enum image_flag {
    IMAGE_F_PIC = 0x001,
    IMAGE_F_ENCRYPTED_AES128 = 0x004,
    IMAGE_F_ENCRYPTED_AES256 = 0x008,
    IMAGE_F_NON_BOOTABLE = 0x010,
    IMAGE_F_RAM_LOAD = 0x020,
    IMAGE_F_ROM_FIXED = 0x100,
    IMAGE_F_COMPRESSED_LZMA1 = 0x200,
    IMAGE_F_COMPRESSED_LZMA2 = 0x400,
};

enum image_tlv {
    IMAGE_TLV_KEYHASH = 0x01,
    IMAGE_TLV_PUBKEY = 0x02,
    IMAGE_TLV_SHA256 = 0x10,
    IMAGE_TLV_ECDSA_SIG = 0x22,
    IMAGE_TLV_DEPENDENCY = 0x40,
    IMAGE_TLV_SEC_CNT = 0x50,
    IMAGE_TLV_BOOT_RECORD = 0x60,
    IMAGE_TLV_LAYOUT = 0x5AA0, /* ours, protected: u32 LE layout hash */
    IMAGE_TLV_TRIAL = 0x5AA1, /* ours, protected: u32 LE seconds of watchdog in a test boot */
};

struct image_version {
    uint8_t major;
    uint8_t minor;
    uint16_t revision;
    uint32_t build;
};

/* <0, 0, >0; the build number does not count, as in MCUboot. */
int image_version_cmp(const struct image_version *a, const struct image_version *b);

/* An image whose header and TLVs are well-formed. Offsets count from the image's first byte. */
struct image {
    bool has_hash; /* a 32-byte SHA-256 TLV */
    bool has_layout;
    bool has_counter;
    struct flash_area area; /* where it lies */
    uint32_t off; /* of its first byte in the area */
    struct image_version version;
    uint32_t flags; /* enum image_flag */
    uint32_t load_addr;
    uint32_t hdr_size;
    uint32_t img_size;
    uint32_t prot_size; /* 0: no protected TLVs */
    uint32_t tlv_off; /* of the unprotected TLV area = end of what is hashed */
    uint32_t end; /* first byte behind the TLVs */
    uint32_t layout_hash;
    uint32_t security_counter;
    uint32_t trial_s; /* 0: none asked for */
    uint32_t initial_sp; /* first two words of the payload */
    uint32_t reset_vector;
    uint8_t hash[CRYPTO_SHA256_LEN];
};

/*
 * Reads header and TLVs of what lies at `off` of `area`, of which `limit` bytes may belong to the
 * image (a slot without its trailer, or what has been uploaded).
 * OK and *img; ERR_FORMAT with *why one of REASON_IMG_NONE, _MAGIC, _HEADER, _FLAGS, _ENCRYPTED,
 * _NO_TLVS, _TLV, _TRUNCATED, _NO_HASH; or a flash error with *why REASON_EXT_READ / _INT_READ
 * (found is the error's number, negated). Sizes in *why count from the image's first byte. With
 * _FLAGS, _ENCRYPTED and _NO_HASH the structure is sound and *img is filled in, so that a tool can
 * show it; with any other error img->end is 0. why->slot is FINDING_NO_SLOT, left to the caller.
 */
int image_open(struct image *img, const struct flash_area *area, uint32_t off, uint32_t limit,
    struct finding *why) MUST_CHECK;

/*
 * Only the header, from bytes in memory such as the first chunk of an upload (>= IMAGE_HEADER_LEN).
 * Fills in version, flags, load_addr and the sizes. Errors as image_open(), those of the TLVs aside:
 * _TRUNCATED (found: limit) if what the header announces with the smallest TLV area needs more than
 * `limit` bytes (expected). With _FLAGS and _ENCRYPTED *img is filled in.
 */
int image_parse_header(struct image *img, struct span bytes, uint32_t limit,
    struct finding *why) MUST_CHECK;

/* Iterates the TLVs of an opened image: protected ones first. */
struct image_tlv_iter {
    const struct image *img;
    uint32_t at;
    uint32_t end;
    bool prot;
    /* the entry found */
    uint16_t type;
    uint16_t len;
    uint32_t data_off; /* from the image's first byte */
};
void image_tlv_begin(struct image_tlv_iter *it, const struct image *img);
/* 1: an entry; 0: no more; < 0: flash error or ERR_FORMAT. */
int image_tlv_next(struct image_tlv_iter *it) MUST_CHECK;

/* Keys that may sign: uncompressed P-256 points, and SHA-256 over their 91-byte SubjectPublicKeyInfo. */
struct image_key {
    uint8_t point[CRYPTO_P256_POINT_LEN];
    uint8_t hash[CRYPTO_SHA256_LEN];
};
struct image_keys {
    const struct image_key *key;
    unsigned count;
};
/* Fills in key->hash from key->point. */
void image_key_hash(struct image_key *key);

/* SHA-256 over header, payload and protected TLVs as they lie in flash, through buf (>= 64 bytes). */
int image_hash(const struct image *img, uint8_t *buf, uint32_t buf_len,
    uint8_t out[CRYPTO_SHA256_LEN]) MUST_CHECK;

/*
 * Compares the computed hash with the hash TLV and checks the signature TLVs over the computed hash:
 * a KEYHASH TLV (32 bytes, nothing shorter) selects the key of the signature TLV that follows it. At least one signature by a
 * known key must verify; one by a known key that does not verify condemns the image. A poll that
 * checks a signature is as long as crypto_ecdsa_poll().
 */
struct image_auth {
    const struct image *img;
    const struct image_keys *keys;
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct image_tlv_iter it;
    int key; /* index selected by the last KEYHASH, -1 none */
    uint32_t last_keyhash; /* its first 4 bytes, big-endian, for the finding */
    bool checking; /* an ECDSA check runs */
    enum verdict any; /* VERDICT_GOOD once one signature verified */
    bool compared; /* the hash TLV with the computed hash */
    bool seen_signature;
    struct crypto_ecdsa ecdsa;
    uint8_t sig[CRYPTO_SIG_MAX + 8];
};
void image_auth_start(struct image_auth *a, const struct image *img, const struct image_keys *keys,
    const uint8_t hash[CRYPTO_SHA256_LEN]);
/*
 * ERR_BUSY: poll again. Else finished: OK and *verdict VERDICT_GOOD, or ERR_VERIFY and *why one of
 * REASON_IMG_HASH, _UNSIGNED, _STRANGER, _SIGNATURE, or a flash error.
 */
int image_auth_poll(struct image_auth *a, enum verdict *verdict, struct finding *why) MUST_CHECK;

/* image_hash() and image_auth to the end. *verdict is VERDICT_GOOD only if OK is returned. */
int image_verify(const struct image *img, const struct image_keys *keys, uint8_t *buf,
    uint32_t buf_len, enum verdict *verdict, struct finding *why) MUST_CHECK;

/*
 * May this image be started from slot 0, which lies at run_addr and is run_size bytes long? Looks at
 * flags (NON_BOOTABLE, RAM_LOAD, ROM_FIXED with another address, compressed), layout TLV (against
 * layout_hash), reset vector (inside slot 0), and the vector table's alignment (256 bytes, for the
 * nRF52840's 64 vectors).
 * OK; ERR_UNSUPPORTED with *why REASON_IMG_FLAGS or _ALIGN; ERR_LAYOUT with _LAYOUT or _VECTORS.
 * An image without the layout TLV passes if its reset vector lies in slot 0.
 */
int image_runnable(const struct image *img, uint32_t run_addr, uint32_t run_size,
    uint32_t layout_hash, struct finding *why) MUST_CHECK;

#endif
