/* After the last byte of an upload: is it what was announced, and may it be installed? */
#include <string.h>

#include "core/boot/fit.h"
#include "core/boot/upload_priv.h"

static int check_file(struct upload *u)
{
    uint8_t sha[CRYPTO_SHA256_LEN];

    if (u->sha_len != CRYPTO_SHA256_LEN)
        return OK;
    crypto_sha256_final(&u->file_sha, sha);
    u->match = crypto_equal(sha, u->sha, sizeof sha);
    if (u->match)
        return OK;
    /* To go on from here would end here again. */
    record_void(u);
    struct finding why = { .reason = REASON_UPLOAD_SHA, .slot = u->slot, .found = ld_be32(sha),
        .expected = ld_be32(u->sha) };
    return upload_fail(u, ERR_VERIFY, &why);
}

int upload_finish(struct upload *u)
{
    uint8_t hash[CRYPTO_SHA256_LEN];
    struct finding why;

    u->next = u->len;
    int err = check_file(u);
    if (err != OK)
        return err;
    err = image_open(&u->img, &u->area, 0, u->end, &why);
    if (err != OK && err != ERR_FORMAT)
        return upload_fail_flash(u, err, 0);
    why.slot = u->slot;
    if (err != OK)
        return upload_fail(u, err, &why);
    crypto_sha256_final(&u->img_sha, hash);
    image_auth_start(&u->auth, &u->img, u->st->keys, hash);
    u->step = UPLOAD_STEP_CHECK;
    return ERR_BUSY;
}

/* The line that makes an upload complete: with a good verdict, for this board. */
int upload_step_check(struct upload *u)
{
    enum verdict v = VERDICT_BAD;
    struct finding why;
    int err = image_auth_poll(&u->auth, &v, &why);

    if (err == ERR_BUSY)
        return err;
    why.slot = u->slot;
    if (err == OK && v == VERDICT_GOOD)
        err = store_runnable(u->st, &u->img, u->slot, &why);
    else if (err == OK)
        err = ERR_VERIFY;
    else if (err != ERR_VERIFY)
        return upload_fail_flash(u, err, u->img.tlv_off);
    if (err != OK)
        return upload_fail(u, err, &why);
    u->state = UPLOAD_DONE;
    u->why = (struct finding) { .slot = FINDING_NO_SLOT };
    if (u->resumed_at != 0)
        u->why = (struct finding) { .reason = REASON_UPLOAD_RESUMED, .slot = u->slot, .found = u->resumed_at,
            .expected = u->len };
    u->step = UPLOAD_STEP_REST;
    return OK;
}
