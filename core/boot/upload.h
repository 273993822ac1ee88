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
 * a unit that was completed. The words are compared with the units again before an upload goes on; the
 * word of the unit that is begun again is made useless (0) first, and one of two spare words takes its place.
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

/* What the writer does at the next poll. */
enum upload_step {
    UPLOAD_STEP_REST, /* no chunk is in work */
    UPLOAD_STEP_BEGIN, /* looks at the chunk */
    UPLOAD_STEP_TRAILER, /* erases the trailer unit, then writes the progress record */
    UPLOAD_STEP_RESUME, /* compares a unit with the progress record */
    UPLOAD_STEP_WRITE, /* chooses the next block; erases its unit if that has to be */
    UPLOAD_STEP_PROGRAM, /* waits for a program, reads back */
    UPLOAD_STEP_CHECK, /* signature */
    UPLOAD_STEP_WIPE, /* an erase command */
};

struct upload {
    const struct store *st;
    /* the session */
    enum upload_state state;
    struct finding why; /* the verdict; REASON_NONE when done */
    int err; /* what refused or failed; OK */
    uint32_t next; /* offset that the client is told */
    uint8_t slot;
    struct flash_area area;
    uint32_t esz; /* erase unit of its chip, bytes */
    uint32_t len; /* of the file */
    uint8_t sha[CRYPTO_SHA256_LEN];
    uint8_t sha_len;
    bool match; /* the file's SHA-256 is the announced one; valid after the last chunk */
    uint32_t off; /* everything before it is in flash, or padding */
    uint32_t resumed_at; /* 0: was not resumed */
    uint32_t first_len; /* chunk 0, to know a repetition */
    uint32_t first_crc;
    struct image img; /* from the header; after the last chunk as opened in flash */
    uint8_t tlv_info[IMAGE_TLV_INFO_LEN]; /* of the unprotected TLVs, as it comes by */
    uint32_t end; /* bytes of the image with its TLVs; 0: not known yet */
    struct crypto_sha256 file_sha;
    struct crypto_sha256 img_sha;
    bool marks; /* the progress record is kept */
    uint32_t unit_crc; /* of the unit being written */
    /* units erased in this power cycle and not written since: [clean_from, clean_to) */
    uint32_t clean_from;
    uint32_t clean_to;
    uint32_t clean_trailer; /* units of the trailer, from its first */
    /* the step in work */
    enum upload_step step;
    struct upload_chunk req;
    uint8_t req_slot;
    bool forget_swap; /* boot_forget_swap() before anything is changed */
    struct span data; /* what is left of the chunk */
    bool erasing; /* an erase of `unit` runs, for a chunk or ahead of one */
    uint32_t unit; /* being erased, or compared */
    uint32_t trailer_at; /* next unit of the trailer to be erased */
    bool trailer_fresh; /* it was erased in this power cycle */
    bool wiping; /* of an erase command units from wipe_at on are left */
    uint32_t wipe_at;
    uint32_t wipe_ms; /* when it began */
    uint32_t block_off; /* in the slot, aligned to what the chip programs */
    uint32_t block_len;
    uint32_t block_new; /* bytes of the chunk in it, ... */
    uint32_t block_skip; /* ... behind so many that were there already */
    uint32_t block[UPLOAD_BLOCK / 4];
    uint32_t back[UPLOAD_BLOCK / 4];
    struct image_auth auth;
};

void upload_init(struct upload *u, const struct store *st);

/*
 * Takes a chunk; its bytes stay in place until upload_poll() has answered it. `slot` is where an
 * upload that begins goes: 1, or 0 in recovery. `forget_swap`: the boot state is in a trial or an
 * unfinished swap that an upload ends (recovery only).
 */
void upload_chunk(struct upload *u, const struct upload_chunk *c, uint8_t slot, bool forget_swap);
/*
 * ERR_BUSY: call again. OK: u->next is the offset wanted next; with u->state UPLOAD_DONE the image is
 * complete and good. A repeated chunk, or one from another place, is OK and changes nothing; chunk 0 of
 * an upload that was begun before goes on where that was.
 * Else the upload is refused or has failed, and u->why says why: ERR_ARG (no length, more data than
 * announced), ERR_FORMAT (no image), ERR_NOSPACE (slot, or no room to swap), ERR_LAYOUT,
 * ERR_UNSUPPORTED (cannot run), ERR_BADSTATE (not newer), ERR_READBACK (an erase or a program did not
 * happen), ERR_VERIFY (hash, signature; the file's SHA-256 with u->match false), flash errors.
 */
int upload_poll(struct upload *u) MUST_CHECK;
/* An upload that the service refuses: leaves the verdict. Returns err. */
int upload_refuse(struct upload *u, int err, const struct finding *why);

/*
 * One step of erasing ahead; to be called while no chunk and nobody else uses the chip. True: more to
 * do. What fails ends the upload: the next chunk is answered with it.
 */
bool upload_idle(struct upload *u);
/* OK: no erase runs on the slot's chip. ERR_BUSY: one still does. A failure is kept for the next chunk. */
int upload_settle(struct upload *u) MUST_CHECK;

/*
 * Erases slot 1 and ends an upload; upload_poll() is ERR_BUSY, then OK or a flash error with u->why. OK
 * comes when trailer and header units are erased and, of the rest, what could be in UPLOAD_WIPE_MS
 * (clients give up after 6 s, the whole slot takes twice that); what is left follows in
 * upload_idle(). Units that read blank are left alone.
 */
enum { UPLOAD_WIPE_MS = 3000 };
void upload_wipe(struct upload *u);

/*
 * What the progress record of slot 1 says, after a reset: OK with the file's length and how many
 * bytes are there (whole units, by their words), ERR_NOENT (no record), or a flash error.
 */
int upload_record_read(const struct store *st, uint32_t *len, uint8_t sha[CRYPTO_SHA256_LEN],
    uint32_t *have) MUST_CHECK;

#endif
