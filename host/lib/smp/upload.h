/*
 * Upload of an image (IMG 1) with several chunks under way.
 *
 * Chunk 0 goes alone and announces length and SHA-256 of the file; a device that holds a part of that
 * file answers where it wants to go on (resume). Then up to `window` chunks are under way. Each answer
 * names the offset the device wants next: whatever was sent beyond is sent again from there (go back N),
 * as after a chunk that is not answered in time; then the window is halved. An answered 0 means that
 * the device lost the upload, so it starts over.
 *
 * It ends: no progress for some 20 s, or RESTARTS_MAX starts over, is an error.
 */
#ifndef HOST_LIB_SMP_UPLOAD_H
#define HOST_LIB_SMP_UPLOAD_H

#include "host/lib/smp/client.h"

enum { SMPC_WINDOW_MAX = 8 };

struct smpc_upload {
    struct span file;
    uint8_t sha[32]; /* SHA-256 of the file */
    unsigned image; /* 0: not sent */
    void (*progress)(void *arg, size_t off); /* may be NULL */
    void *arg;
    /* Results, also after an error. */
    size_t off; /* how far the device says it is */
    size_t resumed_at; /* where it went on from an earlier upload; 0: from the start */
    bool whole; /* the device has all of it */
    bool mismatch; /* the device says that what it received has another SHA-256 */
    bool alone_before; /* it was there already: nothing was sent beyond chunk 0 */
    unsigned window, chunk; /* chunks under way, bytes of data in a full one */
    unsigned repeated; /* chunks sent more than once */
    unsigned restarts; /* times the device began anew at 0 */
};

/* OK: the device has the whole file. ERR_TIMEOUT, SMPC_REFUSED and the others of client.h. */
int smpc_upload(struct smpc *c, struct smpc_upload *u) MUST_CHECK;

#endif
