#include "tests/firmware/boot/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *read_file(const char *dir, const char *name, size_t *len)
{
    char path[1024];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        fprintf(stderr, "%s is not there: ctest runs firmware_build and firmware_images before this\n", path);
        exit(2);
    }
    *len = (size_t)ftell(f);
    rewind(f);
    char *data = malloc(*len + 1);
    if (!data || fread(data, 1, *len, f) != *len) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    fclose(f);
    data[*len] = '\0';
    return data;
}

static void heard(void *ctx, unsigned uart, const uint8_t *data, size_t len)
{
    struct fw_rig *r = ctx;

    (void)uart;
    for (size_t i = 0; i < len && r->len + 1 < sizeof r->text; i++)
        r->text[r->len++] = (char)data[i];
    r->text[r->len] = '\0';
    size_t n = r->until ? strlen(r->until) : 0;
    if (n > 0 && !r->seen && r->len >= n && memcmp(r->text + r->len - n, r->until, n) == 0) {
        r->seen = true;
        r->seen_at = board_now(r->b);
        board_stop(r->b);
    }
}

/* Says who the board's chip is, and in its table that it has 1 MiB. */
static const struct nor_part *smaller(struct fw_rig *r, bool dk)
{
    static const uint8_t mx[] = { 0xC2, 0x28, 0x17 }, at[] = { 0x1F, 0x47, 0x0C };
    static const uint8_t bfpt[] = { 0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B,
        0x04, 0xBB, 0xEE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0x0C, 0x20, 0x0F, 0x52, 0x10,
        0xD8, 0x00, 0xFF };

    r->made = nor_part_generic(dk ? mx : at, 0x100000, bfpt, sizeof bfpt, dk ? 2 : 6);
    return r->made;
}

/* A part that says it is the board's, and knows QPI: 35h and F5h as Macronix has it, 38h and FFh as others. */
static const struct nor_part *with_qpi(struct fw_rig *r, bool dk)
{
    static const uint8_t mx[] = { 0xC2, 0x28, 0x17 }, at[] = { 0x1F, 0x47, 0x0C };
    uint8_t bfpt[64] = { 0xE5, 0x20, 0xF1, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x44, 0xEB, 0x08, 0x6B, 0x08, 0x3B, 0x04, 0xBB, 0xFE,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0xFF, 0xFF, 0xFF, 0x44, 0xEB, 0x0C, 0x20, 0x0F, 0x52, 0x10, 0xD8, 0x00, 0xFF, 0x23,
        0x72, 0xF5, 0x00, 0x82, 0xED, 0x04, 0xCC, 0x44, 0x83, 0x68, 0x44, 0x30, 0xB0, 0x30, 0xB0, 0xF7, 0xC4, 0xD5, 0x5C, 0x4A,
        0xBE, 0x29, 0xFF, 0xF0, 0xD0, 0xFF, 0xFF };

    if (!dk) {
        bfpt[7] = 0x01; /* 4 MiB */
        bfpt[56] = 0x19;
        bfpt[58] = 0x5D; /* quad enable as S2B1v5 */
    }
    r->made = nor_part_generic(dk ? mx : at, dk ? 8u << 20 : 4u << 20, bfpt, sizeof bfpt, dk ? 2 : 5);
    return r->made;
}

static bool is_dk(const char *board)
{
    return strstr(board, "nrf52840dk") != NULL;
}

static const struct nor_part *part_of(struct fw_rig *r, const char *board, enum rig_chip chip)
{
    bool dk = is_dk(board);

    switch (chip) {
    case RIG_CHIP_NONE:
        return NULL;
    case RIG_CHIP_SMALLER:
        return smaller(r, dk);
    case RIG_CHIP_WITH_QPI:
        return with_qpi(r, dk);
    case RIG_CHIP_OTHER:
        return nor_part_find(dk ? "at25xe321d" : "mx25r6435f");
    default:
        return nor_part_find(dk ? "mx25r6435f" : "at25xe321d");
    }
}

void rig_open(struct fw_rig *r, const char *board, enum rig_chip chip)
{
    char dir[1024], err[256];
    size_t len;

    memset(r, 0, sizeof *r);
    const struct board_config cfg = { .qspi = part_of(r, board, chip), .seed = 1 };
    r->slot1_size = is_dk(board) ? 0xE2000 : 0x100000;
    r->b = board_new(&cfg);
    snprintf(dir, sizeof dir, "%s%s%s", strchr(board, '/') ? "" : FIRMWARE_DIR, strchr(board, '/') ? "" : "/", board);
    char *hex = read_file(dir, "slipway-boot.hex", &len);
    if (!r->b || board_load_hex(r->b, hex, len, err, sizeof err) != 0) {
        fprintf(stderr, "slipway-boot.hex: %s\n", r->b ? err : "no memory");
        exit(2);
    }
    free(hex);
    board_on_uart(r->b, heard, r);
}

void rig_close(struct fw_rig *r)
{
    board_free(r->b);
    nor_part_free(r->made);
}

static void load(struct fw_rig *r, const char *image, uint8_t *to, size_t slot)
{
    size_t len;
    void *data = read_file(IMAGES_DIR, image, &len);

    memset(to, 0xFF, slot);
    memcpy(to, data, len < slot ? len : slot);
    free(data);
    board_contents_changed(r->b);
}

void rig_flash(struct fw_rig *r, const char *image)
{
    char name[128];

    snprintf(name, sizeof name, "%s.bin", image);
    load(r, name, board_flash(r->b) + RIG_SLOT0, 0xE2000);
}

void rig_request(struct fw_rig *r, const char *image)
{
    char name[128];
    size_t size;

    snprintf(name, sizeof name, "%s.slot1-%x.bin", image, (unsigned)r->slot1_size);
    load(r, name, board_external(r->b, &size), r->slot1_size);
}

void rig_clear(struct fw_rig *r)
{
    r->len = 0;
    r->text[0] = '\0';
}

bool rig_run(struct fw_rig *r, const char *text, double seconds)
{
    uint64_t end = board_now(r->b) + (uint64_t)(seconds * BOARD_CYCLES_PER_S);

    r->until = text;
    r->seen = false;
    while (!r->seen && board_now(r->b) < end) {
        enum board_stop stop = board_run(r->b, end);
        if (stop != BOARD_RUNS)
            break;
    }
    r->until = NULL;
    return r->seen;
}

bool rig_said(const struct fw_rig *r, const char *text)
{
    return strstr(r->text, text) != NULL;
}

bool rig_handover(struct fw_rig *r, struct handover *h)
{
    uint8_t at[HANDOVER_ROOM];

    return board_peek(r->b, HANDOVER_ADDR, at, sizeof at) && handover_take(at, h);
}

bool rig_found(const struct handover *h, unsigned reason)
{
    for (unsigned i = 0; i < h->report.findings; i++) {
        if (h->report.finding[i].reason == reason)
            return true;
    }
    return false;
}

double rig_ms(uint64_t cycles)
{
    return (double)cycles * 1000.0 / BOARD_CYCLES_PER_S;
}
