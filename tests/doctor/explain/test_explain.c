/*
 * Lines as devices, builds, phone apps and clients print them, and the entry that each must lead to: the
 * beginning of its title. Sources: Zephyr's and MCUboot's sources and issues, the app's texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/doctor/explain.h"
#include "host/doctor/rule.h"

struct row {
    const char *line, *title; /* NULL: nothing is known */
};

static const struct row lines[] = {
    /* MCUboot */
    { "E: Failed to open flash area ID 1 (image 0 slot 1): -19, cannot continue", "-19 (ENODEV)" },
    { "E: Failed to open flash area ID 5 (image 0 slot 1): -2, cannot continue", "-2 (ENOENT)" },
    { "[00:00:12.667,419] <err> mcumgr_img_grp: Failed to open flash area ID 3: -19", "-19 (ENODEV)" },
    { "<err> mcumgr_img_grp: Failed to open flash area ID 3: -2", "-2 (ENOENT)" },
    { "<err> mcumgr_img_grp: Failed to open flash area ID 3: -22", "The flash device or area of a slot" },
    { "W: Failed reading sectors; BOOT_MAX_IMG_SECTORS=128 - too small?", "MCUboot cannot list the sectors" },
    { "W: Cannot upgrade: not a compatible amount of sectors", "The slots have sector counts" },
    { "[00:00:00.313,964] <wrn> mcuboot: Cannot upgrade: slots have non-compatible sectors", "The slots are divided" },
    { "W: Cannot upgrade: not same sector layout", "The slots are divided" },
    { "W: Cannot upgrade: more sectors than allowed", "A slot has more sectors" },
    { "E: Unable to find bootable image", "MCUboot finds no valid image" },
    { "E: Image in the secondary slot is not valid!", "MCUboot rejects the uploaded image" },
    { "E: Image in the primary slot is not valid!", "The image in slot 0 does not verify" },
    { "<err> mcuboot: insufficient version in secondary slot", "MCUboot refuses the image because" },
    { "I: Image index: 0, Swap type: test", "MCUboot swaps in the uploaded image for a trial" },
    { "I: Swap type: perm", "MCUboot swaps in the uploaded image for good" },
    { "I: Image index: 0, Swap type: revert", "MCUboot takes the last update back" },
    { "[00:00:00.256,103] <inf> mcuboot: Swap type: none", "MCUboot sees nothing to install" },
    { "E: panic! Swap type: panic", "MCUboot cannot decide" },
    { "I: Secondary image: magic=unset, swap_type=0x1, copy_done=0x3, image_ok=0x3", "Slot 1 has no mark" },
    { "I: Secondary image: magic=bad, swap_type=0x1, copy_done=0x2, image_ok=0x2",
        "The end of slot 1 holds something" },
    { "E: bad image magic 0xffffffff", "The image in the slot does not begin" },
    { "E: Image in slot was built for offset 0xc200 but runs at 0x10200", "The image is linked for another address" },
    { "E: Reset address of image in secondary slot is not in the primary slot",
        "The image is linked for another address" },
    { "I: Image index: 1, Swap type: none", "MCUboot sees nothing to install" },
    { "ASSERTION FAIL [rc == 0] @ bootloader/mcuboot/boot/bootutil/src/swap_scratch.c:380",
        "An assertion in MCUboot's swap" },
    { "I: Bootloader chainload address offset: 0xc000", "MCUboot found a good image" },
    { "I: Jumping to the first image slot", "MCUboot found a good image" },
    { "context_boot_go abort", "MCUboot stops before it looks" },
    /* the application */
    { "[00:00:12.667,236] <inf> mcuboot_util: Secondary image of image pair (0.) is unreachable. Treat it as empty",
        "The application cannot read slot 1" },
    { "<err> mcumgr_img_grp: Faled boot_set_next with code 3, for slot 1, with active slot 0 and confirm 0",
        "What is read back from slot 1 has no" },
    { "<err> stream_flash: Error -22 while erasing page", "Erasing the slot failed" },
    { "<err> stream_flash: Error -116 while erasing page", "Erasing the slot failed" },
    { "<err> stream_flash: flash_write error -5 offset=0x00001000", "Writing the slot failed" },
    /* drivers */
    { "<err> qspi_nor: JEDEC id [00 00 00] expect [c2 28 17]", "The external flash does not answer" },
    { "<err> qspi_nor: JEDEC id [ff ff ff] expect [1f 47 0c]", "The external flash does not drive" },
    { "<err> qspi_nor: JEDEC id [ef 40 17] expect [c2 28 17]", "Another chip answers" },
    { "<err> spi_nor: Device id c8 40 18 does not match config c2 28 17", "Another chip answers" },
    { "<err> spi_nor: Device id ff ff ff does not match config c2 28 17", "The external flash does not drive" },
    { "<err> spi_nor: SFDP magic 00000000 invalid", "The flash's own description" },
    { "<err> flash: erase failed: -116", "-116 (ETIMEDOUT)" },
    { "flash_area_read() failed, rc=-5", "-5 (EIO)" },
    { "<err> app: flash_area_open failed (-19)", "-19 (ENODEV)" },
    { "nvs mount error -22", "-22 (EINVAL)" },
    { "E: flash_img_init failed: -12", "-12 (ENOMEM)" },
    /* builds */
    { "pm_sysflash.h:20:37: error: 'PM_MCUBOOT_SECONDARY_ID' undeclared (first use in this function)",
        "The Partition Manager placed no" },
    { "error: 'PM_MCUBOOT_PRIMARY_1_ID' undeclared (first use in this function); did you mean 'PM_MCUBOOT_PRIMARY_2_ID'?",
        "MCUboot is built for two images" },
    { "Partition manager failed: Statically defined partitions are not packed at start of region 'external_flash'.",
        "A static partition does not fit" },
    { "ld.bfd: region `FLASH' overflowed by 3412 bytes", "The image is larger than its partition" },
    { "Error: Image size (0xf1e34) + trailer (0x1870) exceeds requested size 0xf2000",
        "imgtool: the image with its trailer" },
    { "devicetree error: /chosen: undefined node label 'at25xe32'", "An overlay refers to a node" },
    { "warning: attempt to assign the value 'n' to the undefined symbol MCUMGR_TRANSPORT_BT_AUTHEN",
        "A configuration file assigns" },
    { "error: Aborting due to Kconfig warnings", "A configuration file assigns" },
    { "warning: LOG_PRINTK (defined at subsys/logging/Kconfig:1) was assigned the value 'y' but got the value 'n'.",
        "An assignment did not take" },
    /* the phone app */
    { "Hash not found (8)", "No slot that the device can read" },
    { "Hash not Found (8)", "No slot that the device can read" },
    { "Error: The image in the slot does not have a hash TLV", "No slot that the device can read" },
    { "No free slot (9)", "Image group: the slot for the upload is in use" },
    { "Image already pending (28)", "Image group: an image is already pending" },
    { "Not supported (8)", "SMP's own 8" },
    { "Busy (10)", "The device is busy" },
    { "Connection timed out", "The phone had no answer" },
    { "Tested image not found.", "The device's answer to test or confirm" },
    { "Confirmed image not found", "The device's answer to test or confirm" },
    { "Downgrade forbidden", "The app's words for" },
    { "Image digest does not match, try again.", "The device says that what arrived" },
    { "Payload (9 bytes) too long for MTU: 0", "The device answered the app's first question" },
    { "n must be >= 0", "The device's buffer is too small" },
    { "No content to map due to end-of-input", "The device answered with an empty message" },
    { "Unrecognized field \"rsn\" (class io.runtime.mcumgr.response.McuMgrResponse$GroupReturnCode)",
        "The device's error holds" },
    { "Missing images information", "The answer to the image list has no list" },
    { "No slot found for selected image.", "The app lists no unconfirmed image" },
    { "Invalid image file.", "The app does not take the file" },
    { "Unknown error (256)", "An error number of the application's own" },
    /* other clients */
    { "NMP timeout", "The command-line client had no answer" },
    { "Error: 8", "SMP's own 8" },
    { "Error: 1", "The handler failed and does not say why" },
    { "Error: 3", "A value in the request" },
    { "IMG_MGMT_ERR_HASH_NOT_FOUND", "No slot that the device can read" },
    { "smpclient: <IMG_MGMT_ERR.NO_FREE_SLOT: 9>", "Image group: the slot for the upload is in use" },
    { "IMG_MGMT_ERR_FLASH_WRITE_FAILED", "Image group: writing the slot failed" },
    { "MGMT_ERR_EBUSY", "The device is busy" },
    { "MGMT_ERR.ENOTSUP", "SMP's own 8" },
    { "{\"err\": {\"group\": 1, \"rc\": 22}}", "Image group: the first chunk does not hold" },
    { "{\"err\":{\"group\":1,\"rc\":30}}", "Image group: the image is too large" },
    { "{\"rc\": 8}", "SMP's own 8" },
    { "{\"rc\": 7, \"off\": 0}", "The answer does not fit" },
    { "rsn: fa erase fail", "Erasing the slot failed" },
    { "rsn: magic mismatch", "The image in the slot does not begin" },
    { "GATT INSUF AUTHENTICATION (5)", "The device wants a paired" },
    /* nothing */
    { "*** Booting nRF Connect SDK v2.5.2 ***", NULL },
    { "[00:00:00.000,000] <inf> main: temperature -19 degrees", NULL },
    { "uploaded 33 %, error rate 0-22", NULL },
    { "device-19 failed to start", NULL },
    { "I: Starting bootloader", NULL },
    { "erased 12 pages", NULL },
    { "{\"rc\": 0}", NULL },
    { "", NULL },
};

static void test_lines(void **state)
{
    size_t bad = 0;

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        const struct explanation *e = explain_line(lines[i].line, strlen(lines[i].line));
        const char *want = lines[i].title;
        if (!e != !want || (e && strncmp(e->title, want, strlen(want)) != 0)) {
            print_error("%s\n  gives %s\n", lines[i].line, e ? e->title : "nothing");
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static void test_words(void **state)
{
    static const struct {
        const char *words, *label, *title; /* label "": none; title NULL: no entry */
    } rows[] = {
        { "smp 1 8", "IMG 8 HASH_NOT_FOUND", "No slot that the device can read" },
        { "smp 1 23", "IMG 23 INVALID_IMAGE_HEADER_MAGIC", "The image in the slot does not begin" },
        { "img 8", "IMG 8 HASH_NOT_FOUND", "No slot that the device can read" },
        { "smp 8", "SMP 8 ENOTSUP", "SMP's own 8" },
        { "smp 0 8", "SMP 8 ENOTSUP", "SMP's own 8" },
        { "os 4", "OS 4 RTC_NOT_SET", NULL },
        { "smp 8 3", "FS 3 FILE_NOT_FOUND", NULL },
        { "-2", "", "-2 (ENOENT)" },
        { "2", "", "-2 (ENOENT)" },
        { "-19", "", "-19 (ENODEV)" },
        { "errno 116", "", "-116 (ETIMEDOUT)" },
        { "Hash not Found (8)", "", "No slot that the device can read" },
        { "Flash erase failed (13)", "IMG 13 FLASH_ERASE_FAILED", "Image group: erasing the slot failed" },
        { "{\"err\":{\"group\":1,\"rc\":9}}", "IMG 9 NO_FREE_SLOT", "Image group: the slot for the upload" },
        { "Failed reading sectors; BOOT_MAX_IMG_SECTORS=128 - too small?", "", "MCUboot cannot list" },
    };
    static const char *const unknown[] = { "smp 1 99", "smp 99 1", "-9999", "999999999999", "hello", "", "smp", "8x",
        "it is late (900)", "smp -5 8", "xyz 8" };
    struct explain_hit hit;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *want = rows[i].title;
        bool known = explain_words(rows[i].words, &hit);
        if (!known || strcmp(hit.label, rows[i].label) != 0 || !hit.entry != !want
            || (want && strncmp(hit.entry->title, want, strlen(want)) != 0))
            fail_msg("%s gives \"%s\", %s", rows[i].words, hit.label, hit.entry ? hit.entry->title : "no entry");
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (explain_words(unknown[i], &hit))
            fail_msg("\"%s\" is known: %s", unknown[i], hit.entry ? hit.entry->title : hit.label);
    }
}

/* Every code of the image group and of SMP itself that has a name has an entry; success needs none. */
static void test_codes_are_complete(void **state)
{
    (void)state;
    for (int rc = 1; rc <= 34; rc++) {
        if (!explain_smp(1, rc))
            fail_msg("smp 1 %d", rc);
    }
    for (int rc = 1; rc <= 13; rc++) {
        if (!explain_smp(-1, rc))
            fail_msg("smp %d", rc);
    }
    assert_null(explain_smp(1, 0));
    assert_null(explain_smp(1, 35));
}

/* Each has causes and something to do, its rules exist, and its own texts lead to it. */
static void test_entries_are_whole(void **state)
{
    const struct explanation *e;
    size_t n = 0;

    (void)state;
    for (; (e = explain_at(n)); n++) {
        char rules[200], *save = NULL;
        if (!e->causes[0] || (!e->action && !e->tell) || (!e->code && !e->match[0]))
            fail_msg("%s: not whole", e->title);
        snprintf(rules, sizeof rules, "%s", e->rules ? e->rules : "");
        for (char *r = strtok_r(rules, " ", &save); r; r = strtok_r(NULL, " ", &save)) {
            if (!rule_find(r))
                fail_msg("%s: there is no rule %s", e->title, r);
        }
        for (int m = 0; m < EXPLAIN_MATCHES && e->match[m]; m++) {
            if (!strchr(e->match[m], '*') && explain_line(e->match[m], strlen(e->match[m])) != e)
                fail_msg("%s: \"%s\" leads elsewhere", e->title, e->match[m]);
        }
    }
    assert_true(n > 100);
}

struct seen {
    unsigned line[8];
    int count;
};

static void note(const struct explain_hit *hit, void *ctx)
{
    struct seen *s = ctx;

    s->line[s->count++] = hit->line;
}

static void test_log_says_each_once(void **state)
{
    static const char log[] =
        "*** Booting ***\r\nE: JEDEC id [00 00 00] expect [c2 28 17]\r\nSwap type: none\r\n\0junk\n"
        "E: JEDEC id [00 00 00] expect [c2 28 17]\nW: Failed reading sectors";
    struct seen s = { .count = 0 };

    (void)state;
    assert_int_equal(explain_log(log, sizeof log - 1, note, &s), 3);
    assert_int_equal(s.line[0], 2);
    assert_int_equal(s.line[1], 3);
    assert_int_equal(s.line[2], 6);
    assert_int_equal(explain_log("", 0, note, &s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_codes_are_complete),
        cmocka_unit_test(test_entries_are_whole),
        cmocka_unit_test(test_log_says_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
