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

/* Files of one bucket are chained in an array that grows by open addressing over INDEX slots. */
static void index_add(struct sources *s, struct source *f)
{
    size_t at = hash_of(f->rel);

    for (size_t i = 0; i < INDEX; i++) {
        size_t slot = (at + i) & (INDEX - 1);
        if (!s->index[slot]) {
            s->index[slot] = f;
            return;
        }
    }
}

struct source *source_find(const struct sources *s, const char *rel)
{
    size_t at = hash_of(rel);

    for (size_t i = 0; i < INDEX; i++) {
        struct source *f = s->index[(at + i) & (INDEX - 1)];
        if (!f)
            return NULL;
        if (strcmp(f->rel, rel) == 0)
            return f;
    }
    for (struct source *f = s->first; f; f = f->next) {
        if (strcmp(f->rel, rel) == 0)
            return f;
    }
    return NULL;
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

static void add_file(struct sources *s, const char *rel, const struct stat *st)
{
    struct source *f = pool_alloc(s->pool, sizeof *f);
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
    index_add(s, f);
}

/* Folders that hold no part of a project, or very many files that are not read. */
static bool is_skipped(const char *name)
{
    static const char *const names[] = { ".", "..", ".git", ".svn", ".hg", "node_modules", "CMakeFiles",
        "__pycache__", ".venv", "venv", ".cache", "kconfig", "twister-out", ".tools" };

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

static void visit(struct sources *s, const char *rel, const char *name, int depth)
{
    const char *sub = path_join(s->pool, rel, name);
    const char *path = pool_printf(s->pool, "%s/%s", s->dir, sub);
    struct stat st;

    if (lstat(path, &st) != 0)
        return;
    if (S_ISLNK(st.st_mode) && (stat(path, &st) != 0 || !S_ISREG(st.st_mode)))
        return;
    if (S_ISDIR(st.st_mode)) {
        if (!is_skipped(name))
            walk(s, sub, depth + 1);
    } else if (S_ISREG(st.st_mode)) {
        add_file(s, sub, &st);
    }
}

static void walk(struct sources *s, const char *rel, int depth)
{
    const char *path = *rel ? pool_printf(s->pool, "%s/%s", s->dir, rel) : s->dir;
    size_t count = 0, room = 0;
    char **names = NULL;
    struct dirent *e;

    if (depth > SOURCE_MAX_DEPTH) {
        s->cut = pool_printf(s->pool, "%s is deeper than %d folders and was not read", rel, SOURCE_MAX_DEPTH);
        return;
    }
    DIR *d = opendir(path);
    if (!d)
        return;
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
    closedir(d);
    if (count)
        qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++) {
        if (s->count >= SOURCE_MAX_FILES) {
            s->cut = pool_printf(s->pool, "more than %d files; the rest was not read", SOURCE_MAX_FILES);
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
    if (st.st_size > SOURCE_MAX_BYTES || s->total_read + (size_t)st.st_size > SOURCE_MAX_TOTAL) {
        close(fd);
        return pool_printf(s->pool, "%lld bytes are more than the doctor reads (%d MiB a file)",
            (long long)st.st_size, SOURCE_MAX_BYTES >> 20);
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

const char *source_line(struct sources *s, const char *rel, unsigned line)
{
    struct source *f = rel ? source_find(s, rel) : NULL;
    const char *text = source_peek(s, f);

    if (!text || line == 0 || memchr(text, '\0', f->len))
        return NULL;
    while (--line > 0 && (text = strchr(text, '\n')))
        text++;
    if (!text)
        return NULL;
    size_t n = strcspn(text, "\r\n");
    return pool_copy(s->pool, text, n < 400 ? n : 400);
}
