/*
 * Others' firmware on the board, told and asked over UART 0:
 *
 *     run_text FIRMWARE.hex[,FIRMWARE.hex...] SECONDS [high:PIN | expect:TEXT | send:TEXT | unmodelled:NAME | stop:NAME]...
 *
 * high:PIN drives a pin from outside (a button that is not pressed). expect: and send: follow each
 * other: what was sent last has to bring the text expected next. In TEXT, \r and \n are the control
 * characters. unmodelled:NAME: a register of that peripheral must have been reported. stop:NAME: how the
 * run has to end (idle, fault, unmodelled ...; without it: it has to go on until its time is over).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "board/board.h"

enum { OUT_MAX = 1 << 20 };

static char out[OUT_MAX];
static size_t out_len, seen_to;
static const char *wanted;
static struct board *board;

static void on_uart(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len && uart == 0 && out_len < OUT_MAX; i++)
        out[out_len++] = (char)data[i];
    if (wanted && out_len > seen_to && memmem(out + seen_to, out_len - seen_to, wanted, strlen(wanted)))
        board_stop(board);
}

static char *plain_text(char *s)
{
    char *to = s;
    for (const char *p = s; *p; p++)
        *to++ = *p == '\\' && p[1] ? *++p == 'r' ? '\r' : *p == 'n' ? '\n' : *p : *p;
    *to = '\0';
    return s;
}

static bool load(char *names)
{
    static char text[8u << 20];
    char err[256];
    for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
        FILE *f = fopen(name, "rb");
        size_t n = f ? fread(text, 1, sizeof text, f) : 0;
        if (f)
            fclose(f);
        if (!n || board_load_hex(board, text, n, err, sizeof err)) {
            printf("%s: %s\n", name, n ? err : "cannot be read");
            return false;
        }
    }
    return true;
}

static bool expect(const char *text, uint64_t until, enum board_stop *stop)
{
    wanted = text;
    *stop = board_run(board, until);
    const char *at = memmem(out + seen_to, out_len - seen_to, text, strlen(text));
    wanted = NULL;
    if (!at) {
        printf("\"%s\" did not come by %.3f s; got: %.*s\n%s\n", text, (double)board_now(board) / BOARD_CYCLES_PER_S,
            (int)(out_len - seen_to), out + seen_to, board_why(board));
        return false;
    }
    seen_to = (size_t)(at - out) + strlen(text);
    return true;
}

static bool reported(const char *name)
{
    for (unsigned i = 0; board_unmodelled(board, i); i++) {
        if (strncmp(board_unmodelled(board, i), name, strlen(name)) == 0)
            return true;
    }
    printf("%s was not reported as not modelled\n", name);
    return false;
}

/* One argument behind the first two. */
static bool step(char *arg, uint64_t until, enum board_stop *stop)
{
    if (strncmp(arg, "high:", 5) == 0) {
        board_pin_input(board, (unsigned)atoi(arg + 5), true);
        return true;
    }
    if (strncmp(arg, "expect:", 7) == 0)
        return expect(plain_text(arg + 7), until, stop);
    if (strncmp(arg, "send:", 5) == 0) {
        const char *t = plain_text(arg + 5);
        return board_uart_input(board, 0, (const uint8_t *)t, strlen(t)) == strlen(t);
    }
    if (*stop == BOARD_RUNS)
        *stop = board_run(board, until);
    if (strncmp(arg, "unmodelled:", 11) == 0)
        return reported(arg + 11);
    static const char *const names[] = { "time", "cut", "lockup", "fault", "loop", "unmodelled", "idle", "off" };
    if (*stop < sizeof names / sizeof names[0] && strncmp(arg, "stop:", 5) == 0 && strcmp(names[*stop], arg + 5) == 0)
        return true;
    printf("%s: ended otherwise (%d): %s\n", arg, (int)*stop, board_why(board));
    return false;
}

int main(int argc, char **argv)
{
    struct board_config config = { .qspi = nor_part_find("mx25r6435f"), .seed = 3 };
    if (argc < 3 || !(board = board_new(&config)) || !load(argv[1]))
        return 2;
    uint64_t until = (uint64_t)(atof(argv[2]) * BOARD_CYCLES_PER_S);
    enum board_stop stop = BOARD_RUNS;
    bool ok = true;
    board_on_uart(board, on_uart, NULL);
    board_power_on(board);
    for (int i = 3; ok && i < argc; i++)
        ok = step(argv[i], until, &stop);
    printf("%.3f s, %llu instructions: %s\n", (double)board_now(board) / BOARD_CYCLES_PER_S,
        (unsigned long long)board_insns(board), ok ? "as expected" : "WRONG");
    board_free(board);
    return !ok;
}
