/*
 * A few commands for a person at the same line: what is typed and belongs to no SMP message comes here.
 * Nothing is echoed until the line is complete, so that a client that speaks at the same time is not
 * disturbed by half lines.
 */
#include <string.h>

#include "firmware/app/app_priv.h"

enum { WORDS_MAX = 3 };

struct command {
    const char *name;
    const char *help;
    void (*run)(struct app *a, const char *word[WORDS_MAX]); /* NULL behind the last word */
};

static const struct {
    uint16_t key;
    const char *name;
    const char *help;
} settings[] = {
#define APP_SETTING_ROW(num, name, text, help) { num, text, help },
    APP_SETTING_TABLE(APP_SETTING_ROW)
#undef APP_SETTING_ROW
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static void print_pair(struct app *a, const char *what, uint32_t n)
{
    app_print(a, what);
    app_print_number(a, n);
}

static void print_error(struct app *a, int err)
{
    app_print(a, err_name(err));
    app_print(a, "\r\n");
}

static void run_version(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    app_print(a, a->version);
    app_print(a, "\r\n");
}

/* Codes; `slipway explain -` on the host has the words. */
static void run_boot(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    if (!a->cfg.over) {
        app_print(a, "the bootloader left no report\r\n");
        return;
    }
    const struct boot_report *r = &a->cfg.over->report;
    app_print(a, "action ");
    app_print(a, boot_action_name(r->action));
    print_pair(a, " ms ", r->total_ms);
    app_print(a, " reset-reasons ");
    app_print_hex(a, a->cfg.over->reset_reasons);
    app_print(a, r->on_trial ? " on-trial\r\n" : "\r\n");
    for (unsigned i = 0; i < r->findings; i++)
        app_log(a, &r->finding[i]);
}

static void run_records(struct app *a, const char *word[WORDS_MAX])
{
    const struct recorder *r = &a->recorder;

    (void)word;
    print_pair(a, "written ", r->written);
    print_pair(a, " checked ", r->checked);
    print_pair(a, " erases ", r->erases);
    print_pair(a, " bad ", r->bad);
    print_pair(a, " next ", r->number);
    app_print(a, "\r\n");
}

static void run_line_counters(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    print_pair(a, "bytes lost ", a->cfg.port->lost(a->cfg.port->ctx));
    print_pair(a, " lines dropped ", a->out.dropped_ever);
    app_print(a, "\r\n");
}

static int find_setting(const char *name)
{
    for (int i = 0; name && i < SETTINGS; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return i;
    }
    return -1;
}

static void run_get(struct app *a, const char *word[WORDS_MAX])
{
    for (int i = 0; i < SETTINGS; i++) {
        char value[SETTINGS_VALUE_MAX + 1];
        if (word[1] && find_setting(word[1]) != i)
            continue;
        int n = a->settings_err == OK
            ? settings_get(&a->settings, settings[i].key, value, SETTINGS_VALUE_MAX) : a->settings_err;
        value[n > 0 ? n : 0] = 0;
        app_print(a, settings[i].name);
        app_print(a, n >= 0 ? " = " : n == ERR_NOENT ? " is not set: " : ": ");
        app_print(a, n >= 0 ? value : n == ERR_NOENT ? settings[i].help : err_name(n));
        app_print(a, "\r\n");
    }
    if (word[1] && find_setting(word[1]) < 0)
        app_print(a, "there is no such setting; `get` lists them\r\n");
}

static void run_set(struct app *a, const char *word[WORDS_MAX])
{
    int i = find_setting(word[1]);

    if (i < 0) {
        app_print(a, "usage: set NAME [VALUE]; `get` lists the names, no value takes it away\r\n");
        return;
    }
    print_error(a, a->settings_err != OK ? a->settings_err
        : settings_set(&a->settings, settings[i].key, word[2], word[2] ? (uint32_t)strlen(word[2]) : 0));
}

static void run_confirm(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    print_error(a, app_confirm(a));
}

static void run_reset(struct app *a, const char *word[WORDS_MAX])
{
    bool recovery = word[1] && strcmp(word[1], "recovery") == 0;

    a->cfg.port->reset(a->cfg.port->ctx, recovery);
}

static void run_crash(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    a->cfg.port->crash(a->cfg.port->ctx);
}

static void run_help(struct app *a, const char *word[WORDS_MAX]);

static const struct command commands[] = {
    { "help", "this list", run_help },
    { "version", "of the running image", run_version },
    { "boot", "what the bootloader did and found", run_boot },
    { "records", "what the recorder did in the store", run_records },
    { "line", "what was lost on this line", run_line_counters },
    { "get", "[NAME]: settings", run_get },
    { "set", "NAME [VALUE]", run_set },
    { "confirm", "the running image stays", run_confirm },
    { "reset", "[recovery]", run_reset },
    { "crash", "a fault, to see what the next start says of it", run_crash },
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void run_help(struct app *a, const char *word[WORDS_MAX])
{
    (void)word;
    for (int i = 0; i < COMMANDS; i++) {
        app_print(a, commands[i].name);
        app_print(a, ": ");
        app_print(a, commands[i].help);
        app_print(a, "\r\n");
    }
}

/* Cuts the line into words; the last one is all that is left. */
static void split(char *line, const char *word[WORDS_MAX])
{
    for (int i = 0; i < WORDS_MAX; i++) {
        while (*line == ' ')
            line++;
        word[i] = *line ? line : NULL;
        while (*line && (*line != ' ' || i == WORDS_MAX - 1))
            line++;
        if (*line)
            *line++ = 0;
    }
}

static void run_line(struct app *a)
{
    const char *word[WORDS_MAX];

    a->typed[a->typed_len] = 0;
    a->typed_len = 0;
    a->out.quiet = false; /* a person is there */
    split(a->typed, word);
    if (!word[0])
        return;
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, word[0]) == 0) {
            commands[i].run(a, word);
            return;
        }
    }
    app_print(a, "no such command; `help` lists them\r\n");
}

void shell_type(struct app *a, uint8_t byte)
{
    enum { BACKSPACE = 0x08, DELETE = 0x7F };

    if (byte == '\r' || byte == '\n') {
        if (a->typed_len > 0)
            run_line(a);
    } else if (byte == BACKSPACE || byte == DELETE) {
        a->typed_len -= a->typed_len > 0;
    } else if (byte < 0x20 || byte > 0x7E) {
        a->typed_len = 0; /* noise: what was begun is no command */
    } else if (a->typed_len < APP_LINE_MAX - 1) {
        a->typed[a->typed_len++] = (char)byte;
    }
}
