#include <stdio.h>
#include <strings.h>

#include "host/lib/smp/names.h"

struct code {
    unsigned rc;
    const char *name;
    const char *text;
};

static const struct code smp_codes[] = {
    { 0, "EOK", "no error" },
    { 1, "EUNKNOWN", "unknown error; SMP v1 also says this for most errors of a group" },
    { 2, "ENOMEM", "the device has no memory for the request or its answer" },
    { 3, "EINVAL", "the request is malformed or a value in it is not allowed" },
    { 4, "ETIMEOUT", "an operation inside the device timed out" },
    { 5, "ENOENT", "there is no such thing" },
    { 6, "EBADSTATE", "not possible in the device's present state" },
    { 7, "EMSGSIZE", "the answer does not fit into the device's buffer" },
    { 8, "ENOTSUP", "the device does not have this command" },
    { 9, "ECORRUPT", "the request arrived damaged" },
    { 10, "EBUSY", "the device is busy" },
    { 11, "EACCESSDENIED", "the application on the device does not allow it" },
    { 12, "UNSUPPORTED_TOO_OLD", "the device wants a newer version of SMP" },
    { 13, "UNSUPPORTED_TOO_NEW", "the device speaks an older version of SMP" },
    { 0, NULL, NULL },
};

static const struct code os_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "INVALID_FORMAT", "the format string is not understood" },
    { 3, "QUERY_YIELDS_NO_ANSWER", "the bootloader has no answer to this query" },
    { 4, "RTC_NOT_SET", "the clock was not set" },
    { 5, "RTC_COMMAND_FAILED", "the clock cannot be set or read" },
    { 6, "QUERY_RESPONSE_VALUE_NOT_VALID", "the bootloader's answer is not valid" },
    { 0, NULL, NULL },
};

static const struct code img_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "FLASH_CONFIG_QUERY_FAIL", "the slot's flash area cannot be opened: is its chip there and ready?" },
    { 3, "NO_IMAGE", "there is no image in the slot" },
    { 4, "NO_TLVS", "the image in the slot has no TLVs: it is unsigned or incomplete" },
    { 5, "INVALID_TLV", "a TLV of the image in the slot is malformed" },
    { 6, "TLV_MULTIPLE_HASHES_FOUND", "the image in the slot has two hash TLVs" },
    { 7, "TLV_INVALID_SIZE", "the hash TLV of the image in the slot has the wrong size" },
    { 8, "HASH_NOT_FOUND", "no slot that can be read holds an image with that hash" },
    { 9, "NO_FREE_SLOT", "the slot is in use: its image runs, is asked for, or is the way back" },
    { 10, "FLASH_OPEN_FAILED", "the slot's flash area cannot be opened: is its chip there and ready?" },
    { 11, "FLASH_READ_FAILED", "the flash cannot be read" },
    { 12, "FLASH_WRITE_FAILED", "the flash cannot be written" },
    { 13, "FLASH_ERASE_FAILED", "the flash cannot be erased" },
    { 14, "INVALID_SLOT", "there is no such slot" },
    { 15, "NO_FREE_MEMORY", "the device has no memory for an upload" },
    { 16, "FLASH_CONTEXT_ALREADY_SET", "an upload is already under way" },
    { 17, "FLASH_CONTEXT_NOT_SET", "no upload is under way" },
    { 18, "FLASH_AREA_DEVICE_NULL", "the slot's flash area has no device" },
    { 19, "INVALID_PAGE_OFFSET", "the flash driver does not know the page" },
    { 20, "INVALID_OFFSET", "the request has no offset" },
    { 21, "INVALID_LENGTH", "the request has no length, or not the image's" },
    { 22, "INVALID_IMAGE_HEADER", "what was sent does not begin with an image header" },
    { 23, "INVALID_IMAGE_HEADER_MAGIC", "what was sent, or lies in the slot, is not an MCUboot image" },
    { 24, "INVALID_HASH", "the hash is missing or has the wrong length" },
    { 25, "INVALID_FLASH_ADDRESS", "the image was linked for another address" },
    { 26, "VERSION_GET_FAILED", "the running image's version cannot be read" },
    { 27, "CURRENT_VERSION_IS_NEWER", "the running image is as new or newer" },
    { 28, "IMAGE_ALREADY_PENDING", "another request for the next start is already there" },
    { 29, "INVALID_IMAGE_VECTOR_TABLE", "the image's vector table is not valid" },
    { 30, "INVALID_IMAGE_TOO_LARGE", "the image is too large" },
    { 31, "INVALID_IMAGE_DATA_OVERRUN", "more was sent than announced" },
    { 32, "IMAGE_CONFIRMATION_DENIED", "the device does not allow this image to be confirmed" },
    { 33, "IMAGE_SETTING_TEST_TO_ACTIVE_DENIED", "the image already runs" },
    { 34, "ACTIVE_SLOT_NOT_KNOWN", "the device does not know which slot runs" },
    { 0, NULL, NULL },
};

static const struct code stat_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "INVALID_GROUP", "no statistics of that name" },
    { 3, "INVALID_STAT_NAME", "no entry of that name" },
    { 4, "INVALID_STAT_SIZE", "the entry has an unknown size" },
    { 5, "WALK_ABORTED", "reading was aborted" },
    { 0, NULL, NULL },
};

static const struct code settings_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "KEY_TOO_LONG", "the key is too long" },
    { 3, "KEY_NOT_FOUND", "no such key" },
    { 4, "READ_NOT_SUPPORTED", "the key cannot be read" },
    { 5, "ROOT_KEY_NOT_FOUND", "no such root key" },
    { 6, "WRITE_NOT_SUPPORTED", "the key cannot be written" },
    { 7, "DELETE_NOT_SUPPORTED", "the key cannot be deleted" },
    { 8, "SAVE_NOT_SUPPORTED", "settings cannot be saved" },
    { 0, NULL, NULL },
};

static const struct code fs_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "FILE_INVALID_NAME", "the file name is not valid" },
    { 3, "FILE_NOT_FOUND", "no such file" },
    { 4, "FILE_IS_DIRECTORY", "it is a directory" },
    { 5, "FILE_OPEN_FAILED", "the file cannot be opened" },
    { 6, "FILE_SEEK_FAILED", "the file cannot be positioned" },
    { 7, "FILE_READ_FAILED", "the file cannot be read" },
    { 8, "FILE_TRUNCATE_FAILED", "the file cannot be truncated" },
    { 9, "FILE_DELETE_FAILED", "the file cannot be deleted" },
    { 10, "FILE_WRITE_FAILED", "the file cannot be written" },
    { 11, "FILE_OFFSET_NOT_VALID", "the offset is not where the file ends" },
    { 12, "FILE_OFFSET_LARGER_THAN_FILE", "the offset is beyond the file's end" },
    { 13, "CHECKSUM_HASH_NOT_FOUND", "the device does not know this checksum" },
    { 14, "MOUNT_POINT_NOT_FOUND", "no file system is mounted there" },
    { 15, "READ_ONLY_FILESYSTEM", "the file system is read-only" },
    { 16, "FILE_EMPTY", "the file is empty" },
    { 0, NULL, NULL },
};

static const struct code shell_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "COMMAND_TOO_LONG", "the command line is too long" },
    { 3, "EMPTY_COMMAND", "the command line is empty" },
    { 0, NULL, NULL },
};

static const struct code enum_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "TOO_MANY_GROUP_ENTRIES", "there are too many groups" },
    { 3, "INSUFFICIENT_HEAP_FOR_ENTRIES", "the device has no memory for the answer" },
    { 4, "INDEX_TOO_LARGE", "no group has this index" },
    { 0, NULL, NULL },
};

static const struct code zephyr_codes[] = {
    { 1, "UNKNOWN", "unknown error" },
    { 2, "FLASH_OPEN_FAILED", "the storage partition cannot be opened" },
    { 3, "FLASH_CONFIG_QUERY_FAIL", "the storage partition's flash cannot be asked" },
    { 4, "FLASH_ERASE_FAILED", "the storage partition cannot be erased" },
    { 0, NULL, NULL },
};

static const struct group {
    int group;
    const char *name;
    const struct code *codes;
} groups[] = {
    { SMPC_GROUP_SMP, "SMP", smp_codes },
    { 0, "OS", os_codes },
    { 1, "IMG", img_codes },
    { 2, "STAT", stat_codes },
    { 3, "SETTINGS", settings_codes },
    { 8, "FS", fs_codes },
    { 9, "SHELL", shell_codes },
    { 10, "ENUM", enum_codes },
    { 63, "ZEPHYR", zephyr_codes },
    { 64, "SLIPWAY", NULL },
};

static const struct group *find_group(int group)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (groups[i].group == group)
            return &groups[i];
    }
    return NULL;
}

static const struct code *find_code(int group, unsigned rc)
{
    const struct group *g = find_group(group);

    for (const struct code *c = g ? g->codes : NULL; c && c->name; c++) {
        if (c->rc == rc)
            return c;
    }
    return NULL;
}

const char *smpc_group_name(int group)
{
    const struct group *g = find_group(group);
    return g ? g->name : NULL;
}

const char *smpc_rc_name(int group, unsigned rc)
{
    const struct code *c = find_code(group, rc);
    return c ? c->name : NULL;
}

const char *smpc_rc_text(int group, unsigned rc)
{
    const struct code *c = find_code(group, rc);
    return c ? c->text : NULL;
}

const char *smpc_rc_label(int group, unsigned rc, char *buf, size_t cap)
{
    const char *g = smpc_group_name(group), *name = smpc_rc_name(group, rc);

    if (g && name)
        snprintf(buf, cap, "%s %u %s", g, rc, name);
    else if (g)
        snprintf(buf, cap, "%s %u", g, rc);
    else
        snprintf(buf, cap, "group %d error %u", group, rc);
    return buf;
}

int smpc_group_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strcasecmp(groups[i].name, name) == 0)
            return groups[i].group;
    }
    return -2;
}
