#include "tests/unit/smp/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BUF_SIZE_LEAST = 15 }; /* bytes of the first answer from which on it is looked at */

void phone_open(struct phone *p)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5 };

    memset(p, 0, sizeof *p);
    p->window = PHONE_WINDOW;
    smprig_open(&p->s, &l);
    p->a = testimage_make(&p->s.rig.key, &oa, PHONE_A_LEN);
    p->b = testimage_make(&p->s.rig.key, &ob, PHONE_B_LEN);
    smprig_sha(p->b, PHONE_B_LEN, p->sha);
    rig_load(&p->s.rig, 0, 0, p->a, PHONE_A_LEN);
    smprig_boot(&p->s, false);
}

void phone_close(struct phone *p)
{
    assert_int_equal(p->s.rig.external_chip.violations, 0);
    assert_int_equal(p->s.rig.internal_chip.violations, 0);
    free(p->a);
    free(p->b);
    smprig_close(&p->s);
}

const char *phone_ask(
    struct phone *p, unsigned op, unsigned group, unsigned id, const struct cborkit *c, uint32_t limit_ms)
{
    struct smprig *s = &p->s;
    struct cborkit empty;
    uint64_t start = s->rig.clock.us;

    ck_map(&empty, 0);
    const char *text = smprig_ask(s, op, group, id, c ? c : &empty);
    assert_true(s->rig.clock.us - start < limit_ms * 1000ull);
    assert_string_not_equal(text, "dropped");
    assert_int_equal(s->answers, 1);
    assert_true(s->len[0] > SMP_HEADER_LEN);
    assert_int_equal(ld_be16(s->answer[0] + 2), s->len[0] - SMP_HEADER_LEN);
    assert_int_equal(s->answer[0][6], s->seq);
    return text;
}

const char *phone_query(struct phone *p, const char *what)
{
    struct cborkit c;

    ck_map(&c, 1);
    ck_string(&c, "query", what);
    return phone_ask(p, SMP_OP_READ, 0, SMP_OS_BOOTLOADER, &c, 2500);
}

void phone_connect(struct phone *p)
{
    static const uint8_t first[] = { 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0xFF, 0x06, 0xA0 };
    uint64_t start = p->s.rig.clock.us;

    smprig_clear(&p->s);
    assert_true(smp_submit(&p->s.server, &p->s.transport, 7, first, sizeof first));
    smprig_until(&p->s, 1);
    assert_true(p->s.rig.clock.us - start < 1000000);
    assert_true(p->s.len[0] >= BUF_SIZE_LEAST);
    assert_int_equal(p->s.answer[0][6], 0xFF);
    assert_int_equal(sscanf(smprig_text(&p->s, 0), "{\"buf_size\":%u", &p->buf_size), 1);
    p->s.seq = UINT8_MAX; /* the next one is 0 */
}

struct phone_entry phone_entry(const char *list, unsigned slot)
{
    char key[16], one[400];
    struct phone_entry e = { 0 };

    snprintf(key, sizeof key, "{\"slot\":%u", slot);
    const char *at = strstr(list, key);
    if (!at)
        return e;
    snprintf(one, sizeof one, "%.*s", (int)strcspn(at, "}"), at);
    e.listed = true;
    e.pending = strstr(one, "\"pending\":true") != NULL;
    e.permanent = strstr(one, "\"permanent\":true") != NULL;
    e.confirmed = strstr(one, "\"confirmed\":true") != NULL;
    e.active = strstr(one, "\"active\":true") != NULL;
    return e;
}

static const uint8_t *hash_of_b(const struct phone *p)
{
    return p->b + PHONE_B_LEN - PHONE_TAIL + 8;
}

unsigned phone_where_is_b(const struct phone *p, const char *list)
{
    char hex[24];
    const uint8_t *h = hash_of_b(p);

    snprintf(hex, sizeof hex, "h'%02x%02x%02x%02x..'", h[0], h[1], h[2], h[3]);
    const char *at = strstr(list, hex);
    const char *one = strstr(list, "{\"slot\":1");
    return !at ? 2 : one && at > one ? 1 : 0;
}

const char *phone_list(struct phone *p)
{
    return phone_ask(p, SMP_OP_READ, 1, SMP_IMG_STATE, NULL, 5000);
}

const char *phone_set_state(struct phone *p, bool confirm)
{
    struct cborkit c;

    ck_map(&c, 2);
    ck_bool(&c, "confirm", confirm);
    ck_bytes(&c, "hash", hash_of_b(p), 32);
    return phone_ask(p, SMP_OP_WRITE, 1, SMP_IMG_STATE, &c, 2500);
}

void phone_reset(struct phone *p)
{
    assert_string_equal(phone_ask(p, SMP_OP_WRITE, 0, SMP_OS_RESET, NULL, 2500), "{}");
    uint32_t now = (uint32_t)(p->s.rig.clock.us / 1000);
    assert_false(smp_os_reset_due(&p->s.os, now));
    assert_true(smp_os_reset_due(&p->s.os, now + 300));
    smprig_boot(&p->s, false);
    phone_connect(p);
}

static bool is_lost(struct phone *p)
{
    bool yes = p->lose_every != 0 && ++p->count % p->lose_every == 0;

    p->lost += yes;
    return yes;
}

uint32_t phone_chunk_room(const struct phone *p, uint32_t off)
{
    /* header, map, keys, lengths; sha and len only in the first; then a multiple of 4 */
    uint32_t around = off == 0 ? 8 + 1 + 5 + 3 + 4 + 5 + 4 + 34 + 4 + 1 : 8 + 1 + 5 + 3 + 4 + 5;

    return (p->buf_size - around) / 4 * 4;
}

uint32_t phone_submit_chunk(struct phone *p, uint32_t off)
{
    struct cborkit c;
    uint32_t n = phone_chunk_room(p, off);

    smprig_chunk(&c, p->b, PHONE_B_LEN, off, n, p->sha);
    assert_true(smprig_submit(&p->s, SMP_V2, SMP_OP_WRITE, 1, SMP_IMG_UPLOAD, &c));
    return off + n < PHONE_B_LEN ? off + n : PHONE_B_LEN;
}

uint32_t phone_answered_off(struct phone *p, unsigned i)
{
    unsigned off = 0;
    const char *text = smprig_text(&p->s, i);

    if (strncmp(text, "{\"off\":", 7) != 0)
        fail_msg("upload ended: %s", text);
    sscanf(text, "{\"off\":%u", &off);
    return off;
}

uint32_t phone_upload(struct phone *p, uint32_t off, uint32_t stop)
{
    while (off < stop) {
        uint32_t wanted = off, next = off;
        unsigned n = 0;
        smprig_clear(&p->s);
        for (; n < (off == 0 ? 1u : p->window) && next < PHONE_B_LEN; n++)
            next = phone_submit_chunk(p, next);
        uint64_t start = p->s.rig.clock.us;
        smprig_until(&p->s, n);
        assert_true(p->s.rig.clock.us - start < 2500000);
        for (unsigned i = 0; i < n; i++) {
            if (!is_lost(p))
                wanted = phone_answered_off(p, i);
        }
        /* nothing came of it: the first of them is sent again, as after a timeout */
        off = wanted;
        smprig_run(&p->s);
    }
    return off;
}
