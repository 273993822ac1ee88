/*
 * Image files: raw binary and Intel HEX, read, written, opened by core/image, and signed.
 *
 * Functions that can fail take `why`, IMAGEFILE_WHY_LEN bytes, for one clause about what went wrong.
 */
#ifndef HOST_LIB_IMAGEFILE_IMAGEFILE_H
#define HOST_LIB_IMAGEFILE_IMAGEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/image/image.h"
#include "host/lib/keys/keys.h"

enum {
    IMAGEFILE_WHY_LEN = 320,
    IMAGEFILE_MAX = 64 << 20, /* bytes of a file, and of the span between a HEX file's ends */
};

/* Bytes that grow; start with { 0 }. */
struct blob {
    uint8_t *p;
    size_t len;
    size_t room;
};
/* Appends; a program that runs out of memory here ends with a message (exit 1). */
void blob_add(struct blob *b, const void *p, size_t len);
void blob_fill(struct blob *b, uint8_t value, size_t len);
void blob_free(struct blob *b);

struct imagefile {
    struct blob data;
    bool is_hex;
    bool has_base; /* a HEX file with data: the address of its first byte */
    uint32_t base;
};

/*
 * Reads a file; one that ends in .hex (or begins like one) as Intel HEX, its gaps filled with 0xFF.
 * ERR_NOENT, ERR_IO, ERR_NOSPACE (larger than IMAGEFILE_MAX), ERR_FORMAT (bad HEX, with its line).
 */
int imagefile_read(const char *path, struct imagefile *f, char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;
/*
 * Writes under another name first and renames, so that `path` is the old file or the whole new one.
 * A path that ends in .hex is written as Intel HEX from f->base on. ERR_IO.
 */
int imagefile_write(const char *path, const struct imagefile *f, char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;
void imagefile_free(struct imagefile *f);
/* True if the name ends in .hex, in any case of letters. */
bool imagefile_names_hex(const char *path);

/* Text of Intel HEX; exported for tests. */
int ihex_parse(struct span text, struct imagefile *f, char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;
void ihex_format(const struct imagefile *f, struct blob *text);

/* Bytes in memory as a flash device, to be read by core/image. Neither may move while in use. */
struct ram_flash {
    struct span bytes;
    struct flash_dev dev;
};
void ram_flash_init(struct ram_flash *r, struct span bytes);
struct flash_area ram_flash_area(struct ram_flash *r);

/* The forms that imgtool takes; false and *why if a text has another one. */
bool parse_version(const char *text, struct image_version *v, char why[IMAGEFILE_WHY_LEN]);
/* A number with C's prefixes, at most `max`. */
bool parse_number(const char *text, uint32_t max, uint32_t *n);

struct sign_dependency {
    uint8_t image;
    struct image_version least;
};
struct sign_tlv {
    uint16_t type;
    struct blob value;
};
enum { SIGN_LIST_MAX = 32 };

struct sign_options {
    struct image_version version;
    uint32_t header_size;
    bool pad_header; /* put a header before IN; else it begins with room for one */
    bool has_counter;
    uint32_t counter;
    struct sign_dependency dependency[SIGN_LIST_MAX];
    size_t dependencies;
    struct sign_tlv tlv[SIGN_LIST_MAX]; /* protected, in this order */
    size_t tlvs;
    bool confirm; /* image_ok in the trailer */
};

/* "(0, 1.2.0), (1, 2.0.0+3)", appended. */
bool parse_dependencies(const char *text, struct sign_options *o, char why[IMAGEFILE_WHY_LEN]);
/* Tag 0xa0..0xfffe that is not one of MCUboot's; value "0x..." is bytes, else it is text. */
bool parse_custom_tlv(const char *tag, const char *value, struct sign_options *o,
    char why[IMAGEFILE_WHY_LEN]);
/* "auto" makes it of o->version. */
bool parse_counter(const char *text, struct sign_options *o, char why[IMAGEFILE_WHY_LEN]);
bool sign_add_tlv(struct sign_options *o, uint16_t type, const void *p, size_t len,
    char why[IMAGEFILE_WHY_LEN]);
void sign_options_free(struct sign_options *o);

/* Bytes that imgtool keeps free for a trailer at the end of a slot: 128 sectors, max-align 8. */
uint32_t sign_trailer_size(uint32_t align);

/*
 * Header, payload, protected TLVs, SHA256, KEYHASH, ECDSA signature. The bytes are what imgtool makes
 * of the same options (the signature aside, which is random). The result was opened and verified by
 * core/image before this returns.
 * *end is its length. ERR_FORMAT: no room for the header in `in`, or a device would refuse the
 * result; ERR_NOSPACE: too large, or too many TLVs; ERR_BADSTATE: not a private key; ERR_VERIFY.
 */
int imagefile_sign(const struct sign_options *o, const struct key *key, struct span in,
    struct blob *out, uint32_t *end, char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;
/* Fills the image up to the size of its slot, with the trailer that --pad and --confirm ask for. */
int sign_put_trailer(const struct sign_options *o, uint32_t slot_size, struct blob *out,
    char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;

/* "1.2.3+4"; the longest is "255.255.65535+4294967295". */
enum { VERSION_TEXT_LEN = 32 };
void version_text(const struct image_version *v, char text[VERSION_TEXT_LEN]);
/* "SHA256", "KEYHASH", ... as imgtool names them; "UNKNOWN". */
const char *tlv_name(uint16_t type);
/* 2 * len digits and a 0. */
void hex_text(const uint8_t *p, size_t len, char *text);

#endif
