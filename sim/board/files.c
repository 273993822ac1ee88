#include "sim/board/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const chip_name[SIM_CHIPS] = { "internal", "external" };

static void path_of(const struct board_files *f, const char *name, char out[4096])
{
    snprintf(out, 4096, "%s/%s", f->dir, name);
}

static int complain(char *text, size_t len, int rc, const char *what, const char *path)
{
    snprintf(text, len, "%s %s: %s", what, path, strerror(errno));
    return rc;
}

static bool write_erased(int fd, uint32_t size)
{
    uint8_t block[4096];

    memset(block, 0xFF, sizeof block);
    while (size > 0) {
        size_t n = size < sizeof block ? size : sizeof block;
        if (write(fd, block, n) != (ssize_t)n)
            return false;
        size -= (uint32_t)n;
    }
    return true;
}

/* An erased chip appears under its name only when it is complete. */
static bool make_chip(const char *path, uint32_t size)
{
    char temp[4200];

    snprintf(temp, sizeof temp, "%s.new", path);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool ok = write_erased(fd, size);
    ok = close(fd) == 0 && ok;
    return ok && rename(temp, path) == 0;
}

static int map_chip(struct board_files *f, int i, char *text, size_t text_len)
{
    char name[32], path[4096];
    struct stat st;

    snprintf(name, sizeof name, "%s.bin", chip_name[i]);
    path_of(f, name, path);
    if (access(path, F_OK) != 0 && !make_chip(path, f->size[i]))
        return complain(text, text_len, ERR_IO, "cannot make", path);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return complain(text, text_len, ERR_IO, "cannot open", path);
    if (fstat(fd, &st) != 0 || st.st_size != (off_t)f->size[i]) {
        snprintf(text, text_len, "%s has %lld bytes, the board's %s flash has %u", path,
            (long long)st.st_size, chip_name[i], (unsigned)f->size[i]);
        close(fd);
        return ERR_FORMAT;
    }
    void *mem = mmap(NULL, f->size[i], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mem == MAP_FAILED) {
        complain(text, text_len, ERR_IO, "cannot map", path);
        close(fd);
        return ERR_IO;
    }
    close(fd);
    f->mem[i] = (uint8_t *)mem;
    return OK;
}

static int lock_dir(struct board_files *f, char *text, size_t text_len)
{
    if (mkdir(f->dir, 0777) != 0 && errno != EEXIST)
        return complain(text, text_len, ERR_IO, "cannot make the folder", f->dir);
    f->lock = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->lock < 0)
        return complain(text, text_len, ERR_IO, "cannot open the folder", f->dir);
    if (flock(f->lock, LOCK_EX | LOCK_NB) != 0) {
        snprintf(text, text_len, "another board runs on %s", f->dir);
        return ERR_BUSY;
    }
    return OK;
}

int board_files_open(struct board_files *f, const char *dir, uint32_t internal_size,
    uint32_t external_size, char *text, size_t text_len)
{
    *f = (struct board_files) { .lock = -1, .size = { internal_size, external_size } };
    if (strlen(dir) >= sizeof f->dir) {
        snprintf(text, text_len, "the folder's name is too long");
        return ERR_IO;
    }
    strcpy(f->dir, dir);
    int rc = lock_dir(f, text, text_len);
    for (int i = 0; rc == OK && i < SIM_CHIPS; i++)
        rc = map_chip(f, i, text, text_len);
    if (rc != OK)
        board_files_close(f);
    return rc;
}

void board_files_close(struct board_files *f)
{
    for (int i = 0; i < SIM_CHIPS; i++) {
        if (f->mem[i])
            munmap(f->mem[i], f->size[i]);
    }
    if (f->lock >= 0)
        close(f->lock);
    *f = (struct board_files) { .lock = -1 };
}

static void print_hex(FILE *out, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        fprintf(out, "%02x", p[i]);
    fputc('\n', out);
}

/* Written beside and renamed, so that a killed process leaves the list as it was or as it is. */
static void save_weak(void *ctx)
{
    const struct board_files *f = (const struct board_files *)ctx;
    char path[4096], temp[4200];

    path_of(f, "weak.txt", path);
    if (!f->chip[0]->weak && !f->chip[1]->weak) {
        unlink(path);
        return;
    }
    snprintf(temp, sizeof temp, "%s.new", path);
    FILE *out = fopen(temp, "we");
    if (!out)
        return;
    for (int i = 0; i < SIM_CHIPS; i++) {
        for (const struct nor_weak *w = f->chip[i]->weak; w; w = w->next) {
            fprintf(out, "weak %s 0x%06x %u %u\n", chip_name[i], (unsigned)w->off, (unsigned)w->len, w->n);
            for (unsigned k = 0; k < w->n; k++)
                print_hex(out, w->readings + (size_t)k * w->len, w->len);
        }
    }
    bool ok = !ferror(out);
    if (fclose(out) == 0 && ok)
        rename(temp, path);
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(FILE *in, uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        int hi = hex_digit(fgetc(in)), lo = hex_digit(fgetc(in));
        if (hi < 0 || lo < 0)
            return false;
        p[i] = (uint8_t)(hi << 4 | lo);
    }
    return fgetc(in) == '\n';
}

/* One entry. 1: read, 0: end of the file, -1: not in the format. */
static int read_entry(FILE *in, struct board_files *f)
{
    char name[16];
    unsigned off, len, n;
    int first = fgetc(in);

    if (first == EOF)
        return 0;
    ungetc(first, in);
    int got = fscanf(in, "weak %15s 0x%x %u %u", name, &off, &len, &n);
    int i = got == 4 && strcmp(name, chip_name[0]) == 0 ? 0 : 1;
    if (got != 4 || strcmp(name, chip_name[i]) != 0 || fgetc(in) != '\n' || len == 0
        || len > f->chip[i]->geo.erase_size || n > NOR_WEAK_READINGS)
        return -1;
    uint8_t *readings = calloc(n + 1u, len);
    bool ok = readings != NULL;
    for (unsigned k = 0; ok && k < n; k++)
        ok = read_hex(in, readings + (size_t)k * len, len);
    ok = ok && nor_weak_add(f->chip[i], off, len, n, readings) == OK;
    free(readings);
    return ok ? 1 : -1;
}

int board_files_attach(struct board_files *f, struct nor *internal, struct nor *external, char *text,
    size_t text_len)
{
    char path[4096];
    int rc = 1;

    f->chip[0] = internal;
    f->chip[1] = external;
    path_of(f, "weak.txt", path);
    FILE *in = fopen(path, "re");
    if (!in && errno != ENOENT)
        return complain(text, text_len, ERR_IO, "cannot read", path);
    while (in && rc == 1)
        rc = read_entry(in, f);
    if (in)
        fclose(in);
    if (rc < 0) {
        snprintf(text, text_len, "%s is not a list of weak cells of this board", path);
        return ERR_FORMAT;
    }
    for (int i = 0; i < SIM_CHIPS; i++) {
        f->chip[i]->weak_changed = save_weak;
        f->chip[i]->weak_ctx = f;
    }
    return OK;
}
