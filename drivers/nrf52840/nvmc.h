/*
 * The nRF52840's own flash as a flash device. Every operation stalls a CPU that runs from flash until
 * it is over, so an operation that was started is finished: poll() only says so.
 */
#ifndef DRIVERS_NRF52840_NVMC_H
#define DRIVERS_NRF52840_NVMC_H

#include "core/flash/flash.h"

enum {
    NVMC_PAGE = 4096,
    /*
     * Bytes of one program. While it lasts (1.3 ms) nobody looks after the external chip, which takes
     * a little less for a page; larger, and that chip falls behind in a swap.
     */
    NVMC_PROG_MAX = 128,
    NVMC_PROG_LIMIT = 2, /* programs of a word between erases: nWRITE of the product specification */
};

/* `now_ms` and `ctx` are what the device says for the time. */
struct nvmc {
    uint32_t (*now_ms)(void *ctx);
    void *ctx;
};

/* Fills in *dev; both must outlive the use of it. */
void nvmc_device(struct nvmc *n, struct flash_dev *dev, uint32_t size);

/* Until the next reset nobody erases or programs these pages. Once a reset: the last of the eight ACL regions. */
void nvmc_protect(uint32_t off, uint32_t size);

#endif
