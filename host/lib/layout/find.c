/* Where a board's file is. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/lib/layout/load.h"

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* dir/sub/name/board.dts, if it is there and fits. */
static bool try_folder(const char *dir, size_t dir_len, const char *sub, const char *name,
    char *path, size_t path_size)
{
    int n = snprintf(path, path_size, "%.*s/%s%s%s/board.dts", (int)dir_len, dir, sub,
        *sub ? "/" : "", name);
    return n > 0 && (size_t)n < path_size && is_file(path);
}

/* Beside the executable and in its parents: the source tree it was built in, or its prefix. */
static bool find_near_program(const char *name, char *path, size_t path_size)
{
    static const char *const subs[] = { "boards", "share/slipway/boards" };
    char exe[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe);

    for (size_t i = 0; len > 0 && i < sizeof subs / sizeof subs[0]; i++) {
        size_t n = (size_t)len;
        while (n > 0) {
            while (n > 0 && exe[n - 1] != '/')
                n--;
            if (n == 0)
                break;
            n--;
            if (try_folder(exe, n, subs[i], name, path, path_size))
                return true;
        }
    }
    return false;
}

static bool find_in_list(const char *list, const char *name, char *path, size_t path_size)
{
    while (list && *list) {
        size_t n = strcspn(list, ":");
        if (n > 0 && n < PATH_MAX && try_folder(list, n, "", name, path, path_size))
            return true;
        list += n + (list[n] == ':');
    }
    return false;
}

int layout_find(const char *board, char *path, size_t path_size)
{
    int n = snprintf(path, path_size, "%s", board);

    if (n <= 0 || (size_t)n >= path_size)
        return ERR_NOENT;
    if (is_file(board))
        return OK;
    n = snprintf(path, path_size, "%s/board.dts", board);
    if (n > 0 && (size_t)n < path_size && is_file(path))
        return OK;
    bool plain = strchr(board, '/') == NULL && board[0] != '.';
    if (plain && find_near_program(board, path, path_size))
        return OK;
    if (plain && find_in_list(getenv("SLIPWAY_BOARDS"), board, path, path_size))
        return OK;
    snprintf(path, path_size, "%s", board);
    return ERR_NOENT;
}
