#include "host/cli/demo_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
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

static bool start(struct demo_run *r, const char *const *words)
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
    if (r->board < 0)
        r->board = 0;
    return r->board > 0;
}

bool demo_board_start(struct demo_run *r, const char *const *words)
{
    return start(r, words) && demo_board_ready(r);
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

/* ---- the virtual board: known by its UART ---- */

enum { UART_READY_S = 60, AFTER_RESET_MS = 400 /* the reset comes 250 ms after its answer */ };

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec) { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* An echo that nobody sees. */
static bool answers(const struct demo_run *r)
{
    static const char *const echo[] = { "echo", "there", NULL };
    int status, nowhere = open("/dev/null", O_WRONLY);
    pid_t child = fork();

    if (child == 0) {
        dup2(nowhere, STDERR_FILENO);
        become(r, echo, nowhere);
    }
    close(nowhere);
    while (child > 0 && waitpid(child, &status, 0) < 0) {
        if (errno != EINTR)
            return false;
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool runs(const struct demo_run *r)
{
    return r->board > 0 && waitpid(r->board, NULL, WNOHANG) == 0;
}

bool demo_uart_ready(struct demo_run *r)
{
    time_t end = time(NULL) + UART_READY_S;

    sleep_ms(AFTER_RESET_MS);
    while (!answers(r)) {
        if (!runs(r) || time(NULL) > end)
            return false;
    }
    fprintf(told(r), "%sboard: answers on its UART%s\n", r->cli->color ? "\033[2m" : "", r->cli->color ? "\033[0m" : "");
    return true;
}

bool demo_uart_start(struct demo_run *r, const char *const *words, const char *link)
{
    char path[4200];

    snprintf(path, sizeof path, "%s/%s", r->dir, link);
    if (!start(r, words))
        return false;
    for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++) {
        if (!runs(r))
            return false;
        sleep_ms(10);
    }
    snprintf(r->device, sizeof r->device, "%s", path);
    return demo_uart_ready(r);
}

static bool readable(char *path, size_t size, const char *dir, const char *board, const char *name)
{
    int n = snprintf(path, size, "%s/firmware/%s%s%s", dir, board, *board ? "/" : "", name);

    return n > 0 && (size_t)n < size && access(path, R_OK) == 0;
}

bool demo_firmware_find(struct demo_firmware *f, const char *self, const char *board)
{
    char dir[4096];

    snprintf(dir, sizeof dir, "%s", self);
    for (char *slash; (slash = strrchr(dir, '/')) != NULL;) {
        *slash = 0;
        if (readable(f->boot, sizeof f->boot, dir, board, "slipway-boot.hex")
            && readable(f->app, sizeof f->app, dir, board, "slipway-app.bin"))
            return readable(f->key, sizeof f->key, dir, "", "throw-away-key.pem");
    }
    return false;
}
