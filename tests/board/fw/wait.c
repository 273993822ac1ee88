/*
 * Firmware that waits for what the board does not model, and firmware that only looks like it. The letter at
 * 0xF0000 says which; see test_wait.c. In all of them a tick runs: RTC1 eight times a second, or as said.
 */
#include "tests/board/fw/start.h"

#define RADIO(off) REG(0x40001000 + (off))
#define RTC1(off) REG(0x40011000 + (off))
enum { MODE = 0xF0000, NVIC_ENABLE = 0xE000E100, LED = 1 << 13 };

static volatile uint32_t ticks, answered;

static void tick(void)
{
    RTC1(0x100) = 0;
    (void)RTC1(0x100);
    ticks++;
    if (REG(MODE) == 'l')
        REG(0x50000000 + (ticks & 1 ? 0x508 : 0x50C)) = LED;
}

static void alarm(void)
{
    RTC1(0x140) = 0;
    RTC1(0x540) = RTC1(0x504) + 32768 / 4096 * 15;
    ticks++;
}

static void radio(void)
{
    answered = 1;
}

static void start_clock(void)
{
    REG(0x40000518) = 0;
    REG(0x40000008) = 1;
    while (!REG(0x40000104))
        ;
    REG(NVIC_ENABLE) = 1 << 17;
    RTC1(0x508) = 4095;
}

static void start_tick(void)
{
    ram_vectors[16 + 17] = tick;
    start_clock();
    RTC1(0x304) = 1;
    RTC1(0x000) = 1;
}

/* One interrupt every fifteen seconds, nothing between. */
static void start_alarm(void)
{
    ram_vectors[16 + 17] = alarm;
    start_clock();
    RTC1(0x540) = 8 * 15;
    RTC1(0x304) = 1 << 16;
    RTC1(0x000) = 1;
}

static void start_radio(void)
{
    ram_vectors[16 + 1] = radio;
    RADIO(0xFFC) = 0;
    RADIO(0xFFC) = 1;
    RADIO(0x304) = 1 << 3; /* END */
    REG(NVIC_ENABLE) = 1 << 1;
    RADIO(0x000) = 1; /* TXEN */
}

static void sleep(void)
{
    __asm volatile("wfi");
}

static void sleep_ticks(uint32_t n)
{
    for (uint32_t from = ticks; ticks - from < n;)
        sleep();
}

/* A value in registers that never comes again, for about `n` seconds. */
static uint32_t compute(uint32_t n)
{
    uint32_t x = 1;
    for (uint32_t from = ticks; ticks - from < 8 * n;)
        x = x * 1664525u + 1013904223u;
    return x;
}

static void wait_like(uint32_t mode)
{
    switch (mode) {
    case 'i': case 'l': /* for the interrupt, asleep; l: with an LED that the tick blinks */
        while (!answered)
            sleep();
        break;
    case 's': /* for the interrupt, in a loop */
        while (!answered)
            ;
        break;
    case 'e': /* for the event, looked at with every tick */
        while (!RADIO(0x110))
            sleep();
        break;
    case 'p': /* the same without the interrupt, as fast as it can */
        while (!RADIO(0x110))
            ;
        break;
    default:
        break;
    }
}

static void work_like(uint32_t mode)
{
    for (unsigned i = 0;; i++) {
        if (mode == '7') /* a line every seven seconds */
            sleep_ticks(56);
        else if (mode == 'a') /* a line every fifteen, without a tick between */
            sleep_ticks(1);
        else if (mode == 'c') /* computes for two, then says what */
            print_hex(compute(2));
        else if (mode == 'b') { /* blinks */
            REG(0x50000000 + (i & 1 ? 0x508 : 0x50C)) = LED;
            sleep_ticks(4);
            continue;
        } else { /* quiet */
            sleep();
            continue;
        }
        print("alive\n");
    }
}

int main(void)
{
    uint32_t mode = REG(MODE);
    REG(0x50000518) = LED;
    if (mode == 'a')
        start_alarm();
    else
        start_tick();
    if (mode == 'k') { /* CryptoCell: a hash, and its interrupt */
        REG(0x5002A500) = 1;
        REG(NVIC_ENABLE + 4) = 1 << (42 - 32);
        REG(0x5002B640) = 0x6A09E667;
        while (!answered)
            sleep();
    } else if (mode == 't') { /* touches RADIO, starts nothing */
        REG(NVIC_ENABLE) = 1 << 1;
        RADIO(0xFFC) = 1;
        RADIO(0x304) = 1 << 3;
        RADIO(0x010) = 1; /* DISABLE */
        (void)RADIO(0x110);
    } else if (mode == 'o') { /* tries it and switches it off */
        start_radio();
        sleep_ticks(8);
        RADIO(0xFFC) = 0;
    } else {
        start_radio();
    }
    wait_like(mode);
    work_like(mode);
    return 0;
}
