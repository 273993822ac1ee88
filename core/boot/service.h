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

enum service_stage {
    SERVICE_OPEN, /* reads headers, TLVs and trailers */
    SERVICE_HASH, /* of slot `looking` */
    SERVICE_SIGNATURE,
    SERVICE_ACT,
};

enum { SERVICE_BUF = 1024 };

/* The verdict on an image, so that it is worked out once a power cycle. */
struct service_memo {
    bool known;
    uint32_t end; /* of the image it is about */
    unsigned unit;
    uint8_t hash[CRYPTO_SHA256_LEN];
    enum verdict verdict;
    struct finding why;
};

struct service {
    struct service_config cfg;
    struct upload up;
    struct finding why; /* of the job that failed last; REASON_NONE: the error says it all */
    struct finding refused; /* of the last test, confirm or erase, if it was refused */
    struct service_slot slot[2];
    enum swap_phase phase; /* with what an application has confirmed since the boot taken into account */
    /* the job in work */
    enum service_job job;
    enum service_stage stage;
    uint8_t looking; /* slot being verified */
    bool written[2]; /* since the boot: its report no longer counts */
    struct service_memo memo[2];
    uint32_t at; /* bytes hashed */
    struct crypto_sha256 sha;
    struct image_auth auth;
    struct upload_chunk chunk;
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

/*
 * A chunk; its bytes stay in place. Errors as upload_poll(), and ERR_BADSTATE with REASON_UPLOAD_STATE
 * (trial, unfinished swap), ERR_LAYOUT with REASON_LAYOUT_MISMATCH. The offset for the client is
 * sv->up.next, the verdict sv->up.why.
 */
void service_upload(struct service *sv, const struct upload_chunk *c);

/* Erases slot 1. ERR_BADSTATE with REASON_UPLOAD_STATE during a trial or an unfinished swap. */
void service_erase(struct service *sv);

int service_poll(struct service *sv) MUST_CHECK;

/*
 * Whether slot 1 holds what an upload left that was cut off in an earlier power cycle, and none has begun since:
 * then *why says UPLOAD_RUNNING with what is there and the whole length.
 */
bool service_cut_off_upload(const struct service *sv, struct finding *why);

/*
 * Probes the external chip: OK or an error with *why, and what answered. ERR_BUSY: an erase is in work,
 * ask again.
 */
int service_probe(struct service *sv, uint32_t *jedec, struct finding *why) MUST_CHECK;

#endif
