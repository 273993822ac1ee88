/* Reset, vectors in RAM, UARTE0 at 1 Mbaud for text. Freestanding, independent of everything else. */
#include "tests/board/fw/start.h"

extern uint32_t ld_data_load[], ld_data[], ld_data_end[], ld_bss[], ld_bss_end[], ld_stack_top[];
void reset(void);

handler *ram_vectors[64] __attribute__((aligned(256)));

static void unexpected(void)
{
    print("unexpected exception ");
    uint32_t n;
    __asm volatile("mrs %0, ipsr" : "=r"(n));
    print_hex(n);
    print("\n");
    for (;;)
        ;
}

void reset(void)
{
    uint32_t *from = ld_data_load;
    for (uint32_t *p = ld_data; p < ld_data_end;)
        *p++ = *from++;
    for (uint32_t *p = ld_bss; p < ld_bss_end;)
        *p++ = 0;
    for (unsigned i = 0; i < 64; i++)
        ram_vectors[i] = unexpected;
    REG(0xE000ED08) = (uint32_t)ram_vectors;
    REG(0xE000ED88) = 0x00F00000; /* FPU on */
    __asm volatile("dsb\n isb");
    REG(0x4000250C) = 6; /* TXD on P0.06 */
    REG(0x40002524) = 0x10000000;
    REG(0x40002500) = 8;
    (void)main();
    print("done\n");
    for (;;)
        __asm volatile("wfi");
}

__attribute__((section(".vectors"), used)) static void *const vectors[] = { ld_stack_top, (void *)reset };

static char line[256];

void print(const char *s)
{
    unsigned n = 0;
    while (s[n] && n < sizeof line) {
        line[n] = s[n];
        n++;
    }
    REG(0x40002544) = (uint32_t)line;
    REG(0x40002548) = n;
    REG(0x40002120) = 0;
    REG(0x40002008) = 1;
    while (!REG(0x40002120))
        ;
}

void print_hex(uint32_t v)
{
    char t[9];
    for (int i = 0; i < 8; i++)
        t[i] = "0123456789abcdef"[v >> (28 - 4 * i) & 15];
    t[8] = 0;
    print(t);
}

/* The compiler asks for these even of freestanding code. */
void *memset(void *to, int c, unsigned n);
void *memcpy(void *to, const void *from, unsigned n);

void *memset(void *to, int c, unsigned n)
{
    for (volatile uint8_t *p = to; n--;)
        *p++ = (uint8_t)c;
    return to;
}

void *memcpy(void *to, const void *from, unsigned n)
{
    const uint8_t *q = from;
    for (volatile uint8_t *p = to; n--;)
        *p++ = *q++;
    return to;
}
