/* What the commands on files share: reading keys, images and boards, with their messages. */
#ifndef HOST_CLI_FILES_H
#define HOST_CLI_FILES_H

#include "core/boot/layout.h"
#include "host/cli/cli.h"
#include "host/lib/imagefile/imagefile.h"
#include "host/lib/layout/load.h"

enum { FILES_KEYS_MAX = 16 };

/* Keys of --key, with what core/image needs of them. */
struct file_keys {
    unsigned count;
    const char *path[FILES_KEYS_MAX];
    struct image_key key[FILES_KEYS_MAX];
};

/* Each returns EXIT_DONE, or has printed what is wrong and returns the exit code. */
int files_add_key(const struct cli *cli, struct file_keys *keys, const char *path);
int files_read(const struct cli *cli, const char *path, struct imagefile *f);
/* *report has to outlive *layout. */
int files_board(const struct cli *cli, const char *board, struct layout *layout,
    struct layout_report *report);

/* What a command is asked about: [--key KEY.pem]... [--board BOARD] FILE. */
struct file_subject {
    const char *file;
    const char *board; /* NULL: not given; then the next two are empty */
    struct layout layout;
    struct layout_report report;
    struct file_keys keys;
};
/* *s begins empty. */
int files_arguments(struct cli *cli, const struct cli_command *cmd, int argc, char **argv,
    struct file_subject *s);

/* The path of the key that has this hash, or NULL. */
const char *files_key_name(const struct file_keys *keys, const uint8_t hash[CRYPTO_SHA256_LEN]);

/* What is wrong with an image in a file, as a clause. Returns buf. */
const char *files_finding(const struct finding *f, char *buf, size_t cap);
/* What to do about it, or NULL. */
const char *files_next(const struct finding *f);

/* The first KEYHASH TLV of 32 bytes; false if there is none. */
bool files_keyhash(const struct image *img, uint8_t hash[CRYPTO_SHA256_LEN]);

#endif
