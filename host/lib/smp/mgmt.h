/* The commands of groups OS, IMG and 64 ("slipway") as functions. Errors are those of client.h. */
#ifndef HOST_LIB_SMP_MGMT_H
#define HOST_LIB_SMP_MGMT_H

#include "core/smp/groups/slipway.h"
#include "host/lib/smp/client.h"

enum {
    SMPC_IMAGES_MAX = 8,
    SMPC_HASH_MAX = 64, /* SHA-512; ours is SHA-256 */
    SMPC_HASH_TEXT_MAX = 2 * SMPC_HASH_MAX + 1,
};

/* One entry of the image list (IMG 0). */
struct smpc_image {
    unsigned image;
    unsigned slot;
    char version[40]; /* "1.2.3+4" as everywhere here, whatever form the device uses */
    char hash[SMPC_HASH_TEXT_MAX]; /* hex, "" if the device does not say */
    bool bootable, pending, confirmed, active, permanent;
};

struct smpc_images {
    unsigned count;
    struct smpc_image image[SMPC_IMAGES_MAX];
};

/* "1.2.3" and "1.2.3.4" of SMP as "1.2.3+0" and "1.2.3+4"; other texts as they are. */
void smpc_version_text(const char *smp, char *buf, size_t cap);

int smpc_images_read(struct smpc *c, struct smpc_images *list) MUST_CHECK;
/*
 * Asks for an image: a test or, with `confirm`, for good. `hash` in hex; NULL with `confirm` means the
 * running image. *list is the state after it. Repeating it is harmless.
 */
int smpc_image_request(struct smpc *c, const char *hash, bool confirm, struct smpc_images *list) MUST_CHECK;
/* Erases a slot; slot < 0: the one that does not run. */
int smpc_slot_erase(struct smpc *c, int slot) MUST_CHECK;
/* IMG 6: {"images":[{"image","slots":[{"slot","size"}],"max_image_size"}]}. */
int smpc_slot_info(struct smpc *c, json_t **answer) MUST_CHECK;

/* reply is malloc'ed. */
int smpc_echo(struct smpc *c, const char *text, char **reply) MUST_CHECK;
/* Sent once: ERR_TIMEOUT may mean that the device did reset. */
int smpc_reset(struct smpc *c, bool recovery, bool force) MUST_CHECK;
/* OS 7, {"output"}; `format` letters as in `uname`. */
int smpc_os_info(struct smpc *c, const char *format, json_t **answer) MUST_CHECK;
/* OS 8; query NULL: {"bootloader"}. */
int smpc_bootloader(struct smpc *c, const char *query, json_t **answer) MUST_CHECK;

/* A command of group 64. A device without it refuses with SMP 8 ENOTSUP: smpc_not_there(). */
int smpc_slipway(struct smpc *c, enum slipway_cmd cmd, json_t **answer) MUST_CHECK;
/* True if `rc` is the device's answer that it has no such command. */
bool smpc_not_there(const struct smpc *c, int rc);

#endif
