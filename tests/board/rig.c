/* See rig.h. */
#include "tests/board/rig.h"

#include <string.h>

enum { IDLE = 0x100, STORE = 0x110, LOAD = 0x120, STORE_BYTE = 0x130, SLEEP = 0x140, COUNTS = 0x20000800 };

/*
 * 0x100 b .      0x110 str r0, [r1]   0x120 ldr r0, [r1]   0x130 strb r0, [r1], each then b 0x100
 * 0x140 wfi; b 0x100
 * 0x180 any exception: counts[ipsr]++; if it is an interrupt, clears its enable in the NVIC; bx lr
 * 0x1c0 HardFault: counts[3]++, and goes on at 0x100 (stacked PC)
 */
static const uint8_t code[] = {
    0xfe, 0xe7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 100 */
    0x08, 0x60, 0xf5, 0xe7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 110 */
    0x08, 0x68, 0xed, 0xe7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 120 */
    0x08, 0x70, 0xe5, 0xe7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 130 */
    0x30, 0xbf, 0xdd, 0xe7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 140 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, /* 150 .. 17f */
    0xef, 0xf3, 0x05, 0x80, 0x09, 0x49, 0x51, 0xf8, 0x20, 0x20, 0x01, 0x32, 0x41, 0xf8, 0x20, 0x20, /* 180 */
    0x10, 0x38, 0x09, 0xd4, 0x01, 0x23, 0x00, 0xf0, 0x1f, 0x02, 0x93, 0x40, 0x40, 0x09, 0x04, 0x49, /* 190 */
    0x41, 0xf8, 0x20, 0x30, 0xbf, 0xf3, 0x4f, 0x8f, 0x70, 0x47, 0x00, 0x00, 0x00, 0x08, 0x00, 0x20, /* 1a0 */
    0x80, 0xe1, 0x00, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 1b0 */
    0x05, 0x49, 0xef, 0xf3, 0x05, 0x80, 0x51, 0xf8, 0x20, 0x20, 0x01, 0x32, 0x41, 0xf8, 0x20, 0x20, /* 1c0 */
    0x4f, 0xf4, 0x80, 0x71, 0x06, 0x91, 0x70, 0x47, 0x00, 0x08, 0x00, 0x20, /* 1d0 */
};

struct board *rig;

void rig_start_with(const struct board_config *config)
{
    board_free(rig);
    rig = board_new(config);
    assert_non_null(rig);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t v = i == 0 ? 0x20001000 : i == 1 ? IDLE + 1 : i == 3 ? 0x1C1 : 0x181;
        memcpy(board_flash(rig) + 4 * i, &v, 4);
    }
    memcpy(board_flash(rig) + IDLE, code, sizeof code);
    board_power_on(rig);
    memset(board_ram(rig), 0, BOARD_RAM_SIZE);
    rig_settle();
}

void rig_start(void)
{
    struct board_config config = { .qspi = nor_part_find("mx25r6435f"), .seed = 5 };
    rig_start_with(&config);
}

int rig_stop(void **state)
{
    (void)state;
    board_free(rig);
    rig = NULL;
    return 0;
}

static bool idle(void)
{
    uint32_t pc = board_reg(rig, 15);
    return (board_reg(rig, 16) & 0x1FFu) == 0 && (pc == IDLE || (pc == SLEEP + 2 && board_sleeping(rig)));
}

void rig_settle(void)
{
    for (unsigned i = 0; i < 100; i++) {
        enum board_stop stop = board_run(rig, board_now(rig) + 8);
        if (stop != BOARD_RUNS)
            fail_msg("the board stopped (%d): %s", (int)stop, board_why(rig));
        if (idle())
            return;
    }
    fail_msg("the core does not come back to its idle loop: pc 0x%08x", (unsigned)board_reg(rig, 15));
}

static uint32_t run_stub(uint32_t stub, uint32_t addr, uint32_t val)
{
    board_set_reg(rig, 0, val);
    board_set_reg(rig, 1, addr);
    board_set_reg(rig, 15, stub);
    rig_settle();
    return board_reg(rig, 0);
}

void wr(uint32_t addr, uint32_t val) { (void)run_stub(STORE, addr, val); }
void wr8(uint32_t addr, uint8_t val) { (void)run_stub(STORE_BYTE, addr, val); }
uint32_t rd(uint32_t addr) { return run_stub(LOAD, addr, 0xDEADBEEF); }

static void run_to(uint64_t until)
{
    enum board_stop stop = board_run(rig, until);
    if (stop != BOARD_RUNS)
        fail_msg("the board stopped (%d): %s", (int)stop, board_why(rig));
    if (!idle())
        rig_settle();
}

void us(double n)
{
    run_to(board_now(rig) + (uint64_t)(n * RIG_US));
}

void sleep_us(double n)
{
    board_set_reg(rig, 15, SLEEP);
    us(n);
    if (board_sleeping(rig)) { /* an interrupt that no peripheral has */
        assert_true(board_poke(rig, 0xE000E100, "\0\0\0\x40", 4) && board_poke(rig, 0xE000E200, "\0\0\0\x40", 4));
        rig_settle();
    }
    if (board_sleeping(rig))
        fail_msg("the core does not wake");
}

double now_us(void)
{
    return (double)board_now(rig) / RIG_US;
}

/* Without the core: reading an event register has no effect. */
static bool raised(uint32_t addr)
{
    uint8_t v = 0;
    assert_true(board_peek(rig, addr, &v, 1));
    return v & 1u;
}

double until_event(uint32_t addr, double limit)
{
    double begun = now_us();
    while (now_us() - begun <= limit) {
        if (raised(addr))
            return now_us() - begun;
        double t = now_us() - begun; /* to half a percent */
        us(t < 50 ? 0.25 : t / 200);
    }
    return -1;
}

void irq_on(unsigned irq)
{
    wr(0xE000E280 + irq / 32 * 4, 1u << (irq % 32)); /* what is pending of before */
    wr(0xE000E100 + irq / 32 * 4, 1u << (irq % 32));
}

unsigned irqs(unsigned irq) { return ram_word(COUNTS + 4 * (16 + irq)); }
unsigned faults(void) { return ram_word(COUNTS + 4 * 3); }

void ram_put(uint32_t addr, const void *data, size_t len)
{
    assert_true(board_poke(rig, addr, data, len));
}

void ram_get(uint32_t addr, void *data, size_t len)
{
    assert_true(board_peek(rig, addr, data, len));
}

uint32_t ram_word(uint32_t addr)
{
    uint32_t v;
    ram_get(addr, &v, sizeof v);
    return v;
}

unsigned unmodelled_count(void)
{
    unsigned n = 0;
    while (board_unmodelled(rig, n))
        n++;
    return n;
}
