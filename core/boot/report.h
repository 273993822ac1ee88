/*
 * The boot report: what the bootloader found, decided and did, for the application and the client.
 * Filled in by boot_run(), kept in RAM across the jump, served in group 64. Failures are also kept in
 * the fourth unit of the state area (failure.h).
 */
#ifndef CORE_BOOT_REPORT_H
#define CORE_BOOT_REPORT_H

#include "core/image/image.h"

/* What a boot did; names are those of `slipway sim`'s boot line. Append only (stored, sent). */
#define BOOT_ACTION_TABLE(X)                                                                       \
    X(0, NONE, "none") /* started what lies in slot 0 */                                           \
    X(1, TEST, "test") /* put a new image in, or started it again, on trial */                     \
    X(2, REVERT, "revert") /* put the old image back */                                            \
    X(3, INSTALL, "install") /* put a new image in for good */                                     \
    X(4, RESUME, "resume") /* continued a swap that was cut off */                                 \
    X(5, RECOVER, "recover") /* replaced a broken slot 0 by slot 1 */

enum boot_action {
#define BOOT_ACTION_ENUM(num, name, text) BOOT_ACTION_##name = (num),
    BOOT_ACTION_TABLE(BOOT_ACTION_ENUM)
#undef BOOT_ACTION_ENUM
};
const char *boot_action_name(unsigned action);

enum boot_phase {
    PHASE_STATE, /* reading and writing the boot state, probing the chips */
    PHASE_VERIFY, /* hashes and signatures */
    PHASE_DIGEST, /* CRC of every unit before a swap */
    PHASE_SLIDE, /* moving the images */
    PHASE_CLOSE, /* trailers */
    PHASE_COUNT
};

enum { REPORT_FINDINGS = 8 };

struct slot_report {
    bool present; /* a well-formed image; then the next four fields are valid */
    struct image_version version;
    uint32_t size; /* bytes, header and TLVs included */
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t unit; /* where in the slot it begins, in units */
    bool verified; /* hash and signature were checked in this boot and are good */
    struct finding why; /* REASON_NONE, or why there is no (good) image */
};

struct boot_report {
    uint8_t action; /* enum boot_action */
    bool started; /* false: no image could be started, this is recovery */
    bool on_trial; /* the running image must confirm itself */
    bool swap_stopped; /* a swap is not finished and waits for the external flash */
    uint8_t starts; /* of the image on trial, this one included */
    uint8_t attempts; /* starts it gets */
    uint8_t gap; /* of the swap done in this boot; 0: none */
    uint16_t units; /* of the larger image of that swap */
    uint32_t layout_hash; /* the bootloader's */
    uint32_t jedec; /* what the external flash answered */
    uint32_t phase_ms[PHASE_COUNT];
    uint32_t total_ms; /* from the start of boot_run() */
    struct slot_report slot[2];
    uint8_t findings;
    struct finding finding[REPORT_FINDINGS]; /* in the order met; the last place keeps the latest */
};

void report_add(struct boot_report *r, const struct finding *f);
void report_note(struct boot_report *r, unsigned reason, unsigned slot, uint32_t found,
    uint32_t expected, uint32_t where);

#endif
