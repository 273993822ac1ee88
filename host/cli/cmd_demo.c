/* `slipway demo`: two updates on a board without hardware, told with the commands that do them. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/crc.h"
#include "host/cli/args.h"
#include "host/cli/commands.h"
#include "host/cli/demo_run.h"
#include "host/cli/files.h"
#include "host/lib/layout/draw.h"

enum {
    HEADER = 0x200, /* what `sign --board` makes */
    PAYLOADS = 3,
    PROBES = 3, /* units of slot 1 in which an image may begin */
};

/* What lies in a slot. */
struct slot_view {
    bool present;
    char version[VERSION_TEXT_LEN];
    uint8_t major;
    uint32_t off, size;
    uint32_t crc; /* of its bytes */
};

struct demo {
    struct cli *cli;
    const char *board_name, *keep;
    char board[4096]; /* as the commands get it: a name, or an absolute path */
    char dir[4096];
    char self[4096];
    struct layout layout;
    struct layout_report report;
    struct demo_run run;
    bool simulated; /* else the shipped firmware on the virtual board */
    struct demo_firmware firmware;
    struct slot_view before[2], after[2];
    char slot0[64]; /* version 1 and its address, for the virtual board */
    unsigned act;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* --- telling --- */

static FILE *told(const struct demo *d)
{
    return d->cli->json ? stderr : stdout;
}

static void heading(struct demo *d, const char *text)
{
    d->act++;
    cli_event(d->cli, "step", "{s:i, s:s}", "number", (int)d->act, "title", text);
    fprintf(told(d), "\n%s== %u. %s%s\n", d->cli->color ? "\033[1;36m" : "", d->act, text,
        d->cli->color ? "\033[0m" : "");
}

static void tell(const struct demo *d, const char *text)
{
    fprintf(told(d), "%s\n", text);
}

/* --- doing --- */

/* Runs a command that has to succeed. */
#define DO(d, ...) do_command(d, (const char *const[]) { __VA_ARGS__, NULL })
static int do_command(struct demo *d, const char *const *words)
{
    int rc = demo_command(&d->run, words);

    if (interrupted)
        return EXIT_INTERRUPTED;
    if (rc == EXIT_DONE)
        return EXIT_DONE;
    return cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "slipway %s ended with %d, which the demo did not expect",
        words[0], rc);
}

/* After a reset: the board's own words, or that it answers. */
static int do_wait(struct demo *d)
{
    if (d->simulated ? demo_board_ready(&d->run) : demo_uart_ready(&d->run))
        return EXIT_DONE;
    return interrupted ? EXIT_INTERRUPTED
                       : cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "the board did not come back");
}

static int write_payload(struct demo *d, unsigned n, uint32_t len)
{
    char path[4200];
    uint32_t x = 0x9E3779B9u * (n + 1);
    uint8_t *p = malloc(len);

    snprintf(path, sizeof path, "%s/app-v%u.bin", d->dir, n + 1);
    FILE *out = fopen(path, "wb");
    if (!p || !out)
        return cli_fail(d->cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot write %s", path);
    for (uint32_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
    st_le32(p, 0x20040000); /* stack pointer, then the reset vector: linked for slot 0 */
    st_le32(p + 4, d->layout.slot0.off + HEADER + 0x101);
    snprintf((char *)p + 0x100, 64, "Slipway demo, application version %u", n + 1);
    size_t wrote = fwrite(p, 1, len, out);
    free(p);
    if (fclose(out) != 0 || wrote != len)
        return cli_fail(d->cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot write %s", path);
    return EXIT_DONE;
}

/* The firmware's application: the same code under another version, and a little longer each time. */
static int copy_payload(struct demo *d, unsigned n)
{
    char path[4200], why[IMAGEFILE_WHY_LEN];
    static const char text[] = "Slipway demo ";
    struct imagefile f;

    if (imagefile_read(d->firmware.app, &f, why) != OK)
        return cli_fail(d->cli, EXIT_FILE, "file", NULL, NULL, "cannot read %s: %s", d->firmware.app, why);
    snprintf(path, sizeof path, "%s/app-v%u.bin", d->dir, n + 1);
    FILE *out = fopen(path, "wb");
    bool good = out && fwrite(f.data.p, 1, f.data.len, out) == f.data.len;
    for (unsigned i = 0; good && i < 64 * n; i++)
        good = fwrite(text, 1, sizeof text - 1, out) == sizeof text - 1;
    good = out && fclose(out) == 0 && good;
    imagefile_free(&f);
    return good ? EXIT_DONE : cli_fail(d->cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot write %s", path);
}

static int copy_key(struct demo *d)
{
    char path[4200], buf[4096];
    FILE *in = fopen(d->firmware.key, "rb");

    snprintf(path, sizeof path, "%s/key.pem", d->dir);
    FILE *out = in ? fopen(path, "wbx") : NULL;
    size_t n = out ? fread(buf, 1, sizeof buf, in) : 0;
    bool good = n > 0 && fwrite(buf, 1, n, out) == n;
    good = out && fclose(out) == 0 && good;
    if (in)
        fclose(in);
    return good ? EXIT_DONE : cli_fail(d->cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot copy %s", d->firmware.key);
}

/* --- slots, read from the chips' files --- */

static void look_at(struct slot_view *v, struct ram_flash *chip, const struct layout_part *slot,
    uint32_t off)
{
    struct flash_area area = { .dev = &chip->dev, .off = slot->off, .size = slot->size };
    struct image img;
    struct finding why;

    if (image_open(&img, &area, off, slot->size - off, &why) != OK)
        return;
    *v = (struct slot_view) { .present = true, .major = img.version.major, .off = off, .size = img.end,
        .crc = crc32(0, chip->bytes.p + slot->off + off, img.end) };
    version_text(&img.version, v->version);
}

static void look(const struct demo *d, struct slot_view view[2])
{
    for (unsigned slot = 0; slot < 2; slot++) {
        struct imagefile f;
        char path[4200], why[IMAGEFILE_WHY_LEN];
        snprintf(path, sizeof path, "%s/board/%s.bin", d->dir, slot ? "external" : "internal");
        view[slot] = (struct slot_view) { .present = false };
        if (imagefile_read(path, &f, why) != OK)
            continue;
        struct ram_flash chip;
        ram_flash_init(&chip, span_of(f.data.p, f.data.len));
        for (unsigned unit = 0; unit < (slot ? PROBES : 1u) && !view[slot].present; unit++)
            look_at(&view[slot], &chip, slot ? &d->layout.slot1 : &d->layout.slot0, unit * d->layout.unit);
        imagefile_free(&f);
    }
}

/* The story goes on only as it is told. */
static int expect(const struct demo *d, const struct slot_view *slot0, uint8_t major)
{
    if (slot0->present && slot0->major == major)
        return EXIT_DONE;
    return cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "slot 0 holds %s, not version %u.0.0",
        slot0->present ? slot0->version : "no image", major);
}

static void draw_slot(const struct demo *d, unsigned slot, const struct slot_view *v)
{
    FILE *out = told(d);
    struct draw_style style = draw_style_for(out, d->cli->color);
    uint32_t size = slot ? d->layout.slot1.size : d->layout.slot0.size, unit = d->layout.unit;
    struct draw_part part[2];
    unsigned n = 0;

    fprintf(out, "slot %u, %s flash, %u KiB: ", slot, slot ? "external" : "internal", (unsigned)size / 1024);
    if (v->present) {
        fprintf(out, "version %s, %u bytes", v->version, (unsigned)v->size);
        if (v->off)
            fprintf(out, ", %u units into the slot", (unsigned)(v->off / unit));
        part[n] = (struct draw_part) { .key = "", .off = v->off, .size = v->size, .color = 31 + v->major % 6 };
        snprintf(part[n].name, sizeof part[n].name, "%s", v->version);
        snprintf(part[n].detail, sizeof part[n].detail, "%u KiB", (unsigned)v->size / 1024);
        n++;
    } else {
        fprintf(out, "no image");
    }
    fputc('\n', out);
    part[n++] = (struct draw_part) { .name = "trailer", .key = "T", .off = size - unit, .size = unit };
    draw_chip(out, &style, size, part, n);
}

static void draw_both(const struct demo *d, const char *title, const struct slot_view view[2])
{
    fprintf(told(d), "\n%s%s%s\n", d->cli->color ? "\033[1m" : "", title, d->cli->color ? "\033[0m" : "");
    for (unsigned slot = 0; slot < 2; slot++)
        draw_slot(d, slot, &view[slot]);
    fflush(told(d));
}

/* --- the story --- */

static int sign(struct demo *d, unsigned n)
{
    char version[8], in[24], out[32];

    snprintf(version, sizeof version, "%u.0.0", n + 1);
    snprintf(in, sizeof in, "app-v%u.bin", n + 1);
    snprintf(out, sizeof out, "app-v%u.signed.bin", n + 1);
    return DO(d, "sign", "--key", "key.pem", "--version", version, "--board", d->board, "--pad-header", in, out);
}

static int act_images(struct demo *d)
{
    uint32_t most = layout_room_best(&d->layout).max_image;
    uint32_t len[PAYLOADS] = { most / 2, most / 8 * 5, most / 16 * 9 };
    int rc = EXIT_DONE;

    heading(d, "A key, and three versions of an application");
    tell(d, "Every image is signed; the bootloader starts none that is not. (imgtool's images do as well.)");
    if (!d->simulated)
        tell(d, "The application is the firmware's, under three versions; key.pem is the key its build made.");
    for (unsigned n = 0; rc == EXIT_DONE && n < PAYLOADS; n++)
        rc = d->simulated ? write_payload(d, n, len[n] & ~3u) : copy_payload(d, n);
    if (rc == EXIT_DONE)
        rc = d->simulated ? DO(d, "keygen", "key.pem") : copy_key(d);
    for (unsigned n = 0; rc == EXIT_DONE && n < PAYLOADS; n++)
        rc = sign(d, n);
    return rc == EXIT_DONE ? DO(d, "inspect", "app-v2.signed.bin") : rc;
}

/* The virtual board: with both files as from the factory, or with what its chips have kept. */
static int virtual_start(struct demo *d, bool factory)
{
    const char *const first[] = { "board", "run", "--board", d->board, "--uart0", "pty:uart0", "--internal", "board/internal.bin",
        "--external", "board/external.bin", "--hex", d->firmware.boot, "--bin", d->slot0, NULL };
    const char *const again[] = { "board", "run", "--board", d->board, "--uart0", "pty:uart0", "--internal", "board/internal.bin",
        "--external", "board/external.bin", NULL };
    char dir[4200];

    snprintf(dir, sizeof dir, "%s/board", d->dir);
    mkdir(dir, 0777);
    snprintf(d->slot0, sizeof d->slot0, "app-v1.signed.bin@%#x", (unsigned)d->layout.slot0.off);
    if (demo_uart_start(&d->run, factory ? first : again, "uart0"))
        return EXIT_DONE;
    return interrupted ? EXIT_INTERRUPTED
                       : cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "the board does not start, or does not answer");
}

/* What lies in both slots. The chips' files are those of a board that is off: it is switched off and on again. */
static int view(struct demo *d, struct slot_view slots[2])
{
    if (!d->simulated)
        demo_board_stop(&d->run);
    look(d, slots);
    return d->simulated ? EXIT_DONE : virtual_start(d, false);
}

static int start_board(struct demo *d)
{
    const char *const sim[] = { "sim", "--board", d->board, "--state", "board", "--key", "key.pem", "--image",
        "app-v1.signed.bin", "--udp", "0", NULL };

    if (d->simulated) {
        tell(d, "\nA board without hardware: the real boot core over models of both chips, in virtual time.\n"
                "Version 1 is in slot 0.");
        if (!demo_board_start(&d->run, sim))
            return cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "the board does not start");
        return EXIT_DONE;
    }
    tell(d, "\nA board without hardware: an nRF52840 and its flash chip in virtual time, with the bootloader's hex\n"
            "file as it would be flashed, and version 1 in slot 0. Its UART has 115200 baud, as the real one.");
    return virtual_start(d, true);
}

static int act_board(struct demo *d)
{
    heading(d, "The board: slot 0 in the nRF52840, slot 1 in external flash");
    int rc = DO(d, "layout", d->board);
    if (rc == EXIT_DONE)
        rc = start_board(d);
    if (rc != EXIT_DONE)
        return rc;
    fprintf(told(d), "The commands below find it by SLIPWAY_DEVICE=%s\n", d->run.device);
    rc = DO(d, "info");
    if (rc == EXIT_DONE)
        rc = DO(d, "list");
    return rc == EXIT_DONE ? view(d, d->before) : rc;
}

static int act_update(struct demo *d)
{
    heading(d, "An update: upload, test, reset, confirm");
    tell(d, "Nothing is acknowledged that is not in flash and read back; after the last byte the device has\n"
            "verified hash and signature.");
    int rc = DO(d, "upload", "app-v2.signed.bin");
    if (rc == EXIT_DONE)
        rc = DO(d, "test");
    if (rc == EXIT_DONE)
        rc = DO(d, "list");
    if (rc == EXIT_DONE)
        rc = DO(d, "reset");
    if (rc == EXIT_DONE) {
        tell(d, "The bootloader lets both images slide past each other; the times are those of the chips.");
        rc = do_wait(d);
    }
    if (rc == EXIT_DONE)
        rc = DO(d, "list");
    if (rc == EXIT_DONE) {
        tell(d, "Version 2 is on trial. It works, so it may stay:");
        rc = DO(d, "confirm");
    }
    return rc == EXIT_DONE ? DO(d, "list") : rc;
}

static int act_result(struct demo *d)
{
    heading(d, "What became of it");
    tell(d, "The bootloader's report of that start, in words:");
    int rc = DO(d, "report");
    if (rc == EXIT_DONE)
        rc = view(d, d->after);
    if (rc == EXIT_DONE)
        rc = expect(d, &d->after[0], 2);
    if (rc != EXIT_DONE)
        return rc;
    draw_both(d, "Before", d->before);
    draw_both(d, "After: the old image stays in slot 1 until the next upload", d->after);
    return EXIT_DONE;
}

/* On the simulated board by a reset, on the virtual one by its power switch. */
static int start_unconfirmed(struct demo *d, struct slot_view trial[2])
{
    tell(d, "Version 3 runs, on trial. It hangs, say, or somebody pulls the plug: it starts again unconfirmed.");
    if (!d->simulated)
        return view(d, trial);
    look(d, trial);
    int rc = DO(d, "reset");
    return rc == EXIT_DONE ? do_wait(d) : rc;
}

/* Upload, test, reset; then a further start that finds the image unconfirmed. */
static int try_and_revert(struct demo *d, struct slot_view trial[2], struct slot_view back[2])
{
    int rc = DO(d, "upload", "app-v3.signed.bin");

    if (rc == EXIT_DONE)
        rc = DO(d, "test");
    if (rc == EXIT_DONE)
        rc = DO(d, "reset");
    if (rc == EXIT_DONE)
        rc = do_wait(d);
    if (rc == EXIT_DONE)
        rc = start_unconfirmed(d, trial);
    if (rc == EXIT_DONE)
        rc = expect(d, &trial[0], 3);
    if (rc == EXIT_DONE)
        rc = DO(d, "report");
    if (rc == EXIT_DONE)
        rc = view(d, back);
    return rc == EXIT_DONE ? expect(d, &back[0], 2) : rc;
}

static int act_revert(struct demo *d)
{
    struct slot_view trial[2], back[2];

    heading(d, "A second update whose image never confirms itself");
    tell(d, "(slipway update FILE does all these steps by itself, and confirms at the end.)");
    int rc = try_and_revert(d, trial, back);
    if (rc == EXIT_DONE && back[0].crc != d->after[0].crc)
        rc = cli_fail(d->cli, EXIT_FAILED, "demo", NULL, NULL, "slot 0 differs from what it was before the trial");
    if (rc != EXIT_DONE)
        return rc;
    draw_both(d, "On trial", trial);
    draw_both(d, "Reverted: version 2 is back, every byte of it", back);
    tell(d, "");
    return DO(d, "list");
}

static int tell_story(struct demo *d)
{
    static int (*const acts[])(struct demo *) = { act_images, act_board, act_update, act_result, act_revert };
    int rc = EXIT_DONE;

    for (size_t i = 0; rc == EXIT_DONE && i < sizeof acts / sizeof acts[0]; i++)
        rc = acts[i](d);
    return rc;
}

/* --- around it --- */

static int parse(struct demo *d, int argc, char **argv)
{
    struct args a = args_of(d->cli, &cmd_demo, argc, argv);
    const char *v;

    d->board_name = "at25xe321d_nrf52840";
    while (args_next(&a)) {
        if ((v = args_value(&a, "--board", NULL)))
            d->board_name = v;
        else if ((v = args_value(&a, "--keep", NULL)))
            d->keep = v;
        else if (args_flag(&a, "--sim", NULL))
            d->simulated = true;
        else
            args_unknown(&a);
    }
    if (a.wrong)
        return EXIT_USAGE;
    /* Commands run in another folder: a path has to be found from there. */
    char *full = access(d->board_name, F_OK) == 0 ? realpath(d->board_name, NULL) : NULL;
    snprintf(d->board, sizeof d->board, "%s", full ? full : d->board_name);
    free(full);
    return files_board(d->cli, d->board, &d->layout, &d->report);
}

static int make_dir(struct demo *d)
{
    const char *temp = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", d->self, sizeof d->self - 1);

    if (n <= 0)
        return cli_fail(d->cli, EXIT_FAILED, "demo", strerror(errno), NULL, "cannot find this program's own file");
    if (d->keep)
        snprintf(d->dir, sizeof d->dir, "%s", d->keep);
    else
        snprintf(d->dir, sizeof d->dir, "%s/slipway-demo-XXXXXX", temp && *temp ? temp : "/tmp");
    if (d->keep ? mkdir(d->dir, 0777) != 0 : mkdtemp(d->dir) == NULL)
        return cli_fail(d->cli, EXIT_FILE, "file", strerror(errno), NULL, "cannot make the folder %s", d->dir);
    return EXIT_DONE;
}

/* The firmware is there once `make` has built it; a board of one's own may have none. */
static void choose_machine(struct demo *d)
{
    if (d->simulated)
        return;
    d->simulated = !demo_firmware_find(&d->firmware, d->self, d->layout.board);
    if (d->simulated)
        cli_note(d->cli, "no firmware is built for %s: the demo runs on the simulated board", d->layout.board);
}

static void remove_dir(const struct demo *d)
{
    static const char *const names[] = { "key.pem", "uart0", "board/internal.bin", "board/external.bin", "board" };
    char path[4200];

    for (unsigned n = 1; n <= PAYLOADS; n++) {
        snprintf(path, sizeof path, "%s/app-v%u.bin", d->dir, n);
        unlink(path);
        snprintf(path, sizeof path, "%s/app-v%u.signed.bin", d->dir, n);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", d->dir, names[i]);
        remove(path);
    }
    rmdir(d->dir);
}

static int run_demo(struct demo *d)
{
    struct sigaction on_interrupt = { .sa_handler = interrupt };

    sigaction(SIGINT, &on_interrupt, NULL);
    sigaction(SIGTERM, &on_interrupt, NULL);
    d->run = (struct demo_run) { .cli = d->cli, .self = d->self, .dir = d->dir };
    choose_machine(d);
    int rc = tell_story(d);
    demo_board_stop(&d->run);
    if (d->keep)
        fprintf(told(d), "\nKey, images and the chips' contents are in %s.\n", d->dir);
    else
        remove_dir(d);
    if (rc != EXIT_DONE)
        return rc;
    tell(d, d->simulated ? "\nTry it yourself: slipway help sim, then slipway help update."
                         : "\nTry it yourself: slipway help board, then slipway help update.");
    cli_event(d->cli, "result", "{s:b, s:s}", "ok", 1, "machine", d->simulated ? "sim" : "board");
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct demo *d = calloc(1, sizeof *d);

    if (!d)
        return EXIT_FAILED;
    d->cli = cli;
    int rc = parse(d, argc, argv);
    if (rc == EXIT_DONE)
        rc = make_dir(d);
    if (rc == EXIT_DONE)
        rc = run_demo(d);
    free(d);
    return rc;
}

const struct cli_command cmd_demo = {
    .name = "demo",
    .summary = "the whole story on a board without hardware: sign, upload, swap, confirm, revert",
    .help = "  slipway demo\n"
            "  slipway demo --board my.dts --keep demo\n"
            "\n"
            "Makes a key and three versions of an application, starts a board without hardware, updates it\n"
            "once with an image that is confirmed and once with one that is not, and shows every command\n"
            "that does so, what the board says, and both slots before and after.\n"
            "\n"
            "  --board BOARD   folder below boards/, or a devicetree file (default at25xe321d_nrf52840)\n"
            "  --sim           on the simulated board, in a second or two; without it the firmware that `make`\n"
            "                  built runs on the virtual board, which takes most of a minute\n"
            "  --keep DIR      do it in DIR, which must not be there yet, and leave it\n",
    .device = false,
    .run = run,
};
