#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "host/doctor/chips.h"

static const struct soc socs[] = {
    { "nrf52805", 192, 4096, false, false, true, false, -1, { 0, 0 } },
    { "nrf52810", 192, 4096, false, false, true, false, -1, { 0, 0 } },
    { "nrf52811", 192, 4096, false, false, true, false, -1, { 0, 0 } },
    { "nrf52820", 256, 4096, false, false, true, false, -1, { 0, 0 } },
    { "nrf52832", 512, 4096, false, false, true, false, 0, { 9, 10 } },
    { "nrf52833", 512, 4096, false, false, true, false, 0, { 9, 10 } },
    { "nrf52840", 1024, 4096, true, true, true, false, 0, { 9, 10 } },
    { "nrf5340", 1024, 4096, true, true, true, false, 0, { 2, 3 } },
    { "nrf9151", 1024, 4096, false, true, true, false, -1, { 0, 0 } },
    { "nrf9160", 1024, 4096, false, true, true, false, -1, { 0, 0 } },
    { "nrf9161", 1024, 4096, false, true, true, false, -1, { 0, 0 } },
    { "nrf54l05", 500, 4096, false, true, true, true, 1, { 2, 3 } },
    { "nrf54l10", 1012, 4096, false, true, true, true, 1, { 2, 3 } },
    { "nrf54l15", 1524, 4096, false, true, true, true, 1, { 2, 3 } },
    { "nrf54lm20", 2036, 4096, false, true, true, true, -1, { 0, 0 } },
    { "nrf54h20", 0, 4096, false, false, false, true, -1, { 0, 0 } },
    { "nrf9280", 0, 4096, false, false, false, true, -1, { 0, 0 } },
    { "stm32f2", 0, 128 << 10, false, false, false, false, -1, { 0, 0 } },
    { "stm32f4", 0, 128 << 10, false, false, false, false, -1, { 0, 0 } },
    { "nucleo_f4", 0, 128 << 10, false, false, false, false, -1, { 0, 0 } },
    { "stm32f7", 0, 256 << 10, false, false, false, false, -1, { 0, 0 } },
    { "stm32h7", 0, 128 << 10, false, false, false, false, -1, { 0, 0 } },
    { "nucleo_h7", 0, 128 << 10, false, false, false, false, -1, { 0, 0 } },
    { "stm32l4", 0, 2048, false, false, false, false, -1, { 0, 0 } },
    { "stm32", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "nucleo", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "disco", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "frdm", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "mimxrt", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "lpcxpresso", 0, 0, false, false, false, false, -1, { 0, 0 } },
    { "rp2040", 0, 4096, false, false, false, false, -1, { 0, 0 } },
    { "esp32", 0, 4096, false, false, false, false, -1, { 0, 0 } },
};

static bool contains(const char *text, const char *word)
{
    size_t n = strlen(word);

    for (; *text; text++) {
        if (strncasecmp(text, word, n) == 0)
            return true;
    }
    return false;
}

const struct soc *soc_in(const char *text)
{
    const struct soc *best = NULL;

    for (size_t i = 0; text && i < sizeof socs / sizeof socs[0]; i++) {
        if (contains(text, socs[i].name) && (!best || strlen(socs[i].name) > strlen(best->name)))
            best = &socs[i];
    }
    return best;
}

#define MX25R64(props)                                                                             \
    "mx25r64: mx25r6435f@0 { reg = <0>; jedec-id = [c2 28 17]; size = <67108864>;"                 \
    " has-dpd; t-enter-dpd = <10000>; t-exit-dpd = <35000>; " props " };"
#define QSPI_MX25R64                                                                               \
    "/ { soc { qspi: qspi@40029000 { status = \"okay\"; " MX25R64(                                 \
        "compatible = \"nordic,qspi-nor\"; writeoc = \"pp4io\"; readoc = \"read4io\";"             \
        " sck-frequency = <8000000>;") " }; }; };"
#define SPI_NOR(part, id, bits, status)                                                            \
    "/ { soc { spi3: spi@b000 { status = \"okay\"; " part ": " part "@1 {"                         \
    " compatible = \"jedec,spi-nor\"; reg = <1>; jedec-id = [" id "]; size = <" bits ">;"          \
    " spi-max-frequency = <8000000>; status = \"" status "\"; }; }; }; };"
#define FLASH_1M                                                                                   \
    "/ { soc { flash0: flash@0 { compatible = \"soc-nv-flash\"; reg = <0 0x100000>;"               \
    " erase-block-size = <4096>; }; }; };"

static const char *const thingy53_defaults[] = { "BOOTLOADER_MCUBOOT", "MCUBOOT_MODE_OVERWRITE_ONLY",
    "SECURE_BOOT_NETCORE", "NETCORE_APP_UPDATE", NULL };

static const struct known_board boards[] = {
    { "nrf52840dk", "nrf52840", FLASH_1M QSPI_MX25R64 "/ { soc { uicr: uicr@10001000 { }; }; };", false, NULL },
    { "nrf5340dk", "nrf5340", FLASH_1M QSPI_MX25R64, false, NULL },
    { "nrf7002dk", "nrf5340", FLASH_1M SPI_NOR("mx25r64", "c2 28 17", "67108864", "okay"), false, NULL }, /* QSPI: Wi-Fi */
    { "thingy53", "nrf5340",
        FLASH_1M QSPI_MX25R64 "/ { chosen { nordic,pm-ext-flash = &mx25r64; }; };", true, thingy53_defaults },
    { "nrf9160dk", "nrf9160", FLASH_1M SPI_NOR("mx25r64", "c2 28 17", "67108864", "disabled"), false, NULL },
    { "nrf9161dk", "nrf9161", FLASH_1M SPI_NOR("gd25wb256", "c8 65 19", "268435456", "disabled"), false, NULL },
    { "nrf9151dk", "nrf9151", FLASH_1M SPI_NOR("gd25wb256", "c8 65 19", "268435456", "disabled"), false, NULL },
    { "nrf54l15dk", "nrf54l15", SPI_NOR("mx25r64", "c2 28 17", "67108864", "disabled"), false, NULL },
    { "xiao_ble", "nrf52840",
        FLASH_1M "/ { soc { qspi: qspi@40029000 { status = \"okay\"; p25q16h: p25q16h@0 {"
                 " compatible = \"nordic,qspi-nor\"; reg = <0>; jedec-id = [85 60 15];"
                 " size = <16777216>; }; }; }; };", false, NULL },
};

const struct known_board *known_board(const char *board)
{
    for (size_t i = 0; board && i < sizeof boards / sizeof boards[0]; i++) {
        size_t n = strlen(boards[i].name);
        if (strncmp(board, boards[i].name, n) == 0 && !isalnum((unsigned char)board[n]))
            return &boards[i];
    }
    return NULL;
}

static const struct nor_part parts[] = {
    { "mx25r6435", { 0xc2, 0x28, 0x17 }, 64, QER_S1B6, 80000000, false, false, false, 3500 },
    { "mx25r3235", { 0xc2, 0x28, 0x16 }, 32, QER_S1B6, 80000000, false, false, false, 3500 },
    { "mx25r1635", { 0xc2, 0x28, 0x15 }, 16, QER_S1B6, 80000000, false, false, false, 3500 },
    { "mx25r8035", { 0xc2, 0x28, 0x14 }, 8, QER_S1B6, 80000000, false, false, false, 3500 },
    { "mx25l3233", { 0xc2, 0x20, 0x16 }, 32, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx25l6433", { 0xc2, 0x20, 0x17 }, 64, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx25l128", { 0xc2, 0x20, 0x18 }, 128, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx25l256", { 0xc2, 0x20, 0x19 }, 256, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx66l512", { 0xc2, 0x20, 0x1a }, 512, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx66l1g", { 0xc2, 0x20, 0x1b }, 1024, QER_S1B6, 133000000, false, false, false, 2000 },
    { "mx25u128", { 0xc2, 0x25, 0x38 }, 128, QER_S1B6, 133000000, false, false, false, 2000 },
    { "w25q80", { 0xef, 0x40, 0x14 }, 8, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q16", { 0xef, 0x40, 0x15 }, 16, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q32", { 0xef, 0x40, 0x16 }, 32, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q64", { 0xef, 0x40, 0x17 }, 64, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q128", { 0xef, 0x40, 0x18 }, 128, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q256", { 0xef, 0x40, 0x19 }, 256, QER_S2B1, 104000000, false, false, false, 2000 },
    { "w25q512", { 0xef, 0x40, 0x20 }, 512, QER_S2B1, 104000000, false, false, false, 2000 },
    { "gd25q16", { 0xc8, 0x40, 0x15 }, 16, QER_S2B1, 104000000, false, false, false, 2000 },
    { "gd25q32", { 0xc8, 0x40, 0x16 }, 32, QER_S2B1, 104000000, false, false, false, 2000 },
    { "gd25q64", { 0xc8, 0x40, 0x17 }, 64, QER_S2B1, 104000000, false, false, false, 2000 },
    { "gd25q128", { 0xc8, 0x40, 0x18 }, 128, QER_S2B1, 104000000, false, false, false, 2000 },
    { "gd25wb256", { 0xc8, 0x65, 0x19 }, 256, QER_S2B1, 104000000, false, false, false, 2000 },
    { "at25xe321d", { 0x1f, 0x47, 0x0c }, 32, QER_S2B1, 108000000, true, true, false, 2250 },
    { "at25sf321b", { 0x1f, 0x87, 0x01 }, 32, QER_S2B1, 108000000, true, false, false, 2200 },
    { "at25sf128", { 0x1f, 0x89, 0x01 }, 128, QER_S2B1, 108000000, true, false, false, 2200 },
    { "at25df321", { 0x1f, 0x47, 0x00 }, 32, QER_ANY, 70000000, true, false, false, 2000 },
    { "at25df641", { 0x1f, 0x48, 0x00 }, 64, QER_ANY, 85000000, true, false, false, 2000 },
    { "at25ff321a", { 0x1f, 0x47, 0x08 }, 32, QER_S2B1, 104000000, true, true, false, 2250 },
    { "at25eu0021", { 0x1f, 0x11, 0x01 }, 2, QER_S2B1, 85000000, false, false, false, 200 },
    { "is25lp064", { 0x9d, 0x60, 0x17 }, 64, QER_S1B6, 133000000, true, false, false, 1000 },
    { "is25lp128", { 0x9d, 0x60, 0x18 }, 128, QER_S1B6, 133000000, true, false, false, 1000 },
    { "is25wp064", { 0x9d, 0x70, 0x17 }, 64, QER_S1B6, 133000000, true, false, false, 1000 },
    { "p25q16", { 0x85, 0x60, 0x15 }, 16, QER_S2B1, 104000000, false, false, true, 30 },
    { "p25q32", { 0x85, 0x60, 0x16 }, 32, QER_S2B1, 104000000, false, false, true, 30 },
    { "s25fl064", { 0x01, 0x60, 0x17 }, 64, QER_S2B1, 108000000, false, false, false, 1400 },
    { "s25fl128", { 0x01, 0x60, 0x18 }, 128, QER_S2B1, 108000000, false, false, false, 1400 },
    { "sst26vf064", { 0xbf, 0x26, 0x43 }, 64, QER_NONE, 104000000, true, false, false, 25 },
};

const struct nor_part *nor_by_id(const uint8_t *id)
{
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (memcmp(parts[i].id, id, 3) == 0)
            return &parts[i];
    }
    return NULL;
}

/* The longest part whose name begins `name`, or the other way round for names cut short by a unit. */
const struct nor_part *nor_by_name(const char *name)
{
    const struct nor_part *best = NULL;

    for (size_t i = 0; name && i < sizeof parts / sizeof parts[0]; i++) {
        if (contains(name, parts[i].name) && (!best || strlen(parts[i].name) > strlen(best->name)))
            best = &parts[i];
    }
    return best;
}

static const struct {
    uint8_t id;
    const char *vendor;
    enum qer qer;
} vendors[] = {
    { 0x1f, "Adesto/Renesas", QER_S2B1 }, { 0xc2, "Macronix", QER_S1B6 }, { 0xef, "Winbond", QER_S2B1 },
    { 0xc8, "GigaDevice", QER_S2B1 }, { 0x9d, "ISSI", QER_S1B6 }, { 0x20, "Micron/XMC", QER_ANY },
    { 0x85, "Puya", QER_S2B1 }, { 0x01, "Cypress/Infineon", QER_S2B1 }, { 0xbf, "Microchip/SST", QER_ANY },
};

const char *nor_vendor_of_id(uint8_t first)
{
    for (size_t i = 0; i < sizeof vendors / sizeof vendors[0]; i++) {
        if (vendors[i].id == first)
            return vendors[i].vendor;
    }
    return NULL;
}

enum qer nor_vendor_qer(const char *vendor)
{
    for (size_t i = 0; vendor && i < sizeof vendors / sizeof vendors[0]; i++) {
        if (strcmp(vendors[i].vendor, vendor) == 0)
            return vendors[i].qer;
    }
    return QER_ANY;
}

const char *nor_vendor_of_name(const char *name)
{
    static const struct {
        const char *start;
        uint8_t id;
    } starts[] = {
        { "at25", 0x1f }, { "at45", 0x1f }, { "mx25", 0xc2 }, { "mx66", 0xc2 }, { "w25q", 0xef },
        { "w25x", 0xef }, { "gd25", 0xc8 }, { "is25", 0x9d }, { "n25q", 0x20 }, { "mt25", 0x20 },
        { "p25q", 0x85 }, { "py25", 0x85 }, { "s25f", 0x01 }, { "sst2", 0xbf },
    };

    for (size_t i = 0; name && i < sizeof starts / sizeof starts[0]; i++) {
        if (strncasecmp(name, starts[i].start, strlen(starts[i].start)) == 0)
            return nor_vendor_of_id(starts[i].id);
    }
    return NULL;
}

uint64_t nor_bits_of_id(const uint8_t *id)
{
    const struct nor_part *part = nor_by_id(id);

    if (part)
        return (uint64_t)part->mbit << 20;
    if (id[0] == 0x1f) {
        /* AT25DF/SF/FF/XE: 2^(n+15) bytes, n the low five bits of the second byte (0x4x, 0x8x). */
        unsigned n = id[1] & 0x1f;
        bool family = (id[1] >> 5) == 2 || (id[1] >> 5) == 4;
        return family && n >= 3 && n <= 12 ? (uint64_t)8 << (n + 15) : 0;
    }
    if (nor_vendor_of_id(id[0]) && id[0] != 0xbf && id[2] >= 0x10 && id[2] <= 0x1f)
        return (uint64_t)8 << id[2];
    return 0;
}
