/*
 * What the commands that talk to a device share: opening it, turning errors into messages and exit
 * codes, finding out why it refused, and showing the state it is in.
 */
#ifndef HOST_CLI_DEVICE_H
#define HOST_CLI_DEVICE_H

#include <jansson.h>

#include "host/cli/cli.h"
#include "host/lib/explain/explain.h"
#include "host/lib/smp/device.h"
#include "host/lib/smp/file.h"
#include "host/lib/smp/mgmt.h"

/* A command without progress ends after this much, whatever the device does. */
enum { DEVICE_BUDGET_MS = 50000 };

struct device {
    const struct cli *cli;
    struct smpc_device where;
    struct smpc c;
    /* Answers of group 64; NULL: not asked yet, or the device does not have it. */
    json_t *layout;
    json_t *slots;
    json_t *flash;
    json_t *upload;
    bool no_slipway; /* it said that it has no group 64 */
};

/*
 * Chooses, opens and greets the device. 0, or the exit code after the message was printed; then
 * device_close() is not needed. SIGINT from here on ends requests with SMPC_INTERRUPTED.
 */
int device_open(struct device *d, const struct cli *cli);
void device_close(struct device *d);
/* Opens the link again where it may have gone (a USB port, while the device restarts). */
void device_reopen(struct device *d);

/*
 * Reads an answer of group 64 into the member for it, at most once until device_forget(). True if
 * there is one; false also if the device has no group 64 or does not answer.
 */
bool device_ask(struct device *d, enum slipway_cmd cmd);
/* Forgets what was read, because something was changed. */
void device_forget(struct device *d);

/* The answer of device_ask(), or NULL. */
const json_t *device_answer(const struct device *d, enum slipway_cmd cmd);

/*
 * Reports a failed request and returns its exit code: 5 gone, 6 no answer, 7 refused, 130 interrupted.
 * For a refusal it finds out why and in which state things are. `topic` says where to look first.
 */
enum device_topic {
    TOPIC_OTHER, /* the answer says all there is */
    TOPIC_UPLOAD, /* the last upload's verdict */
    TOPIC_STATE, /* test, confirm, erase of slot 1: the last refusal of one of them */
};
int device_fail(struct device *d, int err, enum device_topic topic, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Reports what was found wrong by the client itself: the message is what failed and the finding, the
 * detail the state of the slots, the next command the one for the reason.
 */
int device_fail_finding(struct device *d, int exit_code, const struct finding *f, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* cli_fail() with the state of the slots: `why` goes before it and may be NULL. */
int device_fail_state(struct device *d, int exit_code, const char *code, const char *why,
    const char *next, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* What lies in the slots, one line each: by group 64, else by the image list. */
void device_print_state(struct device *d, FILE *out);
/* The same as a JSON list, findings in words. */
json_t *device_state_json(struct device *d);
/* One entry of group 64's slots, or of its report; `flags`: with what was asked for. */
json_t *device_slot_json(const json_t *slot, bool flags);

/* What group 64 says is wrong with a slot: false if nothing, or if it cannot be asked. */
bool device_slot_wrong(struct device *d, unsigned slot, struct finding *f);
/* The slot whose image has a hash that begins so and is wrong by group 64, with *f; else -1. */
int device_find_wrong(struct device *d, const char *hash, struct finding *f);

/* Whether group 64 says that application and bootloader have different layouts, with *f. */
bool device_layouts_differ(struct device *d, struct finding *f);
/* The external chip's finding if group 64 says that it is not usable. */
bool device_external_wrong(struct device *d, struct finding *f);

/* "slot 1 of image 0"... the short form of a hash for people: 16 digits. */
enum { SHORT_HASH = 16 };

#endif
