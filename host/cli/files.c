#include "host/cli/args.h"
#include "host/cli/files.h"

#include <inttypes.h>
#include <string.h>

int files_add_key(const struct cli *cli, struct file_keys *keys, const char *path)
{
    char why[KEY_WHY_LEN];

    if (keys->count == FILES_KEYS_MAX)
        return cli_fail(cli, EXIT_USAGE, "usage", NULL, NULL, "more than %d keys", FILES_KEYS_MAX);
    struct key *k = key_read(path, why);
    if (!k)
        return cli_fail(cli, EXIT_FILE, "key_file", why, NULL, "cannot read the key %s", path);
    struct image_key *known = &keys->key[keys->count];
    key_point(k, known->point);
    image_key_hash(known);
    keys->path[keys->count++] = path;
    key_free(k);
    return EXIT_DONE;
}

int files_arguments(struct cli *cli, const struct cli_command *cmd, int argc, char **argv,
    struct file_subject *s)
{
    struct args a = args_of(cli, cmd, argc, argv);
    const char *v;

    while (args_next(&a)) {
        if ((v = args_value(&a, "--key", "-k"))) {
            int rc = files_add_key(cli, &s->keys, v);
            if (rc != EXIT_DONE)
                return rc;
        } else if ((v = args_value(&a, "--board", NULL)))
            s->board = v;
        else if (args_operand(&a) && !s->file)
            s->file = args_operand(&a);
        else
            args_unknown(&a);
    }
    if (a.wrong)
        return EXIT_USAGE;
    if (!s->file)
        return cli_usage(cli, cmd, "%s needs the file of an image", cmd->name);
    return s->board ? files_board(cli, s->board, &s->layout, &s->report) : EXIT_DONE;
}

const char *files_key_name(const struct file_keys *keys, const uint8_t hash[CRYPTO_SHA256_LEN])
{
    for (unsigned i = 0; i < keys->count; i++) {
        if (memcmp(keys->key[i].hash, hash, CRYPTO_SHA256_LEN) == 0)
            return keys->path[i];
    }
    return NULL;
}

int files_read(const struct cli *cli, const char *path, struct imagefile *f)
{
    char why[IMAGEFILE_WHY_LEN];
    int rc = imagefile_read(path, f, why);

    if (rc == OK)
        return EXIT_DONE;
    return cli_fail(cli, EXIT_FILE, rc == ERR_NOENT ? "no_file" : "file", why, NULL, "cannot read %s", path);
}

int files_board(const struct cli *cli, const char *board, struct layout *layout,
    struct layout_report *report)
{
    char next[LAYOUT_PATH_MAX + 32];
    int rc = layout_load(board, layout, report);

    if (rc == OK)
        return EXIT_DONE;
    snprintf(next, sizeof next, "slipway layout %s", board);
    for (unsigned i = 0; i < report->problem_count; i++) {
        const struct layout_problem *p = &report->problem[i];
        if (p->severity == LAYOUT_ERROR)
            return cli_fail(cli, EXIT_FILE, rc == ERR_NOENT ? "no_board" : "layout", p->what,
                rc == ERR_NOENT ? p->fix : next, "cannot use the board %s", board);
    }
    return cli_fail(cli, EXIT_FILE, "layout", err_text(rc), next, "cannot use the board %s", board);
}

bool files_keyhash(const struct image *img, uint8_t hash[CRYPTO_SHA256_LEN])
{
    struct image_tlv_iter it;

    image_tlv_begin(&it, img);
    while (image_tlv_next(&it) > 0) {
        if (!it.prot && it.type == IMAGE_TLV_KEYHASH && it.len == CRYPTO_SHA256_LEN)
            return area_read(&img->area, img->off + it.data_off, hash, CRYPTO_SHA256_LEN) == OK;
    }
    return false;
}

const char *files_finding(const struct finding *f, char *buf, size_t cap)
{
    switch (f->reason) {
    case REASON_IMG_MAGIC:
        snprintf(buf, cap, "it begins with 0x%08" PRIx32 ", an MCUboot image begins with 0x%08" PRIx32,
            f->found, f->expected);
        break;
    case REASON_IMG_HEADER:
        snprintf(buf, cap, "the sizes in its header are impossible (%" PRIu32 ", expected %s %" PRIu32 ")",
            f->found, f->found < f->expected ? "at least" : "at most", f->expected);
        break;
    case REASON_IMG_TRUNCATED:
        snprintf(buf, cap, "it is cut off: %" PRIu32 " bytes are there, header and TLVs announce %s%" PRIu32,
            f->found, f->where ? "" : "at least ", f->expected);
        break;
    case REASON_IMG_NO_TLVS:
        snprintf(buf, cap, "behind the payload, at 0x%" PRIx32 ", there are no TLVs but 0x%04" PRIx32
            ": it is not signed, or its header is wrong", f->where, f->found);
        break;
    case REASON_IMG_TLV:
        snprintf(buf, cap, "TLV 0x%04" PRIx32 " at 0x%" PRIx32 " is malformed", f->found, f->where);
        break;
    case REASON_IMG_HASH:
        snprintf(buf, cap, "its bytes have the hash %08" PRIx32 "..., its TLV says %08" PRIx32
            "...: at least one bit has changed since it was signed", f->found, f->expected);
        break;
    case REASON_IMG_STRANGER:
        snprintf(buf, cap, "it is signed by another key (key hash %08" PRIx32 "...)", f->found);
        break;
    case REASON_IMG_ALIGN:
        snprintf(buf, cap, "with a header of 0x%" PRIx32 " bytes its vector table is not aligned to %" PRIu32
            " bytes: it verifies, but cannot start on an nRF52840", f->found, f->expected);
        break;
    case REASON_IMG_VECTORS:
        snprintf(buf, cap, "its reset vector 0x%08" PRIx32 " lies outside of slot 0, which begins at 0x%08"
            PRIx32 ": it was linked for another address", f->found, f->expected);
        break;
    case REASON_IMG_LAYOUT:
        snprintf(buf, cap, "it was made for the layout 0x%08" PRIx32 ", the board has 0x%08" PRIx32,
            f->found, f->expected);
        break;
    case REASON_IMG_FLAGS:
    case REASON_IMG_ENCRYPTED:
        snprintf(buf, cap, "%s (flags 0x%" PRIx32 ")", reason_text(f->reason), f->found);
        break;
    default:
        snprintf(buf, cap, "%s", reason_text(f->reason));
        break;
    }
    return buf;
}

const char *files_next(const struct finding *f)
{
    switch (f->reason) {
    case REASON_IMG_MAGIC:
    case REASON_IMG_NO_TLVS:
    case REASON_IMG_UNSIGNED:
        return "slipway sign, with the binary that the build made";
    case REASON_IMG_TRUNCATED:
    case REASON_IMG_HASH:
    case REASON_IMG_TLV:
        return "copy it again from where it was signed, or sign it again";
    case REASON_IMG_STRANGER:
        return "--key with the key it was signed with, or sign it with this one";
    case REASON_IMG_ALIGN:
        return "sign it with --header-size 0x200, linked for slot 0 + 0x200";
    default:
        return NULL;
    }
}
