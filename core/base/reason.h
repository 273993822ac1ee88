/*
 * What was found to be wrong, in a form that device, wire and client share: a reason, and up to three
 * numbers whose meaning the table gives. The device never formats text; the client does, from this
 * same table. Append only: the numbers are stored in flash and sent in group 64 (SPEC.md).
 *
 * Columns: number, NAME, code for scripts (--json), meaning of `found`, of `expected`, of `where`
 * ("" = unused), text. Sizes, offsets and units are counted in the slot the finding names.
 */
#ifndef CORE_BASE_REASON_H
#define CORE_BASE_REASON_H

#include <stdint.h>

#define REASON_TABLE(X)                                                                            \
    X(0, NONE, "none", "", "", "", "nothing wrong")                                                \
    /* chips */                                                                                    \
    X(1, EXT_ABSENT, "external_flash_absent", "jedec", "jedec", "", "the external flash does not answer")  \
    X(2, EXT_ID, "external_flash_id", "jedec", "jedec", "", "another flash chip answers than the layout names") \
    X(3, EXT_BUSY, "external_flash_busy", "ms", "ms", "offset", "the external flash stays busy")           \
    X(4, EXT_ERASE, "external_flash_erase", "byte", "byte", "offset", "an erase of the external flash did not happen") \
    X(5, EXT_PROGRAM, "external_flash_program", "byte", "byte", "offset", "a program of the external flash did not happen") \
    X(6, EXT_READ, "external_flash_read", "err", "", "offset", "the external flash cannot be read")       \
    X(7, EXT_PROTECTED, "external_flash_protected", "status", "", "", "the external flash is write-protected") \
    X(8, INT_READ, "internal_flash_read", "err", "", "offset", "the internal flash cannot be read")       \
    X(9, INT_ERASE, "internal_flash_erase", "byte", "byte", "offset", "an erase of the internal flash did not happen") \
    X(10, INT_PROGRAM, "internal_flash_program", "byte", "byte", "offset", "a program of the internal flash did not happen") \
    X(11, INT_BUSY, "internal_flash_busy", "ms", "ms", "offset", "the internal flash stays busy")          \
    X(12, EXT_QUAD, "external_flash_quad", "status", "status", "", "quad mode of the external flash cannot be set: it is read on fewer lines") \
    X(13, EXT_MODE, "external_flash_mode", "byte", "byte", "offset", "the external flash reads differently on several lines than on one: it is read on one") \
    X(14, EXT_SIZE, "external_flash_size", "size", "size", "", "the external flash is smaller than the layout says") \
    /* images */                                                                                   \
    X(20, IMG_NONE, "no_image", "", "", "", "the slot is blank")                                   \
    X(21, IMG_MAGIC, "no_image_magic", "magic", "magic", "", "what lies there is not an MCUboot image") \
    X(22, IMG_HEADER, "image_header", "size", "size", "", "the sizes in the image header are impossible") \
    X(23, IMG_FLAGS, "image_flags", "flags", "", "", "the image header asks for what this bootloader does not do") \
    X(24, IMG_ENCRYPTED, "image_encrypted", "flags", "", "", "the image is encrypted and this bootloader has no key for that") \
    X(25, IMG_NO_TLVS, "image_no_tlvs", "magic", "magic", "offset", "no TLVs behind the image: it is unsigned or truncated") \
    X(26, IMG_TLV, "image_tlv", "type", "", "offset", "a TLV is malformed")                         \
    X(27, IMG_TRUNCATED, "image_truncated", "size", "size", "", "the image is shorter than its header says") \
    X(28, IMG_NO_HASH, "image_no_hash", "", "", "", "the image has no SHA-256 TLV")                 \
    X(29, IMG_HASH, "image_hash", "hash", "hash", "", "the image does not match its hash: a bit of it has changed") \
    X(30, IMG_UNSIGNED, "image_unsigned", "", "", "", "the image carries no signature")             \
    X(31, IMG_STRANGER, "image_stranger", "keyhash", "", "", "the image is signed by a key that this board does not know") \
    X(32, IMG_SIGNATURE, "image_signature", "", "", "", "the signature does not verify")            \
    X(33, IMG_TOO_LARGE_SLOT, "image_too_large_for_slot", "size", "size", "", "the image is larger than the slot") \
    X(34, IMG_TOO_LARGE_SWAP, "image_too_large_to_swap", "size", "size", "", "the image fits the slot but there is no room to swap it") \
    X(35, IMG_LAYOUT, "image_other_layout", "layout", "layout", "", "the image was made for another layout") \
    X(36, IMG_VECTORS, "image_vectors", "address", "address", "", "the image's reset vector lies outside slot 0") \
    X(37, IMG_ALIGN, "image_vector_align", "size", "size", "", "the header size leaves the vector table unaligned: it verifies but cannot run") \
    X(38, IMG_DEPENDENCY, "image_dependency", "version", "version", "", "a dependency of the image is not met") \
    /* swap and boot */                                                                            \
    X(50, SWAP_SOURCE, "swap_source", "crc32", "crc32", "unit", "a unit no longer holds what it held when the swap began") \
    X(51, SWAP_RESUMED, "swap_resumed", "group", "groups", "", "a swap that was cut off was continued") \
    X(52, SWAP_STOPPED, "swap_stopped", "group", "groups", "", "a swap had to stop; the board runs what verifies") \
    X(53, SWAP_ABANDONED, "swap_abandoned", "", "", "", "the requested swap was given up before anything was changed") \
    X(54, REQUEST_REFUSED, "request_refused", "reason", "", "", "the requested image does not verify; the request was removed") \
    X(55, REVERTED, "reverted", "starts", "starts", "", "the new image did not confirm itself; the old one was put back") \
    X(56, REVERT_ASKED, "revert_asked", "", "", "", "the old image was asked for and put back")     \
    X(57, RECOVERED, "recovered", "reason", "", "", "slot 0 was broken; the image in slot 1 was installed") \
    X(58, FLASHED_OUTSIDE, "flashed_outside", "", "", "", "slot 0 was changed from outside during a swap or a test") \
    X(59, NOT_BOOTABLE, "not_bootable", "reason", "", "", "no slot holds an image that can be started") \
    X(60, OLD_IMAGE_LOST, "old_image_lost", "", "", "unit", "the old image in slot 1 is damaged: it cannot be put back") \
    X(61, LAYOUT_MISMATCH, "layout_mismatch", "layout", "layout", "", "application and bootloader were built for different layouts") \
    X(62, TRAILER_REPAIRED, "trailer_repaired", "", "", "", "a damaged trailer of slot 0 was written anew") \
    X(63, STATE_NEW, "state_new", "", "", "", "the boot state was blank or garbage and was written anew") \
    X(64, IMG_OVER_TRAILER, "image_over_trailer", "size", "size", "", "the image in slot 0 reaches into its trailer: it runs but cannot be swapped") \
    X(65, DOWNGRADE_RECOVERED, "downgrade_recovered", "version", "version", "", "the image that was installed to recover is older than the broken one") \
    X(66, FAULT, "fault", "address", "", "", "a fault ended what ran, and the chip was reset") \
    /* upload */                                                                                   \
    X(80, UPLOAD_RUNNING, "upload_running", "size", "size", "", "an upload is not complete")        \
    X(81, UPLOAD_RESUMED, "upload_resumed", "size", "size", "", "an upload was continued after a reset") \
    X(82, UPLOAD_SHA, "upload_sha", "hash", "hash", "", "the bytes received do not have the SHA-256 that the client announced") \
    X(83, UPLOAD_STATE, "upload_state", "", "", "", "slot 1 holds the only copy of the old image while the new one is on trial") \
    X(84, UPLOAD_LENGTH, "upload_length", "size", "size", "", "the upload's length is missing or impossible") \
    X(85, UPLOAD_OLDER, "upload_not_newer", "version", "version", "", "the client asked for an upgrade only and the image is not newer than the running one") \
    /* news of the bootloader's log, no failures */                                                \
    X(100, RESET, "reset", "flags", "", "", "the bootloader runs after a reset")                   \
    X(101, STARTED, "started", "version", "", "", "the image in slot 0 is started")                \
    X(102, RECOVERY, "recovery", "flags", "", "", "the bootloader stays, and serves SMP on its UART")

enum reason {
#define REASON_ENUM(num, name, code, found, expected, where, text) REASON_##name = (num),
    REASON_TABLE(REASON_ENUM)
#undef REASON_ENUM
};

enum { FINDING_NO_SLOT = 0xFF };

/* One thing that was found. JEDEC ids are 0x00MMTTCC, versions major << 24 | minor << 16 | revision. */
struct finding {
    uint16_t reason; /* enum reason */
    uint8_t slot; /* 0, 1 or FINDING_NO_SLOT */
    uint32_t found;
    uint32_t expected;
    uint32_t where;
};

/* Columns of the table, for clients and logs; "unknown" texts for a number not in it. Never NULL. */
const char *reason_code(unsigned reason);
const char *reason_text(unsigned reason);
/* Meanings of found, expected and where: "jedec", "size", ..., or "". */
const char *reason_found(unsigned reason);
const char *reason_expected(unsigned reason);
const char *reason_where(unsigned reason);

#endif
