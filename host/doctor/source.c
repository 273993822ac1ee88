#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/doctor/source.h"
#include "host/doctor/text.h"

enum { INDEX = 1 << 14 };

bool text_ends(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

bool text_starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

const char *path_join(struct pool *p, const char *dir, const char *name)
{
    return *dir ? pool_printf(p, "%s/%s", dir, name) : pool_dup(p, name);
}

const char *path_dir(struct pool *p, const char *rel)
{
    const char *slash = strrchr(rel, '/');

    return pool_copy(p, rel, slash ? (size_t)(slash - rel) : 0);
}

bool source_below(const struct source *f, const char *dir)
{
    size_t n = strlen(dir);

    return n == 0 || (strncmp(f->rel, dir, n) == 0 && f->rel[n] == '/');
}

static size_t hash_of(const char *text)
{
    size_t h = 5381;

    for (; *text; text++)
        h = h * 33 + (unsigned char)*text;
    return h & (INDEX - 1);
}

struct source *source_find(const struct sources *s, const char *rel)
{
    struct source *f = s->index[hash_of(rel)];

    while (f && strcmp(f->rel, rel) != 0)
        f = f->chain;
    return f;
}

struct source *source_findf(const struct sources *s, const char *fmt, ...)
{
    char rel[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(rel, sizeof rel, fmt, ap);
    va_end(ap);
    return source_find(s, rel[0] == '/' ? rel + 1 : rel);
}

static void skip(struct sources *s, const char *rel, const char *why, bool harmless)
{
    struct skipped *k = pool_alloc(s->pool, sizeof *k);

    *k = (struct skipped) { .rel = *rel ? rel : s->dir, .why = why, .harmless = harmless };
    *s->skipped_end = k;
    s->skipped_end = &k->next;
}

static struct source *add_file(struct sources *s, const char *rel, const struct stat *st)
{
    struct source *f = pool_alloc(s->pool, sizeof *f);
    size_t at = hash_of(rel);
    const char *slash;

    f->rel = pool_dup(s->pool, rel);
    f->path = pool_printf(s->pool, "%s/%s", s->dir, rel);
    slash = strrchr(f->rel, '/');
    f->base = slash ? slash + 1 : f->rel;
    f->size = (size_t)st->st_size;
    f->mtime = (long long)st->st_mtime;
    *s->end = f;
    s->end = &f->next;
    s->count++;
    f->chain = s->index[at];
    s->index[at] = f;
    return f;
}

/* Folders that hold no part of a project, or very many files that are not read. */
static bool is_skipped(const char *name)
{
    static const char *const names[] = { ".", "..", ".git", ".svn", ".hg", "node_modules", "CMakeFiles", "__pycache__",
        ".venv", "venv", ".cache", "kconfig", "twister-out", ".tools" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void walk(struct sources *s, const char *rel, int depth);

/* What is no file is one that cannot be read, so that whoever needs it says so by its name. */
static void add_special(struct sources *s, const char *rel, const struct stat *st, const char *why)
{
    struct source *f = add_file(s, rel, st);

    f->loaded = true;
    f->trouble = why            ? why
        : S_ISFIFO(st->st_mode) ? "a named pipe, not a file"
        : S_ISSOCK(st->st_mode) ? "a socket, not a file"
                                : "a device, not a file";
}

static void visit(struct sources *s, const char *rel, const char *name, int depth)
{
    const char *sub = path_join(s->pool, rel, name);
    const char *path = pool_printf(s->pool, "%s/%s", s->dir, sub);
    struct stat st = { .st_size = 0 };
    bool is_link = lstat(path, &st) == 0 && S_ISLNK(st.st_mode);

    if (stat(path, &st) != 0)
        add_special(
            s, sub, &st, pool_printf(s->pool, is_link ? "a link that leads nowhere (%s)" : "%s", strerror(errno)));
    else if (S_ISREG(st.st_mode))
        add_file(s, sub, &st);
    else if (!S_ISDIR(st.st_mode))
        add_special(s, sub, &st, NULL);
    else if (is_link)
        skip(s, sub, "a link to a folder is not followed", true);
    else
        walk(s, sub, depth + 1);
}

/* The names in a folder that are part of a project, sorted, so that a walk is the same every time. */
static size_t names_in(struct sources *s, DIR *d, char ***out)
{
    size_t count = 0, room = 0;
    char **names = NULL;
    struct dirent *e;

    while ((e = readdir(d)) && count < SOURCE_MAX_FILES) {
        if (is_skipped(e->d_name))
            continue;
        if (count == room) {
            char **more = realloc(names, (room = room ? 2 * room : 64) * sizeof *names);
            if (!more)
                break;
            names = more;
        }
        names[count++] = pool_dup(s->pool, e->d_name);
    }
    if (count)
        qsort(names, count, sizeof *names, by_name);
    *out = names;
    return count;
}

static void walk(struct sources *s, const char *rel, int depth)
{
    const char *path = *rel ? pool_printf(s->pool, "%s/%s", s->dir, rel) : s->dir;
    char **names = NULL;

    if (depth > SOURCE_MAX_DEPTH) {
        skip(s, rel, pool_printf(s->pool, "deeper than %d folders", SOURCE_MAX_DEPTH), false);
        return;
    }
    DIR *d = opendir(path);
    if (!d) {
        skip(s, rel, strerror(errno), false);
        return;
    }
    s->folders++;
    size_t count = names_in(s, d, &names);
    closedir(d);
    for (size_t i = 0; i < count; i++) {
        if (s->count >= SOURCE_MAX_FILES || s->folders >= SOURCE_MAX_FOLDERS) {
            skip(s, rel,
                pool_printf(s->pool, "more than %d files or %d folders; the rest was not read", SOURCE_MAX_FILES,
                    SOURCE_MAX_FOLDERS),
                false);
            break;
        }
        visit(s, rel, names[i], depth);
    }
    free(names);
}

bool sources_scan(struct sources *s, struct pool *pool, const char *dir, const char **why)
{
    struct stat st;
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    *s = (struct sources) { .pool = pool, .dir = pool_copy(pool, dir, n) };
    s->end = &s->first;
    s->skipped_end = &s->skipped;
    s->index = pool_alloc(pool, INDEX * sizeof(struct source *));
    if (stat(s->dir, &st) != 0) {
        *why = pool_printf(pool, "%s: %s", s->dir, strerror(errno));
        return false;
    }
    if (!S_ISDIR(st.st_mode)) {
        *why = pool_printf(pool, "%s is not a folder", s->dir);
        return false;
    }
    if (access(s->dir, R_OK | X_OK) != 0) {
        *why = pool_printf(pool, "%s: %s", s->dir, strerror(errno));
        return false;
    }
    walk(s, "", 0);
    return true;
}

static const char *read_all(struct sources *s, struct source *f)
{
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return "not a regular file";
    }
    if (st.st_size > SOURCE_MAX_BYTES || (size_t)st.st_size > SOURCE_MAX_TOTAL - s->total_read) {
        close(fd);
        return pool_printf(s->pool, "%lld bytes are more than the doctor reads (%d MiB a file, %d MiB in all)",
            (long long)st.st_size, SOURCE_MAX_BYTES >> 20, SOURCE_MAX_TOTAL >> 20);
    }
    char *text = pool_alloc(s->pool, (size_t)st.st_size + 1);
    size_t got = 0;
    ssize_t n;
    while (got < (size_t)st.st_size && (n = read(fd, text + got, (size_t)st.st_size - got)) > 0)
        got += (size_t)n;
    close(fd);
    f->text = text;
    f->len = got;
    s->total_read += got;
    return NULL;
}

const char *source_peek(struct sources *s, struct source *f)
{
    if (!f)
        return NULL;
    if (!f->loaded) {
        f->loaded = true;
        f->trouble = read_all(s, f);
    }
    return f->text;
}

const char *source_text(struct sources *s, struct source *f)
{
    if (f)
        f->used = true;
    return source_peek(s, f);
}

void source_check_utf8(struct sources *s, struct source *f)
{
    unsigned line = f->trouble ? 0 : text_bad_line(f->text, f->len);

    if (line)
        f->trouble = pool_printf(s->pool, "line %u is not UTF-8 text", line);
}

const char *source_config(struct sources *s, struct source *f)
{
    const char *text = source_text(s, f);

    if (f)
        f->decides = true;
    if (!text)
        return NULL;
    if (f->len > SOURCE_MAX_TEXT) {
        f->trouble = pool_printf(s->pool, "%zu bytes are more than any configuration has", f->len);
        return NULL;
    }
    if (memchr(text, '\0', f->len)) {
        f->trouble = "binary data where configuration text was expected";
        return NULL;
    }
    source_check_utf8(s, f);
    return text;
}

bool source_charge(struct sources *s, struct source *f, size_t bytes)
{
    if (bytes > SOURCE_MAX_TOTAL - s->total_read) {
        f->trouble = pool_printf(s->pool, "it unpacks to more than is left of the %d MiB that the doctor reads in all",
            SOURCE_MAX_TOTAL >> 20);
        return false;
    }
    s->total_read += bytes;
    return true;
}

const char *source_line(struct sources *s, const char *rel, unsigned line)
{
    struct source *f = rel ? source_find(s, rel) : NULL;
    const char *text = source_peek(s, f);

    if (!text || line == 0 || memchr(text, '\0', f->len))
        return NULL;
    bool ahead = f->seen_at && f->seen_line <= line;
    const char *at = ahead ? f->seen_at : text;
    for (unsigned n = ahead ? f->seen_line : 1; n < line; n++) {
        at = strchr(at, '\n');
        if (!at)
            return NULL;
        at++;
    }
    f->seen_line = line;
    f->seen_at = at;
    size_t n = strcspn(at, "\r\n");
    return pool_copy(s->pool, at, n < 400 ? n : 400);
}
