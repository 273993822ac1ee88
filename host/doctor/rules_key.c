/* Keys and signatures. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/doctor/rule.h"

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* "enc" as a word of the name: enc-key.pem, my-enc-ec256.pem, key_encrypt.pem. */
static bool is_encryption_name(const char *path)
{
    const char *name = file_name(path);

    for (const char *at = name; (at = strstr(at, "enc")); at++) {
        bool start = at == name || !isalnum((unsigned char)at[-1]);
        if (start && (!isalnum((unsigned char)at[3]) || strncmp(at, "encrypt", 7) == 0 || isdigit((unsigned char)at[3])))
            return true;
    }
    return false;
}

/* All options that name a signing key, in the order they would win. */
static const struct conf_item *signing_item(const struct view *v, int i)
{
    switch (i) {
    case 0: return conf_item(&v->sb, "BOOT_SIGNATURE_KEY_FILE");
    case 1: return conf_item(&v->boot.src, "BOOT_SIGNATURE_KEY_FILE");
    case 2: return conf_item(&v->app.src, "MCUBOOT_SIGNATURE_KEY_FILE");
    case 3: return conf_item(&v->boot.built, "BOOT_SIGNATURE_KEY_FILE");
    default: return NULL;
    }
}

static void key01(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *enc = conf_item(&v->boot.src, "BOOT_ENCRYPTION_KEY_FILE");

    if (!enc)
        enc = conf_item(&v->sb, "BOOT_ENCRYPTION_KEY_FILE");
    for (int i = 0; i < 4; i++) {
        const struct conf_item *item = signing_item(v, i);
        if (!item || !*item->value)
            continue;
        if (enc && strcmp(file_name(enc->value), file_name(item->value)) == 0)
            check_report(c, item->at, "mcuboot", "%s is both the signing and the encryption key", item->value);
        else if (is_encryption_name(item->value))
            check_report(c, item->at, "mcuboot", "%s is called an encryption key and is used for signing", item->value);
        else
            continue;
        return;
    }
}

static void key02(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *items[] = { conf_item(&v->boot.src, "BOOT_SIGNATURE_KEY_FILE"),
        conf_item(&v->app.src, "MCUBOOT_SIGNATURE_KEY_FILE"), conf_item(&v->boot.src, "BOOT_SIGNATURE_TYPE_RSA"),
        conf_item(&v->boot.src, "BOOT_SIGNATURE_TYPE_ECDSA_P256"), conf_item(&v->boot.src, "BOOT_SIGNATURE_TYPE_ED25519") };

    if (!v->sysbuild)
        return;
    for (int i = 0; i < 5; i++) {
        if (!items[i] || strcmp(items[i]->value, "n") == 0)
            continue;
        if (i >= 2 && (sb_on(v, items[i]->name) || (i == 3 && v->soc && v->soc->cc310)))
            continue; /* sysbuild writes the same */
        if (i < 2 && conf_item(&v->sb, "BOOT_SIGNATURE_KEY_FILE")
            && strcmp(file_name(conf_value(&v->sb, "BOOT_SIGNATURE_KEY_FILE")), file_name(items[i]->value)) == 0)
            continue;
        struct finding *f = check_report(c, items[i]->at, i == 1 ? "app" : "mcuboot",
            "CONFIG_%s is overwritten by sysbuild%s", items[i]->name, i < 2 ? " with its own key file, MCUboot's published one unless SB_CONFIG_BOOT_SIGNATURE_KEY_FILE says otherwise" : "");
        f->fix = i < 2 ? check_say(c, "SB_CONFIG_BOOT_SIGNATURE_KEY_FILE=\"...%s\" in sysbuild.conf, then build pristine", file_name(items[i]->value))
                       : check_say(c, "SB_CONFIG_%s=y in sysbuild.conf", items[i]->name);
    }
}

static bool no_signature(const struct view *v)
{
    return sb_on(v, "BOOT_SIGNATURE_TYPE_NONE") || opt_on(v, &v->boot, "BOOT_SIGNATURE_TYPE_NONE");
}

/* The key file that counts in this flow, NULL if none is set. */
static const struct conf_item *effective_key(const struct view *v)
{
    if (v->boot.has_built && conf_item(&v->boot.built, "BOOT_SIGNATURE_KEY_FILE"))
        return conf_item(&v->boot.built, "BOOT_SIGNATURE_KEY_FILE");
    if (v->sysbuild)
        return conf_item(&v->sb, "BOOT_SIGNATURE_KEY_FILE");
    return conf_item(&v->boot.src, "BOOT_SIGNATURE_KEY_FILE");
}

/* By its path beside a file that names it or below the project; else by its name, if only one has it. */
static const struct key *key_named(const struct view *v, const char *path)
{
    const struct key *found = NULL;
    int count = 0;

    for (const struct key *k = v->p->keys; k; k = k->next) {
        if (path[0] != '/' && strchr(path, '/') && text_ends(k->file->rel, path))
            return k;
        if (strcmp(k->file->base, file_name(path)) == 0) {
            found = k;
            count++;
        }
    }
    return count == 1 ? found : NULL;
}

static void key03(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *item = effective_key(v);
    bool set = item && *item->value;
    const struct key *k = set ? key_named(v, item->value) : NULL;

    if (!uses_mcuboot(v) || no_signature(v) || (!v->sysbuild && !v->boot.has_conf && !v->boot.has_built))
        return;
    bool published = set && text_starts(file_name(item->value), "root-") && text_ends(item->value, ".pem");
    if (set && !published && !(k && k->is_default))
        return;
    const char *file = v->sysbuild ? (*v->app_dir ? check_say(c, "%s/sysbuild.conf", v->app_dir) : "sysbuild.conf") : v->boot.conf_file;
    struct finding *f = check_report(c, item ? item->at : in_file(file), "mcuboot",
        set ? "%s is the key that MCUboot publishes" : "no signing key of your own is set%s: MCUboot's published key is used",
        set ? file_name(item->value) : "");
    f->fix = v->sysbuild ? "SB_CONFIG_BOOT_SIGNATURE_KEY_FILE=\"/path/to/sign.pem\" (imgtool keygen -k sign.pem -t ecdsa-p256)"
                         : "CONFIG_BOOT_SIGNATURE_KEY_FILE=\"/path/to/sign.pem\" for MCUboot";
}

static void key04(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *empty = conf_item(&v->app.built, "MCUBOOT_SIGNATURE_KEY_FILE"), *item = effective_key(v);
    const struct key *k = item && *item->value ? key_named(v, item->value) : NULL;

    if (v->flow == FLOW_NONE && empty && !*empty->value && conf_is(&v->app.built, "BOOTLOADER_MCUBOOT", "y") && !no_signature(v)) {
        struct finding *f = check_report(c, empty->at, "app", "CONFIG_MCUBOOT_SIGNATURE_KEY_FILE is empty: the build signs nothing, and MCUboot takes no unsigned image");
        f->fix = "CONFIG_MCUBOOT_SIGNATURE_KEY_FILE=\"/path/to/sign.pem\", the private half of MCUboot's key";
    }
    for (const struct artifact *a = NULL; k && (a = each_artifact(v, a));) {
        if (!artifact_is_app(a) || a->encrypted)
            continue;
        struct finding *f = NULL;
        if (!a->has_signature)
            f = check_report(c, in_file(a->rel), "app", "%s carries no signature, and MCUboot checks one with %s", a->rel, k->file->rel);
        else if (!artifact_verify(a, k))
            f = check_report(c, in_file(a->rel), "app", "the signature of %s does not verify with %s, the key that MCUboot is built with", a->rel,
                k->file->rel);
        if (f && artifact_unsure(v, a))
            f->severity = SEV_WARNING;
    }
}

static const struct {
    const char *option;
    enum key_type type;
} types[] = { { "BOOT_SIGNATURE_TYPE_RSA", KEY_RSA2048 }, { "BOOT_SIGNATURE_TYPE_ECDSA_P256", KEY_EC256 },
    { "BOOT_SIGNATURE_TYPE_ED25519", KEY_ED25519 } };

static bool like_types(enum key_type a, enum key_type b)
{
    bool rsa_a = a == KEY_RSA2048 || a == KEY_RSA3072, rsa_b = b == KEY_RSA2048 || b == KEY_RSA3072;

    return a == b || (rsa_a && rsa_b);
}

/* The type MCUboot is built for, KEY_NONE if nothing says so. */
static enum key_type boot_type(const struct view *v, const struct conf_item **where)
{
    for (int i = 0; i < 3; i++) {
        *where = v->sysbuild && conf_item(&v->sb, types[i].option) ? conf_item(&v->sb, types[i].option)
                                                                 : opt_item(&v->boot, types[i].option);
        if (opt_on(v, &v->boot, types[i].option))
            return types[i].type;
    }
    *where = NULL;
    return KEY_NONE;
}

static void key05_default(struct check *c)
{
    static const char *const wants_ec[] = { "BOOT_ENCRYPT_EC256", "BOOT_ECDSA_TINYCRYPT", "BOOT_ECDSA_CC310" };
    const struct view *v = c->v;

    if (v->sysbuild || v->boot.has_built || (v->soc && v->soc->cc310))
        return;
    for (int i = 0; i < 3; i++) {
        if (!conf_is(&v->boot.src, wants_ec[i], "y"))
            continue;
        struct finding *f = check_report(c, opt_place(&v->boot, wants_ec[i]), "mcuboot",
            "CONFIG_%s speaks of elliptic curves, and no CONFIG_BOOT_SIGNATURE_TYPE_... is set: without a CryptoCell the default is RSA", wants_ec[i]);
        fix_append(c, f, v->boot.conf_file, "CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256=y");
        return;
    }
}

static void key05(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *where, *item = effective_key(v);
    enum key_type type = boot_type(v, &where);
    const struct key *k = item && *item->value ? key_named(v, item->value) : NULL;

    if (no_signature(v))
        return;
    if (type == KEY_NONE) {
        key05_default(c);
        return;
    }
    if (k && !like_types(k->type, type))
        check_report(c, where ? where->at : item->at, "mcuboot", "MCUboot checks %s signatures, and %s is an %s key", key_type_name(type), k->file->rel,
            key_type_name(k->type));
    for (const struct artifact *a = NULL; (a = each_artifact(v, a));) {
        if (!artifact_is_app(a) || !a->has_signature || like_types(a->signature_type, type))
            continue;
        struct finding *f = check_report(c, in_file(a->rel), "app", "%s is signed with %s, MCUboot checks %s", a->rel,
            key_type_name(a->signature_type), key_type_name(type));
        if (artifact_unsure(v, a))
            f->severity = SEV_WARNING;
    }
}

/* A file of that name somewhere in the project: then the path is what is wrong, and nobody keeps the key elsewhere. */
static const char *named_elsewhere(const struct view *v, const char *name)
{
    for (struct source *f = v->p->files.first; f; f = f->next) {
        if (strcmp(f->base, name) == 0)
            return f->rel;
    }
    return NULL;
}

static void key06(struct check *c)
{
    const struct view *v = c->v;
    const struct conf_item *item = v->sysbuild ? conf_item(&v->sb, "BOOT_SIGNATURE_KEY_FILE") : conf_item(&v->boot.src, "BOOT_SIGNATURE_KEY_FILE");
    struct sources *s = &v->p->files;

    if (!item || !*item->value || item->value[0] == '/' || strchr(item->value, '$') || strchr(item->value, ':')
        || text_starts(file_name(item->value), "root-"))
        return;
    const char *dir = path_dir(v->p->pool, item->at.file);
    const char *path = text_starts(item->value, "./") ? item->value + 2 : item->value;
    if (source_findf(s, "%s/%s", dir, path) || source_findf(s, "%s/%s", v->app_dir, path) || source_find(s, path))
        return;
    const char *elsewhere = named_elsewhere(v, file_name(path));
    struct finding *f = check_report(c, item->at, v->sysbuild ? "sysbuild" : "mcuboot",
        "the key file \"%s\" is a relative path that leads nowhere: neither beside %s nor in the project%s%s", item->value, item->at.file,
        elsewhere ? "; there is " : " (unless it is kept out of the repository)", elsewhere ? elsewhere : "");
    if (v->sysbuild || !elsewhere || strstr(item->value, "../"))
        f->severity = SEV_WARNING;
}

/* The index of the git repository that the project lies in; the path of the project in it. */
static char *git_index(const struct view *v, size_t *len, const char **below)
{
    char real[4096], path[4224];

    if (!realpath(v->p->files.dir, real))
        return NULL;
    size_t full = strlen(real);
    for (int up = 0; up < 8; up++) {
        snprintf(path, sizeof path, "%s/.git/index", real);
        FILE *f = fopen(path, "rb");
        struct stat st;
        if (f && fstat(fileno(f), &st) == 0 && st.st_size < 64 << 20) {
            char *text = pool_alloc(v->p->pool, (size_t)st.st_size + 1);
            *len = fread(text, 1, (size_t)st.st_size, f);
            fclose(f);
            char whole[4096];
            size_t n = strlen(real);
            *below = full > n && realpath(v->p->files.dir, whole) ? pool_dup(v->p->pool, whole + n + 1) : "";
            return text;
        }
        if (f)
            fclose(f);
        char *slash = strrchr(real, '/');
        if (!slash || slash == real)
            return NULL;
        *slash = '\0';
    }
    return NULL;
}

static void key07(struct check *c)
{
    const struct view *v = c->v;
    size_t len = 0;
    const char *below = "";

    for (const struct package *z = v->p->packages; z; z = z->next) {
        if (z->private_key)
            check_report(c, in_file(z->file->rel), "app", "the package contains the private key %s", z->private_key);
    }
    bool any = false;
    for (const struct key *k = v->p->keys; k; k = k->next)
        any |= k->is_private && !k->is_default;
    char *index = any ? git_index(v, &len, &below) : NULL;
    for (const struct key *k = v->p->keys; index && k; k = k->next) {
        const char *rel = path_join(v->p->pool, below, k->file->rel);
        if (k->is_private && !k->is_default && memmem(index, len, rel, strlen(rel) + 1))
            check_report(c, in_file(k->file->rel), "", "the private key %s is tracked by git", k->file->rel);
    }
}

const struct rule rules_key[] = {
    { "KEY01", SEV_WARNING, IN_ANY, false, "sources", "one key for signing and encryption",
        "One leak costs both: the encryption key must be on every device, the signing key must never be on one.", "Make a key of its own for signing: imgtool keygen -k sign.pem -t ecdsa-p256.",
        "MCUboot has an option for each.", "boot/zephyr/Kconfig", key01 },
    { "KEY02", SEV_WARNING, IN_SYSBUILD | IN_NONE, false, "sources", "a signing key or type where sysbuild overwrites it",
        "Device and images use MCUboot's published key: anybody can sign for this device.", "Set it in sysbuild.conf.",
        "sysbuild writes key file and type into MCUboot and the application.", "zephyr share/sysbuild/images/bootloader/CMakeLists.txt", key02 },
    { "KEY03", SEV_WARNING, IN_ANY, false, "both", "the published key of MCUboot is in use", "Anybody can sign an image that this device accepts.",
        "Make your own key.", "The private halves are in MCUboot's repository.", "Kconfig defaults", key03 },
    { "KEY04", SEV_ERROR, IN_ANY, false, "build output", "the image's signature does not fit MCUboot's key", "MCUboot rejects and erases the image: 'Hash not Found'.",
        "Sign with the private half of the key that MCUboot is built with.", "MCUboot holds one public key.", "bootutil; zephyr #57963", key04 },
    { "KEY05", SEV_ERROR, IN_ANY, false, "both", "signature types differ", "The image is rejected, or nothing is built.", "CONFIG_BOOT_SIGNATURE_TYPE_ECDSA_P256=y (sysbuild: SB_CONFIG_...).",
        "The default depends on the chip: RSA without a CryptoCell.", "hellesvik-nordic samples PR #9", key05 },
    { "KEY06", SEV_ERROR, IN_ANY, false, "sources", "a relative key path that leads nowhere", "No build: the key file is not found.", "An absolute path, or the file beside the configuration that names it.",
        "MCUboot looks beside the configuration file, then in its own repository; image signing looks in the west workspace.", "boot/zephyr/CMakeLists.txt; image_signing.cmake", key06 },
    { "KEY07", SEV_ERROR, IN_ANY, false, "sources", "a private key is published with the project", "Whoever has the repository or the package can sign for the device.",
        "Move it out, and change the key.", "History keeps what was once committed.", "-", key07 },
    { .id = NULL },
};
