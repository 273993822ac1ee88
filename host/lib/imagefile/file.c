#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/imagefile/imagefile_priv.h"

bool imagefile_names_hex(const char *path)
{
    size_t n = strlen(path);

    return n > 4 && strcasecmp(path + n - 4, ".hex") == 0;
}

/* ":10" and so on: no image begins so, as its magic or its blank header room is there. */
static bool looks_like_hex(struct span s)
{
    return s.len >= 11 && s.p[0] == ':' && strspn((const char *)s.p + 1, "0123456789ABCDEFabcdef") >= 8;
}

static int read_all(FILE *f, struct blob *b, char why[IMAGEFILE_WHY_LEN])
{
    uint8_t chunk[65536];
    size_t n;

    while ((n = fread(chunk, 1, sizeof chunk, f)) > 0) {
        blob_add(b, chunk, n);
        if (b->len > IMAGEFILE_MAX) {
            say(why, "it is larger than %d MiB", IMAGEFILE_MAX >> 20);
            return ERR_NOSPACE;
        }
    }
    if (ferror(f)) {
        say(why, "%s", strerror(errno));
        return ERR_IO;
    }
    return OK;
}

int imagefile_read(const char *path, struct imagefile *f, char why[IMAGEFILE_WHY_LEN])
{
    *f = (struct imagefile) { 0 };
    FILE *in = fopen(path, "rb");
    if (!in) {
        say(why, "%s", strerror(errno));
        return errno == ENOENT ? ERR_NOENT : ERR_IO;
    }
    int rc = read_all(in, &f->data, why);
    fclose(in);
    if (rc == OK && f->data.len > 0) {
        blob_fill(&f->data, 0, 1); /* so that text ends */
        f->data.len--;
        struct span bytes = span_of(f->data.p, f->data.len);
        if (imagefile_names_hex(path) || looks_like_hex(bytes)) {
            struct blob text = f->data;
            f->data = (struct blob) { 0 };
            rc = ihex_parse(span_of(text.p, text.len), f, why);
            blob_free(&text);
        }
    }
    if (rc != OK)
        imagefile_free(f);
    return rc;
}

void imagefile_free(struct imagefile *f)
{
    blob_free(&f->data);
}

static bool write_bytes(int fd, const struct blob *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = write(fd, b->p + at, b->len - at);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            at += (size_t)n;
    }
    return true;
}

/* What is no regular file (a pipe, /dev/stdout) cannot be renamed over. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_special(const char *path, const struct blob *b, char why[IMAGEFILE_WHY_LEN])
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write_bytes(fd, b);

    if (!ok)
        say(why, "%s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok ? OK : ERR_IO;
}

static int write_renamed(const char *path, const struct blob *b, char why[IMAGEFILE_WHY_LEN])
{
    size_t len = strlen(path) + 12;
    char *temporary = malloc(len);
    mode_t mask = umask(0);

    umask(mask);
    if (!temporary) {
        say(why, "%s", strerror(ENOMEM));
        return ERR_IO;
    }
    snprintf(temporary, len, "%s.XXXXXX", path);
    int fd = mkostemp(temporary, O_CLOEXEC);
    bool ok = fd >= 0 && fchmod(fd, 0666 & ~mask) == 0 && write_bytes(fd, b);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename(temporary, path) != 0) {
        ok = false;
        error = errno;
    }
    if (!ok) {
        say(why, "%s", strerror(error));
        if (fd >= 0)
            unlink(temporary);
    }
    free(temporary);
    return ok ? OK : ERR_IO;
}

int imagefile_write(const char *path, const struct imagefile *f, char why[IMAGEFILE_WHY_LEN])
{
    struct blob text = { 0 };
    const struct blob *b = &f->data;

    if (imagefile_names_hex(path)) {
        ihex_format(f, &text);
        b = &text;
    }
    int rc = is_special(path) ? write_special(path, b, why) : write_renamed(path, b, why);
    blob_free(&text);
    return rc;
}
