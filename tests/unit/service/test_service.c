/* What a client sees of slots, requests, erase and group 64, across real boots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/boot/failure.h"
#include "core/smp/groups/img.h"
#include "core/smp/groups/slipway.h"
#include "tests/support/smprig.h"

enum { A_LEN = 30000, B_LEN = 50001, CHUNK = 1332 };

static struct smprig s;
static uint8_t *a, *b; /* running and new image */
static char flags[256];

static void open_board(bool with_b)
{
    struct layout l = rig_layout_at25();
    struct testimage_options oa = { .major = 1 }, ob = { .major = 2, .seed = 5, .build = 7 };

    smprig_open(&s, &l);
    a = testimage_make(&s.rig.key, &oa, A_LEN);
    b = testimage_make(&s.rig.key, &ob, B_LEN);
    rig_load(&s.rig, 0, 0, a, A_LEN);
    smprig_boot(&s, false);
    if (with_b)
        assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
}

static void close_board(void)
{
    assert_int_equal(s.rig.external_chip.violations, 0);
    assert_int_equal(s.rig.internal_chip.violations, 0);
    free(a);
    free(b);
    smprig_close(&s);
}

static const uint8_t *hash_of(const uint8_t *image, uint32_t len)
{
    /* TLVs of testimage_make(): info, then the hash */
    return image + len - (4 + 36 + 36 + 76) + 4 + 4;
}

/* The list in short: "0:AC 1:P*" - active, confirmed, pending, permanent; in the order of slots. */
static const char *in_short(const char *text)
{
    const char *p = text;
    char *out = flags;

    *out = '\0';
    while ((p = strstr(p, "{\"slot\":")) != NULL) {
        const char *end = strchr(p, '}');
        const char *key[] = { "\"active\":true", "\"confirmed\":true", "\"pending\":true",
            "\"permanent\":true" };
        out += sprintf(out, "%s%c:", out == flags ? "" : " ", p[8]);
        for (int i = 0; i < 4; i++) {
            const char *at = strstr(p, key[i]);
            if (at && at < end)
                *out++ = "ACP*"[i];
        }
        *out = '\0';
        p = end;
    }
    return strstr(text, "\"images\"") ? flags : text;
}

static const char *list(void)
{
    return in_short(smprig_ask(&s, SMP_OP_READ, SMP_GROUP_IMG, SMP_IMG_STATE, NULL));
}

/* hash NULL: none; len 32 unless it is the case's point. */
static const char *request(const uint8_t *hash, size_t len, int confirm)
{
    struct cborkit c;

    ck_map(&c, (hash ? 1u : 0u) + (confirm >= 0 ? 1u : 0u));
    if (confirm >= 0)
        ck_bool(&c, "confirm", confirm);
    if (hash)
        ck_bytes(&c, "hash", hash, len);
    return in_short(smprig_ask(&s, SMP_OP_WRITE, SMP_GROUP_IMG, SMP_IMG_STATE, &c));
}

static const char *test(const uint8_t *image, uint32_t len)
{
    return request(hash_of(image, len), 32, 0);
}

static const char *confirm(const uint8_t *image, uint32_t len)
{
    return request(hash_of(image, len), 32, 1);
}

static const char *erase(int slot)
{
    struct cborkit c;

    ck_map(&c, slot >= 0 ? 1 : 0);
    if (slot >= 0)
        ck_uint(&c, "slot", (unsigned)slot);
    return smprig_ask(&s, SMP_OP_WRITE, SMP_GROUP_IMG, SMP_IMG_ERASE, &c);
}

static const char *ours(unsigned id)
{
    return smprig_ask(&s, SMP_OP_READ, SMP_GROUP_SLIPWAY, id, NULL);
}

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        const char *t_ = (text);                                                                   \
        if (!strstr(t_, part))                                                                     \
            fail_msg("%s: not in %s", part, t_);                                                   \
    } while (0)

static const char err_group[] = "{\"err\":{\"group\":1,\"rc\":%u}}";
static const char *err(unsigned rc)
{
    static char text[40];

    snprintf(text, sizeof text, err_group, rc);
    return text;
}

static void test_states_of_an_update(void **state)
{
    (void)state;
    open_board(false);
    assert_string_equal(list(), "0:AC");
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    assert_string_equal(list(), "0:AC 1:");
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    assert_string_equal(test(b, B_LEN), "0:AC 1:P"); /* again: nothing changes */
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_TEST);
    assert_string_equal(list(), "0:A 1:C");
    assert_contains(ours(SLIPWAY_SLOTS), "\"swap\":\"trial\"");
    assert_string_equal(request(NULL, 0, 1), "0:AC 1:");
    assert_contains(ours(SLIPWAY_SLOTS), "\"swap\":\"idle\"");
    smprig_boot(&s, false);
    assert_string_equal(list(), "0:AC 1:");
    /* back by hand: the old image lies at unit 2 */
    assert_contains(ours(SLIPWAY_SLOTS), "\"v\":\"1.0.0+0\",\"size\":30000,\"hash\":");
    assert_contains(ours(SLIPWAY_SLOTS), "\"unit\":2,\"ok\":true");
    assert_string_equal(confirm(a, A_LEN), "0:AC 1:P*");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_INSTALL);
    assert_string_equal(list(), "0:AC 1:");
    assert_contains(ours(SLIPWAY_REPORT), "\"running\":\"1.0.0+0\"");
    close_board();
}

static void test_revert(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    smprig_boot(&s, false);
    assert_string_equal(list(), "0:A 1:C");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_REVERT);
    assert_string_equal(list(), "0:AC 1:");
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
    assert_memory_equal(rig_slot(&s.rig, 1), b, B_LEN);
    close_board();
}

static void test_rules_of_requests(void **state)
{
    uint8_t other[32] = { 1 };

    (void)state;
    open_board(true);
    assert_string_equal(request(other, 32, 0), err(8));
    assert_string_equal(request(other, 32, 1), err(8));
    assert_string_equal(request(other, 31, 0), err(24));
    assert_string_equal(request(NULL, 0, 0), err(24));
    assert_string_equal(request(NULL, 0, -1), err(24));
    assert_string_equal(request(other, 0, 0), err(24));
    assert_string_equal(request(other, 0, 1), "0:AC 1:"); /* an empty hash is none */
    assert_string_equal(test(a, A_LEN), err(33));
    assert_string_equal(confirm(a, A_LEN), "0:AC 1:");
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    assert_string_equal(confirm(a, A_LEN), err(28));
    assert_string_equal(request(NULL, 0, 1), err(28));
    assert_string_equal(confirm(b, B_LEN), "0:AC 1:P*"); /* pending by test is no obstacle */
    assert_string_equal(confirm(b, B_LEN), "0:AC 1:P*");
    assert_string_equal(test(b, B_LEN), err(28));
    assert_string_equal(request(NULL, 0, 1), err(28));
    close_board();
}

/* What reads blank may be left of an erase that was cut before: only who erased it in this power cycle knows better. */
static void test_a_request_goes_where_was_erased(void **state)
{
    (void)state;
    open_board(true);
    uint64_t erases = s.rig.external_chip.count.erases;
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    assert_int_equal(s.rig.external_chip.count.erases, erases); /* the upload has erased it */
    close_board();

    open_board(true);
    smprig_boot(&s, false); /* no request yet: nothing is swapped */
    erases = s.rig.external_chip.count.erases;
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    assert_int_equal(s.rig.external_chip.count.erases, erases + 1);
    assert_string_equal(confirm(b, B_LEN), "0:AC 1:P*"); /* a request that stands is not erased */
    assert_int_equal(s.rig.external_chip.count.erases, erases + 1);
    close_board();
}

static void test_null_hash_is_absent(void **state)
{
    struct cborkit c;

    (void)state;
    open_board(true);
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    smprig_boot(&s, false);
    ck_map(&c, 2);
    ck_null(&c, "hash");
    ck_bool(&c, "confirm", true);
    assert_string_equal(in_short(smprig_ask(&s, SMP_OP_WRITE, SMP_GROUP_IMG, SMP_IMG_STATE, &c)), "0:AC 1:");
    close_board();
}

static void test_trial_keeps_the_old_image(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    smprig_boot(&s, false);
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), err(9));
    assert_contains(ours(SLIPWAY_UPLOAD), "\"state\":\"refused\"");
    assert_contains(ours(SLIPWAY_UPLOAD), "\"why\":{\"r\":83,");
    assert_string_equal(erase(1), err(9));
    assert_contains(ours(SLIPWAY_SLOTS), "\"refused\":{\"r\":83,");
    assert_string_equal(test(a, A_LEN), err(28));
    assert_string_equal(confirm(a, A_LEN), "0:A 1:C"); /* the board goes back to it anyway */
    assert_string_equal(test(b, B_LEN), err(33));
    assert_string_equal(confirm(b, B_LEN), "0:AC 1:");
    /* confirmed: slot 1 may be used again in the same run */
    assert_string_equal(smprig_upload(&s, a, A_LEN, CHUNK), "{\"off\":30000,\"match\":true}");
    smprig_boot(&s, false);
    assert_string_equal(list(), "0:AC 1:");
    close_board();
}

static void test_erase(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(erase(0), err(9));
    assert_string_equal(erase(2), err(14));
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    assert_string_equal(erase(-1), "{}");
    assert_string_equal(list(), "0:AC");
    smprig_run(&s);
    assert_true(bytes_all(rig_slot(&s.rig, 1), s.rig.layout.slot1.size, 0xFF));
    assert_contains(ours(SLIPWAY_SLOTS), "\"why\":{\"r\":20,\"slot\":1");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    close_board();
}

/* A whole slot takes 12 s to erase, some clients wait for 6. */
static void test_erase_of_a_full_slot_answers_in_time(void **state)
{
    uint32_t size;
    uint8_t *full;

    (void)state;
    open_board(false);
    size = s.rig.layout.slot1.size;
    full = calloc(1, size);
    rig_load(&s.rig, 1, 0, full, size);
    uint64_t start = s.rig.clock.us;
    assert_string_equal(erase(1), "{}");
    assert_true(s.rig.clock.us - start < 3500000);
    assert_string_equal(list(), "0:AC");
    start = s.rig.clock.us;
    assert_string_equal(smprig_send(&s, b, B_LEN, 0, 1, CHUNK), "{\"off\":1332}");
    assert_true(s.rig.clock.us - start < 500000);
    smprig_run(&s);
    assert_string_equal(smprig_send(&s, b, B_LEN, CHUNK, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    assert_memory_equal(rig_slot(&s.rig, 1), b, B_LEN);
    /* and to its end if nobody comes */
    assert_string_equal(erase(1), "{}");
    smprig_run(&s);
    assert_true(bytes_all(rig_slot(&s.rig, 1), size, 0xFF));
    free(full);
    close_board();
}

static void test_slot_info(void **state)
{
    (void)state;
    open_board(false);
    assert_string_equal(smprig_ask(&s, SMP_OP_READ, SMP_GROUP_IMG, SMP_IMG_SLOTS, NULL),
        "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":925696},"
        "{\"slot\":1,\"size\":1048576,\"upload_image_id\":0}],\"max_image_size\":921600}]}");
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ID, .id = 0xC22817 }), OK);
    assert_string_equal(smprig_ask(&s, SMP_OP_READ, SMP_GROUP_IMG, SMP_IMG_SLOTS, NULL),
        "{\"images\":[{\"image\":0,\"slots\":[{\"slot\":0,\"size\":925696},"
        "{\"slot\":1,\"rc\":10}],\"max_image_size\":921600}]}");
    close_board();
}

struct fault {
    const char *name;
    struct nor_fault fault;
    const char *test; /* of the image in slot 1 */
    const char *why; /* of slot 1 */
};

/* A slot that cannot be read is not an empty one: the cause is the answer, not "hash not found". */
static const struct fault faults[] = {
    { "absent", { .kind = NOR_FAULT_ABSENT }, "{\"err\":{\"group\":1,\"rc\":10}}", "{\"r\":1,\"slot\":1,\"f\":16777215,\"e\":2049804," },
    { "another chip", { .kind = NOR_FAULT_ID, .id = 0xC22817 }, "{\"err\":{\"group\":1,\"rc\":10}}", "{\"r\":2,\"slot\":1,\"f\":12724247,\"e\":2049804," },
    { "stuck busy", { .kind = NOR_FAULT_BUSY }, "{\"err\":{\"group\":1,\"rc\":10}}", "{\"r\":3,\"slot\":1," },
    { "read error", { .kind = NOR_FAULT_READ_ERROR }, "{\"err\":{\"group\":1,\"rc\":11}}", "{\"r\":6,\"slot\":1," },
};

static void test_broken_chip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        open_board(true);
        assert_string_equal(list(), "0:AC 1:");
        print_message("%s\n", faults[i].name);
        assert_int_equal(nor_fault_add(&s.rig.external_chip, &faults[i].fault), OK);
        smprig_start(&s, false);
        assert_string_equal(list(), "0:AC");
        assert_contains(ours(SLIPWAY_SLOTS), faults[i].why);
        assert_string_equal(test(b, B_LEN), faults[i].test);
        assert_contains(ours(SLIPWAY_SLOTS), "\"refused\":{");
        assert_contains(smprig_upload(&s, b, B_LEN, CHUNK), "\"err\":{\"group\":1");
        assert_contains(erase(1), "\"err\":{\"group\":1");
        assert_string_equal(request(NULL, 0, 1), "0:AC");
        assert_string_equal(smprig_ask(&s, SMP_OP_READ, 0, SMP_OS_BOOTLOADER, NULL), "{\"bootloader\":\"MCUboot\"}");
        close_board();
    }
}

static void test_image_put_there_by_somebody_else(void **state)
{
    struct testkey stranger;
    struct testimage_options o = { .major = 3 }, other = { .major = 3, .layout_hash = 0x12345678 };

    (void)state;
    open_board(false);
    b[B_LEN - 400] ^= 1;
    rig_load(&s.rig, 1, 0, b, B_LEN);
    assert_string_equal(list(), "0:AC"); /* not listed: it could never be tested */
    assert_string_equal(test(b, B_LEN), err(24));
    assert_contains(ours(SLIPWAY_SLOTS), "\"ok\":false},\"why\":{\"r\":29,\"slot\":1,");
    assert_string_equal(erase(1), "{}");
    smprig_run(&s);

    testkey_make(&stranger);
    uint8_t *x = testimage_make(&stranger, &o, 9000);
    rig_load(&s.rig, 1, 0, x, 9000);
    smprig_start(&s, false);
    assert_string_equal(test(x, 9000), err(24));
    assert_contains(ours(SLIPWAY_SLOTS), "\"ok\":false},\"why\":{\"r\":31,\"slot\":1,");
    assert_string_equal(erase(1), "{}");
    smprig_run(&s);
    free(x);
    testkey_free(&stranger);

    x = testimage_make(&s.rig.key, &other, 9000);
    rig_load(&s.rig, 1, 0, x, 9000);
    smprig_start(&s, false);
    assert_string_equal(test(x, 9000), err(25));
    assert_contains(ours(SLIPWAY_SLOTS), "\"ok\":true},\"why\":{\"r\":35,\"slot\":1,\"f\":305419896,");
    assert_string_equal(list(), "0:AC 1:");
    free(x);
    close_board();
}

/* Verified once: a list after the first costs no hash and no signature. */
static void test_verdicts_are_remembered(void **state)
{
    (void)state;
    open_board(true);
    smprig_start(&s, false);
    assert_string_equal(list(), "0:AC 1:");
    unsigned polls = 0;
    smprig_clear(&s);
    assert_true(smprig_submit(&s, SMP_V2, SMP_OP_READ, SMP_GROUP_IMG, SMP_IMG_STATE, NULL));
    while (s.answers == 0) {
        polls++;
        smp_poll(&s.server);
    }
    assert_true(polls < 8);
    close_board();
}

/* A verdict is of what lay there then: the same header and TLVs around another payload are another image. */
static void test_verdicts_end_with_a_write(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(list(), "0:AC 1:");
    b[20000] ^= 4;
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), err(24));
    assert_string_equal(list(), "0:AC");
    assert_string_equal(test(b, B_LEN), err(24));
    close_board();
}

static void test_layouts_that_differ(void **state)
{
    (void)state;
    open_board(true);
    s.rig.report.layout_hash ^= 1;
    smprig_start(&s, false);
    assert_string_equal(test(b, B_LEN), err(2));
    assert_contains(ours(SLIPWAY_SLOTS), "\"refused\":{\"r\":61,");
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), err(2));
    assert_contains(ours(SLIPWAY_UPLOAD), "\"why\":{\"r\":61,");
    assert_string_equal(erase(1), err(2));
    assert_string_equal(request(NULL, 0, 1), "0:AC 1:");
    close_board();
}

static void test_recovery(void **state)
{
    (void)state;
    open_board(false);
    s.rig.internal_chip.mem[s.rig.layout.slot0.off + 5000] ^= 1;
    smprig_boot(&s, true);
    assert_int_equal(s.rig.result.outcome, BOOT_RECOVERY);
    assert_string_equal(list(), "");
    assert_contains(ours(SLIPWAY_REPORT), "\"started\":false");
    assert_contains(ours(SLIPWAY_REPORT), "\"running\":\"\"");
    assert_string_equal(request(NULL, 0, 1), err(28));
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_RECOVER);
    assert_string_equal(list(), "0:AC 1:");
    assert_memory_equal(rig_slot(&s.rig, 0), b, B_LEN);
    close_board();
}

static void test_recovery_without_the_external_chip(void **state)
{
    (void)state;
    open_board(false);
    s.rig.internal_chip.mem[s.rig.layout.slot0.off + 5000] ^= 1;
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }), OK);
    smprig_boot(&s, true);
    /* odd chunks: a word of internal flash takes two programs, so a word is not left half written */
    assert_string_equal(smprig_send(&s, b, B_LEN, 0, 1, 371), "{\"off\":368}");
    assert_string_equal(smprig_upload(&s, b, B_LEN, 371), "{\"off\":50001,\"match\":true}");
    assert_contains(ours(SLIPWAY_SLOTS), "\"slot\":0,\"image\":{\"v\":\"2.0.0+7\"");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.result.outcome, BOOT_START);
    assert_string_equal(list(), "0:AC");
    assert_memory_equal(rig_slot(&s.rig, 0), b, B_LEN);
    close_board();
}

/* What was erased ahead in slot 1 says nothing of slot 0. */
static void test_recovery_goes_on_in_slot_0_when_the_chip_dies(void **state)
{
    (void)state;
    open_board(false);
    s.rig.internal_chip.mem[s.rig.layout.slot0.off + 5000] ^= 1;
    smprig_boot(&s, true);
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    assert_string_equal(erase(1), "{}");
    smprig_run(&s);
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }), OK);
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    assert_memory_equal(rig_slot(&s.rig, 0), b, B_LEN);
    close_board();
}

/* MCUboot left an image on trial, and the chip with the old one is silent: a confirm must last. */
static void test_confirm_of_a_trial_of_mcuboot(void **state)
{
    struct trailer t;

    (void)state;
    open_board(true);
    struct flash_area p = store_slot(&s.rig.store, 0), area = store_state(&s.rig.store);
    static uint8_t blank[4096];
    memset(blank, 0xFF, sizeof blank);
    for (uint32_t i = 0; i < 4; i++)
        nor_load(&s.rig.internal_chip, area.off + i * 4096, blank, sizeof blank);
    assert_int_equal(trailer_erase(&p, 4096), OK);
    assert_int_equal(trailer_write_primary(&p, false), OK);
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }), OK);
    smprig_boot(&s, false);
    assert_int_equal(s.rig.result.outcome, BOOT_START);
    assert_string_equal(request(NULL, 0, 1), "0:AC");
    assert_int_equal(trailer_read(&p, &t), OK);
    assert_int_equal(t.image_ok, TRAILER_SET);
    s.rig.external_chip.faults = 0;
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    assert_memory_equal(rig_slot(&s.rig, 0), a, A_LEN);
    close_board();
}

/* A recovery upload during a trial: the next boot must not go on with what is no longer there. */
static void test_recovery_upload_ends_a_trial(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    smprig_boot(&s, false);
    smprig_start(&s, true);
    assert_string_equal(smprig_upload(&s, a, A_LEN, CHUNK), "{\"off\":30000,\"match\":true}");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    assert_string_equal(list(), "0:AC 1:");
    assert_memory_equal(rig_slot(&s.rig, 0), b, B_LEN);
    close_board();
}

static void test_recovery_erase_ends_a_trial(void **state)
{
    (void)state;
    open_board(true);
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    smprig_boot(&s, false);
    smprig_start(&s, true);
    assert_string_equal(erase(1), "{}");
    smprig_boot(&s, false);
    assert_int_equal(s.rig.report.action, BOOT_ACTION_NONE);
    assert_false(s.rig.report.on_trial);
    for (unsigned i = 0; i < s.rig.report.findings; i++)
        assert_int_not_equal(s.rig.report.finding[i].reason, REASON_OLD_IMAGE_LOST);
    assert_string_equal(list(), "0:AC");
    close_board();
}

static void test_errors_in_v1(void **state)
{
    uint8_t other[32] = { 1 };
    struct cborkit c;

    (void)state;
    open_board(false);
    ck_map(&c, 1);
    ck_bytes(&c, "hash", other, 32);
    assert_string_equal(smprig_ask_v1(&s, SMP_OP_WRITE, 1, SMP_IMG_STATE, &c), "{\"rc\":1}");
    ck_map(&c, 1);
    ck_uint(&c, "slot", 0);
    assert_string_equal(smprig_ask_v1(&s, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c), "{\"rc\":6}");
    ck_map(&c, 1);
    ck_uint(&c, "slot", 7);
    assert_string_equal(smprig_ask_v1(&s, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c), "{\"rc\":3}");
    ck_map(&c, 1);
    ck_string(&c, "slot", "1");
    assert_string_equal(smprig_ask_v1(&s, SMP_OP_WRITE, 1, SMP_IMG_ERASE, &c), "{\"rc\":3}");
    close_board();
}

static void test_flash_and_layout(void **state)
{
    (void)state;
    open_board(false);
    assert_string_equal(ours(SLIPWAY_FLASH),
        "{\"chips\":[{\"name\":\"internal\",\"size\":1048576,\"erase\":4096,\"jedec\":0,\"jedec_want\":0,\"ok\":true},"
        "{\"name\":\"external\",\"size\":4194304,\"erase\":4096,\"jedec\":2049804,\"jedec_want\":2049804,\"ok\":true}]}");
    assert_int_equal(nor_fault_add(&s.rig.external_chip, &(struct nor_fault) { .kind = NOR_FAULT_ABSENT }), OK);
    assert_contains(ours(SLIPWAY_FLASH), "\"jedec\":16777215,\"jedec_want\":2049804,\"ok\":false,\"why\":{\"r\":1,\"slot\":1,");
    assert_int_equal(nor_fault_add(&s.rig.internal_chip, &(struct nor_fault) { .kind = NOR_FAULT_READ_ERROR }), OK);
    assert_contains(ours(SLIPWAY_FLASH), "\"jedec_want\":0,\"ok\":false,\"why\":{\"r\":8,\"slot\":0,");
    assert_string_equal(ours(SLIPWAY_LAYOUT),
        "{\"board\":\"at25xe321d_nrf52840\",\"hash\":1606722823,\"boot\":1606722823,\"unit\":4096,\"gap\":2,\"max\":921600,"
        "\"parts\":[{\"name\":\"boot\",\"chip\":\"internal\",\"off\":0,\"size\":49152},"
        "{\"name\":\"slot0\",\"chip\":\"internal\",\"off\":49152,\"size\":925696},"
        "{\"name\":\"slot1\",\"chip\":\"external\",\"off\":0,\"size\":1048576},"
        "{\"name\":\"state\",\"chip\":\"internal\",\"off\":974848,\"size\":16384}]}");
    close_board();
}

/* With everything in it that it can hold, at its longest, the report still fits a message. */
static void test_longest_report(void **state)
{
    struct boot_report *r = &s.rig.report;
    struct finding f[FAILURE_KEPT];

    (void)state;
    open_board(false);
    memset(r->phase_ms, 0xFF, sizeof r->phase_ms);
    r->total_ms = r->layout_hash = r->jedec = UINT32_MAX;
    r->starts = r->attempts = r->gap = UINT8_MAX;
    r->units = UINT16_MAX;
    for (unsigned i = 0; i < 2; i++) {
        r->slot[i] = (struct slot_report) { .present = true, .version = { 255, 255, 65535, UINT32_MAX },
            .size = UINT32_MAX, .unit = 255 };
        r->slot[i].why = (struct finding) { 84, 1, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    }
    r->findings = REPORT_FINDINGS;
    for (unsigned i = 0; i < REPORT_FINDINGS; i++)
        r->finding[i] = r->slot[1].why;
    for (unsigned i = 0; i < FAILURE_KEPT; i++)
        f[i] = (struct finding) { REASON_EXT_READ, 1, UINT32_MAX - i, UINT32_MAX, UINT32_MAX };
    assert_true(failure_append(&s.rig.store, f, FAILURE_KEPT) >= 0);
    const char *text = ours(SLIPWAY_REPORT);
    assert_contains(text, "\"running\":\"255.255.65535+4294967295\"");
    assert_contains(text, "\"failures\":[{\"r\":6,\"slot\":1,\"f\":4294967295,");
    assert_contains(text, "\"f\":4294967288,\"e\":4294967295,\"w\":4294967295}]}");
    assert_true(s.len[0] <= SMP_BUF_SIZE);
    print_message("the longest report takes %u bytes\n", s.len[0]);
    close_board();
}

static void test_without_a_boot_report(void **state)
{
    struct service_config cfg = { .store = &s.rig.store };

    (void)state;
    open_board(true);
    service_init(&s.service, &cfg);
    assert_string_equal(list(), "0:AC 1:");
    assert_contains(ours(SLIPWAY_REPORT), "{\"action\":\"none\",\"started\":false,");
    assert_contains(ours(SLIPWAY_LAYOUT), "\"boot\":0,");
    assert_string_equal(test(b, B_LEN), "0:AC 1:P");
    close_board();
}

/* Sound, but not to be installed: the request is refused, and the slot says why. */
static void test_images_that_cannot_be_installed(void **state)
{
    struct testimage_options parked = { .major = 3, .flags = IMAGE_F_NON_BOOTABLE }, o = { .major = 3 };

    (void)state;
    open_board(false);
    uint8_t *x = testimage_make(&s.rig.key, &parked, 9000);
    rig_load(&s.rig, 1, 0, x, 9000);
    assert_string_equal(test(x, 9000), err(22));
    assert_contains(ours(SLIPWAY_SLOTS), "\"ok\":true},\"why\":{\"r\":23,\"slot\":1,\"f\":16,");
    free(x);
    x = testimage_make(&s.rig.key, &o, 930000);
    rig_load(&s.rig, 1, 0, x, 930000);
    smprig_start(&s, false);
    assert_string_equal(test(x, 930000), err(30));
    assert_contains(ours(SLIPWAY_SLOTS), "\"ok\":true},\"why\":{\"r\":34,\"slot\":1,\"f\":930000,\"e\":921600,");
    free(x);
    close_board();
}

/* An application that runs beside a swap that had to stop must not touch what it is made of. */
static void test_unfinished_swap(void **state)
{
    struct cborkit c;

    (void)state;
    open_board(true);
    ck_map(&c, 2);
    ck_uint(&c, "confirm", 0); /* a number is as good as a boolean */
    ck_bytes(&c, "hash", hash_of(b, B_LEN), 32);
    assert_string_equal(in_short(smprig_ask(&s, SMP_OP_WRITE, 1, SMP_IMG_STATE, &c)), "0:AC 1:P");
    /* in the middle of the slide */
    sim_power_cut_at(&s.rig.power, s.rig.power.ops + 300, SIM_TEAR_NONE);
    rig_boot(&s.rig);
    s.rig.power.cut_at = 0;
    sim_power_up(&s.rig.power);
    s.rig.internal.busy = s.rig.external.busy = false;
    smprig_start(&s, false);
    assert_contains(ours(SLIPWAY_SLOTS), "\"swap\":\"unfinished\"");
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), err(9));
    assert_string_equal(erase(1), err(9));
    assert_string_equal(request(NULL, 0, 1), err(28));
    /* with an image in slot 1 the request itself is refused */
    struct testimage_options o = { .major = 3 };
    uint8_t *x = testimage_make(&s.rig.key, &o, 9000);
    memset(s.rig.external_chip.mem, 0xFF, s.rig.layout.slot1.size);
    rig_load(&s.rig, 1, 0, x, 9000);
    assert_string_equal(test(x, 9000), err(28));
    assert_contains(ours(SLIPWAY_SLOTS), "\"refused\":{\"r\":52,");
    free(x);
    close_board();
}

/* The same image in both slots: a test is of slot 1, a confirm of what runs. */
static void test_same_image_in_both_slots(void **state)
{
    (void)state;
    open_board(false);
    rig_load(&s.rig, 1, 0, a, A_LEN);
    assert_string_equal(confirm(a, A_LEN), "0:AC 1:");
    assert_string_equal(test(a, A_LEN), "0:AC 1:P");
    assert_string_equal(confirm(a, A_LEN), err(28));
    close_board();
}

/* Requests that come while a unit is erased in the background wait for its end, and no longer. */
static void test_requests_during_an_erase(void **state)
{
    static const struct {
        uint16_t group;
        uint8_t op, id;
    } requests[] = {
        { 1, SMP_OP_READ, SMP_IMG_STATE },
        { 1, SMP_OP_READ, SMP_IMG_SLOTS },
        { 64, SMP_OP_READ, SLIPWAY_FLASH },
        { 64, SMP_OP_READ, SLIPWAY_SLOTS },
        { 64, SMP_OP_READ, SLIPWAY_UPLOAD },
        { 0, SMP_OP_READ, SMP_OS_PARAMS },
        { 1, SMP_OP_WRITE, SMP_IMG_ERASE },
    };

    (void)state;
    open_board(false);
    uint32_t off = 0;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        smprig_send(&s, b, B_LEN, off, off + 1, CHUNK);
        off += CHUNK;
        while (!s.rig.external.busy)
            assert_true(smp_poll(&s.server));
        uint64_t start = s.rig.clock.us;
        assert_null(strstr(smprig_ask(&s, requests[i].op, requests[i].group, requests[i].id, NULL), "\"err\""));
        assert_true(s.rig.clock.us - start < (requests[i].id == SMP_IMG_ERASE ? 4000000u : 60000u));
    }
    /* and so does the first chunk after the erase */
    assert_string_equal(erase(1), "{}");
    assert_string_equal(smprig_upload(&s, b, B_LEN, CHUNK), "{\"off\":50001,\"match\":true}");
    close_board();
}

/* Every reason has a code that all clients know. */
static void test_codes_are_standard(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 256; r++) {
        struct finding why = { .reason = (uint16_t)r };
        for (int e = -18; e < 0; e++) {
            unsigned code = smp_img_code(&why, e);
            assert_true(code >= 1 && code <= 33);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_of_an_update),
        cmocka_unit_test(test_revert),
        cmocka_unit_test(test_rules_of_requests),
        cmocka_unit_test(test_a_request_goes_where_was_erased),
        cmocka_unit_test(test_null_hash_is_absent),
        cmocka_unit_test(test_trial_keeps_the_old_image),
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_erase_of_a_full_slot_answers_in_time),
        cmocka_unit_test(test_slot_info),
        cmocka_unit_test(test_broken_chip),
        cmocka_unit_test(test_image_put_there_by_somebody_else),
        cmocka_unit_test(test_verdicts_are_remembered),
        cmocka_unit_test(test_verdicts_end_with_a_write),
        cmocka_unit_test(test_layouts_that_differ),
        cmocka_unit_test(test_recovery),
        cmocka_unit_test(test_recovery_without_the_external_chip),
        cmocka_unit_test(test_recovery_goes_on_in_slot_0_when_the_chip_dies),
        cmocka_unit_test(test_confirm_of_a_trial_of_mcuboot),
        cmocka_unit_test(test_recovery_upload_ends_a_trial),
        cmocka_unit_test(test_recovery_erase_ends_a_trial),
        cmocka_unit_test(test_errors_in_v1),
        cmocka_unit_test(test_flash_and_layout),
        cmocka_unit_test(test_longest_report),
        cmocka_unit_test(test_without_a_boot_report),
        cmocka_unit_test(test_images_that_cannot_be_installed),
        cmocka_unit_test(test_unfinished_swap),
        cmocka_unit_test(test_same_image_in_both_slots),
        cmocka_unit_test(test_requests_during_an_erase),
        cmocka_unit_test(test_codes_are_standard),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
