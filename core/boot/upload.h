/*
 * The writer of an upload: takes an image chunk by chunk and puts it into a slot, started and polled,
 * so that no step is longer than one erase of a unit.
 *
 * Called by the service (service.h) from the loop. A chunk is started with upload_chunk() and polled
 * until it is in flash and read back; only then is it acknowledged. Units are erased ahead of the
 * write position, in upload_idle() while nobody waits, else when they are reached. The image's
 * SHA-256 runs over what was read back, so that after the last chunk only the comparison and the
 * signature remain, and they are done before the last chunk is acknowledged.
 *
 * Bytes behind the image's TLVs (a padded image's trailer) are acknowledged and counted in the file's
 * SHA-256, but never written: a request must not arm itself.
 *
 * Progress lies at the start of the trailer unit of slot 1, so that an upload goes on after a reset:
 *
 *     0x00  magic 'SLUP'      0x08  SHA-256 of the file     0x2C  CRC-32 of 0x00..0x2B
 *     0x04  length, u32       0x28  unit, u32 bytes         0x30  CRC-32 of unit 0 as written, 1, ...
 *
 * A unit's word is programmed after all of the unit was read back, so a word that reads right proves
 * a unit that was completed. The words are compared with the units again before an upload goes on.
 */
#ifndef CORE_BOOT_UPLOAD_H
#define CORE_BOOT_UPLOAD_H

#include "core/boot/store.h"

enum {
    UPLOAD_MAGIC = 0x50554C53, /* "SLUP" */
    UPLOAD_OFF_LEN = 0x04,
    UPLOAD_OFF_SHA = 0x08,
    UPLOAD_OFF_UNIT = 0x28,
    UPLOAD_OFF_CRC = 0x2C,
    UPLOAD_OFF_WORDS = 0x30,
    UPLOAD_BLOCK = 256, /* bytes of one program */
};

/* As the client's chunk says; the bytes stay in place until it is answered. */
struct upload_chunk {
    uint32_t off;
    bool has_len;
    uint32_t len; /* of the whole file */
    struct span sha; /* of the file: 0 to 32 bytes; resumed after a reset and compared only if 32 */
    bool upgrade; /* only if newer than what runs */
    struct span data;
};

/* "none", "running", "done", "refused", "failed" in group 64. */
enum upload_state {
    UPLOAD_NONE, /* since the last reset */
    UPLOAD_RUNNING,
    UPLOAD_DONE, /* complete, hash and signature good, can be started from slot 0 */
    UPLOAD_REFUSED, /* nothing was changed */
    UPLOAD_FAILED, /* slot 1 holds part of an image, or a bad one */
};
const char *upload_state_name(enum upload_state state);

/* What the writer is busy with between two polls. */
enum upload_step {
    UPLOAD_STEP_REST,
    UPLOAD_STEP_ERASE_TRAILER, /* an erase runs; then the progress record is written */
    UPLOAD_STEP_RESUME, /* comparing units with the progress record */
    UPLOAD_STEP_WRITE, /* choosing the next block */
    UPLOAD_STEP_ERASE, /* an erase runs */
    UPLOAD_STEP_PROGRAM, /* a program runs */
    UPLOAD_STEP_CHECK, /* signature */
};

struct upload {
    const struct store *st;
    /* the session */
    enum upload_state state;
    struct finding why; /* the verdict; REASON_NONE when done */
    uint8_t slot;
    struct flash_area area;
    uint32_t len;
    uint8_t sha[CRYPTO_SHA256_LEN];
    uint8_t sha_len;
    uint32_t off; /* acknowledged: everything before it is in flash, or padding */
    uint32_t resumed_at; /* 0: was not resumed */
    bool match; /* the file's SHA-256 is the announced one; valid when done or failed */
    uint32_t first_len; /* chunk 0, to know a repetition */
    uint32_t first_crc;
    struct image hdr; /* from the header; after the end as opened in flash */
    uint8_t tlv_info[IMAGE_TLV_INFO_LEN]; /* of the unprotected TLVs, as it comes by */
    uint32_t end; /* bytes of the image with its TLVs; 0: not known yet */
    struct crypto_sha256 file_sha;
    struct crypto_sha256 img_sha;
    uint32_t unit_crc; /* of the unit being written */
    /* units erased in this power cycle and not written since: [clean_from, clean_to) */
    uint32_t clean_from;
    uint32_t clean_to;
    uint32_t wipe_to; /* units of an erase command still to be erased: up to here */
    bool marks; /* the progress record is kept */
    /* the chunk in work */
    enum upload_step step;
    struct span data; /* what is left of it */
    uint32_t unit; /* being erased, or compared */
    uint32_t block_off;
    uint32_t block_len; /* with padding to whole words */
    uint32_t block_new; /* bytes of the chunk in it, ... */
    uint32_t block_skip; /* ... behind so many that were there already */
    bool erasing; /* an erase of `unit` runs, begun in upload_idle() or for the chunk */
    uint32_t block[UPLOAD_BLOCK / 4];
    uint32_t back[UPLOAD_BLOCK / 4];
    struct image_auth auth;
};

void upload_init(struct upload *u, const struct store *st);

/*
 * Takes a chunk. OK: answered at once, the offset that is wanted next is u->off (a repeated chunk, one
 * from another place, chunk 0 of an upload that goes on). ERR_BUSY: upload_poll(). Else the upload is
 * refused and u->why says why: ERR_ARG (no length, more data than announced), ERR_FORMAT (no image),
 * ERR_NOSPACE (slot, or no room to swap), ERR_LAYOUT, ERR_UNSUPPORTED (cannot run), ERR_BADSTATE (not
 * newer), ERR_ID, ERR_NODEV and other flash errors.
 * `slot` is where an upload that begins goes: 1, or 0 in recovery.
 */
int upload_chunk(struct upload *u, const struct upload_chunk *c, uint8_t slot) MUST_CHECK;
/*
 * ERR_BUSY, OK (u->off; with u->state UPLOAD_DONE the image is complete and good), or what ended the
 * upload: ERR_READBACK (erase or program did not happen), ERR_VERIFY (hash, signature, the file's
 * SHA-256 with u->match false), or as upload_chunk().
 */
int upload_poll(struct upload *u) MUST_CHECK;

/*
 * One step of erasing ahead; to be called while no chunk and nobody else uses the chip. True: more to
 * do. What fails ends the upload: the next chunk is answered with it.
 */
bool upload_idle(struct upload *u);
/* OK: no erase runs on the slot's chip. ERR_BUSY: one still does. A failure is kept for the next chunk. */
int upload_settle(struct upload *u) MUST_CHECK;

/*
 * Erases slot 1 and ends an upload. Started and polled: upload_wipe_poll() is ERR_BUSY, OK, or a flash
 * error with u->why. OK comes when trailer, header units and what else could be done in
 * UPLOAD_WIPE_MS are erased; the rest follows in upload_idle(). Units that read blank are left.
 */
enum { UPLOAD_WIPE_MS = 3000 };
int upload_wipe(struct upload *u) MUST_CHECK;
int upload_wipe_poll(struct upload *u) MUST_CHECK;

/*
 * What the progress record of slot 1 says, after a reset: OK with the file's length and how many
 * bytes are there (whole units, by their words), ERR_NOENT (no record), or a flash error.
 */
int upload_record_read(const struct store *st, uint32_t *len, uint8_t sha[CRYPTO_SHA256_LEN],
    uint32_t *have) MUST_CHECK;

#endif
