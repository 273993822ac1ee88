#include <stdlib.h>
#include <string.h>

#include <zcbor_encode.h>

#include "host/lib/smp/answer.h"
#include "host/lib/smp/mgmt.h"

enum { OS_ECHO = 0, OS_RESET = 5, OS_INFO = 7, OS_BOOTLOADER = 8 };
enum { IMG_STATE = 0, IMG_ERASE = 5, IMG_SLOTS = 6 };
enum { RC_ENOTSUP = 8, ECHO_MAX = 1024 };

static int call(struct smpc *c, enum smpc_op op, unsigned group, unsigned id, struct span body,
    struct smpc_patience patience, json_t **answer)
{
    struct smpc_request req = { .op = op, .group = (uint16_t)group, .id = (uint8_t)id, .body = body,
        .patience = patience };
    return smpc_request(c, &req, answer);
}

static int read_plain(struct smpc *c, unsigned group, unsigned id, json_t **answer)
{
    return call(c, SMPC_READ, group, id, span_of(NULL, 0), smpc_patience_short, answer);
}

/* One text member as a request's body. */
static struct span text_body(uint8_t *buf, size_t cap, const char *key, const char *text)
{
    ZCBOR_STATE_E(z, 1, buf, cap, 0);
    bool ok = zcbor_map_start_encode(z, 1) && zcbor_tstr_encode_ptr(z, key, strlen(key))
        && zcbor_tstr_encode_ptr(z, text, strlen(text)) && zcbor_map_end_encode(z, 1);
    return ok ? span_of(buf, (size_t)(z->payload - buf)) : span_of(NULL, 0);
}

static int malformed(struct smpc *c, const char *what)
{
    snprintf(c->problem, sizeof c->problem, "%s", what);
    return ERR_FORMAT;
}

void smpc_version_text(const char *smp, char *buf, size_t cap)
{
    unsigned v[4] = { 0 };
    char sep;

    int n = sscanf(smp, "%u.%u.%u%c%u", &v[0], &v[1], &v[2], &sep, &v[3]);
    if (n == 3 || (n == 5 && (sep == '.' || sep == '+')))
        snprintf(buf, cap, "%u.%u.%u+%u", v[0], v[1], v[2], v[3]);
    else
        snprintf(buf, cap, "%s", smp);
}

static void take_image(struct smpc_image *im, const json_t *entry)
{
    im->image = (unsigned)answer_int(entry, "image", 0);
    im->slot = (unsigned)answer_int(entry, "slot", 0);
    smpc_version_text(answer_text(entry, "version", "?"), im->version, sizeof im->version);
    snprintf(im->hash, sizeof im->hash, "%s", answer_text(entry, "hash", ""));
    im->bootable = answer_bool(entry, "bootable");
    im->pending = answer_bool(entry, "pending");
    im->confirmed = answer_bool(entry, "confirmed");
    im->active = answer_bool(entry, "active");
    im->permanent = answer_bool(entry, "permanent");
}

static int take_images(struct smpc *c, json_t *answer, struct smpc_images *list)
{
    const json_t *entries = answer_list(answer, "images");
    size_t n = json_array_size(entries);

    memset(list, 0, sizeof *list);
    for (size_t i = 0; i < n && i < SMPC_IMAGES_MAX; i++)
        take_image(&list->image[list->count++], json_array_get(entries, i));
    json_decref(answer);
    return entries ? OK : malformed(c, "the image list has no \"images\"");
}

int smpc_images_read(struct smpc *c, struct smpc_images *list)
{
    json_t *answer;

    memset(list, 0, sizeof *list);
    int rc = read_plain(c, SMPC_IMG, IMG_STATE, &answer);
    return rc == OK ? take_images(c, answer, list) : rc;
}

static size_t unhex(const char *hex, uint8_t *out, size_t cap)
{
    size_t n = strlen(hex) / 2;

    if (n > cap)
        return 0;
    for (size_t i = 0; i < n; i++) {
        char digits[3] = { hex[2 * i], hex[2 * i + 1], '\0' };
        out[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return n;
}

int smpc_image_request(struct smpc *c, const char *hash, bool confirm, struct smpc_images *list)
{
    uint8_t buf[SMPC_HASH_MAX + 32], raw[SMPC_HASH_MAX];
    size_t n = hash ? unhex(hash, raw, sizeof raw) : 0;
    ZCBOR_STATE_E(z, 1, buf, sizeof buf, 0);
    json_t *answer;

    bool ok = zcbor_map_start_encode(z, 2);
    if (n)
        ok = ok && zcbor_tstr_put_lit(z, "hash") && zcbor_bstr_encode_ptr(z, (const char *)raw, n);
    ok = ok && zcbor_tstr_put_lit(z, "confirm") && zcbor_bool_put(z, confirm) && zcbor_map_end_encode(z, 2);
    memset(list, 0, sizeof *list);
    if (!ok || (hash && !n))
        return ERR_ARG;
    int rc = call(c, SMPC_WRITE, SMPC_IMG, IMG_STATE, span_of(buf, (size_t)(z->payload - buf)),
        smpc_patience_short, &answer);
    if (rc != OK)
        return rc;
    if (answer_list(answer, "images"))
        return take_images(c, answer, list);
    json_decref(answer); /* older servers answer {} or {"rc":0} */
    return smpc_images_read(c, list);
}

int smpc_slot_erase(struct smpc *c, int slot)
{
    uint8_t buf[16];
    ZCBOR_STATE_E(z, 1, buf, sizeof buf, 0);
    json_t *answer;

    bool ok = zcbor_map_start_encode(z, 1);
    if (slot >= 0)
        ok = ok && zcbor_tstr_put_lit(z, "slot") && zcbor_uint32_put(z, (uint32_t)slot);
    if (!ok || !zcbor_map_end_encode(z, 1))
        return ERR_ARG;
    int rc = call(c, SMPC_WRITE, SMPC_IMG, IMG_ERASE, span_of(buf, (size_t)(z->payload - buf)),
        smpc_patience_erase, &answer);
    json_decref(answer);
    return rc;
}

int smpc_slot_info(struct smpc *c, json_t **answer)
{
    return read_plain(c, SMPC_IMG, IMG_SLOTS, answer);
}

int smpc_echo(struct smpc *c, const char *text, char **reply)
{
    uint8_t buf[ECHO_MAX + 16];
    struct span body = text_body(buf, sizeof buf, "d", text);
    json_t *answer;

    *reply = NULL;
    if (body.len == 0 || body.len + SMPC_HEADER_LEN > c->message_max)
        return ERR_ARG;
    int rc = call(c, SMPC_WRITE, SMPC_OS, OS_ECHO, body, smpc_patience_short, &answer);
    if (rc != OK)
        return rc;
    const char *r = answer_text(answer, "r", NULL);
    if (r)
        *reply = strdup(r);
    json_decref(answer);
    return r ? OK : malformed(c, "the answer to echo has no \"r\"");
}

int smpc_reset(struct smpc *c, bool recovery, bool force)
{
    uint8_t buf[32];
    ZCBOR_STATE_E(z, 1, buf, sizeof buf, 0);
    json_t *answer;

    bool ok = zcbor_map_start_encode(z, 2);
    if (force)
        ok = ok && zcbor_tstr_put_lit(z, "force") && zcbor_uint32_put(z, 1);
    if (recovery)
        ok = ok && zcbor_tstr_put_lit(z, "boot_mode") && zcbor_uint32_put(z, 1);
    if (!ok || !zcbor_map_end_encode(z, 2))
        return ERR_ARG;
    int rc = call(c, SMPC_WRITE, SMPC_OS, OS_RESET, span_of(buf, (size_t)(z->payload - buf)),
        smpc_patience_once, &answer);
    json_decref(answer);
    return rc;
}

int smpc_os_info(struct smpc *c, const char *format, json_t **answer)
{
    uint8_t buf[64];
    struct span body = text_body(buf, sizeof buf, "format", format);
    return call(c, SMPC_READ, SMPC_OS, OS_INFO, body, smpc_patience_short, answer);
}

int smpc_bootloader(struct smpc *c, const char *query, json_t **answer)
{
    uint8_t buf[64];
    struct span body = query ? text_body(buf, sizeof buf, "query", query) : span_of(NULL, 0);
    return call(c, SMPC_READ, SMPC_OS, OS_BOOTLOADER, body, smpc_patience_short, answer);
}

int smpc_slipway(struct smpc *c, enum slipway_cmd cmd, json_t **answer)
{
    return read_plain(c, SMP_GROUP_SLIPWAY, cmd, answer);
}

bool smpc_not_there(const struct smpc *c, int rc)
{
    return rc == SMPC_REFUSED && !c->refusal.of_group && c->refusal.rc == RC_ENOTSUP;
}
