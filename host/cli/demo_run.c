#include "host/cli/demo_run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_MS = 60000 };

/* Under --json stdout belongs to the demo's own events. */
static FILE *told(const struct demo_run *r)
{
    return r->cli->json ? stderr : stdout;
}

static void show(const struct demo_run *r, const char *const *words, const char *after)
{
    FILE *out = told(r);

    fprintf(out, "%s$ slipway", r->cli->color ? "\033[1m" : "");
    for (const char *const *w = words; *w; w++) {
        bool quote = strpbrk(*w, " ()") != NULL;
        fprintf(out, quote ? " '%s'" : " %s", *w);
    }
    fprintf(out, "%s%s\n", after, r->cli->color ? "\033[0m" : "");
    fflush(out);
}

/* In the child: becomes the command. */
static void become(const struct demo_run *r, const char *const *words, int out)
{
    char *argv[DEMO_ARGS + 4] = { (char *)"slipway" };
    size_t n = 1;

    if (r->cli->color) {
        argv[n++] = (char *)"--color";
        argv[n++] = (char *)"always";
    }
    for (size_t i = 0; words[i] && i < DEMO_ARGS; i++)
        argv[n++] = (char *)words[i];
    if (r->device[0])
        setenv("SLIPWAY_DEVICE", r->device, 1);
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (chdir(r->dir) == 0)
        execv(r->self, argv);
    fprintf(stderr, "error: cannot run %s: %s\n", r->self, strerror(errno));
    _exit(127);
}

int demo_command(const struct demo_run *r, const char *const *words)
{
    int status;

    show(r, words, "");
    pid_t child = fork();
    if (child == 0)
        become(r, words, r->cli->json ? STDERR_FILENO : -1);
    if (child < 0)
        return -1;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The next line of the board's stdout into r->line. */
static bool read_line(struct demo_run *r)
{
    for (;;) {
        char *end = memchr(r->pending, '\n', r->pending_len);
        if (end) {
            size_t n = (size_t)(end - r->pending);
            snprintf(r->line, sizeof r->line, "%.*s", (int)n, r->pending);
            r->pending_len -= n + 1;
            memmove(r->pending, end + 1, r->pending_len);
            return true;
        }
        struct pollfd p = { .fd = r->board_out, .events = POLLIN };
        if (r->pending_len == sizeof r->pending || poll(&p, 1, READY_MS) <= 0)
            return false;
        ssize_t got = read(r->board_out, r->pending + r->pending_len, sizeof r->pending - r->pending_len);
        if (got <= 0)
            return false;
        r->pending_len += (size_t)got;
    }
}

bool demo_board_ready(struct demo_run *r)
{
    while (read_line(r)) {
        fprintf(told(r), "%sboard: %s%s\n", r->cli->color ? "\033[2m" : "", r->line,
            r->cli->color ? "\033[0m" : "");
        const char *udp = strstr(r->line, "udp=");
        if (strncmp(r->line, "ready ", 6) != 0 || !udp)
            continue;
        snprintf(r->device, sizeof r->device, "udp:%.*s", (int)strcspn(udp + 4, " "), udp + 4);
        return true;
    }
    return false;
}

bool demo_board_start(struct demo_run *r, const char *const *words)
{
    int ends[2];

    show(r, words, " &");
    if (pipe(ends) != 0)
        return false;
    r->board = fork();
    if (r->board == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        close(ends[0]);
        become(r, words, ends[1]);
    }
    close(ends[1]);
    r->board_out = ends[0];
    if (r->board < 0) {
        r->board = 0;
        return false;
    }
    return demo_board_ready(r);
}

void demo_board_stop(struct demo_run *r)
{
    if (r->board <= 0)
        return;
    kill(r->board, SIGTERM);
    while (waitpid(r->board, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(r->board_out);
    r->board = 0;
}
