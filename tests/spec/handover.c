/* A handover with a value of its own in each field, as the bootloader leaves it in RAM, for tests/spec/test_handover.py. */
#include <stdio.h>

#include "core/boot/handover.h"

static struct finding finding_of(uint16_t n)
{
    return (struct finding) { .reason = n, .slot = (uint8_t)(n + 1), .found = n + 2u, .expected = n + 3u, .where = n + 4u };
}

static struct slot_report slot_of(uint8_t n)
{
    struct slot_report s = { .present = true, .version = { n, (uint8_t)(n + 1), (uint16_t)(n + 300), n + 70000u },
        .size = n + 80000u, .unit = (uint8_t)(n + 2), .verified = n % 2 == 0, .why = finding_of((uint16_t)(n + 400)) };

    for (uint8_t i = 0; i < CRYPTO_SHA256_LEN; i++)
        s.hash[i] = (uint8_t)(n + i);
    return s;
}

int main(void)
{
    uint8_t ram[HANDOVER_ROOM] = { 0 };
    struct handover h = { .reset_reasons = 0x10001, .watchdog_s = 30, .fault = { 3, 0xC123, 0xC456, 0x8200, 0x4000, 0xC200 } };

    h.report = (struct boot_report) { .action = BOOT_ACTION_REVERT, .started = true, .swap_stopped = true, .starts = 4,
        .attempts = 5, .gap = 2, .units = 213, .layout_hash = 0x5FC4A507, .jedec = 0x1F470C,
        .phase_ms = { 11, 12, 13, 14, 15 }, .total_ms = 65, .slot = { slot_of(10), slot_of(21) }, .findings = 3 };
    for (uint16_t i = 0; i < REPORT_FINDINGS; i++)
        h.report.finding[i] = finding_of((uint16_t)(500 + 10 * i));
    handover_write(ram, &h);
    return fwrite(ram, 1, sizeof ram, stdout) == sizeof ram ? 0 : 1;
}
