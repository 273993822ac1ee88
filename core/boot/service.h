/*
 * The update service of an application or of the bootloader's recovery: which slot holds what, and
 * the requests to upload, test, confirm and erase. SMP's image group and group 64 are thin layers
 * over this; it knows nothing of SMP.
 *
 * One job at a time, started and polled from the loop; service_idle() does what can be done between
 * jobs. Memory is the caller's, nothing blocks longer than the erase of one unit.
 */
#ifndef CORE_BOOT_SERVICE_H
#define CORE_BOOT_SERVICE_H

#include "core/boot/boot.h"
#include "core/boot/trailer.h"
#include "core/boot/upload.h"

struct service_config {
    const struct store *store;
    /* Of the boot that started this; NULL: unknown. Its layout hash is the bootloader's. */
    const struct boot_report *report;
    /*
     * True in the bootloader: nothing runs from slot 0, so an upload goes to slot 0 where the
     * external chip does not answer, and one during an unfinished swap or a trial is allowed.
     */
    bool recovery;
};

/* What a slot holds; valid after service_look(). */
struct service_slot {
    bool present; /* well-formed: img and unit are valid */
    struct image img;
    unsigned unit; /* where in the slot the image begins, in units */
    enum verdict verdict; /* VERDICT_GOOD: hash and signature were checked in this power cycle */
    /* REASON_NONE, or why there is no image, why it is bad, or why it cannot be started or swapped. */
    struct finding why;
    bool active; /* it runs */
    bool confirmed; /* it runs to stay, or is what a trial goes back to */
    bool pending; /* asked for at the next boot */
    bool permanent; /* and to stay */
    bool bootable; /* not flagged as non-bootable */
};

enum service_job {
    SERVICE_REST,
    SERVICE_LOOK,
    SERVICE_REQUEST,
    SERVICE_UPLOAD,
    SERVICE_ERASE,
};

enum { SERVICE_BUF = 1024 };

struct service {
    struct service_config cfg;
    struct upload up;
    struct finding why; /* of the last job that failed; REASON_NONE: the error says it all */
    struct service_slot slot[2];
    enum swap_phase phase; /* with what an application has confirmed since the boot taken into account */
    /* the job in work */
    enum service_job job;
    uint8_t looking; /* slot being looked at */
    uint8_t stage; /* of service.c and check */
    uint32_t at; /* bytes hashed */
    struct crypto_sha256 sha;
    struct image_auth auth;
    bool want_confirm;
    bool want_hash;
    uint8_t hash[CRYPTO_SHA256_LEN];
    uint8_t buf[SERVICE_BUF];
};

/* store and report must outlive the service. */
void service_init(struct service *sv, const struct service_config *cfg);

/* One step in the background; true: there is more. To be called only when no job is in work. */
bool service_idle(struct service *sv);

/*
 * Jobs. Each start function begins one; service_poll() is ERR_BUSY until it is finished, then its
 * result. A start function never fails. All flags of sv->slot[] are fresh after every job but an upload.
 */

/*
 * Reads both slots; an image not verified in this power cycle is verified. Always ends in OK: what is
 * wrong with a slot is in sv->slot[].why.
 */
void service_look(struct service *sv);

/*
 * Asks for the image with this hash: at the next boot on trial (confirm false) or to stay (true). The
 * running image's hash with confirm, or confirm without a hash (NULL): the running image stays.
 * ERR_NOENT: no slot holds it. ERR_BADSTATE: contradicts what is already asked for, or a swap is under
 * way. ERR_ARG: a trial of what runs. ERR_VERIFY, ERR_LAYOUT, ERR_UNSUPPORTED, ERR_NOSPACE: the image
 * is bad or cannot be installed, sv->why says how. Flash errors with sv->why.
 */
void service_request(struct service *sv, const uint8_t hash[CRYPTO_SHA256_LEN], bool confirm);

/* A chunk; errors as upload_chunk(), and ERR_BADSTATE with REASON_UPLOAD_STATE or _LAYOUT_MISMATCH. */
void service_upload(struct service *sv, const struct upload_chunk *c);

/* Erases slot 1. ERR_BADSTATE with REASON_UPLOAD_STATE during a trial or an unfinished swap. */
void service_erase(struct service *sv);

int service_poll(struct service *sv) MUST_CHECK;

/* Probes the external chip: OK or an error with *why, and what answered. Waits for an erase in work. */
int service_probe(struct service *sv, uint32_t *jedec, struct finding *why) MUST_CHECK;

#endif
