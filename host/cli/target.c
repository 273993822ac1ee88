#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/cli/target.h"
#include "host/lib/smp/answer.h"

enum { DIGITS_MIN = 6, IMG_HASH_NOT_FOUND = 8 };

static bool is_hash(const char *arg)
{
    size_t n = strlen(arg);

    return n >= DIGITS_MIN && n < SMPC_HASH_TEXT_MAX && strspn(arg, "0123456789abcdefABCDEF") == n;
}

static int read_file(const struct cli *cli, const char *path, char hash[SMPC_HASH_TEXT_MAX])
{
    char why[IMAGEFILE_WHY_LEN], sentence[EXPLAIN_MAX];
    struct smpc_file f;

    if (!smpc_file_read(&f, path, why, sizeof why))
        return cli_fail(cli, EXIT_FILE, "file_unreadable", NULL, NULL, "cannot read %s: %s", path, why);
    int rc = EXIT_DONE;
    if (f.is_image)
        snprintf(hash, SMPC_HASH_TEXT_MAX, "%s", f.hash);
    else
        rc = cli_fail_more(cli, EXIT_FILE, reason_code(f.wrong.reason), NULL, explain_next(f.wrong.reason),
            json_pack("{s:o}", "finding", explain_finding_json(&f.wrong)), "%s: %s", path,
            explain_finding(&f.wrong, sentence, sizeof sentence));
    smpc_file_free(&f);
    return rc;
}

int target_read(const struct cli *cli, const char *arg, char hash[SMPC_HASH_TEXT_MAX])
{
    if (access(arg, F_OK) == 0)
        return read_file(cli, arg, hash);
    if (!is_hash(arg))
        return cli_fail(cli, EXIT_FILE, "no_such_file", NULL, "slipway list (shows the hashes)",
            "%s is neither a file nor a hash of %d or more digits", arg, DIGITS_MIN);
    size_t i;
    for (i = 0; arg[i]; i++)
        hash[i] = (char)tolower((unsigned char)arg[i]);
    hash[i] = '\0';
    return EXIT_DONE;
}

/* No slot holds it: says of each slot what it holds, or why that cannot be known. */
static int fail_not_found(struct device *d, const char *hash, const char *what)
{
    char first[SMPC_HASH_TEXT_MAX + 100], sentence[EXPLAIN_MAX + 32];
    struct finding chip;
    int slot = device_find_wrong(d, hash, &chip);

    if (slot >= 0)
        return device_fail_finding(d, EXIT_REFUSED, &chip, "%s: slot %d holds this image, but", what, slot);
    bool broken = device_external_wrong(d, &chip);
    snprintf(first, sizeof first, "expected: an image with hash %s in slot 0 or 1", hash);
    json_t *more = json_pack("{s:s, s:{s:i, s:i, s:s}}", "hash", hash, "smp", "group", 1, "rc",
        IMG_HASH_NOT_FOUND, "name", "IMG 8 HASH_NOT_FOUND");
    char *detail = NULL;
    size_t len;
    FILE *out = open_memstream(&detail, &len);
    fprintf(out, "%s; now:\n", first);
    device_print_state(d, out);
    if (broken)
        fprintf(out, "the external flash: %s\n", explain_finding(&chip, sentence, sizeof sentence));
    fclose(out);
    json_object_set_new(more, "slots", device_state_json(d));
    if (broken)
        json_object_set_new(more, "finding", explain_finding_json(&chip));
    const char *next = broken ? explain_next(chip.reason) : "slipway upload FILE, then slipway test FILE";
    int rc = cli_fail_more(d->cli, EXIT_REFUSED, "hash_not_found", detail, next, more,
        "%s: no slot that can be read holds an image with hash %.*s%s", what, SHORT_HASH, hash,
        strlen(hash) > SHORT_HASH ? "..." : "");
    free(detail);
    return rc;
}

const struct smpc_image *target_find(struct device *d, const struct smpc_images *list, const char *hash,
    const char *what, int *rc)
{
    const struct smpc_image *found = NULL;
    size_t n = strlen(hash);

    for (unsigned i = 0; i < list->count; i++) {
        const struct smpc_image *im = &list->image[i];
        if (strncmp(im->hash, hash, n) != 0)
            continue;
        if (found && strcmp(found->hash, im->hash) != 0) {
            *rc = device_fail_state(d, EXIT_USAGE, "ambiguous", NULL, "give more digits of the hash",
                "%s: several images have a hash that begins with %s", what, hash);
            return NULL;
        }
        /* The same image in both slots: the one that does not run is meant. */
        if (!found || found->active)
            found = im;
    }
    if (!found)
        *rc = fail_not_found(d, hash, what);
    return found;
}

int target_run(struct cli *cli, const struct target_verb *verb, int argc, char **argv)
{
    const char *name = verb->cmd->name;
    char hash[SMPC_HASH_TEXT_MAX];
    const struct smpc_image *im;
    struct smpc_images list;
    struct device d;

    if (argc > 2 || (argc == 2 && argv[1][0] == '-'))
        return cli_usage(cli, verb->cmd, "%s takes one HASH or FILE, or nothing", name);
    int rc = argc == 2 ? target_read(cli, argv[1], hash) : EXIT_DONE;
    if (rc == EXIT_DONE)
        rc = device_open(&d, cli);
    if (rc != EXIT_DONE)
        return rc;
    rc = smpc_images_read(&d.c, &list);
    if (rc != OK) {
        rc = device_fail(&d, rc, TOPIC_OTHER, "the images cannot be listed");
    } else {
        im = argc == 2 ? target_find(&d, &list, hash, name, &rc) : verb->guess(&d, &list, &rc);
        if (im)
            rc = verb->request(&d, im);
    }
    device_close(&d);
    return rc;
}
