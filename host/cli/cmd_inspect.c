/* `slipway inspect`: what a file holds: a signed image, a slot, a whole chip, an update package. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/commands.h"
#include "host/cli/files.h"
#include "host/cli/show_image.h"
#include "host/lib/imagefile/package.h"

static int run(struct cli *cli, int argc, char **argv);

const struct cli_command cmd_inspect = {
    .name = "inspect",
    .summary = "show what an image, a slot or chip dump, or a package holds",
    .help = "  slipway inspect app.signed.bin\n"
            "  slipway inspect --board at25xe321d_nrf52840 state/external.bin\n\n"
            "usage: slipway inspect [--key KEY.pem]... [--board BOARD] FILE\n\n"
            "FILE is a signed image (.bin or .hex), the raw contents of a slot or of a whole chip, or a\n"
            "dfu_application.zip. In raw contents images are looked for at every 4 KiB, and the flags of\n"
            "every trailer are shown. --board names the slots in the contents of a chip; --key says\n"
            "whether one of the keys signed it. Exit status: 0 something was found, 3 nothing was.\n"
            "To have hash and signature decide, use slipway verify.\n",
    .run = run,
};

struct job {
    struct cli *cli;
    struct file_subject subject;
    struct scan scan;
    struct package package;
};

/* Which chip's contents these are, by their size: 0, 1, or -1. */
static int chip_of(const struct job *j, uint32_t size)
{
    if (!j->subject.board)
        return -1;
    return size == j->subject.layout.internal_size ? 0 : size == j->subject.layout.external_size ? 1 : -1;
}

static const char *place_of(const struct job *j, int chip, uint32_t off)
{
    static const char *const names[] = { "slot 0", "slot 1" };
    const struct layout_part *part = chip == 0 ? &j->subject.layout.slot0 : &j->subject.layout.slot1;

    if (chip < 0 || off < part->off || off - part->off >= part->size)
        return NULL;
    return names[chip];
}

/* The end of the slot on a chip; 0: not known. */
static uint32_t slot_end(const struct job *j, int chip)
{
    const struct layout_part *part = chip == 0 ? &j->subject.layout.slot0 : &j->subject.layout.slot1;

    return chip < 0 ? 0 : part->off + part->size;
}

/*
 * What lies at the end of the file is the trailer of an image that begins with the file; else only if
 * it looks like one, as nobody knows where slots end.
 */
static const struct scan_trailer *last_trailer(const struct job *j, int chip, size_t n)
{
    const struct scan *s = &j->scan;
    bool alone = s->images == 1 && s->image[0].off == 0 && s->trailers == 0;

    if (chip >= 0 || !s->has_last || n + 1 != s->images)
        return NULL;
    return alone || s->last.good ? &s->last : NULL;
}

static void show_json(const struct job *j, const char *event, json_t *members)
{
    cli_event(j->cli, event, "O", members);
    json_decref(members);
}

static void show_image(const struct job *j, const char *name, const struct imagefile *f, size_t n)
{
    const struct scan *s = &j->scan;
    int chip = chip_of(j, s->ram.dev.size);
    const struct shown_image shown = { .found = &s->image[n], .file = name,
        .place = place_of(j, chip, s->image[n].off), .has_address = f->has_base,
        .address = f->base + s->image[n].off,
        .trailer = last_trailer(j, chip, n), .keys = &j->subject.keys };

    if (j->cli->json)
        show_json(j, "image", show_image_json(&shown));
    else
        show_image_text(&shown);
}

static void show_trailer(const struct job *j, const char *name, const struct scan_trailer *t)
{
    int chip = chip_of(j, j->scan.ram.dev.size);
    const char *place = t->end == slot_end(j, chip) ? place_of(j, chip, t->end - 1) : NULL;

    if (!j->cli->json) {
        printf("%s: trailer of %s that ends at 0x%" PRIx32 "\n", name, place ? place : "a slot", t->end);
        show_trailer_text(t, "  ");
        return;
    }
    json_t *o = show_trailer_json(t);
    json_object_set_new(o, "file", json_string(name));
    json_object_set_new(o, "end", json_integer(t->end));
    if (place)
        json_object_set_new(o, "place", json_string(place));
    show_json(j, "trailer", o);
}

static void show_scan(struct job *j, const char *name, const struct imagefile *f)
{
    scan_bytes(&j->scan, span_of(f->data.p, f->data.len), f->base);
    for (size_t i = 0; i < j->scan.images; i++)
        show_image(j, name, f, i);
    uint32_t end = slot_end(j, chip_of(j, j->scan.ram.dev.size));
    struct scan_trailer slot;
    for (size_t i = 0; i < j->scan.trailers; i++) {
        if (j->scan.trailer[i].end != end)
            show_trailer(j, name, &j->scan.trailer[i]);
    }
    if (end && scan_trailer_at(&j->scan, end, &slot) && (j->scan.images || slot.good))
        show_trailer(j, name, &slot);
}

/* A version of the manifest may leave the build number away, or separate it by a dot. */
static bool same_version(const char *text, const struct image_version *v)
{
    char full[VERSION_TEXT_LEN], dotted[VERSION_TEXT_LEN], brief[VERSION_TEXT_LEN];

    version_text(v, full);
    memcpy(dotted, full, sizeof full);
    memcpy(brief, full, sizeof full);
    *strchr(dotted, '+') = '.';
    *strchr(brief, '+') = '\0';
    return strcmp(text, full) == 0 || strcmp(text, dotted) == 0 || (v->build == 0 && strcmp(text, brief) == 0);
}

/* Where manifest and file do not agree: whoever goes by the manifest sends something else. */
static unsigned compare_entry(const struct job *j, const struct package_file *p)
{
    unsigned bad = 0;
    const struct scan_image *first = j->scan.images && j->scan.image[0].off == 0 ? &j->scan.image[0] : NULL;
    char version[VERSION_TEXT_LEN] = "";

    if (!p->listed || !p->present)
        return 0;
    if (p->size >= 0 && (size_t)p->size != p->data.len) {
        cli_note(j->cli, "warning: %s is %zu bytes, the manifest says %lld", p->name, p->data.len, p->size);
        bad++;
    }
    if (first && p->version[0] && !same_version(p->version, &first->img.version)) {
        version_text(&first->img.version, version);
        cli_note(j->cli, "warning: %s is version %s, the manifest says %s", p->name, version, p->version);
        bad++;
    }
    return bad;
}

static void show_entry(const struct job *j, const struct package_file *p)
{
    char index[24] = "-";

    if (p->image_index >= 0)
        snprintf(index, sizeof index, "%ld", p->image_index);
    cli_event(j->cli, "entry", "{s:s, s:b, s:b, s:s, s:s, s:s, s:I, s:I}", "file", p->name, "listed", p->listed,
        "present", p->present, "type", p->type, "board", p->board, "version", p->version, "image_index",
        (json_int_t)p->image_index, "size", (json_int_t)p->size);
    if (j->cli->json)
        return;
    printf("%s: ", p->name);
    if (!p->listed)
        printf("not in the manifest");
    else
        printf("image %s%s%s%s%s%s%s", index, p->type[0] ? ", " : "", p->type, p->version[0] ? ", version " : "",
            p->version, p->board[0] ? ", board " : "", p->board);
    printf("%s\n", p->present ? "" : " (the zip does not hold it)");
}

static int inspect_package(struct job *j, const struct imagefile *f)
{
    struct package *p = &j->package;
    char why[IMAGEFILE_WHY_LEN];
    size_t images = 0;
    unsigned bad = 0;

    if (package_read(span_of(f->data.p, f->data.len), p, why) != OK)
        return cli_fail(j->cli, EXIT_FILE, "package", why, NULL, "cannot read the package %s", j->subject.file);
    if (!p->has_manifest)
        cli_note(j->cli, "warning: %s has no manifest.json: no DFU tool takes it", j->subject.file);
    if (!j->cli->json)
        printf("%s: package%s%s, %zu file%s\n", j->subject.file, p->name[0] ? " of " : "", p->name, p->files,
            p->files == 1 ? "" : "s");
    for (size_t i = 0; i < p->files; i++) {
        const struct imagefile inner = { .data = p->file[i].data };
        show_entry(j, &p->file[i]);
        show_scan(j, p->file[i].name, &inner);
        images += j->scan.images;
        bad += compare_entry(j, &p->file[i]) + (p->file[i].listed && !p->file[i].present);
    }
    package_free(p);
    if (images == 0)
        return cli_fail(j->cli, EXIT_FILE, "no_image", "none of its files begins with MCUboot's magic", NULL,
            "%s holds no image", j->subject.file);
    cli_event(j->cli, "result", "{s:b, s:s, s:I, s:I}", "ok", 1, "file", j->subject.file, "images", (json_int_t)images,
        "mismatches", (json_int_t)bad);
    return EXIT_DONE;
}

static int nothing_found(const struct job *j, const struct imagefile *f)
{
    struct finding why = { .reason = REASON_IMG_MAGIC, .slot = FINDING_NO_SLOT, .expected = IMAGE_MAGIC };
    char text[400];

    if (bytes_all(f->data.p, f->data.len, 0xFF))
        return cli_fail(j->cli, EXIT_FILE, reason_code(REASON_IMG_NONE),
            f->data.len ? "all its bytes are 0xff: erased flash" : "it is empty", NULL, "%s holds no image", j->subject.file);
    why.found = f->data.len >= 4 ? ld_le32(f->data.p) : 0;
    return cli_fail(j->cli, EXIT_FILE, reason_code(REASON_IMG_MAGIC), files_finding(&why, text, sizeof text),
        files_next(&why), "%s holds no image, neither at its start nor at any multiple of 4096", j->subject.file);
}

static int inspect(struct job *j, const struct imagefile *f)
{
    char text[400];

    if (package_is_zip(span_of(f->data.p, f->data.len)))
        return inspect_package(j, f);
    show_scan(j, j->subject.file, f);
    const struct scan_image *only = &j->scan.image[0];
    if (j->scan.images == 0 && j->scan.trailers == 0)
        return nothing_found(j, f);
    if (j->scan.images == 1 && only->off == 0 && only->img.end == 0)
        return cli_fail(j->cli, EXIT_FILE, reason_code(only->why.reason),
            files_finding(&only->why, text, sizeof text), files_next(&only->why), "%s is not a whole image", j->subject.file);
    cli_event(j->cli, "result", "{s:b, s:s, s:I, s:I}", "ok", 1, "file", j->subject.file, "images",
        (json_int_t)j->scan.images, "trailers", (json_int_t)j->scan.trailers);
    return EXIT_DONE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    struct job *j = calloc(1, sizeof *j);
    struct imagefile f;

    if (!j)
        return cli_fail(cli, EXIT_FAILED, "memory", NULL, NULL, "out of memory");
    j->cli = cli;
    int rc = files_arguments(cli, &cmd_inspect, argc, argv, &j->subject);
    if (rc == EXIT_DONE)
        rc = files_read(cli, j->subject.file, &f);
    if (rc == EXIT_DONE) {
        rc = inspect(j, &f);
        imagefile_free(&f);
    }
    free(j);
    return rc;
}
