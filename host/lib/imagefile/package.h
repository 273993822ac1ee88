/*
 * dfu_application.zip as the nRF Connect SDK builds it: manifest.json and the image files it names.
 *
 *     {"format-version": 1, "name": "...", "files": [{"file": "app_update.bin", "type": "application",
 *      "board": "...", "size": N, "image_index": "0", "version_MCUBOOT": "1.2.3+4",
 *      "slot_index_primary": "1", "slot_index_secondary": "2", "load_address": N, ...}]}
 */
#ifndef HOST_LIB_IMAGEFILE_PACKAGE_H
#define HOST_LIB_IMAGEFILE_PACKAGE_H

#include "host/lib/imagefile/imagefile.h"

enum { PACKAGE_FILES_MAX = 64, PACKAGE_TEXT_MAX = 128 };

struct package_file {
    char name[PACKAGE_TEXT_MAX];
    struct blob data;
    bool present; /* in the zip */
    bool listed; /* in the manifest; the rest is its entry, "" or -1 where it says nothing */
    char type[PACKAGE_TEXT_MAX];
    char board[PACKAGE_TEXT_MAX];
    char version[PACKAGE_TEXT_MAX];
    long image_index;
    long long size;
};

struct package {
    struct package_file file[PACKAGE_FILES_MAX]; /* manifest.json is not among them */
    size_t files;
    bool has_manifest;
    char name[PACKAGE_TEXT_MAX];
};

bool package_is_zip(struct span bytes);
/* ERR_FORMAT: not a zip, a manifest that is no JSON; ERR_NOSPACE: limits of this header. */
int package_read(struct span bytes, struct package *p, char why[IMAGEFILE_WHY_LEN]) MUST_CHECK;
void package_free(struct package *p);

#endif
