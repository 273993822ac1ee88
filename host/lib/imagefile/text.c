#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/lib/imagefile/imagefile_priv.h"

/* MCUboot's types by imgtool's names. */
static const struct {
    uint16_t type;
    const char *name;
} tlv_names[] = {
    { 0x01, "KEYHASH" }, { 0x02, "PUBKEY" }, { 0x10, "SHA256" }, { 0x11, "SHA384" },
    { 0x12, "SHA512" }, { 0x20, "RSA2048" }, { 0x22, "ECDSASIG" }, { 0x23, "RSA3072" },
    { 0x24, "ED25519" }, { 0x25, "SIG_PURE" }, { 0x30, "ENCRSA2048" }, { 0x31, "ENCKW" },
    { 0x32, "ENCEC256" }, { 0x33, "ENCX25519" }, { 0x34, "ENCX25519_SHA512" },
    { 0x40, "DEPENDENCY" }, { 0x50, "SEC_CNT" }, { 0x60, "BOOT_RECORD" }, { 0x70, "DECOMP_SIZE" },
    { 0x71, "DECOMP_SHA" }, { 0x72, "DECOMP_SIGNATURE" }, { 0x73, "COMP_DEC_SIZE" },
    { 0x74, "UUID_VID" }, { 0x75, "UUID_CID" },
};

enum { TLV_CUSTOM_MIN = 0xA0, TLV_CUSTOM_MAX = 0xFFFE };

const char *tlv_name(uint16_t type)
{
    for (size_t i = 0; i < sizeof tlv_names / sizeof tlv_names[0]; i++) {
        if (tlv_names[i].type == type)
            return tlv_names[i].name;
    }
    return "UNKNOWN";
}

void version_text(const struct image_version *v, char text[VERSION_TEXT_LEN])
{
    snprintf(text, VERSION_TEXT_LEN, "%u.%u.%u+%" PRIu32, v->major, v->minor, v->revision, v->build);
}

void hex_text(const uint8_t *p, size_t len, char *text)
{
    for (size_t i = 0; i < len; i++)
        sprintf(text + 2 * i, "%02x", p[i]);
    text[2 * len] = '\0';
}

/* A decimal number without sign or leading zero, at most max. */
static bool take_decimal(const char **p, uint32_t max, uint32_t *n)
{
    uint64_t v = 0;
    const char *s = *p;

    if (*s < '0' || *s > '9' || (s[0] == '0' && s[1] >= '0' && s[1] <= '9'))
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        v = 10 * v + (uint64_t)(*s - '0');
        if (v > max)
            return false;
    }
    *p = s;
    *n = (uint32_t)v;
    return true;
}

/* MAJOR[.MINOR[.REVISION[+BUILD]]]; leaves *p behind it. */
static bool take_version(const char **p, struct image_version *v)
{
    static const char before[4] = { '\0', '.', '.', '+' };
    static const uint32_t max[4] = { 255, 255, 65535, 0xFFFFFFFF };
    uint32_t n[4] = { 0 };

    for (int i = 0; i < 4; i++) {
        if (i > 0 && **p != before[i])
            break;
        if (i > 0)
            (*p)++;
        if (!take_decimal(p, max[i], &n[i]))
            return false;
    }
    *v = (struct image_version) { .major = (uint8_t)n[0], .minor = (uint8_t)n[1],
        .revision = (uint16_t)n[2], .build = n[3] };
    return true;
}

bool parse_version(const char *text, struct image_version *v, char why[IMAGEFILE_WHY_LEN])
{
    const char *p = text;

    if (take_version(&p, v) && *p == '\0')
        return true;
    say(why, "a version is MAJOR.MINOR.REVISION+BUILD, later parts optional, up to 255.255.65535+4294967295");
    return false;
}

bool parse_number(const char *text, uint32_t max, uint32_t *n)
{
    char *end;
    int base = 0;

    if (text[0] < '0' || text[0] > '9')
        return false;
    if (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
        return false; /* octal in C, decimal to a person */
    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    if (errno || *end || end == text || v > max)
        return false;
    *n = (uint32_t)v;
    return true;
}

bool parse_counter(const char *text, struct sign_options *o, char why[IMAGEFILE_WHY_LEN])
{
    o->has_counter = true;
    if (strcmp(text, "auto") == 0) {
        o->counter = (uint32_t)o->version.major << 24 | (uint32_t)o->version.minor << 16
            | o->version.revision;
        return true;
    }
    if (parse_number(text, 0xFFFFFFFF, &o->counter))
        return true;
    say(why, "a security counter is a number up to 4294967295, or `auto`");
    return false;
}

static void skip(const char **p, const char *chars)
{
    *p += strspn(*p, chars);
}

bool parse_dependencies(const char *text, struct sign_options *o, char why[IMAGEFILE_WHY_LEN])
{
    const char *p = text;

    say(why, "dependencies are written \"(IMAGE, VERSION), ...\", like \"(0, 1.2.0)\"");
    skip(&p, " ");
    do {
        struct sign_dependency d;
        uint32_t image;
        if (o->dependencies == SIGN_LIST_MAX) {
            say(why, "there can be %d dependencies", SIGN_LIST_MAX);
            return false;
        }
        if (*p++ != '(')
            return false;
        skip(&p, " ");
        if (!take_decimal(&p, 255, &image))
            return false;
        skip(&p, " ");
        if (*p++ != ',')
            return false;
        skip(&p, " ");
        if (!take_version(&p, &d.least))
            return false;
        skip(&p, " ");
        if (*p++ != ')')
            return false;
        d.image = (uint8_t)image;
        o->dependency[o->dependencies++] = d;
        skip(&p, ", ");
    } while (*p);
    return true;
}

bool sign_add_tlv(struct sign_options *o, uint16_t type, const void *p, size_t len,
    char why[IMAGEFILE_WHY_LEN])
{
    for (size_t i = 0; i < o->tlvs; i++) {
        if (o->tlv[i].type == type) {
            say(why, "TLV 0x%04x is there already", type);
            return false;
        }
    }
    if (o->tlvs == SIGN_LIST_MAX || len > 0xFF00) {
        say(why, o->tlvs == SIGN_LIST_MAX ? "there can be %d custom TLVs" : "a TLV holds at most %d bytes",
            o->tlvs == SIGN_LIST_MAX ? SIGN_LIST_MAX : 0xFF00);
        return false;
    }
    struct sign_tlv *t = &o->tlv[o->tlvs++];
    t->type = type;
    blob_add(&t->value, p, len);
    return true;
}

static bool parse_hex_bytes(const char *digits, struct blob *b)
{
    size_t n = strlen(digits);

    if (n % 2 || strspn(digits, "0123456789abcdefABCDEF") != n)
        return false;
    for (size_t i = 0; i < n; i += 2) {
        char pair[3] = { digits[i], digits[i + 1], '\0' };
        uint8_t v = (uint8_t)strtoul(pair, NULL, 16);
        blob_add(b, &v, 1);
    }
    return true;
}

bool parse_custom_tlv(const char *tag, const char *value, struct sign_options *o,
    char why[IMAGEFILE_WHY_LEN])
{
    uint32_t type;
    struct blob bytes = { 0 };
    bool ok = false;

    if (!parse_number(tag, TLV_CUSTOM_MAX, &type) || type < TLV_CUSTOM_MIN) {
        say(why, "the tag of a custom TLV is 0x%04x to 0x%04x, not %s", TLV_CUSTOM_MIN, TLV_CUSTOM_MAX, tag);
        return false;
    }
    if (strncmp(value, "0x", 2) != 0)
        blob_add(&bytes, value, strlen(value));
    if (strncmp(value, "0x", 2) == 0 && !parse_hex_bytes(value + 2, &bytes))
        say(why, "the value %s of a custom TLV is not an even number of hexadecimal digits", value);
    else
        ok = sign_add_tlv(o, (uint16_t)type, bytes.p, bytes.len, why);
    blob_free(&bytes);
    return ok;
}

void sign_options_free(struct sign_options *o)
{
    for (size_t i = 0; i < o->tlvs; i++)
        blob_free(&o->tlv[i].value);
    o->tlvs = 0;
}
