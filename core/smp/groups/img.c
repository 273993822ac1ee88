#include "core/smp/groups/img.h"

#include <string.h>

#include "core/boot/service.h"
#include "core/smp/groups/version.h"

/* ---- codes ------------------------------------------------------------------------------------- */

struct code {
    uint8_t reason;
    uint8_t err;
};
_Static_assert(REASON_UPLOAD_OLDER <= UINT8_MAX, "reasons in a byte: the bootloader has this table too");

static const struct code codes[] = {
    { REASON_EXT_ABSENT, SMP_IMG_ERR_FLASH_OPEN_FAILED },
    { REASON_EXT_ID, SMP_IMG_ERR_FLASH_OPEN_FAILED },
    { REASON_EXT_BUSY, SMP_IMG_ERR_FLASH_OPEN_FAILED },
    { REASON_EXT_ERASE, SMP_IMG_ERR_FLASH_ERASE_FAILED },
    { REASON_EXT_PROGRAM, SMP_IMG_ERR_FLASH_WRITE_FAILED },
    { REASON_EXT_READ, SMP_IMG_ERR_FLASH_READ_FAILED },
    { REASON_EXT_PROTECTED, SMP_IMG_ERR_FLASH_WRITE_FAILED },
    { REASON_INT_READ, SMP_IMG_ERR_FLASH_READ_FAILED },
    { REASON_INT_ERASE, SMP_IMG_ERR_FLASH_ERASE_FAILED },
    { REASON_INT_PROGRAM, SMP_IMG_ERR_FLASH_WRITE_FAILED },
    { REASON_INT_BUSY, SMP_IMG_ERR_FLASH_OPEN_FAILED },
    { REASON_IMG_NONE, SMP_IMG_ERR_INVALID_IMAGE_HEADER_MAGIC },
    { REASON_IMG_MAGIC, SMP_IMG_ERR_INVALID_IMAGE_HEADER_MAGIC },
    { REASON_IMG_HEADER, SMP_IMG_ERR_INVALID_IMAGE_HEADER },
    { REASON_IMG_FLAGS, SMP_IMG_ERR_INVALID_IMAGE_HEADER },
    { REASON_IMG_ENCRYPTED, SMP_IMG_ERR_INVALID_IMAGE_HEADER },
    { REASON_IMG_NO_TLVS, SMP_IMG_ERR_NO_TLVS },
    { REASON_IMG_TLV, SMP_IMG_ERR_INVALID_TLV },
    { REASON_IMG_TRUNCATED, SMP_IMG_ERR_INVALID_IMAGE_HEADER },
    { REASON_IMG_NO_HASH, SMP_IMG_ERR_HASH_NOT_FOUND },
    { REASON_IMG_HASH, SMP_IMG_ERR_INVALID_HASH },
    { REASON_IMG_UNSIGNED, SMP_IMG_ERR_INVALID_HASH },
    { REASON_IMG_STRANGER, SMP_IMG_ERR_INVALID_HASH },
    { REASON_IMG_SIGNATURE, SMP_IMG_ERR_INVALID_HASH },
    { REASON_IMG_TOO_LARGE_SLOT, SMP_IMG_ERR_INVALID_IMAGE_TOO_LARGE },
    { REASON_IMG_TOO_LARGE_SWAP, SMP_IMG_ERR_INVALID_IMAGE_TOO_LARGE },
    { REASON_IMG_OVER_TRAILER, SMP_IMG_ERR_INVALID_IMAGE_TOO_LARGE },
    { REASON_IMG_LAYOUT, SMP_IMG_ERR_INVALID_FLASH_ADDRESS },
    { REASON_IMG_VECTORS, SMP_IMG_ERR_INVALID_IMAGE_VECTOR_TABLE },
    { REASON_IMG_ALIGN, SMP_IMG_ERR_INVALID_IMAGE_VECTOR_TABLE },
    { REASON_SWAP_STOPPED, SMP_IMG_ERR_IMAGE_ALREADY_PENDING },
    { REASON_LAYOUT_MISMATCH, SMP_IMG_ERR_FLASH_CONFIG_QUERY_FAIL },
    { REASON_UPLOAD_SHA, SMP_IMG_ERR_INVALID_HASH },
    { REASON_UPLOAD_STATE, SMP_IMG_ERR_NO_FREE_SLOT },
    { REASON_UPLOAD_LENGTH, SMP_IMG_ERR_INVALID_LENGTH },
    { REASON_UPLOAD_OLDER, SMP_IMG_ERR_CURRENT_VERSION_IS_NEWER },
};

enum smp_img_err smp_img_code(const struct finding *why, int err)
{
    if (err == ERR_RANGE)
        return SMP_IMG_ERR_INVALID_IMAGE_DATA_OVERRUN;
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (codes[i].reason == why->reason)
            return (enum smp_img_err)codes[i].err;
    }
    switch (err) {
    case ERR_NOENT:
        return SMP_IMG_ERR_HASH_NOT_FOUND;
    case ERR_BADSTATE:
        return SMP_IMG_ERR_IMAGE_ALREADY_PENDING;
    case ERR_ARG:
        return SMP_IMG_ERR_TEST_TO_ACTIVE_DENIED;
    default:
        return SMP_IMG_ERR_UNKNOWN;
    }
}

static enum smp_rc v1_code(unsigned err)
{
    switch (err) {
    case SMP_IMG_ERR_NO_IMAGE:
    case SMP_IMG_ERR_NO_TLVS:
        return SMP_RC_NO_ENTRY;
    case SMP_IMG_ERR_NO_FREE_SLOT:
    case SMP_IMG_ERR_CURRENT_VERSION_IS_NEWER:
    case SMP_IMG_ERR_IMAGE_ALREADY_PENDING:
        return SMP_RC_BAD_STATE;
    case SMP_IMG_ERR_INVALID_SLOT:
    case SMP_IMG_ERR_INVALID_OFFSET:
    case SMP_IMG_ERR_INVALID_LENGTH:
    case SMP_IMG_ERR_INVALID_IMAGE_HEADER:
    case SMP_IMG_ERR_INVALID_IMAGE_HEADER_MAGIC:
    case SMP_IMG_ERR_INVALID_HASH:
    case SMP_IMG_ERR_INVALID_FLASH_ADDRESS:
        return SMP_RC_INVALID;
    default:
        return SMP_RC_UNKNOWN;
    }
}

/* ---- state ------------------------------------------------------------------------------------- */

/* What runs is listed whatever it is, anything else only if it is sound: clients leave out an upload
 * whose hash is listed. */
static bool is_listed(const struct service_slot *s)
{
    return s->present && (s->active || s->verdict == VERDICT_GOOD);
}

static void put_state(struct smp_out *o, const struct service *sv)
{
    cbor_list_begin(o, "images");
    for (unsigned i = 0; i < 2; i++) {
        const struct service_slot *s = &sv->slot[i];
        uint8_t text[SMP_VERSION_MAX];
        if (!is_listed(s))
            continue;
        cbor_map_begin(o, NULL);
        cbor_put_uint(o, "slot", i);
        cbor_put_text_n(o, "version", smp_version_text(&s->img.version, SMP_VERSION_DOTS, text));
        cbor_put_bytes(o, "hash", s->img.hash, sizeof s->img.hash);
        cbor_put_bool(o, "bootable", s->bootable);
        cbor_put_bool(o, "pending", s->pending);
        cbor_put_bool(o, "confirmed", s->confirmed);
        cbor_put_bool(o, "active", s->active);
        cbor_put_bool(o, "permanent", s->permanent);
        cbor_map_end(o);
    }
    cbor_list_end(o);
    cbor_put_uint(o, "splitStatus", 0);
}

static int answer_state(struct service *sv, struct smp_call *call)
{
    int err = service_poll(sv);

    if (err == ERR_BUSY)
        return SMP_BUSY;
    /* Clients know this code for all that contradicts what is under way; the reason is in group 64. */
    if (err == ERR_BADSTATE)
        return smp_err(SMP_IMG_ERR_IMAGE_ALREADY_PENDING);
    if (err != OK)
        return smp_err(smp_img_code(&sv->why, err));
    put_state(call->out, sv);
    return SMP_DONE;
}

static int state_read(void *ctx, struct smp_call *call)
{
    if (!call->again)
        service_look(ctx);
    return answer_state(ctx, call);
}

static int state_write(void *ctx, struct smp_call *call)
{
    struct span hash = span_of(NULL, 0);
    bool confirm = false;
    struct cbor_field f[] = {
        { .key = "hash", .kind = CBOR_BSTR, .value = &hash },
        { .key = "confirm", .kind = CBOR_BOOL, .value = &confirm },
    };

    if (call->again)
        return answer_state(ctx, call);
    if (cbor_read_map(call->payload, f, 2) != OK)
        return smp_rc(SMP_RC_INVALID);
    /* An empty hash is none: two clients say "the running image" so. */
    if (hash.len == 0 ? !confirm : hash.len != CRYPTO_SHA256_LEN)
        return smp_err(SMP_IMG_ERR_INVALID_HASH);
    service_request(ctx, hash.len != 0 ? hash.p : NULL, confirm);
    return answer_state(ctx, call);
}

/* ---- upload ------------------------------------------------------------------------------------ */

static int answer_upload(struct service *sv, struct smp_call *call)
{
    int err = service_poll(sv);
    const struct upload *up = &sv->up;
    bool mismatch = err == ERR_VERIFY && up->why.reason == REASON_UPLOAD_SHA;

    if (err == ERR_BUSY)
        return SMP_BUSY;
    if (err != OK && !mismatch)
        return smp_err(smp_img_code(&sv->why, err));
    cbor_put_uint(call->out, "off", up->next);
    if (mismatch || (up->state == UPLOAD_DONE && up->match))
        cbor_put_bool(call->out, "match", !mismatch);
    return SMP_DONE;
}

static int upload_write(void *ctx, struct smp_call *call)
{
    struct upload_chunk c = { .sha = span_of(NULL, 0), .data = span_of(NULL, 0) };
    struct cbor_field f[] = {
        { .key = "off", .kind = CBOR_UINT, .value = &c.off },
        { .key = "data", .kind = CBOR_BSTR, .value = &c.data },
        { .key = "len", .kind = CBOR_UINT, .value = &c.len },
        { .key = "sha", .kind = CBOR_BSTR, .value = &c.sha },
        { .key = "upgrade", .kind = CBOR_BOOL, .value = &c.upgrade },
    };

    if (call->again)
        return answer_upload(ctx, call);
    if (cbor_read_map(call->payload, f, sizeof f / sizeof f[0]) != OK)
        return smp_rc(SMP_RC_INVALID);
    if (!f[0].present)
        return smp_err(SMP_IMG_ERR_INVALID_OFFSET);
    if (c.sha.len > CRYPTO_SHA256_LEN)
        return smp_err(SMP_IMG_ERR_INVALID_HASH);
    c.has_len = f[2].present;
    service_upload(ctx, &c);
    return answer_upload(ctx, call);
}

/* ---- erase and slot info ----------------------------------------------------------------------- */

static int answer_erase(struct service *sv)
{
    int err = service_poll(sv);

    if (err == ERR_BUSY)
        return SMP_BUSY;
    return err == OK ? SMP_DONE : smp_err(smp_img_code(&sv->why, err));
}

static int erase_write(void *ctx, struct smp_call *call)
{
    uint32_t slot = 1;
    struct cbor_field f[] = { { .key = "slot", .kind = CBOR_UINT, .value = &slot } };

    if (call->again)
        return answer_erase(ctx);
    if (cbor_read_map(call->payload, f, 1) != OK)
        return smp_rc(SMP_RC_INVALID);
    if (slot > 1)
        return smp_err(SMP_IMG_ERR_INVALID_SLOT);
    /* A phone tries slot 0 when the erase of slot 1 has failed. */
    if (slot == 0)
        return smp_err(SMP_IMG_ERR_NO_FREE_SLOT);
    service_erase(ctx);
    return answer_erase(ctx);
}

static void put_slot_info(struct smp_out *o, const struct layout_part *part, unsigned slot, int err,
    const struct finding *why)
{
    cbor_map_begin(o, NULL);
    cbor_put_uint(o, "slot", slot);
    if (err != OK) {
        cbor_put_uint(o, "rc", smp_img_code(why, err));
    } else {
        cbor_put_uint(o, "size", part->size);
        if (slot == 1)
            cbor_put_uint(o, "upload_image_id", 0);
    }
    cbor_map_end(o);
}

static int slots_read(void *ctx, struct smp_call *call)
{
    struct service *sv = ctx;
    const struct layout *l = sv->cfg.store->layout;
    struct smp_out *o = call->out;
    struct finding why;
    uint32_t jedec;
    int err = service_probe(sv, &jedec, &why);

    if (err == ERR_BUSY)
        return SMP_BUSY;
    cbor_list_begin(o, "images");
    cbor_map_begin(o, NULL);
    cbor_put_uint(o, "image", 0);
    cbor_list_begin(o, "slots");
    put_slot_info(o, &l->slot0, 0, OK, &why);
    put_slot_info(o, &l->slot1, 1, err, &why);
    cbor_list_end(o);
    cbor_put_uint(o, "max_image_size", layout_room_best(l).max_image);
    cbor_map_end(o);
    cbor_list_end(o);
    return SMP_DONE;
}

static const struct smp_cmd cmds[] = {
    { .id = SMP_IMG_STATE, .read = state_read, .write = state_write },
    { .id = SMP_IMG_UPLOAD, .write = upload_write },
    { .id = SMP_IMG_ERASE, .write = erase_write },
    { .id = SMP_IMG_SLOTS, .read = slots_read },
};

const struct smp_group smp_group_img = {
    .id = SMP_GROUP_IMG,
    .cmds = cmds,
    .count = sizeof cmds / sizeof cmds[0],
    .v1 = v1_code,
};
