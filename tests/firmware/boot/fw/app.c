/*
 * An application of somebody else: it shares no line with core/, drivers/ or arch/, and knows of the
 * bootloader only what MCUboot's library knows, the trailer at the end of its slot. It says on the UART
 * what state it was started in, then does as it was built for:
 *
 *   APP_TEXT      its name
 *   APP_CONFIRM   1: programs image_ok in its trailer, as boot_write_img_confirmed() does
 *   APP_HANG      1: hangs with interrupts off, as soon as it has said its name
 *   APP_RESET     1: resets by software after a moment; 2: into the bootloader's recovery (GPREGRET 1)
 *   APP_MISCHIEF  what it does to the external chip, or to the bootloader, before that: enum mischief
 */
#include <stdint.h>

#define REG(a) (*(volatile uint32_t *)(a))
#define UARTE  0x40002000u
#define SLOT0_END 0xEE000u

static void put(const char *s)
{
    static char buf[128];
    uint32_t n = 0;

    while (s[n] && n < sizeof buf) {
        buf[n] = s[n];
        n++;
    }
    REG(UARTE + 0x120) = 0;
    REG(UARTE + 0x544) = (uint32_t)buf;
    REG(UARTE + 0x548) = n;
    REG(UARTE + 0x008) = 1;
    while (!REG(UARTE + 0x120))
        ;
}

static void put_hex(const char *name, uint32_t v)
{
    char text[12];
    int n = 0;

    put(name);
    for (int i = 28; i >= 0; i -= 4) {
        uint32_t d = v >> i & 15;
        text[n++] = (char)(d < 10 ? '0' + d : 'a' - 10 + d);
    }
    text[n] = 0;
    put(text);
}

static void open_uart(void)
{
    REG(0x50000508) = 1u << 6; /* TX high */
    REG(0x50000700 + 4 * 6) = 3;
    REG(UARTE + 0x50C) = 6;
    REG(UARTE + 0x514) = 8;
    REG(UARTE + 0x524) = 0x01D60000;
    REG(UARTE + 0x500) = 8;
}

/* What a fresh reset would show: all 0 but VTOR, CCR 0x200 and the PSEL of the UART. */
static void put_core(void)
{
    uint32_t primask, control, basepri, faultmask;

    __asm volatile("mrs %0, primask\n mrs %1, control\n mrs %2, basepri\n mrs %3, faultmask"
                   : "=r"(primask), "=r"(control), "=r"(basepri), "=r"(faultmask));
    put_hex(" masks=", primask | control << 8 | basepri << 16 | faultmask << 24);
    put_hex(" vtor=", REG(0xE000ED08));
    put_hex(" systick=", REG(0xE000E010));
    put_hex(" mpu=", REG(0xE000ED94));
    put_hex(" iser=", REG(0xE000E100) | REG(0xE000E104));
    put_hex(" ispr=", REG(0xE000E200) | REG(0xE000E204));
    put_hex(" cpacr=", REG(0xE000ED88));
    put_hex(" ccr=", REG(0xE000ED14));
    put_hex(" cfsr=", REG(0xE000ED28) | REG(0xE000ED2C));
    put_hex(" qspi=", REG(0x40029500));
    put_hex(" uarte=", REG(UARTE + 0x564) | REG(UARTE + 0x568) << 8);
    put_hex(" ppi=", REG(0x4001F500));
    put_hex(" nvmc=", REG(0x4001E504));
    put_hex(" wdt=", REG(0x40010400));
    put_hex(" crv=", REG(0x40010400) ? REG(0x40010504) : 0);
}

static void confirm(void)
{
    REG(0x4001E504) = 1;
    *(volatile uint32_t *)(SLOT0_END - 24) = 0xFFFFFF01;
    while (!REG(0x4001E400))
        ;
    REG(0x4001E504) = 0;
}

static void wait(uint32_t turns)
{
    while (turns-- > 0)
        __asm volatile("nop");
}

/* One custom instruction of the QSPI controller: `len` bytes of `data` behind the opcode. */
static void instruct(uint32_t opcode, uint32_t data, uint32_t len, uint32_t write_enable)
{
    REG(0x40029638) = data;
    REG(0x40029100) = 0;
    REG(0x40029634) = opcode | (len + 1) << 8 | 3u << 12 | write_enable << 15;
    while (!REG(0x40029100))
        ;
}

enum mischief { NONE, POWER_DOWN, ERASING, PROTECTED, QUAD_OFF, FOUR_BYTE, QPI, INTRUDE };

/*
 * Erases the first and the last page of the bootloader's partition, and programs a word in another one. Whether
 * that is ignored or a fault, the board is reset.
 */
static void intrude(void)
{
    REG(0x4001E504) = 2;
    REG(0x4001E508) = 0;
    while (!REG(0x4001E400))
        ;
    REG(0x4001E508) = 0xB000;
    while (!REG(0x4001E400))
        ;
    REG(0x4001E504) = 1;
    REG(0x1000) = 0;
    while (!REG(0x4001E400))
        ;
    REG(0x4001E504) = 0;
}

static void do_mischief(int how)
{
    static const uint8_t pins[] = { 19, 17, 0, 20, 21, 22, 23 };

    for (unsigned i = 0; i < sizeof pins; i++) {
        if (i != 2)
            REG(0x40029524 + 4 * i) = pins[i];
    }
    REG(0x40029500) = 1;
    REG(0x40029100) = 0;
    REG(0x40029000) = 1;
    while (!REG(0x40029100))
        ;
    if (how == POWER_DOWN)
        instruct(0xB9, 0, 0, 0);
    if (how == ERASING) /* 64 KiB behind slot 1: some hundred milliseconds */
        instruct(0xD8, 0x00001F, 3, 1);
    if (how == PROTECTED)
        instruct(0x01, 0x1C, 1, 1);
    if (how == QUAD_OFF)
        instruct(0x01, 0, 2, 1);
    if (how == FOUR_BYTE)
        instruct(0xB7, 0, 0, 0);
    if (how == QPI) { /* quad on for both ways of enabling it, then for both ways of entering */
        instruct(0x01, 0x0240, 2, 1);
        wait(2000000);
        instruct(0x38, 0, 0, 0);
        instruct(0x35, 0, 0, 0);
    }
}

void reset(void);
void reset(void)
{
    uint32_t found = REG(UARTE + 0x500) | (REG(UARTE + 0x50C) + 1);

    open_uart();
    put("app " APP_TEXT "\r\n");
    if (APP_HANG) {
        __asm volatile("cpsid i");
        for (;;)
            wait(1);
    }
    put("core");
    put_hex(" uart=", found);
    put_core();
    put("\r\n");
    if (APP_CONFIRM)
        confirm();
    put("app done\r\n");
    if (APP_MISCHIEF == INTRUDE)
        intrude();
    else if (APP_MISCHIEF)
        do_mischief(APP_MISCHIEF);
    if (APP_RESET) {
        wait(1000);
        if (APP_RESET == 2)
            REG(0x4000051C) = 1;
        REG(0xE000ED0C) = 0x05FA0004;
    }
    for (;;)
        __asm volatile("wfi");
}

static void fault(void)
{
    REG(0xE000ED0C) = 0x05FA0004;
    for (;;)
        ;
}

__attribute__((section(".vectors"), used)) static const struct {
    uint32_t sp;
    void (*reset)(void);
    void (*nmi)(void);
    void (*hard_fault)(void);
    uint32_t rest[60];
} vectors = { 0x20040000, reset, 0, APP_MISCHIEF == INTRUDE ? fault : 0, { 0 } };
