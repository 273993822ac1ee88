/* An image that scan_bytes() found, for people and for scripts. */
#ifndef HOST_CLI_SHOW_IMAGE_H
#define HOST_CLI_SHOW_IMAGE_H

#include <jansson.h>

#include "host/cli/files.h"
#include "host/lib/imagefile/scan.h"

struct shown_image {
    const struct scan_image *found;
    const char *file;
    const char *place; /* "slot 0", or NULL */
    bool has_address;
    uint32_t address;
    const struct scan_trailer *trailer; /* at the end of the file, or NULL */
    const struct file_keys *keys;
};

/* The members of the event "image": header, tlv_area and trailer as `imgtool dumpinfo` has them. */
json_t *show_image_json(const struct shown_image *s);
void show_image_text(const struct shown_image *s);

/* {"offset","magic","image_ok","copy_done","swap_info","swap_size"}; ends are slots' ends. */
json_t *show_trailer_json(const struct scan_trailer *t);
void show_trailer_text(const struct scan_trailer *t, const char *indent);

#endif
