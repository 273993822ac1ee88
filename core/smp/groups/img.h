/*
 * Group 1, IMG: state, upload, erase, slot info, over the update service. One image with two slots;
 * `image` in a request is not looked at (clients send what they like there) and not answered.
 *
 * Codes are those of MCUmgr and only those: a strict client takes an unknown one for a broken answer.
 * What they leave out is in group 64.
 */
#ifndef CORE_SMP_GROUPS_IMG_H
#define CORE_SMP_GROUPS_IMG_H

#include "core/base/reason.h"
#include "core/smp/smp.h"

enum { SMP_GROUP_IMG = 1 };

enum smp_img_cmd {
    SMP_IMG_STATE = 0,
    SMP_IMG_UPLOAD = 1,
    SMP_IMG_ERASE = 5,
    SMP_IMG_SLOTS = 6,
};

enum smp_img_err {
    SMP_IMG_ERR_UNKNOWN = 1,
    SMP_IMG_ERR_FLASH_CONFIG_QUERY_FAIL = 2,
    SMP_IMG_ERR_NO_IMAGE = 3,
    SMP_IMG_ERR_NO_TLVS = 4,
    SMP_IMG_ERR_INVALID_TLV = 5,
    SMP_IMG_ERR_HASH_NOT_FOUND = 8,
    SMP_IMG_ERR_NO_FREE_SLOT = 9,
    SMP_IMG_ERR_FLASH_OPEN_FAILED = 10,
    SMP_IMG_ERR_FLASH_READ_FAILED = 11,
    SMP_IMG_ERR_FLASH_WRITE_FAILED = 12,
    SMP_IMG_ERR_FLASH_ERASE_FAILED = 13,
    SMP_IMG_ERR_INVALID_SLOT = 14,
    SMP_IMG_ERR_INVALID_OFFSET = 20,
    SMP_IMG_ERR_INVALID_LENGTH = 21,
    SMP_IMG_ERR_INVALID_IMAGE_HEADER = 22,
    SMP_IMG_ERR_INVALID_IMAGE_HEADER_MAGIC = 23,
    SMP_IMG_ERR_INVALID_HASH = 24,
    SMP_IMG_ERR_INVALID_FLASH_ADDRESS = 25,
    SMP_IMG_ERR_CURRENT_VERSION_IS_NEWER = 27,
    SMP_IMG_ERR_IMAGE_ALREADY_PENDING = 28,
    SMP_IMG_ERR_INVALID_IMAGE_VECTOR_TABLE = 29,
    SMP_IMG_ERR_INVALID_IMAGE_TOO_LARGE = 30,
    SMP_IMG_ERR_INVALID_IMAGE_DATA_OVERRUN = 31,
    SMP_IMG_ERR_IMAGE_CONFIRMATION_DENIED = 32,
    SMP_IMG_ERR_TEST_TO_ACTIVE_DENIED = 33,
};

/* The code for a finding, or, with REASON_NONE, for an error of service.h. */
enum smp_img_err smp_img_code(const struct finding *why, int err);

/* Bind with a struct service. */
extern const struct smp_group smp_group_img;

#endif
