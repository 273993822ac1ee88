/* Says "ready", then sends back each byte it receives in upper case, by the legacy UART and its interrupt. */
#include "tests/board/fw/start.h"

#define UART(off) REG(0x40002000 + (off))

static void heard(void)
{
    UART(0x108) = 0;
    uint32_t c = UART(0x518);
    UART(0x11C) = 0;
    UART(0x51C) = c >= 'a' && c <= 'z' ? c - 32 : c;
    while (!UART(0x11C))
        ;
}

int main(void)
{
    print("ready\n");
    UART(0x500) = 0;
    UART(0x514) = 8;
    UART(0x524) = 0x01D7E000;
    UART(0x56C) = 1; /* RTS: what is sent back takes longer than what is received */
    UART(0x500) = 4;
    UART(0x304) = 1 << 2;
    ram_vectors[16 + 2] = heard;
    REG(0xE000E100) = 1 << 2;
    UART(0x008) = 1;
    UART(0x000) = 1;
    for (;;)
        __asm volatile("wfi");
}
