/* `slipway verify`: hash and signature of an image file, judged by the code that judges on the device. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "host/cli/commands.h"
#include "host/cli/files.h"

static int run(struct cli *cli, int argc, char **argv);

const struct cli_command cmd_verify = {
    .name = "verify",
    .summary = "check hash and signature of an image file",
    .help = "  slipway verify --key my.pub.pem app.signed.bin\n"
            "  slipway verify --key old.pem --key new.pem --board at25xe321d_nrf52840 app.signed.bin\n\n"
            "usage: slipway verify [--key KEY.pem]... [--board BOARD] FILE\n\n"
            "FILE is a signed image, .bin or .hex. A key may be private or public; with several of them\n"
            "the image has to be signed by one, as with a bootloader that knows several. Without --key\n"
            "only the hash is checked. With --board also whether the board's slot 0 could start it.\n"
            "Exit status: 0 verifies, 3 not a whole image, 4 hash or signature does not verify,\n"
            "8 verifies, but cannot run on that board.\n",
    .run = run,
};

struct job {
    struct cli *cli;
    struct file_subject subject;
};

static int refuse(const struct job *j, int rc, const struct finding *why)
{
    char text[400];

    return cli_fail(j->cli, rc, reason_code(why->reason), files_finding(why, text, sizeof text), files_next(why),
        "%s %s%s", j->subject.file, rc == EXIT_VERIFY ? "does not verify" : rc == EXIT_DIFFERS ? "verifies, but cannot run on "
                                                                                    : "is not a whole image",
        rc == EXIT_DIFFERS ? j->subject.board : "");
}

/* Without a key there is still the hash. */
static int check_hash(const struct image *img, uint8_t *buf, uint32_t len, struct finding *why)
{
    uint8_t hash[CRYPTO_SHA256_LEN];

    int rc = image_hash(img, buf, len, hash);
    if (rc != OK || crypto_equal(hash, img->hash, sizeof hash))
        return rc;
    *why = (struct finding) { .reason = REASON_IMG_HASH, .slot = FINDING_NO_SLOT, .found = ld_be32(hash),
        .expected = ld_be32(img->hash) };
    return ERR_VERIFY;
}

static int check(const struct job *j, const struct image *img, struct finding *why)
{
    const struct image_keys keys = { .key = j->subject.keys.key, .count = j->subject.keys.count };
    enum verdict verdict = VERDICT_BAD;
    static uint8_t buf[65536];

    if (keys.count == 0)
        return check_hash(img, buf, sizeof buf, why);
    int rc = image_verify(img, &keys, buf, sizeof buf, &verdict, why);
    return rc == OK && verdict != VERDICT_GOOD ? ERR_VERIFY : rc;
}

static void report(const struct job *j, const struct image *img)
{
    char version[VERSION_TEXT_LEN], hash[2 * CRYPTO_SHA256_LEN + 1];
    uint8_t keyhash[CRYPTO_SHA256_LEN];
    const char *signer = NULL;

    version_text(&img->version, version);
    hex_text(img->hash, sizeof img->hash, hash);
    if (j->subject.keys.count && files_keyhash(img, keyhash))
        signer = files_key_name(&j->subject.keys, keyhash);
    if (!j->cli->json) {
        printf("%s: verifies, version %s, hash %s", j->subject.file, version, hash);
        if (j->subject.keys.count)
            printf(", signed by %s\n", signer ? signer : "one of the keys");
        else
            printf(", signature not checked\n");
    }
    cli_event(j->cli, "result", "{s:b, s:s, s:s, s:s, s:I, s:b, s:s*}", "ok", 1, "file", j->subject.file, "version", version,
        "hash", hash, "size", (json_int_t)img->end, "signature_checked", j->subject.keys.count > 0, "key", signer);
}

/* An image that verifies may still be none that this chip can start. */
static int check_running(const struct job *j, const struct image *img)
{
    struct finding why;
    struct image shown = *img;
    char text[400];

    if (j->subject.board) {
        int rc = image_runnable(img, j->subject.layout.slot0.off, j->subject.layout.slot0.size, j->subject.layout.hash, &why);
        return rc == OK ? EXIT_DONE : refuse(j, EXIT_DIFFERS, &why);
    }
    shown.has_layout = false;
    if (image_runnable(&shown, 0, 0xFFFFFFFF, 0, &why) != OK && why.reason == REASON_IMG_ALIGN)
        cli_note(j->cli, "note: %s", files_finding(&why, text, sizeof text));
    return EXIT_DONE;
}

static int verify(const struct job *j, const struct imagefile *f)
{
    struct ram_flash ram;
    struct image img;
    struct finding why;

    ram_flash_init(&ram, span_of(f->data.p, f->data.len));
    struct flash_area area = ram_flash_area(&ram);
    if (image_open(&img, &area, 0, area.size, &why) != OK)
        return refuse(j, EXIT_FILE, &why);
    if (check(j, &img, &why) != OK)
        return refuse(j, EXIT_VERIFY, &why);
    int rc = check_running(j, &img);
    if (rc != EXIT_DONE)
        return rc;
    if (j->subject.keys.count == 0)
        cli_note(j->cli, "note: only the hash was checked, which anybody can make; --key checks who signed it");
    report(j, &img);
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    static struct job j; /* the report of a layout is too large for the stack */
    struct imagefile f;

    j = (struct job) { .cli = cli };
    int rc = files_arguments(cli, &cmd_verify, argc, argv, &j.subject);
    if (rc == EXIT_DONE)
        rc = files_read(cli, j.subject.file, &f);
    if (rc == EXIT_DONE) {
        rc = verify(&j, &f);
        imagefile_free(&f);
    }
    return rc;
}
