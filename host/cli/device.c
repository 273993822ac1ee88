#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/device.h"
#include "host/lib/smp/answer.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
    (void)sig;
    if (interrupted)
        _exit(EXIT_INTERRUPTED); /* the second time somebody means it */
    interrupted = 1;
}

/* Without SA_RESTART, so that a wait ends at once. */
static void catch_interrupt(void)
{
    struct sigaction a = { .sa_handler = on_interrupt };

    sigaction(SIGINT, &a, NULL);
}

/* Differs from run to run, so that an answer to an earlier run is not taken for one to this. */
static uint8_t first_seq(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint8_t)((unsigned long)t.tv_nsec / 4096u ^ (unsigned long)getpid() * 37u);
}

static int fail_open(const struct device *d, int err, const char *why)
{
    const char *next = d->where.udp ? "is the device (or slipway sim) running, and is the port right?"
                                    : "ls -l /dev/ttyACM* /dev/ttyUSB* (is it plugged in, may you open it?)";
    if (err == ERR_BUSY)
        return cli_fail(d->cli, EXIT_NODEVICE, "device_busy", "two programs on a port steal each other's bytes",
            "close the other program (a terminal?), then the same command", "cannot open %s: %s",
            d->where.name, why);
    return cli_fail(d->cli, EXIT_NODEVICE, "no_device", NULL, next, "cannot open %s: %s", d->where.name, why);
}

static int fail_greeting(struct device *d, int err)
{
    if (err == SMPC_INTERRUPTED)
        return cli_fail(d->cli, EXIT_INTERRUPTED, "interrupted", NULL, NULL, "interrupted");
    if (err == ERR_TIMEOUT)
        return cli_fail(d->cli, EXIT_TIMEOUT, "no_answer",
            d->where.udp ? "It may be off, at another address, or in the middle of a swap."
                         : "It may be off, in the middle of a swap, at another baud rate, or use the other "
                           "framing (--raw).",
            "the same command in a minute; with --log FILE to see what is sent and received",
            "%s does not answer (3 tries, SMP v2 and v1, 5 s)", d->where.name);
    return cli_fail(d->cli, EXIT_NODEVICE, "no_device", NULL,
        d->where.udp ? "is the device (or slipway sim) running, and is the port right?" : NULL,
        "nobody is there at %s", d->where.name);
}

int device_open(struct device *d, const struct cli *cli)
{
    struct smpc_choice choice = { .port = cli->port, .baud = cli->baud, .udp = cli->udp,
        .env = getenv("SLIPWAY_DEVICE"), .raw = cli->raw };
    struct smpc_link link;
    char why[600];

    memset(d, 0, sizeof *d);
    d->cli = cli;
    int rc = smpc_device_choose(&d->where, &choice, why, sizeof why);
    if (rc != OK)
        return cli_fail(cli, rc == ERR_ARG ? EXIT_USAGE : EXIT_NODEVICE, rc == ERR_ARG ? "usage" : "no_device",
            NULL, "--port /dev/ttyACM0, --udp HOST:PORT, or SLIPWAY_DEVICE", "%s", why);
    rc = smpc_device_open(&d->where, &link, why, sizeof why);
    if (rc != OK)
        return fail_open(d, rc, why);
    catch_interrupt();
    smpc_init(&d->c, &link, first_seq());
    d->c.interrupted = &interrupted;
    d->c.log = cli->log;
    d->c.deadline_ms = smpc_now(&d->c) + DEVICE_BUDGET_MS;
    rc = smpc_connect(&d->c);
    if (rc != OK) {
        device_close(d);
        return fail_greeting(d, rc);
    }
    cli_debug(cli, "%s: SMP v%d, %u buffers of %u bytes%s", d->where.name, d->c.version + 1, d->c.buf_count,
        d->c.buf_size, d->c.has_params ? "" : " (a guess: it does not tell)");
    return 0;
}

static json_t **member(struct device *d, enum slipway_cmd cmd)
{
    switch (cmd) {
    case SLIPWAY_LAYOUT:
        return &d->layout;
    case SLIPWAY_FLASH:
        return &d->flash;
    case SLIPWAY_UPLOAD:
        return &d->upload;
    default:
        return &d->slots;
    }
}

const json_t *device_answer(const struct device *d, enum slipway_cmd cmd)
{
    switch (cmd) {
    case SLIPWAY_LAYOUT:
        return d->layout;
    case SLIPWAY_FLASH:
        return d->flash;
    case SLIPWAY_UPLOAD:
        return d->upload;
    default:
        return d->slots;
    }
}

void device_forget(struct device *d)
{
    json_decref(d->layout);
    json_decref(d->slots);
    json_decref(d->flash);
    json_decref(d->upload);
    d->layout = d->slots = d->flash = d->upload = NULL;
}

void device_close(struct device *d)
{
    device_forget(d);
    smpc_close(&d->c);
}

void device_reopen(struct device *d)
{
    char why[600];

    if (d->where.udp)
        return;
    smpc_close(&d->c); /* first: it holds the lock */
    if (smpc_device_open(&d->where, &d->c.link, why, sizeof why) != OK)
        d->c.link = smpc_link_gone();
}

bool device_ask(struct device *d, enum slipway_cmd cmd)
{
    struct smpc_refusal kept = d->c.refusal;
    json_t **into = member(d, cmd);

    if (*into)
        return true;
    if (d->no_slipway)
        return false;
    int rc = smpc_slipway(&d->c, cmd, into);
    if (smpc_not_there(&d->c, rc))
        d->no_slipway = true;
    if (rc != OK)
        cli_debug(d->cli, "group 64 command %d: %s", cmd, rc == SMPC_REFUSED ? "refused" : "no answer");
    d->c.refusal = kept; /* that of the request which the caller looks into */
    return rc == OK;
}

bool device_external_wrong(struct device *d, struct finding *f)
{
    const json_t *chip;
    size_t i;

    if (!device_ask(d, SLIPWAY_FLASH))
        return false;
    json_array_foreach(answer_list(d->flash, "chips"), i, chip) {
        if (!answer_bool(chip, "ok") && explain_take_finding(json_object_get(chip, "why"), f))
            return true;
    }
    return false;
}
