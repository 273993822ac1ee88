/*
 * Works both flashes at the same time, with random data, timers and a UART that is listened to: what the
 * tests of determinism, power cuts and snapshots run. An MX25R6435F is expected on the DK's pins.
 */
#include "tests/board/fw/start.h"

#define NVMC(off) REG(0x4001E000 + (off))
#define QSPI(off) REG(0x40029000 + (off))
#define RNG(off) REG(0x4000D000 + (off))
enum { ROUNDS = 4, PAGE = 0x80000, CHUNK = 1024 };

static uint32_t data[CHUNK / 4], back[CHUNK / 4];
static uint8_t heard[64];
static volatile uint32_t ticks;

static void tick(void)
{
    ticks++;
}

static void ready(void)
{
    while (!QSPI(0x100))
        ;
    QSPI(0x100) = 0;
}

static void open_qspi(void)
{
    static const uint8_t pin[] = { 19, 17, 0, 20, 21, 22, 23 };
    for (unsigned i = 0; i < 7; i++) {
        if (i != 2)
            QSPI(0x524 + 4 * i) = pin[i];
    }
    QSPI(0x500) = 1;
    QSPI(0x000) = 1;
    ready();
}

static void draw(void)
{
    for (unsigned i = 0; i < CHUNK / 4; i++) {
        if (i % 16 == 0) {
            RNG(0x100) = 0;
            while (!RNG(0x100))
                ;
        }
        data[i] = RNG(0x508) * 0x01010101u ^ i * 2654435761u;
    }
}

static void external(uint32_t at)
{
    QSPI(0x51C) = at;
    QSPI(0x520) = 0;
    QSPI(0x00C) = 1;
    ready();
    QSPI(0x510) = at;
    QSPI(0x514) = (uint32_t)data;
    QSPI(0x518) = CHUNK;
    QSPI(0x008) = 1; /* waits for the erase, meanwhile the other chip is at work */
}

static void internal(uint32_t at)
{
    NVMC(0x504) = 2;
    NVMC(0x508) = at;
    NVMC(0x504) = 1;
    for (unsigned i = 0; i < 16; i++)
        *(volatile uint32_t *)(at + 4 * i) = data[i];
    NVMC(0x504) = 0;
}

static int verify(uint32_t at)
{
    ready();
    QSPI(0x504) = at;
    QSPI(0x508) = (uint32_t)back;
    QSPI(0x50C) = CHUNK;
    QSPI(0x004) = 1;
    ready();
    for (unsigned i = 0; i < CHUNK / 4; i++) {
        if (back[i] != data[i])
            return 0;
    }
    return 1;
}

int main(void)
{
    extern handler *ram_vectors[64];
    ram_vectors[15] = tick;
    REG(0xE000E014) = 63999;
    REG(0xE000E018) = 0;
    REG(0xE000E010) = 7;
    REG(0x40002514) = 8;
    REG(0x40002534) = (uint32_t)heard;
    REG(0x40002538) = sizeof heard;
    REG(0x40002000) = 1;
    RNG(0x504) = 1;
    RNG(0x000) = 1;
    open_qspi();
    for (uint32_t r = 0; r < ROUNDS; r++) {
        draw();
        external(r * 4096);
        internal(PAGE + r % 2 * 4096);
        print(verify(r * 4096) ? "good " : "bad ");
        print_hex(data[0] ^ heard[r] ^ ticks);
        print("\n");
    }
    REG(0xE000E010) = 0;
    return 0;
}
