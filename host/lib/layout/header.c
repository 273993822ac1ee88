#include "host/lib/layout/header.h"

#include <inttypes.h>
#include <string.h>

static void define(FILE *out, const char *name, uint32_t value, const char *comment)
{
    fprintf(out, "#define SLIPWAY_%-17s SLIPWAY_U(0x%08" PRIX32 ")%s%s%s\n", name, value, *comment ? " /* " : "",
        comment, *comment ? " */" : "");
}

static void define_part(FILE *out, const char *name, const struct layout_part *p, const char *comment)
{
    char full[32];

    snprintf(full, sizeof full, "%s_OFF", name);
    define(out, full, p->off, comment);
    snprintf(full, sizeof full, "%s_SIZE", name);
    define(out, full, p->size, "");
}

/* A name in a C string: anything that is not plain becomes '_'. */
static void put_name(FILE *out, const char *name)
{
    for (; *name; name++) {
        bool plain = (*name >= '0' && *name <= '9') || (*name >= 'A' && *name <= 'Z')
            || (*name >= 'a' && *name <= 'z') || (*name && strchr("-_.,+@ ", *name));
        fputc(plain ? *name : '_', out);
    }
}

static void put_defines(FILE *out, const struct layout *l)
{
    struct layout_room best = layout_room_best(l);

    fputs("#define SLIPWAY_BOARD             \"", out);
    put_name(out, l->board);
    fputs("\"\n", out);
    define(out, "LAYOUT_HASH", l->hash, "layout_hash() of what follows");
    define(out, "INTERNAL_SIZE", l->internal_size, "");
    define(out, "INTERNAL_ERASE", l->internal_erase, "");
    define(out, "EXTERNAL_SIZE", l->external_size, "");
    define(out, "EXTERNAL_ERASE", l->external_erase, "");
    define(out, "EXTERNAL_JEDEC", l->external_jedec, "0x00MMTTCC");
    define_part(out, "BOOT", &l->boot, "internal");
    define_part(out, "SLOT0", &l->slot0, "internal");
    define_part(out, "SLOT1", &l->slot1, "external");
    define_part(out, "STATE", &l->state, "internal");
    define(out, "UNIT", l->unit, "of a swap");
    define(out, "GAP", best.gap, "of the largest image that can be swapped");
    define(out, "MAX_IMAGE", best.max_image, "bytes of that image, header and TLVs included");
    define(out, "BOOT_CODE_SIZE",
        l->state.off >= l->boot.off && l->state.off - l->boot.off < l->boot.size
            ? l->state.off - l->boot.off : l->boot.size,
        "of the boot partition, without the state");
}

/* The application's own: the first partition of that kind, size 0 if the board has none. */
static void put_app_parts(FILE *out, const struct layout_report *r)
{
    struct layout_part storage = { 0, 0 }, store = { 0, 0 };

    for (unsigned i = 0; i < r->region_count; i++) {
        const struct layout_region *g = &r->region[i];
        if (g->chip == LAYOUT_INTERNAL && g->role == LAYOUT_STORAGE && storage.size == 0)
            storage = (struct layout_part) { g->off, g->size };
        if (g->chip == LAYOUT_EXTERNAL && g->role == LAYOUT_OTHER && store.size == 0
            && (strcmp(g->name, "store") == 0 || strcmp(g->name, "store_partition") == 0))
            store = (struct layout_part) { g->off, g->size };
    }
    fputs("\n/* Partitions of the application; a size of 0: there is none. */\n", out);
    define_part(out, "STORAGE", &storage, "internal: storage_partition");
    define_part(out, "STORE", &store, "external: store_partition");
}

static void put_wiring(FILE *out, const struct layout_wiring *w)
{
    fputs("\n/* Pins are port * 32 + pin, 0xFF: not connected. What is not there has its HAS_ 0. */\n", out);
    define(out, "HAS_UART", w->uart, "of zephyr,uart-mcumgr or zephyr,console");
    define(out, "UART_BASE", w->uart_base, "");
    define(out, "UART_BAUD", w->uart_baud, "");
    define(out, "UART_TX", w->uart_tx, "");
    define(out, "UART_RX", w->uart_rx, "");
    define(out, "HAS_QSPI", w->qspi, "");
    define(out, "QSPI_HZ", w->qspi_hz, "");
    define(out, "QSPI_SCK", w->qspi_sck, "");
    define(out, "QSPI_CSN", w->qspi_csn, "");
    define(out, "QSPI_IO0", w->qspi_io[0], "");
    define(out, "QSPI_IO1", w->qspi_io[1], "");
    define(out, "QSPI_IO2", w->qspi_io[2], "");
    define(out, "QSPI_IO3", w->qspi_io[3], "");
    define(out, "HAS_RECOVERY", w->recovery, "alias mcuboot-button0");
    define(out, "RECOVERY_PIN", w->recovery_pin, "");
    define(out, "RECOVERY_LOW", w->recovery_low, "1: low keeps the bootloader in recovery");
    define(out, "RECOVERY_PULL", w->recovery_pull, "1: with the chip's pull resistor");
}

void layout_write_header(FILE *out, const struct layout *l, const struct layout_report *r,
    const char *source)
{
    fputs("/* Written by `slipway layout --header` from ", out);
    put_name(out, source);
    fputs(". Do not edit: change that file. */\n"
          "#ifndef SLIPWAY_BOARD_LAYOUT_H\n#define SLIPWAY_BOARD_LAYOUT_H\n\n"
          "#if defined(__ASSEMBLER__) /* a linker script */\n#define SLIPWAY_U(n) n\n#else\n"
          "#define SLIPWAY_U(n) n##u\n#include \"core/boot/layout.h\"\n#endif\n\n", out);
    put_defines(out, l);
    put_app_parts(out, r);
    put_wiring(out, &r->wiring);
    fputs("\n#if !defined(__ASSEMBLER__)\n__attribute__((unused)) static const struct layout slipway_layout = {\n"
          "    .board = SLIPWAY_BOARD,\n"
          "    .internal_size = SLIPWAY_INTERNAL_SIZE,\n"
          "    .internal_erase = SLIPWAY_INTERNAL_ERASE,\n"
          "    .external_size = SLIPWAY_EXTERNAL_SIZE,\n"
          "    .external_erase = SLIPWAY_EXTERNAL_ERASE,\n"
          "    .external_jedec = SLIPWAY_EXTERNAL_JEDEC,\n"
          "    .boot = { SLIPWAY_BOOT_OFF, SLIPWAY_BOOT_SIZE },\n"
          "    .slot0 = { SLIPWAY_SLOT0_OFF, SLIPWAY_SLOT0_SIZE },\n"
          "    .slot1 = { SLIPWAY_SLOT1_OFF, SLIPWAY_SLOT1_SIZE },\n"
          "    .state = { SLIPWAY_STATE_OFF, SLIPWAY_STATE_SIZE },\n"
          "    .unit = SLIPWAY_UNIT,\n"
          "    .hash = SLIPWAY_LAYOUT_HASH,\n"
          "};\n#endif\n\n#endif\n", out);
}
