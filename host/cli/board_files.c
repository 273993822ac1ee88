/* See board_files.h; the devicetree is read by board_parts.c. */
#include "host/cli/board_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"

enum { FILE_MAX = 1 << 29 };

uint8_t *board_file_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    uint8_t *buf = NULL;
    size_t cap = 0, n = 1;
    *len = 0;
    while (f && n) {
        if (*len == cap) {
            uint8_t *more = realloc(buf, cap = cap ? cap * 2 : 65536);
            if (!more || cap > FILE_MAX) {
                free(more ? more : buf);
                fclose(f);
                errno = EFBIG;
                return NULL;
            }
            buf = more;
        }
        n = fread(buf + *len, 1, cap - *len, f);
        *len += n;
    }
    int bad = !f || ferror(f) ? errno : 0;
    if (f)
        fclose(f);
    if (bad) {
        free(buf);
        errno = bad;
        return NULL;
    }
    return buf;
}

int board_file_unreadable(const struct cli *cli, const char *path)
{
    return cli_fail(cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot read %s; nothing was run", path);
}

/* Splits FILE@ADDRESS. */
static int split_address(const struct cli *cli, const char *arg, char *path, size_t size, uint32_t *addr)
{
    char *end;
    if ((size_t)snprintf(path, size, "%s", arg) >= size)
        return cli_usage(cli, &cmd_board, "the path given to --bin is longer than %zu characters", size - 1);
    char *at = strrchr(path, '@');
    if (!at || at == path)
        return cli_usage(cli, &cmd_board, "--bin is FILE@ADDRESS, not %s", arg);
    *at = '\0';
    errno = 0;
    unsigned long long v = strtoull(at + 1, &end, 0);
    if (*end || at[1] < '0' || at[1] > '9' || errno || v > UINT32_MAX)
        return cli_usage(cli, &cmd_board, "--bin is FILE@ADDRESS, and %s is no address of 32 bits", at + 1);
    *addr = (uint32_t)v;
    return EXIT_DONE;
}

static int load_firmware(const struct cli *cli, const struct board_file *f, struct board *b)
{
    char path[4096], err[256];
    const char *from = f->arg;
    uint32_t addr = 0;
    size_t len;
    if (!f->hex) {
        int rc = split_address(cli, f->arg, path, sizeof path, &addr);
        if (rc)
            return rc;
        from = path;
    }
    uint8_t *data = board_file_read(from, &len);
    if (!data)
        return board_file_unreadable(cli, from);
    int rc = f->hex ? board_load_hex(b, (const char *)data, len, err, sizeof err)
                    : board_load_bin(b, addr, data, len, err, sizeof err);
    free(data);
    if (rc)
        return cli_fail(cli, EXIT_FILE, "format", err,
            f->hex ? "an Intel hex file for the nRF52840; raw bytes: --bin FILE@ADDRESS"
                   : "--bin FILE@0x0 for internal flash, FILE@0x12000000 for the external chip",
            "cannot load %s; nothing was run", from);
    return EXIT_DONE;
}

/* A chip's raw contents. A file that is not there yet is a chip that was never written. */
static int load_chip(const struct cli *cli, const char *path, uint8_t *to, size_t size)
{
    size_t len;
    if (!path || !to)
        return EXIT_DONE;
    uint8_t *data = board_file_read(path, &len);
    if (!data)
        return errno == ENOENT ? EXIT_DONE : board_file_unreadable(cli, path);
    if (len == size)
        memcpy(to, data, size);
    free(data);
    if (len != size)
        return cli_fail(cli, EXIT_FILE, "size", NULL, "give the file of this chip, or a new name",
            "%s has %zu bytes, the chip has %zu; nothing was run", path, len, size);
    return EXIT_DONE;
}

int board_files_load(const struct cli *cli, const struct board_options *o, struct board *b)
{
    size_t ext;
    uint8_t *external = board_external(b, &ext);
    if (o->external && !external)
        return cli_usage(cli, &cmd_board, "--external: board %s has no external flash", o->board);
    int rc = load_chip(cli, o->internal, board_flash(b), BOARD_FLASH_SIZE);
    if (!rc)
        rc = load_chip(cli, o->external, external, ext);
    for (unsigned i = 0; !rc && i < o->files; i++)
        rc = load_firmware(cli, &o->file[i], b);
    return rc;
}

static int store_chip(const struct cli *cli, const char *path, const uint8_t *from, size_t size)
{
    if (!path || !from)
        return EXIT_DONE;
    FILE *f = fopen(path, "wb");
    bool ok = f && fwrite(from, 1, size, f) == size;
    int why = errno;
    if (f && fclose(f)) {
        ok = false;
        why = errno;
    }
    if (!ok)
        return cli_fail(cli, EXIT_FILE, "write", strerror(why), NULL, "cannot write %s", path);
    return EXIT_DONE;
}

int board_files_store(const struct cli *cli, const struct board_options *o, struct board *b)
{
    size_t ext;
    uint8_t *external = board_external(b, &ext);
    int rc = store_chip(cli, o->internal, board_flash(b), BOARD_FLASH_SIZE);
    int rc2 = store_chip(cli, o->external, external, ext);
    return rc ? rc : rc2;
}
