/* `slipway sign`: makes an MCUboot image of a binary and signs it. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/cli/files.h"

enum { BOARD_HEADER = 0x200, BOARD_ALIGN = 4, HEADER_MAX = 0xFFFF };

static int run(struct cli *cli, int argc, char **argv);

const struct cli_command cmd_sign = {
    .name = "sign",
    .summary = "sign an image",
    .help =
        "  slipway sign --key my.pem --version 1.2.3+4 --board at25xe321d_nrf52840 app.bin app.signed.bin\n"
        "  slipway sign --key my.pem --version 1.2.3 --header-size 0x200 --pad-header --slot-size 0xe2000 \\\n"
        "      --align 4 app.bin app.signed.bin\n\n"
        "usage: slipway sign --key KEY.pem --version VERSION\n"
        "           (--board BOARD | --header-size N --slot-size N --align N) [OPTION]... IN OUT\n\n"
        "IN and OUT are raw binaries, or Intel HEX where the name ends in .hex. Options are imgtool's:\n"
        "  --board BOARD             header 0x200, align 4, the size of slot 0, and the board's layout\n"
        "                            hash as protected TLV 0x5aa0, so that no other board takes it\n"
        "  --pad-header              IN begins with its vector table: put the header before it (else IN\n"
        "                            begins with --header-size zeros, as Zephyr builds do)\n"
        "  --pad                     fill up to the slot's size with a trailer (magic) at its end\n"
        "  --confirm                 --pad, and mark the image as confirmed\n"
        "  --dependencies \"(0, 1.2.0), ...\"\n"
        "  --security-counter N      or `auto`, from the version\n"
        "  --custom-tlv TAG VALUE    protected; VALUE 0x... is bytes, else text; may be repeated\n"
        "  --hex-addr ADDR           of the first byte of OUT.hex, if IN has no addresses\n",
    .run = run,
};

struct job {
    const struct cli *cli;
    const char *key, *version, *board, *in, *out;
    const char *header_size, *slot_size, *align, *counter, *hex_addr;
    bool pad;
    uint32_t slot, alignment;
    bool has_hex_addr;
    uint32_t hex_base;
    struct sign_options options;
    struct layout layout;
    struct layout_report report;
};

static int bad_option(const struct job *j, const char *why)
{
    return cli_usage(j->cli, &cmd_sign, "%s", why);
}

/* Options that need others first (the version) are only kept here. */
static int take_option(struct job *j, struct args *a)
{
    char why[IMAGEFILE_WHY_LEN];
    const char *v;

    if ((v = args_value(a, "--key", "-k")))
        j->key = v;
    else if ((v = args_value(a, "--version", NULL)))
        j->version = v;
    else if ((v = args_value(a, "--board", NULL)))
        j->board = v;
    else if ((v = args_value(a, "--header-size", "-H")))
        j->header_size = v;
    else if ((v = args_value(a, "--slot-size", "-S")))
        j->slot_size = v;
    else if ((v = args_value(a, "--align", NULL)))
        j->align = v;
    else if ((v = args_value(a, "--security-counter", "-s")))
        j->counter = v;
    else if ((v = args_value(a, "--hex-addr", "-x")))
        j->hex_addr = v;
    else if ((v = args_value(a, "--dependencies", "-d"))) {
        if (!parse_dependencies(v, &j->options, why))
            return bad_option(j, why);
    } else if ((v = args_value(a, "--custom-tlv", NULL))) {
        const char *value = args_more(a, "--custom-tlv");
        if (value && !parse_custom_tlv(v, value, &j->options, why))
            return bad_option(j, why);
    } else if (args_flag(a, "--pad-header", NULL))
        j->options.pad_header = true;
    else if (args_flag(a, "--pad", NULL))
        j->pad = true;
    else if (args_flag(a, "--confirm", NULL))
        j->pad = j->options.confirm = true;
    else if (args_operand(a) && !j->in)
        j->in = args_operand(a);
    else if (args_operand(a) && !j->out)
        j->out = args_operand(a);
    else
        args_unknown(a);
    return a->wrong ? EXIT_USAGE : EXIT_DONE;
}

static int take_arguments(struct job *j, int argc, char **argv)
{
    struct args a = args_of(j->cli, &cmd_sign, argc, argv);

    while (args_next(&a)) {
        int rc = take_option(j, &a);
        if (rc != EXIT_DONE)
            return rc;
    }
    if (!j->key)
        return bad_option(j, "sign needs --key KEY.pem");
    if (!j->version)
        return bad_option(j, "sign needs --version, like 1.2.3+4");
    if (!j->in || !j->out)
        return bad_option(j, "sign needs the file to sign and the file to write");
    if (!j->board && (!j->header_size || !j->slot_size))
        return bad_option(j, "sign needs --board BOARD, or --header-size, --slot-size and --align");
    if (j->board && j->slot_size)
        return bad_option(j, "--board says the size of the slot: leave --slot-size away");
    return EXIT_DONE;
}

static int take_numbers(struct job *j)
{
    struct sign_options *o = &j->options;
    char why[IMAGEFILE_WHY_LEN];

    o->header_size = BOARD_HEADER;
    j->alignment = BOARD_ALIGN;
    if (!parse_version(j->version, &o->version, why))
        return bad_option(j, why);
    if (j->counter && !parse_counter(j->counter, o, why))
        return bad_option(j, why);
    if (j->header_size && (!parse_number(j->header_size, HEADER_MAX, &o->header_size)
                              || o->header_size < IMAGE_HEADER_LEN))
        return bad_option(j, "--header-size is 32 to 65535");
    if (j->slot_size && (!parse_number(j->slot_size, IMAGEFILE_MAX, &j->slot) || j->slot == 0))
        return bad_option(j, "--slot-size is a number of bytes up to 0x4000000");
    if (j->align && (!parse_number(j->align, 8, &j->alignment) || j->alignment == 0
                        || (j->alignment & (j->alignment - 1)) != 0))
        return bad_option(j, "--align is 1, 2, 4 or 8; larger ones do not exist on this chip");
    j->has_hex_addr = j->hex_addr != NULL;
    if (j->hex_addr && !parse_number(j->hex_addr, 0xFFFFFFFF, &j->hex_base))
        return bad_option(j, "--hex-addr is an address");
    return EXIT_DONE;
}

static int take_board(struct job *j)
{
    char why[IMAGEFILE_WHY_LEN];
    uint8_t hash[4];

    int rc = files_board(j->cli, j->board, &j->layout, &j->report);
    if (rc != EXIT_DONE)
        return rc;
    j->slot = j->layout.slot0.size;
    st_le32(hash, j->layout.hash);
    if (!sign_add_tlv(&j->options, IMAGE_TLV_LAYOUT, hash, sizeof hash, why))
        return bad_option(j, "--board sets TLV 0x5aa0: leave it out of --custom-tlv");
    return EXIT_DONE;
}

static int too_large(const struct job *j, const char *code, const char *why, const char *next)
{
    return cli_fail(j->cli, EXIT_FILE, code, why, next, "%s is too large%s%s", j->in, j->board ? " for " : "",
        j->board ? j->board : "");
}

/* `len` is the image without trailer. */
static int check_size(const struct job *j, uint32_t len)
{
    char why[400], next[LAYOUT_PATH_MAX + 64];

    if (!j->board) {
        uint32_t trailer = sign_trailer_size(j->alignment);
        if (len <= j->slot && trailer <= j->slot - len)
            return EXIT_DONE;
        snprintf(why, sizeof why,
            "the image is %" PRIu32 " bytes, the trailer %" PRIu32 ", together %" PRIu32
            ", and the slot has %" PRIu32 "\nnothing was written", len, trailer, len + trailer, j->slot);
        return too_large(j, reason_code(REASON_IMG_TOO_LARGE_SLOT), why, NULL);
    }
    struct layout_room room = layout_room_best(&j->layout);
    if (len <= room.max_image)
        return EXIT_DONE;
    bool slot = len > j->layout.slot0.size;
    snprintf(why, sizeof why,
        "the image is %" PRIu32 " bytes with header and TLVs; slot 0 has %" PRIu32
        ", and images up to %" PRIu32 " bytes can be swapped: %" PRIu32 " too many\nnothing was written",
        len, j->layout.slot0.size, room.max_image, len - room.max_image);
    snprintf(next, sizeof next, "make it smaller, or the slots larger: slipway layout %s", j->board);
    return too_large(j, reason_code(slot ? REASON_IMG_TOO_LARGE_SLOT : REASON_IMG_TOO_LARGE_SWAP), why, next);
}

/* What will verify but not run on the board. The image is signed all the same. */
static void warn_about_running(const struct job *j, const struct blob *out)
{
    struct ram_flash ram;
    struct image img;
    struct finding why;
    char text[400];

    ram_flash_init(&ram, span_of(out->p, out->len));
    struct flash_area area = ram_flash_area(&ram);
    if (image_open(&img, &area, 0, area.size, &why) != OK)
        return;
    uint32_t run_addr = j->board ? j->layout.slot0.off : 0;
    uint32_t run_size = j->board ? j->layout.slot0.size : 0xFFFFFFFF;
    img.has_layout = false; /* the vectors are looked at, too */
    if (image_runnable(&img, run_addr, run_size, 0, &why) != OK)
        cli_note(j->cli, "warning: %s: %s", j->out, files_finding(&why, text, sizeof text));
}

/* Where OUT.hex begins. */
static int place(const struct job *j, const struct imagefile *in, struct imagefile *out)
{
    uint32_t before = j->options.pad_header ? j->options.header_size : 0;

    out->base = in->base - before;
    out->has_base = in->has_base && in->base >= before;
    if (j->board && out->has_base && out->base != j->layout.slot0.off)
        cli_note(j->cli, "warning: the image of %s begins at 0x%08" PRIx32 ", slot 0 of %s at 0x%08" PRIx32,
            j->in, out->base, j->board, j->layout.slot0.off);
    if (!out->has_base && j->board) {
        out->base = j->layout.slot0.off;
        out->has_base = true;
    }
    if (j->has_hex_addr) {
        out->base = j->hex_base;
        out->has_base = true;
    }
    if (imagefile_names_hex(j->out) && !out->has_base)
        return bad_option(j, "OUT is Intel HEX and nobody says its address: --hex-addr ADDR, or --board");
    return EXIT_DONE;
}

static void report(const struct job *j, const struct key *key, const struct imagefile *out, uint32_t end)
{
    struct ram_flash ram;
    struct image img;
    struct finding why;
    uint8_t keyhash[CRYPTO_SHA256_LEN];
    char version[VERSION_TEXT_LEN], hash_hex[2 * CRYPTO_SHA256_LEN + 1], key_hex[2 * CRYPTO_SHA256_LEN + 1];

    ram_flash_init(&ram, span_of(out->data.p, out->data.len));
    struct flash_area area = ram_flash_area(&ram);
    if (image_open(&img, &area, 0, area.size, &why) != OK)
        return;
    version_text(&img.version, version);
    hex_text(img.hash, sizeof img.hash, hash_hex);
    key_hash(key, keyhash);
    hex_text(keyhash, sizeof keyhash, key_hex);
    if (!j->cli->json) {
        printf("%s: version %s, %" PRIu32 " bytes", j->out, version, end);
        if (out->data.len > end)
            printf(", padded to %zu", out->data.len);
        printf(", hash %s, signed by %s\n", hash_hex, j->key);
    }
    cli_event(j->cli, "result", "{s:b, s:s, s:s, s:I, s:I, s:s, s:s}", "ok", 1, "file", j->out, "version",
        version, "size", (json_int_t)end, "file_size", (json_int_t)out->data.len, "hash", hash_hex, "keyhash",
        key_hex);
}

static int sign_failed(const struct job *j, int rc, const char *why)
{
    if (rc == ERR_FORMAT && !j->options.pad_header)
        return cli_fail(j->cli, EXIT_FILE, "no_header_room", why,
            "--pad-header, if the image is linked for the address behind the header", "cannot sign %s", j->in);
    if (rc == ERR_BADSTATE)
        return cli_fail(j->cli, EXIT_FILE, "key_file", why, "the private key: slipway keygen makes one",
            "cannot sign with %s", j->key);
    return cli_fail(j->cli, EXIT_FILE, "image", why, NULL, "cannot sign %s", j->in);
}

static int sign(struct job *j, const struct key *key, const struct imagefile *in, struct imagefile *out)
{
    char why[IMAGEFILE_WHY_LEN];
    struct span bytes = span_of(in->data.p, in->data.len);
    uint32_t end;

    int rc = place(j, in, out);
    if (rc != EXIT_DONE)
        return rc;
    int err = imagefile_sign(&j->options, key, bytes, &out->data, &end, why);
    if (err != OK)
        return sign_failed(j, err, why);
    rc = check_size(j, end);
    if (rc != EXIT_DONE)
        return rc;
    if (j->pad && (err = sign_put_trailer(&j->options, j->slot, &out->data, why)) != OK)
        return sign_failed(j, err, why);
    warn_about_running(j, &out->data);
    if (imagefile_write(j->out, out, why) != OK)
        return cli_fail(j->cli, EXIT_FILE, "file", why, NULL, "cannot write %s", j->out);
    report(j, key, out, end);
    return EXIT_DONE;
}

static int work(struct job *j)
{
    struct imagefile in, out = { 0 };
    char why[KEY_WHY_LEN];

    struct key *key = key_read(j->key, why);
    if (!key)
        return cli_fail(j->cli, EXIT_FILE, "key_file", why, NULL, "cannot read the key %s", j->key);
    int rc = files_read(j->cli, j->in, &in);
    if (rc == EXIT_DONE) {
        rc = sign(j, key, &in, &out);
        imagefile_free(&in);
    }
    imagefile_free(&out);
    key_free(key);
    return rc;
}

static int run(struct cli *cli, int argc, char **argv)
{
    static struct job j; /* the report of a layout is too large for the stack */

    j = (struct job) { .cli = cli };
    int rc = take_arguments(&j, argc, argv);
    if (rc == EXIT_DONE)
        rc = take_numbers(&j);
    if (rc == EXIT_DONE && j.board)
        rc = take_board(&j);
    if (rc == EXIT_DONE)
        rc = work(&j);
    sign_options_free(&j.options);
    return rc;
}
