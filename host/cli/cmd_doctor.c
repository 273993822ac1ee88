/* slipway doctor: why an update to external flash will fail. */
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"
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

static const char *const formats[] = { "text", "json", "sarif", "html" };

static int choice(const char *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, names[i]) == 0)
            return i;
    }
    return -1;
}

/* The value of option `name` at argv[*at], as "--x V" or "--x=V". NULL if it is another option. */
static const char *value_of(int argc, char **argv, int *at, const char *name, bool *bad)
{
    const char *arg = argv[*at];
    size_t n = strlen(name);

    if (strncmp(arg, name, n) != 0 || (arg[n] != '\0' && arg[n] != '='))
        return NULL;
    if (arg[n] == '=')
        return arg + n + 1;
    if (*at + 1 >= argc) {
        *bad = true;
        return NULL;
    }
    return argv[++*at];
}

static int set_choice(const struct cli *cli, struct request *r, const char *name, const char *text)
{
    static const char *const flows[] = { "sysbuild", "child", "none" };
    static const char *const levels[] = { "info", "warning", "error" };
    int v;

    if (strcmp(name, "--format") == 0 && (v = choice(text, formats, 4)) >= 0)
        r->format = (enum format)v;
    else if (strcmp(name, "--flow") == 0 && (v = choice(text, flows, 3)) >= 0)
        r->doctor.flow = v;
    else if (strcmp(name, "--fail-on") == 0 && (v = choice(text, levels, 3)) >= 0)
        r->fail_on = (enum severity)v;
    else
        return cli_usage(cli, &cmd_doctor, "%s cannot be \"%s\"", name, text);
    return EXIT_DONE;
}

static int parse_option(const struct cli *cli, struct request *r, int argc, char **argv, int *at)
{
    static const char *const choices[] = { "--format", "--flow", "--fail-on" };
    struct {
        const char *name;
        const char **value;
    } texts[] = { { "--sdk", &r->doctor.sdk }, { "-o", &r->output }, { "--output", &r->output },
        { "--explain", &r->explain }, { "--page", &r->page } };
    const char *option = argv[*at], *v;
    bool bad = false;

    if (strcmp(option, "--list") == 0) {
        r->list = true;
        return EXIT_DONE;
    }
    for (size_t i = 0; i < 3 && !bad; i++) {
        if ((v = value_of(argc, argv, at, choices[i], &bad)))
            return set_choice(cli, r, choices[i], v);
    }
    for (size_t i = 0; i < sizeof texts / sizeof texts[0] && !bad; i++) {
        if ((v = value_of(argc, argv, at, texts[i].name, &bad))) {
            *texts[i].value = v;
            return EXIT_DONE;
        }
    }
    return cli_usage(cli, &cmd_doctor, bad ? "%s needs a value" : "unknown option %s", option);
}

static int parse(const struct cli *cli, struct request *r, int argc, char **argv)
{
    bool operands = false, dir = false;

    for (int i = 1; i < argc; i++) {
        if (!operands && strcmp(argv[i], "--") == 0) {
            operands = true;
        } else if (!operands && argv[i][0] == '-' && argv[i][1]) {
            int rc = parse_option(cli, r, argc, argv, &i);
            if (rc != EXIT_DONE)
                return rc;
        } else if (dir) {
            return cli_usage(cli, &cmd_doctor, "one folder at a time; %s is the second", argv[i]);
        } else {
            r->doctor.dir = argv[i];
            dir = true;
        }
    }
    return EXIT_DONE;
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

static int diagnose(const struct cli *cli, const struct request *r)
{
    struct doctor d;
    const char *why = "";
    FILE *out = stdout;

    if (!doctor_run(&d, &r->doctor, &why)) {
        int rc = cli_fail(cli, EXIT_USAGE, "unreadable", why, "slipway doctor DIR, with the folder of your application",
            "cannot read the project %s", r->doctor.dir);
        doctor_free(&d);
        return rc;
    }
    if (r->output && !(out = fopen(r->output, "w"))) {
        doctor_free(&d);
        return cli_fail(cli, EXIT_USAGE, "unwritable", NULL, NULL, "cannot write the report to %s", r->output);
    }
    for (const struct source *s = d.project.files.first; s; s = s->next) {
        if (s->trouble)
            cli_note(cli, "warning: %s was not understood: %s", s->rel, s->trouble);
    }
    print(&d, r, out, cli->color && !r->output);
    bool written = fflush(out) == 0 && !ferror(out);
    if (r->output)
        written = fclose(out) == 0 && written;
    int rc = doctor_count(&d, r->fail_on) ? EXIT_FAILED : EXIT_DONE;
    doctor_free(&d);
    if (!written)
        return cli_fail(cli, EXIT_USAGE, "unwritable", NULL, NULL, "the report could not be written");
    return rc;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct request r = { .doctor = { .dir = ".", .flow = -1 }, .fail_on = SEV_ERROR,
        .format = cli->json ? JSON : TEXT };
    int rc = parse(cli, &r, argc, argv);

    if (rc != EXIT_DONE)
        return rc;
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
            "Exit status: 0 nothing found at that severity, 1 findings, 2 wrong use or unreadable input.\n",
    .run = run,
};
