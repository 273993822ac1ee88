/* Build outputs: images, packages, merged hex files. */
#include <stdio.h>
#include <string.h>

#include "host/doctor/project_priv.h"
#include "host/doctor/rule.h"

typedef unsigned long long ull;

/* What somebody would upload: signed files, and members of a package. */
static bool is_candidate(const struct artifact *a)
{
    const char *name = a->file->base;

    if (strstr(a->rel, "deployed"))
        return false;
    return a->in_zip || text_ends(name, ".signed.bin") || text_ends(name, ".signed.hex") || strcmp(name, "app_update.bin") == 0
        || strcmp(name, "app_signed.hex") == 0 || (a->is_image && !strstr(a->rel, "mcuboot/zephyr/"));
}

static void each_candidate(struct check *c, void (*fn)(struct check *, const struct artifact *))
{
    for (const struct artifact *a = NULL; (a = each_artifact(c->v, a));) {
        if (is_candidate(a))
            fn(c, a);
    }
    for (const struct package *z = c->v->p->packages; z; z = z->next) {
        for (const struct artifact *a = z->images; a; a = a->next) {
            if (z->files && package_of_view(c->v, z) && is_candidate(a))
                fn(c, a);
        }
    }
}

static void no_magic(struct check *c, const struct artifact *a)
{
    if (a->plain)
        check_report(c, in_file(a->rel), "app", "%s does not begin with MCUboot's magic (3d b8 f3 96): it is no signed image", a->rel);
}

static void art01(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *key = conf_item(&v->app.built, "MCUBOOT_SIGNATURE_KEY_FILE");
    bool any = false;

    each_candidate(c, no_magic);
    for (const struct artifact *a = NULL; (a = each_artifact(v, a));) {
        any |= a->is_image;
        bool loose = !project_in_build(v->p, a->rel) && a->plain && a->has_vectors && uses_mcuboot(v)
            && (strcmp(a->file->base, "zephyr.bin") == 0 || strstr(a->file->base, "update"));
        if (!loose || is_candidate(a))
            continue;
        struct finding *f = check_report(c, in_file(a->rel), "app",
            "%s does not begin with MCUboot's magic (3d b8 f3 96): if this is what is uploaded, it is refused", a->rel);
        f->severity = SEV_WARNING;
    }
    if (any || v->flow != FLOW_NONE || !key || *key->value || !conf_is(&v->app.built, "BOOTLOADER_MCUBOOT", "y")
        || conf_is(&v->app.built, "MCUBOOT_GENERATE_UNSIGNED_IMAGE", "y") || sb_on(v, "BOOT_SIGNATURE_TYPE_NONE"))
        return;
    check_report(c, key->at, "app", "this build makes no signed image; whatever zephyr.bin or old zephyr.signed.bin is uploaded is refused");
}

static void bad_hash(struct check *c, const struct artifact *a)
{
    if (!a->is_image)
        return;
    if (a->broken)
        check_report(c, in_file(a->rel), "app", "%s: %s", a->rel, a->broken);
    else if (!a->has_hash)
        check_report(c, in_file(a->rel), "app", "%s has no SHA-256 TLV", a->rel);
    else if (!a->hash_ok)
        check_report(c, in_file(a->rel), "app", "the hash in %s is not that of its contents", a->rel);
}

static void art02(struct check *c)
{
    each_candidate(c, bad_hash);
}

static void check_member(struct check *c, const struct package *z, const struct manifest_file *m, unsigned count)
{
    const struct view *v = c->v;
    const struct map *l = v->has_partitions ? &v->partitions : &v->pm_static;
    const struct partition *pri = map_find(l, "mcuboot_primary"), *app = map_find(l, "app");

    if (!m->present && (text_ends(m->file, ".bin") || text_ends(m->file, ".hex") || !*m->file))
        check_report(c, in_file(z->file->rel), "app", "%s: the manifest names \"%s\", which is not in the package", z->file->rel, m->file);
    else if (m->has_size && m->size != m->real_size && m->present)
        check_report(c, in_file(z->file->rel), "app", "%s: the manifest says %s has %llu bytes, it has %llu", z->file->rel, m->file, (ull)m->size,
            (ull)m->real_size);
    uint64_t images = map_find(l, "mcuboot_secondary_1") || conf_item(&v->sb, "MCUBOOT_UPDATEABLE_IMAGES") ? 4 : 1;
    if (v->pm && m->has_index && m->image_index > 0 && l->first && images == 1 && count == 1)
        check_report(c, in_file(z->file->rel), "app", "%s: %s is for image %d, and this layout has slots for image 0 only", z->file->rel,
            m->file, m->image_index);
    if (count > 1 && !m->has_index)
        check_report(c, in_file(z->file->rel), "app", "%s: several images and no image_index for %s", z->file->rel, m->file);
    bool first = (!m->has_index || m->image_index == 0) && (!*m->type || strcmp(m->type, "application") == 0);
    if (!first || !m->has_load_address || !pri || !pri->has_address)
        return;
    uint64_t pad = 0x200;
    bool fits = m->load_address == pri->address || m->load_address == pri->address + pad || (app && m->load_address == app->address);
    if (!fits)
        check_report(c, in_file(z->file->rel), "app", "%s: load_address 0x%llx of %s is not slot 0 (0x%llx)", z->file->rel, (ull)m->load_address,
            m->file, (ull)pri->address);
}

static void art03(struct check *c)
{
    for (const struct package *z = c->v->p->packages; z; z = z->next) {
        unsigned count = 0, same[4] = { 0 };
        bool dfu = strstr(z->file->base, "dfu_application") != NULL;
        if (!package_of_view(c->v, z))
            continue;
        if (z->broken && (dfu || z->files))
            check_report(c, in_file(z->file->rel), "app", "%s: %s", z->file->rel, z->broken);
        for (const struct manifest_file *m = z->files; m; m = m->next)
            count++;
        for (const struct manifest_file *m = z->files; m; m = m->next) {
            check_member(c, z, m, count);
            if (m->has_index && !m->has_slot && m->image_index >= 0 && m->image_index < 4 && same[m->image_index]++)
                check_report(c, in_file(z->file->rel), "app", "%s: two files for image_index %d", z->file->rel, m->image_index);
        }
    }
}

static void art04(struct check *c)
{
    const struct view *v = c->v;
    unsigned line;

    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (strstr(f->base, "merged") && text_ends(f->base, ".hex")
            && hex_touches(&v->p->files, f, 0x12000000, 0x20000000, &line))
            check_report(c, (struct place) { f->rel, line, 1 }, "", "%s has data in the window of the external flash (0x12000000)", f->rel);
    }
}

static int compare_version(const struct artifact *a, const struct artifact *b)
{
    const unsigned x[] = { a->version.major, a->version.minor, a->version.revision, a->version.build };
    const unsigned y[] = { b->version.major, b->version.minor, b->version.revision, b->version.build };

    for (int i = 0; i < 4; i++) {
        if (x[i] != y[i])
            return x[i] < y[i] ? -1 : 1;
    }
    return 0;
}

static void not_newer(struct check *c, const struct artifact *a)
{
    for (const struct artifact *d = c->v->p->artifacts; d; d = d->next) {
        if (!d->is_image || !strstr(d->rel, "deployed") || !a->is_image || compare_version(a, d) > 0)
            continue;
        check_report(c, in_file(a->rel), "app", "version %u.%u.%u+%u of %s is not newer than %u.%u.%u+%u of %s", a->version.major, a->version.minor,
            a->version.revision, a->version.build, a->rel, d->version.major, d->version.minor, d->version.revision, d->version.build, d->rel);
    }
}

static void art05(struct check *c)
{
    each_candidate(c, not_newer);
}

/* A released file may be for another board or application than the one looked at. */
static void if_meant_for_this(struct check *c, struct finding *f, const struct artifact *a)
{
    if (!artifact_unsure(c->v, a))
        return;
    f->severity = SEV_WARNING;
    f->message = check_say(c, "%s (if it is meant for %s)", f->message, c->v->board ? c->v->board : "this application");
}

static void elsewhere(struct check *c, const struct artifact *a)
{
    struct slot pri = slot_primary(c->v);

    if (!artifact_is_app(a) || !a->has_vectors || !pri.known || pri.external || swap_mode(c->v) == DIRECT_XIP
        || swap_mode(c->v) == RAM_LOAD)
        return;
    uint64_t reset = a->reset_vector & ~1u;
    if (reset < pri.address || reset >= pri.address + pri.size) {
        struct finding *f = check_report(c, in_file(a->rel), "app", "%s starts at 0x%llx, slot 0 is 0x%llx..0x%llx", a->rel,
            (ull)reset, (ull)pri.address, (ull)(pri.address + pri.size));
        if_meant_for_this(c, f, a);
    }
}

static void art06(struct check *c)
{
    each_candidate(c, elsewhere);
}

static void too_large(struct check *c, const struct artifact *a)
{
    const struct view *v = c->v;
    struct slot pri = slot_primary(v), sec = slot_secondary(v);

    if (!artifact_is_app(a) || !pri.known)
        return;
    uint64_t slot = sec.known && sec.size < pri.size ? sec.size : pri.size;
    uint64_t rest = swap_mode(v) == SWAP_MOVE ? 80 + pri.size / 4096 * 12 + 4096 : 0;
    uint64_t room = slot > rest ? slot - rest : 0;
    if (a->signed_size > room)
        if_meant_for_this(c, check_report(c, in_file(a->rel), "app", "%s has %u bytes, %llu fit", a->rel, a->signed_size, (ull)room), a);
}

static void art07(struct check *c)
{
    each_candidate(c, too_large);
}

static void padded(struct check *c, const struct artifact *a)
{
    if (a->is_image && a->has_trailer && !a->blob.is_hex)
        check_report(c, in_file(a->rel), "app", "%s ends in a slot trailer (imgtool --pad or --confirm)", a->rel);
}

static void art08(struct check *c)
{
    each_candidate(c, padded);
}

const struct rule rules_art[] = {
    { "ART01", SEV_ERROR, IN_ANY, false, "build output", "what would be uploaded is no MCUboot image", "Refused: invalid image header magic (22, 23).",
        "Upload app_update.bin or zephyr.signed.bin, and see that it is made.", "MCUboot images begin with 0x96f3b83d.", "zephyr #57963 and #56452", art01 },
    { "ART02", SEV_ERROR, IN_ANY, false, "build output", "the image's hash is missing or wrong", "MCUboot rejects and erases it.", "Sign it again, copy it whole.",
        "The SHA-256 TLV covers header, image and protected TLVs.", "imgtool verify", art02 },
    { "ART03", SEV_ERROR, IN_ANY, false, "build output", "the package and its manifest, or the layout, disagree", "'Hash not Found', or an image in the wrong slot.",
        "Take the package of one pristine build.", "The phone trusts the manifest.", "dfu_application.zip of the nRF Connect SDK", art03 },
    { "ART04", SEV_WARNING, IN_ANY, false, "build output", "merged.hex has data for the external flash", "Plain west flash fails.",
        "Program the external part with its QSPI configuration, or split the file.", "A debugger needs to be told how to write QSPI.", "a public report", art04 },
    { "ART05", SEV_WARNING, IN_ANY, false, "build output", "the new image is not newer", "It is ignored, or refused.", "Raise the version.", "Clients and MCUboot compare versions.",
        "bootutil", art05 },
    { "ART06", SEV_ERROR, IN_ANY, false, "build output", "the image is linked for another place", "'built for offset', or a fault at its first instruction.",
        "Build with the deployed map.", "An image runs where it was linked for.", "bootutil loader.c", art06 },
    { "ART07", SEV_ERROR, IN_ANY, false, "build output", "the image is larger than what can be installed", "No free slot, or never swapped.", "Shrink it.",
        "Trailer and the swap's free unit take room.", "NCSDK-20567", art07 },
    { "ART08", SEV_WARNING, IN_ANY, false, "build output", "the file to upload carries a slot trailer", "It becomes permanent at once, or is too large.",
        "Upload the plain signed file.", "--pad and --confirm are for flashing.", "imgtool", art08 },
    { .id = NULL },
};
