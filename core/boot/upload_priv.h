/* What the parts of the writer share: upload.c (chunks), upload_write.c (flash), upload_record.c. */
#ifndef CORE_BOOT_UPLOAD_PRIV_H
#define CORE_BOOT_UPLOAD_PRIV_H

#include "core/boot/upload.h"

/* ---- upload.c ---------------------------------------------------------------------------------- */

/* Ends an upload that has changed something. Returns err. */
int upload_fail(struct upload *u, int err, const struct finding *why);
/* The same for a flash error at `off` of the slot. */
int upload_fail_flash(struct upload *u, int err, uint32_t off);
/* The same for an erase or a program that was acknowledged and did not happen. */
int upload_fail_byte(struct upload *u, bool erase, uint8_t found, uint8_t expected, uint32_t off);
/*
 * Picks the bytes that say how long the TLVs are out of `bytes`, which lie at `off` of the file. With
 * the last of them u->end is known: ERR_FORMAT or ERR_NOSPACE and *why if it cannot be.
 */
int upload_learn_end(struct upload *u, uint32_t off, struct span bytes, struct finding *why) MUST_CHECK;
/* Begins to write the chunk at offset 0, trailer first. */
void upload_write_anew(struct upload *u);

/* ---- upload_write.c ---------------------------------------------------------------------------- */

/* First erase unit of the trailer. */
uint32_t upload_trailer_unit(const struct upload *u);
/* Starts the erase of `unit`; u->erasing until upload_erase_poll() is not ERR_BUSY. */
int upload_erase_start(struct upload *u, uint32_t unit) MUST_CHECK;
int upload_erase_poll(struct upload *u) MUST_CHECK;
/* Steps; each ERR_BUSY, OK (the chunk is done) or a failure. */
int upload_step_trailer(struct upload *u) MUST_CHECK;
int upload_step_write(struct upload *u) MUST_CHECK;
int upload_step_program(struct upload *u) MUST_CHECK;
int upload_step_wipe(struct upload *u) MUST_CHECK;
/* After the last byte: file's SHA-256, structure, then the signature in upload_step_check(). */
int upload_finish(struct upload *u) MUST_CHECK;
int upload_step_check(struct upload *u) MUST_CHECK;

/* ---- upload_record.c --------------------------------------------------------------------------- */

int record_write(struct upload *u) MUST_CHECK;
/* Notes that erase unit `unit` is complete. A record that cannot be kept only costs the resume. */
void record_mark(struct upload *u, uint32_t unit);
/* Makes the record useless, so that the next upload begins anew. */
void record_void(struct upload *u);
/* True if the record in flash is of the upload in u, and nothing was requested since. */
bool record_matches(const struct upload *u);
/* Begins to compare units with their words, from the first. */
int record_resume(struct upload *u) MUST_CHECK;
int upload_step_resume(struct upload *u) MUST_CHECK;

#endif
