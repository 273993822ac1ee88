/* slipway doctor: why an update to external flash will fail. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/doctor/doctor.h"

enum format { TEXT, JSON, SARIF, HTML };

struct request {
    struct doctor_options doctor;
    enum format format;
    enum severity fail_on;
    const char *output, *explain, *page;
    bool list;
};

/* The place of `text` among `names` into *out; what it can be is said if it is none of them. */
static bool choose(struct args *a, const char *option, const char *text, const char *const *names, unsigned *out)
{
    char all[80] = "";

    for (unsigned i = 0; names[i]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", names[i]);
    }
    a->wrong = true;
    (void)cli_usage(a->cli, a->cmd, "%s cannot be \"%s\"; it is one of %s", option, text, all);
    return false;
}

static bool take_choice(struct args *a, struct request *r)
{
    static const char *const formats[] = { "text", "json", "sarif", "html", NULL };
    static const char *const flows[] = { "sysbuild", "child", "none", NULL };
    static const char *const levels[] = { "info", "warning", "error", NULL };
    const char *v;
    unsigned n;

    if ((v = args_value(a, "--format", NULL))) {
        if (choose(a, "--format", v, formats, &n))
            r->format = (enum format)n;
    } else if ((v = args_value(a, "--flow", NULL))) {
        if (choose(a, "--flow", v, flows, &n))
            r->doctor.flow = (int)n;
    } else if ((v = args_value(a, "--fail-on", NULL))) {
        if (choose(a, "--fail-on", v, levels, &n))
            r->fail_on = (enum severity)n;
    } else {
        return a->wrong;
    }
    return true;
}

static bool take_text(struct args *a, struct request *r)
{
    const char *v;

    if ((v = args_value(a, "--sdk", NULL)))
        r->doctor.sdk = v;
    else if ((v = args_value(a, "--output", "-o")))
        r->output = v;
    else if ((v = args_value(a, "--explain", NULL)))
        r->explain = v;
    else if ((v = args_value(a, "--page", NULL)))
        r->page = v;
    else if (args_flag(a, "--list", NULL))
        r->list = true;
    else
        return a->wrong;
    return true;
}

static bool parse(const struct cli *cli, struct request *r, int argc, char **argv)
{
    struct args a = args_of(cli, &cmd_doctor, argc, argv);

    while (args_next(&a)) {
        if (take_choice(&a, r) || take_text(&a, r))
            continue;
        if (r->doctor.dir || !args_operand(&a))
            args_unknown(&a);
        r->doctor.dir = args_operand(&a);
    }
    if (!r->doctor.dir)
        r->doctor.dir = ".";
    return !a.wrong;
}

static void print(struct doctor *d, const struct request *r, FILE *out, bool color)
{
    if (r->format == JSON)
        report_json(d, out);
    else if (r->format == SARIF)
        report_sarif(d, out);
    else if (r->format == HTML)
        report_html(d, out);
    else
        report_text(d, out, color);
}

/* What could not be read is named on stderr, whatever the format; the reports name all of it. */
static void narrate_unread(const struct cli *cli, const struct doctor *d)
{
    static const char *const levels[] = { "note", "warning", "error" };
    enum { SHOWN = 20 };
    unsigned n = 0;

    for (const struct unread *u = d->unread; u; u = u->next, n++) {
        if (n < SHOWN)
            cli_note(cli, "%s: %s: %s", levels[u->level], u->name, u->why);
    }
    if (n > SHOWN)
        cli_note(cli, "%u more could not be read", n - SHOWN);
}

static int unreadable(const struct cli *cli, struct doctor *d, const char *why)
{
    int rc = cli_fail(cli, EXIT_USAGE, "unreadable", NULL, "slipway doctor DIR, with the folder of your application",
        "cannot read the project: %s", why);

    doctor_free(d);
    return rc;
}

static int write_report(const struct cli *cli, struct doctor *d, const struct request *r)
{
    FILE *out = r->output ? fopen(r->output, "w") : stdout;

    if (!out)
        return cli_fail(
            cli, EXIT_USAGE, "unwritable", strerror(errno), NULL, "cannot write the report to %s", r->output);
    print(d, r, out, cli->color && !r->output);
    bool written = fflush(out) == 0 && !ferror(out);
    if (r->output)
        written = fclose(out) == 0 && written;
    return written ? EXIT_DONE
                   : cli_fail(cli, EXIT_USAGE, "unwritable", strerror(errno), NULL,
                       "the report could not be written to %s", r->output ? r->output : "standard output");
}

static int diagnose(const struct cli *cli, const struct request *r)
{
    static struct doctor d;
    const char *why = "";

    if (!doctor_run(&d, &r->doctor, &why))
        return unreadable(cli, &d, why);
    narrate_unread(cli, &d);
    int rc = write_report(cli, &d, r);
    if (rc == EXIT_DONE)
        rc = doctor_unread(&d) ? EXIT_USAGE : doctor_count(&d, r->fail_on) ? EXIT_FAILED : EXIT_DONE;
    doctor_free(&d);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct request r = { .doctor = { .flow = -1 }, .fail_on = SEV_ERROR, .format = cli->json ? JSON : TEXT };

    if (!parse(cli, &r, argc, argv))
        return EXIT_USAGE;
    if (r.list) {
        rules_list(stdout);
        return EXIT_DONE;
    }
    const char *rule = r.explain ? r.explain : r.page;
    if (!rule)
        return diagnose(cli, &r);
    if (r.explain ? rules_explain(rule, stdout) : rules_page(rule, stdout))
        return EXIT_DONE;
    return cli_fail(cli, EXIT_USAGE, "no_such_rule", NULL, "slipway doctor --list", "there is no rule %s", rule);
}

const struct cli_command cmd_doctor = {
    .name = "doctor",
    .summary = "says why an update to external flash will fail, before anything is flashed",
    .help = "  slipway doctor my_app\n"
            "  slipway doctor my_app --format html -o report.html\n\n"
            "Reads a Zephyr or nRF Connect SDK project (sources, and build output where there is some).\n"
            "  --flow sysbuild|child|none   how it is built, if that cannot be told from the files\n"
            "                               (none: without the Partition Manager)\n"
            "  --sdk DIR                    the folder with nrf/ and zephyr/, for what needs their sources\n"
            "  --format text|json|sarif|html\n"
            "  -o FILE                      write the report there\n"
            "  --fail-on error|warning|info exit status 1 from this severity on (default error)\n"
            "  --list                       all rules\n"
            "  --explain RULE               one rule: what it means and what to do\n"
            "Exit status: 0 nothing found at that severity, 1 findings, 2 wrong use, or an input that decides\n"
            "and cannot be read (the report then is of what could be read).\n",
    .run = run,
};
