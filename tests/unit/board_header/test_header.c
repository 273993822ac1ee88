/* A generated header says what layout_load() says of the same file; compiled once for each board. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host/lib/layout/load.h"
#include "slipway_board.h"

static struct layout_report report;
static struct layout loaded;

static int load(void **state)
{
    (void)state;
    return layout_load(TEST_BOARD, &loaded, &report);
}

static void expect_part(const struct layout_part *a, const struct layout_part *b)
{
    assert_int_equal(a->off, b->off);
    assert_int_equal(a->size, b->size);
}

static void test_struct(void **state)
{
    const struct layout *l = &slipway_layout;

    (void)state;
    assert_string_equal(l->board, loaded.board);
    assert_int_equal(l->internal_size, loaded.internal_size);
    assert_int_equal(l->internal_erase, loaded.internal_erase);
    assert_int_equal(l->external_size, loaded.external_size);
    assert_int_equal(l->external_erase, loaded.external_erase);
    assert_int_equal(l->external_jedec, loaded.external_jedec);
    expect_part(&l->boot, &loaded.boot);
    expect_part(&l->slot0, &loaded.slot0);
    expect_part(&l->slot1, &loaded.slot1);
    expect_part(&l->state, &loaded.state);
    assert_int_equal(l->unit, loaded.unit);
    assert_int_equal(l->hash, loaded.hash);
    assert_int_equal(l->hash, layout_hash(l));
}

static void expect_region(enum layout_role role, uint8_t chip, const char *name, uint32_t off, uint32_t size)
{
    for (unsigned i = 0; i < report.region_count; i++) {
        const struct layout_region *r = &report.region[i];
        if (r->role != role || r->chip != chip || strcmp(r->name, name) != 0)
            continue;
        assert_int_equal(off, r->off);
        assert_int_equal(size, r->size);
        return;
    }
    assert_int_equal(size, 0);
}

/* What only an application uses. */
static void test_app_parts(void **state)
{
    (void)state;
    expect_region(LAYOUT_STORAGE, LAYOUT_INTERNAL, "storage_partition", SLIPWAY_STORAGE_OFF, SLIPWAY_STORAGE_SIZE);
    expect_region(LAYOUT_OTHER, LAYOUT_EXTERNAL, "store_partition", SLIPWAY_STORE_OFF, SLIPWAY_STORE_SIZE);
}

static void test_macros(void **state)
{
    struct layout_room best = layout_room_best(&loaded);

    (void)state;
    assert_string_equal(SLIPWAY_BOARD, loaded.board);
    assert_int_equal(SLIPWAY_LAYOUT_HASH, loaded.hash);
    assert_int_equal(SLIPWAY_EXTERNAL_JEDEC, loaded.external_jedec);
    assert_int_equal(SLIPWAY_GAP, best.gap);
    assert_int_equal(SLIPWAY_MAX_IMAGE, best.max_image);
    bool state_in_boot = loaded.state.off < loaded.boot.off + loaded.boot.size;
    assert_int_equal(SLIPWAY_BOOT_CODE_SIZE, loaded.boot.size - (state_in_boot ? loaded.state.size : 0));
}

/* Both boards of this repository are wired as the DK; the third file says nothing of pins. */
static void test_wiring(void **state)
{
    const struct layout_wiring *w = &report.wiring;

    (void)state;
    assert_int_equal(SLIPWAY_HAS_UART, w->uart);
    assert_int_equal(SLIPWAY_HAS_QSPI, w->qspi);
    assert_int_equal(SLIPWAY_HAS_RECOVERY, w->recovery);
    if (!TEST_WIRED) {
        assert_false(w->uart || w->qspi || w->recovery);
        return;
    }
    assert_int_equal(SLIPWAY_UART_BASE, 0x40002000);
    assert_int_equal(SLIPWAY_UART_BAUD, 115200);
    assert_int_equal(SLIPWAY_UART_TX, 6);
    assert_int_equal(SLIPWAY_UART_RX, 8);
    assert_int_equal(SLIPWAY_QSPI_HZ, TEST_QSPI_HZ);
    assert_int_equal(SLIPWAY_QSPI_SCK, 19);
    assert_int_equal(SLIPWAY_QSPI_CSN, 17);
    assert_int_equal(SLIPWAY_QSPI_IO0, 20);
    assert_int_equal(SLIPWAY_QSPI_IO1, 21);
    assert_int_equal(SLIPWAY_QSPI_IO2, 22);
    assert_int_equal(SLIPWAY_QSPI_IO3, 23);
    assert_int_equal(SLIPWAY_RECOVERY_PIN, 11);
    assert_true(SLIPWAY_RECOVERY_LOW && SLIPWAY_RECOVERY_PULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_struct),
        cmocka_unit_test(test_app_parts),
        cmocka_unit_test(test_macros),
        cmocka_unit_test(test_wiring),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
